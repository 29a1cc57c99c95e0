// SPDX-License-Identifier: Apache-2.0
// simd_facts.h - the SIMD levels of this machine, or of a captured one by its CPU flags.
#ifndef HYP_SIMD_FACTS_H
#define HYP_SIMD_FACTS_H

#include <jansson.h>

// {"levels": ["scalar", ...], "best", "vector_bytes", "features": [...]}. NULL: out of memory.
json_t *simd_facts(const char *root);

#endif
