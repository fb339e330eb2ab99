/* One row of tables per path. */
#include "ck_dispatch.h"

#include <string.h>

#define TABLES(SUFFIX) \
    &ck_gemm_##SUFFIX, &ck_attention_##SUFFIX, &ck_rows_##SUFFIX, &ck_sample_##SUFFIX

static const ck_kernels all_kernels[] = {
    [CK_PLAIN] = {"plain", CK_PLAIN, TABLES(plain), &ck_encoder_plain},
#if defined(__x86_64__)
    [CK_AVX2] = {"avx2", CK_AVX2, TABLES(avx2), &ck_encoder_avx2},
    [CK_AVX512] = {"avx512", CK_AVX512, TABLES(avx512), &ck_encoder_avx512},
    [CK_AVX512BF16] = {"avx512bf16", CK_AVX512BF16, TABLES(avx512bf16), &ck_encoder_avx512},
#endif
};

static const char *const names[CK_PATHS] = {
    [CK_PLAIN] = "plain", [CK_AVX2] = "avx2", [CK_AVX512] = "avx512", [CK_AVX512BF16] = "avx512bf16"};

const char *ck_path_name(ck_path path) { return (unsigned)path < CK_PATHS ? names[path] : NULL; }

int ck_path_from_name(const char *name, ck_path *path) {
    for (int i = 0; i < CK_PATHS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *path = (ck_path)i;
            return 1;
        }
    }
    return 0;
}

const ck_kernels *ck_kernels_for(ck_path path) {
    if ((unsigned)path >= sizeof all_kernels / sizeof all_kernels[0] || !ck_cpu_supports(path)) return NULL;
    return &all_kernels[path];
}

const ck_kernels *ck_kernels_best(void) {
    int path = CK_PATHS - 1;
    while (!ck_kernels_for((ck_path)path)) path--; /* plain is always there */
    return ck_kernels_for((ck_path)path);
}
