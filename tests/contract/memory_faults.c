/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * memory_faults.c - the machine gives no more memory: at the n-th request for pages, for every n of a scenario that calls every operation of the store.
 *
 * plat_pages.h is wrapped when linking: requests are counted, and refused as told. Beside the store a twin lives with all the memory it wants. What the store did, the twin does; what the store
 * refused for want of memory, the twin leaves. So after each refusal, and in the end, both must be the same. A refused call says CM_E_NO_MEMORY, gives back every page it took, and leaves a
 * store in which check() finds nothing and every read still works. With the memory back the same call succeeds.
 *
 * Three courses: one request is refused (ONCE); all from the n-th on, until three more tries have failed, too (TRIES); all from the n-th on, for the rest of the scenario (REST). Each where
 * address space can be reserved, and in chunks, which is how WebAssembly grows.
 */
#include "plat_pages.h"
#include "store/store_impl.h"
#include "support/snapshot.h"

/* ---- the machine ----------------------------------------------------------------------------------------------------------------------- */

void *__real_plat_pages_alloc(size_t bytes);
void *__real_plat_pages_reserve(size_t bytes);
void __real_plat_pages_free(void *address, size_t bytes);
const plat_pages_caps_t *__real_plat_pages_caps(void);

static struct {
    bool armed;         /* requests are the store's, not the twin's or the test's */
    bool in_chunks;     /* address space cannot be reserved */
    uint64_t n;         /* requests while armed */
    uint64_t first;     /* the first that is refused */
    uint64_t last;      /* and the last */
    uint64_t n_refused; /* so far */
    uint64_t bytes;     /* of pages handed out and not given back */
} machine;

static bool refuses(void) {
    if (!machine.armed) return false;
    machine.n++;
    if (machine.n < machine.first || machine.n > machine.last) return false;
    machine.n_refused++;
    return true;
}

static void *handed_out(void *pages, size_t bytes) {
    if (pages) machine.bytes += bytes;
    return pages;
}

void *__wrap_plat_pages_alloc(size_t bytes) {
    return refuses() ? NULL : handed_out(__real_plat_pages_alloc(bytes), bytes);
}

void *__wrap_plat_pages_reserve(size_t bytes) {
    return machine.in_chunks || refuses() ? NULL : handed_out(__real_plat_pages_reserve(bytes), bytes);
}

void __wrap_plat_pages_free(void *address, size_t bytes) {
    if (address) machine.bytes -= bytes;
    __real_plat_pages_free(address, bytes);
}

const plat_pages_caps_t *__wrap_plat_pages_caps(void) {
    static plat_pages_caps_t chunks;
    if (!machine.in_chunks) return __real_plat_pages_caps();
    chunks = *__real_plat_pages_caps();
    chunks.can_reserve = false;
    return &chunks;
}

/* liburcu's, where it is the epoch: returns when every callback that was waiting has run. */
extern void urcu_memb_barrier(void) __attribute__((weak));

/* ---- the scenario ------------------------------------------------------------------------------------------------------------------------ */

typedef enum operation {
    INSERT,
    INSERT_LARGE,
    INSERT_SIMILAR,
    REPLACE,
    RELATE,
    UNRELATE,
    UPDATE,
    ACCESS,
    DECAY,
    REMOVE,
    CONSOLIDATE,
    SEARCH, /* from here on nothing is changed */
    RELATED,
    SUMMARY,
    REFERENCES,
    CHECK_UP,
    SAVE,
    LOAD,
    N_OPERATIONS
} operation_t;

static const char *const names[N_OPERATIONS] = {"insert",      "large insert", "insert of a similar one",
                                                "replacement", "relate",       "unrelate",
                                                "update",      "access",       "decay",
                                                "removal",     "consolidate",  "search",
                                                "related",     "summary",      "references",
                                                "check",       "save",         "load"};

typedef struct step {
    operation_t operation;
    uint32_t number;
} step_t;

enum { MOST_STEPS = 4000, LARGE_BYTES = 900000 };

typedef struct scenario {
    uint32_t dimensions;
    uint32_t n_memories;
    uint32_t n_steps;
    step_t steps[MOST_STEPS];
} scenario_t;

static void add(scenario_t *s, operation_t operation, uint32_t number) {
    if (s->n_steps == MOST_STEPS) abort();
    s->steps[s->n_steps++] = (step_t){operation, number};
}

static void build(scenario_t *s, uint32_t dimensions, uint32_t n) {
    *s = (scenario_t){.dimensions = dimensions, .n_memories = n};
    add(s, SAVE, 0); /* of an empty store */
    add(s, LOAD, 0);
    for (uint32_t i = 0; i < n; i++) {
        add(s, INSERT, i);
        if (i % 80 == 3) add(s, INSERT_LARGE, i);
        if (i % 16 == 5) add(s, INSERT_SIMILAR, i);
        if (i % 9 == 7) add(s, REPLACE, i - 7);
        if (i % 8 == 4) add(s, RELATE, i - 1), add(s, UNRELATE, i - 1), add(s, RELATE, i - 2);
        if (i % 6 == 5) add(s, UPDATE, i - 5);
        if (i % 7 == 6) add(s, REMOVE, i - 3), add(s, ACCESS, i - 1);
        if (i % 40 == 30) add(s, SEARCH, i), add(s, RELATED, i - 1), add(s, SUMMARY, i), add(s, DECAY, i);
    }
    for (operation_t operation = SEARCH; operation < N_OPERATIONS; operation++) add(s, operation, 1);
    add(s, CONSOLIDATE, 0);
    add(s, REMOVE, n - 1);
    add(s, INSERT, n - 1);
    add(s, SAVE, 0);
    add(s, LOAD, 0);
}

/* ---- the operations ----------------------------------------------------------------------------------------------------------------------- */

static cm_status_t insert_similar(fixture_t *f, uint32_t number) {
    cm_config_t config;
    cm_config_of(f->store, &config);
    char id[64];
    float *vector = malloc(config.dimensions * sizeof *vector);
    vector_of(number, 0, config.dimensions, vector);
    cm_str_t relationships[] = {CM_STR("memory-0"), CM_STR("somebody")};
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = numbered_id(id, sizeof id, "similar-", number);
    memory.vector = vector;
    memory.dimensions = config.dimensions;
    memory.relationships = relationships;
    memory.n_relationships = 2;
    memory.created_ms = NOW_MS;
    cm_status_t status = cm_insert(f->thread, &memory);
    free(vector);
    return status;
}

/* The longest id, label and payload, and long relationships. */
static cm_status_t insert_large(fixture_t *f, uint32_t number) {
    cm_config_t config;
    cm_config_of(f->store, &config);
    static char text[LARGE_BYTES], id[CM_MAX_ID_BYTES], other[4][CM_MAX_ID_BYTES];
    float *vector = malloc(config.dimensions * sizeof *vector);
    cm_str_t relationships[4];
    vector_of(number, 5, config.dimensions, vector);
    memset(text, 'a' + (int)(number % 26), sizeof text);
    memset(id, 'A' + (int)(number / 80 % 26), sizeof id);
    for (int i = 0; i < 4; i++) {
        memset(other[i], 'k' + i, sizeof other[i]);
        relationships[i] = (cm_str_t){other[i], sizeof other[i]};
    }
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = (cm_str_t){id, sizeof id};
    memory.vector = vector;
    memory.dimensions = config.dimensions;
    memory.context = (cm_str_t){other[number / 80 % 4], CM_MAX_CONTEXT_BYTES};
    memory.relationships = relationships;
    memory.n_relationships = 4;
    memory.created_ms = NOW_MS - 1;
    memory.text = (cm_str_t){text, number % 160 == 3 ? sizeof text : 70000};
    memory.metadata = (cm_str_t){text, 100};
    cm_status_t status = cm_insert(f->thread, &memory);
    free(vector);
    return status;
}

static cm_status_t update(fixture_t *f, cm_str_t id, uint32_t number) {
    static char text[50000];
    char context[32];
    memset(text, 'u', sizeof text);
    cm_update_t change = CM_UPDATE_INIT;
    change.fields = CM_UPDATE_IMPORTANCE | CM_UPDATE_DECAY_RATE | CM_UPDATE_CONTEXT | CM_UPDATE_TEXT | CM_UPDATE_METADATA;
    change.importance = 0.75f;
    change.decay_rate = (float)(number % 5);
    change.context = (cm_str_t){context, (size_t)snprintf(context, sizeof context, "updated %u", number % 4)};
    change.text = (cm_str_t){text, number % 3 * 20000 + 1};
    change.metadata = (cm_str_t){text, number % 100};
    return cm_update(f->thread, id, &change);
}

static cm_status_t search(fixture_t *f, uint32_t number) {
    cm_config_t config;
    cm_config_of(f->store, &config);
    float *query = malloc(config.dimensions * sizeof *query);
    cm_hit_t hits[10];
    size_t n;
    vector_of(number, 9, config.dimensions, query);
    cm_status_t status = CM_OK;
    for (int mode = CM_SEARCH_BEST; mode <= CM_SEARCH_EXACT && status == CM_OK; mode++) {
        cm_search_t options = CM_SEARCH_INIT;
        options.mode = (cm_search_mode_t)mode;
        status = cm_search(f->thread, query, config.dimensions, &options, hits, &n);
    }
    free(query);
    return status;
}

static memory_file_t saved; /* by the store's last SAVE, if it succeeded */

static cm_status_t save(fixture_t *f) {
    memory_file_free(&saved);
    cm_status_t status = cm_save(f->thread, &MEMORY_SINK(&saved));
    if (status != CM_OK) memory_file_free(&saved);
    return status;
}

static void check_same(fixture_t *store, fixture_t *twin);
static fixture_t twin;

/* The store was saved just before, in the state that the twin has now, or could not be. */
static cm_status_t load(void) {
    if (saved.n_bytes == 0) return CM_E_NOT_FOUND;
    cm_store_t *store = (cm_store_t *)&saved; /* must become NULL */
    cm_error_t error = {CM_OK, ""};
    cm_status_t status = load_from_memory(&saved, &store, &error);
    if (status != CM_OK) {
        CHECK(store == NULL);
        CHECK(error.status == status && error.message[0] != '\0');
        return status;
    }
    bool armed = machine.armed;
    machine.armed = false;
    fixture_t loaded = fixture_of(store);
    check_same(&loaded, &twin);
    fixture_close(&loaded);
    machine.armed = armed;
    return CM_OK;
}

static cm_status_t consolidate(fixture_t *f) {
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.similarity_threshold = 0.9999f;
    return cm_consolidate(f->thread, &options, NULL);
}

static cm_status_t apply(fixture_t *f, step_t step) {
    char text[64];
    cm_memory_t memory;
    uint32_t n;
    cm_str_t id = numbered_id(text, sizeof text, "memory-", step.number);
    static cm_related_t related[MOST_STEPS];
    static cm_reference_t references[5];
    cm_context_summary_t summary;
    float mean[4096];
    cm_config_t config;
    cm_config_of(f->store, &config);
    switch (step.operation) {
    case INSERT: return insert_numbered(f, "memory-", step.number, 0);
    case INSERT_LARGE: return insert_large(f, step.number);
    case INSERT_SIMILAR: return insert_similar(f, step.number);
    case REPLACE: return insert_numbered(f, "memory-", step.number, 1);
    case RELATE: return cm_relate(f->thread, id, CM_STR("related to"));
    case UNRELATE: return cm_unrelate(f->thread, id, CM_STR("related to"));
    case UPDATE: return update(f, id, step.number);
    case ACCESS: return cm_access(f->thread, id, NOW_MS + step.number, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL);
    case DECAY: return cm_apply_decay(f->thread, NOW_MS + step.number, NULL);
    case REMOVE: return cm_remove(f->thread, id);
    case CONSOLIDATE: return consolidate(f);
    case SEARCH: return search(f, step.number);
    case RELATED: return cm_related(f->thread, id, 3, related, MOST_STEPS, &n);
    case SUMMARY: return cm_context_summary(f->thread, CM_STR("conversation 1"), &summary, mean, config.dimensions);
    case REFERENCES: return cm_top_references(f->thread, 5, references, &n, f->buffer, MEMORY_BUFFER_BYTES, NULL);
    case CHECK_UP: return cm_check(f->thread, NULL);
    case SAVE: return save(f);
    case LOAD: return load();
    default: abort();
    }
}

/* Operations that the header promises to need no memory. */
static bool needs_none(operation_t operation) {
    return operation == SEARCH || operation == ACCESS || operation == DECAY;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------------------------ */

static void check_same_contexts(fixture_t *a, fixture_t *b) {
    cm_stats_t of_a, of_b;
    CHECK_STATUS(cm_stats(a->thread, &of_a), CM_OK);
    CHECK_STATUS(cm_stats(b->thread, &of_b), CM_OK);
    CHECK_EQ_U64(of_a.n_memories, of_b.n_memories);
    CHECK_EQ_U64(of_a.n_contexts, of_b.n_contexts);
    CHECK(of_a.average_importance - of_b.average_importance < 1e-9 && of_b.average_importance - of_a.average_importance < 1e-9);
}

/* The exact answers: the same memories, by score. */
static void check_same_hits(fixture_t *a, fixture_t *b) {
    cm_config_t config;
    cm_config_of(a->store, &config);
    float *query = malloc(config.dimensions * sizeof *query);
    cm_hit_t of_a[10], of_b[10];
    size_t n_a = 0, n_b = 0;
    cm_search_t options = CM_SEARCH_INIT;
    options.mode = CM_SEARCH_EXACT;
    vector_of(3, 3, config.dimensions, query);
    CHECK_STATUS(cm_search(a->thread, query, config.dimensions, &options, of_a, &n_a), CM_OK);
    CHECK_STATUS(cm_search(b->thread, query, config.dimensions, &options, of_b, &n_b), CM_OK);
    CHECK_EQ_U64(n_a, n_b);
    for (size_t i = 0; i < n_a && i < n_b; i++) CHECK_EQ_U64(cmi_float_bits(of_a[i].score), cmi_float_bits(of_b[i].score));
    free(query);
}

static void check_same(fixture_t *store, fixture_t *other) {
    cm_check_report_t report;
    CHECK_MSG(cm_check(store->thread, &report) == CM_OK, "%s", cm_message(store->thread));
    CHECK_EQ_U64(report.n_unreachable, 0);
    CHECK_EQ_U64(plat_load_relaxed(&store->store->ids.n_keys), cm_len(store->store)); /* no id without a memory */
    check_same_memories(store, other);
    check_same_contexts(store, other);
    check_same_hits(store, other);
}

/* ---- one run -------------------------------------------------------------------------------------------------------------------------------- */

typedef enum course { ONCE, TRIES, REST } course_t;

typedef struct run {
    course_t course;
    fixture_t f;
    uint32_t n_failed[N_OPERATIONS]; /* calls that said CM_E_NO_MEMORY */
} run_t;

static cm_config_t config_of(const scenario_t *s) {
    cm_config_t config = small_config(s->dimensions);
    config.ef_construction = 8;
    /* Consolidation must find the same pairs in both stores. It compares all pairs, except under cosine; there the graph is asked, and is small enough not to miss any. */
    config.metric = s->n_memories > 100 ? CM_METRIC_L2SQ : CM_METRIC_COSINE;
    config.ef_search = 200;
    return config;
}

/* An opened store, and the refusals that this took. */
static bool open_store(run_t *run, const cm_config_t *config) {
    uint64_t before = machine.bytes;
    run->f.store = (cm_store_t *)run; /* must become NULL */
    cm_error_t error = {CM_OK, ""};
    machine.armed = true;
    cm_status_t status = cm_open(config, &run->f.store, &error);
    machine.armed = false;
    if (status == CM_OK) return true;
    CHECK_STATUS(status, CM_E_NO_MEMORY);
    CHECK(run->f.store == NULL);
    CHECK(error.status == CM_E_NO_MEMORY && error.message[0] != '\0');
    CHECK_EQ_U64(machine.bytes, before);
    return false;
}

static bool attach(run_t *run) {
    uint64_t before = machine.bytes;
    machine.armed = true;
    cm_status_t status = cm_attach(run->f.store, &run->f.thread);
    machine.armed = false;
    if (status == CM_OK) return true;
    CHECK_STATUS(status, CM_E_NO_MEMORY);
    CHECK_EQ_U64(machine.bytes, before);
    return false;
}

static void memory_is_back(void) {
    machine.first = UINT64_MAX;
}

/* What a store without memory must still do, and leave undone. */
static void check_refused(run_t *run, step_t step, uint64_t bytes_before) {
    char text[64];
    cm_memory_t memory;
    CHECK_MSG(!needs_none(step.operation), "%s asked for memory", names[step.operation]);
    if (step.operation != LOAD) CHECK_MSG(cm_message(run->f.thread)[0] != '\0', "%s says nothing", names[step.operation]);
    if (step.operation > CONSOLIDATE)
        CHECK_EQ_U64(machine.bytes, bytes_before); /* those that change something may keep a chunk for later */
    machine.armed = true;
    CHECK_STATUS(search(&run->f, step.number), CM_OK);
    cm_status_t status = cm_get(run->f.thread, numbered_id(text, sizeof text, "memory-", 0), &memory, run->f.buffer, MEMORY_BUFFER_BYTES,
                                NULL);
    CHECK(status == CM_OK || status == CM_E_NOT_FOUND);
    machine.armed = false;
    if (step.operation == CONSOLIDATE)
        CHECK_MSG(cm_check(run->f.thread, NULL) == CM_OK, "%s", cm_message(run->f.thread)); /* some may be absorbed */
    else check_same(&run->f, &twin);
}

static cm_status_t attempt(run_t *run, step_t step) {
    uint64_t refused_before = machine.n_refused, bytes_before = machine.bytes;
    machine.armed = true;
    cm_status_t status = apply(&run->f, step);
    machine.armed = false;
    if (status != CM_E_NO_MEMORY) return status;
    CHECK_MSG(machine.n_refused > refused_before, "%s: no memory, but none was refused", names[step.operation]);
    /* In the course REST only the first few of each kind are looked at closely: there are thousands. */
    if (run->course != REST || run->n_failed[step.operation]++ < 2) check_refused(run, step, bytes_before);
    return status;
}

static void take(run_t *run, step_t step) {
    cm_status_t status = attempt(run, step);
    for (int i = 0; i < 3 && run->course == TRIES && status == CM_E_NO_MEMORY; i++) status = attempt(run, step);
    if (status == CM_E_NO_MEMORY && (run->course != REST || step.operation == CONSOLIDATE)) {
        uint64_t last = machine.first;
        memory_is_back();
        status = attempt(run, step);
        CHECK_MSG(status != CM_E_NO_MEMORY, "%s: refused with all the memory there", names[step.operation]);
        if (run->course == REST) machine.first = last;
    }
    if (step.operation > CONSOLIDATE || status == CM_E_NO_MEMORY) {
        CHECK_MSG(status == CM_OK || status == CM_E_NO_MEMORY || status == CM_E_NOT_FOUND, "%s: %d", names[step.operation], (int)status);
        return;
    }
    cm_status_t expected = apply(&twin, step);
    CHECK_MSG(status == expected, "%s %u returned %d, expected %d", names[step.operation], step.number, (int)status, (int)expected);
}

static void remove_all(fixture_t *f) {
    static char id[CM_MAX_ID_BYTES];
    cm_memory_t memory;
    uint64_t cursor = 0;
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        memcpy(id, memory.id.data, memory.id.len);
        CHECK_STATUS(cm_remove(f->thread, (cm_str_t){id, memory.id.len}), CM_OK);
    }
}

/* Empties a store and lets its thread leave: the own epoch frees what it can then. */
static void empty(fixture_t *f) {
    remove_all(f);
    cm_detach(f->thread);
}

/* Bytes of blocks that a store keeps when it holds nothing and everything retired was freed: the labels of its contexts. */
static uint64_t bytes_kept(fixture_t *f) {
    cm_stats_t stats;
    CHECK_STATUS(cm_attach(f->store, &f->thread), CM_OK);
    CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    CHECK_EQ_U64(stats.n_retired, 0);
    return stats.bytes_blocks;
}

/* No block was lost on the way. In the course REST some labels never came to be used, or were all that came to be. */
static void check_no_leak(run_t *run) {
    empty(&run->f);
    empty(&twin);
    for (int i = 0; urcu_memb_barrier && i < 8 && plat_epoch_pending(run->f.store->epoch) + plat_epoch_pending(twin.store->epoch) > 0; i++)
        urcu_memb_barrier();
    uint64_t of_store = bytes_kept(&run->f), of_twin = bytes_kept(&twin);
    if (run->course != REST) CHECK_EQ_U64(of_store, of_twin);
    else CHECK_MSG(of_store <= of_twin + 20 * CM_MAX_CONTEXT_BYTES, "%" PRIu64 " bytes are kept, by the twin %" PRIu64, of_store, of_twin);
}

/* False when nothing was refused: there are fewer than n requests. */
static bool run_with(const scenario_t *s, course_t course, bool in_chunks, uint64_t n) {
    uint64_t bytes_before = machine.bytes;
    cm_config_t config = config_of(s);
    run_t run = {.course = course, .f.buffer = malloc(MEMORY_BUFFER_BYTES)};
    machine.armed = false;
    machine.in_chunks = in_chunks;
    machine.n = machine.n_refused = 0;
    machine.first = n;
    machine.last = course == ONCE ? n : UINT64_MAX;
    twin = fixture_open(&config);
    while (!open_store(&run, &config)) memory_is_back();
    while (!attach(&run)) memory_is_back();
    for (uint32_t i = 0; i < s->n_steps; i++) take(&run, s->steps[i]);
    memory_is_back();
    check_same(&run.f, &twin);
    check_no_leak(&run);
    fixture_close(&run.f);
    fixture_close(&twin);
    memory_file_free(&saved);
    CHECK_EQ_U64(machine.bytes, bytes_before);
    return machine.n_refused > 0;
}

static bool full; /* CM_TEST_LENGTH=full */

/* For every n. The short form takes every n where one request is refused, every eleventh where all are; and with liburcu, whose grace periods take the test's time, every third of the
 * former: nothing here depends on the epoch, and ./build.sh test runs both. */
static uint64_t stride(course_t course) {
    uint64_t n = course == ONCE ? 1 : 11;
    return full ? 1 : course == ONCE && urcu_memb_barrier ? 3 : n;
}

static void run_every(const scenario_t *s, course_t course, bool in_chunks) {
    static const char *const courses[] = {"one refused", "all refused until three more tries failed", "all refused from there on"};
    uint64_t n = 1, n_runs = 0;
    while (tap_checks_failed == 0 && run_with(s, course, in_chunks, n)) n += stride(course), n_runs++;
    printf("# %u dimensions, %u steps, %s, %s: %" PRIu64 " runs, n up to %" PRIu64 "%s\n", s->dimensions, s->n_steps,
           in_chunks ? "in chunks" : "reserved", courses[course], n_runs, n - 1, tap_checks_failed ? ", which failed" : "");
    CHECK_MSG(n > 50, "the scenario asks for memory %" PRIu64 " times only", n - 1);
}

/* ---- the tests ------------------------------------------------------------------------------------------------------------------------------ */

static scenario_t many, wide; /* where address space is reserved, dimensions make no difference */

TEST(one_request_is_refused) {
    run_every(&many, ONCE, false);
}
TEST(one_request_is_refused_in_chunks) {
    run_every(&many, ONCE, true);
    run_every(&wide, ONCE, true);
}
TEST(all_requests_are_refused_for_a_while) {
    run_every(&many, TRIES, false);
}
TEST(all_requests_are_refused_for_a_while_in_chunks) {
    run_every(&many, TRIES, true);
    run_every(&wide, TRIES, true);
}
TEST(all_requests_are_refused_for_the_rest) {
    run_every(&many, REST, false);
}
TEST(all_requests_are_refused_for_the_rest_in_chunks) {
    run_every(&many, REST, true);
    run_every(&wide, REST, true);
}

int main(void) {
    full = getenv("CM_TEST_LENGTH") && strcmp(getenv("CM_TEST_LENGTH"), "full") == 0;
    build(&many, 8, full ? 1300 : 530); /* more than 512 ids: their table grows */
    build(&wide, 4096, full ? 100 : 32);
    RUN(one_request_is_refused);
    RUN(one_request_is_refused_in_chunks);
    RUN(all_requests_are_refused_for_a_while);
    RUN(all_requests_are_refused_for_a_while_in_chunks);
    RUN(all_requests_are_refused_for_the_rest);
    RUN(all_requests_are_refused_for_the_rest_in_chunks);
    return tap_done();
}
