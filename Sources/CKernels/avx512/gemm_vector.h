/* Sixteen float32 lanes, under the names that the templates use. Include within the file's target attributes. */
#define VECTOR_LANES 16
#define VECTOR_INLINE static inline __attribute__((always_inline))

typedef __m512 vector;

VECTOR_INLINE vector vector_zero(void) { return _mm512_setzero_ps(); }
VECTOR_INLINE vector vector_load(const float *p) { return _mm512_loadu_ps(p); }
VECTOR_INLINE void vector_store(float *p, vector v) { _mm512_storeu_ps(p, v); }
VECTOR_INLINE vector vector_add(vector a, vector b) { return _mm512_add_ps(a, b); }
VECTOR_INLINE vector vector_mul(vector a, vector b) { return _mm512_mul_ps(a, b); }
VECTOR_INLINE vector vector_fma(vector a, vector b, vector sum) { return _mm512_fmadd_ps(a, b, sum); }
VECTOR_INLINE vector vector_broadcast(const void *p) { return _mm512_broadcastss_ps(_mm_load_ss(p)); }
VECTOR_INLINE vector vector_from_f16(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }

/* The first and the second elements of sixteen pairs of bf16. */
VECTOR_INLINE vector vector_first_bf16(const void *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
}
VECTOR_INLINE vector vector_second_bf16(const void *p) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32((int)0xffff0000)));
}

/* The lanes below `count`, 0 ... 16. */
VECTOR_INLINE __mmask16 vector_mask(int64_t count) { return (__mmask16)((1u << count) - 1); }
VECTOR_INLINE vector vector_load_some(const float *p, int64_t count) {
    return _mm512_maskz_loadu_ps(vector_mask(count), p);
}
VECTOR_INLINE void vector_store_some(float *p, vector v, int64_t count) {
    _mm512_mask_storeu_ps(p, vector_mask(count), v);
}

/* To the nearest bf16 as a float32, ties to even; NaN becomes quiet. */
VECTOR_INLINE vector vector_round_to_bf16(vector v) {
    __m512i bits = _mm512_castps_si512(v), one = _mm512_set1_epi32(1);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), one);
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    rounded = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), quiet);
    return _mm512_castsi512_ps(_mm512_and_si512(rounded, _mm512_set1_epi32((int)0xffff0000)));
}
