/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store_check.c - check() of a store sees damage to the postings and to the words that name them, and allows dead threads what they may have left behind, and no more.
 *
 * Each case damages one thing in a store that is right, wants it named, and puts it back.
 */
#include "store/contexts.h"
#include "store/record.h"
#include "store/store_impl.h"
#include "support/snapshot.h"

enum { DIM = 4, N = 200 };

static fixture_t open_filled(void) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    fill(&f, N);
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    return f;
}

static void must_be_right(fixture_t *f) {
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
}

static void must_be_named(fixture_t *f, const char *words) {
    CHECK_STATUS(cm_check(f->thread, NULL), CM_E_INVARIANT);
    CHECK_MSG(strstr(cm_message(f->thread), words), "\"%s\" does not say \"%s\"", cm_message(f->thread), words);
}

static uint32_t slot_of(fixture_t *f, uint32_t number) {
    char id[32];
    cmi_thread_pin(f->thread);
    uint32_t slot = cmi_slot_of(f->store, numbered_id(id, sizeof id, "memory-", number));
    cmi_thread_unpin(f->thread);
    CHECK(slot != CMI_NONE);
    return slot;
}

static cmi_record_t *record_of(fixture_t *f, uint32_t number) {
    return cmi_record_at(f->store, slot_of(f, number));
}

static cmi_skip_node_t *node_of(fixture_t *f, const plat_a64_t *word) {
    return cmi_skip_at(&f->store->postings.nodes, cmi_pair_node(cmi_record_pair(word)));
}

/* ---- words -------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_sealed_word_of_a_memory_is_named) {
    fixture_t f = open_filled();
    cmi_record_t *record = record_of(&f, 30);
    plat_a64_t *pairs[] = {&record->placed, &record->timed};
    plat_a32_t *blocks[] = {&record->relationships, &record->payload};
    const char *words[] = {"\"placed\" is sealed", "\"timed\" is sealed", "\"relationships\" is sealed", "\"payload\" is sealed"};
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t pair = plat_load_relaxed(pairs[i]);
        plat_store_relaxed(pairs[i], pair | CMI_SEALED);
        must_be_named(&f, words[i]);
        plat_store_relaxed(pairs[i], pair);
        uint32_t block = plat_load_relaxed(blocks[i]);
        plat_store_relaxed(blocks[i], block | CMI_SEALED);
        must_be_named(&f, words[2 + i]);
        plat_store_relaxed(blocks[i], block);
    }
    must_be_right(&f);
    fixture_close(&f);
}

/* Of another memory, of none, beyond the end. */
TEST(a_word_that_names_the_wrong_node_is_named) {
    fixture_t f = open_filled();
    cmi_record_t *record = record_of(&f, 30);
    for (uint32_t i = 0; i < 2; i++) {
        plat_a64_t *word = i ? &record->timed : &record->placed, *other = i ? &record_of(&f, 37)->timed : &record_of(&f, 33)->placed;
        uint64_t pair = plat_load_relaxed(word), attribute = pair & ~(uint64_t)UINT32_MAX;
        CHECK_EQ_U64(attribute, plat_load_relaxed(other) & ~(uint64_t)UINT32_MAX); /* in the same list */
        plat_store_relaxed(word, plat_load_relaxed(other));
        must_be_named(&f, "which is of slot");
        plat_store_relaxed(word, attribute);
        must_be_named(&f, "names node 0, which is not in its list");
        plat_store_relaxed(word, attribute | cmi_items_end(&f.store->postings.nodes.items));
        must_be_named(&f, "which is not in its list");
        plat_store_relaxed(word, attribute | cmi_pair_node(plat_load_relaxed(i ? &record->placed : &record->timed)));
        must_be_named(&f, "which is not in its list"); /* but in another */
        plat_store_relaxed(word, pair);
    }
    must_be_right(&f);
    fixture_close(&f);
}

/* The attribute in the word says where the node belongs. */
TEST(an_attribute_that_is_not_the_nodes_is_named) {
    fixture_t f = open_filled();
    cmi_record_t *record = record_of(&f, 30);
    uint64_t placed = plat_load_relaxed(&record->placed), timed = plat_load_relaxed(&record->timed);
    uint32_t another = cmi_pair_attribute(plat_load_relaxed(&record_of(&f, 40)->placed));
    CHECK(another != cmi_pair_attribute(placed));
    plat_store_relaxed(&record->placed, cmi_pair_of(another, cmi_pair_node(placed)));
    must_be_named(&f, "\"placed\" names node");
    plat_store_relaxed(&record->placed, placed);
    plat_store_relaxed(&record->timed, cmi_pair_of(cmi_float_bits(50), cmi_pair_node(timed))); /* of another class */
    must_be_named(&f, "\"timed\" names node");
    plat_store_relaxed(&record->timed, timed);
    record->created_ms++;
    must_be_named(&f, "whose key is");
    record->created_ms--;
    must_be_right(&f);
    fixture_close(&f);
}

TEST(a_rate_below_the_lowest_is_named) {
    fixture_t f = open_filled();
    cmi_record_t *record = record_of(&f, 31); /* 3/8 per hour */
    uint32_t class = cmi_rate_class(cmi_record_given_rate(record));
    plat_a32_t *lowest = &f.store->postings.lowest_rate[class];
    uint32_t bits = plat_load_relaxed(lowest);
    plat_store_relaxed(lowest, bits + 1);
    must_be_named(&f, "below the lowest of rate class");
    plat_store_relaxed(lowest, 0u);
    must_be_named(&f, "below the lowest of rate class");
    plat_store_relaxed(lowest, bits - 1); /* lower than any: allowed, it only falls */
    must_be_right(&f);
    fixture_close(&f);
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_node_that_says_something_else_is_named) {
    fixture_t f = open_filled();
    cmi_record_t *record = record_of(&f, 30);
    for (uint32_t i = 0; i < 2; i++) {
        cmi_skip_node_t *node = node_of(&f, i ? &record->timed : &record->placed);
        const char *list = i ? "time class" : "context list";
        uint64_t key = node->key;
        node->key = i ? 0 : UINT64_MAX;
        must_be_named(&f, list);
        node->key = key;
        uint32_t link = plat_load_relaxed(&node->next);
        plat_store_relaxed(&node->next, link | 1);
        must_be_named(&f, "is removed and still linked");
        plat_store_relaxed(&node->next, link);
        uint32_t slot = node->slot;
        node->slot = slot + 2000; /* behind the others of its key */
        CHECK_STATUS(cm_check(f.thread, NULL), CM_E_INVARIANT);
        node->slot = slot;
    }
    must_be_right(&f);
    fixture_close(&f);
}

/* A memory without its node; and what is left when the word is right again, but not the list. */
TEST(a_memory_that_is_in_no_list_is_named) {
    fixture_t f = open_filled();
    cmi_record_t *record = record_of(&f, 30);
    cmi_postings_t *postings = &f.store->postings;
    uint32_t node = cmi_pair_node(plat_load_relaxed(&record->placed));
    cmi_thread_pin(f.thread);
    cmi_skip_unlink(&postings->nodes, &postings->by_context, node);
    must_be_named(&f, "\"placed\" names node");
    cmi_skip_link(&postings->nodes, &postings->by_context, node);
    must_be_right(&f);
    node = cmi_pair_node(plat_load_relaxed(&record->timed));
    cmi_skiplist_t *list = &postings->by_time[cmi_rate_class(cmi_rate_in_force(f.store, cmi_record_given_rate(record)))];
    cmi_skip_unlink(&postings->nodes, list, node);
    must_be_named(&f, "\"timed\" names node");
    cmi_skip_link(&postings->nodes, &postings->by_time[0], node);
    must_be_named(&f, "\"timed\" names node");
    cmi_skip_unlink(&postings->nodes, &postings->by_time[0], node);
    cmi_skip_link(&postings->nodes, list, node);
    must_be_right(&f);
    cmi_thread_unpin(f.thread);
    fixture_close(&f);
}

/* ---- what dead threads leave behind ------------------------------------------------------------------------------------------------------------- */

/* A node that no record names: of a memory that is being updated, or of a slot that is no memory. One for each dead thread in either kind of list. */
TEST(nodes_of_no_memory_are_counted_and_dead_threads_may_leave_one_each) {
    fixture_t f = open_filled();
    cmi_postings_t *postings = &f.store->postings;
    uint32_t slot = slot_of(&f, 30), context = cmi_record_context(cmi_record_at(f.store, slot)), nodes[2], times[2];
    cmi_thread_pin(f.thread);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_STATUS(cmi_postings_add_context(postings, context, slot, &nodes[i]), CM_OK);
        must_be_named(&f, "the context list has");
        plat_fetch_add_relaxed(&f.store->n_abandoned, 1);
        must_be_right(&f);
        CHECK_STATUS(cmi_postings_add_time(postings, 0.1f, 5, slot, &times[i]), CM_OK);
        must_be_right(&f);
    }
    uint32_t more;
    CHECK_STATUS(cmi_postings_add_time(postings, 7, 5, slot, &more), CM_OK);
    must_be_named(&f, "the time lists have");
    cmi_postings_drop_time(postings, 7, more);
    must_be_right(&f);
    cmi_thread_unpin(f.thread);
    fixture_close(&f);
}

/* It died between its marks and its search, or in the middle of its marks. */
TEST(half_a_removal_of_a_dead_thread_is_allowed) {
    fixture_t f = open_filled();
    cmi_postings_t *postings = &f.store->postings;
    uint32_t slot = 0, node;
    cmi_thread_pin(f.thread);
    /* Levels follow from context and slot: a node like the one that the memory has already. */
    while (!cmi_store_current(f.store, slot) ||
           cmi_skip_at(&postings->nodes, cmi_pair_node(plat_load_relaxed(&cmi_record_at(f.store, slot)->placed)))->n_levels > 1)
        slot++;
    CHECK_STATUS(cmi_postings_add_context(postings, cmi_record_context(cmi_record_at(f.store, slot)), slot, &node), CM_OK);
    CHECK_EQ_U64(cmi_skip_at(&postings->nodes, node)->n_levels, 1);
    plat_fetch_or_release(&cmi_skip_at(&postings->nodes, node)->next, 1u);
    must_be_named(&f, "is removed and still linked");
    plat_fetch_add_relaxed(&f.store->n_abandoned, 1);
    must_be_right(&f);
    CHECK_STATUS(insert_numbered(&f, "another-", 30, 0), CM_OK); /* passing by does not mind */
    must_be_right(&f);
    cmi_thread_unpin(f.thread);
    fixture_close(&f);
}

/* A memory must have its nodes, however many threads died. */
TEST(a_missing_node_is_never_allowed) {
    fixture_t f = open_filled();
    cmi_postings_t *postings = &f.store->postings;
    plat_fetch_add_relaxed(&f.store->n_abandoned, 5);
    cmi_thread_pin(f.thread);
    cmi_skip_unlink(&postings->nodes, &postings->by_context, cmi_pair_node(plat_load_relaxed(&record_of(&f, 31)->placed)));
    must_be_named(&f, "\"placed\" names node");
    cmi_thread_unpin(f.thread);
    fixture_close(&f);
}

/* ---- the words stay right through all that may happen to a memory ---------------------------------------------------------------------------------- */

TEST(every_operation_leaves_the_postings_right) {
    fixture_t f = open_filled();
    char id[32];
    static const float rates[] = {0, 0.1f, 1e-30f, 3e38f, 0.4f};
    for (uint32_t i = 0; i < N; i++) {
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = 1 + i % 31;
        update.importance = 0.25f, update.decay_rate = rates[i % 5];
        update.context = i % 3 ? CM_STR("elsewhere") : CM_STR("default");
        update.text = CM_STR("another text");
        cm_status_t status = cm_update(f.thread, numbered_id(id, sizeof id, "memory-", i), &update);
        CHECK(status == CM_OK || status == CM_E_NOT_FOUND);
        if (i % 50 == 0) must_be_right(&f);
    }
    must_be_right(&f);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    must_be_right(&loaded);
    for (uint32_t i = 0; i < N; i++) (void)cm_remove(f.thread, numbered_id(id, sizeof id, "memory-", i));
    must_be_right(&f);
    CHECK_EQ_U64(cmi_skip_first(&f.store->postings.by_context), CMI_NO_SKIP_NODE);
    memory_file_free(&file);
    fixture_close(&loaded);
    fixture_close(&f);
}

int main(void) {
    RUN(a_sealed_word_of_a_memory_is_named);
    RUN(a_word_that_names_the_wrong_node_is_named);
    RUN(an_attribute_that_is_not_the_nodes_is_named);
    RUN(a_rate_below_the_lowest_is_named);
    RUN(a_node_that_says_something_else_is_named);
    RUN(a_memory_that_is_in_no_list_is_named);
    RUN(nodes_of_no_memory_are_counted_and_dead_threads_may_leave_one_each);
    RUN(half_a_removal_of_a_dead_thread_is_allowed);
    RUN(a_missing_node_is_never_allowed);
    RUN(every_operation_leaves_the_postings_right);
    return tap_done();
}
