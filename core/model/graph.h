// SPDX-License-Identifier: Apache-2.0
// graph.h - the inside of a model that memory, loader, scheduler and cache may know: tensors,
// layers, weights, settings.
#ifndef HYP_GRAPH_H
#define HYP_GRAPH_H

#include "hyperion/cache.h"
#include "hyperion/model.h"
#include "hyperion/simulate.h"

#include "common/name_map.h"
#include "model/hooks.h"
#include "model/seeded_values.h"
#include "model/shape.h"
#include "model/stored_values.h"
#include "platform/platform.h"
#include "simd/dispatch.h"

#include <stdatomic.h>

typedef enum HypTensorRole {
    HYP_TENSOR_INPUT,     // the caller's at every run
    HYP_TENSOR_WEIGHT,    // constant
    HYP_TENSOR_ACTIVATION // result of a layer
} HypTensorRole;

// Where the bytes of a weight come from.
typedef enum HypWeightSource {
    HYP_WEIGHT_OWNED,   // in memory from the start
    HYP_WEIGHT_IN_FILE, // read when first needed
    HYP_WEIGHT_SEEDED   // generated when first needed
} HypWeightSource;

// What is done to the rows (elements of one first index) of a weight when its bytes are made: row r
// is multiplied by element r of weight `scale`, then element r of weight `shift` is added.
typedef struct HypRowFold {
    bool scaled;
    bool shifted;
    int scale; // tensors, themselves no views and not folded
    int shift;
} HypRowFold;

// A tensor of the graph; its number is its place in HyperionModel.tensors.
typedef struct HypGraphTensor {
    char *name; // unique in the model
    HypShape shape;
    HypTensorRole role; // of a view: that of the tensor it views
    int view_of;        // the tensor whose memory this is, which is no view itself; -1: its own
    // Of a weight that is no view:
    HypWeightSource source;
    int file;               // HYP_WEIGHT_IN_FILE: which of HyperionModel.files,
    uint64_t file_offset;   // where in it,
    HypStoredType stored;   // and in which format
    HypSeededValues seeded; // HYP_WEIGHT_SEEDED
    HypRowFold rows;        // of an f32 weight whose data is still NULL
    void *data; // shape.size_bytes, 64-byte aligned, owned; NULL until needed, see weight_bytes.h
} HypGraphTensor;

// Weights that stand together in the model's file, to be read as one: those of a layer that no
// layer before it has, or, layer -1, those that none has.
typedef struct HypWeightRun {
    uint64_t file_offset; // a multiple of 4096
    uint64_t size_bytes;  // up to the end of the last weight
    int layer;
    int first_weight, weight_count; // tensors, in the order of their bytes
    bool has_checksum;
    uint64_t checksum; // of these bytes, see checksum.h
} HypWeightRun;

typedef struct HypLayer {
    char *name;
    HyperionLayerOp op;
    HyperionLayerAttributes attributes; // with defaults filled in
    int *inputs;                        // tensors; one block with outputs
    int *outputs;
    int input_count;
    int output_count;
} HypLayer;

typedef struct HypModelSettings {
    HypDispatch dispatch;
    HyperionCacheConfig cache;
    HyperionCacheTopology topology;
    int thread_count; // at least 1
    HyperionPredictionConfig prediction;
} HypModelSettings;

// A group of layers that became one, which makes tensor `result`.
typedef struct HypFusion {
    const char *rule;
    int result;
    int layer_count;
} HypFusion;

// See weight_copies.h.
typedef struct HypWeightCopies HypWeightCopies;

// See memory_layout.h.
typedef struct HypMemoryLayout HypMemoryLayout;

// What a run needs and keeps for the next; private to the executor.
typedef struct HypPreparation HypPreparation;

struct HyperionModel {
    char *name;
    HypFile **files; // that weights are read from; owned
    HypGraphTensor *tensors;
    HypLayer *layers; // in the order they run
    int *inputs;      // tensors
    int *outputs;
    int file_count, tensor_count, layer_count, input_count, output_count;
    int file_capacity, tensor_capacity, layer_capacity, input_capacity, output_capacity;
    HypNameMap tensor_names;
    HypWeightRun *weight_runs; // of a streaming file, in its order: by place and by tensor
    int weight_run_count;
    HypFusion *fusions; // in the order they were made
    int fusion_count, fusion_capacity;
    HypModelSettings settings;
    HyperionThreadPool *pool;       // of settings.thread_count; NULL until a run needs it
    HypWeightCopies *weight_copies; // NULL: none but the weights themselves
    HypMemoryLayout *memory_layout; // NULL: products pack their weights at every call
    bool packs_weights; // hyperionOptimizeMemoryLayout is in force: unless a hook plans otherwise
    HypPreparation *preparation; // NULL until a run, and again after a change
    uint64_t change_count;       // of graph, settings, and what is attached
    HypAttachments attached;
    atomic_bool held; // by a run or a change
};

// Holds the model for a change of graph or settings, so that no run begins meanwhile, and drops
// what was prepared for runs. `call` names the public function in messages. False, last error set,
// on a NULL or running model. Check other arguments first: a failing call changes nothing.
bool hyp_model_begin_change(HyperionModel *model, const char *call);
void hyp_model_end_change(HyperionModel *model);

// Whether a run or a change is under way.
bool hyp_model_is_running(const HyperionModel *model);

// The tensor whose memory tensor `tensor` is: itself unless it is a view.
int hyp_model_root(const HyperionModel *model, int tensor);

// The matrix product that a gemm or conv2d layer is made of, `repeats` times (images and groups).
typedef struct HypLayerProduct {
    HyperionGemmShape shape;
    size_t repeats;
    size_t of_one_a; // so many of them multiply the same A, each after one of every other A
} HypLayerProduct;

// False, without an error, for a layer that is not made of products, or of such that another kernel
// computes: `product` is set then where there are any.
bool hyp_layer_product(const HyperionModel *model, const HypLayer *layer, HypLayerProduct *product);

// Whether the layer's weight was packed once, see hyperionOptimizeMemoryLayout.
bool hyp_model_layer_is_packed(const HyperionModel *model, int layer);

#endif
