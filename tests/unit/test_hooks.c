// SPDX-License-Identifier: Apache-2.0
// test_hooks.c - what is attached to a model sees its runs, changes their plans and brings weights.
#include "hyperion/hyperion.h"

#include "common/fail.h"
#include "model/graph.h"
#include "model/hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 32, LOG_BYTES = 512 }; // floats: two times 64 bytes

// One that writes down its calls, and fails where it is told to.
typedef struct Recorder {
    char letter;
    char *log; // shared by all
    int failing_step;
    bool fails_to_begin, fails_to_plan;
    void (*at_step)(const HypRun *run);
    void (*change)(const HyperionModel *model, HypRunPlan *plan);
} Recorder;

static void write_down(const Recorder *recorder, char event, int layer)
{
    const size_t used = strlen(recorder->log);
    char number[16] = "";
    if (layer >= 0)
        (void)snprintf(number, sizeof number, "%d", layer);
    (void)snprintf(recorder->log + used, LOG_BYTES - used, "%c%c%s ", recorder->letter, event,
                   number);
}

static bool note_plan(void *context, const HyperionModel *model, HypRunPlan *plan)
{
    const Recorder *recorder = context;
    write_down(recorder, 'p', -1);
    if (recorder->fails_to_plan)
        return hyp_fail(HYPERION_ERROR_MEMORY, "no plan");
    if (recorder->change)
        recorder->change(model, plan);
    return true;
}

static bool note_begin(void *context, const HypRun *run)
{
    const Recorder *recorder = context;
    assert_int_equal(run->step, -1);
    write_down(recorder, '(', -1);
    return !recorder->fails_to_begin || hyp_fail(HYPERION_ERROR_IO, "no begin");
}

static bool note_before(void *context, const HypRun *run)
{
    const Recorder *recorder = context;
    assert_int_equal(run->plan->steps[run->step], run->layer);
    write_down(recorder, '<', run->layer);
    if (recorder->at_step)
        recorder->at_step(run);
    return run->step != recorder->failing_step ||
           hyp_fail(HYPERION_ERROR_IO, "step %d fails", run->step);
}

static void note_after(void *context, const HypRun *run)
{
    write_down(context, '>', run->layer);
}

static void note_end(void *context, bool succeeded)
{
    write_down(context, succeeded ? ')' : '!', -1);
}

static void note_detached(void *context)
{
    write_down(context, 'd', -1);
}

static const HypExecutorHooks recording = {.plan = note_plan,
                                           .begin_run = note_begin,
                                           .before_step = note_before,
                                           .after_step = note_after,
                                           .end_run = note_end,
                                           .detached = note_detached};

static const HypExecutorHooks providing = {.before_step = note_before, .provides_weights = true};

static char event_log[LOG_BYTES];

typedef struct Bench {
    HyperionModel *model;
    HyperionTensor *x, *y;
    float in[WIDTH], out[WIDTH];
} Bench;

// x -> a = x + x -> b = a + x -> view of b -> y = view + a
static int setup(void **state)
{
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    const int64_t dims[1] = {WIDTH};
    const HyperionLayerAttributes square = {.rank = 1, .dims = {WIDTH}};
    HyperionModel *model = hyperionCreateModel("hooked");
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, dims);
    const int a = hyperionAddLayer(model, "a", HYPERION_LAYER_BINARY, NULL, (int[]){x, x}, 2);
    const int b = hyperionAddLayer(model, "b", HYPERION_LAYER_BINARY, NULL, (int[]){a, x}, 2);
    const int view = hyperionAddLayer(model, "v", HYPERION_LAYER_RESHAPE, &square, &b, 1);
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_BINARY, NULL, (int[]){view, a}, 2);
    assert_true(y > 0 && hyperionAddOutput(model, y));
    bench->model = model;
    for (int i = 0; i < WIDTH; i++)
        bench->in[i] = (float)i;
    bench->x = hyperionWrapTensor(HYPERION_TYPE_F32, 1, dims, bench->in);
    bench->y = hyperionWrapTensor(HYPERION_TYPE_F32, 1, dims, bench->out);
    event_log[0] = '\0';
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    Bench *bench = *state;
    hyperionFreeModel(bench->model);
    hyperionFreeTensor(bench->x);
    hyperionFreeTensor(bench->y);
    free(bench);
    return 0;
}

static bool run(Bench *bench)
{
    memset(bench->out, 0xff, sizeof bench->out);
    return hyperionRunModel(bench->model, &bench->x, &bench->y);
}

static void expect_result(const Bench *bench)
{
    for (int i = 0; i < WIDTH; i++)
        assert_true(bench->out[i] == 5.0F * (float)i);
}

static Recorder recorder(char letter)
{
    return (Recorder){.letter = letter, .log = event_log, .failing_step = -1};
}

static void attached_ones_are_called_in_order_and_done_in_reverse(void **state)
{
    Bench *bench = *state;
    Recorder loader = recorder('L');
    Recorder scheduler = recorder('S');
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_LOADER, &recording, &loader));
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_SCHEDULER, &recording, &scheduler));
    assert_true(run(bench));
    expect_result(bench);
    assert_string_equal(event_log, "Sp Lp S( L( S<0 L<0 L>0 S>0 S<1 L<1 L>1 S>1 S<3 L<3 L>3 S>3 "
                                   "L) S) ");
    event_log[0] = '\0';
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_LOADER));
    assert_true(run(bench));
    assert_string_equal(event_log, "Sp S( S<0 S>0 S<1 S>1 S<3 S>3 S) ");
    event_log[0] = '\0';
    assert_true(run(bench)); // the plan is kept
    assert_string_equal(event_log, "S( S<0 S>0 S<1 S>1 S<3 S>3 S) ");
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_SCHEDULER));
}

static void second_attachment_of_a_kind_is_refused(void **state)
{
    Bench *bench = *state;
    Recorder first = recorder('1');
    Recorder second = recorder('2');
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_LOADER, &recording, &first));
    assert_false(hyp_model_attach(bench->model, HYP_ATTACHED_LOADER, &recording, &second));
    assert_string_equal(hyperionGetLastError(),
                        "attach to model hooked: it has a progressive loader already");
    assert_true(hyp_model_begin_change(bench->model, "test"));
    assert_false(hyp_model_attach(bench->model, HYP_ATTACHED_PROFILE, &recording, &second));
    assert_false(hyp_model_detach(bench->model, HYP_ATTACHED_LOADER));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_BUSY);
    hyp_model_end_change(bench->model);
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_LOADER));
}

static void failing_hook_ends_the_run_with_its_reason(void **state)
{
    Bench *bench = *state;
    Recorder scheduler = recorder('S');
    Recorder loader = recorder('L');
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_SCHEDULER, &recording, &scheduler));
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_LOADER, &recording, &loader));
    loader.failing_step = 1;
    assert_false(run(bench));
    assert_string_equal(hyperionGetLastError(), "step 1 fails");
    assert_string_equal(event_log, "Sp Lp S( L( S<0 L<0 L>0 S>0 S<1 L<1 L! S! ");
    event_log[0] = '\0';
    loader = recorder('L');
    loader.fails_to_begin = true;
    assert_false(run(bench));
    assert_string_equal(hyperionGetLastError(), "no begin");
    assert_string_equal(event_log, "S( L( S! ");
    loader = recorder('L');
    assert_true(run(bench));
    expect_result(bench);
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_SCHEDULER));
    loader.fails_to_plan = true;
    assert_false(run(bench));
    assert_string_equal(hyperionGetLastError(), "no plan");
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_LOADER));
}

// Layer 1 twice, and all results 64 bytes further up.
static void reorder(const HyperionModel *model, HypRunPlan *plan)
{
    (void)model;
    int *steps = realloc(plan->steps, 4 * sizeof *steps);
    assert_non_null(steps);
    memcpy(steps, (int[]){0, 1, 1, 3}, 4 * sizeof *steps);
    plan->steps = steps;
    plan->step_count = 4;
    plan->activation_bytes += 64;
    for (int i = 0; i < model->tensor_count; i++)
        if (plan->offsets[i] != SIZE_MAX)
            plan->offsets[i] += 64;
}

static void plan_may_repeat_layers_and_move_results(void **state)
{
    Bench *bench = *state;
    Recorder scheduler = recorder('S');
    scheduler.change = reorder;
    assert_true(hyp_model_attach(bench->model, HYP_ATTACHED_SCHEDULER, &recording, &scheduler));
    assert_true(run(bench));
    expect_result(bench);
    assert_string_equal(event_log, "Sp S( S<0 S>0 S<1 S>1 S<1 S>1 S<3 S>3 S) ");
    assert_true(hyp_model_detach(bench->model, HYP_ATTACHED_SCHEDULER));
}

static float provided[WIDTH];

static void provide(const HypRun *run)
{
    const HypLayer *layer = &run->model->layers[run->layer];
    for (int i = 0; i < layer->input_count; i++)
        if (run->model->tensors[layer->inputs[i]].role == HYP_TENSOR_WEIGHT)
            run->data[layer->inputs[i]] = provided;
}

static void loader_may_bring_the_weights_of_each_step(void **state)
{
    Bench *bench = *state;
    for (int i = 0; i < WIDTH; i++)
        provided[i] = 100.0F;
    float weight[WIDTH] = {0};
    HyperionModel *model = hyperionCreateModel("provided");
    const int x = hyperionAddInput(model, "x", HYPERION_TYPE_F32, 1, (int64_t[]){WIDTH});
    const int w = hyperionAddWeight(model, "w", HYPERION_TYPE_F32, 1, (int64_t[]){WIDTH}, weight);
    const int y = hyperionAddLayer(model, "y", HYPERION_LAYER_BINARY, NULL, (int[]){x, w}, 2);
    assert_true(hyperionAddOutput(model, y));
    Recorder loader = recorder('L');
    loader.at_step = provide;
    assert_true(hyp_model_attach(model, HYP_ATTACHED_LOADER, &providing, &loader));
    assert_true(hyperionRunModel(model, &bench->x, &bench->y));
    assert_true(bench->out[3] == 103.0F);
    assert_true(hyp_model_detach(model, HYP_ATTACHED_LOADER));
    assert_true(hyperionRunModel(model, &bench->x, &bench->y));
    assert_true(bench->out[3] == 3.0F);
    hyperionFreeModel(model);
}

static void executor_reads_no_weights_that_a_loader_provides(void **state)
{
    (void)state;
    HyperionModel *model = hyperionLoadModel(HYPERION_SOURCE_DIR "/tests/data/tiny.onnx");
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 4, (int64_t[]){1, 2, 6, 5});
    HyperionTensor *y[] = {hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5}),
                           hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){1, 5})};
    assert_non_null(model);
    Recorder loader = recorder('L');
    loader.failing_step = 0;
    assert_true(hyp_model_attach(model, HYP_ATTACHED_LOADER, &providing, &loader));
    assert_false(hyperionRunModel(model, &x, y));
    assert_string_equal(hyperionGetLastError(), "step 0 fails");
    for (int i = 0; i < model->tensor_count; i++)
        assert_true(model->tensors[i].source != HYP_WEIGHT_IN_FILE || !model->tensors[i].data);
    assert_true(hyp_model_detach(model, HYP_ATTACHED_LOADER));
    assert_true(hyperionRunModel(model, &x, y));
    hyperionFreeModel(model);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y[0]);
    hyperionFreeTensor(y[1]);
}

static void freed_model_tells_what_is_attached(void **state)
{
    (void)state;
    HyperionModel *model = hyperionCreateModel("freed");
    Recorder loader = recorder('L');
    assert_true(hyp_model_attach(model, HYP_ATTACHED_LOADER, &recording, &loader));
    hyperionFreeModel(model);
    assert_string_equal(event_log, "Ld ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(attached_ones_are_called_in_order_and_done_in_reverse),
        TEST(second_attachment_of_a_kind_is_refused),
        TEST(failing_hook_ends_the_run_with_its_reason),
        TEST(plan_may_repeat_layers_and_move_results),
        TEST(loader_may_bring_the_weights_of_each_step),
        TEST(executor_reads_no_weights_that_a_loader_provides),
        TEST(freed_model_tells_what_is_attached),
    };
#undef TEST
    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
