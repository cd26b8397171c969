/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * absorb.c - core/store/consolidate.c: what one memory absorbs from another loses no change that reported success, the absorbed one ends once, and one thread consolidates at a time. [S5] [S6] [S4] [M3]
 *
 * One absorption, by the static function of consolidate.c, which is compiled into this file under another name. Which memories are similar is not here.
 */
#define cmi_store_consolidate consolidate_of_this_file
#include "store/consolidate.c"
#undef cmi_store_consolidate

cm_status_t cmi_store_consolidate(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed);

#include "small_store.h"

static uint32_t keeper, other; /* slots */
static outcome_t outcome;
static cm_status_t status[STORE_THREADS];

static void open_with_two(void) {
    open_small_store();
    memset(status, 0, sizeof status);
    add_memory(0, "keeper", 1, NULL);
    add_memory(0, "other", 2, "z");
    keeper = slot_of("keeper"), other = slot_of("other");
}
static void absorb_other(void) {
    MODEL_CHECK(cmi_retirer_prepare(&thread[0]->retirer));
    cmi_thread_pin(thread[0]);
    outcome = absorb_slot(thread[0], keeper, other);
    cmi_thread_unpin(thread[0]);
}
static float importance_of(const char *id) {
    return cmi_bits_float(plat_load_relaxed(&cmi_record_at(store, slot_of(id))->importance));
}

/* An update that found the memory is in force in it, or in its absorber. Importance is .5 in the beginning. */
static void set_importance(void) {
    cm_update_t update = {.size = sizeof update, .fields = CM_UPDATE_IMPORTANCE, .importance = 0.75f, .now_ms = 1000};
    status[1] = cmi_store_update(thread[1], str("other"), &update);
}
static void relate_x(void) {
    status[1] = cmi_store_relate(thread[1], str("other"), str("x"));
}
static void remove_other(void) {
    status[1] = cmi_store_remove(thread[1], str("other"));
}
static void remove_keeper(void) {
    status[1] = cmi_store_remove(thread[1], str("keeper"));
}
/* Whoever looks for either of the two finds one at every moment. */
static void look_for_both(void) {
    cmi_thread_pin(thread[2]);
    bool other_is_there = slot_of("other") != CMI_NONE, keeper_is_there = slot_of("keeper") != CMI_NONE;
    cmi_thread_unpin(thread[2]);
    MODEL_CHECK(other_is_there || keeper_is_there);
}

static void importance_is_handed_on(void) {
    MODEL_CHECK(outcome == ABSORBED && slot_of("other") == CMI_NONE);
    MODEL_CHECK(status[1] == CM_OK || status[1] == CM_E_NOT_FOUND);
    if (status[1] == CM_OK) MODEL_CHECK(importance_of("keeper") == 0.75f);
    check_and_close();
}
static void relationships_are_handed_on(void) {
    MODEL_CHECK(outcome == ABSORBED && is_related("keeper", "z"));
    if (status[1] == CM_OK) MODEL_CHECK(is_related("keeper", "x"));
    check_and_close();
}
static void it_ended_once(void) {
    MODEL_CHECK((outcome == ABSORBED) + (status[1] == CM_OK) == 1);
    MODEL_CHECK(cm_len(store) == 1 && slot_of("other") == CMI_NONE);
    check_and_close();
}
static void check_the_rest(void) {
    MODEL_CHECK(slot_of("keeper") == CMI_NONE);
    check_and_close();
}
SHAPE(absorb, the_importance_is_handed_on, open_with_two, importance_is_handed_on, absorb_other, set_importance)
SHAPE(absorb, relationships_are_handed_on, open_with_two, relationships_are_handed_on, absorb_other, relate_x)
LONG_SHAPE(absorb, absorbed_or_removed, 2000, open_with_two, it_ended_once, absorb_other, remove_other)
LONG_SHAPE(absorb, the_absorber_goes, 2000, open_with_two, check_the_rest, absorb_other, remove_keeper)
SHAPE(absorb, one_of_the_two_is_found, open_with_two, check_and_close, absorb_other, look_for_both)

/* ---- one at a time ------------------------------------------------------------------------------------------------------------------ */

static uint32_t n_reports; /* plain: two inside at a time are a race, and so is one that does not see what the last one did */

static bool note_inside(void *context, double progress) {
    (void)context, (void)progress;
    n_reports++;
    return true;
}
static void open_almost_empty(void) {
    open_small_store();
    n_reports = 0;
}
static void consolidate(uint32_t t) {
    cm_consolidate_t options = {.size = sizeof options, .progress = note_inside};
    uint64_t n_absorbed;
    status[t] = cmi_store_consolidate(thread[t], &options, &n_absorbed);
}
static void consolidate_0(void) {
    consolidate(0);
}
static void consolidate_1(void) {
    consolidate(1);
}
static void consolidate_2(void) {
    consolidate(2);
}
static void none_was_inside_another(void) {
    uint32_t n_ok = 0;
    for (uint32_t t = 0; t < STORE_THREADS; t++) {
        MODEL_CHECK(status[t] == CM_OK || status[t] == CM_E_BUSY);
        n_ok += status[t] == CM_OK;
    }
    MODEL_CHECK(n_ok >= 1 && n_reports == n_ok); /* an empty store: one report each */
    check_and_close();
}
SHAPE(absorb, one_consolidates_at_a_time, open_almost_empty, none_was_inside_another, consolidate_0, consolidate_1, consolidate_2)
