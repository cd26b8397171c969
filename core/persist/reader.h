/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * reader.h - the bytes of a snapshot, verified before anybody looks at them.
 *
 * Opening checks header, footer and table, and that sections, table and footer tile the file without a gap. A cursor then reads one
 * section from its beginning, a block at a time, each block's checksum first. Every failure is a typed error that names section and offset.
 *
 * Allocates the table (4 bytes per MiB of file) and, per cursor, one block and its largest item: nothing that a hostile count could
 * inflate beyond the size of the source. One thread.
 */
#ifndef CMI_PERSIST_READER_H
#define CMI_PERSIST_READER_H

#include "persist/format.h"

typedef struct cmi_reader {
    const cm_source_t *source;
    cm_error_t *error;
    cmi_header_t header;
    cmi_section_t section[CMI_N_SECTIONS]; /* kind k at k - 1 */
    uint8_t *table;                        /* entries, then checksums */
    uint64_t table_bytes;
} cmi_reader_t;

/* CM_E_NOT_SNAPSHOT, CM_E_VERSION, CM_E_CORRUPT, CM_E_IO, CM_E_NO_MEMORY. Needs a close whatever it returns. */
cm_status_t cmi_reader_open(cmi_reader_t *reader, const cm_source_t *source, cm_error_t *error);
void cmi_reader_close(cmi_reader_t *reader);

/* Tests that a section has these rows; stride_bytes 0: any length. CM_E_CORRUPT. */
cm_status_t cmi_reader_expect(const cmi_reader_t *reader, cmi_section_kind_t kind, uint64_t stride_bytes, uint64_t n_rows);

typedef struct cmi_cursor {
    const cmi_reader_t *reader;
    const cmi_section_t *section;
    cm_status_t status; /* sticks */
    uint8_t *pages;     /* room for the rest of a block, then a block */
    uint64_t pages_bytes, room_bytes;
    const uint8_t *next, *end; /* verified and not taken yet */
    uint64_t n_loaded;         /* bytes of the section that were read, up to `end` */
} cmi_cursor_t;

/* max_item_bytes bounds what one cmi_cursor_take() asks for. Needs a close whatever it returns; one that is all zero may be closed, too. */
cm_status_t cmi_cursor_open(cmi_cursor_t *cursor, const cmi_reader_t *reader, cmi_section_kind_t kind, uint64_t max_item_bytes);
void cmi_cursor_close(cmi_cursor_t *cursor);

/* The next n_bytes > 0 of the section as one piece, valid until the next take; NULL when there are no more, or on any failure
 * (cursor->status). In a section of 4-byte items the piece is aligned to 4. */
const uint8_t *cmi_cursor_take(cmi_cursor_t *cursor, uint64_t n_bytes);

/* True when everything was taken. */
bool cmi_cursor_at_end(const cmi_cursor_t *cursor);

/* CM_E_CORRUPT: "snapshot section vectors, offset 4711: ", then the message. The offset (in the file) is that of the first byte not taken
 * yet, less `back`. */
cm_status_t cmi_cursor_fault(const cmi_cursor_t *cursor, uint64_t back, const char *format, ...);

#endif
