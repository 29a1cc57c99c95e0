// SPDX-License-Identifier: Apache-2.0
#include "common/fail.h"
#include "model/graph.h"
#include "model/thread_pool.h"

static bool replace_threads(HyperionModel *model, const char *call, HyperionThreadPool *pool,
                            int thread_count)
{
    if (!hyp_model_begin_change(model, call))
        return false;
    hyperionFreeThreadPool(model->pool);
    model->pool = hyp_thread_pool_share(pool);
    model->settings.thread_count = thread_count;
    hyp_model_end_change(model);
    return true;
}

bool hyperionSetThreadCount(HyperionModel *model, int thread_count)
{
    if (thread_count < 0 || thread_count > HYPERION_MAX_THREADS)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "set thread count: 0 to %d, given %d",
                        HYPERION_MAX_THREADS, thread_count);
    return replace_threads(model, "set thread count", NULL,
                           thread_count ? thread_count : hyp_platform_cpu_count());
}

bool hyperionSetThreadPool(HyperionModel *model, HyperionThreadPool *pool)
{
    return replace_threads(model, "set thread pool", pool, pool ? hyperionThreadPoolSize(pool) : 1);
}

int hyperionGetThreadCount(const HyperionModel *model)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get thread count: model is NULL");
        return -1;
    }
    return model->settings.thread_count;
}
