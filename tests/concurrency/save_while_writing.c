/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * save_while_writing.c - snapshots taken while two threads insert and replace, and one removes. Each of them, loaded:
 *   - passes check();
 *   - holds every id that existed throughout, exactly once ("stay-" untouched, "swap-" replaced again and again);
 *   - holds no id that was removed before, or inserted after;
 *   - holds whole memories: the vector and the text of one and the same version.
 */
#include "support/snapshot.h"

#include "plat_atomic.h"
#include "plat_thread.h"

enum { N_STAY = 150, N_SWAP = 20, N_GONE = 100, N_NEW_PER_WRITER = 400, DIMENSIONS = 16 };

static fixture_t shared;
static plat_a32_t n_running;

typedef struct writer {
    uint32_t index;
    plat_thread_t *thread;
} writer_t;

static void text_of(char *out, size_t capacity, const char *prefix, uint32_t number, uint32_t version) {
    snprintf(out, capacity, "%s%u %u", prefix, number, version);
}

static cm_status_t put(fixture_t *f, const char *prefix, uint32_t number, uint32_t version) {
    char id[64], text[64];
    float vector[DIMENSIONS];
    cm_memory_t memory = CM_MEMORY_INIT;
    vector_of(number, version, DIMENSIONS, vector);
    text_of(text, sizeof text, prefix, number, version);
    cm_str_t relationship = {text, strlen(text)};
    memory.id = numbered_id(id, sizeof id, prefix, number);
    memory.vector = vector, memory.dimensions = DIMENSIONS;
    memory.text = (cm_str_t){text, strlen(text)};
    memory.relationships = &relationship, memory.n_relationships = 1;
    return cm_insert(f->thread, &memory);
}

static void write_and_replace(void *argument) {
    const writer_t *writer = (const writer_t *)argument;
    const char *prefix = writer->index == 0 ? "left-" : "right-";
    fixture_t f = fixture_of(shared.store);
    for (uint32_t i = 0; i < N_NEW_PER_WRITER; i++) {
        CHECK_STATUS(put(&f, prefix, i, 0), CM_OK);
        CHECK_STATUS(put(&f, "swap-", i % N_SWAP, 1 + i + writer->index * N_NEW_PER_WRITER), CM_OK); /* both writers replace the same ids */
    }
    cm_detach(f.thread);
    free(f.buffer);
    plat_fetch_sub_relaxed(&n_running, 1);
}

static void remove_and_access(void *argument) {
    (void)argument;
    fixture_t f = fixture_of(shared.store);
    char id[64];
    cm_memory_t memory;
    for (uint32_t i = 0; i < N_GONE; i++) {
        CHECK_STATUS(cm_remove(f.thread, numbered_id(id, sizeof id, "gone-", i)), CM_OK);
        for (uint32_t j = 0; j < 8; j++)
            cm_access(f.thread, numbered_id(id, sizeof id, "swap-", (i + j) % N_SWAP), NOW_MS + i, &memory, f.buffer, MEMORY_BUFFER_BYTES,
                      NULL);
    }
    cm_detach(f.thread);
    free(f.buffer);
    plat_fetch_sub_relaxed(&n_running, 1);
}

/* The version that the text names, UINT32_MAX when the text is not the id's. */
static uint32_t version_of(const cm_memory_t *memory) {
    char text[128];
    size_t n = CMI_MIN(memory->text.len, sizeof text - 1);
    memcpy(text, memory->text.data, n);
    text[n] = 0;
    if (n <= memory->id.len || memcmp(text, memory->id.data, memory->id.len) != 0 || text[memory->id.len] != ' ') return UINT32_MAX;
    return (uint32_t)strtoul(text + memory->id.len + 1, NULL, 10);
}

static void check_whole(const cm_memory_t *memory) {
    float expected[DIMENSIONS];
    uint32_t version = version_of(memory), number = (uint32_t)strtoul(strchr(memory->id.data, '-') + 1, NULL, 10);
    CHECK_MSG(version != UINT32_MAX, "%.*s has the text \"%.*s\"", (int)memory->id.len, memory->id.data, (int)memory->text.len,
              memory->text.data);
    vector_of(number, version, DIMENSIONS, expected);
    CHECK_MSG(memcmp(memory->vector, expected, sizeof expected) == 0, "%.*s: the vector is not version %u's", (int)memory->id.len,
              memory->id.data, version);
    CHECK(memory->n_relationships >= 1 && same_str(memory->relationships[0], memory->text));
}

static void check_snapshot(memory_file_t *file) {
    static uint32_t n_stay[N_STAY], n_swap[N_SWAP];
    memset(n_stay, 0, sizeof n_stay);
    memset(n_swap, 0, sizeof n_swap);
    fixture_t f = load_fixture(file);
    uint64_t cursor = 0;
    cm_memory_t memory;
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    while (cm_next(f.thread, &cursor, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        check_whole(&memory);
        uint32_t number = (uint32_t)strtoul(strchr(memory.id.data, '-') + 1, NULL, 10);
        if (memcmp(memory.id.data, "stay-", 5) == 0) n_stay[number]++;
        if (memcmp(memory.id.data, "swap-", 5) == 0) n_swap[number]++;
    }
    for (uint32_t i = 0; i < N_STAY; i++) CHECK_MSG(n_stay[i] == 1, "stay-%u is there %u times", i, n_stay[i]);
    for (uint32_t i = 0; i < N_SWAP; i++) CHECK_MSG(n_swap[i] == 1, "swap-%u is there %u times", i, n_swap[i]);
    fixture_close(&f);
}

/* Both bounds that a snapshot must respect, taken from the store just before and just after. */
static void save_and_check(void) {
    char id[64];
    bool gone_before[N_GONE], left_before[N_NEW_PER_WRITER], left_after[N_NEW_PER_WRITER];
    for (uint32_t i = 0; i < N_GONE; i++) gone_before[i] = !cm_contains(shared.thread, numbered_id(id, sizeof id, "gone-", i));
    for (uint32_t i = 0; i < N_NEW_PER_WRITER; i++) left_before[i] = cm_contains(shared.thread, numbered_id(id, sizeof id, "left-", i));
    memory_file_t file = save_to_memory(&shared);
    for (uint32_t i = 0; i < N_NEW_PER_WRITER; i++) left_after[i] = cm_contains(shared.thread, numbered_id(id, sizeof id, "left-", i));
    fixture_t f = load_fixture(&file);
    for (uint32_t i = 0; i < N_GONE; i++)
        CHECK_MSG(!gone_before[i] || !cm_contains(f.thread, numbered_id(id, sizeof id, "gone-", i)),
                  "gone-%u was removed before the save, and is in it", i);
    for (uint32_t i = 0; i < N_NEW_PER_WRITER; i++) {
        bool there = cm_contains(f.thread, numbered_id(id, sizeof id, "left-", i));
        CHECK_MSG(!left_before[i] || there, "left-%u was inserted before the save, and is not in it", i);
        CHECK_MSG(left_after[i] || !there, "left-%u was inserted after the save, and is in it", i);
    }
    fixture_close(&f);
    check_snapshot(&file);
    memory_file_free(&file);
}

TEST(snapshots_taken_meanwhile_are_consistent) {
    cm_config_t config = small_config(DIMENSIONS);
    config.max_memories = 4000;
    shared = fixture_open(&config);
    for (uint32_t i = 0; i < N_STAY; i++) CHECK_STATUS(put(&shared, "stay-", i, 0), CM_OK);
    for (uint32_t i = 0; i < N_SWAP; i++) CHECK_STATUS(put(&shared, "swap-", i, 0), CM_OK);
    for (uint32_t i = 0; i < N_GONE; i++) CHECK_STATUS(put(&shared, "gone-", i, 0), CM_OK);
    writer_t writers[2] = {{.index = 0}, {.index = 1}};
    plat_store_relaxed(&n_running, 3);
    for (uint32_t i = 0; i < 2; i++) writers[i].thread = plat_thread_spawn(write_and_replace, &writers[i]);
    plat_thread_t *remover = plat_thread_spawn(remove_and_access, NULL);
    uint32_t n_saves = 0;
    while (plat_load_relaxed(&n_running) > 0 || n_saves < 3) { /* bounded: the writers' loops are */
        save_and_check();
        n_saves++;
    }
    for (uint32_t i = 0; i < 2; i++) plat_thread_join(writers[i].thread);
    plat_thread_join(remover);
    save_and_check();
    CHECK_MSG(cm_check(shared.thread, NULL) == CM_OK, "%s", cm_message(shared.thread));
    printf("# %u snapshots\n", n_saves + 1);
    fixture_close(&shared);
}

/* From the very first insert on: the entry point, the root and the id map come into being under the saver's eyes. */
TEST(snapshots_of_a_store_that_begins_are_consistent) {
    for (uint32_t round = 0; round < 30; round++) {
        cm_config_t config = small_config(DIMENSIONS);
        config.max_memories = 4000;
        shared = fixture_open(&config);
        for (uint32_t i = 0; i < N_SWAP + N_GONE && round % 2; i++)
            put(&shared, i < N_SWAP ? "swap-" : "gone-", i < N_SWAP ? i : i - N_SWAP, 0);
        writer_t writers[2] = {{.index = 0}, {.index = 1}};
        plat_store_relaxed(&n_running, 2);
        for (uint32_t i = 0; i < 2; i++) writers[i].thread = plat_thread_spawn(write_and_replace, &writers[i]);
        for (uint32_t i = 0; i < 3; i++) {
            memory_file_t file = save_to_memory(&shared);
            fixture_t f = load_fixture(&file);
            CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
            fixture_close(&f);
            memory_file_free(&file);
        }
        for (uint32_t i = 0; i < 2; i++) plat_thread_join(writers[i].thread);
        fixture_close(&shared);
    }
}

int main(void) {
    RUN(snapshots_taken_meanwhile_are_consistent);
    RUN(snapshots_of_a_store_that_begins_are_consistent);
    return tap_done();
}
