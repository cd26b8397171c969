/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * snapshot_parts.h - a snapshot taken apart and put together, for the fuzzer of snapshots.
 *
 * A checksum over every byte stops a fuzzer that flips bytes at the first comparison: 9.9 million runs of a prototype found nothing, and with checksums that hold a planted
 * overflow fell after 12,731. So seal() makes the checksums of a damaged file right, and mutate_parts() changes one part of a file and lays the
 * file out anew around it, as somebody would who writes a hostile file on purpose.
 */
#ifndef SNAPSHOT_PARTS_H
#define SNAPSHOT_PARTS_H

#include "base/base.h"
#include "fuzz/support/fuzz.h"
#include "persist/format.h"

/* ---- checksums that hold --------------------------------------------------------------------------------------------------- */

static inline bool table_lies_inside(const cmi_footer_t *footer, size_t size) {
    return footer->table_offset <= size - CMI_FOOTER_BYTES && footer->table_bytes >= CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES &&
           footer->table_bytes <= size - CMI_FOOTER_BYTES - footer->table_offset;
}

/* Checksums of one section's blocks, as far as section and table have room for them. */
static inline size_t seal_section(uint8_t *bytes, size_t size, const cmi_section_t *section, uint8_t *checksums, size_t n_checksums) {
    uint64_t n = CMI_MIN((uint64_t)section->n_blocks, (uint64_t)n_checksums), extent = cmi_align(section->n_bytes);
    for (uint64_t block = 0; block < n; block++) {
        uint64_t from = section->offset + block * CMI_FORMAT_BLOCK_BYTES, left = extent - CMI_MIN(extent, block * CMI_FORMAT_BLOCK_BYTES);
        uint64_t n_bytes = CMI_MIN(left, (uint64_t)CMI_FORMAT_BLOCK_BYTES);
        if (from > size || n_bytes > size - from) break;
        cmi_put_u32(checksums + 4 * block, cmi_crc32c(0, bytes + from, (size_t)n_bytes));
    }
    return (size_t)n;
}

/* Everything else stays as it is: magic, lengths, constants. */
static inline void seal(uint8_t *bytes, size_t size) {
    cmi_footer_t footer;
    if (size < CMI_HEADER_BYTES + CMI_FOOTER_BYTES) return;
    cmi_put_u32(bytes + 60, cmi_crc32c(0, bytes, 60));
    uint8_t *end = bytes + size - CMI_FOOTER_BYTES;
    (void)cmi_footer_decode(end, &footer);
    if (table_lies_inside(&footer, size)) {
        uint8_t *table = bytes + footer.table_offset, *checksums = table + CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES;
        size_t n_checksums = (size_t)(footer.table_bytes - CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES) / 4;
        for (uint32_t i = 0; i < CMI_N_SECTIONS; i++) {
            cmi_section_t section;
            cmi_section_decode(table + i * CMI_TABLE_ENTRY_BYTES, &section);
            size_t n = seal_section(bytes, size, &section, checksums, n_checksums);
            checksums += 4 * n, n_checksums -= n;
        }
        cmi_put_u32(end + 28, cmi_crc32c(0, table, (size_t)footer.table_bytes));
    }
    cmi_put_u32(end + 52, cmi_crc32c(0, end, 52));
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------ */

typedef struct parts {
    uint8_t header[CMI_HEADER_BYTES];
    cmi_section_t section[CMI_N_SECTIONS];
    const uint8_t *bytes[CMI_N_SECTIONS]; /* section[i].n_bytes each */
} parts_t;

/* False when the file cannot be taken apart. */
static inline bool parts_of(parts_t *parts, const uint8_t *bytes, size_t size) {
    cmi_footer_t footer;
    if (size < CMI_HEADER_BYTES + CMI_FOOTER_BYTES) return false;
    memcpy(parts->header, bytes, CMI_HEADER_BYTES);
    (void)cmi_footer_decode(bytes + size - CMI_FOOTER_BYTES, &footer);
    if (!table_lies_inside(&footer, size)) return false;
    for (uint32_t i = 0; i < CMI_N_SECTIONS; i++) {
        cmi_section_t *section = &parts->section[i];
        cmi_section_decode(bytes + footer.table_offset + i * CMI_TABLE_ENTRY_BYTES, section);
        if (section->offset > size || section->n_bytes > size - section->offset || section->n_blocks > size) return false;
        parts->bytes[i] = bytes + section->offset;
    }
    return true;
}

/* Lays the file out; the caller seals it. 0 when it does not fit. */
static inline size_t parts_lay_out(parts_t *parts, uint8_t *out, size_t capacity) {
    uint64_t at = CMI_HEADER_BYTES, n_checksums = 0;
    for (uint32_t i = 0; i < CMI_N_SECTIONS; i++)
        at += cmi_align(parts->section[i].n_bytes), n_checksums += cmi_n_blocks(parts->section[i].n_bytes);
    cmi_footer_t footer = {.table_offset = at, .table_bytes = CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES + 4 * n_checksums};
    footer.file_bytes = at + footer.table_bytes + CMI_FOOTER_BYTES;
    if (footer.file_bytes > capacity) return 0;
    memset(out, 0, (size_t)footer.file_bytes);
    memcpy(out, parts->header, CMI_HEADER_BYTES);
    at = CMI_HEADER_BYTES;
    for (uint32_t i = 0; i < CMI_N_SECTIONS; i++) {
        cmi_section_t *section = &parts->section[i];
        section->offset = at;
        section->n_blocks = (uint32_t)cmi_n_blocks(section->n_bytes);
        if (section->n_bytes > 0) memcpy(out + at, parts->bytes[i], (size_t)section->n_bytes);
        cmi_section_encode(section, out + footer.table_offset + i * CMI_TABLE_ENTRY_BYTES);
        at += cmi_align(section->n_bytes);
    }
    cmi_footer_encode(&footer, out + footer.table_offset + footer.table_bytes);
    return (size_t)footer.file_bytes;
}

/* ---- one part changed ---------------------------------------------------------------------------------------------------------- */

#ifdef CM_FUZZ
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* A number becomes another that lies near a limit, or another number of the same part. */
static inline void change_number(uint8_t *bytes, size_t size, uint64_t random) {
    if (size < 4) return;
    uint8_t *at = bytes + 4 * (size_t)(random % (size / 4));
    uint32_t old = cmi_get_u32(at), other = cmi_get_u32(bytes + 4 * (size_t)(random / 7 % (size / 4)));
    const uint32_t choices[] = {0,     1,       UINT32_MAX, UINT32_MAX - 1, old + 1, old - 1, old ^ 1u << (random % 32),
                                other, old * 2, 0x7F800000, 0x80000000};
    cmi_put_u32(at, choices[random / 131 % (sizeof choices / sizeof *choices)]);
}

static inline size_t mutate_parts(uint8_t *data, size_t size, size_t max_size, uint64_t random) {
    enum { PART_BYTES = 1 << 16 };
    static uint8_t part[PART_BYTES], file[1 << 20];
    parts_t parts;
    uint64_t what = random % 10, how = random / 10;
    if (what == 0 || !parts_of(&parts, data, size)) return LLVMFuzzerMutate(data, size, max_size);
    if (what == 1) {
        change_number(parts.header + 8, 20, how);
    } else if (what == 2) {
        cmi_section_t *section = &parts.section[how % CMI_N_SECTIONS];
        section->n_rows += how / 16 % 5 - 2;
        section->stride_bytes += (uint32_t)(how / 128 % 3) * 4 - 4;
    } else {
        cmi_section_t *section = &parts.section[what - 3];
        if (section->n_bytes > PART_BYTES / 2) return LLVMFuzzerMutate(data, size, max_size);
        if (section->n_bytes > 0) memcpy(part, parts.bytes[what - 3], (size_t)section->n_bytes);
        if (how % 3) change_number(part, (size_t)section->n_bytes, how / 3);
        else section->n_bytes = LLVMFuzzerMutate(part, (size_t)section->n_bytes, how / 3 % 2 ? (size_t)section->n_bytes + 1 : PART_BYTES);
        parts.bytes[what - 3] = part;
    }
    size_t n = parts_lay_out(&parts, file, CMI_MIN(sizeof file, max_size));
    if (n == 0) return LLVMFuzzerMutate(data, size, max_size);
    seal(file, n);
    memcpy(data, file, n);
    return n;
}
#endif

#endif
