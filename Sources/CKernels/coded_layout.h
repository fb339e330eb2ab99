/* Where the pieces of a panel of codes lie; see ck_coded.h. */
#ifndef CK_CODED_LAYOUT_H
#define CK_CODED_LAYOUT_H

#include "ck_coded.h"
#include "ck_gemm.h"

static inline int64_t ck_coded_code_bytes(const ck_coded *c) {
    return (c->codes == CK_CODES_4 ? (c->k + 1) / 2 : c->k) * CK_PANEL;
}

/* Bytes of a scale or an offset of a group. */
static inline int64_t ck_coded_factor_bytes(const ck_coded *c) {
    return c->factors == CK_FACTORS_F32 ? 4 : c->factors == CK_FACTORS_TWO_LEVEL ? 1 : 2;
}

/* From a group to the next. */
static inline int64_t ck_coded_group_bytes(const ck_coded *c) {
    return CK_PANEL * (ck_coded_factor_bytes(c) * (c->has_offsets ? 2 : 1) + (c->has_zeros ? 1 : 0));
}

/* From a block's factors to the next one's. */
static inline int64_t ck_coded_block_bytes(const ck_coded *c) { return CK_PANEL * 2 * (c->has_offsets ? 2 : 1); }

static inline int64_t ck_coded_blocks(const ck_coded *c) {
    return c->factors == CK_FACTORS_TWO_LEVEL ? (c->k + CK_CODED_BLOCK - 1) / CK_CODED_BLOCK : 0;
}

static inline int64_t ck_coded_panel_bytes(const ck_coded *c) {
    return ck_coded_code_bytes(c) + c->groups * ck_coded_group_bytes(c)
           + ck_coded_blocks(c) * ck_coded_block_bytes(c);
}

/* The factors of the group of element i, and of its block. */
static inline const unsigned char *ck_coded_group(const ck_coded *c, const unsigned char *panel, int64_t group) {
    return panel + ck_coded_code_bytes(c) + group * ck_coded_group_bytes(c);
}
static inline const unsigned char *ck_coded_block(const ck_coded *c, const unsigned char *panel, int64_t i) {
    return panel + ck_coded_code_bytes(c) + c->groups * ck_coded_group_bytes(c)
           + i / CK_CODED_BLOCK * ck_coded_block_bytes(c);
}

#endif
