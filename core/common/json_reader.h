// SPDX-License-Identifier: Apache-2.0
// json_reader.h - reads JSON (RFC 8259) from memory, strictly, one token after the other: no tree,
// no memory of its own. Strings are unescaped where they stand, so each is read once.
#ifndef HYP_JSON_READER_H
#define HYP_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// After a failure every function returns false at once; the last error is that of the first.
typedef struct HypJson {
    const char *what; // is read, for messages: "header"
    char *text;
    char *at;
    char *end;
    bool failed;
} HypJson;

// Unescaped and followed by a NUL; there may be NULs inside.
typedef struct HypJsonString {
    char *bytes;
    size_t length;
} HypJsonString;

// An object or array that is being read.
typedef struct HypJsonList {
    char closing;
    bool begun;
} HypJsonList;

// Fails, last error set, unless the `size_bytes` at `text` are UTF-8. The text stays the caller's.
HypJson hyp_json_open(const char *what, char *text, size_t size_bytes);

// Fails unless nothing but blanks is left.
bool hyp_json_finish(HypJson *json);

// Records "<what>, byte N: ..." as FORMAT error; returns false.
__attribute__((format(printf, 2, 3))) bool hyp_json_fail(HypJson *json, const char *format, ...);

// First character of the next token, which stays; 0 at the end.
char hyp_json_peek(HypJson *json);

// Enters an object ('{') or array ('[').
HypJsonList hyp_json_enter(HypJson *json, char opening);

// Whether there is a next item in the array, or member in the object, whose key is read then; false
// at its end, behind which reading goes on, and after a failure.
bool hyp_json_next_item(HypJson *json, HypJsonList *list);
bool hyp_json_next_member(HypJson *json, HypJsonList *list, HypJsonString *key);

bool hyp_json_string(HypJson *json, HypJsonString *string);
bool hyp_json_bool(HypJson *json, bool *value);

// Whole numbers without fraction and exponent that fit; no minus in front of an unsigned one.
bool hyp_json_unsigned(HypJson *json, uint64_t *value);
bool hyp_json_integer(HypJson *json, int64_t *value);

// The nearest f32, whatever the locale; fails for one too large.
bool hyp_json_float(HypJson *json, float *value);

// Checks and leaves out a value; its strings stay as they stand.
bool hyp_json_skip(HypJson *json);

// Members of the object, or items of the array, that comes next; it stays, checked.
bool hyp_json_count(HypJson *json, size_t *count);

bool hyp_json_string_is(const HypJsonString *string, const char *text);

#endif
