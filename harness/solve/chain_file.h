// SPDX-License-Identifier: Apache-2.0
// chain_file.h - instances of the checkpoint problem: a JSON object with the number of stages `n`,
// a[0..n] (bytes of activations), abar, of, ob (bytes) and uf, ub (times) [0..n], index 0 unused;
// or one whose member `chain` is that.
#ifndef HYP_CHAIN_FILE_H
#define HYP_CHAIN_FILE_H

#include "common/problem.h"
#include "hyperion/planners.h"

typedef struct ChainFile {
    HyperionChain chain;
    size_t *sizes[4]; // what it points to
    double *times[2];
} ChainFile;

// False, and the problem names file and member, for anything else. The caller clears in any case.
bool chain_file_read(ChainFile *file, const char *path, Problem *problem);
void chain_file_clear(ChainFile *file);

#endif
