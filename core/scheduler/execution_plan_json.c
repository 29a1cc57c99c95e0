// SPDX-License-Identifier: Apache-2.0
// execution_plan_json.c - execution plans as JSON, and the names of their steps.
#include "common/fail.h"
#include "common/json_writer.h"
#include "common/out_file.h"
#include "scheduler/execution_plan.h"

#include <stdlib.h>

const char *hyperionStepOpName(HyperionStepOp op)
{
    static const char *const names[] = {
        [HYPERION_STEP_RUN] = "run",
        [HYPERION_STEP_DROP] = "drop",
        [HYPERION_STEP_RECOMPUTE] = "recompute",
        [HYPERION_STEP_SPILL] = "spill",
        [HYPERION_STEP_RESTORE] = "restore",
        [HYPERION_STEP_VISIT] = "visit",
    };
    return (unsigned)op < HYPERION_STEP_OP_COUNT ? names[op] : "";
}

static void put_integer(HypJsonWriter *writer, const char *key, uint64_t value)
{
    hyp_json_key(writer, key);
    hyp_json_put_integer(writer, value <= INT64_MAX ? (int64_t)value : INT64_MAX);
}

static void put_text(HypJsonWriter *writer, const char *key, const char *text)
{
    hyp_json_key(writer, key);
    hyp_json_put_text(writer, text);
}

static void put_step(HypJsonWriter *writer, const HyperionExecutionPlan *plan,
                     const HyperionExecutionStep *step)
{
    char *const *tensor_names = plan->names + plan->layer_count;
    hyp_json_begin(writer, '{');
    put_text(writer, "op", hyperionStepOpName(step->op));
    put_text(writer, "layer", plan->names[step->layer]);
    put_text(writer, "tensor", tensor_names[step->tensor]);
    put_integer(writer, "tensor_bytes", step->tensor_bytes);
    if (step->offset_bytes != SIZE_MAX)
        put_integer(writer, "offset_bytes", step->offset_bytes);
    if (step->replaced_tensor >= 0)
        put_text(writer, "replaced_tensor", tensor_names[step->replaced_tensor]);
    put_integer(writer, "live_bytes", step->live_bytes);
    hyp_json_end(writer, '}');
}

static void put_plan(HypJsonWriter *writer, const HyperionExecutionPlan *plan)
{
    const HyperionExecutionPlanInfo *info = &plan->info;
    hyp_json_begin(writer, '{');
    put_text(writer, "model", plan->model_name);
    put_text(writer, "direction",
             info->direction == HYPERION_PASS_FORWARD ? "forward" : "backward");
    put_integer(writer, "activation_bytes", info->activation_bytes);
    put_integer(writer, "live_peak_bytes", info->live_peak_bytes);
    put_integer(writer, "run_layers", info->run_layers);
    put_integer(writer, "recomputed_layers", info->recomputed_layers);
    put_integer(writer, "spilled_bytes", info->spilled_bytes);
    put_integer(writer, "restored_bytes", info->restored_bytes);
    put_integer(writer, "predicted_ns", (uint64_t)info->predicted_ns);
    put_integer(writer, "forward_ns", (uint64_t)info->forward_ns);
    hyp_json_key(writer, "proved_optimal");
    hyp_json_put_bool(writer, info->proved_optimal);
    hyp_json_key(writer, "steps");
    hyp_json_begin(writer, '[');
    for (int i = 0; i < info->step_count; i++)
        put_step(writer, plan, &plan->steps[i]);
    hyp_json_end(writer, ']');
    hyp_json_end(writer, '}');
}

bool hyperionSaveExecutionPlan(const HyperionExecutionPlan *plan, const char *path)
{
    if (!plan || !path)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "save execution plan: %s is NULL",
                        plan ? "the path" : "the plan");
    HypJsonWriter writer = {0};
    put_plan(&writer, plan);
    bool saved = false;
    if (!writer.failed) {
        HypOutFile *file = hyp_out_file_create(path);
        const bool written = file && hyp_out_file_write(file, writer.text, writer.used_bytes) &&
                             hyp_out_file_write(file, "\n", 1);
        saved = hyp_out_file_close(file, written);
    }
    free(writer.text);
    return saved;
}
