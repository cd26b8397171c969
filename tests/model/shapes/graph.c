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
    uint32_t n = cmi_hnsw_search(&graph, scratch[thread], &x, 2, NULL, NULL, found);
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
SHAPE(graph, three_inserts, open_with_1, four_are_live, put_1, put_2, put_4)
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
