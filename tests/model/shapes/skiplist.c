/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * skiplist.c - core/store/skiplist.c: what is linked and not being removed is met by every walk and seek that begins afterwards, complete; what was unlinked is met by none that
 * begins when its remover is done; the list is whole at the end. [K1] Nodes are of one level or two, so that going down and taking out on two levels are exercised.
 */
#include "model/model.h"
#include "store/skiplist.h"

static cmi_blocks_t *blocks;
static cmi_skip_nodes_t nodes;
static cmi_skiplist_t list;
static plat_a32_t flag;

enum { X, Y, Z, W, N_NODES };
static uint32_t node[N_NODES];
static const uint64_t key[N_NODES] = {10, 20, 30, 40};

/* Levels follow from key and slot: a slot that gives as many as wanted. */
static uint32_t make(uint64_t of_key, uint32_t n_levels) {
    for (uint32_t slot = 0;; slot++) {
        uint32_t made;
        MODEL_CHECK(cmi_skip_make(&nodes, of_key, slot, &made) == CM_OK);
        if (cmi_skip_at(&nodes, made)->n_levels == n_levels) return made;
        cmi_skip_free(&nodes, made);
    }
}

/* x, y, z, w: levels of the nodes; those of `linked` are in the list. */
static void open_list(uint32_t x, uint32_t y, uint32_t z, uint32_t w, uint32_t linked) {
    const uint32_t n_levels[N_NODES] = {x, y, z, w};
    memset(&nodes, 0, sizeof nodes);
    memset(&list, 0, sizeof list);
    plat_store_relaxed(&flag, 0);
    blocks = cmi_blocks_open();
    MODEL_CHECK(blocks && cmi_skip_open(&nodes, blocks, 100));
    for (uint32_t i = 0; i < N_NODES; i++) node[i] = make(key[i], n_levels[i]);
    for (uint32_t i = 0; i < N_NODES; i++)
        if (linked >> i & 1) cmi_skip_link(&nodes, &list, node[i]);
}
#define IN(n) (1u << (n))

static void open_flat(void) {
    open_list(1, 1, 1, 1, IN(X) | IN(W));
}
static void open_flat_three(void) {
    open_list(1, 1, 1, 1, IN(X) | IN(Y) | IN(W));
}
static void open_tall(void) {
    open_list(2, 2, 1, 1, IN(X) | IN(W));
}
static void open_tall_x_y(void) {
    open_list(2, 2, 1, 2, IN(X) | IN(Y) | IN(W));
}

static void link(uint32_t i) {
    cmi_skip_link(&nodes, &list, node[i]);
}
static void unlink(uint32_t i) {
    cmi_skip_unlink(&nodes, &list, node[i]);
}

/* Which nodes a walk from the beginning meets, in order; keys are read, so that each must be complete. */
static uint32_t walk(void) {
    uint32_t met = 0;
    uint64_t last = 0;
    for (uint32_t at = cmi_skip_first(&list); at != CMI_NO_SKIP_NODE; at = cmi_skip_next(&nodes, at)) {
        uint64_t here = cmi_skip_at(&nodes, at)->key;
        MODEL_CHECK(here > last);
        last = here;
        met |= IN(here / 10 - 1);
    }
    return met;
}

static uint64_t key_at(uint64_t from) {
    uint32_t at = cmi_skip_seek(&nodes, &list, from);
    return at == CMI_NO_SKIP_NODE ? 0 : cmi_skip_at(&nodes, at)->key;
}

static void check_list(uint32_t expected) {
    cm_error_t error;
    uint64_t n = 0;
    MODEL_CHECK(cmi_skip_check(&nodes, &list, "a", 0, &n, &error) == CM_OK);
    MODEL_CHECK(walk() == expected);
    for (uint32_t i = 0; i < N_NODES; i++)
        if (expected >> i & 1) MODEL_CHECK(key_at(key[i]) == key[i]);
}

static void has_all(void) {
    check_list(IN(X) | IN(Y) | IN(Z) | IN(W));
}
static void has_x_y_w(void) {
    check_list(IN(X) | IN(Y) | IN(W));
}
static void has_y_w(void) {
    check_list(IN(Y) | IN(W));
}
static void has_w(void) {
    check_list(IN(W));
}
static void has_z_w(void) {
    check_list(IN(Z) | IN(W));
}

static void link_y(void) {
    link(Y);
}
static void link_z(void) {
    link(Z);
}
static void unlink_x(void) {
    unlink(X);
}
static void unlink_y(void) {
    unlink(Y);
}
/* W is never touched. */
static void walk_meets_w(void) {
    MODEL_CHECK(walk() & IN(W));
}
static void seek_finds_w(void) {
    MODEL_CHECK(key_at(40) == 40);
}
static void seek_y_or_behind(void) {
    uint64_t found = key_at(20);
    MODEL_CHECK(found == 20 || found == 30 || found == 40);
}

SHAPE(skiplist, two_link_side_by_side, open_flat, has_all, link_y, link_z)
SHAPE(skiplist, two_link_while_one_walks, open_flat, has_all, link_y, link_z, walk_meets_w)
SHAPE(skiplist, linked_behind_one_that_is_removed, open_flat, has_y_w, unlink_x, link_y)
SHAPE(skiplist, linked_behind_one_that_is_removed_under_a_walk, open_flat, has_y_w, unlink_x, link_y, walk_meets_w)
SHAPE(skiplist, two_neighbours_are_removed, open_flat_three, has_w, unlink_x, unlink_y)
SHAPE(skiplist, two_neighbours_are_removed_under_a_walk, open_flat_three, has_w, unlink_x, unlink_y, walk_meets_w)
SHAPE(skiplist, removed_and_linked_between, open_flat_three, has_z_w, unlink_x, unlink_y, link_z)
SHAPE(skiplist, tall_linked_beside_tall, open_tall, has_x_y_w, link_y, seek_finds_w)
SHAPE(skiplist, tall_linked_behind_tall_that_is_removed, open_tall, has_y_w, unlink_x, link_y)
SHAPE(skiplist, tall_ones_change_under_a_seek, open_tall, has_y_w, unlink_x, link_y, seek_y_or_behind)
SHAPE(skiplist, tall_neighbours_are_removed, open_tall_x_y, has_w, unlink_x, unlink_y, seek_finds_w)

/* What others did before a walk began is seen by it. */
static void unlink_x_and_say_so(void) {
    unlink(X);
    plat_store_release(&flag, 1);
}
static void link_y_and_say_so(void) {
    link(Y);
    plat_store_release(&flag, 1);
}
static void walk_without_x(void) {
    if (plat_load_acquire(&flag)) MODEL_CHECK(!(walk() & IN(X)));
}
static void seek_sees_y(void) {
    if (plat_load_acquire(&flag)) MODEL_CHECK(key_at(20) == 20);
}
static void walk_sees_y(void) {
    if (plat_load_acquire(&flag)) MODEL_CHECK(walk() & IN(Y));
}
SHAPE(skiplist, unlinked_is_out_of_the_walks_that_begin, open_tall, has_y_w, unlink_x_and_say_so, link_y, walk_without_x)
SHAPE(skiplist, linked_is_in_the_walks_that_begin, open_tall, has_y_w, unlink_x, link_y_and_say_so, walk_sees_y)
SHAPE(skiplist, linked_is_found_by_the_seeks_that_begin, open_tall, has_y_w, unlink_x, link_y_and_say_so, seek_sees_y)

/* A link may have passed the upper level before a tall node came there, and take it out of the lower one before the upper: a seek must not go down at it. */
static void open_tall_w_only(void) {
    open_list(2, 1, 1, 1, IN(W));
}
static void link_and_unlink_x(void) {
    link(X);
    unlink(X);
}
SHAPE(skiplist, linked_while_a_tall_one_comes_and_goes, open_tall_w_only, has_y_w, link_and_unlink_x, link_y_and_say_so, seek_sees_y)

/* Likewise one that unlinks, and must not be met any more: nobody comes to it through a tall node that was in front of it for a while. */
static void open_y_w_only(void) {
    open_list(2, 1, 1, 1, IN(Y) | IN(W));
}
static void unlink_y_and_say_so(void) {
    unlink(Y);
    plat_store_release(&flag, 1);
}
static void seek_sees_no_y(void) {
    if (plat_load_acquire(&flag)) MODEL_CHECK(key_at(20) == 40);
}
SHAPE(skiplist, unlinked_while_a_tall_one_comes_and_goes, open_y_w_only, has_w, link_and_unlink_x, unlink_y_and_say_so, seek_sees_no_y)

/* ---- what a thread left that died between marking a node and taking it out ---- */

static void open_with_x_marked(void) {
    open_flat_three();
    plat_fetch_or_release(&cmi_skip_at(&nodes, node[X])->next, 1);
}
SHAPE(skiplist, what_a_dead_thread_left_is_taken_out, open_with_x_marked, has_z_w, link_z, unlink_y, walk_meets_w)

/* ---- three writers on two levels ---- */

static void open_tall_three(void) {
    open_list(2, 2, 2, 1, IN(X) | IN(Y) | IN(W));
}
LONG_SHAPE(skiplist, tall_removed_and_linked_between, 30000, open_tall_three, has_z_w, unlink_x, unlink_y, link_z)

/* ---- used again ---- */

static plat_a32_t left;

static void open_for_reuse(void) {
    open_tall();
    plat_store_relaxed(&left, 0);
}
static void walk_and_leave(void) {
    MODEL_CHECK(walk() & IN(W));
    plat_store_release(&left, 1);
}
static void unlink_and_use_again(void) {
    unlink(X);
    if (!plat_load_acquire(&left)) return;
    cmi_skip_free(&nodes, node[X]);
    uint32_t again;
    MODEL_CHECK(cmi_skip_make(&nodes, 25, 1, &again) == CM_OK);
}
SHAPE(skiplist, node_used_again_after_a_grace_period, open_for_reuse, has_w, walk_and_leave, unlink_and_use_again)
