// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "platform/platform_file.h"

#include "common/fail.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static HypFile *make_file(int descriptor, const char *path)
{
    const size_t path_bytes = strlen(path) + 1;
    HypFile *file = malloc(sizeof *file + path_bytes);
    if (!file)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "open %s: out of memory", path);
    *file = (HypFile){.descriptor = descriptor};
    memcpy(file->path, path, path_bytes);
    return file;
}

static HypFile *wrap_descriptor(int descriptor, const char *path)
{
    struct stat facts;
    if (fstat(descriptor, &facts) != 0)
        return hyp_fail_null(HYPERION_ERROR_IO, "open %s: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return hyp_fail_null(HYPERION_ERROR_IO, "open %s: not a regular file", path);
    HypFile *file = make_file(descriptor, path);
    if (!file)
        return NULL;
    file->size_bytes = (uint64_t)facts.st_size;
    file->modified = facts.st_mtim;
    return file;
}

HypFile *hyp_platform_open(const char *path)
{
    // O_NONBLOCK: opening a pipe nobody writes to would wait for ever; regular files ignore it.
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return hyp_fail_null(HYPERION_ERROR_IO, "open %s: %s", path, strerror(errno));
    HypFile *file = wrap_descriptor(descriptor, path);
    if (!file) {
        (void)close(descriptor);
        return NULL;
    }
    // io_uring does not: it would give EAGAIN where a read has to wait.
    (void)fcntl(descriptor, F_SETFL, 0);
    return file;
}

// Whether the path is relative and does not go up.
static bool stays_inside(const char *relative)
{
    if (!relative[0] || relative[0] == '/')
        return false;
    for (const char *part = relative; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (part[0] == '.' && part[1] == '.' && (part[2] == '/' || !part[2]))
            return false;
    }
    return true;
}

// "FOLDER OF path/relative", and what that is without links; the caller frees. NULL on failure.
static char *resolve_beside(const char *path, const char *relative)
{
    const char *slash = strrchr(path, '/');
    const size_t folder_bytes = slash ? (size_t)(slash - path) + 1 : 2;
    const size_t relative_bytes = strlen(relative) + 1;
    char *joined = malloc(folder_bytes + relative_bytes);
    if (!joined)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "open %s: out of memory", relative);
    memcpy(joined, slash ? path : "./", folder_bytes);
    joined[folder_bytes] = '\0';
    char *folder = realpath(joined, NULL);
    memcpy(joined + folder_bytes, relative, relative_bytes);
    char *file = folder ? realpath(joined, NULL) : NULL;
    const size_t length = folder ? strlen(folder) : 0;
    const bool inside = file && strncmp(file, folder, length) == 0 &&
                        (file[length] == '/' || (length && folder[length - 1] == '/'));
    if (!file)
        (void)hyp_fail(HYPERION_ERROR_IO, "open %s: %s", joined, strerror(errno));
    else if (!inside)
        (void)hyp_fail(HYPERION_ERROR_FORMAT, "open %s: it leads out of the folder of %s", joined,
                       path);
    free(folder);
    free(joined);
    if (!inside) {
        free(file);
        return NULL;
    }
    return file;
}

HypFile *hyp_platform_open_beside(const char *path, const char *relative)
{
    if (!stays_inside(relative))
        return hyp_fail_null(HYPERION_ERROR_FORMAT,
                             "open '%s' beside %s: expected a relative path without ..", relative,
                             path);
    char *resolved = resolve_beside(path, relative);
    if (!resolved)
        return NULL;
    HypFile *file = hyp_platform_open(resolved);
    free(resolved);
    return file;
}

void hyp_platform_close(HypFile *file)
{
    if (!file)
        return;
    (void)close(file->descriptor);
    free(file);
}

// By /proc, since the path may name another file by now.
HypFile *hyp_platform_reopen(const HypFile *file, HypFileAccess access)
{
    char name[32];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", file->descriptor);
    const bool unbuffered = access == HYP_ACCESS_UNBUFFERED;
    const int descriptor = open(name, O_RDONLY | O_CLOEXEC | (unbuffered ? O_DIRECT : 0));
    if (descriptor < 0)
        return hyp_fail_null(HYPERION_ERROR_IO, "open %s%s: %s", file->path,
                             unbuffered ? " with O_DIRECT" : "", strerror(errno));
    HypFile *again = make_file(descriptor, file->path);
    if (!again) {
        (void)close(descriptor);
        return NULL;
    }
    again->is_unbuffered = unbuffered;
    again->size_bytes = file->size_bytes;
    again->modified = file->modified;
    // Advice: where it is not taken, more is read than was asked for.
    if (access == HYP_ACCESS_NO_AHEAD)
        (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM);
    return again;
}

bool hyp_platform_drop_cached(const HypFile *file, uint64_t offset, uint64_t size_bytes)
{
    // The cache holds pages in folios of up to a huge page, and forgets those alone that lie
    // within: the neighbours of what is meant go too.
    const uint64_t before_bytes = offset < HYP_HUGE_PAGE_BYTES ? offset : HYP_HUGE_PAGE_BYTES;
    const int error = posix_fadvise(file->descriptor, (off_t)(offset - before_bytes),
                                    (off_t)(before_bytes + size_bytes + HYP_HUGE_PAGE_BYTES),
                                    POSIX_FADV_DONTNEED);
    return !error ||
           hyp_fail(HYPERION_ERROR_IO, "drop cached pages of %s: %s", file->path, strerror(error));
}

uint64_t hyp_platform_file_bytes(const HypFile *file)
{
    return file->size_bytes;
}

bool hyp_platform_file_unchanged(const HypFile *file)
{
    struct stat facts;
    if (fstat(file->descriptor, &facts) != 0)
        return hyp_fail(HYPERION_ERROR_IO, "stat %s: %s", file->path, strerror(errno));
    if ((uint64_t)facts.st_size != file->size_bytes)
        return hyp_fail(HYPERION_ERROR_IO,
                        "%s changed while in use: expected %" PRIu64 " bytes, found %" PRIu64,
                        file->path, file->size_bytes, (uint64_t)facts.st_size);
    if (facts.st_mtim.tv_sec != file->modified.tv_sec ||
        facts.st_mtim.tv_nsec != file->modified.tv_nsec)
        return hyp_fail(HYPERION_ERROR_IO, "%s changed while in use: it was written to",
                        file->path);
    return true;
}

bool hyp_file_tries_again(int error, int *vain_tries)
{
    // Some ten seconds in all.
    const int most_tries = 10000;
    const int hasty_tries = 8;
    const struct timespec pause = {.tv_nsec = 1000000};
    if ((error != EINTR && error != EAGAIN) || ++*vain_tries > most_tries)
        return false;
    if (*vain_tries > hasty_tries)
        (void)nanosleep(&pause, NULL);
    return true;
}

bool hyp_file_fail_read(const HypFile *file, uint64_t offset, size_t size_bytes, int error)
{
    return hyp_fail(HYPERION_ERROR_IO, "read %s: %zu bytes at %" PRIu64 ": %s", file->path,
                    size_bytes, offset, strerror(error));
}

bool hyp_file_fail_end(const HypFile *file, uint64_t offset, size_t size_bytes, size_t done_bytes)
{
    return hyp_fail(HYPERION_ERROR_IO,
                    "read %s: expected %zu bytes at %" PRIu64 ", the file ends after %zu",
                    file->path, size_bytes, offset, done_bytes);
}

bool hyp_platform_read(const HypFile *file, uint64_t offset, void *buffer, size_t size_bytes)
{
    unsigned char *place = buffer;
    size_t done_bytes = 0;
    int vain_tries = 0;
    if (offset > INT64_MAX || size_bytes > INT64_MAX - offset)
        return hyp_fail(HYPERION_ERROR_IO, "read %s: %zu bytes at %" PRIu64 " are past any file",
                        file->path, size_bytes, offset);
    while (done_bytes < size_bytes) {
        const ssize_t got = pread(file->descriptor, place + done_bytes, size_bytes - done_bytes,
                                  (off_t)(offset + done_bytes));
        if (got < 0 && hyp_file_tries_again(errno, &vain_tries))
            continue;
        if (got < 0)
            return hyp_file_fail_read(file, offset, size_bytes, errno);
        if (got == 0)
            return hyp_file_fail_end(file, offset, size_bytes, done_bytes);
        done_bytes += (size_t)got;
        vain_tries = 0;
    }
    return true;
}
