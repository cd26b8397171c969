/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* snapshot.c - see snapshot.h. */
#define _POSIX_C_SOURCE 200809L /* stat */
#include "snapshot.h"

#include "input.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static int report_load(const char *path, const char *command, cm_status_t status, const char *message) {
    char usage[64];
    snprintf(usage, sizeof usage, "try 'chronomind %s --help'", command);
    switch (status) {
    case CM_E_IO: return report(STATUS_FAILED, "check the path and its permissions", "%s", message);
    case CM_E_NOT_SNAPSHOT: return report(STATUS_FAILED, "snapshots are written by 'chronomind save'", "%s: %s", path, message);
    case CM_E_VERSION: return report(STATUS_FAILED, "the file was written by another version of ChronoMind", "%s: %s", path, message);
    case CM_E_CORRUPT:
        return report(STATUS_FAILED, "the file is damaged; restore it from a copy or save it again from its source", "%s: %s", path,
                      message);
    case CM_E_NO_MEMORY: return report(STATUS_FAILED, "the machine gave no more memory", "%s: %s", path, message);
    default: return report(STATUS_FAILED, usage, "%s: %s", path, message);
    }
}

int snapshot_open(const char *path, const char *command, cm_store_t **store, cm_thread_t **thread) {
    cm_error_t error;
    *thread = NULL;
    cm_status_t status = cm_load_file(path, NULL, store, &error);
    if (status != CM_OK) return report_load(path, command, status, error.message);
    status = cm_attach(*store, thread);
    return status == CM_OK ? STATUS_OK : report_load(path, command, status, cm_strerror(status));
}

void snapshot_close(cm_store_t *store, cm_thread_t *thread) {
    if (thread) cm_detach(thread);
    cm_close(store);
}

static int report_write(const char *path, const char *reason) {
    return report(STATUS_FAILED, "nothing was replaced; check that the folder exists, may be written and has room", "cannot write %s: %s",
                  path, reason);
}

int snapshot_output_open(snapshot_output_t *output, const char *path) {
    struct stat info;
    *output = (snapshot_output_t){.path = path};
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return report_write(path, plat_file_error(EISDIR));
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return report_write(path, "Not a regular file"); /* a rename would replace a device */
    int error = plat_file_writer_open(path, &output->writer);
    return error ? report_write(path, plat_file_error(error)) : STATUS_OK;
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
    int error = plat_file_writer_commit(writer);
    return error ? report_write(output->path, plat_file_error(error)) : STATUS_OK;
}

void snapshot_output_close(snapshot_output_t *output) {
    if (output->writer) plat_file_writer_abort(output->writer);
}
