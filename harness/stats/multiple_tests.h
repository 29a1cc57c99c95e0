// SPDX-License-Identifier: Apache-2.0
// multiple_tests.h - p-values corrected for how many tests were made.
#ifndef HYP_MULTIPLE_TESTS_H
#define HYP_MULTIPLE_TESTS_H

#include <stdbool.h>
#include <stddef.h>

// adjusted[i] belongs to p_values[i] (the arrays may be the same one) and is compared with alpha as
// it stands. NAN is no test: it stays NAN and is not counted. False: out of memory.

// Holm: bounds the probability of any false alarm in the family.
bool stat_holm(const double *p_values, size_t count, double *adjusted);
// Benjamini and Hochberg: bounds the expected share of false alarms among the alarms.
bool stat_benjamini_hochberg(const double *p_values, size_t count, double *adjusted);

#endif
