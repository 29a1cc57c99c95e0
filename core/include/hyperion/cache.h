// SPDX-License-Identifier: Apache-2.0
// cache.h - blocking of the loop nests for the caches, and predicted cache statistics.
#ifndef HYPERION_CACHE_H
#define HYPERION_CACHE_H

#include "hyperion/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HYPERION_MAX_CACHE_LEVELS 4

// One data or unified cache. 0 means unknown.
typedef struct HyperionCacheLevel {
    size_t size_bytes;
    int line_bytes;
    int ways;         // associativity; -1 = fully associative
    int sharing_cpus; // logical CPUs that share one instance; 1 = private
} HyperionCacheLevel;

// The data caches seen from one core, levels[0] = L1.
typedef struct HyperionCacheTopology {
    int level_count;
    HyperionCacheLevel levels[HYPERION_MAX_CACHE_LEVELS];
} HyperionCacheTopology;

// Cache optimization configuration
typedef struct {
    int block_size; // Block size for tiling: edge in elements of the square block of A that stays
                    // in L2; 0 = from the geometry (default)
    int cache_line_size;   // Cache line size in bytes; 0 = ask the machine (default)
    bool enable_prefetch;  // Whether to enable software prefetching (default true)
    int prefetch_distance; // Prefetch distance in cache lines ahead of the packed panel being read;
                           // 0 = none (default 8)
} HyperionCacheConfig;

// Which model made a prediction.
typedef enum HyperionCacheTier {
    HYPERION_CACHE_TIER_NONE,
    HYPERION_CACHE_TIER_CLOSED_FORM, // formulas over the nest's parameters; microseconds
    HYPERION_CACHE_TIER_REPLAY       // the real nest's lines through a set-associative simulator
} HyperionCacheTier;

// Which line of a full set makes room for another. Sets of more than 64 ways are LRU in any case.
typedef enum HyperionReplacement {
    HYPERION_REPLACEMENT_LRU, // least recently used (default)
    // A binary tree of bits over the ways, each pointing away from the half used last. Over a
    // number of ways that is no power of two lies the tree of the next one, whose missing leaves
    // are never chosen: a bit that points to nothing but those is followed the other way.
    HYPERION_REPLACEMENT_TREE_PLRU,
    // Two bits of age a way, as QLRU_H00_M1_R0_U1 of uops.info/cache.html, which outer caches of
    // several Intel cores follow: a hit makes the age 0, a new line has age 1, the first way of age
    // 3 goes; where none is left at 3, all others age until the oldest is.
    HYPERION_REPLACEMENT_QLRU,
    HYPERION_REPLACEMENT_COUNT
} HyperionReplacement;

// Where the pages of memory lie.
typedef enum HyperionPlacement {
    HYPERION_PLACEMENT_CONTIGUOUS,   // addresses are as in huge pages: as they are (default)
    HYPERION_PLACEMENT_RANDOM_PAGES, // each page of 4 KiB at a random place
    HYPERION_PLACEMENT_COUNT
} HyperionPlacement;

// What a geometry does not say. All 0 is the default.
typedef struct HyperionCacheAssumptions {
    HyperionReplacement replacement; // of every level
    HyperionPlacement placement;
    uint64_t placement_seed; // of random pages; the same pages again for the same seed
    // Number (2 = L2, 3 = L3) of the outermost level, where it holds only what the level before it
    // evicts, and gives a line up when that level takes it back, as AMD's L3 does. 0 = none:
    // what misses is put into every level on its way.
    int victim_level;
} HyperionCacheAssumptions;

// How to predict. All 0 is the default.
typedef struct HyperionPredictionConfig {
    HyperionCacheTier tier; // NONE = CLOSED_FORM (default)
    // Whether the same has just been done once: from what it left in the caches (default false:
    // from empty ones). By formulas, as far as arrays come back as a whole.
    bool warm;
    // Of replay: whether misses_low to misses_high spans all policies and placements, which takes
    // seven times as long (default false: both are misses). The closed form has its own interval.
    bool interval;
    // Of the replayed misses. The closed form takes LRU and contiguous pages for granted, and no
    // victim level.
    HyperionCacheAssumptions assumptions;
} HyperionPredictionConfig;

// Predicted traffic of one cache level. Counts are cache lines; accesses are line-granular touches.
// Of a level of which there are several in use, private to cores, the counts are of all together.
typedef struct HyperionCacheLevelStats {
    HyperionCacheLevel geometry;
    uint64_t accesses;
    uint64_t hits;
    uint64_t misses;
    uint64_t misses_low, misses_high; // interval of the prediction
    uint64_t fills;                   // lines brought in: by misses and by prefetch
    uint64_t write_backs;             // dirty lines evicted to the next level
    double hit_rate;                  // hits / accesses; 0 when there are no accesses
    bool shared;                      // between cores
    int instances;                    // caches of this level in use
    uint64_t busiest_accesses;        // of the one with the most fills
    uint64_t busiest_misses;
    uint64_t busiest_fills;
} HyperionCacheLevelStats;

// Predicted cache behaviour of one forward pass (or of one product) under the settings in force,
// from cold caches. Predicted, never measured.
typedef struct HyperionCacheStats {
    int level_count;
    HyperionCacheLevelStats levels[HYPERION_MAX_CACHE_LEVELS];
    uint64_t memory_read_bytes;
    uint64_t memory_write_bytes;
    uint64_t prefetches; // software prefetch instructions executed
    HyperionCacheTier tier;
    int layers_modelled; // layers the sums are over
    int layers_total;    // of the model; the difference has no prediction yet
    bool valid;          // false: the call failed, see hyperionGetLastError
} HyperionCacheStats;

// The caches of this machine as the C library knows them (sysconf); unknown fields are 0.
HyperionCacheTopology hyperionGetHostCacheTopology(void);

// Gives the model the geometry to block and predict for, for instance from hwloc; the default is
// hyperionGetHostCacheTopology. False, and nothing changed, on a NULL or running model, no level,
// or a size, line or way count that cannot be.
bool hyperionSetCacheTopology(HyperionModel *model, const HyperionCacheTopology *topology);

// Configure cache optimization. False, and nothing changed, on a NULL or running model, a negative
// field, a block size above 65536 or a line size that is not a power of two between 16 and 1024.
bool hyperionConfigureCacheOptimization(HyperionModel *model, const HyperionCacheConfig *config);

// The configuration in force. All zero, with the last error set, for a NULL model.
HyperionCacheConfig hyperionGetCacheConfiguration(const HyperionModel *model);

// Get cache statistics: predicted for one forward pass under the settings in force, as
// hyperionConfigureCachePrediction says: the next run, with the order, the memory, the packed
// weights and the bands of rows that it would have by all that is attached to the model. What
// a loader does to memory while it reads weights is left out. By formulas, on one
// thread also where the model runs on several: the sum over the layers of the formulas of
// hyperionPredictGemm for products and convolutions, and of passes over the tensors for the others,
// less what a layer finds of its memory where those before it left it. Takes microseconds a layer,
// and before the first run the milliseconds of planning it. `valid` is false, and the last error
// says why, on a NULL or running model, a geometry with a size that is not known, or where a run
// cannot be planned.
HyperionCacheStats hyperionGetCacheStats(const HyperionModel *model);

// Adds a prediction to counters that PAPI, and any tool on top of it, reads beside the hardware's:
// sde:::hyperion::L1_FILLS, and so on for L1 to L3 and ACCESSES, MISSES, FILLS, WRITE_BACKS; and
// MEMORY_READ_BYTES, MEMORY_WRITE_BYTES, PREFETCHES, CALLS (of this function). To be called once
// for each pass or kernel call that it is a prediction of, from any thread; well below a
// microsecond. They are totals since the process began, which no start of PAPI resets: subtract.
// NULL adds nothing, but makes the events known. False on statistics that are not valid, and where
// the program is not linked with PAPI's libsde (-Wl,--no-as-needed -lsde), which nothing else here
// needs.
bool hyperionPublishCacheStats(const HyperionCacheStats *stats);

// How hyperionGetCacheStats predicts. By replay, the layers of one pass are told to a simulator in
// the order they run, on as many threads as the model has, each with what those before left in the
// caches: layers that are kernels by their own loop nests, others as tensors read and written side
// by side. Weights that are in memory lie where they are, activations at their places in one piece
// of memory, all else at places of its own, each from a page on. It takes some ten times as long as
// the pass. False,
// and nothing changed, on a NULL or running model, or a tier, policy, placement or victim level
// that does not exist.
bool hyperionConfigureCachePrediction(HyperionModel *model, const HyperionPredictionConfig *config);

// The configuration in force. All zero, with the last error set, for a NULL model.
HyperionPredictionConfig hyperionGetCachePrediction(const HyperionModel *model);

// Optimize memory layout: packs the weights of products and convolutions once, in execution order,
// for the level and blocking in force, into one block of memory aligned for huge pages, so that no
// run packs them again. Where level, blocking or layers change later, the next run packs anew.
// Results are the same to the bit. It pays where a weight meets few rows or pixels: of 3 matrices
// of 1024 x 1024, packing is 46 % of the time with 8 rows, 21 % with 32 and 6 % with 256 (AVX-512,
// one core of Zen 5, weights cold; scenario perf-layout).
//
// Costs hyperionModelPackedBytes of memory (times hyperionSetWeightCopies' count) beside the
// weights themselves, which stay: about as much again as the weights that are packed, up to twice
// as much where they have few rows or columns, since panels are filled up to whole register tiles.
// A weight for which it would be more is not packed, nor are those of depthwise convolutions and of
// products with few rows, which nothing packs. Reads weights that are still in a file. False, and
// nothing changed, on a NULL or running model, a weight that cannot be read, or when out of memory;
// a run that is to pack anew can fail so too. While a memory optimizer is attached, it decides
// which weights are packed.
bool hyperionOptimizeMemoryLayout(HyperionModel *model);

// Undoes hyperionOptimizeMemoryLayout and frees its memory. False, and nothing changed, on a NULL
// or running model.
bool hyperionResetMemoryLayout(HyperionModel *model);

#ifdef __cplusplus
}
#endif
#endif
