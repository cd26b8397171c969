/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* format.c - the fixed-size parts of a snapshot, to bytes and back. */
#include "persist/format.h"

const char *cmi_section_name(cmi_section_kind_t kind) {
    static const char *const names[CMI_N_SECTIONS + 1] = {"?", "config", "meta", "lists0", "upper", "vectors", "records", "strings"};
    return names[(uint32_t)kind <= CMI_N_SECTIONS ? (uint32_t)kind : 0];
}

enum { HEADER_CRC = 60, FOOTER_CRC = 52, FOOTER_END = 56 };

void cmi_header_encode(const cmi_header_t *header, uint8_t out[CMI_HEADER_BYTES]) {
    memset(out, 0, CMI_HEADER_BYTES);
    memcpy(out, CMI_FORMAT_MAGIC, CMI_FORMAT_MAGIC_BYTES);
    out[CMI_FORMAT_MAGIC_BYTES] = CMI_FORMAT_VERSION;
    cmi_put_u32(out + 8, header->n_slots);
    cmi_put_u32(out + 12, header->n_memories);
    cmi_put_u32(out + 16, header->n_upper);
    cmi_put_u32(out + 20, header->entry_slot);
    cmi_put_u32(out + 24, header->entry_level);
    cmi_put_u32(out + 28, CMI_FORMAT_BLOCK_BYTES);
    cmi_put_u64(out + 32, header->beams);
    cmi_put_u32(out + HEADER_CRC, cmi_crc32c(0, out, HEADER_CRC));
}

bool cmi_header_decode(const uint8_t bytes[CMI_HEADER_BYTES], cmi_header_t *out) {
    out->n_slots = cmi_get_u32(bytes + 8);
    out->n_memories = cmi_get_u32(bytes + 12);
    out->n_upper = cmi_get_u32(bytes + 16);
    out->entry_slot = cmi_get_u32(bytes + 20);
    out->entry_level = cmi_get_u32(bytes + 24);
    out->beams = cmi_get_u64(bytes + 32);
    return cmi_get_u32(bytes + 28) == CMI_FORMAT_BLOCK_BYTES && cmi_checksum_holds(bytes, HEADER_CRC, cmi_get_u32(bytes + HEADER_CRC));
}

void cmi_footer_encode(const cmi_footer_t *footer, uint8_t out[CMI_FOOTER_BYTES]) {
    memset(out, 0, CMI_FOOTER_BYTES);
    cmi_put_u64(out, footer->table_offset);
    cmi_put_u64(out + 8, footer->table_bytes);
    cmi_put_u64(out + 16, footer->file_bytes);
    cmi_put_u32(out + 24, CMI_N_SECTIONS);
    cmi_put_u32(out + 28, footer->table_crc);
    cmi_put_u32(out + FOOTER_CRC, cmi_crc32c(0, out, FOOTER_CRC));
    memcpy(out + FOOTER_END, CMI_FORMAT_END, 8);
}

bool cmi_footer_decode(const uint8_t bytes[CMI_FOOTER_BYTES], cmi_footer_t *out) {
    out->table_offset = cmi_get_u64(bytes);
    out->table_bytes = cmi_get_u64(bytes + 8);
    out->file_bytes = cmi_get_u64(bytes + 16);
    out->table_crc = cmi_get_u32(bytes + 28);
    return cmi_get_u32(bytes + 24) == CMI_N_SECTIONS && memcmp(bytes + FOOTER_END, CMI_FORMAT_END, 8) == 0 &&
           cmi_checksum_holds(bytes, FOOTER_CRC, cmi_get_u32(bytes + FOOTER_CRC));
}

void cmi_section_encode(const cmi_section_t *section, uint8_t out[CMI_TABLE_ENTRY_BYTES]) {
    cmi_put_u32(out, (uint32_t)section->kind);
    cmi_put_u32(out + 4, section->stride_bytes);
    cmi_put_u64(out + 8, section->offset);
    cmi_put_u64(out + 16, section->n_bytes);
    cmi_put_u64(out + 24, section->n_rows);
    cmi_put_u32(out + 32, section->n_blocks);
    cmi_put_u32(out + 36, 0);
}

void cmi_section_decode(const uint8_t bytes[CMI_TABLE_ENTRY_BYTES], cmi_section_t *out) {
    out->kind = (cmi_section_kind_t)cmi_get_u32(bytes);
    out->stride_bytes = cmi_get_u32(bytes + 4);
    out->offset = cmi_get_u64(bytes + 8);
    out->n_bytes = cmi_get_u64(bytes + 16);
    out->n_rows = cmi_get_u64(bytes + 24);
    out->n_blocks = cmi_get_u32(bytes + 32);
    out->first_block = 0;
}

void cmi_config_encode(const cm_config_t *config, uint8_t out[CMI_CONFIG_BYTES]) {
    memset(out, 0, CMI_CONFIG_BYTES);
    cmi_put_u32(out, config->dimensions);
    cmi_put_u32(out + 4, config->max_memories);
    cmi_put_u32(out + 8, cmi_float_bits(config->base_decay_rate));
    cmi_put_u32(out + 12, cmi_float_bits(config->temporal_weight));
    cmi_put_u32(out + 16, cmi_float_bits(config->similarity_threshold));
    cmi_put_u32(out + 20, config->max_relationships);
    cmi_put_u32(out + 24, config->m);
    cmi_put_u32(out + 28, config->ef_construction);
    cmi_put_u32(out + 32, config->ef_search);
    cmi_put_u32(out + 36, (uint32_t)config->metric);
    cmi_put_u64(out + 40, config->seed);
    cmi_put_u32(out + 48, (uint32_t)config->vectors);
}

void cmi_config_decode(const uint8_t bytes[CMI_CONFIG_BYTES], cm_config_t *out) {
    *out = (cm_config_t)CM_CONFIG_INIT;
    out->dimensions = cmi_get_u32(bytes);
    out->max_memories = cmi_get_u32(bytes + 4);
    out->base_decay_rate = cmi_bits_float(cmi_get_u32(bytes + 8));
    out->temporal_weight = cmi_bits_float(cmi_get_u32(bytes + 12));
    out->similarity_threshold = cmi_bits_float(cmi_get_u32(bytes + 16));
    out->max_relationships = cmi_get_u32(bytes + 20);
    out->m = cmi_get_u32(bytes + 24);
    out->ef_construction = cmi_get_u32(bytes + 28);
    out->ef_search = cmi_get_u32(bytes + 32);
    out->metric = (cm_metric_t)cmi_get_u32(bytes + 36);
    out->seed = cmi_get_u64(bytes + 40);
    out->vectors = (cm_vectors_t)cmi_get_u32(bytes + 48);
}

void cmi_record_encode(const cmi_record_row_t *row, uint8_t out[CMI_RECORD_BYTES]) {
    cmi_put_u32(out, row->slot);
    cmi_put_u32(out + 4, row->access_count);
    cmi_put_u64(out + 8, (uint64_t)row->created_ms);
    cmi_put_u64(out + 16, (uint64_t)row->accessed_ms);
    cmi_put_u32(out + 24, cmi_float_bits(row->importance));
    cmi_put_u32(out + 28, cmi_float_bits(row->decay_rate));
    cmi_put_u64(out + 32, (uint64_t)row->decayed_ms);
}

void cmi_record_decode(const uint8_t bytes[CMI_RECORD_BYTES], cmi_record_row_t *out) {
    out->slot = cmi_get_u32(bytes);
    out->access_count = cmi_get_u32(bytes + 4);
    out->created_ms = (int64_t)cmi_get_u64(bytes + 8);
    out->accessed_ms = (int64_t)cmi_get_u64(bytes + 16);
    out->importance = cmi_bits_float(cmi_get_u32(bytes + 24));
    out->decay_rate = cmi_bits_float(cmi_get_u32(bytes + 28));
    out->decayed_ms = (int64_t)cmi_get_u64(bytes + 32);
}

void cmi_strings_head_encode(const cmi_strings_head_t *head, uint8_t out[CMI_STRINGS_HEAD_BYTES]) {
    cmi_put_u32(out, head->id_bytes);
    cmi_put_u32(out + 4, head->context_bytes);
    cmi_put_u32(out + 8, head->n_relationships);
    cmi_put_u32(out + 12, head->relationships_bytes);
    cmi_put_u32(out + 16, head->text_bytes);
    cmi_put_u32(out + 20, head->metadata_bytes);
}

void cmi_strings_head_decode(const uint8_t bytes[CMI_STRINGS_HEAD_BYTES], cmi_strings_head_t *out) {
    out->id_bytes = cmi_get_u32(bytes);
    out->context_bytes = cmi_get_u32(bytes + 4);
    out->n_relationships = cmi_get_u32(bytes + 8);
    out->relationships_bytes = cmi_get_u32(bytes + 12);
    out->text_bytes = cmi_get_u32(bytes + 16);
    out->metadata_bytes = cmi_get_u32(bytes + 20);
}
