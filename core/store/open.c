/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* open.c - a store's parts, brought up and taken down. */
#include "store/operations.h"
#include "store/store_impl.h"

#include "plat_pages.h"

/* Replaced and removed memories keep their slots until the store is opened anew (online vacuum will reuse them): half as many again, and some for small stores. */
static uint32_t slots_for(const cm_config_t *config, uint32_t at_least) {
    uint32_t n = config->max_memories + config->max_memories / 2 + 1024;
    return CMI_MAX(n, at_least);
}

/* A grace period after an id map entry was retired, on any thread. */
static void free_handle(void *context, uint32_t kind, uint32_t handle) {
    cm_store_t *store = context;
    if (kind == CMI_RETIRE_ID) cmi_idmap_free(&store->ids, handle);
    else cmi_skip_free(&store->postings.nodes, handle);
}

static bool open_parts(cm_store_t *store) {
    const cm_config_t *config = &store->config;
    cmi_hnsw_params_t params = {config->dimensions, store->n_slots, config->m,       config->ef_construction, config->metric,
                                config->seed,       config->custom, config->vectors, config->spill_folder};
    store->epoch = plat_epoch_open(config->max_threads);
    store->blocks = cmi_blocks_open();
    store->reclaimer = (cmi_reclaimer_t){.epoch = store->epoch, .blocks = store->blocks, .free_handle = free_handle, .context = store};
    return store->epoch && store->blocks && cmi_hnsw_open(&store->graph, &params) &&
           cmi_arena_open(&store->records, sizeof(cmi_record_t), store->n_slots) &&
           cmi_idmap_open(&store->ids, store->blocks, store->n_slots) && cmi_idmap_open(&store->contexts, store->blocks, store->n_slots) &&
           cmi_postings_open(&store->postings, store->blocks, store->n_slots);
}

/* Also right for a store of which only some parts are open. The epoch first: its last callbacks free blocks and entries. */
static void close_parts(cm_store_t *store) {
    if (store->epoch) plat_epoch_close(store->epoch);
    cmi_postings_close(&store->postings);
    cmi_idmap_close(&store->contexts);
    cmi_idmap_close(&store->ids);
    cmi_arena_close(&store->records);
    cmi_hnsw_close(&store->graph);
    cmi_blocks_close(store->blocks);
}

cm_status_t cmi_store_open(const cm_config_t *config, uint32_t n_slots_at_least, cm_store_t **out, cm_error_t *error) {
    *out = NULL;
    cm_status_t status = cmi_config_validate(config, error);
    if (status == CM_OK) status = cmi_spill_check(config->spill_folder, error);
    if (status != CM_OK) return status;
    cm_store_t *store = plat_pages_alloc(sizeof *store);
    if (store) {
        store->config = *config;
        store->n_slots = slots_for(config, n_slots_at_least);
        if (open_parts(store)) {
            *out = store;
            return CM_OK;
        }
        close_parts(store);
        plat_pages_free(store, sizeof *store);
    }
    return cmi_fail(error, CM_E_NO_MEMORY, "the machine gave no memory for a store of max_memories %u and dimensions %u",
                    config->max_memories, config->dimensions);
}

cm_status_t cmi_store_close(cm_store_t *store) {
    if (plat_load_relaxed(&store->n_attached) > 0) return CM_E_BUSY; /* relaxed: closing races with nothing, by contract */
    close_parts(store);
    plat_pages_free(store, sizeof *store);
    return CM_OK;
}

cm_status_t cmi_no_slots(const cm_store_t *store, cm_error_t *error) {
    if (!cmi_arena_is_spilled(&store->graph.full.arena)) return cmi_no_memory(error, "index slots");
    return cmi_fail(
        error, CM_E_NO_MEMORY,
        "no room for more vectors in spill_folder \"%s\", or no more memory for index slots: make room on that disk, or raise the limit",
        store->config.spill_folder);
}

const cm_config_t *cmi_store_config(const cm_store_t *store) {
    return &store->config;
}

cmi_hnsw_t *cmi_store_graph(cm_store_t *store) {
    return &store->graph;
}
