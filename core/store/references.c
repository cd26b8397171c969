/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * references.c - which ids the relationships name most often.
 *
 * Counted in a hash table in scratch pages that doubles when half full; its strings stay in the store's blocks, which the pin keeps for as long as the
 * count runs. One scan over the memories.
 */
#include "store/copy.h"
#include "store/operations.h"
#include "store/relationships.h"

#include "base/heap.h"
#include "plat_pages.h"

#define FIRST_PLACES 1024u

typedef struct reference {
    const char *id;
    uint32_t id_bytes;
    uint32_t n; /* memories; 0: an empty place */
} reference_t;

typedef struct counter {
    const cm_store_t *store;
    reference_t *places; /* open addressing, linear probing; NULL before the first and after a failure */
    uint64_t n_places;   /* a power of two */
    uint64_t n_used;
    bool failed; /* the machine gave no memory */
} counter_t;

static cm_str_t id_of(const reference_t *reference) {
    return (cm_str_t){reference->id, reference->id_bytes};
}

/* Count descending, then id ascending. */
static bool comes_before(const reference_t *a, const reference_t *b) {
    if (a->n != b->n) return a->n > b->n;
    return cmi_str_compare(id_of(a), id_of(b)) < 0;
}
CMI_HEAP(reference_t, comes_before)

static reference_t *place_of(const counter_t *counter, cm_str_t id) {
    uint64_t at = cmi_hash(id.data, id.len, counter->store->ids.seed);
    for (;; at++) {
        reference_t *place = &counter->places[at & (counter->n_places - 1)];
        if (place->n == 0 || cmi_str_compare(id_of(place), id) == 0) return place;
    }
}

static void free_places(counter_t *counter) {
    plat_pages_free(counter->places, (size_t)(counter->n_places * sizeof *counter->places));
    counter->places = NULL;
}

static bool grow(counter_t *counter) {
    counter_t wider = *counter;
    wider.n_places = counter->places ? 2 * counter->n_places : FIRST_PLACES;
    wider.places = plat_pages_alloc((size_t)(wider.n_places * sizeof *wider.places));
    if (!wider.places) return false;
    for (uint64_t i = 0; counter->places && i < counter->n_places; i++)
        if (counter->places[i].n > 0) *place_of(&wider, id_of(&counter->places[i])) = counter->places[i];
    free_places(counter);
    *counter = wider;
    return true;
}

static void count(counter_t *counter, cm_str_t id) {
    if (2 * counter->n_used >= counter->n_places && !grow(counter)) {
        counter->failed = true;
        return;
    }
    reference_t *place = place_of(counter, id);
    if (place->n == 0) {
        *place = (reference_t){id.data, (uint32_t)id.len, 0};
        counter->n_used++;
    }
    place->n++;
}

static void count_memory(void *context, uint32_t slot) {
    counter_t *counter = context;
    uint32_t block = cmi_record_block(&cmi_record_at(counter->store, slot)->relationships);
    cmi_relationships_t list = cmi_relationships_at(counter->store->blocks, block);
    while (list.n > 0 && !counter->failed) count(counter, cmi_relationships_pop(&list));
}

/* Moves the used places to the front; returns how many. */
static size_t compact(counter_t *counter) {
    size_t n = 0;
    for (uint64_t i = 0; counter->places && i < counter->n_places; i++)
        if (counter->places[i].n > 0) counter->places[n++] = counter->places[i];
    return n;
}

/* The first n in order; their strings still in the store. Returns how many bytes those have. */
static uint64_t choose(counter_t *counter, uint32_t n, cm_reference_t *out, uint32_t *n_out) {
    size_t n_left = compact(counter);
    uint64_t n_bytes = 0;
    reference_t_heap_make(counter->places, n_left);
    for (*n_out = 0; *n_out < n && n_left > 0; (*n_out)++) {
        reference_t best = reference_t_heap_pop(counter->places, &n_left);
        out[*n_out] = (cm_reference_t){id_of(&best), best.n};
        n_bytes += best.id_bytes;
    }
    return n_bytes;
}

static cm_status_t top(cm_thread_t *thread, counter_t *counter, uint32_t n, cm_reference_t *out, uint32_t *n_out, cmi_room_t room) {
    cmi_store_each(thread->store, count_memory, counter);
    if (counter->failed) return cmi_no_memory(&thread->error, "counting references");
    cm_status_t status = cmi_room_for(thread, choose(counter, n, out, n_out), room);
    char *next = room.buffer;
    for (uint32_t i = 0; status == CM_OK && i < *n_out; i++) out[i].id = cmi_copy_str(&next, out[i].id);
    if (status != CM_OK) *n_out = 0;
    return status;
}

cm_status_t cmi_store_top_references(cm_thread_t *thread, uint32_t n, cm_reference_t *out, uint32_t *n_out, cmi_room_t room) {
    counter_t counter = {.store = thread->store};
    *n_out = 0;
    cmi_thread_pin(thread);
    cm_status_t status = top(thread, &counter, n, out, n_out, room);
    cmi_thread_unpin(thread);
    free_places(&counter);
    return status;
}
