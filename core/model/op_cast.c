// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "hyperion/tensor.h"

#include "model/integer_math.h"

#include <math.h>
#include <string.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *in = hyp_layer_input(model, layer, 0);
    return hyp_shape_create(result, layer->name, layer->attributes.type, in->rank, in->dims);
}

// Towards 0, to the nearest number of the type; NaN to 0.
static int64_t truncate_float(float value, HyperionType type)
{
    if (type == HYPERION_TYPE_BOOL)
        return value != 0.0F;
    const bool narrow = type == HYPERION_TYPE_I32;
    const float past = narrow ? 0x1p31F : 0x1p63F; // the limits themselves are no floats
    if (isnan(value))
        return 0;
    if (value >= past)
        return narrow ? INT32_MAX : INT64_MAX;
    if (value < -past)
        return narrow ? INT32_MIN : INT64_MIN;
    return (int64_t)value;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *in_shape = hyp_layer_input(run->model, run->layer, 0);
    const HypShape *out_shape = hyp_layer_output(run->model, run->layer);
    const HyperionType from = in_shape->type;
    const HyperionType to = out_shape->type;
    const void *in = hyp_run_input_bytes(run, 0);
    void *out = hyp_run_output_bytes(run);
    const size_t count = out_shape->element_count;
    if (from == to && count > 0)
        memcpy(out, in, out_shape->size_bytes);
    else if (from == HYPERION_TYPE_F32)
        for (size_t i = 0; i < count; i++)
            hyp_integer_store(to, out, i, truncate_float(((const float *)in)[i], to));
    else if (to == HYPERION_TYPE_F32)
        for (size_t i = 0; i < count; i++)
            ((float *)out)[i] = (float)hyp_integer_load(from, in, i);
    else
        for (size_t i = 0; i < count; i++)
            hyp_integer_store(to, out, i, hyp_integer_load(from, in, i));
}

const HypLayerOp hyp_layer_op_cast = {
    .name = "cast",
    .least_inputs = 1,
    .most_inputs = 1,
    .any_type = true,
    .infer = infer,
    .execute = execute,
};
