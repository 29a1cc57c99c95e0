// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "platform/platform.h"

#include "common/fail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct HypMemoryGauge {
    int file; // of the kernel; -1: it has none
    size_t page_bytes;
};

HypMemoryGauge *hyp_platform_open_gauge(void)
{
    HypMemoryGauge *gauge = malloc(sizeof *gauge);
    if (!gauge)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "memory gauge: out of memory");
    gauge->file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    gauge->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return gauge;
}

void hyp_platform_close_gauge(HypMemoryGauge *gauge)
{
    if (gauge && gauge->file >= 0)
        (void)close(gauge->file);
    free(gauge);
}

size_t hyp_platform_anonymous_bytes(const HypMemoryGauge *gauge)
{
    // size, resident, shared, ... in pages; resident less shared is what no file stands behind.
    char text[128];
    const ssize_t length = gauge->file < 0 ? -1 : pread(gauge->file, text, sizeof text - 1, 0);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    char *at = text;
    (void)strtoull(at, &at, 10);
    const unsigned long long resident = strtoull(at, &at, 10);
    const unsigned long long shared = strtoull(at, &at, 10);
    return resident > shared ? (size_t)(resident - shared) * gauge->page_bytes : 0;
}
