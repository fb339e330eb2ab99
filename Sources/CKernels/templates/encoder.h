/* The encoder's row kernels over v16. Include a vector_*.h first; define CK_ENCODER_TABLE, the name of the table. */
#include <math.h>
#include <stddef.h>

#include "ck_encoder.h"
#include "vector_math.h"

#define CK_FUNCTION static __attribute__((target(CK_TARGET)))

/* Two sums of sixteen lanes, the last elements masked. */
CK_INLINE float row_mean(const float *x, int32_t n) {
    v16 a = v_zero(), b = v_zero();
    int32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        a = v_add(a, v_load(x + i));
        b = v_add(b, v_load(x + i + 16));
    }
    for (; i < n; i += 16) a = v_add(a, v_load_n(x + i, n - i < 16 ? n - i : 16));
    return v_reduce_add(v_add(a, b)) / (float)n;
}

CK_INLINE float row_variance(const float *x, int32_t n, float mean) {
    v16 a = v_zero(), b = v_zero(), m = v_set1(mean);
    int32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        v16 xa = v_sub(v_load(x + i), m), xb = v_sub(v_load(x + i + 16), m);
        a = v_fma(xa, xa, a);
        b = v_fma(xb, xb, b);
    }
    for (; i < n; i += 16) {
        int32_t rest = n - i < 16 ? n - i : 16;
        /* What is beyond the row must add nothing: the mean is masked as well. */
        float part[16];
        for (int32_t k = 0; k < 16; k++) part[k] = k < rest ? mean : 0;
        v16 xa = v_sub(v_load_n(x + i, rest), v_load(part));
        a = v_fma(xa, xa, a);
    }
    return v_reduce_add(v_add(a, b)) / (float)n;
}

CK_FUNCTION void layer_norm(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_layer_norm_call *c = call;
    int32_t n = c->columns;
    for (int32_t r = begin; r < end; r++) {
        float *x = c->x + (size_t)r * (size_t)n, *output = c->output + (size_t)r * (size_t)n;
        if (c->delta) {
            const float *delta = c->delta + (size_t)r * (size_t)n;
            for (int32_t i = 0; i < n; i += 16) {
                int32_t rest = n - i < 16 ? n - i : 16;
                v_store_n(x + i, rest, v_add(v_load_n(x + i, rest), v_load_n(delta + i, rest)));
            }
        }
        float mean = row_mean(x, n);
        v16 m = v_set1(mean), f = v_set1(1 / sqrtf(row_variance(x, n, mean) + c->epsilon));
        for (int32_t i = 0; i < n; i += 16) {
            int32_t rest = n - i < 16 ? n - i : 16;
            v16 normed = v_mul(v_sub(v_load_n(x + i, rest), m), f);
            v_store_n(output + i, rest, v_fma(normed, v_load_n(c->weight + i, rest), v_load_n(c->bias + i, rest)));
        }
    }
}

CK_INLINE v16 sigmoid_weighted(v16 x, v16 argument) {
    /* e^88 is finite; beyond, x / (1 + e^88) is as good as 0. */
    v16 e = v_exp(v_min(v_sub(v_zero(), argument), v_set1(88)));
    return v_div(x, v_add(v_set1(1), e));
}

/* x * Phi(x), with the tail Phi(-|x|) by formula 7.1.26 of Abramowitz and Stegun (absolute error 1.5e-7 of erf). */
CK_INLINE v16 gelu(v16 x) {
    v16 size = v_max(x, v_sub(v_zero(), x));
    v16 a = v_mul(size, v_set1(0.70710678118f));
    v16 t = v_div(v_set1(1), v_fma(v_set1(0.3275911f), a, v_set1(1)));
    v16 p = v_set1(1.061405429f);
    p = v_fma(p, t, v_set1(-1.453152027f));
    p = v_fma(p, t, v_set1(1.421413741f));
    p = v_fma(p, t, v_set1(-0.284496736f));
    p = v_fma(p, t, v_set1(0.254829592f));
    v16 tail = v_mul(v_mul(v_mul(p, t), v_set1(0.5f)), v_exp(v_sub(v_zero(), v_mul(a, a))));
    return v_fnma(size, tail, v_max(x, v_zero()));
}

CK_INLINE v16 activated(v16 x, ck_activation activation) {
    switch (activation) {
    case CK_GELU: return gelu(x);
    case CK_GELU_TANH: {
        v16 cube = v_mul(v_mul(v_mul(x, x), x), v_set1(0.044715f));
        return sigmoid_weighted(x, v_mul(v_add(x, cube), v_set1(1.5957691216f)));
    }
    case CK_RELU: return v_max(x, v_zero());
    case CK_SILU: return sigmoid_weighted(x, x);
    case CK_TANH: {
        /* 1 - 2 / (1 + e^2x) */
        v16 e = v_exp(v_min(v_add(x, x), v_set1(88)));
        return v_sub(v_set1(1), v_div(v_set1(2), v_add(v_set1(1), e)));
    }
    }
    return x;
}

CK_FUNCTION void activate(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_activation_call *c = call;
    ck_activation activation = c->activation;
    int64_t to = (int64_t)end * CK_ACTIVATION_CHUNK < c->count ? (int64_t)end * CK_ACTIVATION_CHUNK : c->count;
    int64_t i = (int64_t)begin * CK_ACTIVATION_CHUNK;
    for (; i + 16 <= to; i += 16) v_store(c->x + i, activated(v_load(c->x + i), activation));
    int32_t rest = (int32_t)(to - i);
    if (rest > 0) v_store_n(c->x + i, rest, activated(v_load_n(c->x + i, rest), activation));
}

const ck_encoder_table CK_ENCODER_TABLE = {layer_norm, activate};
