// SPDX-License-Identifier: Apache-2.0
// thread_pool.h - what models need of pools beside hyperion/parallel.h: shared ownership.
#ifndef HYP_THREAD_POOL_H
#define HYP_THREAD_POOL_H

#include "hyperion/parallel.h"

// About 1 us of AVX-512. A hand-off to a spinning worker takes 0.14 us, and a product needs two:
// with two threads 64 x 64 x 64, four times this, takes 0.6 of the time of one (Zen 5).
#define HYP_LEAST_WORK 0x1p17

// One more owner; returns the pool, NULL for NULL. Each owner frees it.
HyperionThreadPool *hyp_thread_pool_share(HyperionThreadPool *pool);

#endif
