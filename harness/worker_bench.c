// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "worker_bench.h"

#include "cli/command.h"
#include "hyperion/parallel.h"
#include "machine/machine.h"
#include "run/bind_cpu.h"
#include "run/cell_request.h"
#include "run/gbench_bridge.h"
#include "run/memory_policy.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Bench {
    Plan *plan;
    TopologyCpu cpus[HYPERION_MAX_THREADS];
    RequestGround ground;
    cpu_set_t unbound; // where the process may run
    // One cell is open at a time, as long as it is asked for again.
    const Cell *open_cell;
    void *context;
    bool failed;
} Bench;

typedef struct BenchCell {
    Bench *bench;
    const Cell *cell;
    Problem problem;
} BenchCell;

static void close_cell(Bench *bench)
{
    if (bench->open_cell && bench->context)
        bench->open_cell->workload->close(bench->context);
    bench->open_cell = NULL;
    bench->context = NULL;
}

static bool place(const Bench *bench, const WorkerRequest *request, Problem *problem)
{
    if (!memory_policy_apply(request->cell.values, problem))
        return false;
    if (request->cpu_count > 0)
        return bind_to_cpu(request->cpus[0], problem);
    return sched_setaffinity(0, sizeof bench->unbound, &bench->unbound) == 0 ||
           problem_set(problem, "leave the CPU of the cell before: not permitted");
}

static bool open_cell(BenchCell *owner)
{
    Bench *bench = owner->bench;
    const Cell *cell = owner->cell;
    static WorkerRequest request; // 4 KiB of CPUs, which the open workload keeps
    if (bench->open_cell == cell)
        return bench->context != NULL;
    close_cell(bench);
    bench->open_cell = cell;
    if (!cell_request(&bench->ground, cell, SAMPLE_TIME, 1, &request, &owner->problem) ||
        !place(bench, &request, &owner->problem))
        return false;
    const WorkloadMachine machine = {.topology = request.topology,
                                     .seed = request.seed,
                                     .cpus = request.cpus,
                                     .cpu_count = request.cpu_count,
                                     .keeps_cold = true};
    bench->context = cell->workload->open(cell, &machine, &owner->problem);
    if (!bench->context)
        return false;
    if (cell->workload->verify(bench->context, &owner->problem))
        return true;
    cell->workload->close(bench->context);
    bench->context = NULL;
    return false;
}

static void add_rate(GbenchBody *body, const char *name, double per_iteration)
{
    if (!(per_iteration > 0))
        return;
    body->rates[body->rate_count].name = name;
    body->rates[body->rate_count++].per_iteration = per_iteration;
}

static void open_case(void *owner, GbenchBody *body)
{
    BenchCell *cell = owner;
    Bench *bench = cell->bench;
    if (!open_cell(cell)) {
        bench->failed = true;
        body->error = cell->problem.text;
        return;
    }
    const WorkloadFacts facts = cell->cell->workload->facts(bench->context);
    body->timed = (TimedBody){.prepare = cell->cell->workload->prepare,
                              .run = cell->cell->workload->run,
                              .context = bench->context};
    add_rate(body, "flops", facts.flops);
    add_rate(body, "bytes", facts.bytes);
    add_rate(body, "elements", facts.elements);
}

static bool read_cpus(const json_t *cpus, Bench *bench, Problem *problem)
{
    bench->ground.cpus = bench->cpus;
    return machine_cpus_from_json(cpus, bench->cpus, HYPERION_MAX_THREADS, &bench->ground.cpu_count,
                                  problem);
}

static bool read_input(Bench *bench, Problem *problem)
{
    json_error_t error;
    json_t *json = json_loadfd(STDIN_FILENO, 0, &error);
    if (!json)
        return problem_set(problem, "bench: standard input: %s", error.text);
    bench->plan = plan_from_json(json_object_get(json, "plan"), problem);
    const bool read = bench->plan &&
                      machine_topology_from_json(json_object_get(json, "topology"),
                                                 &bench->ground.topology, problem) &&
                      read_cpus(json_object_get(json, "cpus"), bench, problem);
    if (read)
        bench->ground.seed = bench->plan->seed;
    json_decref(json);
    return read;
}

static int run_cells(Bench *bench, int argc, char **argv, Problem *problem)
{
    const size_t count = bench->plan->cell_count;
    BenchCell *cells = calloc(count + 1, sizeof *cells);
    GbenchCase *cases = calloc(count + 1, sizeof *cases);
    int code = EXIT_USAGE;
    if (cells && cases) {
        for (size_t i = 0; i < count; i++) {
            cells[i] = (BenchCell){.bench = bench, .cell = &bench->plan->cells[i]};
            cases[i] = (GbenchCase){bench->plan->cells[i].id, open_case, &cells[i]};
        }
        if (gbench_main(argc, argv, cases, count, "hyperion_bench", "1"))
            code = bench->failed ? EXIT_CELL : EXIT_OK;
        close_cell(bench);
    } else {
        (void)problem_set(problem, "bench: out of memory for %zu cells", count);
    }
    free(cells);
    free(cases);
    return code;
}

int worker_bench(int argc, char **argv)
{
    static char name[] = "hyperion bench"; // in the messages of Google Benchmark
    static Bench bench;
    Problem problem = {0};
    int code = EXIT_USAGE;
    argv[0] = name;
    if (sched_getaffinity(0, sizeof bench.unbound, &bench.unbound) != 0)
        (void)problem_set(&problem, "bench: the CPUs of this process are unknown");
    else if (read_input(&bench, &problem))
        code = run_cells(&bench, argc, argv, &problem);
    plan_free(bench.plan);
    return problem.text[0] ? command_fail(code, &problem) : code;
}
