// SPDX-License-Identifier: Apache-2.0
#include "memory/place_buffers.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "common/sort.h"

#include <assert.h>
#include <stdlib.h>

static const HypPlacementStrategy *const strategies[] = {
    &hyp_place_by_size,  &hyp_place_by_size_lowest, &hyp_place_by_breadth,  &hyp_place_by_area,
    &hyp_place_by_start, &hyp_place_by_lifetime,    &hyp_place_by_conflict,
};

const HypPlacementStrategy *hyp_placement_strategy(int index)
{
    const int count = (int)(sizeof strategies / sizeof strategies[0]);
    return index >= 0 && index < count ? strategies[index] : NULL;
}

size_t hyp_placement_unit(const HypPlacement *placement)
{
    size_t unit = 0;
    for (size_t i = 0; i < placement->count; i++) {
        unit = hyp_size_divisor(unit, placement->buffers[i].size_bytes);
        if (placement->buffers[i].alignment > 1)
            unit = hyp_size_divisor(unit, placement->buffers[i].alignment);
    }
    return unit > 0 ? unit : 1;
}

// What is placed, by ascending offset.
typedef struct Placed {
    size_t *buffers;
    size_t count;
} Placed;

static bool overlap(HypSpan a, HypSpan b)
{
    return a.first < b.end && b.first < a.end;
}

// `offset` raised to what the buffer's alignment asks for.
static bool align(const HyperionBuffer *buffer, size_t offset, size_t *aligned)
{
    *aligned = offset;
    return buffer->alignment <= 1 || hyp_size_round_up(offset, buffer->alignment, aligned);
}

// The offset for `buffer` among those placed; SIZE_MAX where it does not fit in the address space.
static size_t find_gap(const HypPlacement *placement, const Placed *placed, const size_t *offsets,
                       size_t buffer, bool best_fit)
{
    const HyperionBuffer *wanted = &placement->buffers[buffer];
    const HypSpan span = placement->sections.spans[buffer];
    size_t end = 0; // of what was passed
    size_t best = SIZE_MAX;
    size_t best_bytes = SIZE_MAX;
    size_t start;
    for (size_t i = 0; i < placed->count; i++) {
        const size_t other = placed->buffers[i];
        if (!overlap(span, placement->sections.spans[other]))
            continue;
        const size_t gap_bytes = offsets[other] > end ? offsets[other] - end : 0;
        if (gap_bytes < best_bytes && align(wanted, end, &start) && start <= offsets[other] &&
            offsets[other] - start >= wanted->size_bytes) {
            if (!best_fit)
                return start;
            best = start;
            best_bytes = gap_bytes;
        }
        const size_t other_end = offsets[other] + placement->buffers[other].size_bytes;
        end = other_end > end ? other_end : end;
    }
    if (best != SIZE_MAX)
        return best;
    return align(wanted, end, &start) && SIZE_MAX - start > wanted->size_bytes ? start : SIZE_MAX;
}

static void insert(Placed *placed, const size_t *offsets, size_t buffer)
{
    size_t at = placed->count++;
    for (; at > 0 && offsets[placed->buffers[at - 1]] > offsets[buffer]; at--)
        placed->buffers[at] = placed->buffers[at - 1];
    placed->buffers[at] = buffer;
}

static size_t place_in_order(const HypPlacement *placement, bool best_fit, const size_t *order,
                             Placed *placed, size_t *offsets)
{
    size_t height = 0;
    for (size_t i = 0; i < placement->count; i++) {
        const size_t buffer = order[i];
        const HypSpan span = placement->sections.spans[buffer];
        offsets[buffer] = 0;
        if (span.first == span.end)
            continue;
        offsets[buffer] = find_gap(placement, placed, offsets, buffer, best_fit);
        if (offsets[buffer] == SIZE_MAX) {
            (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                           "plan offsets: buffer %zu ends past the address space", buffer);
            return SIZE_MAX;
        }
        insert(placed, offsets, buffer);
        const size_t end = offsets[buffer] + placement->buffers[buffer].size_bytes;
        height = end > height ? end : height;
    }
    return height;
}

static int compare_keys(const void *a, const void *b, const void *context)
{
    const double *keys = context;
    const size_t first = *(const size_t *)a;
    const size_t second = *(const size_t *)b;
    if (keys[first] != keys[second])
        return keys[first] > keys[second] ? -1 : 1;
    return (first > second) - (first < second);
}

size_t hyp_placement_run(const HypPlacement *placement, const HypPlacementStrategy *strategy,
                         size_t *offsets)
{
    const size_t count = placement->count;
    size_t height = SIZE_MAX;
    double *keys = calloc(count + 1, sizeof *keys);
    size_t *order = calloc(count + 1, sizeof *order);
    Placed placed = {calloc(count + 1, sizeof *placed.buffers), 0};
    if (!keys || !order || !placed.buffers) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %zu buffers", count);
    } else if (strategy->rank(placement, keys)) {
        for (size_t i = 0; i < count; i++)
            order[i] = i;
        hyp_sort(order, count, sizeof *order, compare_keys, keys);
        height = place_in_order(placement, strategy->best_fit, order, &placed, offsets);
    }
    free(placed.buffers);
    free(order);
    free(keys);
    return height;
}
