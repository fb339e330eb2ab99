/* Worker pool: see ck_pool.h.
 *
 * A region is announced by a generation counter and ends when all workers have reported to a second counter; each has
 * its own pair of cache lines. Both sides may sleep on a futex. The order that makes this safe is the usual one: a
 * sleeper first says that it is about to sleep and then looks again; a waker first changes what the sleeper looks at
 * and then looks for sleepers; all four are sequentially consistent, so at least one sees the other. */
#include "ck_pool.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE 128
/* Looks before the clock is read, in a worker. */
enum { SPINS_PER_CLOCK = 256 };
/* A worker without work sleeps after this: within a step, where the caller is busy with something serial ... */
static const int64_t step_spin_ns = 2000000;
/* ... and outside, where the next step may follow at once. */
static const int64_t linger_ns = 200000;
/* The caller gives way sooner (some 50 us): a worker may be waiting for this very CPU. */
enum { CALLER_SPINS = 2000 };

typedef struct worker {
    ck_pool *pool;
    pthread_t thread;
    int32_t index;
    int32_t cpu; /* -1: not pinned */
} worker;

struct ck_pool {
    _Alignas(LINE) _Atomic uint32_t generation;
    /* What the workers sleep on. */
    _Alignas(LINE) _Atomic uint32_t signal;
    _Atomic int32_t sleepers;
    _Atomic bool stepping, stopping;
    _Alignas(LINE) _Atomic uint32_t done;
    _Atomic bool caller_sleeps;
    _Alignas(LINE) _Atomic int32_t next;
    /* The region: written by the caller before `generation`, read by workers after it. */
    _Alignas(LINE) ck_range_fn function;
    const void *call;
    int32_t count, grain;
    bool dynamic;

    int32_t threads;
    int32_t caller_cpu;
    bool caller_pinned;
    cpu_set_t caller_mask;
    worker *workers;
};

static inline void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int32_t count) {
    syscall(SYS_futex, (uint32_t *)word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void wake_workers(ck_pool *pool) {
    if (atomic_load(&pool->sleepers) > 0) {
        atomic_fetch_add(&pool->signal, 1);
        futex_wake(&pool->signal, INT_MAX);
    }
}

static void work(ck_pool *pool, int32_t index) {
    int32_t count = pool->count, grain = pool->grain;
    if (pool->dynamic) {
        for (;;) {
            int32_t begin = atomic_fetch_add_explicit(&pool->next, grain, memory_order_relaxed);
            if (begin >= count) return;
            pool->function(pool->call, begin, count - begin < grain ? count : begin + grain, index);
        }
    }
    /* In units of the grain, so that no border falls within one. */
    int64_t units = ((int64_t)count + grain - 1) / grain;
    int64_t begin = units * index / pool->threads * grain;
    int64_t end = units * (index + 1) / pool->threads * grain;
    if (end > count) end = count;
    if (begin < end) pool->function(pool->call, (int32_t)begin, (int32_t)end, index);
}

/* Waits for a generation other than `seen`. */
static uint32_t await_generation(ck_pool *pool, uint32_t seen) {
    for (;;) {
        int64_t start = 0;
        for (uint32_t spins = 1;; spins++) {
            uint32_t generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
            if (generation != seen) return generation;
            pause_cpu();
            if (spins % SPINS_PER_CLOCK != 0) continue;
            int64_t now = now_ns();
            if (start == 0) start = now;
            bool stepping = atomic_load_explicit(&pool->stepping, memory_order_relaxed);
            if (now - start >= (stepping ? step_spin_ns : linger_ns)) break;
        }
        /* `signal` is read before `sleepers` is raised, so a wake-up from here on changes it and is not lost. */
        uint32_t signal = atomic_load(&pool->signal);
        atomic_fetch_add(&pool->sleepers, 1);
        if (atomic_load(&pool->generation) == seen) futex_wait(&pool->signal, signal);
        atomic_fetch_sub(&pool->sleepers, 1);
    }
}

static void pin(int32_t cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    /* A CPU may have been taken away since the mask was read; unpinned still works. */
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void *worker_main(void *argument) {
    worker *self = argument;
    ck_pool *pool = self->pool;
    if (self->cpu >= 0) pin(self->cpu);
    uint32_t seen = 0;
    for (;;) {
        seen = await_generation(pool, seen);
        if (atomic_load(&pool->stopping)) return NULL;
        work(pool, self->index);
        atomic_fetch_add(&pool->done, 1);
        if (atomic_load(&pool->caller_sleeps)) futex_wake(&pool->done, 1);
    }
}

ck_pool *ck_pool_create(int32_t threads, const int32_t *cpus) {
    if (threads < 1) threads = 1;
    void *memory = NULL;
    if (posix_memalign(&memory, LINE, sizeof(ck_pool)) != 0) return NULL;
    memset(memory, 0, sizeof(ck_pool));
    ck_pool *pool = memory;
    pool->threads = 1;
    pool->caller_cpu = cpus != NULL && threads > 1 ? cpus[0] : -1;
    if (threads == 1) return pool;
    pool->workers = calloc((size_t)threads - 1, sizeof(worker));
    if (pool->workers == NULL) {
        free(pool);
        return NULL;
    }
    /* Signals belong to the program's own threads. */
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    for (int32_t i = 1; i < threads; i++) {
        worker *w = &pool->workers[i - 1];
        *w = (worker){.pool = pool, .index = i, .cpu = cpus != NULL ? cpus[i] : -1};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) break;
        pthread_setname_np(w->thread, "radish-compute");
        /* Workers read it only after the first generation. */
        pool->threads = i + 1;
    }
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    return pool;
}

void ck_pool_destroy(ck_pool *pool) {
    if (pool == NULL) return;
    ck_pool_end(pool);
    atomic_store(&pool->stopping, true);
    atomic_fetch_add(&pool->generation, 1);
    wake_workers(pool);
    for (int32_t i = 1; i < pool->threads; i++) pthread_join(pool->workers[i - 1].thread, NULL);
    free(pool->workers);
    free(pool);
}

int32_t ck_affinity(int32_t *cpus, int32_t capacity) {
    /* The kernel's mask may be longer than cpu_set_t; 16384 CPUs are more than Linux can be built for. */
    static const size_t bits = 8 * sizeof(unsigned long);
    unsigned long mask[16384 / (8 * sizeof(unsigned long))] = {0};
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int32_t count = 0;
    for (size_t cpu = 0; bytes > 0 && cpu < (size_t)bytes * 8 && count < capacity; cpu++)
        if (mask[cpu / bits] >> cpu % bits & 1) cpus[count++] = (int32_t)cpu;
    return count;
}

int32_t ck_pool_threads(const ck_pool *pool) { return pool->threads; }

void ck_pool_begin(ck_pool *pool) {
    if (pool->threads == 1 || atomic_load_explicit(&pool->stepping, memory_order_relaxed)) return;
    if (pool->caller_cpu >= 0 && sched_getaffinity(0, sizeof pool->caller_mask, &pool->caller_mask) == 0) {
        pin(pool->caller_cpu);
        pool->caller_pinned = true;
    }
    atomic_store(&pool->stepping, true);
    wake_workers(pool);
}

void ck_pool_end(ck_pool *pool) {
    if (!atomic_load_explicit(&pool->stepping, memory_order_relaxed)) return;
    atomic_store(&pool->stepping, false);
    if (pool->caller_pinned) {
        (void)sched_setaffinity(0, sizeof pool->caller_mask, &pool->caller_mask);
        pool->caller_pinned = false;
    }
}

void ck_pool_run(
    ck_pool *pool, ck_range_fn function, const void *call, int32_t count, int32_t grain, bool dynamic) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    /* `next` passes the end by up to one grain for each worker. */
    if (grain > INT32_MAX / 4 / pool->threads) grain = INT32_MAX / 4 / pool->threads;
    if (pool->threads == 1 || count <= grain) {
        function(call, 0, count, 0);
        return;
    }
    pool->function = function;
    pool->call = call;
    pool->count = count;
    pool->grain = grain;
    pool->dynamic = dynamic && count <= INT32_MAX / 2;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_fetch_add(&pool->generation, 1);
    wake_workers(pool);
    work(pool, 0);
    uint32_t others = (uint32_t)pool->threads - 1;
    for (int32_t spins = 0; spins < CALLER_SPINS; spins++) {
        if (atomic_load_explicit(&pool->done, memory_order_acquire) == others) return;
        pause_cpu();
    }
    atomic_store(&pool->caller_sleeps, true);
    for (;;) {
        uint32_t done = atomic_load(&pool->done);
        if (done == others) break;
        futex_wait(&pool->done, done);
    }
    atomic_store(&pool->caller_sleeps, false);
}
