// SPDX-License-Identifier: Apache-2.0
#include "run/fact_values.h"

#include <math.h>
#include <stdio.h>

typedef struct NamedValue {
    const char *name;
    double value;
    const char *unit;
    const char *provenance;
} NamedValue;

static bool add_applying(const NamedValue *values, size_t count, Sample *sample)
{
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i].value) && !sample_add_value(sample, values[i].name, values[i].value,
                                                         values[i].unit, values[i].provenance, ""))
            return false;
    return true;
}

static bool add_plain_facts(const WorkloadFacts *facts, Sample *sample)
{
    const NamedValue values[] = {
        {"flops", facts->flops, "FLOP", "model"},
        {"executed_flops", facts->executed_flops, "FLOP", "model"},
        {"bytes", facts->bytes, "B", "model"},
        {"elements", facts->elements, "", "model"},
        {"operand_bytes", facts->operand_bytes, "B", "os"},
    };
    char kernel[sizeof facts->kernel + 8];
    (void)snprintf(kernel, sizeof kernel, "kernel.%s", facts->kernel);
    return add_applying(values, sizeof values / sizeof *values, sample) &&
           (!facts->kernel[0] || sample_add_value(sample, kernel, 1, "", "model", ""));
}

static bool add_blocking(const HyperionGemmBlocking *blocking, Sample *sample)
{
    const NamedValue values[] = {
        {"mc", (double)blocking->mc, "elements", "model"},
        {"kc", (double)blocking->kc, "elements", "model"},
        {"nc", (double)blocking->nc, "elements", "model"},
        {"mr", (double)blocking->mr, "elements", "model"},
        {"nr", (double)blocking->nr, "elements", "model"},
        {"prefetch_lines", (double)blocking->prefetch_lines, "lines", "model"},
    };
    return add_applying(values, sizeof values / sizeof *values, sample);
}

static bool add_level(const HyperionCacheLevelStats *level, int number, Sample *sample)
{
    const NamedValue values[] = {
        {"accesses", (double)level->accesses, "lines", "model"},
        {"hits", (double)level->hits, "lines", "model"},
        {"misses", (double)level->misses, "lines", "model"},
        {"misses_low", (double)level->misses_low, "lines", "model"},
        {"misses_high", (double)level->misses_high, "lines", "model"},
        {"fills", (double)level->fills, "lines", "model"},
        {"write_backs", (double)level->write_backs, "lines", "model"},
        {"hit_rate", level->accesses ? level->hit_rate : (double)NAN, "", "model"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "predicted.L%d.%s", number, values[i].name);
        const NamedValue value = {name, values[i].value, values[i].unit, values[i].provenance};
        if (!add_applying(&value, 1, sample))
            return false;
    }
    return true;
}

static bool add_prediction(const HyperionCacheStats *predicted, Sample *sample)
{
    const NamedValue totals[] = {
        {"predicted.memory_read_bytes", (double)predicted->memory_read_bytes, "B", "model"},
        {"predicted.memory_write_bytes", (double)predicted->memory_write_bytes, "B", "model"},
        {"predicted.prefetches", (double)predicted->prefetches, "", "model"},
    };
    for (int i = 0; i < predicted->level_count; i++)
        if (!add_level(&predicted->levels[i], i + 1, sample))
            return false;
    return add_applying(totals, sizeof totals / sizeof *totals, sample);
}

static bool add_missing_prediction(const char *reason, int level_count, Sample *sample)
{
    for (int i = 0; i < level_count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "predicted.L%d.misses", i + 1);
        if (!sample_add_value(sample, name, NAN, "lines", "model", reason))
            return false;
    }
    return true;
}

static bool add_sizes(const HyperionCacheTopology *topology, Sample *sample)
{
    for (int i = 0; i < topology->level_count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "geometry.L%d.size_bytes", i + 1);
        const size_t size_bytes = topology->levels[i].size_bytes;
        if (size_bytes && !sample_add_value(sample, name, (double)size_bytes, "B", "model", ""))
            return false;
    }
    return true;
}

bool fact_values_add(const WorkloadFacts *facts, const HyperionCacheTopology *topology,
                     Sample *sample)
{
    return add_plain_facts(facts, sample) && add_sizes(topology, sample) &&
           (!facts->has_blocking || add_blocking(&facts->blocking, sample)) &&
           (facts->predicted.valid
                ? add_prediction(&facts->predicted, sample)
                : add_missing_prediction(facts->predicted_reason, topology->level_count, sample));
}
