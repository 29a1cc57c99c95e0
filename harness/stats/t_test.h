// SPDX-License-Identifier: Apache-2.0
// t_test.h - t tests of the means of two independent samples, two-sided, and the sign of t that of
// mean(x) - mean(y).
#ifndef HYP_T_TEST_H
#define HYP_T_TEST_H

#include <stddef.h>

// All NAN below 2 values a side. Samples without any spread: t infinite and p_value 0 if the means
// differ, both NAN if they do not.
typedef struct TTest {
    double t, freedom, p_value;
} TTest;

// Variances may differ (Welch, with Satterthwaite's degrees of freedom).
TTest stat_welch(const double *x, size_t x_count, const double *y, size_t y_count);
// One variance for both (Student).
TTest stat_student(const double *x, size_t x_count, const double *y, size_t y_count);

#endif
