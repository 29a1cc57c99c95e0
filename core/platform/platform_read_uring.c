// SPDX-License-Identifier: Apache-2.0
// platform_read_uring.c - tries to read by io_uring. Buffers are not registered: blocks of layers
// come and go, and at a megabyte a read what it would save was not to be seen.
#define _GNU_SOURCE
#include "platform/platform_read.h"

#include "common/fail.h"

#if HYPERION_HAVE_URING
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

static void *open_ring(int depth)
{
    struct io_uring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "io_uring: out of memory");
    // Waiting with a time limit (Linux 5.11) is used; reads as such are older.
    const int error = -io_uring_queue_init((unsigned)depth, ring, 0);
    if (!error && ring->features & IORING_FEAT_EXT_ARG)
        return ring;
    if (!error)
        io_uring_queue_exit(ring);
    free(ring);
    return hyp_fail_null(error == ENOMEM ? HYPERION_ERROR_MEMORY : HYPERION_ERROR_UNSUPPORTED,
                         "io_uring: %s", error ? strerror(error) : "the kernel is too old");
}

static void close_ring(void *ring)
{
    io_uring_queue_exit(ring);
    free(ring);
}

static void start(void *ring, HypReadTry *attempt)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(ring); // there is one for each read under way
    io_uring_prep_read(entry, attempt->descriptor, attempt->memory, (unsigned)attempt->size_bytes,
                       attempt->offset);
    io_uring_sqe_set_data(entry, attempt);
    // What is not taken now is when the next waits.
    (void)io_uring_submit(ring);
}

static HypReadTry *reap(void *ring, uint64_t timeout_ns)
{
    struct __kernel_timespec limit = {.tv_sec = (int64_t)(timeout_ns / 1000000000),
                                      .tv_nsec = (long long)(timeout_ns % 1000000000)};
    struct io_uring_cqe *entry = NULL;
    if (io_uring_submit_and_wait_timeout(ring, &entry, 1, &limit, NULL) < 0 || !entry)
        return NULL;
    HypReadTry *attempt = io_uring_cqe_get_data(entry);
    attempt->result = entry->res;
    io_uring_cqe_seen(ring, entry);
    return attempt;
}

#else
static void *open_ring(int depth)
{
    (void)depth;
    return hyp_fail_null(HYPERION_ERROR_UNSUPPORTED, "the library was built without liburing");
}

// Of a ring that never was.
static void close_ring(void *ring)
{
    (void)ring;
}

static void start(void *ring, HypReadTry *attempt)
{
    (void)ring;
    (void)attempt;
}

static HypReadTry *reap(void *ring, uint64_t timeout_ns)
{
    (void)ring;
    (void)timeout_ns;
    return NULL;
}
#endif

const HypReadEngine hyp_read_uring = {
    .open = open_ring, .close = close_ring, .start = start, .reap = reap};
