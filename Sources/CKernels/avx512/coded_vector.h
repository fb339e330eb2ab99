/* Sixteen numbers from codes. Include after gemm_vector.h. */
VECTOR_INLINE vector vector_sub(vector a, vector b) { return _mm512_sub_ps(a, b); }
VECTOR_INLINE vector vector_from_i8(const void *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p)));
}
VECTOR_INLINE vector vector_from_bf16(const void *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16));
}
/* As a float16 with 8 more of bias; what reads as 480 is no number. */
VECTOR_INLINE vector vector_from_e4m3(const void *p) {
    __m256i codes = _mm256_cvtepu8_epi16(_mm_loadu_si128(p));
    __m256i sign = _mm256_slli_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0x80)), 8);
    __m256i rest = _mm256_slli_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0x7f)), 7);
    vector value = _mm512_mul_ps(_mm512_cvtph_ps(_mm256_or_si256(sign, rest)), _mm512_set1_ps(256));
    __mmask16 none = _mm512_cmp_ps_mask(_mm512_abs_ps(value), _mm512_set1_ps(480), _CMP_EQ_OQ);
    return _mm512_mask_mov_ps(value, none, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)));
}

typedef vector vector_table;

VECTOR_INLINE vector_table vector_table_load(const float *table) { return vector_load(table); }
/* The numbers of the lower or the upper halves of sixteen bytes. The permutation looks at four bits of an index. */
VECTOR_INLINE vector vector_of_code4(vector_table table, const void *p, const int upper) {
    __m512i codes = _mm512_cvtepu8_epi32(_mm_loadu_si128(p));
    if (upper) codes = _mm512_srli_epi32(codes, 4);
    return _mm512_permutexvar_ps(codes, table);
}

VECTOR_INLINE __m512i bf16_rounded(vector v) {
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
}
VECTOR_INLINE void vector_store_bf16_pairs(void *p, vector first, vector second) {
    __m512i low = _mm512_srli_epi32(bf16_rounded(first), 16);
    _mm512_storeu_si512(p, _mm512_mask_blend_epi16(0xaaaaaaaa, low, bf16_rounded(second)));
}
VECTOR_INLINE void vector_store_f16(void *p, vector v) {
    _mm256_storeu_si256(p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
