// SPDX-License-Identifier: Apache-2.0
// run_machines.h - the machines that several runs are from, told apart by the machine key.
#ifndef HYP_RUN_MACHINES_H
#define HYP_RUN_MACHINES_H

#include "record/run_directory.h"

enum { MACHINE_TEXT_BYTES = 160 };

typedef struct RunMachines {
    size_t *of_run;    // machine of each run; machines count from 0, in the order of the runs
    size_t *first_run; // of each machine
    size_t *run_count; // of each machine
    size_t count;
} RunMachines;

// A run whose record has no key is a machine of its own. False: out of memory, nothing to clear.
bool run_machines_find(RunRecord *const *runs, size_t count, RunMachines *machines);
void run_machines_clear(RunMachines *machines);

// "AMD EPYC (virtual: kvm)"; "unknown CPU" where the record does not tell.
void run_machine_describe(const json_t *machine, char *text, size_t text_bytes);

// The key as recorded; "unknown" where there is none.
const char *run_machine_key(const json_t *machine);

// "M2", or "M2 run 3" where the machine has several runs; runs count from 1 in what people read.
void run_machines_label(const RunMachines *machines, size_t run, char *text, size_t text_bytes);

#endif
