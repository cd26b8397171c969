/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cli_json.c - fuzzes the JSON that `chronomind save` reads: cursor, reader, records, and the import into a store.
 *
 * Holds for every input: no crash, and the same records and the same error however read() cuts the text into pieces; what was imported is a
 * store without a fault. Pieces of 1 to 7 bytes are compared with the whole.
 */
#include "cli/importer.h"
#include "cli/json_writer.h"
#include "cli/record_reader.h"
#include "fuzz/support/cli_silence.h"
#include "fuzz/support/heap_pages.h"

/* Everything that a handler was given, and how it ended. */
typedef struct outcome {
    buffer_t records;
    int status;
} outcome_t;

static void note_buffer(buffer_t *out, const buffer_t *bytes) {
    buffer_append(out, &bytes->len, sizeof bytes->len);
    buffer_append(out, bytes->data, bytes->len);
}

static int note_record(void *context, record_t *record) {
    outcome_t *outcome = context;
    buffer_t *out = &outcome->records;
    buffer_append(out, &record->number, sizeof record->number);
    buffer_append(out, record->states, sizeof record->states);
    note_buffer(out, &record->id), note_buffer(out, &record->context), note_buffer(out, &record->text);
    note_buffer(out, &record->metadata), note_buffer(out, &record->data);
    note_buffer(out, &record->relationships), note_buffer(out, &record->relationship_lengths);
    buffer_append(out, &record->n_data, sizeof record->n_data);
    return 0;
}

static outcome_t read_in_pieces(const uint8_t *data, size_t size, size_t piece) {
    outcome_t outcome = {0};
    input_t input = cli_input(0, data, size, piece);
    cli_forget();
    outcome.status = read_json_records(&input, note_record, &outcome);
    note_buffer(&outcome.records, &(buffer_t){.data = (char *)(uintptr_t)cli_last_report(), .len = strlen(cli_last_report())});
    cli_input_free(&input);
    return outcome;
}

static void compare_pieces(const uint8_t *data, size_t size) {
    outcome_t whole = read_in_pieces(data, size, size + 1), pieces = read_in_pieces(data, size, 1 + size % 7);
    FUZZ_CHECK(whole.status == pieces.status, "status %d, in pieces %d: %s", whole.status, pieces.status, cli_last_report());
    FUZZ_CHECK(whole.records.len == pieces.records.len && memcmp(whole.records.data, pieces.records.data, whole.records.len) == 0,
               "other records or another error in pieces: %s", cli_last_report());
    buffer_free(&whole.records);
    buffer_free(&pieces.records);
}

static void import(const uint8_t *data, size_t size) {
    input_t input = cli_input(0, data, size, size + 1);
    importer_t importer = {.input = &input, .config = CM_CONFIG_INIT, .normalize = size % 2, .context = CM_STR("default"), .now_ms = 1};
    importer.config.dimensions = 0;
    importer.config.max_memories = 16;
    read_json_records(&input, importer_take, &importer);
    if (importer.thread) FUZZ_CHECK(cm_check(importer.thread, NULL) == CM_OK, "%s", cm_message(importer.thread));
    importer_close(&importer);
    cli_input_free(&input);
}

/* Metadata comes back out of stores through this: any bytes become one JSON value, and compacting that again changes nothing. */
static void write_stored(const uint8_t *data, size_t size) {
    json_writer_t stored = {0}, again = {0};
    json_fault_t fault;
    json_write_stored(&stored, (const char *)data, size);
    uint64_t n = json_write_compacted(&again, stored.text.data, stored.text.len, &fault);
    FUZZ_CHECK(fault.kind == JSON_SOUND && n == 1, "not one JSON value: %.*s", (int)stored.text.len, stored.text.data);
    FUZZ_CHECK(stored.text.len == again.text.len && memcmp(stored.text.data, again.text.data, stored.text.len) == 0,
               "compacted twice: %.*s", (int)again.text.len, again.text.data);
    buffer_free(&stored.text);
    buffer_free(&again.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    compare_pieces(data, size);
    import(data, size);
    write_stored(data, size);
    cli_forget();
    FUZZ_CHECK(heap_pages_in_use() == 0, "%zu bytes were not given back", heap_pages_in_use());
    return 0;
}
