// SPDX-License-Identifier: Apache-2.0
// stream_trace.h - closed forms of cache traffic against passes through the simulator.
#ifndef HYP_TEST_STREAM_TRACE_H
#define HYP_TEST_STREAM_TRACE_H

#include "cache/cache_stats.h"
#include "cache/stream_ops.h"
#include "hyperion/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const HyperionCacheTopology machine = {2, {{49152, 64, 12, 1}, {524288, 64, 16, 1}}};

// Tensors one after another, each from the next page on.
typedef struct Trace {
    HyperionSimulator *simulator;
    uint64_t end;
} Trace;

static inline uint64_t place(Trace *trace, size_t floats)
{
    const uint64_t start = (trace->end + 4095) / 4096 * 4096;
    trace->end = start + floats * 4;
    return start;
}

static inline void touch(const Trace *trace, uint64_t tensor, size_t first, size_t count,
                         bool write)
{
    hyperionSimulatorTouch(trace->simulator, tensor + first * 4, count * 4,
                           write ? HYPERION_TOUCH_WRITE : HYPERION_TOUCH_READ);
}

static inline Trace start_trace(void)
{
    return (Trace){.simulator = hyperionCreateSimulator(&machine, 1, NULL), .end = 4096};
}

static inline HyperionCacheStats finish_trace(Trace *trace)
{
    const HyperionCacheStats stats = hyperionSimulatorStats(trace->simulator);
    hyperionFreeSimulator(trace->simulator);
    return stats;
}

typedef HypClosedForm Formula;

static inline HypAccount *start_formula(Formula *formula)
{
    hyp_closed_form_start(formula, &machine);
    return &formula->account;
}

// Within 2 % or 40 lines; write-backs within 5 % or 700 (what is dirty at the end hangs on how two
// streams share the sets).
static inline void assert_near(uint64_t predicted, uint64_t traced, uint64_t percent,
                               uint64_t lines)
{
    const uint64_t distance = predicted > traced ? predicted - traced : traced - predicted;
    if (distance * 100 > traced * percent && distance > lines)
        fail_msg("predicted %llu, traced %llu", (unsigned long long)predicted,
                 (unsigned long long)traced);
}

static inline void assert_agrees(const Formula *formula, Trace *trace)
{
    const HyperionCacheStats traced = finish_trace(trace);
    const HyperionCacheStats predicted = hyp_closed_form_stats(formula, &machine);
    assert_near(predicted.levels[0].accesses, traced.levels[0].accesses, 2, 40);
    for (int l = 0; l < machine.level_count; l++) {
        assert_near(predicted.levels[l].misses, traced.levels[l].misses, 2, 40);
        assert_near(predicted.levels[l].write_backs, traced.levels[l].write_backs, 5, 700);
    }
}

// The same, within other shares of the accesses and of the misses.
static inline void assert_close(const Formula *formula, Trace *trace, uint64_t access_percent,
                                uint64_t miss_percent)
{
    const HyperionCacheStats traced = finish_trace(trace);
    const HyperionCacheStats predicted = hyp_closed_form_stats(formula, &machine);
    assert_near(predicted.levels[0].accesses, traced.levels[0].accesses, access_percent, 40);
    for (int l = 0; l < machine.level_count; l++)
        assert_near(predicted.levels[l].misses, traced.levels[l].misses, miss_percent, 200);
}

#endif
