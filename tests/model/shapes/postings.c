/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * postings.c - core/store/postings.c and recency.c: a memory that moves from one rate class to another is met in one of them or named among the moves [K3]; the bound of
 * a class is not above the rate of any memory in it; a context's members are met whatever moves beside them.
 */
#include "model/model.h"
#include "store/recency.h"

#define SLOW 0.0012f
#define FAST 1.0f

static cm_store_t store;
static cmi_postings_t *const postings = &store.postings;
static uint32_t old_node;

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
static void move(float from, float to) {
    uint32_t fresh;
    MODEL_CHECK(cmi_postings_add_time(postings, to, 1000, 3, &fresh) == CM_OK);
    cmi_postings_note_move(postings, 3);
    cmi_postings_drop_time(postings, from, old_node);
}
static void slow_down(void) {
    move(FAST, SLOW);
}
static void speed_up(void) {
    move(SLOW, FAST);
}

/* As search.c: the moves counted before the walk, the walk, the moves since. */
static void find_slot_3(void) {
    cmi_recency_t stream;
    uint32_t slots[8];
    bool met = false;
    uint64_t before = cmi_postings_n_moves(postings);
    cmi_recency_begin(&stream, &store, 3600000);
    for (uint32_t n; (n = cmi_recency_take(&stream, slots, 1)) > 0;)
        for (uint32_t i = 0; i < n; i++) met |= slots[i] == 3;
    for (uint64_t i = before, after = cmi_postings_n_moves(postings); i < after; i++) {
        uint32_t moved = cmi_postings_move(postings, i);
        met |= moved == 3 || moved == CMI_MOVE_FORGOTTEN;
        MODEL_CHECK(moved == 3 || moved == CMI_MOVE_TO_COME); /* TO_COME: the old node is linked still */
    }
    MODEL_CHECK(met);
}
SHAPE(postings, slowing_down_is_not_missed, open_with_a_fast_one, NULL, slow_down, find_slot_3)
SHAPE(postings, speeding_up_is_not_missed, open_with_a_slow_one, NULL, speed_up, find_slot_3)

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
