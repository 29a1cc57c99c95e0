// SPDX-License-Identifier: Apache-2.0
#include "counters/known_work.h"

#include "common/splitmix.h"

#include <stdint.h>
#include <stdlib.h>

enum { LINE_BYTES = 64, ACCESSES = 1 << 20, STEPS = 1 << 18, UNROLLED = 64 };
// Lines of the memory that is walked: more than any L1, and than any L2, by so much that next to
// none is there when it is met again.
enum { FIRST_LINES = 1 << 16, SECOND_LINES = 1 << 20 };

typedef struct Line {
    struct Line *volatile next; // loaded each time
    char rest[LINE_BYTES - sizeof(void *)];
} Line;

typedef struct Work {
    KnownCount count;
    volatile uint64_t words[8];
    Line *lines, *at;
} Work;

static size_t count_lines(KnownCount count)
{
    return count == KNOWN_FIRST_LINES    ? FIRST_LINES
           : count == KNOWN_SECOND_LINES ? SECOND_LINES
                                         : 0;
}

double known_work_count(KnownCount count)
{
    return count >= KNOWN_FIRST_LINES ? STEPS : ACCESSES;
}

const char *known_work_name(KnownCount count)
{
    static const char *const names[KNOWN_COUNTS] = {"instructions", "loads", "stores", "L1 lines",
                                                    "L2 lines"};
    return names[count];
}

// One cycle through all lines in an order that no prefetcher follows (Sattolo's shuffle).
static void link_lines(Line *lines, size_t count)
{
    uint64_t random = 1;
    for (size_t i = 0; i < count; i++)
        lines[i].next = &lines[i];
    for (size_t i = count - 1; i > 0; i--) {
        const size_t j = splitmix_below(&random, i);
        Line *swapped = lines[i].next;
        lines[i].next = lines[j].next;
        lines[j].next = swapped;
    }
}

void *known_work_open(KnownCount count)
{
    Work *work = calloc(1, sizeof *work);
    const size_t lines = count_lines(count);
    if (!work)
        return NULL;
    work->count = count;
    if (!lines)
        return work;
    work->at = work->lines = aligned_alloc(LINE_BYTES, lines * sizeof *work->lines);
    if (work->lines) {
        link_lines(work->lines, lines);
        return work;
    }
    free(work);
    return NULL;
}

static void load(const Work *work)
{
    for (int i = 0; i < ACCESSES; i += 8) {
        (void)work->words[0];
        (void)work->words[1];
        (void)work->words[2];
        (void)work->words[3];
        (void)work->words[4];
        (void)work->words[5];
        (void)work->words[6];
        (void)work->words[7];
    }
}

static void store(Work *work)
{
    for (int i = 0; i < ACCESSES; i += 8) {
        work->words[0] = 1;
        work->words[1] = 1;
        work->words[2] = 1;
        work->words[3] = 1;
        work->words[4] = 1;
        work->words[5] = 1;
        work->words[6] = 1;
        work->words[7] = 1;
    }
}

// Blocks of instructions that do nothing, less those of the loop around each: three or four.
static void execute(void)
{
    for (int i = 0; i < ACCESSES; i += UNROLLED)
        __asm__ volatile(".rept 61\n\tnop\n\t.endr" ::: "memory");
}

void known_work_run(void *context)
{
    Work *work = context;
    switch (work->count) {
    case KNOWN_INSTRUCTIONS: execute(); break;
    case KNOWN_LOADS: load(work); break;
    case KNOWN_STORES: store(work); break;
    default:
        for (int i = 0; i < STEPS; i++)
            work->at = work->at->next;
    }
}

void known_work_close(void *context)
{
    Work *work = context;
    if (work)
        free(work->lines);
    free(work);
}
