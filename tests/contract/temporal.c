/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * temporal.c - what time and cm_update() do to memories: decay in closed form, whatever the sweeps; marks that survive a snapshot; attributes that change in place, and errors that change nothing.
 */
#include "store/store_impl.h"
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#include <float.h>
#include <math.h>

#define HOUR_MS INT64_C(3600000)

enum { DIM = 4 };

static fixture_t open_small(void) {
    cm_config_t config = small_config(DIM);
    return fixture_open(&config);
}

static void check_store(fixture_t *f) {
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
}

static cm_memory_t memory_of(const char *id, float importance, float rate, int64_t created_ms) {
    static const float vector[DIM] = {1, 2, 3, 4};
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = str(id), memory.vector = vector, memory.dimensions = DIM;
    memory.importance = importance, memory.decay_rate = rate, memory.created_ms = created_ms;
    return memory;
}

static void put(fixture_t *f, const char *id, float importance, float rate, int64_t created_ms) {
    cm_memory_t memory = memory_of(id, importance, rate, created_ms);
    CHECK_STATUS(cm_insert(f->thread, &memory), CM_OK);
}

static cm_memory_t look(fixture_t *f, const char *id) {
    cm_memory_t memory = {0};
    CHECK_STATUS(cm_get(f->thread, str(id), &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    return memory;
}

static void touch(fixture_t *f, const char *id, int64_t now_ms) {
    cm_memory_t memory;
    CHECK_STATUS(cm_access(f->thread, str(id), now_ms, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
}

static uint64_t sweep(fixture_t *f, int64_t now_ms) {
    uint64_t n = 77;
    CHECK_STATUS(cm_apply_decay(f->thread, now_ms, &n), CM_OK);
    return n;
}

#define CHECK_IMPORTANCE(f, id, expected)                                                                                                \
    do {                                                                                                                                 \
        double has = (double)look(f, id).importance, wants = (expected);                                                                 \
        CHECK_MSG(has - wants <= 1e-5 && wants - has <= 1e-5, "line %d: the importance of %s is %.8f, expected %.8f", __LINE__, id, has, \
                  wants);                                                                                                                \
    } while (0)

/* ---- decay -------------------------------------------------------------------------------------------------------------------------------- */

/* The base rate, its own, a slow and a fast one. */
TEST(any_number_of_sweeps_over_one_span_gives_the_closed_form) {
    static const struct {
        const char *id;
        float importance, rate;
    } all[] = {{"base", 0.8f, 0}, {"own", 1, 0.05f}, {"slow", 0.5f, 1e-4f}, {"fast", 0.9f, 0.7f}, {"faster", 1, 40}, {"nothing", 0, 0.3f}};
    static const uint32_t numbers[] = {1, 10, 1000};
    const int64_t span_ms = 30 * HOUR_MS;
    for (uint32_t i = 0; i < 3; i++) {
        fixture_t f = open_small();
        for (uint32_t m = 0; m < 6; m++) put(&f, all[m].id, all[m].importance, all[m].rate, NOW_MS);
        for (uint32_t s = 1; s <= numbers[i]; s++) CHECK_EQ_U64(sweep(&f, NOW_MS + span_ms * s / numbers[i]), 6);
        for (uint32_t m = 0; m < 6; m++) {
            double rate = all[m].rate > 0 ? (double)all[m].rate : (double)0.1f;
            CHECK_IMPORTANCE(&f, all[m].id, (double)all[m].importance * exp(-rate * 30));
        }
        check_store(&f);
        fixture_close(&f);
    }
}

TEST(the_same_moment_or_an_earlier_one_does_nothing) {
    fixture_t f = open_small();
    put(&f, "a", 0.8f, 0.2f, NOW_MS);
    CHECK_EQ_U64(sweep(&f, NOW_MS), 0);
    CHECK_EQ_U64(sweep(&f, NOW_MS - HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 2 * HOUR_MS), 1);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 2 * HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&f, NOW_MS + HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&f, INT64_MIN + 1), 0);
    CHECK_IMPORTANCE(&f, "a", 0.8 * exp(-0.2 * 2));
    CHECK_STATUS(cm_apply_decay(f.thread, NOW_MS + 3 * HOUR_MS, NULL), CM_OK);
    CHECK_IMPORTANCE(&f, "a", 0.8 * exp(-0.2 * 3));
    fixture_close(&f);
}

TEST(the_stores_clock_is_asked_for_now) {
    fixture_t f = open_small();
    put(&f, "a", 1, 0.5f, NOW_MS - 3 * HOUR_MS);
    CHECK_EQ_U64(sweep(&f, CM_NOW), 1);
    CHECK_IMPORTANCE(&f, "a", exp(-1.5));
    fixture_close(&f);
}

/* From the later of access and sweep on. */
TEST(an_access_begins_the_interval_anew) {
    fixture_t f = open_small();
    put(&f, "a", 1, 0.1f, NOW_MS);
    put(&f, "b", 1, 0.1f, NOW_MS);
    touch(&f, "a", NOW_MS + 10 * HOUR_MS);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 10 * HOUR_MS), 1);
    CHECK_IMPORTANCE(&f, "a", 1);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 15 * HOUR_MS), 2);
    CHECK_IMPORTANCE(&f, "a", exp(-0.5));
    CHECK_IMPORTANCE(&f, "b", exp(-1.5));
    touch(&f, "a", NOW_MS + 12 * HOUR_MS); /* before the last sweep: as if it were not */
    CHECK_EQ_U64(sweep(&f, NOW_MS + 16 * HOUR_MS), 2);
    CHECK_IMPORTANCE(&f, "a", exp(-0.6));
    fixture_close(&f);
}

TEST(what_lies_in_the_future_does_not_fade_before_then) {
    fixture_t f = open_small();
    put(&f, "accessed", 1, 0.1f, NOW_MS);
    put(&f, "created", 1, 0.1f, NOW_MS + 100 * HOUR_MS);
    touch(&f, "accessed", NOW_MS + 100 * HOUR_MS);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 50 * HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 110 * HOUR_MS), 2);
    CHECK_IMPORTANCE(&f, "accessed", exp(-1));
    CHECK_IMPORTANCE(&f, "created", exp(-1));
    fixture_close(&f);
}

TEST(extremes_fade_to_nothing_and_never_to_nan) {
    static const float rates[] = {FLT_TRUE_MIN, 1e-30f, 0.1f, 1e30f, FLT_MAX};
    static const int64_t times[] = {INT64_MIN + 1, -1, 0, NOW_MS, INT64_MAX};
    fixture_t f = open_small();
    char id[16];
    for (uint32_t i = 0; i < 25; i++) {
        snprintf(id, sizeof id, "%u", i);
        put(&f, id, 1, rates[i / 5], times[i % 5]);
    }
    for (uint32_t t = 1; t < 5; t++) sweep(&f, times[t]);
    for (uint32_t i = 0; i < 25; i++) {
        snprintf(id, sizeof id, "%u", i);
        float importance = look(&f, id).importance;
        CHECK_MSG(importance >= 0 && importance <= 1, "rate %g, created %" PRId64 ": %g", (double)rates[i / 5], times[i % 5],
                  (double)importance);
        if (i % 5 == 4) CHECK(importance == 1);
        else if (i / 5 >= 2) CHECK(importance == 0);
        else if (i / 5 == 0) CHECK(importance == 1);
    }
    check_store(&f);
    fixture_close(&f);
}

TEST(a_replaced_memory_begins_anew) {
    fixture_t f = open_small();
    put(&f, "a", 1, 0.1f, NOW_MS);
    sweep(&f, NOW_MS + 20 * HOUR_MS);
    put(&f, "a", 0.5f, 0.1f, NOW_MS);
    CHECK_IMPORTANCE(&f, "a", 0.5);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 20 * HOUR_MS), 1);
    CHECK_IMPORTANCE(&f, "a", 0.5 * exp(-2));
    CHECK_STATUS(cm_remove(f.thread, CM_STR("a")), CM_OK);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 30 * HOUR_MS), 0);
    fixture_close(&f);
}

TEST(a_snapshot_keeps_how_far_decay_has_come) {
    fixture_t f = open_small();
    put(&f, "a", 1, 0.1f, NOW_MS);
    put(&f, "b", 1, 0.2f, NOW_MS + 30 * HOUR_MS);
    sweep(&f, NOW_MS + 20 * HOUR_MS);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    CHECK_EQ_U64(sweep(&loaded, NOW_MS + 20 * HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&loaded, NOW_MS + 40 * HOUR_MS), 2);
    CHECK_IMPORTANCE(&loaded, "a", exp(-4));
    CHECK_IMPORTANCE(&loaded, "b", exp(-2));
    memory_file_free(&file);
    fixture_close(&loaded);
    fixture_close(&f);
}

/* The rate that holds when a sweep comes holds for its whole interval. */
TEST(a_new_rate_holds_from_the_last_sweep_on) {
    fixture_t f = open_small();
    put(&f, "a", 1, 0.1f, NOW_MS);
    sweep(&f, NOW_MS + 10 * HOUR_MS);
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_DECAY_RATE, update.decay_rate = 0.3f;
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    sweep(&f, NOW_MS + 20 * HOUR_MS);
    CHECK_IMPORTANCE(&f, "a", exp(-1 - 3));
    update.decay_rate = 0; /* the store's again */
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    sweep(&f, NOW_MS + 30 * HOUR_MS);
    CHECK_IMPORTANCE(&f, "a", exp(-1 - 3 - 1));
    CHECK(look(&f, "a").decay_rate == 0);
    fixture_close(&f);
}

TEST(an_importance_that_was_set_fades_from_then_on) {
    fixture_t f = open_small();
    put(&f, "a", 0.3f, 0.1f, NOW_MS);
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_IMPORTANCE, update.importance = 0.9f, update.now_ms = NOW_MS + 10 * HOUR_MS;
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK_IMPORTANCE(&f, "a", 0.9);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 5 * HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 10 * HOUR_MS), 0);
    CHECK_EQ_U64(sweep(&f, NOW_MS + 12 * HOUR_MS), 1);
    CHECK_IMPORTANCE(&f, "a", 0.9 * exp(-0.2));
    update.now_ms = NOW_MS; /* in the past of the last sweep: the mark stays */
    update.importance = 1;
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    sweep(&f, NOW_MS + 13 * HOUR_MS);
    CHECK_IMPORTANCE(&f, "a", exp(-0.1));
    update.now_ms = CM_NOW; /* NOW_MS by the clock */
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK_IMPORTANCE(&f, "a", 1);
    fixture_close(&f);
}

/* ---- update ------------------------------------------------------------------------------------------------------------------------------------ */

static const cm_str_t some_relationships[] = {{"x", 1}, {"yy", 2}};

static void put_whole(fixture_t *f, const char *id) {
    cm_memory_t memory = memory_of(id, 0.4f, 0.2f, NOW_MS - HOUR_MS);
    memory.context = CM_STR("work");
    memory.text = CM_STR("the text");
    memory.metadata = CM_STR("{\"n\": 1}");
    memory.relationships = some_relationships, memory.n_relationships = 2;
    CHECK_STATUS(cm_insert(f->thread, &memory), CM_OK);
}

/* What every update leaves as it is. */
static void check_kept(fixture_t *f, const char *id) {
    static const float vector[DIM] = {1, 2, 3, 4};
    cm_memory_t memory = look(f, id);
    CHECK(memcmp(memory.vector, vector, sizeof vector) == 0);
    CHECK_EQ_U64(memory.created_ms, NOW_MS - HOUR_MS);
    CHECK_EQ_U64(memory.accessed_ms, NOW_MS - HOUR_MS);
    CHECK_EQ_U64(memory.access_count, 0);
    CHECK_EQ_U64(memory.n_relationships, 2);
    for (uint32_t i = 0; i < memory.n_relationships; i++) CHECK(same_str(memory.relationships[i], some_relationships[i]));
}

static uint64_t count_of(fixture_t *f, const char *label) {
    cm_context_stat_t stat;
    uint64_t cursor = 0, n = 0;
    while (cm_next_context(f->thread, &cursor, &stat, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        CHECK(stat.n_memories > 0);
        if (same_str(stat.context, str(label))) n = stat.n_memories;
    }
    cm_context_summary_t summary;
    CHECK_STATUS(cm_context_summary(f->thread, str(label), &summary, NULL, 0), CM_OK);
    CHECK_EQ_U64(summary.n_memories, n);
    return n;
}

/* All 31 combinations: the fields asked for change, no other. */
TEST(each_field_changes_alone_and_with_others) {
    for (uint32_t fields = 1; fields < 32; fields++) {
        fixture_t f = open_small();
        put_whole(&f, "other");
        put_whole(&f, "a");
        cm_hit_t hit;
        size_t n;
        float vector[DIM] = {1, 2, 3, 4};
        cm_search_t first = CM_SEARCH_INIT;
        first.k = 1;
        CHECK_STATUS(cm_search(f.thread, vector, DIM, &first, &hit, &n), CM_OK);
        cm_memory_t before = look(&f, "a"), after;
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = fields, update.importance = 0.75f, update.decay_rate = 0.6f;
        update.context = CM_STR("home"), update.text = CM_STR("a new and longer text"), update.metadata = CM_STR("[]");
        bool importance = fields & CM_UPDATE_IMPORTANCE, rate = fields & CM_UPDATE_DECAY_RATE, context = fields & CM_UPDATE_CONTEXT;
        CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
        after = look(&f, "a");
        CHECK(after.importance == (importance ? 0.75f : 0.4f) && after.decay_rate == (rate ? 0.6f : 0.2f));
        CHECK(same_str(after.context, str(context ? "home" : "work")));
        CHECK(same_str(after.text, str(fields & CM_UPDATE_TEXT ? "a new and longer text" : "the text")));
        CHECK(same_str(after.metadata, str(fields & CM_UPDATE_METADATA ? "[]" : "{\"n\": 1}")));
        check_kept(&f, "a");
        CHECK_EQ_U64(count_of(&f, "work"), context ? 1 : 2);
        CHECK_EQ_U64(count_of(&f, "home"), context ? 1 : 0);
        CHECK_STATUS(cm_get_hit(f.thread, hit.slot, hit.generation, &before, f.buffer, MEMORY_BUFFER_BYTES, NULL),
                     CM_OK); /* the handle stays */
        check_kept(&f, "other");
        after = look(&f, "other");
        CHECK(after.importance == 0.4f && same_str(after.context, CM_STR("work")) && same_str(after.text, CM_STR("the text")));
        check_store(&f);
        fixture_close(&f);
    }
}

TEST(empty_strings_drop_text_and_metadata) {
    fixture_t f = open_small();
    put_whole(&f, "a");
    uint64_t used = cmi_blocks_bytes_used(f.store->blocks);
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_TEXT;
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK(look(&f, "a").text.len == 0 && same_str(look(&f, "a").metadata, CM_STR("{\"n\": 1}")));
    update.fields = CM_UPDATE_METADATA;
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK(look(&f, "a").metadata.len == 0);
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK); /* nothing there to drop */
    update.fields = CM_UPDATE_TEXT, update.text = CM_STR("again");
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK(same_str(look(&f, "a").text, CM_STR("again")));
    check_store(&f);
    CHECK(used > 0);
    fixture_close(&f);
}

static void must_fail(fixture_t *f, const cm_update_t *update, cm_status_t status, const char *words) {
    memory_file_t before = save_to_memory(f), after;
    CHECK_STATUS(cm_update(f->thread, CM_STR("a"), update), status);
    CHECK_MSG(strstr(cm_message(f->thread), words), "\"%s\" does not say \"%s\"", cm_message(f->thread), words);
    after = save_to_memory(f);
    check_same_bytes(&before, &after); /* nothing at all has changed */
    memory_file_free(&before), memory_file_free(&after);
    check_store(f);
}

TEST(errors_leave_everything_as_it_was) {
    static char huge[CM_MAX_PAYLOAD_BYTES + 1];
    memset(huge, 'x', sizeof huge);
    fixture_t f = open_small();
    put_whole(&f, "a");
    cm_update_t good = CM_UPDATE_INIT, update;
    good.fields = 31, good.importance = 0.6f, good.decay_rate = 0.6f, good.context = CM_STR("c"), good.text = CM_STR("t");
    update = good, update.fields = 0;
    must_fail(&f, &update, CM_E_ARGUMENT, "fields");
    update = good, update.fields = 32 + 1;
    must_fail(&f, &update, CM_E_ARGUMENT, "fields");
    update = good, update.fields = 1u << 31;
    must_fail(&f, &update, CM_E_ARGUMENT, "fields");
    update = good, update.size = 8;
    must_fail(&f, &update, CM_E_ARGUMENT, "CM_UPDATE_INIT");
    const float bad_importance[] = {-0.1f, 1.001f, NAN, INFINITY}, bad_rate[] = {-1, NAN, INFINITY};
    for (uint32_t i = 0; i < 4; i++) update = good, update.importance = bad_importance[i], must_fail(&f, &update, CM_E_RANGE, "importance");
    for (uint32_t i = 0; i < 3; i++) update = good, update.decay_rate = bad_rate[i], must_fail(&f, &update, CM_E_RANGE, "decay_rate");
    update = good, update.context.len = 0;
    must_fail(&f, &update, CM_E_RANGE, "context");
    update = good, update.context = (cm_str_t){huge, CM_MAX_CONTEXT_BYTES + 1};
    must_fail(&f, &update, CM_E_TOO_LARGE, "context");
    update = good, update.context = CM_STR("\xFF");
    must_fail(&f, &update, CM_E_UTF8, "context");
    update = good, update.text = CM_STR("\xC0\x80");
    must_fail(&f, &update, CM_E_UTF8, "text");
    update = good, update.text = (cm_str_t){NULL, 3};
    must_fail(&f, &update, CM_E_ARGUMENT, "text");
    update = good, update.metadata = (cm_str_t){huge, sizeof huge};
    must_fail(&f, &update, CM_E_TOO_LARGE, "metadata");
    CHECK_STATUS(cm_update(f.thread, CM_STR("nobody"), &good), CM_E_NOT_FOUND);
    CHECK_STATUS(cm_update(f.thread, (cm_str_t){NULL, 0}, &good), CM_E_NOT_FOUND);
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), NULL), CM_E_ARGUMENT);
    update = good, update.fields = CM_UPDATE_TEXT, update.importance = 7,
    update.context.len = 0; /* what is not asked for is not looked at */
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    fixture_close(&f);
}

/* Text and metadata together: also with what stays. */
TEST(the_payload_limit_holds_across_text_and_metadata) {
    static char bytes[CM_MAX_PAYLOAD_BYTES];
    memset(bytes, 'x', sizeof bytes);
    fixture_t f = open_small();
    put_whole(&f, "a"); /* metadata: 8 bytes */
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_TEXT | CM_UPDATE_CONTEXT | CM_UPDATE_DECAY_RATE, update.context = CM_STR("other"), update.decay_rate = 9;
    update.text = (cm_str_t){bytes, CM_MAX_PAYLOAD_BYTES - 7};
    must_fail(&f, &update, CM_E_TOO_LARGE, "together");
    CHECK_EQ_U64(count_of(&f, "other"), 0); /* the move that was prepared is undone */
    update.text.len = CM_MAX_PAYLOAD_BYTES - 8;
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK_EQ_U64(look(&f, "a").text.len, CM_MAX_PAYLOAD_BYTES - 8);
    update.fields = CM_UPDATE_METADATA, update.metadata = CM_STR("123456789");
    must_fail(&f, &update, CM_E_TOO_LARGE, "together");
    update.fields = CM_UPDATE_METADATA | CM_UPDATE_TEXT, update.text = CM_STR("");
    update.metadata = (cm_str_t){bytes, sizeof bytes};
    CHECK_STATUS(cm_update(f.thread, CM_STR("a"), &update), CM_OK);
    CHECK_EQ_U64(look(&f, "a").metadata.len, CM_MAX_PAYLOAD_BYTES);
    check_store(&f);
    fixture_close(&f);
}

/* Back and forth, to itself, to a context of its own: counts, summaries and searches agree. */
TEST(moves_between_contexts_are_counted_right) {
    enum { N = 60, LABELS = 4 };
    static const char *const labels[LABELS] = {"a", "b", "c", "default"};
    fixture_t f = open_small();
    rng_t rng = rng_seed(4);
    uint32_t where[N], n_in[LABELS] = {0};
    char id[16];
    for (uint32_t i = 0; i < N; i++) {
        snprintf(id, sizeof id, "%u", i);
        put(&f, id, 0.5f, 0, NOW_MS);
        where[i] = 3, n_in[3]++;
    }
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t i = rng_below(&rng, N), to = rng_below(&rng, LABELS);
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = CM_UPDATE_CONTEXT, update.context = str(labels[to]);
        snprintf(id, sizeof id, "%u", i);
        CHECK_STATUS(cm_update(f.thread, str(id), &update), CM_OK);
        n_in[where[i]]--, n_in[to]++, where[i] = to;
        if (step % 100) continue;
        for (uint32_t l = 0; l < LABELS; l++) {
            cm_hit_t hits[N];
            size_t n;
            float query[DIM] = {1, 0, 0, 0};
            cm_search_t options = CM_SEARCH_INIT;
            options.k = N, options.context = str(labels[l]);
            CHECK_EQ_U64(count_of(&f, labels[l]), n_in[l]);
            CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
            CHECK_EQ_U64(n, n_in[l]);
        }
        check_store(&f);
    }
    fixture_close(&f);
}

/* By recency alone: whoever fades slower is fresher. Far more memories than are scanned. */
TEST(a_new_rate_moves_a_memory_in_the_recency_index) {
    enum { N = 1900 };
    fixture_t f = open_small();
    char id[16];
    rng_t rng = rng_seed(5);
    static float rates[N];
    for (uint32_t i = 0; i < N; i++) {
        snprintf(id, sizeof id, "%u", i);
        put(&f, id, 0.5f, rates[i] = 0.1f, NOW_MS - HOUR_MS - i);
    }
    for (uint32_t round = 0; round < 40; round++) {
        cm_hit_t hits[5];
        size_t n;
        float query[DIM] = {1, 0, 0, 0};
        cm_search_t options = CM_SEARCH_INIT;
        cm_search_report_t report;
        uint32_t moved = rng_below(&rng, N), best = 0;
        cm_update_t update = CM_UPDATE_INIT;
        snprintf(id, sizeof id, "%u", moved);
        update.fields = CM_UPDATE_DECAY_RATE, update.decay_rate = rates[moved] = round % 4 == 3 ? 5 : 0.1f / (float)(2 + round);
        CHECK_STATUS(cm_update(f.thread, str(id), &update), CM_OK);
        options.k = 5, options.temporal_weight = 1, options.now_ms = NOW_MS;
        CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
        cm_last_search(f.thread, &report);
        CHECK(n == 5 && report.strategy == CM_STRATEGY_STREAMS);
        for (uint32_t i = 1; i < N; i++)
            if ((double)rates[i] * (double)(HOUR_MS + i) < (double)rates[best] * (double)(HOUR_MS + best)) best = i;
        cm_memory_t memory;
        CHECK_STATUS(cm_get_hit(f.thread, hits[0].slot, hits[0].generation, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        snprintf(id, sizeof id, "%u", best);
        CHECK_MSG(same_str(memory.id, str(id)), "round %u: %.*s is the freshest, expected %s", round, (int)memory.id.len, memory.id.data,
                  id);
    }
    check_store(&f);
    fixture_close(&f);
}

TEST(an_updated_store_survives_a_snapshot) {
    fixture_t f = open_small();
    char id[32], text[32];
    fill(&f, 300);
    for (uint32_t i = 0; i < 300; i++) {
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = 1 + i % 31, update.importance = (float)(i % 11) / 10, update.decay_rate = (float)(i % 6) / 7;
        update.context = i % 2 ? CM_STR("conversation 2") : CM_STR("moved");
        update.text = (cm_str_t){text, i % 5 ? (size_t)snprintf(text, sizeof text, "text %u", i) : 0};
        cm_status_t status = cm_update(f.thread, numbered_id(id, sizeof id, "memory-", i), &update);
        CHECK(status == CM_OK || status == CM_E_NOT_FOUND);
    }
    sweep(&f, NOW_MS + HOUR_MS);
    check_store(&f);
    memory_file_t file = save_to_memory(&f), again;
    fixture_t loaded = load_fixture(&file);
    check_same_memories(&f, &loaded);
    check_same_answers(&f, &loaded, 30);
    check_same_stats(&f, &loaded);
    check_store(&loaded);
    again = save_to_memory(&loaded);
    check_same_bytes(&file, &again);
    memory_file_free(&file), memory_file_free(&again);
    fixture_close(&loaded);
    fixture_close(&f);
}

/* Nodes wait for a reader that never ends: in the end there are none, nothing has changed, and once it has ended there are again. */
TEST(no_nodes_left_is_said_and_survived) {
    cm_config_t config = small_config(DIM);
    config.max_memories = 10;
    fixture_t f = fixture_open(&config);
    cm_thread_t *reader;
    CHECK_STATUS(cm_attach(f.store, &reader), CM_OK);
    put_whole(&f, "a");
    f.store->postings.nodes.items.arena.capacity = 5000; /* of a million */
    cmi_thread_pin(reader);
    cm_update_t update = CM_UPDATE_INIT;
    cm_status_t status = CM_OK;
    update.fields = CM_UPDATE_CONTEXT | CM_UPDATE_DECAY_RATE;
    uint32_t n = 0;
    for (; n < 20000 && status == CM_OK; n++) {
        update.context = n % 2 ? CM_STR("work") : CM_STR("home"), update.decay_rate = n % 2 ? 0.2f : 3;
        status = cm_update(f.thread, CM_STR("a"), &update);
    }
    CHECK_STATUS(status, CM_E_INDEX_FULL);
    CHECK_MSG(strstr(cm_message(f.thread), "postings"), "%s", cm_message(f.thread));
    check_store(&f);
    CHECK_EQ_U64(count_of(&f, "work") + count_of(&f, "home"), 1);
    check_kept(&f, "a");
    cm_memory_t memory = memory_of("b", 1, 1, NOW_MS);
    CHECK_STATUS(cm_insert(f.thread, &memory), CM_E_INDEX_FULL);
    check_store(&f);
    cmi_thread_unpin(reader);
    status = CM_E_INDEX_FULL;
    for (uint32_t i = 0; i < 100000 && status != CM_OK; i++) { /* bounded: until a grace period has passed */
        cm_detach(reader);
        CHECK_STATUS(cm_attach(f.store, &reader), CM_OK);
        (void)cm_remove(f.thread, CM_STR("nobody")); /* submits what waits, now and then */
        update.fields = CM_UPDATE_CONTEXT;
        status = cm_update(f.thread, CM_STR("a"), &update);
    }
    CHECK_STATUS(status, CM_OK);
    check_store(&f);
    printf("# %u updates took all nodes\n", n);
    cm_detach(reader);
    fixture_close(&f);
}

int main(void) {
    RUN(any_number_of_sweeps_over_one_span_gives_the_closed_form);
    RUN(the_same_moment_or_an_earlier_one_does_nothing);
    RUN(the_stores_clock_is_asked_for_now);
    RUN(an_access_begins_the_interval_anew);
    RUN(what_lies_in_the_future_does_not_fade_before_then);
    RUN(extremes_fade_to_nothing_and_never_to_nan);
    RUN(a_replaced_memory_begins_anew);
    RUN(a_snapshot_keeps_how_far_decay_has_come);
    RUN(a_new_rate_holds_from_the_last_sweep_on);
    RUN(an_importance_that_was_set_fades_from_then_on);
    RUN(each_field_changes_alone_and_with_others);
    RUN(empty_strings_drop_text_and_metadata);
    RUN(errors_leave_everything_as_it_was);
    RUN(the_payload_limit_holds_across_text_and_metadata);
    RUN(moves_between_contexts_are_counted_right);
    RUN(a_new_rate_moves_a_memory_in_the_recency_index);
    RUN(an_updated_store_survives_a_snapshot);
    RUN(no_nodes_left_is_said_and_survived);
    return tap_done();
}
