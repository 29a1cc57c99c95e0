// SPDX-License-Identifier: Apache-2.0
#include "machine/facts.h"

#include "common/json_fields.h"

#include <stdarg.h>
#include <stdio.h>

bool fact_set(json_t *facts, const char *name, json_t *value)
{
    return json_object_set_new(facts, name, value) == 0;
}

static bool reason_name(const char *name, char *text, size_t text_bytes)
{
    const int length = snprintf(text, text_bytes, "%s_reason", name);
    return length >= 0 && (size_t)length < text_bytes;
}

bool fact_unknown(json_t *facts, const char *name, const char *reason, ...)
{
    char key[96];
    char text[512];
    va_list args;
    va_start(args, reason);
    (void)vsnprintf(text, sizeof text, reason, args);
    va_end(args);
    return reason_name(name, key, sizeof key) && fact_set(facts, name, json_null()) &&
           fact_set(facts, key, json_string(text));
}

bool fact_set_text(json_t *facts, const char *name, const char *text)
{
    return fact_set(facts, name, json_text(text));
}

const char *fact_text(const json_t *facts, const char *name)
{
    return json_string_value(json_object_get(facts, name));
}

const char *fact_reason(const json_t *facts, const char *name)
{
    char key[96];
    const char *text = reason_name(name, key, sizeof key) ? fact_text(facts, key) : NULL;
    return text ? text : "";
}
