// SPDX-License-Identifier: Apache-2.0
#include "cache/carried.h"

#include "cache/layer_traffic.h"
#include "common/fail.h"
#include "model/layer_op.h"

#include <math.h>
#include <stdlib.h>

bool hyp_carried_open(HypCarried *carried, const HyperionModel *model, double line_bytes)
{
    *carried = (HypCarried){.model = model, .line_bytes = line_bytes};
    carried->tensors = calloc((size_t)model->tensor_count + 1, sizeof *carried->tensors);
    carried->data = calloc((size_t)model->tensor_count + 1, sizeof *carried->data);
    return (carried->tensors && carried->data) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "get cache statistics: out of memory for %d tensors",
                    model->tensor_count);
}

void hyp_carried_close(HypCarried *carried)
{
    free(carried->tensors);
    free((void *)carried->data);
}

static double count_lines(const HypCarried *carried, size_t bytes)
{
    return ceil((double)bytes / carried->line_bytes);
}

static bool find_workspace(const HypCarried *carried, const HypLayer *layer, double *lines)
{
    static const HyperionParallel alone = {.threads = 1};
    HypLayerRun run = {
        .model = carried->model, .layer = layer, .data = carried->data, .parallel = &alone};
    if (!hyp_layer_blocking(carried->model, layer, &run.blocking))
        return false;
    *lines = count_lines(carried, hyp_layer_workspace_bytes(&run));
    return true;
}

// Lines that a layer touches, each once.
static double count_layer_lines(const HypCarried *carried, const HypLayer *layer, double workspace)
{
    double lines =
        workspace + count_lines(carried, hyp_layer_output(carried->model, layer)->size_bytes);
    for (int i = 0; i < layer->input_count; i++)
        lines += count_lines(carried, hyp_layer_read_bytes(carried->model, layer, i));
    return lines;
}

// The share of a range along which what is touched between goes evenly from one number of lines to
// another, in which these are fewer than a cache holds.
static double share_kept(const HypCacheShape *cache, double first, double last)
{
    const double capacity = cache->sets * cache->ways;
    if (fabs(last - first) < 1)
        return first < capacity ? 1 : 0;
    const double place = (capacity - first) / (last - first);
    const double before = fmin(1, fmax(0, place));
    return last > first ? before : 1 - before;
}

// Both layers pass over memory from front to back: when a line comes back, the rest of the one
// before has been touched, and so much of this one as of the memory. What a layer has as two of its
// inputs is taken once: how it comes back within it is not known.
static void take_run(const HypCarried *carried, const HypCarriedRun *run, double lines,
                     double layer_lines, const HypTraffic *before, HypAccount *account)
{
    const double between = carried->at - run->at;
    const double carried_lines = fmin(lines, run->lines);
    HypTraffic *traffic = &account->traffic;
    const bool left = run->layer_lines > 0 && between >= 0;
    for (int level = 0; left && level < account->level_count; level++) {
        const double share =
            share_kept(&account->caches[level], between + run->layer_lines, between + layer_lines);
        const double added = fmax(0, traffic->misses[level] - before->misses[level]);
        traffic->misses[level] -= fmin(added, share * carried_lines);
        traffic->doubt[level] += fmin(added, share * (1 - share) * carried_lines);
    }
}

bool hyp_carried_take(HypCarried *carried, int index, const HypTraffic *before, HypAccount *account)
{
    const HyperionModel *model = carried->model;
    const HypLayer *layer = &model->layers[index];
    double workspace;
    if (hyp_layer_is_view(model, layer))
        return true;
    if (!find_workspace(carried, layer, &workspace))
        return false;
    const double layer_lines = count_layer_lines(carried, layer, workspace);
    for (int i = 0; i < layer->input_count; i++) {
        const double lines = count_lines(carried, hyp_layer_read_bytes(model, layer, i));
        HypCarriedRun *run = &carried->tensors[hyp_model_root(model, layer->inputs[i])];
        take_run(carried, run, lines, layer_lines, before, account);
        *run = (HypCarriedRun){carried->at + layer_lines, layer_lines, lines};
    }
    take_run(carried, &carried->workspace, workspace, layer_lines, before, account);
    carried->at += layer_lines;
    if (workspace > 0)
        carried->workspace = (HypCarriedRun){carried->at, layer_lines, workspace};
    const int out = hyp_model_root(model, layer->outputs[0]);
    const double out_lines = count_lines(carried, hyp_layer_output(model, layer)->size_bytes);
    carried->tensors[out] = (HypCarriedRun){carried->at, layer_lines, out_lines};
    return true;
}
