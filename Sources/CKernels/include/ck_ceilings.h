/* What a processor can do at best: loops that only read, or only multiply in registers. Kernels are measured against
 * them, since no kernel can read or multiply faster. */
#ifndef CK_CEILINGS_H
#define CK_CEILINGS_H

#include "ck_pool.h"
#include "ck_types.h"

enum { CK_READ_CHUNK = 1 << 16 };

/* Reads CK_READ_CHUNK bytes for each index, from data + index * CK_READ_CHUNK, 64-byte aligned. */
typedef struct ck_read_call {
    const void *data;
} ck_read_call;

/* Each index is CK_MULTIPLY_ROUNDS rounds of independent multiply-adds on registers. */
enum { CK_MULTIPLY_ROUNDS = 4096 };

typedef struct ck_multiply {
    ck_range_fn run;     /* takes no call; NULL where there is no such instruction */
    int32_t operations;  /* of one round; a product and a sum are two */
} ck_multiply;

typedef struct ck_ceilings_table {
    ck_range_fn read;    /* ck_read_call */
    ck_multiply f32;
    ck_multiply bf16;    /* dot products of pairs */
    ck_multiply int8;    /* dot products of four */
} ck_ceilings_table;

/* The widest loops that this machine can run, whatever path the kernels are on. */
ck_ceilings_table ck_ceilings(void);

#endif
