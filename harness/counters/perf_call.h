// SPDX-License-Identifier: Apache-2.0
// perf_call.h - the system calls of perf events, the seam at which tests put a PMU of their own.
#ifndef HYP_PERF_CALL_H
#define HYP_PERF_CALL_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>

// A descriptor that counts the calling thread on any CPU, in the group of the descriptor `leader`
// (-1: leads one itself). -1 with errno.
int perf_call_open(struct perf_event_attr *attributes, int leader);

// PERF_EVENT_IOC_RESET, _ENABLE or _DISABLE for the whole group. False with errno.
bool perf_call_control(int leader, unsigned long request);

// Reads exactly so many bytes. False with errno; 0 for a short read.
bool perf_call_read(int descriptor, void *buffer, size_t bytes);

void perf_call_close(int descriptor);

// "perf_event_open: No such file or directory (...)", the kernel's own words and what they mean
// here.
void perf_call_explain(int error, char *text, size_t text_bytes);

#endif
