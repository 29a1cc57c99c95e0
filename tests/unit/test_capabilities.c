// SPDX-License-Identifier: Apache-2.0
// test_capabilities.c - SIMD levels of recorded CPUs: this file stands in for platform/cpu_query.c.
#define _POSIX_C_SOURCE 200809L
#include "platform/platform.h"
#include "simd/capabilities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct FakeCpu {
    uint32_t leaf_1_ecx, leaf_7_ebx, leaf_7_ecx, leaf_7_1_eax;
    uint32_t highest_leaf;
    uint64_t xcr0;
} FakeCpu;

static FakeCpu cpu;

// The words of a Zen 5 and of older machines, cut to the bits that matter here.
#define ECX_SSE41 (1U << 19)
#define ECX_FMA (1U << 12)
#define ECX_AVX (1U << 28)
#define ECX_F16C (1U << 29)
#define EBX_AVX2 (1U << 5)
#define EBX_AVX512 (1U << 16 | 1U << 17 | 1U << 30 | 1U << 31)
#define XCR0_SSE 0x03
#define XCR0_AVX 0x07
#define XCR0_AVX512 0xe7

static const FakeCpu zen5 = {.leaf_1_ecx = ECX_SSE41 | ECX_FMA | ECX_AVX | ECX_F16C,
                             .leaf_7_ebx = EBX_AVX2 | EBX_AVX512,
                             .leaf_7_ecx = 1U << 11,
                             .leaf_7_1_eax = 1U << 5,
                             .highest_leaf = 16,
                             .xcr0 = XCR0_AVX512};

bool hyp_platform_cpuid(uint32_t leaf, uint32_t subleaf, HypCpuidResult *result)
{
    *result = (HypCpuidResult){0};
    if (leaf > cpu.highest_leaf)
        return false;
    if (leaf == 1)
        result->ecx = cpu.leaf_1_ecx;
    if (leaf == 7 && subleaf == 0)
        *result = (HypCpuidResult){
            .eax = cpu.leaf_7_1_eax ? 1 : 0, .ebx = cpu.leaf_7_ebx, .ecx = cpu.leaf_7_ecx};
    if (leaf == 7 && subleaf == 1)
        result->eax = cpu.leaf_7_1_eax;
    return true;
}

uint64_t hyp_platform_xcr0(void)
{
    return cpu.xcr0;
}

static uint32_t levels_of(FakeCpu fake, const char *limit)
{
    cpu = fake;
    return hyp_simd_levels(hyp_simd_detect_features(), limit);
}

static void every_level_is_offered_where_cpu_and_system_have_it(void **state)
{
    (void)state;
    assert_int_equal(levels_of(zen5, NULL), 0xf);
    assert_true(hyp_simd_detect_features() & HYPERION_FEATURE_AVX512_VNNI);
    assert_true(hyp_simd_detect_features() & HYPERION_FEATURE_AVX512_BF16);
}

static void avx512_needs_its_registers_saved(void **state)
{
    (void)state;
    FakeCpu fake = zen5;
    for (int bit = 5; bit <= 7; bit++) {
        fake.xcr0 = XCR0_AVX512 & ~(1U << bit);
        assert_int_equal(levels_of(fake, NULL), 0x7);
        assert_false(hyp_simd_detect_features() & HYPERION_FEATURE_AVX512F);
    }
}

static void avx_needs_its_registers_saved(void **state)
{
    (void)state;
    FakeCpu fake = zen5;
    fake.xcr0 = XCR0_SSE;
    assert_int_equal(levels_of(fake, NULL), 0x3);
    fake.xcr0 = 0; // no OSXSAVE
    assert_int_equal(levels_of(fake, NULL), 0x3);
    assert_int_equal(hyp_simd_detect_features(), HYPERION_FEATURE_SSE41);
}

static void level_needs_all_its_extensions(void **state)
{
    (void)state;
    FakeCpu no_fma = zen5;
    no_fma.leaf_1_ecx &= ~ECX_FMA;
    assert_int_equal(levels_of(no_fma, NULL), 0x3);
    for (int bit = 16; bit <= 31; bit++) {
        if (!(EBX_AVX512 >> bit & 1))
            continue;
        FakeCpu part = zen5; // Xeon Phi has F but not BW, DQ, VL
        part.leaf_7_ebx &= ~(1U << bit);
        assert_int_equal(levels_of(part, NULL), 0x7);
    }
}

static void cpu_without_leaf_7_is_sse41_at_most(void **state)
{
    (void)state;
    FakeCpu old = zen5;
    old.highest_leaf = 6;
    assert_int_equal(levels_of(old, NULL), 0x3);
    old.highest_leaf = 0;
    assert_int_equal(levels_of(old, NULL), 0x1);
}

static void limit_is_a_name_or_a_number(void **state)
{
    (void)state;
    assert_int_equal(levels_of(zen5, "scalar"), 0x1);
    assert_int_equal(levels_of(zen5, "sse41"), 0x3);
    assert_int_equal(levels_of(zen5, "2"), 0x7);
    assert_int_equal(levels_of(zen5, "avx512"), 0xf);
    assert_int_equal(levels_of(zen5, "4"), 0xf);
    assert_int_equal(levels_of(zen5, "avx"), 0xf);
    assert_int_equal(levels_of(zen5, ""), 0xf);
}

static void level_names_end_at_their_range(void **state)
{
    (void)state;
    assert_string_equal(hyperionSIMDLevelName(0), "scalar");
    assert_string_equal(hyperionSIMDLevelName(3), "avx512");
    assert_string_equal(hyperionSIMDLevelName(-1), "unknown");
    assert_string_equal(hyperionSIMDLevelName(4), "unknown");
}

static void capabilities_and_environment_are_those_of_the_first_call(void **state)
{
    (void)state;
    cpu = zen5;
    cpu.xcr0 = XCR0_AVX;
    assert_int_equal(setenv("HYPERION_SIMD", "sse41", 1), 0);
    const HyperionSIMDCapabilities first = hyperionGetSIMDCapabilities();
    assert_int_equal(first.best_level, HYPERION_SIMD_SSE41);
    assert_string_equal(first.best_level_name, "sse41");
    assert_int_equal(first.vector_bytes, 16);
    assert_int_equal(first.levels, 0x3);
    assert_true(first.features & HYPERION_FEATURE_AVX2); // of the CPU, whatever is asked for
    cpu = zen5;
    assert_int_equal(unsetenv("HYPERION_SIMD"), 0);
    assert_int_equal(hyperionGetSIMDCapabilities().levels, 0x3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_offered_where_cpu_and_system_have_it),
        cmocka_unit_test(avx512_needs_its_registers_saved),
        cmocka_unit_test(avx_needs_its_registers_saved),
        cmocka_unit_test(level_needs_all_its_extensions),
        cmocka_unit_test(cpu_without_leaf_7_is_sse41_at_most),
        cmocka_unit_test(limit_is_a_name_or_a_number),
        cmocka_unit_test(level_names_end_at_their_range),
        cmocka_unit_test(capabilities_and_environment_are_those_of_the_first_call),
    };
    return cmocka_run_group_tests_name("capabilities", tests, NULL, NULL);
}
