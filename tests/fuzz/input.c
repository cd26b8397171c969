/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * input.c - what the command line program reads: the first byte says as what (JSON records, .npy, .fvecs, moments), the rest is the input. Every record that comes out is judged
 * as the program does. Errors are reported to nowhere.
 */
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include "bulk_reader.h"
#include "iso8601.h"
#include "moment.h"
#include "record_reader.h"

#include <sys/mman.h>

/* As importer_take(): the first record says how many dimensions there are, and what is refused ends the reading. */
static int take_record(void *context, record_t *record) {
    uint32_t *dimensions = context;
    buffer_t problem = {0};
    bool is_good = record_judge(record, *dimensions, &problem);
    buffer_free(&problem);
    if (!is_good) return 1;
    *dimensions = (uint32_t)record->n_data;
    record_normalize(record);
    return 0;
}

/* The stream, not the descriptor, which sanitizers report on. */
static void be_quiet(void) {
    static FILE *nowhere;
    if (!nowhere && (nowhere = fopen("/dev/null", "w"))) stderr = nowhere;
}

/* A file that holds the bytes, as `input` would have opened it. */
static bool open_bytes(input_t *input, const uint8_t *bytes, size_t n_bytes, int *file) {
    static char path[64]; /* the input keeps it, for messages */
    *file = memfd_create("input", 0);
    if (*file < 0 || write(*file, bytes, n_bytes) != (ssize_t)n_bytes) return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", *file);
    return input_open(input, path) == 0;
}

static void read_as(uint8_t kind, input_t *input) {
    uint32_t dimensions = 0;
    bulk_source_t source = {.vectors = input, .handler = take_record, .context = &dimensions};
    if (kind % 3 == 0) read_json_records(input, take_record, &dimensions);
    else if (kind % 3 == 1) read_npy_records(&source);
    else read_fvecs_records(&source);
}

static void read_moment(const uint8_t *bytes, size_t n_bytes) {
    char *text = calloc(n_bytes + 1, 1);
    moment_t moment;
    int64_t ms;
    REQUIRE(text);
    memcpy(text, bytes, n_bytes);
    if (moment_parse(text, &moment)) moment_resolve(moment, 1700000000000);
    if (iso8601_parse(text, strlen(text), &ms)) {
        buffer_t out = {0};
        int64_t again;
        iso8601_append(&out, ms);
        REQUIRE(iso8601_parse(buffer_text(&out), strlen(buffer_text(&out)), &again) && again == ms);
        buffer_free(&out);
    }
    free(text);
}

static void fuzz_one(const uint8_t *bytes, size_t n_bytes) {
    input_t input = {0};
    int file;
    be_quiet();
    if (n_bytes == 0) return;
    if (bytes[0] % 4 == 3) {
        read_moment(bytes + 1, n_bytes - 1);
        return;
    }
    if (open_bytes(&input, bytes + 1, n_bytes - 1, &file)) {
        read_as(bytes[0] % 4, &input);
        input_close(&input);
    }
    close(file);
}
