/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * snapshot.c - fuzzes cm_load: the input is a snapshot file, loaded as it is, and once more with checksums that hold (support/snapshot_parts.h).
 *
 * Holds: a typed error that says something, or a store; never a crash, nor more memory than HEAP_PAGES_MOST_BYTES. A store that was loaded is then used like
 * any other: it stands up to check(), answers, changes, and saves a snapshot that loads to the same number of memories.
 */
#include "fuzz/support/heap_pages.h"
#include "fuzz/support/snapshot_parts.h"
#include "support/memory_file.h"
#include "support/strings.h"

enum { BUFFER_BYTES = 3 << 20, HITS = 8, FILE_BYTES = 1 << 20 };

static uint64_t buffer[BUFFER_BYTES / sizeof(uint64_t)];

static int64_t fixed_clock(void *context) {
    (void)context;
    return INT64_C(1700000000000);
}

static float manhattan(void *context, const float *a, float of_a, const float *b, float of_b, uint32_t dimensions) {
    float sum = 0;
    (void)context, (void)of_a, (void)of_b;
    for (uint32_t i = 0; i < dimensions; i++) sum += a[i] < b[i] ? b[i] - a[i] : a[i] - b[i];
    return sum;
}

static cm_status_t load(memory_file_t *file, cm_store_t **store, cm_error_t *error) {
    cm_load_options_t options = CM_LOAD_INIT;
    options.max_threads = 2;
    options.clock_ms = fixed_clock;
    options.custom.distance = manhattan;
    return cm_load(&MEMORY_SOURCE(file), &options, store, error);
}

static void check_refusal(cm_status_t status, const cm_error_t *error) {
    bool typed = status == CM_E_NOT_SNAPSHOT || status == CM_E_VERSION || status == CM_E_CORRUPT || status == CM_E_NO_MEMORY ||
                 status == CM_E_CAPACITY || status == CM_E_CONFIG;
    FUZZ_CHECK(typed && error->status == status && *error->message, "status %d, message %d '%s'", (int)status, (int)error->status,
               error->message);
}

/* ---- a loaded store is a store ---------------------------------------------------------------------------------------------------- */

static void search_all_modes(cm_thread_t *thread, const float *vector, uint32_t dimensions) {
    for (int mode = CM_SEARCH_BEST; mode <= CM_SEARCH_EXACT; mode++) {
        cm_search_t search = CM_SEARCH_INIT;
        cm_hit_t hits[HITS];
        size_t n;
        search.k = HITS;
        search.mode = (cm_search_mode_t)mode;
        FUZZ_CHECK(cm_search(thread, vector, dimensions, &search, hits, &n) == CM_OK && n <= HITS, "%s", cm_message(thread));
        for (size_t i = 0; i < n; i++) {
            cm_memory_t memory;
            cm_status_t status = cm_get_hit(thread, hits[i].slot, hits[i].generation, &memory, buffer, sizeof buffer, NULL);
            FUZZ_CHECK(status == CM_OK, "hit %zu: %s", i, cm_message(thread));
        }
    }
}

static void read_everything(cm_thread_t *thread, const cm_store_t *store) {
    uint64_t cursor = 0, n = 0;
    cm_memory_t memory;
    cm_context_stat_t context;
    cm_reference_t references[HITS];
    cm_stats_t stats;
    uint32_t n_references;
    while (cm_next(thread, &cursor, &memory, buffer, sizeof buffer, NULL) == CM_OK) n++;
    FUZZ_CHECK(n == cm_len(store), "%llu memories, %llu seen", (unsigned long long)cm_len(store), (unsigned long long)n);
    for (cursor = 0; cm_next_context(thread, &cursor, &context, buffer, sizeof buffer, NULL) == CM_OK;) {
        cm_context_summary_t summary;
        char label[CM_MAX_CONTEXT_BYTES];
        memcpy(label, context.context.data, context.context.len); /* the next call may use the buffer */
        FUZZ_CHECK(cm_context_summary(thread, (cm_str_t){label, context.context.len}, &summary, NULL, 0) == CM_OK, "%s",
                   cm_message(thread));
        FUZZ_CHECK(summary.n_memories == context.n_memories, "a context of %llu", (unsigned long long)summary.n_memories);
    }
    FUZZ_CHECK(cm_stats(thread, &stats) == CM_OK && stats.n_memories == n, "%s", cm_message(thread));
    cm_status_t status = cm_top_references(thread, HITS, references, &n_references, buffer, sizeof buffer, NULL);
    FUZZ_CHECK(status == CM_OK || status == CM_E_NO_MEMORY, "%s", cm_message(thread));
}

/* Every kind of change; what may be refused is refused for a reason that the snapshot gives. */
static void change(cm_thread_t *thread, const float *vector, uint32_t dimensions) {
    cm_memory_t memory = CM_MEMORY_INIT, first;
    cm_consolidate_t consolidate = CM_CONSOLIDATE_INIT;
    uint64_t cursor = 0;
    memory.id = CM_STR("a new memory"), memory.vector = vector, memory.dimensions = dimensions;
    (void)cm_insert(thread, &memory);
    if (cm_next(thread, &cursor, &first, buffer, sizeof buffer, NULL) == CM_OK) {
        char id[CM_MAX_ID_BYTES];
        cm_update_t update = CM_UPDATE_INIT;
        memcpy(id, first.id.data, first.id.len);
        cm_str_t name = {id, first.id.len};
        update.fields = CM_UPDATE_CONTEXT | CM_UPDATE_DECAY_RATE | CM_UPDATE_TEXT;
        update.context = CM_STR("another context"), update.decay_rate = 2, update.text = CM_STR("text");
        (void)cm_update(thread, name, &update);
        (void)cm_relate(thread, name, CM_STR("a new memory"));
        (void)cm_remove(thread, name);
    }
    FUZZ_CHECK(cm_apply_decay(thread, CM_NOW, NULL) == CM_OK, "%s", cm_message(thread));
    (void)cm_consolidate(thread, &consolidate, NULL);
    FUZZ_CHECK(cm_check(thread, NULL) != CM_E_INVARIANT, "after changes: %s", cm_message(thread));
}

static void save_and_load(cm_thread_t *thread, const cm_store_t *store) {
    memory_file_t file = {0};
    cm_error_t error;
    cm_store_t *again = NULL;
    cm_status_t status = cm_save(thread, &MEMORY_SINK(&file));
    FUZZ_CHECK(status == CM_OK || status == CM_E_NO_MEMORY, "save: %d %s", (int)status, cm_message(thread));
    if (status == CM_OK) {
        status = load(&file, &again, &error);
        FUZZ_CHECK(status == CM_OK || status == CM_E_NO_MEMORY, "what was saved does not load: %s", error.message);
        if (status == CM_OK) FUZZ_CHECK(cm_len(again) == cm_len(store), "%llu memories", (unsigned long long)cm_len(again));
        cm_close(again);
    }
    memory_file_free(&file);
}

static void use(cm_store_t *store) {
    static float vector[CM_MAX_DIMENSIONS];
    cm_config_t config;
    cm_thread_t *thread;
    cm_config_of(store, &config);
    for (uint32_t i = 0; i < config.dimensions; i++) vector[i] = (float)(i % 5) - 1.5f;
    if (cm_attach(store, &thread) != CM_OK) return; /* HEAP_PAGES_MOST_BYTES */
    FUZZ_CHECK(cm_check(thread, NULL) != CM_E_INVARIANT, "after loading: %s", cm_message(thread));
    read_everything(thread, store);
    search_all_modes(thread, vector, config.dimensions);
    save_and_load(thread, store);
    change(thread, vector, config.dimensions);
    search_all_modes(thread, vector, config.dimensions);
    save_and_load(thread, store);
    cm_detach(thread);
}

static void load_and_use(const uint8_t *data, size_t size, bool sealed) {
    memory_file_t file = {0};
    cm_error_t error = {CM_OK, ""};
    cm_store_t *store = NULL;
    if (size > 0) memory_file_write(&file, data, size);
    if (sealed) seal(file.bytes, size);
    cm_status_t status = load(&file, &store, &error);
    if (status != CM_OK) check_refusal(status, &error);
    if (status == CM_OK) use(store);
    FUZZ_CHECK((status == CM_OK) == (store != NULL), "status %d", (int)status);
    cm_close(store);
    memory_file_free(&file);
    FUZZ_CHECK(heap_pages_in_use() == 0, "%zu bytes were not given back", heap_pages_in_use());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    load_and_use(data, size, false);
    load_and_use(data, size, true);
    return 0;
}

#ifdef CM_FUZZ
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    return mutate_parts(data, size, max_size, cmi_mix(seed));
}
#endif
