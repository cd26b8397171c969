/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store_bad_input.c - everything that a caller can get wrong: a typed status, a message that names field and value, and a store that is what it was before,
 * to the byte of its snapshot.
 */
#include "support/snapshot.h"

#include <math.h>

#pragma GCC diagnostic ignored "-Woverride-init" /* the cases below are good values with something wrong written over them */

#define DIM 4u
#if SIZE_MAX == UINT32_MAX
#define GIGANTIC "4294967295"
#else
#define GIGANTIC "18446744073709551615"
#endif

static char long_string[CM_MAX_PAYLOAD_BYTES + 1]; /* of 'x' */
static cm_str_t many[CM_MAX_RELATIONSHIPS + 1];    /* different ids */
static char many_names[CM_MAX_RELATIONSHIPS + 1][8];
static const float vector[DIM] = {1, -2, 3, 0.5f};

static void make_long_things(void) {
    memset(long_string, 'x', sizeof long_string);
    for (uint32_t i = 0; i <= CM_MAX_RELATIONSHIPS; i++)
        many[i] = (cm_str_t){many_names[i], (size_t)snprintf(many_names[i], sizeof many_names[i], "r%u", i)};
}

static cm_str_t of_length(size_t n) {
    return (cm_str_t){long_string, n};
}

static cm_memory_t good_memory(void) {
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = CM_STR("new");
    memory.vector = vector;
    memory.dimensions = DIM;
    return memory;
}

static fixture_t open_filled(void) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    fill(&f, 30);
    return f;
}

/* `words` are separated by '|'. */
static void check_message(const char *message, const char *words, const char *what) {
    char word[128];
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        CHECK_MSG(strstr(message, word), "%s: the message \"%s\" does not say \"%s\"", what, message, word);
        p += n + (p[n] == '|');
    }
    CHECK_MSG(cmi_utf8_valid(message, strlen(message)), "%s: the message is not UTF-8", what);
}

/* Remembers the store, and later says whether it is still the same. */
typedef struct witness {
    memory_file_t file;
    uint64_t n;
} witness_t;

static witness_t witness_of(fixture_t *f) {
    return (witness_t){save_to_memory(f), cm_len(f->store)};
}

static void check_unharmed(fixture_t *f, witness_t *witness) {
    memory_file_t now = save_to_memory(f);
    check_same_bytes(&witness->file, &now);
    memory_file_free(&now);
    CHECK_EQ_U64(cm_len(f->store), witness->n);
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
}

/* ---- insert ------------------------------------------------------------------------------------------------------------------------ */

typedef struct bad_insert {
    const char *what;
    cm_memory_t memory;
    cm_status_t status;
    const char *words;
} bad_insert_t;

static void expect_refusals(const bad_insert_t *cases, uint32_t n) {
    fixture_t f = open_filled();
    witness_t witness = witness_of(&f);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t replacing = 0; replacing < 2; replacing++) {
            cm_memory_t memory = cases[i].memory;
            if (replacing && same_str(memory.id, CM_STR("new"))) memory.id = CM_STR("memory-1");
            cm_status_t status = cm_insert(f.thread, &memory);
            CHECK_MSG(status == cases[i].status, "%s: status %d, expected %d", cases[i].what, (int)status, (int)cases[i].status);
            check_message(cm_message(f.thread), cases[i].words, cases[i].what);
        }
        check_unharmed(&f, &witness);
    }
    cm_memory_t good = good_memory(); /* and it still takes what is right */
    CHECK_STATUS(cm_insert(f.thread, &good), CM_OK);
    CHECK(strcmp(cm_message(f.thread), "") == 0);
    CHECK_EQ_U64(cm_len(f.store), witness.n + 1);
    memory_file_free(&witness.file);
    fixture_close(&f);
}

/* A case is a good memory with something wrong: the designated initialisers come last. */
#define BAD(what_, status_, words_, ...)     \
    {.what = (what_),                        \
     .status = (status_),                    \
     .words = (words_),                      \
     .memory = {.size = sizeof(cm_memory_t), \
                .id = {"new", 3},            \
                .vector = vector,            \
                .dimensions = DIM,           \
                .context = {"default", 7},   \
                .importance = 0.5f,          \
                .created_ms = CM_NOW},       \
     __VA_ARGS__}

TEST(insert_refuses_bad_vectors) {
    static const float nan_at_1[DIM] = {1, NAN, 3, 4}, inf_at_3[DIM] = {1, 2, 3, INFINITY}, minus_inf_at_0[DIM] = {-INFINITY, 2, 3, 4};
    const bad_insert_t cases[] = {
        BAD("too few dimensions", CM_E_DIMENSION, "vector|3|4", .memory.dimensions = 3),
        BAD("too many dimensions", CM_E_DIMENSION, "vector|5|4", .memory.dimensions = 5),
        BAD("no dimensions", CM_E_DIMENSION, "vector|0|4", .memory.dimensions = 0),
        BAD("no vector", CM_E_ARGUMENT, "vector|NULL", .memory.vector = NULL),
        BAD("a NaN", CM_E_NOT_FINITE, "vector[1]|NaN", .memory.vector = nan_at_1),
        BAD("an infinity", CM_E_NOT_FINITE, "vector[3]|infinity", .memory.vector = inf_at_3),
        BAD("a negative infinity", CM_E_NOT_FINITE, "vector[0]|-infinity", .memory.vector = minus_inf_at_0),
    };
    expect_refusals(cases, sizeof cases / sizeof cases[0]);
}

TEST(insert_refuses_bad_ids_and_contexts) {
    const bad_insert_t cases[] = {
        BAD("an empty id", CM_E_ID, "id is empty|1024", .memory.id = {"", 0}),
        BAD("an id of 1,025 bytes", CM_E_ID, "id \"xxx|1025|1024", .memory.id = of_length(1025)),
        BAD("an id of a gigantic length", CM_E_ID, "id|" GIGANTIC, .memory.id = {long_string, SIZE_MAX}),
        BAD("an id that is cut off", CM_E_ID, "id \"a?|UTF-8", .memory.id = {"a\xC3", 2}),
        BAD("an id in Latin-1", CM_E_ID, "id \"caf?\"|UTF-8", .memory.id = {"caf\xE9", 4}),
        BAD("an overlong id", CM_E_ID, "id|UTF-8", .memory.id = {"\xC0\x80", 2}),
        BAD("a surrogate", CM_E_ID, "id|UTF-8", .memory.id = {"\xED\xA0\x80", 3}),
        BAD("an id beyond Unicode", CM_E_ID, "id|UTF-8", .memory.id = {"\xF4\x90\x80\x80", 4}),
        BAD("an id that is NULL", CM_E_ARGUMENT, "id|5|NULL", .memory.id = {NULL, 5}),
        BAD("an empty context", CM_E_RANGE, "context is empty", .memory.context = {"", 0}),
        BAD("a context of 1,025 bytes", CM_E_TOO_LARGE, "context|1025|1024", .memory.context = of_length(1025)),
        BAD("a context in Latin-1", CM_E_UTF8, "context \"caf?\"|UTF-8", .memory.context = {"caf\xE9", 4}),
        BAD("a context that is NULL", CM_E_ARGUMENT, "context|9|NULL", .memory.context = {NULL, 9}),
    };
    expect_refusals(cases, sizeof cases / sizeof cases[0]);
}

TEST(insert_refuses_bad_numbers) {
    const bad_insert_t cases[] = {
        BAD("importance -0.01", CM_E_RANGE, "importance|-0.01", .memory.importance = -0.01f),
        BAD("importance 1.01", CM_E_RANGE, "importance|1.01", .memory.importance = 1.01f),
        BAD("importance NaN", CM_E_RANGE, "importance|NaN", .memory.importance = NAN),
        BAD("importance infinity", CM_E_RANGE, "importance|infinity", .memory.importance = INFINITY),
        BAD("decay -1", CM_E_RANGE, "decay_rate|-1", .memory.decay_rate = -1),
        BAD("decay NaN", CM_E_RANGE, "decay_rate|NaN", .memory.decay_rate = NAN),
        BAD("decay infinity", CM_E_RANGE, "decay_rate|infinity", .memory.decay_rate = INFINITY),
        BAD("a struct of another size", CM_E_ARGUMENT, "memory.size|1|CM_MEMORY_INIT", .memory.size = 1),
        BAD("a struct without size", CM_E_ARGUMENT, "memory.size|0|CM_MEMORY_INIT", .memory.size = 0),
    };
    expect_refusals(cases, sizeof cases / sizeof cases[0]);
}

TEST(insert_refuses_bad_relationships) {
    static cm_str_t empty[] = {{"a", 1}, {"", 0}}, latin[] = {{"a", 1}, {"b", 1}, {"\xE9", 1}}, null[] = {{NULL, 3}}, too_long[1],
                    heavy[1025];
    too_long[0] = of_length(1025);
    for (uint32_t i = 0; i < 1025; i++) heavy[i] = of_length(1020);
    const bad_insert_t cases[] = {
        BAD("an empty relationship", CM_E_ID, "relationships[1] is empty", .memory.relationships = empty, .memory.n_relationships = 2),
        BAD("one in Latin-1", CM_E_ID, "relationships[2]|?|UTF-8", .memory.relationships = latin, .memory.n_relationships = 3),
        BAD("one that is NULL", CM_E_ARGUMENT, "relationships[0]|3|NULL", .memory.relationships = null, .memory.n_relationships = 1),
        BAD("one of 1,025 bytes", CM_E_ID, "relationships[0]|1025", .memory.relationships = too_long, .memory.n_relationships = 1),
        BAD("no list", CM_E_ARGUMENT, "relationships|7|NULL", .memory.relationships = NULL, .memory.n_relationships = 7),
        BAD("4,097 of them", CM_E_TOO_LARGE, "relationships|4097|4096", .memory.relationships = many, .memory.n_relationships = 4097),
        BAD("a gigantic number of them", CM_E_TOO_LARGE, "relationships|4294967295", .memory.relationships = many,
            .memory.n_relationships = UINT32_MAX),
        BAD("more than a megabyte", CM_E_TOO_LARGE, "relationships|1049600|1048576", .memory.relationships = heavy,
            .memory.n_relationships = 1025),
    };
    expect_refusals(cases, sizeof cases / sizeof cases[0]);
}

TEST(insert_refuses_bad_payloads) {
    const bad_insert_t cases[] = {
        BAD("a text over a megabyte", CM_E_TOO_LARGE, "text|1048577|1048576", .memory.text = of_length(CM_MAX_PAYLOAD_BYTES + 1)),
        BAD("metadata over a megabyte", CM_E_TOO_LARGE, "metadata|1048577", .memory.metadata = of_length(CM_MAX_PAYLOAD_BYTES + 1)),
        BAD("both together over it", CM_E_TOO_LARGE, "text|1048576|metadata 1", .memory.text = of_length(CM_MAX_PAYLOAD_BYTES),
            .memory.metadata = of_length(1)),
        BAD("lengths whose sum is small", CM_E_TOO_LARGE, "metadata", .memory.text = of_length(8),
            .memory.metadata = {long_string, SIZE_MAX - 3}),
        BAD("a text in Latin-1", CM_E_UTF8, "text|?|UTF-8", .memory.text = {"\xE9", 1}),
        BAD("a text that is NULL", CM_E_ARGUMENT, "text|4|NULL", .memory.text = {NULL, 4}),
        BAD("metadata that are NULL", CM_E_ARGUMENT, "metadata|4|NULL", .memory.metadata = {NULL, 4}),
    };
    expect_refusals(cases, sizeof cases / sizeof cases[0]);
}

/* One byte, one step less than what is refused above. */
TEST(insert_takes_what_lies_just_inside_the_limits) {
    fixture_t f = open_filled();
    cm_memory_t cases[] = {good_memory(), good_memory(), good_memory(), good_memory(), good_memory(), good_memory()}, copy;
    cases[0].id = of_length(CM_MAX_ID_BYTES), cases[0].context = of_length(CM_MAX_CONTEXT_BYTES);
    cases[1].importance = 0, cases[1].decay_rate = 0;
    cases[2].importance = 1, cases[2].decay_rate = 3e38f;
    cases[3].text = of_length(CM_MAX_PAYLOAD_BYTES);
    cases[4].text = of_length(CM_MAX_PAYLOAD_BYTES - 1), cases[4].metadata = of_length(1);
    cases[5].relationships = many, cases[5].n_relationships = CM_MAX_RELATIONSHIPS;
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_MSG(cm_insert(f.thread, &cases[i]) == CM_OK, "case %u: %s", i, cm_message(f.thread));
        CHECK_STATUS(cm_get(f.thread, cases[i].id, &copy, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        CHECK(same_str(copy.text, cases[i].text) && same_str(copy.metadata, cases[i].metadata) && same_str(copy.context, cases[i].context));
        CHECK(copy.importance == cases[i].importance && copy.decay_rate == cases[i].decay_rate);
    }
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
}

/* ---- search ------------------------------------------------------------------------------------------------------------------------ */

typedef struct bad_search {
    const char *what;
    cm_search_t options;
    cm_status_t status;
    const char *words;
} bad_search_t;

#define BAD_QUERY(what_, status_, words_, ...) \
    {.what = (what_), .status = (status_), .words = (words_), .options = CM_SEARCH_INIT, __VA_ARGS__}

TEST(search_refuses_bad_options) {
    const bad_search_t cases[] = {
        BAD_QUERY("k 0", CM_E_RANGE, "k is 0|1 .. 16384", .options.k = 0),
        BAD_QUERY("k too large", CM_E_RANGE, "k is 16385", .options.k = CM_MAX_K + 1),
        BAD_QUERY("k gigantic", CM_E_RANGE, "k is 4294967295", .options.k = UINT32_MAX),
        BAD_QUERY("ef too large", CM_E_RANGE, "ef is 65537|65536", .options.ef = CM_MAX_EF + 1),
        BAD_QUERY("ef gigantic", CM_E_RANGE, "ef is 4294967295", .options.ef = UINT32_MAX),
        BAD_QUERY("a weight above 1", CM_E_RANGE, "temporal_weight is 1.5", .options.temporal_weight = 1.5f),
        BAD_QUERY("a weight that is NaN", CM_E_RANGE, "temporal_weight is NaN", .options.temporal_weight = NAN),
        BAD_QUERY("an infinite weight", CM_E_RANGE, "temporal_weight is infinity", .options.temporal_weight = INFINITY),
        BAD_QUERY("a mode that is none", CM_E_RANGE, "mode is 3|best|rerank|exact", .options.mode = (cm_search_mode_t)3),
        BAD_QUERY("importance below 0", CM_E_RANGE, "min_importance is -0.1", .options.min_importance = -0.1f),
        BAD_QUERY("importance above 1", CM_E_RANGE, "max_importance is 1.1", .options.max_importance = 1.1f),
        BAD_QUERY("importance that is NaN", CM_E_RANGE, "max_importance is NaN", .options.max_importance = NAN),
        BAD_QUERY("importance the wrong way round", CM_E_RANGE, "min_importance is 0.5|max_importance|0.25|nothing could pass",
                  .options.min_importance = 0.5f, .options.max_importance = 0.25f),
        BAD_QUERY("times the wrong way round", CM_E_RANGE, "created_after_ms is 10|created_before_ms|10|nothing could pass",
                  .options.created_after_ms = 10, .options.created_before_ms = 10),
        BAD_QUERY("a context of 1,025 bytes", CM_E_TOO_LARGE, "context|1025", .options.context = of_length(1025)),
        BAD_QUERY("a context in Latin-1", CM_E_UTF8, "context \"caf?\"", .options.context = {"caf\xE9", 4}),
        BAD_QUERY("a context that is NULL", CM_E_ARGUMENT, "context|2|NULL", .options.context = {NULL, 2}),
        BAD_QUERY("a struct of another size", CM_E_ARGUMENT, "options.size|7|CM_SEARCH_INIT", .options.size = 7),
    };
    fixture_t f = open_filled();
    witness_t witness = witness_of(&f);
    cm_hit_t hits[3];
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = 99;
        cm_status_t status = cm_search(f.thread, vector, DIM, &cases[i].options, hits, &n);
        CHECK_MSG(status == cases[i].status, "%s: status %d, expected %d", cases[i].what, (int)status, (int)cases[i].status);
        CHECK_EQ_U64(n, 0);
        check_message(cm_message(f.thread), cases[i].words, cases[i].what);
    }
    check_unharmed(&f, &witness);
    memory_file_free(&witness.file);
    fixture_close(&f);
}

TEST(search_refuses_bad_vectors_and_missing_arguments) {
    const float nan[DIM] = {1, 2, NAN, 4}, inf[DIM] = {-INFINITY, 2, 3, 4};
    fixture_t f = open_filled();
    cm_hit_t hits[10];
    size_t n;
    CHECK_STATUS(cm_search(f.thread, vector, 3, NULL, hits, &n), CM_E_DIMENSION);
    check_message(cm_message(f.thread), "vector|3|4", "too few dimensions");
    CHECK_STATUS(cm_search(f.thread, vector, 0, NULL, hits, &n), CM_E_DIMENSION);
    CHECK_STATUS(cm_search(f.thread, nan, DIM, NULL, hits, &n), CM_E_NOT_FINITE);
    check_message(cm_message(f.thread), "vector[2]|NaN", "a NaN");
    CHECK_STATUS(cm_search(f.thread, inf, DIM, NULL, hits, &n), CM_E_NOT_FINITE);
    check_message(cm_message(f.thread), "vector[0]|-infinity", "an infinity");
    CHECK_STATUS(cm_search(f.thread, NULL, DIM, NULL, hits, &n), CM_E_ARGUMENT);
    check_message(cm_message(f.thread), "vector|NULL", "no vector");
    CHECK_STATUS(cm_search(f.thread, vector, DIM, NULL, NULL, &n), CM_E_ARGUMENT);
    check_message(cm_message(f.thread), "hits|NULL", "no hits");
    CHECK_STATUS(cm_search(f.thread, vector, DIM, NULL, hits, NULL), CM_E_ARGUMENT);
    check_message(cm_message(f.thread), "n_hits|NULL", "no number");
    CHECK_STATUS(cm_search(NULL, vector, DIM, NULL, hits, &n), CM_E_ARGUMENT);
    CHECK_STATUS(cm_search(f.thread, vector, DIM, NULL, hits, &n), CM_OK);
    CHECK_EQ_U64(n, 10);
    fixture_close(&f);
}

TEST(search_takes_what_lies_just_inside_the_limits) {
    fixture_t f = open_filled();
    cm_hit_t *hits = malloc(CM_MAX_K * sizeof *hits);
    cm_search_t options = CM_SEARCH_INIT;
    size_t n;
    options.k = CM_MAX_K, options.ef = CM_MAX_EF;
    for (int weight = 0; weight < 2; weight++) {
        options.temporal_weight = (float)weight;
        CHECK_STATUS(cm_search(f.thread, vector, DIM, &options, hits, &n), CM_OK);
        CHECK_EQ_U64(n, cm_len(f.store));
    }
    free(hits);
    fixture_close(&f);
}

/* ---- ids, handles, cursors, buffers ---------------------------------------------------------------------------------------------------- */

TEST(ids_that_do_not_or_cannot_exist) {
    const cm_str_t ids[] = {CM_STR("nobody"), {"", 0},   of_length(1025),         {"caf\xE9", 4},
                            {NULL, 0},        {NULL, 5}, {long_string, SIZE_MAX}, CM_STR("memory-")};
    fixture_t f = open_filled();
    witness_t witness = witness_of(&f);
    cm_memory_t memory;
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_STATUS(cm_get(f.thread, ids[i], &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_NOT_FOUND);
        check_message(cm_message(f.thread), i == 0 ? "id|nobody" : "id", "get");
        CHECK_STATUS(cm_access(f.thread, ids[i], 1, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_NOT_FOUND);
        check_message(cm_message(f.thread), i == 0 ? "id|nobody" : "id", "access");
        CHECK_STATUS(cm_remove(f.thread, ids[i]), CM_E_NOT_FOUND);
        check_message(cm_message(f.thread), i == 0 ? "id|nobody" : "id", "remove");
        CHECK(!cm_contains(f.thread, ids[i]));
    }
    check_unharmed(&f, &witness);
    memory_file_free(&witness.file);
    fixture_close(&f);
}

TEST(handles_and_cursors_may_be_any_number) {
    fixture_t f = open_filled();
    cm_memory_t memory;
    cm_context_stat_t context;
    uint64_t word = 1;
    for (uint32_t i = 0; i < 20000; i++) {
        word = cmi_mix(word + i);
        uint32_t slot = i % 3 ? (uint32_t)word : (uint32_t)word % 64, generation = i % 2 ? (uint32_t)(word >> 32) : i % 3;
        uint64_t cursor = i % 4 ? word : word % 100000;
        cm_status_t status = cm_get_hit(f.thread, slot, generation, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL);
        CHECK(status == CM_E_STALE || (status == CM_OK && slot < 64));
        status = cm_next(f.thread, &cursor, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL);
        CHECK(status == CM_END || status == CM_OK);
        cursor = word;
        status = cm_next_context(f.thread, &cursor, &context, f.buffer, MEMORY_BUFFER_BYTES, NULL);
        CHECK(status == CM_END || status == CM_OK);
    }
    CHECK_STATUS(cm_get_hit(f.thread, UINT32_MAX, 3, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_STALE);
    check_message(cm_message(f.thread), "slot 4294967295|generation 3", "a wild handle");
    fixture_close(&f);
}

TEST(missing_and_crooked_arguments_have_their_names) {
    fixture_t f = open_filled();
    witness_t witness = witness_of(&f);
    cm_thread_t *t = f.thread;
    cm_memory_t memory;
    cm_context_stat_t context;
    cm_reference_t reference;
    uint64_t cursor = 0;
    uint32_t n;
    char *crooked = (char *)f.buffer + 4;
    const cm_str_t id = CM_STR("memory-1");
    CHECK_STATUS(cm_insert(t, NULL), CM_E_ARGUMENT);
    check_message(cm_message(t), "memory|NULL", "insert");
    CHECK_STATUS(cm_get(t, id, NULL, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    check_message(cm_message(t), "out|NULL", "get");
    CHECK_STATUS(cm_get(t, id, &memory, crooked, 1000, NULL), CM_E_ARGUMENT);
    check_message(cm_message(t), "buffer|8", "get");
    CHECK_STATUS(cm_access(t, id, 1, NULL, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_access(t, id, 1, &memory, crooked, 1000, NULL), CM_E_ARGUMENT);
    check_message(cm_message(t), "buffer|8", "access");
    CHECK_STATUS(cm_get_hit(t, 0, 0, NULL, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_get_hit(t, 0, 0, &memory, crooked, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_next(t, NULL, &memory, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    check_message(cm_message(t), "cursor|NULL", "next");
    CHECK_STATUS(cm_next(t, &cursor, NULL, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_next(t, &cursor, &memory, crooked, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_next_context(t, NULL, &context, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_next_context(t, &cursor, NULL, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_top_references(t, 1, NULL, &n, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_top_references(t, 1, &reference, NULL, f.buffer, 1000, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_stats(t, NULL), CM_E_ARGUMENT);
    check_message(cm_message(t), "out|NULL", "stats");
    CHECK_EQ_U64(cursor, 0);
    check_unharmed(&f, &witness);
    memory_file_free(&witness.file);
    fixture_close(&f);
}

TEST(nothing_at_all_is_survived) {
    cm_memory_t memory = good_memory();
    cm_stats_t stats;
    cm_config_t config = CM_CONFIG_INIT;
    uint64_t cursor = 0;
    size_t n;
    cm_store_t *store = NULL;
    cm_thread_t *thread = (cm_thread_t *)&memory;
    char buffer[64];
    CHECK_STATUS(cm_close(NULL), CM_OK);
    cm_detach(NULL);
    CHECK_STATUS(cm_attach(NULL, &thread), CM_E_ARGUMENT);
    CHECK(thread == NULL);
    CHECK_STATUS(cm_thread_abandon(NULL, 0), CM_E_ARGUMENT);
    CHECK_EQ_U64(cm_thread_slot(NULL), UINT32_MAX);
    CHECK(strcmp(cm_message(NULL), "") == 0);
    cm_config_of(NULL, &config);
    CHECK_STATUS(cm_insert(NULL, &memory), CM_E_ARGUMENT);
    CHECK_STATUS(cm_remove(NULL, memory.id), CM_E_ARGUMENT);
    CHECK_STATUS(cm_get(NULL, memory.id, &memory, buffer, sizeof buffer, &n), CM_E_ARGUMENT);
    CHECK_STATUS(cm_access(NULL, memory.id, 0, &memory, buffer, sizeof buffer, &n), CM_E_ARGUMENT);
    CHECK_STATUS(cm_get_hit(NULL, 0, 0, &memory, buffer, sizeof buffer, &n), CM_E_ARGUMENT);
    CHECK_STATUS(cm_next(NULL, &cursor, &memory, buffer, sizeof buffer, &n), CM_E_ARGUMENT);
    CHECK_STATUS(cm_stats(NULL, &stats), CM_E_ARGUMENT);
    CHECK_STATUS(cm_check(NULL, NULL), CM_E_ARGUMENT);
    CHECK(!cm_contains(NULL, memory.id));
    CHECK_EQ_U64(cm_len(NULL), 0);
    cm_search_report_t report = {.n_distances = 7};
    cm_last_search(NULL, &report);
    CHECK_EQ_U64(report.n_distances, 7);
    CHECK_STATUS(cm_open(&config, NULL, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_open(NULL, &store, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_open(&config, &store, NULL), CM_OK);
    CHECK_STATUS(cm_attach(store, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_close(store), CM_OK);
}

/* ---- configuration ---------------------------------------------------------------------------------------------------------------------- */

typedef struct bad_config {
    cm_config_t config;
    const char *words;
} bad_config_t;

#define BAD_CONFIG(words_, ...) {.words = (words_), .config = CM_CONFIG_INIT, __VA_ARGS__}

TEST(every_rule_of_the_configuration_has_its_message) {
    const bad_config_t cases[] = {
        BAD_CONFIG("dimensions is 0|1 .. 65536", .config.dimensions = 0),
        BAD_CONFIG("dimensions is 65537", .config.dimensions = CM_MAX_DIMENSIONS + 1),
        BAD_CONFIG("max_memories is 0", .config.max_memories = 0),
        BAD_CONFIG("max_memories is 1073741825", .config.max_memories = CM_MAX_MEMORIES + 1),
        BAD_CONFIG("base_decay_rate is 0", .config.base_decay_rate = 0),
        BAD_CONFIG("base_decay_rate is -0.1", .config.base_decay_rate = -0.1f),
        BAD_CONFIG("base_decay_rate is NaN", .config.base_decay_rate = NAN),
        BAD_CONFIG("base_decay_rate is infinity", .config.base_decay_rate = INFINITY),
        BAD_CONFIG("temporal_weight is -0.5", .config.temporal_weight = -0.5f),
        BAD_CONFIG("temporal_weight is 1.5", .config.temporal_weight = 1.5f),
        BAD_CONFIG("temporal_weight is NaN", .config.temporal_weight = NAN),
        BAD_CONFIG("similarity_threshold is 0", .config.similarity_threshold = 0),
        BAD_CONFIG("similarity_threshold is 1", .config.similarity_threshold = 1),
        BAD_CONFIG("similarity_threshold is NaN", .config.similarity_threshold = NAN),
        BAD_CONFIG("max_relationships is 0", .config.max_relationships = 0),
        BAD_CONFIG("max_relationships is 4097|4096", .config.max_relationships = CM_MAX_RELATIONSHIPS + 1),
        BAD_CONFIG("m is 1|2 .. 256", .config.m = 1),
        BAD_CONFIG("m is 0", .config.m = 0),
        BAD_CONFIG("m is 257", .config.m = CM_MAX_M + 1),
        BAD_CONFIG("ef_construction is 15|m|16", .config.ef_construction = 15),
        BAD_CONFIG("ef_construction is 0", .config.ef_construction = 0),
        BAD_CONFIG("ef_construction is 65537", .config.ef_construction = CM_MAX_EF + 1),
        BAD_CONFIG("ef_search is 0", .config.ef_search = 0),
        BAD_CONFIG("ef_search is 65537", .config.ef_search = CM_MAX_EF + 1),
        BAD_CONFIG("metric is 3", .config.metric = (cm_metric_t)3),
        BAD_CONFIG("max_threads is 0", .config.max_threads = 0),
        BAD_CONFIG("max_threads is 1025|1024", .config.max_threads = CM_MAX_THREADS + 1),
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cm_store_t *store = (cm_store_t *)&cases;
        cm_error_t error = {CM_OK, ""};
        cm_status_t status = cm_open(&cases[i].config, &store, &error);
        CHECK_MSG(status == CM_E_CONFIG && error.status == CM_E_CONFIG && store == NULL, "%s: status %d", cases[i].words, (int)status);
        check_message(error.message, cases[i].words, "a configuration");
        CHECK_STATUS(cm_open(&cases[i].config, &store, NULL), CM_E_CONFIG);
    }
    cm_config_t config = CM_CONFIG_INIT;
    cm_store_t *store;
    cm_error_t error = {CM_OK, ""};
    config.size = 12;
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_ARGUMENT);
    check_message(error.message, "config.size|12|CM_CONFIG_INIT", "a struct of another size");
}

TEST(configurations_just_inside_the_limits_open) {
    const bad_config_t cases[] = {
        BAD_CONFIG("the smallest", .config.dimensions = 1, .config.max_memories = 1, .config.base_decay_rate = 1e-45f,
                   .config.temporal_weight = 0, .config.similarity_threshold = 1e-45f, .config.max_relationships = 1, .config.m = 2,
                   .config.ef_construction = 2, .config.ef_search = 1, .config.max_threads = 1),
        BAD_CONFIG("large", .config.dimensions = CM_MAX_DIMENSIONS, .config.max_memories = 1000, .config.base_decay_rate = 3e38f,
                   .config.temporal_weight = 1, .config.similarity_threshold = 0.9999999f, .config.max_relationships = CM_MAX_RELATIONSHIPS,
                   .config.m = CM_MAX_M, .config.ef_construction = CM_MAX_EF, .config.ef_search = CM_MAX_EF,
                   .config.max_threads = CM_MAX_THREADS),
    };
    for (uint32_t i = 0; i < 2; i++) {
        cm_config_t config;
        fixture_t f = fixture_open(&cases[i].config);
        float *zeros = calloc(cases[i].config.dimensions, sizeof *zeros);
        cm_memory_t memory = good_memory();
        memory.vector = zeros, memory.dimensions = cases[i].config.dimensions;
        CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
        cm_config_of(f.store, &config);
        CHECK(memcmp(&config, &cases[i].config, sizeof config) == 0);
        CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
        free(zeros);
        fixture_close(&f);
    }
}

/* ---- the end of room ---------------------------------------------------------------------------------------------------------------------- */

static fixture_t open_with_room_for(uint32_t max_memories) {
    cm_config_t config = small_config(DIM);
    config.max_memories = max_memories;
    return fixture_open(&config);
}

TEST(a_full_store_says_so_and_goes_on) {
    fixture_t f = open_with_room_for(3);
    for (uint32_t i = 0; i < 3; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i, 0), CM_OK);
    witness_t witness = witness_of(&f);
    for (uint32_t i = 0; i < 500; i++) { /* more often than there are slots to lose */
        CHECK_STATUS(insert_numbered(&f, "memory-", 3 + i, 0), CM_E_CAPACITY);
        check_message(cm_message(f.thread), "max_memories|3", "a full store");
        if (i % 50 == 0) check_unharmed(&f, &witness);
    }
    memory_file_free(&witness.file);
    for (uint32_t i = 0; i < 100; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i % 3, i), CM_OK); /* replacing needs no room */
    CHECK_EQ_U64(cm_len(f.store), 3);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("memory-1")), CM_OK);
    CHECK_STATUS(insert_numbered(&f, "memory-", 77, 0), CM_OK);
    CHECK_STATUS(insert_numbered(&f, "memory-", 78, 0), CM_E_CAPACITY);
    CHECK_EQ_U64(cm_len(f.store), 3);
    CHECK(cm_contains(f.thread, CM_STR("memory-77")) && !cm_contains(f.thread, CM_STR("memory-78")));
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
}

TEST(an_index_without_slots_says_so_and_serves_on) {
    fixture_t f = open_with_room_for(4);
    cm_stats_t stats;
    CHECK_STATUS(cm_stats(f.thread, &stats), CM_OK);
    uint64_t n_slots = stats.n_slots;
    for (uint32_t i = 0; i < n_slots; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i % 4, i), CM_OK);
    witness_t witness = witness_of(&f);
    char number[16];
    snprintf(number, sizeof number, "all %u|", (unsigned)n_slots);
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_STATUS(insert_numbered(&f, "memory-", i % 4, 99999), CM_E_INDEX_FULL);
        check_message(cm_message(f.thread), number, "an index without slots");
    }
    check_unharmed(&f, &witness);
    memory_file_free(&witness.file);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("memory-2")), CM_OK);
    for (uint32_t i = 0; i < 10; i++) CHECK_STATUS(insert_numbered(&f, "new-", i, 0), CM_E_INDEX_FULL);
    CHECK_EQ_U64(cm_len(f.store), 3); /* what was counted before it failed is counted no more */
    CHECK(!cm_contains(f.thread, CM_STR("new-0")));
    check_message(cm_message(f.thread), "max_memories", "an index without slots");
    CHECK_STATUS(cm_stats(f.thread, &stats), CM_OK);
    CHECK_EQ_U64(stats.n_memories, 3);
    CHECK_EQ_U64(stats.n_slots_used, n_slots);
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
}

int main(void) {
    make_long_things();
    RUN(insert_refuses_bad_vectors);
    RUN(insert_refuses_bad_ids_and_contexts);
    RUN(insert_refuses_bad_numbers);
    RUN(insert_refuses_bad_relationships);
    RUN(insert_refuses_bad_payloads);
    RUN(insert_takes_what_lies_just_inside_the_limits);
    RUN(search_refuses_bad_options);
    RUN(search_refuses_bad_vectors_and_missing_arguments);
    RUN(search_takes_what_lies_just_inside_the_limits);
    RUN(ids_that_do_not_or_cannot_exist);
    RUN(handles_and_cursors_may_be_any_number);
    RUN(missing_and_crooked_arguments_have_their_names);
    RUN(nothing_at_all_is_survived);
    RUN(every_rule_of_the_configuration_has_its_message);
    RUN(configurations_just_inside_the_limits_open);
    RUN(a_full_store_says_so_and_goes_on);
    RUN(an_index_without_slots_says_so_and_serves_on);
    return tap_done();
}
