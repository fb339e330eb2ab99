#if defined(__x86_64__)
#include "../templates/vector_avx2.h"
#include "../templates/attention.h"
#include "../templates/attention_float.h"

const ck_attention_table ck_attention_avx2 = {pack_query, split, merge, finish};
#endif
