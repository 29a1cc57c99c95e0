// SPDX-License-Identifier: Apache-2.0
#include "cache/blocking.h"

#include "cache/cache_check.h"
#include "common/fail.h"
#include "gemm/gemm_blocks.h"
#include "kernel_table.h"

// What is assumed of a level whose size is unknown: the smallest of the last decade's cores.
enum {
    ASSUMED_L1_BYTES = 32 * 1024,
    ASSUMED_L1_WAYS = 8,
    ASSUMED_L2_BYTES = 256 * 1024,
};

enum {
    // Depth in whole lines of a 4-byte row of 16, and even for kernels unrolled by up to 8.
    KC_STEP = 8,
    // Less depth than this costs more in reads and writes of C, once a block of depth, than it
    // saves
    // in panels of A that stay in L1: with tiles of wide vectors L2 feeds those panels well enough.
    // scenarios/perf-gemm.yaml on a Zen 5 (48 KiB L1), 14 x 32 tile, 2048^3: 187 GFLOP/s at 205,
    // 200 at 384, 203 at 512; below 1024^3 no difference.
    LEAST_KC = 448,
    // Half of L2 for the block of A: with 4 KiB pages at random places, larger working sets miss
    // up to 4 times as often (design/field-notes.md, "Simulated counts").
    L2_SHARE = 2,
    // Half of this core's part of L3 for the panel of B; the rest for C and the block of A.
    L3_SHARE = 2,
    // Columns of B where L3 or its sharing is unknown, and the most in any case: past this the
    // packing of A, once per panel of B, is below 1 % of the traffic.
    MAX_NC = 4096,
    // NC = 8 x block_size: the panel of B is to the outer cache what the block of A is to L2.
    NC_PER_BLOCK = 8,
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t divide_up(size_t value, size_t divisor)
{
    return value / divisor + (value % divisor != 0);
}

// Greatest positive multiple of `step` that is at most `value`; `step` when there is none.
static size_t round_down(size_t value, size_t step)
{
    return larger(value / step, 1) * step;
}

// The multiple of `step` nearest to `value`, at least `step`.
static size_t round_nearest(size_t value, size_t step)
{
    return larger((value + step / 2) / step, 1) * step;
}

// `extent` rounded up to whole steps, and at least one.
static size_t round_problem(size_t extent, size_t step)
{
    return larger(divide_up(extent, step), 1) * step;
}

// What the nest makes of a limit: blocks of equal size, so that none is a sliver.
static size_t balance(size_t extent, size_t limit, size_t step)
{
    return larger(gemm_even_block(extent, limit, step), step);
}

// Low et al. 2016, section 4.1: of W ways, one is left to C and the others are divided between the
// micro-panels of A (mr x kc) and B (nr x kc) in proportion mr : nr, in whole ways; but see
// LEAST_KC.
static size_t choose_kc(const HyperionCacheLevel *l1, size_t mr, size_t nr)
{
    const size_t ways = l1->ways > 1 ? (size_t)l1->ways : ASSUMED_L1_WAYS;
    const size_t size_bytes = l1->size_bytes ? l1->size_bytes : ASSUMED_L1_BYTES;
    const size_t way_bytes = size_bytes / ways;
    const size_t ways_of_a = (ways - 1) * mr / (mr + nr);
    // Too few ways for whole ones: by bytes.
    const size_t kc = ways_of_a > 0 ? ways_of_a * way_bytes / (mr * sizeof(float))
                                    : (ways - 1) * way_bytes / ((mr + nr) * sizeof(float));
    return larger(round_down(kc, KC_STEP), LEAST_KC);
}

static size_t choose_mc(const HyperionCacheTopology *topology, size_t kc, size_t mr)
{
    size_t l2_bytes = ASSUMED_L2_BYTES;
    if (topology->level_count > 1 && topology->levels[1].size_bytes)
        l2_bytes = topology->levels[1].size_bytes;
    return round_down(l2_bytes / L2_SHARE / (kc * sizeof(float)), mr);
}

static size_t choose_nc(const HyperionCacheTopology *topology, size_t kc, size_t nr)
{
    size_t columns = MAX_NC;
    if (topology->level_count > 2) {
        const HyperionCacheLevel *l3 = &topology->levels[2];
        if (l3->size_bytes && l3->sharing_cpus > 0)
            columns = smaller(columns, l3->size_bytes / (size_t)l3->sharing_cpus / L3_SHARE /
                                           (kc * sizeof(float)));
    }
    return round_down(columns, nr);
}

HyperionGemmBlocking hyp_blocking_resolve(const HyperionGemmShape *shape,
                                          const HyperionCacheConfig *config,
                                          const HyperionCacheTopology *topology, size_t mr,
                                          size_t nr)
{
    HyperionGemmBlocking blocking = {.mr = mr, .nr = nr};
    if (config->enable_prefetch)
        blocking.prefetch_lines = (size_t)config->prefetch_distance;
    if (config->block_size > 0) {
        const size_t edge = (size_t)config->block_size;
        blocking.mc = smaller(round_nearest(edge, mr), round_problem(shape->m, mr));
        blocking.kc = smaller(edge, round_problem(shape->k, 1));
        blocking.nc = smaller(round_nearest(NC_PER_BLOCK * edge, nr), round_problem(shape->n, nr));
        return blocking;
    }
    const size_t kc = choose_kc(&topology->levels[0], mr, nr);
    blocking.kc = balance(shape->k, kc, 1);
    blocking.mc = balance(shape->m, choose_mc(topology, blocking.kc, mr), mr);
    blocking.nc = balance(shape->n, choose_nc(topology, blocking.kc, nr), nr);
    return blocking;
}

bool hyperionResolveGemmBlocking(const HyperionGemmShape *shape, const HyperionCacheConfig *config,
                                 const HyperionCacheTopology *topology, int level,
                                 HyperionGemmBlocking *blocking)
{
    if (!shape || !config || !topology || !blocking)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "gemm blocking: %s is NULL",
                        !shape      ? "shape"
                        : !config   ? "config"
                        : !topology ? "topology"
                                    : "blocking");
    if (level < 0 || level >= HYPERION_SIMD_LEVEL_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "gemm blocking: SIMD level 0 to %d, given %d",
                        HYPERION_SIMD_LEVEL_COUNT - 1, level);
    if (!hyp_cache_config_is_valid(config))
        return false;
    // A geometry of which nothing is known still has a blocking: every level has an assumption.
    if (topology->level_count != 0 && !hyp_cache_topology_is_valid(topology))
        return false;
    const HypKernelVariant *kernel = hyp_kernel_find(HYP_OP_GEMM, (HyperionSIMDLevel)level);
    if (!kernel)
        return hyp_fail(HYPERION_ERROR_UNSUPPORTED, "gemm blocking: no gemm kernel in this build");
    const HyperionGemmBlocking tile = {
        .mc = kernel->mr, .kc = 1, .nc = kernel->nr, .mr = kernel->mr, .nr = kernel->nr};
    if (!hyp_cache_gemm_is_valid(shape, &tile)) // before sizes are rounded up, which could wrap
        return false;
    *blocking = hyp_blocking_resolve(shape, config, topology, kernel->mr, kernel->nr);
    return true;
}
