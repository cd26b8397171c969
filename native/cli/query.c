/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* query.c - the command that finds the memories nearest to a vector, and freshest. */
#include "commands.h"
#include "memory.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>

enum {
    PATH,
    VECTOR,
    LIMIT,
    CONTEXT,
    AFTER,
    BEFORE,
    MIN_IMPORTANCE,
    MAX_IMPORTANCE,
    EF,
    BUDGET,
    TEMPORAL_WEIGHT,
    NOW,
    EXACT,
    RERANK,
    WHY,
    JSON,
    N_OPTIONS
};

enum { SCORE_DECIMALS = 4, IMPORTANCE_DECIMALS = 2 };

static const option_t options[N_OPTIONS] = {
    [PATH] = FILE_OPTION,
    [VECTOR] = {.short_name = 'v', .name = "--vector", .kind = OPTION_VECTOR, .required = true},
    [LIMIT] = {.short_name = 'l', .name = "--limit", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_K},
    [CONTEXT] = CONTEXT_OPTION,
    [AFTER] = {.name = "--after", .kind = OPTION_TIME},
    [BEFORE] = {.name = "--before", .kind = OPTION_TIME},
    [MIN_IMPORTANCE] = {.name = "--min-importance", .kind = OPTION_NUMBER},
    [MAX_IMPORTANCE] = {.name = "--max-importance", .kind = OPTION_NUMBER},
    [EF] = {.name = "--ef", .kind = OPTION_WHOLE, .min = 1, .max = CM_MAX_EF},
    [BUDGET] = {.name = "--budget", .kind = OPTION_WHOLE, .min = 1, .max = UINT32_MAX},
    [TEMPORAL_WEIGHT] = {.name = "--temporal-weight", .kind = OPTION_NUMBER},
    [NOW] = NOW_OPTION,
    [EXACT] = {.name = "--exact", .kind = OPTION_FLAG},
    [RERANK] = {.name = "--rerank", .kind = OPTION_FLAG},
    [WHY] = {.name = "--why", .kind = OPTION_FLAG},
    [JSON] = JSON_OPTION,
};

/* ---- what was asked for ------------------------------------------------------------------------------------------------ */

static cm_search_t search_of(const option_value_t *values) {
    cm_search_t search = CM_SEARCH_INIT;
    if (values[LIMIT].given) search.k = (uint32_t)values[LIMIT].whole;
    if (values[CONTEXT].given) search.context = option_string(&values[CONTEXT]);
    if (values[AFTER].given) search.created_after_ms = values[AFTER].time_ms;
    if (values[BEFORE].given) search.created_before_ms = values[BEFORE].time_ms;
    if (values[MIN_IMPORTANCE].given) search.min_importance = (float)values[MIN_IMPORTANCE].number;
    if (values[MAX_IMPORTANCE].given) search.max_importance = (float)values[MAX_IMPORTANCE].number;
    if (values[EF].given) search.ef = (uint32_t)values[EF].whole;
    if (values[BUDGET].given) search.budget = (uint32_t)values[BUDGET].whole;
    if (values[TEMPORAL_WEIGHT].given) search.temporal_weight = (float)values[TEMPORAL_WEIGHT].number;
    if (values[EXACT].given) search.mode = CM_SEARCH_EXACT;
    if (values[RERANK].given) search.mode = CM_SEARCH_RERANK;
    search.now_ms = values[NOW].time_ms;
    return search;
}

/* The checks that need two options. */
static int check_combination(const option_value_t *values, const cm_search_t *search) {
    static const char hint[] = "try 'chronomind query --help'";
    if (values[EXACT].given && values[RERANK].given) return report(STATUS_USAGE, hint, "--exact and --rerank cannot both be given");
    if (search->created_after_ms >= search->created_before_ms)
        return report(STATUS_USAGE, hint, "--after must be before --before: no memory could be between");
    if (search->min_importance > search->max_importance)
        return report(STATUS_USAGE, hint, "--min-importance must not be above --max-importance: no memory could be between");
    return STATUS_OK;
}

/* ---- for people -------------------------------------------------------------------------------------------------------- */

static void append_labelled(buffer_t *out, const char *label, double x, int decimals) {
    buffer_append_text(out, label);
    text_append_fixed(out, x, decimals);
}

static void add_line(buffer_t *out, size_t rank, const cm_hit_t *hit, const cm_memory_t *memory) {
    buffer_append_format(out, "%zu. id: ", rank);
    text_append_safe(out, memory->id.data, memory->id.len);
    append_labelled(out, "  score: ", hit->score, SCORE_DECIMALS);
    append_labelled(out, "  importance: ", hit->importance, IMPORTANCE_DECIMALS);
    buffer_append_text(out, "  context: ");
    text_append_safe(out, memory->context.data, memory->context.len);
    buffer_append_text(out, "\n");
}

static void add_why_line(buffer_t *out, const cm_search_report_t *certificate, const cm_hit_t *hit) {
    cm_why_t why;
    cm_explain(certificate, hit, &why);
    append_labelled(out, "   distance part: ", why.distance_part, SCORE_DECIMALS);
    append_labelled(out, "  recency part: ", why.recency_part, SCORE_DECIMALS);
    append_labelled(out, "  distance: ", hit->distance, SCORE_DECIMALS);
    append_labelled(out, "  recency: ", hit->recency, SCORE_DECIMALS);
    buffer_append_text(out, "  age: ");
    moment_append_age(out, hit->created_ms, certificate->now_ms);
    buffer_append_text(out, "\n");
}

static const char *strategy_name(const cm_search_report_t *certificate) {
    static const char *const names[] = {
        [CM_STRATEGY_NONE] = "none", [CM_STRATEGY_GRAPH] = "graph", [CM_STRATEGY_STREAMS] = "streams", [CM_STRATEGY_SCAN] = "scan"};
    return names[certificate->strategy];
}

static void add_certificate_lines(buffer_t *out, const cm_search_report_t *certificate, const cm_hit_t *last) {
    if (certificate->bound == 0) {
        buffer_append_text(out, "Exact: no other memory has a better score.\n");
    } else if (isfinite(certificate->bound) && last) {
        append_labelled(out, "Bounded: no other memory has a score below ", last->score - certificate->bound, SCORE_DECIMALS);
        buffer_append_text(out, ".\n");
    } else {
        buffer_append_text(out, "Unbounded: a memory that was not looked at may have a better score.\n");
    }
    append_labelled(out, "bound: ", certificate->bound, SCORE_DECIMALS);
    append_labelled(out, "  graph bound: ", certificate->graph_bound, SCORE_DECIMALS);
    buffer_append_format(out, "  strategy: %s  distances: %llu  by recency: %llu  ef: %u\n", strategy_name(certificate),
                         (unsigned long long)certificate->n_distances, (unsigned long long)certificate->n_recency_distances,
                         certificate->ef);
}

/* ---- for machines ------------------------------------------------------------------------------------------------------ */

static void add_why(json_writer_t *out, const cm_search_report_t *certificate, const cm_hit_t *hit) {
    cm_why_t why;
    cm_explain(certificate, hit, &why);
    json_write_key(out, "why");
    json_write_open(out, JSON_OBJECT);
    json_add_number(out, "distance_part", why.distance_part);
    json_add_number(out, "recency_part", why.recency_part);
    json_add_number(out, "age_hours", why.age_hours);
    json_write_close(out, JSON_OBJECT_END);
}

/* certificate NULL: no "why". */
static void add_object(json_writer_t *out, const cm_search_report_t *certificate, const cm_hit_t *hit, const cm_memory_t *memory) {
    json_write_open(out, JSON_OBJECT);
    json_add_string(out, "id", memory->id.data, memory->id.len);
    json_add_number(out, "score", hit->score);
    json_add_number(out, "distance", hit->distance);
    json_add_number(out, "recency", hit->recency);
    memory_add_attributes(out, memory);
    if (certificate) add_why(out, certificate, hit);
    json_write_close(out, JSON_OBJECT_END);
}

static void add_certificate(json_writer_t *out, const cm_search_report_t *certificate) {
    json_write_key(out, "certificate");
    json_write_open(out, JSON_OBJECT);
    json_add_bool(out, "exact", certificate->bound == 0);
    json_add_number(out, "bound", certificate->bound);
    json_add_number(out, "graph_bound", certificate->graph_bound);
    json_add_string(out, "strategy", strategy_name(certificate), SIZE_OF_TEXT);
    json_add_whole(out, "distances", (int64_t)certificate->n_distances);
    json_add_whole(out, "by_recency", (int64_t)certificate->n_recency_distances);
    json_add_whole(out, "ef", certificate->ef);
    json_add_float(out, "temporal_weight", certificate->temporal_weight);
    json_add_whole(out, "now", certificate->now_ms);
    json_write_close(out, JSON_OBJECT_END);
}

/* ---- the results ------------------------------------------------------------------------------------------------------- */

typedef struct found {
    cm_hit_t *hits; /* for free() */
    size_t n;
    const cm_search_report_t *certificate; /* NULL: nobody asks why */
    bool json;
} found_t;

static cm_status_t add_hits(json_writer_t *out, cm_thread_t *thread, const found_t *found) {
    buffer_t room = {0};
    cm_status_t status = CM_OK;
    for (size_t i = 0; status == CM_OK && i < found->n; i++) {
        const cm_hit_t *hit = &found->hits[i];
        cm_memory_t memory = CM_MEMORY_INIT;
        status = memory_get_hit(thread, hit->slot, hit->generation, &memory, &room);
        if (status != CM_OK) break;
        if (found->json) {
            add_object(out, found->certificate, hit, &memory);
        } else {
            add_line(&out->text, i + 1, hit, &memory);
            if (found->certificate) add_why_line(&out->text, found->certificate, hit);
        }
    }
    buffer_free(&room);
    return status;
}

static void begin(json_writer_t *out, const found_t *found) {
    if (found->json) {
        json_write_open(out, JSON_OBJECT);
        json_add_whole(out, "count", (int64_t)found->n);
        json_write_key(out, "results");
        json_write_open(out, JSON_ARRAY);
    } else if (found->n == 0) {
        buffer_append_text(&out->text, "No results.\n");
    } else {
        buffer_append_format(&out->text, "Found %zu result(s):\n", found->n);
    }
}

static void end(json_writer_t *out, const found_t *found) {
    if (found->json) {
        json_write_close(out, JSON_ARRAY_END);
        if (found->certificate) add_certificate(out, found->certificate);
        json_write_close(out, JSON_OBJECT_END);
        buffer_append_text(&out->text, "\n");
    } else if (found->certificate) {
        add_certificate_lines(&out->text, found->certificate, found->n > 0 ? &found->hits[found->n - 1] : NULL);
    }
}

static int print_found(const snapshot_t *snapshot, const found_t *found) {
    json_writer_t out = {0};
    begin(&out, found);
    cm_status_t status = add_hits(&out, snapshot->thread, found);
    end(&out, found);
    int exit_status = status == CM_OK ? output_print(out.text.data, out.text.len) : snapshot_report(snapshot, status);
    buffer_free(&out.text);
    return exit_status;
}

static int search_and_print(const option_value_t *values, const cm_search_t *search, const snapshot_t *snapshot) {
    const option_value_t *query = &values[VECTOR];
    found_t found = {.hits = allocate(search->k * sizeof *found.hits), .json = values[JSON].given};
    cm_search_report_t certificate;
    cm_status_t status = cm_search(snapshot->thread, query->vector, query->n_vector, search, found.hits, &found.n);
    cm_last_search(snapshot->thread, &certificate);
    if (values[WHY].given) found.certificate = &certificate;
    int exit_status = status == CM_OK ? print_found(snapshot, &found) : snapshot_report(snapshot, status);
    free(found.hits);
    return exit_status;
}

static int run(const option_value_t *values) {
    const cm_search_t search = search_of(values);
    snapshot_t snapshot;
    int status = check_combination(values, &search);
    if (status) return status;
    status = snapshot_open(&snapshot, values[PATH].text, "query");
    if (status == STATUS_OK) status = search_and_print(values, &search, &snapshot);
    snapshot_close(&snapshot);
    return status;
}

const command_t query_command = {.name = "query", .help = query_help, .options = options, .n_options = N_OPTIONS, .run = run};
