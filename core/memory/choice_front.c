// SPDX-License-Identifier: Apache-2.0
#include "memory/choice_front.h"

#include "common/array.h"
#include "common/fail.h"
#include "common/sort.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_UNITS = 4096,
    MOST_LIMITS = 64, // of scratch bytes; more are thinned out evenly
};

// Of time, that a point must gain on the one before it.
static const double least_gain = 1e-4;

// For one limit of scratch bytes: the options of each item that keep within it, none of which
// another one beats in both time and kept bytes. The first needs least.
typedef struct Table {
    const HypChoiceItem *items;
    int item_count;
    size_t unit_bytes;
    size_t unit_count;
    uint8_t (*left)[HYP_MOST_OPTIONS]; // by item: options
    int *left_count;
    double *times;    // by units beyond the least: of the best choice, against the first options
    uint8_t *choices; // [item][units]: of left
} Table;

static size_t divide_up(size_t value, size_t divisor)
{
    return value / divisor + (value % divisor != 0);
}

static size_t find_divisor(size_t a, size_t b)
{
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void free_table(Table *table)
{
    free(table->left);
    free(table->left_count);
    free(table->times);
    free(table->choices);
}

// Units that tell the kept bytes of all choices apart, or nearly.
static void choose_unit(Table *table)
{
    size_t sum = 0;
    size_t divisor = 0;
    for (int i = 0; i < table->item_count; i++) {
        const HypChoiceItem *item = &table->items[i];
        size_t least = SIZE_MAX;
        size_t most = 0;
        for (int j = 0; j < item->option_count; j++) {
            const size_t bytes = item->options[j].kept_bytes;
            least = bytes < least ? bytes : least;
            most = bytes > most ? bytes : most;
            divisor = find_divisor(divisor, bytes);
        }
        sum += most - least;
    }
    table->unit_bytes = divisor ? divisor : 1;
    if (sum / table->unit_bytes > MOST_UNITS)
        table->unit_bytes = divide_up(sum, MOST_UNITS);
    // Each item rounds up by one unit at most.
    table->unit_count = divide_up(sum, table->unit_bytes) + (size_t)table->item_count;
}

static bool create_table(Table *table, const HypChoiceItem *items, int item_count)
{
    *table = (Table){.items = items, .item_count = item_count};
    choose_unit(table);
    const size_t count = (size_t)item_count + 1;
    table->left = calloc(count, sizeof *table->left);
    table->left_count = calloc(count, sizeof *table->left_count);
    table->times = calloc(table->unit_count + 1, sizeof *table->times);
    table->choices = calloc(count, table->unit_count + 1);
    if (table->left && table->left_count && table->times && table->choices)
        return true;
    (void)hyp_fail(HYPERION_ERROR_MEMORY, "choose variants: out of memory");
    return false;
}

static const HypChoiceOption *find_option(const Table *table, int item, int index)
{
    return &table->items[item].options[table->left[item][index]];
}

// Whether `a` comes before `b` and leaves nothing for it to win.
static bool beats(const HypChoiceOption *a, const HypChoiceOption *b)
{
    return a->kept_bytes <= b->kept_bytes && a->time_ns <= b->time_ns;
}

static void keep_option(Table *table, int item, int option)
{
    const HypChoiceOption *options = table->items[item].options;
    uint8_t *left = table->left[item];
    int count = table->left_count[item];
    for (int i = 0; i < count; i++)
        if (beats(&options[left[i]], &options[option]))
            return;
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (!beats(&options[option], &options[left[i]]))
            left[kept++] = left[i];
    int at = kept;
    for (; at > 0 && options[left[at - 1]].kept_bytes > options[option].kept_bytes; at--)
        left[at] = left[at - 1];
    left[at] = (uint8_t)option;
    table->left_count[item] = kept + 1;
}

static void keep_options(Table *table, size_t scratch_limit)
{
    for (int i = 0; i < table->item_count; i++) {
        table->left_count[i] = 0;
        for (int j = 0; j < table->items[i].option_count; j++)
            if (table->items[i].options[j].scratch_bytes <= scratch_limit)
                keep_option(table, i, j);
    }
}

static size_t count_units(const Table *table, int item, int index)
{
    return divide_up(find_option(table, item, index)->kept_bytes -
                         find_option(table, item, 0)->kept_bytes,
                     table->unit_bytes);
}

// From many units to few, so that each entry is still without the item where it is read.
static void add_item(Table *table, int item)
{
    uint8_t *choices = table->choices + (size_t)item * (table->unit_count + 1);
    size_t units[HYP_MOST_OPTIONS];
    double gains[HYP_MOST_OPTIONS];
    memset(choices, 0, table->unit_count + 1);
    for (int j = 1; j < table->left_count[item]; j++) {
        units[j] = count_units(table, item, j);
        gains[j] = find_option(table, item, j)->time_ns - find_option(table, item, 0)->time_ns;
    }
    for (size_t at = table->unit_count + 1; at-- > 0;) {
        double best = table->times[at];
        for (int j = 1; j < table->left_count[item]; j++)
            if (units[j] <= at && table->times[at - units[j]] + gains[j] < best) {
                best = table->times[at - units[j]] + gains[j];
                choices[at] = (uint8_t)j;
            }
        table->times[at] = best;
    }
}

static void fill_table(Table *table, size_t scratch_limit)
{
    keep_options(table, scratch_limit);
    memset(table->times, 0, (table->unit_count + 1) * sizeof *table->times);
    for (int i = 0; i < table->item_count; i++)
        if (table->left_count[i] > 1)
            add_item(table, i);
}

static bool add_point(HypChoiceFront *front, const Table *table, size_t units)
{
    HypFrontPoint point = {.options = malloc((size_t)table->item_count + 1)};
    HypFrontPoint *points = point.options
                                ? hyp_array_reserve(front->points, &front->capacity,
                                                    (size_t)front->count + 1, sizeof *points)
                                : NULL;
    if (!points) {
        free(point.options);
        return hyp_fail(HYPERION_ERROR_MEMORY, "choose variants: out of memory");
    }
    front->points = points;
    size_t scratch_bytes = 0;
    for (int i = table->item_count; i-- > 0;) {
        int index = 0;
        if (table->left_count[i] > 1)
            index = table->choices[(size_t)i * (table->unit_count + 1) + units];
        units -= index ? count_units(table, i, index) : 0;
        const HypChoiceOption *option = find_option(table, i, index);
        point.options[i] = table->left[i][index];
        point.bytes += option->kept_bytes;
        point.time_ns += option->time_ns;
        if (option->scratch_bytes > scratch_bytes)
            scratch_bytes = option->scratch_bytes;
    }
    point.bytes += scratch_bytes;
    front->points[front->count++] = point;
    return true;
}

static bool add_points(HypChoiceFront *front, const Table *table)
{
    double first = 0;
    for (int i = 0; i < table->item_count; i++)
        first += find_option(table, i, 0)->time_ns;
    double last = 0;
    for (size_t units = 0; units <= table->unit_count; units++) {
        const double time = table->times[units];
        if (units > 0 && time > last - least_gain * (first + last))
            continue;
        if (!add_point(front, table, units))
            return false;
        last = time;
    }
    return true;
}

static int compare_points(const void *a, const void *b, const void *context)
{
    const HypFrontPoint *left = a;
    const HypFrontPoint *right = b;
    (void)context;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? -1 : 1;
    return (left->time_ns > right->time_ns) - (left->time_ns < right->time_ns);
}

static void drop_beaten(HypChoiceFront *front)
{
    int kept = 0;
    hyp_sort(front->points, (size_t)front->count, sizeof *front->points, compare_points, NULL);
    for (int i = 0; i < front->count; i++)
        if (kept == 0 || front->points[i].time_ns < front->points[kept - 1].time_ns)
            front->points[kept++] = front->points[i];
        else
            free(front->points[i].options);
    front->count = kept;
}

static int compare_sizes(const void *a, const void *b, const void *context)
{
    const size_t left = *(const size_t *)a;
    const size_t right = *(const size_t *)b;
    (void)context;
    return (left > right) - (left < right);
}

// The least that every item can do with, and what options need beyond it, rising. NULL, last error
// set, when out of memory.
static size_t *list_limits(const HypChoiceItem *items, int item_count, size_t *count)
{
    size_t floor = 0;
    size_t *limits = calloc((size_t)item_count * HYP_MOST_OPTIONS + 1, sizeof *limits);
    if (!limits)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "choose variants: out of memory");
    for (int i = 0; i < item_count; i++) {
        size_t least = SIZE_MAX;
        for (int j = 0; j < items[i].option_count; j++)
            if (items[i].options[j].scratch_bytes < least)
                least = items[i].options[j].scratch_bytes;
        floor = least > floor ? least : floor;
    }
    size_t used = 0;
    limits[used++] = floor;
    for (int i = 0; i < item_count; i++)
        for (int j = 0; j < items[i].option_count; j++)
            if (items[i].options[j].scratch_bytes > floor)
                limits[used++] = items[i].options[j].scratch_bytes;
    hyp_sort(limits, used, sizeof *limits, compare_sizes, NULL);
    *count = 0;
    for (size_t i = 0; i < used; i++)
        if (*count == 0 || limits[i] > limits[*count - 1])
            limits[(*count)++] = limits[i];
    return limits;
}

bool hyp_choice_front_create(HypChoiceFront *front, const HypChoiceItem *items, int item_count)
{
    Table table = {0};
    size_t limit_count = 0;
    *front = (HypChoiceFront){.item_count = item_count};
    size_t *limits = list_limits(items, item_count, &limit_count);
    bool made = limits && create_table(&table, items, item_count);
    const size_t turns = limit_count < MOST_LIMITS ? limit_count : MOST_LIMITS;
    for (size_t i = 0; made && i < turns; i++) {
        // The least and the most among them.
        const size_t limit = turns > 1 ? limits[i * (limit_count - 1) / (turns - 1)] : limits[0];
        fill_table(&table, limit);
        made = add_points(front, &table);
        drop_beaten(front);
    }
    free_table(&table);
    free(limits);
    if (!made)
        hyp_choice_front_free(front);
    return made;
}

bool hyp_choice_front_merge(HypChoiceFront *front, HypChoiceFront *from, size_t more_bytes,
                            int source)
{
    HypFrontPoint *points =
        hyp_array_reserve(front->points, &front->capacity,
                          (size_t)front->count + (size_t)from->count + 1, sizeof *points);
    if (!points)
        return false;
    front->points = points;
    front->item_count = from->item_count;
    for (int i = 0; i < from->count; i++) {
        points[front->count] = from->points[i];
        points[front->count].bytes += more_bytes;
        points[front->count++].source = source;
    }
    from->count = 0;
    drop_beaten(front);
    return true;
}

void hyp_choice_front_free(HypChoiceFront *front)
{
    for (int i = 0; i < front->count; i++)
        free(front->points[i].options);
    free(front->points);
    *front = (HypChoiceFront){0};
}

int hyp_choice_front_within(const HypChoiceFront *front, size_t bytes)
{
    int last = front->count;
    while (last > 0 && front->points[last - 1].bytes > bytes)
        last--;
    return last - 1;
}

static double gain_rate(const HypFrontPoint *from, const HypFrontPoint *to, size_t base_bytes)
{
    const double time = (from->time_ns - to->time_ns) / from->time_ns;
    const double bytes = (double)(to->bytes - from->bytes) / (double)(from->bytes + base_bytes);
    return time / bytes;
}

int hyp_choice_front_knee(const HypChoiceFront *front, size_t base_bytes)
{
    static const double worth = 0.01 / 0.05;
    int at = 0;
    for (;;) {
        int best = -1;
        double best_slope = 0;
        for (int i = at + 1; i < front->count; i++) {
            const HypFrontPoint *to = &front->points[i];
            const double slope = (front->points[at].time_ns - to->time_ns) /
                                 (double)(to->bytes - front->points[at].bytes);
            if (slope >= best_slope) {
                best_slope = slope;
                best = i;
            }
        }
        if (best < 0 || gain_rate(&front->points[at], &front->points[best], base_bytes) < worth)
            return at;
        at = best;
    }
}
