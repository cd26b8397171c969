/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * round.h - many nodes linked into the graph at once, by a team: the same graph whatever the number of threads, as long as nobody else writes.
 *
 * Linking one node depends on all nodes before it. A round breaks that chain: a part of its nodes searches the graph as it was when the part began, each for itself, and then meets those of the same part
 * that have neighbours in common with them. Only then do backlinks appear, and each list is changed by one thread, in a fixed order. Phases, with a wait after each (team.h):
 *
 *     code       rows of the batch's own, where the store has none: coded.h
 *     locate     where each node belongs: the nearest node of the upper levels; the round is sorted by it, so that searches that follow each other read the same rows
 *     search     level 0 (and the upper levels of tall nodes) of the graph as it is: candidates
 *     settle     nodes that have a near neighbour in common look at each other, too; choice, forward lists, LIVE
 *     backlinks  by owner: the tree edges first, then the others (backlinks.c)
 *
 * So each phase has a part of the round only: never more nodes than a share of those that are linked, taken in an order that is not that of the batch. Tall nodes (level > 0) go first, in
 * smaller parts: all others start their search at them.
 *
 * WRITERS  others may write meanwhile: every change is one that cmi_hnsw_link() makes, by its rules (links.h). The graph then depends on them, too.
 * PROGRESS that of a team: not lock-free.
 */
#ifndef CMI_ROUND_H
#define CMI_ROUND_H

#include "bulk/team.h"
#include "index/hnsw.h"

typedef struct cmi_round cmi_round_t;

/* How a member of the team works on the graph: pinned, with a scratch of its own. */
typedef struct cmi_hands {
    cmi_scratch_t *(*begin)(void *hand);
    cmi_scratch_t *(*end)(void *hand); /* the same scratch */
} cmi_hands_t;

#define CMI_ROUND_LEAST 64u   /* fewer nodes are not worth the waits: link them one by one */
#define CMI_ROUND_MOST 32768u /* memory: some 10 MB at m = 16, ef_construction 100 */

/* Room for rounds of up to `most` nodes, n in all. NULL when the machine gives no memory. Codes (coded.h) are done without where there is none for them. */
cmi_round_t *cmi_round_open(cmi_hnsw_t *graph, const cmi_hands_t *hands, uint32_t most, size_t n);
void cmi_round_close(cmi_round_t *round);

/* Where the caller puts the slots of the next round: BUILDING, with their vectors. Lost by linking. */
uint32_t *cmi_round_slots(cmi_round_t *round);

/* Links them: as cmi_hnsw_link() of each. Never fails. */
void cmi_round_link(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t n);

#endif
