// SPDX-License-Identifier: Apache-2.0
// thread_pool.h - what models need of pools beside hyperion/parallel.h: shared ownership.
#ifndef HYP_THREAD_POOL_H
#define HYP_THREAD_POOL_H

#include "hyperion/parallel.h"

// One more owner; returns the pool, NULL for NULL. Each owner frees it.
HyperionThreadPool *hyp_thread_pool_share(HyperionThreadPool *pool);

#endif
