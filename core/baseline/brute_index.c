/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* brute_index.c - a linear scan over the same rows with the same kernels: the exact answer, and so the oracle of every recall figure. */
#include "baseline/index_impl.h"

#include "index/metric.h"

static void *brute_open(const cmi_hnsw_params_t *params) {
    return cmi_lockfree_ops.open(params);
}

static void brute_close(void *impl) {
    cmi_lockfree_ops.close(impl);
}

static void *brute_attach(void *impl) {
    return cmi_scratch_open(impl, CM_MAX_EF);
}

static void brute_detach(void *local) {
    cmi_scratch_close(local);
}

static cm_status_t brute_insert(void *impl, void *local, const float *vector, uint32_t *id) {
    (void)local;
    cmi_hnsw_t *graph = impl;
    cm_status_t status = cmi_hnsw_reserve(graph, id);
    if (status != CM_OK) return status;
    cmi_hnsw_set_vector(graph, *id, vector);
    plat_store_release(&cmi_hnsw_node(graph, *id)->meta, cmi_meta_make(0, 0, 0, CMI_LIVE)); /* [N3] release: the vector */
    return CM_OK;
}

static bool brute_remove(void *impl, uint32_t id) {
    return id < cmi_hnsw_n_slots(impl) && cmi_hnsw_kill(impl, id);
}

static uint32_t brute_search(void *impl, void *local, const float *vector, uint32_t k, uint32_t ef, cm_neighbor_t *out) {
    (void)ef;
    const cmi_hnsw_t *graph = impl;
    cmi_scratch_t *scratch = local;
    cmi_query_t query = cmi_query_of(graph, vector);
    uint32_t n_slots = cmi_hnsw_n_slots(graph);
    scratch->pool.n = 0;
    for (uint32_t slot = 0; slot < n_slots; slot++) {
        if (cmi_meta_state(cmi_hnsw_meta(graph, slot)) != CMI_LIVE) continue;
        float distance = cmi_distance(graph, &query, slot);
        scratch->n_distances++;
        if (scratch->pool.n < k || distance < scratch->pool.at[k - 1].distance) cmi_pool_insert(&scratch->pool, k, distance, slot);
    }
    for (uint32_t i = 0; i < scratch->pool.n; i++) out[i] = (cm_neighbor_t){scratch->pool.at[i].slot, scratch->pool.at[i].distance};
    return scratch->pool.n;
}

/* There is nothing but states to check. */
static cm_status_t brute_check(void *impl, cm_check_report_t *report, cm_error_t *error) {
    const cmi_hnsw_t *graph = impl;
    memset(report, 0, sizeof *report);
    for (uint32_t slot = 0; slot < cmi_hnsw_n_slots(graph); slot++) {
        cmi_state_t state = cmi_meta_state(cmi_hnsw_meta(graph, slot));
        if (state > CMI_DEAD) return cmi_fail(error, CM_E_INVARIANT, "slot %u is in state %u", slot, (uint32_t)state);
        report->n_live += state == CMI_LIVE;
        report->n_dead += state == CMI_DEAD;
    }
    return CM_OK;
}

static uint64_t brute_distances(const void *local) {
    return cmi_scratch_distances(local);
}

static uint64_t brute_bytes(const void *impl) {
    return cmi_hnsw_vector_bytes(impl);
}

const cmi_index_ops_t cmi_brute_ops = {
    "brute force", brute_open,   brute_close, brute_attach,    brute_detach, brute_insert,
    brute_remove,  brute_search, brute_check, brute_distances, brute_bytes,
};
