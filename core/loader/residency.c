// SPDX-License-Identifier: Apache-2.0
#include "loader/residency.h"

#include "common/fail.h"
#include "platform/platform.h"

#include <limits.h>
#include <stdlib.h>

bool hyp_residency_create(HypResidency *residency, const HyperionModel *model, size_t cap_bytes)
{
    const size_t count = (size_t)model->layer_count;
    *residency = (HypResidency){.cap_bytes = cap_bytes};
    residency->layers = calloc(count + 1, sizeof *residency->layers);
    residency->evictable = calloc(count + 1, sizeof *residency->evictable);
    residency->spares = calloc(count + 1, sizeof *residency->spares);
    if (!residency->layers || !residency->evictable || !residency->spares)
        return hyp_fail(HYPERION_ERROR_MEMORY, "attach model %s: out of memory", model->name);
    residency->layer_count = model->layer_count;
    for (int i = 0; i < model->layer_count; i++) {
        HypResidentLayer *layer = &residency->layers[i];
        layer->next_use = (size_t)i;
        if (!hyp_layer_source_create(model, i, &layer->source))
            return false;
        if (layer->source.size_bytes == 0)
            layer->status = HYPERION_LAYER_STATUS_LOADED;
        if (cap_bytes && layer->source.size_bytes > cap_bytes)
            return hyp_fail(HYPERION_ERROR_MEMORY,
                            "attach model %s: layer %d, %s, needs %zu bytes, the loader's cap is "
                            "%zu",
                            model->name, i, model->layers[i].name, layer->source.size_bytes,
                            cap_bytes);
    }
    return true;
}

void hyp_residency_free(HypResidency *residency)
{
    for (int i = 0; i < residency->layer_count; i++) {
        HypResidentLayer *layer = &residency->layers[i];
        hyp_platform_unmap(layer->block, layer->source.size_bytes);
        hyp_layer_source_free(&layer->source);
    }
    for (int i = 0; i < residency->spare_count; i++)
        hyp_platform_unmap(residency->spares[i].block, residency->spares[i].size_bytes);
    free(residency->layers);
    free(residency->evictable);
    free(residency->spares);
    *residency = (HypResidency){0};
}

static void forget_block(HypResidency *residency, HypResidentLayer *layer)
{
    residency->wasted_count += layer->status == HYPERION_LAYER_STATUS_LOADED && !layer->was_used;
    layer->block = NULL;
    layer->status = HYPERION_LAYER_STATUS_UNLOADED;
}

void hyp_residency_release(HypResidency *residency, int index)
{
    HypResidentLayer *layer = &residency->layers[index];
    hyp_platform_unmap(layer->block, layer->source.size_bytes);
    residency->held_bytes -= layer->source.size_bytes;
    forget_block(residency, layer);
}

// Keeps the block of a layer that goes: another of its size will want one.
static void evict(HypResidency *residency, int index)
{
    HypResidentLayer *layer = &residency->layers[index];
    residency->spares[residency->spare_count++] =
        (HypSpareBlock){layer->block, layer->source.size_bytes};
    forget_block(residency, layer);
}

static bool is_evictable(const HypResidentLayer *layer)
{
    return layer->block && layer->status == HYPERION_LAYER_STATUS_LOADED && !layer->in_use;
}

// Fills residency->evictable; returns the bytes of those that may go.
static size_t find_evictable(HypResidency *residency, int incoming, HypRoomFor purpose)
{
    size_t size_bytes = 0;
    for (int i = 0; i < residency->layer_count; i++) {
        const HypResidentLayer *layer = &residency->layers[i];
        const bool may_go = is_evictable(layer) &&
                            (purpose == HYP_ROOM_FOR_RUN || layer->priority != INT_MAX) &&
                            (purpose != HYP_ROOM_FOR_PREFETCH ||
                             layer->next_use > residency->layers[incoming].next_use);
        residency->evictable[i] = (HypEvictable){may_go, layer->next_use, layer->priority};
        // A pinned layer goes when no other may.
        if (layer->priority == INT_MAX)
            residency->evictable[i].next_use = 0;
        size_bytes += may_go ? layer->source.size_bytes : 0;
    }
    return size_bytes;
}

static size_t spare_bytes(const HypResidency *residency)
{
    size_t size_bytes = 0;
    for (int i = 0; i < residency->spare_count; i++)
        size_bytes += residency->spares[i].size_bytes;
    return size_bytes;
}

static void *take_spare(HypResidency *residency, int index)
{
    const HypSpareBlock spare = residency->spares[index];
    residency->spares[index] = residency->spares[--residency->spare_count];
    return spare.block;
}

// A spare block of just this size; NULL: none.
static void *find_spare(HypResidency *residency, size_t size_bytes)
{
    for (int i = 0; i < residency->spare_count; i++)
        if (residency->spares[i].size_bytes == size_bytes)
            return take_spare(residency, i);
    return NULL;
}

static void drop_spare(HypResidency *residency)
{
    const size_t size_bytes = residency->spares[0].size_bytes;
    hyp_platform_unmap(take_spare(residency, 0), size_bytes);
    residency->held_bytes -= size_bytes;
}

// One more of those that may go, until a spare block or the room is there.
static void *make_room(HypResidency *residency, size_t size_bytes)
{
    void *block = find_spare(residency, size_bytes);
    while (!block && residency->cap_bytes - residency->held_bytes < size_bytes) {
        const int victim =
            hyp_belady_choose(residency->evictable, residency->layer_count, !residency->is_running);
        if (victim >= 0) {
            residency->evictable[victim].may_go = false;
            evict(residency, victim);
            block = find_spare(residency, size_bytes);
        }
        if (!block && residency->spare_count > 0)
            drop_spare(residency);
    }
    return block;
}

bool hyp_residency_reserve(HypResidency *residency, int index, HypRoomFor purpose)
{
    HypResidentLayer *layer = &residency->layers[index];
    const size_t size_bytes = layer->source.size_bytes;
    void *block = NULL;
    if (residency->cap_bytes) {
        const size_t free_bytes = residency->cap_bytes - residency->held_bytes;
        if (free_bytes + spare_bytes(residency) + find_evictable(residency, index, purpose) <
            size_bytes)
            return false;
        block = make_room(residency, size_bytes);
    }
    residency->allocation_count++;
    residency->reuse_count += block != NULL;
    if (!block)
        residency->held_bytes += size_bytes;
    if (residency->held_bytes > residency->peak_bytes)
        residency->peak_bytes = residency->held_bytes;
    layer->block = block;
    layer->status = HYPERION_LAYER_STATUS_LOADING;
    layer->was_used = false;
    return true;
}

bool hyp_residency_is_pinned_full(const HypResidency *residency, int index)
{
    size_t pinned_bytes = residency->layers[index].source.size_bytes;
    for (int i = 0; i < residency->layer_count; i++)
        if (i != index && residency->layers[i].block && residency->layers[i].priority == INT_MAX)
            pinned_bytes += residency->layers[i].source.size_bytes;
    return residency->cap_bytes && pinned_bytes > residency->cap_bytes;
}
