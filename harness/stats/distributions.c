// SPDX-License-Identifier: Apache-2.0
#include "stats/distributions.h"

#include <float.h>
#include <math.h>

static const double log_two_pi = 1.8378770664093454836;

double stat_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

// What Stirling's formula misses of log gamma(n).
static double stirling_error(double n)
{
    if (n < 10)
        return lgamma(n) - ((n - 0.5) * log(n) - n + 0.5 * log_two_pi);
    const double square = 1 / (n * n); // the next term is below 2e-14 from n = 10 on
    return (1.0 / 12 -
            square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680 - square / 1188)))) /
           n;
}

// scale * log(1 + excess), where ratio = 1 + excess is known as well.
static double scaled_log(double scale, double ratio, double excess)
{
    return scale * (fabs(excess) < 0.5 ? log1p(excess) : log(ratio));
}

// x^a y^b / beta(a, b), y = 1 - x: in deviations from the mean, or large a and b would cancel.
static double beta_power(double a, double b, double x, double y)
{
    const double sum = a + b;
    const double excess = b * x - a * y;
    return exp(scaled_log(a, x * sum / a, excess / a) + scaled_log(b, y * sum / b, -excess / b) +
               0.5 * (log(a) + log(b) - log(sum) - log_two_pi) + stirling_error(sum) -
               stirling_error(a) - stirling_error(b));
}

static double away_from_zero(double value)
{
    return fabs(value) < DBL_MIN ? DBL_MIN : value;
}

// Continued fraction of I_x(a, b) (Abramowitz and Stegun 26.5.8) by Lentz's method; it converges
// fast for x below the mean, in about the square root of a and b steps.
static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
    double fraction = d;
    for (int step = 1; step <= 100000; step++) {
        const double m = step;
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        fraction *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        fraction *= d * c;
        if (fabs(d * c - 1) <= DBL_EPSILON)
            break;
    }
    return fraction;
}

// I_x(a, b) with y = 1 - x given by who can compute it without cancellation.
static double beta_cdf(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    if (x <= (a + 1) / (a + b + 2))
        return beta_power(a, b, x, y) * beta_fraction(a, b, x) / a;
    return 1 - beta_power(b, a, y, x) * beta_fraction(b, a, y) / b;
}

double stat_beta_cdf(double x, double a, double b)
{
    if (!(a > 0 && b > 0) || isnan(x))
        return NAN;
    return beta_cdf(a, b, x, 1 - x);
}

double stat_t_cdf(double t, double freedom)
{
    if (!(freedom > 0) || isnan(t))
        return NAN;
    if (isinf(freedom))
        return stat_normal_cdf(t);
    const double sum = freedom + t * t;
    const double tail =
        isinf(sum) ? 0 : 0.5 * beta_cdf(freedom / 2, 0.5, freedom / sum, t * t / sum);
    return t > 0 ? 1 - tail : tail;
}

double stat_f_cdf(double f, double numerator_freedom, double denominator_freedom)
{
    if (!(numerator_freedom > 0 && denominator_freedom > 0) || isnan(f))
        return NAN;
    const double scaled = numerator_freedom * f;
    const double sum = scaled + denominator_freedom;
    if (f <= 0 || isinf(sum))
        return f <= 0 ? 0 : 1;
    return beta_cdf(numerator_freedom / 2, denominator_freedom / 2, scaled / sum,
                    denominator_freedom / sum);
}

// A distribution with its parameters.
typedef struct Distribution {
    double (*cdf)(const struct Distribution *distribution, double x);
    double a, b;
} Distribution;

static double read_normal(const Distribution *distribution, double x)
{
    (void)distribution;
    return stat_normal_cdf(x);
}

static double read_t(const Distribution *distribution, double x)
{
    return stat_t_cdf(x, distribution->a);
}

static double read_beta(const Distribution *distribution, double x)
{
    return stat_beta_cdf(x, distribution->a, distribution->b);
}

// The x in low..high where the distribution reaches p, by halving down to neighbouring numbers.
static double invert(const Distribution *distribution, double p, double low, double high)
{
    for (;;) {
        const double middle = low + (high - low) / 2;
        if (!(middle > low && middle < high))
            return middle;
        if (distribution->cdf(distribution, middle) < p)
            low = middle;
        else
            high = middle;
    }
}

// Of a distribution symmetric to 0: in its lower half, where small probabilities are exact.
static double invert_symmetric(const Distribution *distribution, double p)
{
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    const double tail = fmin(p, 1 - p);
    double low = -1;
    while (distribution->cdf(distribution, low) > tail && low > -DBL_MAX / 2)
        low *= 2;
    const double quantile = p == 0.5 ? 0 : invert(distribution, tail, low, 0);
    return p > 0.5 ? -quantile : quantile;
}

double stat_normal_quantile(double p)
{
    return invert_symmetric(&(Distribution){read_normal, 0, 0}, p);
}

double stat_t_quantile(double p, double freedom)
{
    if (!(freedom > 0))
        return NAN;
    return invert_symmetric(&(Distribution){read_t, freedom, 0}, p);
}

double stat_beta_quantile(double p, double a, double b)
{
    if (!(p >= 0 && p <= 1 && a > 0 && b > 0))
        return NAN;
    return invert(&(Distribution){read_beta, a, b}, p, 0, 1);
}
