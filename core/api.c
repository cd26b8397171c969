/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * api.c - the functions of chronomind.h about stores: they look at pointers and struct sizes, and hand over. (Snapshots: persist/. The bare index: baseline/.)
 *
 * Messages are kept in the thread; a call that succeeds clears them.
 */
#include "store/operations.h"
#include "store/store_impl.h"

#include "plat_epoch.h"

static cm_status_t missing(cm_error_t *error, const char *argument) {
    return cmi_fail(error, CM_E_ARGUMENT, "%s is NULL", argument);
}

static cm_status_t wrong_size(cm_error_t *error, const char *what, uint32_t size, size_t right, const char *init) {
    return cmi_fail(error, CM_E_ARGUMENT, "%s.size is %u: must be %u, begin with %s", what, size, (uint32_t)right, init);
}

/* What every call on a thread begins with: forgets the last message, and refuses to begin inside another call's callback. */
static cm_status_t begin(cm_thread_t *thread) {
    if (!thread) return CM_E_ARGUMENT;
    thread->error.status = CM_OK;
    thread->error.message[0] = '\0';
    if (!thread->in_callback) return CM_OK;
    return cmi_fail(&thread->error, CM_E_BUSY,
                    "this thread is inside a filter or progress callback: use another thread, or wait until the call returns");
}

/* ---- opening, threads --------------------------------------------------------------------------------------------------------- */

cm_status_t cm_open(const cm_config_t *config, cm_store_t **out, cm_error_t *error) {
    if (!out) return missing(error, "out");
    *out = NULL;
    if (!config) return missing(error, "config");
    if (config->size != sizeof *config) return wrong_size(error, "config", config->size, sizeof *config, "CM_CONFIG_INIT");
    return cmi_store_open(config, 0, out, error);
}

cm_status_t cm_close(cm_store_t *store) {
    return store ? cmi_store_close(store) : CM_OK;
}

cm_status_t cm_attach(cm_store_t *store, cm_thread_t **out) {
    if (out) *out = NULL;
    return store && out ? cmi_thread_attach(store, out) : CM_E_ARGUMENT;
}

void cm_detach(cm_thread_t *thread) {
    if (thread) cmi_thread_detach(thread);
}

cm_status_t cm_thread_abandon(cm_store_t *store, uint32_t slot) {
    return store ? cmi_thread_abandon(store, slot) : CM_E_ARGUMENT;
}

uint32_t cm_thread_slot(const cm_thread_t *thread) {
    return thread ? thread->slot : UINT32_MAX;
}

const char *cm_message(const cm_thread_t *thread) {
    return thread ? thread->error.message : "";
}

void cm_config_of(const cm_store_t *store, cm_config_t *out) {
    if (store && out) *out = store->config;
}

const char *cm_epoch_name(void) {
    return plat_epoch_name();
}

/* ---- memories ------------------------------------------------------------------------------------------------------------------- */

cm_status_t cm_insert(cm_thread_t *thread, const cm_memory_t *memory) {
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!memory) return missing(&thread->error, "memory");
    if (memory->size != sizeof *memory) return wrong_size(&thread->error, "memory", memory->size, sizeof *memory, "CM_MEMORY_INIT");
    return cmi_store_insert(thread, memory);
}

cm_status_t cm_remove(cm_thread_t *thread, cm_str_t id) {
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    return cmi_store_remove(thread, id);
}

/* The buffer is what references are written to first. */
static cm_status_t check_room(cm_thread_t *thread, const void *out, const void *buffer) {
    if (!out) return missing(&thread->error, "out");
    if ((uintptr_t)buffer % 8 == 0) return CM_OK;
    return cmi_fail(&thread->error, CM_E_ARGUMENT, "buffer is not aligned to 8 bytes");
}

cm_status_t cm_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed) {
    size_t ignored;
    cm_status_t status = begin(thread);
    if (status == CM_OK) status = check_room(thread, out, buffer);
    return status == CM_OK ? cmi_store_get(thread, id, out, (cmi_room_t){buffer, capacity, needed ? needed : &ignored}) : status;
}

cm_status_t cm_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed) {
    size_t ignored;
    cm_status_t status = begin(thread);
    if (status == CM_OK) status = check_room(thread, out, buffer);
    return status == CM_OK ? cmi_store_access(thread, id, now_ms, out, (cmi_room_t){buffer, capacity, needed ? needed : &ignored}) : status;
}

cm_status_t cm_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, void *buffer, size_t capacity,
                       size_t *needed) {
    size_t ignored;
    cm_status_t status = begin(thread);
    if (status == CM_OK) status = check_room(thread, out, buffer);
    return status == CM_OK ? cmi_store_get_hit(thread, slot, generation, out, (cmi_room_t){buffer, capacity, needed ? needed : &ignored})
                           : status;
}

cm_status_t cm_update(cm_thread_t *thread, cm_str_t id, const cm_update_t *update) {
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!update) return missing(&thread->error, "update");
    if (update->size != sizeof *update) return wrong_size(&thread->error, "update", update->size, sizeof *update, "CM_UPDATE_INIT");
    return cmi_store_update(thread, id, update);
}

cm_status_t cm_relate(cm_thread_t *thread, cm_str_t id, cm_str_t to) {
    cm_status_t status = begin(thread);
    return status == CM_OK ? cmi_store_relate(thread, id, to) : status;
}

cm_status_t cm_unrelate(cm_thread_t *thread, cm_str_t id, cm_str_t to) {
    cm_status_t status = begin(thread);
    return status == CM_OK ? cmi_store_unrelate(thread, id, to) : status;
}

cm_status_t cm_apply_decay(cm_thread_t *thread, int64_t now_ms, uint64_t *n_decayed) {
    if (n_decayed) *n_decayed = 0;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    uint64_t n = cmi_store_apply_decay(thread, now_ms);
    if (n_decayed) *n_decayed = n;
    return CM_OK;
}

bool cm_contains(cm_thread_t *thread, cm_str_t id) {
    return thread && cmi_store_contains(thread, id);
}

uint64_t cm_len(const cm_store_t *store) {
    return store ? plat_load_relaxed((plat_a64_t *)&store->n_live) : 0; /* relaxed: a count */
}

/* ---- search ----------------------------------------------------------------------------------------------------------------------- */

cm_status_t cm_search(cm_thread_t *thread, const float *vector, uint32_t dimensions, const cm_search_t *options, cm_hit_t *hits,
                      size_t *n_hits) {
    static const cm_search_t defaults = CM_SEARCH_INIT;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!n_hits) return missing(&thread->error, "n_hits");
    *n_hits = 0;
    if (!hits) return missing(&thread->error, "hits");
    if (!options) options = &defaults;
    if (options->size != sizeof *options) return wrong_size(&thread->error, "options", options->size, sizeof *options, "CM_SEARCH_INIT");
    return cmi_store_search(thread, vector, dimensions, options, hits, n_hits);
}

void cm_last_search(const cm_thread_t *thread, cm_search_report_t *out) {
    if (thread && out) *out = thread->report;
}

void cm_explain(const cm_search_report_t *report, const cm_hit_t *hit, cm_why_t *out) {
    if (report && hit && out) cmi_store_explain(report, hit, out);
}

/* ---- relationships, contexts, consolidation ------------------------------------------------------------------------------------- */

cm_status_t cm_related(cm_thread_t *thread, cm_str_t id, uint32_t depth, cm_related_t *out, uint32_t capacity, uint32_t *n) {
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!n) return missing(&thread->error, "n");
    *n = 0;
    if (!out && capacity > 0) return missing(&thread->error, "out");
    return cmi_store_related(thread, id, depth, out, capacity, n);
}

cm_status_t cm_context_summary(cm_thread_t *thread, cm_str_t context, cm_context_summary_t *out, float *mean, uint32_t dimensions) {
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!out) return missing(&thread->error, "out");
    return cmi_store_context_summary(thread, context, out, mean, dimensions);
}

cm_status_t cm_consolidate(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed) {
    static const cm_consolidate_t defaults = CM_CONSOLIDATE_INIT;
    uint64_t mine;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!options) options = &defaults;
    if (options->size != sizeof *options)
        return wrong_size(&thread->error, "options", options->size, sizeof *options, "CM_CONSOLIDATE_INIT");
    return cmi_store_consolidate(thread, options, n_absorbed ? n_absorbed : &mine);
}

/* ---- the whole store ---------------------------------------------------------------------------------------------------------------- */

cm_status_t cm_next(cm_thread_t *thread, uint64_t *cursor, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed) {
    size_t ignored;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!cursor) return missing(&thread->error, "cursor");
    status = check_room(thread, out, buffer);
    return status == CM_OK ? cmi_store_next(thread, cursor, out, (cmi_room_t){buffer, capacity, needed ? needed : &ignored}) : status;
}

cm_status_t cm_next_context(cm_thread_t *thread, uint64_t *cursor, cm_context_stat_t *out, void *buffer, size_t capacity, size_t *needed) {
    size_t ignored;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!cursor) return missing(&thread->error, "cursor");
    if (!out) return missing(&thread->error, "out");
    return cmi_store_next_context(thread, cursor, out, (cmi_room_t){buffer, capacity, needed ? needed : &ignored});
}

cm_status_t cm_top_references(cm_thread_t *thread, uint32_t n, cm_reference_t *out, uint32_t *n_out, void *buffer, size_t capacity,
                              size_t *needed) {
    size_t ignored;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!n_out) return missing(&thread->error, "n_out");
    *n_out = 0;
    if (!out && n > 0) return missing(&thread->error, "out");
    return cmi_store_top_references(thread, n, out, n_out, (cmi_room_t){buffer, capacity, needed ? needed : &ignored});
}

cm_status_t cm_stats(cm_thread_t *thread, cm_stats_t *out) {
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    if (!out) return missing(&thread->error, "out");
    cmi_store_stats(thread, out);
    return CM_OK;
}

cm_status_t cm_check(cm_thread_t *thread, cm_check_report_t *report) {
    cm_check_report_t mine;
    cm_status_t status = begin(thread);
    if (status != CM_OK) return status;
    return cmi_store_check(thread, report ? report : &mine, &thread->error);
}
