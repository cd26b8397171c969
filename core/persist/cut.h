/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cut.h - which nodes, links and memories of a living store belong to a snapshot, so that a copy taken while others write is a graph in
 * which check() finds nothing.
 *
 * The cut is decided once, as two bitmaps over slots; the passes over lists, vectors and records follow it whatever has changed since:
 *
 *     current   the slots that the id map named when cmi_store_each() visited their entry: the memories of the snapshot, each id once
 *     present   the nodes of the snapshot: current ones; tombstones; the entry point; and every tree ancestor of those
 *     the rest  holes: FREE in the copy, without links. Slots that were being written, or are newer than the cut, or were given up
 *
 * Why it is consistent (the tree rule is in index/links.h; slots are used once, so that nothing below ever names another node):
 *   (C1) A present node is complete: level, vector and forward lists were written before it became LIVE. A current slot, a tombstone and
 *        an entry point were linked to the end before they became that, and we learnt of each with acquire; an ancestor was LIVE when its
 *        child found it. None of this changes later; lists only trade members.
 *   (C2) The parents of present nodes are final and present. The child of an ancestor chose it when it was LINKED, or saw it in the list
 *        of its own parent: its chain up to the first node stood then. LIVE nodes that are no memory are left out unless they are
 *        ancestors: their parents may still change.
 *   (C3) A present node stays in its parent's level-0 list, because tree edges are never evicted: a read of that list at any time after
 *        the cut sees it. The other direction may be missing for an ancestor whose insert is still under way (forced under its parent,
 *        not linked back yet); cmi_cut_list() then adds it.
 *   (C4) So the present nodes form one tree over level-0 links in both directions: each reaches all, whatever other links are dropped.
 *   (C5) Links to holes become EMPTY. Upper links need no more care, because levels are immutable.
 *   (C6) The entry point is the store's, unless a present node is higher (linked, about to raise the entry): then that one.
 * In a store to which nobody writes the copy is exact: LIVE slots are the memories, and holes are slots that were given up.
 *
 * READERS  the saving thread, pinned from before cmi_cut_open() until the last byte: what belonged to memories that are removed meanwhile
 *          stays readable.
 */
#ifndef CMI_PERSIST_CUT_H
#define CMI_PERSIST_CUT_H

#include "persist/format.h"
#include "store/store.h"

typedef struct cmi_cut {
    cmi_hnsw_t *graph;
    uint64_t *current; /* one bit per slot */
    uint64_t *present;
    uint64_t bitmap_bytes; /* of each */
    cmi_header_t header;   /* what the file will hold */
} cmi_cut_t;

/* Caller pinned. CM_E_NO_MEMORY. Call cmi_cut_close whatever it returns. */
cm_status_t cmi_cut_open(cmi_cut_t *cut, cm_store_t *store, cm_error_t *error);
void cmi_cut_close(cmi_cut_t *cut);

static inline bool cmi_cut_bit(const uint64_t *bitmap, uint32_t slot) {
    return bitmap[slot / 64] >> (slot % 64) & 1;
}

/* The meta word and parent of a slot in the copy; a hole: FREE and CMI_NONE. */
uint64_t cmi_cut_meta(const cmi_cut_t *cut, uint32_t slot, uint32_t *parent);

/* A list of a slot in the copy (a hole: EMPTY), places as in the store; returns how many. *status becomes CM_E_INVARIANT when a node that
 * is being inserted has no place for the link to its parent. */
uint32_t cmi_cut_list(const cmi_cut_t *cut, uint32_t slot, uint32_t level, uint32_t *out, cm_status_t *status);

#endif
