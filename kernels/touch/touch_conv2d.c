// SPDX-License-Identifier: Apache-2.0
#include "touch/vec_touch.h"

#include "conv/conv2d_compute.h"

void TOUCH_FN(conv2d)(const HypConv2dArgs *args)
{
    conv2d_compute(args);
}
