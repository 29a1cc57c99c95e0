// SPDX-License-Identifier: Apache-2.0
#include "common/quantity.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Unit {
    const char *name;
    double factor;
} Unit;

static const Unit byte_units[] = {
    {"", 1},     {"B", 1},    {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 0x1p30}, {"TiB", 0x1p40},
    {"KB", 1e3}, {"kB", 1e3}, {"MB", 1e6},     {"GB", 1e9},        {"TB", 1e12},    {NULL, 0},
};
static const Unit time_units[] = {
    {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0},
};

// Past this a double cannot tell neighbouring integers apart.
static const double exact_limit = 0x1p53;
static const double longest_time_ns = 1e18;

// The decimal number at the start of `text`; strtod alone would take hexadecimal, infinity and NaN.
static bool parse_leading_number(const char *text, const char **end, double *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    size_t length = strspn(digits, "0123456789.");
    if (length == 0 || (digits[0] == '.' && length == 1))
        return false;
    const char *exponent = digits + length;
    if (*exponent == 'e' || *exponent == 'E') {
        const char *power = exponent + 1;
        power += *power == '-' || *power == '+';
        const size_t power_length = strspn(power, "0123456789");
        if (power_length > 0)
            length = (size_t)(power - digits) + power_length;
    }
    char *stopped = NULL;
    const double parsed = strtod(text, &stopped);
    if (stopped != digits + length || !isfinite(parsed))
        return false;
    *end = stopped;
    *value = parsed;
    return true;
}

static bool parse_with_unit(const char *text, const Unit *units, double *value)
{
    const char *rest = NULL;
    double number = 0;
    if (!parse_leading_number(text, &rest, &number))
        return false;
    for (const Unit *unit = units; unit->name; unit++) {
        if (strcmp(rest, unit->name) == 0) {
            *value = number * unit->factor;
            return true;
        }
    }
    return false;
}

bool quantity_parse_integer(const char *text, long long *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    const long long parsed = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return false;
    *value = parsed;
    return true;
}

bool quantity_parse_real(const char *text, double *value)
{
    const char *rest = NULL;
    double number = 0;
    if (!parse_leading_number(text, &rest, &number) || *rest)
        return false;
    *value = number;
    return true;
}

bool quantity_parse_share(const char *text, double *value)
{
    const char *rest = NULL;
    double number = 0;
    if (!parse_leading_number(text, &rest, &number) || (*rest && strcmp(rest, "%") != 0))
        return false;
    *value = *rest ? number / 100 : number;
    return true;
}

bool quantity_parse_bytes(const char *text, long long *bytes)
{
    double value = 0;
    if (!parse_with_unit(text, byte_units, &value) || value < 0 || value > exact_limit)
        return false;
    // 10.1MB is 10,100,000 bytes though 10.1 is no exact double.
    if (fabs(value - nearbyint(value)) > 1e-9 * value)
        return false;
    *bytes = (long long)nearbyint(value);
    return true;
}

bool quantity_parse_time(const char *text, double *ns)
{
    double value = 0;
    if (!parse_with_unit(text, time_units, &value) || !(value >= 0 && value <= longest_time_ns))
        return false;
    *ns = nearbyint(value);
    return true;
}

void quantity_format_real(double value, char *buffer, size_t buffer_bytes)
{
    if (fabs(value) < 1e15 && value == nearbyint(value)) {
        (void)snprintf(buffer, buffer_bytes, "%.0f", value); // 10000, not 1e+04
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(buffer, buffer_bytes, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value)
            return;
    }
}

void quantity_format_bytes(long long bytes, char *buffer, size_t buffer_bytes)
{
    static const char *const names[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t power = 0;
    while (bytes != 0 && bytes % 1024 == 0 && power + 1 < sizeof names / sizeof names[0]) {
        bytes /= 1024;
        power++;
    }
    (void)snprintf(buffer, buffer_bytes, "%lld%s", bytes, names[power]);
}

void quantity_format_time(double ns, char *buffer, size_t buffer_bytes)
{
    const Unit *best = &time_units[0];
    for (const Unit *unit = time_units; unit->name; unit++)
        if (ns >= unit->factor && fmod(ns, unit->factor) == 0)
            best = unit;
    char number[32];
    quantity_format_real(ns / best->factor, number, sizeof number);
    (void)snprintf(buffer, buffer_bytes, "%s%s", number, best->name);
}
