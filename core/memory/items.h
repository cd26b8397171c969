/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * items.h - items of one size that are taken and given back, named by u32 indices from 1 on: an arena with a stack of free items in front.
 *
 * The first four bytes of an item are a plat_a32_t that belongs to its owner while the item is taken, and links the stack while it is free.
 *
 * PROGRESS  take and give are lock-free: a CAS repeats only because another thread's take or give succeeded.
 * RECLAMATION  giving an item back is for whoever knows that nobody looks at it any more: a grace period's callback, or the owner of an item that nobody
 *           ever saw. Memory of items is never given back before close, so that a stale look at a free item is a wrong value, not a fault.
 */
#ifndef CMI_ITEMS_H
#define CMI_ITEMS_H

#include "memory/arena.h"

#define CMI_NO_ITEM 0u

typedef struct cmi_items {
    cmi_arena_t arena;  /* item 0 is never used */
    plat_a32_t n_items; /* index below which items have memory: the end of every scan */
    plat_a64_t
        free_head; /* tag << 32 | index: every give increments the tag, so that a take whose head was taken, used and given meanwhile fails its CAS */
} cmi_items_t;

/* SETUP. Room for capacity - 1 items. False when the machine gives no memory; close is right then, too. */
bool cmi_items_open(cmi_items_t *items, uint64_t item_bytes, uint32_t capacity);
void cmi_items_close(cmi_items_t *items);

/* An item with undefined contents (zero if it was never used). CM_E_INDEX_FULL, CM_E_NO_MEMORY. */
cm_status_t cmi_items_take(cmi_items_t *items, uint32_t *index);
void cmi_items_give(cmi_items_t *items, uint32_t index);

static inline void *cmi_items_at(const cmi_items_t *items, uint32_t index) {
    return cmi_arena_at(&items->arena, index);
}

/* Every index ever taken is below it. */
static inline uint32_t cmi_items_end(const cmi_items_t *items) {
    return plat_load_acquire((plat_a32_t *)&items->n_items); /* [P1] acquire: the items' memory; pairs with take_fresh() */
}

static inline uint64_t cmi_items_bytes(const cmi_items_t *items) {
    return cmi_arena_bytes(&items->arena, plat_load_relaxed((plat_a32_t *)&items->n_items)); /* relaxed: statistics */
}

#endif
