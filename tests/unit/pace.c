/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pace.c - which way of asking for rows a thread settles for, on a clock of the test's. */
#include "index/pace.h"
#include "support/tap.h"

enum { DISTANCES = 500 };

typedef struct machine {
    cmi_pace_t pace;
    uint64_t n_distances, now_ns;
    double ns[CMI_N_WAYS]; /* per distance, by the way in force */
} machine_t;

static void walk_of(machine_t *m, uint32_t n_distances, uint64_t interrupted_ns) {
    cmi_pace_begin_trial_walk(&m->pace, m->n_distances, m->now_ns);
    m->n_distances += n_distances;
    m->now_ns += (uint64_t)(m->ns[m->pace.way] * n_distances) + interrupted_ns;
    cmi_pace_end_trial_walk(&m->pace, m->n_distances, m->now_ns);
}

static void trial(machine_t *m) {
    for (uint32_t i = 0; i < 2 * CMI_PAIRS; i++) walk_of(m, DISTANCES, 0);
}

/* The walks between two trials, which read the machine's clock nowhere. */
static void rest(machine_t *m) {
    uint32_t way = m->pace.way;
    for (uint32_t i = 2 * CMI_PAIRS; i < CMI_WALKS_BETWEEN_TRIALS; i++) {
        cmi_pace_begin_walk(&m->pace, m->n_distances);
        CHECK(m->pace.way == way);
        m->n_distances += DISTANCES;
        cmi_pace_end_walk(&m->pace, m->n_distances);
    }
}

TEST(the_faster_way_is_taken_and_given_up_again) {
    machine_t m = {.ns = {100, 90}};
    CHECK(m.pace.way == CMI_EAGER);
    trial(&m);
    CHECK(m.pace.way == CMI_LEAN);
    rest(&m);
    trial(&m); /* as before: it stays */
    CHECK(m.pace.way == CMI_LEAN);
    rest(&m);
    m.ns[CMI_EAGER] = 80;
    trial(&m);
    CHECK(m.pace.way == CMI_EAGER);
    rest(&m);
    trial(&m);
    CHECK(m.pace.way == CMI_EAGER);
}

TEST(both_ways_have_their_turn_in_every_pair) {
    machine_t m = {.ns = {100, 90}};
    for (uint32_t i = 0; i < CMI_PAIRS; i++) {
        walk_of(&m, DISTANCES, 0);
        CHECK(m.pace.n_walks == 2 * i + 1 && m.pace.way == CMI_EAGER);
        walk_of(&m, DISTANCES, 0);
    }
    CHECK_EQ_U64(m.pace.n_lean, CMI_PAIRS);
}

TEST(walks_in_which_something_else_ran_do_not_decide) {
    machine_t m = {.ns = {100, 90}};
    for (uint32_t i = 0; i < 2 * CMI_PAIRS; i++) walk_of(&m, DISTANCES, i % 8 == 1 ? 50000000 : 0); /* lean ones, a quarter of them */
    CHECK(m.pace.way == CMI_LEAN);
}

TEST(a_draw_changes_nothing) {
    for (uint32_t settled = 0; settled < CMI_N_WAYS; settled++) {
        machine_t m = {.pace = {.settled = settled}};
        for (uint32_t i = 0; i < 2 * CMI_PAIRS; i++) {
            m.ns[CMI_EAGER] = i % 4 < 2 ? 100 : 80, m.ns[CMI_LEAN] = 90;
            walk_of(&m, DISTANCES, 0);
        }
        CHECK(m.pace.way == settled);
    }
}

TEST(short_walks_are_not_counted) {
    machine_t m = {.ns = {100, 90}};
    for (uint32_t i = 0; i < 1000; i++) walk_of(&m, 3, 0);
    CHECK_EQ_U64(m.pace.n_walks, 0);
    trial(&m);
    CHECK(m.pace.way == CMI_LEAN);
}

TEST(rows_come_in_groups_that_kernels_take) {
    for (uint32_t way = 0; way < CMI_N_WAYS; way++)
        CHECK(cmi_ways[way].n_rows > 0 && cmi_ways[way].n_rows % 4 == 0 && cmi_ways[way].n_lines > 0);
}

int main(void) {
    RUN(the_faster_way_is_taken_and_given_up_again);
    RUN(both_ways_have_their_turn_in_every_pair);
    RUN(walks_in_which_something_else_ran_do_not_decide);
    RUN(a_draw_changes_nothing);
    RUN(short_walks_are_not_counted);
    RUN(rows_come_in_groups_that_kernels_take);
    return tap_done();
}
