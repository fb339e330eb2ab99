/* Micro-kernels and their driver, for one weight type on one path. Include once per type, after gemm_vector.h, with
 *
 *   GEMM(name)            the type's own names
 *   GEMM_DTYPE            ck_dtype of the weight
 *   GEMM_PARTS            products of one step per element: 1, or 2 where pairs of bf16 are multiplied one by one
 *   GEMM_WEIGHTS(p, i)    product i's vector of weights, from the step's bytes p
 *   GEMM_DOT(x, w, sum)   sum + x * w
 *   GEMM_VECTORS(rows)    vectors of columns beside `rows` rows
 *   GEMM_X_STRIDE(call)   bytes from row to row of x, whose steps are GEMM_PARTS floats apart
 *
 * and after expand_panel.h, which widens weights that are codes, a unit at a time: to pairs of bf16 where EXPAND_PAIRS,
 * else to float32 as side by side as the blocks read them.
 *
 * It undefines them all. Every block does the same to an element, whatever its shape: from 0, or from what the run
 * before left in `out`, one GEMM_DOT after the other; so no choice made here shows in the bits of the result. */

#define GEMM_STEP_BYTES (GEMM_DTYPE == CK_F16 ? 2 * CK_PANEL : 4 * CK_PANEL)
#define GEMM_VECTOR_BYTES (GEMM_STEP_BYTES / CK_PANEL * VECTOR_LANES)
#define GEMM_UNROLL _Pragma("clang loop unroll(full)")

/* Whether blocks of many rows take less than a panel: then their weights lie a panel's step apart, in few of the sets of
 * the first-level cache. They are widened to float32 side by side where enough blocks of rows need them. */
#define GEMM_WIDENS (GEMM_VECTORS(GEMM_BLOCK_ROWS) * VECTOR_LANES < CK_PANEL)

VECTOR_INLINE void GEMM(step)(
    const int rows, const int vectors, const bool widened, const unsigned char *x, int64_t x_stride,
    const unsigned char *w, vector sums[GEMM_BLOCK_ROWS][8]) {
    GEMM_UNROLL for (int part = 0; part < GEMM_PARTS; part++) {
        vector weights[8];
        GEMM_UNROLL for (int v = 0; v < vectors; v++) {
            weights[v] = widened ? vector_load((const float *)w + (part * vectors + v) * VECTOR_LANES)
                                 : GEMM_WEIGHTS(w + v * GEMM_VECTOR_BYTES, part);
        }
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            vector value = vector_broadcast(x + r * x_stride + part * 4);
            GEMM_UNROLL for (int v = 0; v < vectors; v++) sums[r][v] = GEMM_DOT(value, weights[v], sums[r][v]);
        }
    }
}

VECTOR_INLINE void GEMM(finish)(const gemm_block *b, const int rows, const int vectors, vector sums[GEMM_BLOCK_ROWS][8]) {
    GEMM_UNROLL for (int v = 0; v < vectors; v++) {
        int64_t first = v * VECTOR_LANES, count = b->columns - first;
        if (count <= 0) break;
        bool whole = count >= VECTOR_LANES, biased = b->last && b->bias;
        vector bias = vector_zero();
        if (biased) bias = whole ? vector_load(b->bias + first) : vector_load_some(b->bias + first, count);
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            vector sum = biased ? vector_add(sums[r][v], bias) : sums[r][v];
            float *out = b->out + r * b->ldo + first;
            if (whole) vector_store(out, sum);
            else vector_store_some(out, sum, count);
        }
    }
}

VECTOR_INLINE void GEMM(block)(const gemm_block *b, const int rows, const int vectors, const bool widened) {
    const int64_t step_bytes = widened ? GEMM_PARTS * vectors * VECTOR_LANES * 4 : GEMM_STEP_BYTES;
    vector sums[GEMM_BLOCK_ROWS][8];
    GEMM_UNROLL for (int v = 0; v < vectors; v++) {
        int64_t first = v * VECTOR_LANES, count = b->columns - first;
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            const float *out = b->out + r * b->ldo + first;
            sums[r][v] = b->first || count <= 0    ? vector_zero()
                         : count >= VECTOR_LANES   ? vector_load(out)
                                                   : vector_load_some(out, count);
        }
    }
    const unsigned char *x = b->x, *w = b->w, *ahead = b->ahead;
    int64_t x_stride = b->x_stride, lines = b->ahead_lines, steps = b->steps;
    for (; steps >= 4; steps -= 4) {
        for (int64_t i = 0; i < lines; i++, ahead += 64) _mm_prefetch((const char *)ahead, _MM_HINT_T1);
        GEMM_UNROLL for (int s = 0; s < 4; s++) {
            GEMM(step)(rows, vectors, widened, x, x_stride, w, sums);
            x += GEMM_PARTS * 4;
            w += step_bytes;
        }
    }
    for (; steps > 0; steps--) {
        GEMM(step)(rows, vectors, widened, x, x_stride, w, sums);
        x += GEMM_PARTS * 4;
        w += step_bytes;
    }
    GEMM(finish)(b, rows, vectors, sums);
}

static void GEMM(rows1)(const gemm_block *b) { GEMM(block)(b, 1, GEMM_VECTORS(1), false); }
static void GEMM(rows2)(const gemm_block *b) { GEMM(block)(b, 2, GEMM_VECTORS(2), false); }
static void GEMM(rows3)(const gemm_block *b) { GEMM(block)(b, 3, GEMM_VECTORS(3), false); }
static void GEMM(rows4)(const gemm_block *b) { GEMM(block)(b, 4, GEMM_VECTORS(4), false); }
static void GEMM(rows5)(const gemm_block *b) { GEMM(block)(b, 5, GEMM_VECTORS(5), false); }
static void GEMM(rows6)(const gemm_block *b) { GEMM(block)(b, 6, GEMM_VECTORS(6), false); }

/* All vectors of a panel for the rows of one block. */
static void GEMM(panel)(gemm_block *b, int64_t rows) {
    static void (*const kernels[])(const gemm_block *) = {
        GEMM(rows1), GEMM(rows2), GEMM(rows3), GEMM(rows4), GEMM(rows5), GEMM(rows6)};
    int64_t wide = GEMM_VECTORS(rows) * VECTOR_LANES;
    gemm_block part = *b;
    for (int64_t column = 0; column < CK_PANEL && column < b->columns; column += wide) {
        kernels[rows - 1](&part);
        part.w += wide * (GEMM_STEP_BYTES / CK_PANEL);
        part.out += wide;
        part.columns -= wide;
        if (part.bias) part.bias += wide;
        part.ahead += part.steps / 4 * part.ahead_lines * 64;
    }
    b->ahead = part.ahead;
}

/* The same for vectors that were widened side by side. */
static void GEMM(widened1)(const gemm_block *b) { GEMM(block)(b, 1, GEMM_VECTORS(1), true); }
static void GEMM(widened2)(const gemm_block *b) { GEMM(block)(b, 2, GEMM_VECTORS(2), true); }
static void GEMM(widened3)(const gemm_block *b) { GEMM(block)(b, 3, GEMM_VECTORS(3), true); }
static void GEMM(widened4)(const gemm_block *b) { GEMM(block)(b, 4, GEMM_VECTORS(4), true); }
static void GEMM(widened5)(const gemm_block *b) { GEMM(block)(b, 5, GEMM_VECTORS(5), true); }
static void GEMM(widened6)(const gemm_block *b) { GEMM(block)(b, 6, GEMM_VECTORS(6), true); }

/* Blocks of rows from which widening pays for weights that are no codes; they have 4 rows or more. And rows that a
 * widened unit meets in one go: their activations for the unit (96 KiB) stay in the second-level cache while the columns
 * of the panel pass. */
enum { GEMM(least_blocks) = 4, GEMM(most_rows) = 96 };

/* Steps of a unit that is widened, `vectors` side by side: of 16 KiB, half of a first-level cache; the other half is for
 * the rows. */
static inline int64_t GEMM(widened_steps)(int64_t vectors) {
    return EXPAND_BYTES / (vectors * VECTOR_LANES * (int64_t)sizeof(float)) / GEMM_PARTS;
}

/* Blocks of equal height as far as possible: 16 rows are 6 + 5 + 5, not 6 + 6 + 4. */
typedef struct GEMM(rows) {
    int64_t blocks, height, higher;
} GEMM(rows);

/* All vectors of a panel for one unit and all blocks of rows, the first of which `b` is at; no fetching beyond
 * `ahead_end`. */
static void GEMM(unit)(gemm_block b, const GEMM(rows) *rows, const unsigned char *ahead_end) {
    for (int64_t i = 0; i < rows->blocks; i++) {
        int64_t taken = rows->height + (i < rows->higher);
        if (b.ahead >= ahead_end) b.ahead_lines = 0;
        GEMM(panel)(&b, taken);
        b.x += taken * b.x_stride;
        b.out += taken * b.ldo;
    }
}

/* As many vectors as blocks of 4 rows or more take, from the columns that `from` begins with, side by side as float32. */
static void GEMM(widen)(const unsigned char *from, int64_t steps, float *out) {
    for (int64_t s = 0; s < steps; s++, from += GEMM_STEP_BYTES) {
        GEMM_UNROLL for (int part = 0; part < GEMM_PARTS; part++) {
            GEMM_UNROLL for (int v = 0; v < GEMM_VECTORS(GEMM_BLOCK_ROWS); v++, out += VECTOR_LANES)
                vector_store(out, GEMM_WEIGHTS(from + v * GEMM_VECTOR_BYTES, part));
        }
    }
}

_Static_assert(GEMM_VECTORS(3) == GEMM_VECTORS(4), "blocks beside each other take the same vectors");

/* As `unit`, a few vectors of columns after the other, each widened first: from `codes`, a panel whose element
 * `first` the unit begins with, or else, for blocks of 4 rows or more, from b.w. */
static void GEMM(unit_widened)(
    gemm_block b, const GEMM(rows) *rows, const unsigned char *ahead_end, const expander *codes, int64_t first) {
    static void (*const kernels[])(const gemm_block *) = {
        GEMM(widened1), GEMM(widened2), GEMM(widened3), GEMM(widened4), GEMM(widened5), GEMM(widened6)};
    const int64_t vectors = GEMM_VECTORS(rows->height + (rows->higher > 0)), wide = vectors * VECTOR_LANES;
    _Alignas(64) float weights[EXPAND_BYTES / sizeof(float)];
    for (int64_t column = 0; column < CK_PANEL && column < b.columns; column += wide) {
        if (codes) expand_floats(codes, b.w, column, wide, first, b.steps * GEMM_PARTS, weights);
        else GEMM(widen)(b.w + column * (GEMM_STEP_BYTES / CK_PANEL), b.steps, weights);
        gemm_block part = b;
        part.w = (const unsigned char *)weights;
        part.out += column;
        part.columns -= column;
        if (part.bias) part.bias += column;
        for (int64_t i = 0; i < rows->blocks; i++) {
            int64_t taken = rows->height + (i < rows->higher);
            if (part.ahead >= ahead_end) part.ahead_lines = 0;
            kernels[taken - 1](&part);
            part.ahead += part.steps / 4 * part.ahead_lines * 64;
            part.x += taken * part.x_stride;
            part.out += taken * part.ldo;
        }
        b.ahead = part.ahead;
    }
}

/* One or more rows with one or more panels. */
static void GEMM(run_rows)(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    int64_t count_of_rows = row_end - row_begin;
    const expander codes = c->coded ? expander_of(c->coded, GEMM_DTYPE) : (expander){0};
    GEMM(rows) rows = {.blocks = (count_of_rows + GEMM_BLOCK_ROWS - 1) / GEMM_BLOCK_ROWS};
    rows.height = count_of_rows / rows.blocks;
    rows.higher = count_of_rows % rows.blocks;
    int64_t passes = 0; /* over the weights of a unit, in panels */
    for (int64_t i = 0; i < rows.blocks; i++) {
        passes += CK_PANEL / VECTOR_LANES / GEMM_VECTORS(rows.height + (i < rows.higher));
    }
    const bool widens = c->coded ? !EXPAND_PAIRS : GEMM_WIDENS && rows.blocks >= GEMM(least_blocks);
    const int64_t steps = ck_gemm_steps(GEMM_DTYPE, c->k), step_elements = GEMM_DTYPE == CK_BF16 ? 2 : 1;
    const int64_t panel_bytes = c->coded ? ck_coded_panel_bytes(c->coded) : steps * GEMM_STEP_BYTES;
    int64_t unit = passes > 1 ? gemm_unit(steps) : steps;
    if (widens) unit = GEMM(widened_steps)(GEMM_VECTORS(rows.height + (rows.higher > 0)));
    else if (c->coded) unit = EXPAND_BYTES / GEMM_STEP_BYTES;
    const unsigned char *w_end = (const unsigned char *)c->w + ck_panels(c->n) * panel_bytes;
#if EXPAND_PAIRS
    _Alignas(64) unsigned char pairs[EXPAND_BYTES];
#endif
    for (int64_t panel = panel_begin; panel < panel_end; panel++) {
        const unsigned char *panel_begins = (const unsigned char *)c->w + panel * panel_bytes;
        int64_t step = 0;
        do {
            int64_t count = steps - step < unit ? steps - step : unit, first = step * step_elements;
            const unsigned char *w = c->coded ? panel_begins : panel_begins + step * GEMM_STEP_BYTES;
#if EXPAND_PAIRS
            if (c->coded) {
                expand_pairs(&codes, panel_begins, first, count * step_elements, pairs);
                w = pairs;
            }
#endif
            /* The passes share in fetching the unit that comes next, so that memory never idles while sums are taken.
             * A single pass waits for nothing but memory, which the processor streams best by itself. */
            const unsigned char *next = w + count * GEMM_STEP_BYTES, *ahead_end = next + unit * GEMM_STEP_BYTES;
            if (!c->coded && ahead_end > w_end) ahead_end = w_end;
            int64_t lines = 4 * GEMM_STEP_BYTES / 64;
            gemm_block b = {
                .x = (const unsigned char *)c->x + row_begin * GEMM_X_STRIDE(c) + step * GEMM_PARTS * 4,
                .x_stride = GEMM_X_STRIDE(c),
                .w = w,
                .steps = count,
                .ahead = next,
                .ahead_lines = passes > 1 && !c->coded ? (lines + passes - 1) / passes : 0,
                .first = step == 0,
                .last = step + count == steps,
                .out = c->out + row_begin * c->ldo + panel * CK_PANEL,
                .ldo = c->ldo,
                .bias = c->bias ? c->bias + panel * CK_PANEL : NULL,
                .columns = c->n - panel * CK_PANEL,
            };
            if (widens) GEMM(unit_widened)(b, &rows, ahead_end, c->coded ? &codes : NULL, first);
            else GEMM(unit)(b, &rows, ahead_end);
            step += count;
        } while (step < steps);
    }
}

static void GEMM(run)(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    if (row_begin >= row_end || panel_begin >= panel_end) return;
    int64_t rows = row_end - row_begin, parts = GEMM_WIDENS ? (rows + GEMM(most_rows) - 1) / GEMM(most_rows) : 1;
    for (int64_t part = 0; part < parts; part++) {
        int64_t begin = row_begin + rows * part / parts, end = row_begin + rows * (part + 1) / parts;
        GEMM(run_rows)(c, begin, end, panel_begin, panel_end);
    }
}

#undef GEMM_UNROLL
#undef GEMM_WIDENS
#undef GEMM_VECTOR_BYTES
#undef GEMM_STEP_BYTES
#undef GEMM
#undef GEMM_DTYPE
#undef GEMM_PARTS
#undef GEMM_WEIGHTS
#undef GEMM_DOT
#undef GEMM_VECTORS
#undef GEMM_X_STRIDE
