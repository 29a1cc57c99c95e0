// SPDX-License-Identifier: Apache-2.0
// perf_explain.c - the errors of perf events in words.
#include "counters/perf_call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// As perf_event_open(2) uses them.
static const struct {
    int error;
    const char *meaning;
} meanings[] = {
    {ENOENT, "the kernel sees no hardware that counts it"},
    {EOPNOTSUPP, "the hardware here does not count it"},
    {EACCES, "see /proc/sys/kernel/perf_event_paranoid"},
    {EPERM, "see /proc/sys/kernel/perf_event_paranoid"},
    {ENOSYS, "kernel without perf events"},
    {EINVAL, "the kernel refuses the event, or its group"},
};

void perf_call_explain(int error, char *text, size_t text_bytes)
{
    const char *meaning = NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].error == error)
            meaning = meanings[i].meaning;
    (void)snprintf(text, text_bytes, "perf_event_open: %s%s%s%s", strerror(error),
                   meaning ? " (" : "", meaning ? meaning : "", meaning ? ")" : "");
}
