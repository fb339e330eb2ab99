/* Readable twins of the encoder's row kernels. */
#include "ck_encoder.h"

#include <math.h>
#include <stddef.h>

static void layer_norm(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_layer_norm_call *c = call;
    int32_t n = c->columns;
    for (int32_t r = begin; r < end; r++) {
        float *x = c->x + (size_t)r * (size_t)n, *output = c->output + (size_t)r * (size_t)n;
        if (c->delta) {
            const float *delta = c->delta + (size_t)r * (size_t)n;
            for (int32_t i = 0; i < n; i++) x[i] += delta[i];
        }
        float sum = 0, squares = 0;
        for (int32_t i = 0; i < n; i++) sum += x[i];
        float mean = sum / (float)n;
        for (int32_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
        float inverse = 1 / sqrtf(squares / (float)n + c->epsilon);
        for (int32_t i = 0; i < n; i++) output[i] = (x[i] - mean) * inverse * c->weight[i] + c->bias[i];
    }
}

static float activated(float x, ck_activation activation) {
    switch (activation) {
    case CK_GELU: return 0.5f * x * erfcf(-x * (float)M_SQRT1_2);
    case CK_GELU_TANH: return x / (1 + expf(-1.5957691216f * (x + 0.044715f * x * x * x)));
    case CK_RELU: return x > 0 ? x : 0;
    case CK_SILU: return x / (1 + expf(-x));
    case CK_TANH: return tanhf(x);
    }
    return x;
}

static void activate(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_activation_call *c = call;
    int64_t to = (int64_t)end * CK_ACTIVATION_CHUNK < c->count ? (int64_t)end * CK_ACTIVATION_CHUNK : c->count;
    for (int64_t i = (int64_t)begin * CK_ACTIVATION_CHUNK; i < to; i++) c->x[i] = activated(c->x[i], c->activation);
}

const ck_encoder_table ck_encoder_plain = {layer_norm, activate};
