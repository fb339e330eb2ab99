/* Widens a run of a panel of codes into the layout of ck_gemm.h, for micro-kernels that read f32, f16 or bf16. Include
 * after gemm_vector.h and coded_vector.h, within the file's target attributes. */
#include "../coded_layout.h"
#include "../half_floats.h"

/* Steps of k that are widened at once: they stay in the first-level cache, or at least in the second. */
enum { EXPAND_STEPS = 128 };

#pragma STDC FP_CONTRACT OFF

typedef struct expand_factors {
    vector scale, zero, offset;
} expand_factors;

/* Lanes lane ... of a row of factors. */
VECTOR_INLINE vector expand_factor(
    const ck_coded *c, const unsigned char *row, const unsigned char *block, int64_t lane) {
    switch (c->factors) {
    case CK_FACTORS_F32: return vector_load((const float *)(row + lane * 4));
    case CK_FACTORS_F16: return vector_from_f16(row + lane * 2);
    case CK_FACTORS_BF16: return vector_from_bf16(row + lane * 2);
    case CK_FACTORS_TWO_LEVEL: break;
    }
    return vector_mul(vector_from_f16(block + lane * 2), vector_from_i8(row + lane));
}

VECTOR_INLINE expand_factors expand_group(const ck_coded *c, const unsigned char *panel, int64_t i, int64_t lane) {
    expand_factors f = {.zero = vector_zero(), .offset = vector_zero()};
    const unsigned char *group = ck_coded_group(c, panel, c->group_of[i]), *block = ck_coded_block(c, panel, i);
    int64_t bytes = CK_PANEL * ck_coded_factor_bytes(c);
    f.scale = expand_factor(c, group, block, lane);
    group += bytes;
    if (c->has_offsets) {
        f.offset = expand_factor(c, group, block + 2 * CK_PANEL, lane);
        group += bytes;
    }
    if (c->has_zeros) f.zero = vector_from_i8(group + lane);
    return f;
}

/* Elements first ..< first + count of one vector of lanes; `first` is even. */
VECTOR_INLINE void expand_lanes(
    const ck_coded *c, const ck_codes codes, const ck_dtype dtype, const unsigned char *panel, int64_t lane,
    int64_t first, int64_t count, unsigned char *out) {
    const vector_table table = vector_table_load(c->table);
    const int32_t *group_of = c->group_of + first;
    const unsigned char *p = panel + lane + (codes == CK_CODES_4 ? first / 2 : first) * CK_PANEL;
    int32_t group = -1;
    expand_factors f = {.zero = vector_zero(), .offset = vector_zero(), .scale = vector_zero()};
    for (int64_t i = 0; i < count; i += 2) {
        vector pair[2] = {vector_zero(), vector_zero()};
        _Pragma("clang loop unroll(full)") for (int half = 0; half < 2; half++) {
            if (i + half >= count) break;
            /* A group may reach into the next block, which has other factors. */
            if (group_of[i + half] != group || (half == 0 && (first + i) % CK_CODED_BLOCK == 0)) {
                group = group_of[i + half];
                f = expand_group(c, panel, first + i + half, lane);
            }
            vector number;
            if (codes == CK_CODES_4) number = vector_of_code4(table, p, half);
            else if (codes == CK_CODES_8) number = vector_from_i8(p + half * CK_PANEL);
            else number = vector_from_e4m3(p + half * CK_PANEL);
            pair[half] = vector_sub(vector_mul(vector_sub(number, f.zero), f.scale), f.offset);
        }
        p += codes == CK_CODES_4 ? CK_PANEL : 2 * CK_PANEL;
        if (dtype == CK_BF16) {
            vector_store_bf16_pairs(out + (i / 2 * CK_PANEL + lane) * 4, pair[0], pair[1]);
        } else {
            for (int half = 0; half < 2 && i + half < count; half++) {
                if (dtype == CK_F16) vector_store_f16(out + ((i + half) * CK_PANEL + lane) * 2, pair[half]);
                else vector_store((float *)(out + ((i + half) * CK_PANEL + lane) * 4), pair[half]);
            }
        }
    }
}

/* Elements first ..< first + count of a panel. A pair of bf16 beyond k is filled up with 0. */
static void expand_panel(
    const ck_coded *c, ck_dtype dtype, const unsigned char *panel, int64_t first, int64_t count, unsigned char *out) {
    if (first + count > c->k) count = c->k - first;
    for (int64_t lane = 0; lane < CK_PANEL; lane += VECTOR_LANES) {
#define EXPAND(codes, dtype) expand_lanes(c, codes, dtype, panel, lane, first, count, out)
#define EXPAND_TYPES(codes) \
    if (dtype == CK_BF16) EXPAND(codes, CK_BF16); \
    else if (dtype == CK_F16) EXPAND(codes, CK_F16); \
    else EXPAND(codes, CK_F32)
        switch (c->codes) {
        case CK_CODES_4: EXPAND_TYPES(CK_CODES_4); break;
        case CK_CODES_8: EXPAND_TYPES(CK_CODES_8); break;
        case CK_CODES_E4M3: EXPAND_TYPES(CK_CODES_E4M3); break;
        }
#undef EXPAND_TYPES
#undef EXPAND
    }
}
