/* Types shared by all kernels. */
#ifndef CK_TYPES_H
#define CK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Element types of weights (all but CK_E4M3) and of KV pages (all but CK_I4). Activations are always float32, row-major.
 * Of weights CK_I8 and CK_I4 are quantized (ck_gemm.h); of pages CK_I8 and CK_E4M3 (ck_attention.h). */
typedef enum { CK_F32 = 0, CK_F16 = 1, CK_BF16 = 2, CK_I8 = 3, CK_I4 = 4, CK_E4M3 = 5 } ck_dtype;

/* Kernel paths, worst to best. A path is usable when the processor and the operating system support it. */
enum { CK_PATHS = 4 };
typedef enum { CK_PLAIN = 0, CK_AVX2 = 1, CK_AVX512 = 2, CK_AVX512BF16 = 3 } ck_path;

#endif
