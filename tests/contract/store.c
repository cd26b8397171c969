/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store.c - what the store promises to one thread, through chronomind.h alone: memories come back as they went in, replacing merges, removing removes,
 * copies need exactly what they say, handles go stale, iteration, statistics, threads. Searches: store_search.c; refusals: store_bad_input.c.
 */
#include "plat_clock.h"
#include "support/strings.h"
#include "support/snapshot.h"

#define DIM 4u

static fixture_t open_small(uint32_t max_relationships) {
    cm_config_t config = small_config(DIM);
    config.max_relationships = max_relationships;
    return fixture_open(&config);
}

static void close_checked(fixture_t *f) {
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
    fixture_close(f);
}

/* A memory with relationships and nothing else of its own. */
static cm_status_t put(fixture_t *f, const char *id, const char *relationships) {
    static const float vector[DIM] = {1, 2, 3, 4};
    cm_str_t words[64];
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = str(id);
    memory.vector = vector, memory.dimensions = DIM;
    memory.relationships = words, memory.n_relationships = split(relationships, words);
    return cm_insert(f->thread, &memory);
}

static cm_status_t get(fixture_t *f, const char *id, cm_memory_t *out) {
    return cm_get(f->thread, str(id), out, f->buffer, MEMORY_BUFFER_BYTES, NULL);
}

static void check_relationships(fixture_t *f, const char *id, const char *expected) {
    cm_str_t words[64];
    cm_memory_t memory;
    uint32_t n = split(expected, words);
    CHECK_STATUS(get(f, id, &memory), CM_OK);
    CHECK_MSG(memory.n_relationships == n, "%s has %u relationships, expected \"%s\"", id, memory.n_relationships, expected);
    for (uint32_t i = 0; i < n && i < memory.n_relationships; i++)
        CHECK_MSG(same_str(memory.relationships[i], words[i]), "%s: relationship %u is \"%.*s\", expected \"%s\"", id, i,
                  (int)memory.relationships[i].len, memory.relationships[i].data, expected);
}

/* The first hit of a search for the vector of put(). */
static cm_hit_t first_hit(fixture_t *f) {
    static const float vector[DIM] = {1, 2, 3, 4};
    cm_hit_t hits[10] = {{0}};
    size_t n = 0;
    CHECK_STATUS(cm_search(f->thread, vector, DIM, NULL, hits, &n), CM_OK);
    CHECK(n > 0);
    return hits[0];
}

/* ---- insert, get --------------------------------------------------------------------------------------------------------------------- */

TEST(a_memory_comes_back_bit_for_bit) {
    const float vector[DIM] = {-0.0f, 1e-45f, 3.4028235e38f, 0.1f};
    const cm_str_t relationships[] = {CM_STR("me"), CM_STR("not there"), {"\xF0\x9F\x90\x98", 4}};
    cm_memory_t in = CM_MEMORY_INIT, out;
    in.id = (cm_str_t){"me\0too", 6};
    in.vector = vector, in.dimensions = DIM;
    in.context = CM_STR("caf\xC3\xA9");
    in.relationships = relationships, in.n_relationships = 3;
    in.importance = 0.7f, in.decay_rate = 1e-30f;
    in.created_ms = -62135596800000, in.access_count = 99, in.accessed_ms = 99;
    in.text = (cm_str_t){"two\0words", 9};
    in.metadata = (cm_str_t){"\xFF\xFE\0raw", 6};
    fixture_t f = open_small(6);
    CHECK_STATUS(cm_insert(f.thread, &in), CM_OK);
    CHECK_STATUS(cm_get(f.thread, in.id, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    in.access_count = 0, in.accessed_ms = in.created_ms; /* out only */
    check_same_memory(&in, &out);
    CHECK_EQ_U64(out.size, sizeof out);
    CHECK((char *)out.vector >= (char *)f.buffer && (char *)out.vector < (char *)f.buffer + MEMORY_BUFFER_BYTES);
    CHECK(cm_contains(f.thread, in.id));
    CHECK(!cm_contains(f.thread, CM_STR("me")));
    CHECK_EQ_U64(cm_len(f.store), 1);
    close_checked(&f);
}

TEST(nothing_that_was_given_is_kept) {
    fixture_t f = open_small(6);
    char text[3][8] = {"id", "context", "text"};
    float vector[DIM] = {1, 2, 3, 4};
    cm_str_t relationship = str(text[2]);
    cm_memory_t memory = CM_MEMORY_INIT, out;
    memory.id = str(text[0]), memory.context = str(text[1]), memory.text = memory.metadata = str(text[2]);
    memory.vector = vector, memory.dimensions = DIM, memory.relationships = &relationship, memory.n_relationships = 1;
    CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    memset(text, '?', sizeof text);
    memset(vector, 0, sizeof vector);
    CHECK_STATUS(get(&f, "id", &out), CM_OK);
    CHECK(same_str(out.context, CM_STR("context")) && same_str(out.text, CM_STR("text")) && same_str(out.metadata, CM_STR("text")));
    CHECK(same_str(out.relationships[0], CM_STR("text")) && out.vector[3] == 4);
    close_checked(&f);
}

static int64_t ticking_clock(void *context) {
    return ++*(int64_t *)context;
}

TEST(times_come_from_the_injected_clock_or_the_caller) {
    cm_config_t config = small_config(DIM);
    int64_t now = 5000;
    config.clock_ms = ticking_clock, config.clock_context = &now;
    fixture_t f = fixture_open(&config);
    cm_memory_t out;
    CHECK_STATUS(put(&f, "a", ""), CM_OK);
    CHECK_STATUS(get(&f, "a", &out), CM_OK);
    CHECK_EQ_U64(out.created_ms, 5001);
    CHECK_EQ_U64(out.accessed_ms, 5001);
    CHECK_STATUS(cm_access(f.thread, CM_STR("a"), CM_NOW, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_EQ_U64(out.accessed_ms, 5002);
    CHECK_STATUS(cm_access(f.thread, CM_STR("a"), 9000, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_EQ_U64(out.accessed_ms, 9000);
    CHECK_EQ_U64(now, 5002);
    close_checked(&f);

    config.clock_ms = NULL;
    f = fixture_open(&config);
    int64_t before = plat_clock_now_ms();
    CHECK_STATUS(put(&f, "a", ""), CM_OK);
    CHECK_STATUS(get(&f, "a", &out), CM_OK);
    CHECK(out.created_ms >= before && out.created_ms <= plat_clock_now_ms());
    close_checked(&f);
}

/* ---- replace, remove ------------------------------------------------------------------------------------------------------------------- */

TEST(inserting_again_replaces_everything_but_the_relationships) {
    fixture_t f = open_small(6);
    cm_memory_t out;
    float expected[DIM];
    CHECK_STATUS(insert_numbered(&f, "memory-", 10, 1), CM_OK); /* with text, metadata, decay rate, context */
    CHECK_STATUS(cm_access(f.thread, CM_STR("memory-10"), NOW_MS, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_STATUS(put(&f, "memory-10", ""), CM_OK);
    CHECK_EQ_U64(cm_len(f.store), 1);
    CHECK_STATUS(get(&f, "memory-10", &out), CM_OK);
    vector_of(10, 1, DIM, expected);
    CHECK(memcmp(out.vector, expected, sizeof expected) != 0 && out.vector[0] == 1);
    CHECK(same_str(out.context, CM_STR("default")) && out.text.len == 0 && out.metadata.len == 0);
    CHECK(out.importance == 0.5f && out.decay_rate == 0 && out.created_ms == NOW_MS);
    CHECK_EQ_U64(out.access_count, 0);
    CHECK_EQ_U64(out.n_relationships, 3);
    close_checked(&f);
}

TEST(old_relationships_follow_the_new_without_duplicates_up_to_the_limit) {
    fixture_t f = open_small(5);
    CHECK_STATUS(put(&f, "a", "x y z y x"), CM_OK);
    check_relationships(&f, "a", "x y z");
    CHECK_STATUS(put(&f, "a", "y w"), CM_OK);
    check_relationships(&f, "a", "y w x z");
    CHECK_STATUS(put(&f, "a", ""), CM_OK);
    check_relationships(&f, "a", "y w x z");
    CHECK_STATUS(put(&f, "a", "1 2 3"), CM_OK);
    check_relationships(&f, "a", "1 2 3 y w");
    CHECK_STATUS(put(&f, "a", "a b c d e f g"), CM_OK);
    check_relationships(&f, "a", "a b c d e");
    CHECK_STATUS(put(&f, "b", ""), CM_OK);
    check_relationships(&f, "b", "");
    close_checked(&f);
}

TEST(a_removed_memory_is_gone_from_everywhere) {
    fixture_t f = open_small(6);
    cm_memory_t out;
    cm_stats_t stats;
    cm_context_stat_t context;
    uint64_t cursor = 0;
    size_t n;
    cm_hit_t hits[10];
    CHECK_STATUS(insert_numbered(&f, "memory-", 10, 0), CM_OK);
    CHECK_STATUS(put(&f, "stays", "memory-10"), CM_OK);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("memory-10")), CM_OK);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("memory-10")), CM_E_NOT_FOUND);
    CHECK_EQ_U64(cm_len(f.store), 1);
    CHECK(!cm_contains(f.thread, CM_STR("memory-10")));
    CHECK_STATUS(get(&f, "memory-10", &out), CM_E_NOT_FOUND);
    CHECK_STATUS(cm_search(f.thread, (float[DIM]){1, 2, 3, 4}, DIM, NULL, hits, &n), CM_OK);
    CHECK_EQ_U64(n, 1);
    CHECK_STATUS(cm_next(f.thread, &cursor, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK(same_str(out.id, CM_STR("stays")));
    CHECK_STATUS(cm_next(f.thread, &cursor, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_END);
    CHECK_STATUS(cm_stats(f.thread, &stats), CM_OK);
    CHECK(stats.n_memories == 1 && stats.n_contexts == 1);
    cursor = 0;
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK(same_str(context.context, CM_STR("default")) && context.n_memories == 1);
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_END);
    check_relationships(&f, "stays", "memory-10"); /* relationships may name what is not there */

    CHECK_STATUS(put(&f, "memory-10", "new"), CM_OK); /* a new memory, nothing of the old one clings to it */
    check_relationships(&f, "memory-10", "new");
    CHECK_EQ_U64(cm_len(f.store), 2);
    close_checked(&f);
}

/* ---- access ------------------------------------------------------------------------------------------------------------------------------ */

TEST(access_counts_and_remembers_the_latest) {
    fixture_t f = open_small(6);
    cm_memory_t out;
    size_t needed;
    const int64_t times[] = {NOW_MS + 5, NOW_MS + 50, NOW_MS + 7, -3}, latest[] = {NOW_MS + 5, NOW_MS + 50, NOW_MS + 50, NOW_MS + 50};
    CHECK_STATUS(put(&f, "a", "x"), CM_OK);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_STATUS(cm_access(f.thread, CM_STR("a"), times[i], &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        CHECK_EQ_U64(out.access_count, i + 1);
        CHECK_EQ_U64(out.accessed_ms, latest[i]);
    }
    CHECK_STATUS(cm_access(f.thread, CM_STR("a"), NOW_MS + 99, &out, f.buffer, 8, &needed), CM_E_BUFFER);
    CHECK_STATUS(get(&f, "a", &out), CM_OK);
    CHECK_EQ_U64(out.access_count, 4); /* what was not delivered was no access, and neither is get() */
    CHECK_EQ_U64(out.accessed_ms, NOW_MS + 50);
    CHECK_EQ_U64(out.created_ms, NOW_MS);
    CHECK_EQ_U64(first_hit(&f).access_count, 4);
    close_checked(&f);
}

/* ---- buffers ----------------------------------------------------------------------------------------------------------------------------- */

/* One of the four calls that copy a memory. */
typedef struct copying {
    const char *what;
    fixture_t *f;
    cm_hit_t hit;
    uint64_t cursor;
} copying_t;

static cm_status_t copy(copying_t *c, cm_memory_t *out, void *buffer, size_t capacity, size_t *needed) {
    cm_thread_t *thread = c->f->thread;
    if (strcmp(c->what, "get") == 0) return cm_get(thread, CM_STR("memory-10"), out, buffer, capacity, needed);
    if (strcmp(c->what, "access") == 0) return cm_access(thread, CM_STR("memory-10"), NOW_MS, out, buffer, capacity, needed);
    if (strcmp(c->what, "get_hit") == 0) return cm_get_hit(thread, c->hit.slot, c->hit.generation, out, buffer, capacity, needed);
    return cm_next(thread, &c->cursor, out, buffer, capacity, needed);
}

TEST(copies_need_exactly_what_they_say) {
    static const char *const calls[] = {"get", "access", "get_hit", "next"};
    fixture_t f = open_small(6);
    CHECK_STATUS(insert_numbered(&f, "memory-", 10, 0), CM_OK);
    for (uint32_t i = 0; i < 4; i++) {
        copying_t c = {.what = calls[i], .f = &f, .hit = first_hit(&f)};
        cm_memory_t out, reference;
        size_t needed = 0, again = 0;
        CHECK_STATUS(get(&f, "memory-10", &reference), CM_OK);
        CHECK_STATUS(copy(&c, &out, NULL, 0, &needed), CM_E_BUFFER);
        CHECK_MSG(needed > DIM * sizeof(float) && needed < 1000, "%s needs %zu bytes", c.what, needed);
        uint8_t *room = malloc(needed + 1); /* of this size, so that a sanitizer sees the next byte */
        for (size_t capacity = 0; capacity < needed; capacity++) {
            CHECK_STATUS(copy(&c, &out, room, capacity, &again), CM_E_BUFFER);
            CHECK_EQ_U64(again, needed);
        }
        char number[24];
        snprintf(number, sizeof number, "%zu", needed);
        CHECK_MSG(strstr(cm_message(f.thread), number), "%s", cm_message(f.thread));
        room[needed] = 0xA5;
        CHECK_STATUS(copy(&c, &out, room, needed, &again), CM_OK);
        CHECK_EQ_U64(again, needed);
        CHECK_EQ_U64(room[needed], 0xA5);
        reference.access_count = out.access_count, reference.accessed_ms = out.accessed_ms;
        check_same_memory(&reference, &out);
        CHECK((uint8_t *)out.vector >= room && (uint8_t *)out.metadata.data + out.metadata.len <= room + needed);
        if (i == 3) CHECK_STATUS(copy(&c, &out, room, needed, &again), CM_END); /* the cursor stayed until then */
        free(room);
    }
    close_checked(&f);
}

TEST(labels_and_references_need_exactly_what_they_say) {
    fixture_t f = open_small(6);
    cm_context_stat_t context;
    cm_reference_t references[4];
    uint64_t cursor = 0;
    uint32_t n = 9;
    size_t needed = 0;
    char room[9];
    CHECK_STATUS(put(&f, "a", "four fives"), CM_OK);
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, NULL, 0, &needed), CM_E_BUFFER);
    CHECK_EQ_U64(needed, strlen("default"));
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, room, 6, &needed), CM_E_BUFFER);
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, room, 7, &needed), CM_OK);
    CHECK(same_str(context.context, CM_STR("default")));
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, room, 7, &needed), CM_END);
    CHECK_STATUS(cm_top_references(f.thread, 4, references, &n, NULL, 0, &needed), CM_E_BUFFER);
    CHECK_EQ_U64(needed, 9);
    CHECK_EQ_U64(n, 0);
    CHECK_STATUS(cm_top_references(f.thread, 4, references, &n, room, 8, &needed), CM_E_BUFFER);
    CHECK_STATUS(cm_top_references(f.thread, 4, references, &n, room, 9, &needed), CM_OK);
    CHECK_EQ_U64(n, 2);
    CHECK(n == 2 && same_str(references[0].id, CM_STR("fives")) && same_str(references[1].id, CM_STR("four")));
    close_checked(&f);
}

/* ---- handles ------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_handle_goes_stale_when_its_memory_is_replaced_or_removed) {
    fixture_t f = open_small(6);
    cm_memory_t out;
    CHECK_STATUS(put(&f, "a", "x"), CM_OK);
    cm_hit_t first = first_hit(&f);
    CHECK_STATUS(cm_get_hit(f.thread, first.slot, first.generation, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK(same_str(out.id, CM_STR("a")));
    CHECK_STATUS(cm_get_hit(f.thread, first.slot, first.generation + 1, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_STALE);
    CHECK_STATUS(put(&f, "a", "y"), CM_OK);
    CHECK_STATUS(cm_get_hit(f.thread, first.slot, first.generation, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_STALE);
    cm_hit_t second = first_hit(&f);
    CHECK(second.slot != first.slot || second.generation != first.generation);
    CHECK_STATUS(cm_get_hit(f.thread, second.slot, second.generation, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_EQ_U64(out.n_relationships, 2);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("a")), CM_OK);
    CHECK_STATUS(cm_get_hit(f.thread, second.slot, second.generation, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_STALE);
    CHECK_STATUS(put(&f, "a", ""), CM_OK);
    CHECK_STATUS(cm_get_hit(f.thread, second.slot, second.generation, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_E_STALE);
    close_checked(&f);
}

/* ---- iteration ----------------------------------------------------------------------------------------------------------------------------- */

enum { N_ITERATED = 300 };

/* The number in "memory-N", N_ITERATED for what else there may be. */
static uint32_t number_of(cm_str_t id) {
    char text[32];
    if (id.len >= sizeof text || id.len < 8 || memcmp(id.data, "memory-", 7) != 0) return N_ITERATED;
    memcpy(text, id.data, id.len);
    text[id.len] = 0;
    return (uint32_t)strtoul(text + 7, NULL, 10);
}

TEST(iteration_sees_each_memory_once) {
    fixture_t f = open_small(6), other = open_small(6);
    uint32_t seen[N_ITERATED + 1] = {0};
    uint64_t cursor = 0;
    cm_memory_t out;
    for (uint32_t i = 0; i < N_ITERATED; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i, 0), CM_OK);
    for (uint32_t i = 0; i < N_ITERATED; i++) CHECK_STATUS(insert_numbered(&other, "memory-", i, 0), CM_OK);
    while (cm_next(f.thread, &cursor, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) seen[number_of(out.id)]++;
    for (uint32_t i = 0; i < N_ITERATED; i++) CHECK_MSG(seen[i] == 1, "memory-%u was seen %u times", i, seen[i]);
    CHECK_STATUS(cm_next(f.thread, &cursor, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_END);
    CHECK(strcmp(cm_message(f.thread), "") == 0); /* the end is no failure */
    check_same_memories(&f, &other);
    close_checked(&f);
    close_checked(&other);
}

/* Between any two steps: a third is replaced, a third removed (half of those inserted again), and there are new ones. */
TEST(iteration_sees_once_what_exists_throughout_whatever_happens_to_the_rest) {
    fixture_t f = open_small(6);
    uint32_t seen[N_ITERATED + 1] = {0}, n_steps = 0;
    uint64_t cursor = 0;
    cm_memory_t out;
    char id[64];
    for (uint32_t i = 0; i < N_ITERATED; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i, 0), CM_OK);
    while (cm_next(f.thread, &cursor, &out, f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        uint32_t number = number_of(out.id), at = n_steps * 7 % N_ITERATED;
        seen[number]++;
        if (at % 3 == 1) CHECK_STATUS(insert_numbered(&f, "memory-", at, 1), CM_OK);
        if (at % 3 == 2) {
            cm_status_t status = cm_remove(f.thread, numbered_id(id, sizeof id, "memory-", at));
            CHECK(status == CM_OK || status == CM_E_NOT_FOUND);
            if (at % 2) CHECK_STATUS(insert_numbered(&f, "memory-", at, 2), CM_OK);
        }
        CHECK_STATUS(insert_numbered(&f, "late-", n_steps, 0), CM_OK);
        if (++n_steps > 2 * N_ITERATED) break;
    }
    CHECK_MSG(n_steps <= N_ITERATED, "%u steps", n_steps);
    for (uint32_t i = 0; i < N_ITERATED; i++) {
        if (i % 3 < 2) CHECK_MSG(seen[i] == 1, "memory-%u was seen %u times", i, seen[i]);
        else CHECK_MSG(seen[i] <= 1, "memory-%u was seen %u times", i, seen[i]);
    }
    CHECK_EQ_U64(seen[N_ITERATED], 0); /* what came later belongs to the next iteration */
    close_checked(&f);
}

/* ---- statistics ---------------------------------------------------------------------------------------------------------------------------- */

TEST(stats_add_up) {
    fixture_t f = open_small(6);
    cm_stats_t stats;
    CHECK_STATUS(cm_stats(f.thread, &stats), CM_OK);
    CHECK(stats.n_memories == 0 && stats.n_components == 0 && stats.n_contexts == 0 && stats.average_importance == 0);
    CHECK(stats.max_memories == 2000 && stats.n_slots >= 2000 && stats.bytes_blocks == 0);
    double sum = 0;
    for (uint32_t i = 0; i < 90; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i, 0), CM_OK);
    for (uint32_t i = 0; i < 10; i++) CHECK_STATUS(insert_numbered(&f, "memory-", i, 1), CM_OK);
    for (uint32_t i = 10; i < 20; i++) CHECK_STATUS(cm_remove(f.thread, numbered_id((char[32]){0}, 32, "memory-", i)), CM_OK);
    for (uint32_t i = 0; i < 90; i++) sum += i / 10 == 1 ? 0 : (double)((float)(i % 101) / 100.0f);
    CHECK_STATUS(cm_stats(f.thread, &stats), CM_OK);
    CHECK_EQ_U64(stats.n_memories, 80);
    CHECK_EQ_U64(stats.n_components, 80 * DIM);
    CHECK_EQ_U64(stats.n_contexts, 6);
    CHECK(stats.average_importance > sum / 80 - 1e-9 && stats.average_importance < sum / 80 + 1e-9);
    CHECK_EQ_U64(stats.n_slots_used, 100);
    CHECK(stats.bytes_vectors >= 100 * DIM * sizeof(float) && stats.bytes_index > 0 && stats.bytes_records >= 100 * 64);
    CHECK(stats.bytes_blocks > 80 * 8);
    CHECK(stats.bytes_reserved >= stats.bytes_vectors + stats.bytes_index + stats.bytes_records + stats.bytes_blocks);
    CHECK_MSG(stats.n_retired <= 80, "%" PRIu64 " wait for a grace period", stats.n_retired); /* two postings and at most two blocks each */
    close_checked(&f);
}

TEST(contexts_come_in_the_order_of_their_first_memory_with_their_counts) {
    static const char *const labels[] = {"zebra", "apple", "mango", "apple", "zebra", "apple", "gone", "back"};
    fixture_t f = open_small(6);
    for (uint32_t i = 0; i < 8; i++) {
        cm_memory_t memory = CM_MEMORY_INIT;
        char id[16];
        memory.id = numbered_id(id, sizeof id, "m", i);
        memory.vector = (float[DIM]){1, 2, 3, (float)i}, memory.dimensions = DIM;
        memory.context = str(labels[i]);
        CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    }
    CHECK_STATUS(cm_remove(f.thread, CM_STR("m6")), CM_OK);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("m7")), CM_OK);
    CHECK_STATUS(put(&f, "m5", ""), CM_OK); /* from "apple" to "default" */
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = CM_STR("m8"), memory.vector = (float[DIM]){1}, memory.dimensions = DIM, memory.context = CM_STR("back");
    CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);

    static const char *const expected[] = {"zebra", "apple", "mango", "back", "default"};
    static const uint64_t counts[] = {2, 2, 1, 1, 1};
    cm_context_stat_t context;
    uint64_t cursor = 0;
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        CHECK_MSG(same_str(context.context, str(expected[i])) && context.n_memories == counts[i], "%u: %.*s with %" PRIu64, i,
                  (int)context.context.len, context.context.data, context.n_memories);
    }
    CHECK_STATUS(cm_next_context(f.thread, &cursor, &context, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_END);
    close_checked(&f);
}

TEST(references_come_by_count_then_by_id) {
    fixture_t f = open_small(6);
    cm_reference_t references[16];
    uint32_t n = 9;
    CHECK_STATUS(cm_top_references(f.thread, 16, references, &n, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_EQ_U64(n, 0);
    CHECK_STATUS(put(&f, "1", "b a ab"), CM_OK);
    CHECK_STATUS(put(&f, "2", "b \xC3\xA9 a"), CM_OK);
    CHECK_STATUS(put(&f, "3", "b Z"), CM_OK);
    CHECK_STATUS(put(&f, "3", "b 1"), CM_OK); /* replaced: counts once */
    CHECK_STATUS(put(&f, "4", "never"), CM_OK);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("4")), CM_OK);
    static const char *const expected[] = {"b", "a", "1", "Z", "ab", "\xC3\xA9"};
    static const uint64_t counts[] = {3, 2, 1, 1, 1, 1};
    for (uint32_t limit = 0; limit <= 8; limit++) {
        CHECK_STATUS(cm_top_references(f.thread, limit, limit ? references : NULL, &n, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        CHECK_EQ_U64(n, limit < 6 ? limit : 6);
        for (uint32_t i = 0; i < n && i < 6; i++)
            CHECK_MSG(same_str(references[i].id, str(expected[i])) && references[i].n_references == counts[i],
                      "%u of %u: %.*s with %" PRIu64, i, limit, (int)references[i].id.len, references[i].id.data,
                      references[i].n_references);
    }
    close_checked(&f);
}

/* More different ids than the table begins with. */
TEST(many_references_are_counted) {
    fixture_t f = open_small(6);
    cm_reference_t *references = malloc(6000 * sizeof *references);
    char names[3][16];
    for (uint32_t i = 0; i < 1500; i++) {
        char id[16], words[64];
        snprintf(names[0], 16, "r%u", i), snprintf(names[1], 16, "s%u", i / 2), snprintf(names[2], 16, "t%u", i / 500);
        snprintf(words, sizeof words, "%s %s %s", names[0], names[1], names[2]);
        snprintf(id, sizeof id, "%u", i);
        CHECK_STATUS(put(&f, id, words), CM_OK);
    }
    uint32_t n;
    CHECK_STATUS(cm_top_references(f.thread, 6000, references, &n, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_EQ_U64(n, 1500 + 750 + 3);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t expected = i < 3 ? 500 : i < 753 ? 2 : 1;
        CHECK(references[i].n_references == expected && references[i].id.data[0] == (i < 3 ? 't' : i < 753 ? 's' : 'r'));
        if (i > 0 && references[i - 1].n_references == expected) CHECK(cmi_str_compare(references[i - 1].id, references[i].id) < 0);
    }
    free(references);
    close_checked(&f);
}

/* ---- threads ------------------------------------------------------------------------------------------------------------------------------- */

TEST(threads_are_limited_and_a_store_in_use_stays_open) {
    cm_config_t config = small_config(DIM);
    config.max_threads = 3;
    fixture_t f = fixture_open(&config);
    cm_thread_t *second, *third, *fourth;
    CHECK_STATUS(cm_attach(f.store, &second), CM_OK);
    CHECK_STATUS(cm_attach(f.store, &third), CM_OK);
    CHECK_STATUS(cm_attach(f.store, &fourth), CM_E_THREADS);
    CHECK(fourth == NULL);
    CHECK(cm_thread_slot(second) < 3 && cm_thread_slot(second) != cm_thread_slot(third) &&
          cm_thread_slot(second) != cm_thread_slot(f.thread));
    CHECK_STATUS(cm_close(f.store), CM_E_BUSY);
    CHECK_STATUS(put(&f, "a", ""), CM_OK); /* and open it is */
    cm_detach(second);
    CHECK_STATUS(cm_attach(f.store, &fourth), CM_OK);
    cm_detach(third);
    cm_detach(fourth);
    CHECK_STATUS(cm_close(f.store), CM_E_BUSY);
    close_checked(&f);
}

/* A thread that never comes back: with the own epoch somebody else may bury it. */
TEST(a_dead_thread_can_be_buried_where_the_epoch_can) {
    fixture_t f = open_small(6);
    cm_thread_t *dead;
    bool own = strcmp(cm_epoch_name(), "own") == 0;
    CHECK_STATUS(cm_attach(f.store, &dead), CM_OK);
    uint32_t slot = cm_thread_slot(dead);
    CHECK_STATUS(cm_remove(dead, CM_STR("nothing")), CM_E_NOT_FOUND); /* so that it holds something */
    CHECK_STATUS(cm_thread_abandon(f.store, 7), CM_E_ARGUMENT);       /* nobody's */
    CHECK_STATUS(cm_thread_abandon(f.store, UINT32_MAX), CM_E_ARGUMENT);
    CHECK_STATUS(cm_thread_abandon(f.store, slot), own ? CM_OK : CM_E_ARGUMENT);
    CHECK_STATUS(cm_thread_abandon(f.store, slot), CM_E_ARGUMENT);
    if (!own) cm_detach(dead);
    CHECK_STATUS(put(&f, "a", ""), CM_OK);
    close_checked(&f);
}

TEST(messages_belong_to_a_thread_and_to_its_last_call) {
    fixture_t f = open_small(6);
    cm_thread_t *other;
    CHECK_STATUS(cm_attach(f.store, &other), CM_OK);
    CHECK(strcmp(cm_message(f.thread), "") == 0);
    CHECK_STATUS(cm_remove(f.thread, CM_STR("nothing")), CM_E_NOT_FOUND);
    CHECK(strstr(cm_message(f.thread), "nothing") && strcmp(cm_message(other), "") == 0);
    CHECK_STATUS(put(&f, "a", ""), CM_OK);
    CHECK(strcmp(cm_message(f.thread), "") == 0);
    cm_detach(other);
    close_checked(&f);
}

/* ---- reclamation ----------------------------------------------------------------------------------------------------------------------------- */

/* What was replaced and removed is used again, not hoarded: 40 MB go through a store that holds 50 memories of 4 KiB. Elsewhere a helper thread
 * frees them, which may come late on a loaded machine; with patience it comes. */
static void wait_for_reclamation(fixture_t *f) {
    const uint64_t patience_ns = 20000000000u, start = plat_clock_monotonic_ns();
    cm_stats_t stats;
    do CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    while (stats.n_retired > 500 && plat_clock_monotonic_ns() - start < patience_ns);
    CHECK_MSG(stats.n_retired <= 500, "%" PRIu64 " wait for a grace period", stats.n_retired);
}

TEST(churn_keeps_its_blocks) {
    static char text[4096];
    cm_config_t config = small_config(DIM);
    config.max_memories = 8000;
    fixture_t f = fixture_open(&config);
    cm_stats_t stats;
    memset(text, 't', sizeof text);
    for (uint32_t i = 1; i <= 10000; i++) {
        char id[16];
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = numbered_id(id, sizeof id, "m", i % 50);
        memory.vector = (float[DIM]){1, (float)i}, memory.dimensions = DIM;
        memory.text = (cm_str_t){text, sizeof text};
        CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
        if (i % 3 == 0) CHECK_STATUS(cm_remove(f.thread, memory.id), CM_OK);
        if (i % 500 != 0) continue;
        wait_for_reclamation(&f);
        CHECK_STATUS(cm_stats(f.thread, &stats), CM_OK);
        CHECK_MSG(stats.bytes_blocks < 3u << 20, "after %u inserts blocks take %" PRIu64 " bytes", i, stats.bytes_blocks);
    }
    close_checked(&f);
}

int main(void) {
    RUN(a_memory_comes_back_bit_for_bit);
    RUN(nothing_that_was_given_is_kept);
    RUN(times_come_from_the_injected_clock_or_the_caller);
    RUN(inserting_again_replaces_everything_but_the_relationships);
    RUN(old_relationships_follow_the_new_without_duplicates_up_to_the_limit);
    RUN(a_removed_memory_is_gone_from_everywhere);
    RUN(access_counts_and_remembers_the_latest);
    RUN(copies_need_exactly_what_they_say);
    RUN(labels_and_references_need_exactly_what_they_say);
    RUN(a_handle_goes_stale_when_its_memory_is_replaced_or_removed);
    RUN(iteration_sees_each_memory_once);
    RUN(iteration_sees_once_what_exists_throughout_whatever_happens_to_the_rest);
    RUN(stats_add_up);
    RUN(contexts_come_in_the_order_of_their_first_memory_with_their_counts);
    RUN(references_come_by_count_then_by_id);
    RUN(many_references_are_counted);
    RUN(threads_are_limited_and_a_store_in_use_stays_open);
    RUN(a_dead_thread_can_be_buried_where_the_epoch_can);
    RUN(messages_belong_to_a_thread_and_to_its_last_call);
    RUN(churn_keeps_its_blocks);
    return tap_done();
}
