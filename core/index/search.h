/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* search.h - the two phases of a search, for search.c itself and for insert.c. */
#ifndef CMI_SEARCH_H
#define CMI_SEARCH_H

#include "index/beam.h"
#include "index/metric.h"

/* Which nodes may take a place in the pool; the others are only walked through. */
typedef struct cmi_accept {
    cmi_keep_t *keep; /* NULL: all */
    void *context;
    bool dead_too; /* when everything alive is gone, inserts link to tombstones */
} cmi_accept_t;

/* Greedy walk on the levels from_level .. to_level + 1, whatever state the nodes are in: returns the nearest node found, its distance in *distance. */
cmi_found_t cmi_descend(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t entry, uint32_t from_level,
                        uint32_t to_level);

/* Best-first search of one level from `start`: leaves the nearest acceptable nodes, as many as the beam wants, in scratch->pool, nearest first (marks cleared), and how far it looked in
 * scratch->horizon. */
void cmi_search_level(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, cmi_found_t start, uint32_t level,
                      const cmi_beam_t *beam, const cmi_accept_t *accept);

static inline uint32_t cmi_entry_slot(uint64_t entry) {
    return (uint32_t)entry;
}
static inline uint32_t cmi_entry_level(uint64_t entry) {
    return (uint32_t)(entry >> 32);
}

/* [N6] acquire: the entry node's level, lists and vector; pairs with raising it in insert.c. */
static inline uint64_t cmi_entry_load(const cmi_hnsw_t *graph) {
    return plat_load_acquire((plat_a64_t *)&graph->entry);
}

#endif
