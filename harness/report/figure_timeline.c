// SPDX-License-Identifier: Apache-2.0
// figure_timeline.c - when each layer was loaded and computed in one pass, of the first cell of the
// figure.
#include "report/figure_parts.h"

#include "report/figure_script.h"

#include <math.h>
#include <string.h>

// More rows than that have no room for names.
enum { MOST_NAMES = 32, LONGEST_LABEL = 28, LABEL_BYTES = LONGEST_LABEL + 8 };

// A layer with weights; NAN where it was not loaded in this pass.
typedef struct TimelineStep {
    double load_at_ns, load_ns, compute_at_ns, compute_ns;
} TimelineStep;

static double read_value(const Sample *sample, int step, const char *what)
{
    char name[sizeof sample->values->name];
    (void)snprintf(name, sizeof name, "step%d.%s", step, what);
    return sample_value(sample, name);
}

// False: there is no such step.
static bool read_step(const Sample *sample, int step, TimelineStep *told)
{
    *told = (TimelineStep){.load_at_ns = read_value(sample, step, "load_at"),
                           .load_ns = read_value(sample, step, "load"),
                           .compute_at_ns = read_value(sample, step, "compute_at"),
                           .compute_ns = read_value(sample, step, "compute")};
    return !isnan(told->compute_at_ns) && !isnan(told->compute_ns);
}

// The first timed sample that has a timeline; NULL: none.
static const Sample *find_sample(const CellSummary *summary)
{
    TimelineStep unused;
    for (size_t i = 0; i < summary->record_count; i++) {
        const Sample *sample = summary->records[i];
        if (sample->task == SAMPLE_TIME && sample->ok && read_step(sample, 0, &unused))
            return sample;
    }
    return NULL;
}

bool figure_has_timeline(const RunRecord *run, const CellSummary *summary)
{
    (void)run;
    return find_sample(summary) != NULL;
}

static const CellSummary *find_summary(const Figure *figure)
{
    return &figure->summaries[figure->series[0].points[0].cell];
}

// The name of a layer, from step<k>.is.<layer>.<operator>.<name>; of a long one the end. "" without
// a verification.
static void find_label(const CellSummary *summary, int step, char *label)
{
    const Sample *verified = summary->verified;
    label[0] = '\0';
    for (size_t i = 0; verified && i < verified->value_count; i++) {
        int found = -1;
        int layer = 0;
        int name_at = 0;
        const char *name = verified->values[i].name;
        if (sscanf(name, "step%d.is.%d.%*[^.].%n", &found, &layer, &name_at) != 2 || !name_at ||
            found != step)
            continue;
        const size_t length = strlen(name + name_at);
        const size_t cut = length > LONGEST_LABEL ? length - LONGEST_LABEL : 0;
        (void)snprintf(label, LABEL_BYTES, "%s%s", cut ? "…" : "", name + name_at + cut);
        for (char *at = strchr(label, '"'); at; at = strchr(at, '"'))
            *at = '\'';
        return;
    }
}

typedef struct TimelineSums {
    int step_count;
    double load_ns, compute_ns, wait_ns, end_ns;
} TimelineSums;

static TimelineSums add_up(const Sample *sample)
{
    TimelineSums sums = {0};
    TimelineStep step;
    while (read_step(sample, sums.step_count, &step)) {
        sums.load_ns += isnan(step.load_ns) ? 0 : step.load_ns;
        sums.compute_ns += step.compute_ns;
        sums.wait_ns += fmax(step.compute_at_ns - sums.end_ns, 0);
        sums.end_ns = fmax(sums.end_ns, step.compute_at_ns + step.compute_ns);
        sums.step_count++;
    }
    return sums;
}

static void define_names(const CellSummary *summary, int count, FILE *script)
{
    char labels[MOST_NAMES][LABEL_BYTES];
    const char *names[MOST_NAMES];
    const bool named = count <= MOST_NAMES;
    for (int i = 0; named && i < count; i++) {
        find_label(summary, i, labels[i]);
        names[i] = labels[i];
    }
    script_number(script, "named", named);
    script_texts(script, "row_name", names, named ? (size_t)count : 0);
}

void figure_define_timeline(const Figure *figure, FILE *script)
{
    const TimelineSums sums = add_up(find_sample(find_summary(figure)));
    char text[512];
    script_text(script, "x_label", "time since the pass began [ms]");
    script_number(script, "row_count", sums.step_count);
    define_names(find_summary(figure), sums.step_count, script);
    script_number(script, "x_high", sums.end_ns / 1e6 * 1.02);
    (void)snprintf(text, sizeof text,
                   "One pass, the last of the first timed worker (clock): %.4g ms of loading, "
                   "%.4g ms of computing, %.4g ms of waiting for weights.\nA row: a layer with "
                   "weights, and those without that follow it. A row without a load: its weights "
                   "were still there.",
                   sums.load_ns / 1e6, sums.compute_ns / 1e6, sums.wait_ns / 1e6);
    script_text(script, "caption", text);
}

void figure_tabulate_timeline(const Figure *figure, FILE *data)
{
    const CellSummary *summary = find_summary(figure);
    const Sample *sample = find_sample(summary);
    TimelineStep step;
    double end_ns = 0;
    (void)fprintf(data, "# columns: row, load from [ms] (clock), to, compute from, to, waiting "
                        "from, to, layer\n");
    for (int i = 0; read_step(sample, i, &step); i++) {
        char label[LABEL_BYTES];
        find_label(summary, i, label);
        const bool waits = step.compute_at_ns > end_ns;
        (void)fprintf(data, " %d", i);
        data_column(data, step.load_at_ns / 1e6);
        data_column(data, (step.load_at_ns + step.load_ns) / 1e6);
        data_column(data, step.compute_at_ns / 1e6);
        data_column(data, (step.compute_at_ns + step.compute_ns) / 1e6);
        data_column(data, waits ? end_ns / 1e6 : (double)NAN);
        data_column(data, waits ? step.compute_at_ns / 1e6 : (double)NAN);
        (void)fprintf(data, " \"%s\"\n", label[0] ? label : "?");
        end_ns = fmax(end_ns, step.compute_at_ns + step.compute_ns);
    }
}
