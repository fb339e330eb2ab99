/* Where an element of a packed weight or of prepared activations lies. */
#ifndef CK_GEMM_LAYOUT_H
#define CK_GEMM_LAYOUT_H

#include "ck_gemm.h"
#include "half_floats.h"

/* Elements that share a scale in i4. */
enum { CK_GROUP = 32 };

/* A step is what one instruction takes along k: a pair for bf16, four elements for i8, else one element; for i4 a group
 * with its scales. */
static inline int64_t ck_gemm_steps(ck_dtype dtype, int64_t k) {
    switch (dtype) {
    case CK_BF16: return (k + 1) / 2;
    case CK_I8: return (k + 3) / 4;
    case CK_I4: return (k + CK_GROUP - 1) / CK_GROUP;
    case CK_F32:
    case CK_F16:
    case CK_E4M3: break;
    }
    return k;
}

/* Bytes of one step of one panel. */
static inline int64_t ck_gemm_step_bytes(ck_dtype dtype) {
    if (dtype == CK_I4) return CK_PANEL * (CK_GROUP / 2 + 2);
    return dtype == CK_F16 ? 2 * CK_PANEL : 4 * CK_PANEL;
}

static inline int64_t ck_gemm_panel_bytes(ck_dtype dtype, int64_t k) {
    return ck_gemm_steps(dtype, k) * ck_gemm_step_bytes(dtype) + (dtype == CK_I8 ? CK_PANEL * 4 : 0);
}

/* Where the four bytes of one output that i8 and i4 keep together lie in a panel: i8's elements 4 * word ..., or i4's
 * elements 8 * word .... */
static inline int64_t ck_quantized_word(ck_dtype dtype, int64_t word) {
    if (dtype == CK_I8) return word * 4 * CK_PANEL;
    int64_t words = CK_GROUP / 8;
    return word / words * ck_gemm_step_bytes(CK_I4) + 2 * CK_PANEL + word % words * 4 * CK_PANEL;
}

/* Index of element (row, i) in units of an element; not for i8 and i4. */
static inline int64_t ck_packed_index(ck_dtype dtype, int64_t k, int64_t row, int64_t i) {
    int64_t panel = row / CK_PANEL, lane = row % CK_PANEL;
    if (dtype == CK_BF16) return ((panel * ((k + 1) / 2) + i / 2) * CK_PANEL + lane) * 2 + i % 2;
    return (panel * k + i) * CK_PANEL + lane;
}

/* Bytes from row to row of prepared activations of `element` bytes (bf16, or float32 that has been rounded to bf16):
 * whole cache lines, and no multiple of a page, which would put the same column of all rows into one cache set. */
static inline int64_t ck_prepared_stride(int64_t k, int64_t element) {
    int64_t bytes = ((k + 1) / 2 * 2 * element + 63) / 64 * 64;
    return bytes % 4096 == 0 ? bytes + 64 : bytes;
}

/* Quantized activations of a row: this, then a byte for each element, whole cache lines, then for each group of
 * CK_GROUP elements minus 8 times their sum. */
typedef struct ck_quantized_row {
    float scale;
    int32_t offset;     /* minus 128 times the sum of all bytes */
    int32_t unused[14];
} ck_quantized_row;

static inline int64_t ck_quantized_bytes(int64_t k) { return (k + 63) / 64 * 64; }
static inline int64_t ck_quantized_stride(int64_t k) {
    int64_t groups = (k + CK_GROUP - 1) / CK_GROUP;
    int64_t bytes = (int64_t)sizeof(ck_quantized_row) + ck_quantized_bytes(k) + (groups * 4 + 63) / 64 * 64;
    return bytes % 4096 == 0 ? bytes + 64 : bytes;
}

/* What is stored for element i of a lane of a panel, and its scale. */
static inline int32_t ck_quantized_value(ck_dtype dtype, const unsigned char *panel, int64_t lane, int64_t i) {
    if (dtype == CK_I8) return panel[ck_quantized_word(dtype, i / 4) + lane * 4 + i % 4] - 128;
    unsigned char both = panel[ck_quantized_word(dtype, i / 8) + lane * 4 + i % 4];
    return (i % 8 < 4 ? both & 15 : both >> 4) - 8;
}

static inline float ck_quantized_scale(
    ck_dtype dtype, const unsigned char *panel, int64_t k, int64_t lane, int64_t i) {
    int64_t bytes = ck_gemm_step_bytes(dtype);
    if (dtype == CK_I8) return ((const float *)(panel + ck_gemm_steps(dtype, k) * bytes))[lane];
    return ck_from_f16(((const uint16_t *)(panel + i / CK_GROUP * bytes))[lane]);
}

#endif
