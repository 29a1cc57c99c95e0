// SPDX-License-Identifier: Apache-2.0
// verdict.h - what a worker's end says about its sample.
#ifndef HYP_VERDICT_H
#define HYP_VERDICT_H

#include "run/launch.h"
#include "run/protocol.h"

// Fills everything of the sample but cell, round and task, which the caller set; timed samples
// and canaries get the disturbance as values. Whatever is not a whole, fitting answer of a process
// that ended well is a failed sample with its reason.
void verdict_take(const WorkerEnd *end, const WorkerRequest *request, const LaunchLimits *limits,
                  Sample *sample);

// A sample that no worker was asked for: failed, for that reason, now.
void verdict_refuse(SampleTask task, const Problem *refusal, Sample *sample);

#endif
