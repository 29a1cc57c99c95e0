// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cli/workplace.h"

#include "cli/command.h"
#include "common/clock.h"
#include "common/installation.h"
#include "machine/doctor.h"
#include "machine/machine.h"
#include "run/interrupt.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool workplace_set_seed(Plan *plan, const char *text, Problem *problem)
{
    char *end = NULL;
    errno = 0;
    const long long seed = strtoll(text, &end, 10);
    if (errno || end == text || *end || seed < 0)
        return problem_set(problem, "--seed: expected an integer from 0 to 2^63 - 1, given '%s'",
                           text);
    plan_set_seed(plan, (uint64_t)seed);
    return true;
}

bool workplace_find_worker(Workplace *place, Problem *problem)
{
    return installation_program("hyperion-worker", place->worker, sizeof place->worker, problem);
}

bool workplace_meets_profile(Workplace *place, const Plan *plan, bool force, int *code,
                             Problem *problem)
{
    size_t profile = 0;
    char fatal[1024];
    if (!plan->required_profile)
        return true;
    if (!doctor_find_profile(plan->required_profile, &profile, problem))
        return false;
    place->examination = doctor_examine("", profile, problem);
    if (!place->examination)
        return false;
    if (doctor_is_trustworthy(place->examination))
        return true;
    doctor_name_fatal(place->examination, fatal, sizeof fatal);
    if (force) {
        (void)fprintf(stderr, "measuring although profile %s is not met: %s\n",
                      doctor_profiles[profile], fatal);
        return true;
    }
    *code = EXIT_INCONCLUSIVE;
    return problem_set(problem,
                       "%s requires profile %s, which this machine does not meet: %s; `hyperion "
                       "doctor --profile %s` tells why and what to do, --force measures all the "
                       "same",
                       plan->scenario, doctor_profiles[profile], fatal, doctor_profiles[profile]);
}

// Frequency now, of the first CPU that tells; NAN unknown.
static json_t *read_mhz(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    double mhz = 0;
    while (file && mhz <= 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "cpu MHz : %lf", &mhz) != 1)
            mhz = 0;
    if (file)
        (void)fclose(file);
    return mhz > 0 ? json_integer((json_int_t)(mhz + 0.5)) : json_null();
}

static json_t *describe_start(const Workplace *place)
{
    double load[3];
    json_t *average = json_null();
    if (getloadavg(load, 3) == 3)
        average = json_pack("[f, f, f]", load[0], load[1], load[2]);
    return json_pack("{s:s, s:f, s:o, s:o, s:s, s:O*}", "host_name", place->host, "started_unix_s",
                     clock_unix_s(), "mhz_per_cpu", read_mhz(), "load_average", average, "worker",
                     "hyperion-worker", "doctor", place->examination);
}

bool workplace_describe(Workplace *place, Problem *problem)
{
    Problem reason = {0};
    place->machine = machine_describe(&place->topology_xml, problem);
    if (!place->machine || !machine_cache_topology(&place->topology, problem))
        return false;
    if (json_is_null(json_object_get(place->machine, "limits"))) {
        (void)fprintf(stderr, "measuring peaks (once per machine) ...\n");
        json_t *limits = machine_measure_limits(LIMITS_PEAKS, &reason);
        if (!limits || !machine_set_limits(place->machine, limits))
            (void)fprintf(stderr, "no peaks: %s\n", reason.text);
        json_decref(limits);
    }
    if (gethostname(place->host, sizeof place->host - 1) != 0)
        place->host[0] = '\0';
    place->cpu_count = machine_worker_cpus(place->cpus, HYPERION_MAX_THREADS);
    return json_object_set_new(place->machine, "run", describe_start(place)) == 0 ||
           problem_set(problem, "out of memory");
}

static void launch(void *context, const char *request, const LaunchLimits *limits, WorkerEnd *end)
{
    worker_launch(context, request, limits, end);
}

static double read_clock(void *context)
{
    (void)context;
    return clock_monotonic_ns();
}

static bool was_interrupted(void *context)
{
    (void)context;
    return interrupt_requested();
}

RunnerTools workplace_tools(char *worker)
{
    return (RunnerTools){launch, read_clock, was_interrupted, worker};
}

void workplace_clear(Workplace *place)
{
    json_decref(place->machine);
    json_decref(place->examination);
    free(place->topology_xml);
    *place = (Workplace){0};
}
