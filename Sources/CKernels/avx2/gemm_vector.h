/* Eight float32 lanes, under the names that the templates use. Include within the file's target attributes. */
#define VECTOR_LANES 8
#define VECTOR_INLINE static inline __attribute__((always_inline))

typedef __m256 vector;

VECTOR_INLINE vector vector_zero(void) { return _mm256_setzero_ps(); }
VECTOR_INLINE vector vector_load(const float *p) { return _mm256_loadu_ps(p); }
VECTOR_INLINE void vector_store(float *p, vector v) { _mm256_storeu_ps(p, v); }
VECTOR_INLINE vector vector_add(vector a, vector b) { return _mm256_add_ps(a, b); }
VECTOR_INLINE vector vector_mul(vector a, vector b) { return _mm256_mul_ps(a, b); }
VECTOR_INLINE vector vector_fma(vector a, vector b, vector sum) { return _mm256_fmadd_ps(a, b, sum); }
VECTOR_INLINE vector vector_broadcast(const void *p) { return _mm256_broadcast_ss(p); }
VECTOR_INLINE vector vector_from_f16(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128(p)); }

/* The first and the second elements of eight pairs of bf16. */
VECTOR_INLINE vector vector_first_bf16(const void *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(p), 16));
}
VECTOR_INLINE vector vector_second_bf16(const void *p) {
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(p), _mm256_set1_epi32((int)0xffff0000)));
}

/* The lanes below `count`, 0 ... 8. */
VECTOR_INLINE __m256i vector_mask(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VECTOR_INLINE vector vector_load_some(const float *p, int64_t count) { return _mm256_maskload_ps(p, vector_mask(count)); }
VECTOR_INLINE void vector_store_some(float *p, vector v, int64_t count) {
    _mm256_maskstore_ps(p, vector_mask(count), v);
}

/* To the nearest bf16 as a float32, ties to even; NaN becomes quiet. */
VECTOR_INLINE vector vector_round_to_bf16(vector v) {
    __m256i bits = _mm256_castps_si256(v), one = _mm256_set1_epi32(1);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
    __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    rounded = _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
    return _mm256_castsi256_ps(_mm256_and_si256(rounded, _mm256_set1_epi32((int)0xffff0000)));
}
