/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* query.c - the command that finds the memories nearest to a vector. */
#include "commands.h"
#include "json_writer.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { PATH, VECTOR, LIMIT, CONTEXT, EF, TEMPORAL_WEIGHT, NOW, JSON, N_OPTIONS };

enum { SCORE_DECIMALS = 4, IMPORTANCE_DECIMALS = 2 };

static const char USAGE_HINT[] = "try 'chronomind query --help'";

static const option_t options[N_OPTIONS] = {
    [PATH] = {.short_name = 'f', .name = "--file", .kind = OPTION_TEXT, .required = true},
    [VECTOR] = {.short_name = 'v', .name = "--vector", .kind = OPTION_VECTOR, .required = true},
    [LIMIT] = {.short_name = 'l', .name = "--limit", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_K},
    [CONTEXT] = {.short_name = 'c', .name = "--context", .kind = OPTION_TEXT},
    [EF] = {.name = "--ef", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_EF},
    [TEMPORAL_WEIGHT] = {.name = "--temporal-weight", .kind = OPTION_NUMBER},
    [NOW] = {.name = "--now", .kind = OPTION_TIME},
    [JSON] = {.name = "--json", .kind = OPTION_FLAG},
};

static cm_search_t search_of(const option_value_t *values) {
    cm_search_t search = CM_SEARCH_INIT;
    if (values[LIMIT].given) search.k = (uint32_t)values[LIMIT].whole;
    if (values[EF].given) search.ef = (uint32_t)values[EF].whole;
    if (values[TEMPORAL_WEIGHT].given) search.temporal_weight = (float)values[TEMPORAL_WEIGHT].number;
    if (values[NOW].given) search.now_ms = values[NOW].time_ms;
    if (values[CONTEXT].given) search.context = (cm_str_t){values[CONTEXT].text, strlen(values[CONTEXT].text)};
    return search;
}

/* ---- the memory behind a hit ------------------------------------------------------------------------------------------- */

static int fetch(cm_thread_t *thread, const cm_hit_t *hit, cm_memory_t *memory, buffer_t *room) {
    size_t needed = 0;
    cm_status_t status = cm_get_hit(thread, hit->slot, hit->generation, memory, room->data, room->capacity, &needed);
    if (status == CM_E_BUFFER) {
        buffer_reserve(room, needed);
        status = cm_get_hit(thread, hit->slot, hit->generation, memory, room->data, room->capacity, &needed);
    }
    return status == CM_OK ? STATUS_OK : report(STATUS_FAILED, USAGE_HINT, "%s", cm_message(thread));
}

/* ---- for people -------------------------------------------------------------------------------------------------------- */

static void add_line(buffer_t *out, size_t rank, const cm_hit_t *hit, const cm_memory_t *memory) {
    buffer_append_format(out, "%zu. id: ", rank);
    text_append_safe(out, memory->id.data, memory->id.len);
    buffer_append_text(out, "  score: ");
    text_append_fixed(out, hit->score, SCORE_DECIMALS);
    buffer_append_text(out, "  importance: ");
    text_append_fixed(out, hit->importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, "  context: ");
    text_append_safe(out, memory->context.data, memory->context.len);
    buffer_append_text(out, "\n");
}

/* ---- for machines ------------------------------------------------------------------------------------------------------ */

static void add_string(json_writer_t *out, const char *key, cm_str_t value) {
    json_write_key(out, key);
    json_write_string(out, value.data, value.len);
}

static void add_number(json_writer_t *out, const char *key, double value) {
    json_write_key(out, key);
    json_write_number(out, value);
}

static void add_whole(json_writer_t *out, const char *key, int64_t value) {
    json_write_key(out, key);
    json_write_whole(out, value);
}

static void add_relationships(json_writer_t *out, const cm_memory_t *memory) {
    json_write_key(out, "relationships");
    json_write_open(out, JSON_ARRAY);
    for (uint32_t i = 0; i < memory->n_relationships; i++)
        json_write_string(out, memory->relationships[i].data, memory->relationships[i].len);
    json_write_close(out, JSON_ARRAY_END);
}

static void add_object(json_writer_t *out, const cm_hit_t *hit, const cm_memory_t *memory) {
    json_write_open(out, JSON_OBJECT);
    add_string(out, "id", memory->id);
    add_number(out, "score", hit->score);
    add_number(out, "distance", hit->distance);
    add_number(out, "recency", hit->recency);
    add_number(out, "importance", hit->importance);
    add_string(out, "context", memory->context);
    add_whole(out, "timestamp", hit->created_ms);
    add_whole(out, "accessed", memory->accessed_ms);
    add_whole(out, "access_count", hit->access_count);
    add_number(out, "decay_rate", memory->decay_rate);
    add_relationships(out, memory);
    json_write_key(out, "text");
    if (memory->text.len > 0) {
        json_write_string(out, memory->text.data, memory->text.len);
    } else {
        json_write_null(out);
    }
    json_write_key(out, "metadata");
    json_write_stored(out, memory->metadata.data, memory->metadata.len);
    json_write_close(out, JSON_OBJECT_END);
}

/* ---- the results ------------------------------------------------------------------------------------------------------- */

static int add_hits(json_writer_t *out, cm_thread_t *thread, const cm_hit_t *hits, size_t n_hits, bool json) {
    buffer_t room = {0};
    int status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < n_hits; i++) {
        cm_memory_t memory = CM_MEMORY_INIT;
        status = fetch(thread, &hits[i], &memory, &room);
        if (status) break;
        if (json) {
            add_object(out, &hits[i], &memory);
        } else {
            add_line(&out->text, i + 1, &hits[i], &memory);
        }
    }
    buffer_free(&room);
    return status;
}

static int print_hits(cm_thread_t *thread, const cm_hit_t *hits, size_t n_hits, bool json) {
    json_writer_t out = {0};
    if (json) {
        json_write_open(&out, JSON_OBJECT);
        add_whole(&out, "count", (int64_t)n_hits);
        json_write_key(&out, "results");
        json_write_open(&out, JSON_ARRAY);
    } else if (n_hits == 0) {
        buffer_append_text(&out.text, "No results.\n");
    } else {
        buffer_append_format(&out.text, "Found %zu result(s):\n", n_hits);
    }
    int status = add_hits(&out, thread, hits, n_hits, json);
    if (json) {
        json_write_close(&out, JSON_ARRAY_END);
        json_write_close(&out, JSON_OBJECT_END);
        buffer_append_text(&out.text, "\n");
    }
    if (status == STATUS_OK) status = output_print(out.text.data, out.text.len);
    buffer_free(&out.text);
    return status;
}

static int report_search(const char *path, const cm_store_t *store, const cm_thread_t *thread, cm_status_t status) {
    buffer_t hint = {0};
    cm_config_t config;
    cm_config_of(store, &config);
    if (status == CM_E_DIMENSION) {
        buffer_append_format(&hint, "the vectors in %s have %u dimensions", path, config.dimensions);
    } else {
        buffer_append_text(&hint, USAGE_HINT);
    }
    int exit_status = report(STATUS_FAILED, buffer_text(&hint), "%s", cm_message(thread));
    buffer_free(&hint);
    return exit_status;
}

static int search_and_print(const option_value_t *values, const cm_store_t *store, cm_thread_t *thread) {
    const cm_search_t search = search_of(values);
    const option_value_t *query = &values[VECTOR];
    cm_hit_t *hits = allocate(search.k * sizeof *hits);
    size_t n_hits;
    cm_status_t status = cm_search(thread, query->vector, query->n_vector, &search, hits, &n_hits);
    int exit_status = status == CM_OK ? print_hits(thread, hits, n_hits, values[JSON].given)
                                      : report_search(values[PATH].text, store, thread, status);
    free(hits);
    return exit_status;
}

static int run(const option_value_t *values) {
    cm_store_t *store;
    cm_thread_t *thread;
    int status = snapshot_open(values[PATH].text, "query", &store, &thread);
    if (status == STATUS_OK) status = search_and_print(values, store, thread);
    snapshot_close(store, thread);
    return status;
}

const command_t query_command = {.name = "query", .help = query_help, .options = options, .n_options = N_OPTIONS, .run = run};
