/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * contexts.c - core/store/contexts.c: a label has one entry, however many want it at once; no count is lost; whoever sees a count sees the label, also where the last that counted
 * did not make the label itself. [M1] [M3]
 */
#include "model/model.h"
#include "store/contexts.h"

static cm_store_t store;
static const cm_str_t WORK = {"work", 4};

static void open_contexts(void) {
    memset(&store, 0, sizeof store);
    store.blocks = cmi_blocks_open();
    MODEL_CHECK(store.blocks && cmi_idmap_open(&store.contexts, store.blocks, 8));
}
/* The label's bucket has its dummy: the shapes are smaller. */
static void open_bucket(void) {
    uint32_t entry;
    open_contexts();
    MODEL_CHECK(cmi_context_obtain(&store, WORK, &entry) == CM_OK);
    cmi_idmap_unlink(&store.contexts, entry);
    cmi_idmap_free(&store.contexts, entry);
}

static uint32_t count_up(void) {
    uint32_t entry;
    MODEL_CHECK(cmi_context_obtain(&store, WORK, &entry) == CM_OK);
    cmi_context_count_up(&store, entry);
    return entry;
}
static void count_one(void) {
    count_up();
}
static void count_one_up_and_down(void) {
    cmi_context_count_down(&store, count_up());
}

/* As scan.c: every entry with a count has a label. */
static uint64_t scan(void) {
    uint64_t n = 0;
    for (uint32_t i = 1, end = cmi_idmap_end(&store.contexts); i < end; i++) {
        uint64_t count = cmi_context_count(&store, i);
        if (count == 0) continue;
        MODEL_CHECK(cmi_str_compare(cmi_idmap_key(&store.contexts, i), WORK) == 0);
        n += count;
    }
    return n;
}
static void scan_labels(void) {
    MODEL_CHECK(scan() <= 2);
}
static void counted(uint64_t n) {
    cm_error_t error;
    MODEL_CHECK(cmi_idmap_check(&store.contexts, "context", 0, &error) == CM_OK);
    MODEL_CHECK(scan() == n);
}
static void one_counted(void) {
    counted(1);
}
static void two_counted(void) {
    counted(2);
}

SHAPE(contexts, two_count_one_label, open_bucket, two_counted, count_one, count_one)
SHAPE(contexts, counted_under_a_scan, open_bucket, one_counted, count_one, scan_labels)
SHAPE(contexts, counted_by_two_under_a_scan, open_bucket, one_counted, count_one, count_one_up_and_down, scan_labels)
