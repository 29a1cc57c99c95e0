// SPDX-License-Identifier: Apache-2.0
#include "report/format.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    double ns;
} time_units[] = {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}};

static size_t find_time_unit(double ns)
{
    size_t unit = 0;
    while (unit + 1 < sizeof time_units / sizeof *time_units && fabs(ns) >= time_units[unit + 1].ns)
        unit++;
    return unit;
}

void format_number(double value, int digits, char *text)
{
    if (!isfinite(value)) {
        (void)snprintf(text, FORMAT_BYTES, "%s", FORMAT_UNKNOWN);
        return;
    }
    // Digits before the point; a value whose rounding carries has one more, which does no harm.
    const int whole = value == 0 ? 1 : (int)floor(log10(fabs(value))) + 1;
    const int decimals = digits > whole ? digits - whole : 0;
    if (whole > 15)
        (void)snprintf(text, FORMAT_BYTES, "%.*g", digits, value);
    else
        (void)snprintf(text, FORMAT_BYTES, "%.*f", decimals < 9 ? decimals : 9, value);
}

void format_time(double ns, char *text)
{
    const size_t unit = find_time_unit(ns);
    format_number(ns / time_units[unit].ns, 4, text);
    if (isfinite(ns))
        (void)snprintf(text + strlen(text), FORMAT_BYTES - strlen(text), " %s",
                       time_units[unit].name);
}

void format_time_interval(double low_ns, double high_ns, char *text)
{
    if (!isfinite(low_ns) || !isfinite(high_ns)) {
        (void)snprintf(text, FORMAT_BYTES, "%s", FORMAT_UNKNOWN);
        return;
    }
    const size_t unit = find_time_unit(high_ns);
    char low[FORMAT_BYTES];
    format_number(low_ns / time_units[unit].ns, 4, low);
    char high[FORMAT_BYTES];
    format_number(high_ns / time_units[unit].ns, 4, high);
    (void)snprintf(text, FORMAT_BYTES, "%.20s to %.20s %s", low, high, time_units[unit].name);
}

void format_percent(double fraction, char *text)
{
    format_number(fraction * 100, 3, text);
    if (isfinite(fraction))
        (void)snprintf(text + strlen(text), FORMAT_BYTES - strlen(text), " %%");
}

void format_markdown_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            (void)fputs("\\|", out);
        else
            (void)fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
    }
}
