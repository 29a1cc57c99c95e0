// SPDX-License-Identifier: Apache-2.0
// platform_read_queue.c - reads that are finished whatever a single try gives, in order.
#include "platform/platform_read.h"

#include "common/fail.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

typedef struct ReadSlot {
    HypReadTry attempt; // first: a slot is found by it
    HypRead read;
    size_t done_bytes;
    int vain_tries;
    bool is_refused;
    bool has_ended;
    int error; // 0: none; the file ended too soon where done_bytes are too few
} ReadSlot;

struct HypReadQueue {
    const HypReadEngine *calls;
    void *engine;
    int depth;
    int first, count; // slots under way: count from `first` on, and round
    HypReadCounts counts;
    ReadSlot slots[];
};

HypReadQueue *hyp_platform_open_read_queue(HypReadBackend backend, int depth)
{
    assert(depth > 0);
    HypReadQueue *queue = calloc(1, sizeof *queue + (size_t)depth * sizeof queue->slots[0]);
    if (!queue)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "read queue: out of memory");
    queue->calls = backend == HYP_READ_URING ? &hyp_read_uring : &hyp_read_threads;
    queue->depth = depth;
    queue->engine = queue->calls->open(depth);
    if (!queue->engine) {
        free(queue);
        return NULL;
    }
    return queue;
}

void hyp_platform_close_read_queue(HypReadQueue *queue)
{
    if (!queue)
        return;
    assert(queue->count == 0);
    queue->calls->close(queue->engine);
    free(queue);
}

bool hyp_platform_read_queue_has_room(const HypReadQueue *queue)
{
    return queue->count < queue->depth;
}

HypReadCounts hyp_platform_read_counts(const HypReadQueue *queue)
{
    return queue->counts;
}

static void start_try(HypReadQueue *queue, ReadSlot *slot)
{
    const HypRead *read = &slot->read;
    slot->attempt = (HypReadTry){.descriptor = read->file->descriptor,
                                 .memory = (char *)read->memory + slot->done_bytes,
                                 .size_bytes = read->size_bytes - slot->done_bytes,
                                 .offset = read->offset + slot->done_bytes,
                                 .may_be_cached = !read->file->is_unbuffered};
    queue->calls->start(queue->engine, &slot->attempt);
}

void hyp_platform_start_read(HypReadQueue *queue, const HypRead *read)
{
    assert(hyp_platform_read_queue_has_room(queue) && read->least_bytes <= read->size_bytes);
    ReadSlot *slot = &queue->slots[(queue->first + queue->count++) % queue->depth];
    *slot = (ReadSlot){.read = *read};
    start_try(queue, slot);
}

// A file that ends behind what is needed is no failure.
static void settle_bytes(HypReadQueue *queue, ReadSlot *slot, size_t got_bytes)
{
    const size_t before_bytes = slot->done_bytes;
    slot->done_bytes += got_bytes;
    queue->counts.bytes += got_bytes;
    slot->has_ended = got_bytes == 0 || slot->done_bytes >= slot->read.least_bytes;
    if (slot->has_ended)
        return;
    queue->counts.shorts++;
    slot->vain_tries = 0;
    if (!slot->read.file->is_unbuffered)
        return;
    // What follows begins at a multiple too; one that gives less than that step cannot be finished.
    slot->done_bytes = slot->done_bytes / HYP_READ_ALIGNMENT * HYP_READ_ALIGNMENT;
    slot->is_refused = slot->has_ended = slot->done_bytes == before_bytes;
    slot->error = slot->is_refused ? EINVAL : 0;
}

static void settle_error(HypReadQueue *queue, ReadSlot *slot, int error)
{
    if (hyp_file_tries_again(error, &slot->vain_tries)) {
        queue->counts.retries++;
        return;
    }
    slot->has_ended = true;
    slot->error = error;
    slot->is_refused = slot->read.file->is_unbuffered && (error == EINVAL || error == EOPNOTSUPP);
}

static void settle(HypReadQueue *queue, ReadSlot *slot)
{
    const int64_t result = slot->attempt.result;
    queue->counts.reads++;
    if (result >= 0)
        settle_bytes(queue, slot, (size_t)result);
    else
        settle_error(queue, slot, (int)-result);
    if (!slot->has_ended)
        start_try(queue, slot);
}

static HypReadState judge(const ReadSlot *slot)
{
    const HypRead *read = &slot->read;
    if (slot->error)
        (void)hyp_file_fail_read(read->file, read->offset, read->least_bytes, slot->error);
    else if (slot->done_bytes < read->least_bytes)
        (void)hyp_file_fail_end(read->file, read->offset, read->least_bytes, slot->done_bytes);
    else
        return HYP_READ_DONE;
    return slot->is_refused ? HYP_READ_REFUSED : HYP_READ_FAILED;
}

HypReadState hyp_platform_await_read(HypReadQueue *queue, uint64_t timeout_ns, HypRead *read)
{
    assert(queue->count > 0);
    const ReadSlot *oldest = &queue->slots[queue->first];
    while (!oldest->has_ended) {
        HypReadTry *ended = queue->calls->reap(queue->engine, timeout_ns);
        if (!ended)
            return HYP_READ_PENDING;
        settle(queue, (ReadSlot *)(void *)ended);
    }
    queue->first = (queue->first + 1) % queue->depth;
    queue->count--;
    *read = oldest->read;
    return judge(oldest);
}
