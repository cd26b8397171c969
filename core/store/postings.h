/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * postings.h - which memories a context holds, and which are freshest: two kinds of skip lists (skiplist.h) over the slots of a store.
 *
 *     by_context        one list, by (context entry, slot): the members of a context are a run
 *     by_time[class]    one list per rate class, newest first: with equal rates the order of recency, for every `now`. A class holds rates within half an octave, and knows the
 *                       lowest rate that it ever held, so that age gives a lower bound of recency (recency.h)
 *
 * A memory's record names its two nodes, each in one word with the attribute that the node's place depends on: `placed` with the context, `timed` with the decay rate. Both nodes
 * are linked before the memory exists and unlinked by whoever took it out of the id map, so that lists hold no garbage: what walks meet and is no memory is on its way in or out.
 * cm_update() moves a memory: it links a new node, CASes the word, unlinks the old one. A walk of one list may meet the slot twice, never not at all: the old and the new place are neighbours
 * where the key stays, and walks show removed nodes, too. A walk of several lists (recency.h) may be behind the new place already and not yet at the old one when the memory moves: hence `moves`.
 * To take a memory out is to seal the words first: after that no update succeeds.
 *
 * All functions: caller pinned. Lock-free; walks are wait-free.
 */
#ifndef CMI_POSTINGS_H
#define CMI_POSTINGS_H

#include "store/skiplist.h"

#define CMI_RATE_CLASSES 64u
#define CMI_POSTING_LISTS 2u /* nodes per memory */
#ifndef CMI_MOVES            /* the model checker goes round sooner */
#define CMI_MOVES 1024u      /* that are remembered */
#endif

typedef struct cmi_postings {
    cmi_skip_nodes_t nodes;
    bool loading; /* nodes are made, but linked at the end, all at once */
    cmi_skiplist_t by_context;
    cmi_skiplist_t by_time[CMI_RATE_CLASSES];
    plat_a32_t lowest_rate
        [CMI_RATE_CLASSES]; /* float bits; 0 while the class was never used (a used class has no rate 0). Only falling; atomic, any writer */
    plat_a64_t n_moves;     /* memories that got another node in by_time; atomic, any writer */
    plat_a64_t moves[CMI_MOVES]; /* the last ones: number of the move, from 1, << 32 | slot; atomic, any writer */
} cmi_postings_t;

/* SETUP. */
bool cmi_postings_open(cmi_postings_t *postings, cmi_blocks_t *blocks, uint32_t n_slots);
void cmi_postings_close(cmi_postings_t *postings);

/* `rate` is the rate in force: above 0. */
uint32_t cmi_rate_class(float rate_per_hour);

/* The key that makes newer come first, and back. */
static inline uint64_t cmi_time_key(int64_t created_ms) {
    return ~((uint64_t)created_ms ^ (UINT64_C(1) << 63));
}
static inline int64_t cmi_time_of_key(uint64_t key) {
    return (int64_t)(~key ^ (UINT64_C(1) << 63));
}

/* Loading a store that nobody shares yet: between these two, nodes are only made; the end sorts and links them, which takes a tenth of linking one by one. False when the machine gives
 * no scratch pages. */
void cmi_postings_begin_loading(cmi_postings_t *postings);
bool cmi_postings_end_loading(cmi_postings_t *postings);

/* A linked node. CM_E_NO_MEMORY, CM_E_INDEX_FULL: nothing has changed then. */
cm_status_t cmi_postings_add_context(cmi_postings_t *postings, uint32_t context, uint32_t slot, uint32_t *node);
cm_status_t cmi_postings_add_time(cmi_postings_t *postings, float rate_per_hour, int64_t created_ms, uint32_t slot, uint32_t *node);

/* Unlinks; the caller retires the node (CMI_RETIRE_POSTING). */
void cmi_postings_drop_context(cmi_postings_t *postings, uint32_t node);
void cmi_postings_drop_time(cmi_postings_t *postings, float rate_per_hour, uint32_t node);

/* By whoever moved a memory in by_time, before the old node is unlinked. */
void cmi_postings_note_move(cmi_postings_t *postings, uint32_t slot);

/* [K3] acquire: the new node of every move that was counted; pairs with cmi_postings_note_move(). */
static inline uint64_t cmi_postings_n_moves(const cmi_postings_t *postings) {
    return plat_load_acquire((plat_a64_t *)&postings->n_moves);
}

/* The slot of a move, numbered from 0; CMI_MOVE_TO_COME where the old node is linked still, CMI_MOVE_FORGOTTEN where others took its place. */
#define CMI_MOVE_TO_COME UINT32_MAX
#define CMI_MOVE_FORGOTTEN (UINT32_MAX - 1)
uint32_t cmi_postings_move(const cmi_postings_t *postings, uint64_t move);

/* Walking a context: its first node, and the next one, removed or not; CMI_NO_SKIP_NODE behind the last. */
uint32_t cmi_postings_first_of(const cmi_postings_t *postings, uint32_t context);
uint32_t cmi_postings_next_of(const cmi_postings_t *postings, uint32_t context, uint32_t node);

static inline uint32_t cmi_posting_slot(const cmi_postings_t *postings, uint32_t node) {
    return cmi_skip_at(&postings->nodes, node)->slot;
}

#endif
