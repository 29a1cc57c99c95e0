// SPDX-License-Identifier: Apache-2.0
// json_writer.h - writes JSON to memory, token after token; commas come by themselves.
#ifndef HYP_JSON_WRITER_H
#define HYP_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// All zero is an empty text. After a failure nothing more is written; the last error tells.
typedef struct HypJsonWriter {
    char *text; // the owner frees
    size_t used_bytes;
    size_t capacity_bytes;
    bool failed;
} HypJsonWriter;

void hyp_json_begin(HypJsonWriter *writer, char opening); // '{' or '['
void hyp_json_end(HypJsonWriter *writer, char closing);
void hyp_json_key(HypJsonWriter *writer, const char *key);

// Fails for bytes that are not UTF-8.
void hyp_json_put_string(HypJsonWriter *writer, const char *bytes, size_t length);
void hyp_json_put_text(HypJsonWriter *writer, const char *text);
void hyp_json_put_integer(HypJsonWriter *writer, int64_t value);
void hyp_json_put_bool(HypJsonWriter *writer, bool value);

// Digits that read back to the same f32 to the bit, whatever the locale; what JSON has no number
// for as "inf", "-inf" or "nan".
void hyp_json_put_float(HypJsonWriter *writer, float value);

// Blanks behind the last token, for padding.
void hyp_json_put_blanks(HypJsonWriter *writer, size_t count);

#endif
