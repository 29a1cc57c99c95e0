// SPDX-License-Identifier: Apache-2.0
// values.h - the values of one axis in a scenario: a value, a list, a range.
#ifndef HYP_VALUES_H
#define HYP_VALUES_H

#include "scenario/axes.h"
#include "scenario/yaml_tree.h"

typedef struct ValueList {
    AxisValue *items;
    size_t count, capacity;
} ValueList;

// Appends what the node says: `64`, `[64, 96]`, `64..1024 *2`, `[1..4 +1, 8]`. TEXT values point
// into the tree. False on failure, with the place of the value.
bool values_read(AxisId id, const char *name, const TreeNode *node, ValueList *values,
                 Problem *problem);

bool values_contain(AxisId id, const ValueList *values, AxisValue value);
void values_clear(ValueList *values);

#endif
