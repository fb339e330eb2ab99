/* Packing of quantized weights, from rows of f32, f16 or bf16. Include after quantize_rows.h and with
 *
 *   PACK_LANES, words, words_load(p), words_store(p, v), words_transpose(tile)   as for pack_panels.h, or none of them
 *
 * Rows are quantized in runs of QUANTIZE_RUN elements into words of four bytes, [row][word], which are then transposed
 * into the panel. A scale needs its whole row (i8) or group (i4) first. */

/* A multiple of CK_GROUP. */
enum { QUANTIZE_RUN = 1024 };

static inline void widen(ck_dtype dtype, const void *source, int64_t first, int64_t count, float *x) {
    if (dtype == CK_F32) {
        memcpy(x, (const float *)source + first, sizeof(float) * (size_t)count);
    } else if (dtype == CK_BF16) {
        const uint16_t *p = (const uint16_t *)source + first;
        for (int64_t i = 0; i < count; i++) x[i] = ck_from_bf16(p[i]);
    } else {
        const uint16_t *p = (const uint16_t *)source + first;
        for (int64_t i = 0; i < count; i++) x[i] = ck_from_f16(p[i]);
    }
}

/* Words of i8: four elements each. */
static inline void quantize_bytes(const float *x, int64_t padded, float factor, unsigned char *bytes) {
    for (int64_t i = 0; i < padded; i++) bytes[i] = (unsigned char)(quantized(x[i], factor) + 128);
}

/* Words of i4, and the scales of its groups. */
static inline void quantize_groups(const float *x, int64_t padded, unsigned char *bytes, uint16_t *scales, int64_t stride) {
    for (int64_t g = 0; g < padded / CK_GROUP; g++, x += CK_GROUP, bytes += CK_GROUP / 2) {
        float lowest = x[0], highest = x[0];
        uint32_t largest = largest_magnitude(x, CK_GROUP);
        for (int i = 1; i < CK_GROUP; i++) {
            lowest = x[i] < lowest ? x[i] : lowest;
            highest = x[i] > highest ? x[i] : highest;
        }
        /* The element of largest magnitude becomes -8, the one value that has no opposite. */
        float extreme = -lowest >= highest ? lowest : highest;
        float wanted = extreme / -8;
        float limited = wanted > CK_F16_MAX ? CK_F16_MAX : wanted < -CK_F16_MAX ? -CK_F16_MAX : wanted;
        uint16_t scale = largest > 0x7f7fffff ? 0x7e00 : ck_to_f16(limited);
        float rounded = ck_from_f16(scale);
        float factor = largest > 0x7f7fffff || rounded == 0 ? 0 : 1 / rounded;
        scales[g * stride] = scale;
        unsigned char values[CK_GROUP];
        for (int i = 0; i < CK_GROUP; i++) {
            float value = x[i] * factor;
            value = value > 7 ? 7 : value < -8 ? -8 : value;
            values[i] = (unsigned char)(ck_bits(value + QUANTIZE_ROUND) + 8) & 15;
        }
        for (int j = 0; j < CK_GROUP / 8; j++)
            for (int b = 0; b < 4; b++)
                bytes[4 * j + b] = (unsigned char)(values[8 * j + b] | values[8 * j + 4 + b] << 4);
    }
}

/* Words first_word ..< first_word + count of lanes begin ..< end, from `rows` of `stride` bytes. */
static void place_words(
    ck_dtype dtype, unsigned char *panel, int64_t begin, int64_t end, int64_t first_word, int64_t count,
    const unsigned char *rows, int64_t stride) {
    for (int64_t lane = begin; lane < end;) {
        int64_t word = 0;
#ifdef PACK_LANES
        if (lane % PACK_LANES == 0 && lane + PACK_LANES <= end) {
            for (; word + PACK_LANES <= count; word += PACK_LANES) {
                words tile[PACK_LANES];
                for (int r = 0; r < PACK_LANES; r++) tile[r] = words_load(rows + (lane + r) * stride + word * 4);
                words_transpose(tile);
                for (int r = 0; r < PACK_LANES; r++)
                    words_store(panel + ck_quantized_word(dtype, first_word + word + r) + lane * 4, tile[r]);
            }
            for (; word < count; word++)
                for (int r = 0; r < PACK_LANES; r++)
                    memcpy(panel + ck_quantized_word(dtype, first_word + word) + (lane + r) * 4,
                           rows + (lane + r) * stride + word * 4, 4);
            lane += PACK_LANES;
            continue;
        }
#endif
        for (; word < count; word++)
            memcpy(panel + ck_quantized_word(dtype, first_word + word) + lane * 4, rows + lane * stride + word * 4, 4);
        lane++;
    }
}

static void quantize_panel(const ck_pack_call *c, int64_t panel_index) {
    _Alignas(64) unsigned char run[CK_PANEL * QUANTIZE_RUN];
    _Alignas(64) float x[QUANTIZE_RUN];
    float factors[CK_PANEL];
    ck_pack_rows rows = ck_pack_rows_of(c, panel_index);
    int64_t k = c->k, origin = panel_index * CK_PANEL, element = c->source_dtype == CK_F32 ? 4 : 2;
    int64_t begin = rows.begin - origin, end = rows.end - origin, padded_end = rows.padded_end - origin;
    unsigned char *panel = (unsigned char *)c->destination + panel_index * ck_gemm_panel_bytes(c->dtype, k);
    float *row_scales = (float *)(panel + ck_gemm_steps(c->dtype, k) * ck_gemm_step_bytes(c->dtype));
    int64_t multiple = c->dtype == CK_I8 ? 4 : CK_GROUP, word_elements = c->dtype == CK_I8 ? 4 : 8;

    for (int64_t lane = begin; lane < padded_end && c->dtype == CK_I8; lane++) {
        uint32_t largest = 0;
        const unsigned char *source = (const unsigned char *)c->source + (origin + lane - c->first_row) * k * element;
        for (int64_t first = 0; first < k && lane < end; first += QUANTIZE_RUN) {
            int64_t count = k - first < QUANTIZE_RUN ? k - first : QUANTIZE_RUN;
            widen(c->source_dtype, source, first, count, x);
            uint32_t found = largest_magnitude(x, count);
            largest = found > largest ? found : largest;
        }
        factors[lane] = quantization_factor(largest, &row_scales[lane]);
    }
    for (int64_t first = 0; first < k; first += QUANTIZE_RUN) {
        int64_t count = k - first < QUANTIZE_RUN ? k - first : QUANTIZE_RUN;
        int64_t padded = (count + multiple - 1) / multiple * multiple;
        for (int64_t lane = begin; lane < padded_end; lane++) {
            const unsigned char *source =
                (const unsigned char *)c->source + (origin + lane - c->first_row) * k * element;
            /* A lane beyond the weight is a row of zeros. */
            int64_t there = lane < end ? count : 0;
            if (there > 0) widen(c->source_dtype, source, first, there, x);
            memset(x + there, 0, sizeof(float) * (size_t)(padded - there));
            unsigned char *bytes = run + lane * QUANTIZE_RUN;
            if (c->dtype == CK_I8) {
                quantize_bytes(x, padded, factors[lane], bytes);
            } else {
                int64_t group_bytes = ck_gemm_step_bytes(CK_I4);
                uint16_t *scales = (uint16_t *)(panel + first / CK_GROUP * group_bytes) + lane;
                quantize_groups(x, padded, bytes, scales, group_bytes / 2);
            }
        }
        place_words(
            c->dtype, panel, begin, padded_end, first / word_elements, padded / word_elements, run, QUANTIZE_RUN);
    }
}

static void quantize_panels(const ck_pack_call *c, int32_t begin, int32_t end) {
    int64_t first_panel = c->first_row / CK_PANEL;
    for (int64_t panel = first_panel + begin; panel < first_panel + end; panel++) quantize_panel(c, panel);
}
