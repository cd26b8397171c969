/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* stats.c - the command that says what a snapshot holds. */
#include "commands.h"
#include "json_writer.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { PATH, JSON, N_OPTIONS };

enum { N_REFERENCES = 10, CAPACITY_DECIMALS = 1, IMPORTANCE_DECIMALS = 2 };

static const option_t options[N_OPTIONS] = {
    [PATH] = {.short_name = 'f', .name = "--file", .kind = OPTION_TEXT, .required = true},
    [JSON] = {.name = "--json", .kind = OPTION_FLAG},
};

/* A name and how often; the names of both lists. */
typedef struct count {
    char *name;
    size_t n_name;
    uint64_t n;
} count_t;

typedef struct summary {
    cm_config_t config;
    cm_stats_t stats;
    buffer_t contexts; /* count_t each */
    count_t references[N_REFERENCES];
    uint32_t n_references;
} summary_t;

static int fail(const cm_thread_t *thread) {
    return report(STATUS_FAILED, "try 'chronomind stats --help'", "%s", cm_message(thread));
}

static count_t count_of(cm_str_t name, uint64_t n) {
    count_t count = {allocate(name.len + 1), name.len, n};
    memcpy(count.name, name.data, name.len);
    return count;
}

/* Count descending, then name by bytes, shorter first. */
static int compare_counts(const void *left, const void *right) {
    const count_t *a = left, *b = right;
    if (a->n != b->n) return a->n > b->n ? -1 : 1;
    int order = memcmp(a->name, b->name, a->n_name < b->n_name ? a->n_name : b->n_name);
    return order ? order : (a->n_name > b->n_name) - (a->n_name < b->n_name);
}

static size_t n_contexts(const summary_t *summary) {
    return summary->contexts.len / sizeof(count_t);
}

static count_t *contexts(const summary_t *summary) {
    return (count_t *)(void *)summary->contexts.data;
}

/* ---- collecting -------------------------------------------------------------------------------------------------------- */

static int collect_contexts(cm_thread_t *thread, summary_t *summary) {
    buffer_t room = {0};
    cm_context_stat_t one;
    uint64_t cursor = 0;
    size_t needed = 0;
    cm_status_t status;
    do {
        status = cm_next_context(thread, &cursor, &one, room.data, room.capacity, &needed);
        if (status == CM_E_BUFFER) {
            buffer_reserve(&room, needed);
        } else if (status == CM_OK) {
            const count_t count = count_of(one.context, one.n_memories);
            buffer_append(&summary->contexts, &count, sizeof count);
        }
    } while (status == CM_OK || status == CM_E_BUFFER);
    buffer_free(&room);
    if (status != CM_END) return fail(thread);
    if (summary->contexts.len > 0) qsort(summary->contexts.data, n_contexts(summary), sizeof(count_t), compare_counts);
    return STATUS_OK;
}

static int collect_references(cm_thread_t *thread, summary_t *summary) {
    cm_reference_t references[N_REFERENCES];
    buffer_t room = {0};
    size_t needed = 0;
    cm_status_t status;
    for (;;) {
        status = cm_top_references(thread, N_REFERENCES, references, &summary->n_references, room.data, room.capacity, &needed);
        if (status != CM_E_BUFFER) break;
        buffer_reserve(&room, needed);
    }
    if (status != CM_OK) summary->n_references = 0;
    for (uint32_t i = 0; i < summary->n_references; i++) summary->references[i] = count_of(references[i].id, references[i].n_references);
    buffer_free(&room);
    return status == CM_OK ? STATUS_OK : fail(thread);
}

static int collect(const cm_store_t *store, cm_thread_t *thread, summary_t *summary) {
    cm_config_of(store, &summary->config);
    if (cm_stats(thread, &summary->stats) != CM_OK) return fail(thread);
    int status = collect_contexts(thread, summary);
    return status ? status : collect_references(thread, summary);
}

static void free_summary(summary_t *summary) {
    for (size_t i = 0; i < n_contexts(summary); i++) free(contexts(summary)[i].name);
    for (uint32_t i = 0; i < summary->n_references; i++) free(summary->references[i].name);
    buffer_free(&summary->contexts);
}

static double capacity_percent(const summary_t *summary) {
    return 100.0 * (double)summary->stats.n_memories / (double)summary->stats.max_memories;
}

/* ---- printing ---------------------------------------------------------------------------------------------------------- */

static void add_lines(buffer_t *out, const char *title, const count_t *counts, size_t n) {
    buffer_append_format(out, "%s:\n", title);
    if (n == 0) buffer_append_text(out, "  (none)\n");
    for (size_t i = 0; i < n; i++) {
        buffer_append_text(out, "  ");
        text_append_safe(out, counts[i].name, counts[i].n_name);
        buffer_append_format(out, ": %llu\n", (unsigned long long)counts[i].n);
    }
}

static void add_text(buffer_t *out, const summary_t *summary) {
    buffer_append_format(out, "Total memories: %llu\n", (unsigned long long)summary->stats.n_memories);
    buffer_append_format(out, "Total components: %llu\n", (unsigned long long)summary->stats.n_components);
    buffer_append_text(out, "Capacity used: ");
    text_append_fixed(out, capacity_percent(summary), CAPACITY_DECIMALS);
    buffer_append_text(out, "%\nAverage importance: ");
    text_append_fixed(out, summary->stats.average_importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, "\n");
    add_lines(out, "Context distribution", contexts(summary), n_contexts(summary));
    add_lines(out, "Most referenced memories", summary->references, summary->n_references);
}

static void add_whole(json_writer_t *out, const char *key, uint64_t value) {
    json_write_key(out, key);
    json_write_whole(out, (int64_t)value);
}

static void add_counts(json_writer_t *out, const char *key, const char *name_key, const char *n_key, const count_t *counts, size_t n) {
    json_write_key(out, key);
    json_write_open(out, JSON_ARRAY);
    for (size_t i = 0; i < n; i++) {
        json_write_open(out, JSON_OBJECT);
        json_write_key(out, name_key);
        json_write_string(out, counts[i].name, counts[i].n_name);
        add_whole(out, n_key, counts[i].n);
        json_write_close(out, JSON_OBJECT_END);
    }
    json_write_close(out, JSON_ARRAY_END);
}

static void add_json(json_writer_t *out, const summary_t *summary) {
    json_write_open(out, JSON_OBJECT);
    add_whole(out, "memories", summary->stats.n_memories);
    add_whole(out, "components", summary->stats.n_components);
    add_whole(out, "dimensions", summary->config.dimensions);
    json_write_key(out, "metric");
    json_write_string(out, metric_names[summary->config.metric], SIZE_OF_TEXT);
    add_whole(out, "max_memories", summary->stats.max_memories);
    json_write_key(out, "capacity_used_percent");
    json_write_number(out, capacity_percent(summary));
    json_write_key(out, "average_importance");
    json_write_number(out, summary->stats.average_importance);
    add_counts(out, "contexts", "context", "memories", contexts(summary), n_contexts(summary));
    add_counts(out, "most_referenced", "id", "references", summary->references, summary->n_references);
    json_write_close(out, JSON_OBJECT_END);
    buffer_append_text(&out->text, "\n");
}

static int print_summary(const summary_t *summary, bool json) {
    json_writer_t out = {0};
    if (json) {
        add_json(&out, summary);
    } else {
        add_text(&out.text, summary);
    }
    int status = output_print(out.text.data, out.text.len);
    buffer_free(&out.text);
    return status;
}

static int run(const option_value_t *values) {
    cm_store_t *store;
    cm_thread_t *thread;
    summary_t summary = {0};
    int status = snapshot_open(values[PATH].text, "stats", &store, &thread);
    if (status == STATUS_OK) status = collect(store, thread, &summary);
    if (status == STATUS_OK) status = print_summary(&summary, values[JSON].given);
    free_summary(&summary);
    snapshot_close(store, thread);
    return status;
}

const command_t stats_command = {.name = "stats", .help = stats_help, .options = options, .n_options = N_OPTIONS, .run = run};
