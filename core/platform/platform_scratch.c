// SPDX-License-Identifier: Apache-2.0
// platform_scratch.c - files without a name, for what does not fit in memory.
#define _GNU_SOURCE // O_TMPFILE
#include "platform/platform.h"

#include "common/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct HypScratch {
    int descriptor;
    char folder[]; // for messages
};

// Where the file system has no files without a name, one that loses it at once. -1, errno set.
static int open_unlinked(const char *folder)
{
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s/hyperion-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0)
        (void)unlink(path);
    return descriptor;
}

static int open_in(const char *folder)
{
    const int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return descriptor >= 0 || errno == ENOENT || errno == ENOTDIR ? descriptor
                                                                  : open_unlinked(folder);
}

HypScratch *hyp_platform_open_scratch(const char *folder)
{
    const char *place = folder ? folder : "/var/tmp";
    int descriptor = open_in(place);
    if (descriptor < 0 && !folder) {
        place = "/tmp";
        descriptor = open_in(place);
    }
    if (descriptor < 0)
        return hyp_fail_null(HYPERION_ERROR_IO, "temporary file in %s: %s", place, strerror(errno));
    const size_t folder_bytes = strlen(place) + 1;
    HypScratch *scratch = malloc(sizeof *scratch + folder_bytes);
    if (!scratch) {
        (void)close(descriptor);
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "temporary file in %s: out of memory", place);
    }
    scratch->descriptor = descriptor;
    memcpy(scratch->folder, place, folder_bytes);
    return scratch;
}

void hyp_platform_close_scratch(HypScratch *scratch)
{
    if (!scratch)
        return;
    (void)close(scratch->descriptor);
    free(scratch);
}

bool hyp_platform_write_scratch(HypScratch *scratch, uint64_t offset, const void *bytes,
                                size_t size_bytes)
{
    const unsigned char *from = bytes;
    for (size_t done_bytes = 0; done_bytes < size_bytes;) {
        const ssize_t put = pwrite(scratch->descriptor, from + done_bytes, size_bytes - done_bytes,
                                   (off_t)(offset + done_bytes));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return hyp_fail(HYPERION_ERROR_IO,
                            "temporary file in %s: write %zu bytes at %" PRIu64 ": %s",
                            scratch->folder, size_bytes, offset, strerror(errno));
        done_bytes += (size_t)put;
    }
    return true;
}

bool hyp_platform_read_scratch(const HypScratch *scratch, uint64_t offset, void *bytes,
                               size_t size_bytes)
{
    unsigned char *to = bytes;
    for (size_t done_bytes = 0; done_bytes < size_bytes;) {
        const ssize_t got = pread(scratch->descriptor, to + done_bytes, size_bytes - done_bytes,
                                  (off_t)(offset + done_bytes));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return hyp_fail(
                HYPERION_ERROR_IO, "temporary file in %s: read %zu bytes at %" PRIu64 ": %s",
                scratch->folder, size_bytes, offset, got < 0 ? strerror(errno) : "it ends before");
        done_bytes += (size_t)got;
    }
    return true;
}
