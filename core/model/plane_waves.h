// SPDX-License-Identifier: Apache-2.0
// plane_waves.h - operations that make each plane of the result from one plane of the image, with
// the result written over the image: where planes of the result are no larger than the image's, a
// plane, once computed, belongs where the image was read already. Threads compute some planes each
// into the workspace, and when all of them have, copy them to where they belong, wave after wave.
#ifndef HYP_PLANE_WAVES_H
#define HYP_PLANE_WAVES_H

#include "model/layer_op.h"

typedef struct HypPlaneWaves {
    size_t planes;
    size_t plane_bytes;  // of the result
    double plane_flops;  // that decide how many threads a wave is worth
    size_t kernel_bytes; // workspace of `compute`, a multiple of 64
    // Planes first .. first + count - 1 of the result, in the calling thread.
    void (*compute)(const HypLayerRun *run, size_t first, size_t count, void *workspace,
                    float *out);
} HypPlaneWaves;

// Planes that one thread computes in a wave.
size_t hyp_plane_waves_length(const HypPlaneWaves *waves);

// SIZE_MAX where it is larger than the address space.
size_t hyp_plane_waves_workspace_bytes(const HypLayerRun *run, const HypPlaneWaves *waves);
void hyp_plane_waves_run(const HypLayerRun *run, const HypPlaneWaves *waves);

#endif
