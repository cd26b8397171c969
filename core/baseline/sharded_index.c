/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * sharded_index.c - 16 graphs, each behind its own reader-writer lock. Inserts go round the shards; a search visits every shard and merges.
 * An id is slot * 16 + shard.
 */
#include "baseline/index_impl.h"

#include "plat_thread.h"

typedef struct shard {
    cmi_hnsw_t graph;
    plat_rwlock_t *lock;
} shard_t;

typedef struct sharded_index {
    shard_t shard[CMI_SHARDS];
    plat_a32_t next; /* atomic, any writer */
} sharded_index_t;

typedef struct sharded_local {
    cmi_scratch_t *scratch[CMI_SHARDS];
} sharded_local_t;

static void sharded_close(void *impl) {
    sharded_index_t *self = impl;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) {
        if (self->shard[s].lock) plat_rwlock_close(self->shard[s].lock);
        cmi_hnsw_close(&self->shard[s].graph);
    }
    cmi_index_free(self, sizeof *self);
}

static void *sharded_open(const cmi_hnsw_params_t *params) {
    sharded_index_t *self = cmi_index_alloc(sizeof *self);
    if (!self) return NULL;
    cmi_hnsw_params_t part = *params;
    part.capacity = (params->capacity + CMI_SHARDS - 1) / CMI_SHARDS;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) {
        part.seed = params->seed + s;
        self->shard[s].lock = plat_rwlock_open();
        if (self->shard[s].lock && cmi_hnsw_open(&self->shard[s].graph, &part)) continue;
        sharded_close(self);
        return NULL;
    }
    return self;
}

static void sharded_detach(void *local) {
    sharded_local_t *mine = local;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) cmi_scratch_close(mine->scratch[s]);
    cmi_index_free(mine, sizeof *mine);
}

static void *sharded_attach(void *impl) {
    sharded_index_t *self = impl;
    sharded_local_t *mine = cmi_index_alloc(sizeof *mine);
    if (!mine) return NULL;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) {
        mine->scratch[s] = cmi_scratch_open(&self->shard[s].graph, CM_MAX_EF);
        if (mine->scratch[s]) continue;
        sharded_detach(mine);
        return NULL;
    }
    return mine;
}

static cm_status_t sharded_insert(void *impl, void *local, const float *vector, uint32_t *id) {
    sharded_index_t *self = impl;
    sharded_local_t *mine = local;
    uint32_t s = plat_fetch_add_relaxed(&self->next, 1) % CMI_SHARDS, slot; /* relaxed: any distribution will do */
    plat_rwlock_write(self->shard[s].lock);
    cm_status_t status = cmi_graph_insert(&self->shard[s].graph, mine->scratch[s], vector, &slot);
    plat_rwlock_unlock(self->shard[s].lock);
    if (status == CM_OK) *id = slot * CMI_SHARDS + s;
    return status;
}

static bool sharded_remove(void *impl, uint32_t id) {
    shard_t *shard = &((sharded_index_t *)impl)->shard[id % CMI_SHARDS];
    uint32_t slot = id / CMI_SHARDS;
    plat_rwlock_write(shard->lock);
    bool removed = slot < cmi_hnsw_n_slots(&shard->graph) && cmi_hnsw_kill(&shard->graph, slot);
    plat_rwlock_unlock(shard->lock);
    return removed;
}

/* Merges the shard's results, already sorted, into out[0 .. n-1]. */
static uint32_t merge(cm_neighbor_t *out, uint32_t n, uint32_t k, const cmi_found_t *found, uint32_t n_found, uint32_t shard) {
    for (uint32_t i = 0; i < n_found; i++) {
        uint32_t at = n;
        while (at > 0 && out[at - 1].distance > found[i].distance) at--;
        if (at >= k) break;
        n = CMI_MIN(n + 1, k);
        memmove(&out[at + 1], &out[at], (size_t)(n - 1 - at) * sizeof *out);
        out[at] = (cm_neighbor_t){found[i].slot * CMI_SHARDS + shard, found[i].distance};
    }
    return n;
}

static uint32_t sharded_search(void *impl, void *local, const float *vector, uint32_t k, uint32_t ef, cm_neighbor_t *out) {
    sharded_index_t *self = impl;
    sharded_local_t *mine = local;
    cmi_wanted_t wanted = {.k = k, .ef = CMI_MAX(k, ef)};
    uint32_t n = 0;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) {
        cmi_found_t *found = cmi_scratch_results(mine->scratch[s]);
        plat_rwlock_read(self->shard[s].lock);
        uint32_t n_found = cmi_hnsw_search(&self->shard[s].graph, mine->scratch[s], vector, &wanted, found);
        plat_rwlock_unlock(self->shard[s].lock);
        n = merge(out, n, k, found, CMI_MIN(n_found, k), s);
    }
    return n;
}

static cm_status_t sharded_check(void *impl, cm_check_report_t *report, cm_error_t *error) {
    sharded_index_t *self = impl;
    memset(report, 0, sizeof *report);
    for (uint32_t s = 0; s < CMI_SHARDS; s++) {
        cm_check_report_t part;
        cm_status_t status = cmi_hnsw_check(&self->shard[s].graph, 0, &part, error);
        report->n_live += part.n_live;
        report->n_dead += part.n_dead;
        report->n_links += part.n_links;
        report->n_unreachable += part.n_unreachable;
        report->top_level = CMI_MAX(report->top_level, part.top_level);
        if (status != CM_OK) return status;
    }
    return CM_OK;
}

static uint64_t sharded_distances(const void *local) {
    uint64_t sum = 0;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) sum += cmi_scratch_distances(((const sharded_local_t *)local)->scratch[s]);
    return sum;
}

static uint64_t sharded_bytes(const void *impl) {
    uint64_t sum = 0;
    for (uint32_t s = 0; s < CMI_SHARDS; s++) sum += cmi_graph_bytes(&((const sharded_index_t *)impl)->shard[s].graph);
    return sum;
}

const cmi_index_ops_t cmi_sharded_ops = {
    "16 shards",    sharded_open,   sharded_close, sharded_attach,    sharded_detach, sharded_insert,
    sharded_remove, sharded_search, sharded_check, sharded_distances, sharded_bytes,
};
