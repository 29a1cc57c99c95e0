// SPDX-License-Identifier: Apache-2.0
// axes.h - the table of axes and the values they take.
#ifndef HYP_AXES_H
#define HYP_AXES_H

#include "common/problem.h"

#include <jansson.h>
#include <stddef.h>

typedef enum AxisKind {
    AXIS_INTEGER, // range `64..1024 *2` or `0..10 +5`
    AXIS_BYTES,   // integer with a unit: 64KiB, 1.5GiB, 10MB
    AXIS_CAP,     // such a size, or a share of a whole that the help names: 25%, `10%..90% +5%`
    AXIS_REAL,    // range `0..1 +0.25`
    AXIS_FLAG,    // true or false
    AXIS_WORD,    // one of a list of words; one that ends in a colon takes a number: numa:1
    AXIS_TEXT     // printable text of at most AXIS_TEXT_BYTES
} AxisKind;

enum { AXIS_TEXT_BYTES = 512 };

#define AXIS(ID, ...) AXIS_##ID,
typedef enum AxisId {
#include "scenario/axes.def"
    AXIS_COUNT
} AxisId;
#undef AXIS

typedef struct Axis {
    const char *key;
    AxisKind kind;
    const char *unit;
    const char *fallback;     // NULL: no default
    double minimum, maximum;  // of AXIS_WORD: of the number
    const char *const *words; // AXIS_WORD: NULL-terminated
    const char *help;
} Axis;

extern const Axis axis_table[AXIS_COUNT];

// Values of flags that a workload can be left to choose.
typedef enum AxisAuto { AXIS_AUTO, AXIS_AUTO_TRUE, AXIS_AUTO_FALSE } AxisAuto;

// A bound value; which member counts follows from the axis's kind. WORD is an index into words, and
// for a word with a number more than that: axis_word tells which. CAP is bytes or, past all of
// them, a share: axis_cap_bytes tells.
typedef union AxisValue {
    long long integer; // INTEGER, BYTES, CAP, FLAG (0 or 1), WORD
    double real;       // REAL
    const char *text;  // TEXT; owned by the plan or request that the cell belongs to
} AxisValue;

// The axis with that key, or AXIS_COUNT.
AxisId axis_find(const char *key);

// The key nearest to a misspelt one, or NULL.
const char *axis_nearest(const char *key);

// The word of a WORD value as it stands in the table ("core", "numa:"), and its number, 0 without.
const char *axis_word(AxisId id, AxisValue value);
int axis_word_parameter(AxisValue value);

// Bytes of a CAP, `whole_bytes` being what a share is of; and the share in hundredths of a per
// cent, 0 of one in bytes.
size_t axis_cap_bytes(AxisValue value, size_t whole_bytes);
long long axis_cap_share(AxisValue value);

// The default; false, and *value unchanged, for an axis that has none.
bool axis_fallback(AxisId id, AxisValue *value);

// Whether an INTEGER, BYTES, CAP or REAL value lies between the axis's limits.
bool axis_in_range(AxisId id, AxisValue value);

// One scalar as written in a scenario or after --set; false names the axis, the text and what was
// expected (range, unit, nearest word). TEXT values point into `text`.
bool axis_parse(AxisId id, const char *text, AxisValue *value, Problem *problem);

// The value as it would be written: "512", "avx2", "64KiB". 64 bytes suffice but for TEXT,
// which needs AXIS_TEXT_BYTES + 1.
void axis_format(AxisId id, AxisValue value, char *buffer, size_t buffer_bytes);
bool axis_equal(AxisId id, AxisValue a, AxisValue b);

// JSON form: number, true/false or string; and back, as strict as axis_parse.
json_t *axis_to_json(AxisId id, AxisValue value);
bool axis_from_json(AxisId id, const json_t *json, AxisValue *value, Problem *problem);

#endif
