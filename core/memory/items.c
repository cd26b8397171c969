/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* items.c - see items.h. */
#include "memory/items.h"

bool cmi_items_open(cmi_items_t *items, uint64_t item_bytes, uint32_t capacity) {
    plat_store_relaxed(&items->n_items, 1); /* relaxed: not shared yet */
    return cmi_arena_open(&items->arena, item_bytes, capacity);
}

void cmi_items_close(cmi_items_t *items) {
    cmi_arena_close(&items->arena);
}

static plat_a32_t *link_of(const cmi_items_t *items, uint32_t index) {
    return (plat_a32_t *)cmi_items_at(items, index);
}

/* As pop() in blocks.c, where the argument about the relaxed read of the link is. */
static uint32_t pop_free(cmi_items_t *items) {
    uint64_t head = plat_load_acquire(&items->free_head); /* [P2] acquire: the link of the head */
    while ((uint32_t)head != CMI_NO_ITEM) {
        uint32_t below = plat_load_relaxed(link_of(items, (uint32_t)head));
        /* [P2] acquire: the last use of the item. Retry: another take or give succeeded */
        if (plat_cas_acquire(&items->free_head, &head, (head & ~(uint64_t)UINT32_MAX) | below)) return (uint32_t)head;
    }
    return CMI_NO_ITEM;
}

void cmi_items_give(cmi_items_t *items, uint32_t index) {
    uint64_t head = plat_load_relaxed(&items->free_head), pushed; /* relaxed: re-checked by the CAS */
    do {
        plat_store_relaxed(link_of(items, index), (uint32_t)head); /* relaxed: published by the CAS */
        pushed = ((head >> 32) + 1) << 32 | index;
        /* [P2] release: the link and the last use of the item. Retry: another take or give succeeded */
    } while (!plat_cas_release(&items->free_head, &head, pushed));
}

static cm_status_t take_fresh(cmi_items_t *items, uint32_t *index) {
    uint32_t end = plat_load_relaxed(&items->n_items); /* relaxed: re-checked by the CAS; the arena looks after its chunks itself */
    do {
        if (end >= items->arena.capacity) return CM_E_INDEX_FULL;
        if (!cmi_arena_ensure(&items->arena, end)) return CM_E_NO_MEMORY;
        /* [P1] release: the item's memory before its number; an RMW, so it hands on what those before it released. Retry: another thread took this one */
    } while (!plat_cas_release(&items->n_items, &end, end + 1));
    *index = end;
    return CM_OK;
}

cm_status_t cmi_items_take(cmi_items_t *items, uint32_t *index) {
    *index = pop_free(items);
    return *index != CMI_NO_ITEM ? CM_OK : take_fresh(items, index);
}
