// SPDX-License-Identifier: Apache-2.0
// chain_replay.c - runs the steps of a plan for a chain on paper. It must not share code with what
// makes the plans, so that a mistake there is seen here.
#include "common/fail.h"
#include "common/size_math.h"
#include "hyperion/planners.h"

#include <stdlib.h>

typedef struct Stored {
    bool activation; // alone
    bool all;        // with what backward needs; contains the activation
    bool checkpoint; // it was kept by a step that reads it
} Stored;

typedef struct Paper {
    const HyperionChain *chain;
    Stored *stored;    // by activation
    int next;          // stage to run backward
    size_t live_bytes; // what is stored, and the gradient
    size_t checkpoints;
    uint64_t forwards;
    HyperionChainReplay result;
} Paper;

static const char *const op_names[] = {
    [HYPERION_CHAIN_FORWARD] = "forward",
    [HYPERION_CHAIN_FORWARD_KEEP_INPUT] = "forward keeping the input",
    [HYPERION_CHAIN_FORWARD_KEEP_ALL] = "forward keeping all",
    [HYPERION_CHAIN_BACKWARD] = "backward",
    [HYPERION_CHAIN_DROP] = "drop",
};

static size_t gradient_of(const HyperionChain *chain, int activation)
{
    return chain->gradient_bytes ? chain->gradient_bytes[activation]
                                 : chain->activation_bytes[activation];
}

static bool is_there(const Paper *paper, int activation)
{
    return activation == 0 || paper->stored[activation].activation || paper->stored[activation].all;
}

static bool use(Paper *paper, size_t more_bytes)
{
    size_t bytes;
    if (!hyp_size_add(paper->live_bytes, more_bytes, &bytes))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: bytes overflow");
    if (bytes > paper->result.peak_bytes)
        paper->result.peak_bytes = bytes;
    return true;
}

static void forget_checkpoint(Paper *paper, int activation)
{
    paper->checkpoints -= paper->stored[activation].checkpoint;
    paper->stored[activation].checkpoint = false;
}

static void drop_activation(Paper *paper, int activation)
{
    if (activation == 0 || !paper->stored[activation].activation)
        return;
    paper->live_bytes -= paper->chain->activation_bytes[activation];
    paper->stored[activation].activation = false;
    forget_checkpoint(paper, activation);
}

static void keep_checkpoint(Paper *paper, int activation)
{
    paper->checkpoints += !paper->stored[activation].checkpoint;
    paper->stored[activation].checkpoint = true;
    if (paper->checkpoints > paper->result.peak_checkpoints)
        paper->result.peak_checkpoints = paper->checkpoints;
}

static bool run_forward(Paper *paper, HyperionChainOp op, int stage)
{
    const HyperionChain *chain = paper->chain;
    const bool all = op == HYPERION_CHAIN_FORWARD_KEEP_ALL;
    if (stage > paper->next)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: stage %d forward after its backward",
                        stage);
    if (!is_there(paper, stage - 1))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: %s %d: activation %d is not there",
                        op_names[op], stage, stage - 1);
    if (paper->stored[stage].all || (!all && paper->stored[stage].activation))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: %s %d: what it makes is there",
                        op_names[op], stage);
    drop_activation(paper, stage);
    const size_t made_bytes = all ? chain->saved_bytes[stage] : chain->activation_bytes[stage];
    const size_t extra_bytes = all && chain->saving_extra_bytes ? chain->saving_extra_bytes[stage]
                                                                : chain->forward_extra_bytes[stage];
    size_t bytes;
    if (!hyp_size_add(made_bytes, extra_bytes, &bytes))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: bytes overflow");
    if (!use(paper, bytes))
        return false;
    paper->live_bytes += made_bytes;
    paper->stored[stage].all = all;
    paper->stored[stage].activation = !all;
    if (op == HYPERION_CHAIN_FORWARD)
        drop_activation(paper, stage - 1);
    else if (op == HYPERION_CHAIN_FORWARD_KEEP_INPUT)
        keep_checkpoint(paper, stage - 1);
    paper->forwards++;
    paper->result.time += chain->forward_time[stage];
    return true;
}

static bool run_backward(Paper *paper, int stage)
{
    const HyperionChain *chain = paper->chain;
    if (stage != paper->next)
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: backward %d, expected %d", stage,
                        paper->next);
    if (!paper->stored[stage].all || !is_there(paper, stage - 1))
        return hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: backward %d: %s %d is not there", stage,
                        paper->stored[stage].all ? "activation" : "what is saved of stage",
                        paper->stored[stage].all ? stage - 1 : stage);
    if (!use(paper, chain->backward_extra_bytes[stage]))
        return false;
    paper->live_bytes -= chain->saved_bytes[stage] + gradient_of(chain, stage);
    paper->stored[stage].all = false;
    forget_checkpoint(paper, stage);
    drop_activation(paper, stage - 1);
    paper->live_bytes += gradient_of(chain, stage - 1);
    paper->result.time += chain->backward_time[stage];
    paper->next--;
    return true;
}

static bool run_step(Paper *paper, HyperionChainStep step)
{
    const int length = paper->chain->length;
    if (step.first < 1 || step.last < step.first || step.last > length ||
        (unsigned)step.op > HYPERION_CHAIN_DROP)
        return hyp_fail(HYPERION_ERROR_ARGUMENT,
                        "replay: operation %d of stages %d to %d, of a chain of %d", (int)step.op,
                        step.first, step.last, length);
    for (int stage = step.first; stage <= step.last; stage++) {
        if (step.op == HYPERION_CHAIN_DROP)
            drop_activation(paper, stage);
        else if (step.op == HYPERION_CHAIN_BACKWARD ? !run_backward(paper, stage)
                                                    : !run_forward(paper, step.op, stage))
            return false;
    }
    return true;
}

static bool run_steps(Paper *paper, const HyperionChainStep *steps, size_t step_count)
{
    for (size_t i = 0; i < step_count; i++)
        if (!run_step(paper, steps[i]))
            return false;
    return paper->next == 0 || hyp_fail(HYPERION_ERROR_ARGUMENT,
                                        "replay: the steps end before backward %d", paper->next);
}

HyperionChainReplay hyperionReplayChain(const HyperionChain *chain, const HyperionChainStep *steps,
                                        size_t step_count)
{
    const HyperionChainReplay failed = {0};
    if (!chain || chain->length < 1 || (step_count > 0 && !steps)) {
        (void)hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: %s",
                       !chain              ? "chain is NULL"
                       : chain->length < 1 ? "a chain of no stages"
                                           : "steps is NULL");
        return failed;
    }
    Paper paper = {.chain = chain, .next = chain->length, .checkpoints = 1};
    paper.result.peak_checkpoints = 1;
    paper.stored = calloc((size_t)chain->length + 1, sizeof *paper.stored);
    if (!paper.stored) {
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "replay: out of memory for %d stages", chain->length);
        return failed;
    }
    paper.stored[0].checkpoint = true;
    const bool counted = hyp_size_add(chain->activation_bytes[0], gradient_of(chain, chain->length),
                                      &paper.live_bytes) ||
                         hyp_fail(HYPERION_ERROR_ARGUMENT, "replay: bytes overflow");
    paper.result.valid = counted && use(&paper, 0) && run_steps(&paper, steps, step_count);
    paper.result.extra_forwards = paper.forwards - (uint64_t)chain->length;
    free(paper.stored);
    return paper.result.valid ? paper.result : failed;
}
