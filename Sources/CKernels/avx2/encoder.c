#if defined(__x86_64__)
#include "../templates/vector_avx2.h"
#define CK_ENCODER_TABLE ck_encoder_avx2
#include "../templates/encoder.h"
#endif
