/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* snapshot.h - stores from and to files, with the CLI's errors and Ctrl-C. Functions return a status (report.h). */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include "chronomind.h"
#include "plat_file.h"

/* A loaded store with this thread attached. */
typedef struct snapshot {
    const char *path, *command; /* for messages */
    cm_store_t *store;
    cm_thread_t *thread;
} snapshot_t;

int snapshot_open(snapshot_t *snapshot, const char *path, const char *command);
void snapshot_close(snapshot_t *snapshot);

/* Reports what the thread's last call said, with a hint that fits `status`. */
int snapshot_report(const snapshot_t *snapshot, cm_status_t status);

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
