// SPDX-License-Identifier: Apache-2.0
// platform_read_threads.c - tries to read by threads, each of which makes one at a time. Who waits
// for them helps with what only has to be copied out of the page cache.
#define _GNU_SOURCE
#include "platform/platform_read.h"

#include "common/fail.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct Ring {
    HypReadTry **entries; // `depth`
    int first, count;
} Ring;

typedef struct Pool {
    pthread_mutex_t mutex;
    pthread_cond_t has_waiting, has_ended;
    Ring waiting, ended;
    int depth, thread_count;
    bool is_closing;
    HypThread *threads[];
} Pool;

static void push(Ring *ring, int depth, HypReadTry *attempt)
{
    ring->entries[(ring->first + ring->count++) % depth] = attempt;
}

static HypReadTry *pop(Ring *ring, int depth)
{
    HypReadTry *attempt = ring->entries[ring->first];
    ring->first = (ring->first + 1) % depth;
    ring->count--;
    return attempt;
}

static void make_try(HypReadTry *attempt)
{
    const ssize_t got =
        pread(attempt->descriptor, attempt->memory, attempt->size_bytes, (off_t)attempt->offset);
    attempt->result = got < 0 ? -errno : got;
}

static void work(void *opaque)
{
    Pool *pool = opaque;
    (void)pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->waiting.count == 0 && !pool->is_closing)
            (void)pthread_cond_wait(&pool->has_waiting, &pool->mutex);
        if (pool->waiting.count == 0)
            break;
        HypReadTry *attempt = pop(&pool->waiting, pool->depth);
        (void)pthread_mutex_unlock(&pool->mutex);
        make_try(attempt);
        (void)pthread_mutex_lock(&pool->mutex);
        push(&pool->ended, pool->depth, attempt);
        (void)pthread_cond_signal(&pool->has_ended);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
}

static void close_pool(void *opaque)
{
    Pool *pool = opaque;
    (void)pthread_mutex_lock(&pool->mutex);
    pool->is_closing = true;
    (void)pthread_cond_broadcast(&pool->has_waiting);
    (void)pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->thread_count; i++)
        hyp_platform_join_thread(pool->threads[i]);
    (void)pthread_cond_destroy(&pool->has_waiting);
    (void)pthread_cond_destroy(&pool->has_ended);
    (void)pthread_mutex_destroy(&pool->mutex);
    free((void *)pool->waiting.entries);
    free((void *)pool->ended.entries);
    free(pool);
}

static Pool *make_pool(int depth)
{
    const size_t count = (size_t)depth;
    Pool *pool = calloc(1, sizeof *pool + count * sizeof pool->threads[0]);
    if (!pool)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "threads that read: out of memory");
    pthread_condattr_t attributes;
    pool->depth = depth;
    pool->waiting.entries = (HypReadTry **)calloc(count, sizeof *pool->waiting.entries);
    pool->ended.entries = (HypReadTry **)calloc(count, sizeof *pool->ended.entries);
    // With these attributes none of them fails on Linux.
    (void)pthread_mutex_init(&pool->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->has_waiting, NULL);
    (void)pthread_cond_init(&pool->has_ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (pool->waiting.entries && pool->ended.entries)
        return pool;
    close_pool(pool);
    return hyp_fail_null(HYPERION_ERROR_MEMORY, "threads that read: out of memory");
}

// Fewer threads than asked for do too.
static void *open_pool(int depth)
{
    Pool *pool = make_pool(depth);
    while (pool && pool->thread_count < depth) {
        HypThread *thread = hyp_platform_start_thread(work, pool, -1);
        if (!thread)
            break;
        pool->threads[pool->thread_count++] = thread;
    }
    if (!pool || pool->thread_count > 0)
        return pool;
    close_pool(pool);
    return NULL;
}

static void start(void *opaque, HypReadTry *attempt)
{
    Pool *pool = opaque;
    (void)pthread_mutex_lock(&pool->mutex);
    push(&pool->waiting, pool->depth, attempt);
    (void)pthread_cond_signal(&pool->has_waiting);
    (void)pthread_mutex_unlock(&pool->mutex);
}

static struct timespec find_deadline(uint64_t timeout_ns)
{
    const uint64_t end_ns = hyp_platform_now_ns() + timeout_ns;
    return (struct timespec){.tv_sec = (time_t)(end_ns / 1000000000),
                             .tv_nsec = (long)(end_ns % 1000000000)};
}

// Makes a try without waiting for a disk; false: that is not possible.
static bool make_cached_try(HypReadTry *attempt)
{
    const struct iovec place = {.iov_base = attempt->memory, .iov_len = attempt->size_bytes};
    const ssize_t got = preadv2(attempt->descriptor, &place, 1, (off_t)attempt->offset, RWF_NOWAIT);
    attempt->may_be_cached = got > 0;
    attempt->result = got;
    return got > 0;
}

// Makes the try that is first in line, if it can; with the lock left meanwhile.
static HypReadTry *help(Pool *pool)
{
    HypReadTry *attempt = pop(&pool->waiting, pool->depth);
    (void)pthread_mutex_unlock(&pool->mutex);
    const bool is_made = make_cached_try(attempt);
    (void)pthread_mutex_lock(&pool->mutex);
    if (is_made)
        return attempt;
    push(&pool->waiting, pool->depth, attempt);
    (void)pthread_cond_signal(&pool->has_waiting);
    return NULL;
}

static bool has_cached(const Pool *pool)
{
    return pool->waiting.count > 0 && pool->waiting.entries[pool->waiting.first]->may_be_cached;
}

static HypReadTry *reap(void *opaque, uint64_t timeout_ns)
{
    Pool *pool = opaque;
    const struct timespec deadline = find_deadline(timeout_ns);
    HypReadTry *attempt = NULL;
    int error = 0;
    (void)pthread_mutex_lock(&pool->mutex);
    while (!attempt && pool->ended.count == 0 && !error) {
        if (has_cached(pool))
            attempt = help(pool);
        else
            error = pthread_cond_timedwait(&pool->has_ended, &pool->mutex, &deadline);
    }
    if (!attempt && pool->ended.count > 0)
        attempt = pop(&pool->ended, pool->depth);
    (void)pthread_mutex_unlock(&pool->mutex);
    return attempt;
}

const HypReadEngine hyp_read_threads = {
    .open = open_pool, .close = close_pool, .start = start, .reap = reap};
