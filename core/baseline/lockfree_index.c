/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* lockfree_index.c - the bare index over the lock-free graph. */
#include "baseline/index_impl.h"

static void *lockfree_open(const cmi_hnsw_params_t *params) {
    cmi_hnsw_t *graph = cmi_index_alloc(sizeof *graph);
    if (graph && !cmi_hnsw_open(graph, params)) {
        cmi_index_free(graph, sizeof *graph);
        return NULL;
    }
    return graph;
}

static void lockfree_close(void *impl) {
    cmi_hnsw_close(impl);
    cmi_index_free(impl, sizeof(cmi_hnsw_t));
}

static void *lockfree_attach(void *impl) {
    return cmi_scratch_open(impl, CM_MAX_EF);
}

static void lockfree_detach(void *local) {
    cmi_scratch_close(local);
}

static cm_status_t lockfree_insert(void *impl, void *local, const float *vector, uint32_t *id) {
    return cmi_graph_insert(impl, local, vector, id);
}

static bool lockfree_remove(void *impl, uint32_t id) {
    return id < cmi_hnsw_n_slots(impl) && cmi_hnsw_kill(impl, id);
}

static uint32_t lockfree_search(void *impl, void *local, const float *vector, uint32_t k, uint32_t ef, cm_neighbor_t *out) {
    return cmi_graph_search(impl, local, vector, k, ef, out);
}

static cm_status_t lockfree_check(void *impl, cm_check_report_t *report, cm_error_t *error) {
    return cmi_hnsw_check(impl, 0, report, error);
}

static uint64_t lockfree_distances(const void *local) {
    return cmi_scratch_distances(local);
}

static uint64_t lockfree_bytes(const void *impl) {
    return cmi_graph_bytes(impl);
}

const cmi_index_ops_t cmi_lockfree_ops = {
    "lock-free",     lockfree_open,   lockfree_close, lockfree_attach,    lockfree_detach, lockfree_insert,
    lockfree_remove, lockfree_search, lockfree_check, lockfree_distances, lockfree_bytes,
};
