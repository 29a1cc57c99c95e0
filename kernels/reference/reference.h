// SPDX-License-Identifier: Apache-2.0
// reference.h - the oracle: each operation as its formula reads, in double, a result or a row at a
// time so that large problems can be checked at a sample. Never dispatched, never timed.
#ifndef HYP_REFERENCE_H
#define HYP_REFERENCE_H

#include "kernel.h"

// The epilogue's activation of x, with its limits at the infinities; NaN for NaN.
double hyp_reference_activate(const HypEpilogue *epilogue, double x);

// out[i] as its operation defines it.
double hyp_reference_max_pool2d(const HypPool2dArgs *args, size_t i);
double hyp_reference_average_pool2d(const HypPool2dArgs *args, size_t i);
double hyp_reference_binary_element(const HypBinaryArgs *args, size_t i);
double hyp_reference_scale_shift(const HypScaleShiftArgs *args, size_t i);
double hyp_reference_reduce(const HypReduceArgs *args, size_t i);

// Row `row` of the result into `columns` doubles; of softmax, row i + r * inner is [r][..][i].
void hyp_reference_softmax(const HypSoftmaxArgs *args, size_t row, double *out);
void hyp_reference_layernorm(const HypLayernormArgs *args, size_t row, double *out);

// Number of keys that a query sees.
size_t hyp_reference_visible_keys(const HypAttentionArgs *args, size_t query);

// What one query of one head gives: `weights` gets a probability a visible key (room for `keys`),
// `out` dim values.
void hyp_reference_attention(const HypAttentionArgs *args, size_t batch, size_t head, size_t query,
                             double *weights, double *out);

#endif
