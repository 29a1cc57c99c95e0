// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors/streaming.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "model/layer_op.h"

#include <stdlib.h>

// Room for all that can be in a layout, so that nothing grows while it is filled.
static bool reserve(StreamLayout *layout, const HyperionModel *model, bool **placed)
{
    const size_t tensor_count = (size_t)model->tensor_count + 1;
    *layout = (StreamLayout){
        .weights = calloc(tensor_count, sizeof *layout->weights),
        .begins = calloc(tensor_count, sizeof *layout->begins),
        .runs = calloc((size_t)model->layer_count + 1, sizeof *layout->runs),
    };
    *placed = calloc(tensor_count, sizeof **placed);
    return (layout->weights && layout->begins && layout->runs && *placed) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "no memory to lay out model %s", model->name);
}

static bool add_weight(StreamLayout *layout, const HyperionModel *model, int weight)
{
    HypWeightRun *run = &layout->runs[layout->run_count - 1];
    size_t begin = 0;
    size_t end = 0;
    if (!hyp_size_round_up(layout->data_bytes,
                           run->weight_count ? STREAMING_WEIGHT_ALIGNMENT : STREAMING_RUN_ALIGNMENT,
                           &begin) ||
        !hyp_size_add(begin, model->tensors[weight].shape.size_bytes, &end) || end > INT64_MAX / 2)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "model %s is larger than a file can be",
                        model->name);
    if (run->weight_count == 0) {
        run->file_offset = begin;
        run->first_weight = layout->weight_count;
    }
    layout->begins[layout->weight_count] = begin;
    layout->weights[layout->weight_count++] = weight;
    run->weight_count++;
    run->size_bytes = end - run->file_offset;
    layout->data_bytes = end;
    return true;
}

// Adds the weights among `tensors` that have no place yet to a run of `layer`, a new one unless
// that is the last.
static bool add_weights(StreamLayout *layout, const HyperionModel *model, int layer,
                        const int *tensors, int count, bool *placed)
{
    for (int i = 0; i < count; i++) {
        const int weight = hyp_model_root(model, tensors[i]);
        if (model->tensors[weight].role != HYP_TENSOR_WEIGHT || placed[weight])
            continue;
        if (layout->run_count == 0 || layout->runs[layout->run_count - 1].layer != layer)
            layout->runs[layout->run_count++] = (HypWeightRun){.layer = layer};
        placed[weight] = true;
        if (!add_weight(layout, model, weight))
            return false;
    }
    return true;
}

static bool fill(StreamLayout *layout, const HyperionModel *model, bool *placed)
{
    for (int i = 0; i < model->layer_count; i++)
        if (!hyp_layer_is_view(model, &model->layers[i]) &&
            !add_weights(layout, model, i, model->layers[i].inputs, model->layers[i].input_count,
                         placed))
            return false;
    for (int i = 0; i < model->layer_count; i++)
        if (!add_weights(layout, model, -1, model->layers[i].inputs, model->layers[i].input_count,
                         placed))
            return false;
    size_t data_bytes = 0;
    if (!add_weights(layout, model, -1, model->outputs, model->output_count, placed))
        return false;
    (void)hyp_size_round_up(layout->data_bytes, STREAMING_RUN_ALIGNMENT, &data_bytes);
    layout->data_bytes = data_bytes;
    return true;
}

bool hyp_stream_layout_create(StreamLayout *layout, const HyperionModel *model)
{
    bool *placed = NULL;
    const bool created = reserve(layout, model, &placed) && fill(layout, model, placed);
    free(placed);
    if (!created)
        hyp_stream_layout_free(layout);
    return created;
}

void hyp_stream_layout_free(StreamLayout *layout)
{
    free(layout->weights);
    free(layout->begins);
    free(layout->runs);
    *layout = (StreamLayout){0};
}
