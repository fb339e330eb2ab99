/* Which kernel paths processor and operating system support. */
#include "ck_dispatch.h"

#if defined(__x86_64__)

/* The builtins also ask whether the operating system saves the vector registers. */
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool ck_cpu_has_vnni(void) {
    __builtin_cpu_init();
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

bool ck_cpu_supports(ck_path path) {
    __builtin_cpu_init();
    switch (path) {
    case CK_PLAIN: return true;
    case CK_AVX2: return has_avx2();
    case CK_AVX512: return has_avx512();
    case CK_AVX512BF16: return ck_cpu_has_vnni() && __builtin_cpu_supports("avx512bf16");
    }
    return false;
}

#else

bool ck_cpu_has_vnni(void) { return false; }

bool ck_cpu_supports(ck_path path) { return path == CK_PLAIN; }

#endif
