#if defined(__x86_64__)
#include "../templates/vector_avx2.h"
#define CK_SAMPLE_TABLE ck_sample_avx2
#include "../templates/sample.h"
#endif
