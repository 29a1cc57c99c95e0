// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "run/callgrind.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_LINE_BYTES = 16, LINE_TEXT_BYTES = 1024 };

static bool choose_cache(const HyperionCacheTopology *topology, int level, SimulatedCache *cache,
                         Problem *problem)
{
    const HyperionCacheLevel *known = &topology->levels[level - 1];
    if (known->ways < 1 || known->line_bytes < SMALLEST_LINE_BYTES ||
        (known->line_bytes & (known->line_bytes - 1)) != 0)
        return problem_set(problem,
                           "callgrind cannot simulate the L%d cache: expected ways and a line of a "
                           "power of two bytes, given %d ways and %d bytes",
                           level, known->ways, known->line_bytes);
    const size_t set_bytes = (size_t)known->ways * (size_t)known->line_bytes;
    size_t sets = 1;
    while (sets <= known->size_bytes / set_bytes / 2)
        sets *= 2;
    if (known->size_bytes < set_bytes)
        return problem_set(problem,
                           "callgrind cannot simulate the L%d cache: %zu bytes are less "
                           "than one set of %d lines",
                           level, known->size_bytes, known->ways);
    *cache = (SimulatedCache){level, sets * set_bytes, known->ways, known->line_bytes};
    return true;
}

bool callgrind_choose_caches(const HyperionCacheTopology *topology, SimulatedCaches *caches,
                             Problem *problem)
{
    if (topology->level_count < 2)
        return problem_set(problem, "callgrind simulates two cache levels, the topology has %d",
                           topology->level_count);
    return choose_cache(topology, 1, &caches->first, problem) &&
           choose_cache(topology, topology->level_count, &caches->last, problem);
}

void callgrind_format_cache(const SimulatedCache *cache, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes, "%zu,%d,%d", cache->size_bytes, cache->ways,
                   cache->line_bytes);
}

typedef struct EventField {
    const char *event; // callgrind's name
    size_t offset;     // in CallgrindReport
    bool needs_caches;
} EventField;

static const EventField event_fields[] = {
    {"Ir", offsetof(CallgrindReport, instructions), false},
    {"Dr", offsetof(CallgrindReport, data_reads), true},
    {"Dw", offsetof(CallgrindReport, data_writes), true},
    {"D1mr", offsetof(CallgrindReport, first_read_misses), true},
    {"D1mw", offsetof(CallgrindReport, first_write_misses), true},
    {"DLmr", offsetof(CallgrindReport, last_read_misses), true},
    {"DLmw", offsetof(CallgrindReport, last_write_misses), true},
};
enum { EVENT_FIELD_COUNT = sizeof event_fields / sizeof *event_fields };

// Copies what stands after `key` at the start of a line. The line must be there exactly once,
// whole.
static bool find_line(const char *text, const char *key, char *rest, Problem *problem)
{
    const size_t key_length = strlen(key);
    const char *found = NULL;
    for (const char *line = text; *line;) {
        if (strncmp(line, key, key_length) == 0) {
            if (found)
                return problem_set(problem, "callgrind: more than one line '%s'", key);
            found = line + key_length;
        }
        const char *end = strchr(line, '\n');
        line = end ? end + 1 : line + strlen(line);
    }
    const char *end = found ? strchr(found, '\n') : NULL;
    if (!end || (size_t)(end - found) >= LINE_TEXT_BYTES)
        return problem_set(problem, "callgrind: no line '%s', or not the whole of it", key);
    memcpy(rest, found, (size_t)(end - found));
    rest[end - found] = '\0';
    return true;
}

static bool check_cache(const char *text, const char *key, const SimulatedCache *cache,
                        Problem *problem)
{
    char given[LINE_TEXT_BYTES];
    char expected[128];
    if (!find_line(text, key, given, problem))
        return false;
    const int length =
        snprintf(expected, sizeof expected, " %zu B, %d B, ", cache->size_bytes, cache->line_bytes);
    if (cache->ways == 1)
        (void)snprintf(expected + length, sizeof expected - (size_t)length, "direct-mapped");
    else
        (void)snprintf(expected + length, sizeof expected - (size_t)length, "%d-way associative",
                       cache->ways);
    return strcmp(given, expected) == 0 ||
           problem_set(problem, "callgrind: %s: expected%s, given%.200s", key, expected, given);
}

static bool parse_count(const char *word, double *count)
{
    char *end = NULL;
    if (word[0] < '0' || word[0] > '9')
        return false;
    const unsigned long long value = strtoull(word, &end, 10);
    *count = (double)value;
    // Beyond that a double is no exact count any more.
    return *end == '\0' && value <= 1ULL << 53;
}

// The counts by event, in the order of event_fields; NAN where the file has no such event. Zeros at
// the end of a line of counts may be left out, says the format.
static bool read_counts(char *events, char *totals, double *counts, Problem *problem)
{
    char *event_rest = NULL;
    char *total_rest = NULL;
    const char *total = strtok_r(totals, " ", &total_rest);
    for (const char *event = strtok_r(events, " ", &event_rest); event;
         event = strtok_r(NULL, " ", &event_rest)) {
        double count = 0;
        if (total && !parse_count(total, &count))
            return problem_set(problem, "callgrind: totals: '%.32s' is no count", total);
        for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
            if (strcmp(event_fields[i].event, event) == 0)
                counts[i] = count;
        total = total ? strtok_r(NULL, " ", &total_rest) : NULL;
    }
    return !total || problem_set(problem, "callgrind: totals: more counts than events");
}

static bool store_counts(const double *counts, bool has_caches, CallgrindReport *report,
                         Problem *problem)
{
    for (size_t i = 0; i < EVENT_FIELD_COUNT; i++) {
        const EventField *field = &event_fields[i];
        if (field->needs_caches && !has_caches)
            continue;
        if (isnan(counts[i]))
            return problem_set(problem, "callgrind: no event %s", field->event);
        memcpy((char *)report + field->offset, &counts[i], sizeof counts[i]);
    }
    return true;
}

bool callgrind_read(const char *text, const SimulatedCaches *caches, CallgrindReport *report,
                    Problem *problem)
{
    char version[LINE_TEXT_BYTES];
    char creator[LINE_TEXT_BYTES];
    char events[LINE_TEXT_BYTES];
    char totals[LINE_TEXT_BYTES];
    double counts[EVENT_FIELD_COUNT];
    for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
        counts[i] = NAN;
    *report = (CallgrindReport){.creator = ""};
    if (!find_line(text, "version: ", version, problem) ||
        !find_line(text, "creator: ", creator, problem) ||
        !find_line(text, "events: ", events, problem) ||
        !find_line(text, "totals: ", totals, problem))
        return false;
    if (strcmp(version, "1") != 0)
        return problem_set(problem, "callgrind: expected format version 1, given '%.32s'", version);
    if (caches && (!check_cache(text, "desc: D1 cache:", &caches->first, problem) ||
                   !check_cache(text, "desc: LL cache:", &caches->last, problem)))
        return false;
    (void)snprintf(report->creator, sizeof report->creator, "%.60s", creator);
    if (!read_counts(events, totals, counts, problem) ||
        !store_counts(counts, caches != NULL, report, problem))
        return false;
    return report->instructions > 0 ||
           problem_set(problem, "callgrind counted nothing: the worker has lost the name of the "
                                "function that is counted (stripped?)");
}
