/* Carries out the tasks of an attention region: packs queries, walks splits, merges, finishes. One for all paths. */
#include "ck_attention.h"

#include <math.h>
#include <string.h>

/* A worker's scratch: [queries][states of a split][merged states][values of a tile][its keys], each 64-byte aligned. */
static size_t query_bytes(int32_t d) { return ((size_t)CK_ATTENTION_ROWS * (size_t)d * 4 + 63) / 64 * 64; }
static size_t state_bytes(int32_t d) { return (size_t)CK_ATTENTION_ROWS * (size_t)ck_attention_state_floats(d) * 4; }

size_t ck_attention_scratch_bytes(int32_t d) {
    return query_bytes(d) + 2 * state_bytes(d) + 2 * CK_TILE_TOKENS / CK_BLOCK_TOKENS * ck_kv_half_block_bytes(d, CK_F32);
}

static void clear_state(float *state, int32_t d) {
    memset(state, 0, sizeof(float) * (size_t)ck_attention_state_floats(d));
    state[0] = -INFINITY;
}

/* Normalizes one query's merged state, the sink's share included. */
static void finish(const ck_attention_call *c, const ck_attention_task *t, int32_t query, float *state) {
    int32_t d = c->kv.head_dimension;
    size_t row = (size_t)(t->first_row + query / c->group);
    size_t head = (size_t)(t->kv_head * c->group + query % c->group);
    /* Where the sink outweighs everything the sum is infinite, and the output 0 as it should be. */
    if (c->sinks) state[1] += exp2f(c->sinks[head] * (float)M_LOG2E - state[0]);
    c->kernels->finish(state, d, c->output + row * c->output_stride + head * (size_t)d);
}

static void run_task(const ck_attention_call *c, const ck_attention_task *t, unsigned char *scratch) {
    int32_t d = c->kv.head_dimension, rows = t->end - t->begin;
    size_t state = (size_t)ck_attention_state_floats(d);
    float *queries = (float *)scratch;
    float *local = (float *)(scratch + query_bytes(d));
    float *merged = (float *)(scratch + query_bytes(d) + state_bytes(d));
    int32_t first[CK_ATTENTION_ROWS], last[CK_ATTENTION_ROWS];
    for (int32_t i = 0; i < rows; i++) {
        int32_t query = t->begin + i, row = query / c->group;
        size_t head = (size_t)(t->kv_head * c->group + query % c->group);
        const float *q = c->queries + (size_t)(t->first_row + row) * c->query_stride + head * (size_t)d;
        c->kernels->pack_query(q, d, c->scale, c->kv.dtype, queries + (size_t)i * (size_t)d);
        last[i] = t->sees >= 0 ? t->sees : t->start_position + row;
        first[i] = c->window > 0 && last[i] - c->window + 1 > 0 ? last[i] - c->window + 1 : 0;
    }
    ck_attention_split s = {
        .base = c->kv.base + (size_t)t->kv_head * c->kv.head_stride,
        .page_stride = c->kv.page_stride,
        .pages = c->page_table + t->first_page,
        .page_size = c->kv.page_size,
        .head_dimension = d,
        .dtype = c->kv.dtype,
        .latent = c->kv.latent,
        .rows = rows,
        .queries = queries,
        .first = first,
        .last = last,
        .states = local,
        .cap = c->cap * (float)M_LOG2E,
        .values = scratch + query_bytes(d) + 2 * state_bytes(d),
    };
    for (int32_t i = 0; t->partial < 0 && i < rows; i++) clear_state(merged + (size_t)i * state, d);
    for (int32_t n = 0; n < t->split_count; n++) {
        /* Rows ascend, so the last one sees furthest. */
        s.begin = (t->first_split + n) * CK_SPLIT_TOKENS;
        s.end = s.begin + CK_SPLIT_TOKENS < last[rows - 1] + 1 ? s.begin + CK_SPLIT_TOKENS : last[rows - 1] + 1;
        if (t->partial >= 0) s.states = c->partials + (size_t)(t->partial + (int64_t)n * t->partial_stride) * state;
        c->kernels->split(&s);
        for (int32_t i = 0; t->partial < 0 && i < rows; i++)
            c->kernels->merge(merged + (size_t)i * state, local + (size_t)i * state, d);
    }
    for (int32_t i = 0; t->partial < 0 && i < rows; i++)
        finish(c, t, t->begin + i, merged + (size_t)i * state);
}

void ck_attention_run(const void *call, int32_t begin, int32_t end, int32_t worker) {
    const ck_attention_call *c = call;
    for (int32_t i = begin; i < end; i++) run_task(c, &c->tasks[i], c->scratch + (size_t)worker * c->scratch_stride);
}

void ck_attention_merge(const void *call, int32_t begin, int32_t end, int32_t worker) {
    const ck_attention_call *c = call;
    int32_t d = c->kv.head_dimension;
    size_t state = (size_t)ck_attention_state_floats(d);
    float *merged = (float *)(c->scratch + (size_t)worker * c->scratch_stride);
    for (int32_t i = begin; i < end; i++) {
        const ck_attention_task *t = &c->tasks[i];
        int32_t rows = t->end - t->begin;
        for (int32_t r = 0; r < rows; r++) {
            const float *partial = c->partials + ((size_t)t->partial + (size_t)r) * state;
            clear_state(merged, d);
            for (int32_t n = 0; n < t->split_count; n++)
                c->kernels->merge(merged, partial + (size_t)n * (size_t)t->partial_stride * state, d);
            finish(c, t, t->begin + r, merged);
        }
    }
}
