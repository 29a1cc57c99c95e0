// SPDX-License-Identifier: Apache-2.0
// simulate.h - blocking and cache prediction as pure functions, without a model: for tools.
#ifndef HYPERION_SIMULATE_H
#define HYPERION_SIMULATE_H

#include "hyperion/cache.h"
#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// C[m x n] = A[m x k] B[k x n], f32, row-major; b_transposed: B is stored n x k.
typedef struct HyperionGemmShape {
    size_t m, n, k;
    bool b_transposed;
} HyperionGemmShape;

// The blocking that `config` resolves to for the gemm kernel of `level` (0..3, clamped to what the
// library was built with) on `topology`. config->block_size 0 chooses from the geometry, following
// the analytical model of Low et al., "Analytical Modeling Is Enough for High-Performance BLIS",
// ACM TOMS 43(2), 2016. False, and *blocking unchanged, on NULL or values out of range.
bool hyperionResolveGemmBlocking(const HyperionGemmShape *shape, const HyperionCacheConfig *config,
                                 const HyperionCacheTopology *topology, int level,
                                 HyperionGemmBlocking *blocking);

// Predicted cache statistics of that product from cold caches, by formulas over the nest's
// parameters: each stream of lines (source and packed copy of A and of B, C) with what the nest
// touches before it comes back to a line (Mattson et al., "Evaluation Techniques for Storage
// Hierarchies", IBM Systems Journal 9(2), 1970), and how that spreads over the sets. Some tens of
// microseconds, whatever the size.
//
// Assumed: every level true LRU, write-allocate, write-back, neither inclusive nor exclusive; one
// thread alone in all levels; A, B, C and the packed copies contiguous in physical memory in this
// order, each from the next multiple of 4096 bytes on (levels of more than 4096 sets: at random to
// one another); an access is one touch of a line by a register of the level whose kernel has the
// blocking's register tile; lines that are still dirty at the end are not written back; misses
// count every line brought in, by software prefetch too: compare fills where there is any. Ways
// unknown: 8 in L1, 16 further out. misses_low to misses_high holds 90 % of what replay gave for a
// large set of seeded calls. `valid` is false, and the last error says why, where it cannot answer.
HyperionCacheStats hyperionPredictGemm(const HyperionGemmShape *shape,
                                       const HyperionGemmBlocking *blocking,
                                       const HyperionCacheTopology *topology);

// The same by telling a HyperionSimulator of one thread, with default assumptions, of every touch
// of the real nest of the kernel that has the blocking's register tile: at some ten times the
// duration of the product. A, B, C and the packed copies lie in this order, each from the next
// multiple of 4096 bytes on. `valid` is false also where no kernel of the build has that tile.
HyperionCacheStats hyperionReplayGemm(const HyperionGemmShape *shape,
                                      const HyperionGemmBlocking *blocking,
                                      const HyperionCacheTopology *topology);

// Predicted cache statistics of one call of a kernel: for programs that are built with the table of
// kernels (kernels/kernel_table.h), such as the harness. `args` as the kernel takes them: of its
// pointers only the places count, so that they are those of real operands, or any that are as far
// apart (but see hyp_kernel_touch on depthwise2d), and of `parallel` the number of threads.
// config NULL = all 0. Replay tells a simulator of every touch of the loop nest of that variant, at
// some ten times the duration of the call; assumed is what HyperionSimulator says. `valid` is
// false, and the last error says why, where it cannot answer.
struct HypKernelVariant;
union HypKernelArgs;
HyperionCacheStats hyperionPredictKernel(const struct HypKernelVariant *variant,
                                         const union HypKernelArgs *args,
                                         const HyperionCacheTopology *topology,
                                         const HyperionPredictionConfig *config);

// Caches that are told, touch by touch, what a program does to memory: exact for the geometry and
// the assumptions. Write-allocate and write-back; a line that loses its place in one level keeps
// its copies in others, which makes it neither inclusive nor exclusive (but see victim_level). A
// dirty line that leaves a level makes its copy in the next level that has one dirty, without being
// used there; where none has, it goes to memory. Lines still dirty at the end are in no count. Set
// = line number modulo sets; a level whose size is no whole number of sets is cut to one that is.
//
// With several threads, each on a core of its own: L1 is private, with all logical CPUs that it
// serves; an outer level is shared by as many cores as it serves times as many CPUs as L1 does, and
// where either number is unknown (0) L2 is private and what is further out shared by all. A write
// takes the line out of other cores' private levels; a read makes them write it back.
typedef struct HyperionSimulator HyperionSimulator;

// Empty caches for `threads` (1 to HYPERION_MAX_THREADS) threads; assumptions NULL = all 0. NULL,
// and the last error says why, on NULL, a geometry that cannot be or with an unknown size,
// assumptions that cannot be, or when out of memory. Unknown ways: 8 in L1, 16 further out. Not for
// use by two threads at once. The caller frees.
HyperionSimulator *hyperionCreateSimulator(const HyperionCacheTopology *topology, int threads,
                                           const HyperionCacheAssumptions *assumptions);
void hyperionFreeSimulator(HyperionSimulator *simulator); // NULL is allowed

// The current thread touches `bytes` (may be 0) bytes from `address`: every line that holds one of
// them, in ascending order. What a thread does to one line in a row is one access if it
// reads or writes, two if it reads and then writes. Takes some nanoseconds.
void hyperionSimulatorTouch(HyperionSimulator *simulator, uintptr_t address, size_t bytes,
                            HyperionTouch kind);

// A parallel-for for kernels whose touches the simulator is told of: tasks run one after another in
// the calling thread, task i as the simulator's thread i. Where threads share a level, it sees
// their touches merged as if all had made them at the same pace. Good for as long as the simulator.
HyperionParallel hyperionSimulatorParallel(HyperionSimulator *simulator);

// Empties the caches, as the first touch finds them; what is dirty is dropped, and counted nowhere.
void hyperionSimulatorEmpty(HyperionSimulator *simulator);

// Sets the counters to 0 and keeps the contents: what follows is counted from warm caches.
void hyperionSimulatorResetCounters(HyperionSimulator *simulator);

// Counts so far: misses_low = misses_high = misses, tier REPLAY, no layers. All zero and not valid,
// with the last error set, on NULL.
HyperionCacheStats hyperionSimulatorStats(const HyperionSimulator *simulator);

#ifdef __cplusplus
}
#endif
#endif
