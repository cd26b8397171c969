/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * backlinks.c - newcomers into the lists of those that they chose. Choices are grouped by owner; an owner is one thread's, and takes its newcomers by slot, as if they came one after the other.
 *
 * The tree comes first, because a node that has a plain link in a list cannot hang there any more (links.h): each newcomer asks its LINKED choices, nearest first, one per pass. Then all others.
 * Who is refused by all is hung by force, one at a time. After that all are LINKED, and newcomers that were chosen by newcomers take them in.
 */
#include "bulk/owner.h"
#include "bulk/round_impl.h"
#include "index/insert.h"
#include "index/search.h"

#define TREE_PASSES 4u /* of 340,479 words, 9 % are refused by the first and 0.3 % by all four */

/* ---- grouping --------------------------------------------------------------------------------------------------------------------- */

/* Owners are numbered as they come in the order of places: neighbours have lists with the same members. */
static void number_owners(cmi_round_t *round) {
    round->n_owners = 0;
    for (uint32_t i = 0; i < round->n; i++) {
        uint32_t choice = round->order[i].newcomer * round->row, end = choice + round->n_chosen[round->order[i].newcomer];
        for (; choice < end; choice++) {
            uint32_t *mark = &round->mark[round->chosen[choice].slot];
            if (*mark == 0) {
                round->owners[round->n_owners] = round->chosen[choice].slot;
                round->first[round->n_owners] = 0;
                *mark = ++round->n_owners;
            }
            round->first[*mark - 1]++;
            round->owner_at[choice] = *mark - 1;
        }
    }
}

static void count_to_first(cmi_round_t *round) {
    uint32_t sum = 0;
    for (uint32_t owner = 0; owner < round->n_owners; owner++) {
        uint32_t n = round->first[owner];
        round->first[owner] = sum;
        sum += n;
        round->mark[round->owners[owner]] = 0;
        round->late[owner] = !cmi_linked(round->graph, round->owners[owner]);
    }
}

void cmi_round_group(cmi_round_t *round) {
    number_owners(round);
    count_to_first(round);
    for (uint32_t i = 0; i < round->n; i++) {
        uint32_t choice = round->order[i].newcomer * round->row, end = choice + round->n_chosen[round->order[i].newcomer];
        for (; choice < end; choice++) {
            round->place[choice] = round->first[round->owner_at[choice]]++;
            round->choices[round->place[choice]] = choice;
        }
    }
    for (uint32_t owner = round->n_owners; owner > 0; owner--) round->first[owner] = round->first[owner - 1];
    round->first[0] = 0;
}

/* ---- level 0 ------------------------------------------------------------------------------------------------------------------------ */

/* In a tree pass, who asks this owner to be its parent; else whoever is not its child. */
static bool is_wanted(const cmi_round_t *round, uint32_t choice) {
    uint32_t newcomer = choice / round->row;
    bool asked = choice % round->row == round->parent[newcomer];
    return round->at_tree ? asked && !round->hung[newcomer] : !(asked && round->hung[newcomer]);
}

static bool wants_anybody(const cmi_round_t *round, uint32_t owner) {
    if (round->late[owner] != round->at_late) return false;
    for (uint32_t i = round->first[owner]; i < round->first[owner + 1]; i++)
        if (is_wanted(round, round->choices[i])) return true;
    return false;
}

static uint32_t next_wanting(const cmi_round_t *round, uint32_t owner, uint32_t to) {
    while (owner < to && !wants_anybody(round, owner)) owner++;
    return owner;
}

/* By slot. A node may be chosen by all: Shell's sort. */
static void sort_choices(const cmi_round_t *round, uint32_t *choices, uint32_t n) {
    for (uint32_t gap = n / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < n; i++) {
            uint32_t choice = choices[i], at = i;
            for (; at >= gap && round->slots[choices[at - gap] / round->row] > round->slots[choice / round->row]; at -= gap)
                choices[at] = choices[at - gap];
            choices[at] = choice;
        }
    }
}

static void take(cmi_round_t *round, cmi_owner_t *list, uint32_t choice) {
    uint32_t newcomer = choice / round->row, slot = round->slots[newcomer];
    cmi_found_t *chosen = &round->chosen[choice];
    /* relaxed: published by [N1], finally by [N4]. Only this thread does it in this pass */
    if (round->at_tree) plat_store_relaxed(&cmi_hnsw_node(round->graph, slot)->parent, list->slot);
    bool taken = cmi_owner_take(list, slot, chosen->distance, CMI_APPEND_IF_BETTER);
    if (round->at_tree) round->hung[newcomer] = taken;
    else if (taken) chosen->slot |= CMI_PLAIN;
}

static void serve(cmi_round_t *round, cmi_scratch_t *scratch, uint32_t owner) {
    uint32_t *choices = round->choices + round->first[owner], n = round->first[owner + 1] - round->first[owner];
    cmi_owner_t list = cmi_owner_of(round->graph, scratch, round->owners[owner]);
    sort_choices(round, choices, n);
    for (uint32_t i = 0; i < n; i++)
        if (is_wanted(round, choices[i])) take(round, &list, choices[i]);
}

static void serve_some(void *job, void *hand, uint32_t piece) {
    cmi_round_t *round = job;
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    uint32_t from = piece * CMI_PIECE, to = CMI_MIN(from + CMI_PIECE, round->n_owners);
    for (uint32_t owner = next_wanting(round, from, to), next; owner < to; owner = next) {
        next = next_wanting(round, owner + 1, to);
        if (next < to) cmi_owner_request(round->graph, scratch, round->owners[next]);
        serve(round, scratch, owner);
    }
    cmi_round_end(round, hand);
}

/* The next LINKED choice of each that was refused; false when nobody has one. */
static bool next_parents(cmi_round_t *round) {
    bool any = false;
    for (uint32_t newcomer = 0; newcomer < round->n; newcomer++) {
        if (round->hung[newcomer]) continue;
        uint32_t i = round->parent[newcomer] + 1, n = round->n_chosen[newcomer];
        while (i < n && round->late[round->owner_at[newcomer * round->row + i]]) i++;
        round->parent[newcomer] = CMI_MIN(i, n);
        any |= i < n;
    }
    return any;
}

/* ---- upper levels -------------------------------------------------------------------------------------------------------------------- */

/* As append_upper() of insert.c. What was chosen is the forward list, which is the node's own until here. */
static void append_upper(const cmi_round_t *round, cmi_scratch_t *scratch, uint32_t slot, uint32_t level) {
    cmi_hnsw_t *graph = round->graph;
    cmi_query_t query = cmi_walking_query_of_slot(graph, scratch, CMI_FORM_QUERY, slot);
    cmi_list_t list = cmi_list_of(graph, slot, level);
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t owner = cmi_list_read(&list, i);
        if (owner == CMI_NONE) continue;
        float distance = cmi_distance(graph, &query, owner);
        cmi_links_append(graph, scratch, owner, level, slot, distance, CMI_APPEND_IF_BETTER);
    }
}

static void append_all_upper(const cmi_round_t *round, cmi_scratch_t *scratch) {
    for (uint32_t i = 0; i < round->n; i++) {
        uint32_t slot = round->slots[i], level = cmi_meta_level(cmi_hnsw_meta(round->graph, slot));
        for (uint32_t l = CMI_MIN(level, cmi_entry_level(round->entry)); l > 0; l--) append_upper(round, scratch, slot, l);
    }
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------ */

static void hang_the_rest(const cmi_round_t *round, cmi_scratch_t *scratch) {
    for (uint32_t i = 0; i < round->n; i++) {
        cmi_chosen_t chosen = {round->chosen + (size_t)i * round->row, round->n_chosen[i]};
        if (!round->hung[i]) cmi_link_by_force(round->graph, scratch, round->slots[i], chosen);
        cmi_link_finish(round->graph, round->slots[i]);
    }
}

void cmi_round_link_back(cmi_round_t *round, cmi_team_t *team, void *hand) {
    uint32_t n_pieces = cmi_round_pieces(round->n_owners), n_passes = 0;
    memset(round->hung, 0, round->n);
    round->at_late = false, round->at_tree = true;
    do cmi_team_run(team, hand, serve_some, round, n_pieces);
    while (next_parents(round) && ++n_passes < TREE_PASSES);
    round->at_tree = false;
    cmi_team_run(team, hand, serve_some, round, n_pieces);
    cmi_scratch_t *scratch = cmi_round_begin(round, hand);
    append_all_upper(round, scratch);
    hang_the_rest(round, scratch);
    cmi_round_end(round, hand);
    round->at_late = true;
    cmi_team_run(team, hand, serve_some, round, n_pieces);
}
