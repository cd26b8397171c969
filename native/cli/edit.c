/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* edit.c - see edit.h. */
#include "edit.h"

#include "input.h"
#include "output.h"
#include "progress.h"
#include "report.h"
#include "text.h"

#include <string.h>

static void add_json_end(json_writer_t *out, const char *target, bool written) {
    json_add_string(out, "path", target, strlen(target));
    json_add_bool(out, "written", written);
    json_write_close(out, JSON_OBJECT_END);
    buffer_append_text(&out->text, "\n");
}

static void add_text_end(buffer_t *out, const edit_t *edit, const char *target, bool written) {
    if (edit->dry_run) {
        buffer_append_text(out, "Dry run: nothing was written\n");
    } else if (written) {
        text_append_saved(out, cm_len(edit->snapshot->store), target);
    } else {
        buffer_append_text(out, "Nothing changed: ");
        text_append_safe(out, target, SIZE_OF_TEXT);
        buffer_append_text(out, " stays as it was\n");
    }
}

/* Without a change an --output still gets its copy. */
static int save(const edit_request_t *request, edit_t *edit, snapshot_output_t *output) {
    bool write = !edit->dry_run && (edit->changed || request->output);
    if (interrupt_seen()) return interrupt_report();
    int status = write ? snapshot_output_save(output, edit->thread) : STATUS_OK;
    if (status) return status;
    const char *target = request->output ? request->output : request->path;
    if (edit->json) {
        add_json_end(&edit->out, target, write);
    } else {
        add_text_end(&edit->out.text, edit, target, write);
    }
    return output_print(edit->out.text.data, edit->out.text.len);
}

static int change_and_save(const edit_request_t *request, const snapshot_t *snapshot, snapshot_output_t *output) {
    edit_t edit = {.snapshot = snapshot, .thread = snapshot->thread, .values = request->values, .json = request->json};
    edit.dry_run = request->dry_run;
    if (edit.json) json_write_open(&edit.out, JSON_OBJECT);
    int status = request->change(&edit);
    progress_clear();
    if (status == STATUS_OK) status = save(request, &edit, output);
    buffer_free(&edit.out.text);
    return status;
}

int edit_run(const edit_request_t *request) {
    snapshot_t snapshot;
    snapshot_output_t output = {0};
    interrupt_catch();
    int status = snapshot_open(&snapshot, request->path, request->command);
    if (status == STATUS_OK && !request->dry_run) status = snapshot_output_open(&output, request->output ? request->output : request->path);
    if (status == STATUS_OK) status = change_and_save(request, &snapshot, &output);
    snapshot_output_close(&output);
    snapshot_close(&snapshot);
    return status;
}
