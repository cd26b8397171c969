/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* broken.c - programs with one mistake each that the checker must find: a race, memory used after it was freed, a lost update, a fence that is missing. */
#include "model/model.h"
#include "plat_atomic.h"

static plat_a32_t flag, other;
static uint32_t plain, seen[2];

static void zero(void) {
    plat_store_relaxed(&flag, 0);
    plat_store_relaxed(&other, 0);
    plain = 0;
    seen[0] = seen[1] = 0;
}

static void publish_relaxed(void) {
    plain = 1;
    plat_store_relaxed(&flag, 1);
}
static void read_published(void) {
    if (plat_load_acquire(&flag)) MODEL_CHECK(plain == 1);
}
BROKEN(broken, relaxed_publication, zero, NULL, publish_relaxed, read_published)

static void publish(void) {
    plain = 1;
    plat_store_release(&flag, 1);
}
static void read_relaxed(void) {
    if (plat_load_relaxed(&flag)) MODEL_CHECK(plain == 1);
}
BROKEN(broken, relaxed_reading, zero, NULL, publish, read_relaxed)

static void free_at_once(void) {
    plat_store_release(&flag, 1);
    model_free(&plain, sizeof plain);
}
static void read_unless_flagged(void) {
    if (!plat_load_acquire(&flag)) MODEL_CHECK(plain == 0);
}
BROKEN(broken, freed_under_a_reader, zero, NULL, free_at_once, read_unless_flagged)

static void free_it(void) {
    model_free(&plain, sizeof plain);
    plat_store_release(&flag, 1);
}
static void free_again(void) {
    if (plat_load_acquire(&flag)) model_free(&plain, sizeof plain);
}
BROKEN(broken, freed_twice, zero, NULL, free_it, free_again)

static void add_in_two_steps(void) {
    plat_store_relaxed(&flag, plat_load_relaxed(&flag) + 1);
}
static void both_added(void) {
    MODEL_CHECK(plat_load_relaxed(&flag) == 2);
}
BROKEN(broken, lost_update, zero, both_added, add_in_two_steps, add_in_two_steps)

/* Peterson's and Dekker's way into a critical section, without the fence. */
static void announce_0(void) {
    plat_store_relaxed(&flag, 1);
    seen[0] = plat_load_relaxed(&other) == 0;
}
static void announce_1(void) {
    plat_store_relaxed(&other, 1);
    seen[1] = plat_load_relaxed(&flag) == 0;
}
static void not_both(void) {
    MODEL_CHECK(!(seen[0] && seen[1]));
}
BROKEN(broken, missing_fences, zero, not_both, announce_0, announce_1)
