// SPDX-License-Identifier: Apache-2.0
#include "run/merge_journal.h"

#include <stdlib.h>
#include <string.h>

static bool add_line(MergeJournal *journal, const Sample *sample, size_t source, const char *text)
{
    if (journal->count == journal->capacity) {
        const size_t wanted = journal->capacity ? journal->capacity * 2 : 256;
        MergeLine *lines = realloc(journal->lines, wanted * sizeof *lines);
        if (!lines)
            return false;
        journal->lines = lines;
        journal->capacity = wanted;
    }
    journal->lines[journal->count++] = (MergeLine){
        sample->task, sample->round, sample->cell, sample->started_unix_s, source, text};
    return true;
}

// On failure the problem is the reason alone: the caller knows the place.
static bool take_line(MergeJournal *journal, const char *text, size_t length, size_t source,
                      size_t cell_count, Problem *problem)
{
    json_error_t error;
    Sample sample;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return problem_set(problem, "%s (column %d)", error.text, error.column);
    bool taken = sample_from_json(json, &sample, problem);
    json_decref(json);
    if (!taken)
        return false;
    if (sample.cell >= cell_count)
        taken = problem_set(problem, "cell %zu, but the plan has %zu", sample.cell, cell_count);
    else if (!add_line(journal, &sample, source, text))
        taken = problem_set(problem, "out of memory");
    sample_clear(&sample);
    return taken;
}

bool merge_journal_add(MergeJournal *journal, const char *path, char *bytes, size_t size_bytes,
                       size_t source, size_t cell_count, Problem *problem)
{
    char *line = bytes;
    const char *const bytes_end = bytes + size_bytes;
    for (size_t number = 1;; number++) {
        Problem reason = {0};
        char *end = memchr(line, '\n', (size_t)(bytes_end - line));
        if (!end)
            return true;
        *end = '\0';
        if (!take_line(journal, line, (size_t)(end - line), source, cell_count, &reason))
            return problem_set(problem, "%s:%zu: %.1500s", path, number, reason.text);
        line = end + 1;
    }
}

static int compare_jobs(const MergeLine *a, const MergeLine *b)
{
    if (a->task != b->task)
        return a->task < b->task ? -1 : 1;
    if (a->round != b->round)
        return a->round < b->round ? -1 : 1;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return 0;
}

static int compare_lines(const void *first, const void *second)
{
    const MergeLine *a = first;
    const MergeLine *b = second;
    int order = compare_jobs(a, b);
    if (order == 0 && a->started_unix_s != b->started_unix_s)
        order = a->started_unix_s < b->started_unix_s ? -1 : 1;
    if (order == 0)
        order = strcmp(a->text, b->text);
    return order ? order : (a->source > b->source) - (a->source < b->source);
}

static size_t count_sources(const MergeLine *lines, size_t count)
{
    size_t sources = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = 0;
        while (before < i && lines[before].source != lines[i].source)
            before++;
        sources += before == i;
    }
    return sources;
}

static size_t count_same(const MergeLine *lines, size_t count)
{
    size_t same = 1;
    while (same < count && strcmp(lines[same].text, lines[0].text) == 0)
        same++;
    return same;
}

// Lines of one job (or canaries, of which each source has its own), of which several are there
// where samples were taken again: each must stand in every source that knows the job.
static bool check_job(const MergeLine *lines, size_t count, const char *const *source_names,
                      Problem *problem)
{
    const size_t sources = lines->task == SAMPLE_CANARY ? 0 : count_sources(lines, count);
    for (size_t i = 0, same = 0; i < count; i += same) {
        same = count_same(&lines[i], count - i);
        if (same >= sources)
            continue;
        size_t other = 0;
        while (lines[other].source == lines[i].source)
            other++;
        return problem_set(problem,
                           "%.500s and %.500s hold different samples of cell %zu (%s, round %d)",
                           source_names[lines[i].source], source_names[lines[other].source],
                           lines[i].cell, sample_task_name(lines[i].task), lines[i].round);
    }
    return true;
}

bool merge_journal_settle(MergeJournal *journal, const char *const *source_names, Problem *problem)
{
    MergeLine *lines = journal->lines;
    size_t kept = 0;
    if (journal->count == 0)
        return true;
    qsort(lines, journal->count, sizeof *lines, compare_lines);
    for (size_t i = 0, count = 0; i < journal->count; i += count) {
        for (count = 1; i + count < journal->count && !compare_jobs(&lines[i], &lines[i + count]);)
            count++;
        if (!check_job(&lines[i], count, source_names, problem))
            return false;
    }
    for (size_t i = 0; i < journal->count; i += count_same(&lines[i], journal->count - i))
        lines[kept++] = lines[i];
    journal->duplicates = journal->count - kept;
    journal->count = kept;
    return true;
}

bool merge_journal_write(const MergeJournal *journal, FILE *out)
{
    bool written = true;
    for (size_t i = 0; written && i < journal->count; i++)
        written = fputs(journal->lines[i].text, out) >= 0 && fputc('\n', out) != EOF;
    return written;
}

void merge_journal_clear(MergeJournal *journal)
{
    free(journal->lines);
    *journal = (MergeJournal){0};
}
