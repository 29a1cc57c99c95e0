// SPDX-License-Identifier: Apache-2.0
#include "cache/model_traffic.h"

#include "cache/carried.h"
#include "cache/layer_traffic.h"
#include "cache/model_pass.h"
#include "cache/stream_ops.h"
#include "common/fail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// What the formula of a band depends on.
typedef struct BandShape {
    int64_t made, read, before; // rows, padding above them
} BandShape;

// The bands of a layer so far: rows of its first input that the last one gathered, some of which
// the next needs too, when the first began, and what the formula gave.
typedef struct Bands {
    const void *end; // of these rows, in the first piece; NULL: there were none
    HypCarriedMoment gathered;
    HypCarriedMoment begun;
    BandShape shape; // all 0: of none yet
    HypTraffic traffic;
} Bands;

typedef struct ModelTraffic {
    HypModelPass pass;
    HypCarried carried;
    HypMemory *memory; // room for that of any layer
    Bands *bands;      // by layer
    HypAccount *account;
} ModelTraffic;

static HypMemory describe_memory(uintptr_t start, size_t bytes, size_t touched_bytes)
{
    return (HypMemory){.start = start,
                       .size_bytes = bytes,
                       .share = bytes > 0 ? (double)touched_bytes / (double)bytes : 0,
                       .goes_on = touched_bytes < bytes};
}

static HypMemory describe_input(const HypLayerRun *part, int index)
{
    const HypLayer *layer = part->layer;
    const HypLayerOp *op = hyp_layer_op(layer->op);
    if (part->packed && index == op->packed_input) {
        const size_t bytes = op->packed_bytes(part);
        return describe_memory((uintptr_t)part->packed, bytes, bytes);
    }
    const HypReach reach = hyp_layer_reach(part->model, layer, index);
    return describe_memory((uintptr_t)hyp_run_required(part, index) + reach.first_byte,
                           reach.span_bytes, reach.read_bytes);
}

// The result: over an input, element by element, or where that begins: then what is written was
// read into the workspace before, or made there. A smaller one falls behind.
static HypMemory describe_result(const HypLayerRun *part)
{
    const HypLayer *layer = part->layer;
    const int most = hyp_layer_op(layer->op)->overwrites;
    const size_t bytes = hyp_layer_output(part->model, layer)->size_bytes;
    HypMemory memory = describe_memory((uintptr_t)hyp_run_output_bytes(part), bytes, bytes);
    for (int i = 0; i < layer->input_count && i < most; i++)
        memory.in_place |= hyp_run_required(part, i) == hyp_run_output_bytes(part);
    const size_t in_bytes =
        layer->input_count > 0 ? hyp_layer_input(part->model, layer, 0)->size_bytes : 0;
    if (part->replaces && !memory.in_place && in_bytes > 0) {
        const double growth = (double)bytes / (double)in_bytes;
        memory.in_place = true;
        memory.delay_bytes = (1.5 + growth / 2) * (double)hyp_layer_workspace_bytes(part);
        memory.behind = fmax(0, 1 - growth);
    }
    return memory;
}

// What the layer touches; returns of how many pieces it is.
static int list_memory(const HypLayerRun *part, HypMemory *memory)
{
    int count = 0;
    for (int i = 0; i < part->layer->input_count; i++)
        memory[count++] = describe_input(part, i);
    const size_t scratch_bytes = hyp_layer_workspace_bytes(part);
    memory[count] = describe_memory((uintptr_t)part->workspace, scratch_bytes, scratch_bytes);
    memory[count].written = true;
    memory[count++].all_the_while = true;
    memory[count] = describe_result(part);
    memory[count++].written = true;
    return count;
}

// Pieces of rows, of which those of the last band leave none to others.
static HypMemory describe_pieces(const HypBandCopy *copy, const void *start, ptrdiff_t stride,
                                 bool last)
{
    const HypStridedCopy *pieces = &copy->pieces;
    const size_t bytes = pieces->extents[0] * pieces->element_bytes;
    HypMemory memory =
        describe_memory((uintptr_t)start, bytes * (size_t)stride, bytes * pieces->extents[1]);
    memory.goes_on = memory.goes_on && !last;
    return memory;
}

static size_t count_piece_bytes(const HypBandCopy *copy)
{
    return copy->pieces.extents[1] * copy->pieces.element_bytes;
}

// Takes from the rows of an image those that the band before gathered too.
static HypMemory split_again(const Bands *bands, const HypBandCopy *copy, HypMemory *rows)
{
    const uintptr_t start = (uintptr_t)copy->from;
    const uintptr_t end = (uintptr_t)bands->end;
    HypMemory again = *rows;
    if (end <= start)
        return (HypMemory){.size_bytes = 0};
    again.share *= fmin(1, (double)(end - start) / (double)count_piece_bytes(copy));
    again.goes_on = true;
    again.known = &bands->gathered;
    rows->share -= again.share;
    return again;
}

static bool add_copy(ModelTraffic *traffic, int step, const HypLayerRun *run, int index)
{
    HypBandCopy copy;
    if (!hyp_model_pass_copy(&traffic->pass, step, run, index, &copy))
        return true;
    const HypStridedCopy *pieces = &copy.pieces;
    const size_t bytes = pieces->extents[0] * count_piece_bytes(&copy);
    const HypTraffic before = traffic->account->traffic;
    const HypRows made = traffic->pass.plan->bands[step];
    const bool last =
        made.first + made.count == hyp_row_count(hyp_layer_output(run->model, run->layer));
    const HypCarriedMoment now = {traffic->carried.layer, traffic->carried.passed};
    Bands *bands = &traffic->bands[traffic->pass.plan->steps[step]];
    HypMemory memory[] = {[1] = describe_pieces(&copy, copy.from, pieces->in_strides[0], last),
                          [2] = describe_pieces(&copy, copy.to, pieces->out_strides[0], last)};
    if (index == 0)
        memory[0] = split_again(bands, &copy, &memory[1]);
    if (made.first == 0)
        bands->begun = now;
    memory[2].written = true;
    memory[2].begun = memory[2].share < 1 ? &bands->begun : NULL;
    hyp_stream_move(traffic->account, bytes, bytes);
    const bool taken = hyp_carried_take(&traffic->carried, memory, 3, &before, traffic->account);
    if (index == 0) {
        bands->end = (const char *)copy.from + count_piece_bytes(&copy);
        bands->gathered = now;
    }
    return taken;
}

// From cold caches. Most bands of a layer are alike.
static void add_part(ModelTraffic *traffic, int step, const HypLayerRun *part)
{
    HypAccount *account = traffic->account;
    if (!hyp_step_is_band(traffic->pass.plan, step)) {
        hyp_layer_add_traffic(part, account);
        return;
    }
    Bands *bands = &traffic->bands[traffic->pass.plan->steps[step]];
    const BandShape shape = {hyp_row_count(hyp_layer_output(part->model, part->layer)),
                             hyp_row_count(hyp_layer_input(part->model, part->layer, 0)),
                             part->layer->attributes.padding[0]};
    if (memcmp(&shape, &bands->shape, sizeof shape) != 0) {
        const HypTraffic before = account->traffic;
        account->traffic = (HypTraffic){.accesses = 0};
        hyp_layer_add_traffic(part, account);
        bands->shape = shape;
        bands->traffic = account->traffic;
        account->traffic = before;
    }
    hyp_traffic_add(&account->traffic, &bands->traffic, 1);
}

static bool add_step(ModelTraffic *traffic, int step)
{
    const HypLayerRun run = hyp_model_pass_step(&traffic->pass, step);
    const HypLayerRun part = hyp_model_pass_part(&traffic->pass, step, &run);
    const int inputs = run.layer->input_count;
    for (int i = 0; i < inputs; i++)
        if (!add_copy(traffic, step, &run, i))
            return false;
    const HypTraffic before = traffic->account->traffic;
    add_part(traffic, step, &part);
    return !traffic->account->failed &&
           hyp_carried_take(&traffic->carried, traffic->memory, list_memory(&part, traffic->memory),
                            &before, traffic->account) &&
           add_copy(traffic, step, &run, inputs);
}

// Room for inputs, workspace and result of the layer that has most, and for what each gathers.
static bool make_room(ModelTraffic *traffic, const HyperionModel *model)
{
    size_t most = 0;
    for (int i = 0; i < model->layer_count; i++) {
        const size_t inputs = (size_t)model->layers[i].input_count;
        most = inputs > most ? inputs : most;
    }
    traffic->memory = calloc(most + 2, sizeof *traffic->memory);
    traffic->bands = calloc((size_t)model->layer_count + 1, sizeof *traffic->bands);
    return (traffic->memory && traffic->bands) ||
           hyp_fail(HYPERION_ERROR_MEMORY, "predict model %s: out of memory", model->name);
}

static bool add_pass(ModelTraffic *traffic)
{
    bool added = true;
    for (int i = 0; i < traffic->pass.model->layer_count; i++)
        traffic->bands[i].end = NULL;
    hyp_model_pass_rewind(&traffic->pass);
    for (int step = 0; added && step < traffic->pass.plan->step_count; step++)
        added = add_step(traffic, step);
    return added;
}

bool hyp_model_add_traffic(HyperionModel *model, bool warm, HypAccount *account)
{
    ModelTraffic traffic = {.account = account};
    hyp_carried_open(&traffic.carried, account->caches[0].line_floats * sizeof(float));
    bool added = hyp_model_pass_open(&traffic.pass, model, 1, NULL) && make_room(&traffic, model);
    if (added && warm) {
        const HypTraffic before = account->traffic;
        added = add_pass(&traffic);
        account->traffic = before;
    }
    added = added && add_pass(&traffic);
    if (added)
        hyp_carried_finish(&traffic.carried, account);
    hyp_model_pass_close(&traffic.pass);
    hyp_carried_close(&traffic.carried);
    free(traffic.memory);
    free(traffic.bands);
    return added;
}
