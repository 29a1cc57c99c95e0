// SPDX-License-Identifier: Apache-2.0
#include "report/cell_groups.h"

#include <stdint.h>
#include <stdlib.h>

// FNV-1a, 64 bits (draft-eastlake-fnv).
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

// Cells that agree have the same hash: it is that of what cells_agree compares.
static uint64_t hash_cell(const Cell *cell, const AxisList *axes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < axes->count; i++) {
        char value[AXIS_TEXT_BYTES + 1];
        cell_format_axis(cell, axes->axes[i], value, sizeof value);
        size_t length = 0;
        while (value[length])
            length++;
        hash = hash_bytes(hash, value, length + 1);
    }
    return hash;
}

static bool cells_belong(const Cell *a, const Cell *b, const AxisList *axes)
{
    bool belong = a->workload == b->workload;
    for (size_t i = 0; belong && i < axes->count; i++)
        belong = cells_agree(a, b, axes->axes[i]);
    return belong;
}

// Numbers the groups; `slots`, slot_count of them (a power of two, more than cells), is all zero.
static void number_groups(const Plan *plan, const AxisList *axes, size_t *slots, size_t slot_count,
                          CellGroups *groups)
{
    for (size_t i = 0; i < plan->cell_count; i++) {
        size_t slot = (size_t)hash_cell(&plan->cells[i], axes) & (slot_count - 1);
        while (slots[slot] && !cells_belong(&plan->cells[slots[slot] - 1], &plan->cells[i], axes))
            slot = (slot + 1) & (slot_count - 1);
        if (!slots[slot]) {
            slots[slot] = i + 1;
            groups->group_of[i] = groups->count++;
        } else {
            groups->group_of[i] = groups->group_of[slots[slot] - 1];
        }
    }
}

// Counting sort by group.
static void list_members(const Plan *plan, CellGroups *groups)
{
    for (size_t i = 0; i < plan->cell_count; i++)
        groups->first[groups->group_of[i] + 1]++;
    for (size_t i = 1; i <= groups->count; i++)
        groups->first[i] += groups->first[i - 1];
    for (size_t i = plan->cell_count; i-- > 0;)
        groups->members[--groups->first[groups->group_of[i] + 1]] = i;
    // Each entry now is where the group before it begins.
    for (size_t i = 0; i < groups->count; i++)
        groups->first[i] = groups->first[i + 1];
    groups->first[groups->count] = plan->cell_count;
}

bool cell_groups_find(const Plan *plan, const AxisList *axes, CellGroups *groups)
{
    size_t slot_count = 16;
    while (slot_count < 2 * plan->cell_count)
        slot_count *= 2;
    size_t *slots = calloc(slot_count, sizeof *slots);
    const size_t room = plan->cell_count + 2;
    *groups = (CellGroups){.group_of = calloc(room, sizeof(size_t)),
                           .members = calloc(room, sizeof(size_t)),
                           .first = calloc(room, sizeof(size_t))};
    const bool complete = slots && groups->group_of && groups->members && groups->first;
    if (complete) {
        number_groups(plan, axes, slots, slot_count, groups);
        list_members(plan, groups);
    } else {
        cell_groups_clear(groups);
    }
    free(slots);
    return complete;
}

void cell_groups_clear(CellGroups *groups)
{
    free(groups->group_of);
    free(groups->members);
    free(groups->first);
    *groups = (CellGroups){.group_of = NULL};
}
