/* The kernels of each path, and which paths this machine can run. */
#ifndef CK_DISPATCH_H
#define CK_DISPATCH_H

#include "ck_attention.h"
#include "ck_encoder.h"
#include "ck_gemm.h"
#include "ck_rows.h"
#include "ck_sample.h"
#include "ck_types.h"

typedef struct ck_kernels {
    const char *name;
    ck_path path;
    const ck_gemm_table *gemm;
    const ck_attention_table *attention;
    const ck_rows_table *rows;
    const ck_sample_table *sample;
    const ck_encoder_table *encoder;
} ck_kernels;

/* NULL if the processor, the operating system or the build lacks the path. Plain is always there. */
const ck_kernels *ck_kernels_for(ck_path path);

/* The best path that this machine can run. */
const ck_kernels *ck_kernels_best(void);

/* plain, avx2, avx512, avx512bf16. NULL for anything else. */
const char *ck_path_name(ck_path path);

/* The opposite. Returns 1 and sets *path, or returns 0 and leaves it. */
int ck_path_from_name(const char *name, ck_path *path);

/* Whether processor and operating system support what the path needs. */
bool ck_cpu_supports(ck_path path);

/* Whether there are dot products of four bytes (AVX512-VNNI), beside AVX-512. */
bool ck_cpu_has_vnni(void);

#endif
