// SPDX-License-Identifier: Apache-2.0
#include <hyperion/hyperion.h>

#include <stdio.h>

int main(void)
{
    const HyperionSIMDCapabilities simd = hyperionGetSIMDCapabilities();
    return printf("%s, %d-byte vectors\n", simd.best_level_name, simd.vector_bytes) < 0;
}
