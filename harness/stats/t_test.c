// SPDX-License-Identifier: Apache-2.0
#include "stats/t_test.h"

#include "stats/distributions.h"
#include "stats/statistics.h"

#include <math.h>

// `error` is the standard error of the difference of the means.
static TTest make_test(double difference, double error, double freedom)
{
    const double t = difference / error;
    return (TTest){t, freedom, 2 * stat_t_cdf(-fabs(t), freedom)};
}

TTest stat_welch(const double *x, size_t x_count, const double *y, size_t y_count)
{
    if (x_count < 2 || y_count < 2)
        return (TTest){NAN, NAN, NAN};
    // Variances of the two means.
    const double of_x = pow(stat_deviation(x, x_count), 2) / (double)x_count;
    const double of_y = pow(stat_deviation(y, y_count), 2) / (double)y_count;
    const double sum = of_x + of_y;
    // Shares, not squares of variances: those underflow.
    const double share = of_x / sum;
    const double freedom = sum == 0 ? 1
                                    : 1 / (share * share / (double)(x_count - 1) +
                                           (1 - share) * (1 - share) / (double)(y_count - 1));
    return make_test(stat_mean(x, x_count) - stat_mean(y, y_count), sqrt(sum), freedom);
}

TTest stat_student(const double *x, size_t x_count, const double *y, size_t y_count)
{
    if (x_count < 2 || y_count < 2)
        return (TTest){NAN, NAN, NAN};
    const double freedom = (double)(x_count + y_count - 2);
    const double squares = pow(stat_deviation(x, x_count), 2) * (double)(x_count - 1) +
                           pow(stat_deviation(y, y_count), 2) * (double)(y_count - 1);
    const double error = sqrt(squares / freedom * (1 / (double)x_count + 1 / (double)y_count));
    return make_test(stat_mean(x, x_count) - stat_mean(y, y_count), error, freedom);
}
