/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* access.c - the command that counts an access to a memory. */
#include "commands.h"
#include "edit.h"
#include "iso8601.h"
#include "memory.h"
#include "report.h"
#include "text.h"

enum { PATH, ID, NOW, OUTPUT, JSON, N_OPTIONS };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION, [ID] = ID_OPTION, [NOW] = NOW_OPTION, [OUTPUT] = OUTPUT_OPTION, [JSON] = JSON_OPTION};

static void add_text(buffer_t *out, const cm_memory_t *before, const cm_memory_t *after) {
    buffer_append_text(out, "Accessed ");
    text_append_safe(out, before->id.data, before->id.len);
    buffer_append_format(out, "\n  access count: %u -> %u\n  accessed: ", before->access_count, after->access_count);
    iso8601_append(out, before->accessed_ms);
    buffer_append_text(out, " -> ");
    iso8601_append(out, after->accessed_ms);
    buffer_append_text(out, "\n");
}

static void add_state(json_writer_t *out, const char *key, const cm_memory_t *memory) {
    json_write_key(out, key);
    json_write_open(out, JSON_OBJECT);
    json_add_whole(out, "access_count", memory->access_count);
    json_add_whole(out, "accessed", memory->accessed_ms);
    json_write_close(out, JSON_OBJECT_END);
}

static void add_change(edit_t *edit, const cm_memory_t *before, const cm_memory_t *after) {
    if (edit->json) {
        json_add_string(&edit->out, "id", before->id.data, before->id.len);
        add_state(&edit->out, "before", before);
        add_state(&edit->out, "after", after);
    } else {
        add_text(&edit->out.text, before, after);
    }
}

static int change(edit_t *edit) {
    const cm_str_t id = option_string(&edit->values[ID]);
    cm_memory_t before = CM_MEMORY_INIT, after = CM_MEMORY_INIT;
    buffer_t room = {0}, room_after = {0};
    cm_status_t status = memory_get(edit->thread, id, &before, &room);
    if (status == CM_OK) status = memory_access(edit->thread, id, edit->values[NOW].time_ms, &after, &room_after);
    if (status == CM_OK) add_change(edit, &before, &after);
    buffer_free(&room);
    buffer_free(&room_after);
    edit->changed = true;
    return status == CM_OK ? STATUS_OK : snapshot_report(edit->snapshot, status);
}

static int run(const option_value_t *values) {
    return edit_run(&(edit_request_t){.command = "access",
                                      .path = values[PATH].text,
                                      .output = values[OUTPUT].text,
                                      .json = values[JSON].given,
                                      .values = values,
                                      .change = change});
}

const command_t access_command = {.name = "access", .help = access_help, .options = options, .n_options = N_OPTIONS, .run = run};
