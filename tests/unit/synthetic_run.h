// SPDX-License-Identifier: Apache-2.0
// synthetic_run.h - a small deterministic run in memory, for tests of metrics, report and compare:
// gemm 512^3 at two SIMD levels and two block sizes, the times given by a rule.
#ifndef HYP_SYNTHETIC_RUN_H
#define HYP_SYNTHETIC_RUN_H

#include "record/run_directory.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SYNTHETIC_CELLS = 4,
    SYNTHETIC_MOST_SAMPLES = 12, // timed, a cell
    SYNTHETIC_VALUES = 12,
    SYNTHETIC_RECORDS = SYNTHETIC_CELLS * (SYNTHETIC_MOST_SAMPLES + 2)
};

// Everything lives in here; nothing to free but the machine.
typedef struct SyntheticRun {
    RunRecord run;
    Plan plan;
    PlanSweep sweep;
    Cell cells[SYNTHETIC_CELLS];
    char ids[SYNTHETIC_CELLS][160];
    Sample samples[SYNTHETIC_RECORDS];
    double times[SYNTHETIC_RECORDS][3];
    SampleValue facts[SYNTHETIC_CELLS][SYNTHETIC_VALUES];
    SampleValue counts[SYNTHETIC_CELLS][2];
    SampleValue stopped; // of the cell that stopped early
    char path[64], scenario[32], description[64];
} SyntheticRun;

static inline bool synthetic_uses(const AxisValue *values, AxisId axis)
{
    (void)values;
    return axis == AXIS_OP || axis == AXIS_SIMD_LEVEL || axis == AXIS_BLOCK_SIZE ||
           axis == AXIS_M || axis == AXIS_N || axis == AXIS_K;
}

static inline void synthetic_bind(Cell *cell, AxisId axis, const char *text)
{
    Problem problem = {0};
    if (!axis_parse(axis, text, &cell->values[axis], &problem)) {
        (void)fprintf(stderr, "synthetic run: %s\n", problem.text);
        abort();
    }
}

static inline SampleValue synthetic_value(const char *name, double value, const char *unit,
                                          const char *provenance, const char *reason)
{
    SampleValue result = {.value = value};
    (void)snprintf(result.name, sizeof result.name, "%s", name);
    (void)snprintf(result.unit, sizeof result.unit, "%s", unit);
    (void)snprintf(result.provenance, sizeof result.provenance, "%s", provenance);
    (void)snprintf(result.reason, sizeof result.reason, "%s", reason);
    return result;
}

// 2 x 512^3 = 268435456 operations; 3 x 512^2 x 4 = 3145728 bytes.
static inline void synthetic_facts(SyntheticRun *synthetic, size_t cell)
{
    SampleValue *facts = synthetic->facts[cell];
    size_t count = 0;
    const bool wide = cell >= 2;
    facts[count++] = synthetic_value(
        wide ? "kernel.gemm_f32_avx2_6x16" : "kernel.gemm_f32_scalar_4x4", 1, "", "model", "");
    facts[count++] = synthetic_value("flops", 268435456, "FLOP", "model", "");
    facts[count++] = synthetic_value("bytes", 3145728, "B", "model", "");
    facts[count++] = synthetic_value("elements", 262144, "", "model", "");
    facts[count++] = synthetic_value("mc", cell % 2 ? 128 : 64, "elements", "model", "");
    facts[count++] = synthetic_value("kc", cell % 2 ? 128 : 64, "elements", "model", "");
    facts[count++] = synthetic_value("nc", cell % 2 ? 1024 : 512, "elements", "model", "");
    facts[count++] =
        synthetic_value("predicted.L1.misses", cell % 2 ? 600000 : 900000, "lines", "model", "");
    facts[count++] =
        synthetic_value("predicted.L2.misses", cell % 2 ? 70000 : 80000, "lines", "model", "");
    facts[count++] =
        synthetic_value("predicted.L3.misses", NAN, "lines", "unavailable", "no third level");
    facts[count++] = synthetic_value("geometry.L1.size_bytes", 49152, "B", "model", "");
    facts[count++] =
        synthetic_value("geometry.L2.size_bytes", wide ? 2097152 : 1048576, "B", "model", "");
    synthetic->counts[cell][0] =
        synthetic_value("PAPI_L1_DCM", NAN, "", "unavailable", "no PMU on this machine");
    synthetic->counts[cell][1] = synthetic_value("PAPI_TOT_INS", 5e7, "", "pmu", "");
}

static inline Sample *synthetic_record(SyntheticRun *synthetic, size_t cell, SampleTask task,
                                       int round)
{
    Sample *sample = &synthetic->samples[synthetic->run.sample_count++];
    *sample = (Sample){.cell = cell,
                       .round = round,
                       .task = task,
                       .ok = true,
                       .started_unix_s = 1700000000 + (double)synthetic->run.sample_count,
                       .worker_ns = 1e8,
                       .cpu = 1,
                       .minor_faults = 100,
                       .major_faults = -1,
                       .voluntary_switches = -1,
                       .involuntary_switches = -1,
                       .peak_rss_kib = -1};
    return sample;
}

static inline void synthetic_cell(SyntheticRun *synthetic, size_t index, size_t samples)
{
    static const char *const levels[] = {"scalar", "avx2"};
    static const char *const blocks[] = {"64", "128"};
    static const double base_ns[] = {64e6, 60e6, 4e6, 3.2e6};
    Cell *cell = &synthetic->cells[index];
    *cell = (Cell){.workload = synthetic->sweep.workload,
                   .sweep = &synthetic->sweep,
                   .id = synthetic->ids[index]};
    synthetic_bind(cell, AXIS_OP, "gemm");
    synthetic_bind(cell, AXIS_SIMD_LEVEL, levels[index / 2]);
    synthetic_bind(cell, AXIS_BLOCK_SIZE, blocks[index % 2]);
    synthetic_bind(cell, AXIS_M, "512");
    synthetic_bind(cell, AXIS_N, "512");
    synthetic_bind(cell, AXIS_K, "512");
    (void)snprintf(synthetic->ids[index], sizeof synthetic->ids[index],
                   "kernel/op:gemm/simd_level:%s/block_size:%s/m:512/n:512/k:512",
                   levels[index / 2], blocks[index % 2]);
    synthetic_facts(synthetic, index);
    Sample *verify = synthetic_record(synthetic, index, SAMPLE_VERIFY, -1);
    verify->values = synthetic->facts[index];
    verify->value_count = SYNTHETIC_VALUES;
    // Repetitions 1 % below, at and 1 % above the sample; samples 0, 1, 2 ... per mille above base.
    for (size_t i = 0; i < samples; i++) {
        double *times = synthetic->times[synthetic->run.sample_count];
        Sample *sample = synthetic_record(synthetic, index, SAMPLE_TIME, (int)i);
        const double time = base_ns[index] * (1 + 0.001 * (double)i);
        times[0] = time * 1.01;
        times[1] = time;
        times[2] = time * 0.99;
        sample->real_ns = times;
        sample->real_count = 3;
        sample->iterations = 10;
        sample->peak_rss_kib = 20000 + (long)i;
    }
    Sample *count = synthetic_record(synthetic, index, SAMPLE_COUNT, 0);
    count->values = synthetic->counts[index];
    count->value_count = 2;
}

// Lets a timed sample of cell `cell` say that it was the last one wanted, as precision does.
static inline void synthetic_stop_early(SyntheticRun *synthetic, size_t cell)
{
    synthetic->stopped =
        synthetic_value(SAMPLE_STOPPED_EARLY, 5, "samples", "clock", "precision reached");
    for (size_t i = 0; i < synthetic->run.sample_count; i++) {
        Sample *sample = &synthetic->samples[i];
        if (sample->cell == cell && sample->task == SAMPLE_TIME) {
            sample->values = &synthetic->stopped;
            sample->value_count = 1;
        }
    }
}

static inline json_t *synthetic_machine(void)
{
    return json_pack("{s:s, s:s, s:s, s:{s:s, s:[s,s]}, s:{s:{s:{s:f,s:f,s:f,s:s},"
                     "s:{s:f,s:f,s:f,s:s}}}}",
                     "schema", "hyperion-machine-1", "key", "test-machine", "environment_digest",
                     "0123456789abcdef", "simd", "best", "avx2", "levels", "scalar", "avx2",
                     "limits", "peaks", "scalar", "gflops", 8.0, "low", 7.9, "high", 8.1,
                     "provenance", "clock", "avx2", "gflops", 128.0, "low", 126.0, "high", 130.0,
                     "provenance", "clock");
}

// `samples` timed samples a cell, at most SYNTHETIC_MOST_SAMPLES. Freed with synthetic_free.
static inline SyntheticRun *synthetic_make(size_t samples)
{
    static const Workload workload = {.name = "kernel", .uses = synthetic_uses};
    SyntheticRun *synthetic = calloc(1, sizeof *synthetic);
    if (!synthetic || samples > SYNTHETIC_MOST_SAMPLES)
        abort();
    synthetic->sweep = (PlanSweep){.name = "blocks",
                                   .workload = &workload,
                                   .settings = {.samples = (int)samples,
                                                .repetitions = 3,
                                                .min_time_ns = 2e7,
                                                .limits = limits_none()},
                                   .cell_count = SYNTHETIC_CELLS};
    (void)snprintf(synthetic->path, sizeof synthetic->path, "synthetic");
    (void)snprintf(synthetic->scenario, sizeof synthetic->scenario, "synthetic");
    (void)snprintf(synthetic->description, sizeof synthetic->description, "two levels, two blocks");
    synthetic->plan = (Plan){.scenario = synthetic->scenario,
                             .description = synthetic->description,
                             .seed = 1,
                             .sweeps = &synthetic->sweep,
                             .sweep_count = 1,
                             .cells = synthetic->cells,
                             .cell_count = SYNTHETIC_CELLS,
                             .hash = "00112233445566aa"};
    synthetic->run = (RunRecord){.path = synthetic->path,
                                 .plan = &synthetic->plan,
                                 .machine = synthetic_machine(),
                                 .samples = synthetic->samples};
    for (size_t i = 0; i < SYNTHETIC_CELLS; i++)
        synthetic_cell(synthetic, i, samples);
    if (!synthetic->run.machine)
        abort();
    return synthetic;
}

static inline void synthetic_free(SyntheticRun *synthetic)
{
    json_decref(synthetic->run.machine);
    free(synthetic);
}

// Whether a number that is none ("nan", "inf") stands in the text as a word of its own.
static inline bool synthetic_has_nan(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (at > text && isalpha((unsigned char)at[-1]))
            continue;
        char word[4] = "";
        for (size_t i = 0; i < 3 && isalpha((unsigned char)at[i]); i++)
            word[i] = (char)tolower((unsigned char)at[i]);
        if ((strcmp(word, "nan") == 0 || strcmp(word, "inf") == 0) &&
            !isalpha((unsigned char)at[3]))
            return true;
    }
    return false;
}

#endif
