// SPDX-License-Identifier: Apache-2.0
#include "loader/residency.h"

#include "common/fail.h"
#include "platform/platform.h"

#include <assert.h>
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
    const HypLayerPacking none = {0};
    for (int i = 0; i < model->layer_count; i++) {
        HypResidentLayer *layer = &residency->layers[i];
        layer->next_use = (size_t)i;
        if (!hyp_layer_source_create(model, i, &none, &layer->source))
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
        hyp_platform_unmap(layer->block, layer->block_bytes);
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
    layer->block_bytes = 0;
    layer->status = HYPERION_LAYER_STATUS_UNLOADED;
}

void hyp_residency_release(HypResidency *residency, int index)
{
    HypResidentLayer *layer = &residency->layers[index];
    hyp_platform_unmap(layer->block, layer->block_bytes);
    residency->held_bytes -= layer->source.size_bytes;
    forget_block(residency, layer);
}

// Keeps the block of a layer that goes: another will want one.
static void evict(HypResidency *residency, int index)
{
    HypResidentLayer *layer = &residency->layers[index];
    residency->spares[residency->spare_count++] = (HypSpareBlock){layer->block, layer->block_bytes};
    forget_block(residency, layer);
}

void hyp_residency_settle(HypResidency *residency, int index)
{
    HypResidentLayer *layer = &residency->layers[index];
    residency->held_bytes -= layer->source.size_bytes - layer->source.kept_bytes;
    layer->block_bytes = layer->source.kept_bytes;
}

static bool is_evictable(const HypResidentLayer *layer)
{
    return layer->status == HYPERION_LAYER_STATUS_LOADED && layer->block && !layer->in_use;
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
        size_bytes += may_go ? layer->block_bytes : 0;
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

static HypSpareBlock take_spare(HypResidency *residency, int index)
{
    const HypSpareBlock spare = residency->spares[index];
    residency->spares[index] = residency->spares[--residency->spare_count];
    return spare;
}

// The spare block of just this size, else the largest; -1: none.
static int find_spare(const HypResidency *residency, size_t size_bytes)
{
    int best = -1;
    for (int i = 0; i < residency->spare_count; i++) {
        const size_t spare = residency->spares[i].size_bytes;
        if (spare == size_bytes)
            return i;
        if (best < 0 || spare > residency->spares[best].size_bytes)
            best = i;
    }
    return best;
}

static bool has_spare_of(const HypResidency *residency, size_t size_bytes)
{
    const int spare = find_spare(residency, size_bytes);
    return spare >= 0 && residency->spares[spare].size_bytes == size_bytes;
}

static void evict_one(HypResidency *residency)
{
    const int victim =
        hyp_belady_choose(residency->evictable, residency->layer_count, !residency->is_running);
    assert(victim >= 0); // there is enough that may go
    residency->evictable[victim].may_go = false;
    evict(residency, victim);
}

static void drop_spare(HypResidency *residency)
{
    const HypSpareBlock spare = take_spare(residency, 0);
    hyp_platform_unmap(spare.block, spare.size_bytes);
    residency->held_bytes -= spare.size_bytes;
}

// Counts the bytes of a layer as held, and gives the block that its own is made of. Layers go, one
// after another, until there is room; then spare blocks beside that one.
static HypSpareBlock make_room(HypResidency *residency, size_t size_bytes)
{
    const size_t cap_bytes = residency->cap_bytes ? residency->cap_bytes : SIZE_MAX;
    while (!has_spare_of(residency, size_bytes) &&
           cap_bytes - residency->held_bytes + spare_bytes(residency) < size_bytes)
        evict_one(residency);
    const int chosen = find_spare(residency, size_bytes);
    const HypSpareBlock base = chosen < 0 ? (HypSpareBlock){0} : take_spare(residency, chosen);
    residency->held_bytes -= base.size_bytes;
    while (cap_bytes - residency->held_bytes < size_bytes)
        drop_spare(residency);
    residency->held_bytes += size_bytes;
    return base;
}

void hyp_residency_unload(HypResidency *residency, int index)
{
    while (residency->spare_count > 0)
        drop_spare(residency);
    evict(residency, index);
}

bool hyp_residency_set_packing(HypResidency *residency, const HyperionModel *model, int index,
                               const HypLayerPacking *packing)
{
    const HypLayerPacking none = {0};
    HypResidentLayer *layer = &residency->layers[index];
    HypLayerSource source;
    bool made = hyp_layer_source_create(model, index, packing, &source);
    if (made && residency->cap_bytes && source.size_bytes > residency->cap_bytes) {
        hyp_layer_source_free(&source);
        made = hyp_layer_source_create(model, index, &none, &source);
    }
    if (!made) {
        hyp_layer_source_free(&source);
        return false;
    }
    if (layer->block)
        hyp_residency_unload(residency, index);
    hyp_layer_source_free(&layer->source);
    layer->source = source;
    return true;
}

// Whether it fits once those have gone that may. Fills residency->evictable.
static bool has_room(HypResidency *residency, int index, HypRoomFor purpose)
{
    const size_t free_bytes = residency->cap_bytes - residency->held_bytes;
    const size_t evictable_bytes = find_evictable(residency, index, purpose);
    return !residency->cap_bytes || free_bytes + spare_bytes(residency) + evictable_bytes >=
                                        residency->layers[index].source.size_bytes;
}

bool hyp_residency_reserve(HypResidency *residency, int index, HypRoomFor purpose)
{
    HypResidentLayer *layer = &residency->layers[index];
    if (!has_room(residency, index, purpose))
        return false;
    const HypSpareBlock base = make_room(residency, layer->source.size_bytes);
    residency->allocation_count++;
    residency->reuse_count += base.block != NULL;
    if (residency->held_bytes > residency->peak_bytes)
        residency->peak_bytes = residency->held_bytes;
    layer->block = base.block;
    layer->block_bytes = base.size_bytes;
    layer->status = HYPERION_LAYER_STATUS_LOADING;
    layer->was_used = false;
    return true;
}

bool hyp_residency_is_pinned_full(const HypResidency *residency, int index)
{
    size_t pinned_bytes = residency->layers[index].source.size_bytes;
    for (int i = 0; i < residency->layer_count; i++)
        if (i != index && residency->layers[i].block && residency->layers[i].priority == INT_MAX)
            pinned_bytes += residency->layers[i].block_bytes;
    return residency->cap_bytes && pinned_bytes > residency->cap_bytes;
}
