/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* owner.c - see owner.h. */
#include "bulk/owner.h"

#include "index/metric.h"

static void read_list(cmi_owner_t *owner) {
    for (uint32_t i = 0; i < owner->list.cap; i++) owner->scratch->members[i] = cmi_list_read(&owner->list, i);
    owner->measured = false;
}

cmi_owner_t cmi_owner_of(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot) {
    cmi_owner_t owner = {graph, scratch, cmi_list_of(graph, slot, 0), slot, false};
    read_list(&owner);
    return owner;
}

/* Replaces the member that was read. False: another writer was there meanwhile, and the list is read again. */
static bool put(cmi_owner_t *owner, uint32_t place, uint32_t slot, float distance) {
    uint32_t expected = owner->scratch->members[place];
    if (!plat_cas_release(&owner->list.place[place], &expected, slot)) { /* [N1] release: everything of `slot` before its id */
        read_list(owner);
        return false;
    }
    owner->scratch->members[place] = slot;
    owner->scratch->member_to_owner[place] = distance;
    return true;
}

static void measure(cmi_owner_t *owner, const cmi_query_t *newcomer) {
    const cmi_hnsw_t *graph = owner->graph;
    cmi_scratch_t *scratch = owner->scratch;
    uint32_t cap = owner->list.cap;
    cmi_distances(graph, scratch, newcomer, scratch->members, cap, scratch->member_to_new);
    if (owner->measured) return;
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_OWNER, owner->slot);
    cmi_distances_at_hand(graph, scratch, &query, scratch->members, cap, scratch->member_to_owner);
    owner->measured = true;
}

/* An EMPTY place, or that of whoever has to go. CMI_NONE: refused. */
static uint32_t choose_place(cmi_owner_t *owner, uint32_t slot, float distance, cmi_append_t mode) {
    const uint32_t *members = owner->scratch->members;
    for (uint32_t i = 0; i < owner->list.cap; i++)
        if (members[i] == CMI_NONE) return i;
    if (mode == CMI_APPEND_IF_BETTER && !cmi_linked(owner->graph, owner->slot)) return CMI_NONE;
    cmi_query_t query = cmi_walking_query_of_slot(owner->graph, owner->scratch, CMI_FORM_NEWCOMER, slot);
    measure(owner, &query);
    return cmi_links_victim(owner->graph, owner->scratch, owner->slot, 0, owner->list.cap, distance, mode);
}

static bool has(const cmi_owner_t *owner, uint32_t slot) {
    for (uint32_t i = 0; i < owner->list.cap; i++)
        if (owner->scratch->members[i] == slot) return true;
    return false;
}

bool cmi_owner_take(cmi_owner_t *owner, uint32_t slot, float distance, cmi_append_t mode) {
    while (!has(owner, slot)) {
        uint32_t place = choose_place(owner, slot, distance, mode);
        if (place == CMI_NONE) return false;
        if (put(owner, place, slot, distance)) return true;
    }
    return true;
}

void cmi_owner_request(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, uint32_t slot) {
    cmi_list_t list = cmi_list_of(graph, slot, 0);
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t id = cmi_list_read(&list, i);
        if (id != CMI_NONE) cmi_prefetch_row(scratch->walked, id, cmi_way_of(scratch));
    }
}
