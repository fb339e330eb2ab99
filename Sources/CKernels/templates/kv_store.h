/* Writes keys and values of one token and one kv head into their block (layout: ck_attention.h). */
#ifndef CK_KV_STORE_H
#define CK_KV_STORE_H

#include "../half_floats.h"
#include "ck_attention.h"

/* `head`: bytes of the kv head in the token's page. */
static inline void ck_kv_store(
    unsigned char *head, int32_t slot, int32_t d, ck_dtype dtype, const float *key, const float *value) {
    size_t half = ck_kv_half_block_bytes(d, dtype);
    unsigned char *block = head + (size_t)(slot / CK_BLOCK_TOKENS) * 2 * half;
    int32_t t = slot % CK_BLOCK_TOKENS;
    switch (dtype) {
    case CK_F32: {
        float *k = (float *)block, *v = (float *)(block + half);
        for (int32_t i = 0; i < d; i++) k[i * 16 + t] = ck_finite(key[i], CK_F32_MAX);
        for (int32_t i = 0; i < d; i++) v[t * d + i] = ck_finite(value[i], CK_F32_MAX);
        break;
    }
    case CK_F16: {
        uint16_t *k = (uint16_t *)block, *v = (uint16_t *)(block + half);
        for (int32_t i = 0; i < d; i++) k[i * 16 + t] = ck_to_f16(ck_finite(key[i], CK_F16_MAX));
        for (int32_t i = 0; i < d; i++) v[t * d + i] = ck_to_f16(ck_finite(value[i], CK_F16_MAX));
        break;
    }
    case CK_BF16: {
        uint16_t *k = (uint16_t *)block, *v = (uint16_t *)(block + half);
        for (int32_t i = 0; i < d; i++)
            k[i / 2 * 32 + t * 2 + i % 2] = ck_to_bf16(ck_finite(key[i], CK_BF16_MAX));
        for (int32_t i = 0; i < d; i++)
            v[t / 2 * 2 * d + i * 2 + t % 2] = ck_to_bf16(ck_finite(value[i], CK_BF16_MAX));
        break;
    }
    case CK_I8:
    case CK_I4: break; /* not for pages */
    }
}

#endif
