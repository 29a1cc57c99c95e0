// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "hyperion/tensor.h"

#include "parallel_for.h"

#include <inttypes.h>
#include <string.h>

// x seen as outer x extent x run bytes, of which `count` are gathered for each outer.
typedef struct Gather {
    HyperionType index_type;
    const void *indices;
    size_t outer, count;
    int64_t extent;
    size_t run_bytes;
    const char *in;
    char *out;
} Gather;

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    const HypShape *indices = hyp_layer_input(model, layer, 1);
    if (indices->type != HYPERION_TYPE_I64 && indices->type != HYPERION_TYPE_I32)
        return hyp_layer_fail(layer, "indices are %s, expected i64 or i32",
                              hyperionTypeName(indices->type));
    const int axis = hyp_layer_axis(layer, layer->attributes.axis, in->rank);
    if (axis < 0)
        return false;
    layer->attributes.axis = axis;
    const int rank = in->rank - 1 + indices->rank;
    if (rank > HYPERION_MAX_RANK)
        return hyp_layer_fail(layer, "the result has %d dimensions, at most %d are possible", rank,
                              HYPERION_MAX_RANK);
    int64_t dims[HYPERION_MAX_RANK] = {0};
    int count = 0;
    for (int i = 0; i < axis; i++)
        dims[count++] = in->dims[i];
    for (int i = 0; i < indices->rank; i++)
        dims[count++] = indices->dims[i];
    for (int i = axis + 1; i < in->rank; i++)
        dims[count++] = in->dims[i];
    return hyp_shape_create(result, layer->name, in->type, rank, dims);
}

static Gather describe(const HypLayerRun *run)
{
    const HypShape *in = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *indices = hyp_layer_input(run->model, run->layer, 1);
    const int axis = (int)run->layer->attributes.axis;
    return (Gather){
        .index_type = indices->type,
        .indices = hyp_run_required(run, 1),
        .outer = hyp_shape_product(in, 0, axis),
        .count = indices->element_count,
        .extent = in->dims[axis],
        .run_bytes = hyp_shape_product(in, axis + 1, in->rank) * hyperionTypeBytes(in->type),
        .in = hyp_run_required(run, 0),
        .out = (char *)hyp_run_output(run),
    };
}

static int64_t get_index(const Gather *gather, size_t place)
{
    return gather->index_type == HYPERION_TYPE_I64 ? ((const int64_t *)gather->indices)[place]
                                                   : ((const int32_t *)gather->indices)[place];
}

static bool check_values(const HypLayerRun *run)
{
    const Gather gather = describe(run);
    if (hyp_layer_output(run->model, run->layer)->element_count == 0)
        return true;
    for (size_t i = 0; i < gather.count; i++) {
        const int64_t index = get_index(&gather, i);
        if (index < -gather.extent || index >= gather.extent)
            return hyp_layer_fail(run->layer,
                                  "index %" PRId64 " of '%s' is out of range for axis %" PRId64
                                  ", whose extent is %" PRId64,
                                  index, run->model->tensors[run->layer->inputs[1]].name,
                                  run->layer->attributes.axis, gather.extent);
    }
    return true;
}

static void gather_runs(void *context, size_t thread)
{
    const HypParallelCall *call = context;
    const Gather *gather = call->args;
    const HypRange range =
        hyp_parallel_part(gather->outer * gather->count, 1, call->threads, thread);
    for (size_t i = range.first; i < range.end; i++) {
        const int64_t index = get_index(gather, i % gather->count);
        const size_t row = (size_t)(index < 0 ? index + gather->extent : index);
        const size_t from = i / gather->count * (size_t)gather->extent + row;
        memcpy(gather->out + i * gather->run_bytes, gather->in + from * gather->run_bytes,
               gather->run_bytes);
    }
}

static void execute(const HypLayerRun *run)
{
    const Gather gather = describe(run);
    const size_t elements = hyp_layer_output(run->model, run->layer)->element_count;
    if (elements > 0)
        hyp_parallel_call(run->parallel, (double)elements * HYP_WORK_STREAMED, gather_runs,
                          &gather);
}

const HypLayerOp hyp_layer_op_gather = {
    .name = "gather",
    .least_inputs = 2,
    .most_inputs = 2,
    .any_type = true,
    .infer = infer,
    .check_values = check_values,
    .execute = execute,
};
