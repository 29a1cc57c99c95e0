// SPDX-License-Identifier: Apache-2.0
// inventory.h - the tables that `hyperion list` prints.
#ifndef HYP_INVENTORY_H
#define HYP_INVENTORY_H

#include "common/problem.h"

#include <jansson.h>

typedef struct Inventory {
    const char *name;
    // An array of objects that all have the same keys in the same order; the caller decrefs. NULL
    // on failure.
    json_t *(*collect)(Problem *problem);
} Inventory;

extern const Inventory inventory_table[]; // ended by a NULL name

#endif
