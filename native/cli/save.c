/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* save.c - the command that turns vectors into a snapshot. */
#define _POSIX_C_SOURCE 200809L /* strcasecmp */
#include "bulk_reader.h"
#include "commands.h"
#include "importer.h"
#include "json_writer.h"
#include "output.h"
#include "progress.h"
#include "record_reader.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

#include <string.h>
#include <strings.h>

enum {
    INPUT,
    OUTPUT,
    DIMENSIONS,
    MAX_MEMORIES,
    NORMALIZE,
    FORMAT,
    IDS,
    CONTEXT,
    METRIC,
    VECTORS,
    LINKS,
    EF_CONSTRUCTION,
    EF_SEARCH,
    SEED,
    NOW,
    JSON,
    N_OPTIONS
};

typedef enum format { FORMAT_JSON, FORMAT_JSONL, FORMAT_NPY, FORMAT_FVECS, FORMAT_UNKNOWN } format_t;

static const char *const format_names[] = {
    [FORMAT_JSON] = "json", [FORMAT_JSONL] = "jsonl", [FORMAT_NPY] = "npy", [FORMAT_FVECS] = "fvecs", NULL};

#define MAX_SEED UINT64_C(9007199254740991) /* the whole numbers that JavaScript has */

static const option_t options[N_OPTIONS] = {
    [INPUT] = {.short_name = 'i', .name = "--input", .kind = OPTION_TEXT, .required = true},
    [OUTPUT] = {.short_name = 'o', .name = "--output", .kind = OPTION_TEXT, .required = true},
    [DIMENSIONS] = {.short_name = 'd', .name = "--dimensions", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_DIMENSIONS},
    [MAX_MEMORIES] = {.short_name = 'm', .name = "--max-memories", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_MEMORIES},
    [NORMALIZE] = {.short_name = 'n', .name = "--normalize", .kind = OPTION_FLAG},
    [FORMAT] = {.name = "--format", .kind = OPTION_CHOICE, .choices = format_names, .choices_text = "json, jsonl, npy or fvecs"},
    [IDS] = {.name = "--ids", .kind = OPTION_TEXT},
    [CONTEXT] = {.name = "--context", .kind = OPTION_TEXT},
    [METRIC] = {.name = "--metric", .kind = OPTION_CHOICE, .choices = metric_names, .choices_text = "cosine, dot or l2"},
    [VECTORS] = {.name = "--vectors", .kind = OPTION_CHOICE, .choices = vector_kind_names, .choices_text = "f32, bf16 or i8"},
    [LINKS] = {.name = "--m", .kind = OPTION_WHOLE, .min = 2, .max = CM_MAX_M},
    [EF_CONSTRUCTION] = {.name = "--ef-construction", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_EF},
    [EF_SEARCH] = {.name = "--ef-search", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_EF},
    [SEED] = {.name = "--seed", .kind = OPTION_WHOLE, .min = 0, .max = MAX_SEED},
    [NOW] = NOW_OPTION,
    [JSON] = JSON_OPTION,
};

/* ---- what was asked for ------------------------------------------------------------------------------------------------ */

static format_t format_of(const option_value_t *values) {
    static const struct {
        const char *extension;
        format_t format;
    } extensions[] = {
        {".json", FORMAT_JSON}, {".jsonl", FORMAT_JSONL}, {".ndjson", FORMAT_JSONL}, {".npy", FORMAT_NPY}, {".fvecs", FORMAT_FVECS}};
    if (values[FORMAT].given) return (format_t)values[FORMAT].choice;
    const char *path = values[INPUT].text;
    if (strcmp(path, "-") == 0) return FORMAT_JSON;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        size_t n = strlen(extensions[i].extension), n_path = strlen(path);
        if (n_path >= n && strcasecmp(path + n_path - n, extensions[i].extension) == 0) return extensions[i].format;
    }
    return FORMAT_UNKNOWN;
}

static cm_config_t config_of(const option_value_t *values) {
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = (uint32_t)values[DIMENSIONS].whole; /* 0: not given */
    if (values[MAX_MEMORIES].given) config.max_memories = (uint32_t)values[MAX_MEMORIES].whole;
    if (values[METRIC].given) config.metric = (cm_metric_t)values[METRIC].choice;
    if (values[VECTORS].given) config.vectors = (cm_vectors_t)values[VECTORS].choice;
    if (values[LINKS].given) config.m = (uint32_t)values[LINKS].whole;
    if (values[EF_CONSTRUCTION].given) config.ef_construction = (uint32_t)values[EF_CONSTRUCTION].whole;
    if (values[EF_SEARCH].given) config.ef_search = (uint32_t)values[EF_SEARCH].whole;
    if (values[SEED].given) config.seed = values[SEED].whole;
    return config;
}

static importer_t importer_of(const option_value_t *values, const input_t *input) {
    importer_t importer = {.input = input, .config = config_of(values), .context = CM_STR("default"), .now_ms = CM_NOW};
    importer.fixed = values[DIMENSIONS].given;
    importer.normalize = values[NORMALIZE].given;
    if (values[CONTEXT].given) importer.context = option_string(&values[CONTEXT]);
    if (values[NOW].given) importer.now_ms = values[NOW].time_ms;
    return importer;
}

/* ---- from input to output ---------------------------------------------------------------------------------------------- */

static int read_records(importer_t *importer, format_t format, input_t *input, input_t *ids) {
    const bulk_source_t bulk = {input, ids, importer->config.dimensions, importer_take, importer};
    if (format == FORMAT_NPY) return read_npy_records(&bulk);
    if (format == FORMAT_FVECS) return read_fvecs_records(&bulk);
    return read_json_records(input, importer_take, importer);
}

static int print_saved(const importer_t *importer, const char *path, bool json) {
    uint64_t n = cm_len(importer->store);
    json_writer_t out = {0};
    if (json) {
        json_write_open(&out, JSON_OBJECT);
        json_add_whole(&out, "saved", (int64_t)n);
        json_add_string(&out, "path", path, SIZE_OF_TEXT);
        json_add_whole(&out, "dimensions", importer->config.dimensions);
        json_add_string(&out, "metric", metric_names[importer->config.metric], SIZE_OF_TEXT);
        json_write_close(&out, JSON_OBJECT_END);
        buffer_append_text(&out.text, "\n");
    } else {
        text_append_saved(&out.text, n, path);
    }
    int status = output_print(out.text.data, out.text.len);
    buffer_free(&out.text);
    return status;
}

static int import_and_save(const option_value_t *values, format_t format, input_t *input, input_t *ids, snapshot_output_t *output) {
    importer_t importer = importer_of(values, input);
    int status = read_records(&importer, format, input, ids);
    progress_clear();
    if (status == STATUS_OK && !importer.store) {
        status = report(STATUS_FAILED, "nothing was written", "%s: the input holds no memories", input->name);
    }
    if (status == STATUS_OK) status = snapshot_output_save(output, importer.thread);
    if (status == STATUS_OK) status = print_saved(&importer, output->path, values[JSON].given);
    importer_close(&importer);
    return status;
}

static int save_to_output(const option_value_t *values, format_t format, input_t *input, input_t *ids) {
    snapshot_output_t output;
    int status = snapshot_output_open(&output, values[OUTPUT].text);
    if (status == STATUS_OK) status = import_and_save(values, format, input, ids, &output);
    snapshot_output_close(&output);
    return status;
}

/* The checks that need two options. */
static int check_combination(const option_value_t *values, format_t format) {
    static const char usage_hint[] = "try 'chronomind save --help'";
    const char *input = values[INPUT].text;
    if (format == FORMAT_UNKNOWN)
        return report(STATUS_USAGE, "give --format json, jsonl, npy or fvecs", "cannot tell the format of '%s'", input);
    if (!values[IDS].given) return STATUS_OK;
    if (format != FORMAT_NPY && format != FORMAT_FVECS)
        return report(STATUS_USAGE, usage_hint, "--ids goes with the formats npy and fvecs only");
    if (strcmp(input, "-") == 0 && strcmp(values[IDS].text, "-") == 0)
        return report(STATUS_USAGE, usage_hint, "--input and --ids cannot both be standard input");
    return STATUS_OK;
}

static int run(const option_value_t *values) {
    const format_t format = format_of(values);
    int status = check_combination(values, format);
    if (status) return status;
    interrupt_catch();
    input_t input, ids;
    status = input_open(&input, values[INPUT].text);
    if (status) return status;
    if (values[IDS].given) {
        status = input_open(&ids, values[IDS].text);
        if (status == STATUS_OK) {
            status = save_to_output(values, format, &input, &ids);
            input_close(&ids);
        }
    } else {
        status = save_to_output(values, format, &input, NULL);
    }
    input_close(&input);
    return status;
}

const command_t save_command = {.name = "save", .help = save_help, .options = options, .n_options = N_OPTIONS, .run = run};
