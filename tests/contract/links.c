/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * links.c - relationships and contexts through the C API: what cm_relate(), cm_unrelate() and replacements make of the lists, the order of cm_related(), and summaries against a plain sum.
 */
#include "store/store_impl.h"
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#include <math.h>

enum { DIM = 3, CAP = 6 };

static fixture_t open_small(void) {
    cm_config_t config = small_config(DIM);
    CHECK_EQ_U64(config.max_relationships, CAP);
    return fixture_open(&config);
}

static void check_store(fixture_t *f) {
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
}

/* "b c" are its relationships. */
static void put(fixture_t *f, const char *id, const char *words) {
    cm_str_t names[64];
    float vector[DIM] = {(float)strlen(id), (float)id[0], 1};
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = str(id), memory.vector = vector, memory.dimensions = DIM;
    memory.relationships = names, memory.n_relationships = split(words, names);
    CHECK_STATUS(cm_insert(f->thread, &memory), CM_OK);
}

static void check_list(fixture_t *f, int line, const char *id, const char *words) {
    cm_str_t names[64];
    cm_memory_t memory;
    uint32_t n = split(words, names);
    CHECK_STATUS(cm_get(f->thread, str(id), &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    bool same = memory.n_relationships == n;
    for (uint32_t i = 0; same && i < n; i++) same = same_str(memory.relationships[i], names[i]);
    if (same) return;
    CHECK_MSG(false, "line %d: %s has %u relationships, expected \"%s\"; they are:", line, id, memory.n_relationships, words);
    for (uint32_t i = 0; i < memory.n_relationships; i++)
        printf("#   %.*s\n", (int)memory.relationships[i].len, memory.relationships[i].data);
}
#define CHECK_LIST(f, id, words) check_list((f), __LINE__, (id), (words))

#define RELATE(f, id, to, status) CHECK_STATUS(cm_relate((f)->thread, str(id), str(to)), status)
#define UNRELATE(f, id, to, status) CHECK_STATUS(cm_unrelate((f)->thread, str(id), str(to)), status)

/* ---- relate, unrelate --------------------------------------------------------------------------------------------------------------------- */

TEST(relating_adds_behind_and_unrelating_takes_out) {
    fixture_t f = open_small();
    put(&f, "a", "");
    RELATE(&f, "a", "x", CM_OK);
    RELATE(&f, "a", "nobody", CM_OK);
    RELATE(&f, "a", "y", CM_OK);
    CHECK_LIST(&f, "a", "x nobody y");
    RELATE(&f, "a", "nobody", CM_OK); /* there already: in its place */
    CHECK_LIST(&f, "a", "x nobody y");
    UNRELATE(&f, "a", "nobody", CM_OK);
    CHECK_LIST(&f, "a", "x y");
    UNRELATE(&f, "a", "nobody", CM_OK);
    UNRELATE(&f, "a", "xx", CM_OK);
    CHECK_LIST(&f, "a", "x y");
    UNRELATE(&f, "a", "x", CM_OK);
    UNRELATE(&f, "a", "y", CM_OK);
    CHECK_LIST(&f, "a", "");
    UNRELATE(&f, "a", "y", CM_OK);
    RELATE(&f, "a", "y", CM_OK);
    CHECK_LIST(&f, "a", "y");
    check_store(&f);
    fixture_close(&f);
}

TEST(a_memory_may_be_related_to_itself) {
    fixture_t f = open_small();
    put(&f, "a", "b");
    RELATE(&f, "a", "a", CM_OK);
    RELATE(&f, "a", "c", CM_OK);
    CHECK_LIST(&f, "a", "b a c");
    put(&f, "a", "d"); /* replaced: the new first, then the old, itself among them */
    CHECK_LIST(&f, "a", "d b a c");
    UNRELATE(&f, "a", "a", CM_OK);
    CHECK_LIST(&f, "a", "d b c");
    fixture_close(&f);
}

TEST(the_cap_is_said_and_leaves_the_list) {
    fixture_t f = open_small();
    put(&f, "a", "1 2 3 4 5");
    RELATE(&f, "a", "6", CM_OK);
    RELATE(&f, "a", "7", CM_E_TOO_LARGE);
    CHECK_MSG(strstr(cm_message(f.thread), "max_relationships (6)"), "%s", cm_message(f.thread));
    RELATE(&f, "a", "3", CM_OK); /* there already */
    CHECK_LIST(&f, "a", "1 2 3 4 5 6");
    UNRELATE(&f, "a", "1", CM_OK);
    RELATE(&f, "a", "7", CM_OK);
    CHECK_LIST(&f, "a", "2 3 4 5 6 7");
    check_store(&f);
    fixture_close(&f);
}

TEST(the_limit_of_bytes_is_said_and_leaves_the_list) {
    static char names[1100][CM_MAX_ID_BYTES];
    cm_config_t config = small_config(DIM);
    config.max_relationships = 2000;
    fixture_t f = fixture_open(&config);
    put(&f, "a", "");
    uint32_t n = 0, most = CM_MAX_RELATIONSHIPS_BYTES / (CM_MAX_ID_BYTES + 4);
    cm_status_t status = CM_OK;
    while (status == CM_OK && n < 1100) {
        memset(names[n], 'x', CM_MAX_ID_BYTES);
        memcpy(names[n], (char[5]){(char)('0' + n / 1000), (char)('0' + n / 100 % 10), (char)('0' + n / 10 % 10), (char)('0' + n % 10)}, 4);
        status = cm_relate(f.thread, CM_STR("a"), (cm_str_t){names[n], CM_MAX_ID_BYTES});
        n += status == CM_OK;
    }
    CHECK_STATUS(status, CM_E_TOO_LARGE);
    CHECK_EQ_U64(n, most);
    RELATE(&f, "a", "short", CM_OK); /* 9 bytes are left for it */
    check_store(&f);
    cm_memory_t memory;
    CHECK_STATUS(cm_get(f.thread, CM_STR("a"), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    CHECK_EQ_U64(memory.n_relationships, most + 1);
    fixture_close(&f);
}

TEST(bad_ids_are_refused) {
    static char huge[CM_MAX_ID_BYTES + 1];
    memset(huge, 'i', sizeof huge);
    fixture_t f = open_small();
    put(&f, "a", "b");
    RELATE(&f, "nobody", "a", CM_E_NOT_FOUND);
    UNRELATE(&f, "nobody", "a", CM_E_NOT_FOUND);
    for (int which = 0; which < 2; which++) {
        cm_status_t (*call)(cm_thread_t *, cm_str_t, cm_str_t) = which ? cm_unrelate : cm_relate;
        CHECK_STATUS(call(f.thread, CM_STR("a"), (cm_str_t){"", 0}), CM_E_ID);
        CHECK_STATUS(call(f.thread, CM_STR("a"), (cm_str_t){huge, sizeof huge}), CM_E_ID);
        CHECK_STATUS(call(f.thread, CM_STR("a"), CM_STR("\xFF")), CM_E_ID);
        CHECK_STATUS(call(f.thread, (cm_str_t){NULL, 0}, CM_STR("a")), CM_E_NOT_FOUND);
        CHECK_STATUS(call(NULL, CM_STR("a"), CM_STR("b")), CM_E_ARGUMENT);
    }
    CHECK_LIST(&f, "a", "b");
    fixture_close(&f);
}

TEST(replacing_merges_what_was_related) {
    fixture_t f = open_small();
    put(&f, "a", "1 2");
    RELATE(&f, "a", "3", CM_OK);
    put(&f, "a", "3 4");
    CHECK_LIST(&f, "a", "3 4 1 2");
    UNRELATE(&f, "a", "1", CM_OK);
    put(&f, "a", "5 6 7");
    CHECK_LIST(&f, "a", "5 6 7 3 4 2");
    put(&f, "a", "8 8 9");
    CHECK_LIST(&f, "a", "8 9 5 6 7 3"); /* capped */
    CHECK_STATUS(cm_remove(f.thread, CM_STR("a")), CM_OK);
    put(&f, "a", "z");
    CHECK_LIST(&f, "a", "z"); /* a removed memory leaves nothing */
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    RELATE(&loaded, "a", "y", CM_OK);
    CHECK_LIST(&loaded, "a", "z y");
    memory_file_free(&file);
    fixture_close(&loaded);
    fixture_close(&f);
}

/* ---- related -------------------------------------------------------------------------------------------------------------------------------------- */

/* "b:1 c:1 d:2": ids and depths, in order. */
static void check_related(fixture_t *f, int line, const char *id, uint32_t depth, const char *expected) {
    cm_related_t out[64];
    char found[512] = "";
    uint32_t n = 77;
    CHECK_STATUS(cm_related(f->thread, str(id), depth, out, 64, &n), CM_OK);
    for (uint32_t i = 0; i < n; i++) {
        cm_memory_t memory = {0};
        CHECK_STATUS(cm_get_hit(f->thread, out[i].slot, out[i].generation, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        size_t len = strlen(found);
        snprintf(found + len, sizeof found - len, "%s%.*s:%u", i ? " " : "", (int)memory.id.len, memory.id.data, out[i].depth);
    }
    CHECK_MSG(strcmp(found, expected) == 0, "line %d: %s to depth %u: \"%s\", expected \"%s\"", line, id, depth, found, expected);
    uint32_t n_only = 77;
    CHECK_STATUS(cm_related(f->thread, str(id), depth, NULL, 0, &n_only), n ? CM_E_BUFFER : CM_OK);
    CHECK_EQ_U64(n_only, n);
}
#define CHECK_RELATED(f, id, depth, expected) check_related((f), __LINE__, (id), (depth), (expected))

TEST(related_goes_breadth_first_in_the_order_of_lists) {
    fixture_t f = open_small();
    put(&f, "a", "b nobody c");
    put(&f, "b", "d a e");
    put(&f, "c", "e f");
    put(&f, "d", "g"), put(&f, "e", ""), put(&f, "f", "b h"), put(&f, "g", "g"), put(&f, "h", "a");
    CHECK_RELATED(&f, "a", 0, "");
    CHECK_RELATED(&f, "a", 1, "b:1 c:1");
    CHECK_RELATED(&f, "a", 2, "b:1 c:1 d:2 e:2 f:2");
    CHECK_RELATED(&f, "a", 3, "b:1 c:1 d:2 e:2 f:2 g:3 h:3");
    CHECK_RELATED(&f, "a", 4, "b:1 c:1 d:2 e:2 f:2 g:3 h:3");
    CHECK_RELATED(&f, "a", UINT32_MAX, "b:1 c:1 d:2 e:2 f:2 g:3 h:3");
    CHECK_RELATED(&f, "h", 2, "a:1 b:2 c:2");
    CHECK_RELATED(&f, "g", 5, ""); /* to itself alone */
    CHECK_RELATED(&f, "e", 5, "");
    uint32_t n = 77;
    CHECK_STATUS(cm_related(f.thread, CM_STR("nobody"), 1, NULL, 0, &n), CM_E_NOT_FOUND);
    CHECK_EQ_U64(n, 0);
    fixture_close(&f);
}

TEST(related_says_how_much_room_it_needs) {
    fixture_t f = open_small();
    put(&f, "a", "b c d"), put(&f, "b", ""), put(&f, "c", ""), put(&f, "d", "");
    cm_related_t out[4] = {{.slot = 99}, {.slot = 99}, {.slot = 99}, {.slot = 99}};
    uint32_t n = 0;
    CHECK_STATUS(cm_related(f.thread, CM_STR("a"), 1, out, 2, &n), CM_E_BUFFER);
    CHECK_EQ_U64(n, 3);
    CHECK_EQ_U64(out[0].slot, 99);
    CHECK_STATUS(cm_related(f.thread, CM_STR("a"), 1, out, 3, &n), CM_OK);
    CHECK(n == 3 && out[0].slot != 99 && out[3].slot == 99);
    CHECK_STATUS(cm_related(f.thread, CM_STR("a"), 1, NULL, 5, &n), CM_E_ARGUMENT);
    CHECK_STATUS(cm_related(f.thread, CM_STR("a"), 1, out, 5, NULL), CM_E_ARGUMENT);
    fixture_close(&f);
}

TEST(related_meets_what_the_ids_name_now) {
    fixture_t f = open_small();
    put(&f, "a", "b c"), put(&f, "b", "d"), put(&f, "c", ""), put(&f, "d", ""), put(&f, "e", "");
    put(&f, "b", "e"); /* replaced: e, then d */
    CHECK_RELATED(&f, "a", 2, "b:1 c:1 e:2 d:2");
    CHECK_STATUS(cm_remove(f.thread, CM_STR("b")), CM_OK);
    CHECK_RELATED(&f, "a", 2, "c:1");
    put(&f, "b", "d");
    CHECK_RELATED(&f, "a", 2, "b:1 c:1 d:2");
    CHECK_STATUS(cm_remove(f.thread, CM_STR("d")), CM_OK);
    CHECK_RELATED(&f, "a", 2, "b:1 c:1");
    UNRELATE(&f, "a", "b", CM_OK);
    RELATE(&f, "c", "a", CM_OK);
    RELATE(&f, "c", "e", CM_OK);
    CHECK_RELATED(&f, "a", 3, "c:1 e:2");
    fixture_close(&f);
}

/* Against a plain search over random lists. */
TEST(related_agrees_with_a_plain_search) {
    enum { N = 120 };
    fixture_t f = open_small();
    static char words[N][128];
    static bool to[N][N];
    static uint32_t order[N][CAP], n_links[N];
    rng_t rng = rng_seed(8);
    char id[16];
    for (uint32_t i = 0; i < N; i++) {
        words[i][0] = 0;
        for (uint32_t j = rng_below(&rng, CAP); j > 0; j--) {
            uint32_t target = rng_below(&rng, N);
            if (to[i][target]) continue;
            to[i][target] = true, order[i][n_links[i]++] = target;
            snprintf(words[i] + strlen(words[i]), 16, "%s%u", n_links[i] > 1 ? " " : "", target);
        }
        snprintf(id, sizeof id, "%u", i);
        put(&f, id, words[i]);
    }
    for (uint32_t q = 0; q < 200; q++) {
        uint32_t start = rng_below(&rng, N), depth = rng_below(&rng, 6), queue[N], depth_of[N], n = 1, n_found;
        bool seen[N] = {false};
        cm_related_t out[N];
        queue[0] = start, depth_of[0] = 0, seen[start] = true;
        for (uint32_t head = 0; head < n && depth_of[head] < depth; head++)
            for (uint32_t j = 0; j < n_links[queue[head]]; j++) {
                uint32_t target = order[queue[head]][j];
                if (seen[target]) continue;
                seen[target] = true, depth_of[n] = depth_of[head] + 1, queue[n++] = target;
            }
        snprintf(id, sizeof id, "%u", start);
        CHECK_STATUS(cm_related(f.thread, str(id), depth, out, N, &n_found), CM_OK);
        CHECK_EQ_U64(n_found, n - 1);
        for (uint32_t i = 0; i < n_found; i++) {
            cm_memory_t memory;
            CHECK_STATUS(cm_get_hit(f.thread, out[i].slot, out[i].generation, &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
            snprintf(id, sizeof id, "%u", queue[i + 1]);
            CHECK(same_str(memory.id, str(id)) && out[i].depth == depth_of[i + 1]);
        }
    }
    fixture_close(&f);
}

/* ---- summaries --------------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_summary_is_the_plain_mean) {
    enum { N = 500, LABELS = 3 };
    static const char *const labels[LABELS] = {"a", "b", "default"};
    static float vectors[N][DIM], importance[N];
    static uint32_t where[N];
    fixture_t f = open_small();
    rng_t rng = rng_seed(9);
    char id[16];
    for (uint32_t i = 0; i < N + 200; i++) {
        uint32_t m = i < N ? i : rng_below(&rng, N); /* some again */
        cm_memory_t memory = CM_MEMORY_INIT;
        for (uint32_t d = 0; d < DIM; d++) vectors[m][d] = rng_float(&rng) * (d == 2 ? 1e30f : 1); /* a float's sum would lose everything */
        if (m % 2) vectors[m][2] = -vectors[m - 1][2];
        importance[m] = 0.5f + rng_float(&rng) / 2, where[m] = rng_below(&rng, LABELS);
        snprintf(id, sizeof id, "%u", m);
        memory.id = str(id), memory.vector = vectors[m], memory.dimensions = DIM;
        memory.importance = importance[m], memory.context = str(labels[where[m]]);
        CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    }
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t l = 0; l < LABELS; l++) {
            double sums[DIM] = {0}, total = 0;
            uint32_t n = 0;
            float mean[DIM];
            cm_context_summary_t summary;
            for (uint32_t m = 0; m < N; m++) {
                if (where[m] != l) continue;
                n++, total += (double)importance[m];
                for (uint32_t d = 0; d < DIM; d++) sums[d] += (double)vectors[m][d];
            }
            CHECK_STATUS(cm_context_summary(f.thread, str(labels[l]), &summary, mean, DIM), CM_OK);
            CHECK_EQ_U64(summary.n_memories, n);
            CHECK(fabs(summary.average_importance - total / n) < 1e-9);
            for (uint32_t d = 0; d < DIM; d++) /* rounded once */
                CHECK_MSG(fabs((double)mean[d] - sums[d] / n) <= 1e-7 * fabs(sums[d] / n), "mean[%u] is %.9g, expected %.9g", d,
                          (double)mean[d], sums[d] / n);
            cm_context_summary_t again;
            CHECK_STATUS(cm_context_summary(f.thread, str(labels[l]), &again, NULL, 0), CM_OK); /* without the mean */
            CHECK(again.n_memories == summary.n_memories && again.average_importance == summary.average_importance);
        }
        for (uint32_t m = round; m < N; m += 7) { /* moves */
            cm_update_t update = CM_UPDATE_INIT;
            update.fields = CM_UPDATE_CONTEXT, where[m] = (where[m] + 1) % LABELS, update.context = str(labels[where[m]]);
            snprintf(id, sizeof id, "%u", m);
            CHECK_STATUS(cm_update(f.thread, str(id), &update), CM_OK);
        }
    }
    check_store(&f);
    fixture_close(&f);
}

TEST(a_context_that_nobody_is_in_is_empty) {
    fixture_t f = open_small();
    float mean[DIM] = {7, 7, 7};
    cm_context_summary_t summary = {7, 7};
    CHECK_STATUS(cm_context_summary(f.thread, CM_STR("unknown"), &summary, mean, DIM), CM_OK);
    CHECK(summary.n_memories == 0 && summary.average_importance == 0 && mean[0] == 0 && mean[2] == 0);
    put(&f, "a", "");
    CHECK_STATUS(cm_remove(f.thread, CM_STR("a")), CM_OK);
    mean[0] = 7;
    CHECK_STATUS(cm_context_summary(f.thread, CM_STR("default"), &summary, mean, DIM), CM_OK);
    CHECK(summary.n_memories == 0 && summary.average_importance == 0 && mean[0] == 0);
    fixture_close(&f);
}

TEST(bad_summaries_are_refused) {
    static char huge[CM_MAX_CONTEXT_BYTES + 1];
    memset(huge, 'c', sizeof huge);
    fixture_t f = open_small();
    float mean[DIM];
    cm_context_summary_t summary;
    CHECK_STATUS(cm_context_summary(f.thread, CM_STR("a"), &summary, mean, DIM - 1), CM_E_DIMENSION);
    CHECK_STATUS(cm_context_summary(f.thread, CM_STR("a"), NULL, mean, DIM), CM_E_ARGUMENT);
    CHECK_STATUS(cm_context_summary(f.thread, (cm_str_t){"", 0}, &summary, mean, DIM), CM_E_RANGE);
    CHECK_STATUS(cm_context_summary(f.thread, (cm_str_t){huge, sizeof huge}, &summary, mean, DIM), CM_E_TOO_LARGE);
    CHECK_STATUS(cm_context_summary(f.thread, CM_STR("\xFF"), &summary, mean, DIM), CM_E_UTF8);
    fixture_close(&f);
}

int main(void) {
    RUN(relating_adds_behind_and_unrelating_takes_out);
    RUN(a_memory_may_be_related_to_itself);
    RUN(the_cap_is_said_and_leaves_the_list);
    RUN(the_limit_of_bytes_is_said_and_leaves_the_list);
    RUN(bad_ids_are_refused);
    RUN(replacing_merges_what_was_related);
    RUN(related_goes_breadth_first_in_the_order_of_lists);
    RUN(related_says_how_much_room_it_needs);
    RUN(related_meets_what_the_ids_name_now);
    RUN(related_agrees_with_a_plain_search);
    RUN(a_summary_is_the_plain_mean);
    RUN(a_context_that_nobody_is_in_is_empty);
    RUN(bad_summaries_are_refused);
    return tap_done();
}
