// SPDX-License-Identifier: Apache-2.0
// test_random_schedules.c - COUNT random models through a layer scheduler under random settings:
// plans are run on paper by a checker that shares no code with the planners, and for real, forward
// and backward, against runs without a scheduler. test_random_schedules COUNT [SEED]
#include "support/pass_support.h"

#include "scheduler/execution_plan.h"

#include <stdio.h>

enum { COLUMNS = 16, MOST_ROWS = 24, MOST_LAYERS = 40 };

static long model_count = 50;
static uint64_t first_seed = 1;
static uint64_t random_state;
static long latest; // model

static uint64_t draw(uint64_t end)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (random_state >> 33) % end;
}

// A model while it is made: tensors of ROWS x COLUMNS.
typedef struct Sketch {
    HyperionModel *model;
    int tensors[MOST_LAYERS + 2];
    int64_t rows[MOST_LAYERS + 2];
    int count;
} Sketch;

static void add(Sketch *sketch, HyperionLayerOp op, const HyperionLayerAttributes *attributes,
                const int *inputs, int input_count, int64_t rows)
{
    char name[16];
    (void)snprintf(name, sizeof name, "layer%d", sketch->count);
    const int tensor = hyperionAddLayer(sketch->model, name, op, attributes, inputs, input_count);
    if (tensor < 0)
        fail_msg("%s", hyperionGetLastError());
    sketch->tensors[sketch->count] = tensor;
    sketch->rows[sketch->count++] = rows;
}

// Mostly one of the latest.
static int pick(const Sketch *sketch)
{
    const uint64_t end = (uint64_t)sketch->count;
    return (int)(end - 1 - (draw(3) ? draw(end < 3 ? end : 3) : draw(end)));
}

// Another one with as many rows; the same where there is none.
static int pick_partner(const Sketch *sketch, int of)
{
    int partner = of;
    for (int i = 0; i < sketch->count; i++)
        if (sketch->rows[i] == sketch->rows[of] && draw(2))
            partner = i;
    return partner;
}

static void add_unary(Sketch *sketch, int from)
{
    const HyperionLayerAttributes gelu = {.activation = HYPERION_ACTIVATION_GELU};
    const HyperionLayerAttributes view = {.rank = 2, .dims = {sketch->rows[from], COLUMNS}};
    const int *input = &sketch->tensors[from];
    if (draw(4) == 0)
        add(sketch, HYPERION_LAYER_RESHAPE, &view, input, 1, sketch->rows[from]);
    else if (draw(3) == 0)
        add(sketch, HYPERION_LAYER_SOFTMAX, NULL, input, 1, sketch->rows[from]);
    else
        add(sketch, HYPERION_LAYER_ACTIVATION, &gelu, input, 1, sketch->rows[from]);
}

static void add_resizing(Sketch *sketch, int from)
{
    const int64_t rows = 1 + (int64_t)draw(MOST_ROWS);
    const HyperionLayerAttributes widen = {.rank = 2, .dims = {rows, COLUMNS}};
    const HyperionLayerAttributes mean = {.axis_count = 1, .axes = {0}, .keep_dims = true};
    if (sketch->rows[from] == 1)
        add(sketch, HYPERION_LAYER_EXPAND, &widen, &sketch->tensors[from], 1, rows);
    else
        add(sketch, HYPERION_LAYER_REDUCE, &mean, &sketch->tensors[from], 1, 1);
}

static void add_joining(Sketch *sketch, int from)
{
    const HyperionLayerAttributes sum = {.binary = HYPERION_BINARY_ADD};
    const int other = draw(2) ? pick_partner(sketch, from) : pick(sketch);
    const int inputs[] = {sketch->tensors[from], sketch->tensors[other]};
    const int64_t rows = sketch->rows[from] + sketch->rows[other];
    if (sketch->rows[from] == sketch->rows[other] && draw(3))
        add(sketch, HYPERION_LAYER_BINARY, &sum, inputs, 2, sketch->rows[from]);
    else if (rows <= MOST_ROWS)
        add(sketch, HYPERION_LAYER_CONCAT, NULL, inputs, 2, rows);
}

static HyperionModel *make_model(void)
{
    Sketch sketch = {.model = hyperionCreateModel("random")};
    const int layers = 1 + (int)draw(MOST_LAYERS);
    for (int i = 0; i < 1 + (int)draw(2); i++) {
        const int64_t rows = 1 + (int64_t)draw(4);
        sketch.tensors[sketch.count] =
            hyperionAddInput(sketch.model, i ? "y" : "x", 0, 2, (int64_t[]){rows, COLUMNS});
        sketch.rows[sketch.count++] = rows;
    }
    const int inputs = sketch.count;
    while (sketch.count < layers + inputs) {
        const int from = pick(&sketch);
        const uint64_t kind = draw(6);
        if (kind < 2)
            add_unary(&sketch, from);
        else if (kind < 3)
            add_resizing(&sketch, from);
        else
            add_joining(&sketch, from);
    }
    assert_true(hyperionAddOutput(sketch.model, sketch.tensors[sketch.count - 1]));
    while (draw(3) == 0) // one that is an output already is refused
        (void)hyperionAddOutput(sketch.model, sketch.tensors[draw((uint64_t)sketch.count)]);
    return sketch.model;
}

static void set_random(HyperionModel *model, HyperionLayerScheduler *scheduler)
{
    const HyperionLayerSchedulerConfig config = {.enable_checkpointing = draw(8) != 0,
                                                 .memory_speed_tradeoff =
                                                     draw(2) ? 1 : (float)draw(101) / 100,
                                                 .recompute_activations = draw(2)};
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
    assert_true(hyperionSetScheduleOrder(scheduler, (HyperionScheduleOrder)draw(2)));
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        assert_true(hyperionSetLayerCheckpointingStrategy(
            scheduler, i,
            draw(6) ? HYPERION_CHECKPOINT_AUTO : (HyperionCheckpointStrategy)draw(4)));
}

static void set_random_cap(HyperionLayerScheduler *scheduler, HyperionPassDirection direction)
{
    const HyperionScheduleLimits limits = hyperionGetScheduleLimits(scheduler, direction);
    HyperionLayerSchedulerConfig config = hyperionGetLayerSchedulerConfig(scheduler);
    assert_true(limits.valid && limits.least_bytes >= limits.lower_bound_bytes);
    config.max_activation_memory = pass_cap(&limits, (int)draw(101), 100);
    if (draw(4) == 0)
        config.max_activation_memory = 0;
    assert_true(hyperionSetLayerSchedulerConfig(scheduler, &config));
}

// A step left out, done twice or with another place is seen on paper.
static void check_mutants(HyperionExecutionPlan *plan, const HyperionModel *model)
{
    if (plan->info.step_count == 0)
        return;
    const int at = (int)draw((uint64_t)plan->info.step_count);
    HyperionExecutionStep *step = &plan->steps[at];
    const HyperionExecutionStep before = *step;
    const int last = plan->info.step_count - 1;
    step->live_bytes += 64;
    assert_false(hyp_execution_plan_check(plan, model));
    *step = before;
    if (step->offset_bytes != SIZE_MAX) {
        step->offset_bytes = plan->info.activation_bytes;
        assert_false(hyp_execution_plan_check(plan, model));
        *step = before;
    }
    memmove(step, step + 1, (size_t)(last - at) * sizeof *step);
    plan->info.step_count--;
    assert_false(hyp_execution_plan_check(plan, model));
}

static void check_plan(HyperionModel *model, HyperionLayerScheduler *scheduler,
                       HyperionPassDirection direction)
{
    HyperionExecutionPlan *plan = hyperionCreatePassPlan(scheduler, direction);
    if (!plan || !hyp_execution_plan_check(plan, model))
        fail_msg("%s", hyperionGetLastError());
    const HyperionExecutionPlanInfo info = plan->info;
    const HyperionPassStats stats = hyperionGetPassStats(scheduler);
    const HyperionLayerSchedulerConfig config = hyperionGetLayerSchedulerConfig(scheduler);
    assert_int_equal(stats.activation_peak_bytes, info.activation_bytes);
    assert_int_equal(stats.recomputed_layers, info.recomputed_layers);
    assert_int_equal(stats.spilled_bytes, info.spilled_bytes);
    assert_true(config.max_activation_memory == 0 ||
                stats.activation_peak_bytes <= config.max_activation_memory);
    check_mutants(plan, model);
    hyperionFreeExecutionPlan(plan);
}

static void check_forward(HyperionModel *model, HyperionLayerScheduler *scheduler,
                          const PassTensors *in, const PassTensors *expected)
{
    PassTensors out = pass_make_outputs(model);
    pass_clear(&out);
    set_random_cap(scheduler, HYPERION_PASS_FORWARD);
    if (!hyperionRunModel(model, in->of, out.of))
        fail_msg("%s", hyperionGetLastError());
    assert_true(pass_equal(&out, expected));
    check_plan(model, scheduler, HYPERION_PASS_FORWARD);
    pass_free_tensors(&out);
}

static void check_backward(HyperionModel *model, HyperionLayerScheduler *scheduler,
                           const PassTensors *in, const PassVisits *expected)
{
    PassVisits visits = pass_make_visits(model);
    set_random_cap(scheduler, HYPERION_PASS_BACKWARD);
    if (!hyperionReplayBackward(scheduler, in->of, pass_visit, &visits))
        fail_msg("%s", hyperionGetLastError());
    assert_memory_equal(visits.seen, expected->seen,
                        (size_t)visits.layer_count * sizeof *visits.seen);
    check_plan(model, scheduler, HYPERION_PASS_BACKWARD);
    free(visits.seen);
}

static void check_random_model(void)
{
    const HyperionLayerSchedulerConfig store_all = {.memory_speed_tradeoff = 1};
    HyperionModel *model = make_model();
    PassTensors in = pass_make_inputs(model);
    PassTensors expected = pass_make_outputs(model);
    PassVisits visits = pass_make_visits(model);
    if (!hyperionRunModel(model, in.of, expected.of))
        fail_msg("%s", hyperionGetLastError());
    HyperionLayerScheduler *scheduler = hyperionCreateLayerScheduler(model, &store_all);
    assert_true(hyperionReplayBackward(scheduler, in.of, pass_visit, &visits));
    for (int i = 0; i < 3; i++) {
        set_random(model, scheduler);
        check_forward(model, scheduler, &in, &expected);
        check_backward(model, scheduler, &in, &visits);
    }
    hyperionFreeLayerScheduler(scheduler);
    free(visits.seen);
    pass_free_tensors(&in);
    pass_free_tensors(&expected);
    hyperionFreeModel(model);
}

static void random_schedules_keep_their_word(void **state)
{
    (void)state;
    for (latest = 0; latest < model_count; latest++) {
        random_state = first_seed + (uint64_t)latest;
        check_random_model();
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        model_count = strtol(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_schedules_keep_their_word)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        (void)fprintf(stderr, "repeat with: 1 %llu\n",
                      (unsigned long long)first_seed + (unsigned long long)latest);
    return failed;
}
