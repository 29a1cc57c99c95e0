// SPDX-License-Identifier: Apache-2.0
// figure_script.h - definitions in gnuplot's language. Texts are quoted so that nothing in them is
// executed: gnuplot runs what stands between back-quotes in double-quoted strings.
#ifndef HYP_FIGURE_SCRIPT_H
#define HYP_FIGURE_SCRIPT_H

#include <stddef.h>
#include <stdio.h>

// 'text', with the quotes; line breaks become "\n" joined on.
void script_quote(FILE *script, const char *text);

// name = 'text'
void script_text(FILE *script, const char *name, const char *text);
// name = 12.5; `value` must be finite.
void script_number(FILE *script, const char *name, double value);
// array name[count] = ['a', 'b'] or [1, 2]; with nothing to put in, an array of one unused entry,
// since gnuplot has no empty arrays.
void script_texts(FILE *script, const char *name, const char *const *texts, size_t count);
void script_numbers(FILE *script, const char *name, const double *values, size_t count);

// A column of a data file, with a blank before; unknown (NAN) is "?".
void data_column(FILE *data, double value);

#endif
