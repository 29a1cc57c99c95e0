// SPDX-License-Identifier: Apache-2.0
// conditions.h - what the machine does beside the worker while a sample is taken: the usual reasons
// for times that cannot be believed.
#ifndef HYP_CONDITIONS_H
#define HYP_CONDITIONS_H

#include <stddef.h>

// Counted since the machine started; NAN unknown. CPU times are in steps of 10 ms.
typedef struct Conditions {
    double busy_ns;         // of all CPUs, with what the hypervisor took
    double stolen_ns;       // by the hypervisor, of the CPUs watched
    double throttle_events; // of the CPUs watched and of their packages
    size_t watched;         // CPUs that the last two are of
} Conditions;

// Reads /proc and /sys below `root` ("" = this machine). `cpus`: those to watch; with count 0 all
// that are online.
Conditions conditions_read(const char *root, const int *cpus, size_t cpu_count);

// What happened between two readings of the same CPUs; NAN unknown, never negative.
typedef struct Disturbance {
    double other_cpus;      // CPUs that others kept busy: what the worker's time does not explain
    double steal;           // share of the watched CPUs' time that the hypervisor took
    double throttle_events; // more than before
} Disturbance;

Disturbance conditions_between(const Conditions *before, const Conditions *after,
                               double worker_cpu_ns, double wall_ns);

// Why a machine does not tell, for the members of a disturbance that are NAN.
#define CONDITIONS_NO_LOAD "/proc/stat does not tell"
#define CONDITIONS_NO_THROTTLE "no thermal_throttle under /sys/devices/system/cpu"

#endif
