/* Packing of weights with AVX2: transposes of 8 x 8 words. */
#if defined(__x86_64__)

#include "avx2_gemm.h"
#include "../plain/plain_gemm.h"

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

#define PACK_LANES 8
#define PACK_UNROLL _Pragma("clang loop unroll(full)")

typedef __m256i words;

static inline words words_load(const void *p) { return _mm256_loadu_si256(p); }
static inline void words_store(void *p, words v) { _mm256_storeu_si256(p, v); }
/* The words are below 65536. */
static inline void words_store_narrow(void *p, words v) {
    words packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(v, v), 0x08);
    _mm_storeu_si128(p, _mm256_castsi256_si128(packed));
}
static inline void words_store_low_halves(void *p, words v) {
    words_store_narrow(p, _mm256_and_si256(v, _mm256_set1_epi32(0xffff)));
}
static inline void words_store_high_halves(void *p, words v) { words_store_narrow(p, _mm256_srli_epi32(v, 16)); }

/* Words within a 128-bit half first, pairs of words next, then the halves. */
static inline __attribute__((always_inline)) void words_transpose(words t[PACK_LANES]) {
    words a[8], b[8];
    PACK_UNROLL for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_epi32(t[i], t[i + 1]);
        a[i + 1] = _mm256_unpackhi_epi32(t[i], t[i + 1]);
    }
    PACK_UNROLL for (int g = 0; g < 8; g += 4) {
        b[g] = _mm256_unpacklo_epi64(a[g], a[g + 2]);
        b[g + 1] = _mm256_unpackhi_epi64(a[g], a[g + 2]);
        b[g + 2] = _mm256_unpacklo_epi64(a[g + 1], a[g + 3]);
        b[g + 3] = _mm256_unpackhi_epi64(a[g + 1], a[g + 3]);
    }
    PACK_UNROLL for (int j = 0; j < 4; j++) {
        t[j] = _mm256_permute2x128_si256(b[j], b[4 + j], 0x20);
        t[4 + j] = _mm256_permute2x128_si256(b[j], b[4 + j], 0x31);
    }
}

#include "../templates/pack_panels.h"
#include "../templates/quantize_rows.h"
#include "../templates/quantize_panels.h"

void ck_pack_avx2(const void *call, int32_t begin, int32_t end, int32_t worker) {
    const ck_pack_call *c = call;
    if (c->dtype == CK_I8 || c->dtype == CK_I4) quantize_panels(c, begin, end);
    else pack(call, begin, end, worker);
}

#pragma clang attribute pop

#endif
