/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* relate.c - the two commands that change relationships. */
#include "commands.h"
#include "edit.h"
#include "memory.h"
#include "report.h"
#include "text.h"

#include <string.h>

enum { PATH, ID, TO, OUTPUT, JSON, N_OPTIONS };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,     [ID] = ID_OPTION,     [TO] = {.name = "--to", .kind = OPTION_TEXT, .required = true},
    [OUTPUT] = OUTPUT_OPTION, [JSON] = JSON_OPTION,
};

static bool holds(const cm_memory_t *memory, cm_str_t id) {
    for (uint32_t i = 0; i < memory->n_relationships; i++) {
        const cm_str_t one = memory->relationships[i];
        if (one.len == id.len && memcmp(one.data, id.data, id.len) == 0) return true;
    }
    return false;
}

/* "Related x to y", or the other way, or that it was so already. */
static void add_text(const edit_t *edit, buffer_t *out, bool relate, const cm_memory_t *memory) {
    if (edit->changed) buffer_append_text(out, relate ? "Related " : "Unrelated ");
    text_append_safe(out, memory->id.data, memory->id.len);
    if (!edit->changed) buffer_append_text(out, relate ? " was related" : " was not related");
    buffer_append_text(out, edit->changed && !relate ? " from " : " to ");
    text_append_safe(out, edit->values[TO].text, SIZE_OF_TEXT);
    if (!edit->changed && relate) buffer_append_text(out, " already");
    buffer_append_text(out, "\n  relationships: ");
    memory_append_relationships(out, memory);
    buffer_append_text(out, "\n");
}

static void add_json(const edit_t *edit, json_writer_t *out, const cm_memory_t *memory) {
    json_add_string(out, "id", memory->id.data, memory->id.len);
    json_add_string(out, "to", edit->values[TO].text, strlen(edit->values[TO].text));
    json_add_bool(out, "changed", edit->changed);
    memory_add_relationships(out, memory);
}

static int change(edit_t *edit, bool relate) {
    const cm_str_t id = option_string(&edit->values[ID]), to = option_string(&edit->values[TO]);
    cm_memory_t memory = CM_MEMORY_INIT;
    buffer_t room = {0};
    cm_status_t status = memory_get(edit->thread, id, &memory, &room);
    if (status == CM_OK) {
        edit->changed = holds(&memory, to) != relate;
        status = relate ? cm_relate(edit->thread, id, to) : cm_unrelate(edit->thread, id, to);
    }
    if (status == CM_OK) status = memory_get(edit->thread, id, &memory, &room);
    if (status == CM_OK && edit->json) add_json(edit, &edit->out, &memory);
    if (status == CM_OK && !edit->json) add_text(edit, &edit->out.text, relate, &memory);
    buffer_free(&room);
    return status == CM_OK ? STATUS_OK : snapshot_report(edit->snapshot, status);
}

static int change_relate(edit_t *edit) {
    return change(edit, true);
}

static int change_unrelate(edit_t *edit) {
    return change(edit, false);
}

static int run(const option_value_t *values, const char *command, int (*change_it)(edit_t *edit)) {
    return edit_run(&(edit_request_t){.command = command,
                                      .path = values[PATH].text,
                                      .output = values[OUTPUT].text,
                                      .json = values[JSON].given,
                                      .values = values,
                                      .change = change_it});
}

static int run_relate(const option_value_t *values) {
    return run(values, "relate", change_relate);
}

static int run_unrelate(const option_value_t *values) {
    return run(values, "unrelate", change_unrelate);
}

const command_t relate_command = {.name = "relate", .help = relate_help, .options = options, .n_options = N_OPTIONS, .run = run_relate};
const command_t unrelate_command = {
    .name = "unrelate", .help = unrelate_help, .options = options, .n_options = N_OPTIONS, .run = run_unrelate};
