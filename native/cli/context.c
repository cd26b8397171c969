/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* context.c - the command that sums up a context, or lists them all. */
#include "commands.h"
#include "counts.h"
#include "memory.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

#include <stdlib.h>

enum { PATH, CONTEXT, JSON, N_OPTIONS };

enum { IMPORTANCE_DECIMALS = 2 };

static const option_t options[N_OPTIONS] = {[PATH] = FILE_OPTION, [CONTEXT] = CONTEXT_OPTION, [JSON] = JSON_OPTION};

/* ---- one context ------------------------------------------------------------------------------------------------------- */

typedef struct summary {
    cm_str_t context;
    cm_context_summary_t numbers;
    float *mean;
    uint32_t dimensions;
} summary_t;

static void add_text(buffer_t *out, const summary_t *summary) {
    buffer_append_text(out, "Context: ");
    text_append_safe(out, summary->context.data, summary->context.len);
    buffer_append_format(out, "\nMemories: %llu\nAverage importance: ", (unsigned long long)summary->numbers.n_memories);
    text_append_fixed(out, summary->numbers.average_importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, "\nCentroid: ");
    if (summary->numbers.n_memories > 0) {
        memory_append_floats(out, summary->mean, summary->dimensions);
    } else {
        buffer_append_text(out, "(none)");
    }
    buffer_append_text(out, "\n");
}

/* Without brackets: also one of the list. */
static void add_numbers(json_writer_t *out, cm_str_t context, const cm_context_summary_t *numbers) {
    json_add_string(out, "context", context.data, context.len);
    json_add_whole(out, "memories", (int64_t)numbers->n_memories);
    json_add_number(out, "average_importance", numbers->average_importance);
}

static void add_json(json_writer_t *out, const summary_t *summary) {
    json_write_open(out, JSON_OBJECT);
    add_numbers(out, summary->context, &summary->numbers);
    if (summary->numbers.n_memories > 0) {
        memory_add_floats(out, "centroid", summary->mean, summary->dimensions);
    } else {
        json_write_key(out, "centroid");
        json_write_null(out);
    }
    json_write_close(out, JSON_OBJECT_END);
    buffer_append_text(&out->text, "\n");
}

static cm_status_t sum_up(const snapshot_t *snapshot, cm_str_t context, json_writer_t *out, bool json) {
    cm_config_t config;
    cm_config_of(snapshot->store, &config);
    summary_t summary = {.context = context, .dimensions = config.dimensions};
    summary.mean = allocate(summary.dimensions * sizeof *summary.mean);
    cm_status_t status = cm_context_summary(snapshot->thread, context, &summary.numbers, summary.mean, summary.dimensions);
    if (status == CM_OK && json) add_json(out, &summary);
    if (status == CM_OK && !json) add_text(&out->text, &summary);
    free(summary.mean);
    return status;
}

/* ---- all contexts ------------------------------------------------------------------------------------------------------ */

static void add_one(json_writer_t *out, const count_t *count, const cm_context_summary_t *numbers, bool json) {
    if (json) {
        json_write_open(out, JSON_OBJECT);
        add_numbers(out, count->name, numbers);
        json_write_close(out, JSON_OBJECT_END);
    } else {
        buffer_append_text(&out->text, "  ");
        text_append_safe(&out->text, count->name.data, count->name.len);
        buffer_append_format(&out->text, ": %llu  average importance: ", (unsigned long long)count->n);
        text_append_fixed(&out->text, numbers->average_importance, IMPORTANCE_DECIMALS);
        buffer_append_text(&out->text, "\n");
    }
}

static cm_status_t add_all(cm_thread_t *thread, const counts_t *counts, json_writer_t *out, bool json) {
    for (size_t i = 0; i < counts_n(counts); i++) {
        cm_context_summary_t numbers;
        cm_status_t status = cm_context_summary(thread, counts_at(counts, i)->name, &numbers, NULL, 0);
        if (status != CM_OK) return status;
        add_one(out, counts_at(counts, i), &numbers, json);
    }
    return CM_OK;
}

static cm_status_t list(cm_thread_t *thread, json_writer_t *out, bool json) {
    counts_t counts = {0};
    cm_status_t status = counts_of_contexts(thread, &counts);
    if (json) {
        json_write_open(out, JSON_OBJECT);
        json_add_whole(out, "count", (int64_t)counts_n(&counts));
        json_write_key(out, "contexts");
        json_write_open(out, JSON_ARRAY);
    } else {
        buffer_append_format(&out->text, "Contexts: %zu\n", counts_n(&counts));
    }
    if (status == CM_OK) status = add_all(thread, &counts, out, json);
    if (json) {
        json_write_close(out, JSON_ARRAY_END);
        json_write_close(out, JSON_OBJECT_END);
        buffer_append_text(&out->text, "\n");
    }
    counts_free(&counts);
    return status;
}

static int run(const option_value_t *values) {
    snapshot_t snapshot;
    json_writer_t out = {0};
    int exit_status = snapshot_open(&snapshot, values[PATH].text, "context");
    if (exit_status == STATUS_OK) {
        bool json = values[JSON].given;
        cm_status_t status = values[CONTEXT].given ? sum_up(&snapshot, option_string(&values[CONTEXT]), &out, json)
                                                   : list(snapshot.thread, &out, json);
        exit_status = status == CM_OK ? output_print(out.text.data, out.text.len) : snapshot_report(&snapshot, status);
    }
    buffer_free(&out.text);
    snapshot_close(&snapshot);
    return exit_status;
}

const command_t context_command = {.name = "context", .help = context_help, .options = options, .n_options = N_OPTIONS, .run = run};
