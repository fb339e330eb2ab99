/* Parts of the AVX2 gemm table. */
#ifndef CK_AVX2_GEMM_H
#define CK_AVX2_GEMM_H

#include <immintrin.h>

#include "../templates/gemm_block.h"

void ck_pack_avx2(const void *call, int32_t begin, int32_t end, int32_t worker);

/* Weights of CK_I8 and CK_I4, and activations for them. */
void ck_gemm_quantized_avx2(
    const ck_gemm_call *call, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
void ck_prepare_quantized_avx2(const ck_prepare_call *call, int64_t begin, int64_t end);

#endif
