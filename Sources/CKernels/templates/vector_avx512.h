/* Sixteen floats in one AVX-512 register: the vocabulary of the templates in this folder. */
#ifndef CK_VECTOR_AVX512_H
#define CK_VECTOR_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define CK_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"
#define CK_INLINE static inline __attribute__((always_inline, unused, target(CK_TARGET)))

typedef __m512 v16;

/* Registers for the tiles of attention: with rows of 6, this many vectors of keys or values beside each other. */
#define V_TILE 4

CK_INLINE v16 v_zero(void) { return _mm512_setzero_ps(); }
CK_INLINE v16 v_set1(float x) { return _mm512_set1_ps(x); }
CK_INLINE v16 v_load(const float *p) { return _mm512_loadu_ps(p); }
CK_INLINE void v_store(float *p, v16 x) { _mm512_storeu_ps(p, x); }
/* The first n (0 ... 16) elements; what is beyond is 0, and not touched in memory. */
CK_INLINE v16 v_load_n(const float *p, int32_t n) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
CK_INLINE void v_store_n(float *p, int32_t n, v16 x) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), x); }

CK_INLINE v16 v_add(v16 a, v16 b) { return _mm512_add_ps(a, b); }
CK_INLINE v16 v_sub(v16 a, v16 b) { return _mm512_sub_ps(a, b); }
CK_INLINE v16 v_mul(v16 a, v16 b) { return _mm512_mul_ps(a, b); }
CK_INLINE v16 v_div(v16 a, v16 b) { return _mm512_div_ps(a, b); }
/* a * b + c, and c - a * b. */
CK_INLINE v16 v_fma(v16 a, v16 b, v16 c) { return _mm512_fmadd_ps(a, b, c); }
CK_INLINE v16 v_fnma(v16 a, v16 b, v16 c) { return _mm512_fnmadd_ps(a, b, c); }
/* b if one is NaN. */
CK_INLINE v16 v_max(v16 a, v16 b) { return _mm512_max_ps(a, b); }
CK_INLINE v16 v_min(v16 a, v16 b) { return _mm512_min_ps(a, b); }

CK_INLINE float v_reduce_add(v16 x) {
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

CK_INLINE float v_reduce_max(v16 x) {
    __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}

CK_INLINE double v_sum_as_double(v16 x) {
    return _mm512_reduce_add_pd(_mm512_add_pd(
        _mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))));
}

/* 16 or the first 8 (then zeros) half floats. */
CK_INLINE v16 v_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
CK_INLINE v16 v_load_f16_8(const uint16_t *p) {
    return _mm512_zextps256_ps512(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)));
}

/* Sixteen int8, or FP8 E4M3 that are numbers, as float32. */
CK_INLINE v16 v_load_i8(const unsigned char *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
CK_INLINE v16 v_load_e4m3(const unsigned char *p) {
    __m256i codes = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
    __m256i sign = _mm256_slli_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0x80)), 8);
    __m256i rest = _mm256_slli_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0x7f)), 7);
    return _mm512_mul_ps(_mm512_cvtph_ps(_mm256_or_si256(sign, rest)), _mm512_set1_ps(256));
}

/* Pairs of bfloat16: the first of each, the second of each. */
CK_INLINE v16 v_load_bf16_first(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
}
CK_INLINE v16 v_load_bf16_second(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32((int)0xffff0000)));
}
CK_INLINE v16 v_load_bf16_first_8(const uint16_t *p) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)p)), 16));
}
CK_INLINE v16 v_load_bf16_second_8(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_and_si512(
        _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)p)), _mm512_set1_epi32((int)0xffff0000)));
}

/* Lanes i with low <= i <= high keep their value, the others become -infinity. */
CK_INLINE v16 v_keep_lanes(v16 x, int32_t low, int32_t high) {
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __mmask16 keep = _mm512_cmpge_epi32_mask(lane, _mm512_set1_epi32(low))
        & _mm512_cmple_epi32_mask(lane, _mm512_set1_epi32(high));
    return _mm512_mask_blend_ps(keep, _mm512_set1_ps(-__builtin_inff()), x);
}

/* Bit i: a[i] >= b[i], a[i] > b[i]. NaN: 0. */
CK_INLINE uint32_t v_mask_ge(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
CK_INLINE uint32_t v_mask_gt(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
/* x where a >= b, else 0. */
CK_INLINE v16 v_where_ge(v16 a, v16 b, v16 x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_GE_OQ), x);
}
/* x, but `other` where x is NaN. */
CK_INLINE v16 v_unless_nan(v16 x, v16 other) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), other, x);
}

CK_INLINE v16 v_round(v16 x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* x * 2^n for integral n; exact 0 far below. */
CK_INLINE v16 v_scale2(v16 x, v16 n) { return _mm512_scalef_ps(x, n); }

/* Stores the elements whose bit is set, one behind the other; writes a whole vector. */
#define V_COMPRESS
CK_INLINE void v_store_chosen(float *p, uint32_t mask, v16 x) {
    _mm512_storeu_ps(p, _mm512_maskz_compress_ps((__mmask16)mask, x));
}
CK_INLINE void v_store_chosen_ids(int32_t *p, uint32_t mask, const int32_t *ids, int32_t first) {
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i x = ids ? _mm512_maskz_loadu_epi32((__mmask16)mask, ids) : _mm512_add_epi32(lane, _mm512_set1_epi32(first));
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32((__mmask16)mask, x));
}

#endif
