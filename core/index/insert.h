/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* insert.h - the steps that cmi_hnsw_link() takes with one node, for core/bulk, which takes them with many nodes at once. Same order, same rules. */
#ifndef CMI_INSERT_H
#define CMI_INSERT_H

#include "index/metric.h"

/* Of a chosen neighbour's slot: its list has, or had, the new node as a plain link (insert.c says what follows from it). */
#define CMI_PLAIN CMI_CHECKED

/* Searches one level from `start`, chooses neighbours there (scratch->chosen[level]) and writes the forward list of a slot that is not published; returns where the level
 * below starts. */
cmi_found_t cmi_link_forward(cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, uint32_t slot, uint32_t level,
                             cmi_found_t start);

/* Up to `most` neighbours out of scratch->pool, which is sorted, and lost by it: m of them is what an insert chooses. */
void cmi_link_choose(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t most, cmi_chosen_t *chosen);

/* BUILDING -> LIVE, when all forward lists are written. */
void cmi_link_publish(cmi_hnsw_t *graph, uint32_t slot);

/* None of the chosen, whose slots are marked CMI_PLAIN where they have the published slot as a plain link, has become its tree parent: somebody is made to. */
void cmi_link_by_force(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, cmi_chosen_t chosen);

/* The node hangs in the tree: LINKED from now on, and the entry point if it is the highest. */
void cmi_link_finish(cmi_hnsw_t *graph, uint32_t slot);

/* Links a LINKED node again if others took so many slots since there were n_seen that its neighbours may be out of date. */
void cmi_link_keep_up(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t n_seen);

#endif
