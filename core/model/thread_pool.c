// SPDX-License-Identifier: Apache-2.0
// Each worker has a cache line of its own, over which it is handed a task and says that it is done:
// a task for two of sixteen threads disturbs one. Whoever waits spins, then sleeps, and says so in
// that line, so that only sleepers cost a system call.
#include "model/thread_pool.h"

#include "common/fail.h"
#include "platform/platform.h"

#include <stdalign.h>
#include <stdatomic.h>

enum {
    LINE_BYTES = 64,
    // 10 to 50 us, about what it costs to sleep and to be woken: waiting so costs at most twice the
    // best (Karlin et al. 1991).
    SPINS = 1000
};

typedef enum WorkerState {
    WORKER_IDLE,   // done, and looks for work
    WORKER_ASLEEP, // the same, to be woken
    WORKER_BUSY,   // has work or is to take it
    WORKER_AWAITED // the same, and its caller sleeps
} WorkerState;

typedef struct Worker {
    alignas(LINE_BYTES) atomic_uint state; // a WorkerState
    HyperionThreadPool *pool;
    size_t thread;
    HypThread *handle;
} Worker;

struct HyperionThreadPool {
    HyperionParallelTask task; // of the run under way; NULL ends the workers
    void *context;
    atomic_bool at_work;
    atomic_int owners;
    size_t worker_count; // started
    int spins;
    Worker workers[]; // thread i is worker i - 1
};

static void pause_spinning(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool is_done(unsigned state)
{
    return state == WORKER_IDLE || state == WORKER_ASLEEP;
}

// Waits until the worker is done, or with `for_work` until it no longer is. The next step is then
// the waiting side's own, so that no other change can follow unseen.
static void await_change(Worker *worker, bool for_work)
{
    const unsigned waiting = for_work ? WORKER_IDLE : WORKER_BUSY;
    const unsigned asleep = for_work ? WORKER_ASLEEP : WORKER_AWAITED;
    for (int i = 0; i < worker->pool->spins; i++) {
        if (is_done(atomic_load_explicit(&worker->state, memory_order_acquire)) != for_work)
            return;
        pause_spinning();
    }
    unsigned expected = waiting;
    if (atomic_compare_exchange_strong(&worker->state, &expected, asleep))
        while (atomic_load(&worker->state) == asleep)
            hyp_platform_sleep_while(&worker->state, asleep);
}

// Sets the state and wakes who sleeps on it.
static void change_state(Worker *worker, unsigned state, unsigned asleep)
{
    if (atomic_exchange(&worker->state, state) == asleep)
        hyp_platform_wake(&worker->state);
}

static void do_tasks(void *argument)
{
    Worker *worker = argument;
    const HyperionThreadPool *pool = worker->pool;
    for (;;) {
        await_change(worker, true);
        const HyperionParallelTask task = pool->task;
        if (!task)
            return;
        task(pool->context, worker->thread);
        change_state(worker, WORKER_IDLE, WORKER_AWAITED);
    }
}

static void run_pool(void *opaque, size_t count, HyperionParallelTask task, void *context)
{
    HyperionThreadPool *pool = opaque;
    if (count < 2 || atomic_exchange(&pool->at_work, true)) {
        for (size_t i = 0; i < count; i++)
            task(context, i);
        return;
    }
    pool->task = task;
    pool->context = context;
    for (size_t i = 0; i + 1 < count; i++)
        change_state(&pool->workers[i], WORKER_BUSY, WORKER_ASLEEP);
    task(context, 0);
    for (size_t i = 0; i + 1 < count; i++)
        await_change(&pool->workers[i], false);
    atomic_store(&pool->at_work, false);
}

static void end_pool(HyperionThreadPool *pool)
{
    pool->task = NULL;
    for (size_t i = 0; i < pool->worker_count; i++)
        change_state(&pool->workers[i], WORKER_BUSY, WORKER_ASLEEP);
    for (size_t i = 0; i < pool->worker_count; i++)
        hyp_platform_join_thread(pool->workers[i].handle);
    hyp_platform_release(pool);
}

static HyperionThreadPool *start_pool(size_t worker_count, const int *cpus)
{
    HyperionThreadPool *pool =
        hyp_platform_allocate(sizeof *pool + worker_count * sizeof *pool->workers, LINE_BYTES);
    if (!pool)
        return NULL;
    *pool = (HyperionThreadPool){
        // Where threads outnumber CPUs, one that spins keeps the one it waits for from running.
        .spins = cpus || worker_count < (size_t)hyp_platform_cpu_count() ? SPINS : 0};
    atomic_init(&pool->at_work, false);
    atomic_init(&pool->owners, 1);
    for (size_t i = 0; i < worker_count; i++) {
        Worker *worker = &pool->workers[i];
        *worker = (Worker){.pool = pool, .thread = i + 1};
        atomic_init(&worker->state, WORKER_IDLE);
        worker->handle = hyp_platform_start_thread(do_tasks, worker, cpus ? cpus[i + 1] : -1);
        if (!worker->handle) {
            end_pool(pool);
            return NULL;
        }
        pool->worker_count++;
    }
    return pool;
}

HyperionThreadPool *hyperionCreateThreadPool(int thread_count, const int *cpus)
{
    if (thread_count < 1 || thread_count > HYPERION_MAX_THREADS)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT,
                             "create thread pool: 1 to %d threads, given %d", HYPERION_MAX_THREADS,
                             thread_count);
    for (int i = 1; cpus && i < thread_count; i++)
        if (cpus[i] < 0)
            return hyp_fail_null(HYPERION_ERROR_ARGUMENT,
                                 "create thread pool: CPU of thread %d is %d", i, cpus[i]);
    return start_pool((size_t)thread_count - 1, cpus);
}

HyperionThreadPool *hyp_thread_pool_share(HyperionThreadPool *pool)
{
    if (pool)
        atomic_fetch_add(&pool->owners, 1);
    return pool;
}

void hyperionFreeThreadPool(HyperionThreadPool *pool)
{
    if (pool && atomic_fetch_sub(&pool->owners, 1) == 1)
        end_pool(pool);
}

int hyperionThreadPoolSize(const HyperionThreadPool *pool)
{
    if (!pool) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "thread pool size: pool is NULL");
        return 0;
    }
    return (int)pool->worker_count + 1;
}

HyperionParallel hyperionThreadPoolParallel(HyperionThreadPool *pool)
{
    return (HyperionParallel){.threads = pool ? pool->worker_count + 1 : 1,
                              .least_work = HYP_LEAST_WORK,
                              .run = run_pool,
                              .pool = pool};
}
