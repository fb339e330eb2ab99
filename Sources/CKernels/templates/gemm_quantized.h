/* Micro-kernels and their driver for quantized weights, on one path. Include once per type, after gemm_vector.h and
 * quantize_rows.h, with
 *
 *   GEMM(name)                the type's own names
 *   GEMM_DTYPE                CK_I8 or CK_I4
 *   GEMM_VECTORS(rows)        vectors of columns beside `rows` rows
 *   integers, integers_load(p), integers_store(p, v), integers_set1(x), integers_to_float(v)     VECTOR_LANES of 32 bits
 *   GEMM_DOT(sum, w, x)       sum + the products of four bytes
 *   GEMM_WEIGHTS(w)           i8: w of GEMM_DOT, from what is stored
 *   GEMM_OFFSET(header)       i8: what a sum begins with, so that it ends as the sum of the true products
 *   GEMM_FIRST(offset)        i4: what the sum of a group begins with, whose offset makes up for w being unsigned
 *   GEMM_TOTAL(offset, sum)   i4: the sum of the true products, from what GEMM_DOT made of it
 *   integers_low(w), integers_high(w)   halves of the bytes of i4
 *
 * It undefines what begins with GEMM. Sums are exact, so that nothing but the last steps rounds (see ck_gemm.h). */

#define GEMM_UNROLL _Pragma("clang loop unroll(full)")
#define GEMM_QUAD_BYTES (4 * VECTOR_LANES)

/* Four bytes of a row, beside each other as often as there are lanes. */
VECTOR_INLINE integers GEMM(quad)(const unsigned char *x) {
    int32_t four;
    memcpy(&four, x, 4);
    return integers_set1(four);
}

VECTOR_INLINE const ck_quantized_row *GEMM(header)(const gemm_block *b, int64_t r) {
    return (const ck_quantized_row *)(b->rows + r * b->x_stride);
}

VECTOR_INLINE void GEMM(step)(
    const gemm_block *b, const int rows, const int vectors, int64_t step, const unsigned char *w,
    vector sums[GEMM_BLOCK_ROWS][8]) {
    const unsigned char *bytes = b->rows + sizeof(ck_quantized_row);
    if (GEMM_DTYPE == CK_I8) {
        integers weights[8];
        GEMM_UNROLL for (int v = 0; v < vectors; v++) weights[v] = GEMM_WEIGHTS(integers_load(w + v * GEMM_QUAD_BYTES));
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            integers x = GEMM(quad)(bytes + r * b->x_stride + step * 4);
            GEMM_UNROLL for (int v = 0; v < vectors; v++)
                sums[r][v] = (vector)GEMM_DOT((integers)sums[r][v], weights[v], x);
        }
        return;
    }
    integers dots[GEMM_BLOCK_ROWS][8];
    const unsigned char *offsets = bytes + b->row_bytes + step * 4;
    GEMM_UNROLL for (int r = 0; r < rows; r++) {
        integers first = GEMM_FIRST(GEMM(quad)(offsets + r * b->x_stride));
        GEMM_UNROLL for (int v = 0; v < vectors; v++) dots[r][v] = first;
    }
    const unsigned char *halves = w + (CK_PANEL - b->lane) * 2 + b->lane * 4;
    GEMM_UNROLL for (int j = 0; j < CK_GROUP / 8; j++) {
        integers low[8], high[8];
        GEMM_UNROLL for (int v = 0; v < vectors; v++) {
            integers both = integers_load(halves + j * 4 * CK_PANEL + v * GEMM_QUAD_BYTES);
            low[v] = integers_low(both);
            high[v] = integers_high(both);
        }
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            const unsigned char *x = bytes + r * b->x_stride + step * CK_GROUP + j * 8;
            integers first = GEMM(quad)(x), second = GEMM(quad)(x + 4);
            GEMM_UNROLL for (int v = 0; v < vectors; v++) {
                dots[r][v] = GEMM_DOT(dots[r][v], low[v], first);
                dots[r][v] = GEMM_DOT(dots[r][v], high[v], second);
            }
        }
    }
    GEMM_UNROLL for (int v = 0; v < vectors; v++) {
        vector scale = vector_from_f16(w + v * VECTOR_LANES * 2);
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            integers total = GEMM_TOTAL(GEMM(quad)(offsets + r * b->x_stride), dots[r][v]);
            sums[r][v] = vector_fma(integers_to_float(total), scale, sums[r][v]);
        }
    }
}

VECTOR_INLINE void GEMM(finish)(const gemm_block *b, const int rows, const int vectors, vector sums[GEMM_BLOCK_ROWS][8]) {
    GEMM_UNROLL for (int v = 0; v < vectors; v++) {
        int64_t first = v * VECTOR_LANES, count = b->columns - first;
        if (count <= 0) break;
        bool whole = count >= VECTOR_LANES;
        vector bias = vector_zero(), scale = vector_zero();
        if (b->last && b->bias) bias = whole ? vector_load(b->bias + first) : vector_load_some(b->bias + first, count);
        if (GEMM_DTYPE == CK_I8 && b->last) scale = vector_load(b->scales + first);
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            vector sum = sums[r][v];
            if (b->last) {
                if (GEMM_DTYPE == CK_I8) sum = vector_mul(integers_to_float((integers)sum), scale);
                sum = vector_mul(sum, vector_broadcast(&GEMM(header)(b, r)->scale));
                if (b->bias) sum = vector_add(sum, bias);
            }
            float *out = b->out + r * b->ldo + first;
            if (whole) vector_store(out, sum);
            else vector_store_some(out, sum, count);
        }
    }
}

VECTOR_INLINE void GEMM(block)(const gemm_block *b, const int rows, const int vectors) {
    vector sums[GEMM_BLOCK_ROWS][8];
    GEMM_UNROLL for (int v = 0; v < vectors; v++) {
        int64_t first = v * VECTOR_LANES, count = b->columns - first;
        GEMM_UNROLL for (int r = 0; r < rows; r++) {
            const float *out = b->out + r * b->ldo + first;
            if (b->first && GEMM_DTYPE == CK_I8) sums[r][v] = (vector)integers_set1(GEMM_OFFSET(GEMM(header)(b, r)));
            else if (b->first || count <= 0) sums[r][v] = vector_zero();
            else sums[r][v] = count >= VECTOR_LANES ? vector_load(out) : vector_load_some(out, count);
        }
    }
    const int64_t step_bytes = ck_gemm_step_bytes(GEMM_DTYPE), unroll = GEMM_DTYPE == CK_I8 ? 4 : 1;
    const unsigned char *w = b->w, *ahead = b->ahead;
    int64_t step = b->step, end = b->step + b->steps, lines = b->ahead_lines;
    for (; step + unroll <= end; step += unroll) {
        for (int64_t i = 0; i < lines; i++, ahead += 64) _mm_prefetch((const char *)ahead, _MM_HINT_T1);
        GEMM_UNROLL for (int64_t s = 0; s < unroll; s++) {
            GEMM(step)(b, rows, vectors, step + s, w + s * step_bytes, sums);
            /* Loads of later steps stay where they are: hoisted, they would push sums out of the registers. */
            __asm__ volatile("" : : : "memory");
        }
        w += unroll * step_bytes;
    }
    for (; step < end; step++, w += step_bytes) GEMM(step)(b, rows, vectors, step, w, sums);
    GEMM(finish)(b, rows, vectors, sums);
}

static void GEMM(rows1)(const gemm_block *b) { GEMM(block)(b, 1, GEMM_VECTORS(1)); }
static void GEMM(rows2)(const gemm_block *b) { GEMM(block)(b, 2, GEMM_VECTORS(2)); }
static void GEMM(rows3)(const gemm_block *b) { GEMM(block)(b, 3, GEMM_VECTORS(3)); }
static void GEMM(rows4)(const gemm_block *b) { GEMM(block)(b, 4, GEMM_VECTORS(4)); }
static void GEMM(rows5)(const gemm_block *b) { GEMM(block)(b, 5, GEMM_VECTORS(5)); }
static void GEMM(rows6)(const gemm_block *b) { GEMM(block)(b, 6, GEMM_VECTORS(6)); }

/* All vectors of a panel for the rows of one block. */
static void GEMM(panel)(gemm_block *b, int64_t rows) {
    static void (*const kernels[])(const gemm_block *) = {
        GEMM(rows1), GEMM(rows2), GEMM(rows3), GEMM(rows4), GEMM(rows5), GEMM(rows6)};
    int64_t wide = GEMM_VECTORS(rows) * VECTOR_LANES;
    const int64_t unroll = GEMM_DTYPE == CK_I8 ? 4 : 1, lane_bytes = GEMM_DTYPE == CK_I8 ? 4 : 2;
    gemm_block part = *b;
    for (int64_t column = 0; column < CK_PANEL && column < b->columns; column += wide) {
        kernels[rows - 1](&part);
        part.lane += wide;
        part.w += wide * lane_bytes;
        part.out += wide;
        part.columns -= wide;
        part.scales += wide;
        if (part.bias) part.bias += wide;
        part.ahead += part.steps / unroll * part.ahead_lines * 64;
    }
    b->ahead = part.ahead;
}

static void GEMM(run)(
    const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    int64_t rows = row_end - row_begin;
    if (rows <= 0 || panel_begin >= panel_end) return;
    /* Blocks of as equal height as can be: 16 rows are 6 + 5 + 5, not 6 + 6 + 4. */
    int64_t blocks = (rows + GEMM_BLOCK_ROWS - 1) / GEMM_BLOCK_ROWS;
    int64_t height = rows / blocks, higher = rows % blocks;
    int64_t passes = 0; /* over the weights of a unit, in panels */
    for (int64_t i = 0; i < blocks; i++) {
        passes += CK_PANEL / VECTOR_LANES / GEMM_VECTORS(height + (i < higher));
    }
    const int64_t unroll = GEMM_DTYPE == CK_I8 ? 4 : 1;
    int64_t steps = ck_gemm_steps(GEMM_DTYPE, c->k), step_bytes = ck_gemm_step_bytes(GEMM_DTYPE);
    int64_t panel_bytes = ck_gemm_panel_bytes(GEMM_DTYPE, c->k);
    int64_t unit = passes > 1 ? gemm_unit(steps * (step_bytes / (4 * CK_PANEL))) / (step_bytes / (4 * CK_PANEL)) : steps;
    if (unit < unroll) unit = unroll;
    const unsigned char *w_end = (const unsigned char *)c->w + ck_panels(c->n) * panel_bytes;
    for (int64_t panel = panel_begin; panel < panel_end; panel++) {
        const unsigned char *w = (const unsigned char *)c->w + panel * panel_bytes;
        int64_t step = 0;
        do {
            int64_t count = steps - step < unit ? steps - step : unit;
            gemm_block b = {
                .x_stride = ck_quantized_stride(c->k),
                .row_bytes = ck_quantized_bytes(c->k),
                .w = w,
                .scales = (const float *)((const unsigned char *)c->w + panel * panel_bytes + steps * step_bytes),
                .step = step,
                .steps = count,
                .first = step == 0,
                .last = step + count == steps,
                .ldo = c->ldo,
                .bias = c->bias ? c->bias + panel * CK_PANEL : NULL,
                .columns = c->n - panel * CK_PANEL,
            };
            /* As in gemm_kernel.h: the passes share in fetching the unit that comes next. */
            const unsigned char *next = w + count * step_bytes, *ahead_end = next + unit * step_bytes;
            if (ahead_end > w_end) ahead_end = w_end;
            int64_t lines = unroll * step_bytes / 64;
            b.ahead = next;
            b.ahead_lines = passes > 1 ? (lines + passes - 1) / passes : 0;
            int64_t row = row_begin;
            for (int64_t i = 0; i < blocks; i++) {
                int64_t taken = height + (i < higher);
                if (b.ahead >= ahead_end) b.ahead_lines = 0;
                b.rows = (const unsigned char *)c->x + row * b.x_stride;
                b.out = c->out + row * c->ldo + panel * CK_PANEL;
                GEMM(panel)(&b, taken);
                row += taken;
            }
            w = next;
            step += count;
        } while (step < steps);
    }
}

#undef GEMM_UNROLL
#undef GEMM_QUAD_BYTES
#undef GEMM
#undef GEMM_DTYPE
#undef GEMM_VECTORS
#undef GEMM_DOT
#undef GEMM_WEIGHTS
#undef GEMM_OFFSET
#undef GEMM_FIRST
#undef GEMM_TOTAL
