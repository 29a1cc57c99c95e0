// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics.h"

#include "stats/metrics_conditions.h"
#include "stats/metrics_emulated.h"
#include "stats/metrics_loader.h"
#include "stats/metrics_memory.h"
#include "stats/metrics_roof.h"
#include "stats/metrics_scheduler.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// A fact of the verification, a count under callgrind, what a timed sample read back or one of the
// counter passes counted: the one that has a value.
static const SampleValue *find_source(const CellSummary *summary, const char *name)
{
    const SampleValue *found =
        summary->verified ? sample_find_value(summary->verified, name) : NULL;
    if (!found)
        found = metrics_emulated_source(summary, name);
    for (size_t i = 0; i < summary->record_count && !(found && !isnan(found->value)); i++) {
        const SampleTask task = summary->records[i]->task;
        if (task != SAMPLE_COUNT && task != SAMPLE_TIME)
            continue;
        const SampleValue *counted = sample_find_value(summary->records[i], name);
        found = counted ? counted : found;
    }
    return found;
}

static double read_source(const CellSummary *summary, const char *name)
{
    const SampleValue *source = find_source(summary, name);
    return source ? source->value : (double)NAN;
}

const char *metrics_kernel(const CellSummary *summary)
{
    static const char prefix[] = "kernel.";
    for (size_t i = 0; summary->verified && i < summary->verified->value_count; i++) {
        const char *name = summary->verified->values[i].name;
        if (strncmp(name, prefix, sizeof prefix - 1) == 0)
            return name + sizeof prefix - 1;
    }
    return "";
}

const char *const metrics_level_names[METRICS_LEVEL_COUNT] = {"scalar", "sse41", "neon", "avx2",
                                                              "avx512"};

// By its name, "gemm_f32_avx2_6x16": the run may be from a machine whose kernels are not in here.
static const char *find_kernel_level(const char *kernel)
{
    for (size_t i = 0; i < METRICS_LEVEL_COUNT; i++) {
        const size_t length = strlen(metrics_level_names[i]);
        for (const char *at = strchr(kernel, '_'); at; at = strchr(at + 1, '_'))
            if (strncmp(at + 1, metrics_level_names[i], length) == 0 && at[1 + length] == '_')
                return metrics_level_names[i];
    }
    return NULL;
}

const char *metrics_level(const RunRecord *run, const CellSummary *summary)
{
    const char *level = find_kernel_level(metrics_kernel(summary));
    if (level)
        return level;
    const Cell *cell = &run->plan->cells[summary->cell];
    const char *asked = axis_table[AXIS_SIMD_LEVEL].words[cell->values[AXIS_SIMD_LEVEL].integer];
    if (strcmp(asked, "best") != 0)
        return asked;
    const json_t *simd = json_object_get(run->machine, "simd");
    const char *best = json_string_value(json_object_get(simd, "best"));
    const bool emulated = cell->sweep && cell->sweep->settings.measure == MEASURE_INSTRUCTIONS;
    if (best && emulated && strcmp(best, "avx512") == 0)
        return "avx2"; // the most that callgrind knows
    return best ? best : "";
}

static double measure_time(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return stat_median(summary->sample_ns, summary->sample_count);
}

static Interval measure_interval(const CellSummary *summary)
{
    return stat_median_interval(summary->sample_ns, summary->sample_count, METRIC_CONFIDENCE);
}

static double measure_time_low(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return measure_interval(summary).low;
}

static double measure_time_high(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return measure_interval(summary).high;
}

static double measure_time_least(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return stat_quantile(summary->sample_ns, summary->sample_count, 0);
}

static double measure_time_most(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return stat_quantile(summary->sample_ns, summary->sample_count, 1);
}

static double measure_mad(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return stat_mad(summary->sample_ns, summary->sample_count);
}

static double measure_variation(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return stat_variation(summary->sample_ns, summary->sample_count);
}

static double count_samples(const RunRecord *run, const CellSummary *summary)
{
    const bool counts = run->plan->cells[summary->cell].sweep->settings.measure == MEASURE_COUNTS;
    return (double)(summary->sample_count + summary->emulated_count +
                    (counts ? summary->counted_count : 0));
}

// Amount per nanosecond is 1e9 per second: the giga units need no factor.
static double amount_per_ns(const CellSummary *summary, const char *amount, double time_ns)
{
    const double value = read_source(summary, amount);
    return time_ns > 0 ? value / time_ns : (double)NAN;
}

// A rate, the ends of its interval, and its range over the samples: RATE(function, metric, unit,
// amount, help)
#define RATES(RATE)                                                                                \
    RATE(compute_gflops, "gflops", "GFLOP/s", "flops", "nominal operations")                       \
    RATE(compute_gbytes, "gbytes_per_s", "GB/s", "bytes", "least bytes to move, GB = 1e9 bytes,")  \
    RATE(compute_gelements, "gelements_per_s", "Gelem/s", "elements", "results, G = 1e9,")

#define RATE(function, metric, unit, amount, help)                                                 \
    static double function(const RunRecord *run, const CellSummary *summary)                       \
    {                                                                                              \
        return amount_per_ns(summary, amount, measure_time(run, summary));                         \
    }                                                                                              \
    static double function##_low(const RunRecord *run, const CellSummary *summary)                 \
    {                                                                                              \
        (void)run;                                                                                 \
        return amount_per_ns(summary, amount, measure_interval(summary).high);                     \
    }                                                                                              \
    static double function##_high(const RunRecord *run, const CellSummary *summary)                \
    {                                                                                              \
        (void)run;                                                                                 \
        return amount_per_ns(summary, amount, measure_interval(summary).low);                      \
    }                                                                                              \
    static double function##_least(const RunRecord *run, const CellSummary *summary)               \
    {                                                                                              \
        return amount_per_ns(summary, amount, measure_time_most(run, summary));                    \
    }                                                                                              \
    static double function##_most(const RunRecord *run, const CellSummary *summary)                \
    {                                                                                              \
        return amount_per_ns(summary, amount, measure_time_least(run, summary));                   \
    }
RATES(RATE)
#undef RATE

// One line a metric that is a recorded value as it stands:
// READ(function, metric, source, unit, missing, help)
#define NO_PREDICTION "no prediction for this operation"
#define NOT_COUNTED "not among the counters of this sweep"
#define COUNTED(READ, function, event, help) READ(function, event, event, "", NOT_COUNTED, help)
#define READ_METRICS(READ)                                                                         \
    READ(read_flops, "flops", "flops", "FLOP", "the workload counts no operations",                \
         "nominal floating-point operations of one iteration")                                     \
    READ(read_executed, "executed_flops", "executed_flops", "FLOP",                                \
         "the workload does not tell operations apart that are executed beyond the nominal ones",  \
         "floating-point operations that one iteration executes, those on padding included")       \
    READ(read_bytes, "bytes", "bytes", "B", "the workload counts no bytes",                        \
         "least bytes one iteration must move: every operand once")                                \
    READ(read_elements, "elements", "elements", "", "the workload counts no elements",             \
         "results of one iteration")                                                               \
    READ(read_l1, "predicted_l1_misses", "predicted.L1.misses", "lines", NO_PREDICTION,            \
         "predicted L1 data misses of one iteration, from cold caches")                            \
    READ(read_l1_low, "predicted_l1_misses_low", "predicted.L1.misses_low", "lines",               \
         NO_PREDICTION, "lower end of that prediction")                                            \
    READ(read_l1_high, "predicted_l1_misses_high", "predicted.L1.misses_high", "lines",            \
         NO_PREDICTION, "upper end of that prediction")                                            \
    READ(read_l2, "predicted_l2_misses", "predicted.L2.misses", "lines", NO_PREDICTION,            \
         "predicted L2 misses of one iteration, from cold caches")                                 \
    READ(read_l2_low, "predicted_l2_misses_low", "predicted.L2.misses_low", "lines",               \
         NO_PREDICTION, "lower end of that prediction")                                            \
    READ(read_l2_high, "predicted_l2_misses_high", "predicted.L2.misses_high", "lines",            \
         NO_PREDICTION, "upper end of that prediction")                                            \
    READ(read_l3, "predicted_l3_misses", "predicted.L3.misses", "lines", NO_PREDICTION,            \
         "predicted L3 misses of one iteration, from cold caches")                                 \
    READ(read_l3_low, "predicted_l3_misses_low", "predicted.L3.misses_low", "lines",               \
         NO_PREDICTION, "lower end of that prediction")                                            \
    READ(read_l3_high, "predicted_l3_misses_high", "predicted.L3.misses_high", "lines",            \
         NO_PREDICTION, "upper end of that prediction")                                            \
    COUNTED(READ, read_l1_dcm, "PAPI_L1_DCM", "L1 data misses of one iteration")                   \
    COUNTED(READ, read_l2_dcm, "PAPI_L2_DCM", "L2 data misses of one iteration")                   \
    COUNTED(READ, read_l3_tcm, "PAPI_L3_TCM", "L3 misses of one iteration, data and instructions") \
    COUNTED(READ, read_tlb_dm, "PAPI_TLB_DM", "data TLB misses of one iteration")                  \
    COUNTED(READ, read_tot_ins, "PAPI_TOT_INS", "instructions of one iteration")                   \
    COUNTED(READ, read_tot_cyc, "PAPI_TOT_CYC", "cycles of one iteration")                         \
    COUNTED(READ, read_perf_l1, "perf.L1-dcache-load-misses",                                      \
            "L1 data misses of loads of one iteration")                                            \
    COUNTED(READ, read_perf_ll, "perf.LLC-load-misses",                                            \
            "last-level misses of loads of one iteration")                                         \
    COUNTED(READ, read_perf_tlb, "perf.dTLB-load-misses",                                          \
            "data TLB misses of loads of one iteration")                                           \
    COUNTED(READ, read_perf_ins, "perf.instructions", "instructions of one iteration")             \
    COUNTED(READ, read_perf_cyc, "perf.cycles", "cycles of one iteration")                         \
    READ(read_mc, "mc", "mc", "elements", "no gemm blocking", "rows of the block of A, resolved")  \
    READ(read_kc, "kc", "kc", "elements", "no gemm blocking",                                      \
         "depth of the block of A and of the panel of B, resolved")                                \
    READ(read_nc, "nc", "nc", "elements", "no gemm blocking",                                      \
         "columns of the panel of B, resolved")                                                    \
    READ(read_operand, "operand_bytes", "operand_bytes", "B", "the workload does not say",         \
         "memory the workload allocated for data")                                                 \
    READ(read_huge, "anonymous_huge_bytes", "anonymous_huge_bytes", "B", "not read back",          \
         "of it on transparent huge pages")                                                        \
    READ(read_hugetlb, "hugetlb_bytes", "hugetlb_bytes", "B", "not read back",                     \
         "of it on reserved huge pages")                                                           \
    READ(read_copies, "cold_copies", "cold_copies", "", "the caches are not kept cold",            \
         "copies that iterations use in turn to find the caches cold")

#define READ(function, metric, source_name, unit, missing, help)                                   \
    static double function(const RunRecord *run, const CellSummary *summary)                       \
    {                                                                                              \
        (void)run;                                                                                 \
        return read_source(summary, source_name);                                                  \
    }
READ_METRICS(READ)
METRICS_MEMORY_READ(READ)
METRICS_LOADER_READ(READ)
#undef READ

#define READ(function, metric, source_name, unit, missing, help)                                   \
    {metric, unit, "", help, function, source_name, missing},

#define NO_SAMPLE "no timed sample"
#define FEW_SAMPLES "an interval with 95 % coverage needs at least 6 samples"

#define NO_PEAK "no measured peak at this SIMD level and number of threads"
#define NO_RATE "no timed sample or no count of what is done"
#define RATE(function, metric, unit, amount, help)                                                 \
    {metric, unit, "clock", help " / median time", function, amount, NO_RATE},                     \
        {metric "_low",  unit,   "clock",    help " / upper end of the interval of time",          \
         function##_low, amount, FEW_SAMPLES},                                                     \
        {metric "_high",  unit,   "clock",    help " / lower end of the interval of time",         \
         function##_high, amount, FEW_SAMPLES},                                                    \
        {metric "_least",  unit,   "clock", help " / slowest sample",                              \
         function##_least, amount, NO_RATE},                                                       \
        {metric "_most", unit, "clock", help " / fastest sample", function##_most, amount, NO_RATE},

#define NOT_EMULATED "the sweep does not measure instructions"
#define SIMULATED(function, name, source, help)                                                    \
    {name, "lines", "sim", help, function, source, NOT_EMULATED},
#define EMULATED_METRICS                                                                           \
    SIMULATED(metrics_simulated_first, "simulated_l1_misses", "simulated.L1.misses",               \
              "simulated L1 data misses of one iteration, from cold caches")                       \
    SIMULATED(metrics_simulated_first_reads, "simulated_l1_read_misses",                           \
              "simulated.L1.read_misses", "of them by reads")                                      \
    SIMULATED(metrics_simulated_first_writes, "simulated_l1_write_misses",                         \
              "simulated.L1.write_misses", "of them by writes")                                    \
    SIMULATED(metrics_simulated_last, "simulated_ll_misses", "simulated.LL.misses",                \
              "simulated data misses of the last level in one iteration, from cold caches")        \
    SIMULATED(metrics_simulated_last_reads, "simulated_ll_read_misses",                            \
              "simulated.LL.read_misses", "of them by reads")                                      \
    SIMULATED(metrics_simulated_last_writes, "simulated_ll_write_misses",                          \
              "simulated.LL.write_misses", "of them by writes")

#define CONDITION(function, metric, unit, provenance, missing, help)                               \
    {metric, unit, provenance, help, function, NULL, missing},
#define MEDIAN(function, metric, source, unit, provenance, missing, help)                          \
    {metric, unit, provenance, help, function, source, missing},

// Rates take the provenance of their measured part: the operations are nominal, the time is not.
const Metric metric_table[] = {
    {"time_ns", "ns", "clock",
     "time of one iteration: median of the samples, each the median of its repetitions",
     measure_time, NULL, NO_SAMPLE},
    {"time_low_ns", "ns", "clock", "lower end of the 95 % order-statistic interval of the median",
     measure_time_low, NULL, FEW_SAMPLES},
    {"time_high_ns", "ns", "clock", "upper end of the 95 % order-statistic interval of the median",
     measure_time_high, NULL, FEW_SAMPLES},
    {"time_least_ns", "ns", "clock", "fastest sample", measure_time_least, NULL, NO_SAMPLE},
    {"time_most_ns", "ns", "clock", "slowest sample", measure_time_most, NULL, NO_SAMPLE},
    {"time_mad_ns", "ns", "clock", "median absolute deviation of the samples, not scaled",
     measure_mad, NULL, NO_SAMPLE},
    {"time_variation", "", "clock", "sample standard deviation / mean of the samples",
     measure_variation, NULL, "needs at least 2 samples"},
    {"samples", "", "clock",
     "worker processes that were timed or run under callgrind, or counted where nothing is timed",
     count_samples, NULL, NO_SAMPLE},
    METRICS_CONDITIONS(CONDITION) RATES(RATE){
        "peak_gflops", "GFLOP/s", "clock",
        "measured peak of this machine at the cell's SIMD level: of one core, or of all "
        "cores where the cell has as many threads",
        metrics_roof_peak, NULL, NO_PEAK},
    {"peak_fraction", "", "clock", "gflops / peak_gflops", metrics_roof_fraction, "flops",
     NO_PEAK ", or no rate"},
    {"above_roof", "", "clock",
     "1: more executed operations a second than the highest run of the measured peak, or more "
     "bytes "
     "than the fastest pass over L1, for each thread: not to be believed, and left out of verdicts",
     metrics_roof_above, NULL, NO_PEAK ", or no rate"},
    {"instructions", "", "emulated",
     "instructions of one iteration under callgrind, least of the samples; no substitute for time",
     metrics_instructions, "instructions", NOT_EMULATED},
    {"instructions_range", "", "emulated",
     "most - least over the samples: 0 where every run was the same", metrics_instructions_range,
     "instructions", NOT_EMULATED},
    EMULATED_METRICS{"predicted_ll_misses", "lines", "model",
                     "predicted misses of the level that was simulated as the last",
                     metrics_predicted_last, "predicted.L1.misses",
                     "no prediction for this operation, or no level simulated"},
    READ_METRICS(READ) METRICS_MEMORY_MEASURED(CONDITION) METRICS_MEMORY_READ(READ)
        METRICS_LOADER_MEDIANS(MEDIAN) METRICS_LOADER_DERIVED(CONDITION) METRICS_LOADER_READ(READ)
            METRICS_SCHEDULER_MEDIANS(MEDIAN) METRICS_SCHEDULER_DERIVED(CONDITION)};
#undef READ
#undef RATE

const size_t metric_count = sizeof metric_table / sizeof *metric_table;

const Metric *metric_find(const char *name)
{
    for (size_t i = 0; i < metric_count; i++)
        if (strcmp(metric_table[i].name, name) == 0)
            return &metric_table[i];
    return NULL;
}

double metric_value(const char *name, const RunRecord *run, const CellSummary *summary)
{
    const Metric *metric = metric_find(name);
    assert(metric);
    return metric->value(run, summary);
}

const char *metric_provenance(const Metric *metric, const RunRecord *run,
                              const CellSummary *summary)
{
    if (isnan(metric->value(run, summary)))
        return "unavailable";
    if (metric->provenance[0])
        return metric->provenance;
    return find_source(summary, metric->source)->provenance;
}

const char *metric_reason(const Metric *metric, const RunRecord *run, const CellSummary *summary)
{
    if (!isnan(metric->value(run, summary)))
        return "";
    if (summary->failed)
        return summary->reason;
    const SampleValue *source = metric->source ? find_source(summary, metric->source) : NULL;
    return source && source->reason[0] ? source->reason : metric->missing;
}
