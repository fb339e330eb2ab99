/* Readable twin of the weight packers: element by element. */
#include "plain_gemm.h"

#include "../templates/quantize_rows.h"
#include "../templates/quantize_panels.h"

ck_pack_rows ck_pack_rows_of(const ck_pack_call *c, int64_t panel) {
    int64_t begin = panel * CK_PANEL, panel_end = begin + CK_PANEL;
    int64_t part_end = c->first_row + c->row_count;
    ck_pack_rows rows = {.begin = begin, .end = panel_end, .padded_end = panel_end};
    if (rows.begin < c->first_row) rows.begin = c->first_row;
    if (rows.end > part_end) rows.end = part_end;
    if (part_end != c->n) rows.padded_end = rows.end;
    return rows;
}

static void place(const ck_pack_call *c, int64_t row, int64_t i) {
    int64_t source = (row - c->first_row) * c->k + i, destination = ck_packed_index(c->dtype, c->k, row, i);
    bool inside = row < c->n && i < c->k;
    if (c->dtype == CK_F32) {
        ((uint32_t *)c->destination)[destination] = inside ? ((const uint32_t *)c->source)[source] : 0;
    } else {
        ((uint16_t *)c->destination)[destination] = inside ? ((const uint16_t *)c->source)[source] : 0;
    }
}

void ck_pack_elements(const ck_pack_call *c, int64_t row_begin, int64_t row_end, int64_t i_begin, int64_t i_end) {
    for (int64_t row = row_begin; row < row_end; row++) {
        for (int64_t i = i_begin; i < i_end; i++) place(c, row, i);
    }
}

void ck_pack_plain(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_pack_call *c = argument;
    if (c->dtype == CK_I8 || c->dtype == CK_I4) {
        quantize_panels(c, begin, end);
        return;
    }
    int64_t first_panel = c->first_row / CK_PANEL;
    for (int64_t panel = first_panel + begin; panel < first_panel + end; panel++) {
        ck_pack_rows rows = ck_pack_rows_of(c, panel);
        ck_pack_elements(c, rows.begin, rows.padded_end, 0, ck_padded_k(c->dtype, c->k));
    }
}
