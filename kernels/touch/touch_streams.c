// SPDX-License-Identifier: Apache-2.0
// touch_streams.c - the operations that need no matrix product.
#include "touch/vec_touch.h"

#include "activation/activation_nest.h"
#include "attention/attention_nest.h"
#include "conv/depthwise2d_nest.h"
#include "elementwise/binary_nest.h"
#include "elementwise/scale_shift_nest.h"
#include "gemm/gemv_nest.h"
#include "norm/layernorm_nest.h"
#include "norm/softmax_nest.h"
#include "pool/pool2d_nest.h"
#include "reduce/reduce_nest.h"

static void pool_touch_part(void *shared, size_t thread)
{
    const HypParallelCall *call = shared;
    pool_rows(call->args, pool_part(call, thread), false);
}

void TOUCH_FN(max_pool2d)(const HypPool2dArgs *args)
{
    pool2d_nest(args, pool_touch_part);
}

// Folds other values, of the same places.
void TOUCH_FN(average_pool2d)(const HypPool2dArgs *args)
{
    pool2d_nest(args, pool_touch_part);
}

void TOUCH_FN(activation)(const HypActivationArgs *args)
{
    activation_nest(args);
}

void TOUCH_FN(attention)(const HypAttentionArgs *args)
{
    attention_nest(args);
}

void TOUCH_FN(binary)(const HypBinaryArgs *args)
{
    binary_nest(args);
}

void TOUCH_FN(depthwise2d)(const HypConv2dArgs *args)
{
    depthwise2d_nest(args);
}

void TOUCH_FN(gemv)(const HypGemmArgs *args)
{
    gemv_nest(args);
}

void TOUCH_FN(layernorm)(const HypLayernormArgs *args)
{
    layernorm_nest(args);
}

void TOUCH_FN(reduce)(const HypReduceArgs *args)
{
    reduce_nest(args);
}

void TOUCH_FN(scale_shift)(const HypScaleShiftArgs *args)
{
    scale_shift_nest(args);
}

void TOUCH_FN(softmax)(const HypSoftmaxArgs *args)
{
    softmax_nest(args);
}
