// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "platform/platform.h"

#include <time.h>

uint64_t hyp_platform_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail: the clock exists and `now` is good
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
