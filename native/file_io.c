/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * file_io.c - cm_save_file and cm_load_file: the core's byte sinks and sources over plat_file.h.
 *
 * The core never opens a file. Whatever fails here, the errno of the file layer is what the caller wants to read, so it replaces the core's
 * "the sink returned 28".
 */
#include "chronomind.h"
#include "plat_file.h"
#include "store/store.h"

typedef struct file_sink {
    plat_file_writer_t *writer;
    int error; /* the first errno */
} file_sink_t;

static int write_bytes(void *context, const void *bytes, size_t n_bytes) {
    file_sink_t *sink = context;
    sink->error = plat_file_writer_write(sink->writer, bytes, n_bytes);
    return sink->error;
}

static cm_status_t fail_write(cm_thread_t *thread, const char *path, int error) {
    return cmi_fail(cmi_thread_error(thread), CM_E_IO, "cannot write %s: %s", path, plat_file_error(error));
}

/* Too late for the old file: the new one has its name. */
static cm_status_t fail_flush(cm_thread_t *thread, const char *path, int error) {
    return cmi_fail(cmi_thread_error(thread), CM_E_IO,
                    "cannot flush the folder of %s: %s: the new snapshot is in place, but may not survive a loss of power", path,
                    plat_file_error(error));
}

cm_status_t cm_save_file(cm_thread_t *thread, const char *path) {
    if (!thread) return CM_E_ARGUMENT;
    if (!path || !*path) return cmi_fail(cmi_thread_error(thread), CM_E_ARGUMENT, "path is empty");
    file_sink_t state = {NULL, 0};
    int error = plat_file_writer_open(path, &state.writer);
    if (error) return fail_write(thread, path, error);
    const cm_sink_t sink = {&state, write_bytes};
    cm_status_t status = cm_save(thread, &sink);
    if (status != CM_OK) {
        plat_file_writer_abort(state.writer);
        return state.error ? fail_write(thread, path, state.error) : status;
    }
    bool replaced;
    error = plat_file_writer_commit(state.writer, &replaced);
    if (!error) return CM_OK;
    return replaced ? fail_flush(thread, path, error) : fail_write(thread, path, error);
}

typedef struct file_source {
    plat_file_reader_t *reader;
    int error; /* the first errno */
} file_source_t;

static int read_bytes(void *context, uint64_t offset, void *bytes, size_t n_bytes) {
    file_source_t *source = context;
    source->error = plat_file_reader_read(source->reader, offset, bytes, n_bytes);
    return source->error;
}

static cm_status_t fail_read(cm_error_t *error_out, const char *path, int error) {
    return cmi_fail(error_out, CM_E_IO, "cannot read %s: %s", path, plat_file_error(error));
}

cm_status_t cm_load_file(const char *path, const cm_load_options_t *options, cm_store_t **out, cm_error_t *error_out) {
    if (!out) return cmi_fail(error_out, CM_E_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!path || !*path) return cmi_fail(error_out, CM_E_ARGUMENT, "path is empty");
    file_source_t state = {NULL, 0};
    int error = plat_file_reader_open(path, &state.reader);
    if (error) return fail_read(error_out, path, error);
    const cm_source_t source = {&state, plat_file_reader_bytes(state.reader), read_bytes};
    cm_status_t status = cm_load(&source, options, out, error_out);
    plat_file_reader_close(state.reader);
    return status == CM_E_IO && state.error ? fail_read(error_out, path, state.error) : status;
}
