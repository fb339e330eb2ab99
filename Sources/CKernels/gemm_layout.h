/* Where an element of a packed weight or of prepared activations lies. */
#ifndef CK_GEMM_LAYOUT_H
#define CK_GEMM_LAYOUT_H

#include "ck_gemm.h"

/* A step is what one instruction takes along k: a pair for bf16, else one element. */
static inline int64_t ck_gemm_steps(ck_dtype dtype, int64_t k) { return dtype == CK_BF16 ? (k + 1) / 2 : k; }

/* Bytes of one step of one panel. */
static inline int64_t ck_gemm_step_bytes(ck_dtype dtype) { return dtype == CK_F16 ? 2 * CK_PANEL : 4 * CK_PANEL; }

static inline int64_t ck_gemm_panel_bytes(ck_dtype dtype, int64_t k) {
    return ck_gemm_steps(dtype, k) * ck_gemm_step_bytes(dtype);
}

/* Index of element (row, i) in units of an element. */
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

#endif
