// SPDX-License-Identifier: Apache-2.0
// planners.h - the planners as pure functions on arrays, without a model: for tools and tests.
#ifndef HYPERION_PLANNERS_H
#define HYPERION_PLANNERS_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Offsets: where in one block of memory each of many buffers lies, while it is needed.

// Needed during the steps lower <= step < upper.
typedef struct HyperionBuffer {
    int64_t lower, upper;
    size_t size_bytes;
    size_t alignment; // of its offset; 0 = any
} HyperionBuffer;

typedef enum HyperionPlanStatus {
    HYPERION_PLAN_OPTIMAL,    // there is a plan, and none is lower: proved
    HYPERION_PLAN_FEASIBLE,   // there is a plan, perhaps not the lowest
    HYPERION_PLAN_INFEASIBLE, // no plan keeps within the capacity: proved
    HYPERION_PLAN_NOT_FOUND   // none was found within the effort: nothing is proved
} HyperionPlanStatus;

typedef struct HyperionOffsetRequest {
    size_t capacity_bytes; // a plan within so many is enough; 0 = the lowest that is found
    // 0: heuristics alone; 1: until the answer is proved. Between them, 20000 x 2500^effort nodes
    // of the search at most, so that the plan does not depend on the machine.
    float effort;
    double time_limit_s; // of the search, after which the plan does depend on it; 0 = none
} HyperionOffsetRequest;

typedef struct HyperionOffsetPlan {
    HyperionPlanStatus status;
    size_t height_bytes;      // end of the highest buffer; 0 without a plan
    size_t lower_bound_bytes; // no plan can be lower
    const char *strategy;     // what found it: "size", "search", ...; "" without a plan
    uint64_t nodes;           // of the search
    bool valid;               // false: the call failed, see hyperionGetLastError
} HyperionOffsetPlan;

// Plans `count` buffers; offsets[i] is where buffer i begins, unchanged without a plan. The best of
// several heuristics, and where that is above the lower bound a search in the manner of MiniMalloc
// (Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning",
// ASPLOS 2023). The same call gives the same plan unless the time limit ends it. Not valid on a
// NULL, an interval that ends before it begins, sizes that do not fit in the address space, an
// effort outside 0 to 1, or when out of memory. Any thread.
HyperionOffsetPlan hyperionPlanOffsets(const HyperionBuffer *buffers, size_t count,
                                       const HyperionOffsetRequest *request, size_t *offsets);

// Whether no two buffers that are needed at the same step overlap, each lies at a multiple of its
// alignment and below capacity_bytes. False, and the last error names the buffers, where not.
bool hyperionCheckOffsets(const HyperionBuffer *buffers, size_t count, const size_t *offsets,
                          size_t capacity_bytes);

// The heuristics by name: NULL past the last. hyperionPlaceByStrategy fills `offsets` by the one of
// that index and returns the height; SIZE_MAX on the errors of hyperionPlanOffsets or no such
// index.
const char *hyperionPlacementStrategyName(int index);
size_t hyperionPlaceByStrategy(int index, const HyperionBuffer *buffers, size_t count,
                               size_t *offsets);

// --- Pipeline: weights of layers that are loaded, one after the other, while others compute.

// By layer, in the order in which they load and compute. Times are of any one unit.
typedef struct HyperionPipeline {
    const double *load, *compute;
    const size_t *size_bytes; // NULL is allowed where no byte cap is given
    size_t layer_count;
} HyperionPipeline;

typedef struct HyperionPipelineTime {
    double makespan; // until the last layer is computed; infinite where a layer exceeds the cap
    double bound;    // no window and no cap can be below: the largest, over k, of the loads up to
                     // layer k and the computes from it on
    bool valid;      // false: the call failed, see hyperionGetLastError
} HyperionPipelineTime;

// The time of a pass when at most `window` layers (SIZE_MAX = any number) are in memory beside the
// one that computes, and no more than byte_cap bytes (0 = any number): those of a layer are taken
// when its load starts and given back when its compute ends. Not valid on a NULL, times that are
// negative or not finite, or layers without sizes under a cap. Any thread.
HyperionPipelineTime hyperionPlanPipeline(const HyperionPipeline *pipeline, size_t window,
                                          size_t byte_cap);

// The smallest window that is within 2 % of the time of the best, which is `most_window`; that
// where no window keeps the cap. SIZE_MAX, last error set, on the errors of hyperionPlanPipeline.
size_t hyperionChoosePrefetchWindow(const HyperionPipeline *pipeline, size_t most_window,
                                    size_t byte_cap);

// The most hits of `pass_count` passes over layer_count layers with room for `capacity` (> 0) of
// them, when each has to be in memory when its turn comes (Belady's choice, with forced load).
// UINT64_MAX, last error set, where capacity is 0.
uint64_t hyperionCountCyclicHits(size_t layer_count, size_t capacity, size_t pass_count);

// --- Checkpoints: what of a chain's forward pass stays in memory for the backward pass.

// A chain of `length` stages, counted from 1. Stage i makes activation i of activation i - 1;
// activation 0 is the input. Index 0 of all but activation_bytes and gradient_bytes is not read.
typedef struct HyperionChain {
    int length;
    const size_t *activation_bytes;     // 0..length
    const size_t *saved_bytes;          // all a stage keeps for backward; contains its activation
    const size_t *forward_extra_bytes;  // while the stage runs forward
    const size_t *backward_extra_bytes; // and backward
    const double *forward_time;         // any unit, of each stage the same
    const double *backward_time;
    const size_t *gradient_bytes;     // 0..length; NULL: as large as the activations
    const size_t *saving_extra_bytes; // while the stage runs forward keeping all; NULL: as without
} HyperionChain;

// The input always counts, the gradient of the last activation from the start. While a stage runs
// forward, what it makes and its extra bytes count too; while it runs backward, what is stored, the
// gradient of its activation (whose place the new one takes) and its extra bytes.
typedef enum HyperionChainOp {
    HYPERION_CHAIN_FORWARD,            // drops the activation it reads, if that is stored alone
    HYPERION_CHAIN_FORWARD_KEEP_INPUT, // leaves it as a checkpoint
    HYPERION_CHAIN_FORWARD_KEEP_ALL,   // leaves it, and keeps all that backward needs
    HYPERION_CHAIN_BACKWARD,           // drops what the stage kept and the activation it read
    HYPERION_CHAIN_DROP                // of activation `first`
} HyperionChainOp;

// The operation on stages first..last, in this order.
typedef struct HyperionChainStep {
    HyperionChainOp op;
    int first, last;
} HyperionChainStep;

typedef struct HyperionChainPlan {
    HyperionChainStep *steps; // the plan's; NULL where no plan keeps within the budget
    size_t step_count;
    double time;
    uint64_t extra_forwards; // stages run forward beyond once each
    size_t peak_bytes;       // of uniform chains: checkpoints, the input among them
    size_t least_bytes;      // with so many there is a plan, perhaps with fewer
    bool optimal;            // none is faster, or there is none: proved
    bool valid;              // false: the call failed, see hyperionGetLastError
} HyperionChainPlan;

// Plans a backward pass in the least time that keeps within budget_bytes: the dynamic program of
// rotor (Beaumont, Eyraud-Dubois, Herrmann, Joly, Shilova, "Optimal checkpointing for heterogeneous
// chains", HAL-02352969), in bytes of any size, and for up to 11 stages a search that also drops
// checkpoints and makes them again. Beyond, plans keep their checkpoints and are not proved. Time
// never rises with the budget, but for very long chains, where it is a near miss. Not valid on a
// NULL, a length outside 1 to 256, a saved size below its activation, sums that overflow, times
// that are negative or not finite, or when out of memory. The caller frees the plan. Any thread.
HyperionChainPlan hyperionPlanCheckpoints(const HyperionChain *chain, size_t budget_bytes);

// The same for `steps` equal stages of which only inputs are stored, at most `checkpoints` of them
// at once, the chain's own among them: Revolve (Griewank, Walther, ACM TOMS 26, 2000). Time counts
// forward steps. Not valid on steps outside 1 to 10000000 or checkpoints below 1.
HyperionChainPlan hyperionPlanUniformCheckpoints(int steps, int checkpoints);

// Its extra forward steps in closed form; UINT64_MAX, last error set, where that is not valid.
uint64_t hyperionCountUniformForwards(int steps, int checkpoints);

// Frees the steps and forgets them. NULL is allowed.
void hyperionFreeChainPlan(HyperionChainPlan *plan);

typedef struct HyperionChainReplay {
    double time;
    uint64_t extra_forwards;
    size_t peak_bytes;
    size_t peak_checkpoints; // inputs kept at once, the chain's own among them
    bool valid;              // false: the steps are no backward pass, see hyperionGetLastError
} HyperionChainReplay;

// Runs steps on paper, by the rules above alone: what each reads is there, stages run backward from
// the last to the first, each once. It shares no code with the planners.
HyperionChainReplay hyperionReplayChain(const HyperionChain *chain, const HyperionChainStep *steps,
                                        size_t step_count);

// --- Order: in which order the nodes of a graph run, so that the least memory is live at once.
// Running a node needs what is live and its own bytes; an input is freed once its last consumer has
// run, and what nobody consumes stays. In place, a node that allows it takes over the memory of one
// input that no other node is still to read and that is at least as large.

typedef struct HyperionOrderNode {
    size_t size_bytes;
    bool in_place; // whether it allows that
} HyperionOrderNode;

typedef struct HyperionOrderEdge {
    int from, to; // nodes; `to` reads what `from` makes. One that comes twice counts once
} HyperionOrderEdge;

typedef struct HyperionOrderGraph {
    const HyperionOrderNode *nodes;
    const HyperionOrderEdge *edges;
    int node_count, edge_count;
} HyperionOrderGraph;

typedef struct HyperionOrderRequest {
    bool in_place;
    size_t most_states; // of the search, so that the plan does not depend on the machine; 0 = none
} HyperionOrderRequest;

typedef struct HyperionOrderPlan {
    HyperionPlanStatus status; // optimal or feasible
    size_t peak_bytes;
    size_t lower_bound_bytes; // no order can need less
    const char *strategy;     // what found it: "least-peak", "search", ...
    size_t states;            // sets of nodes that the search met
    bool valid;               // false: the call failed, see hyperionGetLastError
} HyperionOrderPlan;

// Fills order[node_count]. An order of least peak, found by a search over the sets of nodes that
// have run; past most_states the best of what it met and of heuristics. The same call gives the
// same order. Not valid, order unchanged, on a NULL, an edge between nodes that do not exist, a
// cycle, sizes whose sum does not fit in the address space, or when out of memory. Any thread.
HyperionOrderPlan hyperionPlanOrder(const HyperionOrderGraph *graph,
                                    const HyperionOrderRequest *request, int *order);

// The peak of a given order, counted on its own. SIZE_MAX, and the last error says why, where it is
// no order of the graph, and on the errors of hyperionPlanOrder.
size_t hyperionOrderPeak(const HyperionOrderGraph *graph, const int *order, bool in_place);

#ifdef __cplusplus
}
#endif
#endif
