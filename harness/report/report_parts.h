// SPDX-License-Identifier: Apache-2.0
// report_parts.h - the parts of the report, one file each.
#ifndef HYP_REPORT_PARTS_H
#define HYP_REPORT_PARTS_H

#include "report/run_set.h"

// Rows of one table "| what | value | from |"; a NULL or empty value is "unknown", with the reason.
void report_fact(FILE *out, const char *what, const char *value, const char *reason,
                 const char *from);

// report_machine.c: rows about the machine and the build.
void report_machine(const json_t *machine, FILE *out);

// report_limits.c: the tables of measured peaks, latencies and bandwidths.
void report_limits(const json_t *machine, FILE *out);

// report_conditions.c: what the machine did meanwhile, as a table.
void report_conditions(const RunRecord *run, FILE *out);

// report_tables.c: the tables of one sweep, with their footnotes and failed cells.
void report_sweep_tables(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                         FILE *out);

// report_emulated.c: how the samples of a sweep are taken; and, of one that counts instructions,
// what was simulated and what that is worth.
void report_sampling(const PlanSweep *sweep, FILE *out);
void report_simulation(const CellSummary *summaries, const PlanSweep *sweep, FILE *out);

// report_layers.c: the layers of cells whose samples tell of them.
void report_layers(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                   FILE *out);

// report_reads.c: back ends and modes that a loader used and why, where there is a reason.
void report_reads(const RunRecord *run, const CellSummary *summaries, const PlanSweep *sweep,
                  FILE *out);

// report_runs.c: the runs with their machines, and what differs in their environments.
void report_runs(const RunSet *set, FILE *out);

// report_by_machine.c: the sweeps that several runs have, with a column a run, and their common
// figures. False: out of memory, and the document is cut short.
bool report_by_machine(const RunSet *set, bool drawn, FILE *out);

// A figure in plots/, embedded if `drawn`.
void report_figure(const char *title, const char *name, bool drawn, FILE *out);

// What the columns that these runs show mean, with unit and provenance.
void report_legend(const RunSet *set, FILE *out);

#endif
