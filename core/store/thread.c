/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * thread.c - threads of a store: attach, detach, and burying a dead one. A slot belongs to whoever CASed its word from NULL.
 *
 * Everything an operation needs is allocated here: the scratch of searches and inserts. Bags come from the store's blocks.
 */
#include "store/best.h"
#include "store/operations.h"
#include "store/store_impl.h"

#include "plat_pages.h"

static size_t ranked_bytes(const cm_thread_t *thread) {
    return (size_t)cmi_scratch_max_ef(thread->scratch) * sizeof *thread->ranked;
}

static uint64_t bytes_of(const cm_thread_t *thread) {
    return sizeof *thread + cmi_scratch_bytes(thread->scratch) + ranked_bytes(thread);
}

static void close_thread(cm_thread_t *thread) {
    if (thread->scratch) plat_pages_free(thread->ranked, ranked_bytes(thread));
    cmi_scratch_close(thread->scratch);
    plat_pages_free(thread, sizeof *thread);
}

static cm_thread_t *open_thread(cm_store_t *store) {
    cm_thread_t *thread = plat_pages_alloc(sizeof *thread);
    if (!thread) return NULL;
    thread->store = store;
    thread->scratch = cmi_scratch_open(&store->graph, CM_MAX_EF);
    if (thread->scratch) thread->ranked = plat_pages_alloc(ranked_bytes(thread));
    if (thread->ranked) return thread;
    close_thread(thread);
    return NULL;
}

static bool take_slot(cm_store_t *store, cm_thread_t *thread) {
    for (uint32_t slot = 0; slot < store->config.max_threads; slot++) {
        void *holder = NULL;
        thread->slot = slot;
        /* [S2] acquire: the epoch record as the last holder left it */
        if (plat_cas_acquire(&store->threads[slot], &holder, thread)) return true;
    }
    return false;
}

static void give_slot(cm_store_t *store, uint32_t slot) {
    plat_store_release(&store->threads[slot], NULL); /* [S2] release: the epoch record for the next holder */
}

cm_status_t cmi_thread_attach(cm_store_t *store, cm_thread_t **out) {
    cm_thread_t *thread = open_thread(store);
    if (!thread) return CM_E_NO_MEMORY;
    if (!take_slot(store, thread)) {
        close_thread(thread);
        return CM_E_THREADS;
    }
    if (!plat_epoch_attach(store->epoch, thread->slot)) {
        give_slot(store, thread->slot);
        close_thread(thread);
        return CM_E_NO_MEMORY;
    }
    thread->retirer.reclaimer = &store->reclaimer;
    thread->retirer.epoch_slot = thread->slot;
    plat_fetch_add_relaxed(&store->n_attached, 1);                  /* relaxed: a count */
    plat_fetch_add_relaxed(&store->thread_bytes, bytes_of(thread)); /* relaxed: statistics */
    *out = thread;
    return CM_OK;
}

/* Gives back everything but the epoch record's claim to be alive, which differs between the living and the dead. */
static void leave(cm_thread_t *thread) {
    cm_store_t *store = thread->store;
    cmi_retirer_submit(&thread->retirer);
    plat_epoch_detach(store->epoch, thread->slot);
    plat_fetch_sub_relaxed(&store->thread_bytes, bytes_of(thread)); /* relaxed: statistics */
    give_slot(store, thread->slot);
    close_thread(thread);
    plat_fetch_sub_relaxed(&store->n_attached, 1); /* relaxed: a count */
}

void cmi_thread_detach(cm_thread_t *thread) {
    leave(thread);
}

/* A thread that died inside an operation may leave behind: a slot that is reserved and never used, blocks that nobody frees, an id entry without memory
 * (an insert of that id uses it), counts of live memories or of a context that are one too high. Never a memory half there. */
cm_status_t cmi_thread_abandon(cm_store_t *store, uint32_t slot) {
    if (slot >= store->config.max_threads) return CM_E_ARGUMENT;
    /* relaxed: the caller knows of its death, so what it did happens before */
    cm_thread_t *thread = plat_load_relaxed(&store->threads[slot]);
    if (!thread || !plat_epoch_abandon(store->epoch, slot)) return CM_E_ARGUMENT;
    plat_fetch_add_relaxed(&store->n_abandoned, 1); /* relaxed: a count */
    uint32_t consolidator = slot + 1;
    plat_cas_release(&store->consolidator, &consolidator, 0); /* [S5] it consolidates no more */
    leave(thread);
    return CM_OK;
}

cm_store_t *cmi_thread_store(cm_thread_t *thread) {
    return thread->store;
}

cmi_scratch_t *cmi_thread_scratch(cm_thread_t *thread) {
    return thread->scratch;
}

cm_error_t *cmi_thread_error(cm_thread_t *thread) {
    return &thread->error;
}

void cmi_thread_pin(cm_thread_t *thread) {
    plat_epoch_pin(thread->store->epoch, thread->slot);
}

void cmi_thread_unpin(cm_thread_t *thread) {
    plat_epoch_unpin(thread->store->epoch, thread->slot);
}
