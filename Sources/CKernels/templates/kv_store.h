/* Writes keys and values of one token and one kv head into their block (layout: ck_attention.h), and reads the keys of
 * latent pages as values. */
#ifndef CK_KV_STORE_H
#define CK_KV_STORE_H

#include "../half_floats.h"
#include "ck_attention.h"

/* `x` of one token as bytes `stride` apart, and their scale. */
static inline void ck_kv_store_i8(const float *x, int32_t d, unsigned char *bytes, size_t stride, float *scale) {
#pragma STDC FP_CONTRACT OFF
    float largest = 0;
    for (int32_t i = 0; i < d; i++) {
        float magnitude = ck_from_bits(ck_bits(ck_finite(x[i], CK_I8_MAX)) & 0x7fffffff);
        largest = magnitude > largest ? magnitude : largest;
    }
    /* Rows too small for their inverse are 0. */
    bool zero = largest < 0x1p-100f;
    float factor = zero ? 0 : 127 / largest;
    *scale = zero ? 0 : largest / 127;
    for (int32_t i = 0; i < d; i++) {
        float product = ck_finite(x[i], CK_I8_MAX) * factor;
        /* To the nearest integer, whose low bits are those of the sum. */
        float rounded = product + 0x1.8p23f;
        bytes[(size_t)i * stride] = (unsigned char)ck_bits(rounded);
    }
}

/* `head`: bytes of the kv head in the token's page. `value`: NULL for latent pages. */
static inline void ck_kv_store(
    unsigned char *head, int32_t slot, int32_t d, ck_dtype dtype, const float *key, const float *value) {
    size_t half = ck_kv_half_block_bytes(d, dtype);
    unsigned char *block = head + (size_t)(slot / CK_BLOCK_TOKENS) * (value ? 2 : 1) * half;
    int32_t t = slot % CK_BLOCK_TOKENS;
    switch (dtype) {
    case CK_F32: {
        float *k = (float *)block, *v = (float *)(block + half);
        for (int32_t i = 0; i < d; i++) k[i * 16 + t] = ck_finite(key[i], CK_F32_MAX);
        for (int32_t i = 0; value && i < d; i++) v[t * d + i] = ck_finite(value[i], CK_F32_MAX);
        break;
    }
    case CK_F16: {
        uint16_t *k = (uint16_t *)block, *v = (uint16_t *)(block + half);
        for (int32_t i = 0; i < d; i++) k[i * 16 + t] = ck_to_f16(ck_finite(key[i], CK_F16_MAX));
        for (int32_t i = 0; value && i < d; i++) v[t * d + i] = ck_to_f16(ck_finite(value[i], CK_F16_MAX));
        break;
    }
    case CK_BF16: {
        uint16_t *k = (uint16_t *)block, *v = (uint16_t *)(block + half);
        for (int32_t i = 0; i < d; i++)
            k[i / 2 * 32 + t * 2 + i % 2] = ck_to_bf16(ck_finite(key[i], CK_BF16_MAX));
        for (int32_t i = 0; value && i < d; i++)
            v[t / 2 * 2 * d + i * 2 + t % 2] = ck_to_bf16(ck_finite(value[i], CK_BF16_MAX));
        break;
    }
    case CK_I8: {
        float *scales = (float *)(block + CK_BLOCK_TOKENS * d);
        ck_kv_store_i8(key, d, block + t, CK_BLOCK_TOKENS, scales + t);
        if (value) ck_kv_store_i8(value, d, block + half + t * d, 1, (float *)((unsigned char *)scales + half) + t);
        break;
    }
    case CK_E4M3: {
        unsigned char *v = block + half;
        for (int32_t i = 0; i < d; i++) block[i * CK_BLOCK_TOKENS + t] = ck_to_e4m3(ck_finite(key[i], CK_F32_MAX));
        for (int32_t i = 0; value && i < d; i++) v[t * d + i] = ck_to_e4m3(ck_finite(value[i], CK_F32_MAX));
        break;
    }
    case CK_I4: break; /* not for pages */
    }
}

/* Keys of a block in the layout of values; slots from `valid` on become zeros. */
static inline void ck_kv_turn_block(
    const unsigned char *keys, int32_t d, ck_dtype dtype, int32_t valid, unsigned char *values) {
    switch (dtype) {
    case CK_F32: {
        const uint32_t *k = (const uint32_t *)keys;
        uint32_t *v = (uint32_t *)values;
        for (int32_t t = 0; t < CK_BLOCK_TOKENS; t++)
            for (int32_t i = 0; i < d; i++) v[t * d + i] = t < valid ? k[i * 16 + t] : 0;
        break;
    }
    case CK_F16: {
        const uint16_t *k = (const uint16_t *)keys;
        uint16_t *v = (uint16_t *)values;
        for (int32_t t = 0; t < CK_BLOCK_TOKENS; t++)
            for (int32_t i = 0; i < d; i++) v[t * d + i] = t < valid ? k[i * 16 + t] : 0;
        break;
    }
    case CK_BF16: {
        /* Two tokens of two dimensions are eight bytes here and there; the middle two numbers change places. */
        const uint64_t *k = (const uint64_t *)keys;
        uint64_t *v = (uint64_t *)values;
        for (int32_t t = 0; t < CK_BLOCK_TOKENS / 2; t++) {
            uint64_t keep = 2 * t + 1 < valid ? ~(uint64_t)0 : 2 * t < valid ? 0x0000FFFF0000FFFF : 0;
            for (int32_t i = 0; i < d / 2; i++) {
                uint64_t x = k[i * 8 + t];
                x = (x & 0xFFFF00000000FFFF) | (x >> 16 & 0x00000000FFFF0000) | (x << 16 & 0x0000FFFF00000000);
                v[t * (d / 2) + i] = x & keep;
            }
        }
        break;
    }
    case CK_I8:
    case CK_E4M3: /* widened first */
    case CK_I4: break; /* not for pages */
    }
}

#endif
