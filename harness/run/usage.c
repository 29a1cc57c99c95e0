// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "run/usage.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

Usage usage_now(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return (Usage){-1, -1, -1, -1};
    return (Usage){usage.ru_minflt, usage.ru_majflt, usage.ru_nvcsw, usage.ru_nivcsw};
}

static long subtract_known(long after, long before)
{
    return after < 0 || before < 0 ? -1 : after - before;
}

void usage_record(const Usage *before, Sample *sample)
{
    const Usage after = usage_now();
    sample->minor_faults = subtract_known(after.minor_faults, before->minor_faults);
    sample->major_faults = subtract_known(after.major_faults, before->major_faults);
    sample->voluntary_switches =
        subtract_known(after.voluntary_switches, before->voluntary_switches);
    sample->involuntary_switches =
        subtract_known(after.involuntary_switches, before->involuntary_switches);
}

// A line of /proc/self/status, "VmHWM:" for one.
static long read_status_kib(const char *key)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    long kib = -1;
    while (status && kib < 0 && fgets(line, sizeof line, status))
        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), "%ld kB", &kib) != 1)
            kib = -1;
    if (status)
        (void)fclose(status);
    return kib;
}

// Not ru_maxrss: Linux carries that over exec, so that it would tell the runner's size.
long usage_peak_rss_kib(void)
{
    return read_status_kib("VmHWM:");
}

Resident usage_resident(void)
{
    return (Resident){read_status_kib("VmRSS:"), read_status_kib("RssAnon:")};
}

bool usage_forget_peak(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
    FILE *control = fopen("/proc/self/clear_refs", "we");
    if (!control)
        return false;
    const bool written = fputs("5", control) != EOF; // proc(5): resets VmHWM
    return fclose(control) == 0 && written;
}
