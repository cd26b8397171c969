/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * snapshot.c - cm_save and cm_load: what was saved is loaded, the same operations give the same bytes, and I/O failures are clean.
 * Hostile bytes: snapshot_hostile.c. Saving while others write: concurrency/save_while_writing.c.
 */
#include "support/snapshot.h"

#include "index/hnsw.h"
#include "persist/reader.h"
#include "store/store.h"

TEST(everything_survives_under_every_metric) {
    static const cm_metric_t metrics[] = {CM_METRIC_COSINE, CM_METRIC_DOT, CM_METRIC_L2SQ};
    for (size_t i = 0; i < 3; i++) {
        cm_config_t config = small_config(24);
        config.metric = metrics[i];
        fixture_t f = fixture_open(&config);
        fill(&f, 400);
        memory_file_t file = save_to_memory(&f);
        fixture_t loaded = load_fixture(&file);
        check_same_memories(&f, &loaded);
        check_same_answers(&f, &loaded, 40);
        check_same_stats(&f, &loaded);
        memory_file_t again = save_to_memory(&loaded);
        check_same_bytes(&file, &again);
        memory_file_free(&again);
        fixture_close(&loaded);
        memory_file_free(&file);
        fixture_close(&f);
    }
}

TEST(an_empty_store_survives) {
    cm_config_t config = small_config(3);
    fixture_t f = fixture_open(&config);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    CHECK_EQ_U64(cm_len(loaded.store), 0);
    check_same_stats(&f, &loaded);
    CHECK_STATUS(insert_numbered(&loaded, "memory-", 1, 0), CM_OK);
    CHECK_EQ_U64(cm_len(loaded.store), 1);
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

/* Tombstones and nothing else: they are what the next insert hangs on. */
TEST(a_store_whose_memories_were_all_removed_survives) {
    cm_config_t config = small_config(5);
    fixture_t f = fixture_open(&config);
    char id[64];
    for (uint32_t i = 0; i < 20; i++) insert_numbered(&f, "memory-", i, 0);
    for (uint32_t i = 0; i < 20; i++) CHECK_STATUS(cm_remove(f.thread, numbered_id(id, sizeof id, "memory-", i)), CM_OK);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    CHECK_EQ_U64(cm_len(loaded.store), 0);
    check_same_stats(&f, &loaded);
    CHECK_STATUS(insert_numbered(&loaded, "memory-", 3, 1), CM_OK);
    check_same_stats(&loaded, &loaded);
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

TEST(the_configuration_survives) {
    cm_config_t config = small_config(7), back;
    config.base_decay_rate = 0.25f, config.temporal_weight = 0.5f, config.similarity_threshold = 0.75f, config.seed = 0xFEDCBA9876543210u;
    config.metric = CM_METRIC_L2SQ, config.ef_search = 33, config.max_memories = 123;
    fixture_t f = fixture_open(&config);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    cm_config_of(loaded.store, &back);
    CHECK(back.base_decay_rate == 0.25f && back.temporal_weight == 0.5f && back.similarity_threshold == 0.75f);
    CHECK_EQ_U64(back.dimensions, 7);
    CHECK_EQ_U64(back.max_memories, 123);
    CHECK_EQ_U64(back.max_relationships, 6);
    CHECK_EQ_U64(back.m, 4);
    CHECK_EQ_U64(back.ef_construction, 24);
    CHECK_EQ_U64(back.ef_search, 33);
    CHECK_EQ_U64(back.metric, CM_METRIC_L2SQ);
    CHECK_EQ_U64(back.seed, 0xFEDCBA9876543210u);
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

/* The longest of everything: strings entries that are larger than a block. */
TEST(the_largest_memory_survives) {
    cm_config_t config = small_config(2);
    config.max_relationships = CM_MAX_RELATIONSHIPS;
    fixture_t f = fixture_open(&config);
    static char text[CM_MAX_PAYLOAD_BYTES], ids[CM_MAX_RELATIONSHIPS][CM_MAX_ID_BYTES], context[CM_MAX_CONTEXT_BYTES];
    static cm_str_t relationships[CM_MAX_RELATIONSHIPS];
    memset(text, 't', sizeof text);
    memset(context, 'c', sizeof context);
    for (uint32_t i = 0; i < CM_MAX_RELATIONSHIPS; i++) {
        memset(ids[i], 'r', sizeof ids[i]);
        snprintf(ids[i], 8, "%07u", i);
        ids[i][7] = 'r';
        relationships[i] = (cm_str_t){ids[i], sizeof ids[i]};
    }
    f.buffer = realloc(f.buffer, 16u << 20);
    void *buffer = malloc(16u << 20);
    for (uint32_t i = 0; i < 3; i++) {
        float vector[2] = {(float)i, 1.0f};
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.vector = vector, memory.dimensions = 2;
        memory.id = relationships[i];
        memory.context = (cm_str_t){context, sizeof context};
        memory.relationships = relationships;
        memory.n_relationships = CM_MAX_RELATIONSHIPS_BYTES / (CM_MAX_ID_BYTES + 4); /* as many as fit */
        memory.text = (cm_str_t){text, sizeof text - i};
        memory.metadata = (cm_str_t){text, i};
        CHECK_MSG(cm_insert(f.thread, &memory) == CM_OK, "%s", cm_message(f.thread));
    }
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    for (uint32_t i = 0; i < 3; i++) {
        cm_memory_t a, b;
        CHECK_STATUS(cm_get(f.thread, relationships[i], &a, f.buffer, 16u << 20, NULL), CM_OK);
        CHECK_STATUS(cm_get(loaded.thread, relationships[i], &b, buffer, 16u << 20, NULL), CM_OK);
        check_same_memory(&a, &b);
    }
    free(buffer);
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

TEST(the_same_operations_give_the_same_bytes) {
    cm_config_t config = small_config(10);
    fixture_t a = fixture_open(&config), b = fixture_open(&config);
    fill(&a, 150);
    fill(&b, 150);
    memory_file_t of_a = save_to_memory(&a), of_b = save_to_memory(&b);
    check_same_bytes(&of_a, &of_b);
    memory_file_free(&of_a);
    memory_file_free(&of_b);
    fixture_close(&a);
    fixture_close(&b);
}

/* Levels, links and slots go on as if the process had never ended. */
TEST(operations_after_loading_give_the_same_bytes_as_without) {
    cm_config_t config = small_config(10);
    fixture_t f = fixture_open(&config);
    fill(&f, 150);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    for (uint32_t i = 100; i < 260; i++) {
        CHECK_STATUS(insert_numbered(&f, "memory-", i, 5), CM_OK);
        CHECK_STATUS(insert_numbered(&loaded, "memory-", i, 5), CM_OK);
    }
    memory_file_t of_f = save_to_memory(&f), of_loaded = save_to_memory(&loaded);
    check_same_bytes(&of_f, &of_loaded);
    memory_file_free(&of_f);
    memory_file_free(&of_loaded);
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

/* ---- options, arguments ---- */

TEST(load_options_take_effect) {
    cm_config_t config = small_config(4), back;
    fixture_t f = fixture_open(&config);
    fill(&f, 60);
    memory_file_t file = save_to_memory(&f);
    cm_source_t source = MEMORY_SOURCE(&file);
    cm_load_options_t options = CM_LOAD_INIT;
    cm_error_t error;
    cm_store_t *store;

    CHECK_STATUS(cm_load(&source, NULL, &store, NULL), CM_OK);
    cm_config_of(store, &back);
    CHECK_EQ_U64(back.max_threads, 64);
    cm_close(store);

    options.max_memories = 100000, options.max_threads = 3, options.clock_ms = fixed_clock;
    CHECK_STATUS(cm_load(&source, &options, &store, &error), CM_OK);
    cm_config_of(store, &back);
    CHECK_EQ_U64(back.max_memories, 100000);
    CHECK_EQ_U64(back.max_threads, 3);
    CHECK(back.clock_ms == fixed_clock);
    cm_close(store);

    options.max_memories = (uint32_t)cm_len(f.store);
    CHECK_STATUS(cm_load(&source, &options, &store, &error), CM_OK);
    cm_close(store);
    options.max_memories--;
    CHECK_STATUS(cm_load(&source, &options, &store, &error), CM_E_CAPACITY);
    CHECK(store == NULL);
    CHECK_MSG(strstr(error.message, "max_memories") != NULL, "%s", error.message);

    options.max_memories = 0, options.max_threads = CM_MAX_THREADS + 1;
    CHECK_STATUS(cm_load(&source, &options, &store, &error), CM_E_CONFIG);
    CHECK(store == NULL);
    memory_file_free(&file);
    fixture_close(&f);
}

TEST(missing_arguments_are_refused) {
    cm_config_t config = small_config(4);
    fixture_t f = fixture_open(&config);
    cm_sink_t no_sink = {NULL, NULL};
    cm_source_t no_source = {NULL, 0, NULL};
    cm_load_options_t options = {0};
    cm_error_t error;
    cm_store_t *store;
    memory_file_t file = save_to_memory(&f);
    CHECK_STATUS(cm_save(f.thread, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_save(f.thread, &no_sink), CM_E_ARGUMENT);
    CHECK(strstr(cm_message(f.thread), "sink") != NULL);
    CHECK_STATUS(cm_save(NULL, &MEMORY_SINK(&file)), CM_E_ARGUMENT);
    CHECK_STATUS(cm_load(NULL, NULL, &store, &error), CM_E_ARGUMENT);
    CHECK_STATUS(cm_load(&no_source, NULL, &store, &error), CM_E_ARGUMENT);
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), NULL, NULL, &error), CM_E_ARGUMENT);
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), &options, &store, &error), CM_E_ARGUMENT);
    memory_file_free(&file);
    fixture_close(&f);
}

/* ---- failing input and output ---- */

TEST(a_sink_that_fails_at_any_write_harms_nothing) {
    cm_config_t config = small_config(32);
    fixture_t f = fixture_open(&config);
    fill(&f, 100);
    memory_file_t before = save_to_memory(&f);
    for (uint32_t n = 1; n <= before.n_calls; n++) {
        memory_file_t failing = {.fail_at = n};
        CHECK_STATUS(cm_save(f.thread, &MEMORY_SINK(&failing)), CM_E_IO);
        CHECK_MSG(strstr(cm_message(f.thread), "28") != NULL, "%s", cm_message(f.thread));
        CHECK_EQ_U64(failing.n_calls, n);
        memory_file_free(&failing);
    }
    memory_file_t after = save_to_memory(&f);
    check_same_bytes(&before, &after);
    CHECK_STATUS(cm_check(f.thread, NULL), CM_OK);
    memory_file_free(&after);
    memory_file_free(&before);
    fixture_close(&f);
}

TEST(a_source_that_fails_at_any_read_gives_no_store) {
    cm_config_t config = small_config(32);
    fixture_t f = fixture_open(&config);
    fill(&f, 100);
    memory_file_t file = save_to_memory(&f);
    cm_error_t error;
    cm_store_t *store;
    file.n_calls = 0;
    CHECK_STATUS(load_from_memory(&file, &store, &error), CM_OK);
    cm_close(store);
    uint32_t n_reads = file.n_calls;
    for (uint32_t n = 1; n <= n_reads; n++) {
        file.n_calls = 0;
        file.fail_at = n;
        CHECK_STATUS(load_from_memory(&file, &store, &error), CM_E_IO);
        CHECK(store == NULL);
        CHECK_MSG(strstr(error.message, "28") != NULL, "%s", error.message);
    }
    memory_file_free(&file);
    fixture_close(&f);
}

/* ---- nodes that are no memories ---- */

static uint32_t reserve_with_vector(cmi_hnsw_t *graph, uint32_t number, uint32_t version) {
    uint32_t slot = CMI_NONE;
    float vector[64];
    vector_of(number, version, graph->params.dimensions, vector);
    CHECK_STATUS(cmi_hnsw_reserve(graph, &slot), CM_OK);
    cmi_hnsw_set_vector(graph, slot, vector);
    return slot;
}

/* Inserts that stand between their steps when the save begins: nothing of them is in the snapshot, and all else is. */
TEST(inserts_under_way_become_holes) {
    cm_config_t config = small_config(8);
    fixture_t f = fixture_open(&config);
    for (uint32_t i = 0; i < 50; i++) insert_numbered(&f, "memory-", i, 0);
    cmi_hnsw_t *graph = cmi_store_graph(f.store);
    cmi_thread_pin(f.thread);
    uint32_t given_up = reserve_with_vector(graph, 1, 50);
    cmi_hnsw_abandon_slot(graph, given_up);
    uint32_t building = reserve_with_vector(graph, 2, 50);
    uint32_t linked = reserve_with_vector(graph, 3, 50); /* in the graph, not in the id map */
    cmi_hnsw_link(graph, cmi_thread_scratch(f.thread), linked);
    cmi_thread_unpin(f.thread);
    for (uint32_t i = 50; i < 60; i++) insert_numbered(&f, "memory-", i, 0);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    check_same_memories(&f, &loaded);
    cmi_hnsw_t *copy = cmi_store_graph(loaded.store);
    CHECK_EQ_U64(cmi_hnsw_n_slots(copy), cmi_hnsw_n_slots(graph));
    CHECK_EQ_U64(cmi_meta_state(cmi_hnsw_meta(copy, given_up)), CMI_FREE);
    CHECK_EQ_U64(cmi_meta_state(cmi_hnsw_meta(copy, building)), CMI_FREE);
    CHECK(cmi_meta_state(cmi_hnsw_meta(copy, linked)) != CMI_LIVE);
    CHECK_MSG(cm_check(loaded.thread, NULL) == CM_OK, "%s", cm_message(loaded.thread));
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

static bool list_holds(const cmi_hnsw_t *graph, uint32_t owner, uint32_t slot) {
    uint32_t list[2 * CM_MAX_M];
    cmi_hnsw_copy_list(graph, owner, 0, list);
    for (uint32_t i = 0; i < graph->cap0; i++)
        if (list[i] == slot) return true;
    return false;
}

/* A node that was forced under its parent, took a child, and has no link to its parent yet: the copy adds it. */
TEST(an_ancestor_without_its_parent_link_gets_one) {
    cm_config_t config = small_config(2);
    config.metric = CM_METRIC_L2SQ;
    fixture_t f = fixture_open(&config);
    cmi_hnsw_t *graph = cmi_store_graph(f.store);
    float at[3][2] = {{0, 0}, {10, 0}, {11, 0}};
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.dimensions = 2;
    memory.id = CM_STR("root"), memory.vector = at[0];
    CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    uint32_t between;
    cmi_thread_pin(f.thread);
    CHECK_STATUS(cmi_hnsw_reserve(graph, &between), CM_OK);
    cmi_hnsw_set_vector(graph, between, at[1]);
    cmi_hnsw_link(graph, cmi_thread_scratch(f.thread), between);
    cmi_thread_unpin(f.thread);
    memory.id = CM_STR("leaf"), memory.vector = at[2];
    CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    CHECK_EQ_U64(plat_load_relaxed(&cmi_hnsw_node(graph, between + 1)->parent), between);

    plat_a32_t *places = (plat_a32_t *)cmi_arena_at(&graph->list0, between);
    for (uint32_t i = 0; i < graph->cap0; i++)
        if (plat_load_relaxed(&places[i]) == 0) plat_store_relaxed(&places[i], CMI_NONE);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    cmi_hnsw_t *copy = cmi_store_graph(loaded.store);
    CHECK_EQ_U64(cmi_meta_state(cmi_hnsw_meta(copy, between)), CMI_DEAD);
    CHECK(list_holds(copy, between, 0));
    CHECK(list_holds(copy, 0, between));
    CHECK_EQ_U64(cm_len(loaded.store), 2);
    fixture_close(&loaded);
    memory_file_free(&file);

    fixture_close(&f);
}

/* The same, but all its places are taken by children: such a copy would not load, so none is made. */
TEST(an_ancestor_without_a_place_for_its_parent_fails_the_save) {
    cm_config_t config = small_config(4);
    fixture_t f = fixture_open(&config);
    cmi_hnsw_t *graph = cmi_store_graph(f.store);
    uint32_t n = graph->cap0 + 2, node = 1;
    for (uint32_t i = 0; i < n; i++) insert_numbered(&f, "memory-", i, 0);
    plat_a32_t *places = (plat_a32_t *)cmi_arena_at(&graph->list0, node);
    plat_store_relaxed(&cmi_hnsw_node(graph, node)->parent, 0);
    for (uint32_t i = 0; i < graph->cap0; i++) {
        plat_store_relaxed(&places[i], i + 2);
        plat_store_relaxed(&cmi_hnsw_node(graph, i + 2)->parent, node);
    }
    memory_file_t file = {0};
    CHECK_STATUS(cm_save(f.thread, &MEMORY_SINK(&file)), CM_E_INVARIANT);
    CHECK_MSG(strstr(cm_message(f.thread), "node 1,") != NULL, "%s", cm_message(f.thread));
    memory_file_free(&file);
    fixture_close(&f);
}

int main(void) {
    RUN(everything_survives_under_every_metric);
    RUN(an_empty_store_survives);
    RUN(a_store_whose_memories_were_all_removed_survives);
    RUN(the_configuration_survives);
    RUN(the_largest_memory_survives);
    RUN(the_same_operations_give_the_same_bytes);
    RUN(operations_after_loading_give_the_same_bytes_as_without);
    RUN(load_options_take_effect);
    RUN(missing_arguments_are_refused);
    RUN(a_sink_that_fails_at_any_write_harms_nothing);
    RUN(a_source_that_fails_at_any_read_gives_no_store);
    RUN(inserts_under_way_become_holes);
    RUN(an_ancestor_without_its_parent_link_gets_one);
    RUN(an_ancestor_without_a_place_for_its_parent_fails_the_save);
    return tap_done();
}
