// SPDX-License-Identifier: Apache-2.0
// Greedy by breadth (Pisarchyk and Lee 2020): the step that needs most bytes first, and of what it
// needs the largest first.
#include "memory/place_buffers.h"

#include "common/fail.h"
#include "common/sort.h"

#include <stdlib.h>

static int compare_live(const void *a, const void *b, const void *context)
{
    const size_t *live_bytes = context;
    const int first = *(const int *)a;
    const int second = *(const int *)b;
    if (live_bytes[first] != live_bytes[second])
        return live_bytes[first] > live_bytes[second] ? -1 : 1;
    return (first > second) - (first < second);
}

// places[section] = how many sections need more bytes.
static void rank_sections(const HypSections *sections, int *order, int *places)
{
    for (int i = 0; i < sections->count; i++)
        order[i] = i;
    hyp_sort(order, (size_t)sections->count, sizeof *order, compare_live, sections->live_bytes);
    for (int i = 0; i < sections->count; i++)
        places[order[i]] = i;
}

static bool rank(const HypPlacement *placement, double *keys)
{
    const HypSections *sections = &placement->sections;
    const size_t room = (size_t)sections->count + 1;
    int *order = calloc(room, 2 * sizeof *order);
    if (!order)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan offsets: out of memory for %zu sections",
                        room - 1);
    int *places = order + room;
    rank_sections(sections, order, places);
    for (size_t i = 0; i < placement->count; i++) {
        int place = sections->count;
        for (int j = sections->spans[i].first; j < sections->spans[i].end; j++)
            place = places[j] < place ? places[j] : place;
        // A fraction below 1: the size decides within a section.
        const double size = (double)placement->buffers[i].size_bytes;
        keys[i] = -(double)place + size / (size + 1e15);
    }
    free(order);
    return true;
}

const HypPlacementStrategy hyp_place_by_breadth = {"breadth", true, rank};
