// SPDX-License-Identifier: Apache-2.0
// model.h - networks as graphs of layers: build, load, look inside, run.
#ifndef HYPERION_MODEL_H
#define HYPERION_MODEL_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// What a layer computes. Tensors are row-major, and f32 unless said; images are N x C x W, N x C x
// H x W or N x C x D x H x W: one to three axes that windows slide over.
typedef enum HyperionLayerOp {
    HYPERION_LAYER_GEMM, // A[.. x K] B[K x N] (+ bias[N]): inputs A, B, bias; leading dims of A are
                         // rows
    HYPERION_LAYER_CONV2D,     // image, filter[O x C/groups x window], (bias[O])
    HYPERION_LAYER_ACTIVATION, // x
    HYPERION_LAYER_MAX_POOL,   // image
    HYPERION_LAYER_BINARY,     // a, b with ONNX broadcasting; of one type: f32 or integers, or bool
                               // for logic and equality; comparisons and logic give bool
    HYPERION_LAYER_SOFTMAX,    // x, over one axis
    HYPERION_LAYER_LAYERNORM,  // x, scale[last], (bias[last]), over the last axis
    HYPERION_LAYER_ATTENTION,  // q: [batch x seq x heads*dim], k, v: [batch x keys x kv_heads*dim];
                               // softmax(q kT / sqrt dim) v per head
    HYPERION_LAYER_RESHAPE,    // x; a view of it with the dims of the attributes
    HYPERION_LAYER_TRANSPOSE,  // x of any type; a view where only axes of extent 1 move
    HYPERION_LAYER_CONCAT,     // any number of tensors of one type, one behind the other
    HYPERION_LAYER_SLICE,      // x of any type: every step-th element of each axis
    HYPERION_LAYER_PAD,        // x of any type, (value: one element of that type; absent: 0)
    HYPERION_LAYER_GATHER,     // x of any type, indices (i64 or i32) on an axis, negative from its
                               // end; a run fails on an index out of range
    HYPERION_LAYER_EXPAND,     // x of any type, repeated up to ONNX broadcasting with the dims
    HYPERION_LAYER_AVERAGE_POOL,     // image
    HYPERION_LAYER_MAX_POOL_INDICES, // image; i64: where in it each greatest value stands
    HYPERION_LAYER_CONV_TRANSPOSE,   // image, filter[C x O/groups x window], (bias[O])
    HYPERION_LAYER_MATMUL, // A[.. x M x K] B[.. x K x N], leading dims broadcast; a vector A is a
                           // row, a vector B a column, and the result has no such dimension
    HYPERION_LAYER_RESIZE, // x of f32; of any type where to the nearest element
    HYPERION_LAYER_ROPE,   // x: [.. x seq x heads*dim]; pairs of each head turned by position
    HYPERION_LAYER_WHERE,  // condition (bool), a, b of one type; ONNX broadcasting of all three
    HYPERION_LAYER_CAST,   // x; to the type of the attributes: towards 0, what does not fit to
                           // the nearest that does and NaN to 0; integers wrap
    HYPERION_LAYER_REDUCE, // x, f32 or integers
    HYPERION_LAYER_SCALE_SHIFT, // x[N x C x ..], scale[C], shift[C]: x * scale + shift by axis 1
    HYPERION_LAYER_LRN, // image: x / (bias + alpha / size * sum of squares over size channels)^beta
    HYPERION_LAYER_OP_COUNT
} HyperionLayerOp;

// What stands outside of a tensor that is padded.
typedef enum HyperionPadding {
    HYPERION_PADDING_CONSTANT,
    HYPERION_PADDING_EDGE,    // the nearest element
    HYPERION_PADDING_REFLECT, // mirrored at the first and last element, which are not repeated
    HYPERION_PADDING_COUNT
} HyperionPadding;

// How RESIZE finds a value between elements.
typedef enum HyperionResize {
    HYPERION_RESIZE_NEAREST,
    HYPERION_RESIZE_LINEAR,
    HYPERION_RESIZE_CUBIC,
    HYPERION_RESIZE_COUNT
} HyperionResize;

// Which place in the input an element of a RESIZE is at: formulas of ONNX 11.
typedef enum HyperionCoordinates {
    HYPERION_COORDINATES_HALF_PIXEL,
    HYPERION_COORDINATES_PYTORCH_HALF_PIXEL, // 0 where the result has a single element
    HYPERION_COORDINATES_ALIGN_CORNERS,
    HYPERION_COORDINATES_ASYMMETRIC,
    HYPERION_COORDINATES_HALF_PIXEL_FOR_NEAREST, // tf_half_pixel_for_nn
    HYPERION_COORDINATES_CROP,                   // tf_crop_and_resize
    HYPERION_COORDINATES_COUNT
} HyperionCoordinates;

// The nearest of two elements.
typedef enum HyperionNearest {
    HYPERION_NEAREST_ROUND_PREFER_FLOOR,
    HYPERION_NEAREST_ROUND_PREFER_CEIL,
    HYPERION_NEAREST_FLOOR,
    HYPERION_NEAREST_CEIL,
    HYPERION_NEAREST_COUNT
} HyperionNearest;

// Attributes of a layer; a zero-initialised struct is a valid default for every op.
typedef struct HyperionLayerAttributes {
    HyperionActivation activation; // ACTIVATION: the function; GEMM, CONV2D: applied to the result
    float alpha;                   // of the activation; LRN
    float beta;                    // of the activation; LRN
    HyperionBinary binary;         // BINARY
    HyperionReduce reduce;         // REDUCE
    int axis_count;                // REDUCE: axes used below; 0 = all of the input
    int axis_from_end;             // SOFTMAX: 0 = the last axis, 1 = the one before it, ...
    HyperionType type;             // CAST: the type of the result
    int64_t size;                  // LRN: channels in a sum; 0 = 1
    float bias;                    // LRN
    float epsilon;                 // LAYERNORM: 0 = 1e-5
    // stride to output_padding: of convolutions and pools, by axis of the image, outermost first.
    int64_t stride[3];         // 0 = 1
    int64_t padding[6];        // before each axis of the image, then after each
    int64_t dilation[3];       // 0 = 1
    int64_t kernel[3];         // pools
    int64_t output_padding[3]; // CONV_TRANSPOSE: more results behind the last
    int64_t groups;            // convolutions: 0 = 1
    int64_t heads;             // ATTENTION, ROPE: 0 = 1
    int64_t kv_heads; // ATTENTION: of keys and values, each serves heads / kv_heads; 0 = heads
    int64_t first_position; // ROPE: of the first of the sequence
    bool keep_dims;         // REDUCE: axes that were reduced stay, as 1
    bool transpose_b;       // GEMM, MATMUL: B is stored N x K
    bool ceil_mode;         // pools: also a last window that reaches past the padding
    bool count_padding;     // AVERAGE_POOL: padding counts as zeros, else not at all
    bool column_major; // MAX_POOL_INDICES: places counted with the first axis fastest, not the last
    bool rms;          // LAYERNORM: x / sqrt(mean of x^2 + epsilon) * scale, no bias
    bool causal;       // ATTENTION: a query sees only keys at or before its position
    bool zero_dims;    // RESHAPE: a dim of 0 is an extent of 0
    int rank;          // dims and the like used below; TRANSPOSE: 0 = all, reversed
    HyperionPadding pad_mode;          // PAD
    int64_t dims[HYPERION_MAX_RANK];   // RESHAPE: -1 infers one, 0 keeps the input's; EXPAND;
                                       // SLICE, PAD, RESIZE: of the result
    int64_t axis;                      // CONCAT, GATHER: counted from the end where negative
    int64_t axes[HYPERION_MAX_RANK];   // TRANSPOSE: the input's axis that each of the result is;
                                       // REDUCE: each once, from the end where negative
    int64_t starts[HYPERION_MAX_RANK]; // SLICE, PAD: index in the input of the result's first
                                       // element; PAD: outside of the input where padding begins
    int64_t steps[HYPERION_MAX_RANK];  // SLICE: of any sign; 0 = 1
    HyperionResize resize;             // RESIZE
    HyperionCoordinates coordinates;   // RESIZE
    HyperionNearest nearest;           // RESIZE to the nearest
    float scales[HYPERION_MAX_RANK];   // RESIZE: 0 = dims / input's
    float roi[2 * HYPERION_MAX_RANK];  // RESIZE, CROP: starts, then, from [rank] on, ends; 0 to 1
    float cubic_coefficient;           // RESIZE, CUBIC: a of Keys 1981; 0 = -0.75
    float extrapolation;               // RESIZE, CROP: the value there
    float rotary_base;                 // ROPE: 0 = 10000
    bool exclude_outside;              // RESIZE: what lies outside of the input has no weight
    bool rotary_interleaved;           // ROPE: pairs are neighbours; else half a head apart
} HyperionLayerAttributes;

// Facts of a tensor or layer of the graph; strings are owned by the model.
typedef struct HyperionTensorInfo {
    const char *name;
    HyperionType type;
    int rank;
    int64_t dims[HYPERION_MAX_RANK];
    size_t size_bytes;
    bool is_weight;
    uint64_t
        file_offset; // of a weight whose bytes stand in the model file as in memory; 0 of others
} HyperionTensorInfo;

typedef struct HyperionLayerInfo {
    const char *name;
    HyperionLayerOp op;
    const char *op_name; // "gemm"
    int input_count;
    int output_count;
    size_t weight_bytes;
    double flops; // nominal floating-point operations of one forward pass
} HyperionLayerInfo;

// --- Build. Tensor ids are small non-negative numbers; -1 means failure. Each call checks types
// and shapes and infers those of the result; a failing call leaves the model as it was. A model
// may be built, changed and run by one thread at a time.

// An empty model, named for messages. NULL when out of memory.
HyperionModel *hyperionCreateModel(const char *name);

// Frees the model and all it owns; detaches what is attached. NULL is allowed.
void hyperionFreeModel(HyperionModel *model);

// A tensor the caller gives at every run.
int hyperionAddInput(HyperionModel *model, const char *name, HyperionType type, int rank,
                     const int64_t *dims);

// A constant tensor; the bytes are copied.
int hyperionAddWeight(HyperionModel *model, const char *name, HyperionType type, int rank,
                      const int64_t *dims, const void *data);

// A layer over tensors that exist; returns the id of its result, named like the layer.
// attributes NULL = defaults. Layers run in the order added.
int hyperionAddLayer(HyperionModel *model, const char *name, HyperionLayerOp op,
                     const HyperionLayerAttributes *attributes, const int *inputs, int input_count);

// Makes a tensor an output of the model, in the order of the calls.
bool hyperionAddOutput(HyperionModel *model, int tensor);

// --- Load.

// Reads a model from a file (ONNX, opset 7 to 17, or a streaming file, see hyperionSaveModel) or
// generates a built-in one with seeded weights: "builtin:NAME" or "builtin:NAME:key=value,...", see
// hyperionBuiltinModelName. Of a file, shapes and weight offsets are read now and weight bytes when
// first needed: the file must stay in place. NULL on failure; operators that are missing are all
// named with their nodes.
HyperionModel *hyperionLoadModel(const char *path);

// The size of the dimensions that a file calls `name`.
typedef struct HyperionDimensionSize {
    const char *name;
    int64_t size; // at least 0
} HyperionDimensionSize;

// The shape of the input `name`, where the file leaves sizes open; dimensions that the file names
// get these sizes in other inputs too.
typedef struct HyperionInputShape {
    const char *name;
    int rank;
    int64_t dims[HYPERION_MAX_RANK];
} HyperionInputShape;

// The value of the input `name`, which becomes a constant of the model; copied.
typedef struct HyperionInputValue {
    const char *name;
    const HyperionTensor *value;
} HyperionInputValue;

// How to load a model from a file. All zero is what hyperionLoadModel does.
typedef struct HyperionLoadOptions {
    bool no_rewriting; // keep the layers as the file has them
    const HyperionDimensionSize *dimensions;
    size_t dimension_count;
    const HyperionInputShape *input_shapes;
    size_t input_shape_count;
    const HyperionInputValue *input_values;
    size_t input_value_count;
    int64_t default_dimension; // size of dimensions that are still open; 0: they are refused
} HyperionLoadOptions;

// The same with options; they are not kept. NULL options are all zero. NULL on failure, also where
// an option names nothing in the file.
HyperionModel *hyperionLoadModelWith(const char *path, const HyperionLoadOptions *options);

// Writes the model as ONNX (opset 17, IR 8), standard operators only: layers that ONNX has no
// operator for as the operators that PyTorch writes for them. Weights are read or generated one at
// a time; where they are more than 2 GiB less 64 MiB together, more than a file of this format
// holds, they go to "<path>.data" beside it. The file is there whole or not at all. False on a NULL
// or running model, a weight that cannot be read, a file that cannot be written, or a layer whose
// settings ONNX cannot say; it is named.
bool hyperionExportModel(HyperionModel *model, const char *path);

// Writes the model, with its weights, as a streaming file: a safetensors file that
// hyperionLoadModel reads back as the same model to the bit, its weights in the order in which
// layers need them, each layer's at a multiple of 4096 bytes and with a checksum. What a rewriting
// made of the graph is what is written. Weights that are not in memory are read, or generated, and
// forgotten again layer by layer. False, and the file untouched, on failure.
bool hyperionSaveModel(HyperionModel *model, const char *path);

// The built-in generators: name of the i-th, NULL past the last; and its keys with defaults.
const char *hyperionBuiltinModelName(int index);
const char *hyperionBuiltinModelHelp(int index);

// --- Look inside. A NULL model or an index out of range gives 0, "" or a zeroed struct with a NULL
// name, and the last error says so.
const char *hyperionModelName(const HyperionModel *model);
int hyperionModelLayerCount(const HyperionModel *model);
int hyperionModelTensorCount(const HyperionModel *model);
int hyperionModelInputCount(const HyperionModel *model);
int hyperionModelOutputCount(const HyperionModel *model);
HyperionLayerInfo hyperionModelLayer(const HyperionModel *model, int layer);
// Tensors that layer `layer` reads and writes, by their number; -1 on failure.
int hyperionModelLayerInput(const HyperionModel *model, int layer, int index);
int hyperionModelLayerOutput(const HyperionModel *model, int layer, int index);
HyperionTensorInfo hyperionModelTensor(const HyperionModel *model, int tensor);
HyperionTensorInfo hyperionModelInput(const HyperionModel *model, int index);
HyperionTensorInfo hyperionModelOutput(const HyperionModel *model, int index);
const char *hyperionLayerOpName(HyperionLayerOp op);

// Layers that became one when the model was loaded.
typedef struct HyperionFusionInfo {
    const char *rule; // "conv_batchnorm"; owned by the library
    int layer;        // that does their work now
    int layer_count;  // how many there were
} HyperionFusionInfo;

// The fusions of graph rewriting, in the order they were made; as above out of range, the rule
// NULL.
int hyperionModelFusionCount(const HyperionModel *model);
HyperionFusionInfo hyperionModelFusion(const HyperionModel *model, int index);

// Bytes of all weights, and of all activations held at once by the executor (no reuse yet).
size_t hyperionModelWeightBytes(const HyperionModel *model);
size_t hyperionModelActivationBytes(const HyperionModel *model);

// Bytes of the weights that hyperionOptimizeMemoryLayout packed, when they were last packed; beside
// those of hyperionModelWeightBytes, and once a weight copy. 0 without.
size_t hyperionModelPackedBytes(const HyperionModel *model);

// Nominal floating-point operations of one forward pass: 2mnk for a product, and so on.
double hyperionModelFlops(const HyperionModel *model);

// --- Run.

// How many threads a forward pass uses: 1, the default, to HYPERION_MAX_THREADS, or 0 for as many
// as this process may use CPUs now. Results do not depend on it, to the bit. The threads start at
// the first run and end with the model, or when the count is set again. False, and nothing changed,
// on a NULL or running model or a count out of range.
bool hyperionSetThreadCount(HyperionModel *model, int thread_count);

// The number in force, never 0; -1 for a NULL model.
int hyperionGetThreadCount(const HyperionModel *model);

// For measurements with cold caches: keeps `count` copies of the weights, of which each run uses
// the next; 1, the default, is the weights alone. Reads weights that are still in a file. Results
// do not depend on it. Weights added later have no copies. False, and nothing changed, on a NULL or
// running model, a count of 0, or when out of memory.
bool hyperionSetWeightCopies(HyperionModel *model, size_t count);

// The number in force, never 0; 0 for a NULL model.
size_t hyperionGetWeightCopies(const HyperionModel *model);

// One forward pass. `inputs` and `outputs` hold one tensor each per model input and output, in
// order, with exactly their types and shapes; the caller owns all. False on a NULL, a mismatch
// (named with expected and given), a weight that cannot be read, or a model already running; and,
// after outputs may have been written, where a layer finds an index that is out of range.
bool hyperionRunModel(HyperionModel *model, HyperionTensor *const *inputs,
                      HyperionTensor *const *outputs);

#ifdef __cplusplus
}
#endif
#endif
