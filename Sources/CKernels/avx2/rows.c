#if defined(__x86_64__)
#include "../templates/vector_avx2.h"
#define CK_ROWS_TABLE ck_rows_avx2
#include "../templates/rows.h"
#endif
