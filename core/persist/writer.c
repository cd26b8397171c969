/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* writer.c - sections through a block buffer into a sink (writer.h). */
#include "persist/writer.h"

#include "plat_pages.h"

static void send(cmi_writer_t *writer, const void *bytes, size_t n_bytes) {
    if (writer->status != CM_OK || n_bytes == 0) return;
    int failure = writer->sink->write(writer->sink->context, bytes, n_bytes);
    if (failure != 0) {
        writer->status = cmi_fail(writer->error, CM_E_IO, "writing the snapshot failed at offset %U: the sink returned %d", writer->offset,
                                  (int32_t)failure);
        return;
    }
    writer->offset += n_bytes;
}

static bool grow_checksums(cmi_writer_t *writer) {
    uint64_t max = writer->max_checksums ? writer->max_checksums * 2 : 1024; /* one page's worth covers 1 GiB of sections */
    uint32_t *grown = (uint32_t *)plat_pages_alloc((size_t)(max * sizeof *grown));
    if (!grown) {
        writer->status = cmi_fail(writer->error, CM_E_NO_MEMORY, "the machine gave no %U bytes for the snapshot's checksums",
                                  max * sizeof *grown);
        return false;
    }
    if (writer->checksums) {
        memcpy(grown, writer->checksums, (size_t)(writer->n_checksums * sizeof *grown));
        plat_pages_free(writer->checksums, (size_t)(writer->max_checksums * sizeof *grown));
    }
    writer->checksums = grown;
    writer->max_checksums = max;
    return true;
}

static void flush_block(cmi_writer_t *writer) {
    if (writer->status != CM_OK || writer->n_block == 0) return;
    if (writer->n_checksums == writer->max_checksums && !grow_checksums(writer)) return;
    writer->checksums[writer->n_checksums++] = cmi_crc32c(0, writer->block, writer->n_block);
    send(writer, writer->block, writer->n_block);
    writer->n_block = 0;
}

void cmi_writer_open(cmi_writer_t *writer, const cm_sink_t *sink, const cmi_header_t *header, cm_error_t *error) {
    memset(writer, 0, sizeof *writer);
    writer->sink = sink;
    writer->error = error;
    writer->block = (uint8_t *)plat_pages_alloc(CMI_FORMAT_BLOCK_BYTES);
    if (!writer->block) {
        writer->status = cmi_fail(error, CM_E_NO_MEMORY, "the machine gave no %u bytes for the snapshot's block buffer",
                                  CMI_FORMAT_BLOCK_BYTES);
        return;
    }
    uint8_t bytes[CMI_HEADER_BYTES];
    cmi_header_encode(header, bytes);
    send(writer, bytes, sizeof bytes);
}

void cmi_writer_begin(cmi_writer_t *writer, cmi_section_kind_t kind, uint64_t stride_bytes, uint64_t n_rows) {
    if (writer->status != CM_OK) return;
    writer->section[writer->n_sections++] = (cmi_section_t){
        .kind = kind,
        .stride_bytes = (uint32_t)stride_bytes,
        .offset = writer->offset,
        .n_rows = n_rows,
        .first_block = (uint32_t)writer->n_checksums,
    };
}

void cmi_writer_put(cmi_writer_t *writer, const void *bytes, uint64_t n_bytes) {
    if (writer->status != CM_OK) return;
    const uint8_t *next = (const uint8_t *)bytes;
    writer->section[writer->n_sections - 1].n_bytes += n_bytes;
    while (n_bytes > 0 && writer->status == CM_OK) {
        size_t n = (size_t)CMI_MIN(n_bytes, (uint64_t)(CMI_FORMAT_BLOCK_BYTES - writer->n_block));
        memcpy(writer->block + writer->n_block, next, n);
        writer->n_block += (uint32_t)n;
        next += n;
        n_bytes -= n;
        if (writer->n_block == CMI_FORMAT_BLOCK_BYTES) flush_block(writer);
    }
}

/* The zeros that align the next section belong to the last block, so that they too are under a checksum. */
void cmi_writer_end(cmi_writer_t *writer) {
    if (writer->status != CM_OK) return;
    cmi_section_t *section = &writer->section[writer->n_sections - 1];
    uint32_t n_zeros = (uint32_t)(cmi_align(section->n_bytes) - section->n_bytes);
    memset(writer->block + writer->n_block, 0, n_zeros); /* fits: the block is a multiple of the alignment, and a full one was flushed */
    writer->n_block += n_zeros;
    flush_block(writer);
    section->n_blocks = (uint32_t)(writer->n_checksums - section->first_block);
}

cm_status_t cmi_writer_finish(cmi_writer_t *writer) {
    if (writer->status != CM_OK) return writer->status;
    cmi_footer_t footer = {.table_offset = writer->offset};
    uint8_t entries[CMI_N_SECTIONS * CMI_TABLE_ENTRY_BYTES], bytes[CMI_FOOTER_BYTES];
    for (uint32_t i = 0; i < CMI_N_SECTIONS; i++) cmi_section_encode(&writer->section[i], entries + (size_t)i * CMI_TABLE_ENTRY_BYTES);
    uint64_t checksums_bytes = writer->n_checksums * sizeof *writer->checksums;
    footer.table_crc = cmi_crc32c(cmi_crc32c(0, entries, sizeof entries), writer->checksums, (size_t)checksums_bytes);
    footer.table_bytes = sizeof entries + checksums_bytes;
    footer.file_bytes = footer.table_offset + footer.table_bytes + CMI_FOOTER_BYTES;
    cmi_footer_encode(&footer, bytes);
    send(writer, entries, sizeof entries);
    send(writer, writer->checksums, (size_t)checksums_bytes);
    send(writer, bytes, sizeof bytes);
    return writer->status;
}

void cmi_writer_close(cmi_writer_t *writer) {
    plat_pages_free(writer->block, CMI_FORMAT_BLOCK_BYTES);
    plat_pages_free(writer->checksums, (size_t)(writer->max_checksums * sizeof *writer->checksums));
}
