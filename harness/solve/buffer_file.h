// SPDX-License-Identifier: Apache-2.0
// buffer_file.h - instances of the offset problem: CSV as MiniMalloc has it. The first row names
// the columns id, lower, upper, size (bytes) and perhaps alignment, in any order.
#ifndef HYP_BUFFER_FILE_H
#define HYP_BUFFER_FILE_H

#include "common/problem.h"
#include "hyperion/planners.h"

typedef struct BufferFile {
    HyperionBuffer *buffers;
    char **ids; // any text without a comma, each once
    size_t count;
    char *text; // what the ids are part of
} BufferFile;

// False, and the problem says "path:line: ...", for anything else. The caller clears in any case.
bool buffer_file_read(BufferFile *file, const char *path, Problem *problem);
void buffer_file_clear(BufferFile *file);

#endif
