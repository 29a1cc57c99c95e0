// SPDX-License-Identifier: Apache-2.0
// types.h - the shared vocabulary. Includes no project header; everything may include it.
#ifndef HYPERION_TYPES_H
#define HYPERION_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Largest number of dimensions a tensor can have.
#define HYPERION_MAX_RANK 8

typedef struct HyperionTensor HyperionTensor;
typedef struct HyperionModel HyperionModel;
typedef struct HyperionMemoryOptimizer HyperionMemoryOptimizer;
typedef struct HyperionProgressiveLoader HyperionProgressiveLoader;
typedef struct HyperionLayerScheduler HyperionLayerScheduler;
typedef struct HyperionExecutionPlan HyperionExecutionPlan;
typedef struct HyperionThreadPool HyperionThreadPool;

// Element types. Computation is in F32; the others serve shapes and indices.
typedef enum HyperionType {
    HYPERION_TYPE_F32,
    HYPERION_TYPE_I64,
    HYPERION_TYPE_I32,
    HYPERION_TYPE_BOOL, // one byte, 0 or 1
    HYPERION_TYPE_COUNT
} HyperionType;

// Ordered by vector width. Level 1 is SSE4.1 on x86 and NEON on Arm.
typedef enum HyperionSIMDLevel {
    HYPERION_SIMD_SCALAR,
    HYPERION_SIMD_SSE41,
    HYPERION_SIMD_AVX2,   // AVX2 and FMA
    HYPERION_SIMD_AVX512, // AVX-512 F, BW, DQ and VL
    HYPERION_SIMD_LEVEL_COUNT
} HyperionSIMDLevel;

// Element-wise functions, as layers of their own and as epilogue of a matrix product. Some have
// parameters, alpha and beta.
typedef enum HyperionActivation {
    HYPERION_ACTIVATION_NONE,
    HYPERION_ACTIVATION_RELU,
    HYPERION_ACTIVATION_GELU, // exact: x/2 (1 + erf(x/sqrt 2))
    HYPERION_ACTIVATION_SILU, // x sigmoid(x)
    HYPERION_ACTIVATION_TANH,
    HYPERION_ACTIVATION_SIGMOID,
    HYPERION_ACTIVATION_LEAKY_RELU,   // alpha x below 0
    HYPERION_ACTIVATION_CLIP,         // to alpha .. beta; beta where alpha is above it
    HYPERION_ACTIVATION_HARD_SIGMOID, // alpha x + beta, clipped to 0 .. 1
    HYPERION_ACTIVATION_HARD_SWISH,   // x times x/6 + 1/2 clipped to 0 .. 1
    HYPERION_ACTIVATION_GELU_TANH,    // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    HYPERION_ACTIVATION_ERF,
    HYPERION_ACTIVATION_EXP,
    HYPERION_ACTIVATION_LOG,
    HYPERION_ACTIVATION_SQRT,
    HYPERION_ACTIVATION_RECIPROCAL,
    HYPERION_ACTIVATION_NEG,
    HYPERION_ACTIVATION_ABS,
    HYPERION_ACTIVATION_COUNT
} HyperionActivation;

// Functions of two operands. The arithmetic ones come first; the others give a bool.
typedef enum HyperionBinary {
    HYPERION_BINARY_ADD,
    HYPERION_BINARY_SUB,
    HYPERION_BINARY_MUL,
    HYPERION_BINARY_DIV, // of integers: towards 0, and 0 by 0
    HYPERION_BINARY_MAX, // NaN where either operand is
    HYPERION_BINARY_MIN, // likewise
    HYPERION_BINARY_POW,
    HYPERION_BINARY_PRELU, // a below 0 times b
    HYPERION_BINARY_EQUAL,
    HYPERION_BINARY_LESS,
    HYPERION_BINARY_LESS_EQUAL,
    HYPERION_BINARY_GREATER,
    HYPERION_BINARY_GREATER_EQUAL,
    HYPERION_BINARY_AND, // of bools, as the next two
    HYPERION_BINARY_OR,
    HYPERION_BINARY_XOR,
    HYPERION_BINARY_COUNT
} HyperionBinary;

// What an axis is reduced to. The mean of integers is rounded towards 0.
typedef enum HyperionReduce {
    HYPERION_REDUCE_MEAN,
    HYPERION_REDUCE_SUM,
    HYPERION_REDUCE_MAX, // NaN where one is among them
    HYPERION_REDUCE_MIN, // likewise
    HYPERION_REDUCE_PROD,
    HYPERION_REDUCE_COUNT
} HyperionReduce;

// Blocking of the matrix-product nest (Goto and van de Geijn 2008; Van Zee and van de Geijn 2015):
// an mc x kc block of A, a kc x nc panel of B, an mr x nr tile of C in registers. Elements.
typedef struct HyperionGemmBlocking {
    size_t mc, kc, nc;
    size_t mr, nr;
    size_t prefetch_lines; // cache lines ahead in the packed panels; 0 = no software prefetch
} HyperionGemmBlocking;

// What a parallel-for calls for each of its threads. `thread` counts from 0.
typedef void (*HyperionParallelTask)(void *context, size_t thread);

// A parallel-for: run(pool, count, task, context) calls task(context, thread) once for each thread
// from 0 to count - 1, all at a time or one after another in any order, and returns when all have
// returned. What was written before is seen by all, and what they wrote by the caller.
typedef struct HyperionParallel {
    size_t threads;    // the highest count to call it with; at least 1
    double least_work; // floating-point operations that are worth one more thread; 0 = any
    void (*run)(void *pool, size_t count, HyperionParallelTask task, void *context);
    void *pool;
} HyperionParallel;

// What is done to memory, as a cache sees it.
typedef enum HyperionTouch {
    HYPERION_TOUCH_READ,
    HYPERION_TOUCH_WRITE,
    HYPERION_TOUCH_PREFETCH, // fills every level like a read; not counted as access, hit or miss
    HYPERION_TOUCH_STREAM,   // non-temporal store: past all levels to memory; no access either
    HYPERION_TOUCH_COUNT
} HyperionTouch;

// Memory of an optimizer or a loader. All fields but the counts and fragmentation are bytes.
typedef struct HyperionMemoryStats {
    size_t current_bytes;     // held now
    size_t peak_bytes;        // highest current_bytes so far
    size_t planned_bytes;     // what the plan in force will need; 0 without a plan
    size_t lower_bound_bytes; // no plan can need less; 0 without a plan
    size_t budget_bytes;      // limit in force; 0 = none
    size_t naive_bytes;       // what the same work needs without any reuse
    uint64_t allocation_count;
    uint64_t reuse_count;    // allocations served from memory given back before
    uint64_t in_place_count; // operations that wrote over their input
    double fragmentation;    // 1 - largest free block / free bytes, 0 to 1; 0 when nothing is free
    bool valid;              // false: the call failed, see hyperionGetLastError
} HyperionMemoryStats;

#ifdef __cplusplus
}
#endif
#endif
