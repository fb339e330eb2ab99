/* Passes over a row of logits. Sums are taken in one fixed order. */
#ifndef CK_SAMPLE_H
#define CK_SAMPLE_H

#include "ck_types.h"

enum { CK_SAMPLE_LEVELS = 8 };

typedef struct ck_sample_table {
    /* Index of the largest element, the lowest among equals; NaN loses against everything. 0 if nothing else is there. */
    int32_t (*argmax)(const float *x, int32_t n);
    /* Copies x with NaN as -infinity and +infinity as the largest finite number, so that differences are numbers. */
    void (*clean)(const float *x, int32_t n, float *output);
    /* The largest element of a clean row; -infinity for none. */
    float (*maximum)(const float *x, int32_t n);
    /* weights[i] = exp((x[i] - maximum) * factor), and their sum. `weights` may be NULL. x clean, maximum finite. */
    double (*exponentials)(const float *x, int32_t n, float maximum, float factor, float *weights);
    /* For each level: how many x are >= level, and the sum of their weights. */
    void (*levels)(
        const float *x, const float *weights, int32_t n, const float *levels, int32_t *counts, double *sums);
    /* Gathers the elements with low <= x < high in their order; ids NULL stands for 0, 1, 2 ... Returns how many.
     * The outputs have room for n + 16 elements and may be the inputs. */
    int32_t (*collect)(
        const float *x, const float *weights, const int32_t *ids, int32_t n, float low, float high, float *out_x,
        float *out_weights, int32_t *out_ids);
    /* The min(k, n) largest of a clean row, largest first, the lowest index first among equals. For small k. */
    int32_t (*top)(const float *x, int32_t n, int32_t k, float *values, int32_t *ids);
} ck_sample_table;

extern const ck_sample_table ck_sample_plain, ck_sample_avx2, ck_sample_avx512, ck_sample_avx512bf16;

#endif
