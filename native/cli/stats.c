/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* stats.c - the command that says what a snapshot holds. */
#include "commands.h"
#include "counts.h"
#include "json_writer.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

enum { PATH, JSON, N_OPTIONS };

enum { N_REFERENCES = 10, CAPACITY_DECIMALS = 1, IMPORTANCE_DECIMALS = 2 };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,
    [JSON] = JSON_OPTION,
};

typedef struct summary {
    cm_config_t config;
    cm_stats_t stats;
    counts_t contexts, references;
} summary_t;

/* ---- collecting -------------------------------------------------------------------------------------------------------- */

static cm_status_t collect_references(cm_thread_t *thread, counts_t *out) {
    cm_reference_t references[N_REFERENCES];
    uint32_t n = 0;
    buffer_t room = {0};
    size_t needed = 0;
    cm_status_t status;
    for (;;) {
        status = cm_top_references(thread, N_REFERENCES, references, &n, room.data, room.capacity, &needed);
        if (status != CM_E_BUFFER) break;
        buffer_reserve(&room, needed);
    }
    for (uint32_t i = 0; status == CM_OK && i < n; i++) counts_add(out, references[i].id, references[i].n_references);
    buffer_free(&room);
    return status;
}

static int collect(const snapshot_t *snapshot, summary_t *summary) {
    cm_config_of(snapshot->store, &summary->config);
    cm_status_t status = cm_stats(snapshot->thread, &summary->stats);
    if (status == CM_OK) status = counts_of_contexts(snapshot->thread, &summary->contexts);
    if (status == CM_OK) status = collect_references(snapshot->thread, &summary->references);
    return status == CM_OK ? STATUS_OK : snapshot_report(snapshot, status);
}

static double capacity_percent(const summary_t *summary) {
    return 100.0 * (double)summary->stats.n_memories / (double)summary->stats.max_memories;
}

/* ---- printing ---------------------------------------------------------------------------------------------------------- */

static void add_lines(buffer_t *out, const char *title, const counts_t *counts) {
    buffer_append_format(out, "%s:\n", title);
    if (counts_n(counts) == 0) buffer_append_text(out, "  (none)\n");
    for (size_t i = 0; i < counts_n(counts); i++) {
        const count_t *count = counts_at(counts, i);
        buffer_append_text(out, "  ");
        text_append_safe(out, count->name.data, count->name.len);
        buffer_append_format(out, ": %llu\n", (unsigned long long)count->n);
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
    add_lines(out, "Context distribution", &summary->contexts);
    add_lines(out, "Most referenced memories", &summary->references);
}

static void add_counts(json_writer_t *out, const char *key, const char *name_key, const char *n_key, const counts_t *counts) {
    json_write_key(out, key);
    json_write_open(out, JSON_ARRAY);
    for (size_t i = 0; i < counts_n(counts); i++) {
        const count_t *count = counts_at(counts, i);
        json_write_open(out, JSON_OBJECT);
        json_add_string(out, name_key, count->name.data, count->name.len);
        json_add_whole(out, n_key, (int64_t)count->n);
        json_write_close(out, JSON_OBJECT_END);
    }
    json_write_close(out, JSON_ARRAY_END);
}

static void add_json(json_writer_t *out, const summary_t *summary) {
    json_write_open(out, JSON_OBJECT);
    json_add_whole(out, "memories", (int64_t)summary->stats.n_memories);
    json_add_whole(out, "components", (int64_t)summary->stats.n_components);
    json_add_whole(out, "dimensions", summary->config.dimensions);
    json_add_string(out, "metric", metric_names[summary->config.metric], SIZE_OF_TEXT);
    json_add_string(out, "vectors", vector_kind_names[summary->config.vectors], SIZE_OF_TEXT);
    json_add_whole(out, "max_memories", (int64_t)summary->stats.max_memories);
    json_add_number(out, "capacity_used_percent", capacity_percent(summary));
    json_add_number(out, "average_importance", summary->stats.average_importance);
    add_counts(out, "contexts", "context", "memories", &summary->contexts);
    add_counts(out, "most_referenced", "id", "references", &summary->references);
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
    snapshot_t snapshot;
    summary_t summary = {0};
    int status = snapshot_open(&snapshot, values[PATH].text, "stats");
    if (status == STATUS_OK) status = collect(&snapshot, &summary);
    if (status == STATUS_OK) status = print_summary(&summary, values[JSON].given);
    counts_free(&summary.contexts);
    counts_free(&summary.references);
    snapshot_close(&snapshot);
    return status;
}

const command_t stats_command = {.name = "stats", .help = stats_help, .options = options, .n_options = N_OPTIONS, .run = run};
