/* Matrix products with packed weights: out = x * w^T + bias, from one row (decode) to thousands (prefill).
 *
 * Packed weights. A weight [n, k] is stored once, in an order that depends on its type only, so that every path reads it:
 *
 *   bf16       [ceil(n/64)][ceil(k/2)][64][2]      pairs along k feed the dot-product instruction
 *   f32, f16   [ceil(n/64)][k][64]
 *   i8         [ceil(n/64)]{ [ceil(k/4)][64][4] bytes, [64] float32 }
 *   i4         [ceil(n/64)][ceil(k/32)]{ [64] float16, [4][64][4] bytes of two }
 *
 * A run of 64 outputs is a panel. What pads the last panel and an odd k is zero. Packed weights are 64-byte aligned.
 *
 * Quantized weights. i8 has a scale for each output, the largest magnitude over 127 or what a checkpoint says, and
 * stores value + 128, for any int8; i4 has a scale for each 32 elements of an output, minus an eighth of their element of
 * largest magnitude, and stores value + 8: of byte b of the j-th four bytes, the low half is element 8j + b, the high
 * half element 8j + 4 + b. Activations are quantized row by row: scale = largest magnitude / 127. Products and their
 * sums (over k for i8, over 32 elements for i4) are exact integers. A scale is NaN where its source is not finite.
 *   i8: out = (float)sum * weight_scale * row_scale + bias
 *   i4: out = fma over groups of ((float)sum, weight_scale) * row_scale + bias
 * in this order and with these roundings on every path, so that all paths give the same bits.
 *
 * Order of sums. An output element starts from 0, adds its k products in ascending order of k (bf16: of pairs of k) into
 * one float32, and adds the bias last. No split of k has its own sum. So the bits of a row depend neither on the rows
 * beside it, nor on the block it falls in, nor on who computed which panel. Paths differ from each other in rounding
 * only: fused or not, and within a pair. avx512bf16 takes bf16 subnormals as 0.
 *
 * Several calls may run at the same time as long as they write different elements. */
#ifndef CK_GEMM_H
#define CK_GEMM_H

#include "ck_coded.h"
#include "ck_pool.h"
#include "ck_types.h"

enum { CK_PANEL = 64 };

static inline int64_t ck_panels(int64_t n) { return (n + CK_PANEL - 1) / CK_PANEL; }

/* Bytes of a packed weight. */
size_t ck_packed_bytes(ck_dtype dtype, int64_t n, int64_t k);

/* Bytes that `prepare` needs for m rows; 0 for f32 and f16, whose gemm reads the activations as they are. Largest of all
 * for CK_BF16 from k = 64 on. */
size_t ck_prepared_bytes(ck_dtype dtype, int64_t m, int64_t k);

/* Rows of one part of a weight, to be placed at the rows first_row ..< first_row + row_count of the packed whole: parts
 * (q, k, v; gate, up) lie one below the other, at any offset. Once all rows 0 ..< n are placed the weight is complete;
 * the part that holds row n - 1 also writes the padding of the last panel. */
typedef struct ck_pack_call {
    ck_dtype dtype;         /* of the packed weight */
    ck_dtype source_dtype;  /* the same; for i8 and i4 any of f32, f16, bf16 */
    const void *source;     /* [row_count, k], aligned to an element */
    void *destination;      /* ck_packed_bytes(dtype, n, k) */
    int64_t n, k;
    int64_t first_row, row_count;
} ck_pack_call;

/* Indices of the pack region: index i is the part's rows in panel first_row / 64 + i. */
static inline int32_t ck_pack_tasks(const ck_pack_call *call) {
    if (call->row_count == 0) return 0;
    return (int32_t)((call->first_row + call->row_count - 1) / CK_PANEL - call->first_row / CK_PANEL + 1);
}

/* Places `count` outputs of an i8 weight that is quantized already at lanes first_lane ... of a panel, whose other bytes
 * stay. */
void ck_place_i8(
    const uint8_t *values,  /* [count, k] int8 */
    const float *scales,    /* [count] */
    int64_t count, int64_t k, unsigned char *panel, int64_t first_lane);

/* Rounds activations to what a bf16 weight multiplies (nearest even, NaN stays NaN), or quantizes them for i8 and i4
 * (a row that is not finite gives NaN). Not for f32 and f16. */
typedef struct ck_prepare_call {
    ck_dtype dtype;         /* of the weight */
    const float *x;         /* [m, k], rows ldx floats apart */
    int64_t ldx;
    int64_t k;
    void *prepared;         /* ck_prepared_bytes(dtype, m, k), 64-byte aligned; its layout is the path's own */
} ck_prepare_call;

typedef struct ck_gemm_table ck_gemm_table;

typedef struct ck_gemm_call {
    const ck_gemm_table *kernels;
    ck_dtype dtype;         /* of the weight */
    int64_t m, n, k;
    const void *x;          /* f32, f16: floats [m, k]; else what the same path's `prepare` wrote */
    int64_t ldx;            /* floats from row to row; read for f32 and f16 only */
    const void *w;          /* packed */
    const float *bias;      /* [n] or NULL */
    float *out;             /* [m, n] */
    int64_t ldo;            /* floats from row to row */
    int64_t row_chunk;      /* rows of a task of ck_gemm_run; see ck_gemm_row_chunk */
    const ck_coded *coded;  /* what w is where it is codes; dtype is then the type they are widened to. Else NULL */
} ck_gemm_call;

struct ck_gemm_table {
    ck_range_fn pack;       /* ck_pack_call, over ck_pack_tasks */
    ck_range_fn prepare;    /* ck_prepare_call, over rows */
    /* Writes out[row_begin ..< row_end][64 * panel_begin ..< min(64 * panel_end, n)]. Reads a weight once per call as
     * far as the second-level cache is concerned, so give many panels to one call. Does not read kernels, row_chunk. */
    void (*gemm)(
        const ck_gemm_call *call, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
};

extern const ck_gemm_table ck_gemm_plain, ck_gemm_avx2, ck_gemm_avx512, ck_gemm_avx512bf16;

/* Region over ck_gemm_tasks: index = (chunk of rows) * ck_panels(n) + panel. */
void ck_gemm_run(const void *call, int32_t begin, int32_t end, int32_t worker);

static inline int32_t ck_gemm_tasks(const ck_gemm_call *call) {
    if (call->m == 0) return 0;
    return (int32_t)((call->m + call->row_chunk - 1) / call->row_chunk * ck_panels(call->n));
}

/* Gated product: output[r][i] = silu(gate) * up, gate and up being elements i and n / 2 + i of row r of a product; for n / 2
 * a multiple of CK_PANEL. Its bits are those of the product followed by gated_silu, but the product never leaves the
 * second-level cache. */
typedef struct ck_gated_call {
    ck_gemm_call product;   /* `out` and `ldo` are not read; row_chunk at most CK_GATED_ROWS */
    ck_range_fn silu;       /* gated_silu of the same path */
    float *output;          /* [m, n / 2] */
    int64_t ldo;            /* floats from row to row */
    float *scratch;         /* CK_GATED_ROWS * 2 * CK_PANEL floats for each worker */
} ck_gated_call;

enum { CK_GATED_ROWS = 192 };

/* Region over ck_gated_tasks: index = (chunk of rows) * panels of n / 2 + panel. */
void ck_gated_run(const void *call, int32_t begin, int32_t end, int32_t worker);

static inline int32_t ck_gated_tasks(const ck_gated_call *call) {
    if (call->product.m == 0) return 0;
    return (int32_t)((call->product.m + call->product.row_chunk - 1) / call->product.row_chunk
                     * ck_panels(call->product.n / 2));
}

/* A row_chunk that keeps `threads` threads busy: all rows where there are panels enough, fewer where there are not. */
int64_t ck_gemm_row_chunk(int64_t m, int64_t n, int32_t threads);

/* out[i] = w[row][i] for i in 0 ..< k, exact (i8, i4: value times scale): embedding lookup from a packed
 * weight. Touches a cache line per step. `coded` as in ck_gemm_call. */
void ck_unpack_row(
    ck_dtype dtype, const ck_coded *coded, const void *w, int64_t n, int64_t k, int64_t row, float *out);

#endif
