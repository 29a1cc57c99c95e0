// SPDX-License-Identifier: Apache-2.0
#include "common/out_file.h"

#include "common/fail.h"
#include "common/text.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct HypOutFile {
    FILE *stream;
    char *path;
    char *part_path;
    uint64_t position;
    bool failed;
};

static void free_file(HypOutFile *file)
{
    free(file->path);
    free(file->part_path);
    free(file);
}

HypOutFile *hyp_out_file_create(const char *path)
{
    HypOutFile *file = calloc(1, sizeof *file);
    if (!file)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "write %s: out of memory", path);
    file->path = hyp_text_copy(path);
    file->part_path = hyp_text_join(path, ".part");
    if (!file->path || !file->part_path) {
        free_file(file);
        return NULL;
    }
    file->stream = fopen(file->part_path, "wb");
    if (!file->stream) {
        (void)hyp_fail(HYPERION_ERROR_IO, "write %s: %s", file->part_path, strerror(errno));
        free_file(file);
        return NULL;
    }
    return file;
}

static bool fail_file(HypOutFile *file)
{
    file->failed = true;
    return hyp_fail(HYPERION_ERROR_IO, "write %s: %s", file->path, strerror(errno));
}

bool hyp_out_file_write(HypOutFile *file, const void *bytes, size_t size_bytes)
{
    if (file->failed)
        return false;
    if (size_bytes > 0 && fwrite(bytes, size_bytes, 1, file->stream) != 1)
        return fail_file(file);
    file->position += size_bytes;
    return true;
}

bool hyp_out_file_rewrite(HypOutFile *file, uint64_t offset, const void *bytes, size_t size_bytes)
{
    assert(offset + size_bytes <= file->position && offset <= LONG_MAX);
    if (file->failed)
        return false;
    if (fseek(file->stream, (long)offset, SEEK_SET) != 0 ||
        (size_bytes > 0 && fwrite(bytes, size_bytes, 1, file->stream) != 1) ||
        fseek(file->stream, 0, SEEK_END) != 0)
        return fail_file(file);
    return true;
}

bool hyp_out_file_align(HypOutFile *file, size_t alignment)
{
    static const unsigned char zeros[64];
    size_t rest = (size_t)(file->position % alignment);
    for (rest = rest ? alignment - rest : 0; rest > 0;) {
        const size_t count = rest < sizeof zeros ? rest : sizeof zeros;
        if (!hyp_out_file_write(file, zeros, count))
            return false;
        rest -= count;
    }
    return true;
}

uint64_t hyp_out_file_position(const HypOutFile *file)
{
    return file->position;
}

bool hyp_out_file_close(HypOutFile *file, bool keep)
{
    if (!file)
        return false;
    if (fclose(file->stream) != 0 && !file->failed)
        (void)fail_file(file);
    bool placed = keep && !file->failed;
    if (placed && rename(file->part_path, file->path) != 0)
        placed = fail_file(file);
    if (!placed)
        (void)remove(file->part_path);
    free_file(file);
    return placed;
}
