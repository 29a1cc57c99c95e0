// SPDX-License-Identifier: Apache-2.0
#define _XOPEN_SOURCE 700
#include "platform/platform.h"

#include "common/fail.h"

#include <pthread.h>
#include <stdlib.h>

struct HypMonitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

HypMonitor *hyp_platform_create_monitor(void)
{
    HypMonitor *monitor = malloc(sizeof *monitor);
    if (!monitor)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "create monitor: out of memory");
    // With default attributes neither fails on Linux.
    (void)pthread_mutex_init(&monitor->mutex, NULL);
    (void)pthread_cond_init(&monitor->changed, NULL);
    return monitor;
}

void hyp_platform_free_monitor(HypMonitor *monitor)
{
    if (!monitor)
        return;
    (void)pthread_cond_destroy(&monitor->changed);
    (void)pthread_mutex_destroy(&monitor->mutex);
    free(monitor);
}

void hyp_platform_enter(HypMonitor *monitor)
{
    (void)pthread_mutex_lock(&monitor->mutex);
}

void hyp_platform_leave(HypMonitor *monitor)
{
    (void)pthread_mutex_unlock(&monitor->mutex);
}

void hyp_platform_wait(HypMonitor *monitor)
{
    (void)pthread_cond_wait(&monitor->changed, &monitor->mutex);
}

void hyp_platform_notify(HypMonitor *monitor)
{
    (void)pthread_cond_broadcast(&monitor->changed);
}
