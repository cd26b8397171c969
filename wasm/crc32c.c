/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * crc32c.c - the checksum of snapshots, in place of core/base/crc32c.c: WebAssembly has no instruction for it, and the eight tables as constants would be a fifth of
 * the download, because nothing compresses them. So they are computed, once for each memory.
 */
#include "base/base.h"
#include "crc32c.h"

#define POLYNOMIAL 0x82F63B78u /* Castagnoli's, bits reversed */

/* table[k][b] is what byte b does to the register when k more bytes follow. Written before the memory can be shared (js/src/loader.ts). */
static uint32_t table[8][256];

void cmi_crc32c_start(void) {
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (uint32_t bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[0][b] = crc;
    }
    for (uint32_t k = 1; k < 8; k++) {
        for (uint32_t b = 0; b < 256; b++) table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xFF];
    }
}

uint32_t cmi_crc32c(uint32_t crc, const void *bytes, size_t n_bytes) {
    const uint8_t *p = bytes;
    crc = ~crc;
    for (; n_bytes >= 8; p += 8, n_bytes -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word ^= crc;
        crc = 0;
        for (uint32_t k = 8; k-- > 0; word >>= 8) crc ^= table[k][word & 0xFF];
    }
    for (; n_bytes > 0; p++, n_bytes--) crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xFF];
    return ~crc;
}
