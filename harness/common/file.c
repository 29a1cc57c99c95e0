// SPDX-License-Identifier: Apache-2.0
#include "common/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_stream(FILE *file, const char *path, size_t limit_bytes, size_t *size_bytes,
                         Problem *problem)
{
    size_t capacity = 4096;
    size_t used = 0;
    char *bytes = NULL;
    for (;;) {
        char *grown = realloc(bytes, capacity + 1);
        if (!grown) {
            (void)problem_set(problem, "%s: out of memory", path);
            break;
        }
        bytes = grown;
        used += fread(bytes + used, 1, capacity - used, file);
        if (ferror(file)) {
            (void)problem_set(problem, "%s: %s", path, strerror(errno));
            break;
        }
        if (used > limit_bytes) {
            (void)problem_set(problem, "%s: larger than %zu bytes", path, limit_bytes);
            break;
        }
        if (used < capacity) {
            bytes[used] = '\0';
            *size_bytes = used;
            return bytes;
        }
        capacity *= 2;
    }
    free(bytes);
    return NULL;
}

char *file_read(const char *path, size_t limit_bytes, size_t *size_bytes, Problem *problem)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        (void)problem_set(problem, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *bytes = read_stream(file, path, limit_bytes, size_bytes, problem);
    (void)fclose(file);
    return bytes;
}
