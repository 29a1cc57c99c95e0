// SPDX-License-Identifier: Apache-2.0
#include "loader/belady.h"

static bool goes_before(const HypEvictable *a, const HypEvictable *b, bool by_priority)
{
    if (by_priority && a->priority != b->priority)
        return a->priority < b->priority;
    if (a->next_use != b->next_use)
        return a->next_use > b->next_use;
    return a->priority < b->priority;
}

int hyp_belady_choose(const HypEvictable *layers, int layer_count, bool by_priority)
{
    int chosen = -1;
    for (int i = 0; i < layer_count; i++)
        if (layers[i].may_go &&
            (chosen < 0 || goes_before(&layers[i], &layers[chosen], by_priority)))
            chosen = i;
    return chosen;
}
