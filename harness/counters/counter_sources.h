// SPDX-License-Identifier: Apache-2.0
// counter_sources.h - the sources that the table lists, and what they share.
#ifndef HYP_COUNTER_SOURCES_H
#define HYP_COUNTER_SOURCES_H

#include "counters/counters.h"

extern const CounterSource counter_source_papi;
extern const CounterSource counter_source_perf;
extern const CounterSource counter_source_os;
extern const CounterSource counter_source_sim;
extern const CounterSource counter_source_callgrind;
extern const CounterSource counter_source_replay;

// Makes the value unavailable for that reason.
void counter_value_refuse(CounterValue *value, const char *reason);

#endif
