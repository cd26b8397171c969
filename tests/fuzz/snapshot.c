/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * snapshot.c - any bytes are loaded as a snapshot: an error, or a store that works: check(), search, change, save again, load that.
 *
 * Checksums would hide everything behind them, so cmi_crc32c() is 0 here (a link option), when saving as when loading. Loading may not take much more memory than the bytes
 * announce: the machine's limit is lowered.
 */
#include "chronomind.h"
#include "fuzz/fuzz.h"

uint32_t __wrap_cmi_crc32c(uint32_t crc, const void *bytes, size_t n_bytes);
uint32_t __wrap_cmi_crc32c(uint32_t crc, const void *bytes, size_t n_bytes) {
    (void)crc, (void)bytes, (void)n_bytes;
    return 0;
}

typedef struct bytes {
    uint8_t *at;
    size_t n, capacity;
} bytes_t;

static int read_bytes(void *context, uint64_t offset, void *into, size_t n) {
    const bytes_t *from = context;
    REQUIRE(offset <= from->n && n <= from->n - offset);
    memcpy(into, from->at + offset, n);
    return 0;
}

static int write_bytes(void *context, const void *more, size_t n) {
    bytes_t *to = context;
    if (to->n + n > to->capacity) {
        to->capacity = 2 * (to->n + n);
        to->at = realloc(to->at, to->capacity);
        REQUIRE(to->at);
    }
    memcpy(to->at + to->n, more, n);
    to->n += n;
    return 0;
}

static cm_status_t load(bytes_t *from, cm_store_t **store) {
    cm_source_t source = {from, from->n, read_bytes};
    cm_load_options_t options = CM_LOAD_INIT;
    cm_error_t error;
    options.max_threads = 2;
    return cm_load(&source, &options, store, &error);
}

/* Reads every memory that there is. */
static void read_all(cm_thread_t *thread) {
    static uint8_t buffer[1 << 20];
    uint64_t cursor = 0;
    cm_memory_t out;
    size_t needed;
    while (cm_next(thread, &cursor, &out, buffer, sizeof buffer, &needed) == CM_OK) {}
}

static void use(cm_store_t *store, bool again) {
    cm_thread_t *thread;
    cm_config_t config;
    if (cm_attach(store, &thread) != CM_OK) return;
    cm_config_of(store, &config);
    cm_check_report_t report;
    bool sound = cm_check(thread, &report) ==
                 CM_OK; /* with real checksums a wrong graph cannot come in; here it may, and must do no harm */
    read_all(thread);
    float *vector = calloc(config.dimensions, sizeof *vector);
    cm_hit_t hits[10];
    size_t n;
    REQUIRE(vector);
    vector[0] = 1;
    cm_search(thread, vector, config.dimensions, NULL, hits, &n);
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = CM_STR("a");
    memory.vector = vector;
    memory.dimensions = config.dimensions;
    cm_insert(thread, &memory);
    cm_remove(thread, CM_STR("b"));
    cm_apply_decay(thread, 1000, NULL);
    free(vector);
    bytes_t saved = {0};
    cm_sink_t sink = {&saved, write_bytes};
    if (cm_save(thread, &sink) == CM_OK && again) {
        cm_store_t *copy;
        cm_status_t status = load(&saved, &copy);
        REQUIRE(status == CM_OK || !sound);
        if (status == CM_OK) use(copy, false);
    }
    free(saved.at);
    cm_detach(thread);
    REQUIRE(cm_close(store) == CM_OK);
}

static void fuzz_one(const uint8_t *given, size_t n) {
    bytes_t from = {(uint8_t *)given, n, n};
    cm_store_t *store;
    if (load(&from, &store) == CM_OK) use(store, true);
}
