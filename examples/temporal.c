/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The same as temporal.mjs from C. cc temporal.c $(pkg-config --cflags --libs chronomind) && ./a.out */
#include <chronomind.h>
#include <stdio.h>

#define HOUR_MS 3600000ll
#define NOON 1767355200000ll /* 2026-01-02T12:00:00Z */

static cm_thread_t *thread;

static void insert(cm_str_t id, float x, float y, float z, cm_str_t context, int64_t age_ms) {
    cm_memory_t memory = CM_MEMORY_INIT;
    float vector[3] = {x, y, z};
    memory.id = id, memory.vector = vector, memory.dimensions = 3;
    memory.context = context, memory.created_ms = NOON - age_ms;
    if (cm_insert(thread, &memory) != CM_OK) puts(cm_message(thread));
}

static void search(const char *title, const cm_search_t *options) {
    static _Alignas(8) char buffer[4096];
    const float query[3] = {1, 0.1f, 0};
    cm_hit_t hits[10];
    cm_search_report_t report;
    size_t n;
    if (cm_search(thread, query, 3, options, hits, &n) != CM_OK) puts(cm_message(thread));
    cm_last_search(thread, &report);
    printf("%s (bound %g)\n", title, report.bound);
    for (size_t i = 0; i < n; i++) {
        cm_memory_t memory;
        cm_why_t why;
        if (cm_get_hit(thread, hits[i].slot, hits[i].generation, &memory, buffer, sizeof buffer, NULL) != CM_OK)
            continue; /* removed meanwhile */
        cm_explain(&report, &hits[i], &why);
        printf("  %-20.*s score %.3f = %.3f distance + %.3f recency (%g h old)\n", (int)memory.id.len, memory.id.data,
               (double)hits[i].score, why.distance_part, why.recency_part, why.age_hours);
    }
}

int main(void) {
    cm_config_t config = CM_CONFIG_INIT;
    cm_store_t *store;
    config.dimensions = 3;
    if (cm_open(&config, &store, NULL) != CM_OK || cm_attach(store, &thread) != CM_OK) return 1;
    insert(CM_STR("likes-tea"), 1, 0, 0, CM_STR("user"), 720 * HOUR_MS);
    insert(CM_STR("ordered-coffee"), 0.9f, 0.4f, 0, CM_STR("user"), HOUR_MS);
    insert(CM_STR("ordered-coffee-again"), 0.9f, 0.41f, 0, CM_STR("user"), HOUR_MS / 2);
    insert(CM_STR("weather"), 0, 0, 1, CM_STR("world"), 2 * HOUR_MS);

    cm_search_t options = CM_SEARCH_INIT;
    options.k = 3, options.now_ms = NOON;
    search("near and fresh", &options);
    options.temporal_weight = 0;
    search("nearest, whenever", &options);
    options.created_after_ms = NOON - 24 * HOUR_MS;
    search("nearest of the last day", &options);

    uint64_t n_absorbed;
    cm_consolidate_t merge = CM_CONSOLIDATE_INIT;
    merge.similarity_threshold = 0.99f;
    if (cm_consolidate(thread, &merge, &n_absorbed) != CM_OK) puts(cm_message(thread));
    printf("absorbed as near-duplicates: %llu\n", (unsigned long long)n_absorbed);
    cm_detach(thread);
    return cm_close(store);
}
