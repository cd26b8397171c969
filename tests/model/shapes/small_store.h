/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * small_store.h - a real store for shapes, as small as parameters allow: vectors of one dimension, room for few memories. Its threads are attached in setup. One file includes this once.
 *
 * What is long and beside the point of a shape is done in setup, which runs alone. What is not modelled: the sections of the epoch, whose own shapes are in epoch.c, where a
 * shape calls functions that expect to be pinned already.
 */
#ifndef MODEL_SMALL_STORE_H
#define MODEL_SMALL_STORE_H

#include "model/model.h"
#include "store/contexts.h"
#include "store/operations.h"
#include "store/record.h"
#include "store/relationships.h"

enum { STORE_THREADS = 3, MOST_MEMORIES = 4, MOST_RELATIONSHIPS = 3 };

static cm_store_t *store;
static cm_thread_t *thread[STORE_THREADS];

static inline cm_str_t str(const char *text) {
    return (cm_str_t){text, strlen(text)};
}

static inline int64_t no_time(void *context) {
    (void)context;
    return 1000;
}

static inline void open_store_for(uint32_t max_memories) {
    cm_config_t config = CM_CONFIG_INIT;
    cm_error_t error;
    config.dimensions = 1;
    config.max_memories = max_memories;
    config.max_relationships = MOST_RELATIONSHIPS;
    config.m = config.ef_construction = config.ef_search = 2;
    config.metric = CM_METRIC_L2SQ;
    config.max_threads = STORE_THREADS;
    config.clock_ms = no_time;
    if (cmi_store_open(&config, 0, &store, &error) != CM_OK) model_fail(__FILE__, __LINE__, error.message);
    for (uint32_t t = 0; t < STORE_THREADS; t++) MODEL_CHECK(cmi_thread_attach(store, &thread[t]) == CM_OK);
}

static inline void open_small_store(void) {
    model_flat_arenas();
    open_store_for(MOST_MEMORIES);
}

/* A memory with one relationship, or none. */
static inline void add_memory(uint32_t t, const char *id, float x, const char *related) {
    cm_memory_t memory = CM_MEMORY_INIT;
    cm_str_t to = related ? str(related) : (cm_str_t){NULL, 0};
    memory.id = str(id);
    memory.vector = &x;
    memory.dimensions = 1;
    memory.relationships = &to;
    memory.n_relationships = related ? 1 : 0;
    MODEL_CHECK(cmi_store_insert(thread[t], &memory) == CM_OK);
}

static inline uint32_t slot_of(const char *id) {
    return cmi_slot_of(store, str(id));
}

static inline bool is_related(const char *id, const char *to) {
    uint32_t slot = slot_of(id);
    if (slot == CMI_NONE) return false;
    return cmi_relationships_hold(cmi_relationships_at(store->blocks, cmi_record_block(&cmi_record_at(store, slot)->relationships)),
                                  str(to));
}

/* Reads a memory as a caller does: false where there is none. What is read is complete, and one memory's: its vector, text and relationships. */
static inline bool read_memory(uint32_t t, const char *id, cm_memory_t *out) {
    static char room[STORE_THREADS][512];
    size_t needed;
    cm_status_t status = cmi_store_get(thread[t], str(id), out, (cmi_room_t){room[t], sizeof room[t], &needed});
    MODEL_CHECK(status == CM_OK || status == CM_E_NOT_FOUND);
    return status == CM_OK;
}

/* Whatever the thread has retired goes now, and is given back when no section is open that may look at it. */
static inline void submit_and_collect(uint32_t t, uint32_t n) {
    cmi_retirer_submit(&thread[t]->retirer);
    for (uint32_t i = 0; i < n; i++) plat_epoch_collect(store->epoch, thread[t]->slot);
}

/* Everything that check() knows. Closing gives back what waits for the end of sections: whatever was retired twice is freed twice. */
static inline void check_and_close(void) {
    cm_check_report_t report;
    cm_error_t error;
    if (cmi_store_check(thread[0], &report, &error) != CM_OK) model_fail(__FILE__, __LINE__, error.message);
    for (uint32_t t = 0; t < STORE_THREADS; t++) cmi_thread_detach(thread[t]);
    MODEL_CHECK(cmi_store_close(store) == CM_OK);
}

#endif
