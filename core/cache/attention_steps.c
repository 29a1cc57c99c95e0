// SPDX-License-Identifier: Apache-2.0
// attention_steps.c - what a group of queries misses of the keys, the values and the scores when it
// passes over a block of keys.
#include "cache/attention_call.h"

#include <math.h>

// Of what grows along a loop; one where queries of a group see more and more of the keys.
static int samples_of(const HypQueryGroup *group)
{
    return group->seen_by_first < group->seen ? 1 : 3;
}

// Part `part` of `count`: its middle, as a share.
static double middle_of(int part, int count)
{
    return (part + 0.5) / count;
}

// Places that change from group to group: where this one stands for many, anywhere.
static HypPieces *moving_of(HypPlacedWindow *window, const HypQueryGroup *group)
{
    return group->one_of_many ? &window->moving : &window->still;
}

// What a group touches beside keys, values, its queries and its results.
static void add_group(HypPieces *pieces, const HypAttentionCall *call, const HypQueryGroup *group)
{
    hyp_add_scores(pieces, call, (double)group->rows);
    hyp_add_states(pieces, call, (double)group->first, (double)group->rows);
}

// Every panel of keys meets all queries of the group.
static void add_panels(const HypAttentionCall *call, double times, const HypQueryGroup *group)
{
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_add_queries(&window.still, call, (double)group->first, (double)group->rows);
    hyp_add_keys(&window.still, call, 0, hyp_attention_keys(call, 1));
    const double lines = hyp_attention_queries(call, (double)group->rows);
    hyp_attention_back(call, times * (hyp_attention_panels(call, group->seen) - 1) * lines,
                       &window);
}

// Scores are written panel by panel, and made into weights when all are there: half the keys come
// before, half behind.
static void add_weights(const HypAttentionCall *call, double times, const HypQueryGroup *group)
{
    const double panels = hyp_attention_panels(call, group->seen);
    for (int i = -1; i <= 1; i += 2) {
        HypPlacedWindow window;
        hyp_placed_start(&window);
        hyp_add_scores(&window.still, call, (double)group->rows);
        hyp_add_keys(&window.still, call, 0,
                     hyp_attention_keys(call, group->seen) * (panels - i) / (2 * panels));
        hyp_add_queries(&window.still, call, (double)group->first, (double)group->rows);
        hyp_attention_back_written(call, times * (double)group->rows * group->seen / call->line,
                                   &window);
    }
}

// Keys from line[0] to line[1], since which came of the queries of the group before all but
// share[0], of those of this group share[1].
static void add_keys_again(const HypAttentionCall *call, double times, const double line[2],
                           const HypQueryGroup *group, const HypQueryGroup *before,
                           const double share[2])
{
    if (line[0] >= line[1])
        return;
    HypPlacedWindow window;
    hyp_placed_start(&window);
    HypPieces *moving = moving_of(&window, group);
    hyp_add_keys(&window.still, call, line[0], line[1]);
    hyp_add_keys(&window.still, call, 0, line[0]);
    hyp_add_keys(&window.still, call, line[1], hyp_attention_keys(call, group->seen));
    hyp_add_other_values(&window.still, call, -1, before->seen);
    const double rows = (double)before->rows;
    hyp_add_queries(moving, call, (double)before->first + share[0] * rows,
                    (1 - share[0]) * rows + share[1] * (double)group->rows);
    hyp_add_results(moving, call, (double)before->first, rows);
    add_group(&window.still, call, before);
    hyp_attention_back(call, times * (line[1] - line[0]), &window);
}

// Keys that a group is the first to see, after those from `again` on were packed: rows of keys from
// one of them on, and of values.
static void add_packed_keys(const HypAttentionCall *call, double times, double again,
                            const HypQueryGroup *group, const HypQueryGroup *before)
{
    const double lines = hyp_attention_keys(call, group->seen) - again;
    const int samples = before ? 1 : samples_of(group);
    const double seen_before = before ? before->seen : 0;
    for (int i = 0; i < samples && lines > 0; i++) {
        HypPlacedWindow window;
        hyp_placed_start(&window);
        hyp_add_keys(&window.still, call, again, again + lines);
        hyp_add_keys(&window.still, call, again + lines, hyp_attention_keys(call, group->keys));
        hyp_add_other_values(&window.still, call, -1, group->keys);
        hyp_add_keys(&window.still, call, 0, again);
        if (before) {
            const double rows = (double)(group->first - group->begin);
            hyp_add_queries(&window.still, call, (double)group->begin, rows + (double)group->rows);
            hyp_add_results(&window.still, call, (double)group->begin, rows);
            add_group(&window.still, call, before);
        } else {
            hyp_add_queries(&window.still, call, (double)group->first, (double)group->rows);
        }
        const double packed = middle_of(i, samples) * (group->seen - seen_before) + seen_before;
        hyp_add_key_rows(&window, call, packed, group->keys);
        hyp_add_value_rows(&window, call, 0, group->keys);
        hyp_attention_back(call, times * lines / samples, &window);
    }
}

static void add_seen_keys(const HypAttentionCall *call, double times, double again,
                          const HypQueryGroup *group, const HypQueryGroup *before)
{
    // The first panel sees the queries begin, the last saw those before end.
    const double panel = hyp_attention_keys(call, 1);
    const double line[] = {0, fmin(panel, again), fmin(again, fmax(panel, again - panel)), again};
    if (samples_of(group) == 1) {
        add_keys_again(call, times, (double[]){0, again}, group, before, (double[]){0.25, 0.75});
    } else {
        add_keys_again(call, times, line, group, before, (double[]){0, 0.5});
        add_keys_again(call, times, line + 1, group, before, (double[]){0, 1});
        add_keys_again(call, times, line + 2, group, before, (double[]){0.5, 1});
    }
}

static void add_keys(const HypAttentionCall *call, double times, const HypQueryGroup *group,
                     const HypQueryGroup *before)
{
    const double lines = hyp_attention_keys(call, group->seen);
    const double again = before ? fmin(lines, hyp_attention_keys(call, before->seen)) : 0;
    if (before)
        add_seen_keys(call, times, again, group, before);
    add_packed_keys(call, times, again, group, before);
}

// Of values of a panel, results came between as far as they belong to the panels from this one on,
// and in the group up to this one.
static void add_values_again(const HypAttentionCall *call, double times, double seen,
                             const HypQueryGroup *group, const HypQueryGroup *before)
{
    const int panels = call->value_panels;
    const int most = samples_of(group);
    const int samples = panels < most ? panels : most;
    for (int i = 0; i < samples; i++) {
        const HypValueSample sample = hyp_attention_value_sample(call, i, samples);
        const int panel = sample.panel;
        HypPlacedWindow window;
        hyp_placed_start(&window);
        HypPieces *moving = moving_of(&window, group);
        hyp_add_values_of(&window.still, call, panel, 0, seen);
        hyp_add_values_of(&window.still, call, panel, seen, group->seen);
        hyp_add_other_values(&window.still, call, panel, group->seen);
        hyp_add_keys(&window.still, call, 0, hyp_attention_keys(call, group->seen));
        hyp_add_queries(moving, call, (double)group->first, (double)group->rows);
        hyp_add_columns(moving, call, before, (double)panel / panels, 1);
        hyp_add_columns(moving, call, group, 0, (double)(panel + 1) / panels);
        add_group(&window.still, call, group);
        hyp_attention_back(call, times * seen * call->packed_row * sample.share, &window);
    }
}

// Values that a group is the first to see, rows `from` to `to` of a panel. They were packed row by
// row, and are read panel by panel: in between came the rows behind and the panels before, and of
// the array the rows behind. Groups before saw the first `again` rows.
static void add_packed_band(const HypAttentionCall *call, double lines, const HypQueryGroup *group,
                            const HypValueSample *sample, const double row[3])
{
    const double again = row[0];
    const double from = row[1];
    const double to = row[2];
    HypPlacedWindow window;
    hyp_placed_start(&window);
    hyp_add_values_of(&window.still, call, sample->panel, from, to);
    hyp_add_values_of(&window.still, call, sample->panel, 0, from);
    hyp_add_values_of(&window.still, call, sample->panel, to, group->keys);
    for (int other = 0; other < call->value_panels; other++) {
        const double before = other < sample->panel ? from : again;
        if (other != sample->panel) {
            hyp_add_values_of(&window.still, call, other, 0, before);
            hyp_add_values_of(&window.still, call, other, from, group->keys);
        }
    }
    hyp_add_keys(&window.still, call, 0, hyp_attention_keys(call, group->seen));
    const double rows = (double)(group->first - group->begin);
    hyp_add_queries(&window.still, call, (double)group->begin, rows + (double)group->rows);
    hyp_add_results(&window.still, call, (double)group->begin, rows);
    hyp_add_columns(&window.still, call, group, 0,
                    (double)(sample->panel + 1) / call->value_panels);
    add_group(&window.still, call, group);
    hyp_add_value_rows(&window, call, (from + to) / 2, group->keys);
    hyp_attention_back(call, lines, &window);
}

static void add_packed_values(const HypAttentionCall *call, double times, double again,
                              const HypQueryGroup *group, bool first)
{
    const int bands = first ? samples_of(group) : 1;
    const double rows = (group->seen - again) / bands;
    for (int i = 0; i < bands && rows > 0; i++) {
        const HypValueSample sample = hyp_attention_value_sample(call, (i + 1) % bands, bands);
        const double lines = (group->seen - again) * call->packed_row * sample.share;
        const double row[] = {again, again + i * rows, again + (i + 1) * rows};
        add_packed_band(call, times * lines, group, &sample, row);
    }
}

void hyp_attention_step(const HypAttentionCall *call, double times, const HypQueryGroup *group,
                        const HypQueryGroup *before)
{
    call->account->traffic.accesses += times * hyp_attention_step_accesses(call, group);
    add_panels(call, times, group);
    add_weights(call, times, group);
    add_keys(call, times, group, before);
    const double again = before ? fmin(group->seen, before->seen) : 0;
    if (again > 0)
        add_values_again(call, times, again, group, before);
    add_packed_values(call, times, again, group, before == NULL);
}
