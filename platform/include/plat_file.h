/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_file.h - whole files, replaced atomically and read at any offset. Used by native/ (the core only knows byte sinks and
 * sources); JavaScript has its own backends.
 *
 * Every function returns 0 or a positive errno value; plat_file_error() makes a sentence of it.
 */
#ifndef PLAT_FILE_H
#define PLAT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writing: bytes go to a temporary file in the target's folder. commit = flush to disk, rename over the target, flush the
 * folder. Until the rename the old file is untouched, whatever fails; abort removes the temporary file. When the last step fails the new file
 * is in place (*replaced, which may be NULL, is true then, too), and it is not known whether it would survive a loss of power. */
typedef struct plat_file_writer plat_file_writer_t;
int plat_file_writer_open(const char *path, plat_file_writer_t **out);
int plat_file_writer_write(plat_file_writer_t *writer, const void *bytes, size_t n_bytes);
int plat_file_writer_commit(plat_file_writer_t *writer, bool *replaced); /* frees the writer, whatever it returns */
void plat_file_writer_abort(plat_file_writer_t *writer);

/* Reading. A short file is EIO, not a partial read. */
typedef struct plat_file_reader plat_file_reader_t;
int plat_file_reader_open(const char *path, plat_file_reader_t **out);
uint64_t plat_file_reader_bytes(const plat_file_reader_t *reader);
int plat_file_reader_read(plat_file_reader_t *reader, uint64_t offset, void *bytes, size_t n_bytes);
void plat_file_reader_close(plat_file_reader_t *reader);

/* "No such file or directory" and the like. Thread-safe for the errors this file returns. */
const char *plat_file_error(int error);

#endif
