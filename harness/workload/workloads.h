// SPDX-License-Identifier: Apache-2.0
// workloads.h - the workloads, for their table.
#ifndef HYP_WORKLOADS_H
#define HYP_WORKLOADS_H

#include "workload/workload.h"

extern const Workload workload_kernel;
extern const Workload workload_model;
extern const Workload workload_profile;
extern const Workload workload_loader;
extern const Workload workload_scheduler;
extern const Workload workload_planner;
extern const Workload workload_canary;

#endif
