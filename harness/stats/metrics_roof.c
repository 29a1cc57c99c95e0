// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics_roof.h"

#include <math.h>

static double read_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static double read_peak(const RunRecord *run, const char *name, const char *level, Interval *spread)
{
    const json_t *limits = json_object_get(run->machine, "limits");
    const json_t *peak = json_object_get(json_object_get(limits, name), level);
    *spread = (Interval){read_number(peak, "low"), read_number(peak, "high")};
    return read_number(peak, "gflops");
}

double metrics_peak(const RunRecord *run, const char *level, Interval *spread)
{
    return read_peak(run, "peaks", level, spread);
}

double metrics_bandwidth(const RunRecord *run, size_t level, const char **name, Interval *spread)
{
    const json_t *limits = json_object_get(run->machine, "limits");
    json_t *row = json_array_get(json_object_get(limits, "memory"), level);
    const char *pattern = NULL;
    json_t *rate = NULL;
    double fastest = NAN;
    *spread = (Interval){NAN, NAN};
    *name = json_string_value(json_object_get(row, "name"));
    json_object_foreach(json_object_get(row, "bandwidth"), pattern, rate)
    {
        const double gbytes = read_number(rate, "gbytes_per_s");
        if (!(gbytes > fastest || isnan(fastest)))
            continue;
        fastest = gbytes;
        *spread = (Interval){read_number(rate, "low"), read_number(rate, "high")};
    }
    return fastest;
}

static long long count_threads(const RunRecord *run, const CellSummary *summary)
{
    return run->plan->cells[summary->cell].values[AXIS_THREADS].integer;
}

double metrics_roof_peak(const RunRecord *run, const CellSummary *summary)
{
    Interval ignored;
    const char *level = metrics_level(run, summary);
    const long long threads = count_threads(run, summary);
    if (threads <= 1)
        return metrics_peak(run, level, &ignored);
    const json_t *limits = json_object_get(run->machine, "limits");
    const json_t *all = json_object_get(json_object_get(limits, "peaks_all"), level);
    return json_integer_value(json_object_get(all, "threads")) == threads
               ? read_peak(run, "peaks_all", level, &ignored)
               : (double)NAN;
}

double metrics_roof_fraction(const RunRecord *run, const CellSummary *summary)
{
    return metric_value("gflops", run, summary) / metrics_roof_peak(run, summary);
}

// Whether so many operations or bytes in that time are more than `roof` a nanosecond and thread;
// NAN: not known.
static double is_above(double amount, double time_ns, double threads, double roof)
{
    const double rate = amount / time_ns;
    return isnan(rate) || isnan(roof) ? (double)NAN : rate > roof * threads;
}

// Several cores have at most that much more than one; their clock is rather lower.
double metrics_roof_above(const RunRecord *run, const CellSummary *summary)
{
    Interval spread;
    const char *name = NULL;
    const long long given = count_threads(run, summary);
    const double threads = given > 1 ? (double)given : 1;
    const double time_ns = metric_value("time_ns", run, summary);
    const double executed = metric_value("executed_flops", run, summary);
    const double flops = isnan(executed) ? metric_value("flops", run, summary) : executed;
    const double peak = metrics_peak(run, metrics_level(run, summary), &spread);
    const double above = is_above(flops, time_ns, threads, isnan(spread.high) ? peak : spread.high);
    const double fastest = metrics_bandwidth(run, 0, &name, &spread);
    const double beyond = is_above(metric_value("bytes", run, summary), time_ns, threads,
                                   isnan(spread.high) ? fastest : spread.high);
    return isnan(above) || beyond == 1 ? beyond : above;
}
