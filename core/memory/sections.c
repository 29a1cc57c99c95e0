// SPDX-License-Identifier: Apache-2.0
#include "memory/sections.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "common/sort.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

// The steps at which buffers begin, each once, and those at which buffers end, both ascending.
typedef struct Events {
    int64_t *lowers;
    int64_t *uppers;
    int *section; // by lower, and one past the last: sections before it
    size_t lower_count, upper_count;
} Events;

static bool is_needed(const HyperionBuffer *buffer)
{
    return buffer->size_bytes > 0 && buffer->lower < buffer->upper;
}

static int compare_steps(const void *a, const void *b, const void *context)
{
    (void)context;
    const int64_t first = *(const int64_t *)a;
    const int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

// How many of the ascending steps are below `step`.
static size_t count_below(const int64_t *steps, size_t count, int64_t step)
{
    size_t low = 0;
    while (low < count) {
        const size_t middle = low + (count - low) / 2;
        if (steps[middle] < step)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static void free_events(Events *events)
{
    free(events->lowers);
    free(events->uppers);
    free(events->section);
}

static bool collect_events(Events *events, const HyperionBuffer *buffers, size_t count)
{
    *events = (Events){.lowers = calloc(count + 1, sizeof *events->lowers),
                       .uppers = calloc(count + 1, sizeof *events->uppers),
                       .section = calloc(count + 1, sizeof *events->section)};
    if (!events->lowers || !events->uppers || !events->section)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %zu buffers",
                        count);
    for (size_t i = 0; i < count; i++)
        if (is_needed(&buffers[i])) {
            events->lowers[events->lower_count++] = buffers[i].lower;
            events->uppers[events->upper_count++] = buffers[i].upper;
        }
    hyp_sort(events->lowers, events->lower_count, sizeof *events->lowers, compare_steps, NULL);
    hyp_sort(events->uppers, events->upper_count, sizeof *events->uppers, compare_steps, NULL);
    size_t kept = 0;
    for (size_t i = 0; i < events->lower_count; i++)
        if (kept == 0 || events->lowers[i] != events->lowers[kept - 1])
            events->lowers[kept++] = events->lowers[i];
    events->lower_count = kept;
    return true;
}

// A section begins where buffers begin, unless others begin before the next one ends: then that
// later step needs all that this one does.
static int number_sections(const Events *events)
{
    int sections = 0;
    for (size_t i = 0; i < events->lower_count; i++) {
        events->section[i] = sections;
        const size_t ended =
            count_below(events->uppers, events->upper_count, events->lowers[i] + 1);
        const bool last = i + 1 == events->lower_count;
        if (last || (ended < events->upper_count && events->uppers[ended] <= events->lowers[i + 1]))
            sections++;
    }
    events->section[events->lower_count] = sections;
    return sections;
}

static HypSpan find_span(const Events *events, const HyperionBuffer *buffer)
{
    if (!is_needed(buffer))
        return (HypSpan){0, 0};
    const size_t first = count_below(events->lowers, events->lower_count, buffer->lower);
    const size_t end = count_below(events->lowers, events->lower_count, buffer->upper);
    return (HypSpan){events->section[first], events->section[end]};
}

static bool add_live(HypSections *sections, size_t buffer, size_t size_bytes)
{
    const HypSpan span = sections->spans[buffer];
    for (int i = span.first; i < span.end; i++)
        if (!hyp_size_add(sections->live_bytes[i], size_bytes, &sections->live_bytes[i]))
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan offsets: the sizes up to that of buffer %zu do not fit in the "
                            "address space",
                            buffer);
    return true;
}

static bool check_buffers(const HyperionBuffer *buffers, size_t count)
{
    if (count >= INT_MAX)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "plan offsets: %zu buffers, at most %d", count,
                        INT_MAX - 1);
    for (size_t i = 0; i < count; i++)
        if (buffers[i].lower > buffers[i].upper || buffers[i].upper == INT64_MAX)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "plan offsets: buffer %zu is needed from step %" PRId64 " to %" PRId64,
                            i, buffers[i].lower, buffers[i].upper);
    return true;
}

bool hyp_sections_create(HypSections *sections, const HyperionBuffer *buffers, size_t count)
{
    Events events = {0};
    *sections = (HypSections){0};
    bool created = check_buffers(buffers, count) && collect_events(&events, buffers, count);
    if (created) {
        sections->count = number_sections(&events);
        sections->spans = calloc(count + 1, sizeof *sections->spans);
        sections->live_bytes = calloc((size_t)sections->count + 1, sizeof *sections->live_bytes);
        created = (sections->spans && sections->live_bytes) ||
                  hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %d sections",
                           sections->count);
    }
    for (size_t i = 0; created && i < count; i++) {
        sections->spans[i] = find_span(&events, &buffers[i]);
        created = add_live(sections, i, buffers[i].size_bytes);
    }
    free_events(&events);
    if (!created)
        hyp_sections_free(sections);
    return created;
}

void hyp_sections_free(HypSections *sections)
{
    free(sections->spans);
    free(sections->live_bytes);
    *sections = (HypSections){0};
}

size_t hyp_sections_lower_bound(const HypSections *sections)
{
    size_t most = 0;
    for (int i = 0; i < sections->count; i++)
        if (sections->live_bytes[i] > most)
            most = sections->live_bytes[i];
    return most;
}
