// SPDX-License-Identifier: Apache-2.0
// weights.h - safetensors files as they stand: names, types, shapes and bytes of tensors. For
// tools; a model comes from hyperionLoadModel.
#ifndef HYPERION_WEIGHTS_H
#define HYPERION_WEIGHTS_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// An open file. Its functions may be called from several threads.
typedef struct HyperionWeightsFile HyperionWeightsFile;

// A tensor of the file; strings are owned by the file.
typedef struct HyperionStoredTensor {
    const char *name;  // UTF-8; NULL: there is no such tensor
    size_t name_bytes; // without the NUL at its end; there may be NULs inside
    const char *type;  // as the format has it: "F32", "BF16", ...
    int rank;          // may exceed HYPERION_MAX_RANK; the dims past it are not kept
    uint64_t dims[HYPERION_MAX_RANK];
    uint64_t file_offset; // of its first byte, at no particular alignment
    uint64_t size_bytes;
} HyperionStoredTensor;

// Opens a safetensors file and checks its header by the rules of the format: at most 100,000,000
// bytes of strict JSON that begin with '{'; no name, key or field twice; types the format knows;
// whole numbers; shape, type and span of each tensor agree; the spans fill the file from the header
// to its end without hole or overlap. `__metadata__` may be null. Holds at most four times the
// header's bytes. NULL on failure; the caller closes.
HyperionWeightsFile *hyperionOpenWeights(const char *path);
void hyperionCloseWeights(HyperionWeightsFile *file); // NULL is allowed

// Tensors in the order of their bytes. On failure 0, or a zeroed struct with the last error set.
int hyperionWeightsTensorCount(const HyperionWeightsFile *file);
HyperionStoredTensor hyperionWeightsTensor(const HyperionWeightsFile *file, int index);

// All bytes of a tensor, little-endian as in the file. False unless buffer_bytes is their number,
// when the read fails, or when the file changed since it was opened.
bool hyperionReadWeightsTensor(const HyperionWeightsFile *file, int index, void *buffer,
                               size_t buffer_bytes);

// The text that `__metadata__` has for a key; NULL, without an error, if it has none.
const char *hyperionWeightsMetadata(const HyperionWeightsFile *file, const char *key);

#ifdef __cplusplus
}
#endif
#endif
