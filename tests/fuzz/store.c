/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store.c - fuzzes sequences of the public operations on a store: the input is a configuration, then operation after operation with its
 * arguments, sensible or not. Among the operations: one that lets the n-th page request from then on fail.
 *
 * Holds: no crash, only the statuses that chronomind.h names, a failed call changes nothing, memories are what the model says (support/store_model.h), an exact
 * search finds as many as there are; at the end check(), and the store survives saving and loading. One thread.
 */
#include "fuzz/support/heap_pages.h"
#include "fuzz/support/store_model.h"
#include "support/memory_file.h"
#include "support/strings.h"

enum { BUFFER_BYTES = 1 << 16, HITS = 40, MOST_OPERATIONS = 200 };

static uint64_t buffer[BUFFER_BYTES / sizeof(uint64_t)];

typedef struct run {
    fuzz_input_t in;
    cm_config_t config;
    cm_store_t *store;
    cm_thread_t *thread;
    model_t model;
    cm_hit_t hits[HITS];
    size_t n_hits;
    uint64_t cursor, context_cursor;
    memory_file_t file;
} run_t;

static int64_t now_ms;

static int64_t harness_clock(void *context) {
    (void)context;
    return now_ms;
}

static float manhattan(void *context, const float *a, float of_a, const float *b, float of_b, uint32_t dimensions) {
    float sum = 0;
    (void)context, (void)of_a, (void)of_b;
    for (uint32_t i = 0; i < dimensions; i++) sum += a[i] < b[i] ? b[i] - a[i] : a[i] - b[i];
    return sum;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------------------ */

/* One call in eight gets whatever bytes come next; the others something that makes sense. */
static bool is_wild(run_t *r) {
    return fuzz_below(&r->in, 8) == 7;
}

static cm_str_t draw_string(run_t *r, const char *const *words, uint32_t n_words) {
    if (!is_wild(r)) return str(words[fuzz_below(&r->in, n_words)]);
    size_t n = (size_t)fuzz_word(&r->in, 2) % 1200;
    const uint8_t *bytes = fuzz_bytes(&r->in, &n);
    return (cm_str_t){(const char *)bytes, n};
}

static cm_str_t draw_id(run_t *r) {
    static const char *const ids[] = {
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "\xC3\xA9t\xC3\xA9", "a longer id than the others", "a", "b"};
    return draw_string(r, ids, 16);
}

static cm_str_t draw_context(run_t *r) {
    static const char *const contexts[] = {"default", "work", "home", "\xE2\x98\x83"};
    return draw_string(r, contexts, 4);
}

static cm_str_t draw_text(run_t *r) {
    static const char *const texts[] = {"", "", "text", "{\"json\": [1, 2, 3]}"};
    return draw_string(r, texts, 4);
}

static float draw_share(run_t *r) {
    return is_wild(r) ? fuzz_float(&r->in) : (float)fuzz_byte(&r->in) / 255;
}

static int64_t draw_time(run_t *r) {
    if (is_wild(r)) return (int64_t)fuzz_word(&r->in, 8);
    return fuzz_below(&r->in, 4) == 0 ? CM_NOW : now_ms + ((int64_t)fuzz_byte(&r->in) - 200) * 1800000;
}

static uint32_t draw_count(run_t *r, uint32_t most) {
    return is_wild(r) ? (uint32_t)fuzz_word(&r->in, 4) : fuzz_below(&r->in, most + 1);
}

/* The right number of dimensions, mostly; room for one more. */
static uint32_t draw_vector(run_t *r, float out[MODEL_DIMENSIONS + 1]) {
    uint32_t n = r->config.dimensions;
    bool wild = is_wild(r);
    for (uint32_t i = 0; i < n; i++) out[i] = wild ? fuzz_float(&r->in) : (float)(int8_t)fuzz_byte(&r->in) / 16;
    out[n] = 0;
    return wild && fuzz_below(&r->in, 4) == 0 ? n + 1 - fuzz_below(&r->in, 3) : n;
}

/* A buffer that may be too small, and one that is not aligned. */
static size_t draw_capacity(run_t *r) {
    return is_wild(r) ? (size_t)fuzz_word(&r->in, 1) : sizeof buffer;
}

static void *draw_buffer(run_t *r) {
    return fuzz_below(&r->in, 32) == 31 ? (char *)buffer + 1 : (char *)buffer;
}

/* ---- what every call must keep ------------------------------------------------------------------------------------------------- */

/* CM_OK or one of the statuses given (ended by 0); an error says something. */
static bool succeeded(run_t *r, const char *call, cm_status_t status, const cm_status_t *allowed) {
    if (status == CM_OK) return true;
    while (*allowed != CM_OK && *allowed != status) allowed++;
    FUZZ_CHECK(*allowed == status, "%s returned %d: %s", call, (int)status, cm_message(r->thread));
    if (status != CM_END) FUZZ_CHECK(*cm_message(r->thread), "%s returned %d and says nothing", call, (int)status);
    return false;
}

#define SUCCEEDED(r, call, ...) succeeded((r), #call, (call), (const cm_status_t[]){__VA_ARGS__, CM_OK})

static void compare(run_t *r, const cm_memory_t *memory) {
    known_t *known = model_find(&r->model, memory->id);
    FUZZ_CHECK(known != NULL, "a memory that nobody inserted");
    FUZZ_CHECK(memory->n_relationships <= r->config.max_relationships, "%u relationships", memory->n_relationships);
    FUZZ_CHECK(memory->importance >= 0 && memory->importance <= 1, "importance %g", (double)memory->importance);
    model_compare(known, memory);
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------ */

static void insert(run_t *r) {
    float vector[MODEL_DIMENSIONS + 1];
    cm_str_t relationships[8];
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = draw_id(r), memory.context = draw_context(r);
    memory.dimensions = draw_vector(r, vector), memory.vector = vector;
    memory.n_relationships = fuzz_below(&r->in, 8), memory.relationships = relationships;
    for (uint32_t i = 0; i < memory.n_relationships; i++) relationships[i] = draw_id(r);
    memory.importance = draw_share(r), memory.decay_rate = draw_share(r), memory.created_ms = draw_time(r);
    memory.text = draw_text(r), memory.metadata = draw_text(r);
    bool is_new = !model_find(&r->model, memory.id);
    cm_status_t status = cm_insert(r->thread, &memory);
    if (status == CM_E_CAPACITY) FUZZ_CHECK(is_new && r->model.n == r->config.max_memories, "full with %u", r->model.n);
    if (SUCCEEDED(r, status, CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_ID, CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE, CM_E_CAPACITY,
                  CM_E_INDEX_FULL, CM_E_NO_MEMORY))
        model_insert(&r->model, &memory);
}

static void remove_one(run_t *r) {
    cm_str_t id = draw_id(r);
    known_t *known = model_find(&r->model, id);
    bool removed = SUCCEEDED(r, cm_remove(r->thread, id), CM_E_NOT_FOUND, CM_E_NO_MEMORY, CM_E_ID);
    FUZZ_CHECK(removed == (known != NULL) || *cm_message(r->thread), "removed %d", removed);
    if (!removed) return;
    FUZZ_CHECK(known != NULL, "removed what was not there");
    model_remove(&r->model, known);
}

static void get(run_t *r, bool count) {
    cm_str_t id = draw_id(r);
    cm_memory_t memory;
    size_t needed = 0, capacity = draw_capacity(r);
    void *room = draw_buffer(r);
    bool known = model_find(&r->model, id) != NULL;
    FUZZ_CHECK(cm_contains(r->thread, id) == known, "contains");
    cm_status_t status = count ? cm_access(r->thread, id, draw_time(r), &memory, room, capacity, &needed)
                               : cm_get(r->thread, id, &memory, room, capacity, &needed);
    if (SUCCEEDED(r, status, CM_E_NOT_FOUND, CM_E_BUFFER, CM_E_ARGUMENT, CM_E_ID, CM_E_RANGE)) compare(r, &memory);
    if (status == CM_E_NOT_FOUND) FUZZ_CHECK(!known, "a memory is lost");
    if (status == CM_E_BUFFER) FUZZ_CHECK(needed > capacity, "%zu needed", needed);
}

static void update(run_t *r) {
    cm_str_t id = draw_id(r);
    cm_update_t u = CM_UPDATE_INIT;
    u.fields = is_wild(r) ? (uint32_t)fuzz_word(&r->in, 4) : 1 + fuzz_below(&r->in, 31);
    u.importance = draw_share(r), u.decay_rate = draw_share(r), u.now_ms = draw_time(r);
    u.context = draw_context(r), u.text = draw_text(r), u.metadata = draw_text(r);
    known_t *known = model_find(&r->model, id);
    if (!SUCCEEDED(r, cm_update(r->thread, id, &u), CM_E_NOT_FOUND, CM_E_ARGUMENT, CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE, CM_E_INDEX_FULL,
                   CM_E_NO_MEMORY, CM_E_ID))
        return;
    FUZZ_CHECK(known != NULL, "updated what was not there");
    if (u.fields & CM_UPDATE_CONTEXT) model_keep(&known->context, &known->n_context, u.context);
    if (u.fields & CM_UPDATE_TEXT) model_keep(&known->text, &known->n_text, u.text);
    if (u.fields & CM_UPDATE_METADATA) model_keep(&known->metadata, &known->n_metadata, u.metadata);
}

static void relate(run_t *r, bool take_off) {
    cm_str_t id = draw_id(r), to = draw_id(r);
    cm_status_t status = (take_off ? cm_unrelate : cm_relate)(r->thread, id, to);
    SUCCEEDED(r, status, CM_E_NOT_FOUND, CM_E_ID, CM_E_TOO_LARGE, CM_E_NO_MEMORY);
}

static void decay(run_t *r) {
    SUCCEEDED(r, cm_apply_decay(r->thread, draw_time(r), NULL), CM_E_RANGE);
}

static bool filter(void *context, const cm_candidate_t *candidate) {
    return (candidate->id.len + candidate->text.len) % 3 != *(const size_t *)context;
}

static void search(run_t *r) {
    float vector[MODEL_DIMENSIONS + 1];
    cm_search_t o = CM_SEARCH_INIT;
    size_t remainder = fuzz_below(&r->in, 3);
    uint32_t dimensions = draw_vector(r, vector), filters = fuzz_byte(&r->in);
    o.k = 1 + draw_count(r, HITS - 1), o.ef = draw_count(r, 60), o.budget = draw_count(r, 90);
    o.mode = is_wild(r) ? (cm_search_mode_t)fuzz_byte(&r->in) : (cm_search_mode_t)fuzz_below(&r->in, 3);
    o.temporal_weight = fuzz_below(&r->in, 3) ? draw_share(r) : -1, o.now_ms = draw_time(r);
    if (filters & 1) o.context = draw_context(r);
    if (filters & 2) o.min_importance = draw_share(r);
    if (filters & 4) o.max_importance = draw_share(r);
    if (filters & 8) o.created_after_ms = draw_time(r);
    if (filters & 16) o.created_before_ms = draw_time(r);
    if (filters & 32) o.filter = filter, o.filter_context = &remainder;
    if (o.k > HITS && o.k <= CM_MAX_K) o.k = HITS; /* there is room for no more */
    if (!SUCCEEDED(r, cm_search(r->thread, vector, dimensions, &o, r->hits, &r->n_hits), CM_E_DIMENSION, CM_E_NOT_FINITE, CM_E_RANGE,
                   CM_E_UTF8, CM_E_TOO_LARGE, CM_E_NO_MEMORY)) {
        r->n_hits = 0;
        return;
    }
    FUZZ_CHECK(r->n_hits <= o.k && r->n_hits <= r->model.n, "%zu hits", r->n_hits);
    if (o.mode == CM_SEARCH_EXACT && (filters & 63) == 0 && o.budget == 0)
        FUZZ_CHECK(r->n_hits == (o.k < r->model.n ? o.k : r->model.n), "%zu of %u found, k %u", r->n_hits, r->model.n, o.k);
    cm_search_report_t report;
    cm_last_search(r->thread, &report);
    for (size_t i = 0; i < r->n_hits; i++) {
        cm_memory_t memory;
        cm_why_t why;
        cm_explain(&report, &r->hits[i], &why);
        FUZZ_CHECK(i == 0 || !(r->hits[i].score < r->hits[i - 1].score), "hit %zu is out of order", i);
        cm_status_t status = cm_get_hit(r->thread, r->hits[i].slot, r->hits[i].generation, &memory, buffer, sizeof buffer, NULL);
        FUZZ_CHECK(status == CM_OK, "hit %zu: %s", i, cm_message(r->thread));
        compare(r, &memory);
    }
}

static void get_hit(run_t *r) {
    cm_memory_t memory;
    cm_hit_t hit = {.slot = (uint32_t)fuzz_word(&r->in, 4), .generation = fuzz_byte(&r->in)};
    if (!is_wild(r) && r->n_hits > 0) hit = r->hits[fuzz_below(&r->in, (uint32_t)r->n_hits)];
    if (SUCCEEDED(r, cm_get_hit(r->thread, hit.slot, hit.generation, &memory, draw_buffer(r), draw_capacity(r), NULL), CM_E_STALE,
                  CM_E_BUFFER, CM_E_ARGUMENT, CM_E_RANGE))
        compare(r, &memory);
}

static void related(run_t *r) {
    cm_related_t out[HITS];
    uint32_t n = 0, capacity = fuzz_below(&r->in, HITS + 1);
    bool done = SUCCEEDED(r, cm_related(r->thread, draw_id(r), draw_count(r, 5), out, capacity, &n), CM_E_NOT_FOUND, CM_E_BUFFER,
                          CM_E_NO_MEMORY, CM_E_RANGE, CM_E_ID, CM_E_ARGUMENT);
    if (done) FUZZ_CHECK(n <= capacity && n < r->model.n, "%u related of %u", n, r->model.n);
}

static void summary(run_t *r) {
    cm_context_summary_t out;
    float mean[MODEL_DIMENSIONS + 1];
    cm_str_t context = draw_context(r);
    uint32_t n = 0, dimensions = is_wild(r) ? r->config.dimensions + fuzz_below(&r->in, 2) : r->config.dimensions;
    for (uint32_t i = 0; i < r->model.n; i++) n += model_same(r->model.all[i].context, r->model.all[i].n_context, context);
    if (SUCCEEDED(r, cm_context_summary(r->thread, context, &out, mean, dimensions), CM_E_DIMENSION, CM_E_RANGE, CM_E_UTF8, CM_E_TOO_LARGE,
                  CM_E_NO_MEMORY))
        FUZZ_CHECK(out.n_memories == n, "%llu memories in a context of %u", (unsigned long long)out.n_memories, n);
}

static bool go_on(void *context, double done) {
    FUZZ_CHECK(done >= 0 && done <= 1, "%g done", done);
    return (*(uint32_t *)context)++ < 3;
}

static void consolidate(run_t *r) {
    cm_consolidate_t o = CM_CONSOLIDATE_INIT;
    uint32_t n_calls = 0, n_gone = 0;
    uint64_t n_absorbed = 0;
    o.similarity_threshold = draw_share(r);
    if (fuzz_below(&r->in, 2)) o.progress = go_on, o.progress_context = &n_calls;
    bool whole = SUCCEEDED(r, cm_consolidate(r->thread, &o, &n_absorbed), CM_E_RANGE, CM_E_CANCELLED, CM_E_NO_MEMORY);
    for (uint32_t i = 0; i < r->model.n;) {
        known_t *known = &r->model.all[i];
        bool stays = cm_contains(r->thread, (cm_str_t){known->id, known->n_id});
        if (stays) i++;
        else model_remove(&r->model, known), n_gone++;
    }
    if (whole) FUZZ_CHECK(n_absorbed == n_gone, "%llu absorbed, %u gone", (unsigned long long)n_absorbed, n_gone);
    FUZZ_CHECK(n_gone == 0 || r->model.n > 0, "nobody is left");
}

/* Goes on where it stopped, with whatever happened since. */
static void iterate(run_t *r) {
    cm_memory_t memory;
    cm_context_stat_t context;
    if (SUCCEEDED(r, cm_next(r->thread, &r->cursor, &memory, draw_buffer(r), draw_capacity(r), NULL), CM_END, CM_E_BUFFER, CM_E_ARGUMENT))
        compare(r, &memory);
    SUCCEEDED(r, cm_next_context(r->thread, &r->context_cursor, &context, draw_buffer(r), draw_capacity(r), NULL), CM_END, CM_E_BUFFER,
              CM_E_ARGUMENT);
    if (is_wild(r)) r->cursor = fuzz_word(&r->in, 8), r->context_cursor = fuzz_word(&r->in, 8);
    else if (fuzz_below(&r->in, 4) == 0) r->cursor = r->context_cursor = 0;
}

static void statistics(run_t *r) {
    cm_stats_t stats;
    cm_reference_t references[8];
    uint32_t n = 0;
    if (SUCCEEDED(r, cm_stats(r->thread, &stats), CM_E_NO_MEMORY)) FUZZ_CHECK(stats.n_memories == r->model.n, "stats");
    SUCCEEDED(r, cm_top_references(r->thread, fuzz_below(&r->in, 9), references, &n, draw_buffer(r), draw_capacity(r), NULL), CM_E_BUFFER,
              CM_E_NO_MEMORY, CM_E_ARGUMENT, CM_E_RANGE);
}

static void save(run_t *r) {
    memory_file_t file = {.fail_at = is_wild(r) ? 1 + fuzz_byte(&r->in) : 0};
    if (SUCCEEDED(r, cm_save(r->thread, &MEMORY_SINK(&file)), CM_E_IO, CM_E_NO_MEMORY)) {
        memory_file_free(&r->file);
        r->file = file;
    } else {
        memory_file_free(&file);
    }
}

static void come_and_go(run_t *r) {
    cm_thread_t *second = NULL;
    cm_detach(r->thread);
    r->thread = NULL;
    cm_status_t status = cm_attach(r->store, &r->thread);
    if (status == CM_E_NO_MEMORY) status = cm_attach(r->store, &r->thread); /* heap_pages_refuse() refuses once */
    FUZZ_CHECK(status == CM_OK, "attach: %d", (int)status);
    status = cm_attach(r->store, &second);
    FUZZ_CHECK(status == CM_E_THREADS || status == CM_E_NO_MEMORY, "a second thread of one: %d", (int)status);
    FUZZ_CHECK(cm_close(r->store) == CM_E_BUSY, "closed under a thread");
}

static void call_without(run_t *r) {
    size_t n;
    cm_search_t search = CM_SEARCH_INIT;
    FUZZ_CHECK(cm_insert(r->thread, NULL) == CM_E_ARGUMENT && cm_get(r->thread, CM_STR("a"), NULL, buffer, 8, NULL) == CM_E_ARGUMENT,
               "NULL");
    FUZZ_CHECK(cm_search(r->thread, NULL, r->config.dimensions, &search, r->hits, &n) == CM_E_ARGUMENT, "NULL");
    FUZZ_CHECK(cm_save(r->thread, NULL) == CM_E_ARGUMENT && cm_update(r->thread, CM_STR("a"), NULL) == CM_E_ARGUMENT, "NULL");
    search.size = fuzz_byte(&r->in);
    FUZZ_CHECK(cm_remove(NULL, CM_STR("a")) == CM_E_ARGUMENT && *cm_message(NULL) == '\0', "NULL");
}

static void check(run_t *r) {
    cm_check_report_t report;
    if (SUCCEEDED(r, cm_check(r->thread, &report), CM_E_NO_MEMORY))
        FUZZ_CHECK(report.n_live == r->model.n && report.n_unreachable == 0, "%llu live", (unsigned long long)report.n_live);
}

static void step(run_t *r) {
    switch (fuzz_below(&r->in, 32)) {
    case 0: remove_one(r); break;
    case 1: get(r, false); break;
    case 2: get(r, true); break;
    case 3:
    case 4: update(r); break;
    case 5: relate(r, false); break;
    case 6: relate(r, true); break;
    case 7: decay(r); break;
    case 8:
    case 9:
    case 10: search(r); break;
    case 11: get_hit(r); break;
    case 12: related(r); break;
    case 13: summary(r); break;
    case 14: consolidate(r); break;
    case 15: iterate(r); break;
    case 16: statistics(r); break;
    case 17: check(r); break;
    case 18: save(r); break;
    case 19: come_and_go(r); break;
    case 20: call_without(r); break;
    case 21: now_ms += fuzz_byte(&r->in) * INT64_C(600000); break;
    case 22: heap_pages_refuse(1 + fuzz_below(&r->in, 4)); break;
    default: insert(r);
    }
    FUZZ_CHECK(cm_len(r->store) == r->model.n, "%llu memories, expected %u", (unsigned long long)cm_len(r->store), r->model.n);
}

/* ---- beginning and end ------------------------------------------------------------------------------------------------------------- */

/* Small, so that lists are full, capacity is reached and levels exist; or, once in eight, whatever bytes come next. */
static cm_config_t draw_config(run_t *r) {
    cm_config_t config = CM_CONFIG_INIT;
    config.clock_ms = harness_clock;
    config.max_threads = 1;
    config.custom.distance = manhattan;
    config.metric = (cm_metric_t)fuzz_below(&r->in, 4);
    config.dimensions = 1 + fuzz_below(&r->in, MODEL_DIMENSIONS - 1);
    config.max_memories = 1 + fuzz_below(&r->in, 30);
    config.m = 2 + fuzz_below(&r->in, 4);
    config.ef_construction = config.m + fuzz_below(&r->in, 16);
    config.ef_search = 1 + fuzz_below(&r->in, 16);
    config.max_relationships = 1 + fuzz_below(&r->in, 6);
    config.temporal_weight = (float)fuzz_below(&r->in, 5) / 4;
    config.seed = fuzz_word(&r->in, 2);
    if (!is_wild(r)) return config;
    config.base_decay_rate = fuzz_float(&r->in), config.temporal_weight = fuzz_float(&r->in),
    config.similarity_threshold = fuzz_float(&r->in);
    config.m = (uint32_t)fuzz_word(&r->in, 2), config.ef_construction = (uint32_t)fuzz_word(&r->in, 3);
    config.max_memories = (uint32_t)fuzz_word(&r->in, 4), config.metric = (cm_metric_t)fuzz_byte(&r->in);
    return config;
}

/* What was saved last holds what it held then: its own check() runs while loading. */
static void load_what_was_saved(run_t *r) {
    cm_store_t *store = NULL;
    cm_error_t error;
    cm_load_options_t options = CM_LOAD_INIT;
    options.custom = r->config.custom, options.max_threads = 1;
    cm_status_t status = cm_load(&MEMORY_SOURCE(&r->file), &options, &store, &error);
    FUZZ_CHECK(status == CM_OK || status == CM_E_NO_MEMORY, "load: %d %s", (int)status, error.message);
    if (status == CM_OK)
        FUZZ_CHECK(cm_len(store) == r->model.n, "%llu memories, expected %u", (unsigned long long)cm_len(store), r->model.n);
    cm_close(store);
}

static void finish(run_t *r) {
    heap_pages_refuse(0);
    for (uint32_t i = 0; i < r->model.n; i++) {
        cm_memory_t memory;
        cm_str_t id = {r->model.all[i].id, r->model.all[i].n_id};
        FUZZ_CHECK(cm_get(r->thread, id, &memory, buffer, sizeof buffer, NULL) == CM_OK, "a memory is lost: %s", cm_message(r->thread));
        compare(r, &memory);
    }
    check(r);
    FUZZ_CHECK(cm_save(r->thread, &MEMORY_SINK(&(memory_file_t){.fail_at = 1})) != CM_OK, "saved into nothing");
    memory_file_free(&r->file);
    save(r);
    if (r->file.n_bytes > 0) load_what_was_saved(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static run_t run;
    cm_error_t error = {CM_OK, ""};
    run = (run_t){.in = {data, data + size}};
    now_ms = INT64_C(1700000000000);
    run.config = draw_config(&run);
    cm_status_t status = cm_open(&run.config, &run.store, &error);
    FUZZ_CHECK(status == CM_OK || ((status == CM_E_CONFIG || status == CM_E_NO_MEMORY) && *error.message), "open: %d", (int)status);
    if (status == CM_OK && cm_attach(run.store, &run.thread) == CM_OK) {
        if (run.config.max_memories < MODEL_MOST)
            for (int i = 0; i < MOST_OPERATIONS && !fuzz_at_end(&run.in); i++) step(&run);
        finish(&run);
        cm_detach(run.thread);
    }
    FUZZ_CHECK(cm_close(run.store) == CM_OK, "close");
    memory_file_free(&run.file);
    model_free(&run.model);
    FUZZ_CHECK(heap_pages_in_use() == 0, "%zu bytes were not given back", heap_pages_in_use());
    return 0;
}
