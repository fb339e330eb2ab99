/* Sampling passes over v16. Include a vector_*.h first; define CK_SAMPLE_TABLE, the name of the table. */
#include <math.h>

#include "ck_sample.h"
#include "vector_math.h"

#define CK_FUNCTION static __attribute__((target(CK_TARGET)))

CK_INLINE int32_t width(int32_t i, int32_t n) { return n - i < 16 ? n - i : 16; }

CK_FUNCTION void clean(const float *x, int32_t n, float *output) {
    v16 none = v_set1(-INFINITY), most = v_set1(0x1.fffffep127f);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) v_store(output + i, v_min(v_unless_nan(v_load(x + i), none), most));
    if (i < n) v_store_n(output + i, n - i, v_min(v_unless_nan(v_load_n(x + i, n - i), none), most));
}

CK_FUNCTION float maximum(const float *x, int32_t n) {
    v16 a = v_set1(-INFINITY), b = a, c = a, d = a;
    int32_t i = 0;
    /* v_max(x, best): a NaN in x leaves best. */
    for (; i + 64 <= n; i += 64) {
        a = v_max(v_load(x + i), a);
        b = v_max(v_load(x + i + 16), b);
        c = v_max(v_load(x + i + 32), c);
        d = v_max(v_load(x + i + 48), d);
    }
    float best = v_reduce_max(v_max(v_max(a, b), v_max(c, d)));
    for (; i < n; i++) best = x[i] > best ? x[i] : best;
    return best;
}

CK_FUNCTION int32_t argmax(const float *x, int32_t n) {
    float best = maximum(x, n);
    if (best == -INFINITY) return 0;
    v16 wanted = v_set1(best);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint32_t mask = v_mask_ge(v_load(x + i), wanted);
        if (mask) return i + __builtin_ctz(mask);
    }
    for (; i < n; i++)
        if (x[i] >= best) return i;
    return 0;
}

CK_FUNCTION double exponentials(const float *x, int32_t n, float max, float factor, float *weights) {
    v16 m = v_set1(max), f = v_set1(factor);
    double sum = 0;
    for (int32_t i = 0; i < n;) {
        /* Floats within 1,024 elements, doubles across: fast, and as good as doubles. */
        int32_t to = n - i < 1024 ? n : i + 1024;
        v16 part = v_zero();
        for (; i + 16 <= to; i += 16) {
            v16 weight = v_exp(v_mul(v_sub(v_load(x + i), m), f));
            if (weights) v_store(weights + i, weight);
            part = v_add(part, weight);
        }
        if (i < to) {
            /* Lanes beyond the end weigh nothing. */
            v16 last = v_keep_lanes(v_load_n(x + i, to - i), 0, to - i - 1);
            v16 weight = v_exp(v_mul(v_sub(last, m), f));
            if (weights) v_store_n(weights + i, to - i, weight);
            part = v_add(part, weight);
            i = to;
        }
        sum += v_sum_as_double(part);
    }
    return sum;
}

CK_FUNCTION void levels(
    const float *x, const float *weights, int32_t n, const float *level, int32_t *counts, double *sums) {
    v16 bound[CK_SAMPLE_LEVELS];
    for (int32_t l = 0; l < CK_SAMPLE_LEVELS; l++) {
        bound[l] = v_set1(level[l]);
        counts[l] = 0;
        sums[l] = 0;
    }
    for (int32_t i = 0; i < n;) {
        int32_t to = n - i < 1024 ? n : i + 1024;
        v16 part[CK_SAMPLE_LEVELS];
        for (int32_t l = 0; l < CK_SAMPLE_LEVELS; l++) part[l] = v_zero();
        for (; i < to; i += 16) {
            int32_t w = width(i, to);
            v16 value = v_keep_lanes(v_load_n(x + i, w), 0, w - 1), weight = v_load_n(weights + i, w);
            for (int32_t l = 0; l < CK_SAMPLE_LEVELS; l++) {
                counts[l] += __builtin_popcount(v_mask_ge(value, bound[l]));
                part[l] = v_add(part[l], v_where_ge(value, bound[l], weight));
            }
        }
        i = to;
        for (int32_t l = 0; l < CK_SAMPLE_LEVELS; l++) sums[l] += v_sum_as_double(part[l]);
    }
}

CK_FUNCTION int32_t collect(
    const float *x, const float *weights, const int32_t *ids, int32_t n, float low, float high, float *out_x,
    float *out_weights, int32_t *out_ids) {
    v16 least = v_set1(low), most = v_set1(high);
    int32_t count = 0;
    for (int32_t i = 0; i < n; i += 16) {
        int32_t w = width(i, n);
        v16 value = v_load_n(x + i, w);
        uint32_t mask = v_mask_ge(value, least) & ~v_mask_ge(value, most) & ((1u << w) - 1);
        /* In place is fine: what is written lies at or before what is read. */
#ifdef V_COMPRESS
        if (mask) {
            v16 weight = v_load_n(weights + i, w);
            v_store_chosen_ids(out_ids + count, mask, ids ? ids + i : NULL, i);
            v_store_chosen(out_x + count, mask, value);
            v_store_chosen(out_weights + count, mask, weight);
            count += __builtin_popcount(mask);
        }
#else
        for (; mask; mask &= mask - 1) {
            int32_t j = i + __builtin_ctz(mask);
            float found = x[j], weight = weights[j];
            int32_t id = ids ? ids[j] : j;
            out_x[count] = found;
            out_weights[count] = weight;
            out_ids[count] = id;
            count++;
        }
#endif
    }
    return count;
}

CK_FUNCTION int32_t top(const float *x, int32_t n, int32_t k, float *values, int32_t *ids) {
    int32_t count = 0;
    if (k <= 0) return 0;
    for (int32_t i = 0; i < n; i += 16) {
        int32_t w = width(i, n);
        uint32_t mask = (1u << w) - 1;
        /* Once k are found, only what is larger than the least of them is looked at; nearly nothing is. */
        if (count == k) mask &= v_mask_gt(v_load_n(x + i, w), v_set1(values[count - 1]));
        for (; mask; mask &= mask - 1) {
            int32_t j = i + __builtin_ctz(mask);
            if (count == k && !(x[j] > values[count - 1])) continue;
            /* A later element goes behind its equals. */
            int32_t place = count < k ? count++ : count - 1;
            for (; place > 0 && values[place - 1] < x[j]; place--) {
                values[place] = values[place - 1];
                ids[place] = ids[place - 1];
            }
            values[place] = x[j];
            ids[place] = j;
        }
    }
    return count;
}

const ck_sample_table CK_SAMPLE_TABLE = {argmax, clean, maximum, exponentials, levels, collect, top};
