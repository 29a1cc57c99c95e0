// SPDX-License-Identifier: Apache-2.0
#include "scheduler/chain_table.h"

#include "common/fail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Points looked at in all, about a second's worth, and the fewest a curve may keep.
enum { MOST_WORK = 1 << 27, FEWEST_POINTS = 64 };

typedef struct Builder {
    HypChainTable *table;
    size_t most_bytes;
    HypChainCurve best, option, merged; // room for points of any curve before it is thinned
    size_t room;
} Builder;

static HypChainCurve *curve_of(const HypChainTable *table, int first, int last)
{
    return &table->curves[(size_t)first * ((size_t)table->chain->length + 1) + (size_t)last];
}

static size_t larger_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool reserve(Builder *builder, size_t count)
{
    if (count <= builder->room)
        return true;
    HypChainCurve *const curves[] = {&builder->best, &builder->option, &builder->merged, NULL};
    for (HypChainCurve *const *curve = curves; *curve; curve++) {
        HypChainPoint *points = realloc((*curve)->points, count * sizeof *points);
        if (!points)
            return hyp_fail(HYPERION_ERROR_MEMORY, "plan checkpoints: out of memory for %zu points",
                            count);
        (*curve)->points = points;
    }
    builder->room = count;
    return true;
}

// Bytes must not fall from one call to the next.
static void append(HypChainCurve *curve, HypChainPoint point)
{
    HypChainPoint *last = curve->count ? &curve->points[curve->count - 1] : NULL;
    if (last && point.time >= last->time)
        return;
    if (last && point.bytes == last->bytes)
        *last = point;
    else
        curve->points[curve->count++] = point;
}

// The lower of best and option, into best.
static bool merge_option(Builder *builder)
{
    const HypChainCurve a = builder->best;
    const HypChainCurve b = builder->option;
    if (b.count == 0)
        return true;
    if (!reserve(builder, a.count + b.count))
        return false;
    builder->merged.count = 0;
    for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
        const HypChainPoint *left = &builder->best.points[i];
        const HypChainPoint *right = &builder->option.points[j];
        const bool take_left = j == b.count || (i < a.count && left->bytes <= right->bytes);
        append(&builder->merged, take_left ? *left : *right);
        i += take_left;
        j += !take_left;
    }
    const HypChainCurve merged = builder->merged;
    builder->merged = builder->best;
    builder->best = merged;
    return true;
}

static void add_option(Builder *builder, size_t bytes, double time, int checkpoint)
{
    if (bytes <= builder->most_bytes)
        append(&builder->option, (HypChainPoint){bytes, time, checkpoint});
}

// The first stage keeps all that its backward step needs, and the rest is reversed beside it.
static bool try_keep_all(Builder *builder, int first, int last)
{
    const HyperionChain *chain = builder->table->chain;
    const HypChainCurve *rest = curve_of(builder->table, first + 1, last);
    const size_t saved = chain->saved_bytes[first];
    const size_t forward =
        saved + hyp_chain_gradient(chain, last) + hyp_chain_saving_extra(chain, first);
    const size_t backward =
        saved + hyp_chain_gradient(chain, first) + chain->backward_extra_bytes[first];
    const double time = chain->forward_time[first] + chain->backward_time[first];
    builder->option.count = 0;
    if (!reserve(builder, rest->count))
        return false;
    for (size_t i = 0; i < rest->count; i++)
        add_option(builder, larger_of(rest->points[i].bytes + saved, larger_of(forward, backward)),
                   rest->points[i].time + time, 0);
    return merge_option(builder);
}

// Stages first..next - 1 run forward, the input of `next` becomes a checkpoint; what is behind it
// is reversed, then what is before it.
static bool try_checkpoint(Builder *builder, int first, int next, int last, size_t sweep_bytes,
                           double sweep_time)
{
    const HypChainCurve *behind = curve_of(builder->table, next, last);
    const HypChainCurve *before = curve_of(builder->table, first, next - 1);
    const size_t kept = builder->table->chain->activation_bytes[next - 1];
    builder->option.count = 0;
    if (behind->count == 0 || before->count == 0)
        return true;
    if (!reserve(builder, behind->count + before->count))
        return false;
    for (size_t i = 0, j = 0; i < behind->count && j < before->count;) {
        const HypChainPoint *a = &behind->points[i];
        const HypChainPoint *b = &before->points[j];
        add_option(builder, larger_of(larger_of(a->bytes + kept, b->bytes), sweep_bytes),
                   sweep_time + a->time + b->time, next);
        // The one whose next point comes first; past its last point a curve stays as it is.
        const bool more_behind = i + 1 < behind->count;
        const bool more_before = j + 1 < before->count;
        if (more_behind && (!more_before || a[1].bytes + kept <= b[1].bytes))
            i++;
        else if (more_before)
            j++;
        else
            break;
    }
    return merge_option(builder);
}

static bool try_checkpoints(Builder *builder, int first, int last)
{
    const HyperionChain *chain = builder->table->chain;
    size_t sweep_bytes = 0;
    double sweep_time = 0;
    for (int next = first + 1; next <= last; next++) {
        const int stage = next - 1;
        const size_t read = stage > first ? chain->activation_bytes[stage - 1] : 0;
        sweep_bytes = larger_of(sweep_bytes, read + chain->activation_bytes[stage] +
                                                 chain->forward_extra_bytes[stage] +
                                                 hyp_chain_gradient(chain, last));
        sweep_time += chain->forward_time[stage];
        if (sweep_bytes > builder->most_bytes)
            break;
        if (!try_checkpoint(builder, first, next, last, sweep_bytes, sweep_time))
            return false;
    }
    return true;
}

static bool try_single(Builder *builder, int stage)
{
    const HyperionChain *chain = builder->table->chain;
    const size_t extra =
        larger_of(hyp_chain_saving_extra(chain, stage), chain->backward_extra_bytes[stage]);
    builder->option.count = 0;
    if (!reserve(builder, 1))
        return false;
    add_option(builder, chain->saved_bytes[stage] + hyp_chain_gradient(chain, stage) + extra,
               chain->forward_time[stage] + chain->backward_time[stage], 0);
    return merge_option(builder);
}

// Best, thinned where it is too long: the ends stay, so that what can be done at all, and the
// least time, are as before.
static bool keep_curve(Builder *builder, HypChainCurve *curve)
{
    HypChainTable *table = builder->table;
    const size_t found = builder->best.count;
    const size_t count = found < table->most_points ? found : table->most_points;
    if (count == 0)
        return true;
    curve->points = malloc(count * sizeof *curve->points);
    if (!curve->points)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan checkpoints: out of memory for %zu points",
                        count);
    curve->count = count;
    if (count < found)
        table->exact = false;
    for (size_t i = 0; i < count; i++)
        curve->points[i] = builder->best.points[count < found ? i * (found - 1) / (count - 1) : i];
    return true;
}

static bool fill(Builder *builder)
{
    const int length = builder->table->chain->length;
    for (int more = 0; more < length; more++) {
        for (int first = 1; first + more <= length; first++) {
            const int last = first + more;
            builder->best.count = 0;
            const bool tried = more == 0 ? try_single(builder, first)
                                         : try_keep_all(builder, first, last) &&
                                               try_checkpoints(builder, first, last);
            if (!tried || !keep_curve(builder, curve_of(builder->table, first, last)))
                return false;
        }
    }
    return true;
}

bool hyp_chain_table_create(HypChainTable *table, const HyperionChain *chain, size_t most_bytes)
{
    const size_t length = (size_t)chain->length;
    const size_t few =
        MOST_WORK / (length * length * length + 1); // length^3 / 6 merges of 4 curves
    *table = (HypChainTable){.chain = chain, .exact = true};
    table->most_points = larger_of(few, FEWEST_POINTS);
    table->curves = calloc((length + 1) * (length + 1), sizeof *table->curves);
    if (!table->curves)
        return hyp_fail(HYPERION_ERROR_MEMORY, "plan checkpoints: out of memory for %zu stages",
                        length);
    Builder builder = {.table = table, .most_bytes = most_bytes};
    const bool filled = fill(&builder);
    free(builder.best.points);
    free(builder.option.points);
    free(builder.merged.points);
    if (!filled)
        hyp_chain_table_free(table);
    return filled;
}

void hyp_chain_table_free(HypChainTable *table)
{
    const size_t side = table->curves ? (size_t)table->chain->length + 1 : 0;
    for (size_t i = 0; i < side * side; i++)
        free(table->curves[i].points);
    free(table->curves);
    table->curves = NULL;
}

const HypChainCurve *hyp_chain_table_whole(const HypChainTable *table)
{
    return curve_of(table, 1, table->chain->length);
}

// Recursion ends with one stage: it is at most as deep as the chain is long.
static void add_part(const HypChainTable *table, int first, int last, size_t bytes,
                     HypChainSteps *steps)
{
    while (true) {
        const HypChainCurve *curve = curve_of(table, first, last);
        size_t at = 0;
        while (at + 1 < curve->count && curve->points[at + 1].bytes <= bytes)
            at++;
        assert(at < curve->count && curve->points[at].bytes <= bytes);
        const int next = curve->points[at].checkpoint;
        if (next == 0) {
            hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD_KEEP_ALL, first, first);
            if (first < last)
                add_part(table, first + 1, last, bytes - table->chain->saved_bytes[first], steps);
            hyp_chain_steps_add(steps, HYPERION_CHAIN_BACKWARD, first, first);
            return;
        }
        hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD_KEEP_INPUT, first, first);
        hyp_chain_steps_add(steps, HYPERION_CHAIN_FORWARD, first + 1, next - 1);
        add_part(table, next, last, bytes - table->chain->activation_bytes[next - 1], steps);
        last = next - 1;
    }
}

void hyp_chain_table_add_steps(const HypChainTable *table, size_t bytes, HypChainSteps *steps)
{
    add_part(table, 1, table->chain->length, bytes, steps);
}
