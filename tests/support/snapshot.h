/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * snapshot.h - stores for the snapshot tests: filled by fixed operations, saved into memory, loaded back, compared field by field.
 *
 * Everything about a memory follows from its number and a version, so that a test can tell what a loaded memory must look like.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "chronomind.h"
#include "base/base.h"
#include "support/memory_file.h"
#include "support/tap.h"

#define NOW_MS INT64_C(1700000000000)
#define MEMORY_BUFFER_BYTES (2u << 20)

static int64_t fixed_clock(void *context) {
    (void)context;
    return NOW_MS;
}

typedef struct fixture {
    cm_store_t *store;
    cm_thread_t *thread;
    void *buffer; /* MEMORY_BUFFER_BYTES, for copies of memories */
} fixture_t;

static inline fixture_t fixture_of(cm_store_t *store) {
    fixture_t f = {.store = store, .buffer = malloc(MEMORY_BUFFER_BYTES)};
    CHECK_STATUS(cm_attach(store, &f.thread), CM_OK);
    return f;
}

static inline fixture_t fixture_open(const cm_config_t *config) {
    cm_store_t *store = NULL;
    cm_error_t error = {CM_OK, ""};
    cm_status_t status = cm_open(config, &store, &error);
    CHECK_MSG(status == CM_OK, "open: %s", error.message);
    return fixture_of(store);
}

static inline void fixture_close(fixture_t *f) {
    cm_detach(f->thread);
    CHECK_STATUS(cm_close(f->store), CM_OK);
    free(f->buffer);
}

static inline cm_config_t small_config(uint32_t dimensions) {
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = dimensions;
    config.max_memories = 2000;
    config.m = 4;
    config.ef_construction = 24;
    config.max_relationships = 6;
    config.max_threads = 8;
    config.clock_ms = fixed_clock;
    return config;
}

/* ---- memories ---- */

static inline void vector_of(uint32_t number, uint32_t version, uint32_t dimensions, float *out) {
    uint64_t seed = (uint64_t)version << 32 | number;
    for (uint32_t i = 0; i < dimensions; i++) out[i] = (float)(cmi_mix(seed * 0x9E3779B97F4A7C15u + i) >> 40) / 8388608.0f - 1.0f;
}

/* A different shape for every number: with and without text, metadata, relationships, own context. */
static inline cm_status_t insert_numbered(fixture_t *f, const char *prefix, uint32_t number, uint32_t version) {
    cm_config_t config;
    cm_config_of(f->store, &config);
    char id[64], context[32], text[256], metadata[64], names[6][32];
    float *vector = (float *)malloc(config.dimensions * sizeof(float));
    cm_str_t relationships[6];
    cm_memory_t memory = CM_MEMORY_INIT;
    vector_of(number, version, config.dimensions, vector);
    memory.id = (cm_str_t){id, (size_t)snprintf(id, sizeof id, "%s%u", prefix, number)};
    memory.vector = vector;
    memory.dimensions = config.dimensions;
    if (number % 3 != 0) memory.context = (cm_str_t){context, (size_t)snprintf(context, sizeof context, "conversation %u", number / 8 % 5)};
    memory.importance = (float)(number % 101) / 100.0f;
    memory.decay_rate = number % 4 == 0 ? 0.0f : (float)(number % 7) / 8.0f;
    memory.created_ms = NOW_MS - (int64_t)number * 3600000;
    if (number % 2 == 0)
        memory.text = (cm_str_t){text, (size_t)snprintf(text, sizeof text, "version %u of \xC3\xA9t\xC3\xA9 %u", version, number)};
    if (number % 5 == 0) memory.metadata = (cm_str_t){metadata, (size_t)snprintf(metadata, sizeof metadata, "{\"n\": %u}", number)};
    memory.n_relationships = number % 7;
    if (memory.n_relationships > 6) memory.n_relationships = 6;
    for (uint32_t i = 0; i < memory.n_relationships; i++)
        relationships[i] = (cm_str_t){names[i], (size_t)snprintf(names[i], sizeof names[i], "%s%u", prefix, number * 3 + i * i + version)};
    memory.relationships = relationships;
    cm_status_t status = cm_insert(f->thread, &memory);
    free(vector);
    return status;
}

static inline cm_str_t numbered_id(char *out, size_t capacity, const char *prefix, uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, capacity, "%s%u", prefix, number)};
}

/* n memories; then some replaced, removed, removed and inserted again, accessed. */
static inline void fill(fixture_t *f, uint32_t n) {
    char id[64];
    cm_memory_t memory;
    for (uint32_t i = 0; i < n; i++) CHECK_STATUS(insert_numbered(f, "memory-", i, 0), CM_OK);
    for (uint32_t i = 0; i < n; i += 9) CHECK_STATUS(insert_numbered(f, "memory-", i, 1), CM_OK);
    for (uint32_t i = 4; i < n; i += 6) CHECK_STATUS(cm_remove(f->thread, numbered_id(id, sizeof id, "memory-", i)), CM_OK);
    for (uint32_t i = 4; i < n; i += 12) CHECK_STATUS(insert_numbered(f, "memory-", i, 2), CM_OK);
    for (uint32_t i = 0; i < n; i += 9)
        CHECK_STATUS(
            cm_access(f->thread, numbered_id(id, sizeof id, "memory-", i), NOW_MS + i, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL),
            CM_OK);
}

/* ---- saving, loading ---- */

static inline memory_file_t save_to_memory(fixture_t *f) {
    memory_file_t file = {0};
    cm_status_t status = cm_save(f->thread, &MEMORY_SINK(&file));
    CHECK_MSG(status == CM_OK, "save: %s", cm_message(f->thread));
    return file;
}

static inline cm_status_t load_from_memory(memory_file_t *file, cm_store_t **store, cm_error_t *error) {
    cm_load_options_t options = CM_LOAD_INIT;
    options.clock_ms = fixed_clock;
    options.max_threads = 8;
    return cm_load(&MEMORY_SOURCE(file), &options, store, error);
}

static inline fixture_t load_fixture(memory_file_t *file) {
    cm_store_t *store = NULL;
    cm_error_t error = {CM_OK, ""};
    cm_status_t status = load_from_memory(file, &store, &error);
    CHECK_MSG(status == CM_OK, "load: %d %s", (int)status, error.message);
    if (status != CM_OK) exit(tap_done() | 1);
    return fixture_of(store);
}

static inline void check_same_bytes(const memory_file_t *a, const memory_file_t *b) {
    CHECK_EQ_U64(a->n_bytes, b->n_bytes);
    if (a->n_bytes != b->n_bytes || memcmp(a->bytes, b->bytes, a->n_bytes) == 0) return;
    size_t at = 0;
    while (a->bytes[at] == b->bytes[at]) at++;
    CHECK_MSG(false, "the files differ first at offset %zu of %zu", at, a->n_bytes);
}

/* ---- comparing ---- */

static inline bool same_str(cm_str_t a, cm_str_t b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline void check_same_memory(const cm_memory_t *a, const cm_memory_t *b) {
    CHECK(same_str(a->id, b->id));
    CHECK(same_str(a->context, b->context));
    CHECK(same_str(a->text, b->text));
    CHECK(same_str(a->metadata, b->metadata));
    CHECK_EQ_U64(a->dimensions, b->dimensions);
    CHECK(memcmp(a->vector, b->vector, a->dimensions * sizeof(float)) == 0);
    CHECK_EQ_U64(a->created_ms, b->created_ms);
    CHECK_EQ_U64(a->accessed_ms, b->accessed_ms);
    CHECK_EQ_U64(a->access_count, b->access_count);
    CHECK_EQ_U64(cmi_float_bits(a->importance), cmi_float_bits(b->importance));
    CHECK_EQ_U64(cmi_float_bits(a->decay_rate), cmi_float_bits(b->decay_rate));
    CHECK_EQ_U64(a->n_relationships, b->n_relationships);
    for (uint32_t i = 0; i < a->n_relationships && i < b->n_relationships; i++) CHECK(same_str(a->relationships[i], b->relationships[i]));
}

static inline void check_same_memories(fixture_t *a, fixture_t *b) {
    uint64_t cursor = 0, n = 0;
    cm_memory_t of_a, of_b;
    while (cm_next(a->thread, &cursor, &of_a, a->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        n++;
        cm_status_t status = cm_get(b->thread, of_a.id, &of_b, b->buffer, MEMORY_BUFFER_BYTES, NULL);
        CHECK_MSG(status == CM_OK, "%.*s: %s", (int)of_a.id.len, of_a.id.data, cm_message(b->thread));
        if (status == CM_OK) check_same_memory(&of_a, &of_b);
    }
    CHECK_EQ_U64(n, cm_len(a->store));
    CHECK_EQ_U64(cm_len(b->store), cm_len(a->store));
}

static inline void check_same_answers(fixture_t *a, fixture_t *b, uint32_t n_queries) {
    cm_config_t config;
    cm_config_of(a->store, &config);
    float *query = (float *)malloc(config.dimensions * sizeof(float));
    for (uint32_t i = 0; i < n_queries; i++) {
        cm_hit_t of_a[10], of_b[10];
        size_t n_a = 0, n_b = 0;
        cm_search_t search = CM_SEARCH_INIT;
        if (i % 3 == 1) search.context = CM_STR("conversation 2");
        vector_of(i, 77, config.dimensions, query);
        CHECK_STATUS(cm_search(a->thread, query, config.dimensions, &search, of_a, &n_a), CM_OK);
        CHECK_STATUS(cm_search(b->thread, query, config.dimensions, &search, of_b, &n_b), CM_OK);
        CHECK_EQ_U64(n_b, n_a);
        cm_search_report_t report_a, report_b;
        cm_last_search(a->thread, &report_a), cm_last_search(b->thread, &report_b);
        CHECK_EQ_U64(report_b.n_distances, report_a.n_distances); /* the same walk through the same graph */
        CHECK(n_a == n_b && memcmp(of_a, of_b, n_a * sizeof *of_a) == 0);
    }
    free(query);
}

static inline void check_same_stats(fixture_t *a, fixture_t *b) {
    cm_stats_t of_a, of_b;
    CHECK_STATUS(cm_stats(a->thread, &of_a), CM_OK);
    CHECK_STATUS(cm_stats(b->thread, &of_b), CM_OK);
    CHECK_EQ_U64(of_b.n_memories, of_a.n_memories);
    CHECK_EQ_U64(of_b.n_components, of_a.n_components);
    CHECK_EQ_U64(of_b.max_memories, of_a.max_memories);
    CHECK_EQ_U64(of_b.n_contexts, of_a.n_contexts);
    CHECK(of_b.average_importance - of_a.average_importance < 1e-9 && of_a.average_importance - of_b.average_importance < 1e-9);
    CHECK_EQ_U64(of_b.n_slots_used, of_a.n_slots_used);
    CHECK_EQ_U64(of_b.bytes_vectors, of_a.bytes_vectors);
    cm_check_report_t report_a, report_b;
    CHECK_MSG(cm_check(a->thread, &report_a) == CM_OK, "%s", cm_message(a->thread));
    CHECK_MSG(cm_check(b->thread, &report_b) == CM_OK, "%s", cm_message(b->thread));
    CHECK_EQ_U64(report_b.n_live, report_a.n_live);
    CHECK_EQ_U64(report_b.n_dead, report_a.n_dead);
    CHECK_EQ_U64(report_b.n_links, report_a.n_links);
    CHECK_EQ_U64(report_b.top_level, report_a.top_level);
}

#endif
