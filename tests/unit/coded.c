/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* coded.c - coded rows of a batch's own: the bytes that an i8 graph has, of every node that is published, whenever that was; when they pay. */
#include "bulk/coded.h"
#include "index/scratch.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <string.h>

enum { DIM = 20, N = 40, CAPACITY = 100000 };

static cmi_hnsw_params_t params_of(cm_metric_t metric, cm_vectors_t vectors) {
    return (cmi_hnsw_params_t){
        .dimensions = DIM, .capacity = CAPACITY, .m = 4, .ef_construction = 20, .metric = metric, .seed = 1, .vectors = vectors};
}

typedef struct world {
    cmi_hnsw_t graph;
    cmi_scratch_t *scratch;
} world_t;

static void open_world(world_t *world, cm_metric_t metric, cm_vectors_t vectors) {
    cmi_hnsw_params_t params = params_of(metric, vectors);
    CHECK(cmi_hnsw_open(&world->graph, &params));
    world->scratch = cmi_scratch_open(&world->graph, 20);
}

static void close_world(world_t *world) {
    cmi_scratch_close(world->scratch);
    cmi_hnsw_close(&world->graph);
}

static uint32_t reserve(world_t *world, const float *vector) {
    uint32_t slot = CMI_NONE;
    CHECK(cmi_hnsw_reserve(&world->graph, &slot) == CM_OK);
    cmi_hnsw_set_vector(&world->graph, slot, vector);
    return slot;
}

static void insert(world_t *world, const float *vector) {
    cmi_hnsw_link(&world->graph, world->scratch, reserve(world, vector));
}

/* As a round does it between two parts. */
static void catch_up(world_t *world, cmi_coded_rows_t *coded) {
    uint32_t end, done = cmi_coded_look(coded, &end);
    for (uint32_t slot = coded->n_done; slot < end; slot++) cmi_coded_catch_up(coded, slot, world->scratch->form[CMI_FORM_QUERY]);
    coded->n_done = done;
}

static bool has_row_of(const cmi_coded_rows_t *coded, const cmi_rows_t *expected, uint32_t slot) {
    return memcmp(cmi_row_at(&coded->rows, slot), cmi_row_at(expected, slot), expected->row_bytes) == 0;
}

static bool is_zero(const cmi_coded_rows_t *coded, uint32_t slot) {
    const uint8_t *row = cmi_row_at(&coded->rows, slot);
    for (uint32_t i = 0; i < coded->rows.row_bytes; i++)
        if (row[i] != 0) return false;
    return true;
}

TEST(rows_are_those_of_an_i8_graph) {
    for (uint32_t metric = CM_METRIC_COSINE; metric <= CM_METRIC_L2SQ; metric++) {
        static world_t floats, codes;
        cmi_coded_rows_t coded = {0};
        rng_t rng = rng_seed(metric + 1);
        float *vectors = vectors_uniform(&rng, N, DIM);
        memset(vectors + 7 * DIM, 0, DIM * sizeof *vectors); /* the zero vector, too */
        open_world(&floats, (cm_metric_t)metric, CM_VECTORS_F32), open_world(&codes, (cm_metric_t)metric, CM_VECTORS_I8);
        CHECK(cmi_coded_open(&coded, &floats.graph));
        for (uint32_t i = 0; i < N; i++) {
            insert(&floats, vectors + i * DIM), insert(&codes, vectors + i * DIM);
            if (i % 9 == 0) catch_up(&floats, &coded);
        }
        CHECK(is_zero(&coded, N - 1));
        catch_up(&floats, &coded);
        CHECK_EQ_U64(coded.n_done, N);
        for (uint32_t i = 0; i < N; i++) CHECK_MSG(has_row_of(&coded, &codes.graph.coded, i), "metric %u, slot %u", metric, i);
        cmi_coded_close(&coded);
        close_world(&floats), close_world(&codes);
        free(vectors);
    }
}

/* Another thread is at work on it: its vector must not be read, and must not be forgotten. */
TEST(a_node_that_is_being_built_is_coded_once_it_is_published) {
    static world_t world;
    cmi_coded_rows_t coded = {0};
    rng_t rng = rng_seed(9);
    float *vectors = vectors_uniform(&rng, N, DIM);
    open_world(&world, CM_METRIC_COSINE, CM_VECTORS_BF16);
    CHECK(cmi_coded_open(&coded, &world.graph));
    for (uint32_t i = 0; i < 10; i++) insert(&world, vectors + i * DIM);
    uint32_t late = reserve(&world, vectors + 10 * DIM), ours = reserve(&world, vectors + 11 * DIM);
    for (uint32_t i = 12; i < 20; i++) insert(&world, vectors + i * DIM);
    cmi_coded_write(&coded, ours, world.scratch->form[CMI_FORM_QUERY]);
    catch_up(&world, &coded);
    CHECK_EQ_U64(coded.n_done, late);
    CHECK(is_zero(&coded, late) && !is_zero(&coded, ours) && !is_zero(&coded, 19));
    cmi_hnsw_link(&world.graph, world.scratch, late);
    catch_up(&world, &coded);
    CHECK(!is_zero(&coded, late));
    CHECK_EQ_U64(coded.n_done, 20);
    cmi_coded_close(&coded);
    close_world(&world);
    free(vectors);
}

TEST(they_pay_where_the_batch_is_no_small_part_of_the_store) {
    static world_t world;
    float vector[DIM] = {1};
    open_world(&world, CM_METRIC_COSINE, CM_VECTORS_F32);
    CHECK(cmi_coded_pays(&world.graph, 64));
    for (uint32_t i = 0; i < 64 * 33; i++) reserve(&world, vector);
    CHECK(!cmi_coded_pays(&world.graph, 64));
    CHECK(cmi_coded_pays(&world.graph, 80));
    close_world(&world);
    open_world(&world, CM_METRIC_COSINE, CM_VECTORS_I8);
    CHECK(!cmi_coded_pays(&world.graph, 1000)); /* it has them */
    close_world(&world);
}

int main(void) {
    RUN(rows_are_those_of_an_i8_graph);
    RUN(a_node_that_is_being_built_is_coded_once_it_is_published);
    RUN(they_pay_where_the_batch_is_no_small_part_of_the_store);
    return tap_done();
}
