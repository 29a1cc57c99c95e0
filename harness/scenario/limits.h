// SPDX-License-Identifier: Apache-2.0
// limits.h - what may happen beside a timed sample before it is no measurement any more: one table
// of limits for scenario, plan file, hash and judge.
#ifndef HYP_LIMITS_H
#define HYP_LIMITS_H

#include "common/problem.h"
#include "scenario/yaml_tree.h"

#include <jansson.h>
#include <stdint.h>

typedef enum LimitId {
    LIMIT_OTHER_CPUS,           // CPUs that others kept busy
    LIMIT_STEAL,                // share of the time that the hypervisor took
    LIMIT_VOLUNTARY_SWITCHES,   // during the timed loops
    LIMIT_INVOLUNTARY_SWITCHES, // likewise
    LIMIT_MINOR_FAULTS,         // likewise
    LIMIT_MAJOR_FAULTS,         // likewise
    LIMIT_FREQUENCY_DROP,       // below the highest frequency of the cell so far, as a share of it
    LIMIT_THROTTLE_EVENTS,      // while the worker lived
    LIMIT_COUNT
} LimitId;

typedef struct Limit {
    const char *key;
    bool is_share; // 0.01 or 1%; at most 1
    const char *help;
} Limit;

extern const Limit limit_table[LIMIT_COUNT];

// The greatest value that is still accepted; NAN = no limit.
typedef struct SampleLimits {
    double most[LIMIT_COUNT];
} SampleLimits;

SampleLimits limits_none(void);
bool limits_are_none(const SampleLimits *limits);

// From a scenario: a map "key: value", or "none". What stands there replaces what was.
bool limits_read(const char *name, const TreeNode *node, SampleLimits *limits, Problem *problem);

// An object of the limits that there are; and back, where NULL is none.
json_t *limits_to_json(const SampleLimits *limits);
bool limits_from_json(const json_t *json, SampleLimits *limits, Problem *problem);

// `hash` continued over the limits that there are.
uint64_t limits_hash(const SampleLimits *limits, uint64_t hash);

// The value as people read it: "0.1", "5%".
void limit_format(LimitId id, double value, char *buffer, size_t buffer_bytes);

#endif
