/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* related.c - the command that follows relationships. */
#include "commands.h"
#include "memory.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

#include <stdlib.h>

enum { PATH, ID, DEPTH, LIMIT, JSON, N_OPTIONS };

enum { IMPORTANCE_DECIMALS = 2 };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,
    [ID] = ID_OPTION,
    [DEPTH] = {.name = "--depth", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_MEMORIES},
    [LIMIT] = {.short_name = 'l', .name = "--limit", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_MEMORIES},
    [JSON] = JSON_OPTION,
};

typedef struct found {
    cm_related_t *list; /* for free() */
    uint32_t n, n_shown;
} found_t;

/* ---- one result -------------------------------------------------------------------------------------------------------- */

static void add_line(buffer_t *out, uint32_t rank, uint32_t depth, const cm_memory_t *memory) {
    buffer_append_format(out, "%u. id: ", rank);
    text_append_safe(out, memory->id.data, memory->id.len);
    buffer_append_format(out, "  depth: %u  importance: ", depth);
    text_append_fixed(out, memory->importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, "  context: ");
    text_append_safe(out, memory->context.data, memory->context.len);
    buffer_append_text(out, "\n");
}

static void add_object(json_writer_t *out, uint32_t depth, const cm_memory_t *memory) {
    json_write_open(out, JSON_OBJECT);
    json_add_string(out, "id", memory->id.data, memory->id.len);
    json_add_whole(out, "depth", depth);
    memory_add_attributes(out, memory);
    json_write_close(out, JSON_OBJECT_END);
}

/* ---- all of them ------------------------------------------------------------------------------------------------------- */

static cm_status_t add_results(json_writer_t *out, cm_thread_t *thread, const found_t *found, bool json) {
    buffer_t room = {0};
    cm_status_t status = CM_OK;
    for (uint32_t i = 0; status == CM_OK && i < found->n_shown; i++) {
        const cm_related_t *one = &found->list[i];
        cm_memory_t memory = CM_MEMORY_INIT;
        status = memory_get_hit(thread, one->slot, one->generation, &memory, &room);
        if (status != CM_OK) break;
        if (json) {
            add_object(out, one->depth, &memory);
        } else {
            add_line(&out->text, i + 1, one->depth, &memory);
        }
    }
    buffer_free(&room);
    return status;
}

static void begin(json_writer_t *out, const found_t *found, bool json) {
    if (json) {
        json_write_open(out, JSON_OBJECT);
        json_add_whole(out, "count", found->n_shown);
        json_add_whole(out, "total", found->n);
        json_write_key(out, "results");
        json_write_open(out, JSON_ARRAY);
    } else if (found->n == 0) {
        buffer_append_text(&out->text, "No results.\n");
    } else {
        buffer_append_format(&out->text, "Found %u result(s)", found->n);
        if (found->n_shown < found->n) buffer_append_format(&out->text, ", the first %u", found->n_shown);
        buffer_append_text(&out->text, ":\n");
    }
}

static int print_found(const snapshot_t *snapshot, const found_t *found, bool json) {
    json_writer_t out = {0};
    begin(&out, found, json);
    cm_status_t status = add_results(&out, snapshot->thread, found, json);
    if (json) {
        json_write_close(&out, JSON_ARRAY_END);
        json_write_close(&out, JSON_OBJECT_END);
        buffer_append_text(&out.text, "\n");
    }
    int exit_status = status == CM_OK ? output_print(out.text.data, out.text.len) : snapshot_report(snapshot, status);
    buffer_free(&out.text);
    return exit_status;
}

static cm_status_t find(cm_thread_t *thread, const option_value_t *values, found_t *found) {
    const cm_str_t id = option_string(&values[ID]);
    uint32_t depth = values[DEPTH].given ? (uint32_t)values[DEPTH].whole : 1;
    cm_status_t status = cm_related(thread, id, depth, NULL, 0, &found->n);
    if (status == CM_E_BUFFER) {
        found->list = allocate(found->n * sizeof *found->list);
        status = cm_related(thread, id, depth, found->list, found->n, &found->n);
    }
    bool cut = values[LIMIT].given && values[LIMIT].whole < found->n;
    found->n_shown = cut ? (uint32_t)values[LIMIT].whole : found->n;
    return status;
}

static int run(const option_value_t *values) {
    snapshot_t snapshot;
    int exit_status = snapshot_open(&snapshot, values[PATH].text, "related");
    if (exit_status == STATUS_OK) {
        found_t found = {0};
        cm_status_t status = find(snapshot.thread, values, &found);
        exit_status = status == CM_OK ? print_found(&snapshot, &found, values[JSON].given) : snapshot_report(&snapshot, status);
        free(found.list);
    }
    snapshot_close(&snapshot);
    return exit_status;
}

const command_t related_command = {.name = "related", .help = related_help, .options = options, .n_options = N_OPTIONS, .run = run};
