/* What is the same on all paths: sizes and the split of a product into tasks. */
#include "ck_gemm.h"
#include "ck_rows.h"
#include "gemm_layout.h"

size_t ck_packed_bytes(ck_dtype dtype, int64_t n, int64_t k) {
    return (size_t)(ck_panels(n) * ck_gemm_panel_bytes(dtype, k));
}

size_t ck_prepared_bytes(ck_dtype dtype, int64_t m, int64_t k) {
    if (dtype == CK_I8 || dtype == CK_I4) return (size_t)(m * ck_quantized_stride(k));
    /* The wider of the two forms that paths use. */
    return dtype == CK_BF16 ? (size_t)(m * ck_prepared_stride(k, 4)) : 0;
}

/* Tasks per thread that even out what the threads lose to others on the same processor. */
enum { TASKS_PER_THREAD = 8, LEAST_CHUNK = 96 };

int64_t ck_gemm_row_chunk(int64_t m, int64_t n, int32_t threads) {
    int64_t panels = ck_panels(n), wanted = (int64_t)threads * TASKS_PER_THREAD;
    if (threads <= 1 || panels == 0 || panels >= wanted || m <= LEAST_CHUNK) return m > 0 ? m : 1;
    int64_t chunks = (wanted + panels - 1) / panels;
    if (chunks > m / LEAST_CHUNK) chunks = m / LEAST_CHUNK;
    return (m + chunks - 1) / chunks;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void ck_gemm_run(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_gemm_call *c = argument;
    int64_t panels = ck_panels(c->n);
    for (int64_t task = begin; task < end;) {
        /* All panels of this range that take the same rows go in one call. */
        int64_t chunk = task / panels, panel = task % panels;
        int64_t count = least(panels - panel, end - task);
        int64_t row = chunk * c->row_chunk;
        c->kernels->gemm(c, row, least(row + c->row_chunk, c->m), panel, panel + count);
        task += count;
    }
}

/* Where `out` has to begin for element (row, panel's first column) to be at `there`. Never read or written itself, and not
 * within an object; hence the arithmetic on integers. */
static float *out_before(float *there, int64_t row, int64_t ldo, int64_t panel) {
    return (float *)((uintptr_t)there - (uintptr_t)(row * ldo + panel * CK_PANEL) * sizeof(float));
}

void ck_gated_run(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    const ck_gated_call *c = argument;
    int64_t panels = ck_panels(c->product.n / 2), ldo = 2 * CK_PANEL;
    float *scratch = c->scratch + (int64_t)worker * CK_GATED_ROWS * ldo;
    ck_gemm_call product = c->product;
    product.ldo = ldo;
    for (int64_t task = begin; task < end; task++) {
        int64_t row = task / panels * product.row_chunk, panel = task % panels;
        int64_t row_end = least(row + product.row_chunk, product.m);
        for (int half = 0; half < 2; half++) {
            int64_t from = half * panels + panel;
            product.out = out_before(scratch + half * CK_PANEL, row, ldo, from);
            product.kernels->gemm(&product, row, row_end, from, from + 1);
        }
        ck_silu_call silu = {
            .gate_up = scratch, .output = c->output + row * c->ldo + panel * CK_PANEL, .columns = CK_PANEL,
            .output_stride = c->ldo, .gate = CK_GATE_SILU,
        };
        c->silu(&silu, 0, (int32_t)(row_end - row), worker);
    }
}
