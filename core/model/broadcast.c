// SPDX-License-Identifier: Apache-2.0
#include "model/broadcast.h"

// Extent of axis `axis` of a result of `rank` dims in an operand, whose missing axes are 1.
static int64_t get_dim(const HypShape *operand, int rank, int axis)
{
    const int own = axis - (rank - operand->rank);
    return own < 0 ? 1 : operand->dims[own];
}

static bool fail_to_broadcast(const HyperionModel *model, const HypLayer *layer, int a, int b)
{
    const HypGraphTensor *first = &model->tensors[layer->inputs[a]];
    const HypGraphTensor *second = &model->tensors[layer->inputs[b]];
    char first_text[HYP_SHAPE_TEXT_BYTES];
    char second_text[HYP_SHAPE_TEXT_BYTES];
    return hyp_layer_fail(layer, "'%s', %s, and '%s', %s, do not broadcast", first->name,
                          hyp_shape_text(&first->shape, first_text), second->name,
                          hyp_shape_text(&second->shape, second_text));
}

bool hyp_broadcast_infer(const HyperionModel *model, const HypLayer *layer, HyperionType type,
                         HypShape *result)
{
    int rank = 0;
    for (int i = 0; i < layer->input_count; i++) {
        const int own = hyp_layer_input(model, layer, i)->rank;
        rank = own > rank ? own : rank;
    }
    int64_t dims[HYPERION_MAX_RANK] = {0};
    for (int axis = 0; axis < rank; axis++) {
        int widest = 0; // an input whose extent is that of the result
        dims[axis] = 1;
        for (int i = 0; i < layer->input_count; i++) {
            const int64_t extent = get_dim(hyp_layer_input(model, layer, i), rank, axis);
            if (extent == 1)
                continue;
            if (dims[axis] != 1 && dims[axis] != extent)
                return fail_to_broadcast(model, layer, widest, i);
            dims[axis] = extent;
            widest = i;
        }
    }
    return hyp_shape_create(result, layer->name, type, rank, dims);
}

int hyp_broadcast_groups(const HypShape *const *operands, int operand_count, const HypShape *out,
                         HypAxisGroup groups[HYPERION_MAX_RANK])
{
    int count = 0;
    for (int axis = 0; axis < out->rank; axis++) {
        const int64_t extent = out->dims[axis];
        if (extent == 1)
            continue;
        unsigned repeated = 0;
        for (int i = 0; i < operand_count; i++)
            if (get_dim(operands[i], out->rank, axis) != extent)
                repeated |= 1U << i;
        if (count > 0 && groups[count - 1].repeated == repeated)
            groups[count - 1].extent *= (size_t)extent;
        else
            groups[count++] = (HypAxisGroup){.repeated = repeated, .extent = (size_t)extent};
    }
    return count;
}

size_t hyp_broadcast_offset(const HypAxisGroup *groups, int count, size_t index, int operand,
                            size_t step)
{
    size_t offset = 0;
    for (int i = count; i-- > 0;) {
        const size_t place = index % groups[i].extent;
        index /= groups[i].extent;
        if (groups[i].repeated >> operand & 1)
            continue;
        offset += place * step;
        step *= groups[i].extent;
    }
    return offset;
}
