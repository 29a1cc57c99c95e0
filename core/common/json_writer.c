// SPDX-License-Identifier: Apache-2.0
#include "common/json_writer.h"

#include "common/fail.h"
#include "common/size_math.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Room for `more_bytes`; NULL when there is none.
static char *reserve(HypJsonWriter *writer, size_t more_bytes)
{
    size_t needed_bytes;
    if (writer->failed)
        return NULL;
    if (!hyp_size_add(writer->used_bytes, more_bytes, &needed_bytes))
        needed_bytes = SIZE_MAX;
    if (needed_bytes > writer->capacity_bytes) {
        const size_t twice_bytes = writer->capacity_bytes < SIZE_MAX / 2
                                       ? 2 * writer->capacity_bytes
                                       : writer->capacity_bytes;
        const size_t wanted_bytes = needed_bytes > twice_bytes ? needed_bytes : twice_bytes;
        char *grown = realloc(writer->text, wanted_bytes);
        if (!grown) {
            writer->failed = true;
            return hyp_fail_null(HYPERION_ERROR_MEMORY, "no memory for a text of %zu bytes",
                                 wanted_bytes);
        }
        writer->text = grown;
        writer->capacity_bytes = wanted_bytes;
    }
    return writer->text + writer->used_bytes;
}

static void append(HypJsonWriter *writer, const char *bytes, size_t count)
{
    char *place = reserve(writer, count);
    if (!place)
        return;
    memcpy(place, bytes, count);
    writer->used_bytes += count;
}

// A comma, unless what comes is the first of its list or the value of a key.
static void separate(HypJsonWriter *writer)
{
    if (!writer->failed && writer->used_bytes &&
        !strchr("{[:", writer->text[writer->used_bytes - 1]))
        append(writer, ",", 1);
}

void hyp_json_begin(HypJsonWriter *writer, char opening)
{
    separate(writer);
    append(writer, &opening, 1);
}

void hyp_json_end(HypJsonWriter *writer, char closing)
{
    append(writer, &closing, 1);
}

void hyp_json_key(HypJsonWriter *writer, const char *key)
{
    hyp_json_put_text(writer, key);
    append(writer, ":", 1);
}

void hyp_json_put_string(HypJsonWriter *writer, const char *bytes, size_t length)
{
    separate(writer);
    if (hyp_utf8_prefix(bytes, length) < length && !writer->failed) {
        writer->failed = true;
        (void)hyp_fail(HYPERION_ERROR_UNSUPPORTED, "the name '%.64s' is not UTF-8", bytes);
    }
    append(writer, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        char escape[8] = {'\\', bytes[i]};
        if ((unsigned char)bytes[i] < 0x20)
            (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)bytes[i]);
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\')
            append(writer, escape, strlen(escape));
        else
            append(writer, &bytes[i], 1);
    }
    append(writer, "\"", 1);
}

void hyp_json_put_text(HypJsonWriter *writer, const char *text)
{
    hyp_json_put_string(writer, text, strlen(text));
}

void hyp_json_put_integer(HypJsonWriter *writer, int64_t value)
{
    char text[32];
    separate(writer);
    append(writer, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

void hyp_json_put_bool(HypJsonWriter *writer, bool value)
{
    separate(writer);
    append(writer, value ? "true" : "false", value ? 4 : 5);
}

void hyp_json_put_float(HypJsonWriter *writer, float value)
{
    if (!isfinite(value)) {
        hyp_json_put_text(writer, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    // 9 digits tell every f32 from its neighbours. They are written as a whole number with an
    // exponent: printf's decimal point is that of the locale.
    char text[48];
    char number[64] = "";
    size_t digits = 0;
    (void)snprintf(text, sizeof text, "%.8e", (double)value);
    const char *at = text;
    if (*at == '-')
        number[digits++] = *at++;
    const size_t first = digits;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            number[digits++] = *at;
    long exponent = strtol(at + 1, NULL, 10) - 8;
    for (; digits > first + 1 && number[digits - 1] == '0'; exponent++)
        digits--;
    number[digits] = 0;
    if (exponent != 0 && value != 0.0F)
        (void)snprintf(number + digits, sizeof number - digits, "e%ld", exponent);
    separate(writer);
    append(writer, number, strlen(number));
}

void hyp_json_put_blanks(HypJsonWriter *writer, size_t count)
{
    char *place = reserve(writer, count);
    if (!place)
        return;
    memset(place, ' ', count);
    writer->used_bytes += count;
}
