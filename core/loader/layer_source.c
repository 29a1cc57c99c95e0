// SPDX-License-Identifier: Apache-2.0
#include "loader/layer_source.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/layer_op.h"
#include "model/memory_layout.h"
#include "model/safetensors/weight_run.h"

#include <stdlib.h>
#include <string.h>

static bool has_weight(const HypLayerSource *source, int tensor)
{
    for (int i = 0; i < source->weight_count; i++)
        if (source->weights[i].tensor == tensor)
            return true;
    return false;
}

static bool is_loaded(const HyperionModel *model, int tensor)
{
    const HypGraphTensor *weight = &model->tensors[tensor];
    return weight->role == HYP_TENSOR_WEIGHT && weight->source != HYP_WEIGHT_OWNED &&
           weight->shape.size_bytes > 0;
}

static bool fail_size(void)
{
    return hyp_fail(HYPERION_ERROR_MEMORY, "the weights of a layer do not fit in memory");
}

// Places behind what there is a part whose values take `value_bytes`. Values that are larger than
// what is stored grow into their place from the front: it lies as far behind as they grow.
static bool place_part(HypLayerSource *source, HypLayerPart part, size_t value_bytes)
{
    const size_t into_page = (size_t)(part.file_offset % HYP_READ_ALIGNMENT);
    const size_t growth = value_bytes > part.stored_bytes ? value_bytes - part.stored_bytes : 0;
    size_t end = 0;
    if (!hyp_size_add(source->size_bytes, growth, &part.landing) ||
        !hyp_size_round_up(part.landing, HYP_READ_ALIGNMENT, &part.landing) ||
        !hyp_size_add(part.landing + into_page, part.stored_bytes, &end) ||
        !hyp_size_round_up(end, HYP_READ_ALIGNMENT, &source->size_bytes) ||
        !hyp_size_add(source->stored_bytes, part.stored_bytes, &source->stored_bytes))
        return fail_size();
    part.offset = (part.landing + into_page - growth) / 64 * 64;
    source->parts[source->part_count++] = part;
    return true;
}

// Generated values need no pages of their own.
static bool place_seeded(HypLayerSource *source, HypLayerPart part)
{
    size_t end = 0;
    part.offset = part.landing = source->size_bytes;
    source->parts[source->part_count++] = part;
    return (hyp_size_add(part.offset, part.stored_bytes, &end) &&
            hyp_size_round_up(end, 64, &source->size_bytes) &&
            hyp_size_add(source->stored_bytes, part.stored_bytes, &source->stored_bytes)) ||
           fail_size();
}

static void note_weight(HypLayerSource *source, int tensor, size_t offset)
{
    source->weights[source->weight_count++] =
        (HypPlacedWeight){.tensor = tensor, .loaded_offset = offset, .offset = offset};
}

// Reads the whole run for the sake of its checksum.
static bool add_run(const HyperionModel *model, const HypWeightRun *run, int tensor,
                    HypLayerSource *source)
{
    const int index = (int)(run - model->weight_runs);
    const size_t within = (size_t)(model->tensors[tensor].file_offset - run->file_offset);
    const size_t run_bytes = (size_t)run->size_bytes;
    int at = 0;
    while (at < source->part_count && source->parts[at].run != index)
        at++;
    const HypLayerPart part = {
        .run = index, .tensor = -1, .file_offset = run->file_offset, .stored_bytes = run_bytes};
    if (at == source->part_count && !place_part(source, part, run_bytes))
        return false;
    note_weight(source, tensor, source->parts[at].offset + within);
    return true;
}

static bool add_single(const HyperionModel *model, int tensor, HypLayerSource *source)
{
    const HypGraphTensor *weight = &model->tensors[tensor];
    const size_t value_bytes = weight->shape.size_bytes;
    HypLayerPart part = {.run = -1,
                         .tensor = tensor,
                         .file = weight->file,
                         .file_offset = weight->file_offset,
                         .stored_bytes = value_bytes};
    bool placed;
    if (weight->source == HYP_WEIGHT_SEEDED) {
        part.file = -1;
        part.file_offset = 0;
        placed = place_seeded(source, part);
    } else {
        placed = (hyp_stored_bytes(weight->stored, weight->shape.type, weight->shape.element_count,
                                   &part.stored_bytes) ||
                  fail_size()) &&
                 place_part(source, part, value_bytes);
    }
    if (placed)
        note_weight(source, tensor, source->parts[source->part_count - 1].offset);
    return placed;
}

static bool add_weight(const HyperionModel *model, int tensor, HypLayerSource *source)
{
    const HypWeightRun *run = hyp_weight_run_of(model, tensor);
    if (!is_loaded(model, tensor) || has_weight(source, tensor))
        return true;
    return run ? add_run(model, run, tensor, source) : add_single(model, tensor, source);
}

// The weight that the layer packs; -1: none.
static int find_packed_tensor(const HyperionModel *model, const HypLayer *layer)
{
    const int input = hyp_layer_op(layer->op)->packed_input;
    return input ? hyp_model_root(model, layer->inputs[input]) : -1;
}

// Leaves room for what is kept of a layer that is packed, at the front of the block.
static bool reserve_kept(const HyperionModel *model, const HypLayer *layer, HypLayerSource *source)
{
    const int packed = find_packed_tensor(model, layer);
    size_t end = source->packing.packed_bytes;
    for (int i = 0; i < layer->input_count; i++) {
        const int tensor = hyp_model_root(model, layer->inputs[i]);
        if (tensor != packed && is_loaded(model, tensor) &&
            !hyp_size_add(end, model->tensors[tensor].shape.size_bytes + 64, &end))
            return fail_size();
    }
    return hyp_size_round_up(end, HYP_READ_ALIGNMENT, &source->kept_bytes) || fail_size();
}

static void place_kept(const HyperionModel *model, const HypLayer *layer, HypLayerSource *source)
{
    const int packed = find_packed_tensor(model, layer);
    size_t end = source->packing.packed_bytes;
    for (int i = 0; i < source->weight_count; i++) {
        HypPlacedWeight *weight = &source->weights[i];
        weight->offset = weight->tensor == packed ? SIZE_MAX : (end + 63) / 64 * 64;
        if (weight->tensor != packed)
            end = weight->offset + model->tensors[weight->tensor].shape.size_bytes;
    }
}

bool hyp_layer_source_create(const HyperionModel *model, int layer, const HypLayerPacking *packing,
                             HypLayerSource *source)
{
    const HypLayer *reader = &model->layers[layer];
    *source = (HypLayerSource){.packing = *packing};
    source->parts = calloc((size_t)reader->input_count + 1, sizeof *source->parts);
    source->weights = calloc((size_t)reader->input_count + 1, sizeof *source->weights);
    if (!source->parts || !source->weights)
        return hyp_fail(HYPERION_ERROR_MEMORY, "attach model %s: out of memory", model->name);
    if (packing->packed_bytes && !reserve_kept(model, reader, source))
        return false;
    source->size_bytes = source->kept_bytes;
    for (int i = 0; i < reader->input_count; i++)
        if (!add_weight(model, hyp_model_root(model, reader->inputs[i]), source))
            return false;
    if (!hyp_size_round_up(source->size_bytes, HYP_READ_ALIGNMENT, &source->size_bytes))
        return fail_size();
    if (packing->packed_bytes)
        place_kept(model, reader, source);
    else
        source->kept_bytes = source->size_bytes;
    return true;
}

// Room for the place of every tensor.
static void **make_places(const HyperionModel *model)
{
    void **places = (void **)calloc((size_t)model->tensor_count + 1, sizeof *places);
    if (!places)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "pack a weight of model %s: out of memory",
                       model->name);
    return places;
}

bool hyp_layer_source_find_packing(const HyperionModel *model, int layer,
                                   const HyperionGemmBlocking *blocking,
                                   const HypLayerSource *source, HypLayerPacking *packing)
{
    const HypLayer *reader = &model->layers[layer];
    const int packed = find_packed_tensor(model, reader);
    int uses = 0;
    *packing = (HypLayerPacking){0};
    for (int i = 0; i < reader->input_count; i++)
        uses += hyp_model_root(model, reader->inputs[i]) == packed;
    if (uses != 1 || !has_weight(source, packed))
        return true;
    void **places = make_places(model);
    if (!places)
        return false;
    packing->packed_bytes = hyp_memory_layout_layer_bytes(model, layer, blocking, places);
    packing->blocking = *blocking;
    free((void *)places);
    return true;
}

bool hyp_layer_source_pack(const HyperionModel *model, int layer, const HypLayerSource *source,
                           void *block)
{
    const HypLayer *reader = &model->layers[layer];
    void **places = source->packing.packed_bytes ? make_places(model) : NULL;
    if (!places)
        return source->packing.packed_bytes == 0;
    for (int i = 0; i < source->weight_count; i++) {
        const HypPlacedWeight *weight = &source->weights[i];
        char *loaded = (char *)block + weight->loaded_offset;
        if (weight->offset == SIZE_MAX)
            places[reader->inputs[hyp_layer_op(reader->op)->packed_input]] = loaded;
        else
            memcpy((char *)block + weight->offset, loaded,
                   model->tensors[weight->tensor].shape.size_bytes);
    }
    hyp_memory_layout_pack_layer(model, layer, &source->packing.blocking, places, block);
    free((void *)places);
    return true;
}

void hyp_layer_source_free(HypLayerSource *source)
{
    free(source->parts);
    free(source->weights);
    *source = (HypLayerSource){0};
}
