// SPDX-License-Identifier: Apache-2.0
// fact_values.h - a workload's facts as named values of a sample, with their provenance.
#ifndef HYP_FACT_VALUES_H
#define HYP_FACT_VALUES_H

#include "record/sample.h"
#include "workload/workload.h"

// Facts that do not apply are left out; a prediction that is missing is there as unknown with its
// reason, for every cache of the topology. False: out of memory.
bool fact_values_add(const WorkloadFacts *facts, const HyperionCacheTopology *topology,
                     Sample *sample);

#endif
