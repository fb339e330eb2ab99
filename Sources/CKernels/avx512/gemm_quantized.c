/* Matrix products of quantized weights and activations with the dot product of four bytes (AVX512-VNNI). */
#if defined(__x86_64__)

#include "avx512_gemm.h"

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)

#include "gemm_vector.h"
#include "../templates/quantize_rows.h"

typedef __m512i integers;

VECTOR_INLINE integers integers_load(const void *p) { return _mm512_loadu_si512(p); }
VECTOR_INLINE integers integers_set1(int32_t x) { return _mm512_set1_epi32(x); }
VECTOR_INLINE vector integers_to_float(integers v) { return _mm512_cvtepi32_ps(v); }
VECTOR_INLINE integers integers_low(integers w) { return _mm512_and_si512(w, _mm512_set1_epi8(15)); }
VECTOR_INLINE integers integers_high(integers w) { return integers_low(_mm512_srli_epi16(w, 4)); }
VECTOR_INLINE integers dot(integers sum, integers w, integers x) { return _mm512_dpbusd_epi32(sum, w, x); }

#define GEMM(name) i8_##name
#define GEMM_DTYPE CK_I8
#define GEMM_VECTORS(rows) 4
#define GEMM_WEIGHTS(w) (w)
#define GEMM_DOT dot
#define GEMM_OFFSET(header) ((header)->offset)
#define GEMM_FIRST(offset) (offset)
#define GEMM_TOTAL(offset, sum) (sum)
#include "../templates/gemm_quantized.h"

/* Each sum of a group has its float beside it. */
#define GEMM(name) i4_##name
#define GEMM_DTYPE CK_I4
#define GEMM_VECTORS(rows) ((rows) <= 2 ? 4 : 2)
#define GEMM_WEIGHTS(w) (w)
#define GEMM_DOT dot
#define GEMM_OFFSET(header) 0
#define GEMM_FIRST(offset) (offset)
#define GEMM_TOTAL(offset, sum) (sum)
#include "../templates/gemm_quantized.h"

void ck_gemm_quantized_vnni(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    if (c->dtype == CK_I8) i8_run(c, row_begin, row_end, panel_begin, panel_end);
    else i4_run(c, row_begin, row_end, panel_begin, panel_end);
}

void ck_prepare_quantized_vnni(const ck_prepare_call *c, int64_t begin, int64_t end) { quantize_rows(c, begin, end); }

#pragma clang attribute pop

#endif
