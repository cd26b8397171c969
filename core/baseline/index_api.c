/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* index_api.c - cm_index_*: argument checks, thread slots, and the call into one of the implementations. */
#include "baseline/index_impl.h"

#include "plat_pages.h"

struct cm_index {
    cm_index_config_t config; /* immutable */
    const cmi_index_ops_t *ops;
    void *impl;
    plat_epoch_t *epoch;
    plat_a64_t n_live;     /* atomic, any writer */
    plat_a32_t n_attached; /* atomic, any thread */
    plat_a32_t slot_taken[CM_MAX_THREADS];
};

struct cm_index_thread {
    cm_index_t *index;
    uint32_t slot;
    void *local;
    cm_error_t error;
};

void *cmi_index_alloc(size_t n_bytes) {
    return plat_pages_alloc(n_bytes);
}

void cmi_index_free(void *memory, size_t n_bytes) {
    plat_pages_free(memory, n_bytes);
}

cm_status_t cmi_graph_insert(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *vector, uint32_t *slot) {
    cm_status_t status = cmi_hnsw_reserve(graph, slot);
    if (status != CM_OK) return status;
    cmi_hnsw_set_vector(graph, *slot, vector);
    cmi_hnsw_link(graph, scratch, *slot);
    return CM_OK;
}

uint32_t cmi_graph_search(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *vector, uint32_t k, uint32_t ef,
                          cm_neighbor_t *out) {
    cmi_found_t *found = cmi_scratch_results(scratch);
    cmi_wanted_t wanted = {.k = k, .ef = CMI_MAX(k, ef)};
    uint32_t n = cmi_hnsw_search(graph, scratch, vector, &wanted, found);
    if (cmi_hnsw_is_coded(graph)) cmi_hnsw_rescore(graph, scratch, vector, found, CMI_MIN(n, cmi_rescored_for(k)));
    n = CMI_MIN(n, k);
    for (uint32_t i = 0; i < n; i++) out[i] = (cm_neighbor_t){found[i].slot, found[i].distance};
    return n;
}

uint64_t cmi_graph_bytes(const cmi_hnsw_t *graph) {
    return cmi_hnsw_vector_bytes(graph) + cmi_hnsw_index_bytes(graph);
}

static const cmi_index_ops_t *ops_of(cm_index_kind_t kind) {
    switch (kind) {
    case CM_INDEX_LOCKFREE: return &cmi_lockfree_ops;
    case CM_INDEX_RWLOCK: return &cmi_rwlock_ops;
    case CM_INDEX_SHARDED: return &cmi_sharded_ops;
    case CM_INDEX_BRUTE: return &cmi_brute_ops;
    }
    return NULL;
}

static cm_status_t validate(const cm_index_config_t *config, cm_error_t *error) {
    if (!config) return cmi_fail(error, CM_E_ARGUMENT, "config is NULL");
    if (config->size != sizeof *config)
        return cmi_fail(error, CM_E_ARGUMENT, "config.size is %u: initialise it with CM_INDEX_CONFIG_INIT", config->size);
    if (!ops_of(config->kind)) return cmi_fail(error, CM_E_CONFIG, "kind is %u: there is no such index", (uint32_t)config->kind);
    if (config->dimensions == 0 || config->dimensions > CM_MAX_DIMENSIONS)
        return cmi_fail(error, CM_E_CONFIG, "dimensions is %u: must be 1 .. %u", config->dimensions, CM_MAX_DIMENSIONS);
    if (config->capacity == 0 || config->capacity > CM_MAX_MEMORIES)
        return cmi_fail(error, CM_E_CONFIG, "capacity is %u: must be 1 .. %u", config->capacity, CM_MAX_MEMORIES);
    if (config->metric == CM_METRIC_CUSTOM && !config->custom.distance)
        return cmi_fail(error, CM_E_CONFIG, "metric is 3 (custom), but custom.distance is NULL: give the function that computes it");
    if (config->metric > CM_METRIC_CUSTOM)
        return cmi_fail(error, CM_E_CONFIG, "metric is %u: there is no such metric", (uint32_t)config->metric);
    if (config->m < 2 || config->m > CM_MAX_M) return cmi_fail(error, CM_E_CONFIG, "m is %u: must be 2 .. %u", config->m, CM_MAX_M);
    if (config->ef_construction < config->m || config->ef_construction > CM_MAX_EF)
        return cmi_fail(error, CM_E_CONFIG, "ef_construction is %u: must be m (%u) .. %u", config->ef_construction, config->m, CM_MAX_EF);
    if (config->max_threads == 0 || config->max_threads > CM_MAX_THREADS)
        return cmi_fail(error, CM_E_CONFIG, "max_threads is %u: must be 1 .. %u", config->max_threads, CM_MAX_THREADS);
    cm_status_t status = cmi_rows_check(config->vectors, config->metric, error);
    return status == CM_OK ? cmi_spill_check(config->spill_folder, error) : status;
}

cm_status_t cm_index_open(const cm_index_config_t *config, cm_index_t **out, cm_error_t *error) {
    if (!out) return cmi_fail(error, CM_E_ARGUMENT, "out is NULL");
    *out = NULL;
    cm_status_t status = validate(config, error);
    if (status != CM_OK) return status;
    cm_index_t *index = cmi_index_alloc(sizeof *index);
    if (!index) return cmi_fail(error, CM_E_NO_MEMORY, "the machine gave no memory for the index");
    index->config = *config;
    index->ops = ops_of(config->kind);
    index->epoch = plat_epoch_open(config->max_threads);
    cmi_hnsw_params_t params = {config->dimensions, config->capacity, config->m,       config->ef_construction, config->metric,
                                config->seed,       config->custom,   config->vectors, config->spill_folder};
    index->impl = index->epoch ? index->ops->open(&params) : NULL;
    if (!index->impl) {
        cm_index_close(index);
        return cmi_fail(error, CM_E_NO_MEMORY, "the machine gave no memory for %u vectors of %u dimensions", config->capacity,
                        config->dimensions);
    }
    *out = index;
    return CM_OK;
}

cm_status_t cm_index_close(cm_index_t *index) {
    if (!index) return CM_OK;
    if (plat_load_relaxed(&index->n_attached) > 0) return CM_E_BUSY; /* relaxed: closing races with nothing by contract */
    if (index->impl) index->ops->close(index->impl);
    if (index->epoch) plat_epoch_close(index->epoch);
    cmi_index_free(index, sizeof *index);
    return CM_OK;
}

static bool take_slot(cm_index_t *index, uint32_t *slot) {
    for (uint32_t i = 0; i < index->config.max_threads; i++) {
        uint32_t expected = 0;
        if (plat_cas_acquire(&index->slot_taken[i], &expected, 1)) { /* [N7] acquire: the epoch record as detach left it */
            *slot = i;
            return true;
        }
    }
    return false;
}

cm_status_t cm_index_attach(cm_index_t *index, cm_index_thread_t **out) {
    if (!out) return CM_E_ARGUMENT;
    *out = NULL;
    if (!index) return CM_E_ARGUMENT;
    uint32_t slot;
    if (!take_slot(index, &slot)) return CM_E_THREADS;
    cm_index_thread_t *thread = cmi_index_alloc(sizeof *thread);
    void *local = thread ? index->ops->attach(index->impl) : NULL;
    if (!local || !plat_epoch_attach(index->epoch, slot)) {
        if (local) index->ops->detach(local);
        cmi_index_free(thread, sizeof *thread);
        plat_store_release(&index->slot_taken[slot], 0); /* [N7] */
        return CM_E_NO_MEMORY;
    }
    thread->index = index;
    thread->slot = slot;
    thread->local = local;
    plat_fetch_add_relaxed(&index->n_attached, 1); /* relaxed: a count */
    *out = thread;
    return CM_OK;
}

void cm_index_detach(cm_index_thread_t *thread) {
    if (!thread) return;
    cm_index_t *index = thread->index;
    index->ops->detach(thread->local);
    plat_epoch_detach(index->epoch, thread->slot);
    plat_store_release(&index->slot_taken[thread->slot], 0); /* [N7] release: the epoch record for the next owner */
    cmi_index_free(thread, sizeof *thread);
    plat_fetch_sub_relaxed(&index->n_attached, 1); /* relaxed: a count */
}

static cm_status_t check_vector(cm_index_thread_t *thread, const float *vector, uint32_t dimensions) {
    uint32_t expected = thread->index->config.dimensions, bad;
    if (!vector) return cmi_fail(&thread->error, CM_E_ARGUMENT, "vector is NULL");
    if (dimensions != expected)
        return cmi_fail(&thread->error, CM_E_DIMENSION, "vector has %u dimensions: the index has %u", dimensions, expected);
    if (!cmi_all_finite(vector, dimensions, &bad))
        return cmi_fail(&thread->error, CM_E_NOT_FINITE, "vector[%u] is %g: must be finite", bad, (double)vector[bad]);
    return CM_OK;
}

cm_status_t cm_index_insert(cm_index_thread_t *thread, const float *vector, uint32_t dimensions, uint32_t *id) {
    if (!thread) return CM_E_ARGUMENT;
    if (!id) return cmi_fail(&thread->error, CM_E_ARGUMENT, "id is NULL");
    cm_status_t status = check_vector(thread, vector, dimensions);
    if (status != CM_OK) return status;
    cm_index_t *index = thread->index;
    plat_epoch_pin(index->epoch, thread->slot);
    status = index->ops->insert(index->impl, thread->local, vector, id);
    plat_epoch_unpin(index->epoch, thread->slot);
    if (status == CM_E_INDEX_FULL)
        return cmi_fail(&thread->error, status, "all %u slots are used: open the index with a larger capacity", index->config.capacity);
    if (status != CM_OK) return cmi_fail(&thread->error, status, "the machine gave no memory for another vector");
    plat_fetch_add_relaxed(&index->n_live, 1); /* relaxed: a count */
    return CM_OK;
}

cm_status_t cm_index_remove(cm_index_thread_t *thread, uint32_t id) {
    if (!thread) return CM_E_ARGUMENT;
    cm_index_t *index = thread->index;
    plat_epoch_pin(index->epoch, thread->slot);
    bool removed = index->ops->remove(index->impl, id);
    plat_epoch_unpin(index->epoch, thread->slot);
    if (!removed) return cmi_fail(&thread->error, CM_E_NOT_FOUND, "id %u is not in the index", id);
    plat_fetch_sub_relaxed(&index->n_live, 1); /* relaxed: a count */
    return CM_OK;
}

cm_status_t cm_index_search(cm_index_thread_t *thread, const float *vector, uint32_t dimensions, uint32_t k, uint32_t ef,
                            cm_neighbor_t *out, size_t *n_out) {
    if (!thread) return CM_E_ARGUMENT;
    if (!out || !n_out) return cmi_fail(&thread->error, CM_E_ARGUMENT, "out or n_out is NULL");
    *n_out = 0;
    if (k == 0 || k > CM_MAX_K) return cmi_fail(&thread->error, CM_E_RANGE, "k is %u: must be 1 .. %u", k, CM_MAX_K);
    if (ef > CM_MAX_EF) return cmi_fail(&thread->error, CM_E_RANGE, "ef is %u: must be at most %u", ef, CM_MAX_EF);
    cm_status_t status = check_vector(thread, vector, dimensions);
    if (status != CM_OK) return status;
    cm_index_t *index = thread->index;
    plat_epoch_pin(index->epoch, thread->slot);
    *n_out = index->ops->search(index->impl, thread->local, vector, k, ef, out);
    plat_epoch_unpin(index->epoch, thread->slot);
    return CM_OK;
}

uint64_t cm_index_len(const cm_index_t *index) {
    return index ? plat_load_relaxed((plat_a64_t *)&index->n_live) : 0; /* relaxed: a count */
}

cm_status_t cm_index_check(cm_index_thread_t *thread, cm_check_report_t *report) {
    if (!thread) return CM_E_ARGUMENT;
    cm_check_report_t mine;
    return thread->index->ops->check(thread->index->impl, report ? report : &mine, &thread->error);
}

const char *cm_index_message(const cm_index_thread_t *thread) {
    return thread ? thread->error.message : "";
}

uint64_t cm_index_distances(const cm_index_thread_t *thread) {
    return thread ? thread->index->ops->distances(thread->local) : 0;
}

uint64_t cm_index_bytes(const cm_index_t *index) {
    return index ? index->ops->bytes(index->impl) : 0;
}
