// SPDX-License-Identifier: Apache-2.0
// test_set_counts.c - lines of runs counted set by set, against counting them one by one.
#include "cache/set_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LINE_FLOATS = 16, MOST_SETS = 256, TRIES = 2000 };

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13; // xorshift64
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

static HypRuns draw_runs(uint64_t *random)
{
    const uint64_t most_width = draw(random, 2) ? 100 : 9000;
    HypRuns runs = {.start = draw(random, 100000),
                    .width = 1 + draw(random, most_width),
                    .stride = draw(random, 2) ? draw(random, 3000) : 64 * draw(random, 100),
                    .count = draw(random, 200)};
    runs.left_out_first = draw(random, 2);
    runs.left_out_last = draw(random, 2);
    return runs;
}

static void count(const HypRuns *runs, size_t sets, size_t *lines)
{
    for (size_t i = 0; i < runs->count; i++) {
        const size_t start = runs->start + i * runs->stride;
        const size_t end = (start + runs->width - 1) / LINE_FLOATS + 1 - runs->left_out_last;
        for (size_t line = start / LINE_FLOATS + runs->left_out_first; line < end; line++)
            lines[line % sets]++;
    }
}

static void runs_are_counted_as_line_by_line(void **state)
{
    (void)state;
    static const size_t sets[] = {1, 4, 11, 64, 96, MOST_SETS};
    uint64_t random = 11;
    for (size_t i = 0; i < TRIES; i++) {
        const HypCacheShape cache = {.sets = (double)sets[i % 6], .line_floats = LINE_FLOATS};
        size_t lines[MOST_SETS] = {0};
        HypSetCounts counts;
        hyp_counts_clear(&counts, hyp_find_sets(&cache));
        for (int j = 0; j < 2; j++) {
            const HypRuns runs = draw_runs(&random);
            count(&runs, counts.sets.count, lines);
            hyp_counts_add_runs(&counts, &runs, LINE_FLOATS);
        }
        for (size_t set = 0; set < counts.sets.count; set++)
            assert_int_equal(counts.everywhere + counts.more[set], lines[set]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_counted_as_line_by_line),
    };
    return cmocka_run_group_tests_name("set_counts", tests, NULL, NULL);
}
