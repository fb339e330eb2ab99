/* What the micro-kernels of all paths and types share. */
#ifndef CK_GEMM_BLOCK_H
#define CK_GEMM_BLOCK_H

#include "../gemm_layout.h"

/* Most rows of a block: with 4 vectors of columns, 24 of 32 registers hold sums, 4 hold weights and one an activation. */
enum { GEMM_BLOCK_ROWS = 6 };

/* Most steps of k that a block takes before the next block of rows takes them: 128 KiB of weights, which the
 * second-level cache holds beside the 128 KiB that are fetched meanwhile. */
enum { GEMM_UNIT_STEPS = 512 };

/* Steps of a unit: equal parts of all steps, in fours. */
static inline int64_t gemm_unit(int64_t steps) {
    int64_t units = (steps + GEMM_UNIT_STEPS - 1) / GEMM_UNIT_STEPS;
    return units <= 1 ? steps : (steps + 4 * units - 1) / (4 * units) * 4;
}

/* A few rows times a few vectors of columns of one panel, over a run of steps. */
typedef struct gemm_block {
    const unsigned char *x;       /* the first row at the first step */
    int64_t x_stride;             /* bytes */
    const unsigned char *w;       /* the first column at the first step */
    int64_t steps;
    const unsigned char *ahead;   /* weights to fetch meanwhile, `ahead_lines` cache lines each four steps */
    int64_t ahead_lines;
    bool first, last;             /* whether the run begins at step 0, and whether it ends at the last step */
    float *out;                   /* sums between runs, and the result */
    int64_t ldo;
    const float *bias;            /* of the first column, or NULL */
    int64_t columns;              /* from the first column to the last of the product */
    /* Quantized weights only; they do not use `x`. */
    const unsigned char *rows;    /* the first quantized row */
    int64_t row_bytes;            /* of its elements, with padding */
    int64_t step;                 /* the first */
    int64_t lane;                 /* of the panel: the first column */
    const float *scales;          /* i8: of the first column */
} gemm_block;

#endif
