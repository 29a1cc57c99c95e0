// SPDX-License-Identifier: Apache-2.0
#include "cache/cache_check.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "gemm/gemm_blocks.h"

#include <limits.h>

enum {
    MAX_BLOCK_SIZE = 65536,
    MIN_LINE_BYTES = 16,
    MAX_LINE_BYTES = 1024,
    DEFAULT_LINE_BYTES = 64,
    DEFAULT_L1_WAYS = 8,
    DEFAULT_OUTER_WAYS = 16,
    FULLY_ASSOCIATIVE = -1,
};

// No cache is larger than a tebibyte, no block longer than so many elements: sums of sizes below
// these cannot overflow.
static const size_t max_cache_bytes = (size_t)1 << 40;
static const size_t max_block = (size_t)1 << 48;

static bool is_possible_line(int line_bytes)
{
    return line_bytes >= MIN_LINE_BYTES && line_bytes <= MAX_LINE_BYTES &&
           (line_bytes & (line_bytes - 1)) == 0;
}

bool hyp_cache_config_is_valid(const HyperionCacheConfig *config)
{
    if (config->block_size < 0 || config->block_size > MAX_BLOCK_SIZE)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache configuration: block_size 0 to %d, given %d", MAX_BLOCK_SIZE,
                        config->block_size);
    if (config->prefetch_distance < 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache configuration: prefetch_distance 0 or more, given %d",
                        config->prefetch_distance);
    if (config->cache_line_size != 0 && !is_possible_line(config->cache_line_size))
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache configuration: cache_line_size 0 or a power of two from %d to %d, "
                        "given %d",
                        MIN_LINE_BYTES, MAX_LINE_BYTES, config->cache_line_size);
    return true;
}

static bool level_is_valid(const HyperionCacheLevel *level, int number)
{
    if (level->line_bytes != 0 && !is_possible_line(level->line_bytes))
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache topology: L%d line_bytes a power of two from %d to %d, given %d",
                        number, MIN_LINE_BYTES, MAX_LINE_BYTES, level->line_bytes);
    if (level->size_bytes > max_cache_bytes)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache topology: L%d size_bytes at most %zu, given %zu", number,
                        max_cache_bytes, level->size_bytes);
    const size_t line = level->line_bytes ? (size_t)level->line_bytes : MIN_LINE_BYTES;
    if (level->size_bytes != 0 && level->size_bytes < line)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache topology: L%d of %zu bytes is smaller than one line of %zu", number,
                        level->size_bytes, line);
    if (level->ways < FULLY_ASSOCIATIVE)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache topology: L%d ways -1 (fully associative), 0 (unknown) or more, "
                        "given %d",
                        number, level->ways);
    if (level->size_bytes != 0 && level->ways > 0 && (size_t)level->ways > level->size_bytes / line)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache topology: L%d has %zu lines, fewer than its %d ways", number,
                        level->size_bytes / line, level->ways);
    if (level->sharing_cpus < 0)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache topology: L%d sharing_cpus 0 or more, given %d", number,
                        level->sharing_cpus);
    return true;
}

bool hyp_cache_topology_is_valid(const HyperionCacheTopology *topology)
{
    if (topology->level_count < 1 || topology->level_count > HYPERION_MAX_CACHE_LEVELS)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "cache topology: 1 to %d levels, given %d",
                        HYPERION_MAX_CACHE_LEVELS, topology->level_count);
    for (int i = 0; i < topology->level_count; i++)
        if (!level_is_valid(&topology->levels[i], i + 1))
            return false;
    return true;
}

// Line size of the first level that knows one.
static int find_line_bytes(const HyperionCacheTopology *topology)
{
    for (int i = 0; i < topology->level_count; i++)
        if (topology->levels[i].line_bytes)
            return topology->levels[i].line_bytes;
    return DEFAULT_LINE_BYTES;
}

bool hyp_cache_topology_complete(const HyperionCacheTopology *topology,
                                 HyperionCacheTopology *complete)
{
    if (!hyp_cache_topology_is_valid(topology))
        return false;
    HyperionCacheTopology result = *topology;
    const int line_bytes = find_line_bytes(topology);
    for (int i = 0; i < result.level_count; i++) {
        HyperionCacheLevel *level = &result.levels[i];
        if (level->size_bytes == 0)
            return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                            "cache prediction: the size of L%d is not known", i + 1);
        if (level->line_bytes == 0)
            level->line_bytes = line_bytes;
        if (level->line_bytes != line_bytes)
            return hyp_fail(HYPERION_ERROR_UNSUPPORTED,
                            "cache prediction: lines of one size on all levels, given %d and %d",
                            line_bytes, level->line_bytes);
        const size_t lines = level->size_bytes / (size_t)line_bytes;
        if (lines == 0)
            return hyp_fail(HYPERION_ERROR_ARGUMENT,
                            "cache topology: L%d of %zu bytes is smaller than one line of %d",
                            i + 1, level->size_bytes, line_bytes);
        if (level->ways == 0)
            level->ways = i == 0 ? DEFAULT_L1_WAYS : DEFAULT_OUTER_WAYS;
        if (level->ways > 0 && (size_t)level->ways > lines)
            level->ways = (int)lines;
    }
    *complete = result;
    return true;
}

bool hyp_cache_assumptions_are_valid(const HyperionCacheAssumptions *assumptions, int level_count)
{
    const HyperionCacheAssumptions *a = assumptions;
    if ((unsigned)a->replacement >= HYPERION_REPLACEMENT_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "cache assumptions: replacement 0 to %d, given %d",
                        HYPERION_REPLACEMENT_COUNT - 1, (int)a->replacement);
    if ((unsigned)a->placement >= HYPERION_PLACEMENT_COUNT)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "cache assumptions: placement 0 to %d, given %d",
                        HYPERION_PLACEMENT_COUNT - 1, (int)a->placement);
    if (a->victim_level != 0 && (a->victim_level < 2 || a->victim_level != level_count))
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "cache assumptions: victim_level 0 or that of the outermost of several "
                        "levels, given %d of %d",
                        a->victim_level, level_count);
    return true;
}

int hyp_cache_level_cores(const HyperionCacheTopology *topology, int level)
{
    enum { LAST_PRIVATE = 1 }; // L2, as far as is unknown
    const int own = topology->levels[level].sharing_cpus;
    const int first = topology->levels[0].sharing_cpus;
    if (level == 0)
        return 1;
    if (own == 0 || first == 0)
        return level <= LAST_PRIVATE ? 1 : INT_MAX;
    return own > first ? own / first : 1;
}

// rows x columns floats, rounded up to whole tiles of a packed copy, fit the address space.
static bool array_fits(size_t rows, size_t row_step, size_t columns, size_t column_step)
{
    size_t rounded_rows, rounded_columns, elements, bytes;
    return hyp_size_round_up(rows, row_step, &rounded_rows) &&
           hyp_size_round_up(columns, column_step, &rounded_columns) &&
           hyp_size_multiply(rounded_rows, rounded_columns, &elements) &&
           hyp_size_multiply(elements, 4 * sizeof(float), &bytes);
}

bool hyp_cache_gemm_is_valid(const HyperionGemmShape *shape, const HyperionGemmBlocking *blocking)
{
    const HyperionGemmBlocking *b = blocking;
    if (!b->mr || !b->nr || !b->mc || !b->kc || !b->nc || b->mc % b->mr || b->nc % b->nr ||
        b->mc > max_block || b->kc > max_block || b->nc > max_block)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "gemm blocking: mc a multiple of mr, nc of nr, all from 1 to %zu; given mc "
                        "%zu kc %zu nc %zu mr %zu nr %zu",
                        max_block, b->mc, b->kc, b->nc, b->mr, b->nr);
    if (!array_fits(shape->m, b->mr, shape->k, 1) || !array_fits(shape->k, 1, shape->n, b->nr) ||
        !array_fits(shape->m, b->mr, shape->n, b->nr))
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "gemm shape: %zu x %zu x %zu floats pass the address space", shape->m,
                        shape->n, shape->k);
    return true;
}

bool hyp_cache_gemm_arguments(const HyperionGemmShape *shape, const HyperionGemmBlocking *blocking,
                              const HyperionCacheTopology *topology,
                              HyperionCacheTopology *complete)
{
    if (!shape || !blocking || !topology)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "cache prediction: %s is NULL",
                        !shape      ? "shape"
                        : !blocking ? "blocking"
                                    : "topology");
    return hyp_cache_gemm_is_valid(shape, blocking) &&
           hyp_cache_topology_complete(topology, complete);
}

uint64_t hyp_cache_gemm_prefetches(const HyperionGemmShape *shape,
                                   const HyperionGemmBlocking *blocking)
{
    if (blocking->prefetch_lines == 0)
        return 0;
    enum { LINE_FLOATS = 16 };
    const HypGemmArgs args = {.m = shape->m, .n = shape->n, .k = shape->k, .blocking = *blocking};
    const uint64_t depth = gemm_blocks(&args).kc;
    const uint64_t panels = gemm_quotient_up(shape->m, blocking->mr);
    const uint64_t slivers = gemm_quotient_up(shape->n, blocking->nr);
    const uint64_t blocks = depth ? shape->k / depth : 0;
    const uint64_t steps = blocking->mr < LINE_FLOATS ? LINE_FLOATS / blocking->mr : 1;
    const uint64_t of_a = blocks * (depth / steps) + (shape->k - blocks * depth) / steps;
    const uint64_t of_row = shape->n / blocking->nr * gemm_quotient_up(blocking->nr, LINE_FLOATS) +
                            gemm_quotient_up(shape->n % blocking->nr, LINE_FLOATS);
    return panels * slivers * of_a + (blocks + (blocks * depth < shape->k)) * shape->m * of_row;
}
