// SPDX-License-Identifier: Apache-2.0
// benchmark.json in the schema of Google Benchmark (its docs/user_guide.md, json_schema_version 1).
// A sample is what Google calls a repetition: the median of the loops of one process.
#define _DEFAULT_SOURCE
#include "common/json_file.h"
#include "record/writers/writer.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The schema knows no null: what is unknown is left out.
static void set_known(json_t *object, const char *key, json_t *value)
{
    if (value && !json_is_null(value))
        (void)json_object_set(object, key, value);
}

static void set_number(json_t *object, const char *key, double value)
{
    if (isfinite(value))
        (void)json_object_set_new(object, key, json_real(value));
}

static json_t *make_caches(const RunRecord *run)
{
    json_t *caches = json_array();
    const json_t *known = json_object_get(run->machine, "caches");
    for (size_t i = 0; i < json_array_size(known); i++) {
        const json_t *cache = json_array_get(known, i);
        char type[32] = "";
        const char *given = json_string_value(json_object_get(cache, "type"));
        (void)snprintf(type, sizeof type, "%s", given ? given : "unified");
        type[0] = (char)toupper((unsigned char)type[0]); // "Data", as Google writes it
        json_t *row = json_pack("{s:s}", "type", type);
        set_known(row, "level", json_object_get(cache, "level"));
        set_known(row, "size", json_object_get(cache, "size_bytes"));
        set_known(row, "num_sharing", json_object_get(cache, "sharing_cpus"));
        (void)json_array_append_new(caches, row);
    }
    return caches;
}

static void set_date(json_t *context, const RunRecord *run)
{
    const json_t *started = json_object_get(json_object_get(run->machine, "run"), "started_unix_s");
    const time_t seconds = (time_t)json_number_value(started);
    struct tm parts;
    char text[40];
    if (json_is_number(started) && gmtime_r(&seconds, &parts) &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts) > 0)
        (void)json_object_set_new(context, "date", json_string(text));
}

static json_t *make_context(const RunRecord *run)
{
    const json_t *about = json_object_get(run->machine, "run");
    const json_t *build = json_object_get(run->machine, "build");
    const json_t *kernel = json_object_get(run->machine, "kernel");
    const char *type = json_string_value(json_object_get(build, "build_type"));
    const json_t *governor = json_object_get(kernel, "governor");
    json_t *context = json_object();
    set_date(context, run);
    set_known(context, "host_name", json_object_get(about, "host_name"));
    set_known(context, "executable", json_object_get(about, "worker"));
    set_known(context, "num_cpus",
              json_object_get(json_object_get(run->machine, "topology"), "cpus"));
    set_known(context, "mhz_per_cpu", json_object_get(about, "mhz_per_cpu"));
    // As Google decides it: any governor but `performance` scales.
    (void)json_object_set_new(
        context, "cpu_scaling_enabled",
        json_boolean(json_is_string(governor) &&
                     strcmp(json_string_value(governor), "performance") != 0));
    (void)json_object_set_new(context, "caches", make_caches(run));
    set_known(context, "load_avg", json_object_get(about, "load_average"));
    const bool debug = type && strcmp(type, "Debug") == 0;
    (void)json_object_set_new(context, "library_build_type",
                              json_string(debug ? "debug" : "release"));
    (void)json_object_set_new(context, "json_schema_version", json_integer(1));
    (void)json_object_set_new(context, "hyperion_scenario", json_string(run->plan->scenario));
    (void)json_object_set_new(context, "hyperion_plan_hash", json_string(run->plan->hash));
    set_known(context, "hyperion_commit", json_object_get(build, "commit"));
    set_known(context, "hyperion_machine_key", json_object_get(run->machine, "key"));
    set_known(context, "hyperion_environment_digest",
              json_object_get(run->machine, "environment_digest"));
    return context;
}

// One benchmark: the timed samples of a cell.
typedef struct Family {
    const RunRecord *run;
    const CellSummary *summary;
    size_t sweep, index;               // of the cell in its sweep
    char *name;                        // "<id>/real_time"
    double *real_ns, *cpu_ns, *gflops; // of each sample
} Family;

static json_t *make_row(const Family *family, const char *suffix, const char *type)
{
    const size_t bytes = strlen(family->name) + strlen(suffix) + 1;
    char *name = malloc(bytes);
    if (!name)
        return NULL;
    (void)snprintf(name, bytes, "%s%s", family->name, suffix);
    json_t *row = json_pack("{s:s, s:I, s:I, s:s, s:s, s:I, s:i}", "name", name, "family_index",
                            (json_int_t)family->sweep, "per_family_instance_index",
                            (json_int_t)family->index, "run_name", family->name, "run_type", type,
                            "repetitions", (json_int_t)family->summary->sample_count, "threads", 1);
    free(name);
    return row;
}

static bool is_event(const Metric *metric)
{
    return strncmp(metric->name, "PAPI_", 5) == 0 || strncmp(metric->name, "perf.", 5) == 0;
}

static void append_sample(const Family *family, size_t index, uint64_t iterations, json_t *rows)
{
    json_t *row = make_row(family, "", "iteration");
    (void)json_object_set_new(row, "repetition_index", json_integer((json_int_t)index));
    (void)json_object_set_new(row, "iterations", json_integer((json_int_t)iterations));
    set_number(row, "real_time", family->real_ns[index]);
    set_number(row, "cpu_time", family->cpu_ns[index]);
    (void)json_object_set_new(row, "time_unit", json_string("ns"));
    set_number(row, "gflops", family->gflops[index]);
    for (size_t i = 0; i < metric_count; i++)
        if (is_event(&metric_table[i]))
            set_number(row, metric_table[i].name,
                       metric_table[i].value(family->run, family->summary));
    (void)json_array_append_new(rows, row);
}

// Google's four, with the names its tools look for.
static const struct Aggregate {
    const char *name, *unit;
    double (*value)(const double *values, size_t count);
} aggregates[] = {
    {"mean", "time", stat_mean},
    {"median", "time", stat_median},
    {"stddev", "time", stat_deviation},
    {"cv", "percentage", stat_variation},
};

static void append_aggregates(const Family *family, json_t *rows)
{
    const size_t count = family->summary->sample_count;
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++) {
        const struct Aggregate *aggregate = &aggregates[i];
        char suffix[16];
        const double real = aggregate->value(family->real_ns, count);
        if (!isfinite(real)) // too few samples
            continue;
        (void)snprintf(suffix, sizeof suffix, "_%s", aggregate->name);
        json_t *row = make_row(family, suffix, "aggregate");
        (void)json_object_set_new(row, "aggregate_name", json_string(aggregate->name));
        (void)json_object_set_new(row, "aggregate_unit", json_string(aggregate->unit));
        (void)json_object_set_new(row, "iterations", json_integer((json_int_t)count));
        set_number(row, "real_time", real);
        set_number(row, "cpu_time", aggregate->value(family->cpu_ns, count));
        (void)json_object_set_new(row, "time_unit", json_string("ns"));
        set_number(row, "gflops", aggregate->value(family->gflops, count));
        (void)json_array_append_new(rows, row);
    }
}

// Rows of the samples, and their times collected for the aggregates.
static void append_samples(Family *family, json_t *rows)
{
    const CellSummary *summary = family->summary;
    const double flops = metric_value("flops", family->run, summary);
    size_t index = 0;
    for (size_t i = 0; i < summary->record_count; i++) {
        const Sample *sample = summary->records[i];
        if (sample->task != SAMPLE_TIME || !sample->ok || sample->real_count == 0)
            continue;
        family->real_ns[index] = stat_median(sample->real_ns, sample->real_count);
        family->cpu_ns[index] =
            sample->cpu_ns ? stat_median(sample->cpu_ns, sample->real_count) : (double)NAN;
        family->gflops[index] = flops / family->real_ns[index];
        append_sample(family, index, sample->iterations, rows);
        index++;
    }
}

// Cells that failed have no row: consumers take a row without time for infinitely fast.
static bool append_cell(const RunRecord *run, const CellSummary *summary, json_t *rows)
{
    const Cell *cell = &run->plan->cells[summary->cell];
    const size_t count = summary->sample_count;
    if (summary->failed || count == 0)
        return true;
    const size_t bytes = strlen(cell->id) + sizeof "/real_time";
    Family family = {
        .run = run,
        .summary = summary,
        .sweep = (size_t)(cell->sweep - run->plan->sweeps),
        .index = summary->cell - cell->sweep->first_cell,
        .name = malloc(bytes),
        .real_ns = calloc(3 * count, sizeof *family.real_ns),
    };
    const bool complete = family.name && family.real_ns;
    if (complete) {
        (void)snprintf(family.name, bytes, "%s/real_time", cell->id);
        family.cpu_ns = family.real_ns + count;
        family.gflops = family.cpu_ns + count;
        append_samples(&family, rows);
        append_aggregates(&family, rows);
    }
    free(family.name);
    free(family.real_ns);
    return complete;
}

static bool write_benchmark(const RunRecord *run, const CellSummary *summaries, FILE *out,
                            Problem *problem)
{
    json_t *rows = json_array();
    bool complete = rows != NULL;
    for (size_t i = 0; complete && i < run->plan->cell_count; i++)
        complete = append_cell(run, &summaries[i], rows);
    json_t *document = json_pack("{s:o, s:o}", "context", make_context(run), "benchmarks", rows);
    complete =
        complete && document && json_dumpf(document, out, JSON_FILE_FLAGS | JSON_INDENT(1)) == 0;
    json_decref(document);
    (void)fputc('\n', out);
    return complete || problem_set(problem, "benchmark.json: out of memory or disk space");
}

const Writer writer_benchmark_json = {
    .file = "benchmark.json",
    .help = "one row a sample and four aggregates a cell, in Google Benchmark's schema",
    .write = write_benchmark,
};
