/* Places codes and their factors in panels, and reads single elements back: the definition of the layout. */
#include "../coded_layout.h"
#include "../half_floats.h"

/* Scale and offset are rounded by nobody else. */
#pragma STDC FP_CONTRACT OFF

size_t ck_coded_bytes(const ck_coded *coded, int64_t n) {
    return (size_t)(ck_panels(n) * ck_coded_panel_bytes(coded));
}

static void place_codes(const ck_pack_coded_call *c) {
    int64_t k = c->coded->k, element = c->coded->codes == CK_CODES_4 ? 2 : 1;
    /* A run of inputs of all lanes stays in the first-level cache. */
    for (int64_t first = 0; first < k; first += 128) {
        int64_t end = first + 128 < k ? first + 128 : k;
        for (int64_t row = 0; row < c->count; row++) {
            const uint8_t *codes = c->codes + row * k;
            unsigned char *lane = c->panel + c->first_lane + row;
            if (element == 1) {
                for (int64_t i = first; i < end; i++) lane[i * CK_PANEL] = codes[i];
            } else {
                for (int64_t i = first; i < end; i += 2)
                    lane[i / 2 * CK_PANEL] = (unsigned char)(codes[i] | (i + 1 < k ? codes[i + 1] << 4 : 0));
            }
        }
    }
}

/* Numbers are representable, or NaN, whose bits are made those that all roundings keep. */
static void place_factor(ck_factors factors, unsigned char *row, int64_t lane, float value) {
    switch (factors) {
    case CK_FACTORS_F32: {
        float clean = value == value ? value : ck_from_bits(0x7fc00000);
        memcpy(row + lane * 4, &clean, 4);
        return;
    }
    case CK_FACTORS_TWO_LEVEL: row[lane] = (unsigned char)(int8_t)value; return;
    case CK_FACTORS_F16: {
        uint16_t bits = value != value ? 0x7e00 : value > CK_F16_MAX ? 0x7c00 : value < -CK_F16_MAX ? 0xfc00 : ck_to_f16(value);
        memcpy(row + lane * 2, &bits, 2);
        return;
    }
    case CK_FACTORS_BF16: {
        uint16_t bits = value != value ? 0x7fc0 : (uint16_t)(ck_bits(value) >> 16);
        memcpy(row + lane * 2, &bits, 2);
        return;
    }
    }
}

void ck_pack_coded(const ck_pack_coded_call *c) {
    place_codes(c);
    const ck_coded *coded = c->coded;
    int64_t bytes = ck_coded_factor_bytes(coded), blocks = ck_coded_blocks(coded);
    for (int64_t row = 0; row < c->count; row++) {
        int64_t lane = c->first_lane + row;
        for (int64_t g = 0; g < coded->groups; g++) {
            unsigned char *group = (unsigned char *)ck_coded_group(coded, c->panel, g);
            int64_t source = row * coded->groups + g;
            place_factor(coded->factors, group, lane, c->scales[source]);
            group += CK_PANEL * bytes;
            if (coded->has_offsets) {
                place_factor(coded->factors, group, lane, c->offsets[source]);
                group += CK_PANEL * bytes;
            }
            if (coded->has_zeros) group[lane] = (unsigned char)(int8_t)c->zeros[source];
        }
        for (int64_t b = 0; b < blocks; b++) {
            unsigned char *block = (unsigned char *)ck_coded_block(coded, c->panel, b * CK_CODED_BLOCK);
            place_factor(CK_FACTORS_F16, block, lane, c->block_scales[row * blocks + b]);
            if (coded->has_offsets)
                place_factor(CK_FACTORS_F16, block + 2 * CK_PANEL, lane, c->block_offsets[row * blocks + b]);
        }
    }
}

static float factor(const ck_coded *c, const unsigned char *row, const unsigned char *block, int64_t lane) {
    float value;
    uint16_t bits;
    switch (c->factors) {
    case CK_FACTORS_F32: memcpy(&value, row + lane * 4, 4); return value;
    case CK_FACTORS_TWO_LEVEL:
        memcpy(&bits, block + lane * 2, 2);
        return ck_from_f16(bits) * (float)(int8_t)row[lane];
    case CK_FACTORS_F16: memcpy(&bits, row + lane * 2, 2); return ck_from_f16(bits);
    case CK_FACTORS_BF16: memcpy(&bits, row + lane * 2, 2); return ck_from_bf16(bits);
    }
    return 0;
}

static float number(const ck_coded *c, const unsigned char *panel, int64_t lane, int64_t i) {
    if (c->codes == CK_CODES_4) {
        unsigned char both = panel[i / 2 * CK_PANEL + lane];
        return c->table[i % 2 == 0 ? both & 15 : both >> 4];
    }
    unsigned char code = panel[i * CK_PANEL + lane];
    if (c->codes == CK_CODES_8) return (float)(int8_t)code;
    if ((code & 0x7f) == 0x7f) return ck_from_bits(0x7fc00000);
    return ck_from_e4m3(code);
}

static float rounded(float x, ck_dtype dtype) {
    if (dtype == CK_F32 || x != x) return x;
    if (dtype == CK_F16) {
        /* Beyond the middle between the largest finite number and the next power of two. */
        if (x >= 65520.0f || x <= -65520.0f) return x > 0 ? ck_from_bits(0x7f800000) : ck_from_bits(0xff800000);
        return ck_from_f16(ck_to_f16(x));
    }
    return ck_from_bits((ck_bits(x) + 0x7fff + (ck_bits(x) >> 16 & 1)) & 0xffff0000);
}

float ck_coded_value(const ck_coded *c, const unsigned char *panel, int64_t lane, int64_t i, ck_dtype dtype) {
    const unsigned char *group = ck_coded_group(c, panel, c->group_of[i]);
    const unsigned char *block = c->factors == CK_FACTORS_TWO_LEVEL ? ck_coded_block(c, panel, i) : NULL;
    int64_t bytes = CK_PANEL * ck_coded_factor_bytes(c);
    float scale = factor(c, group, block, lane), offset = 0, zero = 0;
    group += bytes;
    if (c->has_offsets) {
        offset = factor(c, group, block ? block + 2 * CK_PANEL : NULL, lane);
        group += bytes;
    }
    if (c->has_zeros) zero = (float)(int8_t)group[lane];
    float product = (number(c, panel, lane, i) - zero) * scale;
    return rounded(product - offset, dtype);
}
