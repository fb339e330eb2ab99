/* Row operations: norms, rotary embedding with the write to the pages, gated SiLU, embedding.
 *
 * All are regions for ck_pool_run. An element is computed by the same instructions wherever a range begins or ends. */
#ifndef CK_ROWS_H
#define CK_ROWS_H

#include "ck_attention.h"
#include "ck_pool.h"
#include "ck_types.h"

/* output[r] = x[r] / sqrt(mean(x[r]^2) + epsilon) * weight; with `delta`, x[r] += delta[r] first. In place if output is
 * x. */
typedef struct ck_norm_call {
    float *x;               /* written only with delta */
    const float *delta;     /* or NULL */
    const float *weight;
    float *output;
    int32_t columns;
    float epsilon;
    int32_t stride;         /* floats from row to row; 0: columns */
} ck_norm_call;

/* How a gate g weighs u, the element beside it. */
typedef enum ck_gate {
    CK_GATE_SILU,           /* g * sigmoid(g) * u */
    CK_GATE_GELU_TANH,      /* g / 2 * (1 + tanh(sqrt(2 / pi) * (g + 0.044715 * g^3))) * u */
    /* gpt-oss: with g at most `limit` and u within -limit ... limit, g * sigmoid(alpha * g) * (u + 1) */
    CK_GATE_CLAMPED,
} ck_gate;

/* output[r][i] = gate(gate_up[r][i], gate_up[r][columns + i]). */
typedef struct ck_silu_call {
    const float *gate_up;   /* [rows, 2 * columns] */
    float *output;          /* [rows, columns] */
    int32_t columns;
    int64_t output_stride;  /* floats from row to row */
    ck_gate gate;
    float limit, alpha;     /* of CK_GATE_CLAMPED */
} ck_silu_call;

/* x[r][i] = cap * tanh(x[r][i] / cap). */
typedef struct ck_cap_call {
    float *x;
    int32_t columns;
    float cap;
} ck_cap_call;

/* For each i: output[rows[i]] += weights[i] * x[i]. Both are `columns` wide; no row is named twice. */
typedef struct ck_accumulate_call {
    const float *x;
    const float *weights;   /* or NULL: 1 */
    const int32_t *rows;    /* or NULL: i */
    float *output;
    int32_t columns;
} ck_accumulate_call;

/* x[r] *= factor, or where there are gates x[r] *= sigmoid(gates[r]). A factor of 0 clears whatever is there. */
typedef struct ck_scale_call {
    float *x;
    const float *gates;     /* [rows] or NULL */
    int32_t columns;
    float factor;
} ck_scale_call;

/* Copies `count` blocks of `width` columns of each row. */
typedef struct ck_copy_call {
    const float *x;
    float *output;
    size_t x_row, output_row;       /* floats from row to row */
    size_t x_block, output_block;   /* floats from block to block */
    const int32_t *rows;            /* of x, or NULL: i */
    int32_t count, width;
} ck_copy_call;

enum { CK_SILU_CHUNK = 512 };
/* Indices of one row for the gated_silu region. */
static inline int32_t ck_silu_chunks(int32_t columns) { return (columns + CK_SILU_CHUNK - 1) / CK_SILU_CHUNK; }

/* cosines[r][i] = amplitude * cos(positions[r] * inverse_frequencies[i]); the angle is rounded to float32. */
typedef struct ck_rotary_call {
    const int32_t *positions;
    const float *inverse_frequencies;
    float *cosines, *sines; /* [rows, pairs] */
    int32_t pairs;
    float amplitude;
} ck_rotary_call;

/* Rotates the heads of q and k in place and stores k and v. */
typedef struct ck_rotate_call {
    float *qkv;             /* [rows, (heads + 2 * kv_heads) * d]; latent: without the v */
    int32_t heads, kv_heads;
    int32_t pairs;          /* rotated pairs; dimensions from 2 * pairs on pass through */
    bool interleaved;       /* pairs (2i, 2i + 1) instead of (i, i + pairs) */
    const float *cosines, *sines;
    const float *query_norm, *key_norm; /* [d] or NULL */
    float epsilon;
    ck_kv_layer kv;
    const int32_t *pages;   /* of each row */
    const int32_t *slots;   /* of each row within its page */
} ck_rotate_call;

typedef struct ck_rows_table {
    ck_range_fn rms_norm;     /* ck_norm_call, over rows */
    ck_range_fn gated_silu;   /* ck_silu_call, over rows * ck_silu_chunks */
    ck_range_fn soft_cap;     /* ck_cap_call, over rows * ck_silu_chunks */
    ck_range_fn rotate_store; /* ck_rotate_call, over rows */
} ck_rows_table;

extern const ck_rows_table ck_rows_plain, ck_rows_avx2, ck_rows_avx512, ck_rows_avx512bf16;

/* The same on all paths: sinf and cosf of the C library, correctly rounded but for the last bit. */
void ck_rotary_fill(const void *call, int32_t begin, int32_t end, int32_t worker);

/* The same on all paths; over rows. */
void ck_accumulate(const void *call, int32_t begin, int32_t end, int32_t worker);
void ck_scale(const void *call, int32_t begin, int32_t end, int32_t worker);
void ck_copy(const void *call, int32_t begin, int32_t end, int32_t worker);

/* Exact conversion of `count` elements to float32. */
void ck_widen(const void *source, ck_dtype dtype, size_t count, float *destination);

#endif
