// SPDX-License-Identifier: Apache-2.0
// measured_side.h - one side of a comparison, wherever it comes from: per cell and metric the
// samples, session by session.
#ifndef HYP_MEASURED_SIDE_H
#define HYP_MEASURED_SIDE_H

#include "compare/compared_metrics.h"
#include "compare/google_file.h"
#include "record/run_directory.h"

typedef enum SideKind {
    SIDE_RUN,      // a run directory: one session, a process a sample
    SIDE_BASELINE, // a baseline file: several sessions
    SIDE_GOOGLE    // a Google Benchmark file: the repetitions of one process are the samples
} SideKind;

// The samples of one session; of an exact metric one number.
typedef struct Session {
    double *values;
    size_t count;
} Session;

// One metric of one cell.
typedef struct Series {
    Session *sessions; // session_count of the side; NULL: none has a value
} Series;

typedef struct MeasuredCell {
    char *id;
    char *group; // name of the sweep
    bool failed;
    bool above_roof;    // faster than the machine's measured roof: not believed
    bool stopped_early; // when its own samples said so: no test may take them for a fixed number
    char reason[512];   // why it failed
    Series series[COMPARED_METRICS];
} MeasuredCell;

typedef struct MeasuredSide {
    SideKind kind;
    char *path;
    // "" unknown.
    char scenario[128], commit[64], machine_key[64], environment_digest[64];
    size_t session_count;
    MeasuredCell *cells;
    size_t cell_count;
    size_t *by_id;      // indices of the cells, by ascending id
    GoogleFile *google; // of SIDE_GOOGLE, else NULL
} MeasuredSide;

// Reads a run directory, a baseline file or a Google Benchmark file. NULL: the problem names file
// and reason. The caller frees.
MeasuredSide *measured_side_load(const char *path, Problem *problem);
void measured_side_free(MeasuredSide *side); // NULL is allowed

// What a run in memory measured. NULL: out of memory. The caller frees.
MeasuredSide *measured_side_of_run(const RunRecord *run);

// For those that fill a side: one with that many cells, all empty; and its index once all ids are
// there. NULL and false: out of memory.
MeasuredSide *measured_side_create(SideKind kind, const char *path, size_t cell_count,
                                   size_t session_count);
bool measured_side_index(MeasuredSide *side);
// The session's values, to be filled: `count` of them. NULL: out of memory.
double *measured_series_add(const MeasuredSide *side, MeasuredCell *cell, size_t metric,
                            size_t session, size_t count);

// NULL if there is no cell of that id.
const MeasuredCell *measured_cell_find(const MeasuredSide *side, const char *id);

// All samples of a metric of a cell, one session after the other: their count, and in `values`
// (NULL or room for all) the numbers.
size_t measured_values(const MeasuredSide *side, const MeasuredCell *cell, size_t metric,
                       double *values);

#endif
