// SPDX-License-Identifier: Apache-2.0
#include "scheduler/script.h"

#include "common/array.h"

#include <stdlib.h>
#include <string.h>

void hyp_script_add(HypScript *script, int layer, bool visit)
{
    HypScriptItem *items = hyp_array_reserve(script->items, &script->capacity,
                                             (size_t)script->count + 1, sizeof *items);
    script->failed |= !items;
    if (!items)
        return;
    script->items = items;
    items[script->count++] = (HypScriptItem){layer, visit};
}

void hyp_script_add_away(HypScript *script, int tensor)
{
    HypAway *away = hyp_array_reserve(script->away, &script->away_capacity,
                                      (size_t)script->away_count + 1, sizeof *away);
    script->failed |= !away;
    if (!away)
        return;
    script->away = away;
    away[script->away_count++] = (HypAway){script->count, tensor};
}

void hyp_script_clear(HypScript *script)
{
    script->count = 0;
    script->away_count = 0;
    script->failed = false;
}

void hyp_script_free(HypScript *script)
{
    free(script->items);
    free(script->away);
    *script = (HypScript){0};
}

bool hyp_script_copy(HypScript *to, const HypScript *from)
{
    hyp_script_clear(to);
    int next = 0;
    for (int i = 0; i < from->count; i++) {
        for (; next < from->away_count && from->away[next].item == i; next++)
            hyp_script_add_away(to, from->away[next].tensor);
        hyp_script_add(to, from->items[i].layer, from->items[i].visit);
    }
    return !to->failed;
}
