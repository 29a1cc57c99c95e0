// SPDX-License-Identifier: Apache-2.0
// emulated_region.h - the function by whose name callgrind knows what to count.
#ifndef HYP_EMULATED_REGION_H
#define HYP_EMULATED_REGION_H

#define EMULATED_REGION_NAME "emulated_region"

// Calls run(context) once. In a file of its own and linked by name, so that no compiler merges it
// with its caller or renames it.
void emulated_region(void (*run)(void *context), void *context);

#endif
