/* Weights that stay in the few bits of the checkpoint they come from. Element i of an output means
 *
 *   (number(code) - zero) * scale - offset
 *
 * with scale, zero and offset of the group that input i belongs to, every step in float32 and rounded by itself, the
 * result rounded to the type of the product (f32, f16 or bf16). A product with such a weight has the bits of a product
 * with the weight widened beforehand: the kernels widen a run of a panel into the first-level cache and multiply that.
 *
 * A panel of 64 outputs, its pieces behind each other:
 *   codes     CK_CODES_4: [ceil(k/2)][64] bytes, the lower half the even element; else [k][64] bytes
 *   groups    [groups]{ scale [64], offset [64] if there are offsets, zero [64] int8 if there are zeros }
 *   blocks    CK_FACTORS_TWO_LEVEL: [ceil(k/256)]{ float16 scale [64], float16 offset [64] if there are offsets }
 * What pads the last panel is zero. */
#ifndef CK_CODED_H
#define CK_CODED_H

#include "ck_types.h"

/* What the number of a code is. */
typedef enum {
    CK_CODES_4,     /* table[code] */
    CK_CODES_8,     /* the code as int8 */
    CK_CODES_E4M3,  /* OCP FP8: 4 bits of exponent, 3 of mantissa, no infinity */
} ck_codes;

/* How scales and offsets are stored. */
typedef enum {
    CK_FACTORS_F32,
    CK_FACTORS_F16,
    CK_FACTORS_BF16,
    CK_FACTORS_TWO_LEVEL,   /* int8 times the float16 of the element's run of CK_CODED_BLOCK inputs */
} ck_factors;

enum { CK_CODED_BLOCK = 256 };

typedef struct ck_coded {
    ck_codes codes;
    ck_factors factors;
    bool has_zeros, has_offsets;
    float table[16];
    int64_t k, groups;
    const int32_t *group_of;    /* [k], of each input */
} ck_coded;

size_t ck_coded_bytes(const ck_coded *coded, int64_t n);

/* Places `count` outputs at lanes first_lane ... of a panel. */
typedef struct ck_pack_coded_call {
    const ck_coded *coded;
    const uint8_t *codes;       /* [count, k], one code each */
    const float *scales;        /* [count, groups], as the factors hold them: two levels have integers here */
    const float *zeros;         /* [count, groups] integers from -128 to 127, or NULL */
    const float *offsets;       /* [count, groups] or NULL */
    const float *block_scales;  /* two levels: [count, ceil(k/256)], else NULL */
    const float *block_offsets;
    unsigned char *panel;
    int64_t first_lane, count;
} ck_pack_coded_call;

void ck_pack_coded(const ck_pack_coded_call *call);

/* Element i of a lane of a panel, rounded to a type. */
float ck_coded_value(const ck_coded *coded, const unsigned char *panel, int64_t lane, int64_t i, ck_dtype dtype);

#endif
