/* Every kernel on every path this machine can run, over odd shapes, against the plain twin: built with AddressSanitizer
 * and UndefinedBehaviorSanitizer by `make sanitize`. Each buffer has exactly the size its contract names, so that a
 * read or write beyond it ends the program. The tests of Compute say more about results; this is about memory. */
#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;
static int checks, failures;

static uint64_t next_random(void) {
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static float random_float(void) { return (float)((int32_t)(next_random() >> 32)) * 0x1p-31f; }
static int32_t random_below(int32_t n) { return (int32_t)(next_random() % (uint64_t)n); }

/* Of exactly this size (ASan guards the bytes beside it), 64-byte aligned. */
static void *buffer(size_t bytes) {
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes > 0 ? bytes : 1) != 0) abort();
    memset(p, 0xff, bytes); /* NaN until it is written */
    return p;
}
static float *floats(size_t count) {
    float *p = buffer(count * 4);
    for (size_t i = 0; i < count; i++) p[i] = random_float();
    return p;
}

static void compare(const char *what, const char *path, const float *a, const float *b, size_t count, float tolerance) {
    checks++;
    for (size_t i = 0; i < count; i++) {
        if (!(fabsf(a[i] - b[i]) <= tolerance) && !(isnan(a[i]) && isnan(b[i])) && a[i] != b[i]) {
            printf("FAILED %s on %s: element %zu is %g, plain says %g\n", what, path, i, a[i], b[i]);
            failures++;
            return;
        }
    }
}

/* The bits of the 16-bit formats, cut off. */
static void *typed(const float *x, size_t count, ck_dtype dtype) {
    if (dtype == CK_F32) {
        float *copy = buffer(count * 4);
        memcpy(copy, x, count * 4);
        return copy;
    }
    uint16_t *bits = buffer(count * 2);
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, &x[i], 4);
        bits[i] = dtype == CK_BF16 ? (uint16_t)(word >> 16)
                                   : (uint16_t)((word >> 16 & 0x8000) | (0x3000 + (word >> 13 & 0x3ff)));
    }
    return bits;
}

static uint32_t test_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

/* Of a number that float16 holds. */
static uint16_t test_f16(float x) {
    uint32_t bits = test_bits(x), magnitude = bits & 0x7fffffff;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (magnitude < 0x38800000) return (uint16_t)(sign | (uint16_t)(fabsf(x) * 0x1p24f));
    return (uint16_t)(sign | ((magnitude >> 13) - (112 << 10)));
}

static float *product(
    const ck_kernels *k, ck_dtype dtype, ck_dtype source_dtype, int64_t m, int64_t n, int64_t depth, const float *x,
    const void *w, const float *bias) {
    unsigned char *packed = buffer(ck_packed_bytes(dtype, n, depth));
    int64_t element = source_dtype == CK_F32 ? 4 : 2, cut = n / 3;
    for (int part = 0; part < 2; part++) {
        int64_t first = part == 0 ? 0 : cut, count = part == 0 ? cut : n - cut;
        /* A part of its own allocation. */
        void *source = buffer((size_t)(count * depth * element));
        memcpy(source, (const unsigned char *)w + first * depth * element, (size_t)(count * depth * element));
        ck_pack_call call = {dtype, source_dtype, source, packed, n, depth, first, count};
        k->gemm->pack(&call, 0, ck_pack_tasks(&call), 0);
        free(source);
    }
    size_t bytes = ck_prepared_bytes(dtype, m, depth);
    void *prepared = buffer(bytes);
    ck_prepare_call prepare = {dtype, x, depth, depth, prepared};
    if (bytes > 0) k->gemm->prepare(&prepare, 0, (int32_t)m, 0);
    float *out = buffer((size_t)(m * n) * 4), *row = buffer((size_t)depth * 4);
    ck_gemm_call call = {
        k->gemm, dtype, m, n, depth, bytes > 0 ? prepared : x, depth, packed, bias, out, n, ck_gemm_row_chunk(m, n, 2),
        NULL};
    ck_gemm_run(&call, 0, ck_gemm_tasks(&call), 0);
    ck_unpack_row(dtype, NULL, packed, n, depth, n - 1, row);
    free(row);
    free(prepared);
    free(packed);
    return out;
}

static void check_products(const ck_kernels *k, const ck_kernels *plain) {
    static const int64_t shapes[][3] = {
        {1, 1, 1}, {1, 64, 32}, {2, 63, 31}, {3, 65, 33}, {6, 128, 64}, {7, 130, 97}, {13, 66, 127},
        {63, 64, 129}, {65, 70, 130}, {5, 3, 1023}, {4, 65, 1030}, {200, 64, 40}, {2, 1, 2051},
    };
    static const ck_dtype types[][2] = {{CK_F32, CK_F32}, {CK_F16, CK_F16}, {CK_BF16, CK_BF16}, {CK_I8, CK_BF16},
                                        {CK_I8, CK_F32},  {CK_I4, CK_F16},  {CK_I4, CK_BF16}};
    static const char *const names[] = {"f32", "f16", "bf16", "i8", "i4"};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
            int64_t m = shapes[s][0], n = shapes[s][1], depth = shapes[s][2];
            float *x = floats((size_t)(m * depth)), *values = floats((size_t)(n * depth)), *bias = floats((size_t)n);
            void *w = typed(values, (size_t)(n * depth), types[t][1]);
            const float *b = s % 2 ? bias : NULL;
            float *expected = product(plain, types[t][0], types[t][1], m, n, depth, x, w, b);
            float *found = product(k, types[t][0], types[t][1], m, n, depth, x, w, b);
            bool exact = types[t][0] == CK_I8 || types[t][0] == CK_I4;
            compare(names[types[t][0]], k->name, found, expected, (size_t)(m * n),
                    exact ? 0 : 1e-4f * sqrtf((float)depth));
            free(x), free(values), free(bias), free(w), free(expected), free(found);
        }
    }
}

/* A product with codes against the product with the numbers they stand for: the same bits. */
static void check_coded(const ck_kernels *k) {
    static const int64_t shapes[][3] = {{1, 1, 1}, {1, 64, 256}, {3, 65, 33}, {7, 130, 97}, {13, 66, 515}, {40, 3, 300}};
    static const float e2m1[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
    for (int kind = 0; kind < 3 * 3 * 4 * 4 * 3; kind++) {
        int64_t m = shapes[kind % 6][0], n = shapes[kind % 6][1], depth = shapes[kind % 6][2];
        ck_coded coded = {
            .codes = (ck_codes)(kind % 3), .factors = (ck_factors)(kind / 3 % 4), .has_zeros = kind / 12 % 2,
            .has_offsets = kind / 24 % 2, .k = depth, .groups = (depth + 31) / 32,
        };
        ck_dtype dtype = (ck_dtype)(kind / 48 % 3);
        /* Tables that count, of halves of int8, and of anything; factors so large and small that they are none of the
         * usual ones. */
        int table = kind / 144;
        float size = kind % 7 == 6 ? 0x1p-90f : 1;
        bool two_levels = coded.factors == CK_FACTORS_TWO_LEVEL;
        int64_t groups = coded.groups, blocks = (depth + CK_CODED_BLOCK - 1) / CK_CODED_BLOCK;
        for (int i = 0; i < 16; i++) coded.table[i] = table == 0 ? (float)i - 8 : table == 1 ? e2m1[i] : (float)i * 0.37f - 2;
        int32_t *group_of = buffer((size_t)depth * 4);
        /* Every other weight has groups that are mixed. */
        for (int64_t i = 0; i < depth; i++) group_of[i] = kind % 2 ? random_below((int32_t)groups) : (int32_t)(i / 32);
        coded.group_of = group_of;
        unsigned char *packed = buffer(ck_coded_bytes(&coded, n));
        memset(packed, 0, ck_coded_bytes(&coded, n));
        int64_t panel_bytes = (int64_t)ck_coded_bytes(&coded, 1);
        for (int64_t first = 0; first < n;) {
            /* Parts that end within a panel. */
            int64_t count = first == 0 && n > 20 ? 20 : n - first;
            if (first % CK_PANEL + count > CK_PANEL) count = CK_PANEL - first % CK_PANEL;
            size_t factors = (size_t)(count * groups), outer = (size_t)(count * blocks);
            uint8_t *codes = buffer((size_t)(count * depth));
            for (int64_t i = 0; i < count * depth; i++) {
                codes[i] = (uint8_t)random_below(coded.codes == CK_CODES_4 ? 16 : 256);
                if ((codes[i] & 0x7f) == 0x7f) codes[i] = 0;
            }
            float *scales = floats(factors), *zeros = floats(factors), *offsets = floats(factors);
            float *block_scales = floats(outer), *block_offsets = floats(outer);
            for (size_t i = 0; i < factors; i++) {
                zeros[i] = (float)(random_below(16) - 8);
                if (two_levels) scales[i] = (float)(random_below(64) - 32), offsets[i] = (float)random_below(64);
                else if (coded.factors != CK_FACTORS_F16) scales[i] *= size;
            }
            ck_pack_coded_call call = {
                &coded, codes, scales, zeros, offsets, block_scales, block_offsets,
                packed + first / CK_PANEL * panel_bytes, first % CK_PANEL, count};
            ck_pack_coded(&call);
            first += count;
            free(codes), free(scales), free(zeros), free(offsets), free(block_scales), free(block_offsets);
        }
        float *x = floats((size_t)(m * depth)), *values = buffer((size_t)(n * depth) * 4), *bias = floats((size_t)n);
        for (int64_t row = 0; row < n; row++)
            ck_unpack_row(dtype, &coded, packed, n, depth, row, values + row * depth);
        unsigned char *widened = buffer(ck_packed_bytes(dtype, n, depth));
        void *w = buffer((size_t)(n * depth) * 4);
        for (int64_t i = 0; i < n * depth; i++) {
            if (dtype == CK_F32) memcpy((float *)w + i, values + i, 4);
            else ((uint16_t *)w)[i] = dtype == CK_F16 ? test_f16(values[i]) : (uint16_t)(test_bits(values[i]) >> 16);
        }
        ck_pack_call pack = {dtype, dtype, w, widened, n, depth, 0, n};
        k->gemm->pack(&pack, 0, ck_pack_tasks(&pack), 0);
        size_t bytes = ck_prepared_bytes(dtype, m, depth);
        void *prepared = buffer(bytes);
        ck_prepare_call prepare = {dtype, x, depth, depth, prepared};
        if (bytes > 0) k->gemm->prepare(&prepare, 0, (int32_t)m, 0);
        float *expected = buffer((size_t)(m * n) * 4), *found = buffer((size_t)(m * n) * 4);
        ck_gemm_call call = {k->gemm, dtype, m, n, depth, bytes > 0 ? prepared : x, depth, widened, bias, expected, n,
                             ck_gemm_row_chunk(m, n, 2), NULL};
        ck_gemm_run(&call, 0, ck_gemm_tasks(&call), 0);
        call.w = packed, call.coded = &coded, call.out = found;
        ck_gemm_run(&call, 0, ck_gemm_tasks(&call), 0);
        compare("codes", k->name, found, expected, (size_t)(m * n), 0);
        free(group_of), free(packed), free(x), free(values), free(bias), free(widened), free(w), free(prepared);
        free(expected), free(found);
    }
}

/* Bytes that are quantized already, -128 among them, against the sum of products. */
static void check_bytes(const ck_kernels *k) {
    static const int64_t shapes[][3] = {{1, 1, 1}, {2, 63, 31}, {7, 130, 97}, {40, 65, 1030}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        int64_t m = shapes[s][0], n = shapes[s][1], depth = shapes[s][2];
        uint8_t *codes = buffer((size_t)(n * depth));
        for (int64_t i = 0; i < n * depth; i++) codes[i] = (uint8_t)(i % 5 ? random_below(256) : 0x80);
        float *scales = floats((size_t)n), *x = floats((size_t)(m * depth));
        for (int64_t i = 0; i < m * depth; i++) x[i] = (float)(random_below(255) - 127);
        for (int64_t row = 0; row < m; row++) x[row * depth] = 127; /* so that a row's scale is 1 */
        unsigned char *packed = buffer(ck_packed_bytes(CK_I8, n, depth));
        memset(packed, 0, ck_packed_bytes(CK_I8, n, depth));
        for (int64_t row = 0; row < n; row++)
            ck_place_i8(codes + row * depth, scales + row, 1, depth,
                        packed + row / CK_PANEL * (int64_t)ck_packed_bytes(CK_I8, 1, depth), row % CK_PANEL);
        void *prepared = buffer(ck_prepared_bytes(CK_I8, m, depth));
        ck_prepare_call prepare = {CK_I8, x, depth, depth, prepared};
        k->gemm->prepare(&prepare, 0, (int32_t)m, 0);
        float *expected = buffer((size_t)(m * n) * 4), *found = buffer((size_t)(m * n) * 4);
        for (int64_t row = 0; row < m; row++) {
            for (int64_t output = 0; output < n; output++) {
                int32_t sum = 0;
                for (int64_t i = 0; i < depth; i++) sum += (int32_t)x[row * depth + i] * (int8_t)codes[output * depth + i];
                expected[row * n + output] = (float)sum * scales[output];
            }
        }
        ck_gemm_call call = {k->gemm, CK_I8, m, n, depth, prepared, depth, packed, NULL, found, n,
                             ck_gemm_row_chunk(m, n, 2), NULL};
        ck_gemm_run(&call, 0, ck_gemm_tasks(&call), 0);
        compare("bytes", k->name, found, expected, (size_t)(m * n), 0);
        free(codes), free(scales), free(x), free(packed), free(prepared), free(expected), free(found);
    }
}

/* A gated product against the product and the gate one after the other: the same bits. */
static void check_gated(const ck_kernels *k) {
    static const int64_t shapes[][3] = {{1, 128, 5}, {33, 128, 40}, {200, 256, 17}};
    for (size_t s = 0; s < 3; s++) {
        int64_t m = shapes[s][0], n = shapes[s][1], depth = shapes[s][2], half = n / 2;
        float *x = floats((size_t)(m * depth)), *values = floats((size_t)(n * depth));
        unsigned char *packed = buffer(ck_packed_bytes(CK_I8, n, depth));
        ck_pack_call pack = {CK_I8, CK_F32, values, packed, n, depth, 0, n};
        k->gemm->pack(&pack, 0, ck_pack_tasks(&pack), 0);
        void *prepared = buffer(ck_prepared_bytes(CK_I8, m, depth));
        ck_prepare_call prepare = {CK_I8, x, depth, depth, prepared};
        k->gemm->prepare(&prepare, 0, (int32_t)m, 0);
        float *whole = buffer((size_t)(m * n) * 4), *expected = buffer((size_t)(m * half) * 4);
        float *found = buffer((size_t)(m * half) * 4), *scratch = buffer(CK_GATED_ROWS * 2 * CK_PANEL * 4);
        ck_gemm_call call = {k->gemm, CK_I8, m, n, depth, prepared, depth, packed, NULL, whole, n, (m + 1) / 2,
                             NULL};
        ck_gemm_run(&call, 0, ck_gemm_tasks(&call), 0);
        ck_silu_call silu = {
            .gate_up = whole, .output = expected, .columns = (int32_t)half, .output_stride = half, .gate = CK_GATE_SILU,
        };
        k->rows->gated_silu(&silu, 0, (int32_t)m * ck_silu_chunks((int32_t)half), 0);
        ck_gated_call gated = {call, k->rows->gated_silu, found, half, scratch};
        ck_gated_run(&gated, 0, ck_gated_tasks(&gated), 0);
        compare("gated product", k->name, found, expected, (size_t)(m * half), 0);
        free(x), free(values), free(packed), free(prepared), free(whole), free(expected), free(found), free(scratch);
    }
}

static void check_rows(const ck_kernels *k, const ck_kernels *plain) {
    static const int32_t widths[] = {1, 15, 16, 17, 63, 64, 65, 511, 513, 896};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        int32_t n = widths[i], rows = 3;
        size_t count = (size_t)(rows * n);
        float *weight = floats((size_t)n), *delta = floats(count), *gates = floats(2 * count);
        float *results[2][3];
        uint64_t seed = state;
        for (int side = 0; side < 2; side++) {
            const ck_rows_table *table = side == 0 ? plain->rows : k->rows;
            state = seed;
            float *x = floats(count), *normed = buffer(count * 4), *gated = buffer(count * 4);
            ck_norm_call norm = {
                .x = x, .delta = i % 2 ? delta : NULL, .weight = weight, .output = normed, .columns = n, .epsilon = 1e-5f,
            };
            table->rms_norm(&norm, 0, rows, 0);
            ck_silu_call silu = {
                .gate_up = gates, .output = gated, .columns = n, .output_stride = n, .gate = CK_GATE_SILU,
            };
            table->gated_silu(&silu, 0, rows * ck_silu_chunks(n), 0);
            results[side][0] = x, results[side][1] = normed, results[side][2] = gated;
        }
        for (int r = 0; r < 3; r++) {
            compare("rows", k->name, results[1][r], results[0][r], count, 1e-4f);
            free(results[0][r]), free(results[1][r]);
        }
        free(weight), free(delta), free(gates);
    }
}

typedef struct scene {
    int32_t heads, kv_heads, d, page_size, pages, window;
    ck_dtype dtype;
    bool interleaved, norms, latent, sinks;
    float cap;
} scene;

/* A sequence of `length` tokens on shuffled pages: stored in chunks, then its last `rows` attend. */
static float *attended(const ck_kernels *k, const scene *s, int32_t length, int32_t rows, uint64_t seed) {
    state = seed;
    int32_t d = s->d, halves = s->latent ? 1 : 2, columns = (s->heads + halves * s->kv_heads) * d, pairs = d / 2;
    size_t head_stride = (size_t)halves * (size_t)s->page_size / CK_BLOCK_TOKENS * ck_kv_half_block_bytes(d, s->dtype);
    size_t page_stride = (size_t)s->kv_heads * head_stride;
    unsigned char *pool = buffer((size_t)s->pages * page_stride);
    int32_t *table = buffer((size_t)s->pages * 4);
    for (int32_t i = 0; i < s->pages; i++) table[i] = i;
    for (int32_t i = s->pages - 1; i > 0; i--) {
        int32_t j = random_below(i + 1), other = table[i];
        table[i] = table[j], table[j] = other;
    }
    float *norm = floats((size_t)d), *sinks = floats((size_t)s->heads), *frequencies = floats((size_t)pairs);
    float *output = buffer((size_t)(rows * s->heads * d) * 4);
    ck_kv_layer kv = {pool, page_stride, head_stride, s->page_size, d, s->dtype, s->latent};
    for (int32_t first = 0; first < length;) {
        int32_t count = first + rows >= length ? length - first : length - rows - first;
        float *qkv = floats((size_t)(count * columns));
        int32_t *positions = buffer((size_t)count * 4), *pages = buffer((size_t)count * 4), *slots = buffer((size_t)count * 4);
        float *cosines = buffer((size_t)(count * pairs) * 4), *sines = buffer((size_t)(count * pairs) * 4);
        for (int32_t r = 0; r < count; r++) {
            positions[r] = first + r;
            pages[r] = table[(first + r) / s->page_size];
            slots[r] = (first + r) % s->page_size;
        }
        ck_rotary_call rotary = {positions, frequencies, cosines, sines, pairs, 1};
        ck_rotary_fill(&rotary, 0, count, 0);
        ck_rotate_call rotate = {
            qkv, s->heads, s->kv_heads, pairs, s->interleaved, cosines, sines, s->norms ? norm : NULL,
            s->norms ? norm : NULL, 1e-5f, kv, pages, slots};
        k->rows->rotate_store(&rotate, 0, count, 0);
        if (first + count == length) {
            int32_t group = s->heads / s->kv_heads, queries = count * group, tasks = 0;
            ck_attention_task list[64];
            for (int32_t begin = 0; begin < queries; begin += CK_ATTENTION_ROWS) {
                int32_t end = begin + CK_ATTENTION_ROWS < queries ? begin + CK_ATTENTION_ROWS : queries;
                int32_t low = first + begin / group - (s->window > 0 ? s->window - 1 : length), last = first + (end - 1) / group;
                int32_t split = (low > 0 ? low : 0) / CK_SPLIT_TOKENS;
                for (int32_t head = 0; head < s->kv_heads && tasks < 64; head++)
                    list[tasks++] = (ck_attention_task){
                        .kv_head = head, .start_position = first, .begin = begin, .end = end, .first_split = split,
                        .split_count = last / CK_SPLIT_TOKENS - split + 1, .sees = -1, .partial = -1};
            }
            size_t scratch_bytes = (ck_attention_scratch_bytes(d) + 63) / 64 * 64;
            unsigned char *scratch = buffer(scratch_bytes);
            ck_attention_call call = {
                k->attention, kv, qkv, (size_t)columns, output, (size_t)(s->heads * d), group, s->window,
                1 / sqrtf((float)d), s->cap, s->sinks ? sinks : NULL, table, list, NULL, scratch, scratch_bytes};
            ck_attention_run(&call, 0, tasks, 0);
            free(scratch);
        }
        free(qkv), free(positions), free(pages), free(slots), free(cosines), free(sines);
        first += count;
    }
    free(pool), free(table), free(norm), free(sinks), free(frequencies);
    return output;
}

static void check_attention(const ck_kernels *k, const ck_kernels *plain) {
    static const int32_t lengths[][2] = {{1, 1}, {17, 17}, {64, 1}, {65, 3}, {130, 9}, {513, 1}, {600, 2}};
    static const ck_dtype types[] = {CK_F32, CK_F16, CK_BF16, CK_I8, CK_E4M3};
    for (size_t type = 0; type < sizeof types / sizeof types[0]; type++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            static const int32_t dimensions[] = {8, 24, 64, 128};
            int32_t length = lengths[i][0], rows = lengths[i][1], d = dimensions[(i + type) % 4];
            int32_t page_size = i % 2 ? 16 : 32;
            scene s = {.heads = i % 3 ? 4 : 7, .kv_heads = i % 3 ? 2 : 1, .d = d, .page_size = page_size,
                       .pages = (length + page_size - 1) / page_size, .window = i % 4 == 3 ? 40 : 0,
                       .dtype = types[type], .interleaved = i % 2, .norms = i % 3 == 1, .sinks = i % 3 == 2,
                       .cap = i % 4 == 2 ? 0.7f : 0};
            for (int latent = 0; latent < 2; latent++) {
                /* A latent vector as wide as DeepSeek's, and as narrow as can be. */
                if (latent) s.latent = true, s.kv_heads = 1, s.d = d = i % 2 ? 576 : 8;
                uint64_t seed = next_random();
                float *expected = attended(plain, &s, length, rows, seed), *found = attended(k, &s, length, rows, seed);
                compare(latent ? "latent attention" : "attention", k->name, found, expected,
                        (size_t)(rows * s.heads * d), types[type] == CK_E4M3 ? 0.15f : 0.02f);
                free(expected), free(found);
            }
        }
    }
}

/* Three sequences behind two splits in common: these once for all, against each sequence alone. The same bits. */
static void check_shared_attention(const ck_kernels *k) {
    enum { SEQUENCES = 3, COMMON = 2, HEADS = 5, D = 24, PAGE = 32, OWN = 70 };
    enum { SHARED_PAGES = COMMON * CK_SPLIT_TOKENS / PAGE, OWN_PAGES = (OWN + PAGE - 1) / PAGE };
    enum { PAGES = SHARED_PAGES + OWN_PAGES, POOL = SHARED_PAGES + SEQUENCES * OWN_PAGES };
    static const int32_t rows[SEQUENCES] = {1, 4, 2};
    for (int32_t dtype = CK_F32; dtype <= CK_BF16; dtype++) {
        size_t page_floats = 2 * PAGE * D;
        float *values = floats(POOL * page_floats);
        unsigned char *pool = typed(values, POOL * page_floats, (ck_dtype)dtype);
        int32_t *table = buffer(SEQUENCES * PAGES * 4), starts[SEQUENCES + 1] = {0};
        for (int32_t i = 0; i < SEQUENCES * PAGES; i++) {
            int32_t sequence = i / PAGES, page = i % PAGES;
            table[i] = page < SHARED_PAGES ? page : SHARED_PAGES + sequence * OWN_PAGES + page - SHARED_PAGES;
        }
        for (int32_t i = 0; i < SEQUENCES; i++) starts[i + 1] = starts[i] + rows[i];
        int32_t queries = starts[SEQUENCES] * HEADS;
        size_t count = (size_t)(queries * D), state = (size_t)ck_attention_state_floats(D);
        float *q = floats(count), *alone = buffer(count * 4), *found = buffer(count * 4);
        float *partials = buffer((COMMON + 1) * (size_t)queries * state * 4);
        size_t scratch_bytes = (ck_attention_scratch_bytes(D) + 63) / 64 * 64;
        unsigned char *scratch = buffer(scratch_bytes);
        ck_attention_task list[SEQUENCES], tails[SEQUENCES + COMMON];
        for (int32_t i = 0; i < SEQUENCES; i++) {
            list[i] = (ck_attention_task){
                .first_row = starts[i], .start_position = COMMON * CK_SPLIT_TOKENS + OWN - rows[i], .first_page = i * PAGES,
                .end = rows[i] * HEADS, .split_count = COMMON + 1, .sees = -1, .partial = -1};
            tails[i] = list[i];
            tails[i].first_split = COMMON, tails[i].split_count = 1, tails[i].partial_stride = queries;
            tails[i].partial = COMMON * queries + starts[i] * HEADS;
        }
        for (int32_t i = 0; i < COMMON; i++)
            tails[SEQUENCES + i] = (ck_attention_task){
                .end = queries, .first_page = PAGES, .first_split = i, .split_count = 1,
                .sees = COMMON * CK_SPLIT_TOKENS - 1, .partial_stride = queries, .partial = i * queries};
        ck_kv_layer kv = {
            pool, page_floats * ck_dtype_bytes((ck_dtype)dtype), page_floats * ck_dtype_bytes((ck_dtype)dtype), PAGE, D,
            (ck_dtype)dtype, false};
        ck_attention_call call = {
            .kernels = k->attention, .kv = kv, .queries = q, .query_stride = HEADS * D, .output = alone,
            .output_stride = HEADS * D, .group = HEADS, .scale = 0.2f, .page_table = table, .tasks = list,
            .partials = partials, .scratch = scratch, .scratch_stride = scratch_bytes};
        ck_attention_run(&call, 0, SEQUENCES, 0);
        call.output = found, call.tasks = tails;
        ck_attention_run(&call, 0, SEQUENCES + COMMON, 0);
        for (int32_t i = 0; i < SEQUENCES; i++) {
            list[i].partial_stride = queries;
            list[i].partial = starts[i] * HEADS;
        }
        call.tasks = list;
        ck_attention_merge(&call, 0, SEQUENCES, 0);
        compare("shared attention", k->name, found, alone, count, 0);
        free(values), free(pool), free(table), free(q), free(alone), free(found), free(partials), free(scratch);
    }
}

static void check_sampling(const ck_kernels *k, const ck_kernels *plain) {
    static const int32_t sizes[] = {1, 15, 16, 17, 63, 64, 65, 1000, 1024, 1025, 5003};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int32_t n = sizes[i];
        size_t count = (size_t)n;
        float *x = floats(count), *clean[2], *weights[2];
        x[n / 2] = n % 2 ? NAN : INFINITY;
        for (int side = 0; side < 2; side++) {
            const ck_sample_table *table = side == 0 ? plain->sample : k->sample;
            clean[side] = buffer(count * 4), weights[side] = buffer(count * 4);
            table->clean(x, n, clean[side]);
            float maximum = table->maximum(clean[side], n);
            if (!(fabsf(maximum) <= 1)) maximum = 1; /* beside an infinity all other weights would be 0 */
            clean[side][n / 2] = 0.5f;
            table->exponentials(clean[side], n, maximum, 1, weights[side]);
            float levels[CK_SAMPLE_LEVELS] = {0.9f, 0.8f, 0.5f, 0.2f, 0, -0.2f, -0.5f, -2};
            int32_t counts[CK_SAMPLE_LEVELS], *ids = buffer((count + 16) * 4);
            double sums[CK_SAMPLE_LEVELS];
            table->levels(clean[side], weights[side], n, levels, counts, sums);
            float *out = buffer((count + 16) * 4), *out_weights = buffer((count + 16) * 4);
            int32_t found = table->collect(
                clean[side], weights[side], NULL, n, -0.5f, 0.5f, out, out_weights, ids);
            table->top(clean[side], n, 5, out, ids);
            checks++;
            if (found != counts[6] - counts[2] || table->argmax(clean[side], n) < 0) {
                printf("FAILED sampling on %s: %d elements, levels count %d\n", k->name, found, counts[6] - counts[2]);
                failures++;
            }
            free(ids), free(out), free(out_weights);
        }
        compare("clean", k->name, clean[1], clean[0], count, 0);
        compare("exponentials", k->name, weights[1], weights[0], count, 1e-5f);
        for (int side = 0; side < 2; side++) free(clean[side]), free(weights[side]);
        free(x);
    }
}

static void count_up(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    int32_t *hits = *(int32_t *const *)call;
    for (int32_t i = begin; i < end; i++) __atomic_fetch_add(&hits[i], 1, __ATOMIC_RELAXED);
}

static void check_pool(void) {
    ck_pool *pool = ck_pool_create(3, NULL);
    ck_pool_begin(pool);
    for (int32_t count = 0; count < 40; count++) {
        int32_t *hits = buffer((size_t)count * 4);
        memset(hits, 0, (size_t)count * 4);
        ck_pool_run(pool, count_up, &hits, count, 1 + count % 3, count % 2);
        checks++;
        for (int32_t i = 0; i < count; i++) failures += hits[i] != 1;
        free(hits);
    }
    ck_pool_end(pool);
    ck_pool_destroy(pool);
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    printf("seed %llu\n", (unsigned long long)seed);
    state = seed;
    const ck_kernels *plain = ck_kernels_for(CK_PLAIN);
    for (int path = 0; path < CK_PATHS; path++) {
        const ck_kernels *k = ck_kernels_for((ck_path)path);
        if (!k) {
            printf("SKIPPED: %s, which this machine cannot run\n", ck_path_name((ck_path)path));
            continue;
        }
        check_products(k, plain);
        check_coded(k);
        check_bytes(k);
        check_gated(k);
        check_rows(k, plain);
        check_attention(k, plain);
        check_shared_attention(k);
        check_sampling(k, plain);
    }
    check_pool();
    printf("%d checks, %d failed\n", checks, failures);
    return failures > 0;
}
