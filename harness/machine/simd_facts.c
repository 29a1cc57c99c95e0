// SPDX-License-Identifier: Apache-2.0
#include "machine/simd_facts.h"

#include "hyperion/simd.h"
#include "machine/facts.h"
#include "machine/host_facts.h"

#include <stdio.h>

// Names as the kernel lists them among a CPU's flags.
static const struct {
    uint32_t feature;
    const char *flag;
} feature_names[] = {
    {HYPERION_FEATURE_SSE41, "sse4_1"},
    {HYPERION_FEATURE_AVX, "avx"},
    {HYPERION_FEATURE_AVX2, "avx2"},
    {HYPERION_FEATURE_FMA, "fma"},
    {HYPERION_FEATURE_F16C, "f16c"},
    {HYPERION_FEATURE_AVX512F, "avx512f"},
    {HYPERION_FEATURE_AVX512BW, "avx512bw"},
    {HYPERION_FEATURE_AVX512DQ, "avx512dq"},
    {HYPERION_FEATURE_AVX512VL, "avx512vl"},
    {HYPERION_FEATURE_AVX512_VNNI, "avx512_vnni"},
    {HYPERION_FEATURE_AVX512_BF16, "avx512_bf16"},
    {HYPERION_FEATURE_NEON, "asimd"},
};

enum { AVX2_FEATURES = HYPERION_FEATURE_AVX2 | HYPERION_FEATURE_FMA };

// What each level asks of a CPU, beside what the level below asks.
static const struct {
    const char *name;
    uint32_t features;
    int vector_bytes;
} captured_levels[] = {
    {"sse41", HYPERION_FEATURE_SSE41, 16},
    {"neon", HYPERION_FEATURE_NEON, 16},
    {"avx2", AVX2_FEATURES, 32},
    {"avx512",
     AVX2_FEATURES | HYPERION_FEATURE_AVX512F | HYPERION_FEATURE_AVX512BW |
         HYPERION_FEATURE_AVX512DQ | HYPERION_FEATURE_AVX512VL,
     64},
};

typedef struct SimdFound {
    const char *names[HYPERION_SIMD_LEVEL_COUNT + 1];
    size_t count;
    int vector_bytes;
    uint32_t features;
} SimdFound;

static SimdFound ask_library(void)
{
    const HyperionSIMDCapabilities capabilities = hyperionGetSIMDCapabilities();
    SimdFound found = {.vector_bytes = capabilities.vector_bytes,
                       .features = capabilities.features};
    for (int level = 0; level < HYPERION_SIMD_LEVEL_COUNT; level++)
        if (capabilities.levels >> level & 1U)
            found.names[found.count++] = hyperionSIMDLevelName(level);
    return found;
}

static SimdFound read_flags(const char *root)
{
    SimdFound found = {.names = {"scalar"}, .count = 1, .vector_bytes = 4};
    for (size_t i = 0; i < sizeof feature_names / sizeof feature_names[0]; i++)
        if (host_cpu_has_flag(root, feature_names[i].flag))
            found.features |= feature_names[i].feature;
    for (size_t i = 0; i < sizeof captured_levels / sizeof captured_levels[0]; i++)
        if ((found.features & captured_levels[i].features) == captured_levels[i].features) {
            found.names[found.count++] = captured_levels[i].name;
            found.vector_bytes = captured_levels[i].vector_bytes;
        }
    return found;
}

static json_t *describe_unknown(void)
{
    static const char *const names[] = {"levels", "best", "vector_bytes", "features"};
    json_t *facts = json_object();
    for (size_t i = 0; facts && i < sizeof names / sizeof names[0]; i++)
        if (!fact_unknown(facts, names[i], "/proc/cpuinfo lists no flags of the CPU")) {
            json_decref(facts);
            return NULL;
        }
    return facts;
}

json_t *simd_facts(const char *root)
{
    if (root[0] && !host_cpu_tells_flags(root))
        return describe_unknown();
    const SimdFound found = root[0] ? read_flags(root) : ask_library();
    json_t *facts = json_object();
    json_t *levels = json_array();
    json_t *features = json_array();
    bool ok = facts && levels && features;
    for (size_t i = 0; ok && i < found.count; i++)
        ok = json_array_append_new(levels, json_string(found.names[i])) == 0;
    for (size_t i = 0; ok && i < sizeof feature_names / sizeof feature_names[0]; i++)
        if (found.features & feature_names[i].feature)
            ok = json_array_append_new(features, json_string(feature_names[i].flag)) == 0;
    ok = ok && json_object_set(facts, "levels", levels) == 0 &&
         fact_set(facts, "best", json_string(found.names[found.count - 1])) &&
         fact_set(facts, "vector_bytes", json_integer(found.vector_bytes)) &&
         json_object_set(facts, "features", features) == 0;
    json_decref(levels);
    json_decref(features);
    if (ok)
        return facts;
    json_decref(facts);
    return NULL;
}
