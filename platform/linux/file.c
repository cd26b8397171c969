/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * file.c - plat_file.h over POSIX files.
 *
 * Writing, step by step, and what a crash leaves behind after each:
 *   1. find the target: symbolic links are followed by hand, so that a link stays a link and its target is replaced  (nothing)
 *   2. create .chronomind-<random>.tmp beside it, exclusively                                                       (old file, stray temporary)
 *   3. write through a 1 MiB buffer, fsync                                                                          (old file, stray temporary)
 *   4. rename over the target                                                                                       (old or new file, whole)
 *   5. fsync the folder                                                                                             (new file)
 * An error in steps 1 to 4 removes the temporary and leaves the old file. An error in step 5 is reported although the new file is in place: it
 * is not known then whether it would survive a loss of power.
 *
 * The new file takes the permission bits and, where allowed, the owner of the old one. A target that is not a regular file (/dev/stdout, a
 * pipe) cannot be renamed over: it is written directly.
 */
#define _GNU_SOURCE
#include "plat_file.h"

#include "plat_random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 1 << 20,
    LINKS_FOLLOWED = 40,  /* the kernel's own limit */
    NAMES_TRIED = 16,     /* 64 random bits each */
    PIECE_BYTES = 1 << 30 /* read and write take at most 2 GiB at a time */
};

struct plat_file_writer {
    int fd;
    int error; /* the first failure; a later commit reports it */
    size_t n_buffered;
    char *temporary; /* NULL: written directly */
    char target[PATH_MAX];
    char buffer[BUFFER_BYTES];
};

struct plat_file_reader {
    int fd;
    uint64_t n_bytes;
};

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

/* The length of the folder part of a path, its last slash included; 0 when there is none. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Copies `path` with every symbolic link at its end followed, whether or not the last target exists. */
static int follow_links(const char *path, char out[PATH_MAX]) {
    if (path[0] == '\0') return ENOENT;
    if (strlen(path) >= PATH_MAX) return ENAMETOOLONG;
    strcpy(out, path);
    for (int i = 0; i < LINKS_FOLLOWED; i++) {
        char link[PATH_MAX];
        ssize_t n = readlink(out, link, sizeof link);
        if (n < 0) return errno == EINVAL || errno == ENOENT ? 0 : errno; /* no link, or nothing there */
        size_t keep = link[0] == '/' ? 0 : folder_length(out);
        if (keep + (size_t)n >= PATH_MAX) return ENAMETOOLONG;
        memcpy(out + keep, link, (size_t)n);
        out[keep + (size_t)n] = '\0';
    }
    return ELOOP;
}

static int sync_folder(const char *file) {
    char folder[PATH_MAX];
    size_t n = folder_length(file);
    memcpy(folder, n > 0 ? file : "./", n > 0 ? n : 2);
    folder[n > 0 ? n : 2] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES ? 0 : errno;            /* a folder one may write to but not list cannot be flushed by name */
    int error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno; /* EINVAL: a file system without the notion */
    close(fd);
    return error;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static int write_fully(int fd, const char *bytes, size_t n_bytes) {
    while (n_bytes > 0) {
        ssize_t n = write(fd, bytes, n_bytes < PIECE_BYTES ? n_bytes : PIECE_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return 0;
}

static int create_temporary(plat_file_writer_t *writer, mode_t mode) {
    size_t folder = folder_length(writer->target);
    writer->temporary = malloc(folder + sizeof ".chronomind-0123456789abcdef.tmp");
    if (!writer->temporary) return ENOMEM;
    memcpy(writer->temporary, writer->target, folder);
    for (int i = 0; i < NAMES_TRIED; i++) {
        sprintf(writer->temporary + folder, ".chronomind-%016llx.tmp", (unsigned long long)plat_random_u64());
        writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (writer->fd >= 0 || errno != EEXIST) break;
    }
    if (writer->fd >= 0) return 0;
    int error = errno;
    free(writer->temporary);
    writer->temporary = NULL; /* not ours to remove */
    return error;
}

/* Private until it has the old file's owner: nobody reads through the new name what the old one kept from him. */
static int create_like(plat_file_writer_t *writer, const struct stat *old) {
    if (access(writer->target, W_OK) != 0) return errno; /* whoever made it read-only meant it, though rename would succeed */
    int error = create_temporary(writer, 0600);
    if (error) return error;
    mode_t mode = old->st_mode & 0777;
    if (fchown(writer->fd, old->st_uid, old->st_gid) != 0 && fchown(writer->fd, (uid_t)-1, old->st_gid) != 0)
        mode &= ~(mode_t)0070; /* another group */
    return fchmod(writer->fd, mode) == 0 ? 0 : errno;
}

static int open_target(plat_file_writer_t *writer) {
    struct stat old;
    if (stat(writer->target, &old) != 0) return errno == ENOENT ? create_temporary(writer, 0666) : errno;
    if (S_ISDIR(old.st_mode)) return EISDIR;
    if (S_ISREG(old.st_mode)) return create_like(writer, &old);
    writer->fd = open(writer->target, O_WRONLY | O_CLOEXEC);
    return writer->fd >= 0 ? 0 : errno;
}

int plat_file_writer_open(const char *path, plat_file_writer_t **out) {
    *out = NULL;
    plat_file_writer_t *writer = malloc(sizeof *writer);
    if (!writer) return ENOMEM;
    writer->fd = -1;
    writer->error = 0;
    writer->n_buffered = 0;
    writer->temporary = NULL;
    int error = follow_links(path, writer->target);
    if (!error) error = open_target(writer);
    if (error) {
        plat_file_writer_abort(writer);
        return error;
    }
    *out = writer;
    return 0;
}

static void flush_buffer(plat_file_writer_t *writer) {
    if (!writer->error) writer->error = write_fully(writer->fd, writer->buffer, writer->n_buffered);
    writer->n_buffered = 0;
}

int plat_file_writer_write(plat_file_writer_t *writer, const void *bytes, size_t n_bytes) {
    if (n_bytes > BUFFER_BYTES - writer->n_buffered) flush_buffer(writer);
    if (writer->error) return writer->error;
    if (n_bytes >= BUFFER_BYTES) return writer->error = write_fully(writer->fd, bytes, n_bytes);
    memcpy(writer->buffer + writer->n_buffered, bytes, n_bytes);
    writer->n_buffered += n_bytes;
    return 0;
}

/* fsync and close. A pipe or a terminal cannot be flushed (EINVAL, EROFS) and need not be. */
static int finish(plat_file_writer_t *writer) {
    flush_buffer(writer);
    int error = writer->error;
    if (!error && fsync(writer->fd) != 0 && (writer->temporary || (errno != EINVAL && errno != EROFS))) error = errno;
    if (close(writer->fd) != 0 && !error && errno != EINTR) error = errno;
    writer->fd = -1;
    return error;
}

int plat_file_writer_commit(plat_file_writer_t *writer, bool *replaced) {
    int error = finish(writer);
    bool in_place = !error;
    if (!error && writer->temporary) {
        if (rename(writer->temporary, writer->target) == 0) {
            free(writer->temporary);
            writer->temporary = NULL; /* nothing left to remove */
            error = sync_folder(writer->target);
        } else {
            error = errno;
            in_place = false;
        }
    }
    if (replaced) *replaced = in_place;
    plat_file_writer_abort(writer);
    return error;
}

void plat_file_writer_abort(plat_file_writer_t *writer) {
    if (!writer) return;
    if (writer->fd >= 0) close(writer->fd);
    if (writer->temporary) unlink(writer->temporary);
    free(writer->temporary);
    free(writer);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

int plat_file_reader_open(const char *path, plat_file_reader_t **out) {
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: opening a named pipe must not hang */
    if (fd < 0) return errno;
    struct stat status;
    int error = 0;
    if (fstat(fd, &status) != 0) error = errno;
    else if (S_ISDIR(status.st_mode)) error = EISDIR;
    else if (!S_ISREG(status.st_mode)) error = ESPIPE; /* reading at any offset needs a file */
    plat_file_reader_t *reader = error ? NULL : malloc(sizeof *reader);
    if (!reader) {
        close(fd);
        return error ? error : ENOMEM;
    }
    reader->fd = fd;
    reader->n_bytes = (uint64_t)status.st_size;
    *out = reader;
    return 0;
}

uint64_t plat_file_reader_bytes(const plat_file_reader_t *reader) {
    return reader->n_bytes;
}

int plat_file_reader_read(plat_file_reader_t *reader, uint64_t offset, void *bytes, size_t n_bytes) {
    char *at = bytes;
    if (offset > INT64_MAX) return EIO;
    while (n_bytes > 0) {
        ssize_t n = pread(reader->fd, at, n_bytes < PIECE_BYTES ? n_bytes : PIECE_BYTES, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO; /* past the end */
        at += n;
        n_bytes -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

void plat_file_reader_close(plat_file_reader_t *reader) {
    if (!reader) return;
    close(reader->fd);
    free(reader);
}

/* strerror() may use one buffer for all threads; glibc's table lookup does not, and musl's strerror is one. */
const char *plat_file_error(int error) {
#ifdef __GLIBC__
    const char *text = strerrordesc_np(error);
    return text ? text : "unknown error";
#else
    return strerror(error);
#endif
}
