/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* snapshot.h - stores from and to files, with the CLI's errors and Ctrl-C. Functions return a status (report.h). */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include "chronomind.h"
#include "plat_file.h"

/* A loaded store with this thread attached. `command` is named in hints. */
int snapshot_open(const char *path, const char *command, cm_store_t **store, cm_thread_t **thread);
void snapshot_close(cm_store_t *store, cm_thread_t *thread);

/* The output: prepared before the input is read, so that a missing folder does not cost an hour. `path` stays as it was until commit. */
typedef struct snapshot_output {
    const char *path;
    plat_file_writer_t *writer;
    int error; /* errno of the first write that failed */
} snapshot_output_t;

int snapshot_output_open(snapshot_output_t *output, const char *path);
int snapshot_output_save(snapshot_output_t *output, cm_thread_t *thread); /* writes and commits */
void snapshot_output_close(snapshot_output_t *output);                    /* aborts what was not committed */

#endif
