// SPDX-License-Identifier: Apache-2.0
#include "stats/google_compare.h"

#include "stats/mann_whitney.h"

#include <math.h>

double google_change(double base, double latest)
{
    if (base == 0)
        return latest == 0 ? 0 : latest / ((base + latest) / 2);
    return (latest - base) / fabs(base);
}

GoogleUTest google_u_test(GoogleTimes base, GoogleTimes latest)
{
    const size_t least = base.count < latest.count ? base.count : latest.count;
    GoogleUTest test = {false, least >= GOOGLE_ENOUGH_REPETITIONS, NAN, NAN};
    if (least < GOOGLE_LEAST_REPETITIONS)
        return test;
    test.real_p =
        stat_mann_whitney(base.real, base.count, latest.real, latest.count, MANN_WHITNEY_SCIPY)
            .p_value;
    test.cpu_p =
        stat_mann_whitney(base.cpu, base.count, latest.cpu, latest.count, MANN_WHITNEY_SCIPY)
            .p_value;
    test.made = !isnan(test.real_p) && !isnan(test.cpu_p);
    return test;
}

// One time of 0 makes the mean 0, as numpy's.
static double find_geometric_mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += log(values[i]);
    return exp(sum / (double)count);
}

GoogleOverall google_overall(GoogleTimes base, GoogleTimes latest)
{
    GoogleOverall overall = {.made = false};
    if (base.count == 0 || latest.count == 0)
        return overall;
    overall.base_real = find_geometric_mean(base.real, base.count);
    overall.base_cpu = find_geometric_mean(base.cpu, base.count);
    overall.latest_real = find_geometric_mean(latest.real, latest.count);
    overall.latest_cpu = find_geometric_mean(latest.cpu, latest.count);
    overall.real_change = google_change(overall.base_real, overall.latest_real);
    overall.cpu_change = google_change(overall.base_cpu, overall.latest_cpu);
    overall.made = (overall.base_real != 0 || overall.base_cpu != 0) &&
                   (overall.latest_real != 0 || overall.latest_cpu != 0) &&
                   isfinite(overall.real_change) && isfinite(overall.cpu_change);
    return overall;
}
