/* Eight numbers from codes. Include after gemm_vector.h. */
VECTOR_INLINE vector vector_set1(float x) { return _mm256_set1_ps(x); }
VECTOR_INLINE vector vector_sub(vector a, vector b) { return _mm256_sub_ps(a, b); }
VECTOR_INLINE vector vector_fms(vector a, vector b, vector c) { return _mm256_fmsub_ps(a, b, c); }
VECTOR_INLINE vector vector_round_to_f16(vector v) {
    return _mm256_cvtph_ps(_mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
/* Whether the magnitude of every lane is 0, or between two bounds. */
VECTOR_INLINE bool vector_within(vector v, float low, float high) {
    vector magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
    vector above = _mm256_cmp_ps(magnitude, _mm256_set1_ps(high), _CMP_NLE_UQ);
    vector below = _mm256_and_ps(
        _mm256_cmp_ps(magnitude, _mm256_set1_ps(low), _CMP_LT_OQ),
        _mm256_cmp_ps(magnitude, _mm256_setzero_ps(), _CMP_GT_OQ));
    return _mm256_movemask_ps(_mm256_or_ps(above, below)) == 0;
}

VECTOR_INLINE __m256i bytes_widened(const void *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p)); }
VECTOR_INLINE vector vector_from_i8(const void *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p)));
}
VECTOR_INLINE vector vector_from_bf16(const void *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16));
}
/* As a float16, whose bias is 8 more; not for NaN. */
VECTOR_INLINE vector vector_from_e4m3_256th(const void *p) {
    __m128i codes = _mm_slli_epi16(_mm_cvtepi8_epi16(_mm_loadl_epi64(p)), 7);
    return _mm256_cvtph_ps(_mm_and_si128(codes, _mm_set1_epi16((short)0xbf80)));
}
/* The lower or the upper halves of eight bytes. */
VECTOR_INLINE vector vector_of_nibble(const void *p, const int upper) {
    __m256i bytes = bytes_widened(p);
    return _mm256_cvtepi32_ps(upper ? _mm256_srli_epi32(bytes, 4) : _mm256_and_si256(bytes, _mm256_set1_epi32(15)));
}

/* Their numbers in a table of int8. */
VECTOR_INLINE vector vector_of_small(__m128i table, const void *p, const int upper) {
    __m128i bytes = _mm_loadl_epi64(p);
    if (upper) bytes = _mm_srli_epi16(bytes, 4);
    bytes = _mm_shuffle_epi8(table, _mm_and_si128(bytes, _mm_set1_epi8(15)));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

typedef struct vector_table {
    vector low, high;
} vector_table;

VECTOR_INLINE vector_table vector_table_load(const float *table) {
    return (vector_table){vector_load(table), vector_load(table + 8)};
}
/* Their numbers. The permutation looks at three bits of an index. */
VECTOR_INLINE vector vector_of_code4(vector_table table, const void *p, const int upper) {
    __m256i codes = bytes_widened(p);
    if (upper) codes = _mm256_srli_epi32(codes, 4);
    vector fourth = _mm256_castsi256_ps(_mm256_slli_epi32(codes, 28));
    return _mm256_blendv_ps(
        _mm256_permutevar8x32_ps(table.low, codes), _mm256_permutevar8x32_ps(table.high, codes), fourth);
}
