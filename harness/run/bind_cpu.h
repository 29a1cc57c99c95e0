// SPDX-License-Identifier: Apache-2.0
// bind_cpu.h - the calling thread on one CPU.
#ifndef HYP_BIND_CPU_H
#define HYP_BIND_CPU_H

#include "common/problem.h"

// Binds and reads back: true means that the thread runs there now.
bool bind_to_cpu(int cpu, Problem *problem);

#endif
