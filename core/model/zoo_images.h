// SPDX-License-Identifier: Apache-2.0
// zoo_images.h - the parts that networks for images share.
#ifndef HYP_ZOO_IMAGES_H
#define HYP_ZOO_IMAGES_H

#include "model/zoo.h"

// The input "x" of square images.
int hyp_zoo_image(HypZooSketch *sketch, int64_t batch, int64_t channels, int64_t edge);

// x * scale + shift by channel: a batch normalisation (Ioffe and Szegedy 2015) whose statistics,
// which are no parameters, are 0 and 1.
int hyp_zoo_batchnorm(HypZooSketch *sketch, const char *name, int x);

// "<name>.conv" without a bias, "<name>.norm", and "<name>.relu" for the activation of `conv`, if
// any.
int hyp_zoo_conv_norm(HypZooSketch *sketch, const char *name, int x, const HypZooConv *conv);

// The mean of each channel: "pool", as a matrix: "flat".
int hyp_zoo_mean_of_channels(HypZooSketch *sketch, int x);

// One behind the other by channel.
int hyp_zoo_concat(HypZooSketch *sketch, const char *name, const int *inputs, int input_count);

// Channels of tensor `x`; 0 where that is -1.
int64_t hyp_zoo_channels(const HypZooSketch *sketch, int x);

#endif
