/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * replay.c - performs a list of operations natively, prints what searches answer, and saves. tests/js/identity.test.mjs performs the same list in WebAssembly and compares.
 *
 *     replay OPERATIONS ANSWERS SNAPSHOT DIMENSIONS MAX_MEMORIES METRIC
 *
 * One operation per line, fields between tabs, floats as the hexadecimal digits of their bits:
 *     i  id  context  importance  decay_rate  created_ms  text  relationship,relationship,...  vector
 *     r  id
 *     a  id  now_ms
 *     s  k  context  temporal_weight  now_ms  vector
 */
#include <chronomind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1 << 16, MAX_FIELDS = 16, MAX_VALUES = 256 };

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "replay: %s: %s\n", what, why);
    exit(1);
}

static cm_str_t string(const char *text) {
    return (cm_str_t){text, strlen(text)};
}

static float real(const char *digits) {
    uint32_t bits = (uint32_t)strtoul(digits, NULL, 16);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
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

static void insert(cm_thread_t *thread, char **f) {
    char *names[MAX_VALUES];
    cm_str_t relationships[MAX_VALUES];
    float vector[MAX_VALUES];
    uint32_t n = f[7][0] ? (uint32_t)split(f[7], ',', names, MAX_VALUES) : 0;
    for (uint32_t i = 0; i < n; i++) relationships[i] = string(names[i]);
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = string(f[1]), memory.context = string(f[2]), memory.text = string(f[6]);
    memory.importance = real(f[3]), memory.decay_rate = real(f[4]), memory.created_ms = strtoll(f[5], NULL, 10);
    memory.relationships = relationships, memory.n_relationships = n;
    memory.dimensions = read_vector(f[8], vector), memory.vector = vector;
    if (cm_insert(thread, &memory) != CM_OK) fail("insert", cm_message(thread));
}

static void access_one(cm_thread_t *thread, char **f) {
    static uint64_t buffer[MAX_LINE / 8];
    cm_memory_t memory;
    cm_status_t status = cm_access(thread, string(f[1]), strtoll(f[2], NULL, 10), &memory, buffer, sizeof buffer, NULL);
    if (status != CM_OK && status != CM_E_NOT_FOUND) fail("access", cm_message(thread));
}

static void search(cm_thread_t *thread, char **f, FILE *answers) {
    static cm_hit_t hits[MAX_VALUES];
    float vector[MAX_VALUES];
    cm_search_t query = CM_SEARCH_INIT;
    query.k = (uint32_t)atoi(f[1]), query.context = string(f[2]), query.temporal_weight = real(f[3]),
    query.now_ms = strtoll(f[4], NULL, 10);
    size_t n;
    if (cm_search(thread, vector, read_vector(f[5], vector), &query, hits, &n) != CM_OK) fail("search", cm_message(thread));
    for (size_t i = 0; i < n; i++) {
        uint64_t buffer[MAX_LINE / 8];
        cm_memory_t memory;
        if (cm_get_hit(thread, hits[i].slot, hits[i].generation, &memory, buffer, sizeof buffer, NULL) != CM_OK)
            fail("get", cm_message(thread));
        fprintf(answers, "%.*s %08x %08x %08x\n", (int)memory.id.len, memory.id.data, bits_of(hits[i].score), bits_of(hits[i].distance),
                bits_of(hits[i].recency));
    }
    fputs("\n", answers);
}

static void perform(cm_thread_t *thread, char *line, FILE *answers) {
    char *fields[MAX_FIELDS];
    split(line, '\t', fields, MAX_FIELDS);
    switch (line[0]) {
    case 'i': insert(thread, fields); break;
    case 'r': (void)cm_remove(thread, string(fields[1])); break;
    case 'a': access_one(thread, fields); break;
    case 's': search(thread, fields, answers); break;
    default: fail("operation", line);
    }
}

int main(int argc, char **argv) {
    if (argc != 7) fail("usage", "replay OPERATIONS ANSWERS SNAPSHOT DIMENSIONS MAX_MEMORIES METRIC");
    FILE *operations = fopen(argv[1], "r"), *answers = fopen(argv[2], "w");
    if (!operations || !answers) fail(argv[1], "cannot open");
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = (uint32_t)atoi(argv[4]), config.max_memories = (uint32_t)atoi(argv[5]), config.metric = (cm_metric_t)atoi(argv[6]);
    cm_store_t *store;
    cm_thread_t *thread;
    cm_error_t error;
    if (cm_open(&config, &store, &error) != CM_OK || cm_attach(store, &thread) != CM_OK) fail("open", error.message);
    static char line[MAX_LINE];
    while (fgets(line, sizeof line, operations)) {
        line[strcspn(line, "\n")] = '\0';
        perform(thread, line, answers);
    }
    if (cm_save_file(thread, argv[3]) != CM_OK) fail("save", cm_message(thread));
    fclose(answers);
    cm_detach(thread);
    return cm_close(store) == CM_OK ? 0 : 1;
}
