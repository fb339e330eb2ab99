/* What the AVX-512 tables share. */
#ifndef CK_AVX512_GEMM_H
#define CK_AVX512_GEMM_H

#include <immintrin.h>

#include "../templates/gemm_block.h"

void ck_pack_avx512(const void *call, int32_t begin, int32_t end, int32_t worker);

void ck_gemm_f32_avx512(
    const ck_gemm_call *call, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
void ck_gemm_f16_avx512(
    const ck_gemm_call *call, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);

/* Weights of CK_I8 and CK_I4, and activations for them; for processors with AVX512-VNNI. */
void ck_gemm_quantized_vnni(
    const ck_gemm_call *call, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end);
void ck_prepare_quantized_vnni(const ck_prepare_call *call, int64_t begin, int64_t end);

#endif
