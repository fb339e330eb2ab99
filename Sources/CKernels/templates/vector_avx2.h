/* Sixteen floats in two AVX registers: the vocabulary of the templates in this folder. */
#ifndef CK_VECTOR_AVX2_H
#define CK_VECTOR_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define CK_TARGET "avx2,fma,f16c"
#define CK_INLINE static inline __attribute__((always_inline, unused, target(CK_TARGET)))

typedef struct v16 {
    __m256 a, b;
} v16;

/* Sixteen registers: with rows of 6, one vector of keys or values beside 12 of sums. */
#define V_TILE 1

#define V_BOTH(expression_a, expression_b) \
    v16 result; \
    result.a = expression_a; \
    result.b = expression_b; \
    return result

CK_INLINE v16 v_zero(void) { V_BOTH(_mm256_setzero_ps(), _mm256_setzero_ps()); }
CK_INLINE v16 v_set1(float x) { V_BOTH(_mm256_set1_ps(x), _mm256_set1_ps(x)); }
CK_INLINE v16 v_load(const float *p) { V_BOTH(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)); }
CK_INLINE void v_store(float *p, v16 x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}

/* All ones in the lanes low <= i + from <= high. */
CK_INLINE __m256i v_lanes(int32_t from, int32_t low, int32_t high) {
    __m256i lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(from));
    return _mm256_andnot_si256(
        _mm256_cmpgt_epi32(_mm256_set1_epi32(low), lane),
        _mm256_cmpgt_epi32(_mm256_set1_epi32(high), _mm256_sub_epi32(lane, _mm256_set1_epi32(1))));
}

/* The first n (0 ... 16) elements; what is beyond is 0, and not touched in memory. */
CK_INLINE v16 v_load_n(const float *p, int32_t n) {
    V_BOTH(_mm256_maskload_ps(p, v_lanes(0, 0, n - 1)), _mm256_maskload_ps(p + 8, v_lanes(8, 0, n - 1)));
}
CK_INLINE void v_store_n(float *p, int32_t n, v16 x) {
    _mm256_maskstore_ps(p, v_lanes(0, 0, n - 1), x.a);
    _mm256_maskstore_ps(p + 8, v_lanes(8, 0, n - 1), x.b);
}

CK_INLINE v16 v_add(v16 x, v16 y) { V_BOTH(_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)); }
CK_INLINE v16 v_sub(v16 x, v16 y) { V_BOTH(_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)); }
CK_INLINE v16 v_mul(v16 x, v16 y) { V_BOTH(_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)); }
CK_INLINE v16 v_div(v16 x, v16 y) { V_BOTH(_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)); }
/* x * y + z, and z - x * y. */
CK_INLINE v16 v_fma(v16 x, v16 y, v16 z) {
    V_BOTH(_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b));
}
CK_INLINE v16 v_fnma(v16 x, v16 y, v16 z) {
    V_BOTH(_mm256_fnmadd_ps(x.a, y.a, z.a), _mm256_fnmadd_ps(x.b, y.b, z.b));
}
/* y if one is NaN. */
CK_INLINE v16 v_max(v16 x, v16 y) { V_BOTH(_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)); }
CK_INLINE v16 v_min(v16 x, v16 y) { V_BOTH(_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)); }

CK_INLINE float v_reduce_add(v16 x) {
    __m256 a = _mm256_add_ps(x.a, x.b);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

CK_INLINE float v_reduce_max(v16 x) {
    __m256 a = _mm256_max_ps(x.a, x.b);
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}

CK_INLINE double v_sum_as_double(v16 x) {
    __m256d a = _mm256_add_pd(
        _mm256_cvtps_pd(_mm256_castps256_ps128(x.a)), _mm256_cvtps_pd(_mm256_extractf128_ps(x.a, 1)));
    __m256d b = _mm256_add_pd(
        _mm256_cvtps_pd(_mm256_castps256_ps128(x.b)), _mm256_cvtps_pd(_mm256_extractf128_ps(x.b, 1)));
    __m256d c = _mm256_add_pd(a, b);
    __m128d d = _mm_add_pd(_mm256_castpd256_pd128(c), _mm256_extractf128_pd(c, 1));
    return _mm_cvtsd_f64(_mm_add_sd(d, _mm_unpackhi_pd(d, d)));
}

/* 16 or the first 8 (then zeros) half floats. */
CK_INLINE v16 v_load_f16(const uint16_t *p) {
    V_BOTH(
        _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
        _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8))));
}
CK_INLINE v16 v_load_f16_8(const uint16_t *p) {
    V_BOTH(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)), _mm256_setzero_ps());
}

/* Sixteen int8, or FP8 E4M3 that are numbers, as float32. */
CK_INLINE __m256 v_widened_i8(const void *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
CK_INLINE v16 v_load_i8(const unsigned char *p) { V_BOTH(v_widened_i8(p), v_widened_i8(p + 8)); }
CK_INLINE __m256 v_widened_e4m3(const void *p) {
    __m128i codes = _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)p));
    __m128i sign = _mm_slli_epi16(_mm_and_si128(codes, _mm_set1_epi16(0x80)), 8);
    __m128i rest = _mm_slli_epi16(_mm_and_si128(codes, _mm_set1_epi16(0x7f)), 7);
    return _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(sign, rest)), _mm256_set1_ps(256));
}
CK_INLINE v16 v_load_e4m3(const unsigned char *p) { V_BOTH(v_widened_e4m3(p), v_widened_e4m3(p + 8)); }

CK_INLINE __m256 v_first_of_pairs(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)p), 16));
}
CK_INLINE __m256 v_second_of_pairs(const uint16_t *p) {
    return _mm256_castsi256_ps(
        _mm256_and_si256(_mm256_loadu_si256((const __m256i *)p), _mm256_set1_epi32((int)0xffff0000)));
}
/* Pairs of bfloat16: the first of each, the second of each. */
CK_INLINE v16 v_load_bf16_first(const uint16_t *p) { V_BOTH(v_first_of_pairs(p), v_first_of_pairs(p + 16)); }
CK_INLINE v16 v_load_bf16_second(const uint16_t *p) { V_BOTH(v_second_of_pairs(p), v_second_of_pairs(p + 16)); }
CK_INLINE v16 v_load_bf16_first_8(const uint16_t *p) { V_BOTH(v_first_of_pairs(p), _mm256_setzero_ps()); }
CK_INLINE v16 v_load_bf16_second_8(const uint16_t *p) { V_BOTH(v_second_of_pairs(p), _mm256_setzero_ps()); }

/* Lanes i with low <= i <= high keep their value, the others become -infinity. */
CK_INLINE v16 v_keep_lanes(v16 x, int32_t low, int32_t high) {
    __m256 none = _mm256_set1_ps(-__builtin_inff());
    V_BOTH(
        _mm256_blendv_ps(none, x.a, _mm256_castsi256_ps(v_lanes(0, low, high))),
        _mm256_blendv_ps(none, x.b, _mm256_castsi256_ps(v_lanes(8, low, high))));
}

/* Bit i: x[i] >= y[i], x[i] > y[i]. NaN: 0. */
CK_INLINE uint32_t v_mask_ge(v16 x, v16 y) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.a, y.a, _CMP_GE_OQ))
        | (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.b, y.b, _CMP_GE_OQ)) << 8;
}
CK_INLINE uint32_t v_mask_gt(v16 x, v16 y) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.a, y.a, _CMP_GT_OQ))
        | (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x.b, y.b, _CMP_GT_OQ)) << 8;
}
/* z where x >= y, else 0. */
CK_INLINE v16 v_where_ge(v16 x, v16 y, v16 z) {
    V_BOTH(
        _mm256_and_ps(_mm256_cmp_ps(x.a, y.a, _CMP_GE_OQ), z.a),
        _mm256_and_ps(_mm256_cmp_ps(x.b, y.b, _CMP_GE_OQ), z.b));
}
/* x, but `other` where x is NaN. */
CK_INLINE v16 v_unless_nan(v16 x, v16 other) {
    V_BOTH(
        _mm256_blendv_ps(other.a, x.a, _mm256_cmp_ps(x.a, x.a, _CMP_ORD_Q)),
        _mm256_blendv_ps(other.b, x.b, _mm256_cmp_ps(x.b, x.b, _CMP_ORD_Q)));
}

CK_INLINE v16 v_round(v16 x) {
    V_BOTH(
        _mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
        _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

CK_INLINE __m256 v_scale2_half(__m256 x, __m256 n) {
    /* Adds to the exponent: right for x near 1 and -126 <= n <= 127; below is flushed. */
    __m256i shifted = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    __m256 scaled = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), shifted));
    return _mm256_and_ps(scaled, _mm256_cmp_ps(n, _mm256_set1_ps(-125), _CMP_GE_OQ));
}
/* x * 2^n for integral n <= 127 and x near 1; 0 below the normal numbers. */
CK_INLINE v16 v_scale2(v16 x, v16 n) { V_BOTH(v_scale2_half(x.a, n.a), v_scale2_half(x.b, n.b)); }

#endif
