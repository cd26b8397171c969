/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap.h - the best few of many, in order: a binary heap in place whose root is taken off as often as needed. O(n) to make, O(log n) each.
 *
 *     CMI_HEAP(ranked_t, is_better)      defines   ranked_t_heap_make(items, n)   and   ranked_t_heap_pop(items, &n)
 *     CMI_HEAP_SORT(ranked_t)            defines besides   ranked_t_heap_sort(items, n),   which leaves the first last
 */
#ifndef CMI_HEAP_H
#define CMI_HEAP_H

#include "base/base.h"

#define CMI_HEAP(type, comes_before)                                                      \
    static void type##_heap_sift(type *items, size_t n, size_t i) {                       \
        type item = items[i];                                                             \
        for (size_t child; (child = 2 * i + 1) < n; i = child) {                          \
            if (child + 1 < n && comes_before(&items[child + 1], &items[child])) child++; \
            if (!comes_before(&items[child], &item)) break;                               \
            items[i] = items[child];                                                      \
        }                                                                                 \
        items[i] = item;                                                                  \
    }                                                                                     \
    static void type##_heap_make(type *items, size_t n) {                                 \
        for (size_t i = n / 2; i-- > 0;) type##_heap_sift(items, n, i);                   \
    }                                                                                     \
    static type type##_heap_pop(type *items, size_t *n) { /* not empty */                 \
        type first = items[0];                                                            \
        items[0] = items[--*n];                                                           \
        if (*n > 0) type##_heap_sift(items, *n, 0);                                       \
        return first;                                                                     \
    }

/* What comes off the heap fills the array from its end. */
#define CMI_HEAP_SORT(type)                               \
    static void type##_heap_sort(type *items, size_t n) { \
        type##_heap_make(items, n);                       \
        while (n > 0) {                                   \
            type first = type##_heap_pop(items, &n);      \
            items[n] = first;                             \
        }                                                 \
    }

#endif
