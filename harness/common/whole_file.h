// SPDX-License-Identifier: Apache-2.0
// whole_file.h - files that are seen whole or not at all, even after a crash: written to
// "<path>.tmp", synced, then renamed.
#ifndef HYP_WHOLE_FILE_H
#define HYP_WHOLE_FILE_H

#include "common/problem.h"

#include <stdio.h>

typedef struct WholeFile {
    FILE *stream; // to write to; NULL after a failed open
    char *path;
    char *temporary_path;
} WholeFile;

bool whole_file_open(WholeFile *file, const char *path, Problem *problem);

// Puts the file in place if `keep` and everything was written, else leaves what was there before.
// True if it is in place. Also to be called after a failed open, and then false.
bool whole_file_close(WholeFile *file, bool keep, Problem *problem);

#endif
