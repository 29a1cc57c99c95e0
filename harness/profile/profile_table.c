// SPDX-License-Identifier: Apache-2.0
#include "profile/profile_report.h"

#include "common/text_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 36 };

// A column of a table of rows: where its number is and how it is told; "-" where there is none.
typedef struct ProfileColumn {
    const char *head;
    const char *key;
    double unit; // what one of it is in the table
    int digits;  // after the point
} ProfileColumn;

static const double microsecond_ns = 1e3;
static const double kibibyte_bytes = 1024;

static const ProfileColumn layer_columns[] = {
    {"us", "median_ns", 1e3, 1},
    {"%", "share", 0.01, 1},
    {"GFLOP/s", "gflops", 1, 1},
    {"FLOP/B", "intensity", 1, 1},
    {"read KiB", "read_bytes", 1024, 1},
    {"written KiB", "written_bytes", 1024, 1},
    {"before KiB", "needed_before_bytes", 1024, 1},
    {"after KiB", "needed_after_bytes", 1024, 1},
    {"loaded KiB", "loaded_bytes", 1024, 1},
    {"waited us", "wait_ns", 1e3, 1},
};
static const ProfileColumn operator_columns[] = {
    {"layers", "layers", 1, 0}, {"us", "median_ns", 1e3, 1}, {"%", "share", 0.01, 1},
    {"Mflop", "flops", 1e6, 1}, {"KiB", "bytes", 1024, 1},
};
enum {
    LAYER_COLUMNS = sizeof layer_columns / sizeof layer_columns[0],
    OPERATOR_COLUMNS = sizeof operator_columns / sizeof operator_columns[0]
};

static double real_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void add_numbers(TextTable *table, const json_t *row, const ProfileColumn *columns,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[48] = "-";
        const double value = real_at(row, columns[i].key);
        if (!isnan(value))
            (void)snprintf(text, sizeof text, "%.*f", columns[i].digits, value / columns[i].unit);
        text_table_add(table, text);
    }
}

// The end of a long name tells more than its beginning.
static void add_name(TextTable *table, const char *name)
{
    char shortened[NAME_WIDTH + 1];
    const size_t length = strlen(name);
    if (length > NAME_WIDTH)
        (void)snprintf(shortened, sizeof shortened, "..%s", name + length - (NAME_WIDTH - 2));
    text_table_add(table, length > NAME_WIDTH ? shortened : name);
}

static void add_reuse(TextTable *table, const json_t *row)
{
    const json_t *reused = json_object_get(row, "reused");
    if (!json_is_object(reused))
        text_table_add(table, json_integer_value(json_object_get(row, "passes")) ? "-" : "view");
    else if (json_is_true(json_object_get(reused, "in_place")))
        text_table_add(table, "in place");
    else
        add_name(table, json_string_value(json_object_get(reused, "tensor")));
}

static bool print_layers(const json_t *layers, size_t most_layers, FILE *out)
{
    TextTable *table = text_table_create(LAYER_COLUMNS + 4);
    if (!table)
        return false;
    text_table_add(table, "#");
    text_table_add(table, "layer");
    text_table_add(table, "operator");
    for (size_t i = 0; i < LAYER_COLUMNS; i++)
        text_table_add(table, layer_columns[i].head);
    text_table_add(table, "reuses");
    size_t index;
    const json_t *row;
    json_array_foreach(layers, index, row)
    {
        char number[32];
        if (most_layers && index >= most_layers)
            break;
        (void)snprintf(number, sizeof number, "%.0f", real_at(row, "layer"));
        text_table_add(table, number);
        add_name(table, json_string_value(json_object_get(row, "name")));
        text_table_add(table, json_string_value(json_object_get(row, "operator")));
        add_numbers(table, row, layer_columns, LAYER_COLUMNS);
        add_reuse(table, row);
    }
    const bool printed = text_table_print(table, "", out);
    text_table_free(table);
    return printed;
}

static bool print_operators(const json_t *operators, FILE *out)
{
    TextTable *table = text_table_create(OPERATOR_COLUMNS + 1);
    if (!table)
        return false;
    text_table_add(table, "operator");
    for (size_t i = 0; i < OPERATOR_COLUMNS; i++)
        text_table_add(table, operator_columns[i].head);
    size_t index;
    const json_t *row;
    json_array_foreach(operators, index, row)
    {
        text_table_add(table, json_string_value(json_object_get(row, "operator")));
        add_numbers(table, row, operator_columns, OPERATOR_COLUMNS);
    }
    const bool printed = text_table_print(table, "", out);
    text_table_free(table);
    return printed;
}

static void print_head(const json_t *report, FILE *out)
{
    const json_t *runs = json_object_get(report, "runs");
    const json_t *first = json_object_get(runs, "first");
    const json_t *memory = json_object_get(report, "memory");
    (void)fprintf(out, "%s\n", json_string_value(json_object_get(report, "model")));
    (void)fprintf(
        out,
        "time: %.1f us a run, median of %.0f (least %.1f); the first %.1f us, %.1f of them "
        "waiting, %.1f KiB of weights loaded\n",
        real_at(runs, "median_ns") / microsecond_ns, real_at(runs, "count"),
        real_at(runs, "least_ns") / microsecond_ns, real_at(first, "duration_ns") / microsecond_ns,
        real_at(first, "wait_ns") / microsecond_ns,
        real_at(first, "loaded_bytes") / kibibyte_bytes);
    (void)fprintf(
        out,
        "memory: %.1f KiB of weights, %.1f of activations (at most %.1f needed at a time), "
        "%.1f of workspace",
        real_at(memory, "weight_bytes") / kibibyte_bytes,
        real_at(memory, "activation_bytes") / kibibyte_bytes,
        real_at(memory, "needed_peak_bytes") / kibibyte_bytes,
        real_at(memory, "workspace_bytes") / kibibyte_bytes);
    const double resident = real_at(memory, "resident_peak_bytes");
    if (!isnan(resident))
        (void)fprintf(out, "; the process had up to %.1f", resident / kibibyte_bytes);
    (void)fprintf(out, "\n\n");
}

static const char legend[] =
    "\n"
    "us: median over the runs. %: of the sum of them. FLOP/B: arithmetic intensity, operations a\n"
    "byte read or written. before, after: activations that this or a later layer reads. loaded:\n"
    "weights read for the layer, waited: time it could not begin, both over all runs. reuses:\n"
    "whose memory the result lies in.\n\n";

bool profile_report_print(const json_t *report, size_t most_layers, FILE *out)
{
    const json_t *layers = json_object_get(report, "layers");
    json_t *sorted = most_layers ? profile_report_sort(layers) : NULL;
    if (most_layers && !sorted)
        return false;
    print_head(report, out);
    const bool printed = print_layers(sorted ? sorted : layers, most_layers, out) &&
                         fputs(legend, out) != EOF &&
                         print_operators(json_object_get(report, "operators"), out);
    json_decref(sorted);
    return printed;
}
