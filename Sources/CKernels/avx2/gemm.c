/* Matrix products with AVX2, FMA and F16C. */
#if defined(__x86_64__)

#include "avx2_gemm.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "gemm_vector.h"
#include "coded_vector.h"
#define EXPAND_PAIRS 0
#include "../templates/expand_panel.h"

/* Of 16 registers up to 12 hold sums. One row takes a panel in one pass, as it comes from memory. A few rows wait for
 * memory too; passes of one cache line a step fetch what comes next at the steadiest rate. */
#define FLOAT_VECTORS(rows) ((rows) == 1 ? 8 : 2)
#include "../templates/gemm_float.h"

static void gemm(const ck_gemm_call *c, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
    switch (c->dtype) {
    case CK_F32: f32_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_F16: f16_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_BF16: bf16_run(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_I8:
    case CK_I4: ck_gemm_quantized_avx2(c, row_begin, row_end, panel_begin, panel_end); break;
    case CK_E4M3: break; /* pages only */
    }
}

static void prepare(const void *call, int32_t begin, int32_t end, int32_t worker) {
    const ck_prepare_call *c = call;
    if (c->dtype == CK_BF16) round_rows(call, begin, end, worker);
    else ck_prepare_quantized_avx2(c, begin, end);
}

#pragma clang attribute pop

const ck_gemm_table ck_gemm_avx2 = {ck_pack_avx2, prepare, gemm};

#endif
