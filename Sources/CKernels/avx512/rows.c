#if defined(__x86_64__)
#include "../templates/vector_avx512.h"
#define CK_ROWS_TABLE ck_rows_avx512
#include "../templates/rows.h"

/* Nothing here multiplies bfloat16. */
const ck_rows_table ck_rows_avx512bf16 = {rms_norm, gated_silu, soft_cap, rotate_store};
#endif
