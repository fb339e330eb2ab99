/* Reads single rows back out of a packed weight. */
#include "ck_gemm.h"
#include "../coded_layout.h"
#include "../gemm_layout.h"
#include "../half_floats.h"

void ck_unpack_row(
    ck_dtype dtype, const ck_coded *coded, const void *w, int64_t n, int64_t k, int64_t row, float *out) {
    (void)n; /* the panels lie one after the other, so that their number does not matter */
    if (coded) {
        const unsigned char *panel = (const unsigned char *)w + row / CK_PANEL * ck_coded_panel_bytes(coded);
        for (int64_t i = 0; i < k; i++) out[i] = ck_coded_value(coded, panel, row % CK_PANEL, i, dtype);
        return;
    }
    const float *f32 = w;
    const uint16_t *bits = w;
    switch (dtype) {
    case CK_F32:
        for (int64_t i = 0; i < k; i++) out[i] = f32[ck_packed_index(CK_F32, k, row, i)];
        break;
    case CK_F16:
        for (int64_t i = 0; i < k; i++) out[i] = ck_from_f16(bits[ck_packed_index(CK_F16, k, row, i)]);
        break;
    case CK_BF16:
        for (int64_t i = 0; i < k; i++) out[i] = ck_from_bf16(bits[ck_packed_index(CK_BF16, k, row, i)]);
        break;
    case CK_I8:
    case CK_I4: {
        const unsigned char *panel = (const unsigned char *)w + row / CK_PANEL * ck_gemm_panel_bytes(dtype, k);
        int64_t lane = row % CK_PANEL;
        for (int64_t i = 0; i < k; i++)
            out[i] = (float)ck_quantized_value(dtype, panel, lane, i) * ck_quantized_scale(dtype, panel, k, lane, i);
        break;
    }
    case CK_E4M3: break; /* pages only */
    }
}
