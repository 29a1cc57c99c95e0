// SPDX-License-Identifier: Apache-2.0
#include "model/layer_op.h"

#include "hyperion/tensor.h"

#include "model/broadcast.h"

#include <string.h>

static bool infer(const HyperionModel *model, HypLayer *layer, HypShape *result)
{
    const HyperionType condition = hyp_layer_input(model, layer, 0)->type;
    const HyperionType a = hyp_layer_input(model, layer, 1)->type;
    const HyperionType b = hyp_layer_input(model, layer, 2)->type;
    if (condition != HYPERION_TYPE_BOOL || a != b)
        return hyp_layer_fail(layer, "inputs are %s, %s and %s, expected bool and two of one type",
                              hyperionTypeName(condition), hyperionTypeName(a),
                              hyperionTypeName(b));
    return hyp_broadcast_infer(model, layer, a, result);
}

// A row of the result: the innermost group. Steps are 0 where an operand is repeated, else 1.
typedef struct Row {
    const uint8_t *condition;
    const char *a, *b;
    char *out;
    size_t count, condition_step, a_step, b_step;
} Row;

// One loop an element size: each copies elements of a size known to the compiler.
#define CHOOSE(row, bytes)                                                                         \
    for (size_t i = 0; i < (row)->count; i++)                                                      \
    memcpy((row)->out + i * (bytes),                                                               \
           (row)->condition[i * (row)->condition_step] ? (row)->a + i * (row)->a_step * (bytes)    \
                                                       : (row)->b + i * (row)->b_step * (bytes),   \
           (bytes))

static void choose_row(const Row *row, size_t element_bytes)
{
    switch (element_bytes) {
    case 8: CHOOSE(row, 8); break;
    case 4: CHOOSE(row, 4); break;
    default: CHOOSE(row, 1); break;
    }
}
#undef CHOOSE

static void execute(const HypLayerRun *run)
{
    enum { OPERANDS = 3 };
    const HypShape *operands[OPERANDS];
    for (int i = 0; i < OPERANDS; i++)
        operands[i] = hyp_layer_input(run->model, run->layer, i);
    const HypShape *out = hyp_layer_output(run->model, run->layer);
    HypAxisGroup groups[HYPERION_MAX_RANK] = {{.repeated = 0, .extent = 1}};
    const int count = hyp_broadcast_groups(operands, OPERANDS, out, groups);
    const int leading = count > 0 ? count - 1 : 0;
    const HypAxisGroup *inner = &groups[leading];
    size_t step[OPERANDS];
    for (int i = 0; i < OPERANDS; i++)
        step[i] = inner->repeated >> i & 1 ? 0 : 1;
    const size_t element_bytes = hyperionTypeBytes(out->type);
    const size_t rows = out->element_count ? out->element_count / inner->extent : 0;
    for (size_t r = 0; r < rows; r++) {
        size_t offset[OPERANDS];
        for (int i = 0; i < OPERANDS; i++)
            offset[i] = hyp_broadcast_offset(groups, leading, r, i, step[i] ? inner->extent : 1);
        const Row row = {
            .condition = (const uint8_t *)hyp_run_input_bytes(run, 0) + offset[0],
            .a = (const char *)hyp_run_input_bytes(run, 1) + offset[1] * element_bytes,
            .b = (const char *)hyp_run_input_bytes(run, 2) + offset[2] * element_bytes,
            .out = (char *)hyp_run_output_bytes(run) + r * inner->extent * element_bytes,
            .count = inner->extent,
            .condition_step = step[0],
            .a_step = step[1],
            .b_step = step[2],
        };
        choose_row(&row, element_bytes);
    }
}

const HypLayerOp hyp_layer_op_where = {
    .name = "where",
    .least_inputs = 3,
    .most_inputs = 3,
    .any_type = true,
    .infer = infer,
    .execute = execute,
};
