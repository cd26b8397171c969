/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * litmus.c - the checker checked: the small programs of the literature, with the number of executions and of outcomes that RC11 allows each.
 *
 * Were it too strong, bugs would be missed: each weak outcome must be found. Were it too weak, right programs would be refused: each forbidden one must not.
 */
#include "model/model.h"
#include "plat_atomic.h"

static plat_a32_t x, y, z;
static uint32_t r[8], plain;

static void zero(void) {
    plat_store_relaxed(&x, 0);
    plat_store_relaxed(&y, 0);
    plat_store_relaxed(&z, 0);
    for (uint32_t i = 0; i < 8; i++) r[i] = 0;
    plain = 0;
}

/* Two reads each 0 or 1, as a number. */
static void outcome_2(void) {
    model_outcome(r[0] | r[1] << 4);
}
static void outcome_4(void) {
    model_outcome(r[0] | r[1] << 4 | r[2] << 8 | r[3] << 12);
}
static void outcome_xy(void) {
    model_outcome(plat_load_relaxed(&x) | plat_load_relaxed(&y) << 4);
}

/* ---- store buffering: all four; with fences not (0, 0) ---- */

static void sb_0(void) {
    plat_store_relaxed(&x, 1);
    r[0] = plat_load_relaxed(&y);
}
static void sb_1(void) {
    plat_store_relaxed(&y, 1);
    r[1] = plat_load_relaxed(&x);
}
static void sb_fence_0(void) {
    plat_store_relaxed(&x, 1);
    plat_fence_seq_cst();
    r[0] = plat_load_relaxed(&y);
}
static void sb_fence_1(void) {
    plat_store_relaxed(&y, 1);
    plat_fence_seq_cst();
    r[1] = plat_load_relaxed(&x);
}
LITMUS(store_buffering, zero, outcome_2, 4, 4, sb_0, sb_1)
LITMUS(store_buffering_with_one_fence, zero, outcome_2, 4, 4, sb_fence_0, sb_1)
LITMUS(store_buffering_with_fences, zero, outcome_2, 3, 3, sb_fence_0, sb_fence_1)

/* ---- message passing ---- */

static void mp_write(void) {
    plat_store_relaxed(&x, 1);
    plat_store_relaxed(&y, 1);
}
static void mp_read(void) {
    r[0] = plat_load_relaxed(&y);
    r[1] = plat_load_relaxed(&x);
}
static void mp_release(void) {
    plat_store_relaxed(&x, 1);
    plat_store_release(&y, 1);
}
static void mp_acquire(void) {
    r[0] = plat_load_acquire(&y);
    r[1] = plat_load_relaxed(&x);
}
static void mp_fence_write(void) {
    plat_store_relaxed(&x, 1);
    plat_fence_seq_cst();
    plat_store_relaxed(&y, 1);
}
static void mp_fence_read(void) {
    r[0] = plat_load_relaxed(&y);
    plat_fence_seq_cst();
    r[1] = plat_load_relaxed(&x);
}
LITMUS(message_passing, zero, outcome_2, 4, 4, mp_write, mp_read)
LITMUS(message_passing_release_only, zero, outcome_2, 4, 4, mp_release, mp_read)
LITMUS(message_passing_acquire_only, zero, outcome_2, 4, 4, mp_write, mp_acquire)
LITMUS(message_passing_release_acquire, zero, outcome_2, 3, 3, mp_release, mp_acquire)
LITMUS(message_passing_fences, zero, outcome_2, 3, 3, mp_fence_write, mp_fence_read)
LITMUS(message_passing_fence_and_acquire, zero, outcome_2, 3, 3, mp_fence_write, mp_acquire)

/* ---- release sequences: a read-modify-write of another thread continues one, a store does not ---- */

static void rs_release(void) {
    plat_store_relaxed(&x, 1);
    plat_store_release(&y, 1);
}
static void rs_add(void) {
    plat_fetch_add_relaxed(&y, 1);
}
static void rs_store(void) {
    plat_store_relaxed(&y, 2);
}
static void rs_acquire(void) {
    r[0] = plat_load_acquire(&y);
    r[1] = r[0] == 2 ? plat_load_relaxed(&x) : 2;
}
LITMUS(release_sequence_by_rmw, zero, outcome_2, 0, 3, rs_release, rs_add, rs_acquire)
LITMUS(no_release_sequence_by_store, zero, outcome_2, 0, 4, rs_release, rs_store, rs_acquire)

/* ---- independent reads of independent writes: all 16; with fences between the reads not the two that disagree on the order ---- */

static void iriw_x(void) {
    plat_store_release(&x, 1);
}
static void iriw_y(void) {
    plat_store_release(&y, 1);
}
static void iriw_xy(void) {
    r[0] = plat_load_acquire(&x);
    r[1] = plat_load_acquire(&y);
}
static void iriw_yx(void) {
    r[2] = plat_load_acquire(&y);
    r[3] = plat_load_acquire(&x);
}
static void iriw_fence_xy(void) {
    r[0] = plat_load_relaxed(&x);
    plat_fence_seq_cst();
    r[1] = plat_load_relaxed(&y);
}
static void iriw_fence_yx(void) {
    r[2] = plat_load_relaxed(&y);
    plat_fence_seq_cst();
    r[3] = plat_load_relaxed(&x);
}
LITMUS(independent_reads, zero, outcome_4, 16, 16, iriw_x, iriw_y, iriw_xy, iriw_yx)
LITMUS(independent_reads_with_fences, zero, outcome_4, 15, 15, iriw_x, iriw_y, iriw_fence_xy, iriw_fence_yx)

/* ---- two threads write two places in opposite orders: a store may take an earlier place ---- */

static void ww_0(void) {
    plat_store_relaxed(&x, 1);
    plat_store_relaxed(&y, 2);
}
static void ww_1(void) {
    plat_store_relaxed(&y, 1);
    plat_store_relaxed(&x, 2);
}
static void ww_fence_0(void) {
    plat_store_relaxed(&x, 1);
    plat_fence_seq_cst();
    plat_store_relaxed(&y, 2);
}
static void ww_fence_1(void) {
    plat_store_relaxed(&y, 1);
    plat_fence_seq_cst();
    plat_store_relaxed(&x, 2);
}
LITMUS(two_writes_twice, zero, outcome_xy, 4, 4, ww_0, ww_1)
LITMUS(two_writes_twice_with_fences, zero, outcome_xy, 3, 3, ww_fence_0, ww_fence_1)

/* ---- coherence: reads of one place never go back ---- */

static void co_write(void) {
    plat_store_relaxed(&x, 1);
    plat_store_relaxed(&x, 2);
}
static void co_read(void) {
    r[0] = plat_load_relaxed(&x);
    r[1] = plat_load_relaxed(&x);
}
LITMUS(coherence, zero, outcome_2, 6, 6, co_write, co_read)

/* ---- load buffering is not in the model ---- */

static void lb_0(void) {
    r[0] = plat_load_relaxed(&x);
    plat_store_relaxed(&y, 1);
}
static void lb_1(void) {
    r[1] = plat_load_relaxed(&y);
    plat_store_relaxed(&x, 1);
}
LITMUS(load_buffering_is_excluded, zero, outcome_2, 3, 3, lb_0, lb_1)

/* ---- read-modify-writes: n! orders; a compare-and-swap has one winner ---- */

static void add(void) {
    plat_fetch_add_relaxed(&x, 1);
}
static void four_added(void) {
    MODEL_CHECK(plat_load_relaxed(&x) == 4);
    model_outcome(0);
}
static void twice(void) {
    add();
    add();
}
static void six_added(void) {
    MODEL_CHECK(plat_load_relaxed(&x) == 6);
    model_outcome(0);
}
static void win(uint32_t self) {
    uint32_t none = 0;
    if (plat_cas_relaxed(&x, &none, self)) r[self] = 1;
}
static void win_1(void) {
    win(1);
}
static void win_2(void) {
    win(2);
}
static void win_3(void) {
    win(3);
}
static void one_winner(void) {
    MODEL_CHECK(r[1] + r[2] + r[3] == 1);
    model_outcome(plat_load_relaxed(&x));
}
LITMUS(four_additions, zero, four_added, 24, 1, add, add, add, add)
LITMUS(six_additions_by_three, zero, six_added, 90, 1, twice, twice, twice)
LITMUS(compare_and_swap_has_one_winner, zero, one_winner, 0, 3, win_1, win_2, win_3)

/* A store cannot come between the two halves of an addition: 1 is stored before or after, never lost in the middle. */
static void store_4(void) {
    plat_store_relaxed(&x, 4);
}
static void outcome_x(void) {
    model_outcome(plat_load_relaxed(&x));
}
LITMUS(nothing_between_read_and_write, zero, outcome_x, 2, 2, add, store_4)

/* ---- chains: three threads hand something on ---- */

static void wrc_0(void) {
    plat_store_relaxed(&x, 1);
}
static void wrc_1(void) {
    r[0] = plat_load_relaxed(&x);
    plat_store_release(&y, 1);
}
static void wrc_2(void) {
    r[1] = plat_load_acquire(&y);
    r[2] = plat_load_relaxed(&x);
}
static void wrc_check(void) {
    MODEL_CHECK(!(r[0] == 1 && r[1] == 1 && r[2] == 0));
    outcome_4();
}
LITMUS(write_to_read_causality, zero, wrc_check, 7, 7, wrc_0, wrc_1, wrc_2)

/* ---- plain accesses ---- */

static void plain_write(void) {
    plain = 7;
    plat_store_release(&y, 1);
}
static void plain_read(void) {
    if (plat_load_acquire(&y) == 1) MODEL_CHECK(plain == 7);
}
static void plain_done(void) {
    MODEL_CHECK(plain == 7);
    model_outcome(0);
}
LITMUS(plain_data_behind_a_release, zero, plain_done, 2, 1, plain_write, plain_read)
