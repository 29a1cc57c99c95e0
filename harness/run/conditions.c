// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "run/conditions.h"

#include "machine/sysroot.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_watched(int cpu, const int *cpus, size_t cpu_count)
{
    for (size_t i = 0; i < cpu_count; i++)
        if (cpus[i] == cpu)
            return true;
    return cpu_count == 0;
}

// One line of /proc/stat, "cpu" (the sum) or "cpu3". False for any other.
static bool read_cpu_line(const char *line, double ns_per_tick, const int *cpus, size_t cpu_count,
                          Conditions *conditions)
{
    // proc(5): user nice system idle iowait irq softirq steal; guest time is in user.
    double ticks[8];
    char name[16];
    if (sscanf(line, "%15s %lf %lf %lf %lf %lf %lf %lf %lf", name, &ticks[0], &ticks[1], &ticks[2],
               &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) != 9 ||
        strncmp(name, "cpu", 3) != 0)
        return false;
    if (name[3] == '\0') {
        conditions->busy_ns =
            ns_per_tick * (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]);
    } else if (is_watched((int)strtol(name + 3, NULL, 10), cpus, cpu_count)) {
        conditions->stolen_ns += ns_per_tick * ticks[7];
        conditions->watched++;
    }
    return true;
}

static void read_times(const char *root, const int *cpus, size_t cpu_count, Conditions *conditions)
{
    char path[PATH_MAX];
    const long ticks_per_s = sysconf(_SC_CLK_TCK);
    const bool fits = snprintf(path, sizeof path, "%s/proc/stat", root) < (int)sizeof path;
    FILE *file = fits && ticks_per_s > 0 ? fopen(path, "re") : NULL;
    char *line = NULL;
    size_t line_bytes = 0;
    // The lines of the CPUs come first.
    while (file && getline(&line, &line_bytes, file) > 0 &&
           read_cpu_line(line, 1e9 / (double)ticks_per_s, cpus, cpu_count, conditions)) {
    }
    free(line);
    if (file)
        (void)fclose(file);
    if (!conditions->watched)
        conditions->stolen_ns = NAN;
}

// Intel's driver alone has these files. A package's count stands in the folder of each of its CPUs.
static void read_throttling(const char *root, const int *cpus, size_t cpu_count,
                            Conditions *conditions)
{
    static const char *const names[] = {"core", "package"};
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t count = cpu_count ? cpu_count : (size_t)(online > 0 ? online : 0);
    double events = 0;
    bool known = false;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < 2; j++) {
            char path[128];
            char text[64];
            (void)snprintf(path, sizeof path,
                           "/sys/devices/system/cpu/cpu%d/thermal_throttle/%s_throttle_count",
                           cpu_count ? cpus[i] : (int)i, names[j]);
            if (!sysroot_read(root, path, text, sizeof text))
                continue;
            events += strtod(text, NULL);
            known = true;
        }
    if (known)
        conditions->throttle_events = events;
}

Conditions conditions_read(const char *root, const int *cpus, size_t cpu_count)
{
    Conditions conditions = {.busy_ns = NAN, .throttle_events = NAN};
    read_times(root, cpus, cpu_count, &conditions);
    read_throttling(root, cpus, cpu_count, &conditions);
    return conditions;
}

// A NAN stays one.
static double at_least_zero(double value)
{
    return value < 0 ? 0 : value;
}

Disturbance conditions_between(const Conditions *before, const Conditions *after,
                               double worker_cpu_ns, double wall_ns)
{
    if (!(wall_ns > 0))
        return (Disturbance){NAN, NAN, NAN};
    return (Disturbance){
        .other_cpus = at_least_zero(after->busy_ns - before->busy_ns - worker_cpu_ns) / wall_ns,
        .steal = at_least_zero(after->stolen_ns - before->stolen_ns) /
                 (wall_ns * (double)after->watched),
        .throttle_events = at_least_zero(after->throttle_events - before->throttle_events),
    };
}
