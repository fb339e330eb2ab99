/* Quantization of activations, in plain loops that a compiler makes vectors of. Include within the file's target
 * attributes. Every operation rounds by itself, so that all paths give the same bits. */
#include <string.h>

#include "../gemm_layout.h"
#include "../half_floats.h"

#pragma STDC FP_CONTRACT OFF

/* Adding it rounds to an integer, to nearest even, whose low bits are then those of the sum. */
#define QUANTIZE_ROUND 0x1.8p23f

/* Bits of the largest magnitude; above 0x7f7fffff if there is one that is not finite. */
static inline uint32_t largest_magnitude(const float *x, int64_t count) {
    uint32_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = ck_bits(x[i]) & 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/* What a row is multiplied with for bytes of at most 127, and what undoes it. Rows too small for their inverse are 0. */
static inline float quantization_factor(uint32_t largest, float *scale) {
    float magnitude = ck_from_bits(largest);
    if (largest > 0x7f7fffff) {
        *scale = ck_from_bits(0x7fc00000);
        return 0;
    }
    bool zero = magnitude < 0x1p-100f;
    *scale = zero ? 0 : magnitude / 127;
    return zero ? 0 : 127 / magnitude;
}

static inline int8_t quantized(float x, float factor) {
    float product = x * factor;
    return (int8_t)ck_bits(product + QUANTIZE_ROUND);
}

static inline void quantize_row(const float *restrict x, int64_t k, float factor, int8_t *restrict bytes) {
    for (int64_t i = 0; i < k; i++) bytes[i] = quantized(x[i], factor);
}

/* Sums of whole groups; returns their sum. */
static inline int32_t sum_groups(const int8_t *restrict bytes, int64_t groups, int32_t *restrict offsets) {
    int32_t sum = 0;
    for (int64_t g = 0; g < groups; g++) {
        int32_t of_group = 0;
        for (int i = 0; i < CK_GROUP; i++) of_group += bytes[g * CK_GROUP + i];
        offsets[g] = -8 * of_group;
        sum += of_group;
    }
    return sum;
}

static inline void quantize_rows(const ck_prepare_call *c, int64_t begin, int64_t end) {
    int64_t k = c->k, ldx = c->ldx, stride = ck_quantized_stride(k), padded = ck_quantized_bytes(k);
    for (int64_t row = begin; row < end; row++) {
        const float *x = c->x + row * ldx;
        unsigned char *prepared = (unsigned char *)c->prepared + row * stride;
        ck_quantized_row *header = (ck_quantized_row *)prepared;
        int8_t *bytes = (int8_t *)(header + 1);
        quantize_row(x, k, quantization_factor(largest_magnitude(x, k), &header->scale), bytes);
        memset(bytes + k, 0, (size_t)(padded - k));
        header->offset = -128 * sum_groups(bytes, (k + CK_GROUP - 1) / CK_GROUP, (int32_t *)(bytes + padded));
    }
}
