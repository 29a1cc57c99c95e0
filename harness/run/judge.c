// SPDX-License-Identifier: Apache-2.0
#include "run/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// fmin and fmax ignore a NAN beside a number.
double judge_highest_ghz(const Sample *sample)
{
    return fmax(sample_value(sample, "frequency_before"), sample_value(sample, "frequency_after"));
}

static double find_drop(const Sample *sample, double highest_ghz)
{
    const double lowest_ghz =
        fmin(sample_value(sample, "frequency_before"), sample_value(sample, "frequency_after"));
    return highest_ghz > 0 ? fmax(1 - lowest_ghz / highest_ghz, 0) : (double)NAN;
}

static double known_or_nan(long count)
{
    return count < 0 ? (double)NAN : (double)count;
}

static void measure(const Sample *sample, double highest_ghz, double values[LIMIT_COUNT])
{
    values[LIMIT_OTHER_CPUS] = sample_value(sample, "other_cpus");
    values[LIMIT_STEAL] = sample_value(sample, "steal");
    values[LIMIT_VOLUNTARY_SWITCHES] = known_or_nan(sample->voluntary_switches);
    values[LIMIT_INVOLUNTARY_SWITCHES] = known_or_nan(sample->involuntary_switches);
    values[LIMIT_MINOR_FAULTS] = known_or_nan(sample->minor_faults);
    values[LIMIT_MAJOR_FAULTS] = known_or_nan(sample->major_faults);
    values[LIMIT_FREQUENCY_DROP] = find_drop(sample, highest_ghz);
    values[LIMIT_THROTTLE_EVENTS] = sample_value(sample, "throttle_events");
}

// "steal 3% (limit 1%)", after what is there.
static void name_breach(LimitId id, double value, double most, Sample *sample)
{
    char given[32];
    char limit[32];
    const size_t used = strlen(sample->rejection);
    limit_format(id, value, given, sizeof given);
    limit_format(id, most, limit, sizeof limit);
    (void)snprintf(sample->rejection + used, sizeof sample->rejection - used, "%s%s %s (limit %s)",
                   used ? ", " : "", limit_table[id].key, given, limit);
}

void judge_sample(const SampleLimits *limits, double highest_ghz, Sample *sample)
{
    double values[LIMIT_COUNT];
    sample->rejection[0] = '\0';
    sample->excess = 0;
    if (!sample->ok || sample->task != SAMPLE_TIME)
        return;
    measure(sample, fmax(highest_ghz, judge_highest_ghz(sample)), values);
    for (LimitId id = 0; id < LIMIT_COUNT; id++) {
        const double most = limits->most[id];
        if (!(values[id] > most)) // false as well where either is unknown
            continue;
        name_breach(id, values[id], most, sample);
        // Beyond a limit of 0 every excess would be infinite: those are ranked by the value.
        sample->excess = fmax(sample->excess, most > 0 ? values[id] / most : 1 + values[id]);
    }
}
