// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "platform/platform.h"

#include "common/fail.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct HypThread {
    pthread_t id;
    void (*body)(void *argument);
    void *argument;
};

static void *run_body(void *opaque)
{
    const HypThread *thread = opaque;
    thread->body(thread->argument);
    return NULL;
}

// An error number, 0 for success. The new thread gets no signals: handlers are the program's.
static int start(HypThread *thread, int cpu)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        error = pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
    }
    if (!error) {
        sigset_t all;
        sigset_t before;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(&thread->id, &attributes, run_body, thread);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    return error;
}

HypThread *hyp_platform_start_thread(void (*body)(void *argument), void *argument, int cpu)
{
    if (cpu >= CPU_SETSIZE)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "start thread: CPU 0 to %d, given %d",
                             CPU_SETSIZE - 1, cpu);
    HypThread *thread = malloc(sizeof *thread);
    if (!thread)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "start thread: out of memory");
    *thread = (HypThread){.body = body, .argument = argument};
    const int error = start(thread, cpu);
    if (!error)
        return thread;
    free(thread);
    if (cpu >= 0)
        return hyp_fail_null(HYPERION_ERROR_ARGUMENT, "start thread on CPU %d: %s", cpu,
                             strerror(error));
    return hyp_fail_null(HYPERION_ERROR_MEMORY, "start thread: %s", strerror(error));
}

void hyp_platform_join_thread(HypThread *thread)
{
    (void)pthread_join(thread->id, NULL);
    free(thread);
}

int hyp_platform_cpu_count(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Both may fail: the value has changed already, or a signal came. The callers look again.
void hyp_platform_sleep_while(atomic_uint *word, unsigned value)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void hyp_platform_wake(atomic_uint *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

// The futex lock of Drepper, "Futexes Are Tricky" (2011), its second: whoever slept takes the lock
// as one that others may wait for, since it cannot know that none do.
void hyp_platform_lock(HypLock *lock)
{
    unsigned found = 0;
    if (atomic_compare_exchange_strong(&lock->state, &found, 1))
        return;
    if (found != 2)
        found = atomic_exchange(&lock->state, 2);
    while (found != 0) {
        hyp_platform_sleep_while(&lock->state, 2);
        found = atomic_exchange(&lock->state, 2);
    }
}

void hyp_platform_unlock(HypLock *lock)
{
    if (atomic_exchange(&lock->state, 0) == 2)
        hyp_platform_wake(&lock->state);
}
