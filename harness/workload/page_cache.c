// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "workload/page_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20 };
static const double tolerance = 0.01;

static size_t count_pages(void *mapping, size_t size_bytes, size_t page_count)
{
    unsigned char *present = calloc(page_count, 1);
    size_t count = 0;
    const bool told = present && mincore(mapping, size_bytes, present) == 0;
    for (size_t i = 0; told && i < page_count; i++)
        count += present[i] & 1;
    free(present);
    return told ? count : SIZE_MAX;
}

static double find_share(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0 || status.st_size <= 0)
        return NAN;
    const size_t size_bytes = (size_t)status.st_size;
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    const size_t page_count = (size_bytes + page_bytes - 1) / page_bytes;
    void *mapping = mmap(NULL, size_bytes, PROT_READ, MAP_SHARED, file, 0);
    if (mapping == MAP_FAILED)
        return NAN;
    const size_t count = count_pages(mapping, size_bytes, page_count);
    (void)munmap(mapping, size_bytes);
    return count == SIZE_MAX ? (double)NAN : (double)count / (double)page_count;
}

double page_cache_share(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NAN;
    const double share = find_share(file);
    (void)close(file);
    return share;
}

static bool drop_pages(int file)
{
    return fdatasync(file) == 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
}

static bool read_pages(int file)
{
    char *buffer = malloc(READ_BYTES);
    off_t at = 0;
    ssize_t got = buffer ? 1 : -1;
    while (got > 0) {
        got = pread(file, buffer, READ_BYTES, at);
        at += got > 0 ? got : 0;
        if (got < 0 && errno == EINTR)
            got = 1;
    }
    free(buffer);
    return got == 0;
}

static bool change(const char *path, bool (*act)(int file), double wanted, Problem *problem)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return problem_set(problem, "open %s: %s", path, strerror(errno));
    const bool done = act(file);
    const int failure = errno;
    const double share = find_share(file);
    (void)close(file);
    const char *state = wanted > 0 ? "warm" : "cold";
    if (!done)
        return problem_set(problem, "page_cache %s: %s: %s", state, path, strerror(failure));
    return fabs(share - wanted) <= tolerance ||
           problem_set(problem, "page_cache %s: %.0f %% of %s is in the page cache (mincore)",
                       state, share * 100, path);
}

bool page_cache_drop(const char *path, Problem *problem)
{
    return change(path, drop_pages, 0, problem);
}

bool page_cache_fill(const char *path, Problem *problem)
{
    return change(path, read_pages, 1, problem);
}
