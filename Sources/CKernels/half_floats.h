/* Scalar conversions between float32 and the 16-bit formats, round to nearest even, on any processor. */
#ifndef CK_HALF_FLOATS_H
#define CK_HALF_FLOATS_H

#include <stdint.h>
#include <string.h>

static inline float ck_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static inline uint32_t ck_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static inline float ck_from_bf16(uint16_t x) { return ck_from_bits((uint32_t)x << 16); }

static inline float ck_from_f16(uint16_t x) {
    uint32_t sign = (uint32_t)(x & 0x8000) << 16, exponent = (x >> 10) & 31, mantissa = x & 0x3ff;
    if (exponent == 31) return ck_from_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent != 0) return ck_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    float value = (float)mantissa * 0x1p-24f;
    return sign ? -value : value;
}

/* x limited to +-limit, NaN to 0. */
static inline float ck_finite(float x, float limit) {
    return x > limit ? limit : x < -limit ? -limit : x == x ? x : 0;
}

#define CK_F32_MAX 0x1.fffffep127f
#define CK_BF16_MAX 0x1.fep127f
#define CK_F16_MAX 65504.0f
/* 127 times a 127th of it is finite whichever way it is rounded. */
#define CK_I8_MAX 0x1p120f

/* For finite x, not above CK_BF16_MAX. */
static inline uint16_t ck_to_bf16(float x) {
    uint32_t bits = ck_bits(x);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* For finite x, not above CK_F16_MAX. */
static inline uint16_t ck_to_f16(float x) {
    uint32_t bits = ck_bits(x), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude < 0x38800000) { /* below 2^-14: the sum below rounds at 2^-24 */
        float shifted = ck_from_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (ck_bits(shifted) - 0x3f000000));
    }
    magnitude += 0xfff + ((magnitude >> 13) & 1);
    return (uint16_t)(sign | ((magnitude >> 13) - (112 << 10)));
}

/* FP8 E4M3 ("fn": no infinity), nearest even; for finite x. What is larger than 448 becomes 448. */
static inline uint8_t ck_to_e4m3(float x) {
    uint32_t bits = ck_bits(x), sign = bits >> 24 & 0x80, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x43e00000) return (uint8_t)(sign | 0x7e);
    if (magnitude < 0x3c800000) { /* below 2^-6: the sum below rounds at 2^-9 */
        float shifted = ck_from_bits(magnitude) + 0x1p14f;
        return (uint8_t)(sign | (ck_bits(shifted) - 0x46800000));
    }
    magnitude += 0x7ffff + (magnitude >> 20 & 1);
    return (uint8_t)(sign | ((magnitude >> 20) - (120 << 3)));
}

/* As a float16 with 8 more of bias. NaN, which pages never hold, reads as 480. */
static inline float ck_from_e4m3(uint8_t x) {
    return ck_from_f16((uint16_t)((x & 0x80) << 8 | (x & 0x7f) << 7)) * 256;
}

#endif
