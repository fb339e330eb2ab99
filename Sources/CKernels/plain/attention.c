/* Readable twin of the attention kernels: one query at a time, the same order of tiles and splits. */
#include "ck_attention.h"

#include <math.h>
#include <string.h>

#include "../half_floats.h"

static float key_at(const unsigned char *keys, ck_dtype dtype, int32_t d, int32_t token, int32_t i) {
    switch (dtype) {
    case CK_F32: return ((const float *)keys)[i * 16 + token];
    case CK_F16: return ck_from_f16(((const uint16_t *)keys)[i * 16 + token]);
    case CK_BF16: return ck_from_bf16(((const uint16_t *)keys)[i / 2 * 32 + token * 2 + i % 2]);
    case CK_I8: return (float)(int8_t)keys[i * 16 + token] * ((const float *)(keys + 16 * d))[token];
    case CK_E4M3: return ck_from_e4m3(keys[i * 16 + token]);
    case CK_I4: break; /* not for pages */
    }
    return 0;
}

static float value_at(const unsigned char *values, ck_dtype dtype, int32_t d, int32_t token, int32_t i) {
    switch (dtype) {
    case CK_F32: return ((const float *)values)[token * d + i];
    case CK_F16: return ck_from_f16(((const uint16_t *)values)[token * d + i]);
    case CK_BF16: return ck_from_bf16(((const uint16_t *)values)[token / 2 * 2 * d + i * 2 + token % 2]);
    case CK_I8: return (float)(int8_t)values[token * d + i] * ((const float *)(values + 16 * d))[token];
    case CK_E4M3: return ck_from_e4m3(values[token * d + i]);
    case CK_I4: break; /* not for pages */
    }
    return 0;
}

static const unsigned char *block_of(const ck_attention_split *s, int32_t position) {
    int32_t slot = position % s->page_size;
    return s->base + (size_t)s->pages[position / s->page_size] * s->page_stride
        + (size_t)(slot / CK_BLOCK_TOKENS) * (s->latent ? 1 : 2) * ck_kv_half_block_bytes(s->head_dimension, s->dtype);
}

static void pack_query(const float *query, int32_t d, float scale, ck_dtype dtype, float *packed) {
    (void)dtype;
    float factor = scale * (float)M_LOG2E;
    for (int32_t i = 0; i < d; i++) packed[i] = query[i] * factor;
}

static void tile(const ck_attention_split *s, int32_t begin, int32_t end, const float *query, float *state) {
    int32_t d = s->head_dimension;
    size_t half = ck_kv_half_block_bytes(d, s->dtype);
    float scores[CK_TILE_TOKENS];
    float maximum = state[0];
    for (int32_t t = begin; t < end; t++) {
        const unsigned char *keys = block_of(s, t);
        float sum = 0;
        for (int32_t i = 0; i < d; i++) sum += query[i] * key_at(keys, s->dtype, d, t % CK_BLOCK_TOKENS, i);
        if (s->cap > 0) sum = s->cap * tanhf(sum / s->cap);
        scores[t - begin] = sum;
        if (sum > maximum) maximum = sum;
    }
    if (maximum == -INFINITY) return;
    float correction = exp2f(state[0] - maximum);
    state[0] = maximum;
    state[1] *= correction;
    for (int32_t i = 0; i < d; i++) state[16 + i] *= correction;
    for (int32_t t = begin; t < end; t++) {
        const unsigned char *keys = block_of(s, t), *values = keys + half;
        float p = exp2f(scores[t - begin] - maximum);
        state[1] += p;
        int32_t slot = t % CK_BLOCK_TOKENS;
        for (int32_t i = 0; i < d; i++)
            state[16 + i] += p * (s->latent ? key_at(keys, s->dtype, d, slot, i) : value_at(values, s->dtype, d, slot, i));
    }
}

static void split(const ck_attention_split *s) {
    int32_t d = s->head_dimension, stride = ck_attention_state_floats(d);
    for (int32_t r = 0; r < s->rows; r++) {
        float *state = s->states + (size_t)r * stride;
        memset(state, 0, sizeof(float) * (size_t)stride);
        state[0] = -INFINITY;
        int32_t from = s->first[r] > s->begin ? s->first[r] : s->begin;
        int32_t to = s->last[r] + 1 < s->end ? s->last[r] + 1 : s->end;
        while (from < to) {
            int32_t next = (from / CK_TILE_TOKENS + 1) * CK_TILE_TOKENS;
            tile(s, from, next < to ? next : to, s->queries + (size_t)r * d, state);
            from = next;
        }
    }
}

static void merge(float *state, const float *later, int32_t d) {
    float maximum = state[0] > later[0] ? state[0] : later[0];
    if (maximum == -INFINITY) return;
    float a = exp2f(state[0] - maximum), b = exp2f(later[0] - maximum);
    state[0] = maximum;
    state[1] = state[1] * a + later[1] * b;
    for (int32_t i = 16; i < 16 + d; i++) state[i] = state[i] * a + later[i] * b;
}

static void finish(const float *state, int32_t d, float *output) {
    /* A query sees at least itself, so no mass at all means that no score was a number: that must not pass for 0. */
    float inverse = state[1] > 0 ? 1 / state[1] : NAN;
    /* Adding 0 makes -0 (an underflow) and 0 (the same with more masked tokens) one. */
    for (int32_t i = 0; i < d; i++) output[i] = state[16 + i] * inverse + 0.0f;
}

const ck_attention_table ck_attention_plain = {pack_query, split, merge, finish};
