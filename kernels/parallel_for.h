// SPDX-License-Identifier: Apache-2.0
// parallel_for.h - how loop nests share their work among the threads of a HyperionParallel. Every
// result is computed by one thread in the order in which a single thread would, so that results do
// not depend on the number of threads.
#ifndef HYP_PARALLEL_FOR_H
#define HYP_PARALLEL_FOR_H

#include "hyperion/types.h"

// Operations that one element costs where loading and storing it is most of that, and where an
// exponential is: for hyp_parallel_threads.
enum { HYP_WORK_STREAMED = 4, HYP_WORK_EXPONENTIAL = 32 };

// Elements of a cache line: arrays are cut there, so that two threads seldom write to one.
enum { HYP_LINE_FLOATS = 16 };

typedef struct HypRange {
    size_t first, end;
} HypRange;

// How many threads `work`, in floating-point operations, is worth. 1 for NULL.
static inline size_t hyp_parallel_threads(const HyperionParallel *parallel, double work)
{
    if (!parallel || parallel->threads < 2)
        return 1;
    if (!(parallel->least_work > 0) || work >= parallel->least_work * (double)parallel->threads)
        return parallel->threads;
    const size_t worth = (size_t)(work / parallel->least_work);
    return worth > 0 ? worth : 1;
}

// Where part `part` of 0 .. total - 1 in `parts` parts begins, cut at multiples of `step`.
static inline size_t hyp_parallel_cut(size_t total, size_t step, size_t parts, size_t part)
{
    const size_t steps = (total + step - 1) / step;
    const size_t cut = (steps * part + parts - 1) / parts * step;
    return cut < total ? cut : total;
}

// That part; the longest has at most one step more than the shortest.
static inline HypRange hyp_parallel_part(size_t total, size_t step, size_t parts, size_t part)
{
    if (parts == 1)
        return (HypRange){0, total};
    return (HypRange){hyp_parallel_cut(total, step, parts, part),
                      hyp_parallel_cut(total, step, parts, part + 1)};
}

// task(context, thread) for each thread < count; in the calling thread where count is 1.
static inline void hyp_parallel_run(const HyperionParallel *parallel, size_t count,
                                    HyperionParallelTask task, void *context)
{
    if (count > 1)
        parallel->run(parallel->pool, count, task, context);
    else
        task(context, 0);
}

// What a kernel's task gets as context.
typedef struct HypParallelCall {
    const void *args; // of the kernel
    size_t threads;   // that share the work
} HypParallelCall;

// Shares `work` floating-point operations: task(context, thread) with a HypParallelCall as context.
static inline void hyp_parallel_call(const HyperionParallel *parallel, double work,
                                     HyperionParallelTask task, const void *args)
{
    HypParallelCall call = {args, hyp_parallel_threads(parallel, work)};
    hyp_parallel_run(parallel, call.threads, task, &call);
}

#endif
