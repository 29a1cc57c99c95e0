// SPDX-License-Identifier: Apache-2.0
// cell_request.h - what a worker is asked to do for a cell of a plan.
#ifndef HYP_CELL_REQUEST_H
#define HYP_CELL_REQUEST_H

#include "machine/topology.h"
#include "run/protocol.h"

// What the requests of one run have in common.
typedef struct RequestGround {
    uint64_t seed;                  // of the plan
    HyperionCacheTopology topology; // of one core, for cells of geometry `here`
    const TopologyCpu *cpus;        // that workers can be bound to, best first
    size_t cpu_count;
} RequestGround;

// `iterations` of the cell's pilot; only tasks with loops carry them. Borrows from the cell. False,
// and the reason, where this machine cannot place the cell as its axes say, or the caches that its
// axis geometry names cannot be read.
bool cell_request(const RequestGround *ground, const Cell *cell, SampleTask task,
                  uint64_t iterations, WorkerRequest *request, Problem *problem);

#endif
