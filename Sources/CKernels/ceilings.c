/* Loops that show the ceilings of a machine: see ck_ceilings.h. */
#include "ck_ceilings.h"

#include "ck_dispatch.h"

/* Uses a value without storing it, so that what made it is not optimized away. */
#if defined(__x86_64__)
#define USE(v) __asm__ volatile("" : "+v"(v))
#else
#define USE(v) __asm__ volatile("" : "+m"(v))
#endif
#define UNROLL _Pragma("clang loop unroll(full)")

/* Two instructions a cycle of four cycles each need eight sums in flight; more leave room for slower ones. */
enum { SUMS = 12, STREAMS = 8 };

static void read_plain(const void *argument, int32_t begin, int32_t end, int32_t worker) {
    (void)worker;
    const ck_read_call *c = argument;
    const uint64_t *p = (const uint64_t *)((const char *)c->data + (size_t)begin * CK_READ_CHUNK);
    const uint64_t *past = (const uint64_t *)((const char *)c->data + (size_t)end * CK_READ_CHUNK);
    uint64_t seen[STREAMS] = {0};
    for (; p < past; p += STREAMS) UNROLL for (int i = 0; i < STREAMS; i++) seen[i] |= p[i];
    for (int i = 1; i < STREAMS; i++) seen[0] |= seen[i];
    __asm__ volatile("" : : "r"(seen[0]));
}

static void f32_plain(const void *call, int32_t begin, int32_t end, int32_t worker) {
    (void)call, (void)worker;
    float sum[SUMS] = {0}, x = 1;
    for (int64_t n = (int64_t)(end - begin) * CK_MULTIPLY_ROUNDS; n > 0; n--)
        UNROLL for (int i = 0; i < SUMS; i++) {
            sum[i] += x * x;
            USE(sum[i]);
        }
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Far enough ahead that memory never waits for the loop. */
enum { AHEAD = 4096 };

#define READ(NAME, TARGET, VECTOR, ZERO, OR, LOAD)                                                     \
    __attribute__((target(TARGET))) static void NAME(                                                  \
        const void *argument, int32_t begin, int32_t end, int32_t worker) {                            \
        (void)worker;                                                                                  \
        const ck_read_call *c = argument;                                                              \
        const char *p = (const char *)c->data + (size_t)begin * CK_READ_CHUNK;                         \
        const char *past = (const char *)c->data + (size_t)end * CK_READ_CHUNK;                        \
        VECTOR seen[STREAMS];                                                                          \
        UNROLL for (int i = 0; i < STREAMS; i++) seen[i] = ZERO();                                     \
        for (; p < past; p += STREAMS * sizeof(VECTOR)) {                                              \
            UNROLL for (int i = 0; i < STREAMS; i++) seen[i] = OR(seen[i], LOAD((const VECTOR *)p + i)); \
            UNROLL for (size_t i = 0; i < STREAMS * sizeof(VECTOR); i += 64)                           \
                _mm_prefetch(p + AHEAD + i, _MM_HINT_T0);                                              \
        }                                                                                              \
        UNROLL for (int i = 0; i < STREAMS; i++) USE(seen[i]);                                         \
    }

#define MULTIPLY(NAME, TARGET, VECTOR, ZERO, X, FACTOR, STEP)                                 \
    __attribute__((target(TARGET))) static void NAME(                                         \
        const void *call, int32_t begin, int32_t end, int32_t worker) {                       \
        (void)call, (void)worker;                                                             \
        VECTOR sum[SUMS];                                                                     \
        FACTOR x = X;                                                                         \
        UNROLL for (int i = 0; i < SUMS; i++) sum[i] = ZERO();                                \
        for (int64_t n = (int64_t)(end - begin) * CK_MULTIPLY_ROUNDS; n > 0; n--)             \
            UNROLL for (int i = 0; i < SUMS; i++) {                                           \
                sum[i] = STEP;                                                                \
                USE(sum[i]);                                                                  \
            }                                                                                 \
    }

READ(read_avx2, "avx2", __m256i, _mm256_setzero_si256, _mm256_or_si256, _mm256_load_si256)
READ(read_avx512, "avx512f", __m512i, _mm512_setzero_si512, _mm512_or_si512, _mm512_load_si512)
MULTIPLY(f32_avx2, "avx2,fma", __m256, _mm256_setzero_ps, _mm256_set1_ps(1), __m256, _mm256_fmadd_ps(x, x, sum[i]))
MULTIPLY(f32_avx512, "avx512f", __m512, _mm512_setzero_ps, _mm512_set1_ps(1), __m512, _mm512_fmadd_ps(x, x, sum[i]))
MULTIPLY(
    bf16_avx512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps, (__m512bh)_mm512_set1_epi32(0x3f803f80), __m512bh,
    _mm512_dpbf16_ps(sum[i], x, x))
MULTIPLY(
    int8_avx512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512, _mm512_set1_epi32(0x01010101), __m512i,
    _mm512_dpbusd_epi32(sum[i], x, x))
#endif

ck_ceilings_table ck_ceilings(void) {
    ck_ceilings_table table = {read_plain, {f32_plain, 2 * SUMS}, {NULL, 0}, {NULL, 0}};
#if defined(__x86_64__)
    if (ck_cpu_supports(CK_AVX2)) {
        table.read = read_avx2;
        table.f32 = (ck_multiply){f32_avx2, 2 * 8 * SUMS};
    }
    if (ck_cpu_supports(CK_AVX512)) {
        table.read = read_avx512;
        table.f32 = (ck_multiply){f32_avx512, 2 * 16 * SUMS};
        if (__builtin_cpu_supports("avx512vnni")) table.int8 = (ck_multiply){int8_avx512, 2 * 64 * SUMS};
    }
    if (ck_cpu_supports(CK_AVX512BF16)) table.bf16 = (ck_multiply){bf16_avx512, 2 * 32 * SUMS};
#endif
    return table;
}
