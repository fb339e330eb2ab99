/* Parts of the AVX2 gemm table. */
#ifndef CK_AVX2_GEMM_H
#define CK_AVX2_GEMM_H

#include <immintrin.h>

#include "../templates/gemm_block.h"

void ck_pack_avx2(const void *call, int32_t begin, int32_t end, int32_t worker);

#endif
