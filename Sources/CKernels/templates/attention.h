/* Attention over v16 (contract and order of sums: ck_attention.h). Include a vector_*.h first; define
 * CK_ATTENTION_TABLE, the name of the table, and where there are dot products of bfloat16 pairs, CK_DOT and v_dot.
 *
 * Up to six queries go through a tile together, so that a vector of keys or values is loaded once for all of them; the
 * tile's two small products are register blocks of 6 rows x V_TILE vectors. A query's own sums do not depend on how
 * many go beside it: every sum has its own register. */
#include <math.h>
#include <string.h>

#include "../half_floats.h"
#include "ck_attention.h"
#include "kv_store.h"
#include "vector_math.h"

#define CK_FUNCTION static __attribute__((target(CK_TARGET)))

enum { GROUP = 6, TILE_BLOCKS = CK_TILE_TOKENS / CK_BLOCK_TOKENS };

/* How keys and values are read; always a constant. */
enum flavor { READ_F32, READ_F16, READ_BF16, DOT_BF16 };

/* A group of queries in one tile. Scores and weights: [GROUP][64] floats, or bfloat16 in the first half of a row. */
typedef struct tile {
    int32_t d, blocks;
    const unsigned char *keys[TILE_BLOCKS], *values[TILE_BLOCKS];
    const float *queries[GROUP];
    float *outputs[GROUP];
    float *scores, *weights;
    const float *corrections;
    /* Blocks of the next tile: in each step whose number is `turn` in the bits of `turns`, what lies there is fetched.
     * The groups of a tile take turns, so that memory and arithmetic keep pace. Into the second-level cache: the first
     * waits for a few lines at a time only. */
    const unsigned char *next_keys[TILE_BLOCKS], *next_values[TILE_BLOCKS];
    int32_t turn, turns;
} tile;

CK_INLINE v16 load_values(const enum flavor flavor, const bool half, const unsigned char *p) {
    if (flavor == READ_F32) return half ? v_load_n((const float *)p, 8) : v_load((const float *)p);
    return half ? v_load_f16_8((const uint16_t *)p) : v_load_f16((const uint16_t *)p);
}

/* Scores of nr queries and nb blocks from `block` on. */
CK_INLINE void score(const enum flavor flavor, const int nr, const int nb, const tile *t, int32_t block) {
    v16 sum[GROUP][V_TILE];
    _Pragma("clang loop unroll(full)") for (int r = 0; r < nr; r++)
        _Pragma("clang loop unroll(full)") for (int b = 0; b < nb; b++) sum[r][b] = v_zero();
    const unsigned char *const *keys = t->keys + block;
    const int step = flavor == READ_BF16 || flavor == DOT_BF16 ? 2 : 1;
    const unsigned char *const *next = t->next_keys + block;
    const size_t key_bytes = flavor == READ_F32 ? 64 : 32;
    for (int32_t i = 0; i < t->d; i += step) {
        v16 first[V_TILE], second[V_TILE];
        if ((i / step & t->turns) == t->turn)
            for (int b = 0; b < nb; b++) __builtin_prefetch(next[b] + (size_t)i * key_bytes, 0, 2);
        _Pragma("clang loop unroll(full)") for (int b = 0; b < nb; b++) {
            if (flavor == READ_F32) {
                first[b] = v_load((const float *)keys[b] + i * 16);
            } else if (flavor == READ_F16) {
                first[b] = v_load_f16((const uint16_t *)keys[b] + i * 16);
            } else if (flavor == READ_BF16) {
                first[b] = v_load_bf16_first((const uint16_t *)keys[b] + i * 16);
                second[b] = v_load_bf16_second((const uint16_t *)keys[b] + i * 16);
            } else {
                first[b] = v_load((const float *)keys[b] + i / 2 * 16);
            }
        }
        _Pragma("clang loop unroll(full)") for (int r = 0; r < nr; r++) {
            if (flavor == DOT_BF16) {
#ifdef CK_DOT
                v16 q = v_set1(t->queries[r][i / 2]);
                _Pragma("clang loop unroll(full)") for (int b = 0; b < nb; b++)
                    sum[r][b] = v_dot(sum[r][b], q, first[b]);
#endif
            } else {
                v16 q = v_set1(t->queries[r][i]);
                _Pragma("clang loop unroll(full)") for (int b = 0; b < nb; b++)
                    sum[r][b] = v_fma(q, first[b], sum[r][b]);
                if (flavor == READ_BF16) {
                    q = v_set1(t->queries[r][i + 1]);
                    _Pragma("clang loop unroll(full)") for (int b = 0; b < nb; b++)
                        sum[r][b] = v_fma(q, second[b], sum[r][b]);
                }
            }
        }
    }
    _Pragma("clang loop unroll(full)") for (int r = 0; r < nr; r++)
        _Pragma("clang loop unroll(full)") for (int b = 0; b < nb; b++)
            v_store(t->scores + r * CK_TILE_TOKENS + (block + b) * 16, sum[r][b]);
}

/* outputs = outputs * correction + weights x values, for nr queries and nc vectors of dimensions from `column` on;
 * `half`: the last vector of a head dimension that is not a multiple of 16. */
CK_INLINE void accumulate(
    const enum flavor flavor, const int nr, const int nc, const bool half, const tile *t, int32_t column) {
    v16 sum[GROUP][V_TILE];
    _Pragma("clang loop unroll(full)") for (int r = 0; r < nr; r++) {
        v16 correction = v_set1(t->corrections[r]);
        _Pragma("clang loop unroll(full)") for (int c = 0; c < nc; c++)
            sum[r][c] = v_mul(v_load(t->outputs[r] + column + 16 * c), correction);
    }
    const int step = flavor == READ_BF16 || flavor == DOT_BF16 ? 2 : 1;
    const size_t value_bytes = flavor == READ_F32 ? 4 : 2;
    for (int32_t block = 0; block < t->blocks; block++) {
        for (int32_t token = 0; token < CK_BLOCK_TOKENS; token += step) {
            v16 first[V_TILE], second[V_TILE];
            size_t at = (size_t)token * (size_t)t->d + (size_t)column * (size_t)step;
            if ((token / step & t->turns) == t->turn)
                for (int c = 0; c < nc; c++)
                    __builtin_prefetch(t->next_values[block] + value_bytes * (at + 16 * (size_t)(c * step)), 0, 2);
            _Pragma("clang loop unroll(full)") for (int c = 0; c < nc; c++) {
                if (flavor == READ_F32) {
                    first[c] = load_values(flavor, half, t->values[block] + 4 * (at + 16 * (size_t)c));
                } else if (flavor == READ_F16) {
                    first[c] = load_values(flavor, half, t->values[block] + 2 * (at + 16 * (size_t)c));
                } else {
                    const uint16_t *p = (const uint16_t *)t->values[block] + at + 32 * (size_t)c;
                    if (flavor == READ_BF16) {
                        first[c] = half ? v_load_bf16_first_8(p) : v_load_bf16_first(p);
                        second[c] = half ? v_load_bf16_second_8(p) : v_load_bf16_second(p);
                    } else {
                        first[c] = half ? v_load_n((const float *)p, 8) : v_load((const float *)p);
                    }
                }
            }
            const float *weights = t->weights + block * 16;
            _Pragma("clang loop unroll(full)") for (int r = 0; r < nr; r++) {
                if (flavor == DOT_BF16) {
#ifdef CK_DOT
                    v16 w = v_set1(t->weights[r * CK_TILE_TOKENS + (block * 16 + token) / 2]);
                    _Pragma("clang loop unroll(full)") for (int c = 0; c < nc; c++)
                        sum[r][c] = v_dot(sum[r][c], w, first[c]);
#endif
                } else {
                    v16 w = v_set1(weights[r * CK_TILE_TOKENS + token]);
                    _Pragma("clang loop unroll(full)") for (int c = 0; c < nc; c++)
                        sum[r][c] = v_fma(w, first[c], sum[r][c]);
                    if (flavor == READ_BF16) {
                        w = v_set1(weights[r * CK_TILE_TOKENS + token + 1]);
                        _Pragma("clang loop unroll(full)") for (int c = 0; c < nc; c++)
                            sum[r][c] = v_fma(w, second[c], sum[r][c]);
                    }
                }
            }
        }
    }
    _Pragma("clang loop unroll(full)") for (int r = 0; r < nr; r++)
        _Pragma("clang loop unroll(full)") for (int c = 0; c < nc; c++)
            v_store(t->outputs[r] + column + 16 * c, sum[r][c]);
}

/* The two products with constant block sizes. */
#define CK_EACH_ROWS(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)

CK_INLINE void score_tile(const enum flavor flavor, int nr, const tile *t) {
    int32_t block = 0;
    for (; block + V_TILE <= t->blocks; block += V_TILE) {
        switch (nr) {
#define CASE(n) case n: score(flavor, n, V_TILE, t, block); break;
            CK_EACH_ROWS(CASE)
#undef CASE
        }
    }
    for (; V_TILE > 1 && block < t->blocks; block++) {
        switch (nr) {
#define CASE(n) case n: score(flavor, n, 1, t, block); break;
            CK_EACH_ROWS(CASE)
#undef CASE
        }
    }
}

CK_INLINE void accumulate_tile(const enum flavor flavor, int nr, const tile *t) {
    int32_t column = 0;
    for (; column + 16 * V_TILE <= t->d; column += 16 * V_TILE) {
        switch (nr) {
#define CASE(n) case n: accumulate(flavor, n, V_TILE, false, t, column); break;
            CK_EACH_ROWS(CASE)
#undef CASE
        }
    }
    for (; V_TILE > 1 && column + 16 <= t->d; column += 16) {
        switch (nr) {
#define CASE(n) case n: accumulate(flavor, n, 1, false, t, column); break;
            CK_EACH_ROWS(CASE)
#undef CASE
        }
    }
    if (column < t->d) {
        switch (nr) {
#define CASE(n) case n: accumulate(flavor, n, 1, true, t, column); break;
            CK_EACH_ROWS(CASE)
#undef CASE
        }
    }
}

/* Scores to weights: masks, moves the maxima on, and keeps sixteen partial sums for each query. */
CK_INLINE void softmax_tile(
    const enum flavor flavor, int nr, const tile *t, const int32_t *first, const int32_t *last, int32_t begin,
    float cap, bool masked, float *maxima, float *sums, float *corrections) {
    (void)flavor;
    float previous[16] = {0}, highest[16] = {0};
    for (int r = 0; r < nr; r++) {
        float *scores = t->scores + r * CK_TILE_TOKENS;
        v16 most = v_set1(-INFINITY);
        for (int32_t b = 0; b < t->blocks; b++) {
            v16 s = v_load(scores + b * 16);
            if (cap > 0) {
                s = v_mul(v_set1(cap), v_tanh(v_div(s, v_set1(cap))));
                v_store(scores + b * 16, s);
            }
            if (masked) {
                int32_t origin = begin + b * 16;
                s = v_keep_lanes(s, first[r] - origin, last[r] - origin);
                v_store(scores + b * 16, s);
            }
            most = v_max(s, most);
        }
        previous[r] = maxima[r];
        highest[r] = v_reduce_max(most);
    }
    v16 before = v_load(previous), now = v_max(before, v_load(highest));
    float now_of[16], subtrahend[16];
    v_store(now_of, now);
    /* A query that has seen nothing yet: -infinity minus a number is -infinity, and weighs 0. */
    now = v_max(now, v_set1(-CK_F32_MAX));
    v_store(subtrahend, now);
    v_store(corrections, v_exp2(v_sub(before, now)));
    for (int r = 0; r < nr; r++) {
        const float *scores = t->scores + r * CK_TILE_TOKENS;
        v16 most = v_set1(subtrahend[r]), sum = v_zero();
        for (int32_t b = 0; b < t->blocks; b++) {
            v16 weight = v_exp2(v_sub(v_load(scores + b * 16), most));
            sum = v_add(sum, weight);
#ifdef CK_DOT
            if (flavor == DOT_BF16)
                v_store_bf16((uint16_t *)(t->weights + r * CK_TILE_TOKENS) + b * 16, weight);
            else
#endif
                v_store(t->weights + r * CK_TILE_TOKENS + b * 16, weight);
        }
        v_store(sums + 16 * r, v_fma(v_load(sums + 16 * r), v_set1(corrections[r]), sum));
        maxima[r] = now_of[r];
    }
}

/* Fills in the addresses of a tile's blocks. */
CK_INLINE void locate(const ck_attention_split *s, int32_t begin, int32_t blocks, tile *t) {
    size_t half = ck_kv_half_block_bytes(s->head_dimension, s->dtype);
    for (int32_t b = 0; b < blocks; b++) {
        int32_t position = begin + b * CK_BLOCK_TOKENS, slot = position % s->page_size;
        t->keys[b] = s->base + (size_t)s->pages[position / s->page_size] * s->page_stride
            + (size_t)(slot / CK_BLOCK_TOKENS) * (s->latent ? half : 2 * half);
        t->values[b] = t->keys[b] + (s->latent ? 0 : half);
    }
}

/* Values of a block whose slots from `valid` on may hold anything: a copy with zeros there. */
CK_INLINE const unsigned char *values_of_part(const ck_attention_split *s, const unsigned char *values, int32_t valid) {
    int32_t d = s->head_dimension;
    size_t token = (size_t)d * ck_dtype_bytes(s->dtype);
    if (s->dtype == CK_BF16) {
        memcpy(s->values, values, (size_t)((valid + 1) / 2) * 2 * token);
        uint16_t *pairs = (uint16_t *)s->values + (size_t)(valid / 2) * 2 * (size_t)d;
        for (int32_t i = 0; valid % 2 && i < d; i++) pairs[2 * i + 1] = 0;
        valid = (valid + 1) / 2 * 2;
    } else {
        memcpy(s->values, values, (size_t)valid * token);
    }
    memset(s->values + (size_t)valid * token, 0, (size_t)(CK_BLOCK_TOKENS - valid) * token);
    return s->values;
}

/* A block of 8 bits as float32, the layout the same; slots from `valid` on become zeros. */
CK_INLINE void widen_keys(ck_dtype dtype, const unsigned char *keys, int32_t d, int32_t valid, float *wide) {
    float ones[CK_BLOCK_TOKENS];
    for (int32_t t = 0; t < CK_BLOCK_TOKENS; t++) ones[t] = 1;
    v16 scale = v_load(dtype == CK_I8 ? (const float *)(keys + CK_BLOCK_TOKENS * d) : ones);
    for (int32_t i = 0; i < d; i++, keys += CK_BLOCK_TOKENS, wide += CK_BLOCK_TOKENS) {
        v_store(wide, dtype == CK_I8 ? v_mul(v_load_i8(keys), scale) : v_load_e4m3(keys));
        for (int32_t t = valid; t < CK_BLOCK_TOKENS; t++) wide[t] = 0;
    }
}

CK_INLINE void widen_values(ck_dtype dtype, const unsigned char *values, int32_t d, int32_t valid, float *wide) {
    const float *scales = (const float *)(values + CK_BLOCK_TOKENS * d);
    for (int32_t t = 0; t < valid; t++) {
        v16 scale = v_set1(dtype == CK_I8 ? scales[t] : 1);
        /* Behind the last eight of a head dimension that is no multiple of 16 there may be nothing: a copy. */
        for (int32_t i = 0; i < d; i += 16) {
            const unsigned char *p = values + t * d + i;
            unsigned char rest[16] = {0};
            if (d - i < 16) memcpy(rest, p, (size_t)(d - i));
            const unsigned char *from = d - i < 16 ? rest : p;
            v16 x = dtype == CK_I8 ? v_mul(v_load_i8(from), scale) : v_load_e4m3(from);
            v_store_n(wide + t * d + i, d - i < 16 ? d - i : 16, x);
        }
    }
    memset(wide + valid * d, 0, sizeof(float) * (size_t)((CK_BLOCK_TOKENS - valid) * d));
}

/* The blocks of a tile of 8 bits, widened into the scratch. */
CK_INLINE void widen_tile(const ck_attention_split *s, int32_t tokens, int32_t blocks, tile *t) {
    int32_t d = s->head_dimension;
    size_t half = ck_kv_half_block_bytes(d, CK_F32);
    for (int32_t b = 0; b < blocks; b++) {
        int32_t valid = tokens - b * CK_BLOCK_TOKENS;
        if (valid > CK_BLOCK_TOKENS) valid = CK_BLOCK_TOKENS;
        unsigned char *values = s->values + (size_t)b * half, *keys = values + TILE_BLOCKS * half;
        widen_keys(s->dtype, t->keys[b], d, valid, (float *)keys);
        if (s->latent) ck_kv_turn_block(keys, d, CK_F32, valid, values);
        else widen_values(s->dtype, t->values[b], d, valid, (float *)values);
        t->keys[b] = keys;
        t->values[b] = values;
    }
}

CK_INLINE void attend(const enum flavor flavor, const ck_attention_split *s) {
    _Alignas(64) float scores[GROUP * CK_TILE_TOKENS], weights[GROUP * CK_TILE_TOKENS];
    _Alignas(64) float sums[CK_ATTENTION_ROWS * 16], maxima[CK_ATTENTION_ROWS], corrections[16];
    int32_t d = s->head_dimension, stride = ck_attention_state_floats(d);
    int32_t low = s->first[0], high = s->last[0];
    for (int32_t r = 0; r < s->rows; r++) {
        memset(s->states + (size_t)r * (size_t)stride, 0, sizeof(float) * (size_t)stride);
        maxima[r] = -INFINITY;
        v_store(sums + 16 * r, v_zero());
        low = s->first[r] < low ? s->first[r] : low;
        high = s->last[r] > high ? s->last[r] : high;
    }
    int32_t end = high + 1 < s->end ? high + 1 : s->end;
    int32_t begin = low > s->begin ? low / CK_TILE_TOKENS * CK_TILE_TOKENS : s->begin;
    int32_t groups = (s->rows + GROUP - 1) / GROUP;

    tile t = {.d = d, .scores = scores, .weights = weights, .corrections = corrections}, next = t;
    /* A power of 2, less 1. */
    t.turns = groups >= 4 ? 3 : groups >= 2 ? 1 : 0;
    for (; begin < end; begin += CK_TILE_TOKENS) {
        int32_t tokens = end - begin < CK_TILE_TOKENS ? end - begin : CK_TILE_TOKENS;
        int32_t blocks = (tokens + CK_BLOCK_TOKENS - 1) / CK_BLOCK_TOKENS;
        locate(s, begin, blocks, &t);
        /* The next tile may be the next split's. Blocks that do not exist are fetched from here, where they are already. */
        int32_t after = high + 1 - begin - CK_TILE_TOKENS;
        int32_t ahead = after <= 0 ? 0 : (after + CK_BLOCK_TOKENS - 1) / CK_BLOCK_TOKENS;
        if (ahead > TILE_BLOCKS) ahead = TILE_BLOCKS;
        locate(s, begin + CK_TILE_TOKENS, ahead, &next);
        for (int32_t b = 0; b < TILE_BLOCKS; b++) {
            t.next_keys[b] = b < ahead ? next.keys[b] : t.keys[0];
            t.next_values[b] = b < ahead ? next.values[b] : t.values[0];
        }
        if (flavor == READ_F32 && ck_kv_is_narrow(s->dtype)) {
            widen_tile(s, tokens, blocks, &t);
            /* What is read next is read while it is widened, in order: the processor fetches that by itself. */
            for (int32_t b = 0; b < TILE_BLOCKS; b++) t.next_keys[b] = t.next_values[b] = s->values;
        } else if (s->latent) {
            size_t half = ck_kv_half_block_bytes(d, s->dtype);
            for (int32_t b = 0; b < blocks; b++) {
                int32_t valid = tokens - b * CK_BLOCK_TOKENS < CK_BLOCK_TOKENS ? tokens - b * CK_BLOCK_TOKENS : CK_BLOCK_TOKENS;
                t.values[b] = s->values + (size_t)b * half;
                ck_kv_turn_block(t.keys[b], d, s->dtype, valid, s->values + (size_t)b * half);
            }
        } else if (tokens % CK_BLOCK_TOKENS)
            t.values[blocks - 1] = values_of_part(s, t.values[blocks - 1], tokens % CK_BLOCK_TOKENS);
        for (int32_t g = 0; g < groups; g++) {
            int32_t row = s->rows * g / groups, nr = s->rows * (g + 1) / groups - row;
            const int32_t *first = s->first + row, *last = s->last + row;
            /* Rows ascend, and with them first and last. */
            if (last[nr - 1] < begin || first[0] >= begin + tokens) continue;
            int32_t seen = last[nr - 1] - begin + 1 < tokens ? last[nr - 1] - begin + 1 : tokens;
            t.blocks = (seen + CK_BLOCK_TOKENS - 1) / CK_BLOCK_TOKENS;
            bool masked = last[0] < begin + t.blocks * CK_BLOCK_TOKENS - 1 || first[nr - 1] > begin;
            for (int32_t r = 0; r < nr; r++) {
                t.queries[r] = s->queries + (size_t)(row + r) * (size_t)d;
                t.outputs[r] = s->states + (size_t)(row + r) * (size_t)stride + 16;
            }
            t.turn = g;
            score_tile(flavor, nr, &t);
            softmax_tile(
                flavor, nr, &t, first, last, begin, s->cap, masked, maxima + row, sums + 16 * row, corrections);
            accumulate_tile(flavor, nr, &t);
        }
    }
    for (int32_t r = 0; r < s->rows; r++) {
        float *state = s->states + (size_t)r * (size_t)stride;
        state[0] = maxima[r];
        state[1] = v_reduce_add(v_load(sums + 16 * r));
    }
}

#ifdef CK_DOT
CK_FUNCTION void attend_bf16(const ck_attention_split *s) { attend(DOT_BF16, s); }
#else
CK_FUNCTION void attend_f32(const ck_attention_split *s) { attend(READ_F32, s); }
CK_FUNCTION void attend_f16(const ck_attention_split *s) { attend(READ_F16, s); }
CK_FUNCTION void attend_bf16(const ck_attention_split *s) { attend(READ_BF16, s); }
#endif

CK_FUNCTION void merge(float *state, const float *later, int32_t d) {
    float maxima[16] = {state[0], later[0]}, factors[16];
    float most = state[0] > later[0] ? state[0] : later[0];
    state[0] = most;
    v_store(factors, v_exp2(v_sub(v_load(maxima), v_max(v_set1(most), v_set1(-CK_F32_MAX)))));
    v16 a = v_set1(factors[0]), b = v_set1(factors[1]);
    state[1] = state[1] * factors[0] + later[1] * factors[1];
    for (int32_t i = 16; i < 16 + d; i += 16)
        v_store(state + i, v_fma(v_load(later + i), b, v_mul(v_load(state + i), a)));
}

CK_FUNCTION void finish(const float *state, int32_t d, float *output) {
    /* No mass at all: no score was a number. */
    v16 inverse = v_set1(state[1] > 0 ? 1 / state[1] : NAN);
    for (int32_t i = 0; i < d; i += 16) {
        /* Adding 0 makes -0 (an underflow) and 0 (the same with more masked tokens) one. */
        v16 x = v_add(v_mul(v_load(state + 16 + i), inverse), v_zero());
        v_store_n(output + i, d - i < 16 ? d - i : 16, x);
    }
}
