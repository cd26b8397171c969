/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * decay.c - core/store/decay.c and get.c: of two sweeps each interval belongs to one, so that a memory fades by the factor of the whole time whoever sweeps; no access is forgotten and none
 * fades what came before it twice; what an update set has not faded. All of it relaxed numbers: atomicity is what is at stake, not order.
 */
#include "small_store.h"
#include "store/score.h"

#define HOUR INT64_C(3600000)

static uint64_t n_decayed[STORE_THREADS];

static void open_with_a(void) {
    open_small_store();
    memset(n_decayed, 0, sizeof n_decayed);
    add_memory(0, "a", 1, NULL); /* at 1000 ms, .1 per hour, importance .5 */
}
static cmi_record_t *record_of_a(void) {
    return cmi_record_at(store, slot_of("a"));
}
static float importance(void) {
    return cmi_bits_float(plat_load_relaxed(&record_of_a()->importance));
}
static bool about(double a, double b) {
    return a - b < 1e-6 && b - a < 1e-6;
}
static double factor(double hours) {
    return cmi_retention(cmi_decay_exponent(0, (int64_t)(hours * (double)HOUR), 0.1f));
}

static void sweep(uint32_t t, int64_t hours) {
    n_decayed[t] = cmi_store_apply_decay(thread[t], 1000 + hours * HOUR);
}
static void sweep_1(void) {
    sweep(0, 1);
}
static void sweep_2(void) {
    sweep(1, 2);
}
static void sweep_2_too(void) {
    sweep(2, 2);
}
static void sweep_3(void) {
    sweep(2, 3);
}
static void faded_by_two_hours(void) {
    MODEL_CHECK(about(importance(), 0.5 * factor(2)));
    check_and_close();
}
static void faded_by_three_hours(void) {
    MODEL_CHECK(about(importance(), 0.5 * factor(3)));
    check_and_close();
}
SHAPE(decay, two_sweeps, open_with_a, faded_by_two_hours, sweep_1, sweep_2)
SHAPE(decay, two_sweeps_to_the_same_time, open_with_a, faded_by_two_hours, sweep_2, sweep_2_too)
SHAPE(decay, three_sweeps, open_with_a, faded_by_three_hours, sweep_1, sweep_2, sweep_3)

/* An access at one hour: a sweep to two hours that sees it takes one hour only, one that comes before it takes two. */
static void access_at_1(void) {
    static char room[512];
    cm_memory_t memory;
    size_t needed;
    MODEL_CHECK(cmi_store_access(thread[0], str("a"), 1000 + HOUR, &memory, (cmi_room_t){room, sizeof room, &needed}) == CM_OK);
}
static void faded_by_one_or_two_hours(void) {
    cm_memory_t memory;
    MODEL_CHECK(about(importance(), 0.5 * factor(1)) || about(importance(), 0.5 * factor(2)));
    MODEL_CHECK(read_memory(0, "a", &memory) && memory.access_count == 1 && memory.accessed_ms == 1000 + HOUR);
    check_and_close();
}
SHAPE(decay, a_sweep_beside_an_access, open_with_a, faded_by_one_or_two_hours, access_at_1, sweep_2)

static void access_at_1_too(void) {
    static char room[512];
    cm_memory_t memory;
    size_t needed;
    MODEL_CHECK(cmi_store_access(thread[1], str("a"), 1000 + 2 * HOUR, &memory, (cmi_room_t){room, sizeof room, &needed}) == CM_OK);
}
static void both_counted(void) {
    cm_memory_t memory;
    MODEL_CHECK(read_memory(0, "a", &memory) && memory.access_count == 2 && memory.accessed_ms == 1000 + 2 * HOUR);
    check_and_close();
}
SHAPE(decay, two_accesses, open_with_a, both_counted, access_at_1, access_at_1_too)

/* What was set at two hours fades by the hour since: the part of a sweep to three that lies before has taken nothing from it, unless the sweep owned it before the update and multiplies late. */
static void set_at_2(void) {
    cm_update_t update = {.size = sizeof update, .fields = CM_UPDATE_IMPORTANCE, .importance = 1, .now_ms = 1000 + 2 * HOUR};
    MODEL_CHECK(cmi_store_update(thread[1], str("a"), &update) == CM_OK);
}
static void faded_since_it_was_set(void) {
    float now = importance();
    MODEL_CHECK(about(now, 1) || about(now, factor(1)) || about(now, factor(3)));
    check_and_close();
}
SHAPE(decay, a_sweep_beside_an_update, open_with_a, faded_since_it_was_set, set_at_2, sweep_3)
static void faded_not_at_all(void) {
    float now = importance();
    MODEL_CHECK(about(now, 1) || about(now, factor(1)));
    check_and_close();
}
SHAPE(decay, an_earlier_sweep_beside_an_update, open_with_a, faded_not_at_all, set_at_2, sweep_1)
