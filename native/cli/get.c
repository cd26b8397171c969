/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* get.c - the command that shows one memory. */
#include "commands.h"
#include "iso8601.h"
#include "memory.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

enum { PATH, ID, JSON, N_OPTIONS };

static const option_t options[N_OPTIONS] = {[PATH] = FILE_OPTION, [ID] = ID_OPTION, [JSON] = JSON_OPTION};

static void add_rate(buffer_t *out, const cm_store_t *store, float rate) {
    cm_config_t config;
    cm_config_of(store, &config);
    buffer_append_text(out, "\ndecay rate: ");
    text_append_float(out, rate > 0 ? rate : config.base_decay_rate);
    buffer_append_text(out, rate > 0 ? " per hour" : " per hour (the store's)");
}

static void add_lines(buffer_t *out, const cm_store_t *store, const cm_memory_t *memory) {
    buffer_append_text(out, "id: ");
    text_append_safe(out, memory->id.data, memory->id.len);
    buffer_append_text(out, "\ncontext: ");
    text_append_safe(out, memory->context.data, memory->context.len);
    buffer_append_text(out, "\nimportance: ");
    text_append_float(out, memory->importance);
    add_rate(out, store, memory->decay_rate);
    buffer_append_text(out, "\ncreated: ");
    iso8601_append(out, memory->created_ms);
    buffer_append_text(out, "\naccessed: ");
    iso8601_append(out, memory->accessed_ms);
    buffer_append_format(out, "\naccess count: %u\nrelationships: ", memory->access_count);
    memory_append_relationships(out, memory);
    buffer_append_text(out, "\ntext: ");
    memory_append_text(out, memory->text, true);
    buffer_append_text(out, "\nmetadata: ");
    memory_append_metadata(out, memory->metadata, true);
    buffer_append_text(out, "\ndata: ");
    memory_append_floats(out, memory->vector, memory->dimensions);
}

/* What `save` reads back. */
static void add_object(json_writer_t *out, const cm_memory_t *memory) {
    json_write_open(out, JSON_OBJECT);
    json_add_string(out, "id", memory->id.data, memory->id.len);
    memory_add_attributes(out, memory);
    memory_add_floats(out, "data", memory->vector, memory->dimensions);
    json_write_close(out, JSON_OBJECT_END);
}

static int print_memory(const snapshot_t *snapshot, const cm_memory_t *memory, bool json) {
    json_writer_t out = {0};
    if (json) {
        add_object(&out, memory);
    } else {
        add_lines(&out.text, snapshot->store, memory);
    }
    buffer_append_text(&out.text, "\n");
    int status = output_print(out.text.data, out.text.len);
    buffer_free(&out.text);
    return status;
}

static int run(const option_value_t *values) {
    snapshot_t snapshot;
    int exit_status = snapshot_open(&snapshot, values[PATH].text, "get");
    if (exit_status == STATUS_OK) {
        cm_memory_t memory = CM_MEMORY_INIT;
        buffer_t room = {0};
        cm_status_t status = memory_get(snapshot.thread, option_string(&values[ID]), &memory, &room);
        exit_status = status == CM_OK ? print_memory(&snapshot, &memory, values[JSON].given) : snapshot_report(&snapshot, status);
        buffer_free(&room);
    }
    snapshot_close(&snapshot);
    return exit_status;
}

const command_t get_command = {.name = "get", .help = get_help, .options = options, .n_options = N_OPTIONS, .run = run};
