// SPDX-License-Identifier: Apache-2.0
#include "counters/counter_trust.h"

#include "counters/known_work.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double near = 0.05;     // of the known count
static const double steady = 0.02;   // between two runs
static const double most_factor = 4; // beyond it is another thing that is counted

// Which known count each event is to count.
static const struct {
    const char *event;
    KnownCount count;
} known_events[] = {
    {"PAPI_TOT_INS", KNOWN_INSTRUCTIONS},
    {"perf.instructions", KNOWN_INSTRUCTIONS},
    {"PAPI_LD_INS", KNOWN_LOADS},
    {"PAPI_SR_INS", KNOWN_STORES},
    {"PAPI_L1_DCM", KNOWN_FIRST_LINES},
    {"L1D:REPLACEMENT", KNOWN_FIRST_LINES},
    {"perf.L1-dcache-loads", KNOWN_LOADS},
    {"perf.L1-dcache-stores", KNOWN_STORES},
    {"perf.L1-dcache-load-misses", KNOWN_FIRST_LINES},
    {"PAPI_L2_DCM", KNOWN_SECOND_LINES},
    {"L2_LINES_IN:ALL", KNOWN_SECOND_LINES},
};

const char *counter_trust_name(CounterTrust trust)
{
    static const char *const names[] = {"unchecked", "trusted", "scaled", "broken"};
    return names[trust];
}

static CounterTrust judge(double first, double second)
{
    if (fabs(first - 1) <= near && fabs(second - 1) <= near)
        return COUNTER_TRUSTED;
    const bool same = fabs(first - second) <= steady * fmax(first, second);
    return same && first >= 1 / most_factor && first <= most_factor ? COUNTER_SCALED
                                                                    : COUNTER_BROKEN;
}

// Counted / known of one run; NAN where it cannot be counted.
static bool count_once(const CounterSource *source, const char *name, KnownCount count, void *known,
                       double *factor, Problem *problem)
{
    CounterValue value = {.name = name};
    const CounterWork work = {.work = known_work_run, .context = known, .iterations = 1};
    if (!source->measure(&value, 1, &work, problem))
        return false;
    *factor = value.value / known_work_count(count);
    return true;
}

static void describe(KnownCount count, double second, CounterCheck *check)
{
    if (check->trust == COUNTER_SCALED)
        (void)snprintf(check->words, sizeof check->words, "counts %.2f times the %s that are known",
                       check->factor, known_work_name(count));
    if (check->trust == COUNTER_BROKEN)
        (void)snprintf(check->words, sizeof check->words,
                       "broken: counts %.3g and %.3g times the %s that are known", check->factor,
                       second, known_work_name(count));
}

static bool check_against(const CounterSource *source, const char *name, KnownCount count,
                          CounterCheck *check, Problem *problem)
{
    double second = NAN;
    void *known = known_work_open(count);
    if (!known)
        return problem_set(problem, "out of memory for the check of %s", name);
    known_work_run(known); // pages and caches as the next runs find them
    const bool counted =
        count_once(source, name, count, known, &check->factor, problem) &&
        (isnan(check->factor) || count_once(source, name, count, known, &second, problem));
    known_work_close(known);
    if (counted && !isnan(check->factor) && !isnan(second)) {
        check->trust = judge(check->factor, second);
        describe(count, second, check);
    }
    return counted;
}

bool counter_trust_check(const CounterSource *source, const char *name, CounterCheck *check,
                         Problem *problem)
{
    *check = (CounterCheck){.trust = COUNTER_UNCHECKED, .factor = NAN};
    for (size_t i = 0; i < sizeof known_events / sizeof known_events[0]; i++)
        if (strcmp(known_events[i].event, name) == 0)
            return check_against(source, name, known_events[i].count, check, problem);
    return true;
}
