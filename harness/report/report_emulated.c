// SPDX-License-Identifier: Apache-2.0
#include "report/report_parts.h"

#include "common/quantity.h"
#include "report/format.h"
#include "stats/metrics_emulated.h"

#include <math.h>
#include <string.h>

void report_sampling(const PlanSweep *sweep, FILE *out)
{
    const SweepSettings *settings = &sweep->settings;
    char least[FORMAT_BYTES];
    format_time(settings->min_time_ns, least);
    if (settings->measure == MEASURE_INSTRUCTIONS)
        (void)fprintf(out,
                      "%d process%s a cell under callgrind, one iteration each after another to "
                      "warm up",
                      settings->samples, settings->samples == 1 ? "" : "es");
    else if (settings->measure == MEASURE_COUNTS)
        (void)fprintf(out, "%d process%s a cell, counters of one iteration, nothing timed",
                      settings->samples, settings->samples == 1 ? "" : "es");
    else
        (void)fprintf(out, "%d processes a cell, %d timed loop%s of at least %s each",
                      settings->samples, settings->repetitions,
                      settings->repetitions == 1 ? "" : "s", least);
}

static double find_value(const CellSummary *summary, const char *level, const char *member)
{
    char name[48];
    (void)snprintf(name, sizeof name, "simulated.%s.%s", level, member);
    const SampleValue *value = metrics_emulated_source(summary, name);
    return value ? value->value : (double)NAN;
}

static void write_cache(const CellSummary *summary, const char *level, FILE *out)
{
    char size[48];
    quantity_format_bytes((long long)find_value(summary, level, "size_bytes"), size, sizeof size);
    (void)fprintf(out, "L%.0f of %s in %.0f ways", find_value(summary, level, "level"), size,
                  find_value(summary, level, "ways"));
}

// All cells of a run are given the same topology: the first that has a value speaks for all.
void report_simulation(const CellSummary *summaries, const PlanSweep *sweep, FILE *out)
{
    if (sweep->settings.measure != MEASURE_INSTRUCTIONS)
        return;
    (void)fprintf(out,
                  "\nInstructions are counted, not timed, and no substitute for time: one that "
                  "waits for memory counts as much as one that does not.");
    for (size_t i = sweep->first_cell; i < sweep->first_cell + sweep->cell_count; i++) {
        if (isnan(find_value(&summaries[i], "L1", "size_bytes")))
            continue;
        (void)fputs(" Simulated caches, empty at the start: ", out);
        write_cache(&summaries[i], "L1", out);
        (void)fputs("; as the last level (LL), ", out);
        write_cache(&summaries[i], "LL", out);
        (void)fputs(".", out);
        break;
    }
    (void)fputs("\n", out);
}
