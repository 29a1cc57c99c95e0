// SPDX-License-Identifier: Apache-2.0
// What the CPU says of itself. Nothing else in this file: tests link a recorded CPU in its place.
#include "platform/platform.h"

#if defined(__x86_64__)
#include <cpuid.h>

bool hyp_platform_cpuid(uint32_t leaf, uint32_t subleaf, HypCpuidResult *result)
{
    return __get_cpuid_count(leaf, subleaf, &result->eax, &result->ebx, &result->ecx,
                             &result->edx) != 0;
}

uint64_t hyp_platform_xcr0(void)
{
    HypCpuidResult features;
    const uint32_t osxsave = 1U << 27; // leaf 1 ecx: without it XGETBV is an illegal instruction
    if (!hyp_platform_cpuid(1, 0, &features) || !(features.ecx & osxsave))
        return 0;
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

#else

bool hyp_platform_cpuid(uint32_t leaf, uint32_t subleaf, HypCpuidResult *result)
{
    (void)leaf;
    (void)subleaf;
    *result = (HypCpuidResult){0};
    return false;
}

uint64_t hyp_platform_xcr0(void)
{
    return 0;
}

#endif
