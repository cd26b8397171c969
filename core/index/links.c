/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * links.c - changing neighbour lists; invariants and the tree rule are in links.h.
 *
 * When a list is full, the newcomer is judged against its members ("one victim"): a member nearer to the owner that is also nearer to the newcomer than the owner is
 * makes it redundant, and it is refused; otherwise it takes the place of the farthest member that it makes redundant itself, or else of the farthest
 * member. This is the diversity rule of the paper's Algorithm 4 applied to one newcomer: 2 * 2m distances instead of a re-selection.
 */
#include "index/links.h"

#include "index/metric.h"

void cmi_links_fill(cmi_hnsw_t *graph, uint32_t slot, uint32_t level, const cmi_found_t *chosen, uint32_t n) {
    cmi_list_t list = cmi_list_of(graph, slot, level);
    for (uint32_t i = 0; i < n; i++) plat_store_relaxed(&list.place[i], chosen[i].slot); /* relaxed: published by [N3] */
}

typedef enum placed { PLACED, FULL, CONTENDED } placed_t;

/* Reads the list into scratch->members and takes an EMPTY place if there is one. FULL: the members are `cap` ids. */
static placed_t place_in_empty(cmi_list_t *list, cmi_scratch_t *scratch, uint32_t slot) {
    uint32_t empty = CMI_NONE;
    for (uint32_t i = 0; i < list->cap; i++) {
        scratch->members[i] = cmi_list_read(list, i);
        if (scratch->members[i] == slot) return PLACED;
        if (scratch->members[i] == CMI_NONE && empty == CMI_NONE) empty = i;
    }
    if (empty == CMI_NONE) return FULL;
    uint32_t expected = CMI_NONE;
    /* [N1] release: everything of `slot` before its id */
    return plat_cas_release(&list->place[empty], &expected, slot) ? PLACED : CONTENDED;
}

/* True when the level-0 edge between owner and member belongs to the tree. Relaxed: the member's parent was set before the member's id was
 * put into this list, which we read under [N1]; the owner's before its LINKED flag, which we saw under [N4]. */
static bool tree_edge(const cmi_hnsw_t *graph, uint32_t owner, uint32_t member) {
    return plat_load_relaxed(&cmi_hnsw_node(graph, member)->parent) == owner ||
           plat_load_relaxed(&cmi_hnsw_node(graph, owner)->parent) == member;
}

/* The place of the farthest member for which `wanted` holds and that is no tree edge, CMI_NONE if there is none. */
typedef bool wanted_t(const cmi_scratch_t *scratch, uint32_t i, float new_to_owner);

static bool any_member(const cmi_scratch_t *scratch, uint32_t i, float new_to_owner) {
    (void)scratch, (void)i, (void)new_to_owner;
    return true;
}
static bool made_redundant(const cmi_scratch_t *scratch, uint32_t i, float new_to_owner) {
    return scratch->member_to_owner[i] > new_to_owner && scratch->member_to_new[i] < scratch->member_to_owner[i];
}

static uint32_t farthest(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, uint32_t owner, uint32_t level, uint32_t n,
                         wanted_t *wanted, float new_to_owner) {
    uint32_t worst = CMI_NONE;
    for (uint32_t i = 0; i < n; i++) {
        if (worst != CMI_NONE && scratch->member_to_owner[i] <= scratch->member_to_owner[worst]) continue;
        if (!wanted(scratch, i, new_to_owner)) continue;
        if (level == 0 && tree_edge(graph, owner, scratch->members[i])) continue;
        worst = i;
    }
    return worst;
}

static bool newcomer_redundant(const cmi_scratch_t *scratch, uint32_t n, float new_to_owner) {
    for (uint32_t i = 0; i < n; i++)
        if (scratch->member_to_owner[i] < new_to_owner && scratch->member_to_new[i] < new_to_owner) return true;
    return false;
}

uint32_t cmi_links_victim(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t owner, uint32_t level, uint32_t cap, float new_to_owner,
                          cmi_append_t mode) {
    if (mode == CMI_APPEND_IF_BETTER && newcomer_redundant(scratch, cap, new_to_owner)) return CMI_NONE;
    uint32_t victim = farthest(graph, scratch, owner, level, cap, made_redundant, new_to_owner);
    if (victim != CMI_NONE) return victim;
    victim = farthest(graph, scratch, owner, level, cap, any_member, new_to_owner);
    if (victim == CMI_NONE || mode == CMI_APPEND_FORCED) return victim;
    return new_to_owner < scratch->member_to_owner[victim] ? victim : CMI_NONE;
}

/* Whose place the newcomer takes in a full list, CMI_NONE: refused. */
static uint32_t choose_victim(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t owner, uint32_t level, uint32_t cap, uint32_t slot,
                              float new_to_owner, cmi_append_t mode) {
    cmi_query_t owner_query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_OWNER, owner);
    cmi_query_t new_query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_NEWCOMER, slot);
    cmi_distances(graph, scratch, &new_query, scratch->members, cap, scratch->member_to_new);
    cmi_distances_at_hand(graph, scratch, &owner_query, scratch->members, cap, scratch->member_to_owner);
    return cmi_links_victim(graph, scratch, owner, level, cap, new_to_owner, mode);
}

bool cmi_links_append(cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t owner, uint32_t level, uint32_t slot, float distance,
                      cmi_append_t mode) {
    cmi_list_t list = cmi_list_of(graph, owner, level);
    for (;;) { /* a retry means that another writer changed this list between our read and our CAS */
        placed_t placed = place_in_empty(&list, scratch, slot);
        if (placed == PLACED) return true;
        if (placed == CONTENDED) continue;
        if (mode == CMI_APPEND_IF_BETTER && !cmi_linked(graph, owner)) return false;
        uint32_t victim = choose_victim(graph, scratch, owner, level, list.cap, slot, distance, mode);
        if (victim == CMI_NONE) return false;
        uint32_t expected = scratch->members[victim];
        if (plat_cas_release(&list.place[victim], &expected, slot)) return true; /* [N1] release: everything of `slot` before its id */
    }
}
