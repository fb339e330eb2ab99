/* Readable twins of the row kernels, and the two that are the same on all paths. */
#include "ck_rows.h"

#include <math.h>
#include <string.h>

#include "../half_floats.h"
#include "../templates/kv_store.h"

static float inverse_rms(const float *x, int32_t n, float epsilon) {
    float sum = 0;
    for (int32_t i = 0; i < n; i++) sum += x[i] * x[i];
    return 1 / sqrtf(sum / (float)n + epsilon);
}

static void rms_norm(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_norm_call *c = call;
    size_t stride = (size_t)(c->stride ? c->stride : c->columns);
    for (int32_t r = begin; r < end; r++) {
        float *x = c->x + (size_t)r * stride, *output = c->output + (size_t)r * stride;
        if (c->delta) {
            const float *delta = c->delta + (size_t)r * stride;
            for (int32_t i = 0; i < c->columns; i++) x[i] += delta[i];
        }
        float inverse = inverse_rms(x, c->columns, c->epsilon);
        for (int32_t i = 0; i < c->columns; i++) output[i] = x[i] * inverse * c->weight[i];
    }
}

static float gate(const ck_silu_call *c, float g, float u) {
    switch (c->gate) {
    case CK_GATE_SILU: break;
    case CK_GATE_GELU_TANH: return g / 2 * (1 + tanhf((float)sqrt(2 / M_PI) * (g + 0.044715f * g * g * g))) * u;
    case CK_GATE_CLAMPED:
        g = g > c->limit ? c->limit : g;
        u = u > c->limit ? c->limit : u < -c->limit ? -c->limit : u;
        return g / (1 + expf(-c->alpha * g)) * (u + 1);
    }
    return g / (1 + expf(-g)) * u;
}

static void gated_silu(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_silu_call *c = call;
    int32_t chunks = ck_silu_chunks(c->columns);
    for (int32_t index = begin; index < end; index++) {
        size_t r = (size_t)(index / chunks);
        int32_t from = index % chunks * CK_SILU_CHUNK;
        int32_t to = from + CK_SILU_CHUNK < c->columns ? from + CK_SILU_CHUNK : c->columns;
        const float *gates = c->gate_up + r * 2 * (size_t)c->columns, *up = gates + c->columns;
        float *output = c->output + r * (size_t)c->output_stride;
        for (int32_t i = from; i < to; i++) output[i] = gate(c, gates[i], up[i]);
    }
}

static void soft_cap(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_cap_call *c = call;
    int32_t chunks = ck_silu_chunks(c->columns);
    for (int32_t index = begin; index < end; index++) {
        float *x = c->x + (size_t)(index / chunks) * (size_t)c->columns;
        int32_t from = index % chunks * CK_SILU_CHUNK;
        int32_t to = from + CK_SILU_CHUNK < c->columns ? from + CK_SILU_CHUNK : c->columns;
        for (int32_t i = from; i < to; i++) x[i] = c->cap * tanhf(x[i] / c->cap);
    }
}

static void rotate(float *head, const ck_rotate_call *c, const float *cosines, const float *sines) {
    int32_t step = c->interleaved ? 2 : 1, other = c->interleaved ? 1 : c->pairs;
    for (int32_t i = 0; i < c->pairs; i++) {
        float *a = head + i * step, *b = a + other;
        float x = *a, y = *b;
        *a = x * cosines[i] - y * sines[i];
        *b = y * cosines[i] + x * sines[i];
    }
}

static void rotate_store(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_rotate_call *c = call;
    int32_t d = c->kv.head_dimension, heads = c->heads + (c->kv.latent ? 1 : 2) * c->kv_heads;
    for (int32_t r = begin; r < end; r++) {
        float *row = c->qkv + (size_t)r * (size_t)heads * (size_t)d;
        const float *cosines = c->cosines + (size_t)r * c->pairs, *sines = c->sines + (size_t)r * c->pairs;
        for (int32_t h = 0; h < c->heads + c->kv_heads; h++) {
            float *head = row + (size_t)h * d;
            const float *norm = h < c->heads ? c->query_norm : c->key_norm;
            if (norm) {
                float inverse = inverse_rms(head, d, c->epsilon);
                for (int32_t i = 0; i < d; i++) head[i] = head[i] * inverse * norm[i];
            }
            rotate(head, c, cosines, sines);
        }
        unsigned char *page = c->kv.base + (size_t)c->pages[r] * c->kv.page_stride;
        const float *keys = row + (size_t)c->heads * d, *values = keys + (size_t)c->kv_heads * d;
        for (int32_t h = 0; h < c->kv_heads; h++)
            ck_kv_store(
                page + (size_t)h * c->kv.head_stride, c->slots[r], d, c->kv.dtype, keys + (size_t)h * d,
                c->kv.latent ? NULL : values + (size_t)h * d);
    }
}

const ck_rows_table ck_rows_plain = {rms_norm, gated_silu, soft_cap, rotate_store};

void ck_rotary_fill(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_rotary_call *c = call;
    for (int32_t r = begin; r < end; r++) {
        float *cosines = c->cosines + (size_t)r * c->pairs, *sines = c->sines + (size_t)r * c->pairs;
        for (int32_t i = 0; i < c->pairs; i++) {
            float angle = (float)c->positions[r] * c->inverse_frequencies[i];
            cosines[i] = cosf(angle) * c->amplitude;
            sines[i] = sinf(angle) * c->amplitude;
        }
    }
}

void ck_accumulate(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_accumulate_call *c = call;
    for (int32_t r = begin; r < end; r++) {
        const float *x = c->x + (size_t)r * (size_t)c->columns;
        float *output = c->output + (size_t)(c->rows ? c->rows[r] : r) * (size_t)c->columns;
        float weight = c->weights ? c->weights[r] : 1;
        for (int32_t i = 0; i < c->columns; i++) output[i] += weight * x[i];
    }
}

void ck_scale(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_scale_call *c = call;
    for (int32_t r = begin; r < end; r++) {
        float *x = c->x + (size_t)r * (size_t)c->columns;
        float factor = c->gates ? 1 / (1 + expf(-c->gates[r])) : c->factor;
        if (!c->gates && factor == 0) {
            memset(x, 0, 4 * (size_t)c->columns);
            continue;
        }
        for (int32_t i = 0; i < c->columns; i++) x[i] *= factor;
    }
}

void ck_copy(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_copy_call *c = call;
    for (int32_t r = begin; r < end; r++) {
        const float *x = c->x + (size_t)(c->rows ? c->rows[r] : r) * c->x_row;
        float *output = c->output + (size_t)r * c->output_row;
        for (int32_t i = 0; i < c->count; i++)
            memcpy(output + (size_t)i * c->output_block, x + (size_t)i * c->x_block, 4 * (size_t)c->width);
    }
}

void ck_widen(const void *source, ck_dtype dtype, size_t count, float *destination) {
    const uint16_t *halves = source;
    switch (dtype) {
    case CK_F32: memcpy(destination, source, 4 * count); break;
    case CK_F16:
        for (size_t i = 0; i < count; i++) destination[i] = ck_from_f16(halves[i]);
        break;
    case CK_BF16:
        for (size_t i = 0; i < count; i++) destination[i] = ck_from_bf16(halves[i]);
        break;
    case CK_I8:
    case CK_I4:
    case CK_E4M3: break; /* packed weights and pages only */
    }
}
