// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "common/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool whole_file_open(WholeFile *file, const char *path, Problem *problem)
{
    static const char suffix[] = ".tmp";
    const size_t length = strlen(path);
    *file =
        (WholeFile){.path = malloc(length + 1), .temporary_path = malloc(length + sizeof suffix)};
    if (!file->path || !file->temporary_path)
        return problem_set(problem, "%s: out of memory", path);
    memcpy(file->path, path, length + 1);
    memcpy(file->temporary_path, path, length);
    memcpy(file->temporary_path + length, suffix, sizeof suffix);
    file->stream = fopen(file->temporary_path, "we");
    if (!file->stream)
        return problem_set(problem, "%s: %s", file->temporary_path, strerror(errno));
    return true;
}

static bool put_in_place(WholeFile *file, Problem *problem)
{
    const bool written =
        fflush(file->stream) == 0 && !ferror(file->stream) && fsync(fileno(file->stream)) == 0;
    if (!written)
        return problem_set(problem, "%s: %s", file->temporary_path, strerror(errno));
    if (rename(file->temporary_path, file->path) != 0)
        return problem_set(problem, "%s: %s", file->path, strerror(errno));
    return true;
}

bool whole_file_close(WholeFile *file, bool keep, Problem *problem)
{
    bool placed = false;
    if (file->stream) {
        // What the writer saw when it gave up: a full disk, mostly.
        if (!keep && ferror(file->stream))
            (void)problem_set(problem, "%s: %s", file->temporary_path, strerror(errno));
        placed = keep && put_in_place(file, problem);
        (void)fclose(file->stream);
        if (!placed)
            (void)remove(file->temporary_path);
        if (!keep)
            (void)problem_set(problem, "%s: writing failed", file->path);
    }
    free(file->path);
    free(file->temporary_path);
    *file = (WholeFile){0};
    return placed;
}
