/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * related.c - the memories that relationships lead to, breadth first. Ids that do not exist are passed over.
 *
 * The queue is scratch pages with room for every slot; which slots were met is in the thread's search scratch.
 *
 * READERS  wait-free: each slot is visited once, and lists are immutable.
 */
#include "index/scratch.h"
#include "plat_pages.h"
#include "store/operations.h"
#include "store/record.h"
#include "store/relationships.h"

typedef struct step {
    uint32_t slot, depth;
} step_t;

typedef struct walk {
    cm_thread_t *thread;
    step_t *queue; /* the start first */
    uint32_t n, capacity;
} walk_t;

/* A slot that came into use after the queue was made is as if it had been inserted after the call. */
static void enqueue(walk_t *walk, uint32_t slot, uint32_t depth) {
    if (slot == CMI_NONE || walk->n == walk->capacity || !cmi_seen_add(walk->thread->scratch, slot)) return;
    walk->queue[walk->n++] = (step_t){slot, depth};
}

static void follow(walk_t *walk, step_t step) {
    const cm_store_t *store = walk->thread->store;
    cmi_relationships_t list = cmi_relationships_at(store->blocks, cmi_record_block(&cmi_record_at(store, step.slot)->relationships));
    while (list.n > 0) enqueue(walk, cmi_slot_of(store, cmi_relationships_pop(&list)), step.depth + 1);
}

static void copy(const walk_t *walk, cm_related_t *out) {
    for (uint32_t i = 1; i < walk->n; i++) {
        step_t step = walk->queue[i];
        uint32_t generation = cmi_meta_generation(cmi_hnsw_meta(&walk->thread->store->graph, step.slot));
        out[i - 1] = (cm_related_t){step.slot, generation, step.depth, 0};
    }
}

/* Pinned. */
static cm_status_t run(walk_t *walk, cm_str_t id, uint32_t depth, cm_related_t *out, uint32_t capacity, uint32_t *n) {
    uint32_t start = cmi_slot_of(walk->thread->store, id);
    if (start == CMI_NONE) return cmi_not_found(walk->thread, id);
    cmi_seen_clear(walk->thread->scratch);
    enqueue(walk, start, 0);
    for (uint32_t head = 0; head < walk->n && walk->queue[head].depth < depth; head++) follow(walk, walk->queue[head]);
    *n = walk->n - 1;
    if (*n > capacity)
        return cmi_fail(&walk->thread->error, CM_E_BUFFER, "%u memories are related, but there is room for %u: call again with more", *n,
                        capacity);
    copy(walk, out);
    return CM_OK;
}

cm_status_t cmi_store_related(cm_thread_t *thread, cm_str_t id, uint32_t depth, cm_related_t *out, uint32_t capacity, uint32_t *n) {
    walk_t walk = {.thread = thread, .capacity = cmi_hnsw_n_slots(&thread->store->graph) + 1}; /* one more: an empty store has none */
    size_t bytes = (size_t)walk.capacity * sizeof *walk.queue;
    walk.queue = plat_pages_alloc(bytes);
    if (!walk.queue) return cmi_no_memory(&thread->error, "related()");
    cmi_thread_pin(thread);
    cm_status_t status = run(&walk, id, depth, out, capacity, n);
    cmi_thread_unpin(thread);
    plat_pages_free(walk.queue, bytes);
    return status;
}
