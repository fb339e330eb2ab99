/* Packing of weights by square transposes of 32-bit words. Include with
 *
 *   PACK_LANES                    words of a vector, and rows of a tile
 *   words                         the vector
 *   words_load(p)                 unaligned
 *   words_store(p, v)
 *   words_store_low_halves(p, v), words_store_high_halves(p, v)   PACK_LANES 16-bit values
 *   words_transpose(tile)         in place
 *
 * A tile is PACK_LANES rows times as many words: two elements of 16 bits, or one of 32. What does not fill a tile, at
 * the edges of a part or at the end of a row, is placed element by element. */

/* Tiles of a row that are packed before the next rows: the destination stays in the second-level cache meanwhile. */
enum { PACK_RUN = 16 };

static inline __attribute__((always_inline)) void pack_tile(
    const bool halves, const unsigned char *source, int64_t source_stride, unsigned char *destination) {
    words tile[PACK_LANES];
    _Pragma("clang loop unroll(full)") for (int r = 0; r < PACK_LANES; r++) {
        tile[r] = words_load(source + r * source_stride);
    }
    words_transpose(tile);
    _Pragma("clang loop unroll(full)") for (int r = 0; r < PACK_LANES; r++) {
        if (halves) {
            words_store_low_halves(destination + (2 * r) * 2 * CK_PANEL, tile[r]);
            words_store_high_halves(destination + (2 * r + 1) * 2 * CK_PANEL, tile[r]);
        } else {
            words_store(destination + r * 4 * CK_PANEL, tile[r]);
        }
    }
}

/* Rows begin ..< end of one panel, which are whole groups of lanes, by tiles. */
static void pack_tiles(const ck_pack_call *c, int64_t begin, int64_t end, int64_t tiles) {
    int64_t element = c->dtype == CK_F32 ? 4 : 2, stride = c->k * element;
    int64_t lane_bytes = c->dtype == CK_F16 ? 2 : 4;
    unsigned char *panel = (unsigned char *)c->destination + begin / CK_PANEL * ck_gemm_panel_bytes(c->dtype, c->k);
    for (int64_t first = 0; first < tiles; first += PACK_RUN) {
        int64_t past = first + PACK_RUN < tiles ? first + PACK_RUN : tiles;
        for (int64_t row = begin; row < end; row += PACK_LANES) {
            const unsigned char *source = (const unsigned char *)c->source + (row - c->first_row) * stride;
            unsigned char *destination = panel + row % CK_PANEL * lane_bytes;
            for (int64_t tile = first; tile < past; tile++) {
                const unsigned char *s = source + tile * PACK_LANES * 4;
                unsigned char *d = destination + tile * PACK_LANES * 4 * CK_PANEL;
                if (c->dtype == CK_F16) pack_tile(true, s, stride, d);
                else pack_tile(false, s, stride, d);
            }
        }
    }
}

static void pack_panel(const ck_pack_call *c, int64_t panel) {
    ck_pack_rows rows = ck_pack_rows_of(c, panel);
    int64_t begin = (rows.begin + PACK_LANES - 1) / PACK_LANES * PACK_LANES, end = rows.end / PACK_LANES * PACK_LANES;
    int64_t tile_elements = c->dtype == CK_F32 ? PACK_LANES : 2 * PACK_LANES;
    int64_t tiles = c->k / tile_elements, padded_k = ck_padded_k(c->dtype, c->k);
    if (begin >= end || tiles == 0) {
        ck_pack_elements(c, rows.begin, rows.padded_end, 0, padded_k);
        return;
    }
    pack_tiles(c, begin, end, tiles);
    ck_pack_elements(c, rows.begin, begin, 0, padded_k);
    ck_pack_elements(c, end, rows.padded_end, 0, padded_k);
    ck_pack_elements(c, begin, end, tiles * tile_elements, padded_k);
}

static void pack(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_pack_call *c = argument;
    int64_t first_panel = c->first_row / CK_PANEL;
    for (int64_t panel = first_panel + begin; panel < first_panel + end; panel++) pack_panel(c, panel);
}
