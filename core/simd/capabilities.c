// SPDX-License-Identifier: Apache-2.0
// Bits of leaves 1 and 7: Intel SDM volume 2A, CPUID; XCR0: volume 1, chapter 13.
#include "simd/capabilities.h"

#include "platform/platform.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#if defined(__aarch64__)
#define LEVEL_1_NAME "neon"
#define LEVEL_1_FEATURES HYPERION_FEATURE_NEON
#else
#define LEVEL_1_NAME "sse41"
#define LEVEL_1_FEATURES HYPERION_FEATURE_SSE41
#endif
// The AVX-512 kernels are compiled with AVX2 and FMA allowed, so the level asks for them too.
#define LEVEL_2_FEATURES (HYPERION_FEATURE_AVX | HYPERION_FEATURE_AVX2 | HYPERION_FEATURE_FMA)
#define LEVEL_3_FEATURES                                                                           \
    (LEVEL_2_FEATURES | HYPERION_FEATURE_AVX512F | HYPERION_FEATURE_AVX512BW |                     \
     HYPERION_FEATURE_AVX512DQ | HYPERION_FEATURE_AVX512VL)

static const struct {
    const char *name;
    uint32_t features; // all are needed
    int vector_bytes;
} level_table[HYPERION_SIMD_LEVEL_COUNT] = {
    [HYPERION_SIMD_SCALAR] = {"scalar", 0, 4},
    [HYPERION_SIMD_SSE41] = {LEVEL_1_NAME, LEVEL_1_FEATURES, 16},
    [HYPERION_SIMD_AVX2] = {"avx2", LEVEL_2_FEATURES, 32},
    [HYPERION_SIMD_AVX512] = {"avx512", LEVEL_3_FEATURES, 64},
};

typedef enum CpuidWord { LEAF_1_ECX, LEAF_7_EBX, LEAF_7_ECX, LEAF_7_1_EAX, WORD_COUNT } CpuidWord;

static const struct {
    uint32_t feature;
    CpuidWord word;
    int bit;
    uint64_t saved_state; // bits of XCR0 that must be set
} feature_table[] = {
    {HYPERION_FEATURE_SSE41, LEAF_1_ECX, 19, 0},
    {HYPERION_FEATURE_AVX, LEAF_1_ECX, 28, 0x06}, // XMM and YMM
    {HYPERION_FEATURE_AVX2, LEAF_7_EBX, 5, 0x06},
    {HYPERION_FEATURE_FMA, LEAF_1_ECX, 12, 0x06},
    {HYPERION_FEATURE_F16C, LEAF_1_ECX, 29, 0x06},
    {HYPERION_FEATURE_AVX512F, LEAF_7_EBX, 16, 0xe6}, // and opmask, ZMM 0-15 high, ZMM 16-31
    {HYPERION_FEATURE_AVX512BW, LEAF_7_EBX, 30, 0xe6},
    {HYPERION_FEATURE_AVX512DQ, LEAF_7_EBX, 17, 0xe6},
    {HYPERION_FEATURE_AVX512VL, LEAF_7_EBX, 31, 0xe6},
    {HYPERION_FEATURE_AVX512_VNNI, LEAF_7_ECX, 11, 0xe6},
    {HYPERION_FEATURE_AVX512_BF16, LEAF_7_1_EAX, 5, 0xe6},
};

uint32_t hyp_simd_detect_features(void)
{
#if defined(__aarch64__)
    return HYPERION_FEATURE_NEON; // part of the architecture
#endif
    uint32_t words[WORD_COUNT] = {0};
    HypCpuidResult result;
    if (hyp_platform_cpuid(1, 0, &result))
        words[LEAF_1_ECX] = result.ecx;
    if (hyp_platform_cpuid(7, 0, &result)) {
        words[LEAF_7_EBX] = result.ebx;
        words[LEAF_7_ECX] = result.ecx;
        if (result.eax >= 1 && hyp_platform_cpuid(7, 1, &result)) // eax: highest sub-leaf
            words[LEAF_7_1_EAX] = result.eax;
    }
    const uint64_t saved = hyp_platform_xcr0();
    uint32_t features = 0;
    for (size_t i = 0; i < sizeof feature_table / sizeof feature_table[0]; i++)
        if (words[feature_table[i].word] >> feature_table[i].bit & 1 &&
            (saved & feature_table[i].saved_state) == feature_table[i].saved_state)
            features |= feature_table[i].feature;
    return features;
}

// The highest level that `limit` allows.
static int read_limit(const char *limit)
{
    for (int level = 0; limit && level < HYPERION_SIMD_LEVEL_COUNT; level++) {
        const char number[] = {(char)('0' + level), '\0'};
        if (strcmp(limit, level_table[level].name) == 0 || strcmp(limit, number) == 0)
            return level;
    }
    return HYPERION_SIMD_LEVEL_COUNT - 1;
}

uint32_t hyp_simd_levels(uint32_t features, const char *limit)
{
    uint32_t levels = 0;
    for (int level = 0; level <= read_limit(limit); level++)
        if ((features & level_table[level].features) == level_table[level].features)
            levels |= 1U << level;
    return levels;
}

HyperionSIMDCapabilities hyperionGetSIMDCapabilities(void)
{
    // Features above levels; 0 = not asked yet. Threads that ask first at once find the same.
    static _Atomic uint64_t known;
    uint64_t packed = atomic_load(&known);
    if (!packed) {
        const uint32_t found = hyp_simd_detect_features();
        packed = (uint64_t)found << 32 |
                 hyp_simd_levels(found, hyp_platform_environment("HYPERION_SIMD"));
        atomic_store(&known, packed);
    }
    const uint32_t levels = (uint32_t)packed;
    const int best = 31 - __builtin_clz(levels);
    return (HyperionSIMDCapabilities){
        .levels = levels,
        .best_level = (HyperionSIMDLevel)best,
        .best_level_name = level_table[best].name,
        .vector_bytes = level_table[best].vector_bytes,
        .features = (uint32_t)(packed >> 32),
    };
}

const char *hyperionSIMDLevelName(int level)
{
    return level >= 0 && level < HYPERION_SIMD_LEVEL_COUNT ? level_table[level].name : "unknown";
}
