/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * writer.h - a snapshot as a stream: header, sections one after the other, then table and footer, through a block of 1 MiB whose checksum
 * is taken as it leaves.
 *
 * The first failure sticks: from then on every call does nothing, so that callers test `status` once per loop instead of at every put.
 * One thread.
 */
#ifndef CMI_PERSIST_WRITER_H
#define CMI_PERSIST_WRITER_H

#include "persist/format.h"

typedef struct cmi_writer {
    const cm_sink_t *sink;
    cm_error_t *error;
    cm_status_t status;  /* CM_E_IO, CM_E_NO_MEMORY once something failed */
    uint64_t offset;     /* bytes that the sink has taken */
    uint8_t *block;      /* CMI_FORMAT_BLOCK_BYTES */
    uint32_t n_block;    /* bytes in it */
    uint32_t *checksums; /* of all blocks of all sections, in order */
    uint64_t n_checksums, max_checksums;
    cmi_section_t section[CMI_N_SECTIONS];
    uint32_t n_sections; /* the last is the open one */
} cmi_writer_t;

/* Also writes the header. Call cmi_writer_close whatever happens. */
void cmi_writer_open(cmi_writer_t *writer, const cm_sink_t *sink, const cmi_header_t *header, cm_error_t *error);

/* Sections in file order. stride_bytes 0: rows of different lengths. */
void cmi_writer_begin(cmi_writer_t *writer, cmi_section_kind_t kind, uint64_t stride_bytes, uint64_t n_rows);
void cmi_writer_put(cmi_writer_t *writer, const void *bytes, uint64_t n_bytes);
void cmi_writer_end(cmi_writer_t *writer);

/* Table and footer; returns `status`. */
cm_status_t cmi_writer_finish(cmi_writer_t *writer);

void cmi_writer_close(cmi_writer_t *writer);

#endif
