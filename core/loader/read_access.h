// SPDX-License-Identifier: Apache-2.0
// read_access.h - the files of a model, opened once more for the mode that reads are to have, and
// what is done instead where that is refused.
#ifndef HYP_READ_ACCESS_H
#define HYP_READ_ACCESS_H

#include "hyperion/progressive_loader.h"

#include "model/graph.h"

typedef struct HypAccessFile {
    HypFile *file;    // NULL: read the model's own
    HypFile *refused; // unbuffered, which reads may still be under way of; NULL: none
    HyperionLoaderMode mode;
    bool is_open; // or was found not to be possible
} HypAccessFile;

typedef struct HypReadAccess {
    HyperionLoaderMode mode; // that is asked for
    HypAccessFile *files;    // by HyperionModel.files; NULL: none yet
    int file_count;
} HypReadAccess;

// The file to read from. Opened when it is first asked for; what is not possible in the mode of
// `in_force`, or with the memory there is, is read in another, and its mode_reason says so.
const HypFile *hyp_read_access_file(HypReadAccess *access, const HyperionModel *model, int index,
                                    HyperionLoaderIO *in_force);

// The file cannot be read as it was: the last error says why.
void hyp_read_access_refuse(HypReadAccess *access, int index, HyperionLoaderIO *in_force);

// A read ended, and what it got is in memory: the page cache drops it where that is the mode.
void hyp_read_access_leave(HypReadAccess *access, int index, const HypRead *read,
                           HyperionLoaderIO *in_force);

// Forgets the files; none is being read.
void hyp_read_access_close(HypReadAccess *access);

#endif
