// SPDX-License-Identifier: Apache-2.0
#include "common/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Long enough for the list of every operator a model needs and the reader lacks.
enum { MESSAGE_BYTES = 4096 };

static _Thread_local HyperionErrorKind last_kind;
static _Thread_local char last_message[MESSAGE_BYTES];
static _Thread_local uint64_t failure_count;

void hyp_fail_record(HyperionErrorKind kind, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memcpy(last_message, message, sizeof last_message);
    last_kind = kind;
    failure_count++;
}

uint64_t hyp_fail_count(void)
{
    return failure_count;
}

const char *hyperionGetLastError(void)
{
    return last_message;
}

HyperionErrorKind hyperionGetLastErrorKind(void)
{
    return last_kind;
}

// The last message again, the path before it unless it is in it.
static void fail_at_path(HyperionErrorKind kind, const char *path)
{
    const bool named = strstr(last_message, path) != NULL;
    hyp_fail_record(kind, "%s%s%s", named ? "" : path, named ? "" : ": ", last_message);
}

void hyp_fail_at_path(const char *path)
{
    fail_at_path(last_kind, path);
}

void hyp_fail_in_file(const char *path)
{
    fail_at_path(last_kind == HYPERION_ERROR_ARGUMENT ? HYPERION_ERROR_FORMAT : last_kind, path);
}
