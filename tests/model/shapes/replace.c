/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * replace.c - core/store/insert.c from the CAS of the id's word on: what was promised to the old memory follows the new one, the old one is taken out once, the limit holds. [M3] [S1] [S4]
 *
 * An insert is several hundred events, most of them in graph and postings, which have shapes of their own (graph.c, postings.c). Here its first part, up to the linked node, is done in
 * setup, and the threads do the rest: the steps of an insert in store/draft.h.
 */
#include "small_store.h"
#include "store/draft.h"

static cmi_draft_t drafts[STORE_THREADS];
static cm_memory_t memories[STORE_THREADS];
static cm_str_t relations[STORE_THREADS];
static uint32_t done[STORE_THREADS];

/* Thread t's insert up to where it publishes. */
static void draft(uint32_t t, const char *id, const float *x, const char *related) {
    relations[t] = str(related);
    memories[t] = (cm_memory_t)CM_MEMORY_INIT;
    memories[t].id = str(id);
    memories[t].vector = x;
    memories[t].dimensions = 1;
    memories[t].relationships = &relations[t];
    memories[t].n_relationships = 1;
    MODEL_CHECK(cmi_retirer_prepare(&thread[t]->retirer));
    cmi_thread_pin(thread[t]);
    MODEL_CHECK(cmi_draft_begin(&drafts[t], thread[t], &memories[t]) == CM_OK);
    MODEL_CHECK(cmi_draft_prepare(&drafts[t]) == CM_OK);
    cmi_hnsw_link(&store->graph, thread[t]->scratch, drafts[t].slot);
}

/* The rest of insert(). */
static void arrive(uint32_t t) {
    cm_status_t status = cmi_draft_publish(&drafts[t]);
    if (status != CM_OK) cmi_draft_give_up(&drafts[t]);
    cmi_thread_unpin(thread[t]);
    done[t] = status == CM_OK;
    MODEL_CHECK(status == CM_OK || status == CM_E_CAPACITY);
}

static const float one = 1, two = 2;

static void open_store(void) {
    open_small_store();
    memset(done, 0, sizeof done);
}
static void arrive_0(void) {
    arrive(0);
}
static void arrive_1(void) {
    arrive(1);
}
static void remove_a(void) {
    done[2] = cmi_store_remove(thread[2], str("a")) == CM_OK;
}

/* ---- two inserts of one id ------------------------------------------------------------------------------------------------------- */

static void open_with_two_drafts(void) {
    open_store();
    draft(0, "a", &one, "x");
    draft(1, "a", &two, "y");
}
static void open_with_a_and_two_drafts(void) {
    open_store();
    add_memory(2, "a", 0, "z");
    draft(0, "a", &one, "x");
    draft(1, "a", &two, "y");
}
/* Whichever came second took over what the first one had. */
static void both_merged(void) {
    MODEL_CHECK(done[0] && done[1] && cm_len(store) == 1);
    MODEL_CHECK(is_related("a", "x") && is_related("a", "y"));
    check_and_close();
}
static void all_merged(void) {
    MODEL_CHECK(is_related("a", "z"));
    both_merged();
}
/* A get finds one or the other, complete. */
static void read_a(void) {
    cm_memory_t memory;
    if (!read_memory(2, "a", &memory)) return;
    MODEL_CHECK(memory.vector[0] == 1 || memory.vector[0] == 2);
    MODEL_CHECK(memory.n_relationships >= 1);
}
static void read_a_always(void) {
    cm_memory_t memory;
    MODEL_CHECK(read_memory(2, "a", &memory));
    MODEL_CHECK(memory.n_relationships >= 1);
}
SHAPE(replace, two_inserts_of_one_id, open_with_two_drafts, both_merged, arrive_0, arrive_1)
LONG_SHAPE(replace, two_replace_one_memory, 2000, open_with_a_and_two_drafts, all_merged, arrive_0, arrive_1)

/* ---- beside other changes ----------------------------------------------------------------------------------------------------------- */

static void open_with_a_draft(void) {
    open_store();
    draft(0, "a", &one, "x");
}
static void open_with_a_and_a_draft(void) {
    open_store();
    add_memory(1, "a", 0, "z");
    draft(0, "a", &one, "x");
}
static void relate_y(void) {
    MODEL_CHECK(cmi_store_relate(thread[1], str("a"), str("y")) == CM_OK);
}
static void nothing_is_lost(void) {
    MODEL_CHECK(done[0] && is_related("a", "x") && is_related("a", "y") && is_related("a", "z"));
    check_and_close();
}
static void only_x_is_sure(void) {
    MODEL_CHECK(done[0]);
    if (!done[2]) MODEL_CHECK(cm_len(store) == 1 && is_related("a", "x"));
    check_and_close();
}
SHAPE(replace, a_published_memory_is_complete, open_with_a_draft, check_and_close, arrive_0, read_a)
SHAPE(replace, a_memory_is_there_while_it_is_replaced, open_with_a_and_a_draft, check_and_close, arrive_0, read_a_always)
SHAPE(replace, no_relationship_is_lost, open_with_a_and_a_draft, nothing_is_lost, arrive_0, relate_y)
SHAPE(replace, no_relationship_is_lost_and_the_list_is_complete, open_with_a_and_a_draft, nothing_is_lost, arrive_0, relate_y,
      read_a_always)
LONG_SHAPE(replace, replaced_or_removed, 2000, open_with_a_and_a_draft, only_x_is_sure, arrive_0, remove_a)
SHAPE(replace, inserted_and_removed, open_with_a_draft, only_x_is_sure, arrive_0, remove_a)

/* ---- an entry that is lost to a removal: the memory on its way is moved to a fresh one [S1] ----------------------------------------------- */

enum { CHUNK_ENTRIES = 4096 };

/* The fresh entry lies in a chunk that is not there yet. */
static void open_at_the_end_of_a_chunk(void) {
    uint32_t index = 0;
    open_store_for(CHUNK_ENTRIES);
    draft(0, "a", &one, "x");
    while (index < CHUNK_ENTRIES - 1) MODEL_CHECK(cmi_items_take(&store->ids.entries, &index) == CM_OK);
}
/* As an insert does that made the entry and gives it up. */
static void end_the_entry(void) {
    uint64_t none = CMI_VALUE_NONE;
    uint32_t entry = drafts[0].entry;
    done[1] = cmi_idmap_cas(&store->ids, entry, &none, CMI_VALUE_TOMB);
    if (done[1]) cmi_idmap_unlink(&store->ids, entry);
}
/* As a search does with a slot that it found. */
static void is_it_current(void) {
    cmi_thread_pin(thread[2]);
    if (cmi_meta_state(cmi_hnsw_meta(&store->graph, 0)) == CMI_LIVE && cmi_store_current(store, 0))
        MODEL_CHECK(cmi_idmap_key(&store->ids, cmi_record_entry(cmi_record_at(store, 0))).len == 1);
    cmi_thread_unpin(thread[2]);
}
static void it_has_a_fresh_entry(void) {
    MODEL_CHECK(done[0] && slot_of("a") == 0);
    if (done[1]) MODEL_CHECK(cmi_record_entry(cmi_record_at(store, 0)) == CHUNK_ENTRIES);
    check_and_close();
}
SHAPE(replace, moved_to_a_fresh_entry_under_a_search, open_at_the_end_of_a_chunk, it_has_a_fresh_entry, arrive_0, end_the_entry,
      is_it_current)
