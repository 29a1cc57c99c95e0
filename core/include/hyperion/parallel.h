// SPDX-License-Identifier: Apache-2.0
// parallel.h - pools of threads, for models and for kernels called on their own.
#ifndef HYPERION_PARALLEL_H
#define HYPERION_PARALLEL_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HYPERION_MAX_THREADS 1024

// A pool for parallel-fors of up to `thread_count` (1 to HYPERION_MAX_THREADS) threads: the one
// that calls, which is thread 0, and thread_count - 1 that the pool starts. They wait for work
// first spinning, for some 10 us, then asleep. cpus NULL leaves them where the caller may run; else
// thread i > 0 is bound to CPU cpus[i] before it touches any memory; cpus[0] is not looked at,
// binding the caller being its own affair. NULL on a count out of range, a CPU this process may not
// use, or when the system starts no more threads. The caller frees.
HyperionThreadPool *hyperionCreateThreadPool(int thread_count, const int *cpus);

// Ends and joins the threads, when no model has the pool any longer. Not to be called in a task.
// NULL is allowed.
void hyperionFreeThreadPool(HyperionThreadPool *pool);

// Threads of the pool, the caller counted; 0 for a NULL pool.
int hyperionThreadPoolSize(const HyperionThreadPool *pool);

// The pool as kernels take it; good for as long as the pool. Any thread may run it: one that finds
// the pool at work, also from inside a task, does all of its tasks itself, one after another. For a
// NULL pool, one thread.
HyperionParallel hyperionThreadPoolParallel(HyperionThreadPool *pool);

// Lets a model run on a pool of the caller's, for instance one bound to chosen CPUs, instead of one
// of its own. Models may share a pool. The caller may free it at any time: the model keeps it alive
// until it is given another, a thread count, or freed. pool NULL: back to one thread. False, and
// nothing changed, on a NULL or running model.
bool hyperionSetThreadPool(HyperionModel *model, HyperionThreadPool *pool);

#ifdef __cplusplus
}
#endif
#endif
