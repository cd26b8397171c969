/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CMI_WASM_CRC32C_H
#define CMI_WASM_CRC32C_H

/* Before the first checksum over a new memory. */
void cmi_crc32c_start(void);

#endif
