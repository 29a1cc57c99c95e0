// SPDX-License-Identifier: Apache-2.0
#include "hyperion/simd.h"

#include "common/fail.h"
#include "model/graph.h"

bool hyperionEnableSIMD(HyperionModel *model, HyperionSIMDOpType op_type, bool enable)
{
    if ((unsigned)op_type >= HYP_SIMD_OP_TYPE_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "enable SIMD: operation type 0 to %d, given %d",
                        HYP_SIMD_OP_TYPE_COUNT - 1, (int)op_type);
    if (!hyp_model_begin_change(model, "enable SIMD"))
        return false;
    hyp_dispatch_enable(&model->settings.dispatch, op_type, enable);
    hyp_model_end_change(model);
    return true;
}

// The available level nearest below `level`.
static HyperionSIMDLevel clamp_level(int level)
{
    const uint32_t available = hyperionGetSIMDCapabilities().levels;
    int clamped = level < HYPERION_SIMD_LEVEL_COUNT ? level : HYPERION_SIMD_LEVEL_COUNT - 1;
    while (clamped > 0 && !(available >> clamped & 1))
        clamped--;
    return clamped > 0 ? (HyperionSIMDLevel)clamped : HYPERION_SIMD_SCALAR;
}

void hyperionSetSIMDOptimizationLevel(HyperionModel *model, int level)
{
    if (!hyp_model_begin_change(model, "set SIMD level"))
        return;
    const HyperionSIMDLevel clamped = clamp_level(level);
    if ((int)clamped != level)
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT,
                       "set SIMD level: %d (%s) is not available here, %d (%s) is in force", level,
                       hyperionSIMDLevelName(level), (int)clamped,
                       hyperionSIMDLevelName((int)clamped));
    hyp_dispatch_set_level(&model->settings.dispatch, clamped);
    hyp_model_end_change(model);
}

int hyperionGetSIMDOptimizationLevel(const HyperionModel *model)
{
    if (!model) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "get SIMD level: model is NULL");
        return -1;
    }
    return (int)model->settings.dispatch.level;
}
