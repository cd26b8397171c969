/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * sim_disk.h - a disk in memory under platform/linux/file.c, which fails when told and forgets what was not flushed.
 *
 * The system calls that the file layer makes are wrapped when linking (CMakeLists.txt lists them) and land here. The disk has one folder, /disk, and no other path exists.
 *
 *   CACHE and PLATTER  Each file has bytes as programs see them (cache) and bytes that survive (platter); the folder has names of both kinds. fsync of a file moves its bytes and length,
 *          fsync of the folder its names. Nothing else does, and nothing orders one file's bytes against a name, or one sector against another.
 *   FAULTS  Each call is an operation with a number; the one numbered disk.fault.at fails as told. A fsync that failed has lost what it was to flush: a later one that succeeds does not
 *          bring it back (what Linux does), so repeating it proves nothing.
 *   CRASHES disk_survivors() and disk_surviving_name() give the disk as it may be found after a loss of power: which sectors of unflushed bytes are there, and which unflushed changes of names.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

enum {
    DISK_FILES = 8,
    DISK_BYTES = 1 << 18,
    DISK_SECTOR = 512,
    DISK_SECTORS = DISK_BYTES / DISK_SECTOR,
    DISK_NAMES = 8,
    DISK_NAME_BYTES = 64,
    DISK_CHANGES = 8,
    DISK_OPEN = 8,
    DISK_FIRST_FD = 1000, /* far from real ones */
    DISK_OPERATIONS = 4096,
    DISK_FOLDER = -2, /* in place of a file */
    DISK_NOTHING = -1
};

typedef struct disk_file {
    bool used;
    mode_t mode;
    size_t cache_bytes, platter_bytes;
    bool dirty[DISK_SECTORS]; /* sectors that differ, or may */
    bool lost[DISK_SECTORS];  /* of these, those that a failed fsync gave up: no later one flushes them */
    bool length_lost;
    uint8_t cache[DISK_BYTES], platter[DISK_BYTES];
} disk_file_t;

typedef struct disk_name {
    char name[DISK_NAME_BYTES]; /* "": none */
    int file;
    char link[DISK_NAME_BYTES]; /* a symbolic link's target; then file is DISK_NOTHING */
} disk_name_t;

/* A change of names that was not flushed. `from` only for renames, `file` is what `to` names afterwards (DISK_NOTHING: no more). */
typedef struct disk_change {
    char from[DISK_NAME_BYTES], to[DISK_NAME_BYTES];
    int file;
    bool lost;
} disk_change_t;

typedef enum disk_call {
    CALL_READLINK,
    CALL_STAT,
    CALL_ACCESS,
    CALL_CREATE,
    CALL_OPEN,
    CALL_OPEN_FOLDER,
    CALL_FCHOWN,
    CALL_FCHMOD,
    CALL_WRITE,
    CALL_FSYNC,
    CALL_CLOSE,
    CALL_CLOSE_FOLDER,
    CALL_RENAME,
    CALL_FSYNC_FOLDER,
    CALL_UNLINK,
    CALL_FSTAT,
    CALL_PREAD,
    CALL_MALLOC,
    N_CALLS
} disk_call_t;

static const char *const disk_call_names[N_CALLS] = {"readlink", "stat",
                                                     "access",   "create",
                                                     "open",     "open of the folder",
                                                     "fchown",   "fchmod",
                                                     "write",    "fsync",
                                                     "close",    "close of the folder",
                                                     "rename",   "fsync of the folder",
                                                     "unlink",   "fstat",
                                                     "pread",    "malloc"};

#define FAULT_SHORT (-1) /* half of what was asked for */
#define FAULT_ZERO (-2)  /* nothing, and no error */

typedef struct disk {
    disk_file_t files[DISK_FILES];
    disk_name_t cache[DISK_NAMES], platter[DISK_NAMES];
    disk_change_t changes[DISK_CHANGES];
    int n_changes;
} disk_t;

static disk_t disk;
static uint8_t disk_scratch[DISK_BYTES];

static struct {
    int file;
    bool folder, used;
    size_t at;
} disk_open_files[DISK_OPEN];

static struct {
    uint64_t n; /* operations so far */
    disk_call_t trace[DISK_OPERATIONS];
    struct {
        uint64_t at;   /* 0: none */
        int error;     /* an errno, FAULT_SHORT, FAULT_ZERO */
        bool and_more; /* all that follow fail, too */
    } fault;
    size_t most_bytes;                           /* that one write takes; 0: all */
    void (*after)(disk_call_t call, uint64_t n); /* NULL, or called when an operation is done */
    bool count_malloc;
} disk_control;

/* ---- looking things up ---- */

static inline void disk_mistake(const char *what) {
    fprintf(stderr, "sim_disk.h: %s\n", what);
    abort();
}

/* The name within the folder; NULL for a path that is not in it. */
static inline const char *disk_name_of(const char *path) {
    return strncmp(path, "/disk/", 6) == 0 && !strchr(path + 6, '/') && path[6] ? path + 6 : NULL;
}

static inline disk_name_t *disk_find(disk_name_t *names, const char *name) {
    for (int i = 0; name && i < DISK_NAMES; i++)
        if (strcmp(names[i].name, name) == 0) return &names[i];
    return NULL;
}

static inline disk_name_t *disk_set_name(disk_name_t *names, const char *name, int file) {
    disk_name_t *entry = disk_find(names, name);
    if (file == DISK_NOTHING) {
        if (entry) *entry = (disk_name_t){.file = DISK_NOTHING};
        return NULL;
    }
    for (int i = 0; !entry && i < DISK_NAMES; i++)
        if (!names[i].name[0]) entry = &names[i];
    if (!entry || strlen(name) >= DISK_NAME_BYTES) disk_mistake("no room for another name");
    strcpy(entry->name, name);
    entry->file = file;
    return entry;
}

static inline void disk_note_change(const char *from, const char *to, int file) {
    if (disk.n_changes == DISK_CHANGES) disk_mistake("no room for another change of names");
    disk_change_t *change = &disk.changes[disk.n_changes++];
    *change = (disk_change_t){.file = file};
    strcpy(change->from, from);
    strcpy(change->to, to);
}

static inline void disk_apply(disk_name_t *names, const disk_change_t *change) {
    if (change->from[0]) {
        if (!disk_find(names, change->from)) return; /* what was to be renamed was never created */
        disk_set_name(names, change->from, DISK_NOTHING);
    }
    disk_set_name(names, change->to, change->file);
}

static inline int disk_new_file(mode_t mode) {
    for (int i = 0; i < DISK_FILES; i++) {
        if (disk.files[i].used) continue;
        memset(&disk.files[i], 0, sizeof disk.files[i]);
        disk.files[i].used = true;
        disk.files[i].mode = mode;
        return i;
    }
    disk_mistake("no room for another file");
    return 0;
}

static inline int disk_open_fd(int file, bool folder) {
    for (int i = 0; i < DISK_OPEN; i++) {
        if (disk_open_files[i].used) continue;
        disk_open_files[i].used = true;
        disk_open_files[i].file = file;
        disk_open_files[i].folder = folder;
        disk_open_files[i].at = 0;
        return DISK_FIRST_FD + i;
    }
    disk_mistake("no room for another open file");
    return 0;
}

static inline int disk_slot_of(int fd) {
    if (fd < DISK_FIRST_FD || fd >= DISK_FIRST_FD + DISK_OPEN || !disk_open_files[fd - DISK_FIRST_FD].used)
        disk_mistake("a descriptor that is not open");
    return fd - DISK_FIRST_FD;
}

static inline int disk_n_open(void) {
    int n = 0;
    for (int i = 0; i < DISK_OPEN; i++) n += disk_open_files[i].used;
    return n;
}

/* ---- faults ---- */

/* What is wrong with this operation: 0, an errno (which is set), or FAULT_*. */
static inline int disk_begin(disk_call_t call) {
    if (disk_control.n == DISK_OPERATIONS) disk_mistake("too many operations");
    disk_control.trace[disk_control.n++] = call;
    uint64_t at = disk_control.fault.at, n = disk_control.n;
    if (at == 0 || n < at || (n > at && !disk_control.fault.and_more)) return 0;
    if (disk_control.fault.error > 0) errno = disk_control.fault.error;
    return disk_control.fault.error;
}

static inline int disk_end(disk_call_t call, int result) {
    int error = errno;
    if (disk_control.after) disk_control.after(call, disk_control.n);
    errno = error;
    return result;
}

static inline int disk_fail(disk_call_t call, int error) {
    errno = error;
    return disk_end(call, -1);
}

/* ---- the system calls ---- */

ssize_t __wrap_readlink(const char *path, char *out, size_t n_bytes);
ssize_t __wrap_readlink(const char *path, char *out, size_t n_bytes) {
    int fault = disk_begin(CALL_READLINK);
    if (fault > 0) return disk_fail(CALL_READLINK, fault);
    disk_name_t *name = disk_find(disk.cache, disk_name_of(path));
    if (!name || !name->link[0]) return disk_fail(CALL_READLINK, name ? EINVAL : ENOENT);
    size_t n = strlen(name->link) < n_bytes ? strlen(name->link) : n_bytes;
    memcpy(out, name->link, n);
    return disk_end(CALL_READLINK, (int)n);
}

static inline void disk_describe(int file, struct stat *out) {
    memset(out, 0, sizeof *out);
    out->st_mode = file == DISK_FOLDER ? S_IFDIR | 0755 : S_IFREG | disk.files[file].mode;
    out->st_size = file == DISK_FOLDER ? 0 : (off_t)disk.files[file].cache_bytes;
}

int __wrap_stat(const char *path, struct stat *out);
int __wrap_stat(const char *path, struct stat *out) {
    int fault = disk_begin(CALL_STAT);
    if (fault > 0) return disk_fail(CALL_STAT, fault);
    disk_name_t *name = disk_find(disk.cache, disk_name_of(path));
    if (!name || name->link[0]) return disk_fail(CALL_STAT, ENOENT); /* links were followed by hand */
    disk_describe(name->file, out);
    return disk_end(CALL_STAT, 0);
}

int __wrap_fstat(int fd, struct stat *out);
int __wrap_fstat(int fd, struct stat *out) {
    int fault = disk_begin(CALL_FSTAT);
    if (fault > 0) return disk_fail(CALL_FSTAT, fault);
    disk_describe(disk_open_files[disk_slot_of(fd)].file, out);
    return disk_end(CALL_FSTAT, 0);
}

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode) {
    (void)mode;
    int fault = disk_begin(CALL_ACCESS);
    if (fault > 0) return disk_fail(CALL_ACCESS, fault);
    return disk_find(disk.cache, disk_name_of(path)) ? disk_end(CALL_ACCESS, 0) : disk_fail(CALL_ACCESS, ENOENT);
}

static inline int disk_create(const char *path, mode_t mode) {
    int fault = disk_begin(CALL_CREATE);
    if (fault > 0) return disk_fail(CALL_CREATE, fault);
    const char *name = disk_name_of(path);
    if (!name) return disk_fail(CALL_CREATE, ENOENT);
    if (disk_find(disk.cache, name)) return disk_fail(CALL_CREATE, EEXIST);
    int file = disk_new_file(mode);
    disk_set_name(disk.cache, name, file);
    disk_note_change("", name, file);
    return disk_end(CALL_CREATE, disk_open_fd(file, false));
}

static inline int disk_open_folder(const char *path) {
    int fault = disk_begin(CALL_OPEN_FOLDER);
    if (fault > 0) return disk_fail(CALL_OPEN_FOLDER, fault);
    if (strcmp(path, "/disk/") != 0) return disk_fail(CALL_OPEN_FOLDER, ENOENT);
    return disk_end(CALL_OPEN_FOLDER, disk_open_fd(DISK_FOLDER, true));
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(more, int) : 0;
    va_end(more);
    if (strstr(path, ".profraw")) return __real_open(path, flags, mode); /* what -DCM_COVERAGE=ON counted, written when the program ends */
    if ((flags & O_DIRECTORY) == O_DIRECTORY) return disk_open_folder(path);
    if (flags & O_CREAT) {
        if (!(flags & O_EXCL)) disk_mistake("a file is created that may be there already");
        return disk_create(path, mode);
    }
    int fault = disk_begin(CALL_OPEN);
    if (fault > 0) return disk_fail(CALL_OPEN, fault);
    disk_name_t *name = disk_find(disk.cache, disk_name_of(path));
    if (name && name->link[0]) name = disk_find(disk.cache, name->link);
    if (!name) return disk_fail(CALL_OPEN, ENOENT);
    return disk_end(CALL_OPEN, disk_open_fd(name->file, false));
}

int __wrap_close(int fd);
int __wrap_close(int fd) {
    int slot = disk_slot_of(fd);
    disk_call_t call = disk_open_files[slot].folder ? CALL_CLOSE_FOLDER : CALL_CLOSE;
    int fault = disk_begin(call);
    disk_open_files[slot].used = false; /* closed, whatever it says */
    return fault > 0 ? disk_fail(call, fault) : disk_end(call, 0);
}

int __wrap_fchown(int fd, uid_t owner, gid_t group);
int __wrap_fchown(int fd, uid_t owner, gid_t group) {
    (void)disk_slot_of(fd), (void)owner, (void)group;
    int fault = disk_begin(CALL_FCHOWN);
    return fault > 0 ? disk_fail(CALL_FCHOWN, fault) : disk_end(CALL_FCHOWN, 0);
}

int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode) {
    int fault = disk_begin(CALL_FCHMOD);
    if (fault > 0) return disk_fail(CALL_FCHMOD, fault);
    disk.files[disk_open_files[disk_slot_of(fd)].file].mode = mode;
    return disk_end(CALL_FCHMOD, 0);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n_bytes);
ssize_t __wrap_write(int fd, const void *bytes, size_t n_bytes) {
    int slot = disk_slot_of(fd), fault = disk_begin(CALL_WRITE);
    if (fault > 0) return disk_fail(CALL_WRITE, fault);
    if (fault == FAULT_ZERO) return disk_end(CALL_WRITE, 0);
    if (fault == FAULT_SHORT) n_bytes = (n_bytes + 1) / 2;
    if (disk_control.most_bytes && n_bytes > disk_control.most_bytes) n_bytes = disk_control.most_bytes;
    disk_file_t *file = &disk.files[disk_open_files[slot].file];
    size_t at = disk_open_files[slot].at;
    if (n_bytes > DISK_BYTES - at) return disk_fail(CALL_WRITE, ENOSPC);
    memcpy(file->cache + at, bytes, n_bytes);
    for (size_t sector = at / DISK_SECTOR; n_bytes > 0 && sector <= (at + n_bytes - 1) / DISK_SECTOR; sector++) {
        file->dirty[sector] = true;
        file->lost[sector] = false;
    }
    disk_open_files[slot].at = at + n_bytes;
    if (at + n_bytes > file->cache_bytes) file->cache_bytes = at + n_bytes, file->length_lost = false;
    return disk_end(CALL_WRITE, (int)n_bytes);
}

static inline void disk_flush_file(disk_file_t *file, bool lose) {
    for (size_t i = 0; i < DISK_SECTORS; i++) {
        if (!file->dirty[i] || file->lost[i]) continue;
        if (lose) {
            file->lost[i] = true;
            continue;
        }
        memcpy(file->platter + i * DISK_SECTOR, file->cache + i * DISK_SECTOR, DISK_SECTOR);
        file->dirty[i] = false;
    }
    if (lose) file->length_lost = true;
    else if (!file->length_lost) file->platter_bytes = file->cache_bytes;
}

static inline void disk_flush_names(bool lose) {
    int n_left = 0;
    for (int i = 0; i < disk.n_changes; i++) {
        disk_change_t change = disk.changes[i];
        if (lose) change.lost = true;
        if (change.lost) disk.changes[n_left++] = change;
        else disk_apply(disk.platter, &change);
    }
    disk.n_changes = n_left;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    int slot = disk_slot_of(fd);
    bool folder = disk_open_files[slot].folder;
    disk_call_t call = folder ? CALL_FSYNC_FOLDER : CALL_FSYNC;
    int fault = disk_begin(call);
    if (folder) disk_flush_names(fault > 0);
    else disk_flush_file(&disk.files[disk_open_files[slot].file], fault > 0);
    return fault > 0 ? disk_fail(call, fault) : disk_end(call, 0);
}

int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to) {
    int fault = disk_begin(CALL_RENAME);
    if (fault > 0) return disk_fail(CALL_RENAME, fault);
    disk_name_t *name = disk_find(disk.cache, disk_name_of(from));
    if (!name || !disk_name_of(to)) return disk_fail(CALL_RENAME, ENOENT);
    disk_note_change(name->name, disk_name_of(to), name->file);
    disk_apply(disk.cache, &disk.changes[disk.n_changes - 1]);
    return disk_end(CALL_RENAME, 0);
}

int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
    int fault = disk_begin(CALL_UNLINK);
    if (fault > 0) return disk_fail(CALL_UNLINK, fault);
    const char *name = disk_name_of(path);
    if (!disk_find(disk.cache, name)) return disk_fail(CALL_UNLINK, ENOENT);
    disk_note_change("", name, DISK_NOTHING);
    disk_set_name(disk.cache, name, DISK_NOTHING);
    return disk_end(CALL_UNLINK, 0);
}

ssize_t __wrap_pread(int fd, void *out, size_t n_bytes, off_t offset);
ssize_t __wrap_pread(int fd, void *out, size_t n_bytes, off_t offset) {
    int slot = disk_slot_of(fd), fault = disk_begin(CALL_PREAD);
    if (fault > 0) return disk_fail(CALL_PREAD, fault);
    if (fault == FAULT_ZERO) return disk_end(CALL_PREAD, 0);
    if (fault == FAULT_SHORT) n_bytes = (n_bytes + 1) / 2;
    disk_file_t *file = &disk.files[disk_open_files[slot].file];
    if ((size_t)offset >= file->cache_bytes) return disk_end(CALL_PREAD, 0);
    if (n_bytes > file->cache_bytes - (size_t)offset) n_bytes = file->cache_bytes - (size_t)offset;
    memcpy(out, file->cache + offset, n_bytes);
    return disk_end(CALL_PREAD, (int)n_bytes);
}

/* The file layer's own memory: an operation like the others while it is counted. */
void *__real_malloc(size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_malloc(size_t n_bytes) {
    if (!disk_control.count_malloc) return __real_malloc(n_bytes);
    int fault = disk_begin(CALL_MALLOC);
    void *memory = fault > 0 ? NULL : __real_malloc(n_bytes);
    disk_end(CALL_MALLOC, 0);
    return memory;
}

/* ---- for tests ---- */

/* An empty disk; no faults. */
static inline void disk_format(void) {
    for (int i = 0; i < DISK_FILES; i++) disk.files[i].used = false;
    memset(disk.cache, 0, sizeof disk.cache);
    memset(disk.platter, 0, sizeof disk.platter);
    disk.n_changes = 0;
    memset(disk_open_files, 0, sizeof disk_open_files);
    memset(&disk_control, 0, sizeof disk_control);
}

/* A file, or a symbolic link, that was always there. */
static inline void disk_put(const char *name, const void *bytes, size_t n_bytes, mode_t mode) {
    disk_file_t *file = &disk.files[disk_set_name(disk.cache, name, disk_new_file(mode))->file];
    if (n_bytes > DISK_BYTES) disk_mistake("a file is too large");
    disk_set_name(disk.platter, name, (int)(file - disk.files));
    memcpy(file->cache, bytes, n_bytes);
    memcpy(file->platter, bytes, n_bytes);
    file->cache_bytes = file->platter_bytes = n_bytes;
}

static inline void disk_put_link(const char *name, const char *target) {
    strcpy(disk_set_name(disk.cache, name, DISK_FOLDER)->link, target);
    strcpy(disk_set_name(disk.platter, name, DISK_FOLDER)->link, target);
}

static inline int disk_n_names(void) {
    int n = 0;
    for (int i = 0; i < DISK_NAMES; i++) n += disk.cache[i].name[0] != '\0';
    return n;
}

/* NULL when there is no such file. As programs see it. */
static inline const disk_file_t *disk_file(const char *name) {
    disk_name_t *entry = disk_find(disk.cache, name);
    return entry && entry->file >= 0 ? &disk.files[entry->file] : NULL;
}

static inline bool disk_holds(const char *name, const void *bytes, size_t n_bytes) {
    const disk_file_t *file = disk_file(name);
    return file && file->cache_bytes == n_bytes && memcmp(file->cache, bytes, n_bytes) == 0;
}

/* ---- losing power ---- */

typedef enum disk_loss {
    LOSS_DROPPED,      /* nothing unflushed is there */
    LOSS_KEPT,         /* all of it is */
    LOSS_PREFIX,       /* the first `n` dirty sectors are, and the file ends with them */
    LOSS_PREFIX_SIZED, /* the first `n` are, the file has its full length */
    LOSS_TORN,         /* as PREFIX_SIZED, and half of sector n */
    LOSS_SUFFIX,       /* all but the first n: the later ones went first */
    LOSS_SOME          /* a random choice, number n */
} disk_loss_t;

static inline size_t disk_n_dirty(int file) {
    size_t n = 0;
    for (size_t i = 0; i < DISK_SECTORS; i++) n += disk.files[file].dirty[i];
    return n;
}

static inline bool disk_keeps(disk_loss_t loss, uint64_t n, uint64_t i) {
    switch (loss) {
    case LOSS_DROPPED: return false;
    case LOSS_KEPT: return true;
    case LOSS_SUFFIX: return i >= n;
    case LOSS_SOME: return ((n * 2 + 1) * 0x9E3779B97F4A7C15u ^ (i + 1) * 0xBF58476D1CE4E5B9u) * 0x94D049BB133111EBu >> 63;
    default: return i < n;
    }
}

/* The bytes of a file after the crash; returns their number. */
static inline size_t disk_survivors(int number, disk_loss_t loss, uint64_t n, uint8_t *out) {
    const disk_file_t *file = &disk.files[number];
    size_t n_bytes = loss == LOSS_DROPPED ? file->platter_bytes : file->cache_bytes, end = file->platter_bytes;
    memcpy(out, file->platter, DISK_BYTES);
    uint64_t nth = 0;
    for (size_t sector = 0; sector < DISK_SECTORS; sector++) {
        if (!file->dirty[sector]) continue;
        size_t at = sector * DISK_SECTOR, bytes = disk_keeps(loss, n, nth)        ? DISK_SECTOR
                                                  : loss == LOSS_TORN && nth == n ? DISK_SECTOR / 2
                                                                                  : 0;
        nth++;
        if (at + bytes > file->cache_bytes) bytes = file->cache_bytes - at;
        memcpy(out + at, file->cache + at, bytes);
        if (bytes > 0 && at + bytes > end) end = at + bytes;
    }
    return loss == LOSS_PREFIX ? end : n_bytes;
}

/* The machine starts again with what survived: every file loses in the same way. */
static inline void disk_restart(unsigned changes, disk_loss_t loss, uint64_t n) {
    for (int i = 0; i < disk.n_changes; i++)
        if (changes >> i & 1u) disk_apply(disk.platter, &disk.changes[i]);
    disk.n_changes = 0;
    memcpy(disk.cache, disk.platter, sizeof disk.cache);
    for (int i = 0; i < DISK_FILES; i++) {
        disk_file_t *file = &disk.files[i];
        if (!file->used) continue;
        file->cache_bytes = file->platter_bytes = disk_survivors(i, loss, n, disk_scratch);
        memcpy(file->cache, disk_scratch, DISK_BYTES);
        memcpy(file->platter, disk_scratch, DISK_BYTES);
        memset(file->dirty, 0, sizeof file->dirty);
        memset(file->lost, 0, sizeof file->lost);
        file->length_lost = false;
    }
    memset(disk_open_files, 0, sizeof disk_open_files);
    memset(&disk_control, 0, sizeof disk_control);
}

/* The file that a name leads to after the crash, when those unflushed changes of names happened whose bit is set; DISK_NOTHING: none. */
static inline int disk_surviving_name(const char *name, unsigned changes) {
    disk_name_t names[DISK_NAMES];
    memcpy(names, disk.platter, sizeof names);
    for (int i = 0; i < disk.n_changes; i++)
        if (changes >> i & 1u) disk_apply(names, &disk.changes[i]);
    disk_name_t *entry = disk_find(names, name);
    return entry ? entry->file : DISK_NOTHING;
}

#endif
