/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * edit.h - the frame of the commands that change a snapshot: load, prepare the output, change, save, say so.
 *
 * A command brings the change. Until all of it went well the file stays as it was.
 */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "args.h"
#include "json_writer.h"
#include "snapshot.h"

typedef struct edit {
    const snapshot_t *snapshot;
    cm_thread_t *thread;
    const option_value_t *values;
    bool json, dry_run;
    bool changed;      /* for the change to say: only then the file is written */
    json_writer_t out; /* for the change: members of an object, or lines */
} edit_t;

typedef struct edit_request {
    const char *command;
    const char *path;
    const char *output; /* NULL: path */
    bool json, dry_run;
    const option_value_t *values;
    int (*change)(edit_t *edit); /* Returns a status (report.h) */
} edit_request_t;

int edit_run(const edit_request_t *request);

#endif
