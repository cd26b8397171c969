/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * wasi.c - what chronomind-wasi.wasm has in place of the imports of exports.c: a reactor that imports wasi_snapshot_preview1 and nothing else, so that any WASI host runs it.
 *
 *   a sink or source   is a file that the host has opened, its number the handle: bytes go out by fd_write, and come in by fd_pread
 *   a filter           is a function of the host in the exported table, its index the handle: (candidate) -> passes
 *   progress           the same: (done) -> goes on
 */
#include "chronomind.h"
#include "crc32c.h"

#include <stddef.h>

typedef struct cmi_wasi_iovec {
    const void *bytes;
    size_t n_bytes;
} cmi_wasi_iovec_t;

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))
/* 0 = success; some of the bytes may be enough for the host. */
WASI("fd_write") int32_t cmi_wasi_fd_write(int32_t file, const cmi_wasi_iovec_t *parts, size_t n_parts, size_t *n_done);
WASI("fd_pread") int32_t cmi_wasi_fd_pread(int32_t file, const cmi_wasi_iovec_t *parts, size_t n_parts, uint64_t offset, size_t *n_done);

/* What exports.c imports elsewhere. */
int cmi_host_write(uint32_t handle, const void *bytes, size_t n_bytes);
int cmi_host_read(uint32_t handle, double offset, void *bytes, size_t n_bytes);
int cmi_host_filter(uint32_t handle, const cm_candidate_t *candidate);
int cmi_host_progress(uint32_t handle, double done);

int cmi_host_write(uint32_t handle, const void *bytes, size_t n_bytes) {
    for (const uint8_t *at = bytes; n_bytes > 0;) {
        cmi_wasi_iovec_t part = {at, n_bytes};
        size_t n_done = 0;
        if (cmi_wasi_fd_write((int32_t)handle, &part, 1, &n_done) != 0 || n_done == 0 || n_done > n_bytes) return 1;
        at += n_done;
        n_bytes -= n_done;
    }
    return 0;
}

int cmi_host_read(uint32_t handle, double offset, void *bytes, size_t n_bytes) {
    uint64_t from = (uint64_t)offset;
    for (uint8_t *at = bytes; n_bytes > 0;) {
        cmi_wasi_iovec_t part = {at, n_bytes};
        size_t n_done = 0;
        if (cmi_wasi_fd_pread((int32_t)handle, &part, 1, from, &n_done) != 0 || n_done == 0 || n_done > n_bytes) return 1;
        at += n_done;
        from += n_done;
        n_bytes -= n_done;
    }
    return 0;
}

int cmi_host_filter(uint32_t handle, const cm_candidate_t *candidate) {
    return ((int32_t (*)(const cm_candidate_t *))(uintptr_t)handle)(candidate);
}

int cmi_host_progress(uint32_t handle, double done) {
    return ((int32_t (*)(double))(uintptr_t)handle)(done);
}

/* By the host, once, before everything else. */
CM_API void cm_wasi_initialize(void) __attribute__((export_name("_initialize")));
CM_API void cm_wasi_initialize(void) {
    cmi_crc32c_start();
}
