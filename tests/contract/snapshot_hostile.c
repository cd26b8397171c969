/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * snapshot_hostile.c - bytes that are no snapshot, or were one: flipped, cut, of another version, or edited by somebody who recomputes
 * every checksum. Each is a typed error without a store, and gives its memory back.
 */
#include "support/snapshot.h"

#include "index/hnsw.h"
#include "persist/reader.h"

#include <unistd.h>

/* ---- a small victim ---- */

static memory_file_t victim;
static cmi_header_t victim_header;
static cmi_section_t victim_section[CMI_N_SECTIONS + 1]; /* by kind */

static void find_sections(void) {
    cmi_reader_t reader;
    cm_error_t error;
    cm_source_t source = MEMORY_SOURCE(&victim);
    CHECK_STATUS(cmi_reader_open(&reader, &source, &error), CM_OK);
    victim_header = reader.header;
    memcpy(victim_section + 1, reader.section, sizeof reader.section);
    cmi_reader_close(&reader);
}

static void make_victim(void) {
    cm_config_t config = small_config(6);
    config.max_memories = 100;
    config.m = 3;
    fixture_t f = fixture_open(&config);
    fill(&f, 30);
    victim = save_to_memory(&f);
    fixture_close(&f);
    find_sections();
}

static void expect(memory_file_t *file, cm_status_t expected, const char *word, const char *what) {
    cm_error_t error = {CM_OK, ""};
    cm_store_t *store = (cm_store_t *)(uintptr_t)1;
    cm_status_t status = load_from_memory(file, &store, &error);
    CHECK_MSG(status == expected, "%s: status %d, expected %d: %s", what, (int)status, (int)expected, error.message);
    CHECK_MSG(status == CM_OK || store == NULL, "%s: a store came out", what);
    CHECK_MSG(status == CM_OK || (error.status == status && strstr(error.message, word) != NULL), "%s: the message lacks \"%s\": %s", what,
              word, error.message);
    if (status == CM_OK) cm_close(store);
}

/* ---- damage ---- */

TEST(every_flipped_byte_is_a_typed_error) {
    for (size_t i = 0; i < victim.n_bytes; i++) {
        cm_status_t expected = i < CMI_FORMAT_MAGIC_BYTES ? CM_E_NOT_SNAPSHOT : i == CMI_FORMAT_MAGIC_BYTES ? CM_E_VERSION : CM_E_CORRUPT;
        char what[32];
        snprintf(what, sizeof what, "byte %zu", i);
        victim.bytes[i] ^= (uint8_t)(1u << i % 8);
        expect(&victim, expected, "snapshot", what);
        victim.bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    expect(&victim, CM_OK, "", "restored");
}

TEST(every_truncation_is_a_typed_error) {
    size_t n_bytes = victim.n_bytes;
    for (victim.n_bytes = 0; victim.n_bytes < n_bytes; victim.n_bytes++)
        expect(&victim, victim.n_bytes < 8 ? CM_E_NOT_SNAPSHOT : CM_E_CORRUPT, "snapshot", "cut");
}

TEST(bytes_behind_the_end_are_a_typed_error) {
    for (uint32_t n = 1; n <= 200; n += n < 70 ? 1 : 13) {
        memory_file_t longer = memory_file_copy(&victim);
        uint8_t zeros[200] = {0};
        memory_file_write(&longer, zeros, n);
        expect(&longer, CM_E_CORRUPT, "footer", "longer");
        memory_file_free(&longer);
    }
}

TEST(other_files_are_no_snapshots) {
    static const char *const contents[] = {"", "C", "CHRONO1", "{\"id\": \"a\", \"data\": [1, 2]}\n{\"id\": \"b\", \"data\": [1, 2]}\n",
                                           "chrono1\x03 and more, and more, and more"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        memory_file_t file = {0};
        memory_file_write(&file, contents[i], strlen(contents[i]));
        expect(&file, CM_E_NOT_SNAPSHOT, "not a ChronoMind snapshot", contents[i]);
        memory_file_free(&file);
    }
}

TEST(other_formats_are_named) {
    memory_file_t file = memory_file_copy(&victim);
    file.bytes[7] = 2;
    expect(&file, CM_E_VERSION, "format 2 (written by the original ChronoMind)", "format 2");
    file.n_bytes = 12; /* before anything else is looked at */
    expect(&file, CM_E_VERSION, "format 2 (written by the original ChronoMind)", "short format 2");
    file.n_bytes = victim.n_bytes;
    file.bytes[7] = 4;
    expect(&file, CM_E_VERSION, "format 4, written by a newer version", "format 4");
    file.bytes[7] = 255;
    expect(&file, CM_E_VERSION, "format 255, written by a newer version", "format 255");
    file.bytes[7] = 0;
    expect(&file, CM_E_VERSION, "format 0", "format 0");
    memory_file_free(&file);
}

/* ---- edits with correct checksums ---- */

static void reseal(memory_file_t *file) {
    uint8_t *footer_at = file->bytes + file->n_bytes - CMI_FOOTER_BYTES;
    cmi_footer_t footer;
    cmi_footer_decode(footer_at, &footer);
    uint8_t *table = file->bytes + footer.table_offset, *checksum = table + CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES;
    for (uint32_t kind = 1; kind <= CMI_N_SECTIONS; kind++, checksum += 4) { /* each of the victim's sections is one block */
        const cmi_section_t *section = &victim_section[kind];
        cmi_put_u32(checksum, cmi_crc32c(0, file->bytes + section->offset, (size_t)cmi_align(section->n_bytes)));
    }
    footer.table_crc = cmi_crc32c(0, table, (size_t)footer.table_bytes);
    cmi_footer_encode(&footer, footer_at);
    cmi_put_u32(file->bytes + 60, cmi_crc32c(0, file->bytes, 60));
}

static void expect_edit(size_t offset, const void *bytes, size_t n_bytes, const char *word, const char *what) {
    memory_file_t file = memory_file_copy(&victim);
    memcpy(file.bytes + offset, bytes, n_bytes);
    reseal(&file);
    expect(&file, CM_E_CORRUPT, word, what);
    memory_file_free(&file);
}

static void edit_u32(size_t offset, uint32_t value, const char *word, const char *what) {
    expect_edit(offset, &value, sizeof value, word, what);
}

static void edit_f32(size_t offset, float value, const char *word, const char *what) {
    expect_edit(offset, &value, sizeof value, word, what);
}

static size_t at(cmi_section_kind_t kind, uint64_t row, uint32_t column) {
    return (size_t)(victim_section[kind].offset + row * victim_section[kind].stride_bytes + column);
}

static uint32_t u32_at(size_t offset) {
    return cmi_get_u32(victim.bytes + offset);
}

/* The first slot with this state. */
static uint32_t slot_in_state(cmi_state_t state) {
    for (uint32_t slot = 0; slot < victim_header.n_slots; slot++)
        if (victim.bytes[at(CMI_SECTION_META, slot, 0)] == state) return slot;
    CHECK_MSG(false, "no slot in state %d", (int)state);
    return 0;
}

TEST(hostile_header_is_corrupt) {
    edit_u32(8, UINT32_MAX, "header", "n_slots huge");
    edit_u32(8, victim_header.n_slots - 1, "section", "n_slots less");
    edit_u32(12, UINT32_MAX, "header", "n_memories huge");
    edit_u32(12, victim_header.n_memories - 1, "section", "n_memories less");
    edit_u32(12, 0, "section", "n_memories 0");
    edit_u32(16, UINT32_MAX, "upper", "n_upper huge");
    edit_u32(16, victim_header.n_upper + 1, "upper", "n_upper more");
    edit_u32(20, victim_header.n_slots, "header", "entry beyond the slots");
    edit_u32(20, CMI_NONE, "header", "no entry");
    edit_u32(24, victim_header.entry_level + 1, "check()", "entry level of another node");
    edit_u32(24, UINT32_MAX, "header", "entry level huge");
    edit_u32(28, 4096, "header", "another block size");
}

TEST(hostile_config_is_corrupt) {
    size_t config = victim_section[CMI_SECTION_CONFIG].offset;
    edit_u32(config + 0, 0, "dimensions", "no dimensions");
    edit_u32(config + 0, UINT32_MAX, "dimensions", "dimensions huge");
    edit_u32(config + 0, 7, "vectors", "more dimensions than stored");
    edit_u32(config + 4, 0, "max_memories", "max_memories 0");
    edit_u32(config + 4, 3, "header", "max_memories less than there are");
    edit_f32(config + 8, -1.0f, "base_decay_rate", "negative rate");
    edit_u32(config + 12, 0x7FC00000u, "temporal_weight", "NaN weight");
    edit_f32(config + 16, 1.5f, "similarity_threshold", "threshold 1.5");
    edit_u32(config + 20, 0, "max_relationships", "max_relationships 0");
    edit_u32(config + 24, 1, "config", "m 1");
    edit_u32(config + 24, 0x40000001u, "config", "m that overflows");
    edit_u32(config + 28, 0, "ef_construction", "ef_construction 0");
    edit_u32(config + 32, 0, "ef_search", "ef_search 0");
    edit_u32(config + 36, 9, "metric", "metric 9");
}

TEST(hostile_meta_is_corrupt) {
    uint32_t live = slot_in_state(CMI_LIVE), dead = slot_in_state(CMI_DEAD), n_slots = victim_header.n_slots;
    uint8_t byte = 7;
    expect_edit(at(CMI_SECTION_META, live, 0), &byte, 1, "meta", "state 7");
    byte = CMI_BUILDING;
    expect_edit(at(CMI_SECTION_META, live, 0), &byte, 1, "meta", "a node being built");
    byte = CMI_FREE;
    expect_edit(at(CMI_SECTION_META, live, 0), &byte, 1, "meta", "a free slot with a parent");
    byte = CMI_DEAD;
    expect_edit(at(CMI_SECTION_META, live, 0), &byte, 1, "meta", "one live node less");
    byte = CMI_LIVE;
    expect_edit(at(CMI_SECTION_META, dead, 0), &byte, 1, "meta", "one live node more");
    byte = 255;
    expect_edit(at(CMI_SECTION_META, live, 1), &byte, 1, "meta", "level 255");
    byte = CMI_MAX_LEVEL;
    expect_edit(at(CMI_SECTION_META, live, 1), &byte, 1, "meta", "level 30");
    byte = 0x80;
    expect_edit(at(CMI_SECTION_META, live, 2), &byte, 1, "meta", "an unknown flag");
    byte = 0;
    expect_edit(at(CMI_SECTION_META, live, 2), &byte, 1, "meta", "a node that is not linked");
    edit_u32(at(CMI_SECTION_META, 3, 8), n_slots, "meta", "a parent beyond the slots");
    edit_u32(at(CMI_SECTION_META, 3, 8), 3, "meta", "its own parent");
    edit_u32(at(CMI_SECTION_META, 3, 8), CMI_NONE, "check()", "two roots");
}

TEST(hostile_lists_are_corrupt) {
    uint32_t n_slots = victim_header.n_slots, first = u32_at(at(CMI_SECTION_LISTS0, 2, 0));
    edit_u32(at(CMI_SECTION_LISTS0, 2, 0), n_slots, "lists0", "a link beyond the slots");
    edit_u32(at(CMI_SECTION_LISTS0, 2, 0), CMI_NONE - 1, "lists0", "a link far beyond the slots");
    edit_u32(at(CMI_SECTION_LISTS0, 2, 0), 2, "check()", "a link to itself");
    edit_u32(at(CMI_SECTION_LISTS0, 2, 4), first, "check()", "the same link twice");
    uint32_t nothing[6] = {CMI_NONE, CMI_NONE, CMI_NONE, CMI_NONE, CMI_NONE, CMI_NONE};
    expect_edit(at(CMI_SECTION_LISTS0, 2, 0), nothing, sizeof nothing, "check()", "a tree link is missing");
    CHECK(victim_header.n_upper > 0);
    edit_u32(at(CMI_SECTION_UPPER, 0, 0), n_slots, "upper", "an upper link beyond the slots");
    for (uint32_t slot = 0; slot < n_slots; slot++) { /* a node of level 0 in an upper list */
        if (victim.bytes[at(CMI_SECTION_META, slot, 1)] > 0) continue;
        edit_u32(at(CMI_SECTION_UPPER, 0, 0), slot, "check()", "an upper link to a node of level 0");
        break;
    }
}

TEST(hostile_vectors_are_corrupt) {
    edit_u32(at(CMI_SECTION_VECTORS, 5, 8), 0x7FC00000u, "component 2", "NaN");
    edit_u32(at(CMI_SECTION_VECTORS, 5, 0), 0xFF800000u, "component 0", "minus infinity");
    edit_u32(at(CMI_SECTION_VECTORS, 0, 20), 0x7F800000u, "component 5", "infinity");
}

TEST(hostile_records_are_corrupt) {
    uint32_t dead = slot_in_state(CMI_DEAD);
    edit_u32(at(CMI_SECTION_RECORDS, 1, 0), u32_at(at(CMI_SECTION_RECORDS, 0, 0)), "out of order", "a slot twice");
    edit_u32(at(CMI_SECTION_RECORDS, 1, 0), victim_header.n_slots, "records", "a slot beyond the slots");
    edit_u32(at(CMI_SECTION_RECORDS, 0, 0), dead, "no live node", "the slot of a tombstone");
    edit_f32(at(CMI_SECTION_RECORDS, 2, 24), 2.0f, "importance", "importance 2");
    edit_f32(at(CMI_SECTION_RECORDS, 2, 24), -0.5f, "importance", "importance -0.5");
    edit_u32(at(CMI_SECTION_RECORDS, 2, 24), 0x7FC00000u, "importance", "importance NaN");
    edit_f32(at(CMI_SECTION_RECORDS, 2, 28), -1.0f, "decay_rate", "decay rate -1");
    edit_u32(at(CMI_SECTION_RECORDS, 2, 28), 0x7F800000u, "decay_rate", "decay rate infinite");
}

/* File offset of the i-th memory's strings. */
static size_t strings_at(uint32_t i) {
    size_t offset = (size_t)victim_section[CMI_SECTION_STRINGS].offset;
    while (i-- > 0) {
        cmi_strings_head_t head;
        cmi_strings_head_decode(victim.bytes + offset, &head);
        offset += CMI_STRINGS_HEAD_BYTES + head.id_bytes + head.context_bytes + head.relationships_bytes + head.text_bytes +
                  head.metadata_bytes;
    }
    return offset;
}

TEST(hostile_strings_are_corrupt) {
    size_t first = strings_at(0), second = strings_at(1);
    cmi_strings_head_t head, head2;
    cmi_strings_head_decode(victim.bytes + first, &head);
    cmi_strings_head_decode(victim.bytes + second, &head2);
    edit_u32(first, 0, "empty id", "empty id");
    edit_u32(first, CM_MAX_ID_BYTES + 1, "strings", "id too long");
    edit_u32(first, UINT32_MAX, "strings", "id huge");
    edit_u32(first, head.id_bytes + 1, "strings", "id takes a byte of what follows");
    edit_u32(first + 4, 0, "strings", "the first memory repeats a context");
    edit_u32(first + 4, UINT32_MAX, "strings", "context huge");
    edit_u32(second + 8, UINT32_MAX, "strings", "relationships without number");
    edit_u32(second + 8, head2.n_relationships + 1, "relationships", "one relationship more");
    edit_u32(second + 12, UINT32_MAX, "strings", "relationships huge");
    edit_u32(first + 16, CM_MAX_PAYLOAD_BYTES, "strings", "text of a MiB");
    edit_u32(first + 16, UINT32_MAX, "strings", "text huge");
    edit_u32(first + 20, CM_MAX_PAYLOAD_BYTES, "strings", "text and metadata together too long");
    expect_edit(first + CMI_STRINGS_HEAD_BYTES, "\xC0\x80", 2, "strings", "invalid UTF-8 in an id");
    expect_edit(first + CMI_STRINGS_HEAD_BYTES + head.id_bytes, "\xFF", 1, "strings", "invalid UTF-8 in a context");
    CHECK(head2.n_relationships > 0);
    size_t relationships = second + CMI_STRINGS_HEAD_BYTES + head2.id_bytes + head2.context_bytes;
    edit_u32(relationships, UINT32_MAX - 3, "relationships", "a relationship that overflows");
    edit_u32(relationships, 0, "relationships", "a shorter relationship");
    expect_edit(relationships + 4, "\xED\xA0\x80", 3, "strings", "a surrogate in a relationship");

    /* the second id becomes the first */
    uint32_t a = 0, b = 1;
    cmi_strings_head_t of_a, of_b;
    for (bool found = false; !found && b + 1 < victim_header.n_memories; b += !found) {
        cmi_strings_head_decode(victim.bytes + strings_at(a), &of_a);
        cmi_strings_head_decode(victim.bytes + strings_at(b), &of_b);
        found = of_a.id_bytes == of_b.id_bytes;
    }
    expect_edit(strings_at(b) + CMI_STRINGS_HEAD_BYTES, victim.bytes + strings_at(a) + CMI_STRINGS_HEAD_BYTES, of_a.id_bytes, "strings",
                "an id twice");
}

TEST(hostile_table_and_footer_are_corrupt) {
    size_t footer_at = victim.n_bytes - CMI_FOOTER_BYTES;
    cmi_footer_t footer;
    cmi_footer_decode(victim.bytes + footer_at, &footer);
    size_t entry = (size_t)footer.table_offset + (CMI_SECTION_VECTORS - 1) * CMI_TABLE_ENTRY_BYTES;
    edit_u32(entry, 99, "table", "an unknown section");
    edit_u32(entry + 4, 1, "vectors", "another stride");
    edit_u32(entry + 8, 0, "table", "an offset that overlaps");
    edit_u32(entry + 20, UINT32_MAX, "table", "a length beyond the file");
    uint64_t wraps = UINT64_MAX - 10;
    expect_edit(entry + 16, &wraps, sizeof wraps, "table", "a length that wraps");
    edit_u32(entry + 24, 1000, "vectors", "more rows");
    edit_u32(entry + 28, UINT32_MAX, "vectors", "rows without number");
    edit_u32(entry + 32, 5, "table", "more checksums");

    memory_file_t file = memory_file_copy(&victim);
    static const int64_t by[][2] = {{0, 64}, {-64, 64}, {64, -64}, {INT64_MAX, INT64_MIN}, {-(1 << 20), 1 << 20}};
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        cmi_footer_t edited = footer;
        edited.table_offset += (uint64_t)by[i][0];
        edited.table_bytes += (uint64_t)by[i][1];
        cmi_footer_encode(&edited, file.bytes + footer_at);
        expect(&file, CM_E_CORRUPT, "snapshot", "a footer that points elsewhere");
    }
    memory_file_free(&file);
}

/* Whatever somebody writes and seals: an error or a store in which check() finds nothing. Seeded; the seed is the round. */
TEST(random_edits_never_get_past_check) {
    uint32_t n_loaded = 0, n_rounds = 3000;
    for (uint32_t round = 0; round < n_rounds; round++) {
        memory_file_t file = memory_file_copy(&victim);
        uint64_t n_edits = 1 + cmi_mix(round) % 3;
        for (uint64_t i = 0; i < n_edits; i++) {
            uint64_t draw = cmi_mix(((uint64_t)round << 8) + i);
            size_t offset = 8 +
                            (size_t)(draw % (victim_section[CMI_SECTION_STRINGS].offset + victim_section[CMI_SECTION_STRINGS].n_bytes - 8));
            file.bytes[offset] = (uint8_t)(draw >> 40);
        }
        reseal(&file);
        cm_store_t *store;
        cm_error_t error;
        cm_status_t status = load_from_memory(&file, &store, &error);
        CHECK_MSG(status == CM_OK || status == CM_E_CORRUPT || status == CM_E_NO_MEMORY, "round %u: status %d: %s", round, (int)status,
                  error.message);
        if (status == CM_OK) {
            fixture_t f = fixture_of(store);
            CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "round %u: %s", round, cm_message(f.thread));
            check_same_answers(&f, &f, 2);
            fixture_close(&f);
            n_loaded++;
        }
        memory_file_free(&file);
    }
    printf("# %u of %u edited snapshots were loaded\n", n_loaded, n_rounds);
}

/* ---- memory ---- */

/* Pages of address space, which is what a store takes first and most. */
static long address_space_pages(void) {
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm) return 0;
    if (fscanf(statm, "%ld", &pages) != 1) pages = 0;
    fclose(statm);
    return pages;
}

TEST(failed_loads_give_everything_back) {
    memory_file_t file = memory_file_copy(&victim);
    static const cmi_section_kind_t kinds[] = {CMI_SECTION_CONFIG, CMI_SECTION_LISTS0, CMI_SECTION_VECTORS, CMI_SECTION_STRINGS};
    long before = 0;
    for (uint32_t round = 0; round < 40; round++) {
        size_t offset = (size_t)victim_section[kinds[round % 4]].offset;
        file.bytes[offset] ^= 1;
        expect(&file, CM_E_CORRUPT, "section", "damaged");
        file.bytes[offset] ^= 1;
        if (round == 7) before = address_space_pages();
    }
    long grown_bytes = (address_space_pages() - before) * sysconf(_SC_PAGESIZE);
    CHECK_MSG(grown_bytes < 8 << 20, "32 failed loads left %ld bytes of address space",
              grown_bytes); /* a store of the victim's takes more than that each */
    memory_file_free(&file);
}

int main(void) {
    make_victim();
    RUN(every_flipped_byte_is_a_typed_error);
    RUN(every_truncation_is_a_typed_error);
    RUN(bytes_behind_the_end_are_a_typed_error);
    RUN(other_files_are_no_snapshots);
    RUN(other_formats_are_named);
    RUN(hostile_header_is_corrupt);
    RUN(hostile_config_is_corrupt);
    RUN(hostile_meta_is_corrupt);
    RUN(hostile_lists_are_corrupt);
    RUN(hostile_vectors_are_corrupt);
    RUN(hostile_records_are_corrupt);
    RUN(hostile_strings_are_corrupt);
    RUN(hostile_table_and_footer_are_corrupt);
    RUN(random_edits_never_get_past_check);
    RUN(failed_loads_give_everything_back);
    memory_file_free(&victim);
    return tap_done();
}
