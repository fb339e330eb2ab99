/* Readable twins of the sampling passes. */
#include "ck_sample.h"

#include <math.h>

static int32_t argmax(const float *x, int32_t n) {
    int32_t best = 0;
    float value = -INFINITY;
    for (int32_t i = 0; i < n; i++) {
        if (x[i] > value) {
            value = x[i];
            best = i;
        }
    }
    return best;
}

static void clean(const float *x, int32_t n, float *output) {
    for (int32_t i = 0; i < n; i++) output[i] = x[i] != x[i] ? -INFINITY : x[i] == INFINITY ? 0x1.fffffep127f : x[i];
}

static float maximum(const float *x, int32_t n) {
    float value = -INFINITY;
    for (int32_t i = 0; i < n; i++) value = x[i] > value ? x[i] : value;
    return value;
}

static double exponentials(const float *x, int32_t n, float max, float factor, float *weights) {
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        float weight = expf((x[i] - max) * factor);
        if (weights) weights[i] = weight;
        sum += weight;
    }
    return sum;
}

static void levels(
    const float *x, const float *weights, int32_t n, const float *level, int32_t *counts, double *sums) {
    for (int32_t l = 0; l < CK_SAMPLE_LEVELS; l++) {
        counts[l] = 0;
        sums[l] = 0;
        for (int32_t i = 0; i < n; i++) {
            if (x[i] >= level[l]) {
                counts[l]++;
                sums[l] += weights[i];
            }
        }
    }
}

static int32_t collect(
    const float *x, const float *weights, const int32_t *ids, int32_t n, float low, float high, float *out_x,
    float *out_weights, int32_t *out_ids) {
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        if (x[i] >= low && x[i] < high) {
            float value = x[i], weight = weights[i];
            int32_t id = ids ? ids[i] : i;
            out_x[count] = value;
            out_weights[count] = weight;
            out_ids[count] = id;
            count++;
        }
    }
    return count;
}

static int32_t top(const float *x, int32_t n, int32_t k, float *values, int32_t *ids) {
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        if (count == k && !(count > 0 && x[i] > values[count - 1])) continue;
        /* A later element goes behind its equals. */
        int32_t place = count < k ? count++ : count - 1;
        while (place > 0 && values[place - 1] < x[i]) {
            values[place] = values[place - 1];
            ids[place] = ids[place - 1];
            place--;
        }
        values[place] = x[i];
        ids[place] = i;
    }
    return count;
}

const ck_sample_table ck_sample_plain = {argmax, clean, maximum, exponentials, levels, collect, top};
