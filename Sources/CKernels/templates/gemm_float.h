/* Products that multiply in float32, for all weight types: the whole family of a path without a bf16 instruction. */
#define GEMM(name) f32_##name
#define GEMM_DTYPE CK_F32
#define GEMM_PARTS 1
#define GEMM_WEIGHTS(p, part) vector_load((const float *)(p))
#define GEMM_DOT vector_fma
#define GEMM_VECTORS FLOAT_VECTORS
#define GEMM_X_STRIDE(call) ((call)->ldx * 4)
#include "gemm_kernel.h"

#define GEMM(name) f16_##name
#define GEMM_DTYPE CK_F16
#define GEMM_PARTS 1
#define GEMM_WEIGHTS(p, part) vector_from_f16(p)
#define GEMM_DOT vector_fma
#define GEMM_VECTORS FLOAT_VECTORS
#define GEMM_X_STRIDE(call) ((call)->ldx * 4)
#include "gemm_kernel.h"

/* The activations are float32 that have been rounded to bf16, so that only the weights need widening. */
#define GEMM(name) bf16_##name
#define GEMM_DTYPE CK_BF16
#define GEMM_PARTS 2
#define GEMM_WEIGHTS(p, part) ((part) == 0 ? vector_first_bf16(p) : vector_second_bf16(p))
#define GEMM_DOT vector_fma
#define GEMM_VECTORS FLOAT_VECTORS
#define GEMM_X_STRIDE(call) ck_prepared_stride((call)->k, 4)
#include "gemm_kernel.h"

static void round_rows(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_prepare_call *c = argument;
    int64_t stride = ck_prepared_stride(c->k, 4);
    for (int64_t row = begin; row < end; row++) {
        const float *x = c->x + row * c->ldx;
        float *prepared = (float *)((unsigned char *)c->prepared + row * stride);
        int64_t i = 0;
        for (; i + VECTOR_LANES <= c->k; i += VECTOR_LANES) {
            vector_store(prepared + i, vector_round_to_bf16(vector_load(x + i)));
        }
        /* A row has room for whole vectors. */
        if (i < c->k) vector_store(prepared + i, vector_round_to_bf16(vector_load_some(x + i, c->k - i)));
    }
}

#undef FLOAT_VECTORS
