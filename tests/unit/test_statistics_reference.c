// SPDX-License-Identifier: Apache-2.0
// test_statistics_reference.c - every quantity of a file of reference statistics (scipy's answers
// and exact enumerations): [FILE], by default the one of ../shared/data.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/bootstrap.h"
#include "stats/distributions.h"
#include "stats/intervals.h"
#include "stats/mann_whitney.h"
#include "stats/multiple_tests.h"
#include "stats/shift.h"
#include "stats/statistics.h"
#include "stats/t_test.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *reference_path =
    HYPERION_SOURCE_DIR "/../shared/data/stats/reference_stats.json";

typedef struct Values {
    double *at;
    size_t count;
} Values;

static Values read_values(const json_t *list)
{
    assert_true(json_is_array(list));
    Values values = {calloc(json_array_size(list) + 1, sizeof(double)), json_array_size(list)};
    assert_non_null(values.at);
    for (size_t i = 0; i < values.count; i++)
        values.at[i] = json_number_value(json_array_get(list, i));
    return values;
}

// Relative; below 1e-3 absolute, because differences of the samples round at their own size.
static bool is_near(double got, double want)
{
    return fabs(got - want) <= 1e-9 * fmax(fabs(want), 1e-3);
}

// Probabilities: relative, however small.
static bool is_probability_near(double got, double want)
{
    return fabs(got - want) <= 1e-9 * fabs(want);
}

static void check(const char *name, const char *key, double got, const json_t *want,
                  bool (*agrees)(double got, double want))
{
    if (json_is_null(want)) { // what JSON cannot hold
        if (isfinite(got))
            fail_msg("%s: %s: got %.17g, want nothing finite", name, key, got);
    } else if (!json_is_number(want) || !agrees(got, json_number_value(want))) {
        fail_msg("%s: %s: got %.17g, want %.17g", name, key, got, json_number_value(want));
    }
}

static void check_interval(const char *name, const char *key, Interval got, const json_t *want)
{
    check(name, key, got.low, json_is_null(want) ? want : json_array_get(want, 0), is_near);
    check(name, key, got.high, json_is_null(want) ? want : json_array_get(want, 1), is_near);
}

// What is no quantity, and what a statistic's name does not say.
static bool is_description(const char *key)
{
    static const char *const keys[] = {"name", "x", "y", "ties"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

// One quantity of two samples.
typedef struct TwoSampleRow {
    const char *key;
    double (*value)(Values x, Values y);
    bool (*agrees)(double got, double want);
} TwoSampleRow;

#define MANN_WHITNEY_P(function, method)                                                           \
    static double function(Values x, Values y)                                                     \
    {                                                                                              \
        return stat_mann_whitney(x.at, x.count, y.at, y.count, method).p_value;                    \
    }
MANN_WHITNEY_P(find_exact, MANN_WHITNEY_EXACT)
MANN_WHITNEY_P(find_normal, MANN_WHITNEY_NORMAL)
MANN_WHITNEY_P(find_plain, MANN_WHITNEY_NORMAL_PLAIN)
MANN_WHITNEY_P(find_scipy, MANN_WHITNEY_SCIPY)

static double find_u(Values x, Values y)
{
    return stat_mann_whitney(x.at, x.count, y.at, y.count, MANN_WHITNEY_AUTO).u;
}

static double find_welch_t(Values x, Values y)
{
    return stat_welch(x.at, x.count, y.at, y.count).t;
}

static double find_welch_p(Values x, Values y)
{
    return stat_welch(x.at, x.count, y.at, y.count).p_value;
}

static double find_student_t(Values x, Values y)
{
    return stat_student(x.at, x.count, y.at, y.count).t;
}

static double find_student_p(Values x, Values y)
{
    return stat_student(x.at, x.count, y.at, y.count).p_value;
}

static double find_shift(Values x, Values y)
{
    return stat_shift(x.at, x.count, y.at, y.count, 0.95).estimate;
}

static double find_delta(Values x, Values y)
{
    return stat_cliffs_delta(x.at, x.count, y.at, y.count);
}

static const TwoSampleRow two_sample_rows[] = {
    {"U_x", find_u, is_near},
    {"p_asymptotic_continuity", find_normal, is_probability_near},
    {"p_asymptotic_nocontinuity", find_plain, is_probability_near},
    {"p_exact", find_exact, is_probability_near},
    {"p_scipy_auto", find_scipy, is_probability_near},
    {"p_exact_permutation_with_ties", find_exact, is_probability_near},
    {"welch_t", find_welch_t, is_near},
    {"welch_p", find_welch_p, is_probability_near},
    {"student_t", find_student_t, is_near},
    {"student_p", find_student_p, is_probability_near},
    {"hodges_lehmann_shift_y_minus_x", find_shift, is_near},
    {"cliffs_delta", find_delta, is_near},
};

static void check_two_samples(const json_t *reference, const char *key, const json_t *want)
{
    const char *name = json_string_value(json_object_get(reference, "name"));
    for (size_t i = 0; i < sizeof two_sample_rows / sizeof *two_sample_rows; i++) {
        const TwoSampleRow *row = &two_sample_rows[i];
        if (strcmp(row->key, key) != 0)
            continue;
        const Values x = read_values(json_object_get(reference, "x"));
        const Values y = read_values(json_object_get(reference, "y"));
        check(name, key, row->value(x, y), want, row->agrees);
        free(x.at);
        free(y.at);
        return;
    }
    fail_msg("%s: %s: nothing computes it", name, key);
}

static double find_least(const double *values, size_t count)
{
    return stat_quantile(values, count, 0);
}

static double find_greatest(const double *values, size_t count)
{
    return stat_quantile(values, count, 1);
}

static double count_mild(const double *values, size_t count)
{
    return (double)stat_tukey(values, count).mild;
}

static double count_severe(const double *values, size_t count)
{
    return (double)stat_tukey(values, count).severe;
}

static double find_exact_deviation(const double *values, size_t count)
{
    return stat_bootstrap_exact(values, count, stat_mean, 0.95).deviation;
}

static const struct OneSampleRow {
    const char *key;
    double (*value)(const double *values, size_t count);
} one_sample_rows[] = {
    {"mean", stat_mean},
    {"median", stat_median},
    {"sd_sample", stat_deviation},
    {"mad_raw", stat_mad},
    {"min", find_least},
    {"max", find_greatest},
    {"tukey_mild", count_mild},
    {"tukey_severe", count_severe},
    {"geomean", stat_geometric_mean},
    {"exact_bootstrap_mean_sd", find_exact_deviation},
};

static Interval find_mean_interval(const double *values, size_t count)
{
    return stat_mean_interval(values, count, 0.95);
}

static Interval find_median_interval(const double *values, size_t count)
{
    return stat_median_interval(values, count, 0.95);
}

static Interval bootstrap_mean(const double *values, size_t count)
{
    return stat_bootstrap_exact(values, count, stat_mean, 0.95).interval;
}

static Interval bootstrap_median(const double *values, size_t count)
{
    return stat_bootstrap_exact(values, count, stat_median, 0.95).interval;
}

static const struct IntervalRow {
    const char *key;
    Interval (*value)(const double *values, size_t count);
} interval_rows[] = {
    {"mean_ci95_t", find_mean_interval},
    {"median_ci95_order_stats", find_median_interval},
    {"exact_bootstrap_mean_pct95", bootstrap_mean},
    {"exact_bootstrap_median_pct95", bootstrap_median},
};

static bool check_named(const char *name, const char *key, Values x, const json_t *want)
{
    double p;
    for (size_t i = 0; i < sizeof one_sample_rows / sizeof *one_sample_rows; i++)
        if (strcmp(one_sample_rows[i].key, key) == 0) {
            check(name, key, one_sample_rows[i].value(x.at, x.count), want, is_near);
            return true;
        }
    for (size_t i = 0; i < sizeof interval_rows / sizeof *interval_rows; i++)
        if (strcmp(interval_rows[i].key, key) == 0) {
            check_interval(name, key, interval_rows[i].value(x.at, x.count), want);
            if (json_array_size(want) == 3) // the coverage achieved
                check(name, key, stat_median_coverage(x.count, 0.95), json_array_get(want, 2),
                      is_near);
            return true;
        }
    if (sscanf(key, "q%lf_type7", &p) != 1)
        return false;
    check(name, key, stat_quantile(x.at, x.count, p), want, is_near);
    return true;
}

static void check_one_sample(const json_t *reference, const char *key, const json_t *want)
{
    const char *name = json_string_value(json_object_get(reference, "name"));
    const Values x = read_values(json_object_get(reference, "x"));
    if (!check_named(name, key, x, want))
        fail_msg("%s: %s: nothing computes it", name, key);
    free(x.at);
}

static void check_list(const char *list_name,
                       void (*check_quantity)(const json_t *reference, const char *key,
                                              const json_t *want))
{
    json_error_t error;
    json_t *file = json_load_file(reference_path, 0, &error);
    if (!file) {
        print_message("skipped: %s: %s\n", reference_path, error.text);
        skip();
    }
    const json_t *list = json_object_get(file, list_name);
    assert_true(json_array_size(list) > 0);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *reference = json_array_get(list, i);
        const char *key;
        json_t *want;
        json_object_foreach(reference, key, want) if (!is_description(key))
            check_quantity(reference, key, want);
    }
    json_decref(file);
}

static void two_samples_agree(void **state)
{
    (void)state;
    check_list("two_sample", check_two_samples);
}

static void one_sample_agrees(void **state)
{
    (void)state;
    check_list("one_sample", check_one_sample);
}

static void check_adjusted(const json_t *file, const char *key,
                           bool (*adjust)(const double *p_values, size_t count, double *adjusted))
{
    const json_t *want = json_object_get(json_object_get(file, key), "adjusted");
    const Values p_values = read_values(json_object_get(json_object_get(file, key), "p"));
    assert_true(adjust(p_values.at, p_values.count, p_values.at));
    for (size_t i = 0; i < p_values.count; i++)
        check(key, "adjusted", p_values.at[i], json_array_get(want, i), is_near);
    free(p_values.at);
}

static void distributions_and_corrections_agree(void **state)
{
    (void)state;
    json_error_t error;
    json_t *file = json_load_file(reference_path, 0, &error);
    if (!file) {
        print_message("skipped: %s: %s\n", reference_path, error.text);
        skip();
    }
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(file, "student_t_cdf"), index, row)
    {
        const Values values = read_values(row);
        check("student_t_cdf", "", stat_t_cdf(values.at[0], values.at[1]), json_array_get(row, 2),
              is_probability_near);
        free(values.at);
    }
    json_array_foreach(json_object_get(file, "normal_cdf"), index, row)
    {
        const Values values = read_values(row);
        check("normal_cdf", "", stat_normal_cdf(values.at[0]), json_array_get(row, 1),
              is_probability_near);
        free(values.at);
    }
    check_adjusted(file, "holm_bonferroni", stat_holm);
    check_adjusted(file, "benjamini_hochberg", stat_benjamini_hochberg);
    json_decref(file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_samples_agree),
        cmocka_unit_test(one_sample_agrees),
        cmocka_unit_test(distributions_and_corrections_agree),
    };
    if (argc > 1)
        reference_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
