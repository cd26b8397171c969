/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * format.h - the bytes of a snapshot, format 3 (docs/FORMAT.md has the tables): its constants, and its fixed-size parts as structs.
 *
 *     header 64 | config | meta | lists0 | upper | vectors | records | strings | table | footer 64
 *
 * Everything is little-endian; sections begin at multiples of 64. Each byte lies under exactly one checksum or is a compared constant:
 * the header under its own, a section (with the zeros behind it) under one CRC-32C per block of 1 MiB, the table under one in the footer,
 * the footer under its own. The table comes last because a sink cannot seek: lengths and checksums are known only when the sections are
 * written.
 *
 * Pure functions over byte arrays; the structs here are never written as they lie in memory.
 */
#ifndef CMI_PERSIST_FORMAT_H
#define CMI_PERSIST_FORMAT_H

#include "base/base.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "snapshots are little-endian, and so is every target; rows are copied as they are");

#define CMI_FORMAT_MAGIC "CHRONO1" /* 7 bytes; the format byte follows */
#define CMI_FORMAT_MAGIC_BYTES 7u
#define CMI_FORMAT_VERSION 3u
#define CMI_FORMAT_END "CHRONEND" /* the last 8 bytes of the file */

#define CMI_FORMAT_ALIGN 64u
#define CMI_FORMAT_BLOCK_BYTES (1u << 20)
#define CMI_FORMAT_MAX_BLOCKS \
    (1u                       \
     << 28) /* 256 TiB: far beyond CM_MAX_MEMORIES of the widest vectors that a machine holds; keeps the table's size a size_t everywhere */
#define CMI_HEADER_BYTES 64u
#define CMI_FOOTER_BYTES 64u
#define CMI_TABLE_ENTRY_BYTES 40u

/* Rows of the sections whose rows do not depend on the configuration. */
#define CMI_CONFIG_BYTES 64u
#define CMI_META_BYTES 12u
#define CMI_RECORD_BYTES 40u
#define CMI_STRINGS_HEAD_BYTES 24u

/* In file order; the numbers are in the file. */
typedef enum cmi_section_kind {
    CMI_SECTION_CONFIG = 1,
    CMI_SECTION_META = 2,
    CMI_SECTION_LISTS0 = 3,
    CMI_SECTION_UPPER = 4,
    CMI_SECTION_VECTORS = 5,
    CMI_SECTION_RECORDS = 6,
    CMI_SECTION_STRINGS = 7
} cmi_section_kind_t;

#define CMI_N_SECTIONS 7u

typedef struct cmi_header {
    uint32_t n_slots;    /* rows of meta, lists0, vectors */
    uint32_t n_memories; /* rows of records */
    uint32_t n_upper;    /* rows of upper */
    uint32_t entry_slot; /* CMI_NONE: an empty graph */
    uint32_t entry_level;
    uint64_t beams; /* of the graph (beam.h) */
} cmi_header_t;

typedef struct cmi_section {
    cmi_section_kind_t kind;
    uint32_t stride_bytes; /* of a row; 0: rows of different lengths */
    uint64_t offset;       /* in the file */
    uint64_t n_bytes;      /* without the zeros behind it */
    uint64_t n_rows;
    uint32_t n_blocks;    /* checksums */
    uint32_t first_block; /* its first checksum among those of the table; not in the file */
} cmi_section_t;

typedef struct cmi_footer {
    uint64_t table_offset;
    uint64_t table_bytes;
    uint64_t file_bytes;
    uint32_t table_crc;
} cmi_footer_t;

/* The attributes of a memory; its strings are elsewhere. */
typedef struct cmi_record_row {
    uint32_t slot, access_count;
    int64_t created_ms, accessed_ms, decayed_ms;
    float importance, decay_rate;
} cmi_record_row_t;

/* In front of a memory's strings, which follow in this order without gaps. */
typedef struct cmi_strings_head {
    uint32_t id_bytes;
    uint32_t context_bytes; /* 0: the context of the record before */
    uint32_t n_relationships;
    uint32_t relationships_bytes; /* packed: each u32 length, then the bytes */
    uint32_t text_bytes;
    uint32_t metadata_bytes;
} cmi_strings_head_t;

/* The largest strings entry that the limits of chronomind.h allow, without its head. */
#define CMI_MAX_STRINGS_BYTES \
    (CM_MAX_ID_BYTES + CM_MAX_CONTEXT_BYTES + CM_MAX_RELATIONSHIPS * (4u + CM_MAX_ID_BYTES) + CM_MAX_PAYLOAD_BYTES)

/* "vectors" and the like; "?" for a number that is none. */
const char *cmi_section_name(cmi_section_kind_t kind);

static inline uint64_t cmi_align(uint64_t n_bytes) {
    return (n_bytes + (CMI_FORMAT_ALIGN - 1)) & ~(uint64_t)(CMI_FORMAT_ALIGN - 1);
}

/* Checksums that a section of this length has. */
static inline uint64_t cmi_n_blocks(uint64_t n_bytes) {
    return (cmi_align(n_bytes) + (CMI_FORMAT_BLOCK_BYTES - 1)) / CMI_FORMAT_BLOCK_BYTES;
}

static inline uint32_t cmi_get_u32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline uint64_t cmi_get_u64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
static inline void cmi_put_u32(uint8_t *at, uint32_t value) {
    memcpy(at, &value, sizeof value);
}
static inline void cmi_put_u64(uint8_t *at, uint64_t value) {
    memcpy(at, &value, sizeof value);
}

/* True when the bytes have this checksum. Fuzzers build with CM_FUZZ_NO_CHECKSUM, or they would never get behind it. */
static inline bool cmi_checksum_holds(const uint8_t *bytes, size_t n_bytes, uint32_t checksum) {
#ifdef CM_FUZZ_NO_CHECKSUM
    (void)bytes, (void)n_bytes, (void)checksum;
    return true;
#else
    return cmi_crc32c(0, bytes, n_bytes) == checksum;
#endif
}

/* Each encode fills its fixed number of bytes, reserved ones with zero. Each decode reads them; those that return bool test checksum and
 * constants. */
void cmi_header_encode(const cmi_header_t *header, uint8_t out[CMI_HEADER_BYTES]);
bool cmi_header_decode(const uint8_t bytes[CMI_HEADER_BYTES], cmi_header_t *out);

void cmi_footer_encode(const cmi_footer_t *footer, uint8_t out[CMI_FOOTER_BYTES]);
bool cmi_footer_decode(const uint8_t bytes[CMI_FOOTER_BYTES], cmi_footer_t *out);

void cmi_section_encode(const cmi_section_t *section, uint8_t out[CMI_TABLE_ENTRY_BYTES]);
void cmi_section_decode(const uint8_t bytes[CMI_TABLE_ENTRY_BYTES], cmi_section_t *out); /* first_block: 0 */

/* Threads and clock are no property of a snapshot: decode leaves them at the defaults. Nothing is validated. */
void cmi_config_encode(const cm_config_t *config, uint8_t out[CMI_CONFIG_BYTES]);
void cmi_config_decode(const uint8_t bytes[CMI_CONFIG_BYTES], cm_config_t *out);

void cmi_record_encode(const cmi_record_row_t *row, uint8_t out[CMI_RECORD_BYTES]);
void cmi_record_decode(const uint8_t bytes[CMI_RECORD_BYTES], cmi_record_row_t *out);

void cmi_strings_head_encode(const cmi_strings_head_t *head, uint8_t out[CMI_STRINGS_HEAD_BYTES]);
void cmi_strings_head_decode(const uint8_t bytes[CMI_STRINGS_HEAD_BYTES], cmi_strings_head_t *out);

#endif
