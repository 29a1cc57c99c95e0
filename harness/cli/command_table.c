// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

extern const Command command_baseline;
extern const Command command_bench;
extern const Command command_cache;
extern const Command command_compare;
extern const Command command_doctor;
extern const Command command_list;
extern const Command command_machine;
extern const Command command_merge;
extern const Command command_model;
extern const Command command_plan;
extern const Command command_plot;
extern const Command command_report;
extern const Command command_run;
extern const Command command_solve;
extern const Command command_verify;

const Command *const command_table[] = {
    &command_machine, &command_doctor, &command_list,    &command_plan,
    &command_verify,  &command_cache,  &command_run,     &command_bench,
    &command_report,  &command_plot,   &command_compare, &command_baseline,
    &command_merge,   &command_model,  &command_solve,   NULL,
};
