// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // syscall
#include "counters/perf_call.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int perf_call_open(struct perf_event_attr *attributes, int leader)
{
    attributes->size = sizeof *attributes;
    return (int)syscall(SYS_perf_event_open, attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

bool perf_call_control(int leader, unsigned long request)
{
    return ioctl(leader, request, PERF_IOC_FLAG_GROUP) == 0;
}

bool perf_call_read(int descriptor, void *buffer, size_t bytes)
{
    errno = 0;
    return read(descriptor, buffer, bytes) == (ssize_t)bytes;
}

void perf_call_close(int descriptor)
{
    (void)close(descriptor);
}
