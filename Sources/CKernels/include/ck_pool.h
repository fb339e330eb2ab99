/* A pool of persistent threads for parallel regions of a few microseconds.
 *
 * The thread that calls ck_pool_run is worker 0. Between ck_pool_begin and ck_pool_end idle workers spin (for at most
 * two milliseconds), so that a region costs a fraction of a microsecond. Outside they sleep in the kernel, 0.2 ms after
 * the last region; a region still works but has to wake them. One thread at a time may use a pool. */
#ifndef CK_POOL_H
#define CK_POOL_H

#include "ck_types.h"

/* A piece of a parallel region: indices begin ..< end of `call`, on worker `worker` (0 ..< threads). */
typedef void (*ck_range_fn)(const void *call, int32_t begin, int32_t end, int32_t worker);

typedef struct ck_pool ck_pool;

/* `cpus`: worker i is pinned to cpus[i] (worker 0 only from ck_pool_begin to ck_pool_end, and then gets back the mask
 * it had); NULL leaves all threads where the system puts them. Returns NULL if memory is short. Threads that cannot be
 * started are done without: see ck_pool_threads. */
ck_pool *ck_pool_create(int32_t threads, const int32_t *cpus);
void ck_pool_destroy(ck_pool *pool);
int32_t ck_pool_threads(const ck_pool *pool);

/* The CPUs the calling thread may run on, ascending; returns how many. */
int32_t ck_affinity(int32_t *cpus, int32_t capacity);

void ck_pool_begin(ck_pool *pool);
void ck_pool_end(ck_pool *pool);

/* Calls `function` for all of 0 ..< count, in ranges of at least `grain` indices (but for the last), and returns when
 * all are done. `dynamic`: ranges of `grain` go to whoever is free, for long or uneven work; otherwise each worker gets
 * one range of about the same length. Work that fits in one grain runs on the caller. */
void ck_pool_run(
    ck_pool *pool, ck_range_fn function, const void *call, int32_t count, int32_t grain, bool dynamic);

#endif
