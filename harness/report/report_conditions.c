// SPDX-License-Identifier: Apache-2.0
// report_conditions.c - what the machine did while it was measured: samples rejected, frequency,
// load of others, and the drift of the canary.
#include "report/format.h"
#include "report/report_parts.h"
#include "stats/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 512, MOST_ROUNDS = 50, MOST_PLACES = 4096 };

// The timed samples of a run: those that count, then those that were rejected.
typedef struct Timed {
    const Sample **samples;
    size_t count, rejected, flagged;
    double *values; // room for two a sample
} Timed;

static void add_timed(Timed *timed, const Sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i].task == SAMPLE_TIME && samples[i].ok)
            timed->samples[timed->count++] = &samples[i];
}

static bool collect_timed(const RunRecord *run, Timed *timed)
{
    const size_t most = run->sample_count + run->rejected_count + 1;
    *timed = (Timed){.samples = calloc(most, sizeof(const Sample *)),
                     .values = calloc(2 * most, sizeof *timed->values)};
    if (!timed->samples || !timed->values)
        return false;
    add_timed(timed, run->samples, run->sample_count);
    for (size_t i = 0; i < timed->count; i++)
        timed->flagged += timed->samples[i]->rejection[0] != '\0';
    const size_t counting = timed->count;
    add_timed(timed, run->rejected, run->rejected_count);
    timed->rejected = timed->count - counting;
    return true;
}

static void free_timed(Timed *timed)
{
    free((void *)timed->samples);
    free(timed->values);
}

// The known values of that name over all timed samples.
static size_t collect_values(Timed *timed, size_t count, const char *name)
{
    for (size_t i = 0; i < timed->count; i++) {
        const double value = sample_value(timed->samples[i], name);
        if (!isnan(value))
            timed->values[count++] = value;
    }
    return count;
}

static double find_most(const double *values, size_t count)
{
    double most = NAN;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, values[i]);
    return most;
}

static void append(char *text, const char *part)
{
    const size_t used = strlen(text);
    (void)snprintf(text + used, TEXT_BYTES - used, "%s", part);
}

// Whether a rejection such as "steal 3% (limit 1%), major_faults 2 (limit 0)" names the limit.
static bool names_limit(const char *rejection, const char *key)
{
    const size_t length = strlen(key);
    for (const char *at = rejection; (at = strstr(at, key)) != NULL; at += length)
        if ((at == rejection || at[-1] == ' ') && at[length] == ' ')
            return true;
    return false;
}

static void write_limits(const RunRecord *run, FILE *out)
{
    char text[TEXT_BYTES] = "";
    for (size_t i = 0; i < run->plan->sweep_count; i++) {
        const SweepSettings *settings = &run->plan->sweeps[i].settings;
        char part[128];
        if (limits_are_none(&settings->limits))
            continue;
        (void)snprintf(part, sizeof part, "%ssweep %.60s: %d retries", text[0] ? "; " : "",
                       run->plan->sweeps[i].name, settings->retries);
        append(text, part);
        for (LimitId id = 0; id < LIMIT_COUNT; id++) {
            char most[32];
            if (isnan(settings->limits.most[id]))
                continue;
            limit_format(id, settings->limits.most[id], most, sizeof most);
            (void)snprintf(part, sizeof part, ", %s %s", limit_table[id].key, most);
            append(text, part);
        }
    }
    report_fact(out, "limits", text[0] ? text : "none: every sample counts", NULL, "plan.json");
}

static void write_rejections(const Timed *timed, FILE *out)
{
    char text[TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%zu of %zu timed", timed->rejected + timed->flagged,
                   timed->count);
    for (LimitId id = 0; id < LIMIT_COUNT; id++) {
        size_t count = 0;
        char part[96];
        for (size_t i = 0; i < timed->count; i++)
            count += names_limit(timed->samples[i]->rejection, limit_table[id].key);
        (void)snprintf(part, sizeof part, ", %s: %zu", limit_table[id].key, count);
        if (count)
            append(text, part);
    }
    if (timed->flagged) {
        char part[96];
        (void)snprintf(part, sizeof part, "; %zu of them count, as the best there was",
                       timed->flagged);
        append(text, part);
    }
    report_fact(out, "samples beyond the limits", text, NULL, "journal.jsonl");
}

static void write_frequency(Timed *timed, FILE *out)
{
    char text[TEXT_BYTES] = "";
    char least[FORMAT_BYTES];
    char middle[FORMAT_BYTES];
    char most[FORMAT_BYTES];
    const size_t count =
        collect_values(timed, collect_values(timed, 0, "frequency_before"), "frequency_after");
    if (count) {
        format_number(stat_quantile(timed->values, count, 0), 4, least);
        format_number(stat_median(timed->values, count), 4, middle);
        format_number(stat_quantile(timed->values, count, 1), 4, most);
        (void)snprintf(text, sizeof text, "%s to %s GHz, median %s", least, most, middle);
    }
    report_fact(out, "frequency before and after the loops", text, "not told", "clock");
}

// The reason of the first sample that does not know the value.
static const char *find_reason(const Timed *timed, const char *name)
{
    const SampleValue *value = timed->count ? sample_find_value(timed->samples[0], name) : NULL;
    return value && value->reason[0] ? value->reason : "not recorded";
}

typedef struct DisturbanceRow {
    const char *name, *what, *unit;
    bool is_share;
} DisturbanceRow;

static const DisturbanceRow disturbance_rows[] = {
    {"other_cpus", "CPUs that others kept busy", "", false},
    {"steal", "time that the hypervisor took", "", true},
    {"throttle_events", "thermal throttling a sample", " events", false},
};

static void write_disturbances(Timed *timed, FILE *out)
{
    for (size_t i = 0; i < sizeof disturbance_rows / sizeof *disturbance_rows; i++) {
        const DisturbanceRow *row = &disturbance_rows[i];
        const size_t count = collect_values(timed, 0, row->name);
        char text[TEXT_BYTES] = "";
        char middle[FORMAT_BYTES];
        char most[FORMAT_BYTES];
        if (row->is_share) {
            format_percent(stat_median(timed->values, count), middle);
            format_percent(find_most(timed->values, count), most);
        } else {
            format_number(stat_median(timed->values, count), 3, middle);
            format_number(find_most(timed->values, count), 3, most);
        }
        if (count)
            (void)snprintf(text, sizeof text, "median %s%s, most %s%s", middle, row->unit, most,
                           row->unit);
        report_fact(out, row->what, text, find_reason(timed, row->name), "os");
    }
}

typedef struct CountRow {
    const char *what;
    size_t offset; // of a long in a sample; negative = unknown
} CountRow;

static const CountRow count_rows[] = {
    {"involuntary context switches a sample", offsetof(Sample, involuntary_switches)},
    {"voluntary context switches a sample", offsetof(Sample, voluntary_switches)},
    {"minor page faults a sample", offsetof(Sample, minor_faults)},
    {"major page faults a sample", offsetof(Sample, major_faults)},
};

static void write_counts(Timed *timed, FILE *out)
{
    for (size_t i = 0; i < sizeof count_rows / sizeof *count_rows; i++) {
        size_t count = 0;
        char text[TEXT_BYTES] = "";
        for (size_t j = 0; j < timed->count; j++) {
            long value;
            memcpy(&value, (const char *)timed->samples[j] + count_rows[i].offset, sizeof value);
            if (value >= 0)
                timed->values[count++] = (double)value;
        }
        if (count)
            (void)snprintf(text, sizeof text, "median %g, most %.15g",
                           stat_median(timed->values, count), find_most(timed->values, count));
        report_fact(out, count_rows[i].what, text, "not told", "os");
    }
}

// The number in a name such as "thread12.cpu" or "node0.bytes"; -1 where the name is another.
static int find_number(const char *name, const char *before, const char *after)
{
    const size_t length = strlen(before);
    char *end = NULL;
    if (strncmp(name, before, length) != 0)
        return -1;
    const long number = strtol(name + length, &end, 10);
    return end > name + length && strcmp(end, after) == 0 && number >= 0 && number < MOST_PLACES
               ? (int)number
               : -1;
}

// Marks the CPUs that threads ran on and the nodes that data lay on.
static void mark_places(const Sample *sample, bool *cpus, bool *nodes)
{
    for (size_t i = 0; i < sample->value_count; i++) {
        const SampleValue *value = &sample->values[i];
        const int node = find_number(value->name, "node", ".bytes");
        if (isnan(value->value))
            continue;
        if (node >= 0)
            nodes[node] = true;
        else if (find_number(value->name, "thread", ".cpu") >= 0 && value->value >= 0 &&
                 value->value < MOST_PLACES)
            cpus[(size_t)value->value] = true;
    }
}

// "0, 2-5".
static void name_places(const bool *places, char *text)
{
    text[0] = '\0';
    for (int i = 0; i < MOST_PLACES; i++) {
        char part[32];
        int last = i;
        if (!places[i])
            continue;
        while (last + 1 < MOST_PLACES && places[last + 1])
            last++;
        (void)snprintf(part, sizeof part, last > i ? "%s%d-%d" : "%s%d", text[0] ? ", " : "", i,
                       last);
        append(text, part);
        i = last;
    }
}

static void write_places(const Timed *timed, FILE *out)
{
    bool cpus[MOST_PLACES] = {false};
    bool nodes[MOST_PLACES] = {false};
    char text[TEXT_BYTES];
    for (size_t i = 0; i < timed->count; i++)
        mark_places(timed->samples[i], cpus, nodes);
    name_places(cpus, text);
    report_fact(out, "CPUs that threads ran on", text, "not told", "os");
    name_places(nodes, text);
    report_fact(out, "NUMA nodes that data lay on", text, "not told", "os");
}

// The median of a canary's loops; NAN for one that failed.
static double canary_ns(const Sample *canary)
{
    return canary->ok ? stat_median(canary->real_ns, canary->real_count) : (double)NAN;
}

static void write_rounds(const RunRecord *run, double middle_ns, FILE *out)
{
    const size_t shown = run->canary_count < MOST_ROUNDS ? run->canary_count : MOST_ROUNDS;
    (void)fprintf(out, "\n| canary of round | time | against the median of all |\n"
                       "|---|---|---|\n");
    for (size_t i = 0; i < shown; i++) {
        const Sample *canary = &run->canaries[i];
        char time[FORMAT_BYTES];
        format_time(canary_ns(canary), time);
        (void)fprintf(out, "| %d | ", canary->round + 1);
        format_markdown_cell(out, canary->ok ? time : canary->reason);
        if (canary->ok)
            (void)fprintf(out, " | %+.1f %% |\n", 100 * (canary_ns(canary) / middle_ns - 1));
        else
            (void)fputs(" | " FORMAT_UNKNOWN " |\n", out);
    }
    if (shown < run->canary_count)
        (void)fprintf(out, "\nFurther canaries are in `journal.jsonl`.\n");
}

static void write_canaries(const RunRecord *run, FILE *out)
{
    char text[TEXT_BYTES] = "";
    double *times = calloc(run->canary_count + 1, sizeof *times);
    size_t count = 0;
    for (size_t i = 0; times && i < run->canary_count; i++)
        if (!isnan(canary_ns(&run->canaries[i])))
            times[count++] = canary_ns(&run->canaries[i]);
    const double middle_ns = times ? stat_median(times, count) : (double)NAN;
    if (count) {
        char middle[FORMAT_BYTES];
        format_time(middle_ns, middle);
        const double range_ns = stat_quantile(times, count, 1) - stat_quantile(times, count, 0);
        (void)snprintf(text, sizeof text,
                       "median %s of %zu, one a round; greatest drift between two %.1f %%", middle,
                       count, 100 * range_ns / middle_ns);
    }
    report_fact(out, "canary, a fixed loop", text, "no round had one", "clock");
    if (count)
        write_rounds(run, middle_ns, out);
    free(times);
}

void report_conditions(const RunRecord *run, FILE *out)
{
    Timed timed;
    if (collect_timed(run, &timed) && timed.count > 0) {
        (void)fprintf(out, "| what | value | from |\n|---|---|---|\n");
        write_limits(run, out);
        write_rejections(&timed, out);
        write_places(&timed, out);
        write_frequency(&timed, out);
        write_disturbances(&timed, out);
        write_counts(&timed, out);
        write_canaries(run, out);
    } else {
        (void)fprintf(out, "No timed sample.\n");
    }
    free_timed(&timed);
}
