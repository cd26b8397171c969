/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * postings.c - core/store/postings.c and recency.c: a memory whose rate changes, to another class or within one, is met or named among the moves [K3], also where moves share
 * a place (two are remembered here); the bound of a class is not above the rate of any memory in it; a context's members are met whatever moves beside them.
 */
#include "model/model.h"
#include "store/recency.h"

#define SLOW 0.0012f
#define FAST 1.0f

static cm_store_t store;
static cmi_postings_t *const postings = &store.postings;
static uint32_t old_node, other_node;

static void open_postings(void) {
    memset(&store, 0, sizeof store);
    store.blocks = cmi_blocks_open();
    MODEL_CHECK(store.blocks && cmi_postings_open(postings, store.blocks, 16));
}
static void open_with_one(float rate) {
    open_postings();
    MODEL_CHECK(cmi_postings_add_time(postings, rate, 1000, 3, &old_node) == CM_OK);
}
static void open_with_a_fast_one(void) {
    open_with_one(FAST);
}
static void open_with_a_slow_one(void) {
    open_with_one(SLOW);
}

/* As update.c moves a memory: new node, note, old node. */
static void move(uint32_t slot, float from, float to, uint32_t old) {
    uint32_t fresh;
    MODEL_CHECK(cmi_postings_add_time(postings, to, 1000, slot, &fresh) == CM_OK);
    cmi_postings_note_move(postings, slot);
    cmi_postings_drop_time(postings, from, old);
}
static void slow_down(void) {
    move(3, FAST, SLOW, old_node);
}
static void speed_up(void) {
    move(3, SLOW, FAST, old_node);
}

/* Slots as bits, and what stands for all of them: moves that nobody remembers. */
#define SLOT(slot) (1u << (slot))
#define UNSURE UINT32_MAX

static uint32_t moved_since(uint64_t before) {
    uint64_t after = cmi_postings_n_moves(postings);
    uint32_t met = 0;
    if (after - before > CMI_MOVES) return UNSURE;
    for (uint64_t i = before; i < after; i++) {
        uint32_t moved = cmi_postings_move(postings, i);
        if (moved == CMI_MOVE_FORGOTTEN) return UNSURE;
        if (moved != CMI_MOVE_TO_COME) met |= SLOT(moved); /* TO_COME: the old node is linked still */
    }
    return met;
}

/* As streams.c: the moves counted before the walk, the walk, the moves since. */
static uint32_t find(void) {
    cmi_recency_t stream;
    uint32_t slot, met = 0;
    uint64_t before = cmi_postings_n_moves(postings);
    cmi_recency_begin(&stream, &store, 3600000);
    while (cmi_recency_take(&stream, &slot, 1) == 1) met |= SLOT(slot);
    return met | moved_since(before);
}
static void find_slot_3(void) {
    uint32_t met = find();
    MODEL_CHECK(met & SLOT(3));
    MODEL_CHECK(met == SLOT(3)); /* and nothing else, sure of it */
}
SHAPE(postings, slowing_down_is_not_missed, open_with_a_fast_one, NULL, slow_down, find_slot_3)
SHAPE(postings, speeding_up_is_not_missed, open_with_a_slow_one, NULL, speed_up, find_slot_3)

/* The new node comes before the old one, so a walk may be between the two. */
static void open_with_room_in_front(void) {
    uint32_t in_front;
    open_postings();
    MODEL_CHECK(cmi_skip_make(&postings->nodes, 1, 1, &in_front) == CM_OK);
    MODEL_CHECK(cmi_postings_add_time(postings, SLOW, 1000, 3, &old_node) == CM_OK);
    cmi_skip_free(&postings->nodes, in_front);
}
static void change_a_little(void) {
    MODEL_CHECK(cmi_rate_class(SLOW) == cmi_rate_class(SLOW * 0.99f));
    move(3, SLOW, SLOW * 0.99f, old_node);
}
SHAPE(postings, a_change_within_a_class_is_not_missed, open_with_room_in_front, NULL, change_a_little, find_slot_3)

static void open_with_two(void) {
    open_with_a_fast_one();
    MODEL_CHECK(cmi_postings_add_time(postings, SLOW, 1000, 4, &other_node) == CM_OK);
}
static void speed_up_the_other(void) {
    move(4, SLOW, FAST, other_node);
}
static void find_both(void) {
    uint32_t met = find();
    MODEL_CHECK((met & SLOT(3)) && (met & SLOT(4)));
}
SHAPE(postings, neither_of_two_that_move_is_missed, open_with_two, NULL, slow_down, speed_up_the_other, find_both)

/* One that is held up between counting its move and noting it, while others move. */
static void note_late(void) {
    cmi_postings_note_move(postings, 5);
}
static void note_and_slow_down(void) {
    cmi_postings_note_move(postings, 6);
    slow_down();
}
static void find_slot_3_at_least(void) {
    MODEL_CHECK(find() & SLOT(3));
}
SHAPE(postings, a_late_note_hides_no_newer_move, open_with_a_fast_one, NULL, note_late, note_and_slow_down, find_slot_3_at_least)

/* Two of one class, the second slower: its rate is the bound before its node is met. */
static void add_slower(void) {
    uint32_t fresh;
    MODEL_CHECK(cmi_postings_add_time(postings, SLOW * 0.9f, 2000, 4, &fresh) == CM_OK);
}
static void bound_holds(void) {
    uint32_t class = cmi_rate_class(SLOW);
    MODEL_CHECK(class == cmi_rate_class(SLOW * 0.9f));
    cmi_recency_t stream;
    uint32_t slots[4];
    cmi_recency_begin(&stream, &store, 3600000);
    float bound = stream.class[0].rate;
    if (cmi_recency_take(&stream, slots, 1) == 1 && slots[0] == 4) MODEL_CHECK(bound <= SLOW * 0.9f);
}
SHAPE(postings, bound_of_a_class_comes_before_its_node, open_with_a_slow_one, NULL, add_slower, bound_holds)

static void add_a_little_slower(void) {
    uint32_t fresh;
    MODEL_CHECK(cmi_postings_add_time(postings, SLOW * 0.95f, 3000, 5, &fresh) == CM_OK);
}
static void bound_is_the_lowest(void) {
    MODEL_CHECK(plat_load_relaxed(&postings->lowest_rate[cmi_rate_class(SLOW)]) == cmi_float_bits(SLOW * 0.9f));
}
SHAPE(postings, two_lower_the_bound_of_a_class, open_with_a_slow_one, bound_is_the_lowest, add_slower, add_a_little_slower, bound_holds)

/* ---- contexts ---- */

static uint32_t members[2];

static void open_with_members(void) {
    open_postings();
    for (uint32_t i = 0; i < 2; i++) MODEL_CHECK(cmi_postings_add_context(postings, 7, i, &members[i]) == CM_OK);
}
static void take_out_member_0(void) {
    cmi_postings_drop_context(postings, members[0]);
}
static void put_in_other_context(void) {
    uint32_t fresh;
    MODEL_CHECK(cmi_postings_add_context(postings, 6, 5, &fresh) == CM_OK);
}
static void meet_member_1(void) {
    bool met = false;
    for (uint32_t at = cmi_postings_first_of(postings, 7); at != CMI_NO_SKIP_NODE; at = cmi_postings_next_of(postings, 7, at)) {
        MODEL_CHECK(cmi_posting_slot(postings, at) < 2);
        met |= cmi_posting_slot(postings, at) == 1;
    }
    MODEL_CHECK(met);
}
SHAPE(postings, members_are_met_beside_removals, open_with_members, NULL, take_out_member_0, put_in_other_context, meet_member_1)

/* A memory that is given the context that it has: the new node in front of the old one. */
static void open_with_room_in_front_of_members(void) {
    uint32_t in_front;
    open_postings();
    MODEL_CHECK(cmi_skip_make(&postings->nodes, 1, 1, &in_front) == CM_OK);
    for (uint32_t i = 0; i < 2; i++) MODEL_CHECK(cmi_postings_add_context(postings, 7, i, &members[i]) == CM_OK);
    cmi_skip_free(&postings->nodes, in_front);
}
static void place_member_1_again(void) {
    uint32_t fresh;
    MODEL_CHECK(cmi_postings_add_context(postings, 7, 1, &fresh) == CM_OK);
    cmi_postings_drop_context(postings, members[1]);
}
SHAPE(postings, placed_again_is_met_beside_a_removal, open_with_room_in_front_of_members, NULL, place_member_1_again, take_out_member_0,
      meet_member_1)
