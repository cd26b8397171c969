/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * exports.c - what JavaScript needs beside the functions of chronomind.h, which it calls as they are (wasm/exports.list).
 *
 * Structs are filled by JavaScript at the offsets of js/src/generated.ts. Function pointers cannot come from JavaScript, so sinks, sources, filters
 * and progress functions become imports with a number that JavaScript chose; its clock is never called from here, because it passes the time.
 */
#include "chronomind.h"
#include "crc32c.h"
#include "plat_atomic.h"
#include "plat_pages.h"

#include <string.h>

/* Consumes bytes of a snapshot, in order. 0 = success. */
__attribute__((import_module("env"), import_name("write"))) int cmi_host_write(uint32_t handle, const void *bytes, size_t n_bytes);

/* Fills bytes from an offset (a double: exact up to 2^53). 0 = success. */
__attribute__((import_module("env"), import_name("read"))) int cmi_host_read(uint32_t handle, double offset, void *bytes, size_t n_bytes);

/* True for memories that may be hits. */
__attribute__((import_module("env"), import_name("filter"))) int cmi_host_filter(uint32_t handle, const cm_candidate_t *candidate);

/* Hears how much of a long call is done, in [0,1]; false stops it. */
__attribute__((import_module("env"), import_name("progress"))) int cmi_host_progress(uint32_t handle, double done);

static int write_to_host(void *context, const void *bytes, size_t n_bytes) {
    return cmi_host_write((uint32_t)(uintptr_t)context, bytes, n_bytes);
}

static int read_from_host(void *context, uint64_t offset, void *bytes, size_t n_bytes) {
    return cmi_host_read((uint32_t)(uintptr_t)context, (double)offset, bytes, n_bytes);
}

static bool ask_host(void *context, const cm_candidate_t *candidate) {
    return cmi_host_filter((uint32_t)(uintptr_t)context, candidate) != 0;
}

static bool tell_host(void *context, double done) {
    return cmi_host_progress((uint32_t)(uintptr_t)context, done) != 0;
}

CM_API cm_status_t cm_wasm_save(cm_thread_t *thread, uint32_t handle) {
    cm_sink_t sink = {.context = (void *)(uintptr_t)handle, .write = write_to_host};
    return cm_save(thread, &sink);
}

CM_API cm_status_t cm_wasm_load(uint32_t handle, double n_bytes, const cm_load_options_t *options, cm_store_t **out, cm_error_t *error) {
    cm_source_t source = {.context = (void *)(uintptr_t)handle, .n_bytes = (uint64_t)n_bytes, .read = read_from_host};
    return cm_load(&source, options, out, error);
}

/* Once for each memory, before it can be shared. */
CM_API void cm_wasm_start(void) {
    cmi_crc32c_start();
}

/* ---- users of the store ------------------------------------------------------------------------------------------------- */

/* Instances that use the one store of this memory, those to come included. Only a user adds another, so it never leaves 0 again. */
static plat_a32_t n_users;

/* Attaches a thread, for this instance or for one that a worker is going to make. */
CM_API cm_status_t cm_wasm_join(cm_store_t *store, cm_thread_t **out) {
    cm_status_t status = cm_attach(store, out);
    if (status == CM_OK) plat_fetch_add_relaxed(&n_users, 1); /* relaxed: a count */
    return status;
}

/* True when that was the last user: then the store is closed, and all of this memory is free.
 * acq_rel: what every user did to the store happens before the last one frees it. */
CM_API bool cm_wasm_leave(cm_store_t *store, cm_thread_t *thread) {
    cm_detach(thread);
    return plat_fetch_sub_acq_rel(&n_users, 1) == 1 && cm_close(store) == CM_OK;
}

/* As cm_wasm_leave, for a thread that no longer runs. Never the last: its caller is a user. */
CM_API cm_status_t cm_wasm_bury(cm_store_t *store, uint32_t slot) {
    cm_status_t status = cm_thread_abandon(store, slot);
    if (status == CM_OK) plat_fetch_sub_relaxed(&n_users, 1); /* relaxed: a count */
    return status;
}

/* The seats of workers (js/src/seat.ts): only JavaScript looks into them, because a worker takes one before it has a stack. */
CM_API void *cm_wasm_seats(void) {
    static uint64_t seats[CM_MAX_THREADS];
    return seats;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------------ */

/* The defaults of chronomind.h, so that JavaScript writes only what its caller gave. */
CM_API void cm_wasm_config_init(cm_config_t *config) {
    *config = (cm_config_t)CM_CONFIG_INIT;
}

CM_API void cm_wasm_memory_init(cm_memory_t *memory) {
    *memory = (cm_memory_t)CM_MEMORY_INIT;
}

CM_API void cm_wasm_search_init(cm_search_t *search) {
    *search = (cm_search_t)CM_SEARCH_INIT;
}

/* Makes it ask JavaScript. */
CM_API void cm_wasm_search_filter(cm_search_t *search, uint32_t handle) {
    search->filter = ask_host;
    search->filter_context = (void *)(uintptr_t)handle;
}

CM_API void cm_wasm_update_init(cm_update_t *update) {
    *update = (cm_update_t)CM_UPDATE_INIT;
}

CM_API void cm_wasm_consolidate_init(cm_consolidate_t *options) {
    *options = (cm_consolidate_t)CM_CONSOLIDATE_INIT;
}

/* Makes it tell JavaScript. */
CM_API void cm_wasm_consolidate_progress(cm_consolidate_t *options, uint32_t handle) {
    options->progress = tell_host;
    options->progress_context = (void *)(uintptr_t)handle;
}

CM_API void cm_wasm_load_init(cm_load_options_t *options) {
    *options = (cm_load_options_t)CM_LOAD_INIT;
}

/* ---- results ------------------------------------------------------------------------------------------------------------ */

/* What a hit shows of its memory. id.len is 0 where the memory was replaced or removed meanwhile. */
typedef struct shown {
    cm_str_t id, context, text, metadata;
} shown_t;

static cm_str_t moved(cm_str_t string, ptrdiff_t by) {
    return (cm_str_t){string.data + by, string.len};
}

/* Fills out[0 .. n-1], the strings one behind the other in the buffer, and returns for how many hits there was room: one call out of JavaScript for all of them.
 * *needed: of the copy for which there was none. */
CM_API size_t cm_wasm_show(cm_thread_t *thread, const cm_hit_t *hits, size_t n, shown_t *out, char *buffer, size_t capacity,
                           size_t *needed) {
    char *end = buffer + capacity;
    for (size_t i = 0; i < n; i++) {
        cm_memory_t memory;
        char *room = (char *)(((uintptr_t)buffer + 7) & ~(uintptr_t)7);
        size_t left = room < end ? (size_t)(end - room) : 0;
        cm_status_t status = cm_get_hit(thread, hits[i].slot, hits[i].generation, &memory, room, left, needed);
        if (status == CM_E_BUFFER) return i;
        out[i] = (shown_t){0};
        if (status != CM_OK) continue;
        char *strings = (char *)(uintptr_t)(memory.vector + memory.dimensions); /* which end the copy; what lies before them is not shown */
        size_t n_bytes = (size_t)(room + *needed - strings);
        ptrdiff_t by = buffer - strings;
        out[i] = (shown_t){moved(memory.id, by), moved(memory.context, by), moved(memory.text, by), moved(memory.metadata, by)};
        memmove(buffer, strings, n_bytes);
        buffer += n_bytes;
    }
    return n;
}

/* Room for arguments and results, aligned to a page. NULL when the machine gives no more. */
CM_API void *cm_wasm_alloc(size_t n_bytes) {
    return plat_pages_alloc(n_bytes);
}

CM_API void cm_wasm_free(void *address, size_t n_bytes) {
    plat_pages_free(address, n_bytes);
}
