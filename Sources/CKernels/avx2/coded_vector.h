/* Eight numbers from codes. Include after gemm_vector.h. */
VECTOR_INLINE vector vector_sub(vector a, vector b) { return _mm256_sub_ps(a, b); }
VECTOR_INLINE __m256i bytes_widened(const void *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p)); }
VECTOR_INLINE vector vector_from_i8(const void *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p)));
}
VECTOR_INLINE vector vector_from_bf16(const void *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16));
}
/* As a float16 with 8 more of bias; what reads as 480 is no number. */
VECTOR_INLINE vector vector_from_e4m3(const void *p) {
    __m128i codes = _mm_cvtepu8_epi16(_mm_loadl_epi64(p));
    __m128i sign = _mm_slli_epi16(_mm_and_si128(codes, _mm_set1_epi16(0x80)), 8);
    __m128i rest = _mm_slli_epi16(_mm_and_si128(codes, _mm_set1_epi16(0x7f)), 7);
    vector value = _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(sign, rest)), _mm256_set1_ps(256));
    vector magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), value);
    vector nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
    return _mm256_blendv_ps(value, nan, _mm256_cmp_ps(magnitude, _mm256_set1_ps(480), _CMP_EQ_OQ));
}

typedef struct vector_table {
    vector low, high;
} vector_table;

VECTOR_INLINE vector_table vector_table_load(const float *table) {
    return (vector_table){vector_load(table), vector_load(table + 8)};
}
/* The numbers of the lower or the upper halves of eight bytes. The permutation looks at three bits of an index. */
VECTOR_INLINE vector vector_of_code4(vector_table table, const void *p, const int upper) {
    __m256i codes = bytes_widened(p);
    if (upper) codes = _mm256_srli_epi32(codes, 4);
    vector fourth = _mm256_castsi256_ps(_mm256_slli_epi32(codes, 28));
    return _mm256_blendv_ps(
        _mm256_permutevar8x32_ps(table.low, codes), _mm256_permutevar8x32_ps(table.high, codes), fourth);
}

VECTOR_INLINE __m256i bf16_rounded(vector v) {
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
}
VECTOR_INLINE void vector_store_bf16_pairs(void *p, vector first, vector second) {
    __m256i low = _mm256_srli_epi32(bf16_rounded(first), 16);
    _mm256_storeu_si256(p, _mm256_blend_epi16(low, bf16_rounded(second), 0xaa));
}
VECTOR_INLINE void vector_store_f16(void *p, vector v) {
    _mm_storeu_si128(p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
