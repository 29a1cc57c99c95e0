// SPDX-License-Identifier: Apache-2.0
// judge.h - whether a timed sample was taken within the limits of its scenario.
#ifndef HYP_JUDGE_H
#define HYP_JUDGE_H

#include "record/sample.h"
#include "scenario/limits.h"

// Fills rejection and excess of a good timed sample. `highest_ghz`: of the cell's samples before
// it, NAN when there are none. What is unknown is not held against it.
void judge_sample(const SampleLimits *limits, double highest_ghz, Sample *sample);

// The higher of the frequencies before and after the loops; NAN unknown.
double judge_highest_ghz(const Sample *sample);

#endif
