// SPDX-License-Identifier: Apache-2.0
// distributions.h - probability distributions and their inverses. NAN for arguments outside of the
// domain. Relative error below 1e-10, in the lower tails too.
#ifndef HYP_DISTRIBUTIONS_H
#define HYP_DISTRIBUTIONS_H

double stat_normal_cdf(double z);
double stat_normal_quantile(double p);

// Student's t with any degrees of freedom > 0.
double stat_t_cdf(double t, double freedom);
double stat_t_quantile(double p, double freedom);

// Snedecor's F.
double stat_f_cdf(double f, double numerator_freedom, double denominator_freedom);

// Regularised incomplete beta function I_x(a, b), a and b > 0, and its inverse in x.
double stat_beta_cdf(double x, double a, double b);
double stat_beta_quantile(double p, double a, double b);

#endif
