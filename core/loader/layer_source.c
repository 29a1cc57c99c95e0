// SPDX-License-Identifier: Apache-2.0
#include "loader/layer_source.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/safetensors/weight_run.h"
#include "model/weight_bytes.h"

#include <stdlib.h>

static const size_t page_bytes = 4096;

static bool has_weight(const HypLayerSource *source, int tensor)
{
    for (int i = 0; i < source->weight_count; i++)
        if (source->weights[i].tensor == tensor)
            return true;
    return false;
}

// The offset in the block of what begins at its end and is `size_bytes` long.
static bool add_part(HypLayerSource *source, HypLayerPart part, size_t size_bytes, size_t *offset)
{
    size_t end;
    *offset = source->size_bytes;
    part.offset = *offset;
    source->parts[source->part_count++] = part;
    return (hyp_size_add(*offset, size_bytes, &end) &&
            hyp_size_round_up(end, 64, &source->size_bytes)) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "the weights of a layer do not fit in memory");
}

// Reads the whole run for the sake of its checksum.
static bool add_run(const HyperionModel *model, const HypWeightRun *run, int tensor,
                    HypLayerSource *source)
{
    const int index = (int)(run - model->weight_runs);
    const size_t within = (size_t)(model->tensors[tensor].file_offset - run->file_offset);
    size_t offset = SIZE_MAX;
    for (int i = 0; i < source->part_count; i++)
        if (source->parts[i].run == index)
            offset = source->parts[i].offset;
    if (offset == SIZE_MAX && !add_part(source, (HypLayerPart){.run = index, .tensor = -1},
                                        (size_t)run->size_bytes, &offset))
        return false;
    source->weights[source->weight_count++] = (HypPlacedWeight){tensor, offset + within};
    return true;
}

static bool add_weight(const HyperionModel *model, int tensor, HypLayerSource *source)
{
    const HypGraphTensor *weight = &model->tensors[tensor];
    const HypWeightRun *run = hyp_weight_run_of(model, tensor);
    if (weight->role != HYP_TENSOR_WEIGHT || weight->source == HYP_WEIGHT_OWNED ||
        weight->shape.size_bytes == 0 || has_weight(source, tensor))
        return true;
    if (run)
        return add_run(model, run, tensor, source);
    size_t offset;
    if (!add_part(source, (HypLayerPart){.run = -1, .tensor = tensor}, weight->shape.size_bytes,
                  &offset))
        return false;
    source->weights[source->weight_count++] = (HypPlacedWeight){tensor, offset};
    return true;
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
    return hyp_size_round_up(source->size_bytes, page_bytes, &source->size_bytes) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "the weights of a layer do not fit in memory");
}

void hyp_layer_source_free(HypLayerSource *source)
{
    free(source->parts);
    free(source->weights);
    *source = (HypLayerSource){0};
}

bool hyp_layer_source_read(const HyperionModel *model, const HypLayerSource *source, void *block)
{
    for (int i = 0; i < source->part_count; i++) {
        const HypLayerPart *part = &source->parts[i];
        void *place = (char *)block + part->offset;
        if (!(part->run >= 0 ? hyp_weight_run_fill(model, &model->weight_runs[part->run], place)
                             : hyp_weights_fill(model, part->tensor, place)))
            return false;
    }
    return true;
}
