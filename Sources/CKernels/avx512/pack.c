/* Packing of weights with AVX-512: transposes of 16 x 16 words. */
#if defined(__x86_64__)

#include "avx512_gemm.h"
#include "../plain/plain_gemm.h"

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)

#define PACK_LANES 16
#define PACK_UNROLL _Pragma("clang loop unroll(full)")

typedef __m512i words;

static inline words words_load(const void *p) { return _mm512_loadu_si512(p); }
static inline void words_store(void *p, words v) { _mm512_storeu_si512(p, v); }
static inline void words_store_low_halves(void *p, words v) { _mm256_storeu_si256(p, _mm512_cvtepi32_epi16(v)); }
static inline void words_store_high_halves(void *p, words v) {
    _mm256_storeu_si256(p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(v, 16)));
}

/* Words within a 128-bit quarter first, pairs of words next, then whole quarters. */
static inline __attribute__((always_inline)) void words_transpose(words t[PACK_LANES]) {
    words a[16], b[16];
    PACK_UNROLL for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_epi32(t[i], t[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(t[i], t[i + 1]);
    }
    /* b[4g + j]: word j of each quarter, of rows 4g ... 4g + 3 */
    PACK_UNROLL for (int g = 0; g < 16; g += 4) {
        b[g] = _mm512_unpacklo_epi64(a[g], a[g + 2]);
        b[g + 1] = _mm512_unpackhi_epi64(a[g], a[g + 2]);
        b[g + 2] = _mm512_unpacklo_epi64(a[g + 1], a[g + 3]);
        b[g + 3] = _mm512_unpackhi_epi64(a[g + 1], a[g + 3]);
    }
    PACK_UNROLL for (int j = 0; j < 4; j++) {
        words even_low = _mm512_shuffle_i32x4(b[j], b[4 + j], 0x88), odd_low = _mm512_shuffle_i32x4(b[j], b[4 + j], 0xdd);
        words even_high = _mm512_shuffle_i32x4(b[8 + j], b[12 + j], 0x88);
        words odd_high = _mm512_shuffle_i32x4(b[8 + j], b[12 + j], 0xdd);
        t[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        t[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        t[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        t[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
}

#include "../templates/pack_panels.h"
#include "../templates/quantize_rows.h"
#include "../templates/quantize_panels.h"

void ck_pack_avx512(const void *call, int32_t begin, int32_t end, int32_t worker) {
    const ck_pack_call *c = call;
    if (c->dtype == CK_I8 || c->dtype == CK_I4) quantize_panels(c, begin, end);
    else pack(call, begin, end, worker);
}

#pragma clang attribute pop

#endif
