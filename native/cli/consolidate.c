/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* consolidate.c - the command that merges near-duplicates. */
#include "commands.h"
#include "counts.h"
#include "edit.h"
#include "input.h"
#include "memory.h"
#include "progress.h"
#include "report.h"
#include "text.h"

#include <stdlib.h>

enum { PATH, THRESHOLD, DRY_RUN, OUTPUT, JSON, N_OPTIONS };

enum { SHOWN_IDS = 10 };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,       [THRESHOLD] = {.name = "--threshold", .kind = OPTION_FRACTION},
    [DRY_RUN] = DRY_RUN_OPTION, [OUTPUT] = OUTPUT_OPTION,
    [JSON] = JSON_OPTION,
};

typedef struct merge {
    float threshold;
    uint64_t n_before;
    buffer_t lengths, bytes; /* size_t each, and end to end: the ids of all memories before */
    buffer_t absorbed;       /* cm_str_t each, into bytes */
} merge_t;

static size_t n_absorbed(const merge_t *merge) {
    return merge->absorbed.len / sizeof(cm_str_t);
}

static const cm_str_t *absorbed(const merge_t *merge) {
    return (const cm_str_t *)(const void *)merge->absorbed.data;
}

/* ---- which are gone ---------------------------------------------------------------------------------------------------- */

static cm_status_t note_ids(cm_thread_t *thread, merge_t *merge) {
    buffer_t room = {0};
    uint64_t cursor = 0;
    cm_status_t status;
    do {
        cm_memory_t memory = CM_MEMORY_INIT;
        status = memory_next(thread, &cursor, &memory, &room);
        if (status != CM_OK) break;
        buffer_append(&merge->lengths, &memory.id.len, sizeof memory.id.len);
        buffer_append(&merge->bytes, memory.id.data, memory.id.len);
    } while (true);
    buffer_free(&room);
    return status == CM_END ? CM_OK : status;
}

static int compare_ids(const void *left, const void *right) {
    return compare_names(*(const cm_str_t *)left, *(const cm_str_t *)right);
}

static void find_absorbed(cm_thread_t *thread, merge_t *merge) {
    const size_t *lengths = (const size_t *)(const void *)merge->lengths.data;
    const char *at = merge->bytes.data;
    for (size_t i = 0; i < merge->lengths.len / sizeof *lengths; at += lengths[i++]) {
        const cm_str_t id = {at, lengths[i]};
        if (!cm_contains(thread, id)) buffer_append(&merge->absorbed, &id, sizeof id);
    }
    if (n_absorbed(merge) > 0) qsort(merge->absorbed.data, n_absorbed(merge), sizeof(cm_str_t), compare_ids);
}

/* ---- what is said about it --------------------------------------------------------------------------------------------- */

static void add_text(buffer_t *out, const merge_t *merge, bool dry_run) {
    size_t n = n_absorbed(merge);
    buffer_append_format(out, "%s %zu of %llu memories that are more similar than ", dry_run ? "Would absorb" : "Absorbed", n,
                         (unsigned long long)merge->n_before);
    text_append_float(out, merge->threshold);
    buffer_append_text(out, "\n");
    for (size_t i = 0; i < n && i < SHOWN_IDS; i++) {
        buffer_append_text(out, "  ");
        text_append_safe(out, absorbed(merge)[i].data, absorbed(merge)[i].len);
        buffer_append_text(out, "\n");
    }
    if (n > SHOWN_IDS) buffer_append_format(out, "  and %zu more\n", n - SHOWN_IDS);
}

static void add_json(json_writer_t *out, const merge_t *merge, bool dry_run) {
    json_write_key(out, "absorbed");
    json_write_open(out, JSON_ARRAY);
    for (size_t i = 0; i < n_absorbed(merge); i++) json_write_string(out, absorbed(merge)[i].data, absorbed(merge)[i].len);
    json_write_close(out, JSON_ARRAY_END);
    json_add_whole(out, "memories", (int64_t)(merge->n_before - n_absorbed(merge)));
    json_add_float(out, "threshold", merge->threshold);
    json_add_bool(out, "dry_run", dry_run);
}

/* ---- the change -------------------------------------------------------------------------------------------------------- */

static bool show_progress(void *context, double done) {
    (void)context;
    progress_show_share(done, "consolidating");
    return !interrupt_seen();
}

static cm_status_t consolidate(edit_t *edit, merge_t *merge) {
    cm_consolidate_t request = CM_CONSOLIDATE_INIT;
    request.similarity_threshold = merge->threshold;
    request.progress = show_progress;
    merge->n_before = cm_len(edit->snapshot->store);
    cm_status_t status = note_ids(edit->thread, merge);
    uint64_t n = 0;
    if (status == CM_OK) status = cm_consolidate(edit->thread, &request, &n);
    if (status == CM_OK && n > 0) find_absorbed(edit->thread, merge);
    return status;
}

static float threshold_of(const edit_t *edit) {
    cm_config_t config;
    cm_config_of(edit->snapshot->store, &config);
    return edit->values[THRESHOLD].given ? (float)edit->values[THRESHOLD].number : config.similarity_threshold;
}

static int change(edit_t *edit) {
    merge_t merge = {.threshold = threshold_of(edit)};
    cm_status_t status = consolidate(edit, &merge);
    if (status == CM_OK && edit->json) add_json(&edit->out, &merge, edit->dry_run);
    if (status == CM_OK && !edit->json) add_text(&edit->out.text, &merge, edit->dry_run);
    edit->changed = n_absorbed(&merge) > 0;
    buffer_free(&merge.lengths);
    buffer_free(&merge.bytes);
    buffer_free(&merge.absorbed);
    if (status == CM_E_CANCELLED) return interrupt_report();
    return status == CM_OK ? STATUS_OK : snapshot_report(edit->snapshot, status);
}

static int run(const option_value_t *values) {
    return edit_run(&(edit_request_t){.command = "consolidate",
                                      .path = values[PATH].text,
                                      .output = values[OUTPUT].text,
                                      .json = values[JSON].given,
                                      .dry_run = values[DRY_RUN].given,
                                      .values = values,
                                      .change = change});
}

const command_t consolidate_command = {
    .name = "consolidate", .help = consolidate_help, .options = options, .n_options = N_OPTIONS, .run = run};
