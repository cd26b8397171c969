/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cli_vectors.c - fuzzes the .npy and .fvecs files that `chronomind save` reads, and the file of ids beside them.
 *
 * The input goes through both readers, as vectors without ids and as both at once. Holds: no crash, the same records in pieces of any size, vectors as
 * long as they say, and no more memory than the file is worth: a length in it is not believed before the bytes are there.
 */
#include "cli/bulk_reader.h"
#include "cli/importer.h"
#include "fuzz/support/cli_silence.h"
#include "fuzz/support/heap_pages.h"

typedef int reader_t(const bulk_source_t *source);

typedef struct seen {
    uint64_t n_records, sum;
    int status;
} seen_t;

static uint64_t mix(uint64_t sum, const buffer_t *bytes) {
    for (size_t i = 0; i < bytes->len; i++) sum = (sum ^ (uint8_t)bytes->data[i]) * 1099511628211u; /* FNV-1a */
    return sum;
}

static int note_record(void *context, record_t *record) {
    seen_t *seen = context;
    FUZZ_CHECK(record->number == ++seen->n_records, "record %llu is %llu", (unsigned long long)seen->n_records,
               (unsigned long long)record->number);
    FUZZ_CHECK(record->data.len == 0 || record->data.len == record->n_data * sizeof(float), "%zu bytes", record->data.len);
    seen->sum = mix(mix(seen->sum, &record->id), &record->data);
    return record->data.len == 0 ? 1 : 0; /* a length that cannot be right: the importer refuses it */
}

static seen_t read_in_pieces(reader_t *reader, const uint8_t *data, size_t size, size_t piece, bool with_ids) {
    seen_t seen = {0};
    input_t vectors = cli_input(0, data, size, piece), ids = cli_input(1, data, size, piece);
    const bulk_source_t source = {&vectors, with_ids ? &ids : NULL, 0, note_record, &seen};
    seen.status = reader(&source);
    cli_input_free(&vectors);
    cli_input_free(&ids);
    return seen;
}

static void compare_pieces(reader_t *reader, const uint8_t *data, size_t size, bool with_ids) {
    seen_t whole = read_in_pieces(reader, data, size, size + 1, with_ids);
    seen_t pieces = read_in_pieces(reader, data, size, 1 + size % 5, with_ids);
    FUZZ_CHECK(whole.status == pieces.status && whole.n_records == pieces.n_records && whole.sum == pieces.sum,
               "status %d, %llu records, in pieces %d, %llu", whole.status, (unsigned long long)whole.n_records, pieces.status,
               (unsigned long long)pieces.n_records);
}

static void import(reader_t *reader, const uint8_t *data, size_t size) {
    input_t input = cli_input(0, data, size, size + 1);
    importer_t importer = {.input = &input, .config = CM_CONFIG_INIT, .context = CM_STR("default"), .now_ms = 1};
    importer.config.dimensions = 0;
    importer.config.max_memories = 16;
    const bulk_source_t source = {&input, NULL, 0, importer_take, &importer};
    reader(&source);
    if (importer.thread) FUZZ_CHECK(cm_check(importer.thread, NULL) == CM_OK, "%s", cm_message(importer.thread));
    importer_close(&importer);
    cli_input_free(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    reader_t *const readers[] = {read_npy_records, read_fvecs_records};
    for (int i = 0; i < 2; i++) {
        compare_pieces(readers[i], data, size, false);
        compare_pieces(readers[i], data, size, true);
        import(readers[i], data, size);
    }
    cli_forget();
    FUZZ_CHECK(heap_pages_in_use() == 0, "%zu bytes were not given back", heap_pages_in_use());
    return 0;
}
