// SPDX-License-Identifier: Apache-2.0
#include "common/json_reader.h"

#include "common/fail.h"
#include "common/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hyp_json_fail(HypJson *json, const char *format, ...)
{
    if (json->failed)
        return false;
    char reason[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    json->failed = true;
    (void)hyp_fail(HYPERION_ERROR_FORMAT, "%s, byte %zu: %s", json->what,
                   (size_t)(json->at - json->text), reason);
    json->at = json->end;
    return false;
}

HypJson hyp_json_open(const char *what, char *text, size_t size_bytes)
{
    HypJson json = {what, text, text, text + size_bytes, false};
    const size_t good_bytes = hyp_utf8_prefix(text, size_bytes);
    if (good_bytes < size_bytes) {
        json.at += good_bytes;
        (void)hyp_json_fail(&json, "not UTF-8");
    }
    return json;
}

char hyp_json_peek(HypJson *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
        json->at++;
    return (char)(json->at < json->end ? *json->at : 0);
}

static bool expect(HypJson *json, char wanted)
{
    if (hyp_json_peek(json) != wanted || json->at == json->end)
        return hyp_json_fail(json, "expected '%c'", wanted);
    json->at++;
    return true;
}

bool hyp_json_finish(HypJson *json)
{
    (void)hyp_json_peek(json);
    return json->at == json->end ? !json->failed
                                 : hyp_json_fail(json, "expected the end of the JSON text");
}

HypJsonList hyp_json_enter(HypJson *json, char opening)
{
    (void)expect(json, opening);
    return (HypJsonList){.closing = (char)(opening == '{' ? '}' : ']')};
}

bool hyp_json_next_item(HypJson *json, HypJsonList *list)
{
    if (json->failed)
        return false;
    if (hyp_json_peek(json) == list->closing) {
        json->at++;
        return false;
    }
    const bool begun = list->begun;
    list->begun = true;
    return !begun || expect(json, ',');
}

bool hyp_json_next_member(HypJson *json, HypJsonList *list, HypJsonString *key)
{
    return hyp_json_next_item(json, list) && hyp_json_string(json, key) && expect(json, ':');
}

// Value of four hexadecimal digits at `at`; -1: there are not four.
static int32_t read_hex(const HypJson *json, const char *at)
{
    int32_t value = 0;
    if (json->end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = at[i] ? strchr(digits, at[i]) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int32_t)(digit - digits) % 16;
    }
    return value;
}

// The code point of \uXXXX or a pair of them; `at` stands behind the u. -1: malformed.
static int32_t read_code_point(const HypJson *json, const char *at, size_t *used_bytes)
{
    const int32_t first = read_hex(json, at);
    *used_bytes = 4;
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first > 0xDBFF || json->end - at < 10 || at[4] != '\\' || at[5] != 'u')
        return -1;
    const int32_t second = read_hex(json, at + 6);
    *used_bytes = 10;
    return second >= 0xDC00 && second <= 0xDFFF
               ? 0x10000 + (first - 0xD800) * 0x400 + (second - 0xDC00)
               : -1;
}

// Reads the escape behind the backslash at json->at, and leaves the cursor behind it. Writes what
// it stands for to `out`, never longer than the escape, and returns the bytes written; 0:
// malformed.
static size_t read_escape(HypJson *json, char *out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char letter = (char)(json->end - json->at > 1 ? json->at[1] : 0);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found) {
        *out = meanings[found - letters];
        json->at += 2;
        return 1;
    }
    size_t used_bytes = 0;
    const int32_t point = letter == 'u' ? read_code_point(json, json->at + 2, &used_bytes) : -1;
    if (point < 0) {
        (void)hyp_json_fail(json, "not an escape that JSON knows");
        return 0;
    }
    json->at += 2 + used_bytes;
    return hyp_utf8_encode(point, out);
}

// Reads a string; with `keep` its text goes to string->bytes, else it stays as it stands.
static bool scan_string(HypJson *json, HypJsonString *string, bool keep)
{
    if (!expect(json, '"'))
        return false;
    char *out = json->at;
    string->bytes = out;
    while (json->at < json->end && *json->at != '"') {
        char escaped[4];
        if ((unsigned char)*json->at < 0x20)
            return hyp_json_fail(json, "a control character in a string");
        if (*json->at != '\\') {
            if (keep)
                *out = *json->at;
            out++;
            json->at++;
            continue;
        }
        const size_t count = read_escape(json, escaped);
        if (count == 0)
            return false;
        if (keep)
            memcpy(out, escaped, count);
        out += count;
    }
    if (json->at == json->end)
        return hyp_json_fail(json, "a string that does not end");
    if (keep)
        *out = 0;
    string->length = (size_t)(out - string->bytes);
    json->at++;
    return true;
}

bool hyp_json_string(HypJson *json, HypJsonString *string)
{
    return scan_string(json, string, true);
}

static bool read_word(HypJson *json, const char *word)
{
    const size_t length = strlen(word);
    (void)hyp_json_peek(json);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length) != 0)
        return hyp_json_fail(json, "expected a value");
    json->at += length;
    return true;
}

bool hyp_json_bool(HypJson *json, bool *value)
{
    *value = hyp_json_peek(json) == 't';
    return read_word(json, *value ? "true" : "false");
}

static size_t count_digits(const HypJson *json, const char *at)
{
    size_t count = 0;
    while (at + count < json->end && at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

bool hyp_json_unsigned(HypJson *json, uint64_t *value)
{
    (void)hyp_json_peek(json);
    const size_t count = count_digits(json, json->at);
    uint64_t made = 0;
    if (count == 0 || (count > 1 && *json->at == '0'))
        return hyp_json_fail(json, "expected a whole number");
    for (size_t i = 0; i < count; i++)
        if (__builtin_mul_overflow(made, (uint64_t)10, &made) ||
            __builtin_add_overflow(made, (uint64_t)(json->at[i] - '0'), &made))
            return hyp_json_fail(json, "a number past 64 bits");
    json->at += count;
    const char next = (char)(json->at < json->end ? *json->at : 0);
    if (next == '.' || next == 'e' || next == 'E')
        return hyp_json_fail(json, "expected a whole number");
    *value = made;
    return true;
}

bool hyp_json_integer(HypJson *json, int64_t *value)
{
    const bool negative = hyp_json_peek(json) == '-';
    uint64_t size = 0;
    if (negative)
        json->at++;
    if (!hyp_json_unsigned(json, &size))
        return false;
    if (size > (uint64_t)INT64_MAX + negative)
        return hyp_json_fail(json, "a number past 64 bits");
    // The least number has no positive of its own.
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

// Bytes of the number at the cursor; 0: it is none.
static size_t measure_number(const HypJson *json)
{
    const char *at = json->at;
    at += at < json->end && *at == '-';
    size_t count = count_digits(json, at);
    if (count == 0 || (count > 1 && *at == '0'))
        return 0;
    at += count;
    if (at < json->end && *at == '.') {
        count = count_digits(json, at + 1);
        if (count == 0)
            return 0;
        at += 1 + count;
    }
    if (at < json->end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < json->end && (*at == '+' || *at == '-');
        count = count_digits(json, at);
        if (count == 0)
            return 0;
        at += count;
    }
    return (size_t)(at - json->at);
}

bool hyp_json_float(HypJson *json, float *value)
{
    // strtof knows the decimal point of the locale alone: the number goes to it as 123e-2. No f32
    // needs more digits than fit.
    char plain[128];
    (void)hyp_json_peek(json);
    const size_t length = measure_number(json);
    if (length == 0)
        return hyp_json_fail(json, "expected a number");
    size_t used = 0;
    long exponent = 0;
    bool fraction = false;
    size_t i = 0;
    for (; i < length && json->at[i] != 'e' && json->at[i] != 'E'; i++) {
        if (used + 32 > sizeof plain)
            return hyp_json_fail(json, "a number of too many digits");
        if (json->at[i] != '.')
            plain[used++] = json->at[i];
        exponent -= fraction;
        fraction |= json->at[i] == '.';
    }
    if (length - i > 8)
        return hyp_json_fail(json, "a number too large or too small");
    if (i < length) {
        char digits[8] = "";
        memcpy(digits, json->at + i + 1, length - i - 1);
        exponent += strtol(digits, NULL, 10);
    }
    (void)snprintf(plain + used, sizeof plain - used, "e%ld", exponent);
    const float made = strtof(plain, NULL);
    if (!isfinite(made))
        return hyp_json_fail(json, "a number too large for f32");
    json->at += length;
    *value = made;
    return true;
}

static bool skip_scalar(HypJson *json)
{
    HypJsonString string;
    switch (hyp_json_peek(json)) {
    case '"': return scan_string(json, &string, false);
    case 't': return read_word(json, "true");
    case 'f': return read_word(json, "false");
    case 'n': return read_word(json, "null");
    default: {
        const size_t length = measure_number(json);
        json->at += length;
        return length > 0 || hyp_json_fail(json, "expected a value");
    }
    }
}

static bool skip_key(HypJson *json)
{
    HypJsonString key;
    return scan_string(json, &key, false) && expect(json, ':');
}

bool hyp_json_skip(HypJson *json)
{
    enum { MOST_DEPTH = 64 };
    HypJsonList lists[MOST_DEPTH];
    int depth = 0;
    do {
        const char opening = hyp_json_peek(json);
        if (opening == '{' || opening == '[') {
            if (depth == MOST_DEPTH)
                return hyp_json_fail(json, "more than %d values in one another", MOST_DEPTH);
            lists[depth++] = hyp_json_enter(json, opening);
        } else if (!skip_scalar(json)) {
            return false;
        }
        // Out of what ends here, to the next value.
        while (depth > 0 && !hyp_json_next_item(json, &lists[depth - 1])) {
            if (json->failed)
                return false;
            depth--;
        }
        if (depth > 0 && lists[depth - 1].closing == '}' && !skip_key(json))
            return false;
    } while (depth > 0);
    return !json->failed;
}

bool hyp_json_count(HypJson *json, size_t *count)
{
    char *start = json->at;
    const char opening = hyp_json_peek(json);
    HypJsonList list = hyp_json_enter(json, (char)(opening == '[' ? '[' : '{'));
    *count = 0;
    while (hyp_json_next_item(json, &list)) {
        if (list.closing == '}' && !skip_key(json))
            return false;
        if (!hyp_json_skip(json))
            return false;
        ++*count;
    }
    if (json->failed)
        return false;
    json->at = start;
    return true;
}

bool hyp_json_string_is(const HypJsonString *string, const char *text)
{
    return string->length == strlen(text) && memcmp(string->bytes, text, string->length) == 0;
}
