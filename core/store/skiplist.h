/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * skiplist.h - slots in the order of a 64-bit key: a lock-free skip list (Pugh 1990; Harris's marked links, 2001; Fraser's and Herlihy & Shavit's lists) over u32 node indices.
 *
 *     level 2   head ------------------------> 7 ------------------> end
 *     level 1   head --------> 3 ------------> 7 --------> 12 -----> end
 *     level 0   head --> 9 --> 3 --> 4 ------> 7 --> 8 --> 12 --> 2 --> end         nodes ascend by (key, slot, index)
 *
 * Several lists share one set of nodes; a list is nothing but its head.
 *
 * READERS  first, next, seek: wait-free, loads only. They follow links whatever is marked and help nobody: each step goes to a larger (key, slot, index), and no node is used anew
 *          while the reader is pinned, so a walk meets each node at most once. cmi_skip_removed() tells which to leave out.
 *          What was linked before the walk began and is not unlinked until it ends is met: a marked node's links are frozen, and whoever links a node behind a marked one unlinks that one first. Level by level, that is:
 *          so a seek goes down through nodes that are not removed only.
 * WRITERS  link, unlink: lock-free. A repetition happens only because another thread linked, marked or unlinked a node there.
 * REMOVAL  a node is unlinked by one thread, whose right to it is settled elsewhere (record.h), and only after its link() returned. Marks go on from the top level down; then the search
 *          for the node's own place takes it out of every level. Afterwards no walk that begins meets it: retire it.
 * RECLAMATION  nodes and their upper links are freed after a grace period: callers of everything here are pinned.
 */
#ifndef CMI_SKIPLIST_H
#define CMI_SKIPLIST_H

#include "base/base.h"
#include "memory/blocks.h"
#include "memory/items.h"
#include "plat_atomic.h"

#define CMI_SKIP_LEVELS 14u /* one node in four is on the next level: enough for 4^14 */
#define CMI_NO_SKIP_NODE CMI_NO_ITEM
#define CMI_MOST_SKIP_NODES 0x7FFFFFFFu /* a link is an index and a bit more */

/* 24 bytes. A link is index << 1 | marked; the mark in a node's own link says that the node is removed. */
typedef struct cmi_skip_node {
    plat_a32_t next;   /* on level 0; atomic, any writer. While free: the next free node */
    uint32_t upper;    /* block of plat_a32_t: links on levels 1 .. n_levels - 1; CMI_NO_BLOCK where n_levels is 1. Set before publish */
    uint32_t n_levels; /* set before publish */
    uint32_t slot;     /* set before publish */
    uint64_t key;      /* set before publish */
} cmi_skip_node_t;

typedef struct cmi_skip_nodes {
    cmi_items_t items;    /* cmi_skip_node_t */
    cmi_blocks_t *blocks; /* immutable */
} cmi_skip_nodes_t;

typedef struct cmi_skiplist {
    plat_a32_t head[CMI_SKIP_LEVELS]; /* link per level; zero: the empty list */
} cmi_skiplist_t;

/* SETUP. Room for n nodes at a time, or for CMI_MOST_SKIP_NODES. False when the machine gives no memory; close is right then, too. */
bool cmi_skip_open(cmi_skip_nodes_t *nodes, cmi_blocks_t *blocks, uint32_t n);
void cmi_skip_close(cmi_skip_nodes_t *nodes);

/* A private node. CM_E_NO_MEMORY, CM_E_INDEX_FULL. */
cm_status_t cmi_skip_make(cmi_skip_nodes_t *nodes, uint64_t key, uint32_t slot, uint32_t *node);
void cmi_skip_link(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node);
void cmi_skip_unlink(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, uint32_t node);

/* A node that nobody saw, or after its grace period. Lock-free, any thread. */
void cmi_skip_free(cmi_skip_nodes_t *nodes, uint32_t node);

/* Building a list that nobody shares yet, in linear time: private nodes are appended in ascending order. The tail is all zero at first. */
typedef struct cmi_skip_tail {
    uint32_t last[CMI_SKIP_LEVELS]; /* node per level */
} cmi_skip_tail_t;
void cmi_skip_append(cmi_skip_nodes_t *nodes, cmi_skiplist_t *list, cmi_skip_tail_t *tail, uint32_t node);

static inline cmi_skip_node_t *cmi_skip_at(const cmi_skip_nodes_t *nodes, uint32_t node) {
    return (cmi_skip_node_t *)cmi_items_at(&nodes->items, node);
}

/* [K1] acquire: the node behind; pairs with the CASes in link() and in the searches of skiplist.c. */
static inline uint32_t cmi_skip_first(const cmi_skiplist_t *list) {
    return plat_load_acquire((plat_a32_t *)&list->head[0]) >> 1;
}
static inline uint32_t cmi_skip_next(const cmi_skip_nodes_t *nodes, uint32_t node) {
    return plat_load_acquire(&cmi_skip_at(nodes, node)->next) >> 1; /* [K1] */
}

/* True once the node's removal began. */
static inline bool cmi_skip_removed(const cmi_skip_nodes_t *nodes, uint32_t node) {
    return plat_load_relaxed(&cmi_skip_at(nodes, node)->next) & 1; /* relaxed: an early or late answer is one of a moment within the walk */
}

/* The first node, removed or not, whose key is at least `key`; CMI_NO_SKIP_NODE behind the last. */
uint32_t cmi_skip_seek(const cmi_skip_nodes_t *nodes, const cmi_skiplist_t *list, uint64_t key);

/* Order, marks, levels; *n_nodes counts. `name` is for the message. Threads that died while they removed a node may have left `most_half_removed` behind, one each. CM_E_INVARIANT.
 * Conclusive while nobody writes. */
cm_status_t cmi_skip_check(const cmi_skip_nodes_t *nodes, const cmi_skiplist_t *list, const char *name, uint32_t most_half_removed,
                           uint64_t *n_nodes, cm_error_t *error);

#endif
