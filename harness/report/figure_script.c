// SPDX-License-Identifier: Apache-2.0
#include "report/figure_script.h"

#include <assert.h>
#include <math.h>

void script_quote(FILE *script, const char *text)
{
    (void)fputc('\'', script);
    for (; *text; text++) {
        if (*text == '\n')
            (void)fputs("' . \"\\n\" . '", script);
        else if (*text == '\'')
            (void)fputs("''", script);
        else if ((unsigned char)*text >= ' ')
            (void)fputc(*text, script);
    }
    (void)fputc('\'', script);
}

void script_text(FILE *script, const char *name, const char *text)
{
    (void)fprintf(script, "%s = ", name);
    script_quote(script, text);
    (void)fputc('\n', script);
}

void script_number(FILE *script, const char *name, double value)
{
    assert(isfinite(value));
    (void)fprintf(script, "%s = %.10g\n", name, value);
}

static void begin_array(FILE *script, const char *name, size_t count)
{
    (void)fprintf(script, "array %s[%zu] = [", name, count ? count : 1);
}

void script_texts(FILE *script, const char *name, const char *const *texts, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i ? ", " : "", script);
        script_quote(script, texts[i]);
    }
    (void)fputs(count ? "]\n" : "'']\n", script);
}

void script_numbers(FILE *script, const char *name, const double *values, size_t count)
{
    begin_array(script, name, count);
    for (size_t i = 0; i < count; i++) {
        assert(isfinite(values[i]));
        (void)fprintf(script, "%s%.10g", i ? ", " : "", values[i]);
    }
    (void)fputs(count ? "]\n" : "0]\n", script);
}

void data_column(FILE *data, double value)
{
    if (isfinite(value))
        (void)fprintf(data, " %.10g", value);
    else
        (void)fputs(" ?", data);
}
