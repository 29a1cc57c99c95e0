// SPDX-License-Identifier: Apache-2.0
// model_memory.h - what a model takes: planned by its optimizer, held by the process.
#ifndef HYP_MODEL_MEMORY_H
#define HYP_MODEL_MEMORY_H

#include "workload/model_context.h"

struct Sample;

// To be called before the workload allocates anything, and when it is ready to run.
void model_memory_begin(ModelContext *context);
void model_memory_settle(ModelContext *context);

// Adds memory.{peak anonymous}_bytes (os): above `idle`, less `copy_bytes`. `is_of_runs`: the
// largest was forgotten before the first. False: out of memory.
bool model_memory_add_measured(const Resident *idle, size_t copy_bytes, bool is_of_runs,
                               struct Sample *sample);

// Adds memory.{planned lower_bound naive least most weight packed activation workspace}_bytes and
// memory.predicted_time (model) of a model that has an optimizer, memory.{peak anonymous}_bytes
// (os) of any. False: out of memory.
bool model_memory_add(const ModelContext *context, struct Sample *sample);

#endif
