// SPDX-License-Identifier: Apache-2.0
// worker_bench.h - the worker as a Google Benchmark program: all cells of a plan in one process.
#ifndef HYP_WORKER_BENCH_H
#define HYP_WORKER_BENCH_H

#define BENCH_WORKER_ARGUMENT "--bench"

// Reads {"plan", "topology", "cpus"} from standard input and the options of Google Benchmark from
// the arguments. Each cell is verified before it is timed. An exit code: 0, 1 (options, input) or 2
// (a cell failed).
int worker_bench(int argc, char **argv);

#endif
