// SPDX-License-Identifier: Apache-2.0
// build_facts.h - compiler, flags and commit of this program.
#ifndef HYP_BUILD_FACTS_H
#define HYP_BUILD_FACTS_H

#include <jansson.h>

// {"version", "compiler", "build_type", "flags", "kernel_flags": {"avx2": ...}, "sanitizers",
// "commit", "modified"}. NULL: out of memory.
json_t *build_facts(void);

#endif
