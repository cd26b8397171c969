/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * links.h - neighbour lists: a fixed array of atomic places per node and level, each CMI_NONE (EMPTY) or a slot.
 *
 *     level 0: cap = 2m places     levels above: cap = m places
 *
 * Invariants
 *   (I1) an id never moves between places: an id that is present during a whole read is seen exactly once;
 *   (I2) a place changes only by a CAS from the exact value that was decided about;
 *   (I3) an id leaves a list only by a selection that saw it;
 *   (I4) tree edges are never evicted: a list keeps the owner's tree parent and the owner's tree children (see below).
 *
 * The tree rule. Every node but the first has one tree parent, and both directions of that edge stay in the level-0 lists for ever. By induction over
 * insertions every node is reachable from every other, whatever pruning does: no orphans, without counting in-degrees. Why it holds under races:
 *   - node->parent is set before the CAS that puts the child into the parent's list [N1], so whoever sees the child there sees that it is protected;
 *   - a node that had a plain link in a list never becomes a tree child there, not even when the link is gone: whoever read it may still be about to evict it;
 *   - nobody evicts from the list of a node that is not CMI_FLAG_LINKED yet, and LINKED is set after node->parent is final [N4]: so nobody evicts a
 *     parent from the child's list before knowing that it is one;
 *   - a parent is a LINKED node, or one seen in its own parent's list: the chain down from the first node is complete.
 * Cost: two of 2m places per node on average, filled with near neighbours that mostly would be there anyway.
 *
 * READERS  a read is `cap` acquire loads: a regular set read, wait-free. A fence instead would blind the race detector.
 * WRITERS  append is lock-free: a retry means another writer changed this list.
 * DELETION nobody unlinks: tombstones stay, and are traversed.
 */
#ifndef CMI_LINKS_H
#define CMI_LINKS_H

#include "index/hnsw.h"
#include "index/scratch.h"

typedef struct cmi_list {
    plat_a32_t *place;
    uint32_t cap;
} cmi_list_t;

/* The list of a slot at a level that the node has. */
static inline cmi_list_t cmi_list_of(const cmi_hnsw_t *graph, uint32_t slot, uint32_t level) {
    if (level == 0) return (cmi_list_t){(plat_a32_t *)cmi_arena_at(&graph->list0, slot), graph->cap0};
    uint32_t row = cmi_hnsw_node(graph, slot)->upper_first + level - 1;
    return (cmi_list_t){(plat_a32_t *)cmi_arena_at(&graph->upper, row), graph->params.m};
}

/* [N1] acquire: the vector, state and forward lists of the id that is read; pairs with the release CAS in append() and in fill(). */
static inline uint32_t cmi_list_read(const cmi_list_t *list, uint32_t i) {
    return plat_load_acquire(&list->place[i]);
}

/* [N4] acquire: the node's final parent; pairs with setting the flag in insert.c. */
static inline bool cmi_linked(const cmi_hnsw_t *graph, uint32_t slot) {
    return cmi_meta_flags(plat_load_acquire(&cmi_hnsw_node(graph, slot)->meta)) & CMI_FLAG_LINKED;
}

typedef enum cmi_append {
    CMI_APPEND_IF_BETTER, /* a full list may refuse */
    CMI_APPEND_FORCED     /* a full list gives up its worst member that is no tree edge; refuses only when all are */
} cmi_append_t;

/* Adds `slot` to the list of `owner`, `distance` apart. True when it is in the list afterwards. Both are published. */
bool cmi_links_append(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t owner, uint32_t level, uint32_t slot, float distance,
                      cmi_append_t mode);

/* The decision alone: whose place (an index into scratch->members) a newcomer takes in a full list, CMI_NONE: refused. scratch->members is the list as read, and the
 * distances of its members to the owner and to the newcomer are in the scratch. */
uint32_t cmi_links_victim(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t owner, uint32_t level, uint32_t cap, float new_to_owner,
                          cmi_append_t mode);

/* Writes the forward list of a node that is not published yet. */
void cmi_links_fill(cmi_hnsw_t *graph, uint32_t slot, uint32_t level, const cmi_found_t *chosen, uint32_t n);

#endif
