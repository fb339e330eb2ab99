/* Queries stay float32 whatever the pages hold. Include after attention.h. */

CK_FUNCTION void pack_query(const float *query, int32_t d, float scale, ck_dtype dtype, float *packed) {
    (void)dtype;
    float factor = scale * (float)M_LOG2E;
    for (int32_t i = 0; i < d; i++) packed[i] = query[i] * factor;
}

CK_FUNCTION void split(const ck_attention_split *s) {
    switch (s->dtype) {
    case CK_F32: attend_f32(s); break;
    case CK_F16: attend_f16(s); break;
    case CK_BF16: attend_bf16(s); break;
    case CK_I8:
    case CK_E4M3: attend_f32(s); break;
    case CK_I4: break; /* not for pages */
    }
}
