/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* remove.c - the command that removes memories: all that were named, or none. */
#include "commands.h"
#include "edit.h"
#include "report.h"

#include <string.h>

enum { PATH, ID, OUTPUT, JSON, N_OPTIONS };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,
    [ID] = {.name = "--id", .kind = OPTION_TEXT, .required = true, .repeated = true},
    [OUTPUT] = OUTPUT_OPTION,
    [JSON] = JSON_OPTION,
};

static cm_str_t id_at(const option_value_t *ids, size_t i) {
    const char *const *texts = (const char *const *)(const void *)ids->texts.data;
    return (cm_str_t){texts[i], strlen(texts[i])};
}

/* Before the first is gone, so that the hint counts them all. */
static cm_status_t check_all(cm_thread_t *thread, const option_value_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cm_memory_t memory = CM_MEMORY_INIT;
        cm_status_t status = cm_get(thread, id_at(ids, i), &memory, NULL, 0, NULL);
        if (status != CM_E_BUFFER) return status;
    }
    return CM_OK;
}

static cm_status_t remove_all(edit_t *edit, const option_value_t *ids, size_t n, size_t *n_removed) {
    for (size_t i = 0; i < n; i++) {
        const cm_str_t id = id_at(ids, i);
        if (!cm_contains(edit->thread, id)) continue; /* given twice */
        cm_status_t status = cm_remove(edit->thread, id);
        if (status != CM_OK) return status;
        if (edit->json) json_write_string(&edit->out, id.data, id.len);
        ++*n_removed;
    }
    return CM_OK;
}

static int change(edit_t *edit) {
    const option_value_t *ids = &edit->values[ID];
    size_t n = ids->texts.len / sizeof(const char *), n_removed = 0;
    cm_status_t status = check_all(edit->thread, ids, n);
    if (edit->json) {
        json_write_key(&edit->out, "removed");
        json_write_open(&edit->out, JSON_ARRAY);
    }
    if (status == CM_OK) status = remove_all(edit, ids, n, &n_removed);
    if (status != CM_OK) return snapshot_report(edit->snapshot, status);
    if (edit->json) {
        json_write_close(&edit->out, JSON_ARRAY_END);
        json_add_whole(&edit->out, "memories", (int64_t)cm_len(edit->snapshot->store));
    } else {
        buffer_append_format(&edit->out.text, "Removed %zu memories\n", n_removed);
    }
    edit->changed = true;
    return STATUS_OK;
}

static int run(const option_value_t *values) {
    return edit_run(&(edit_request_t){.command = "remove",
                                      .path = values[PATH].text,
                                      .output = values[OUTPUT].text,
                                      .json = values[JSON].given,
                                      .values = values,
                                      .change = change});
}

const command_t remove_command = {.name = "remove", .help = remove_help, .options = options, .n_options = N_OPTIONS, .run = run};
