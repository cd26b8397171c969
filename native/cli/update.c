/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* update.c - the command that changes attributes of a memory. */
#include "commands.h"
#include "edit.h"
#include "memory.h"
#include "report.h"
#include "text.h"

#include <string.h>

enum { PATH, ID, IMPORTANCE, DECAY_RATE, CONTEXT, TEXT, METADATA, NOW, OUTPUT, JSON, N_OPTIONS };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,
    [ID] = ID_OPTION,
    [IMPORTANCE] = {.name = "--importance", .kind = OPTION_NUMBER},
    [DECAY_RATE] = {.name = "--decay-rate", .kind = OPTION_RATE},
    [CONTEXT] = CONTEXT_OPTION,
    [TEXT] = {.name = "--text", .kind = OPTION_TEXT, .may_be_empty = true},
    [METADATA] = {.name = "--metadata", .kind = OPTION_JSON},
    [NOW] = NOW_OPTION,
    [OUTPUT] = OUTPUT_OPTION,
    [JSON] = JSON_OPTION,
};

/* As save does: null is none. */
static cm_str_t metadata_of(const option_value_t *value) {
    const buffer_t *json = &value->json.text;
    bool null = json->len == 4 && memcmp(json->data, "null", 4) == 0;
    return null ? (cm_str_t){"", 0} : (cm_str_t){json->data, json->len};
}

static cm_update_t update_of(const option_value_t *values) {
    static const struct {
        size_t option;
        uint32_t field;
    } fields[] = {{IMPORTANCE, CM_UPDATE_IMPORTANCE},
                  {DECAY_RATE, CM_UPDATE_DECAY_RATE},
                  {CONTEXT, CM_UPDATE_CONTEXT},
                  {TEXT, CM_UPDATE_TEXT},
                  {METADATA, CM_UPDATE_METADATA}};
    cm_update_t update = CM_UPDATE_INIT;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (values[fields[i].option].given) update.fields |= fields[i].field;
    }
    update.importance = (float)values[IMPORTANCE].number;
    update.decay_rate = (float)values[DECAY_RATE].number;
    update.context = option_string(&values[CONTEXT]);
    update.text = option_string(&values[TEXT]);
    update.metadata = metadata_of(&values[METADATA]);
    update.now_ms = values[NOW].time_ms;
    return update;
}

/* ---- what changed ------------------------------------------------------------------------------------------------------ */

static void append_attribute(buffer_t *out, size_t option, const cm_memory_t *memory) {
    switch (option) {
    case IMPORTANCE: text_append_float(out, memory->importance); break;
    case DECAY_RATE: text_append_float(out, memory->decay_rate); break;
    case CONTEXT: text_append_short(out, memory->context.data, memory->context.len); break;
    case TEXT: memory_append_text(out, memory->text, false); break;
    default: memory_append_metadata(out, memory->metadata, false);
    }
}

static void add_attribute(json_writer_t *out, size_t option, const cm_memory_t *memory) {
    switch (option) {
    case IMPORTANCE: json_add_float(out, "importance", memory->importance); break;
    case DECAY_RATE: json_add_float(out, "decay_rate", memory->decay_rate); break;
    case CONTEXT: json_add_string(out, "context", memory->context.data, memory->context.len); break;
    case TEXT: memory_add_text(out, memory->text); break;
    default: memory_add_metadata(out, memory->metadata);
    }
}

static void add_lines(edit_t *edit, const cm_memory_t *before, const cm_memory_t *after) {
    static const char *const names[N_OPTIONS] = {
        [IMPORTANCE] = "importance", [DECAY_RATE] = "decay rate", [CONTEXT] = "context", [TEXT] = "text", [METADATA] = "metadata"};
    buffer_t *out = &edit->out.text;
    buffer_append_text(out, "Updated ");
    text_append_safe(out, before->id.data, before->id.len);
    buffer_append_text(out, "\n");
    for (size_t i = IMPORTANCE; i <= METADATA; i++) {
        if (!edit->values[i].given) continue;
        buffer_append_format(out, "  %s: ", names[i]);
        append_attribute(out, i, before);
        buffer_append_text(out, " -> ");
        append_attribute(out, i, after);
        buffer_append_text(out, "\n");
    }
}

static void add_state(edit_t *edit, const char *key, const cm_memory_t *memory) {
    json_write_key(&edit->out, key);
    json_write_open(&edit->out, JSON_OBJECT);
    for (size_t i = IMPORTANCE; i <= METADATA; i++) {
        if (edit->values[i].given) add_attribute(&edit->out, i, memory);
    }
    json_write_close(&edit->out, JSON_OBJECT_END);
}

static void add_change(edit_t *edit, const cm_memory_t *before, const cm_memory_t *after) {
    if (edit->json) {
        json_add_string(&edit->out, "id", before->id.data, before->id.len);
        add_state(edit, "before", before);
        add_state(edit, "after", after);
    } else {
        add_lines(edit, before, after);
    }
}

static int change(edit_t *edit) {
    const cm_str_t id = option_string(&edit->values[ID]);
    const cm_update_t update = update_of(edit->values);
    cm_memory_t before = CM_MEMORY_INIT, after = CM_MEMORY_INIT;
    buffer_t room = {0}, room_after = {0};
    cm_status_t status = memory_get(edit->thread, id, &before, &room);
    if (status == CM_OK) status = cm_update(edit->thread, id, &update);
    if (status == CM_OK) status = memory_get(edit->thread, id, &after, &room_after);
    if (status == CM_OK) add_change(edit, &before, &after);
    buffer_free(&room);
    buffer_free(&room_after);
    edit->changed = true;
    return status == CM_OK ? STATUS_OK : snapshot_report(edit->snapshot, status);
}

static int run(const option_value_t *values) {
    if (update_of(values).fields == 0) {
        return report(STATUS_USAGE, "try 'chronomind update --help'",
                      "update needs --importance, --decay-rate, --context, --text or --metadata");
    }
    return edit_run(&(edit_request_t){.command = "update",
                                      .path = values[PATH].text,
                                      .output = values[OUTPUT].text,
                                      .json = values[JSON].given,
                                      .values = values,
                                      .change = change});
}

const command_t update_command = {.name = "update", .help = update_help, .options = options, .n_options = N_OPTIONS, .run = run};
