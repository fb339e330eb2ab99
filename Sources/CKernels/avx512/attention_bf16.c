/* Pages of bfloat16 through the dot product of pairs: queries and weights are rounded to bfloat16, sums are float32. */
#if defined(__x86_64__)
#include "../templates/vector_avx512.h"
#undef CK_TARGET
#define CK_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c"

/* sum[i] + x[2i] * y[2i] + x[2i + 1] * y[2i + 1] on the bits of pairs. */
CK_INLINE v16 v_dot(v16 sum, v16 x, v16 y) { return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y); }
CK_INLINE void v_store_bf16(uint16_t *p, v16 x) {
    _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(x));
}

#define CK_DOT
#include "../templates/attention.h"

CK_FUNCTION void pack_query(const float *query, int32_t d, float scale, ck_dtype dtype, float *packed) {
    if (dtype != CK_BF16) {
        ck_attention_avx512.pack_query(query, d, scale, dtype, packed);
        return;
    }
    v16 factor = v_set1(scale * (float)M_LOG2E);
    for (int32_t i = 0; i < d; i += 16) {
        int32_t n = d - i < 16 ? d - i : 16;
        uint16_t rounded[16];
        v_store_bf16(rounded, v_mul(v_load_n(query + i, n), factor));
        memcpy((uint16_t *)packed + i, rounded, 2 * (size_t)n);
    }
}

CK_FUNCTION void split(const ck_attention_split *s) {
    if (s->dtype == CK_BF16)
        attend_bf16(s);
    else
        ck_attention_avx512.split(s);
}

const ck_attention_table ck_attention_avx512bf16 = {pack_query, split, merge, finish};
#endif
