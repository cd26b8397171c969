/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * threads.c - core/store/thread.c: a thread slot has one owner at a time, who finds the epoch record as the last one left it; burying a dead thread gives back what it held, the right to consolidate included,
 * once. [S2] [S5]
 */
#include "small_store.h"

static cm_thread_t *late[2];
static cm_status_t status[3];

/* All slots but one are taken. */
static void open_with_a_free_slot(void) {
    open_small_store();
    cmi_thread_detach(thread[2]);
    memset(late, 0, sizeof late);
    memset(status, 0, sizeof status);
}
static void work(cm_thread_t *t) {
    cmi_thread_pin(t);
    cmi_thread_unpin(t);
}
static void come_and_go(uint32_t i) {
    status[i] = cmi_thread_attach(store, &late[i]);
    MODEL_CHECK(status[i] == CM_OK || status[i] == CM_E_THREADS);
    if (status[i] != CM_OK) return;
    work(late[i]);
    cmi_thread_detach(late[i]);
}
static void come_and_go_0(void) {
    come_and_go(0);
}
static void come_and_go_1(void) {
    come_and_go(1);
}
static void the_slot_is_free(void) {
    MODEL_CHECK(status[0] == CM_OK || status[1] == CM_OK);
    MODEL_CHECK(cmi_thread_attach(store, &thread[2]) == CM_OK && thread[2]->slot == 2);
    check_and_close();
}
SHAPE(threads, two_want_the_last_slot, open_with_a_free_slot, the_slot_is_free, come_and_go_0, come_and_go_1)

/* One that leaves with something retired: whoever gets its slot finds an empty record. */
static void open_full(void) {
    open_small_store();
    add_memory(2, "a", 1, NULL);
    memset(late, 0, sizeof late);
    memset(status, 0, sizeof status);
}
static void remove_and_leave(void) {
    MODEL_CHECK(cmi_store_remove(thread[2], str("a")) == CM_OK);
    cmi_thread_detach(thread[2]);
}
static void come(void) {
    status[0] = cmi_thread_attach(store, &late[0]);
    if (status[0] != CM_OK) return;
    MODEL_CHECK(late[0]->slot == 2);
    work(late[0]);
    plat_epoch_collect(store->epoch, late[0]->slot);
}
static void whoever_came_leaves(void) {
    if (status[0] == CM_OK) thread[2] = late[0];
    else MODEL_CHECK(cmi_thread_attach(store, &thread[2]) == CM_OK);
    check_and_close();
}
SHAPE(threads, a_slot_is_handed_over, open_full, whoever_came_leaves, remove_and_leave, come)

/* ---- a thread that died in the middle of a consolidation ---------------------------------------------------------------------------- */

static plat_a32_t is_dead;
static uint32_t n_reports; /* plain: what the dead one did is seen by whoever consolidates next */

static void open_with_a_consolidator(void) {
    open_small_store();
    add_memory(0, "a", 1, NULL);
    plat_store_relaxed(&store->consolidator, thread[0]->slot + 1);
    plat_store_relaxed(&is_dead, 0);
    n_reports = 0;
    memset(status, 0, sizeof status);
}
static void die(void) {
    cmi_thread_pin(thread[0]);
    n_reports++;
    plat_store_release(&is_dead, 1);
}
static void bury(void) {
    if (plat_load_acquire(&is_dead)) MODEL_CHECK(cmi_thread_abandon(store, 0) == CM_OK);
}
static bool count_report(void *context, double progress) {
    (void)context, (void)progress;
    n_reports++;
    return false;
}
static void consolidate(void) {
    cm_consolidate_t options = {.size = sizeof options, .progress = count_report};
    uint64_t n_absorbed;
    status[2] = cmi_store_consolidate(thread[2], &options, &n_absorbed);
    MODEL_CHECK(status[2] == CM_E_CANCELLED || status[2] == CM_E_BUSY);
}
static void buried_once(void) {
    MODEL_CHECK(n_reports == 1 + (status[2] == CM_E_CANCELLED));
    if (plat_load_relaxed(&store->threads[0])) MODEL_CHECK(cmi_thread_abandon(store, 0) == CM_OK);
    MODEL_CHECK(cmi_thread_abandon(store, 0) == CM_E_ARGUMENT && plat_load_relaxed(&store->consolidator) == 0);
    MODEL_CHECK(cmi_thread_attach(store, &thread[0]) == CM_OK);
    check_and_close();
}
SHAPE(threads, the_dead_consolidate_no_more, open_with_a_consolidator, buried_once, die, bury, consolidate)
