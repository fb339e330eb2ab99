/* Matrix products of quantized weights and activations with AVX2. */
#if defined(__x86_64__)

#include "avx2_gemm.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "gemm_vector.h"
#include "../templates/quantize_rows.h"

typedef __m256i integers;

VECTOR_INLINE integers integers_load(const void *p) { return _mm256_loadu_si256(p); }
VECTOR_INLINE integers integers_set1(int32_t x) { return _mm256_set1_epi32(x); }
VECTOR_INLINE vector integers_to_float(integers v) { return _mm256_cvtepi32_ps(v); }
VECTOR_INLINE integers integers_low(integers w) { return _mm256_and_si256(w, _mm256_set1_epi8(15)); }
VECTOR_INLINE integers integers_high(integers w) { return integers_low(_mm256_srli_epi16(w, 4)); }

/* Products of bytes in pairs saturate at 16 bits: |w|, at most 128, times x with the sign of w, at most 127, cannot. With w
 * below 16 the eight sums of pairs of a group, at most 8 * 2 * 15 * 127, still fit 16 bits together. */
VECTOR_INLINE integers pair_sums(integers pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }
VECTOR_INLINE integers signed_i8(integers w) { return _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80)); }
VECTOR_INLINE integers dot_i8(integers sum, integers w, integers x) {
    return _mm256_add_epi32(sum, pair_sums(_mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))));
}
VECTOR_INLINE integers dot_i4(integers sums, integers w, integers x) {
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(w, x));
}

#define GEMM(name) i8_##name
#define GEMM_DTYPE CK_I8
#define GEMM_VECTORS(rows) ((rows) == 1 ? 8 : (rows) <= 3 ? 2 : 1)
#define GEMM_WEIGHTS signed_i8
#define GEMM_DOT dot_i8
#define GEMM_OFFSET(header) 0
#define GEMM_FIRST(offset) (offset)
#define GEMM_TOTAL(offset, sum) (sum)
#include "../templates/gemm_quantized.h"

#define GEMM(name) i4_##name
#define GEMM_DTYPE CK_I4
#define GEMM_VECTORS(rows) ((rows) == 1 ? 4 : (rows) <= 3 ? 2 : 1)
#define GEMM_DOT dot_i4
#define GEMM_WEIGHTS(w) (w)
#define GEMM_OFFSET(header) 0
#define GEMM_FIRST(offset) _mm256_setzero_si256()
#define GEMM_TOTAL(offset, sums) _mm256_add_epi32(offset, pair_sums(sums))
#include "../templates/gemm_quantized.h"

void ck_gemm_quantized_avx2(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    if (c->dtype == CK_I8) i8_run(c, row_begin, row_end, panel_begin, panel_end);
    else i4_run(c, row_begin, row_end, panel_begin, panel_end);
}

void ck_prepare_quantized_avx2(const ck_prepare_call *c, int64_t begin, int64_t end) { quantize_rows(c, begin, end); }

#pragma clang attribute pop

#endif
