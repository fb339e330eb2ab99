/* Row kernels over v16. Include a vector_*.h first; define CK_ROWS_TABLE, the name of the table. */
#include <math.h>

#include "../half_floats.h"
#include "ck_rows.h"
#include "kv_store.h"
#include "vector_math.h"

#define CK_FUNCTION static __attribute__((target(CK_TARGET)))

/* Four sums of sixteen lanes, the last elements masked. */
CK_INLINE float inverse_rms(const float *x, int32_t n, float epsilon) {
    v16 a = v_zero(), b = v_zero(), c = v_zero(), d = v_zero();
    int32_t i = 0;
    for (; i + 64 <= n; i += 64) {
        v16 xa = v_load(x + i), xb = v_load(x + i + 16), xc = v_load(x + i + 32), xd = v_load(x + i + 48);
        a = v_fma(xa, xa, a);
        b = v_fma(xb, xb, b);
        c = v_fma(xc, xc, c);
        d = v_fma(xd, xd, d);
    }
    for (; i < n; i += 16) {
        v16 xa = v_load_n(x + i, n - i < 16 ? n - i : 16);
        a = v_fma(xa, xa, a);
    }
    return 1 / sqrtf(v_reduce_add(v_add(v_add(a, b), v_add(c, d))) / (float)n + epsilon);
}

CK_INLINE void scale_row(const float *x, float factor, const float *weight, int32_t n, float *output) {
    v16 f = v_set1(factor);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) v_store(output + i, v_mul(v_mul(v_load(x + i), f), v_load(weight + i)));
    if (i < n) v_store_n(output + i, n - i, v_mul(v_mul(v_load_n(x + i, n - i), f), v_load_n(weight + i, n - i)));
}

CK_FUNCTION void rms_norm(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_norm_call *c = call;
    int32_t n = c->columns;
    size_t stride = (size_t)(c->stride ? c->stride : n);
    for (int32_t r = begin; r < end; r++) {
        float *x = c->x + (size_t)r * stride, *output = c->output + (size_t)r * stride;
        if (c->delta) {
            const float *delta = c->delta + (size_t)r * stride;
            int32_t i = 0;
            for (; i + 16 <= n; i += 16) v_store(x + i, v_add(v_load(x + i), v_load(delta + i)));
            if (i < n) v_store_n(x + i, n - i, v_add(v_load_n(x + i, n - i), v_load_n(delta + i, n - i)));
        }
        scale_row(x, inverse_rms(x, n, c->epsilon), c->weight, n, output);
    }
}

CK_INLINE v16 gate_silu(const ck_silu_call *c, v16 g, v16 u) {
    (void)c;
    return v_mul(v_mul_sigmoid(g, g), u);
}

CK_INLINE v16 gate_gelu_tanh(const ck_silu_call *c, v16 g, v16 u) {
    (void)c;
    /* (1 + tanh x) / 2 is the sigmoid of 2x; 2 * sqrt(2 / pi) and its product with 0.044715. */
    v16 cubic = v_mul(v_mul(g, g), g);
    v16 x = v_fma(cubic, v_set1(0x1.2444f2p-4f), v_mul(g, v_set1(0x1.988454p+0f)));
    return v_mul(v_mul_sigmoid(g, x), u);
}

CK_INLINE v16 gate_clamped(const ck_silu_call *c, v16 g, v16 u) {
    g = v_min(g, v_set1(c->limit));
    u = v_max(v_min(u, v_set1(c->limit)), v_set1(-c->limit));
    return v_mul(v_mul_sigmoid(g, v_mul(g, v_set1(c->alpha))), v_add(u, v_set1(1)));
}

/* Elements from ..< to of a row. */
#define CK_GATED(GATE) \
    for (; i + 16 <= to; i += 16) v_store(output + i, GATE(c, v_load(gate + i), v_load(up + i))); \
    if (i < to) v_store_n(output + i, to - i, GATE(c, v_load_n(gate + i, to - i), v_load_n(up + i, to - i)))

CK_FUNCTION void gated_silu(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_silu_call *c = call;
    int32_t chunks = ck_silu_chunks(c->columns);
    for (int32_t index = begin; index < end; index++) {
        size_t r = (size_t)(index / chunks);
        int32_t i = index % chunks * CK_SILU_CHUNK;
        int32_t to = i + CK_SILU_CHUNK < c->columns ? i + CK_SILU_CHUNK : c->columns;
        const float *gate = c->gate_up + r * 2 * (size_t)c->columns, *up = gate + c->columns;
        float *output = c->output + r * (size_t)c->output_stride;
        switch (c->gate) {
        case CK_GATE_SILU: CK_GATED(gate_silu); break;
        case CK_GATE_GELU_TANH: CK_GATED(gate_gelu_tanh); break;
        case CK_GATE_CLAMPED: CK_GATED(gate_clamped); break;
        }
    }
}

CK_FUNCTION void soft_cap(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_cap_call *c = call;
    int32_t chunks = ck_silu_chunks(c->columns);
    v16 cap = v_set1(c->cap), inverse = v_set1(1 / c->cap);
    for (int32_t index = begin; index < end; index++) {
        float *x = c->x + (size_t)(index / chunks) * (size_t)c->columns;
        int32_t i = index % chunks * CK_SILU_CHUNK;
        int32_t to = i + CK_SILU_CHUNK < c->columns ? i + CK_SILU_CHUNK : c->columns;
        for (; i + 16 <= to; i += 16) v_store(x + i, v_mul(cap, v_tanh(v_mul(v_load(x + i), inverse))));
        if (i < to) v_store_n(x + i, to - i, v_mul(cap, v_tanh(v_mul(v_load_n(x + i, to - i), inverse))));
    }
}

CK_INLINE void rotate_halves(float *head, int32_t pairs, const float *cosines, const float *sines) {
    for (int32_t i = 0; i < pairs; i += 16) {
        int32_t n = pairs - i < 16 ? pairs - i : 16;
        v16 x = v_load_n(head + i, n), y = v_load_n(head + pairs + i, n);
        v16 cosine = v_load_n(cosines + i, n), sine = v_load_n(sines + i, n);
        v_store_n(head + i, n, v_fnma(y, sine, v_mul(x, cosine)));
        v_store_n(head + pairs + i, n, v_fma(x, sine, v_mul(y, cosine)));
    }
}

CK_INLINE void rotate_interleaved(float *head, int32_t pairs, const float *cosines, const float *sines) {
    for (int32_t i = 0; i < pairs; i++) {
        float x = head[2 * i], y = head[2 * i + 1];
        head[2 * i] = x * cosines[i] - y * sines[i];
        head[2 * i + 1] = y * cosines[i] + x * sines[i];
    }
}

CK_FUNCTION void rotate_store(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_rotate_call *c = call;
    int32_t d = c->kv.head_dimension;
    size_t columns = (size_t)(c->heads + (c->kv.latent ? 1 : 2) * c->kv_heads) * (size_t)d;
    for (int32_t r = begin; r < end; r++) {
        float *row = c->qkv + (size_t)r * columns;
        const float *cosines = c->cosines + (size_t)r * (size_t)c->pairs;
        const float *sines = c->sines + (size_t)r * (size_t)c->pairs;
        for (int32_t h = 0; h < c->heads + c->kv_heads; h++) {
            float *head = row + (size_t)h * (size_t)d;
            const float *norm = h < c->heads ? c->query_norm : c->key_norm;
            if (norm) scale_row(head, inverse_rms(head, d, c->epsilon), norm, d, head);
            if (c->interleaved)
                rotate_interleaved(head, c->pairs, cosines, sines);
            else
                rotate_halves(head, c->pairs, cosines, sines);
        }
        unsigned char *page = c->kv.base + (size_t)c->pages[r] * c->kv.page_stride;
        const float *keys = row + (size_t)c->heads * (size_t)d, *values = keys + (size_t)c->kv_heads * (size_t)d;
        for (int32_t h = 0; h < c->kv_heads; h++)
            ck_kv_store(
                page + (size_t)h * c->kv.head_stride, c->slots[r], d, c->kv.dtype, keys + (size_t)h * (size_t)d,
                c->kv.latent ? NULL : values + (size_t)h * (size_t)d);
    }
}

const ck_rows_table CK_ROWS_TABLE = {rms_norm, gated_silu, soft_cap, rotate_store};
