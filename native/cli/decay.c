/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* decay.c - the command that lets importance fade. */
#include "commands.h"
#include "edit.h"
#include "iso8601.h"
#include "report.h"
#include "text.h"

enum { PATH, NOW, DRY_RUN, OUTPUT, JSON, N_OPTIONS };

enum { IMPORTANCE_DECIMALS = 2 };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION, [NOW] = NOW_OPTION, [DRY_RUN] = DRY_RUN_OPTION, [OUTPUT] = OUTPUT_OPTION, [JSON] = JSON_OPTION};

typedef struct sweep {
    int64_t now_ms;
    uint64_t n_decayed;
    cm_stats_t before, after;
} sweep_t;

static void add_text(buffer_t *out, const sweep_t *sweep, bool dry_run) {
    buffer_append_format(out, "%s %llu of %llu memories to ", dry_run ? "Would decay" : "Decayed", (unsigned long long)sweep->n_decayed,
                         (unsigned long long)sweep->before.n_memories);
    iso8601_append(out, sweep->now_ms);
    buffer_append_text(out, "; average importance: ");
    text_append_fixed(out, sweep->before.average_importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, " -> ");
    text_append_fixed(out, sweep->after.average_importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, "\n");
}

static void add_state(json_writer_t *out, const char *key, const cm_stats_t *stats) {
    json_write_key(out, key);
    json_write_open(out, JSON_OBJECT);
    json_add_number(out, "average_importance", stats->average_importance);
    json_write_close(out, JSON_OBJECT_END);
}

static void add_json(json_writer_t *out, const sweep_t *sweep, bool dry_run) {
    json_add_whole(out, "decayed", (int64_t)sweep->n_decayed);
    json_add_whole(out, "memories", (int64_t)sweep->before.n_memories);
    json_add_whole(out, "now", sweep->now_ms);
    add_state(out, "before", &sweep->before);
    add_state(out, "after", &sweep->after);
    json_add_bool(out, "dry_run", dry_run);
}

static int change(edit_t *edit) {
    sweep_t sweep = {.now_ms = edit->values[NOW].time_ms};
    cm_status_t status = cm_stats(edit->thread, &sweep.before);
    if (status == CM_OK) status = cm_apply_decay(edit->thread, sweep.now_ms, &sweep.n_decayed);
    if (status == CM_OK) status = cm_stats(edit->thread, &sweep.after);
    if (status != CM_OK) return snapshot_report(edit->snapshot, status);
    edit->changed = sweep.n_decayed > 0;
    if (edit->json) {
        add_json(&edit->out, &sweep, edit->dry_run);
    } else {
        add_text(&edit->out.text, &sweep, edit->dry_run);
    }
    return STATUS_OK;
}

static int run(const option_value_t *values) {
    return edit_run(&(edit_request_t){.command = "decay",
                                      .path = values[PATH].text,
                                      .output = values[OUTPUT].text,
                                      .json = values[JSON].given,
                                      .dry_run = values[DRY_RUN].given,
                                      .values = values,
                                      .change = change});
}

const command_t decay_command = {.name = "decay", .help = decay_help, .options = options, .n_options = N_OPTIONS, .run = run};
