/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * index_impl.h - the bare index (cm_index_*): one interface, four implementations of it.
 *
 *   lockfree_index.c  the graph of core/index as it is, callers pinned
 *   rwlock_index.c    the same graph behind one reader-writer lock: what a user would write first
 *   sharded_index.c   16 graphs with a lock each, a search visits all: what a user would write second
 *   brute_index.c     a linear scan: the oracle
 *
 * They exist to be compared: for recall by the tests, for speed by the benchmarks, and as the control of tests that show that nothing blocks.
 */
#ifndef CMI_INDEX_IMPL_H
#define CMI_INDEX_IMPL_H

#include "index/hnsw.h"
#include "index/scratch.h"
#include "plat_epoch.h"

#define CMI_SHARDS 16u

/* `impl` is what open made; `local` what attach made for one thread. Arguments are checked before. */
typedef struct cmi_index_ops {
    const char *name;
    void *(*open)(const cmi_hnsw_params_t *params); /* NULL: no memory */
    void (*close)(void *impl);
    void *(*attach)(void *impl); /* NULL: no memory */
    void (*detach)(void *local);
    cm_status_t (*insert)(void *impl, void *local, const float *vector, uint32_t *id);
    bool (*remove)(void *impl, uint32_t id);
    uint32_t (*search)(void *impl, void *local, const float *vector, uint32_t k, uint32_t ef, cm_neighbor_t *out);
    cm_status_t (*check)(void *impl, cm_check_report_t *report, cm_error_t *error);
    uint64_t (*distances)(const void *local);
    uint64_t (*bytes)(const void *impl);
} cmi_index_ops_t;

extern const cmi_index_ops_t cmi_lockfree_ops, cmi_rwlock_ops, cmi_sharded_ops, cmi_brute_ops;

/* Zeroed memory for an implementation's struct, and its return. */
void *cmi_index_alloc(size_t n_bytes);
void cmi_index_free(void *memory, size_t n_bytes);

/* Shared by the implementations that hold graphs. */
cm_status_t cmi_graph_insert(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *vector, uint32_t *slot);
uint32_t cmi_graph_search(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *vector, uint32_t k, uint32_t ef,
                          cm_neighbor_t *out);
uint64_t cmi_graph_bytes(const cmi_hnsw_t *graph);

#endif
