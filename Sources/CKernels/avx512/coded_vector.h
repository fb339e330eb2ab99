/* Sixteen numbers from codes. Include after gemm_vector.h. */
VECTOR_INLINE vector vector_set1(float x) { return _mm512_set1_ps(x); }
VECTOR_INLINE vector vector_sub(vector a, vector b) { return _mm512_sub_ps(a, b); }
VECTOR_INLINE vector vector_fms(vector a, vector b, vector c) { return _mm512_fmsub_ps(a, b, c); }
VECTOR_INLINE vector vector_round_to_f16(vector v) {
    return _mm512_cvtph_ps(_mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
/* Whether the magnitude of every lane is 0, or between two bounds. */
VECTOR_INLINE bool vector_within(vector v, float low, float high) {
    vector magnitude = _mm512_abs_ps(v);
    __mmask16 above = _mm512_cmp_ps_mask(magnitude, _mm512_set1_ps(high), _CMP_NLE_UQ);
    __mmask16 below = _mm512_cmp_ps_mask(magnitude, _mm512_set1_ps(low), _CMP_LT_OQ);
    return (above | (below & _mm512_cmp_ps_mask(magnitude, _mm512_setzero_ps(), _CMP_GT_OQ))) == 0;
}

VECTOR_INLINE vector vector_from_i8(const void *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p)));
}
VECTOR_INLINE vector vector_from_bf16(const void *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16));
}
/* As a float16, whose bias is 8 more; not for NaN. */
VECTOR_INLINE vector vector_from_e4m3_256th(const void *p) {
    __m256i codes = _mm256_slli_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(p)), 7);
    return _mm512_cvtph_ps(_mm256_and_si256(codes, _mm256_set1_epi16((short)0xbf80)));
}
/* The lower or the upper halves of sixteen bytes. */
VECTOR_INLINE vector vector_of_nibble(const void *p, const int upper) {
    __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(p));
    return _mm512_cvtepi32_ps(upper ? _mm512_srli_epi32(bytes, 4) : _mm512_and_si512(bytes, _mm512_set1_epi32(15)));
}

/* Their numbers in a table of int8. */
VECTOR_INLINE vector vector_of_small(__m128i table, const void *p, const int upper) {
    __m128i bytes = _mm_loadu_si128(p);
    if (upper) bytes = _mm_srli_epi16(bytes, 4);
    bytes = _mm_shuffle_epi8(table, _mm_and_si128(bytes, _mm_set1_epi8(15)));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

typedef vector vector_table;

VECTOR_INLINE vector_table vector_table_load(const float *table) { return vector_load(table); }
/* Their numbers. The permutation looks at four bits of an index. */
VECTOR_INLINE vector vector_of_code4(vector_table table, const void *p, const int upper) {
    __m512i codes = _mm512_cvtepu8_epi32(_mm_loadu_si128(p));
    if (upper) codes = _mm512_srli_epi32(codes, 4);
    return _mm512_permutexvar_ps(codes, table);
}

/* Pairs of numbers that are bf16 already. */
VECTOR_INLINE void vector_store_bf16_pairs(void *p, vector first, vector second) {
    __m512i low = _mm512_srli_epi32(_mm512_castps_si512(first), 16);
    _mm512_storeu_si512(p, _mm512_mask_blend_epi16(0xaaaaaaaa, low, _mm512_castps_si512(second)));
}
