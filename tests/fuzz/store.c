/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store.c - bytes are a program: operations of the public API on a few ids, sane and insane arguments mixed. A set of ids that must be there is kept beside the store;
 * at the end check() finds it whole and as large as that set.
 */
#include "chronomind.h"
#include "fuzz/fuzz.h"

#define DIMENSIONS 3u
#define N_IDS 16u

typedef struct program {
    const uint8_t *at, *end;
} program_t;

static uint8_t next(program_t *program) {
    return program->at < program->end ? *program->at++ : 0;
}

static float next_float(program_t *program) {
    static const float odd[] = {0, -0.0f, 1e-30f, 1e30f, -1e38f, 0.5f, 1, __builtin_inff(), __builtin_nanf("")};
    uint8_t byte = next(program);
    return byte < sizeof odd / sizeof odd[0] ? odd[byte] : (float)byte / 128.0f - 1;
}

static cm_str_t id_of(uint32_t i) {
    static const char letters[] = "abcdefghijklmnop";
    return (cm_str_t){letters + i % N_IDS, 1};
}

typedef struct machine {
    cm_store_t *store;
    cm_thread_t *thread;
    bool is_there[N_IDS];
} machine_t;

static void insert(machine_t *m, program_t *p) {
    float vector[DIMENSIONS];
    uint32_t i = next(p) % N_IDS, options = next(p);
    cm_str_t to[3];
    cm_memory_t memory = CM_MEMORY_INIT;
    for (uint32_t d = 0; d < DIMENSIONS; d++) vector[d] = next_float(p);
    for (uint32_t t = 0; t < 3; t++) to[t] = id_of(next(p));
    memory.id = options & 64 ? (cm_str_t){"", 0} : id_of(i);
    memory.vector = vector;
    memory.dimensions = options & 128 ? next(p) % 5 : DIMENSIONS;
    memory.importance = next_float(p);
    memory.decay_rate = options & 1 ? next_float(p) : 0;
    memory.context = options & 2 ? id_of(next(p)) : CM_STR("x");
    memory.relationships = to;
    memory.n_relationships = options >> 2 & 3;
    memory.text = options & 16 ? CM_STR("some text") : (cm_str_t){NULL, 0};
    memory.created_ms = (int64_t)next(p) * 3600000;
    if (cm_insert(m->thread, &memory) == CM_OK) m->is_there[i] = true;
}

static void update(machine_t *m, program_t *p) {
    cm_update_t change = CM_UPDATE_INIT;
    cm_str_t id = id_of(next(p));
    change.fields = next(p);
    change.importance = next_float(p);
    change.decay_rate = next_float(p);
    change.context = id_of(next(p));
    change.text = CM_STR("other");
    change.metadata = CM_STR("{}");
    change.now_ms = (int64_t)next(p) * 3600000;
    cm_update(m->thread, id, &change);
}

static void search(machine_t *m, program_t *p) {
    float vector[DIMENSIONS];
    cm_search_t options = CM_SEARCH_INIT;
    static cm_hit_t hits[CM_MAX_K];
    size_t n = 0;
    for (uint32_t d = 0; d < DIMENSIONS; d++) vector[d] = next_float(p);
    options.k = next(p);
    options.ef = next(p);
    options.temporal_weight = next_float(p);
    options.mode = (cm_search_mode_t)(next(p) % 4);
    options.budget = next(p);
    options.now_ms = (int64_t)next(p) * 3600000;
    if (next(p) & 1) options.context = id_of(next(p));
    cm_status_t status = cm_search(m->thread, vector, DIMENSIONS, &options, hits, &n);
    if (status != CM_OK) return;
    REQUIRE(n <= options.k);
    for (size_t i = 1; i < n; i++) REQUIRE(hits[i - 1].score <= hits[i].score);
}

static void look(machine_t *m, program_t *p) {
    static uint8_t buffer[65536];
    cm_memory_t out;
    uint32_t i = next(p) % N_IDS;
    size_t needed = 0;
    cm_status_t status = cm_get(m->thread, id_of(i), &out, buffer, next(p) & 1 ? 3 : sizeof buffer, &needed);
    REQUIRE(status == CM_OK || status == CM_E_BUFFER || status == CM_E_NOT_FOUND);
    REQUIRE((status != CM_E_NOT_FOUND) == m->is_there[i]);
    cm_access(m->thread, id_of(i), (int64_t)next(p) * 3600000, &out, buffer, sizeof buffer, &needed);
    cm_related_t related[N_IDS];
    uint32_t n;
    cm_related(m->thread, id_of(i), next(p), related, N_IDS, &n);
}

static void consolidate(machine_t *m, program_t *p) {
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.similarity_threshold = next_float(p);
    if (cm_consolidate(m->thread, &options, NULL) != CM_OK) return;
    for (uint32_t i = 0; i < N_IDS; i++) m->is_there[i] = cm_contains(m->thread, id_of(i));
}

static void step(machine_t *m, program_t *p) {
    uint32_t i;
    switch (next(p) % 12) {
    case 0:
    case 1:
    case 2: insert(m, p); break;
    case 3:
        i = next(p) % N_IDS;
        REQUIRE((cm_remove(m->thread, id_of(i)) == CM_OK) == m->is_there[i]);
        m->is_there[i] = false;
        break;
    case 4: update(m, p); break;
    case 5: cm_relate(m->thread, id_of(next(p)), id_of(next(p))); break;
    case 6: cm_unrelate(m->thread, id_of(next(p)), id_of(next(p))); break;
    case 7: cm_apply_decay(m->thread, (int64_t)next(p) * 3600000, NULL); break;
    case 8: consolidate(m, p); break;
    case 9: look(m, p); break;
    default: search(m, p); break;
    }
}

static void fuzz_one(const uint8_t *bytes, size_t n_bytes) {
    program_t program = {bytes, bytes + n_bytes};
    cm_config_t config = CM_CONFIG_INIT;
    uint8_t shape = next(&program);
    config.dimensions = DIMENSIONS;
    config.max_memories = 1 + shape % 20;
    config.m = 2 + shape % 3;
    config.ef_construction = 4 + shape % 8;
    config.max_relationships = 1 + shape % 4;
    config.metric = (cm_metric_t)(shape % 3);
    config.max_threads = 1;
    machine_t m = {0};
    REQUIRE(cm_open(&config, &m.store, NULL) == CM_OK && cm_attach(m.store, &m.thread) == CM_OK);
    for (uint32_t i = 0; i < 200 && program.at < program.end; i++) step(&m, &program);
    uint64_t n_there = 0;
    for (uint32_t i = 0; i < N_IDS; i++) n_there += m.is_there[i];
    REQUIRE(cm_len(m.store) == n_there);
    cm_check_report_t report;
    cm_status_t status = cm_check(m.thread, &report);
    if (status != CM_OK) puts(cm_message(m.thread));
    REQUIRE(status == CM_OK && report.n_unreachable == 0);
    cm_detach(m.thread);
    REQUIRE(cm_close(m.store) == CM_OK);
}
