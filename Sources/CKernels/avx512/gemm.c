/* Matrix products with AVX-512 (F, BW, DQ, VL). */
#if defined(__x86_64__)

#include "avx512_gemm.h"

#include "../avx2/avx2_gemm.h"
#include "ck_dispatch.h"

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)

#include "gemm_vector.h"
#include "coded_vector.h"
#define EXPAND_PAIRS 0
#include "../templates/expand_panel.h"

#define FLOAT_VECTORS(rows) 4
#include "../templates/gemm_float.h"

void ck_gemm_f32_avx512(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    f32_run(c, row_begin, row_end, panel_begin, panel_end);
}

void ck_gemm_f16_avx512(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    f16_run(c, row_begin, row_end, panel_begin, panel_end);
}

static void gemm(const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    switch (c->dtype) {
    case CK_F32: f32_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_F16: f16_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_BF16: bf16_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_I8:
    case CK_I4:
        /* Without the dot product of bytes, wider vectors gain nothing. */
        if (ck_cpu_has_vnni()) ck_gemm_quantized_vnni(c, row_begin, row_end, panel_begin, panel_end);
        else ck_gemm_quantized_avx2(c, row_begin, row_end, panel_begin, panel_end);
        break;
    case CK_E4M3: break; /* pages only */
    }
}

static void prepare(const void *call, int32_t begin, int32_t end, int32_t worker) {
    const ck_prepare_call *c = call;
    if (c->dtype == CK_BF16) round_rows(call, begin, end, worker);
    else ck_prepare_quantized_avx2(c, begin, end);
}

#pragma clang attribute pop

const ck_gemm_table ck_gemm_avx512 = {ck_pack_avx512, prepare, gemm};

#endif
