/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* spill.c - plat_spill.h over an unlinked file, fallocate and a shared mapping. */
#define _GNU_SOURCE
#include "plat_spill.h"

#include "plat_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP_BYTES = 4 << 20 }; /* a thousand rows and more to a system call, and at most so much of a full disk unused */

/* A kill between the two calls leaves an empty file. O_TMPFILE would not, but not every file system has it. */
static int create_nameless(const char *folder) {
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/.chronomind-XXXXXX", folder);
    if (n < 0 || (size_t)n >= sizeof path || !*folder) {
        errno = *folder ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    int file = mkostemp(path, O_CLOEXEC);
    if (file >= 0) (void)unlink(path); /* fails only in a folder whose files one may not remove: then an empty one stays */
    return file;
}

/* Not posix_fallocate(): where the file system has no such call it writes into the range, which others may be using. */
static int make_room(int file, uint64_t from, uint64_t to) {
    while (fallocate(file, 0, (off_t)from, (off_t)(to - from)) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

static int map(int file, size_t n_bytes, void **address) {
    int error = make_room(file, 0, 1); /* one block: tells whether the file system can */
    if (error) return error;
    *address = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (*address == MAP_FAILED) return errno;
    (void)madvise(*address, n_bytes,
                  MADV_RANDOM); /* a wish: rows are read one here, one there, so reading ahead would fetch what nobody wants */
    return 0;
}

const char *plat_spill_open(plat_spill_t *spill, const char *folder, size_t n_bytes) {
    void *address;
    *spill = (plat_spill_t){0};
    int file = create_nameless(folder);
    if (file < 0) return plat_file_error(errno);
    int error = map(file, n_bytes, &address);
    if (!error) {
        *spill = (plat_spill_t){.address = address, .n_bytes = n_bytes, .file = file};
        return NULL;
    }
    (void)close(file);
    return error == EOPNOTSUPP ? "its file system cannot set room aside" : plat_file_error(error);
}

/* Whoever comes late sets aside what is there already, which changes nothing. */
bool plat_spill_ensure(plat_spill_t *spill, uint64_t n_bytes) {
    uint64_t n_safe = plat_load_acquire(&spill->n_safe); /* [F1] acquire: the file's new size before a write to its pages */
    if (n_bytes <= n_safe) return true;
    uint64_t end = (n_bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    if (end > spill->n_bytes) end = spill->n_bytes;
    if (make_room(spill->file, n_safe, end) != 0) return false;
    while (n_safe < end && !plat_cas_acq_rel(&spill->n_safe, &n_safe, end)) {
    } /* [F1] release: room before its number. Retry: it grew, and never shrinks */
    return true;
}

void plat_spill_close(plat_spill_t *spill) {
    if (!spill->address) return;
    (void)munmap(spill->address, spill->n_bytes); /* fails only for a range that was never mapped */
    (void)close(spill->file);                     /* nobody else has it, so nothing is left to write */
    *spill = (plat_spill_t){0};
}
