/* Row operations of encoders (BERT and its kin): layer norm and the activations of their feed-forward networks.
 *
 * All are regions for ck_pool_run. An element is computed by the same instructions wherever a range begins or ends. */
#ifndef CK_ENCODER_H
#define CK_ENCODER_H

#include "ck_pool.h"
#include "ck_types.h"

/* output[r] = (x[r] - mean) / sqrt(variance + epsilon) * weight + bias; with `delta`, x[r] += delta[r] first. `output`
 * may be `x`. */
typedef struct ck_layer_norm_call {
    float *x;               /* written only with delta */
    const float *delta;     /* or NULL */
    const float *weight, *bias;
    float *output;
    int32_t columns;
    float epsilon;
} ck_layer_norm_call;

typedef enum ck_activation {
    CK_GELU,                /* x * Phi(x) */
    CK_GELU_TANH,           /* its approximation with tanh */
    CK_RELU,
    CK_SILU,
    CK_TANH,
} ck_activation;

/* x[i] = activation(x[i]), in place. */
typedef struct ck_activation_call {
    float *x;
    int64_t count;
    ck_activation activation;
} ck_activation_call;

enum { CK_ACTIVATION_CHUNK = 1024 };
/* Indices of the activation region. */
static inline int32_t ck_activation_chunks(int64_t count) {
    return (int32_t)((count + CK_ACTIVATION_CHUNK - 1) / CK_ACTIVATION_CHUNK);
}

typedef struct ck_encoder_table {
    ck_range_fn layer_norm;   /* ck_layer_norm_call, over rows */
    ck_range_fn activate;     /* ck_activation_call, over ck_activation_chunks */
} ck_encoder_table;

extern const ck_encoder_table ck_encoder_plain, ck_encoder_avx2, ck_encoder_avx512;

#endif
