// SPDX-License-Identifier: Apache-2.0
#include "check/check_support.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECK_UNDER_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CHECK_UNDER_ASAN
#endif

#if defined(CHECK_UNDER_ASAN)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size_bytes) ((void)(address), (void)(size_bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, size_bytes) ((void)(address), (void)(size_bytes))
#endif

enum {
    ALIGNMENT_BYTES = 64,
    // Wider than one row of any register tile, so that a stray tile row lands inside.
    GUARD_FLOATS = 256
};

// A quiet NaN that no arithmetic produces.
static const uint32_t canary_bits = 0x7fc5a5a5U;

HypCheckRun hyp_check_start(HypCheckReport *report, uint64_t seed)
{
    *report = (HypCheckReport){.case_count = 0};
    return (HypCheckRun){.report = report, .random_state = seed};
}

void hyp_check_begin_case(HypCheckRun *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(run->label, sizeof run->label, format, arguments);
    va_end(arguments);
    run->report->case_count++;
}

bool hyp_check_fail(HypCheckRun *run, const char *format, ...)
{
    HypCheckReport *report = run->report;
    if (report->failure[0])
        return false;
    char message[sizeof report->failure];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    // The label is short enough for both; what does not fit is cut.
    const int length = snprintf(report->failure, sizeof report->failure, "%s: ", run->label);
    const size_t used = (size_t)length;
    (void)snprintf(report->failure + used, sizeof report->failure - used, "%s", message);
    return false;
}

// Error as a multiple of its bound; finite, because it goes into files.
static double error_ratio(double got, double want, double bound)
{
    if (got == want || (isnan(got) && isnan(want)))
        return 0;
    const double ratio = fabs(got - want) / bound;
    return isfinite(ratio) ? ratio : DBL_MAX;
}

bool hyp_check_value(HypCheckRun *run, double got, double want, double bound, const char *format,
                     ...)
{
    const double ratio = error_ratio(got, want, bound);
    if (ratio > run->report->worst)
        run->report->worst = ratio;
    if (ratio <= 1)
        return true;
    char place[64];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(place, sizeof place, format, arguments);
    va_end(arguments);
    return hyp_check_fail(run, "%s got %.9g, want %.9g, bound %.3g", place, got, want, bound);
}

static uint64_t next_random(HypCheckRun *run)
{
    uint64_t z = run->random_state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

float hyp_check_uniform(HypCheckRun *run, float low, float high)
{
    const float unit = (float)(next_random(run) >> 40) * 0x1p-24F;
    return low + (high - low) * unit;
}

size_t hyp_check_below(HypCheckRun *run, size_t n)
{
    return (size_t)(next_random(run) % n); // the bias does not matter: n is far below 2^64
}

static float *buffer_floats(const HypCheckBuffer *buffer)
{
    return buffer->memory;
}

static void lock_guards(const HypCheckBuffer *buffer)
{
    const float *end = buffer->data + buffer->count;
    const float *memory_end = buffer_floats(buffer) + buffer->memory_bytes / sizeof(float);
    ASAN_POISON_MEMORY_REGION(buffer->memory,
                              (size_t)(buffer->data - buffer_floats(buffer)) * sizeof(float));
    ASAN_POISON_MEMORY_REGION(end, (size_t)(memory_end - end) * sizeof(float));
}

static void unlock_guards(const HypCheckBuffer *buffer)
{
    ASAN_UNPOISON_MEMORY_REGION(buffer->memory, buffer->memory_bytes);
}

static void write_canaries(float *first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(first + i, &canary_bits, sizeof canary_bits);
}

// Place of the first float that is not a canary; `count` if there is none.
static size_t find_intruder(const float *first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, first + i, sizeof bits);
        if (bits != canary_bits)
            return i;
    }
    return count;
}

bool hyp_check_allocate(HypCheckRun *run, HypCheckBuffer *buffer, size_t count, size_t misalignment)
{
    *buffer = (HypCheckBuffer){.count = count};
    const size_t line_floats = ALIGNMENT_BYTES / sizeof(float);
    const size_t around = 2 * (size_t)GUARD_FLOATS + misalignment + line_floats;
    if (count > SIZE_MAX / sizeof(float) - around)
        return hyp_check_fail(run, "an array of %zu floats does not fit", count);
    const size_t floats = (around + count) / line_floats * line_floats;
    buffer->memory = aligned_alloc(ALIGNMENT_BYTES, floats * sizeof(float));
    if (!buffer->memory)
        return hyp_check_fail(run, "out of memory for %zu floats", count);
    buffer->memory_bytes = floats * sizeof(float);
    buffer->data = buffer_floats(buffer) + GUARD_FLOATS + misalignment;
    write_canaries(buffer->memory, floats);
    lock_guards(buffer);
    return true;
}

void hyp_check_release(HypCheckBuffer *buffer)
{
    if (buffer->memory)
        unlock_guards(buffer);
    free(buffer->memory);
    *buffer = (HypCheckBuffer){.count = 0};
}

void hyp_check_fill(HypCheckRun *run, HypCheckBuffer *buffer, float low, float high)
{
    for (size_t i = 0; i < buffer->count; i++)
        buffer->data[i] = hyp_check_uniform(run, low, high);
}

void hyp_check_fill_special(HypCheckRun *run, HypCheckBuffer *buffer, bool with_nan)
{
    static const float values[] = {
        NAN,      INFINITY, -INFINITY, 0.0F,      -0.0F,      1.0F,        FLT_MAX,
        -FLT_MAX, FLT_MIN,  -FLT_MIN,  0x1p-149F, -0x1p-149F, 0x1.8p-140F, 88.7F,
        -88.7F,   89.0F,    -89.0F,    -103.9F,   -104.0F,    104.0F,      -10.5F,
        10.0F,    -10.0F,   9.0F,      -5.6F,     5.6F,       1e30F,       -1e30F};
    const size_t count = sizeof values / sizeof values[0];
    const size_t first = with_nan ? 0 : 1;
    for (size_t i = 0; i < buffer->count; i++)
        buffer->data[i] = values[first + hyp_check_below(run, count - first)];
}

void hyp_check_fill_bits(HypCheckRun *run, HypCheckBuffer *buffer)
{
    for (size_t i = 0; i < buffer->count; i++) {
        const uint32_t bits = (uint32_t)next_random(run);
        memcpy(buffer->data + i, &bits, sizeof bits);
    }
}

void hyp_check_copy(HypCheckBuffer *to, const HypCheckBuffer *from)
{
    if (from->count > 0)
        memcpy(to->data, from->data, from->count * sizeof(float));
}

bool hyp_check_guards(HypCheckRun *run, const HypCheckBuffer *buffer, const char *name)
{
    unlock_guards(buffer);
    const size_t before = (size_t)(buffer->data - buffer_floats(buffer));
    const size_t after = buffer->memory_bytes / sizeof(float) - before - buffer->count;
    const size_t early = find_intruder(buffer->memory, before);
    const size_t late = find_intruder(buffer->data + buffer->count, after);
    lock_guards(buffer);
    if (early < before)
        return hyp_check_fail(run, "%s written %zu floats before its start", name, before - early);
    if (late < after)
        return hyp_check_fail(run, "%s written %zu floats past its end", name, late + 1);
    return true;
}

bool hyp_check_untouched(HypCheckRun *run, const HypCheckBuffer *buffer, size_t first, size_t count,
                         const char *name)
{
    const size_t place = find_intruder(buffer->data + first, count);
    return place == count ||
           hyp_check_fail(run, "%s[%zu], between the rows, was written", name, first + place);
}

size_t hyp_check_sample_count(size_t total, size_t limit)
{
    return total < limit ? total : limit;
}

size_t hyp_check_sample(HypCheckRun *run, size_t total, size_t limit, size_t i)
{
    if (total <= limit)
        return i;
    return i == 0 ? 0 : i == 1 ? total - 1 : hyp_check_below(run, total);
}
