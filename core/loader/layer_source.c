// SPDX-License-Identifier: Apache-2.0
#include "loader/layer_source.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/safetensors/weight_run.h"

#include <stdlib.h>

static bool has_weight(const HypLayerSource *source, int tensor)
{
    for (int i = 0; i < source->weight_count; i++)
        if (source->weights[i].tensor == tensor)
            return true;
    return false;
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
    source->weights[source->weight_count++] =
        (HypPlacedWeight){tensor, source->parts[at].offset + within};
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
        source->weights[source->weight_count++] =
            (HypPlacedWeight){tensor, source->parts[source->part_count - 1].offset};
    return placed;
}

static bool add_weight(const HyperionModel *model, int tensor, HypLayerSource *source)
{
    const HypGraphTensor *weight = &model->tensors[tensor];
    const HypWeightRun *run = hyp_weight_run_of(model, tensor);
    if (weight->role != HYP_TENSOR_WEIGHT || weight->source == HYP_WEIGHT_OWNED ||
        weight->shape.size_bytes == 0 || has_weight(source, tensor))
        return true;
    return run ? add_run(model, run, tensor, source) : add_single(model, tensor, source);
}

bool hyp_layer_source_create(const HyperionModel *model, int layer, HypLayerSource *source)
{
    const HypLayer *reader = &model->layers[layer];
    *source = (HypLayerSource){0};
    source->parts = calloc((size_t)reader->input_count + 1, sizeof *source->parts);
    source->weights = calloc((size_t)reader->input_count + 1, sizeof *source->weights);
    if (!source->parts || !source->weights)
        return hyp_fail(HYPERION_ERROR_MEMORY, "attach model %s: out of memory", model->name);
    for (int i = 0; i < reader->input_count; i++)
        if (!add_weight(model, hyp_model_root(model, reader->inputs[i]), source))
            return false;
    return hyp_size_round_up(source->size_bytes, HYP_READ_ALIGNMENT, &source->size_bytes) ||
           fail_size();
}

void hyp_layer_source_free(HypLayerSource *source)
{
    free(source->parts);
    free(source->weights);
    *source = (HypLayerSource){0};
}
