// SPDX-License-Identifier: Apache-2.0
#include "report/run_machines.h"

#include "machine/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_machine(const json_t *a, const json_t *b)
{
    const char *a_key = fact_text(a, "key");
    const char *b_key = fact_text(b, "key");
    return a_key && b_key && strcmp(a_key, b_key) == 0;
}

static void place_run(RunRecord *const *runs, size_t run, RunMachines *machines)
{
    size_t machine = 0;
    while (machine < machines->count &&
           !same_machine(runs[machines->first_run[machine]]->machine, runs[run]->machine))
        machine++;
    if (machine == machines->count)
        machines->first_run[machines->count++] = run;
    machines->of_run[run] = machine;
    machines->run_count[machine]++;
}

bool run_machines_find(RunRecord *const *runs, size_t count, RunMachines *machines)
{
    *machines = (RunMachines){.of_run = calloc(count, sizeof(size_t)),
                              .first_run = calloc(count, sizeof(size_t)),
                              .run_count = calloc(count, sizeof(size_t))};
    if (!machines->of_run || !machines->first_run || !machines->run_count) {
        run_machines_clear(machines);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        place_run(runs, i, machines);
    return true;
}

void run_machines_clear(RunMachines *machines)
{
    free(machines->of_run);
    free(machines->first_run);
    free(machines->run_count);
    *machines = (RunMachines){.of_run = NULL};
}

void run_machine_describe(const json_t *machine, char *text, size_t text_bytes)
{
    const char *cpu = fact_text(json_object_get(machine, "cpu"), "model_name");
    const char *hypervisor = fact_text(json_object_get(machine, "virtualisation"), "hypervisor");
    (void)snprintf(text, text_bytes, "%.80s%s%.24s%s", cpu && cpu[0] ? cpu : "unknown CPU",
                   hypervisor ? " (virtual: " : "", hypervisor ? hypervisor : "",
                   hypervisor ? ")" : "");
}

const char *run_machine_key(const json_t *machine)
{
    const char *key = fact_text(machine, "key");
    return key ? key : "unknown";
}

void run_machines_label(const RunMachines *machines, size_t run, char *text, size_t text_bytes)
{
    const size_t machine = machines->of_run[run];
    if (machines->run_count[machine] > 1)
        (void)snprintf(text, text_bytes, "M%zu run %zu", machine + 1, run + 1);
    else
        (void)snprintf(text, text_bytes, "M%zu", machine + 1);
}
