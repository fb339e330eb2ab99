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

#endif
