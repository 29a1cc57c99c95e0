// SPDX-License-Identifier: Apache-2.0
#include "common/sort.h"

typedef struct Sorting {
    unsigned char *items;
    size_t item_bytes;
    int (*compare)(const void *a, const void *b, const void *context);
    const void *context;
} Sorting;

static void swap(const Sorting *sorting, size_t i, size_t j)
{
    unsigned char *a = sorting->items + i * sorting->item_bytes;
    unsigned char *b = sorting->items + j * sorting->item_bytes;
    for (size_t k = 0; k < sorting->item_bytes; k++) {
        const unsigned char kept = a[k];
        a[k] = b[k];
        b[k] = kept;
    }
}

static int compare_at(const Sorting *sorting, size_t i, size_t j)
{
    return sorting->compare(sorting->items + i * sorting->item_bytes,
                            sorting->items + j * sorting->item_bytes, sorting->context);
}

// Item `top` down to where no child of the heap of `count` items is larger.
static void sink(const Sorting *sorting, size_t top, size_t count)
{
    for (;;) {
        size_t child = 2 * top + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare_at(sorting, child + 1, child) > 0)
            child++;
        if (compare_at(sorting, child, top) <= 0)
            return;
        swap(sorting, top, child);
        top = child;
    }
}

// Heap sort, Williams 1964.
void hyp_sort(void *items, size_t count, size_t item_bytes,
              int (*compare)(const void *a, const void *b, const void *context),
              const void *context)
{
    const Sorting sorting = {items, item_bytes, compare, context};
    for (size_t i = count / 2; i-- > 0;)
        sink(&sorting, i, count);
    for (size_t end = count; end > 1; end--) {
        swap(&sorting, 0, end - 1);
        sink(&sorting, 0, end - 1);
    }
}
