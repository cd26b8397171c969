/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* reader.c - verified reading of snapshots (reader.h). */
#include "persist/reader.h"

#include "plat_pages.h"

static cm_status_t read_bytes(const cmi_reader_t *reader, uint64_t offset, void *out, size_t n_bytes) {
    int failure = reader->source->read(reader->source->context, offset, out, n_bytes);
    if (failure == 0) return CM_OK;
    return cmi_fail(reader->error, CM_E_IO, "reading the snapshot failed at offset %U: the source returned %d", offset, (int32_t)failure);
}

/* ---- header, footer ---- */

static cm_status_t refuse_version(const cmi_reader_t *reader, uint32_t version) {
    if (version > CMI_FORMAT_VERSION)
        return cmi_fail(reader->error, CM_E_VERSION, "the snapshot has format %u, written by a newer version: this one reads format %u",
                        version, CMI_FORMAT_VERSION);
    if (version == 2)
        return cmi_fail(reader->error, CM_E_VERSION,
                        "the snapshot has format 2 (written by the original ChronoMind): this version reads format %u", CMI_FORMAT_VERSION);
    return cmi_fail(reader->error, CM_E_VERSION, "the snapshot has format %u, which never existed: this version reads format %u", version,
                    CMI_FORMAT_VERSION);
}

/* What the first 8 bytes say decides between "something else", "another version" and "ours, but damaged". */
static cm_status_t read_magic(const cmi_reader_t *reader) {
    uint8_t bytes[CMI_FORMAT_MAGIC_BYTES + 1];
    if (reader->source->n_bytes < sizeof bytes)
        return cmi_fail(reader->error, CM_E_NOT_SNAPSHOT, "%U bytes are not a ChronoMind snapshot", reader->source->n_bytes);
    cm_status_t status = read_bytes(reader, 0, bytes, sizeof bytes);
    if (status != CM_OK) return status;
    if (memcmp(bytes, CMI_FORMAT_MAGIC, CMI_FORMAT_MAGIC_BYTES) != 0)
        return cmi_fail(reader->error, CM_E_NOT_SNAPSHOT,
                        "the bytes are not a ChronoMind snapshot: they do not begin with " CMI_FORMAT_MAGIC);
    return bytes[CMI_FORMAT_MAGIC_BYTES] == CMI_FORMAT_VERSION ? CM_OK : refuse_version(reader, bytes[CMI_FORMAT_MAGIC_BYTES]);
}

static cm_status_t read_header(cmi_reader_t *reader) {
    uint8_t bytes[CMI_HEADER_BYTES];
    if (reader->source->n_bytes < CMI_HEADER_BYTES + CMI_FOOTER_BYTES)
        return cmi_fail(reader->error, CM_E_CORRUPT, "snapshot header, offset 0: the file ends after %U bytes", reader->source->n_bytes);
    cm_status_t status = read_bytes(reader, 0, bytes, sizeof bytes);
    if (status != CM_OK) return status;
    return cmi_header_decode(bytes, &reader->header)
               ? CM_OK
               : cmi_fail(reader->error, CM_E_CORRUPT, "snapshot header, offset 0: the checksum does not match");
}

/* A file that was cut or has grown has no footer at its end, or one that names another length. */
static cm_status_t read_footer(const cmi_reader_t *reader, cmi_footer_t *footer) {
    uint8_t bytes[CMI_FOOTER_BYTES];
    uint64_t n_bytes = reader->source->n_bytes, offset = n_bytes - CMI_FOOTER_BYTES;
    cm_status_t status = read_bytes(reader, offset, bytes, sizeof bytes);
    if (status != CM_OK) return status;
    if (!cmi_footer_decode(bytes, footer))
        return cmi_fail(reader->error, CM_E_CORRUPT,
                        "snapshot footer, offset %U: damaged, or the file was cut short or has bytes behind its end", offset);
    bool fits = footer->file_bytes == n_bytes && footer->table_offset <= offset && footer->table_bytes == offset - footer->table_offset;
    if (!fits)
        return cmi_fail(reader->error, CM_E_CORRUPT, "snapshot footer, offset %U: it does not belong to a file of %U bytes", offset,
                        n_bytes);
    return CM_OK;
}

/* ---- table ---- */

static cm_status_t read_table(cmi_reader_t *reader, const cmi_footer_t *footer) {
    uint64_t entries_bytes = CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES;
    uint64_t max_checksums = reader->source->n_bytes / CMI_FORMAT_BLOCK_BYTES +
                             CMI_N_SECTIONS; /* each section has at most one block that is not full */
    max_checksums = CMI_MIN(max_checksums, (uint64_t)CMI_FORMAT_MAX_BLOCKS);
    if (footer->table_bytes < entries_bytes || footer->table_bytes > entries_bytes + 4 * max_checksums)
        return cmi_fail(reader->error, CM_E_CORRUPT, "snapshot table, offset %U: it cannot have %U bytes", footer->table_offset,
                        footer->table_bytes);
    reader->table = (uint8_t *)plat_pages_alloc((size_t)footer->table_bytes);
    if (!reader->table)
        return cmi_fail(reader->error, CM_E_NO_MEMORY, "the machine gave no %U bytes for the snapshot's table", footer->table_bytes);
    reader->table_bytes = footer->table_bytes;
    cm_status_t status = read_bytes(reader, footer->table_offset, reader->table, (size_t)footer->table_bytes);
    if (status != CM_OK) return status;
    if (cmi_checksum_holds(reader->table, (size_t)footer->table_bytes, footer->table_crc)) return CM_OK;
    return cmi_fail(reader->error, CM_E_CORRUPT, "snapshot table, offset %U: the checksum does not match", footer->table_offset);
}

/* Sections, in their order and each with its checksums, fill the file from header to table, and the checksums fill the table. */
static cm_status_t check_tiling(cmi_reader_t *reader, const cmi_footer_t *footer) {
    uint64_t offset = CMI_HEADER_BYTES, n_checksums = 0;
    for (uint32_t i = 0; i < CMI_N_SECTIONS; i++) {
        cmi_section_t *section = &reader->section[i];
        cmi_section_decode(reader->table + (size_t)i * CMI_TABLE_ENTRY_BYTES, section);
        bool fits = (uint32_t)section->kind == i + 1 && section->offset == offset && section->n_bytes <= footer->table_offset - offset &&
                    cmi_align(section->n_bytes) <= footer->table_offset - offset && section->n_blocks == cmi_n_blocks(section->n_bytes);
        if (!fits)
            return cmi_fail(reader->error, CM_E_CORRUPT, "snapshot table, offset %U: the entry of section %s does not fit",
                            footer->table_offset + (uint64_t)i * CMI_TABLE_ENTRY_BYTES, cmi_section_name((cmi_section_kind_t)(i + 1)));
        section->first_block = (uint32_t)n_checksums;
        n_checksums += section->n_blocks;
        offset += cmi_align(section->n_bytes);
    }
    if (offset == footer->table_offset && reader->table_bytes == CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES + 4 * n_checksums) return CM_OK;
    return cmi_fail(reader->error, CM_E_CORRUPT, "snapshot table, offset %U: the sections do not fill the file", footer->table_offset);
}

cm_status_t cmi_reader_open(cmi_reader_t *reader, const cm_source_t *source, cm_error_t *error) {
    memset(reader, 0, sizeof *reader);
    reader->source = source;
    reader->error = error;
    cmi_footer_t footer;
    cm_status_t status = read_magic(reader);
    if (status == CM_OK) status = read_header(reader);
    if (status == CM_OK) status = read_footer(reader, &footer);
    if (status == CM_OK) status = read_table(reader, &footer);
    if (status == CM_OK) status = check_tiling(reader, &footer);
    return status;
}

void cmi_reader_close(cmi_reader_t *reader) {
    plat_pages_free(reader->table, (size_t)reader->table_bytes);
}

cm_status_t cmi_reader_expect(const cmi_reader_t *reader, cmi_section_kind_t kind, uint64_t stride_bytes, uint64_t n_rows) {
    const cmi_section_t *section = &reader->section[kind - 1];
    bool fits = section->stride_bytes == stride_bytes && section->n_rows == n_rows;
    if (stride_bytes > 0 && section->n_bytes != stride_bytes * n_rows) fits = false; /* at most 2^18 * 2^32: no overflow */
    if (fits) return CM_OK;
    return cmi_fail(reader->error, CM_E_CORRUPT,
                    "snapshot section %s, offset %U: %U rows of %u bytes do not fit the header and the configuration, which say %U of %U",
                    cmi_section_name(kind), section->offset, section->n_rows, section->stride_bytes, n_rows, stride_bytes);
}

/* ---- cursors ---- */

cm_status_t cmi_cursor_open(cmi_cursor_t *cursor, const cmi_reader_t *reader, cmi_section_kind_t kind, uint64_t max_item_bytes) {
    memset(cursor, 0, sizeof *cursor);
    cursor->reader = reader;
    cursor->section = &reader->section[kind - 1];
    uint64_t extent = cmi_align(cursor->section->n_bytes);
    cursor->room_bytes = extent > CMI_FORMAT_BLOCK_BYTES ? cmi_align(CMI_MIN(max_item_bytes, extent))
                                                         : 0; /* one block holds every item whole */
    cursor->pages_bytes = cursor->room_bytes + CMI_MIN(extent, (uint64_t)CMI_FORMAT_BLOCK_BYTES);
    if (cursor->pages_bytes == 0) return CM_OK;
    cursor->pages = (uint8_t *)plat_pages_alloc((size_t)cursor->pages_bytes);
    if (cursor->pages) return CM_OK;
    return cursor->status = cmi_fail(reader->error, CM_E_NO_MEMORY, "the machine gave no %U bytes to read the snapshot's %s",
                                     cursor->pages_bytes, cmi_section_name(kind));
}

void cmi_cursor_close(cmi_cursor_t *cursor) {
    plat_pages_free(cursor->pages, (size_t)cursor->pages_bytes);
}

/* Reads the next block behind what is left of the ones before, which moves to the end of the room in front of it. It fits there, because
 * less than an item is left. */
static void load_block(cmi_cursor_t *cursor) {
    const cmi_reader_t *reader = cursor->reader;
    const cmi_section_t *section = cursor->section;
    uint64_t extent = cmi_align(section->n_bytes), index = cursor->n_loaded / CMI_FORMAT_BLOCK_BYTES;
    size_t n_left = (size_t)(cursor->end - cursor->next),
           n_block = (size_t)CMI_MIN(extent - cursor->n_loaded, (uint64_t)CMI_FORMAT_BLOCK_BYTES);
    uint8_t *block = cursor->pages + cursor->room_bytes;
    if (n_left > 0) memmove(block - n_left, cursor->next, n_left);
    cursor->next = block - n_left;
    cursor->end = block;
    cursor->status = read_bytes(reader, section->offset + cursor->n_loaded, block, n_block);
    if (cursor->status != CM_OK) return;
    uint32_t checksum = cmi_get_u32(reader->table + CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES + 4 * (section->first_block + (size_t)index));
    if (!cmi_checksum_holds(block, n_block, checksum)) {
        cursor->status = cmi_fail(reader->error, CM_E_CORRUPT, "snapshot section %s, offset %U: the checksum of this block does not match",
                                  cmi_section_name(section->kind), section->offset + cursor->n_loaded);
        return;
    }
    cursor->end = block + n_block;
    cursor->n_loaded += n_block;
}

/* Bytes of the section before `next`. */
static uint64_t n_taken(const cmi_cursor_t *cursor) {
    return cursor->n_loaded - (uint64_t)(cursor->end - cursor->next);
}

const uint8_t *cmi_cursor_take(cmi_cursor_t *cursor, uint64_t n_bytes) {
    if (CMI_UNLIKELY(cursor->status != CM_OK)) return NULL;
    if (CMI_UNLIKELY(n_bytes > cursor->section->n_bytes - n_taken(cursor))) {
        cursor->status = cmi_cursor_fault(cursor, 0, "%U more bytes are needed, but %U are left", n_bytes,
                                          cursor->section->n_bytes - n_taken(cursor));
        return NULL;
    }
    while ((uint64_t)(cursor->end - cursor->next) < n_bytes) {
        load_block(cursor);
        if (cursor->status != CM_OK) return NULL;
    }
    const uint8_t *taken = cursor->next;
    cursor->next += n_bytes;
    return taken;
}

bool cmi_cursor_at_end(const cmi_cursor_t *cursor) {
    return n_taken(cursor) == cursor->section->n_bytes;
}

cm_status_t cmi_cursor_fault(const cmi_cursor_t *cursor, uint64_t back, const char *format, ...) {
    char message[sizeof((cm_error_t *)0)->message];
    va_list arguments;
    va_start(arguments, format);
    cmi_vformat(message, sizeof message, format, arguments);
    va_end(arguments);
    return cmi_fail(cursor->reader->error, CM_E_CORRUPT, "snapshot section %s, offset %U: %s", cmi_section_name(cursor->section->kind),
                    cursor->section->offset + n_taken(cursor) - back, message);
}
