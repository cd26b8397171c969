/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rwlock_index.c - the same graph behind one reader-writer lock: searches share it, inserts and removals exclude everybody. */
#include "baseline/index_impl.h"

#include "plat_thread.h"

typedef struct rwlock_index {
    cmi_hnsw_t graph;
    plat_rwlock_t *lock;
} rwlock_index_t;

static void rwlock_close(void *impl) {
    rwlock_index_t *self = impl;
    if (self->lock) plat_rwlock_close(self->lock);
    cmi_hnsw_close(&self->graph);
    cmi_index_free(self, sizeof *self);
}

static void *rwlock_open(const cmi_hnsw_params_t *params) {
    rwlock_index_t *self = cmi_index_alloc(sizeof *self);
    if (!self) return NULL;
    self->lock = plat_rwlock_open();
    if (self->lock && cmi_hnsw_open(&self->graph, params)) return self;
    rwlock_close(self);
    return NULL;
}

static void *rwlock_attach(void *impl) {
    return cmi_scratch_open(&((rwlock_index_t *)impl)->graph, CM_MAX_EF);
}

static void rwlock_detach(void *local) {
    cmi_scratch_close(local);
}

static cm_status_t rwlock_insert(void *impl, void *local, const float *vector, uint32_t *id) {
    rwlock_index_t *self = impl;
    plat_rwlock_write(self->lock);
    cm_status_t status = cmi_graph_insert(&self->graph, local, vector, id);
    plat_rwlock_unlock(self->lock);
    return status;
}

static bool rwlock_remove(void *impl, uint32_t id) {
    rwlock_index_t *self = impl;
    plat_rwlock_write(self->lock);
    bool removed = id < cmi_hnsw_n_slots(&self->graph) && cmi_hnsw_kill(&self->graph, id);
    plat_rwlock_unlock(self->lock);
    return removed;
}

static uint32_t rwlock_search(void *impl, void *local, const float *vector, uint32_t k, uint32_t ef, cm_neighbor_t *out) {
    rwlock_index_t *self = impl;
    plat_rwlock_read(self->lock);
    uint32_t n = cmi_graph_search(&self->graph, local, vector, k, ef, out);
    plat_rwlock_unlock(self->lock);
    return n;
}

static cm_status_t rwlock_check(void *impl, cm_check_report_t *report, cm_error_t *error) {
    return cmi_hnsw_check(&((rwlock_index_t *)impl)->graph, 0, report, error);
}

static uint64_t rwlock_distances(const void *local) {
    return cmi_scratch_distances(local);
}

static uint64_t rwlock_bytes(const void *impl) {
    return cmi_graph_bytes(&((const rwlock_index_t *)impl)->graph);
}

const cmi_index_ops_t cmi_rwlock_ops = {
    "one rwlock",  rwlock_open,   rwlock_close, rwlock_attach,    rwlock_detach, rwlock_insert,
    rwlock_remove, rwlock_search, rwlock_check, rwlock_distances, rwlock_bytes,
};
