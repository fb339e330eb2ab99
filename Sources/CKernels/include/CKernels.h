/* The door of CKernels: every inner loop of the CPU backend. One header per operation family. */
#ifndef CKERNELS_H
#define CKERNELS_H

#include "ck_types.h"
#include "ck_pool.h"
#include "ck_coded.h"
#include "ck_gemm.h"
#include "ck_attention.h"
#include "ck_rows.h"
#include "ck_encoder.h"
#include "ck_sample.h"
#include "ck_dispatch.h"
#include "ck_ceilings.h"

#endif
