/* Attention over pages of keys and values.
 *
 * Pages. A page holds `page_size` tokens (a multiple of 16) of all layers and is one run of bytes, so that copying a
 * page or moving it to another tier is one copy:
 *
 *   page   = [layer][kv head][block of 16 tokens][keys, values]
 *   keys   = bf16: [d/2][16 tokens][2]    f32, f16: [d][16 tokens]     the tokens are the lanes of a vector
 *   values = bf16: [16/2][d][2 tokens]    f32, f16: [16 tokens][d]     pairs of tokens feed the dot-product instruction
 *
 * Latent pages (DeepSeek's attention) hold a token once: a block is keys alone, and a token's key is its value too.
 *
 * with d the head dimension, a multiple of 8. Pages of 8 bits:
 *
 *   keys   = [d][16 tokens] bytes      values = [16 tokens][d] bytes
 *
 * e4m3 (OCP FP8, what is larger becomes 448) as they are; i8 with [16] float32 scales behind the keys and behind the
 * values, of each token the largest magnitude over 127. They are widened to float32 a tile at a time and then attended
 * like pages of float32. What is stored is finite: infinities become the largest value and NaN
 * becomes 0, because a masked token still enters a sum with weight 0, and 0 * NaN is not 0. Slots that were never
 * written may hold anything.
 *
 * Order of sums. Tokens are visited in tiles of 64 and splits of 512, both aligned to absolute positions. Each split
 * starts from nothing (online softmax over its tiles, in order), and the splits of a row are merged in order. A masked
 * token and a skipped tile add exactly nothing. So the bits of a row depend neither on the rows beside it, nor on the
 * chunk it came in, nor on who computed which split. */
#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include "ck_pool.h"
#include "ck_types.h"

enum {
    CK_BLOCK_TOKENS = 16,
    CK_TILE_TOKENS = 64,
    CK_SPLIT_TOKENS = 512,
    /* Most queries of one task: rows times heads of one group. */
    CK_ATTENTION_ROWS = 48,
};

/* One layer of all pages. */
typedef struct ck_kv_layer {
    unsigned char *base;      /* this layer's bytes of page 0 */
    size_t page_stride;       /* bytes from page to page */
    size_t head_stride;       /* bytes from kv head to kv head */
    int32_t page_size;
    int32_t head_dimension;
    ck_dtype dtype;
    bool latent;
} ck_kv_layer;

static inline size_t ck_dtype_bytes(ck_dtype dtype) {
    return dtype == CK_F32 ? 4 : dtype == CK_I8 || dtype == CK_E4M3 ? 1 : 2;
}

/* Keys of 16 tokens, or values of 16 tokens. */
static inline size_t ck_kv_half_block_bytes(int32_t head_dimension, ck_dtype dtype) {
    size_t token = (size_t)head_dimension * ck_dtype_bytes(dtype) + (dtype == CK_I8 ? sizeof(float) : 0);
    return CK_BLOCK_TOKENS * token;
}

/* Pages that are widened before they are attended. */
static inline bool ck_kv_is_narrow(ck_dtype dtype) { return dtype == CK_I8 || dtype == CK_E4M3; }

/* Online softmax state of one query: [maximum, sum, 14 unused][unnormalized output, padded to 16]. */
static inline int32_t ck_attention_state_floats(int32_t head_dimension) { return 16 + (head_dimension + 15) / 16 * 16; }

/* `rows` queries over the tokens begin ..< end of one sequence, all within one split. */
typedef struct ck_attention_split {
    const unsigned char *base;    /* one kv head of page 0 */
    size_t page_stride;
    const int32_t *pages;         /* of this sequence; pages[0] holds position 0 */
    int32_t page_size;
    int32_t head_dimension;
    ck_dtype dtype;
    bool latent;                  /* keys are values */
    int32_t begin, end;
    int32_t rows;
    const float *queries;         /* packed, 4 * d bytes apart */
    const int32_t *first, *last;  /* positions a query sees: first ... last */
    float *states;                /* written, ck_attention_state_floats apart, 64-byte aligned */
    float cap;                    /* in powers of 2; 0: none. A score s counts as cap * tanh(s / cap) */
    unsigned char *values;        /* scratch: values of a tile in float32, and keys of a tile behind them */
} ck_attention_split;

typedef struct ck_attention_table {
    /* Scales a query (by scale * log2 e: scores are powers of 2) and rounds it to what `split` reads. */
    void (*pack_query)(const float *query, int32_t head_dimension, float scale, ck_dtype dtype, float *packed);
    void (*split)(const ck_attention_split *split);
    /* Merges a later split into the state of the earlier ones. */
    void (*merge)(float *state, const float *split, int32_t head_dimension);
    /* Normalizes; a query that saw nothing gives zeros. */
    void (*finish)(const float *state, int32_t head_dimension, float *output);
} ck_attention_table;

extern const ck_attention_table ck_attention_plain, ck_attention_avx2, ck_attention_avx512, ck_attention_avx512bf16;

/* Queries begin ..< end of one sequence and one kv head, over some of their splits. Query i of a sequence belongs to
 * its row i / group and to the head i % group of the group.
 *
 * Splits that several sequences have in common (the same pages at the same places) may be one task for all of them, if
 * their rows lie one after the other: then first_row is the first one's, first_page any one's, and `sees` no less than
 * the splits' last position. */
typedef struct ck_attention_task {
    int32_t kv_head;
    int32_t first_row;            /* the sequence's first row in the batch */
    int32_t start_position;       /* of that row */
    int32_t first_page;           /* of the sequence, in the page table */
    int32_t begin, end;
    int32_t first_split, split_count;
    /* Last position that every query sees (encoders, shared splits); -1: each sees up to its own. */
    int32_t sees;
    /* States from one split to the next in `partials`. */
    int32_t partial_stride;
    /* State of the first query and split in `partials` ([split][query]); -1: the task finishes its rows. */
    int64_t partial;
} ck_attention_task;

typedef struct ck_attention_call {
    const ck_attention_table *kernels;
    ck_kv_layer kv;
    const float *queries;         /* row r, head h: queries + r * query_stride + h * d */
    size_t query_stride;          /* floats */
    float *output;
    size_t output_stride;
    int32_t group;                /* heads per kv head */
    int32_t window;               /* 0: none */
    float scale;
    float cap;                    /* of scores, after scaling; 0: none */
    const float *sinks;           /* [heads] or NULL: a score of each head that takes its share and gives nothing */
    const int32_t *page_table;
    const ck_attention_task *tasks;
    float *partials;
    unsigned char *scratch;       /* per worker, scratch_stride apart, 64-byte aligned */
    size_t scratch_stride;        /* at least ck_attention_scratch_bytes */
} ck_attention_call;

size_t ck_attention_scratch_bytes(int32_t head_dimension);

/* Region over tasks. */
void ck_attention_run(const void *call, int32_t begin, int32_t end, int32_t worker);
/* Region over tasks that cover all splits of their queries, whose states other tasks have left in `partials`. */
void ck_attention_merge(const void *call, int32_t begin, int32_t end, int32_t worker);

#endif
