// SPDX-License-Identifier: Apache-2.0
// other_load.h - what everybody but the worker does with the CPUs while a sample is taken: the
// usual reason for times that cannot be believed.
#ifndef HYP_OTHER_LOAD_H
#define HYP_OTHER_LOAD_H

// CPU time of the whole machine since it started, with what the hypervisor took; NAN unknown. In
// steps of 10 ms.
double other_load_busy_ns(void);

// CPUs that others kept busy: of the busy time between two calls of the above, what the worker's
// own CPU time does not explain, over the wall clock. NAN unknown, never negative.
double other_load_cpus(double busy_before_ns, double busy_after_ns, double worker_cpu_ns,
                       double wall_ns);

#endif
