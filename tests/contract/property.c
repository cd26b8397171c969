/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * property.c - random sequences of every operation on one thread, against a plain model that knows nothing of graphs, lists or blocks: after each step the store answers what the model answers.
 *
 * Stores are small and their graphs dense, so that every mode is exhaustive and scores agree to 1e-5. A sequence follows from its seed alone:
 *
 *     property 1234                the one sequence with this seed, step by step
 *     CM_TEST_LENGTH=full          10,000 sequences in place of 300
 */
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#include <math.h>

#define HOUR_MS INT64_C(3600000)

enum { DIM = 3, IDS = 24, CONTEXTS = 4, CAP = 5, STEPS = 60, TEXT = 40, NOBODY = IDS + 3 };

/* ---- the model -------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct known {
    bool there;
    float vector[DIM], importance, rate;
    double exact; /* importance in double, as decay leaves it */
    int64_t created_ms, accessed_ms, decayed_ms;
    uint32_t context, access_count, n_related, related[2 * CAP + 4];
    char text[TEXT], metadata[TEXT];
} known_t;

typedef struct model {
    known_t all[IDS];
    uint32_t n, max_relationships;
    double base_rate, weight;
    cm_metric_t metric;
} model_t;

typedef struct run {
    fixture_t f;
    model_t m;
    rng_t rng;
    uint64_t seed;
    uint32_t step;
    const char *doing;
    bool loud;
} run_t;

static uint32_t n_failed_sequences, n_steps_done, n_searches_compared;
static bool failed; /* this sequence */

#define HOLDS(r, condition, ...)                                                                                                      \
    do {                                                                                                                              \
        if (!(condition) && !failed) {                                                                                                \
            failed = true;                                                                                                            \
            printf("# %s:%d: seed %" PRIu64 ", step %u, %s: %s: ", __FILE__, __LINE__, (r)->seed, (r)->step, (r)->doing, #condition); \
            printf(__VA_ARGS__);                                                                                                      \
            printf("\n");                                                                                                             \
        }                                                                                                                             \
    } while (0)

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-5 * (1 + fabs(b));
}

/* Ids that can be named and are never inserted are those from IDS on. */
static cm_str_t name_of(char out[16], uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, 16, "id-%u", number)};
}
static cm_str_t label_of(char out[16], uint32_t context) {
    return (cm_str_t){out, (size_t)snprintf(out, 16, "ctx %u", context)};
}

static double rate_of(const model_t *m, const known_t *k) {
    return k->rate > 0 ? (double)k->rate : m->base_rate;
}

static double distance_of(const model_t *m, const float *a, const float *b) {
    double dot = 0, aa = 0, bb = 0, l2sq = 0;
    for (uint32_t d = 0; d < DIM; d++) {
        double x = (double)a[d], y = (double)b[d];
        dot += x * y, aa += x * x, bb += y * y, l2sq += (x - y) * (x - y);
    }
    if (m->metric == CM_METRIC_DOT) return 1 - dot;
    if (m->metric == CM_METRIC_L2SQ) return l2sq;
    return aa == 0 || bb == 0 ? 2 : 1 - dot / sqrt(aa * bb);
}

static double score_of(const model_t *m, const known_t *k, const float *query, double weight, int64_t now_ms) {
    double hours = (double)(now_ms - k->created_ms) / (double)HOUR_MS;
    return (1 - weight) * distance_of(m, query, k->vector) / 2 + weight * (hours > 0 ? 1 - exp(-rate_of(m, k) * hours) : 0);
}

static bool is_related(const known_t *k, uint32_t to) {
    for (uint32_t i = 0; i < k->n_related; i++)
        if (k->related[i] == to) return true;
    return false;
}
static bool model_relate(const model_t *m, known_t *k, uint32_t to) {
    if (is_related(k, to)) return true;
    if (k->n_related == m->max_relationships) return false;
    k->related[k->n_related++] = to;
    return true;
}

/* ---- operations --------------------------------------------------------------------------------------------------------------------------------------- */

static int64_t draw_time(run_t *r) {
    return NOW_MS + ((int64_t)rng_below(&r->rng, 200) - 160) * HOUR_MS / 2;
}
static float draw_rate(run_t *r) {
    return rng_below(&r->rng, 2) ? 0 : 0.02f * (float)rng_below(&r->rng, 20);
}
static void draw_vector(run_t *r, float *out) {
    bool zero = rng_below(&r->rng, 40) == 0;
    for (uint32_t d = 0; d < DIM; d++) out[d] = zero ? 0 : rng_float(&r->rng);
}
static cm_str_t draw_text(run_t *r, char out[TEXT], const char *word) {
    uint32_t n = rng_below(&r->rng, 3);
    snprintf(out, TEXT, "%s %u", word, n == 0 ? 0 : rng_below(&r->rng, 100000));
    if (n == 0) out[0] = 0;
    return (cm_str_t){out, strlen(out)};
}

static void insert(run_t *r) {
    uint32_t number = rng_below(&r->rng, IDS);
    known_t *old = &r->m.all[number], fresh = {.there = true};
    char id[16], label[16], names[CAP + 3][16];
    cm_str_t related[CAP + 3];
    cm_memory_t memory = CM_MEMORY_INIT;
    draw_vector(r, fresh.vector);
    fresh.importance = (float)rng_below(&r->rng, 101) / 100, fresh.exact = (double)fresh.importance;
    fresh.rate = draw_rate(r), fresh.context = rng_below(&r->rng, CONTEXTS);
    fresh.created_ms = fresh.accessed_ms = rng_below(&r->rng, 5) ? draw_time(r) : NOW_MS, fresh.decayed_ms = INT64_MIN;
    memory.id = name_of(id, number), memory.context = label_of(label, fresh.context);
    memory.vector = fresh.vector, memory.dimensions = DIM, memory.importance = fresh.importance, memory.decay_rate = fresh.rate;
    memory.created_ms = fresh.created_ms == NOW_MS ? CM_NOW : fresh.created_ms;
    memory.text = draw_text(r, fresh.text, "text"), memory.metadata = draw_text(r, fresh.metadata, "meta");
    memory.relationships = related, memory.n_relationships = rng_below(&r->rng, CAP + 3);
    for (uint32_t i = 0; i < memory.n_relationships; i++) {
        uint32_t to = rng_below(&r->rng, NOBODY);
        related[i] = name_of(names[i], to);
        model_relate(&r->m, &fresh, to);
    }
    for (uint32_t i = 0; old->there && i < old->n_related; i++) model_relate(&r->m, &fresh, old->related[i]);
    HOLDS(r, cm_insert(r->f.thread, &memory) == CM_OK, "%s", cm_message(r->f.thread));
    r->m.n += !old->there;
    *old = fresh;
}

static void remove_one(run_t *r) {
    uint32_t number = rng_below(&r->rng, NOBODY);
    char id[16];
    bool there = number < IDS && r->m.all[number].there;
    cm_status_t status = cm_remove(r->f.thread, name_of(id, number));
    HOLDS(r, status == (there ? CM_OK : CM_E_NOT_FOUND), "%s: %d", id, (int)status);
    if (there) r->m.all[number].there = false, r->m.n--;
}

static void compare_memory(run_t *r, uint32_t number, const cm_memory_t *has) {
    const known_t *k = &r->m.all[number];
    char label[16], name[16];
    HOLDS(r, memcmp(has->vector, k->vector, sizeof k->vector) == 0, "id-%u: another vector", number);
    HOLDS(r, same_str(has->context, label_of(label, k->context)), "id-%u is in %.*s, expected %s", number, (int)has->context.len,
          has->context.data, label);
    HOLDS(r, near((double)has->importance, k->exact), "id-%u: %.8f, expected %.8f", number, (double)has->importance, k->exact);
    HOLDS(r, has->decay_rate == k->rate && has->created_ms == k->created_ms, "id-%u: %g", number, (double)has->decay_rate);
    HOLDS(r, has->access_count == k->access_count && has->accessed_ms == k->accessed_ms, "id-%u: %u", number, has->access_count);
    HOLDS(r, same_str(has->text, str(k->text)) && same_str(has->metadata, str(k->metadata)), "id-%u", number);
    HOLDS(r, has->n_relationships == k->n_related, "id-%u: %u relationships, expected %u", number, has->n_relationships, k->n_related);
    for (uint32_t i = 0; i < has->n_relationships && i < k->n_related; i++)
        HOLDS(r, same_str(has->relationships[i], name_of(name, k->related[i])), "id-%u: relationship %u is %.*s, expected %s", number, i,
              (int)has->relationships[i].len, has->relationships[i].data, name);
}

static void access_one(run_t *r) {
    uint32_t number = rng_below(&r->rng, NOBODY);
    known_t *k = &r->m.all[number % IDS];
    char id[16];
    cm_memory_t memory;
    int64_t now_ms = draw_time(r);
    bool there = number < IDS && k->there, count = rng_below(&r->rng, 3) > 0;
    cm_str_t name = name_of(id, number);
    cm_status_t status = count ? cm_access(r->f.thread, name, now_ms, &memory, r->f.buffer, MEMORY_BUFFER_BYTES, NULL)
                               : cm_get(r->f.thread, name, &memory, r->f.buffer, MEMORY_BUFFER_BYTES, NULL);
    HOLDS(r, status == (there ? CM_OK : CM_E_NOT_FOUND), "%s: %d", id, (int)status);
    HOLDS(r, cm_contains(r->f.thread, name) == there, "%s", id);
    if (!there || status != CM_OK) return;
    if (count) k->access_count++, k->accessed_ms = CMI_MAX(k->accessed_ms, now_ms);
    compare_memory(r, number, &memory);
}

static void update(run_t *r) {
    uint32_t number = rng_below(&r->rng, NOBODY), fields = 1 + rng_below(&r->rng, 31);
    known_t *k = &r->m.all[number % IDS], fresh = *k;
    char id[16], label[16];
    cm_update_t u = CM_UPDATE_INIT;
    bool there = number < IDS && k->there;
    u.fields = fields, u.now_ms = draw_time(r);
    u.importance = (float)rng_below(&r->rng, 101) / 100, u.decay_rate = draw_rate(r);
    uint32_t context = rng_below(&r->rng, CONTEXTS);
    u.context = label_of(label, context);
    u.text = draw_text(r, fresh.text, "new text"), u.metadata = draw_text(r, fresh.metadata, "new meta");
    cm_status_t status = cm_update(r->f.thread, name_of(id, number), &u);
    HOLDS(r, status == (there ? CM_OK : CM_E_NOT_FOUND), "%s: %d", id, (int)status);
    if (!there) return;
    if (fields & CM_UPDATE_IMPORTANCE) k->exact = (double)u.importance, k->decayed_ms = CMI_MAX(k->decayed_ms, u.now_ms);
    if (fields & CM_UPDATE_DECAY_RATE) k->rate = u.decay_rate;
    if (fields & CM_UPDATE_CONTEXT) k->context = context;
    if (fields & CM_UPDATE_TEXT) memcpy(k->text, fresh.text, TEXT);
    if (fields & CM_UPDATE_METADATA) memcpy(k->metadata, fresh.metadata, TEXT);
}

static void relate(run_t *r) {
    uint32_t number = rng_below(&r->rng, NOBODY), to = rng_below(&r->rng, NOBODY);
    known_t *k = &r->m.all[number % IDS];
    char id[16], name[16];
    bool there = number < IDS && k->there, take_off = rng_below(&r->rng, 3) == 0;
    cm_status_t expected = there ? CM_OK : CM_E_NOT_FOUND;
    if (there && take_off && k->n_related > 0 && rng_below(&r->rng, 2)) to = k->related[rng_below(&r->rng, k->n_related)];
    cm_status_t status = (take_off ? cm_unrelate : cm_relate)(r->f.thread, name_of(id, number), name_of(name, to));
    if (there && !take_off && !model_relate(&r->m, k, to)) expected = CM_E_TOO_LARGE;
    for (uint32_t i = 0; there && take_off && i < k->n_related; i++)
        if (k->related[i] == to) {
            memmove(&k->related[i], &k->related[i + 1], (--k->n_related - i) * sizeof *k->related);
            break;
        }
    HOLDS(r, status == expected, "%s to %s: %d, expected %d", id, name, (int)status, (int)expected);
}

static void decay(run_t *r) {
    int64_t now_ms = draw_time(r);
    uint64_t n, n_expected = 0;
    for (uint32_t i = 0; i < IDS; i++) {
        known_t *k = &r->m.all[i];
        int64_t from_ms = CMI_MAX(k->accessed_ms, k->decayed_ms);
        if (!k->there || from_ms >= now_ms) continue;
        k->exact *= exp(-rate_of(&r->m, k) * (double)(now_ms - from_ms) / (double)HOUR_MS);
        k->decayed_ms = now_ms, n_expected++;
    }
    HOLDS(r, cm_apply_decay(r->f.thread, now_ms, &n) == CM_OK && n == n_expected, "%u decayed, expected %u", (unsigned)n,
          (unsigned)n_expected);
}

/* ---- searches -------------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct wanted {
    uint32_t remainder, modulus;
} wanted_t;

static bool number_passes(void *context, const cm_candidate_t *candidate) {
    const wanted_t *wanted = context;
    return number_behind(candidate->id, 3) % wanted->modulus == wanted->remainder;
}

/* Importance that the model knows in double may lie on either side of a limit: such limits are not drawn. */
static bool is_clear(const run_t *r, double limit) {
    for (uint32_t i = 0; i < IDS; i++)
        if (r->m.all[i].there && fabs(r->m.all[i].exact - limit) < 1e-4) return false;
    return true;
}

static cm_search_t draw_search(run_t *r, char label[16], wanted_t *wanted) {
    cm_search_t o = CM_SEARCH_INIT;
    uint32_t filters = rng_below(&r->rng, 64);
    float least = (float)rng_below(&r->rng, 60) / 100, most = least + (float)rng_below(&r->rng, 40) / 100;
    int64_t after = draw_time(r), before = after + 1 + rng_below(&r->rng, 100) * HOUR_MS;
    o.mode = (cm_search_mode_t)rng_below(&r->rng, 3), o.k = 1 + rng_below(&r->rng, IDS + 2);
    o.ef = o.mode == CM_SEARCH_RERANK ? 200 : rng_below(&r->rng, 2) * 100;
    o.temporal_weight = (float)((int)rng_below(&r->rng, 6) - 1) / 4;
    o.now_ms = rng_below(&r->rng, 3) ? draw_time(r) : CM_NOW;
    if (filters % 3 == 0) o.context = label_of(label, rng_below(&r->rng, CONTEXTS + 1));
    if (filters & 4 && is_clear(r, (double)least)) o.min_importance = least;
    if (filters & 8 && is_clear(r, (double)most)) o.max_importance = CMI_MAX(most, o.min_importance);
    if (filters & 16) o.created_after_ms = after;
    if (filters & 16 && filters & 1) o.created_before_ms = before;
    if (filters & 32 && filters & 2) *wanted = (wanted_t){rng_below(&r->rng, 3), 3}, o.filter = number_passes, o.filter_context = wanted;
    return o;
}

static bool model_passes(const known_t *k, uint32_t number, const cm_search_t *o, uint32_t context) {
    const wanted_t *wanted = o->filter_context;
    if (!k->there || (o->context.len && k->context != context)) return false;
    if (o->min_importance > 0 && k->exact < (double)o->min_importance) return false;
    if (o->max_importance < 1 && k->exact > (double)o->max_importance) return false;
    if (k->created_ms < o->created_after_ms || (o->created_before_ms != INT64_MAX && k->created_ms >= o->created_before_ms)) return false;
    return !o->filter || number % wanted->modulus == wanted->remainder;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void search(run_t *r) {
    char label[16] = "";
    wanted_t wanted = {0, 1};
    float query[DIM];
    cm_hit_t hits[IDS + 2];
    double truth[IDS];
    size_t n = 0;
    uint32_t n_truth = 0;
    bool seen[IDS] = {false};
    draw_vector(r, query);
    cm_search_t o = draw_search(r, label, &wanted);
    double weight = o.temporal_weight < 0 ? r->m.weight : (double)o.temporal_weight;
    int64_t now_ms = o.now_ms == CM_NOW ? NOW_MS : o.now_ms;
    uint32_t context = o.context.len ? (uint32_t)strtoul(label + 4, NULL, 10) : 0;
    for (uint32_t i = 0; i < IDS; i++)
        if (model_passes(&r->m.all[i], i, &o, context)) truth[n_truth++] = score_of(&r->m, &r->m.all[i], query, weight, now_ms);
    qsort(truth, n_truth, sizeof *truth, ascending);
    HOLDS(r, cm_search(r->f.thread, query, DIM, &o, hits, &n) == CM_OK, "%s", cm_message(r->f.thread));
    HOLDS(r, n == CMI_MIN(n_truth, o.k), "mode %d, weight %g: %zu hits, k is %u, %u pass", (int)o.mode, weight, n, o.k, n_truth);
    for (uint32_t i = 0; i < n && !failed; i++) {
        cm_memory_t memory;
        cm_status_t status = cm_get_hit(r->f.thread, hits[i].slot, hits[i].generation, &memory, r->f.buffer, MEMORY_BUFFER_BYTES, NULL);
        HOLDS(r, status == CM_OK, "hit %u: %d", i, (int)status);
        if (status != CM_OK) return;
        uint32_t number = number_behind(memory.id, 3);
        HOLDS(r, number < IDS && !seen[number] && model_passes(&r->m.all[number], number, &o, context),
              "hit %u: id-%u comes twice, or does not pass", i, number);
        if (number >= IDS) return;
        seen[number] = true;
        HOLDS(r, near((double)hits[i].score, score_of(&r->m, &r->m.all[number], query, weight, now_ms)), "hit %u, id-%u: %.7f", i, number,
              (double)hits[i].score);
        HOLDS(r, near((double)hits[i].score, truth[i]), "mode %d, weight %g: hit %u scores %.7f, expected %.7f", (int)o.mode, weight, i,
              (double)hits[i].score, truth[i]);
    }
    n_searches_compared++;
}

/* ---- looking at the whole -------------------------------------------------------------------------------------------------------------------------------------- */

static void related(run_t *r) {
    uint32_t start = rng_below(&r->rng, NOBODY), depth = rng_below(&r->rng, 5), queue[IDS], depth_of[IDS], n = 1, n_found = 77;
    char id[16];
    cm_related_t out[IDS];
    bool there = start < IDS && r->m.all[start].there, seen[IDS] = {false};
    cm_status_t status = cm_related(r->f.thread, name_of(id, start), depth, out, IDS, &n_found);
    HOLDS(r, status == (there ? CM_OK : CM_E_NOT_FOUND), "%s: %d", id, (int)status);
    if (!there) return;
    queue[0] = start, depth_of[0] = 0, seen[start] = true;
    for (uint32_t head = 0; head < n && depth_of[head] < depth; head++) {
        const known_t *k = &r->m.all[queue[head]];
        for (uint32_t i = 0; i < k->n_related; i++) {
            uint32_t to = k->related[i];
            if (to >= IDS || !r->m.all[to].there || seen[to]) continue;
            seen[to] = true, depth_of[n] = depth_of[head] + 1, queue[n++] = to;
        }
    }
    HOLDS(r, n_found == n - 1, "%s to depth %u: %u, expected %u", id, depth, n_found, n - 1);
    for (uint32_t i = 0; i < n_found && i + 1 < n; i++) {
        cm_memory_t memory = {0};
        (void)cm_get_hit(r->f.thread, out[i].slot, out[i].generation, &memory, r->f.buffer, MEMORY_BUFFER_BYTES, NULL);
        HOLDS(r, same_str(memory.id, name_of(id, queue[i + 1])) && out[i].depth == depth_of[i + 1], "place %u: expected %s", i, id);
    }
}

static void summarise(run_t *r) {
    uint32_t context = rng_below(&r->rng, CONTEXTS + 1), n = 0;
    double sums[DIM] = {0}, importance = 0;
    char label[16];
    float mean[DIM];
    cm_context_summary_t summary;
    for (uint32_t i = 0; i < IDS; i++) {
        const known_t *k = &r->m.all[i];
        if (!k->there || k->context != context) continue;
        n++, importance += k->exact;
        for (uint32_t d = 0; d < DIM; d++) sums[d] += (double)k->vector[d];
    }
    HOLDS(r, cm_context_summary(r->f.thread, label_of(label, context), &summary, mean, DIM) == CM_OK, "%s", cm_message(r->f.thread));
    HOLDS(r, summary.n_memories == n && near(summary.average_importance, n ? importance / n : 0), "%s: %u memories, expected %u; %g", label,
          (unsigned)summary.n_memories, n, summary.average_importance);
    for (uint32_t d = 0; d < DIM; d++)
        HOLDS(r, near((double)mean[d], n ? sums[d] / n : 0), "%s: mean[%u] is %g", label, d, (double)mean[d]);
}

static void count_all(run_t *r) {
    uint32_t n_in[CONTEXTS] = {0}, n_contexts = 0, n_references[NOBODY] = {0};
    double importance = 0;
    cm_stats_t stats;
    for (uint32_t i = 0; i < IDS; i++) {
        const known_t *k = &r->m.all[i];
        if (!k->there) continue;
        importance += k->exact, n_contexts += n_in[k->context]++ == 0;
        for (uint32_t j = 0; j < k->n_related; j++) n_references[k->related[j]]++;
    }
    HOLDS(r, cm_stats(r->f.thread, &stats) == CM_OK && stats.n_memories == r->m.n && cm_len(r->f.store) == r->m.n, "%u",
          (unsigned)stats.n_memories);
    HOLDS(r, stats.n_contexts == n_contexts && near(stats.average_importance, r->m.n ? importance / r->m.n : 0), "%u contexts, %g",
          (unsigned)stats.n_contexts, stats.average_importance);
    cm_context_stat_t stat;
    for (uint64_t cursor = 0; cm_next_context(r->f.thread, &cursor, &stat, r->f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK; n_contexts--) {
        uint32_t context = number_behind(stat.context, 4);
        HOLDS(r, context < CONTEXTS && stat.n_memories == n_in[context], "ctx %u: %u", context, (unsigned)stat.n_memories);
    }
    HOLDS(r, n_contexts == 0, "%u contexts are left", n_contexts);
    cm_reference_t references[NOBODY];
    uint32_t n = 0;
    HOLDS(r, cm_top_references(r->f.thread, NOBODY, references, &n, r->f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK, "%s",
          cm_message(r->f.thread));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = number_behind(references[i].id, 3);
        HOLDS(r, to < NOBODY && references[i].n_references == n_references[to] && n_references[to] > 0, "id-%u: %u", to,
              (unsigned)references[i].n_references);
    }
}

static void iterate(run_t *r) {
    uint32_t n = 0;
    bool seen[IDS] = {false};
    cm_memory_t memory;
    for (uint64_t cursor = 0; cm_next(r->f.thread, &cursor, &memory, r->f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK; n++) {
        uint32_t number = number_behind(memory.id, 3);
        HOLDS(r, number < IDS && r->m.all[number].there && !seen[number], "id-%u", number);
        if (failed) return;
        seen[number] = true;
        compare_memory(r, number, &memory);
    }
    HOLDS(r, n == r->m.n, "%u memories, expected %u", n, r->m.n);
    HOLDS(r, cm_check(r->f.thread, NULL) == CM_OK, "%s", cm_message(r->f.thread));
}

/* The store goes on as what was loaded. */
static void save_and_load(run_t *r) {
    memory_file_t file = {0};
    cm_store_t *store = NULL;
    cm_error_t error = {CM_OK, ""};
    HOLDS(r, cm_save(r->f.thread, &MEMORY_SINK(&file)) == CM_OK, "%s", cm_message(r->f.thread));
    HOLDS(r, load_from_memory(&file, &store, &error) == CM_OK, "%s", error.message);
    memory_file_free(&file);
    if (!store) return;
    fixture_close(&r->f);
    r->f = fixture_of(store);
    iterate(r);
}

/* ---- sequences ------------------------------------------------------------------------------------------------------------------------------------------------------ */

static const struct {
    uint32_t below; /* of 100 */
    const char *name;
    void (*act)(run_t *);
} actions[] = {{28, "insert", insert},     {34, "remove", remove_one}, {41, "access", access_one}, {52, "update", update},
               {60, "relate", relate},     {64, "decay", decay},       {82, "search", search},     {88, "related", related},
               {92, "summary", summarise}, {96, "counts", count_all},  {98, "iteration", iterate}, {100, "snapshot", save_and_load}};

static void run_sequence(uint64_t seed, bool loud) {
    static const cm_metric_t metrics[] = {CM_METRIC_COSINE, CM_METRIC_COSINE, CM_METRIC_L2SQ, CM_METRIC_DOT};
    run_t r = {.rng = rng_seed(seed), .seed = seed, .loud = loud, .doing = "opening"};
    cm_config_t config = small_config(DIM);
    config.max_memories = 40, config.m = 16, config.ef_construction = 60, config.ef_search = 60, config.max_relationships = CAP;
    config.metric = metrics[seed % 4], config.base_decay_rate = 0.05f, config.temporal_weight = 0.4f;
    config.max_memories = seed % 8 == 7 ? 2000 : 40;
    r.m = (model_t){.max_relationships = CAP, .base_rate = (double)0.05f, .weight = (double)0.4f, .metric = config.metric};
    r.f = fixture_open(&config);
    failed = false;
    for (r.step = 0; r.step < STEPS && !failed; r.step++) {
        uint32_t dice = rng_below(&r.rng, 100), a = 0;
        while (dice >= actions[a].below) a++;
        r.doing = actions[a].name;
        if (loud) printf("# step %u: %s\n", r.step, r.doing);
        actions[a].act(&r);
    }
    r.doing = "the end";
    iterate(&r), count_all(&r);
    n_steps_done += r.step, n_failed_sequences += failed;
    fixture_close(&r.f);
}

static uint64_t only_seed;

TEST(random_sequences_answer_as_the_model_does) {
    const char *length = getenv("CM_TEST_LENGTH");
    uint64_t n = length && strcmp(length, "full") == 0 ? 10000 : 300;
    if (only_seed) run_sequence(only_seed, true);
    else
        for (uint64_t seed = 1; seed <= n && n_failed_sequences < 5; seed++) run_sequence(seed, false);
    printf("# seeds 1 to %" PRIu64 ": %u steps, %u searches compared\n", n, n_steps_done, n_searches_compared);
    CHECK_MSG(n_failed_sequences == 0, "%u sequences; to see one again: property SEED", n_failed_sequences);
}

int main(int argc, char **argv) {
    if (argc > 1) only_seed = strtoull(argv[1], NULL, 10);
    RUN(random_sequences_answer_as_the_model_does);
    return tap_done();
}
