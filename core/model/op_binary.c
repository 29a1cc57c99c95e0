// SPDX-License-Identifier: Apache-2.0
#include "model/band.h"

#include "hyperion/tensor.h"

#include "model/broadcast.h"
#include "model/integer_math.h"

static bool is_comparison(HyperionBinary function)
{
    return function >= HYPERION_BINARY_EQUAL;
}

static bool accepts(HyperionBinary function, HyperionType type)
{
    switch (function) {
    case HYPERION_BINARY_EQUAL: return true;
    case HYPERION_BINARY_AND:
    case HYPERION_BINARY_OR:
    case HYPERION_BINARY_XOR: return type == HYPERION_TYPE_BOOL;
    case HYPERION_BINARY_PRELU: return type == HYPERION_TYPE_F32;
    default: return type != HYPERION_TYPE_BOOL;
    }
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HyperionBinary function = layer->attributes.binary;
    const HyperionType type = hyp_layer_input(model, layer, 0)->type;
    const HyperionType other = hyp_layer_input(model, layer, 1)->type;
    if ((unsigned)function >= HYPERION_BINARY_COUNT)
        return hyp_layer_fail(layer, "no function %d of two operands", (int)function);
    if (type != other || !accepts(function, type))
        return hyp_layer_fail(layer, "function %d does not take %s and %s", (int)function,
                              hyperionTypeName(type), hyperionTypeName(other));
    return hyp_broadcast_infer(model, layer, is_comparison(function) ? HYPERION_TYPE_BOOL : type,
                               result);
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return (double)hyp_layer_output(model, layer)->element_count;
}

// The operand that a kernel call repeats.
typedef enum Repeated { REPEATED_NONE = 0, REPEATED_A = 1, REPEATED_B = 2 } Repeated;

// Gives the trailing groups that one kernel call covers to `args`, and who is repeated in them;
// returns how many groups are left.
static int take_kernel_groups(const HypAxisGroup *groups, int count, HypBinaryArgs *args,
                              Repeated *repeated)
{
    *repeated = REPEATED_NONE;
    args->outer = args->middle = args->inner = 1;
    if (count > 0 && groups[count - 1].repeated != REPEATED_NONE) {
        *repeated = (Repeated)groups[--count].repeated;
        args->inner = groups[count].extent;
    }
    if (count > 0 && groups[count - 1].repeated == REPEATED_NONE)
        args->middle = groups[--count].extent;
    if (count > 0 && (*repeated == REPEATED_NONE || groups[count - 1].repeated == *repeated)) {
        *repeated = (Repeated)groups[--count].repeated;
        args->outer = groups[count].extent;
    }
    return count;
}

// Elements that the kernel call takes from each operand; the next call's lie behind them, unless
// the operand is repeated.
static size_t count_elements(const HypBinaryArgs *args, bool repeated)
{
    return repeated ? args->middle : args->outer * args->middle * args->inner;
}

static void execute_kernel(const HypLayerRun *run, const HypAxisGroup *groups, int group_count)
{
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypBinaryArgs args = {.function = run->layer->attributes.binary, .parallel = run->parallel};
    Repeated repeated;
    const int leading = take_kernel_groups(groups, group_count, &args, &repeated);
    const size_t a_step = count_elements(&args, repeated == REPEATED_A);
    const size_t b_step = count_elements(&args, repeated == REPEATED_B);
    const size_t out_step = args.outer * args.middle * args.inner;
    const size_t calls = out->element_count ? out->element_count / out_step : 0;
    // The kernel repeats its second operand.
    args.reversed = repeated == REPEATED_A;
    for (size_t i = 0; i < calls; i++) {
        const float *a =
            hyp_run_input(run, 0) + hyp_broadcast_offset(groups, leading, i, 0, a_step);
        const float *b =
            hyp_run_input(run, 1) + hyp_broadcast_offset(groups, leading, i, 1, b_step);
        args.a = args.reversed ? b : a;
        args.b = args.reversed ? a : b;
        args.out = hyp_run_output(run) + i * out_step;
        run->model->settings.dispatch.best[HYP_OP_BINARY]->fn.binary(&args);
    }
}

static int64_t compute(HyperionBinary function, int64_t a, int64_t b)
{
    switch (function) {
    case HYPERION_BINARY_SUB: return hyp_integer_subtract(a, b);
    case HYPERION_BINARY_MUL: return hyp_integer_multiply(a, b);
    case HYPERION_BINARY_DIV: return hyp_integer_divide(a, b);
    case HYPERION_BINARY_MAX: return a > b ? a : b;
    case HYPERION_BINARY_MIN: return a < b ? a : b;
    case HYPERION_BINARY_POW: return hyp_integer_power(a, b);
    default: return hyp_integer_add(a, b);
    }
}

static bool compare_integers(HyperionBinary function, int64_t a, int64_t b)
{
    switch (function) {
    case HYPERION_BINARY_LESS: return a < b;
    case HYPERION_BINARY_LESS_EQUAL: return a <= b;
    case HYPERION_BINARY_GREATER: return a > b;
    case HYPERION_BINARY_GREATER_EQUAL: return a >= b;
    case HYPERION_BINARY_AND: return a & b;
    case HYPERION_BINARY_OR: return a | b;
    case HYPERION_BINARY_XOR: return a ^ b;
    default: return a == b;
    }
}

static bool compare_floats(HyperionBinary function, float a, float b)
{
    switch (function) {
    case HYPERION_BINARY_LESS: return a < b;
    case HYPERION_BINARY_LESS_EQUAL: return a <= b;
    case HYPERION_BINARY_GREATER: return a > b;
    case HYPERION_BINARY_GREATER_EQUAL: return a >= b;
    default: return a == b;
    }
}

// What no kernel does, element by element: integers and comparisons.
static void execute_any(const HypLayerRun *run, const HypAxisGroup *groups, int group_count)
{
    const HyperionBinary function = run->layer->attributes.binary;
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    const HyperionType type = hyp_layer_input(run->model, run->layer, 0)->type;
    const void *a = hyp_run_input_bytes(run, 0);
    const void *b = hyp_run_input_bytes(run, 1);
    void *to = hyp_run_output_bytes(run);
    for (size_t i = 0; i < out->element_count; i++) {
        const size_t of_a = hyp_broadcast_offset(groups, group_count, i, 0, 1);
        const size_t of_b = hyp_broadcast_offset(groups, group_count, i, 1, 1);
        if (type == HYPERION_TYPE_F32)
            ((bool *)to)[i] =
                compare_floats(function, ((const float *)a)[of_a], ((const float *)b)[of_b]);
        else if (is_comparison(function))
            ((bool *)to)[i] = compare_integers(function, hyp_integer_load(type, a, of_a),
                                               hyp_integer_load(type, b, of_b));
        else
            hyp_integer_store(type, to, i,
                              compute(function, hyp_integer_load(type, a, of_a),
                                      hyp_integer_load(type, b, of_b)));
    }
}

static void execute(const HypLayerRun *run)
{
    const HypShape *operands[] = {hyp_layer_input(run->model, run->layer, 0),
                                  hyp_layer_input(run->model, run->layer, 1)};
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypAxisGroup groups[HYPERION_MAX_RANK];
    const int group_count = hyp_broadcast_groups(operands, 2, out, groups);
    if (out->type == HYPERION_TYPE_F32)
        execute_kernel(run, groups, group_count);
    else
        execute_any(run, groups, group_count);
}

const HypLayerOp hyp_layer_op_binary = {
    .name = "binary",
    .least_inputs = 2,
    .most_inputs = 2,
    .any_type = true,
    .overwrites = 2,
    .band = hyp_band_alike,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
