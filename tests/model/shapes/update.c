/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * update.c - core/store/update.c and relate.c: of two changes of one word the later is in force and what the other put there is retired, once; a change that reported success is in force
 * or was followed by another; whoever finds the word finds what it names. [S3] [S4] [K3]
 *
 * Beside a removal a change succeeds before the seal or finds no memory. Beside a replacement: replace.c. A change of context is two walks of one list of nodes (postings.c); here the new node is linked
 * in setup, and the threads do what follows: static steps of update.c, which is compiled into this file under another name.
 */
#define cmi_store_update update_of_this_file
#include "store/update.c"
#undef cmi_store_update

cm_status_t cmi_store_update(cm_thread_t *thread, cm_str_t id, const cm_update_t *update);

#include "small_store.h"

static cm_status_t status[STORE_THREADS];

static void open_with_a(void) {
    open_small_store();
    for (uint32_t t = 0; t < STORE_THREADS; t++) status[t] = CM_OK;
    add_memory(0, "a", 1, "z");
}

static void change(uint32_t t, uint32_t fields, const char *word, float rate) {
    cm_update_t update = {.size = sizeof update, .fields = fields, .decay_rate = rate, .importance = 0.25f, .now_ms = 1000};
    update.context = update.text = str(word);
    status[t] = cmi_store_update(thread[t], str("a"), &update);
    MODEL_CHECK(status[t] == CM_OK || status[t] == CM_E_NOT_FOUND);
}
static void remove_a(void) {
    MODEL_CHECK(cmi_store_remove(thread[2], str("a")) == CM_OK);
}
static void gone(void) {
    MODEL_CHECK(cm_len(store) == 0);
    check_and_close();
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------ */

static void text_one(void) {
    change(0, CM_UPDATE_TEXT, "one", 0);
}
static void text_two(void) {
    change(1, CM_UPDATE_TEXT, "two", 0);
}
static void text_one_and_free(void) {
    text_one();
    text_one();
    submit_and_collect(0, 3);
}
static void read_text(void) {
    cm_memory_t memory;
    if (!read_memory(2, "a", &memory)) return;
    MODEL_CHECK(memory.text.len == 0 || (memory.text.len == 3 && (memory.text.data[0] == 'o' || memory.text.data[0] == 't')));
}
static void one_text(void) {
    cm_memory_t memory;
    MODEL_CHECK(read_memory(0, "a", &memory) && memory.text.len == 3);
    check_and_close();
}
SHAPE(update, two_change_the_text, open_with_a, one_text, text_one, text_two)
SHAPE(update, the_text_is_complete_while_two_change_it, open_with_a, one_text, text_one, text_two, read_text)
SHAPE(update, texts_are_freed_under_a_reader, open_with_a, one_text, text_one_and_free, read_text)
SHAPE(update, the_text_is_changed_or_the_memory_gone, open_with_a, gone, text_one, remove_a)

/* ---- context and rate --------------------------------------------------------------------------------------------------------------- */

static renewal_t renewals[2];
static const cm_update_t there = {.size = sizeof there, .fields = CM_UPDATE_CONTEXT, .context = {"there", 5}};

/* Thread t's update up to where it changes the word. */
static void prepare(uint32_t t) {
    uint32_t slot = slot_of("a");
    renewals[t] = (renewal_t){.thread = thread[t], .store = store, .update = &there, .record = cmi_record_at(store, slot), .slot = slot};
    MODEL_CHECK(cmi_retirer_prepare(&thread[t]->retirer));
    cmi_thread_pin(thread[t]);
    MODEL_CHECK(make_place(&renewals[t]) == CM_OK);
}
/* The rest of apply(). */
static void arrive(uint32_t t) {
    renewal_t *r = &renewals[t];
    status[t] = change_place(r);
    if (status[t] != CM_OK) give_up(r);
    else if (!cmi_store_current(store, r->slot)) status[t] = CM_E_STALE;
    cmi_thread_unpin(thread[t]);
}
static void arrive_0(void) {
    arrive(0);
}
static void arrive_1(void) {
    arrive(1);
}
static void open_with_one_on_its_way(void) {
    open_with_a();
    prepare(0);
}
static void open_with_two_on_their_way(void) {
    open_with_one_on_its_way();
    prepare(1);
}
/* Whose context is the new one is in its list: a walk of the context finds it. */
static void walk_context(void) {
    cmi_thread_pin(thread[2]);
    const cmi_record_t *record = cmi_record_at(store, slot_of("a"));
    uint64_t placed = cmi_record_pair(&record->placed);
    MODEL_CHECK(cmi_posting_slot(&store->postings, cmi_pair_node(placed)) == slot_of("a"));
    MODEL_CHECK(cmi_idmap_key(&store->contexts, cmi_pair_attribute(placed)).len > 0);
    cmi_thread_unpin(thread[2]);
}
static void fade_fast(void) {
    change(0, CM_UPDATE_DECAY_RATE, "", 2);
}
static void fade_faster(void) {
    change(1, CM_UPDATE_DECAY_RATE, "", 4);
}
static void is_there(void) {
    cm_memory_t memory;
    MODEL_CHECK(read_memory(0, "a", &memory) && memory.context.len == 5);
    check_and_close();
}
static void fades_fast(void) {
    cm_memory_t memory;
    MODEL_CHECK(read_memory(0, "a", &memory) && (memory.decay_rate == 2 || memory.decay_rate == 4));
    check_and_close();
}
LONG_SHAPE(update, two_change_the_context, 2000, open_with_two_on_their_way, is_there, arrive_0, arrive_1)
/* Label, node and block are made by the thread that changes the words: whoever finds them must see them. */
static void go_there(void) {
    change(0, CM_UPDATE_CONTEXT, "there", 0);
}
static void read_context(void) {
    cm_memory_t memory;
    walk_context();
    MODEL_CHECK(read_memory(2, "a", &memory) && (memory.context.data[0] == 'd' || memory.context.data[0] == 't'));
}
/* As statistics do, which hold no entry of a memory. */
static void scan_contexts(void) {
    uint32_t end = cmi_idmap_end(&store->contexts);
    for (uint32_t entry = 1; entry < end; entry++)
        if (cmi_context_count(store, entry) > 0) MODEL_CHECK(cmi_idmap_key(&store->contexts, entry).len > 0);
}
SHAPE(update, the_label_in_force_is_complete, open_with_a, is_there, go_there, read_context)
SHAPE(update, a_label_that_counts_is_complete, open_with_a, is_there, go_there, scan_contexts)
LONG_SHAPE(update, the_context_is_changed_and_the_memory_gone, 2000, open_with_a, gone, go_there, remove_a)
LONG_SHAPE(update, the_context_is_changed_or_the_memory_gone, 2000, open_with_one_on_its_way, gone, arrive_0, remove_a)
SHAPE(update, two_change_the_rate, open_with_a, fades_fast, fade_fast, fade_faster)
SHAPE(update, the_rate_is_changed_or_the_memory_gone, open_with_a, gone, fade_fast, remove_a)

/* ---- relationships -------------------------------------------------------------------------------------------------------------------- */

static void relate_x(void) {
    status[0] = cmi_store_relate(thread[0], str("a"), str("x"));
}
static void relate_y(void) {
    status[1] = cmi_store_relate(thread[1], str("a"), str("y"));
}
static void unrelate_z(void) {
    status[1] = cmi_store_unrelate(thread[1], str("a"), str("z"));
}
static void relate_and_free(void) {
    relate_x();
    submit_and_collect(0, 3);
}
static void read_relationships(void) {
    cm_memory_t memory;
    if (!read_memory(2, "a", &memory)) return;
    for (uint32_t i = 0; i < memory.n_relationships; i++)
        MODEL_CHECK(memory.relationships[i].len == 1 && memory.relationships[i].data[0] >= 'x');
}
static void x_y_z(void) {
    MODEL_CHECK(is_related("a", "x") && is_related("a", "y") && is_related("a", "z"));
    check_and_close();
}
static void only_x(void) {
    MODEL_CHECK(is_related("a", "x") && !is_related("a", "z"));
    check_and_close();
}
SHAPE(relate, two_relate_one_memory, open_with_a, x_y_z, relate_x, relate_y)
SHAPE(relate, the_list_is_complete_while_two_relate, open_with_a, x_y_z, relate_x, relate_y, read_relationships)
SHAPE(relate, one_relates_and_one_unrelates, open_with_a, only_x, relate_x, unrelate_z)
SHAPE(relate, related_or_gone, open_with_a, gone, relate_x, remove_a)
SHAPE(relate, lists_are_freed_under_a_reader, open_with_a, check_and_close, relate_and_free, read_relationships)

/* The limit is 3 and one is there: of three others two have room. */
static void relate_w(void) {
    status[2] = cmi_store_relate(thread[2], str("a"), str("w"));
}
static void two_of_three(void) {
    MODEL_CHECK(is_related("a", "x") + is_related("a", "y") + is_related("a", "w") == 2);
    MODEL_CHECK((status[0] == CM_OK) + (status[1] == CM_OK) + (status[2] == CM_OK) == 2);
    check_and_close();
}
LONG_SHAPE(relate, the_limit_holds, 2000, open_with_a, two_of_three, relate_x, relate_y, relate_w)
