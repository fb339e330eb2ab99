#if defined(__x86_64__)
#include "../templates/vector_avx512.h"
#define CK_SAMPLE_TABLE ck_sample_avx512
#include "../templates/sample.h"

/* Logits are float32 on every path. */
const ck_sample_table ck_sample_avx512bf16 = {argmax, clean, maximum, exponentials, levels, collect, top};
#endif
