#if defined(__x86_64__)
#include "../templates/vector_avx512.h"
#define CK_ENCODER_TABLE ck_encoder_avx512
#include "../templates/encoder.h"
#endif
