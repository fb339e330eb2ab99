/* Readable twin of the matrix products, the reference for all other paths. */
#include "plain_gemm.h"

#include "../coded_layout.h"
#include "../half_floats.h"
#include "../templates/quantize_rows.h"

#include <math.h>

/* Vectorized and remaining elements must round alike. */
#pragma STDC FP_CONTRACT OFF

/* To the nearest bf16, as a float32; ties to even. */
static float round_to_bf16(float x) {
    uint32_t bits = ck_bits(x);
    if (x != x) return ck_from_bits((bits | 0x400000) & 0xffff0000); /* quiet, and not an infinity */
    return ck_from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
}

static void prepare(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_prepare_call *c = argument;
    if (c->dtype != CK_BF16) {
        quantize_rows(c, begin, end);
        return;
    }
    for (int64_t row = begin; row < end; row++) {
        const float *x = c->x + row * c->ldx;
        float *prepared = (float *)((unsigned char *)c->prepared + row * ck_prepared_stride(c->k, 4));
        for (int64_t i = 0; i < c->k; i++) prepared[i] = round_to_bf16(x[i]);
        if (c->k % 2 == 1) prepared[c->k] = 0;
    }
}

/* The elements i of all rows of a panel, as float32. */
static void read_column(const ck_gemm_call *c, const unsigned char *panel, int64_t i, float *w) {
    if (c->coded) {
        for (int lane = 0; lane < CK_PANEL; lane++) w[lane] = ck_coded_value(c->coded, panel, lane, i, c->dtype);
        return;
    }
    const float *f32 = (const float *)panel + i * CK_PANEL;
    const uint16_t *f16 = (const uint16_t *)panel + i * CK_PANEL;
    const uint16_t *bf16 = (const uint16_t *)panel + i / 2 * CK_PANEL * 2 + i % 2;
    for (int lane = 0; lane < CK_PANEL; lane++) {
        switch (c->dtype) {
        case CK_F32: w[lane] = f32[lane]; break;
        case CK_F16: w[lane] = ck_from_f16(f16[lane]); break;
        case CK_BF16: w[lane] = ck_from_bf16(bf16[2 * lane]); break;
        case CK_I8:
        case CK_I4: break; /* see quantized_row */
        case CK_E4M3: break; /* pages only */
        }
    }
}

/* One panel of the product of ROWS rows at most. */
enum { ROWS = 16 };

static void block(const ck_gemm_call *c, int64_t row, int64_t rows, int64_t panel) {
    int64_t panel_bytes = c->coded ? ck_coded_panel_bytes(c->coded) : ck_gemm_panel_bytes(c->dtype, c->k);
    const unsigned char *w = (const unsigned char *)c->w + panel * panel_bytes;
    const unsigned char *x = c->x;
    int64_t stride = c->dtype == CK_BF16 ? ck_prepared_stride(c->k, 4) : c->ldx * 4;
    float sum[ROWS][CK_PANEL] = {{0}};
    for (int64_t i = 0; i < c->k; i++) {
        float column[CK_PANEL];
        read_column(c, w, i, column);
        for (int64_t r = 0; r < rows; r++) {
            float value = ((const float *)(x + (row + r) * stride))[i];
            for (int lane = 0; lane < CK_PANEL; lane++) sum[r][lane] += value * column[lane];
        }
    }
    for (int64_t r = 0; r < rows; r++) {
        for (int lane = 0; lane < CK_PANEL && panel * CK_PANEL + lane < c->n; lane++) {
            int64_t output = panel * CK_PANEL + lane;
            c->out[(row + r) * c->ldo + output] = sum[r][lane] + (c->bias ? c->bias[output] : 0);
        }
    }
}

/* One panel of one row: exact integers, and then the same few roundings as on all paths. */
static void quantized_row(const ck_gemm_call *c, int64_t row, int64_t panel) {
    const unsigned char *w = (const unsigned char *)c->w + panel * ck_gemm_panel_bytes(c->dtype, c->k);
    const unsigned char *x = (const unsigned char *)c->x + row * ck_quantized_stride(c->k);
    const ck_quantized_row *header = (const ck_quantized_row *)x;
    const int8_t *bytes = (const int8_t *)(header + 1);
    int64_t group = c->dtype == CK_I8 ? c->k : CK_GROUP;
    for (int lane = 0; lane < CK_PANEL && panel * CK_PANEL + lane < c->n; lane++) {
        float sum = 0;
        for (int64_t first = 0; first < c->k; first += group) {
            int32_t dot = 0;
            for (int64_t i = first; i < first + group && i < c->k; i++)
                dot += bytes[i] * ck_quantized_value(c->dtype, w, lane, i);
            float scale = ck_quantized_scale(c->dtype, w, c->k, lane, first);
            sum = c->dtype == CK_I8 ? (float)dot * scale : fmaf((float)dot, scale, sum);
        }
        int64_t output = panel * CK_PANEL + lane;
        sum = sum * header->scale;
        c->out[row * c->ldo + output] = c->bias ? sum + c->bias[output] : sum;
    }
}

static void gemm(const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    if (c->dtype == CK_I8 || c->dtype == CK_I4) {
        for (int64_t panel = panel_begin; panel < panel_end; panel++)
            for (int64_t row = row_begin; row < row_end; row++) quantized_row(c, row, panel);
        return;
    }
    for (int64_t panel = panel_begin; panel < panel_end; panel++) {
        for (int64_t row = row_begin; row < row_end; row += ROWS) {
            block(c, row, row_end - row < ROWS ? row_end - row : ROWS, panel);
        }
    }
}

const ck_gemm_table ck_gemm_plain = {ck_pack_plain, prepare, gemm};
