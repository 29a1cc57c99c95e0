// SPDX-License-Identifier: Apache-2.0
// loader_bench.c - the figures of the progressive loader that tests/perf/loader_limits.sh judges.
//   loader_bench make FILE LAYERS WIDTH BATCH    a model of so many products of WIDTH x WIDTH
//   loader_bench read FILE MODE BACKEND BLOCK DEPTH    bytes a second of a pass over its layers
//   loader_bench plain FILE    the same of a read loop into a reused buffer of a layer's size
//   loader_bench stream FILE LAYERS MODE WINDOW    run, recurrence and sum in ms; WINDOW -N:
//   adaptive loader_bench memory FILE CAP MODE    anonymous bytes above those before, and pages
//   left cached
#define _GNU_SOURCE
#include "hyperion/hyperion.h"
#include "hyperion/planners.h"

#include "platform/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void demand(bool is_met, const char *what)
{
    if (is_met)
        return;
    (void)fprintf(stderr, "loader_bench: %s: %s %s\n", what, hyperionGetLastError(),
                  errno ? strerror(errno) : "");
    exit(1);
}

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    (void)fprintf(stderr, "loader_bench: what is %s?\n", name);
    exit(1);
}

static HyperionLoaderMode find_mode(const char *name)
{
    const char *names[HYPERION_LOADER_MODE_COUNT];
    for (int i = 0; i < HYPERION_LOADER_MODE_COUNT; i++)
        names[i] = hyperionLoaderModeName((HyperionLoaderMode)i);
    return (HyperionLoaderMode)find_name(names, HYPERION_LOADER_MODE_COUNT, name);
}

static HyperionLoaderBackend find_backend(const char *name)
{
    const char *names[HYPERION_LOADER_BACKEND_COUNT];
    for (int i = 0; i < HYPERION_LOADER_BACKEND_COUNT; i++)
        names[i] = hyperionLoaderBackendName((HyperionLoaderBackend)i);
    return (HyperionLoaderBackend)find_name(names, HYPERION_LOADER_BACKEND_COUNT, name);
}

static HyperionModel *load(const char *path)
{
    HyperionModel *model = hyperionLoadModel(path);
    demand(model != NULL, "load model");
    return model;
}

static HyperionProgressiveLoader *attach(HyperionModel *model, int window, bool adaptive,
                                         size_t cap_bytes, const HyperionLoaderIOConfig *io)
{
    const HyperionProgressiveLoaderConfig config = {.enable_prefetch = window > 0,
                                                    .prefetch_window = window,
                                                    .enable_adaptive_window = adaptive,
                                                    .max_memory_usage = cap_bytes};
    HyperionProgressiveLoader *loader = hyperionCreateProgressiveLoader(&config);
    demand(loader && hyperionSetLoaderIO(loader, io) && hyperionAttachModel(loader, model),
           "attach");
    return loader;
}

// Bytes of the largest layer in memory.
static size_t layer_bytes(HyperionModel *model)
{
    HyperionProgressiveLoader *loader =
        attach(model, 0, false, 0, &(HyperionLoaderIOConfig){.queue_depth = 1});
    const size_t bytes = hyperionGetProgressiveLoaderStats(loader).lower_bound_bytes;
    hyperionFreeProgressiveLoader(loader);
    return bytes;
}

static void drop_cache(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    demand(file >= 0 && fdatasync(file) == 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0,
           "drop the page cache");
    (void)close(file);
}

static size_t cached_bytes(const char *path)
{
    struct stat facts;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    demand(file >= 0 && fstat(file, &facts) == 0, path);
    const size_t pages = ((size_t)facts.st_size + 4095) / 4096;
    unsigned char *present = malloc(pages);
    void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_SHARED, file, 0);
    demand(present && map != MAP_FAILED && mincore(map, (size_t)facts.st_size, present) == 0,
           "mincore");
    size_t count = 0;
    for (size_t i = 0; i < pages; i++)
        count += present[i] & 1;
    (void)munmap(map, (size_t)facts.st_size);
    (void)close(file);
    free(present);
    return count * 4096;
}

static int make(const char *path, const char *layers, const char *width, const char *batch)
{
    char name[160];
    (void)snprintf(name, sizeof name, "builtin:mlp:batch=%s,input=%s,hidden=%s,output=%s,layers=%s",
                   batch, width, width, width, layers);
    HyperionModel *model = load(name);
    demand(hyperionSaveModel(model, path), "save model");
    hyperionFreeModel(model);
    return 0;
}

// A pass of calls, the blocks of memory in use before: the second.
static int read_layers(const char *path, const HyperionLoaderIOConfig *io)
{
    HyperionModel *model = load(path);
    const size_t cap_bytes = 4 * layer_bytes(model);
    HyperionProgressiveLoader *loader = attach(model, 0, false, cap_bytes, io);
    const int count = hyperionModelLayerCount(model);
    uint64_t start_ns = 0;
    uint64_t before_bytes = 0;
    for (int i = -4; i < count; i++) {
        const int layer = (count + i) % count;
        if (i == 0) {
            if (io->mode != HYPERION_LOADER_MODE_BUFFERED)
                drop_cache(path);
            start_ns = hyp_platform_now_ns();
            before_bytes = hyperionGetLoaderIOStats(loader).loaded_bytes;
        }
        demand(hyperionLoadLayer(loader, layer), "load layer");
    }
    const uint64_t ns = hyp_platform_now_ns() - start_ns;
    const uint64_t bytes = hyperionGetLoaderIOStats(loader).loaded_bytes - before_bytes;
    const HyperionLoaderIO in_force = hyperionGetLoaderIO(loader);
    printf("%.0f %s %s\n", (double)bytes / (double)ns * 1e9,
           hyperionLoaderBackendName(in_force.backend), hyperionLoaderModeName(in_force.mode));
    hyperionFreeProgressiveLoader(loader);
    hyperionFreeModel(model);
    return 0;
}

static int read_plainly(const char *path)
{
    HyperionModel *model = load(path);
    const size_t size_bytes = layer_bytes(model);
    hyperionFreeModel(model);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    char *buffer = hyp_platform_map(size_bytes);
    demand(file >= 0 && buffer, path);
    uint64_t bytes = 0;
    uint64_t start_ns = 0;
    for (int pass = 0; pass < 2; pass++) {
        start_ns = hyp_platform_now_ns();
        ssize_t got;
        bytes = 0;
        while ((got = pread(file, buffer, size_bytes, (off_t)bytes)) > 0)
            bytes += (uint64_t)got;
    }
    const uint64_t ns = hyp_platform_now_ns() - start_ns;
    printf("%.0f\n", (double)bytes / (double)ns * 1e9);
    (void)close(file);
    hyp_platform_unmap(buffer, size_bytes);
    return 0;
}

typedef struct Runner {
    HyperionModel *model;
    HyperionTensor *x, *y;
} Runner;

static Runner make_runner(const char *path)
{
    Runner runner = {.model = load(path)};
    const HyperionTensorInfo x = hyperionModelInput(runner.model, 0);
    const HyperionTensorInfo y = hyperionModelOutput(runner.model, 0);
    runner.x = hyperionCreateTensor(x.type, x.rank, x.dims);
    runner.y = hyperionCreateTensor(y.type, y.rank, y.dims);
    demand(runner.x && runner.y, "tensors");
    memset(hyperionTensorData(runner.x), 0, hyperionTensorBytes(runner.x));
    return runner;
}

static void free_runner(Runner *runner)
{
    hyperionFreeTensor(runner->x);
    hyperionFreeTensor(runner->y);
    hyperionFreeModel(runner->model);
}

static double run(const Runner *runner)
{
    const uint64_t start_ns = hyp_platform_now_ns();
    demand(hyperionRunModel(runner->model, &runner->x, &runner->y), "run");
    return (double)(hyp_platform_now_ns() - start_ns);
}

static void unload_all(HyperionProgressiveLoader *loader, int count)
{
    for (int i = 0; i < count; i++)
        demand(hyperionUnloadLayer(loader, i), "unload");
}

// The recurrence fed with what the last run took layer by layer, and the sum of all that.
static void predict(const HyperionProgressiveLoader *loader, int count, size_t window,
                    size_t cap_bytes, double *recurrence, double *sum)
{
    double *load_ns = calloc((size_t)count, sizeof *load_ns);
    double *compute_ns = calloc((size_t)count, sizeof *compute_ns);
    size_t *size_bytes = calloc((size_t)count, sizeof *size_bytes);
    demand(load_ns && compute_ns && size_bytes, "memory");
    HyperionPipeline pipeline = {.load = load_ns, .compute = compute_ns, .size_bytes = size_bytes};
    *sum = 0;
    for (int i = 0; i < count; i++) {
        const HyperionLoaderLayerTimes times = hyperionGetLoaderLayerTimes(loader, i);
        const size_t at = pipeline.layer_count;
        if (times.size_bytes == 0)
            continue;
        load_ns[at] = (double)(times.load_end_ns - times.load_start_ns);
        compute_ns[at] = (double)(times.compute_end_ns - times.compute_start_ns);
        size_bytes[at] = times.size_bytes;
        *sum += load_ns[at] + compute_ns[at];
        pipeline.layer_count++;
    }
    *recurrence = hyperionPlanPipeline(&pipeline, window, cap_bytes).makespan;
    free(load_ns);
    free(compute_ns);
    free(size_bytes);
}

static int stream(const char *path, const char *layers, const char *mode, int window)
{
    Runner runner = make_runner(path);
    const int count = hyperionModelLayerCount(runner.model);
    const size_t cap_bytes = (size_t)strtoul(layers, NULL, 10) * layer_bytes(runner.model);
    HyperionProgressiveLoader *loader = attach(runner.model, abs(window), window < 0, cap_bytes,
                                               &(HyperionLoaderIOConfig){.mode = find_mode(mode)});
    double recurrence = 0;
    double sum = 0;
    // In the first runs threads start, memory comes and the window is chosen.
    for (int i = 0; i < 3; i++) {
        (void)run(&runner);
        unload_all(loader, count);
    }
    const double ns = run(&runner);
    const int in_force = hyperionGetLoaderIOStats(loader).window;
    predict(loader, count, (size_t)in_force, cap_bytes, &recurrence, &sum);
    printf("%d %.3f %.3f %.3f\n", in_force, ns / 1e6, recurrence / 1e6, sum / 1e6);
    hyperionFreeProgressiveLoader(loader);
    free_runner(&runner);
    return 0;
}

typedef struct Watch {
    HypMemoryGauge *gauge;
    atomic_bool is_over;
    size_t peak_bytes;
} Watch;

static void watch(void *opaque)
{
    Watch *self = opaque;
    while (!self->is_over) {
        const size_t bytes = hyp_platform_anonymous_bytes(self->gauge);
        self->peak_bytes = bytes > self->peak_bytes ? bytes : self->peak_bytes;
        (void)usleep(200);
    }
}

static int measure_memory(const char *path, const char *cap, const char *mode)
{
    drop_cache(path);
    Runner runner = make_runner(path);
    const size_t cached_before = cached_bytes(path); // the head of the file, of which the model is
    Watch self = {.gauge = hyp_platform_open_gauge()};
    demand(self.gauge != NULL, "gauge");
    HypThread *thread = hyp_platform_start_thread(watch, &self, -1);
    HyperionProgressiveLoader *loader = attach(runner.model, 3, true, strtoul(cap, NULL, 10),
                                               &(HyperionLoaderIOConfig){.mode = find_mode(mode)});
    for (int i = 0; i < 3; i++)
        (void)run(&runner);
    self.is_over = true;
    hyp_platform_join_thread(thread);
    printf("%zu %zu %zu\n", self.peak_bytes, cached_before, cached_bytes(path));
    hyperionFreeProgressiveLoader(loader);
    free_runner(&runner);
    hyp_platform_close_gauge(self.gauge);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "make") == 0 && argc == 6)
        return make(argv[2], argv[3], argv[4], argv[5]);
    if (strcmp(what, "read") == 0 && argc == 7)
        return read_layers(
            argv[2], &(HyperionLoaderIOConfig){.mode = find_mode(argv[3]),
                                               .backend = find_backend(argv[4]),
                                               .block_bytes = strtoul(argv[5], NULL, 10),
                                               .queue_depth = (int)strtol(argv[6], NULL, 10)});
    if (strcmp(what, "plain") == 0 && argc == 3)
        return read_plainly(argv[2]);
    if (strcmp(what, "stream") == 0 && argc == 6)
        return stream(argv[2], argv[3], argv[4], (int)strtol(argv[5], NULL, 10));
    if (strcmp(what, "memory") == 0 && argc == 5)
        return measure_memory(argv[2], argv[3], argv[4]);
    (void)fprintf(stderr, "loader_bench: see the head of loader_bench.c\n");
    return 1;
}
