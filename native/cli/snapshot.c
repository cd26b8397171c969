/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* snapshot.c - see snapshot.h. */
#define _POSIX_C_SOURCE 200809L /* stat */
#include "snapshot.h"

#include "buffer.h"
#include "input.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char NOT_REGULAR[] = "Not a regular file";

/* ---- loading ----------------------------------------------------------------------------------------------------------- */

static const char *load_hint(cm_status_t status) {
    switch (status) {
    case CM_E_NOT_SNAPSHOT: return "snapshots are written by 'chronomind save'";
    case CM_E_VERSION: return "the file was written by another version of ChronoMind";
    case CM_E_CORRUPT: return "the file is damaged; restore it from a copy or save it again from its source";
    case CM_E_NO_MEMORY: return "the machine gave no more memory";
    default: return NULL;
    }
}

static int report_load(const snapshot_t *snapshot, cm_status_t status, const char *message) {
    char usage[64];
    snprintf(usage, sizeof usage, "try 'chronomind %s --help'", snapshot->command);
    const char *hint = load_hint(status);
    return report(STATUS_FAILED, hint ? hint : usage, "%s: %s", snapshot->path, message);
}

static int report_read(const char *path, int error) {
    const char *reason = error == ESPIPE ? NOT_REGULAR : plat_file_error(error); /* a pipe cannot be read at any offset */
    return report(STATUS_FAILED, "check the path and its permissions", "cannot read %s: %s", path, reason);
}

typedef struct snapshot_input {
    plat_file_reader_t *reader;
    int error; /* errno of the read that failed */
} snapshot_input_t;

static int read_bytes(void *context, uint64_t offset, void *bytes, size_t n_bytes) {
    snapshot_input_t *input = context;
    if (interrupt_seen()) return input->error = EINTR;
    return input->error = plat_file_reader_read(input->reader, offset, bytes, n_bytes);
}

/* Not cm_load_file(): its message has 251 bytes for a path and a reason, and a path alone may have more. */
static int load(snapshot_t *snapshot) {
    snapshot_input_t input = {NULL, 0};
    cm_error_t error;
    int opened = plat_file_reader_open(snapshot->path, &input.reader);
    if (opened) return report_read(snapshot->path, opened);
    const cm_source_t source = {&input, plat_file_reader_bytes(input.reader), read_bytes};
    cm_status_t status = cm_load(&source, NULL, &snapshot->store, &error);
    plat_file_reader_close(input.reader);
    if (status == CM_OK) return STATUS_OK;
    if (interrupt_seen()) return interrupt_report();
    return input.error ? report_read(snapshot->path, input.error) : report_load(snapshot, status, error.message);
}

int snapshot_open(snapshot_t *snapshot, const char *path, const char *command) {
    *snapshot = (snapshot_t){.path = path, .command = command};
    int exit_status = load(snapshot);
    if (exit_status) return exit_status;
    cm_status_t status = cm_attach(snapshot->store, &snapshot->thread);
    return status == CM_OK ? STATUS_OK : report_load(snapshot, status, cm_strerror(status));
}

void snapshot_close(snapshot_t *snapshot) {
    if (snapshot->thread) cm_detach(snapshot->thread);
    cm_close(snapshot->store);
}

static void append_hint(buffer_t *out, const snapshot_t *snapshot, cm_status_t status) {
    cm_config_t config;
    cm_config_of(snapshot->store, &config);
    if (status == CM_E_DIMENSION) {
        buffer_append_format(out, "the vectors in %s have %u dimensions", snapshot->path, config.dimensions);
    } else if (status == CM_E_NOT_FOUND) {
        buffer_append_format(out, "check the id; %s holds %llu memories", snapshot->path, (unsigned long long)cm_len(snapshot->store));
    } else if (status == CM_E_NO_MEMORY) {
        buffer_append_text(out, "the machine gave no more memory");
    } else {
        buffer_append_format(out, "try 'chronomind %s --help'", snapshot->command);
    }
}

int snapshot_report(const snapshot_t *snapshot, cm_status_t status) {
    buffer_t hint = {0};
    append_hint(&hint, snapshot, status);
    int exit_status = report(STATUS_FAILED, buffer_text(&hint), "%s", cm_message(snapshot->thread));
    buffer_free(&hint);
    return exit_status;
}

/* ---- saving ------------------------------------------------------------------------------------------------------------ */

/* exit() in the middle, for lack of memory, must not leave a temporary file behind. */
static snapshot_output_t *unfinished;

static void abort_unfinished(void) {
    if (unfinished) snapshot_output_close(unfinished);
}

static int report_write(const char *path, const char *reason) {
    return report(STATUS_FAILED, "nothing was replaced; check that the folder exists, may be written and has room", "cannot write %s: %s",
                  path, reason);
}

/* Too late for the old file: the new one has its name. */
static int report_flush(const char *path, const char *reason) {
    return report(STATUS_FAILED, "the new snapshot is in place, but may not survive a loss of power", "cannot flush the folder of %s: %s",
                  path, reason);
}

int snapshot_output_open(snapshot_output_t *output, const char *path) {
    struct stat info;
    *output = (snapshot_output_t){.path = path};
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) /* a rename would replace a device */
        return report_write(path, S_ISDIR(info.st_mode) ? plat_file_error(EISDIR) : NOT_REGULAR);
    int error = plat_file_writer_open(path, &output->writer);
    if (error) return report_write(path, plat_file_error(error));
    unfinished = output;
    atexit(abort_unfinished);
    return STATUS_OK;
}

static int write_bytes(void *context, const void *bytes, size_t n_bytes) {
    snapshot_output_t *output = context;
    output->error = interrupt_seen() ? EINTR : plat_file_writer_write(output->writer, bytes, n_bytes);
    return output->error;
}

int snapshot_output_save(snapshot_output_t *output, cm_thread_t *thread) {
    const cm_sink_t sink = {output, write_bytes};
    cm_status_t status = cm_save(thread, &sink);
    if (interrupt_seen()) return interrupt_report();
    if (output->error) return report_write(output->path, plat_file_error(output->error));
    if (status != CM_OK) return report_write(output->path, cm_message(thread));
    plat_file_writer_t *writer = output->writer;
    output->writer = NULL;
    bool replaced;
    int error = plat_file_writer_commit(writer, &replaced);
    if (!error) return STATUS_OK;
    return replaced ? report_flush(output->path, plat_file_error(error)) : report_write(output->path, plat_file_error(error));
}

void snapshot_output_close(snapshot_output_t *output) {
    if (output->writer) plat_file_writer_abort(output->writer);
    output->writer = NULL;
    unfinished = NULL;
}
