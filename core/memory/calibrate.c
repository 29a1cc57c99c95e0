// SPDX-License-Identifier: Apache-2.0
#include "memory/calibrate.h"

#include "hyperion/tensor.h"

#include "common/fail.h"
#include "model/band.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEAST_RUNS = 3, // the first one warms up
    MOST_RUNS = 8,
    MOST_ROUNDS = 5, // through all variants, since other work on the machine comes and goes
};

static const uint64_t enough_ns = 10000000;          // of runs of one variant in one round
static const uint64_t enough_rounds_ns = 2000000000; // after which no further round begins

typedef struct Calibration {
    HyperionModel *model;
    const HypActivationSettings *settings;
    HypLayerTimes times;
    HypBanding *banding;        // found by the first plan
    HypLayerVariants *variants; // of the plan in force
    int number;                 // of the variant that all layers run in, where they have it
    bool in_bands;              // layers run in bands, whose times alone count then
    bool used;                  // some layer has it
    bool warm;                  // times count
    uint64_t start_ns;          // of the step under way
    const HypRunPlan *plan;     // in force
    double *step_ns;            // by step of it: the least of the runs of this variant
    double *layer_ns;           // scratch
} Calibration;

static bool plan_run(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    Calibration *calibration = context;
    HypActivationFacts facts;
    if (!hyp_banding_find(model, calibration->settings, plan, calibration->banding) ||
        (calibration->in_bands &&
         !hyp_banding_apply(model, calibration->banding, calibration->banding->group_count, plan)))
        return false;
    if (!hyp_activation_plan_make(model, calibration->settings, plan, &facts))
        return false;
    free(calibration->variants);
    calibration->variants = hyp_layer_variants_create(model, plan);
    free(calibration->step_ns);
    calibration->step_ns = calloc((size_t)plan->step_count + 1, sizeof *calibration->step_ns);
    if (!calibration->step_ns)
        (void)hyp_fail(HYPERION_ERROR_MEMORY, "calibrate model %s: out of memory", model->name);
    if (!calibration->variants || !calibration->step_ns)
        return false;
    for (int i = 0; i < model->layer_count; i++)
        if (calibration->variants[i].count > 0)
            hyp_layer_variant_apply(
                hyp_layer_variants_nearest(&calibration->variants[i], calibration->number), i,
                plan);
    return true;
}

// Whether a step's time counts: of layers that run in bands, where they do.
static bool is_measured(const Calibration *calibration, int step)
{
    return !calibration->in_bands || hyp_step_is_band(calibration->plan, step);
}

static const HypVariant *find_variant(const Calibration *calibration, int step)
{
    return hyp_layer_variants_nearest(&calibration->variants[calibration->plan->steps[step]],
                                      calibration->number);
}

static bool begin_run(void *context, const HypRun *run)
{
    Calibration *calibration = context;
    calibration->plan = run->plan;
    for (int step = 0; step < run->plan->step_count; step++)
        calibration->used |= is_measured(calibration, step) &&
                             find_variant(calibration, step)->number == calibration->number;
    return true;
}

static bool before_step(void *context, const HypRun *run)
{
    Calibration *calibration = context;
    (void)run;
    calibration->start_ns = hyp_platform_now_ns();
    return true;
}

static void after_step(void *context, const HypRun *run)
{
    Calibration *calibration = context;
    const double ns = (double)(hyp_platform_now_ns() - calibration->start_ns);
    double *least = &calibration->step_ns[run->step];
    if (calibration->warm && (*least == 0 || ns < *least))
        *least = ns < 1 ? 1 : ns;
}

// Has the times of the runs of a variant count: of a layer in bands, those of all its bands.
static void add_times(Calibration *calibration)
{
    const HypRunPlan *plan = calibration->plan;
    memset(calibration->layer_ns, 0,
           (size_t)calibration->times.layer_count * sizeof *calibration->layer_ns);
    for (int step = 0; step < plan->step_count; step++) {
        double *ns = &calibration->layer_ns[plan->steps[step]];
        if (is_measured(calibration, step))
            *ns = (hyp_step_is_band(plan, step) ? *ns : 0) + calibration->step_ns[step];
    }
    for (int step = 0; step < plan->step_count; step++) {
        const double ns = calibration->layer_ns[plan->steps[step]];
        double *least =
            hyp_layer_times_of(&calibration->times, plan->steps[step], calibration->in_bands) +
            find_variant(calibration, step)->number;
        if (ns > 0 && (*least == 0 || ns < *least))
            *least = ns;
    }
}

static const HypExecutorHooks hooks = {
    .plan = plan_run, .begin_run = begin_run, .before_step = before_step, .after_step = after_step};

typedef struct Tensors {
    HyperionTensor **of;
    int count;
} Tensors;

static void free_tensors(Tensors *tensors)
{
    for (int i = 0; tensors->of && i < tensors->count; i++)
        hyperionFreeTensor(tensors->of[i]);
    free((void *)tensors->of);
}

// Values of -1 to 1; integers are 0, which is an index of any axis.
static bool create_tensors(const HyperionModel *model, const int *which, int count,
                           Tensors *tensors)
{
    *tensors =
        (Tensors){.of = (HyperionTensor **)calloc((size_t)count + 1, sizeof(HyperionTensor *)),
                  .count = count};
    if (!tensors->of)
        return hyp_fail(HYPERION_ERROR_MEMORY, "calibrate model %s: out of memory", model->name);
    for (int i = 0; i < count; i++) {
        const HypShape *shape = &model->tensors[which[i]].shape;
        tensors->of[i] = hyperionCreateTensor(shape->type, shape->rank, shape->dims);
        if (!tensors->of[i])
            return false;
        float *values = hyperionTensorData(tensors->of[i]);
        for (size_t j = 0; shape->type == HYPERION_TYPE_F32 && j < shape->element_count; j++)
            values[j] = (float)((uint32_t)j * 2654435761U >> 8) / (float)(1 << 23) - 1;
    }
    return true;
}

// Lets the next run plan anew, for the variant in turn.
static bool run_variant(Calibration *calibration, const Tensors *in, const Tensors *out)
{
    if (!hyp_model_begin_change(calibration->model, "calibrate model"))
        return false;
    hyp_model_end_change(calibration->model);
    calibration->used = false;
    calibration->warm = false;
    uint64_t spent_ns = 0;
    for (int run = 0; run < MOST_RUNS && (run < LEAST_RUNS || spent_ns < enough_ns); run++) {
        const uint64_t start_ns = hyp_platform_now_ns();
        if (!hyperionRunModel(calibration->model, in->of, out->of))
            return false;
        spent_ns += calibration->warm ? hyp_platform_now_ns() - start_ns : 0;
        calibration->warm = true;
        if (!calibration->used)
            break;
    }
    add_times(calibration);
    return true;
}

// There and back again, so that a drift of the machine favours none.
static bool run_rounds(Calibration *calibration, const Tensors *in, const Tensors *out)
{
    const uint64_t start_ns = hyp_platform_now_ns();
    bool ran = true;
    for (int round = 0; ran && round < MOST_ROUNDS; round++) {
        if (hyp_platform_now_ns() - start_ns > enough_rounds_ns)
            break;
        for (int turn = 0; ran && turn < HYP_VARIANT_COUNT; turn++) {
            calibration->number = round % 2 ? HYP_VARIANT_COUNT - 1 - turn : turn;
            calibration->in_bands = false;
            ran = run_variant(calibration, in, out);
            calibration->in_bands = true;
            ran = ran &&
                  (calibration->banding->group_count == 0 || run_variant(calibration, in, out));
        }
    }
    return ran;
}

static bool run_variants(Calibration *calibration)
{
    Tensors in = {0};
    Tensors out = {0};
    const HyperionModel *model = calibration->model;
    bool ran = create_tensors(model, model->inputs, model->input_count, &in) &&
               create_tensors(model, model->outputs, model->output_count, &out) &&
               hyp_model_attach(calibration->model, HYP_ATTACHED_OPTIMIZER, &hooks, calibration);
    if (ran) {
        ran = run_rounds(calibration, &in, &out);
        ran = hyp_model_detach(calibration->model, HYP_ATTACHED_OPTIMIZER) && ran;
    }
    free_tensors(&in);
    free_tensors(&out);
    return ran;
}

bool hyp_calibrate(HyperionModel *model, const HypActivationSettings *settings, HypBanding *banding,
                   HypLayerTimes *times)
{
    Calibration calibration = {.model = model, .settings = settings, .banding = banding};
    if (!hyp_layer_times_create(&calibration.times, model))
        return false;
    // One more than needed: calloc(0) may be NULL.
    calibration.layer_ns = calloc((size_t)model->layer_count + 1, sizeof *calibration.layer_ns);
    const bool ran =
        calibration.layer_ns
            ? run_variants(&calibration)
            : hyp_fail(HYPERION_ERROR_MEMORY, "calibrate model %s: out of memory", model->name);
    calibration.times.banding = *banding;
    free(calibration.variants);
    free(calibration.step_ns);
    free(calibration.layer_ns);
    hyp_layer_times_free(ran ? times : &calibration.times);
    if (ran)
        *times = calibration.times;
    return ran;
}
