// SPDX-License-Identifier: Apache-2.0
// google_file.h - any file that Google Benchmark wrote with --benchmark_format=json: errored rows,
// aggregates, bare NaN and unknown members included.
#ifndef HYP_GOOGLE_FILE_H
#define HYP_GOOGLE_FILE_H

#include "common/problem.h"

#include <jansson.h>
#include <stddef.h>

typedef struct GoogleRow {
    const char *name;     // "BM_x/8_mean"
    const char *run_name; // "BM_x/8"; the name where the file has none
    const char *unit;     // "ns", "us", "ms", "s"; NULL unknown
    double real, cpu;     // in that unit; NAN unknown
    bool timed;           // has a unit and both times
    bool aggregate, failed;
    const char *message;                    // of a failed row, "" if none
    long long family, instance, repetition; // -1 where the file says none
} GoogleRow;

typedef struct GoogleFile {
    json_t *document; // owns the texts
    const json_t *context;
    GoogleRow *rows; // in the order that compare.py sorts them into
    size_t row_count;
} GoogleFile;

// Takes the document over (on failure too). NULL: what it is not. The caller frees.
GoogleFile *google_file_read(json_t *document, Problem *problem);
void google_file_free(GoogleFile *file); // NULL is allowed

// Nanoseconds a unit; NAN unknown.
double google_unit_ns(const char *unit);

#endif
