// SPDX-License-Identifier: Apache-2.0
// onnx_export_cases.h - layers that are written as ONNX and read again, at least one an operation.
#ifndef HYP_ONNX_EXPORT_CASES_H
#define HYP_ONNX_EXPORT_CASES_H

#include "hyperion/hyperion.h"

enum { MOST_INPUTS = 3 };

typedef struct Input {
    HyperionType type;
    int rank;
    int64_t dims[HYPERION_MAX_RANK];
    bool is_weight;
} Input;

// One layer; the inputs are those of the model.
typedef struct Case {
    HyperionLayerOp op;
    HyperionLayerAttributes attributes;
    Input inputs[MOST_INPUTS];
    int input_count;
    bool rounded; // its operators round otherwise than the layer, and no rewriting undoes that
} Case;

#define F32(...)                                                                                   \
    {                                                                                              \
        HYPERION_TYPE_F32, COUNT(__VA_ARGS__), {__VA_ARGS__}, false                                \
    }
#define I64(...)                                                                                   \
    {                                                                                              \
        HYPERION_TYPE_I64, COUNT(__VA_ARGS__), {__VA_ARGS__}, false                                \
    }
#define I32(...)                                                                                   \
    {                                                                                              \
        HYPERION_TYPE_I32, COUNT(__VA_ARGS__), {__VA_ARGS__}, false                                \
    }
#define BOOL(...)                                                                                  \
    {                                                                                              \
        HYPERION_TYPE_BOOL, COUNT(__VA_ARGS__), {__VA_ARGS__}, false                               \
    }
#define WEIGHT(...)                                                                                \
    {                                                                                              \
        HYPERION_TYPE_F32, COUNT(__VA_ARGS__), {__VA_ARGS__}, true                                 \
    }
#define COUNT(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static const Case cases[] = {
    {HYPERION_LAYER_GEMM,
     {.activation = HYPERION_ACTIVATION_GELU},
     {F32(3, 8), WEIGHT(8, 5), WEIGHT(5)},
     3,
     false},
    {HYPERION_LAYER_GEMM, {.transpose_b = true}, {F32(3, 8), WEIGHT(5, 8)}, 2, false},
    {HYPERION_LAYER_GEMM,
     {.transpose_b = true, .activation = HYPERION_ACTIVATION_RELU},
     {F32(2, 3, 8), WEIGHT(5, 8), WEIGHT(5)},
     3,
     false},
    {HYPERION_LAYER_GEMM,
     {.activation = HYPERION_ACTIVATION_SILU},
     {F32(2, 3, 8), WEIGHT(8, 5), WEIGHT(5)},
     3,
     false},
    {HYPERION_LAYER_GEMM, {0}, {F32(2, 3, 8), F32(8, 5)}, 2, false},
    {HYPERION_LAYER_CONV2D,
     {.groups = 2,
      .stride = {2, 1},
      .padding = {1, 0, 0, 2},
      .dilation = {1, 2},
      .activation = HYPERION_ACTIVATION_CLIP,
      .alpha = 0,
      .beta = 6},
     {F32(1, 4, 9, 9), WEIGHT(6, 2, 3, 3), WEIGHT(6)},
     3,
     false},
    {HYPERION_LAYER_CONV2D, {.padding = {1, 1}}, {F32(1, 2, 9), WEIGHT(3, 2, 3)}, 2, false},
    {HYPERION_LAYER_CONV2D, {0}, {F32(1, 2, 4, 5, 6), WEIGHT(3, 2, 2, 3, 3)}, 2, false},
    {HYPERION_LAYER_CONV_TRANSPOSE,
     {.stride = {2, 2}, .output_padding = {1, 0}, .groups = 1, .padding = {0, 1, 1, 0}},
     {F32(1, 3, 4, 4), WEIGHT(3, 2, 3, 3), WEIGHT(2)},
     3,
     false},
    {HYPERION_LAYER_ACTIVATION, {.activation = HYPERION_ACTIVATION_RELU}, {F32(7)}, 1, false},
    {HYPERION_LAYER_MAX_POOL,
     {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0, 1, 1}, .ceil_mode = true},
     {F32(1, 2, 8, 8)},
     1,
     false},
    {HYPERION_LAYER_MAX_POOL_INDICES,
     {.kernel = {2, 2}, .stride = {2, 2}, .column_major = true},
     {F32(1, 2, 8, 8)},
     1,
     false},
    {HYPERION_LAYER_AVERAGE_POOL,
     {.kernel = {3}, .padding = {1, 1}, .count_padding = true},
     {F32(1, 2, 8)},
     1,
     false},
    {HYPERION_LAYER_BINARY, {0}, {F32(3, 1, 4), F32(2, 1)}, 2, false},
    {HYPERION_LAYER_SOFTMAX, {.axis_from_end = 1}, {F32(3, 4, 5)}, 1, false},
    {HYPERION_LAYER_LAYERNORM, {.epsilon = 1e-3F}, {F32(3, 8), WEIGHT(8), WEIGHT(8)}, 3, false},
    {HYPERION_LAYER_LAYERNORM, {0}, {F32(3, 8), WEIGHT(8)}, 2, false},
    {HYPERION_LAYER_LAYERNORM, {.rms = true, .epsilon = 1e-4F}, {F32(3, 8), WEIGHT(8)}, 2, false},
    {HYPERION_LAYER_ATTENTION, {.heads = 2}, {F32(2, 3, 8), F32(2, 5, 8), F32(2, 5, 8)}, 3, false},
    {HYPERION_LAYER_ATTENTION,
     {.heads = 2, .causal = true},
     {F32(2, 5, 8), F32(2, 5, 8), F32(2, 5, 8)},
     3,
     false},
    {HYPERION_LAYER_ATTENTION,
     {.heads = 2, .causal = true},
     {F32(1, 1, 8), F32(1, 5, 8), F32(1, 5, 8)},
     3,
     false},
    {HYPERION_LAYER_ATTENTION,
     {.heads = 4, .kv_heads = 2, .causal = true},
     {F32(2, 3, 16), F32(2, 5, 8), F32(2, 5, 8)},
     3,
     false},
    {HYPERION_LAYER_RESHAPE, {.rank = 2, .dims = {-1, 4}}, {I64(2, 6)}, 1, false},
    {HYPERION_LAYER_RESHAPE, {.rank = 2, .dims = {0, 4}, .zero_dims = true}, {F32(0, 6)}, 1, false},
    {HYPERION_LAYER_TRANSPOSE, {.rank = 3, .axes = {2, 0, 1}}, {F32(2, 3, 4)}, 1, false},
    {HYPERION_LAYER_TRANSPOSE, {0}, {I32(2, 3)}, 1, false},
    {HYPERION_LAYER_CONCAT, {.axis = -1}, {F32(2, 3), F32(2, 1), F32(2, 2)}, 3, false},
    {HYPERION_LAYER_SLICE,
     {.rank = 2, .dims = {3, 2}, .starts = {5, 1}, .steps = {-2, 3}},
     {F32(6, 5)},
     1,
     false},
    {HYPERION_LAYER_SLICE,
     {.rank = 2, .dims = {6, 1}, .starts = {5, 0}, .steps = {-1, 1}},
     {I64(6, 1)},
     1,
     false},
    {HYPERION_LAYER_PAD, {.rank = 2, .dims = {4, 7}, .starts = {-1, 1}}, {F32(2, 5)}, 1, false},
    {HYPERION_LAYER_PAD,
     {.rank = 2, .dims = {4, 7}, .starts = {-1, -1}},
     {F32(2, 5), WEIGHT(1)},
     2,
     false},
    {HYPERION_LAYER_PAD,
     {.rank = 2, .dims = {4, 7}, .starts = {-1, -1}, .pad_mode = HYPERION_PADDING_REFLECT},
     {F32(3, 5)},
     1,
     false},
    {HYPERION_LAYER_GATHER, {.axis = 1}, {F32(2, 3, 4), I64(2, 2)}, 2, false},
    {HYPERION_LAYER_EXPAND, {.rank = 3, .dims = {2, 3, 4}}, {F32(3, 1)}, 1, false},
    {HYPERION_LAYER_MATMUL, {.transpose_b = true}, {F32(2, 1, 3, 8), F32(4, 5, 8)}, 2, false},
    {HYPERION_LAYER_MATMUL, {0}, {F32(8), F32(4, 8, 5)}, 2, false},
    {HYPERION_LAYER_RESIZE,
     {.rank = 4, .dims = {1, 1, 6, 10}, .resize = HYPERION_RESIZE_LINEAR},
     {F32(1, 1, 3, 4)},
     1,
     false},
    {HYPERION_LAYER_RESIZE,
     {.rank = 2,
      .dims = {4, 7},
      .scales = {2, 1.9F},
      .coordinates = HYPERION_COORDINATES_ASYMMETRIC,
      .nearest = HYPERION_NEAREST_FLOOR},
     {F32(2, 4)},
     1,
     false},
    {HYPERION_LAYER_RESIZE,
     {.rank = 2,
      .dims = {4, 7},
      .resize = HYPERION_RESIZE_CUBIC,
      .coordinates = HYPERION_COORDINATES_CROP,
      .extrapolation = 3,
      .exclude_outside = true,
      .cubic_coefficient = -0.5F,
      .roi = {0, 0.1F, 1, 1.5F}},
     {F32(2, 4)},
     1,
     false},
    {HYPERION_LAYER_ROPE, {.heads = 2, .first_position = 3}, {F32(2, 5, 8)}, 1, false},
    {HYPERION_LAYER_ROPE,
     {.heads = 2, .rotary_interleaved = true, .rotary_base = 500},
     {F32(5, 8)},
     1,
     false},
    {HYPERION_LAYER_WHERE, {0}, {BOOL(3, 1), F32(1, 4), F32(3, 4)}, 3, false},
    {HYPERION_LAYER_CAST, {.type = HYPERION_TYPE_I32}, {F32(3, 4)}, 1, false},
    {HYPERION_LAYER_REDUCE, {.axis_count = 2, .axes = {0, -1}}, {F32(2, 3, 4)}, 1, false},
    {HYPERION_LAYER_REDUCE, {0}, {I64(2, 3)}, 1, false},
    {HYPERION_LAYER_SCALE_SHIFT, {0}, {F32(2, 3, 4), WEIGHT(3), WEIGHT(3)}, 3, false},
    {HYPERION_LAYER_LRN,
     {.size = 3, .alpha = 0.01F, .beta = 0.75F, .bias = 2},
     {F32(1, 5, 2, 2)},
     1,
     false},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

#endif
