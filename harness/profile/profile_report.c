// SPDX-License-Identifier: Apache-2.0
#include "profile/profile_report.h"

#include "stats/statistics.h"

#include <stdlib.h>
#include <string.h>

static json_t *bytes_or_null(size_t bytes)
{
    return bytes ? json_integer((json_int_t)bytes) : json_null();
}

// What a layer's result lies in: null where it was nobody's before.
static json_t *describe_reuse(const HyperionModel *model, const HyperionProfileLayer *layer)
{
    if (layer->reused_tensor < 0)
        return json_null();
    return json_pack("{s:s, s:b}", "tensor", hyperionModelTensor(model, layer->reused_tensor).name,
                     "in_place", (int)layer->in_place);
}

static json_t *describe_dims(const HyperionTensorInfo *tensor)
{
    json_t *dims = json_array();
    for (int i = 0; i < tensor->rank; i++)
        (void)json_array_append_new(dims, json_integer(tensor->dims[i]));
    return dims;
}

// A view is named, with nothing else to tell.
static json_t *describe_layer(const HyperionModel *model, const HyperionProfile *profile, int index,
                              double total_ns)
{
    const HyperionLayerInfo info = hyperionModelLayer(model, index);
    const HyperionTensorInfo result =
        hyperionModelTensor(model, hyperionModelLayerOutput(model, index, 0));
    const HyperionProfileLayer layer = hyperionProfileLayer(profile, index);
    json_t *row =
        json_pack("{s:i, s:s, s:s, s:o, s:i}", "layer", index, "name", info.name, "operator",
                  info.op_name, "dims", describe_dims(&result), "passes", layer.pass_count);
    if (!row || !layer.pass_count)
        return row;
    const double median_ns = (double)layer.median_ns;
    json_t *measured = json_pack(
        "{s:f, s:f, s:o, s:o, s:f, s:I, s:I, s:I, s:f, s:I, s:I, s:o, s:o, s:I, s:f}", "median_ns",
        median_ns, "least_ns", (double)layer.least_ns, "share",
        total_ns > 0 ? json_real(median_ns / total_ns) : json_null(), "gflops",
        median_ns > 0 ? json_real(layer.flops / median_ns) : json_null(), "flops", layer.flops,
        "weight_bytes", (json_int_t)info.weight_bytes, "read_bytes", (json_int_t)layer.read_bytes,
        "written_bytes", (json_int_t)layer.written_bytes, "intensity", layer.intensity,
        "needed_before_bytes", (json_int_t)layer.before_bytes, "needed_after_bytes",
        (json_int_t)layer.after_bytes, "resident_bytes", bytes_or_null(layer.resident_bytes),
        "reused", describe_reuse(model, &layer), "loaded_bytes", (json_int_t)layer.loaded_sum_bytes,
        "wait_ns", (double)layer.wait_sum_ns);
    (void)json_object_update(row, measured);
    json_decref(measured);
    return row;
}

static double sum_medians(const HyperionModel *model, const HyperionProfile *profile)
{
    double total_ns = 0;
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        total_ns += (double)hyperionProfileLayer(profile, i).median_ns;
    return total_ns;
}

static json_t *describe_layers(const HyperionModel *model, const HyperionProfile *profile)
{
    const double total_ns = sum_medians(model, profile);
    json_t *layers = json_array();
    for (int i = 0; i < hyperionModelLayerCount(model); i++)
        (void)json_array_append_new(layers, describe_layer(model, profile, i, total_ns));
    return layers;
}

static double real_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

// The row of that operator, made at its first layer.
static json_t *find_operator(json_t *operators, const char *name)
{
    size_t index;
    json_t *row;
    json_array_foreach(operators, index,
                       row) if (strcmp(json_string_value(json_object_get(row, "operator")), name) ==
                                0) return row;
    (void)json_array_append_new(operators, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "operator",
                                                     name, "layers", 0.0, "median_ns", 0.0, "share",
                                                     0.0, "flops", 0.0, "bytes", 0.0));
    return json_array_get(operators, json_array_size(operators) - 1);
}

static void add_to(json_t *row, const char *key, double amount)
{
    (void)json_object_set_new(row, key, json_real(real_at(row, key) + amount));
}

static int compare_times(const void *a, const void *b)
{
    const double first = real_at(*(json_t *const *)a, "median_ns");
    const double second = real_at(*(json_t *const *)b, "median_ns");
    return (first < second) - (first > second);
}

json_t *profile_report_sort(const json_t *rows)
{
    const size_t count = json_array_size(rows);
    json_t **items = calloc(count + 1, sizeof(json_t *));
    json_t *sorted = items ? json_array() : NULL;
    for (size_t i = 0; sorted && i < count; i++)
        items[i] = json_array_get(rows, i);
    if (sorted)
        qsort((void *)items, count, sizeof(json_t *), compare_times);
    for (size_t i = 0; sorted && i < count; i++)
        (void)json_array_append(sorted, items[i]);
    free((void *)items);
    return sorted;
}

static json_t *describe_operators(const json_t *layers)
{
    json_t *operators = json_array();
    size_t index;
    const json_t *layer;
    json_array_foreach(layers, index, layer)
    {
        if (!json_integer_value(json_object_get(layer, "passes")))
            continue;
        json_t *row =
            find_operator(operators, json_string_value(json_object_get(layer, "operator")));
        add_to(row, "layers", 1);
        add_to(row, "median_ns", real_at(layer, "median_ns"));
        add_to(row, "share", real_at(layer, "share"));
        add_to(row, "flops", real_at(layer, "flops"));
        add_to(row, "bytes", real_at(layer, "read_bytes") + real_at(layer, "written_bytes"));
    }
    json_t *sorted = profile_report_sort(operators);
    json_decref(operators);
    return sorted;
}

// The whole run, and what the first of those kept waited for and loaded.
static json_t *describe_runs(const HyperionProfile *profile)
{
    const int count = hyperionProfileRunCount(profile);
    double *times_ns = calloc((size_t)count + 1, sizeof *times_ns);
    if (!times_ns)
        return NULL;
    for (int i = 0; i < count; i++)
        times_ns[i] = (double)hyperionProfileRun(profile, i).duration_ns;
    const double first_ns = times_ns[0];
    double wait_ns = 0;
    double loaded_bytes = 0;
    for (int i = 0; i < hyperionProfileStepCount(profile); i++) {
        const HyperionProfileStep step = hyperionProfileStep(profile, 0, i);
        wait_ns += (double)step.wait_ns;
        loaded_bytes += (double)step.loaded_bytes;
    }
    json_t *runs = json_pack("{s:i, s:f, s:f, s:{s:f, s:f, s:f}}", "count", count, "median_ns",
                             stat_median(times_ns, (size_t)count), "least_ns",
                             stat_quantile(times_ns, (size_t)count, 0), "first", "duration_ns",
                             first_ns, "wait_ns", wait_ns, "loaded_bytes", loaded_bytes);
    free(times_ns);
    return runs;
}

static json_t *describe_memory(const HyperionProfile *profile)
{
    const HyperionProfileMemory memory = hyperionProfileMemory(profile);
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "weight_bytes", (json_int_t)memory.weight_bytes,
                     "activation_bytes", (json_int_t)memory.activation_bytes, "needed_peak_bytes",
                     (json_int_t)memory.live_peak_bytes, "workspace_bytes",
                     (json_int_t)memory.workspace_bytes, "resident_peak_bytes",
                     bytes_or_null(memory.resident_peak_bytes));
}

json_t *profile_report_make(const HyperionModel *model, const HyperionProfile *profile)
{
    if (!hyperionProfileRunCount(profile))
        return NULL;
    json_t *layers = describe_layers(model, profile);
    return json_pack("{s:s, s:o, s:o, s:{s:s, s:s, s:s}, s:o, s:o}", "model",
                     hyperionModelName(model), "runs", describe_runs(profile), "memory",
                     describe_memory(profile), "provenance", "times", "clock", "resident", "os",
                     "flops and other bytes", "model", "operators", describe_operators(layers),
                     "layers", layers);
}
