// SPDX-License-Identifier: Apache-2.0
// layer_op.h - what an operation of a layer is: a struct of functions in its own file op_<name>.c
// and one row of the table in layer_op.c.
#ifndef HYP_LAYER_OP_H
#define HYP_LAYER_OP_H

#include "model/graph.h"

#include <string.h>

// A layer about to run. Until the first run has its memory, `data` holds NULLs.
typedef struct HypLayerRun {
    const HyperionModel *model;
    const HypLayer *layer;
    void *const *data;             // by tensor: its bytes
    HyperionGemmBlocking blocking; // of operations with a product
    const float *packed;           // what `pack` made; NULL: the operation packs its input itself
    bool replaces;                 // the result begins where the first input does
    void *workspace;               // 64-byte aligned, workspace_bytes of them
    const HyperionParallel *parallel;
    // In place of memcpy where kernels only tell what they touch; NULL: they compute.
    void (*copy)(void *to, const void *from, size_t bytes);
} HypLayerRun;

// What a band of rows of a layer's result takes of an input, see band.h.
typedef struct HypBandInput {
    HypRows rows;   // count 0: all of it
    int64_t before; // of the first input, an image: padding above these rows
} HypBandInput;

typedef struct HypLayerOp {
    const char *name; // "gemm"
    int least_inputs;
    int most_inputs;
    bool any_type; // else all inputs are f32
    bool is_view;  // no work: the result is the first input's memory in another shape
    // Whether that is so for this layer, whose result is `result`, of an operation that mostly has
    // work; NULL: never.
    bool (*keeps_memory)(const HyperionModel *model, const HypLayer *layer, const HypShape *result);
    // The result may be written over any of the first so many inputs that has its shape and type.
    int overwrites;
    // Whether the result may be written over the first input from where that begins on, though
    // they differ in size; NULL: never. The operation then does so where run->replaces.
    bool (*replaces)(const HyperionModel *model, const HypLayer *layer,
                     const HyperionGemmBlocking *blocking);
    // What rows `made` of the result take of input `index`; false where they cannot be made alone,
    // to the bit. NULL: never.
    bool (*band)(const HyperionModel *model, const HypLayer *layer, int index, HypRows made,
                 HypBandInput *input);
    // Checks attributes and the inputs' shapes, fills in defaults, and says what the result is.
    bool (*infer)(const HyperionModel *model, HypLayer *layer, HypShape *result);
    // Nominal floating-point operations; NULL: none.
    double (*flops)(const HyperionModel *model, const HypLayer *layer);
    // The matrix product the operation is made of; NULL, or false: none.
    bool (*product)(const HyperionModel *model, const HypLayer *layer, HypLayerProduct *product);
    // Kernel whose level and tile the product's blocking is for; of operations with a product.
    HypKernelOp product_kernel;
    // An input that, where it is a weight, can be packed once for run->blocking; 0: none.
    int packed_input;
    size_t (*packed_bytes)(const HypLayerRun *run);
    void (*pack)(const HypLayerRun *run, float *packed);
    size_t (*workspace_bytes)(const HypLayerRun *run); // NULL: none
    // Whether the inputs' values can be computed with; false, last error set. NULL: always.
    bool (*check_values)(const HypLayerRun *run);
    void (*execute)(const HypLayerRun *run); // NULL of a view
} HypLayerOp;

extern const HypLayerOp hyp_layer_op_gemm;
extern const HypLayerOp hyp_layer_op_conv2d;
extern const HypLayerOp hyp_layer_op_activation;
extern const HypLayerOp hyp_layer_op_max_pool;
extern const HypLayerOp hyp_layer_op_binary;
extern const HypLayerOp hyp_layer_op_softmax;
extern const HypLayerOp hyp_layer_op_layernorm;
extern const HypLayerOp hyp_layer_op_attention;
extern const HypLayerOp hyp_layer_op_reshape;
extern const HypLayerOp hyp_layer_op_transpose;
extern const HypLayerOp hyp_layer_op_concat;
extern const HypLayerOp hyp_layer_op_slice;
extern const HypLayerOp hyp_layer_op_pad;
extern const HypLayerOp hyp_layer_op_gather;
extern const HypLayerOp hyp_layer_op_expand;
extern const HypLayerOp hyp_layer_op_average_pool;
extern const HypLayerOp hyp_layer_op_max_pool_indices;
extern const HypLayerOp hyp_layer_op_conv_transpose;
extern const HypLayerOp hyp_layer_op_matmul;
extern const HypLayerOp hyp_layer_op_resize;
extern const HypLayerOp hyp_layer_op_rope;
extern const HypLayerOp hyp_layer_op_where;
extern const HypLayerOp hyp_layer_op_cast;
extern const HypLayerOp hyp_layer_op_reduce;
extern const HypLayerOp hyp_layer_op_scale_shift;
extern const HypLayerOp hyp_layer_op_lrn;

// The functions of an operation; NULL for one that does not exist.
const HypLayerOp *hyp_layer_op(HyperionLayerOp op);

// Blocking of a layer's product under the settings in force; untouched where it has none. False,
// last error set, where there is no such blocking.
bool hyp_layer_blocking(const HyperionModel *model, const HypLayer *layer,
                        HyperionGemmBlocking *blocking);

// Scratch memory of a layer; `data` is not looked at, `packed` only whether it is NULL.
size_t hyp_layer_workspace_bytes(const HypLayerRun *run);

// Records "layer 'name' (op): ..." and returns false.
__attribute__((format(printf, 2, 3))) bool hyp_layer_fail(const HypLayer *layer, const char *format,
                                                          ...);

// Fails unless input `index` has the given rank.
bool hyp_layer_expect_rank(const HyperionModel *model, const HypLayer *layer, int index, int rank);

// Fails unless input `index` is a vector of `length` elements.
bool hyp_layer_expect_vector(const HyperionModel *model, const HypLayer *layer, int index,
                             int64_t length);

// The axis of `rank` that `axis` means, which is negative where counted from the end; -1, last
// error set, when out of range.
int hyp_layer_axis(const HypLayer *layer, int64_t axis, int rank);

// Fails unless the layer gives the dims of `rank` axes.
bool hyp_layer_expect_dims(const HypLayer *layer, int rank);

// A result of f32, its size checked.
bool hyp_layer_result(const HypLayer *layer, HypShape *result, int rank, const int64_t *dims);

// Whether the layer's result is the memory of its first input, so that it has no work.
static inline bool hyp_layer_is_view(const HyperionModel *model, const HypLayer *layer)
{
    return model->tensors[layer->outputs[0]].view_of >= 0;
}

// Whether a product of so many rows goes to the kernel that packs nothing: 2 to 10 times as fast up
// to here on B of 2 to 130 MB, 1.5 to 2 times at 8 rows (AVX-512, Zen 5), where packed weights
// would win that back.
static inline bool hyp_layer_is_narrow(size_t rows)
{
    return rows <= 4;
}

// Shapes of the inputs and the result.
static inline const HypShape *hyp_layer_input(const HyperionModel *model, const HypLayer *layer,
                                              int index)
{
    return &model->tensors[layer->inputs[index]].shape;
}

static inline const HypShape *hyp_layer_output(const HyperionModel *model, const HypLayer *layer)
{
    return &model->tensors[layer->outputs[0]].shape;
}

// The bytes at a run of an input that every such layer has.
static inline const void *hyp_run_required(const HypLayerRun *run, int index)
{
    return run->data[run->layer->inputs[index]];
}

// Their bytes at a run; NULL for an optional input that the layer does not have.
static inline const float *hyp_run_input(const HypLayerRun *run, int index)
{
    return index < run->layer->input_count ? run->data[run->layer->inputs[index]] : NULL;
}

static inline float *hyp_run_output(const HypLayerRun *run)
{
    return run->data[run->layer->outputs[0]];
}

// Copies between memory of the run that does not overlap.
static inline void hyp_run_copy(const HypLayerRun *run, void *to, const void *from, size_t bytes)
{
    if (run->copy)
        run->copy(to, from, bytes);
    else
        memcpy(to, from, bytes);
}

// The same of any type.
static inline const void *hyp_run_input_bytes(const HypLayerRun *run, int index)
{
    return run->data[run->layer->inputs[index]];
}

static inline void *hyp_run_output_bytes(const HypLayerRun *run)
{
    return run->data[run->layer->outputs[0]];
}

#endif
