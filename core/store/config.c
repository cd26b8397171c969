/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* config.c - the rules of cm_config_t, one message each. Comparisons are written so that NaN fails them. */
#include "store/store.h"

#include "index/rows.h"

static cm_status_t check_range(cm_error_t *error, const char *field, uint32_t value, uint32_t least, uint32_t most) {
    if (value >= least && value <= most) return CM_OK;
    return cmi_fail(error, CM_E_CONFIG, "%s is %u: must be %u .. %u", field, value, least, most);
}

static cm_status_t check_sizes(const cm_config_t *c, cm_error_t *error) {
    cm_status_t status = check_range(error, "dimensions", c->dimensions, 1, CM_MAX_DIMENSIONS);
    if (status == CM_OK) status = check_range(error, "max_memories", c->max_memories, 1, CM_MAX_MEMORIES);
    if (status == CM_OK) status = check_range(error, "max_relationships", c->max_relationships, 1, CM_MAX_RELATIONSHIPS);
    if (status == CM_OK) status = check_range(error, "max_threads", c->max_threads, 1, CM_MAX_THREADS);
    return status;
}

static cm_status_t check_index(const cm_config_t *c, cm_error_t *error) {
    cm_status_t status = check_range(error, "m", c->m, 2, CM_MAX_M);
    if (status == CM_OK && c->ef_construction < c->m)
        status = cmi_fail(error, CM_E_CONFIG, "ef_construction is %u: must be at least m, which is %u", c->ef_construction, c->m);
    if (status == CM_OK) status = check_range(error, "ef_construction", c->ef_construction, 1, CM_MAX_EF);
    if (status == CM_OK) status = check_range(error, "ef_search", c->ef_search, 1, CM_MAX_EF);
    if (status == CM_OK && (uint32_t)c->metric > CM_METRIC_CUSTOM)
        status = cmi_fail(error, CM_E_CONFIG, "metric is %u: must be 0 (cosine), 1 (dot), 2 (squared Euclidean) or 3 (custom)",
                          (uint32_t)c->metric);
    if (status == CM_OK && c->metric == CM_METRIC_CUSTOM && !c->custom.distance)
        status = cmi_fail(error, CM_E_CONFIG, "metric is 3 (custom), but custom.distance is NULL: give the function that computes it");
    return status;
}

static cm_status_t check_time(const cm_config_t *c, cm_error_t *error) {
    if (!(cmi_finite(c->base_decay_rate) && c->base_decay_rate > 0))
        return cmi_fail(error, CM_E_CONFIG, "base_decay_rate is %g: must be finite and above 0 (per hour)", (double)c->base_decay_rate);
    if (!(c->temporal_weight >= 0 && c->temporal_weight <= 1))
        return cmi_fail(error, CM_E_CONFIG, "temporal_weight is %g: must be 0 .. 1", (double)c->temporal_weight);
    if (!(c->similarity_threshold > 0 && c->similarity_threshold < 1))
        return cmi_fail(error, CM_E_CONFIG, "similarity_threshold is %g: must be above 0 and below 1", (double)c->similarity_threshold);
    return CM_OK;
}

cm_status_t cmi_config_validate(const cm_config_t *config, cm_error_t *error) {
    cm_status_t status = check_sizes(config, error);
    if (status == CM_OK) status = check_index(config, error);
    if (status == CM_OK) status = cmi_rows_check(config->vectors, config->metric, error);
    if (status == CM_OK) status = check_time(config, error);
    return status;
}
