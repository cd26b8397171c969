/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hnsw.h - the lock-free HNSW graph over slots: u32 ids whose vectors, links and states lie in arenas.
 *
 * After Malkov & Yashunin (2018), with neighbour lists that are fixed arrays of atomic slots changed by one CAS each (links.h), a spanning tree of
 * links that are never evicted (tree rule in links.h: no node is ever unreachable), and tombstones instead of unlinking.
 *
 * One file per phase: graph.c (memory, slots), rows.h (vectors), metric.h (distances), links.h/links.c (neighbour lists), beam.h (how wide to look), frontier.h (the walk), search.c, rescore.c, insert.c, delete.c, check.c, restore.c.
 *
 * READERS  cmi_hnsw_search, cmi_hnsw_state: wait-free. Bounded by the high-water mark read at the start.
 * WRITERS  reserve -> fill the vector -> cmi_hnsw_link: lock-free. cmi_hnsw_kill: one CAS.
 * RECLAMATION  none yet: a slot is used once. Callers are nevertheless pinned (plat_epoch.h), as online vacuum will need it.
 */
#ifndef CMI_HNSW_H
#define CMI_HNSW_H

#include "base/base.h"
#include "index/rows.h"
#include "memory/arena.h"
#include "plat_atomic.h"

#define CMI_NONE 0xFFFFFFFFu /* no slot; also an EMPTY place in a neighbour list */
#define CMI_MAX_LEVEL 30u    /* levels are 0 .. CMI_MAX_LEVEL */

/* meta word of a slot: generation << 32 | flags << 16 | level << 8 | state */
typedef enum cmi_state {
    CMI_FREE = 0,     /* never used, or reserved and given up */
    CMI_BUILDING = 1, /* reserved: vector and links being written by one thread */
    CMI_LIVE = 2,     /* searchable */
    CMI_DEAD = 3      /* tombstone: traversed, never returned */
} cmi_state_t;

#define CMI_FLAG_LINKED 1u /* its tree link is in place: it is reachable, and others may choose it as parent */

static inline cmi_state_t cmi_meta_state(uint64_t meta) {
    return (cmi_state_t)(meta & 0xFFu);
}
static inline uint32_t cmi_meta_level(uint64_t meta) {
    return (uint32_t)(meta >> 8) & 0xFFu;
}
static inline uint32_t cmi_meta_flags(uint64_t meta) {
    return (uint32_t)(meta >> 16) & 0xFFFFu;
}
static inline uint32_t cmi_meta_generation(uint64_t meta) {
    return (uint32_t)(meta >> 32);
}
static inline uint64_t cmi_meta_make(uint32_t generation, uint32_t flags, uint32_t level, cmi_state_t state) {
    return (uint64_t)generation << 32 | (uint64_t)flags << 16 | (uint64_t)level << 8 | (uint64_t)state;
}

typedef struct cmi_hnsw_params {
    uint32_t dimensions, capacity, m, ef_construction;
    cm_metric_t metric;
    uint64_t seed;
    cm_custom_metric_t custom; /* with CM_METRIC_CUSTOM, which needs CM_VECTORS_F32 */
    cm_vectors_t vectors;
    const char *spill_folder; /* full rows are kept in a file there; NULL: in memory. Read by cmi_hnsw_open() only */
} cmi_hnsw_params_t;

/* Per node, apart from vector and lists: 16 bytes. */
typedef struct cmi_node {
    plat_a64_t meta;      /* atomic, any writer */
    plat_a32_t parent;    /* tree parent; its own inserter only, before CMI_FLAG_LINKED; then immutable */
    uint32_t upper_first; /* first row in `upper`; set before publish */
} cmi_node_t;

typedef struct cmi_hnsw {
    cmi_hnsw_params_t params;            /* immutable */
    uint32_t cap0;                       /* 2m: places in a level-0 list; immutable */
    uint32_t most_overtakers;            /* slots that others may take, besides an eighth, before an insert looks again; tests lower it */
    uint64_t level_bound[CMI_MAX_LEVEL]; /* P(level > l) as a fraction of 2^64; immutable */
    cmi_rows_t full, coded;
    const cmi_rows_t *walked; /* by searches and inserts: the coded rows, or where there are none the full ones; immutable */
    cmi_arena_t nodes, list0, upper;
    plat_a32_t n_slots; /* high-water mark: slots ever reserved */
    plat_a32_t n_upper; /* rows of `upper` ever taken */
    plat_a64_t entry;   /* top level << 32 | slot; CMI_NO_ENTRY while empty */
    plat_a64_t beams;   /* lessons << 32 | bits of a float, the exponent: what inserts have learned (beam.h); 0: nothing */
} cmi_hnsw_t;

#define CMI_NO_ENTRY UINT64_MAX

/* A thread's working memory for searches and inserts: visited tags, pools, one prepared query. Made at attach, used by one thread. */
typedef struct cmi_scratch cmi_scratch_t;

typedef struct cmi_found {
    float distance;
    uint32_t slot;
} cmi_found_t;

/* SETUP. Validated parameters. False when the machine gives no memory, or the disk no file. */
bool cmi_hnsw_open(cmi_hnsw_t *graph, const cmi_hnsw_params_t *params);
void cmi_hnsw_close(cmi_hnsw_t *graph);

/* SETUP. max_ef bounds every ef used with this scratch. NULL when the machine gives no memory. */
cmi_scratch_t *cmi_scratch_open(const cmi_hnsw_t *graph, uint32_t max_ef);
void cmi_scratch_close(cmi_scratch_t *scratch);
uint64_t cmi_scratch_bytes(const cmi_scratch_t *scratch);

/* The largest useful ef with this scratch: max_ef, or the graph's capacity where that is less. */
uint32_t cmi_scratch_max_ef(const cmi_scratch_t *scratch);

/* Distances computed with this scratch since it was opened. */
uint64_t cmi_scratch_distances(const cmi_scratch_t *scratch);

/* ---- writers ---- */

/* Makes the memory of a slot below the capacity usable. False when the machine gives none, or the disk no room. */
bool cmi_hnsw_ensure_slot(cmi_hnsw_t *graph, uint32_t slot);

/* Takes a new slot, state BUILDING. CM_E_INDEX_FULL, CM_E_NO_MEMORY. */
cm_status_t cmi_hnsw_reserve(cmi_hnsw_t *graph, uint32_t *slot);

/* Stores `dimensions` finite floats in a BUILDING slot, and what belongs to them (rows.h). */
void cmi_hnsw_set_vector(cmi_hnsw_t *graph, uint32_t slot, const float *vector);

/* Writes the coded row of a slot whose full row is complete; `vector` is what that says. */
void cmi_hnsw_code_row(const cmi_hnsw_t *graph, const cmi_rows_t *coded, uint32_t slot, const float *vector);

/* The same with the bytes that a snapshot has of a vector: cmi_row_vector_bytes() of them. False when component *bad is not finite. */
bool cmi_hnsw_set_stored(cmi_hnsw_t *graph, uint32_t slot, const void *bytes, uint32_t *bad);

/* Gives up a BUILDING slot that will not be linked. */
void cmi_hnsw_abandon_slot(cmi_hnsw_t *graph, uint32_t slot);

/* Links a BUILDING slot whose vector is set: afterwards it is LIVE, LINKED and searchable. Lock-free, never fails. */
void cmi_hnsw_link(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot);

/* LIVE -> DEAD; false when it was not LIVE (somebody else removed it). The linearisation point of a removal at this level. */
bool cmi_hnsw_kill(cmi_hnsw_t *graph, uint32_t slot);

/* ---- readers ---- */

typedef bool cmi_keep_t(void *context, uint32_t slot);

/* What a search wants: the k nearest LIVE slots for which keep(slot) is true (keep NULL: all). ef >= k is how many it looks at on average (beam.h); ef == k wants just these. */
typedef struct cmi_wanted {
    uint32_t k, ef;
    cmi_keep_t *keep;
    void *keep_context;
} cmi_wanted_t;

/* The nearest that were found, more than k as a rule, nearest first, into out[0 .. cmi_scratch_max_ef()-1]; returns how many.
 * query: `dimensions` finite floats, any alignment. 1 <= k <= ef. Distances are those of the walk: of codes, where there are any.
 * Wait-free. */
uint32_t cmi_hnsw_search(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *query, const cmi_wanted_t *wanted, cmi_found_t *out);

/* The distance below which the last search with this scratch left nothing out that the graph shows; infinity: nothing at all. */
float cmi_scratch_horizon(const cmi_scratch_t *scratch);

/* Whether the distances of a search need cmi_hnsw_rescore(). */
static inline bool cmi_hnsw_is_coded(const cmi_hnsw_t *graph) {
    return graph->walked != &graph->full;
}

/* Gives found[0 .. n-1] the distances of the full rows, and sorts them. */
void cmi_hnsw_rescore(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *query, cmi_found_t *found, uint32_t n);

/* How many of the nearest by codes to rescore for the k nearest. */
static inline uint32_t cmi_rescored_for(uint32_t k) {
    return 2 * k + 16;
}

/* A pool of cmi_scratch_max_ef() elements inside the scratch that cmi_hnsw_search may be given as `out`. */
cmi_found_t *cmi_scratch_results(cmi_scratch_t *scratch);

/* Distance between a query and one slot (published), by the full row. */
float cmi_hnsw_distance(const cmi_hnsw_t *graph, const float *query, uint32_t slot);

/* Slots ever reserved; every published slot is below it. */
uint32_t cmi_hnsw_n_slots(const cmi_hnsw_t *graph);

static inline cmi_node_t *cmi_hnsw_node(const cmi_hnsw_t *graph, uint32_t slot) {
    return (cmi_node_t *)cmi_arena_at(&graph->nodes, slot);
}
/* The full row of a slot. */
static inline void *cmi_hnsw_row(const cmi_hnsw_t *graph, uint32_t slot) {
    return cmi_row_at(&graph->full, slot);
}
/* State word, with acquire: seeing LIVE means seeing the vector, the record and the forward lists. */
static inline uint64_t cmi_hnsw_meta(const cmi_hnsw_t *graph, uint32_t slot) {
    return plat_load_acquire(&cmi_hnsw_node(graph, slot)->meta); /* [N3] pairs with publishing LIVE in cmi_hnsw_link() */
}

/* Bytes of used slots: links, levels, states (without vectors); of vectors; and what of these is in a file. */
uint64_t cmi_hnsw_index_bytes(const cmi_hnsw_t *graph);
uint64_t cmi_hnsw_vector_bytes(const cmi_hnsw_t *graph);
uint64_t cmi_hnsw_spilled_bytes(const cmi_hnsw_t *graph);

/* ---- check, snapshot ---- */

/* First violated invariant as CM_E_INVARIANT with a message; *report counts. `most_unlinked` LIVE nodes may lack CMI_FLAG_LINKED: one for every
 * thread that died inside an insert. Takes scratch pages (CM_E_NO_MEMORY). Conclusive while nobody writes. */
cm_status_t cmi_hnsw_check(const cmi_hnsw_t *graph, uint32_t most_unlinked, cm_check_report_t *report, cm_error_t *error);

/* Reading the graph for a snapshot, while others write: copies the places of one list, EMPTY included. level 0: cap0 places, above: m. */
void cmi_hnsw_copy_list(const cmi_hnsw_t *graph, uint32_t slot, uint32_t level, uint32_t *out);

/* Rebuilding a graph from a snapshot, one thread, graph empty. begin makes slots 0 .. n_slots-1 exist (FREE). Then per slot: restore_slot with its meta, parent
 * (CMI_NONE for the first node), its lists (level 0: cap0 ids, then m ids per upper level, all of them values that the caller bounds-checked below n_slots or EMPTY)
 * and set_vector. At last restore_end with the entry point and graph.beams. The level must be what the file says, <= CMI_MAX_LEVEL. */
cm_status_t cmi_hnsw_restore_begin(cmi_hnsw_t *graph, uint32_t n_slots);
cm_status_t cmi_hnsw_restore_slot(cmi_hnsw_t *graph, uint32_t slot, uint64_t meta, uint32_t parent, const uint32_t *lists);
void cmi_hnsw_restore_end(cmi_hnsw_t *graph, uint64_t entry, uint64_t beams);

#endif
