/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * replay.c - performs sequences of operations natively, prints what they answer, and saves each store. tests/js/identity.test.mjs performs the same in WebAssembly
 * and compares; tests/js/operations.mjs makes the lines.
 *
 *     replay OPERATIONS ANSWERS SNAPSHOTS
 *
 * One operation per line, fields between tabs, floats as the hexadecimal digits of their bits, "" for what is left out:
 *     n  dimensions  max_memories  metric  max_relationships  m  ef_construction  ef_search  vectors   a new store; the last one is saved and closed
 *     i  id  context  importance  decay_rate  created_ms  text  metadata  relationship,relationship,...  vector
 *     r  id
 *     a  id  now_ms
 *     u  id  fields  importance  decay_rate  context  text  metadata  now_ms
 *     l  id  to                                                         relate
 *     x  id  to                                                         unrelate
 *     d  now_ms                                                         apply_decay
 *     s  k  ef  context  temporal_weight  now_ms  mode  budget  min_importance  max_importance  after_ms  before_ms  filter  vector
 *     w  id  depth                                                      related
 *     c  context                                                        summary
 *     m  similarity_threshold                                           consolidate
 * Every operation answers with its letter and its status, and what it found. Snapshots follow each other in one file; the answer "n" has their length.
 */
#include <chronomind.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1 << 16, MAX_FIELDS = 16, MAX_VALUES = 256, MAX_RELATED = 4096 };

typedef struct replay {
    cm_store_t *store;
    cm_thread_t *thread;
    uint32_t dimensions;
    FILE *answers, *snapshots;
    uint64_t buffer[MAX_LINE / 8]; /* for copies of memories */
} replay_t;

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "replay: %s: %s\n", what, why);
    exit(1);
}

/* ---- reading --------------------------------------------------------------------------------------------------------------------- */

static cm_str_t string(const char *text) {
    return (cm_str_t){text, strlen(text)};
}

static uint32_t whole(const char *digits) {
    return (uint32_t)strtoul(digits, NULL, 10);
}

static int64_t time_of(const char *digits, int64_t absent) {
    return *digits ? strtoll(digits, NULL, 10) : absent;
}

static float real(const char *digits) {
    uint32_t bits = (uint32_t)strtoul(digits, NULL, 16);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float real_or(const char *digits, float absent) {
    return *digits ? real(digits) : absent;
}

/* Cuts a line at a separator; an empty field is a field. */
static size_t split(char *line, char separator, char **fields, size_t max) {
    size_t n = 0;
    for (char *at = line; at && n < max;) {
        fields[n++] = at;
        at = strchr(at, separator);
        if (at) *at++ = '\0';
    }
    return n;
}

static uint32_t read_vector(char *field, float *vector) {
    char *values[MAX_VALUES];
    uint32_t n = (uint32_t)split(field, ',', values, MAX_VALUES);
    for (uint32_t i = 0; i < n; i++) vector[i] = real(values[i]);
    return n;
}

/* ---- answering ------------------------------------------------------------------------------------------------------------------- */

static void answer_float(const replay_t *replay, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    fprintf(replay->answers, " %08" PRIx32, bits);
}

static void answer_double(const replay_t *replay, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fprintf(replay->answers, " %016" PRIx64, bits);
}

static void answer_whole(const replay_t *replay, int64_t value) {
    fprintf(replay->answers, " %" PRId64, value);
}

/* The id of a hit or of a related memory. */
static void answer_id(replay_t *replay, uint32_t slot, uint32_t generation) {
    cm_memory_t memory;
    if (cm_get_hit(replay->thread, slot, generation, &memory, replay->buffer, sizeof replay->buffer, NULL) != CM_OK)
        fail("get_hit", cm_message(replay->thread));
    fprintf(replay->answers, "\n  %.*s", (int)memory.id.len, memory.id.data);
}

/* ---- operations ------------------------------------------------------------------------------------------------------------------ */

static int write_snapshot(void *context, const void *bytes, size_t n_bytes) {
    return fwrite(bytes, 1, n_bytes, context) == n_bytes ? 0 : 1;
}

static void finish(replay_t *replay) {
    long begin = ftell(replay->snapshots);
    cm_sink_t sink = {replay->snapshots, write_snapshot};
    if (cm_check(replay->thread, NULL) != CM_OK) fail("check", cm_message(replay->thread));
    if (cm_save(replay->thread, &sink) != CM_OK) fail("save", cm_message(replay->thread));
    fprintf(replay->answers, "n %ld\n", ftell(replay->snapshots) - begin);
    cm_detach(replay->thread);
    if (cm_close(replay->store) != CM_OK) fail("close", "a thread is left");
    replay->store = NULL;
}

static void start(replay_t *replay, char **f) {
    if (replay->store) finish(replay);
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = replay->dimensions = whole(f[1]), config.max_memories = whole(f[2]), config.metric = (cm_metric_t)whole(f[3]);
    config.max_relationships = whole(f[4]), config.m = whole(f[5]), config.ef_construction = whole(f[6]), config.ef_search = whole(f[7]);
    config.vectors = (cm_vectors_t)whole(f[8]);
    config.max_threads = 2;
    cm_error_t error;
    if (cm_open(&config, &replay->store, &error) != CM_OK) fail("open", error.message);
    if (cm_attach(replay->store, &replay->thread) != CM_OK) fail("attach", "no memory");
}

static cm_status_t insert(replay_t *replay, char **f) {
    char *names[MAX_VALUES];
    cm_str_t relationships[MAX_VALUES];
    float vector[MAX_VALUES];
    uint32_t n = f[8][0] ? (uint32_t)split(f[8], ',', names, MAX_VALUES) : 0;
    for (uint32_t i = 0; i < n; i++) relationships[i] = string(names[i]);
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = string(f[1]), memory.context = string(f[2]), memory.text = string(f[6]), memory.metadata = string(f[7]);
    memory.importance = real(f[3]), memory.decay_rate = real(f[4]), memory.created_ms = time_of(f[5], CM_NOW);
    memory.relationships = relationships, memory.n_relationships = n;
    memory.dimensions = read_vector(f[9], vector), memory.vector = vector;
    return cm_insert(replay->thread, &memory);
}

static cm_status_t access_one(replay_t *replay, char **f) {
    cm_memory_t memory;
    return cm_access(replay->thread, string(f[1]), time_of(f[2], CM_NOW), &memory, replay->buffer, sizeof replay->buffer, NULL);
}

static cm_status_t update(replay_t *replay, char **f) {
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = whole(f[2]), update.importance = real(f[3]), update.decay_rate = real(f[4]), update.context = string(f[5]);
    update.text = string(f[6]), update.metadata = string(f[7]), update.now_ms = time_of(f[8], CM_NOW);
    return cm_update(replay->thread, string(f[1]), &update);
}

static cm_status_t apply_decay(replay_t *replay, char **f) {
    uint64_t n = 0;
    cm_status_t status = cm_apply_decay(replay->thread, time_of(f[1], CM_NOW), &n);
    answer_whole(replay, (int64_t)n);
    return status;
}

/* As in tests/js/operations.mjs. */
static bool passes(void *context, const cm_candidate_t *candidate) {
    uint32_t divisor = *(const uint32_t *)context;
    return ((unsigned char)candidate->id.data[candidate->id.len - 1] + candidate->text.len + candidate->access_count) % divisor != 0;
}

static void answer_hits(replay_t *replay, const cm_hit_t *hits, size_t n) {
    cm_search_report_t report;
    cm_last_search(replay->thread, &report);
    for (size_t i = 0; i < n; i++) {
        const cm_hit_t *hit = &hits[i];
        cm_why_t why;
        cm_explain(&report, hit, &why);
        answer_id(replay, hit->slot, hit->generation);
        answer_float(replay, hit->score), answer_float(replay, hit->distance), answer_float(replay, hit->recency);
        answer_float(replay, hit->importance), answer_whole(replay, hit->created_ms), answer_whole(replay, hit->access_count);
        answer_double(replay, why.distance_part), answer_double(replay, why.recency_part), answer_double(replay, why.age_hours);
    }
    static const char *const strategies[] = {"none", "graph", "streams", "scan"};
    fprintf(replay->answers, "\n  %s", strategies[report.strategy]);
    answer_double(replay, report.bound), answer_double(replay, report.graph_bound), answer_whole(replay, (int64_t)report.n_distances);
    answer_whole(replay, (int64_t)report.n_recency_distances), answer_whole(replay, report.ef),
        answer_float(replay, report.temporal_weight);
    answer_whole(replay, report.now_ms);
}

static cm_status_t search(replay_t *replay, char **f) {
    static cm_hit_t hits[MAX_VALUES];
    float vector[MAX_VALUES];
    size_t n;
    uint32_t divisor = whole(f[12]);
    cm_search_t query = CM_SEARCH_INIT;
    query.k = whole(f[1]), query.ef = whole(f[2]), query.context = string(f[3]), query.temporal_weight = real_or(f[4], -1);
    query.now_ms = time_of(f[5], CM_NOW), query.mode = (cm_search_mode_t)whole(f[6]), query.budget = whole(f[7]);
    query.min_importance = real_or(f[8], 0), query.max_importance = real_or(f[9], 1);
    query.created_after_ms = time_of(f[10], INT64_MIN), query.created_before_ms = time_of(f[11], INT64_MAX);
    if (divisor) query.filter = passes, query.filter_context = &divisor;
    cm_status_t status = cm_search(replay->thread, vector, read_vector(f[13], vector), &query, hits, &n);
    if (status == CM_OK) answer_hits(replay, hits, n);
    return status;
}

static cm_status_t related(replay_t *replay, char **f) {
    static cm_related_t found[MAX_RELATED];
    uint32_t n = 0;
    cm_status_t status = cm_related(replay->thread, string(f[1]), whole(f[2]), found, MAX_RELATED, &n);
    for (uint32_t i = 0; status == CM_OK && i < n; i++) {
        answer_id(replay, found[i].slot, found[i].generation);
        answer_whole(replay, found[i].depth);
    }
    return status;
}

static cm_status_t summarize(replay_t *replay, char **f) {
    cm_context_summary_t summary;
    float mean[MAX_VALUES];
    cm_status_t status = cm_context_summary(replay->thread, string(f[1]), &summary, mean, replay->dimensions);
    if (status != CM_OK) return status;
    answer_whole(replay, (int64_t)summary.n_memories), answer_double(replay, summary.average_importance);
    for (uint32_t i = 0; i < replay->dimensions; i++) answer_float(replay, mean[i]);
    return status;
}

static cm_status_t consolidate(replay_t *replay, char **f) {
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.similarity_threshold = real_or(f[1], 0);
    uint64_t n = 0;
    cm_status_t status = cm_consolidate(replay->thread, &options, &n);
    answer_whole(replay, (int64_t)n);
    return status;
}

static cm_status_t perform(replay_t *replay, char letter, char **f) {
    switch (letter) {
    case 'i': return insert(replay, f);
    case 'r': return cm_remove(replay->thread, string(f[1]));
    case 'a': return access_one(replay, f);
    case 'u': return update(replay, f);
    case 'l': return cm_relate(replay->thread, string(f[1]), string(f[2]));
    case 'x': return cm_unrelate(replay->thread, string(f[1]), string(f[2]));
    case 'd': return apply_decay(replay, f);
    case 's': return search(replay, f);
    case 'w': return related(replay, f);
    case 'c': return summarize(replay, f);
    case 'm': return consolidate(replay, f);
    default: fail("operation", f[0]);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) fail("usage", "replay OPERATIONS ANSWERS SNAPSHOTS");
    static replay_t replay;
    FILE *operations = fopen(argv[1], "r");
    replay.answers = fopen(argv[2], "w"), replay.snapshots = fopen(argv[3], "w");
    if (!operations || !replay.answers || !replay.snapshots) fail(argv[1], "cannot open");
    static char line[MAX_LINE];
    while (fgets(line, sizeof line, operations)) {
        char *fields[MAX_FIELDS];
        line[strcspn(line, "\n")] = '\0';
        split(line, '\t', fields, MAX_FIELDS);
        if (line[0] == 'n') {
            start(&replay, fields);
            continue;
        }
        fprintf(replay.answers, "%c", line[0]);
        cm_status_t status = perform(&replay, line[0], fields);
        fprintf(replay.answers, " %d\n", status);
    }
    if (replay.store) finish(&replay);
    return fclose(replay.answers) == 0 && fclose(replay.snapshots) == 0 ? 0 : 1;
}
