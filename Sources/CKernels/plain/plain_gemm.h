/* Parts of the plain gemm table that other paths use as well. */
#ifndef CK_PLAIN_GEMM_H
#define CK_PLAIN_GEMM_H

#include "../gemm_layout.h"

/* The rows of a part that lie in one panel, and the padding below them that the part has to write. */
typedef struct ck_pack_rows {
    int64_t begin, end;     /* rows of the packed whole that the part has */
    int64_t padded_end;     /* end, or the end of the last panel */
} ck_pack_rows;

ck_pack_rows ck_pack_rows_of(const ck_pack_call *call, int64_t panel);

/* Places elements i_begin ..< i_end of rows row_begin ..< row_end; rows from n on and elements from k on are 0. */
void ck_pack_elements(
    const ck_pack_call *call, int64_t row_begin, int64_t row_end, int64_t i_begin, int64_t i_end);

void ck_pack_plain(const void *call, int32_t begin, int32_t end, int32_t worker);

/* k, or the even number above it where pairs are stored. */
static inline int64_t ck_padded_k(ck_dtype dtype, int64_t k) { return dtype == CK_BF16 ? (k + 1) / 2 * 2 : k; }

#endif
