// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "run/other_load.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

double other_load_busy_ns(void)
{
    // proc(5): user nice system idle iowait irq softirq steal, in ticks; guest time is in user.
    double ticks[8] = {0};
    FILE *file = fopen("/proc/stat", "re");
    const int read = file
                         ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1],
                                  &ticks[2], &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7])
                         : 0;
    if (file)
        (void)fclose(file);
    const long ticks_per_s = sysconf(_SC_CLK_TCK);
    if (read != 8 || ticks_per_s <= 0)
        return NAN;
    const double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
    return busy * 1e9 / (double)ticks_per_s;
}

double other_load_cpus(double busy_before_ns, double busy_after_ns, double worker_cpu_ns,
                       double wall_ns)
{
    const double others_ns = busy_after_ns - busy_before_ns - worker_cpu_ns;
    if (isnan(others_ns) || !(wall_ns > 0))
        return NAN;
    return fmax(others_ns, 0) / wall_ns;
}
