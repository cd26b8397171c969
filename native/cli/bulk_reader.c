/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * bulk_reader.c - see bulk_reader.h.
 *
 * Both formats are rows of little-endian floats: .npy says once how many and how long, .fvecs says before each row how long. A row whose
 * length cannot be right is handed on without its numbers: the importer refuses it by its length, as it does for JSON.
 */
#include "bulk_reader.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

enum { MAX_HEADER_BYTES = 1 << 20, MAX_AXES = 32, MAX_DIGITS = 16 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are read as they stand in the file");

static const char FORMATS_HINT[] = "see 'chronomind save --help' for the formats";

typedef struct rows {
    const bulk_source_t *source;
    record_t record;
    uint32_t dimensions; /* 0 until known */
    size_t number_bytes; /* 4 or 8 */
    buffer_t row;
} rows_t;

static int report_npy(const rows_t *rows, const char *problem) {
    return report(STATUS_FAILED, FORMATS_HINT, "%s: %s", rows->source->vectors->name, problem);
}

static int report_end(const rows_t *rows) {
    return report(STATUS_FAILED, FORMATS_HINT, "%s: the file ends inside record %llu", rows->source->vectors->name,
                  (unsigned long long)rows->record.number);
}

/* ---- ids --------------------------------------------------------------------------------------------------------------- */

/* One line without its end; *found is false after the last. Lines longer than an id may be are cut a little above that. */
static int read_line(input_t *input, buffer_t *line, bool *found) {
    buffer_clear(line);
    *found = false;
    while (line->len <= CM_MAX_ID_BYTES + 1) {
        char c;
        size_t n;
        int status = input_take(input, &c, 1, &n);
        if (status) return status;
        if (n == 0) break;
        *found = true;
        if (c == '\n') break;
        buffer_append(line, &c, 1);
    }
    if (line->len > 0 && line->data[line->len - 1] == '\r') line->len--;
    return STATUS_OK;
}

static int read_id(rows_t *rows) {
    record_t *record = &rows->record;
    input_t *ids = rows->source->ids;
    bool found;
    if (!ids) {
        buffer_append_format(&record->id, "%llu", (unsigned long long)(record->number - 1));
        return STATUS_OK;
    }
    int status = read_line(ids, &record->id, &found);
    if (status) return status;
    unsigned long long line = record->number;
    if (!found) {
        return report(STATUS_FAILED, FORMATS_HINT, "%s: ends after %llu ids, %s holds more vectors", ids->name, line - 1,
                      rows->source->vectors->name);
    }
    if (record->id.len == 0) return report(STATUS_FAILED, FORMATS_HINT, "%s: line %llu is empty", ids->name, line);
    if (record->id.len > CM_MAX_ID_BYTES) {
        return report(STATUS_FAILED, FORMATS_HINT, "%s: line %llu is longer than %u bytes", ids->name, line, CM_MAX_ID_BYTES);
    }
    return STATUS_OK;
}

static int check_no_more_ids(rows_t *rows) {
    input_t *ids = rows->source->ids;
    bool found = false;
    int status = ids ? read_line(ids, &rows->record.id, &found) : STATUS_OK;
    if (status || !found) return status;
    return report(STATUS_FAILED, FORMATS_HINT, "%s: holds more ids than %s holds vectors", ids->name, rows->source->vectors->name);
}

/* ---- rows -------------------------------------------------------------------------------------------------------------- */

static int read_numbers(rows_t *rows, uint32_t n) {
    size_t n_bytes = n * rows->number_bytes, n_taken;
    buffer_reserve(&rows->row, n_bytes);
    int status = input_take(rows->source->vectors, rows->row.data, n_bytes, &n_taken);
    if (status) return status;
    if (n_taken < n_bytes) return report_end(rows);
    for (uint32_t i = 0; i < n; i++) {
        double wide;
        float narrow;
        if (rows->number_bytes == sizeof wide) {
            memcpy(&wide, rows->row.data + i * sizeof wide, sizeof wide);
        } else {
            memcpy(&narrow, rows->row.data + i * sizeof narrow, sizeof narrow);
            wide = narrow;
        }
        record_append_number(&rows->record, wide);
    }
    return STATUS_OK;
}

static int read_row(rows_t *rows, uint64_t n) {
    record_t *record = &rows->record;
    int status = read_id(rows);
    if (status) return status;
    record->states[FIELD_ID] = FIELD_GOOD;
    record->states[FIELD_DATA] = FIELD_GOOD;
    if (rows->dimensions ? n == rows->dimensions : n >= 1 && n <= CM_MAX_DIMENSIONS) {
        status = read_numbers(rows, (uint32_t)n);
        rows->dimensions = (uint32_t)n;
    } else {
        record->n_data = n;
    }
    return status ? status : rows->source->handler(rows->source->context, record);
}

static void begin_row(rows_t *rows) {
    record_clear(&rows->record);
    rows->record.number++;
}

static rows_t rows_open(const bulk_source_t *source, size_t number_bytes) {
    return (rows_t){.source = source, .dimensions = source->dimensions, .number_bytes = number_bytes};
}

static void rows_close(rows_t *rows) {
    record_free(&rows->record);
    buffer_free(&rows->row);
}

/* ---- fvecs ------------------------------------------------------------------------------------------------------------- */

static int read_fvecs(rows_t *rows) {
    for (;;) {
        uint32_t n;
        size_t n_taken;
        int status = input_take(rows->source->vectors, &n, sizeof n, &n_taken);
        if (status) return status;
        if (n_taken == 0) return check_no_more_ids(rows);
        begin_row(rows);
        status = n_taken < sizeof n ? report_end(rows) : read_row(rows, n);
        if (status) return status;
    }
}

int read_fvecs_records(const bulk_source_t *source) {
    rows_t rows = rows_open(source, sizeof(float));
    int status = read_fvecs(&rows);
    rows_close(&rows);
    return status;
}

/* ---- npy --------------------------------------------------------------------------------------------------------------- */

typedef struct npy_header {
    char descr[64];
    bool fortran_order;
    uint32_t n_axes;
    uint64_t shape[2]; /* the first two axes */
} npy_header_t;

/* Where the value of a key of the header's dictionary begins, NULL when there is none. */
static const char *find_value(const char *text, const char *key) {
    const char *at = strstr(text, key);
    if (!at) return NULL;
    at += strlen(key);
    at += strspn(at, " ");
    if (*at++ != ':') return NULL;
    return at + strspn(at, " ");
}

static bool parse_descr(const char *at, npy_header_t *header) {
    if (!at || *at++ != '\'') return false;
    size_t n = strcspn(at, "'");
    if (at[n] != '\'' || n >= sizeof header->descr) return false;
    memcpy(header->descr, at, n);
    header->descr[n] = '\0';
    return true;
}

static bool parse_fortran_order(const char *at, npy_header_t *header) {
    if (!at) return false;
    header->fortran_order = strncmp(at, "True", 4) == 0;
    return header->fortran_order || strncmp(at, "False", 5) == 0;
}

/* "(3, 4)", "(3,)" or "()" */
static bool parse_shape(const char *at, npy_header_t *header) {
    if (!at || *at++ != '(') return false;
    for (header->n_axes = 0; header->n_axes < MAX_AXES; header->n_axes++) {
        at += strspn(at, " ");
        if (*at == ')') return true;
        uint64_t length = 0;
        size_t n_digits = strspn(at, "0123456789");
        if (n_digits == 0 || n_digits > MAX_DIGITS) return false;
        for (; n_digits > 0; n_digits--) length = length * 10 + (uint64_t)(*at++ - '0');
        if (header->n_axes < 2) header->shape[header->n_axes] = length;
        at += strspn(at, " ");
        if (*at == ',') {
            at++;
        } else if (*at != ')') {
            return false;
        }
    }
    return false;
}

static bool parse_header(const char *text, npy_header_t *header) {
    return parse_descr(find_value(text, "'descr'"), header) && parse_fortran_order(find_value(text, "'fortran_order'"), header) &&
           parse_shape(find_value(text, "'shape'"), header);
}

/* Reads n_bytes that must be there. */
static int take_header(rows_t *rows, void *bytes, size_t n_bytes) {
    size_t n_taken;
    int status = input_take(rows->source->vectors, bytes, n_bytes, &n_taken);
    if (status) return status;
    return n_taken == n_bytes ? STATUS_OK : report_npy(rows, "not a .npy file");
}

static int read_header_text(rows_t *rows, buffer_t *text) {
    unsigned char start[8], length[4] = {0};
    int status = take_header(rows, start, sizeof start);
    if (status) return status;
    if (memcmp(start, "\x93NUMPY", 6) != 0) return report_npy(rows, "not a .npy file");
    if (start[6] < 1 || start[6] > 3 || start[7] != 0) {
        char problem[64];
        snprintf(problem, sizeof problem, ".npy version %d.%d is not supported", start[6], start[7]);
        return report_npy(rows, problem);
    }
    status = take_header(rows, length, start[6] == 1 ? 2 : 4);
    if (status) return status;
    size_t n_bytes = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (n_bytes > MAX_HEADER_BYTES) return report_npy(rows, "not a .npy file");
    buffer_reserve(text, n_bytes + 1);
    text->len = n_bytes;
    return take_header(rows, text->data, n_bytes);
}

static int judge_header(rows_t *rows, const npy_header_t *header) {
    char problem[160];
    bool narrow = strcmp(header->descr, "<f4") == 0, wide = strcmp(header->descr, "<f8") == 0;
    if (!narrow && !wide) {
        snprintf(problem, sizeof problem, ".npy dtype '%s' is not supported: need <f4 or <f8", header->descr);
        return report_npy(rows, problem);
    }
    if (header->fortran_order) return report_npy(rows, ".npy data is in Fortran order: need C order");
    if (header->n_axes != 2) {
        snprintf(problem, sizeof problem, ".npy shape has %u dimensions: need 2 (vectors, numbers)", header->n_axes);
        return report_npy(rows, problem);
    }
    rows->number_bytes = wide ? sizeof(double) : sizeof(float);
    return STATUS_OK;
}

static int read_header(rows_t *rows, npy_header_t *header) {
    buffer_t text = {0};
    int status = read_header_text(rows, &text);
    if (status == STATUS_OK && !parse_header(buffer_text(&text), header)) status = report_npy(rows, "not a .npy file");
    buffer_free(&text);
    return status ? status : judge_header(rows, header);
}

static int read_npy(rows_t *rows) {
    npy_header_t header;
    int status = read_header(rows, &header);
    for (uint64_t i = 0; status == STATUS_OK && i < header.shape[0]; i++) {
        begin_row(rows);
        status = read_row(rows, header.shape[1]);
    }
    if (status) return status;
    char more;
    size_t n_more;
    status = input_take(rows->source->vectors, &more, 1, &n_more);
    if (status) return status;
    return n_more ? report_npy(rows, "the file goes on after its last record") : check_no_more_ids(rows);
}

int read_npy_records(const bulk_source_t *source) {
    rows_t rows = rows_open(source, sizeof(float));
    int status = read_npy(&rows);
    rows_close(&rows);
    return status;
}
