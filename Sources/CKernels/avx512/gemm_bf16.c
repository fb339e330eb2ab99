/* Matrix products with the dot product of bf16 pairs (AVX512-BF16); f32 and f16 as with AVX-512. */
#if defined(__x86_64__)

#include "avx512_gemm.h"

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)

#include "gemm_vector.h"
#include "coded_vector.h"
#define EXPAND_PAIRS 1
#include "../templates/expand_panel.h"

VECTOR_INLINE vector dot(vector x, vector w, vector sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(x), (__m512bh)_mm512_castps_si512(w));
}

#define GEMM(name) bf16_##name
#define GEMM_DTYPE CK_BF16
#define GEMM_PARTS 1
#define GEMM_WEIGHTS(p, part) vector_load((const float *)(p))
#define GEMM_DOT dot
#define GEMM_VECTORS(rows) 4
#define GEMM_X_STRIDE(call) ck_prepared_stride((call)->k, 2)
#include "../templates/gemm_kernel.h"

/* Pairs of bf16, an odd k filled up with 0. */
static void round_rows(const ck_prepare_call *c, int32_t begin, int32_t end) {
    int64_t stride = ck_prepared_stride(c->k, 2);
    for (int64_t row = begin; row < end; row++) {
        const float *x = c->x + row * c->ldx;
        unsigned char *prepared = (unsigned char *)c->prepared + row * stride;
        int64_t i = 0;
        for (; i + 32 <= c->k; i += 32) {
            __m512bh both = _mm512_cvtne2ps_pbh(vector_load(x + i + 16), vector_load(x + i));
            _mm512_storeu_si512(prepared + 2 * i, (__m512i)both);
        }
        /* A row has room for whole vectors. */
        if (i < c->k) {
            int64_t low = c->k - i < 16 ? c->k - i : 16, high = c->k - i - low;
            vector second = high > 0 ? vector_load_some(x + i + 16, high) : vector_zero();
            __m512bh both = _mm512_cvtne2ps_pbh(second, vector_load_some(x + i, low));
            _mm512_storeu_si512(prepared + 2 * i, (__m512i)both);
        }
    }
}

static void gemm(const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    switch (c->dtype) {
    case CK_F32: ck_gemm_f32_avx512(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_F16: ck_gemm_f16_avx512(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_BF16: bf16_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_I8:
    case CK_I4: ck_gemm_quantized_vnni(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_E4M3: break; /* pages only */
    }
}

static void prepare(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_prepare_call *c = call;
    if (c->dtype == CK_BF16) round_rows(c, begin, end);
    else ck_prepare_quantized_vnni(c, begin, end);
}

#pragma clang attribute pop

const ck_gemm_table ck_gemm_avx512bf16 = {ck_pack_avx512, prepare, gemm};

#endif
