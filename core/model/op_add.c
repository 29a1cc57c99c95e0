// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

// Neighbouring axes of the result that one operand repeats, or none does, merged into one extent.
typedef enum Repeated { REPEATED_NONE, REPEATED_A, REPEATED_B } Repeated;

typedef struct AxisGroup {
    Repeated repeated;
    size_t extent;
} AxisGroup;

// Extent of axis `axis` of a result of `rank` dims in an operand, whose missing axes are 1.
static int64_t get_dim(const HypShape *operand, int rank, int axis)
{
    const int own = axis - (rank - operand->rank);
    return own < 0 ? 1 : operand->dims[own];
}

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HypShape *a = hyp_layer_input(model, layer, 0);
    const HypShape *b = hyp_layer_input(model, layer, 1);
    const int rank = a->rank > b->rank ? a->rank : b->rank;
    int64_t dims[HYPERION_MAX_RANK] = {0};
    for (int axis = 0; axis < rank; axis++) {
        const int64_t of_a = get_dim(a, rank, axis);
        const int64_t of_b = get_dim(b, rank, axis);
        char a_text[HYP_SHAPE_TEXT_BYTES];
        char b_text[HYP_SHAPE_TEXT_BYTES];
        if (of_a != of_b && of_a != 1 && of_b != 1)
            return hyp_layer_fail(layer, "'%s', %s, and '%s', %s, do not broadcast",
                                  model->tensors[layer->inputs[0]].name, hyp_shape_text(a, a_text),
                                  model->tensors[layer->inputs[1]].name, hyp_shape_text(b, b_text));
        dims[axis] = of_a == 1 ? of_b : of_a;
    }
    return hyp_layer_result(layer, result, rank, dims);
}

static double count_flops(const HyperionModel *model, const HypLayer *layer)
{
    return (double)hyp_layer_output(model, layer)->element_count;
}

static int group_axes(const HypShape *a, const HypShape *b, const HypShape *out,
                      AxisGroup groups[HYPERION_MAX_RANK])
{
    int count = 0;
    for (int axis = 0; axis < out->rank; axis++) {
        const int64_t extent = out->dims[axis];
        if (extent == 1)
            continue;
        const Repeated repeated = get_dim(a, out->rank, axis) != extent   ? REPEATED_A
                                  : get_dim(b, out->rank, axis) != extent ? REPEATED_B
                                                                          : REPEATED_NONE;
        if (count > 0 && groups[count - 1].repeated == repeated)
            groups[count - 1].extent *= (size_t)extent;
        else
            groups[count++] = (AxisGroup){.repeated = repeated, .extent = (size_t)extent};
    }
    return count;
}

// Gives the trailing groups that one kernel call covers to `args`, and who is repeated in them;
// returns how many groups are left.
static int take_kernel_groups(const AxisGroup *groups, int count, HypAddArgs *args,
                              Repeated *repeated)
{
    *repeated = REPEATED_NONE;
    args->outer = args->middle = args->inner = 1;
    if (count > 0 && groups[count - 1].repeated != REPEATED_NONE) {
        *repeated = groups[--count].repeated;
        args->inner = groups[count].extent;
    }
    if (count > 0 && groups[count - 1].repeated == REPEATED_NONE)
        args->middle = groups[--count].extent;
    if (count > 0 && (*repeated == REPEATED_NONE || groups[count - 1].repeated == *repeated)) {
        *repeated = groups[--count].repeated;
        args->outer = groups[count].extent;
    }
    return count;
}

// Elements that the kernel call takes from each operand; the next call's lie behind them, unless
// the operand is repeated.
static size_t count_elements(const HypAddArgs *args, bool repeated)
{
    return repeated ? args->middle : args->outer * args->middle * args->inner;
}

// Offset in an operand of the `index`-th combination of the leading groups.
static size_t find_offset(const AxisGroup *groups, int count, size_t index, Repeated operand,
                          size_t step)
{
    size_t offset = 0;
    for (int i = count; i-- > 0;) {
        const size_t place = index % groups[i].extent;
        index /= groups[i].extent;
        if (groups[i].repeated == operand)
            continue;
        offset += place * step;
        step *= groups[i].extent;
    }
    return offset;
}

static void execute(const HypLayerRun *run)
{
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    AxisGroup groups[HYPERION_MAX_RANK];
    const int group_count = group_axes(hyp_layer_input(run->model, run->layer, 0),
                                       hyp_layer_input(run->model, run->layer, 1), out, groups);
    HypAddArgs args = {.parallel = run->parallel};
    Repeated repeated;
    const int leading = take_kernel_groups(groups, group_count, &args, &repeated);
    const size_t a_step = count_elements(&args, repeated == REPEATED_A);
    const size_t b_step = count_elements(&args, repeated == REPEATED_B);
    const size_t out_step = args.outer * args.middle * args.inner;
    const size_t calls = out->element_count ? out->element_count / out_step : 0;
    for (size_t i = 0; i < calls; i++) {
        const float *a =
            hyp_run_input(run, 0) + find_offset(groups, leading, i, REPEATED_A, a_step);
        const float *b =
            hyp_run_input(run, 1) + find_offset(groups, leading, i, REPEATED_B, b_step);
        // The kernel repeats its second operand.
        args.a = repeated == REPEATED_A ? b : a;
        args.b = repeated == REPEATED_A ? a : b;
        args.out = hyp_run_output(run) + i * out_step;
        run->model->settings.dispatch.best[HYP_OP_ADD]->fn.add(&args);
    }
}

const HypLayerOp hyp_layer_op_add = {
    .name = "add",
    .least_inputs = 2,
    .most_inputs = 2,
    .infer = infer,
    .flops = count_flops,
    .execute = execute,
};
