// SPDX-License-Identifier: Apache-2.0
// scheduler_figures.c - what the layer scheduler is held to, measured: caps from the least memory
// to all kept on four networks, backward replays of a transformer, orders and long chains.
// scheduler_figures [quick]
#define _POSIX_C_SOURCE 200809L // clock_gettime
#include "support/skip_model.h"

#include "hyperion/planners.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CAPS = 20, WARM_PASSES = 5 };

static int wrong_count;

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    printf("    WRONG: %s\n", what);
    wrong_count++;
}

static HyperionTensor *create(HyperionTensorInfo info)
{
    HyperionTensor *tensor = hyperionCreateTensor(info.type, info.rank, info.dims);
    float *values = tensor ? hyperionTensorData(tensor) : NULL;
    for (size_t i = 0; values && info.type == HYPERION_TYPE_F32 && i < info.size_bytes / 4; i++)
        values[i] = (float)(i * 2654435761U >> 8 & 1023) / 512 - 1;
    return tensor;
}

static bool accept_visit(void *user_data, const HyperionLayerVisit *visit)
{
    ++*(int *)user_data;
    return visit->output != NULL;
}

// One pass under the settings in force; its time.
static double run_pass(HyperionModel *model, HyperionLayerScheduler *scheduler,
                       HyperionPassDirection direction, HyperionTensor *in, HyperionTensor *out)
{
    int visits = 0;
    const double start = now_ms();
    const bool ran = direction == HYPERION_PASS_FORWARD
                         ? hyperionRunModel(model, &in, &out)
                         : hyperionReplayBackward(scheduler, &in, accept_visit, &visits);
    if (!ran)
        printf("    %s\n", hyperionGetLastError());
    expect(ran, "the pass runs");
    return now_ms() - start;
}

static void check_pass(HyperionLayerScheduler *scheduler, HyperionPassDirection direction,
                       double last_ns)
{
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, direction);
    const HyperionExecutionPlanInfo info = hyperionExecutionPlanInfo(plan);
    const HyperionMemoryEstimate estimate = hyperionEstimatePassMemory(scheduler, direction);
    const HyperionPassStats stats = hyperionGetPassStats(scheduler);
    const size_t cap = hyperionGetLayerSchedulerConfig(scheduler).max_activation_memory;
    expect(stats.activation_peak_bytes <= cap, "the peak keeps within the cap");
    expect(stats.activation_peak_bytes == estimate.activations_peak_bytes,
           "the peak is what was estimated");
    expect(stats.recomputed_layers == info.recomputed_layers, "layers run again are the planned");
    expect(info.predicted_ns <= last_ns, "time does not rise with the cap");
    hyperionFreeExecutionPlan(plan);
}

static void set_cap(HyperionLayerScheduler *scheduler, size_t cap_bytes)
{
    HyperionLayerSchedulerConfig config = hyperionGetLayerSchedulerConfig(scheduler);
    config.max_activation_memory = cap_bytes;
    expect(hyperionSetLayerSchedulerConfig(scheduler, &config), "the cap is taken");
}

static void sweep(HyperionModel *model, HyperionLayerScheduler *scheduler,
                  HyperionPassDirection direction, HyperionTensor *in, HyperionTensor *out)
{
    const double start = now_ms();
    const HyperionScheduleLimits limits = hyperionGetScheduleLimits(scheduler, direction);
    printf("  %s, planned in %.0f ms; least %zu, all kept %zu, lower bound %zu bytes\n",
           direction == HYPERION_PASS_FORWARD ? "forward" : "backward", now_ms() - start,
           limits.least_bytes, limits.store_all_bytes, limits.lower_bound_bytes);
    printf("    %12s %12s %6s %12s %12s %12s\n", "cap", "peak", "again", "to disk", "planned ms",
           "measured ms");
    double last_ns = 1e300;
    for (int i = 0; i < CAPS; i++) {
        const double share = (double)i / (CAPS - 1);
        set_cap(scheduler, limits.least_bytes + (size_t)(share * (double)(limits.store_all_bytes -
                                                                          limits.least_bytes)));
        (void)run_pass(model, scheduler, direction, in, out);
        const double measured_ms = run_pass(model, scheduler, direction, in, out);
        check_pass(scheduler, direction, last_ns);
        last_ns = hyperionEstimatePassMemory(scheduler, direction).estimated_time_ns;
        const HyperionPassStats stats = hyperionGetPassStats(scheduler);
        printf("    %12zu %12zu %6llu %12llu %12.3f %12.3f\n",
               hyperionGetLayerSchedulerConfig(scheduler).max_activation_memory,
               stats.activation_peak_bytes, (unsigned long long)stats.recomputed_layers,
               (unsigned long long)stats.spilled_bytes, last_ns / 1e6, measured_ms);
    }
    set_cap(scheduler, limits.least_bytes - 1);
    expect(!hyperionCreatePassPlan(scheduler, direction), "a cap below the least is refused");
    printf("    one byte less: %s\n", hyperionGetLastError());
    set_cap(scheduler, 0);
}

static void sweep_model(const char *name, HyperionModel *model, bool recompute)
{
    const HyperionLayerSchedulerConfig config = {.enable_checkpointing = true,
                                                 .memory_speed_tradeoff = 1,
                                                 .recompute_activations = recompute};
    HyperionLayerScheduler *scheduler = model ? hyperionCreateLayerScheduler(model, &config) : NULL;
    if (!scheduler) {
        printf("%s: %s\n", name, hyperionGetLastError());
        wrong_count++;
        return;
    }
    HyperionTensor *in = create(hyperionModelInput(model, 0));
    HyperionTensor *out = create(hyperionModelOutput(model, 0));
    printf("%s, %s\n", name, recompute ? "recomputing" : "spilling");
    for (int i = 0; i < WARM_PASSES; i++) // the least times count
        (void)run_pass(model, scheduler, HYPERION_PASS_FORWARD, in, out);
    expect(hyperionUseMeasuredLayerTimes(scheduler), "times were measured");
    sweep(model, scheduler, HYPERION_PASS_FORWARD, in, out);
    sweep(model, scheduler, HYPERION_PASS_BACKWARD, in, out);
    hyperionFreeTensor(in);
    hyperionFreeTensor(out);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

// 24 blocks within 0.35 of what all activations take.
static void replay_transformer(void)
{
    static const char name[] = "builtin:transformer:layers=24,hidden=256,seq=128";
    HyperionLayerSchedulerConfig config = {
        .enable_checkpointing = true, .memory_speed_tradeoff = 1, .recompute_activations = true};
    HyperionModel *model = hyperionLoadModel(name);
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &config);
    HyperionTensor *in = create(hyperionModelInput(model, 0));
    const size_t all = hyperionGetScheduleLimits(scheduler, HYPERION_PASS_BACKWARD).store_all_bytes;
    set_cap(scheduler, all);
    (void)run_pass(model, scheduler, HYPERION_PASS_BACKWARD, in, NULL);
    const double all_ns = (double)hyperionGetPassStats(scheduler).layer_ns;
    set_cap(scheduler, all / 100 * 35);
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, HYPERION_PASS_BACKWARD);
    const HyperionExecutionPlanInfo info = hyperionExecutionPlanInfo(plan);
    (void)run_pass(model, scheduler, HYPERION_PASS_BACKWARD, in, NULL);
    const HyperionPassStats stats = hyperionGetPassStats(scheduler);
    const double memory = (double)stats.activation_peak_bytes / (double)all;
    const double work = info.predicted_ns / info.forward_ns;
    printf("%s backward: %.3f of all activations (at most 0.35), %.3f x the forward work (at most "
           "1.75), %llu layers again, measured time of layers %.2f x\n",
           name, memory, work, (unsigned long long)stats.recomputed_layers,
           (double)stats.layer_ns / all_ns);
    expect(memory <= 0.35 && work <= 1.75, "memory and work are within the bounds");
    hyperionFreeExecutionPlan(plan);
    hyperionFreeTensor(in);
    hyperionFreeLayerScheduler(scheduler);
    hyperionFreeModel(model);
}

static void plan_long_chain(void)
{
    const double start = now_ms();
    HyperionChainPlan plan = hyperionPlanUniformCheckpoints(10000, 20);
    const double spent_ms = now_ms() - start;
    printf("chain of 10000 steps with 20 checkpoints: %llu extra steps, planned in %.1f ms\n",
           (unsigned long long)plan.extra_forwards, spent_ms);
    expect(plan.valid && plan.extra_forwards == hyperionCountUniformForwards(10000, 20) &&
               spent_ms < 1000,
           "it is the closed form, in a second");
    hyperionFreeChainPlan(&plan);
}

int main(int argc, char **argv)
{
    const bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    static const char *const models[] = {"builtin:unet:image=124,width=16,depth=3",
                                         "builtin:resnet50:image=128",
                                         "builtin:transformer:layers=12,hidden=256,seq=128"};
    plan_long_chain();
    replay_transformer();
    for (int recompute = 1; recompute >= (quick ? 1 : 0); recompute--) {
        for (size_t i = 0; i < sizeof models / sizeof *models; i++)
            sweep_model(models[i], hyperionLoadModel(models[i]), recompute);
        sweep_model("long skips", skip_model_create(6, 1 << 16), recompute);
    }
    printf("%d wrong\n", wrong_count);
    return wrong_count > 0;
}
