// SPDX-License-Identifier: Apache-2.0
// simd.h - which vector instructions this machine has, and which of them a model uses.
#ifndef HYPERION_SIMD_H
#define HYPERION_SIMD_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// SIMD operation types
typedef enum {
    HYPERION_SIMD_OP_MATRIX_MUL, // Matrix multiplication
    HYPERION_SIMD_OP_CONV,       // Convolution
    HYPERION_SIMD_OP_ACTIVATION, // Activation functions
    HYPERION_SIMD_OP_ATTENTION   // Attention mechanisms
} HyperionSIMDOpType;

// Instruction-set extensions that matter here, as bits of HyperionSIMDCapabilities.features.
enum {
    HYPERION_FEATURE_SSE41 = 1U << 0,
    HYPERION_FEATURE_AVX = 1U << 1,
    HYPERION_FEATURE_AVX2 = 1U << 2,
    HYPERION_FEATURE_FMA = 1U << 3,
    HYPERION_FEATURE_F16C = 1U << 4,
    HYPERION_FEATURE_AVX512F = 1U << 5,
    HYPERION_FEATURE_AVX512BW = 1U << 6,
    HYPERION_FEATURE_AVX512DQ = 1U << 7,
    HYPERION_FEATURE_AVX512VL = 1U << 8,
    HYPERION_FEATURE_AVX512_VNNI = 1U << 9,
    HYPERION_FEATURE_AVX512_BF16 = 1U << 10,
    HYPERION_FEATURE_NEON = 1U << 11
};

// What this process may execute: the CPU and the operating system both allow it, and HYPERION_SIMD
// (a level's name or number in the environment, read once; anything else is ignored) does not
// forbid it.
typedef struct HyperionSIMDCapabilities {
    uint32_t levels;              // bit i set: level i can run; bit 0 always
    HyperionSIMDLevel best_level; // highest of them
    const char *best_level_name;  // "avx512"; static storage
    int vector_bytes;             // register width at best_level; 4 for scalar
    uint32_t features;            // HYPERION_FEATURE_* of the CPU, whatever HYPERION_SIMD says
} HyperionSIMDCapabilities;

// Get SIMD capabilities. Never fails; safe from any thread.
HyperionSIMDCapabilities hyperionGetSIMDCapabilities(void);

// "scalar", "sse41" ("neon" on Arm), "avx2", "avx512"; "unknown" outside the range.
const char *hyperionSIMDLevelName(int level);

// Enable or disable SIMD acceleration for one kind of operation of a model; disabled means the
// scalar kernels. On by default. Other element-wise and normalisation layers follow ACTIVATION.
// False, and nothing changed, for a NULL or running model or an unknown op_type.
bool hyperionEnableSIMD(HyperionModel *model, HyperionSIMDOpType op_type, bool enable);

// Set SIMD optimization level: 0 scalar, 1 SSE4.1 or NEON, 2 AVX2+FMA, 3 AVX-512. A level that is
// negative or not available here is clamped to the nearest available one below (0 at least), with
// the reason as last error. The default is the best level.
void hyperionSetSIMDOptimizationLevel(HyperionModel *model, int level);

// The level in force; -1 for a NULL model.
int hyperionGetSIMDOptimizationLevel(const HyperionModel *model);

#ifdef __cplusplus
}
#endif
#endif
