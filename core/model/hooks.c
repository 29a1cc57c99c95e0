// SPDX-License-Identifier: Apache-2.0
#include "model/hooks.h"

#include "common/fail.h"
#include "model/executor.h"
#include "model/memory_layout.h"

#include <assert.h>

static const char *const kind_names[] = {
    [HYP_ATTACHED_SCHEDULER] = "layer scheduler",
    [HYP_ATTACHED_OPTIMIZER] = "memory optimizer",
    [HYP_ATTACHED_LOADER] = "progressive loader",
    [HYP_ATTACHED_PROFILE] = "profile",
};

static void set_attachment(HyperionModel *model, HypAttachmentKind kind,
                           const HypExecutorHooks *hooks, void *context)
{
    HypAttachments *attached = &model->attached;
    attached->of[kind].hooks = hooks;
    attached->of[kind].context = context;
    attached->any = false;
    for (int i = 0; i < HYP_ATTACHMENT_KIND_COUNT; i++)
        attached->any |= attached->of[i].hooks != NULL;
}

bool hyp_model_attach(HyperionModel *model, HypAttachmentKind kind, const HypExecutorHooks *hooks,
                      void *context)
{
    assert(hooks);
    if (!hyp_model_begin_change(model, "attach to model"))
        return false;
    const bool is_free = !model->attached.of[kind].hooks;
    if (is_free)
        set_attachment(model, kind, hooks, context);
    else
        (void)hyp_fail(HYPERION_ERROR_BUSY, "attach to model %s: it has a %s already", model->name,
                       kind_names[kind]);
    hyp_model_end_change(model);
    return is_free;
}

bool hyp_model_detach(HyperionModel *model, HypAttachmentKind kind)
{
    if (!hyp_model_begin_change(model, "detach from model"))
        return false;
    set_attachment(model, kind, NULL, NULL);
    hyp_memory_layout_release_unasked(model);
    hyp_model_end_change(model);
    return true;
}

void hyp_hooks_detach_all(HyperionModel *model)
{
    for (int i = HYP_ATTACHMENT_KIND_COUNT; i-- > 0;) {
        const HypExecutorHooks *hooks = model->attached.of[i].hooks;
        if (hooks && hooks->detached)
            hooks->detached(model->attached.of[i].context);
    }
}

void hyp_run_note_load(const HyperionModel *model, const HypLoad *load)
{
    for (int i = 0; i < HYP_ATTACHMENT_KIND_COUNT; i++) {
        const HypExecutorHooks *hooks = model->attached.of[i].hooks;
        if (hooks && hooks->loaded)
            hooks->loaded(model->attached.of[i].context, load);
    }
}

static bool plan_before(HypAttachmentKind end, const HyperionModel *model, HypRunPlan *plan)
{
    for (int i = 0; i < (int)end; i++) {
        const HypExecutorHooks *hooks = model->attached.of[i].hooks;
        if (hooks && hooks->plan && !hooks->plan(model->attached.of[i].context, model, plan))
            return false;
    }
    return true;
}

bool hyp_hooks_plan(const HyperionModel *model, HypRunPlan *plan)
{
    return plan_before(HYP_ATTACHMENT_KIND_COUNT, model, plan);
}

bool hyp_hooks_plan_unseen(const HyperionModel *model, HypRunPlan *plan)
{
    return plan_before(HYP_ATTACHED_PROFILE, model, plan);
}

// Ends the run for those before `end`, the last first.
static void end_run(const HyperionModel *model, int end, bool succeeded)
{
    while (end-- > 0) {
        const HypExecutorHooks *hooks = model->attached.of[end].hooks;
        if (hooks && hooks->end_run)
            hooks->end_run(model->attached.of[end].context, succeeded);
    }
}

bool hyp_hooks_begin_run(const HypRun *run)
{
    for (int i = 0; i < HYP_ATTACHMENT_KIND_COUNT; i++) {
        const HypExecutorHooks *hooks = run->model->attached.of[i].hooks;
        if (hooks && hooks->begin_run &&
            !hooks->begin_run(run->model->attached.of[i].context, run)) {
            end_run(run->model, i, false);
            return false;
        }
    }
    return true;
}

bool hyp_hooks_before_step(const HypRun *run)
{
    for (int i = 0; i < HYP_ATTACHMENT_KIND_COUNT; i++) {
        const HypExecutorHooks *hooks = run->model->attached.of[i].hooks;
        if (hooks && hooks->before_step &&
            !hooks->before_step(run->model->attached.of[i].context, run))
            return false;
    }
    return true;
}

void hyp_hooks_after_step(const HypRun *run)
{
    for (int i = HYP_ATTACHMENT_KIND_COUNT; i-- > 0;) {
        const HypExecutorHooks *hooks = run->model->attached.of[i].hooks;
        if (hooks && hooks->after_step)
            hooks->after_step(run->model->attached.of[i].context, run);
    }
}

void hyp_hooks_end_run(const HyperionModel *model, bool succeeded)
{
    end_run(model, HYP_ATTACHMENT_KIND_COUNT, succeeded);
}
