// SPDX-License-Identifier: Apache-2.0
// facts.h - facts of a machine as JSON: a known value, or null beside "<name>_reason".
#ifndef HYP_FACTS_H
#define HYP_FACTS_H

#include <jansson.h>
#include <stdbool.h>

// Puts `value` (taken over) into `facts`. NULL for value means out of memory. Both return false
// when memory is short, so that a chain of them can be checked once.
bool fact_set(json_t *facts, const char *name, json_t *value);
__attribute__((format(printf, 3, 4))) bool fact_unknown(json_t *facts, const char *name,
                                                        const char *reason, ...);

// A text that came from outside, of any bytes.
bool fact_set_text(json_t *facts, const char *name, const char *text);

// Text of a fact for people: the value, or NULL where it is unknown.
const char *fact_text(const json_t *facts, const char *name);
const char *fact_reason(const json_t *facts, const char *name); // "" if there is none

#endif
