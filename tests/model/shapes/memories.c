/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * memories.c - core/store/insert.c, remove.c, record.c, get.c: memories come, take each other's place and go, by the real operations on a real store. One id is one memory at any moment,
 * complete for whoever reads it; whoever takes a memory out of the id map takes out all of it, once; the count never exceeds the limit. [M3] [S1] [S3] [S4]
 *
 * Every shape ends with check() and with closing the store, which frees what was retired: twice retired is freed twice. How the id map finds an entry is idmap.c's matter.
 */
#include "small_store.h"

static uint32_t done[STORE_THREADS]; /* words: the checker tells four bytes apart, not one */

static void open_empty(void) {
    open_small_store();
    add_memory(0, "w", 0, NULL); /* the bucket and the context exist: the shapes are smaller */
    MODEL_CHECK(cmi_store_remove(thread[0], str("w")) == CM_OK);
    memset(done, 0, sizeof done);
}
static void open_with_a(void) {
    open_empty();
    add_memory(0, "a", 1, "x");
}

static void read_nothing(void) {
    cm_memory_t memory;
    MODEL_CHECK(!read_memory(0, "a", &memory));
}
SHAPE(memories, a_store_that_never_held_anything_is_closed, open_small_store, check_and_close, read_nothing)

/* Vector and relationship of each replacement belong together. */
static void insert_1(void) {
    add_memory(0, "a", 1, "x");
}
static void insert_2(void) {
    add_memory(1, "a", 2, "y");
}
static void remove_a(void) {
    done[2] = cmi_store_remove(thread[2], str("a")) == CM_OK;
}
static void remove_a_too(void) {
    done[1] = cmi_store_remove(thread[1], str("a")) == CM_OK;
}
static void read_a(void) {
    cm_memory_t memory;
    if (!read_memory(2, "a", &memory)) return;
    MODEL_CHECK(memory.vector[0] == 1 || memory.vector[0] == 2);
    MODEL_CHECK(memory.n_relationships >= 1);
    MODEL_CHECK(memory.context.len == 7 && memory.id.len == 1);
}
static void read_a_always(void) {
    cm_memory_t memory;
    MODEL_CHECK(read_memory(2, "a", &memory));
    read_a();
}

/* Whichever came second took over what the first one had. */
static void both_merged(void) {
    MODEL_CHECK(cm_len(store) == 1);
    MODEL_CHECK(is_related("a", "x") && is_related("a", "y"));
    check_and_close();
}
LONG_SHAPE(memories, two_insert_one_id, 2000, open_empty, both_merged, insert_1, insert_2)
LONG_SHAPE(memories, two_replace_one, 2000, open_with_a, both_merged, insert_1, insert_2)
SHAPE(memories, inserted_while_read, open_empty, check_and_close, insert_1, read_a)
SHAPE(memories, replaced_while_read, open_with_a, check_and_close, insert_2, read_a_always)

static void removed_or_replaced(void) {
    MODEL_CHECK(done[2]);
    MODEL_CHECK(cm_len(store) <= 1);
    if (cm_len(store) == 1) MODEL_CHECK(is_related("a", "y"));
    check_and_close();
}
LONG_SHAPE(memories, replaced_or_inserted_beside_a_removal, 2000, open_with_a, removed_or_replaced, insert_2, remove_a)

static void one_removed_it(void) {
    MODEL_CHECK(done[1] + done[2] == 1 && cm_len(store) == 0);
    check_and_close();
}
SHAPE(memories, two_remove_one, open_with_a, one_removed_it, remove_a_too, remove_a)

/* ---- given back after a grace period, by the real epoch: nobody who found it is still looking -------------------------------------------- */

static void remove_and_free(void) {
    MODEL_CHECK(cmi_store_remove(thread[0], str("a")) == CM_OK);
    submit_and_collect(0, 3);
}
SHAPE(memories, removed_and_freed_under_a_reader, open_with_a, check_and_close, remove_and_free, read_a)

static void relate_and_free(void) {
    MODEL_CHECK(cmi_store_relate(thread[0], str("a"), str("y")) == CM_OK);
    submit_and_collect(0, 3);
}
SHAPE(memories, relationships_are_freed_under_a_reader, open_with_a, check_and_close, relate_and_free, read_a_always)
