/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * graph.c - core/index: whoever finds a node finds a complete one, nobody is lost from a list by an accident, every node stays reachable by the tree. [N1] [N3] [N4] [N5] [N6]
 *
 * What a slot stands for is data[slot], plain, written before the node is linked: as the record of a memory. Nodes lie on a line: one dimension, squared distance. Lists are
 * two or three places long, shorter than parameters allow, so that few nodes fill them. Not here: grace periods, for slots are used once.
 */
#include "index/links.h"
#include "index/search.h"
#include "model/model.h"

enum { SLOTS = 8, THREADS = 3 };

static cmi_hnsw_t graph;
static cmi_scratch_t *scratch[THREADS];
static uint32_t data[SLOTS];
static uint32_t won[THREADS];

static void open_graph(uint32_t capacity, uint32_t cap0) {
    cmi_hnsw_params_t params = {.dimensions = 1, .capacity = capacity, .m = 2, .ef_construction = 2, .metric = CM_METRIC_L2SQ, .seed = 1};
    MODEL_CHECK(cmi_hnsw_open(&graph, &params));
    graph.cap0 = cap0;
    graph.level_bound[0] = 0; /* everybody on level 0, until a shape says otherwise */
    memset(data, 0, sizeof data);
    memset(won, 0, sizeof won);
    for (uint32_t t = 0; t < THREADS; t++) MODEL_CHECK((scratch[t] = cmi_scratch_open(&graph, 2)) != NULL);
}

/* From here on nodes reach level 1 and no higher; 0: they stay on level 0. */
static void draw_level(uint32_t level) {
    graph.level_bound[0] = level > 0 ? UINT64_MAX : 0;
    graph.level_bound[1] = 0;
}

static uint32_t reserve(float x) {
    uint32_t slot;
    MODEL_CHECK(cmi_hnsw_reserve(&graph, &slot) == CM_OK);
    cmi_hnsw_set_vector(&graph, slot, &x);
    data[slot] = slot + 100;
    return slot;
}

static uint32_t put(uint32_t thread, float x) {
    uint32_t slot = reserve(x);
    cmi_hnsw_link(&graph, scratch[thread], slot);
    return slot;
}

/* True when the slot was found. Every hit is complete. */
static bool finds(uint32_t thread, float x, uint32_t wanted) {
    cmi_found_t found[2];
    bool is_there = false;
    uint32_t n = cmi_hnsw_search(&graph, scratch[thread], &x, &(cmi_wanted_t){.k = 2, .ef = 2}, found);
    for (uint32_t i = 0; i < n; i++) {
        MODEL_CHECK(data[found[i].slot] == found[i].slot + 100);
        is_there |= found[i].slot == wanted;
    }
    return is_there;
}

static void check_graph(uint32_t most_unlinked, uint32_t n_live) {
    cm_check_report_t report;
    cm_error_t error;
    if (cmi_hnsw_check(&graph, most_unlinked, &report, &error) != CM_OK) model_fail(__FILE__, __LINE__, error.message);
    MODEL_CHECK(report.n_live == n_live);
}

/* ---- inserts and searches ------------------------------------------------------------------------------------------------------- */

static void open_empty(void) {
    open_graph(SLOTS, 3);
}
static void open_with_1(void) {
    open_empty();
    put(0, 0);
}
/* A list that has no empty place: whoever wants in must push somebody out, or be refused. */
static void open_with_5(void) {
    open_with_1();
    for (uint32_t i = 1; i < 5; i++) put(0, 3.0f * (float)i);
}
static void put_1(void) {
    put(0, 1);
}
static void put_2(void) {
    put(1, 2);
}
static void put_4(void) {
    put(2, 4);
}
static void search_for_a_hit(void) {
    finds(2, 1, 0);
}
static void one_is_live(void) {
    check_graph(0, 1);
}
static void two_are_live(void) {
    check_graph(0, 2);
}
static void three_are_live(void) {
    check_graph(0, 3);
}
static void four_are_live(void) {
    check_graph(0, 4);
}
static void seven_are_live(void) {
    check_graph(0, 7);
}
SHAPE(graph, the_first_is_found_complete, open_empty, one_is_live, put_1, search_for_a_hit)
SHAPE(graph, two_want_to_be_the_first, open_empty, two_are_live, put_1, put_2)
SHAPE(graph, two_want_to_be_the_first_while_one_searches, open_empty, two_are_live, put_1, put_2, search_for_a_hit)
SHAPE(graph, a_hit_is_complete, open_with_1, two_are_live, put_1, search_for_a_hit)
SHAPE(graph, two_inserts, open_with_1, three_are_live, put_1, put_2)
SHAPE(graph, two_inserts_while_one_searches, open_with_1, three_are_live, put_1, put_2, search_for_a_hit)
LONG_SHAPE(graph, three_inserts, 20000, open_with_1, four_are_live, put_1, put_2, put_4)
SHAPE(graph, two_inserts_into_full_lists, open_with_5, seven_are_live, put_1, put_2)
SHAPE(graph, two_inserts_into_full_lists_while_one_searches, open_with_5, seven_are_live, put_1, put_2, search_for_a_hit)

/* ---- upper levels and the entry point [N6] ---------------------------------------------------------------------------------------- */

static void open_below(void) {
    open_with_1();
    draw_level(1);
}
static void open_above(void) {
    open_empty();
    draw_level(1);
    put(0, 0);
}
SHAPE(graph, two_raise_the_entry_point, open_below, three_are_live, put_1, put_2)
SHAPE(graph, the_entry_point_is_raised_under_a_search, open_below, two_are_live, put_1, search_for_a_hit)
SHAPE(graph, two_inserts_on_two_levels, open_above, three_are_live, put_1, put_2)
SHAPE(graph, two_levels_are_searched_while_one_inserts, open_above, two_are_live, put_1, search_for_a_hit)

/* ---- scans: every slot below the mark is looked at, whether a list names it or not [N3] [N5] ------------------------------------------ */

static void scan(void) {
    uint32_t n_slots = cmi_hnsw_n_slots(&graph);
    float x = 1;
    for (uint32_t slot = 0; slot < n_slots; slot++) {
        uint64_t meta = cmi_hnsw_meta(&graph, slot);
        if (cmi_meta_state(meta) != CMI_LIVE && cmi_meta_state(meta) != CMI_DEAD) continue;
        MODEL_CHECK(data[slot] == slot + 100);
        MODEL_CHECK(cmi_hnsw_distance(&graph, &x, slot) <= 1); /* all lie within 0 .. 2 */
    }
}
SHAPE(graph, the_first_is_complete_in_a_scan, open_empty, one_is_live, put_1, scan)
SHAPE(graph, two_want_to_be_the_first_in_a_scan, open_empty, two_are_live, put_1, put_2, scan)
SHAPE(graph, a_live_slot_is_complete_in_a_scan, open_with_1, two_are_live, put_1, scan)

enum { CHUNK_SLOTS = 4096 }; /* nodes in one chunk */

static void open_at_the_end_of_a_chunk(void) {
    open_graph(CHUNK_SLOTS + 2, 3);
    MODEL_CHECK(cmi_arena_ensure(&graph.nodes, 0));
    plat_store_relaxed(&graph.n_slots, CHUNK_SLOTS);
}
static void reserve_one(void) {
    uint32_t slot;
    MODEL_CHECK(cmi_hnsw_reserve(&graph, &slot) == CM_OK);
}
static void look_at_new_slots(void) {
    uint32_t n_slots = cmi_hnsw_n_slots(&graph);
    for (uint32_t slot = CHUNK_SLOTS; slot < n_slots; slot++) MODEL_CHECK(cmi_meta_state(cmi_hnsw_meta(&graph, slot)) != CMI_LIVE);
}
static void two_slots_are_taken(void) {
    MODEL_CHECK(cmi_hnsw_n_slots(&graph) == CHUNK_SLOTS + 2);
}
SHAPE(graph, slots_below_the_mark_are_there, open_at_the_end_of_a_chunk, two_slots_are_taken, reserve_one, reserve_one, look_at_new_slots)

/* ---- the tree rule: nobody pushes a parent out of a list before it knows that it is one [N4] ------------------------------------------- */

enum { ROOT, UNFINISHED, NEWCOMER, OTHERS };

/* A node whose inserter died after publishing it: in the graph, never LINKED. Next to it a newcomer is linked from it without being its child, and then hangs under the root. */
static void open_with_an_unfinished_one(void) {
    open_with_1();
    put(0, 1);
    plat_a64_t *meta = &cmi_hnsw_node(&graph, UNFINISHED)->meta;
    plat_store_relaxed(meta, plat_load_relaxed(meta) & ~((uint64_t)CMI_FLAG_LINKED << 16));
    graph.cap0 = 2; /* the newcomer's list is full with the root and the unfinished one */
}
/* Comes by the link that is no tree edge, and wants into the newcomer's list. */
static void append_to_newcomer(void) {
    cmi_list_t list = cmi_list_of(&graph, UNFINISHED, 0);
    for (uint32_t i = 0; i < list.cap; i++)
        if (cmi_list_read(&list, i) == NEWCOMER) cmi_links_append(&graph, scratch[1], NEWCOMER, 0, OTHERS, 0.25f, CMI_APPEND_IF_BETTER);
}
static void open_with_another(void) {
    open_with_an_unfinished_one();
    plat_a64_t *meta;
    for (uint32_t slot = NEWCOMER; slot <= OTHERS; slot++) reserve(2);
    meta = &cmi_hnsw_node(&graph, OTHERS)->meta;
    plat_store_relaxed(meta, cmi_meta_make(0, 0, 0, CMI_LIVE));
}
static void link_newcomer(void) {
    float x = 1.5f;
    cmi_hnsw_set_vector(&graph, NEWCOMER, &x);
    cmi_hnsw_link(&graph, scratch[0], NEWCOMER);
}
static void the_tree_is_whole(void) {
    check_graph(2, 4);
}
SHAPE(graph, a_parent_stays_in_the_list_of_its_child, open_with_another, the_tree_is_whole, link_newcomer, append_to_newcomer)

/* A list that an unfinished node gave the newcomer a plain place in. Once that node is LINKED the newcomer may be pushed out again, and must not come back as its child: whoever read
 * the plain link would take it for one still, and push the child out. */
enum { OTHER_CHILD = 2, PUSHED = 3, NEARER = 4, NEAREST = 5 };

static void open_with_a_plain_place(void) {
    open_empty();
    graph.cap0 = 2;
    put(0, 0);
    put(0, 1);
    put(0, -1); /* ROOT's list is full with tree edges */
    plat_a64_t *meta = &cmi_hnsw_node(&graph, UNFINISHED)->meta;
    plat_store_relaxed(meta, plat_load_relaxed(meta) & ~((uint64_t)CMI_FLAG_LINKED << 16));
    plat_store_relaxed(&cmi_list_of(&graph, UNFINISHED, 0).place[1], CMI_NONE);
    reserve(1.5f);
    reserve(1.1f);
    reserve(1.05f);
    for (uint32_t slot = NEARER; slot <= NEAREST; slot++)
        plat_store_relaxed(&cmi_hnsw_node(&graph, slot)->meta, cmi_meta_make(0, 0, 0, CMI_LIVE));
}
static void link_pushed(void) {
    cmi_hnsw_link(&graph, scratch[0], PUSHED);
}
static void finish_and_push(void) {
    plat_fetch_or_release(&cmi_hnsw_node(&graph, UNFINISHED)->meta,
                          (uint64_t)CMI_FLAG_LINKED << 16); /* [N4] release: the parent word, as in insert.c */
    cmi_links_append(&graph, scratch[1], UNFINISHED, 0, NEARER, 0.01f, CMI_APPEND_IF_BETTER);
}
static void push_too(void) {
    cmi_links_append(&graph, scratch[2], UNFINISHED, 0, NEAREST, 0.0025f, CMI_APPEND_IF_BETTER);
}
static void the_pushed_has_a_parent(void) {
    check_graph(2, 6);
}
SHAPE(graph, who_had_a_plain_place_does_not_come_back_as_a_child, open_with_a_plain_place, the_pushed_has_a_parent, link_pushed,
      finish_and_push, push_too)

/* ---- overtaken inserts look again --------------------------------------------------------------------------------------------------- */

static void open_hasty(void) {
    open_with_1();
    graph.most_overtakers = 0;
}
static void open_hasty_and_full(void) {
    open_with_5();
    graph.most_overtakers = 0;
}
LONG_SHAPE(graph, two_inserts_overtake_each_other, 20000, open_hasty, three_are_live, put_1, put_2)
LONG_SHAPE(graph, two_inserts_overtake_each_other_under_a_search, 20000, open_hasty, three_are_live, put_1, put_2, search_for_a_hit)
LONG_SHAPE(graph, two_inserts_overtake_each_other_in_full_lists, 20000, open_hasty_and_full, seven_are_live, put_1, put_2)
/* Who looks again sees a newcomer that is about to hang under it, by way of an unfinished node. Were it to link the newcomer first, somebody could push it out as a plain link. */
static void open_with_a_way_round(void) {
    open_empty();
    put(0, -10);
    put(0, 1);
    plat_a64_t *meta = &cmi_hnsw_node(&graph, UNFINISHED)->meta;
    plat_store_relaxed(meta, plat_load_relaxed(meta) & ~((uint64_t)CMI_FLAG_LINKED << 16));
    plat_store_relaxed(&cmi_hnsw_node(&graph, reserve(2.9f))->meta, cmi_meta_make(0, 0, 0, CMI_LIVE));
    graph.most_overtakers = 0;
}
static void put_3(void) {
    put(0, 3);
}
static void put_half(void) {
    put(1, 0.5f);
}
static void push_into_3(void) {
    cmi_list_t list = cmi_list_of(&graph, UNFINISHED, 0);
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t slot = cmi_list_read(&list, i);
        if (slot != CMI_NONE && cmi_row_element(&graph.full, cmi_hnsw_row(&graph, slot), 0) == 3)
            cmi_links_append(&graph, scratch[2], slot, 0, 2, 0.01f, CMI_APPEND_IF_BETTER);
    }
}
static void both_hang(void) {
    check_graph(2, 5);
}
LONG_SHAPE(graph, a_newcomer_hangs_before_it_is_linked_again, 20000, open_with_a_way_round, both_hang, put_3, put_half, push_into_3)
LONG_SHAPE(graph, three_inserts_overtake_each_other, 20000, open_hasty, four_are_live, put_1, put_2, put_4)

/* ---- removal ------------------------------------------------------------------------------------------------------------------------ */

static void kill_0(void) {
    won[0] = cmi_hnsw_kill(&graph, 0);
}
static void kill_0_too(void) {
    won[1] = cmi_hnsw_kill(&graph, 0);
}
/* The removed node carries traffic on: what lies behind it is found. */
static void search_past_the_removed(void) {
    MODEL_CHECK(finds(2, 3, 1));
}
static void one_killed_it(void) {
    MODEL_CHECK(won[0] + won[1] == 1);
    check_graph(0, 1);
}
static void open_with_2(void) {
    open_with_1();
    put(0, 3);
}
SHAPE(graph, two_kill_one, open_with_2, one_killed_it, kill_0, kill_0_too)
SHAPE(graph, neighbours_of_the_killed_are_found, open_with_2, one_killed_it, kill_0, kill_0_too, search_past_the_removed)

static void one_of_two_is_live(void) {
    check_graph(0, 1);
}
SHAPE(graph, the_last_one_is_killed_beside_an_insert, open_with_1, one_of_two_is_live, put_1, kill_0)
static void two_of_three_are_live(void) {
    check_graph(0, 2);
}
SHAPE(graph, the_last_one_is_killed_beside_two_inserts, open_with_1, two_of_three_are_live, put_1, put_2, kill_0)

/* The flag that the inserter sets and the state that a remover sets are in one word: neither undoes the other. */
static void kill_1_if_live(void) {
    if (cmi_hnsw_n_slots(&graph) == 2) won[1] = cmi_hnsw_kill(&graph, 1);
}
static void the_inserted_is_linked(void) {
    MODEL_CHECK(cmi_linked(&graph, 1));
    check_graph(0, won[1] ? 1 : 2);
}
SHAPE(graph, killed_while_it_is_being_linked, open_with_1, the_inserted_is_linked, put_1, kill_1_if_live)
/* A snapshot goes up the tree from what it found DEAD. */
static void scan_and_go_up(void) {
    scan();
    if (cmi_hnsw_n_slots(&graph) < 2) return;
    uint64_t meta = cmi_hnsw_meta(&graph, 1);
    if (cmi_meta_flags(meta) & CMI_FLAG_LINKED) MODEL_CHECK(plat_load_relaxed(&cmi_hnsw_node(&graph, 1)->parent) == 0);
}
SHAPE(graph, the_killed_are_complete_in_a_scan, open_with_1, the_inserted_is_linked, put_1, kill_1_if_live, scan_and_go_up)
