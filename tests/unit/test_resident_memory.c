// SPDX-License-Identifier: Apache-2.0
// test_resident_memory.c - what the system says that a run with an optimizer takes: the planned
// bytes and at most 1 % and 2 MiB more of anonymous memory than before it allocated anything. A few
// small networks, with the argument `all` large ones; each in a process of its own.
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hyperion/hyperion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_TENSORS = 8 };

static const char times_path[] = HYPERION_BINARY_DIR "/test_resident_memory.times";

static const char *const few[] = {"builtin:mlp:hidden=512,batch=8", "builtin:cnn:image=64",
                                  "builtin:transformer:layers=2", "builtin:squeezenet:image=64",
                                  "builtin:mobilenetv2:image=64"};
static const char *const many[] = {
    "builtin:mlp",         "builtin:cnn",        "builtin:transformer", "builtin:gpt2:layers=4",
    "builtin:resnet18",    "builtin:resnet50",   "builtin:mobilenetv2", "builtin:densenet121",
    "builtin:inceptionv3", "builtin:shufflenet", "builtin:squeezenet",  "builtin:unet:image=188"};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool sanitized = true; // these keep memory of their own for each byte
#else
static const bool sanitized = false;
#endif

// Anonymous resident memory of this process; -1: the system does not tell.
static double read_anonymous_bytes(void)
{
    char line[256];
    long kibibytes = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && kibibytes < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kibibytes = strtol(line + 8, NULL, 10);
    if (file)
        (void)fclose(file);
    return kibibytes < 0 ? -1 : (double)kibibytes * 1024;
}

// Written to, so that they are resident.
static void make_tensors(const HyperionModel *model, int count,
                         HyperionTensorInfo (*find)(const HyperionModel *, int),
                         HyperionTensor **tensors)
{
    assert_true(count <= MOST_TENSORS);
    for (int i = 0; i < count; i++) {
        const HyperionTensorInfo info = find(model, i);
        tensors[i] = hyperionCreateTensor(info.type, info.rank, info.dims);
        assert_non_null(tensors[i]);
        memset(hyperionTensorData(tensors[i]), 0, hyperionTensorBytes(tensors[i]));
    }
}

static HyperionMemoryOptimizer *create_optimizer(float tradeoff)
{
    const HyperionMemoryOptimizerConfig config = {.enable_tensor_reuse = true,
                                                  .enable_in_place_ops = true,
                                                  .memory_speed_tradeoff = tradeoff};
    HyperionMemoryOptimizer *optimizer = hyperionCreateMemoryOptimizer(&config);
    assert_non_null(optimizer);
    return optimizer;
}

static bool keep_times(const char *name, float tradeoff)
{
    HyperionMemoryOptimizer *optimizer = create_optimizer(tradeoff);
    HyperionModel *model = hyperionLoadModel(name);
    return model && hyperionOptimizeMemoryUsage(optimizer, model, 0) &&
           hyperionSaveLayerTimes(optimizer, times_path);
}

// Times are known already: what measuring leaves behind would be counted.
static bool run_within_plan(const char *name, float tradeoff)
{
    HyperionTensor *in[MOST_TENSORS];
    HyperionTensor *out[MOST_TENSORS];
    HyperionMemoryOptimizer *optimizer = create_optimizer(tradeoff);
    HyperionModel *model = hyperionLoadModel(name);
    assert_non_null(model);
    make_tensors(model, hyperionModelInputCount(model), hyperionModelInput, in);
    make_tensors(model, hyperionModelOutputCount(model), hyperionModelOutput, out);
    assert_true(hyperionLoadLayerTimes(optimizer, times_path));
    const double before_bytes = read_anonymous_bytes();
    if (!hyperionOptimizeMemoryUsage(optimizer, model, 0) || !hyperionRunModel(model, in, out) ||
        !hyperionRunModel(model, in, out))
        return false;
    const double grown_bytes = read_anonymous_bytes() - before_bytes;
    const double planned_bytes = (double)hyperionGetMemoryPlan(optimizer).total_bytes;
    const bool within = grown_bytes <= planned_bytes * 1.01 + 2 * 1048576.0;
    // Nothing planned that is not used: half is far from what weights and activations come to.
    const bool used = grown_bytes >= planned_bytes / 2 - 1048576.0;
    if (!within || !used)
        print_error("%s, tradeoff %g: %.0f bytes planned, %.0f more resident\n", name,
                    (double)tradeoff, planned_bytes, grown_bytes);
    return within && used;
}

static bool succeeds_apart(bool (*act)(const char *, float), const char *name, float tradeoff)
{
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
        const bool succeeded = act(name, tradeoff);
        if (!succeeded)
            print_error("%s: %s\n", name, hyperionGetLastError());
        _exit(!succeeded);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void runs_take_what_was_planned(void **state)
{
    const bool all = *(const bool *)*state;
    const size_t count = all ? sizeof many / sizeof *many : sizeof few / sizeof *few;
    if (sanitized || read_anonymous_bytes() < 0) {
        print_message("skipped: %s\n", sanitized
                                           ? "sanitizers need memory of their own"
                                           : "/proc/self/status does not tell anonymous memory");
        skip();
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = (all ? many : few)[i];
        assert_true(succeeds_apart(keep_times, name, 1));
        for (int tradeoff = 0; tradeoff < 2; tradeoff++)
            assert_true(succeeds_apart(run_within_plan, name, (float)tradeoff));
    }
    assert_int_equal(remove(times_path), 0);
}

int main(int argc, char **argv)
{
    static bool all;
    all = argc > 1 && strcmp(argv[1], "all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(runs_take_what_was_planned, &all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
