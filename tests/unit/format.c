/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* format.c - the container of snapshots without a store: fixed-size parts, writer, reader, cursors. */
#include "persist/format.h"
#include "persist/reader.h"
#include "persist/writer.h"
#include "support/memory_file.h"
#include "support/tap.h"

TEST(header_survives_and_notices_every_flip) {
    cmi_header_t header = {10, 7, 3, 4, 2, 0x500003D800000u}, back;
    uint8_t bytes[CMI_HEADER_BYTES], again[CMI_HEADER_BYTES];
    cmi_header_encode(&header, bytes);
    CHECK(memcmp(bytes, "CHRONO1\x03", 8) == 0);
    CHECK(cmi_header_decode(bytes, &back));
    CHECK(back.n_slots == 10 && back.n_memories == 7 && back.n_upper == 3 && back.entry_slot == 4 && back.entry_level == 2);
    cmi_header_encode(&back, again);
    CHECK(back.beams == header.beams && memcmp(bytes, again, sizeof bytes) == 0);
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 0x10;
        CHECK_MSG(!cmi_header_decode(bytes, &back), "byte %u", i);
        bytes[i] ^= 0x10;
    }
}

TEST(footer_survives_and_notices_every_flip) {
    cmi_footer_t footer = {640, 300, 1004, 0xABCD1234u}, back;
    uint8_t bytes[CMI_FOOTER_BYTES];
    cmi_footer_encode(&footer, bytes);
    CHECK(cmi_footer_decode(bytes, &back));
    CHECK_EQ_U64(back.table_offset, 640);
    CHECK_EQ_U64(back.table_bytes, 300);
    CHECK_EQ_U64(back.file_bytes, 1004);
    CHECK_EQ_U64(back.table_crc, 0xABCD1234u);
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 0x01;
        CHECK_MSG(!cmi_footer_decode(bytes, &back), "byte %u", i);
        bytes[i] ^= 0x01;
    }
}

TEST(config_keeps_all_that_is_the_store_s) {
    cm_config_t config = {.size = sizeof config,
                          .dimensions = 1,
                          .max_memories = 2,
                          .base_decay_rate = 3.5f,
                          .temporal_weight = 0.25f,
                          .similarity_threshold = 0.75f,
                          .max_relationships = 6,
                          .m = 7,
                          .ef_construction = 8,
                          .ef_search = 9,
                          .metric = CM_METRIC_L2SQ,
                          .max_threads = 11,
                          .seed = 0x1122334455667788u};
    cm_config_t back;
    uint8_t bytes[CMI_CONFIG_BYTES], expected[CMI_CONFIG_BYTES];
    cmi_config_encode(&config, bytes);
    cmi_config_decode(bytes, &back);
    cmi_config_encode(&back, expected);
    CHECK(memcmp(bytes, expected, sizeof bytes) == 0);
    CHECK_EQ_U64(back.dimensions, 1);
    CHECK_EQ_U64(back.seed, 0x1122334455667788u);
    CHECK_EQ_U64(back.metric, CM_METRIC_L2SQ);
    CHECK_EQ_U64(back.max_threads, 64); /* of the process, not of the snapshot */
    CHECK(back.base_decay_rate == 3.5f && back.temporal_weight == 0.25f && back.similarity_threshold == 0.75f);
}

TEST(rows_survive) {
    cmi_record_row_t row = {1, 2, -3, INT64_MAX, INT64_MIN, 0.5f, -0.0f}, row_back;
    cmi_strings_head_t head = {1, 2, 3, 4, 5, 6}, head_back;
    cmi_section_t section = {CMI_SECTION_UPPER, 64, 4096, 640, 10, 1, 0}, section_back;
    uint8_t bytes[64];
    cmi_record_encode(&row, bytes);
    cmi_record_decode(bytes, &row_back);
    CHECK(memcmp(&row, &row_back, sizeof row) == 0);
    cmi_strings_head_encode(&head, bytes);
    cmi_strings_head_decode(bytes, &head_back);
    CHECK(memcmp(&head, &head_back, sizeof head) == 0);
    cmi_section_encode(&section, bytes);
    cmi_section_decode(bytes, &section_back);
    CHECK(memcmp(&section, &section_back, sizeof section) == 0);
    CHECK(strcmp(cmi_section_name(CMI_SECTION_STRINGS), "strings") == 0);
    CHECK(strcmp(cmi_section_name((cmi_section_kind_t)99), "?") == 0);
}

/* ---- writer and reader ---- */

static uint8_t pattern(uint64_t i) {
    return (uint8_t)(i * 131 + (i >> 8) * 7);
}

/* Seven sections; `vectors` has n_bytes of the pattern, in pieces of 1000. */
static cm_status_t write_container(memory_file_t *file, uint64_t n_bytes, cm_error_t *error) {
    cmi_header_t header = {.entry_slot = 0xFFFFFFFFu};
    cmi_writer_t writer;
    cm_sink_t sink = MEMORY_SINK(file);
    cmi_writer_open(&writer, &sink, &header, error);
    for (uint32_t kind = 1; kind <= CMI_N_SECTIONS; kind++) {
        bool filled = kind == CMI_SECTION_VECTORS;
        cmi_writer_begin(&writer, (cmi_section_kind_t)kind, 1, filled ? n_bytes : 0);
        for (uint64_t done = 0; filled && done < n_bytes;) {
            uint8_t piece[1000];
            uint64_t n = CMI_MIN(n_bytes - done, (uint64_t)sizeof piece);
            for (uint64_t i = 0; i < n; i++) piece[i] = pattern(done + i);
            cmi_writer_put(&writer, piece, n);
            done += n;
        }
        cmi_writer_end(&writer);
    }
    cm_status_t status = cmi_writer_finish(&writer);
    cmi_writer_close(&writer);
    return status;
}

/* Takes the section in items of item_bytes (the last may be shorter) and compares. */
static void read_container(memory_file_t *file, uint64_t n_bytes, uint64_t item_bytes) {
    cmi_reader_t reader;
    cmi_cursor_t cursor;
    cm_error_t error = {CM_OK, ""};
    cm_source_t source = MEMORY_SOURCE(file);
    uint64_t n_wrong = 0;
    CHECK_STATUS(cmi_reader_open(&reader, &source, &error), CM_OK);
    CHECK_STATUS(cmi_reader_expect(&reader, CMI_SECTION_VECTORS, 1, n_bytes), CM_OK);
    CHECK_STATUS(cmi_reader_expect(&reader, CMI_SECTION_VECTORS, 1, n_bytes + 1), CM_E_CORRUPT);
    CHECK_STATUS(cmi_cursor_open(&cursor, &reader, CMI_SECTION_VECTORS, item_bytes), CM_OK);
    for (uint64_t done = 0; done < n_bytes;) {
        uint64_t n = CMI_MIN(item_bytes, n_bytes - done);
        const uint8_t *item = cmi_cursor_take(&cursor, n);
        CHECK_MSG(item != NULL, "offset %u: %s", (unsigned)done, error.message);
        if (!item) break;
        for (uint64_t i = 0; i < n; i++) n_wrong += item[i] != pattern(done + i);
        done += n;
    }
    CHECK_EQ_U64(n_wrong, 0);
    CHECK(cmi_cursor_at_end(&cursor));
    CHECK(cmi_cursor_take(&cursor, 1) == NULL);
    CHECK_STATUS(cursor.status, CM_E_CORRUPT);
    cmi_cursor_close(&cursor);
    cmi_reader_close(&reader);
}

/* Lengths around blocks and alignment; items that straddle blocks, and one that is larger than several. */
TEST(what_was_written_is_read) {
    static const uint64_t lengths[] = {0, 1, 63, 64, 65, 1000, 1048512, 1048575, 1048576, 1048577, 2097152, 5000003};
    static const uint64_t items[] = {1, 400, 65537, 1048576, 3000000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memory_file_t file = {0};
        cm_error_t error;
        CHECK_STATUS(write_container(&file, lengths[i], &error), CM_OK);
        CHECK_EQ_U64(file.n_bytes, 64 + cmi_align(lengths[i]) + 7 * 40 + 4 * cmi_n_blocks(lengths[i]) + 64);
        for (size_t j = 0; j < sizeof items / sizeof *items; j++) read_container(&file, lengths[i], items[j]);
        memory_file_free(&file);
    }
}

TEST(items_of_four_bytes_are_aligned) {
    memory_file_t file = {0};
    cm_error_t error;
    cmi_reader_t reader;
    cmi_cursor_t cursor;
    write_container(&file, 3000000, &error);
    cm_source_t source = MEMORY_SOURCE(&file);
    CHECK_STATUS(cmi_reader_open(&reader, &source, &error), CM_OK);
    CHECK_STATUS(cmi_cursor_open(&cursor, &reader, CMI_SECTION_VECTORS, 1004), CM_OK);
    for (uint32_t i = 0; i < 2900; i++) CHECK_EQ_U64((uintptr_t)cmi_cursor_take(&cursor, 1004) % 4, 0);
    cmi_cursor_close(&cursor);
    cmi_reader_close(&reader);
    memory_file_free(&file);
}

static cm_status_t read_all(memory_file_t *file, cm_error_t *error) {
    cmi_reader_t reader;
    cm_source_t source = MEMORY_SOURCE(file);
    cm_status_t status = cmi_reader_open(&reader, &source, error);
    for (uint32_t kind = 1; kind <= CMI_N_SECTIONS && status == CM_OK; kind++) {
        cmi_cursor_t cursor;
        status = cmi_cursor_open(&cursor, &reader, (cmi_section_kind_t)kind, 1);
        for (uint64_t i = 0; i < reader.section[kind - 1].n_bytes && status == CM_OK; i++)
            if (!cmi_cursor_take(&cursor, 1)) status = cursor.status;
        cmi_cursor_close(&cursor);
    }
    cmi_reader_close(&reader);
    return status;
}

/* Zeros behind sections and reserved fields included. */
TEST(every_flipped_byte_is_noticed) {
    memory_file_t file = {0};
    cm_error_t error;
    write_container(&file, 777, &error);
    for (size_t i = 0; i < file.n_bytes; i++) {
        for (uint32_t bit = 0; bit < 8; bit++) {
            file.bytes[i] ^= (uint8_t)(1u << bit);
            cm_status_t expected = i < 7 ? CM_E_NOT_SNAPSHOT : i == 7 ? CM_E_VERSION : CM_E_CORRUPT;
            CHECK_STATUS(read_all(&file, &error), expected);
            file.bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK_STATUS(read_all(&file, &error), CM_OK);
    memory_file_free(&file);
}

TEST(every_length_but_its_own_is_refused) {
    memory_file_t file = {0};
    cm_error_t error;
    write_container(&file, 300, &error);
    size_t n_bytes = file.n_bytes;
    for (file.n_bytes = 0; file.n_bytes < n_bytes; file.n_bytes++)
        CHECK_STATUS(read_all(&file, &error), file.n_bytes < 8 ? CM_E_NOT_SNAPSHOT : CM_E_CORRUPT);
    CHECK_STATUS(read_all(&file, &error), CM_OK);
    static const uint8_t zeros[130];
    for (uint32_t n = 1; n < sizeof zeros; n++) {
        memory_file_t longer = memory_file_copy(&file);
        memory_file_write(&longer, zeros, n);
        CHECK_STATUS(read_all(&longer, &error), CM_E_CORRUPT);
        memory_file_write(&longer, file.bytes + file.n_bytes - CMI_FOOTER_BYTES,
                          CMI_FOOTER_BYTES); /* the footer again, behind the additions */
        CHECK_STATUS(read_all(&longer, &error), CM_E_CORRUPT);
        memory_file_free(&longer);
    }
    memory_file_free(&file);
}

/* The same bytes twice in a row are a file with the same footer, and another length. */
TEST(a_doubled_file_is_refused) {
    memory_file_t file = {0};
    cm_error_t error;
    write_container(&file, 300, &error);
    memory_file_t twice = memory_file_copy(&file);
    memory_file_write(&twice, file.bytes, file.n_bytes);
    CHECK_STATUS(read_all(&twice, &error), CM_E_CORRUPT);
    CHECK(strstr(error.message, "footer") != NULL);
    memory_file_free(&twice);
    memory_file_free(&file);
}

TEST(sink_and_source_failures_are_reported_at_every_call) {
    memory_file_t file = {0};
    cm_error_t error;
    write_container(&file, 3000000, &error);
    uint32_t n_writes = file.n_calls;
    CHECK(n_writes > 5);
    for (uint32_t n = 1; n <= n_writes; n++) {
        memory_file_t failing = {.fail_at = n};
        CHECK_STATUS(write_container(&failing, 3000000, &error), CM_E_IO);
        CHECK(strstr(error.message, "28") != NULL);
        CHECK_EQ_U64(failing.n_calls, n); /* nothing after the failure */
        memory_file_free(&failing);
    }
    file.n_calls = 0;
    CHECK_STATUS(read_all(&file, &error), CM_OK);
    uint32_t n_reads = file.n_calls;
    for (uint32_t n = 1; n <= n_reads; n++) {
        file.n_calls = 0;
        file.fail_at = n;
        CHECK_STATUS(read_all(&file, &error), CM_E_IO);
    }
    memory_file_free(&file);
}

int main(void) {
    RUN(header_survives_and_notices_every_flip);
    RUN(footer_survives_and_notices_every_flip);
    RUN(config_keeps_all_that_is_the_store_s);
    RUN(rows_survive);
    RUN(what_was_written_is_read);
    RUN(items_of_four_bytes_are_aligned);
    RUN(every_flipped_byte_is_noticed);
    RUN(every_length_but_its_own_is_refused);
    RUN(a_doubled_file_is_refused);
    RUN(sink_and_source_failures_are_reported_at_every_call);
    return tap_done();
}
