/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* relationships.c - see relationships.h. Duplicates are found by comparing all pairs: lists are short (50 by default), and a comparison is mostly one of lengths. */
#include "store/relationships.h"

#include "store/attributes.h"

static uint32_t read_u32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static bool equal(cm_str_t a, cm_str_t b) {
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

cmi_relationships_t cmi_relationships_at(const cmi_blocks_t *blocks, uint32_t block) {
    if (block == CMI_NO_BLOCK) return (cmi_relationships_t){0, 0, NULL};
    const uint8_t *bytes = cmi_blocks_at(blocks, block);
    return (cmi_relationships_t){read_u32(bytes), cmi_blocks_len(blocks, block) - (uint32_t)sizeof(uint32_t), bytes + sizeof(uint32_t)};
}

cm_str_t cmi_relationships_pop(cmi_relationships_t *list) {
    uint32_t len = read_u32(list->bytes), step = (uint32_t)sizeof(uint32_t) + len;
    cm_str_t id = {(const char *)list->bytes + sizeof(uint32_t), len};
    list->n--;
    list->n_bytes -= step;
    list->bytes += step;
    return id;
}

static bool in_fresh(const cm_str_t *fresh, uint32_t n, cm_str_t id) {
    for (uint32_t i = 0; i < n; i++)
        if (equal(fresh[i], id)) return true;
    return false;
}

/* Appends to a list under construction; with `out` NULL it only measures. */
typedef struct packer {
    uint8_t *out;
    uint32_t n, n_bytes, limit;
} packer_t;

static void pack(packer_t *packer, cm_str_t id) {
    uint32_t len = (uint32_t)id.len, step = (uint32_t)sizeof len + len;
    if (packer->n == packer->limit || step > CM_MAX_RELATIONSHIPS_BYTES - packer->n_bytes) return;
    if (packer->out) {
        memcpy(packer->out + packer->n_bytes, &len, sizeof len);
        memcpy(packer->out + packer->n_bytes + sizeof len, id.data, len);
    }
    packer->n++;
    packer->n_bytes += step;
}

bool cmi_relationships_hold(cmi_relationships_t list, cm_str_t id) {
    while (list.n > 0)
        if (equal(cmi_relationships_pop(&list), id)) return true;
    return false;
}

/* Whether an id was left out by the plan, or came in the parts before. */
static bool is_new(const cmi_relationships_plan_t *plan, uint32_t n_fresh_before, cm_str_t id) {
    return !(plan->without.len > 0 && equal(plan->without, id)) && !in_fresh(plan->fresh, n_fresh_before, id) &&
           !cmi_relationships_hold(plan->head, id);
}

static void pack_all(packer_t *packer, const cmi_relationships_plan_t *plan) {
    cmi_relationships_t head = plan->head, tail = plan->tail;
    while (head.n > 0) {
        cm_str_t id = cmi_relationships_pop(&head);
        if (!(plan->without.len > 0 && equal(plan->without, id))) pack(packer, id);
    }
    for (uint32_t i = 0; i < plan->n_fresh; i++)
        if (is_new(plan, i, plan->fresh[i])) pack(packer, plan->fresh[i]);
    while (tail.n > 0 && packer->n < packer->limit) { /* a list of ours, too: no duplicates of its own */
        cm_str_t id = cmi_relationships_pop(&tail);
        if (is_new(plan, plan->n_fresh, id)) pack(packer, id);
    }
}

bool cmi_relationships_make(cmi_blocks_t *blocks, const cmi_relationships_plan_t *plan, uint32_t *block) {
    packer_t measure = {.limit = plan->limit};
    pack_all(&measure, plan);
    *block = CMI_NO_BLOCK;
    if (measure.n == 0) return true;
    *block = cmi_blocks_alloc(blocks, (uint32_t)sizeof(uint32_t) + measure.n_bytes);
    if (*block == CMI_NO_BLOCK) return false;
    uint8_t *bytes = cmi_blocks_at(blocks, *block);
    memcpy(bytes, &measure.n, sizeof measure.n);
    packer_t packer = {.out = bytes + sizeof(uint32_t), .limit = plan->limit};
    pack_all(&packer, plan);
    return true;
}

static bool holds_before(cmi_relationships_t list, uint32_t n, cm_str_t id) {
    list.n = n;
    return cmi_relationships_hold(list, id);
}

cm_status_t cmi_relationships_check(cmi_relationships_t list, uint32_t limit, cm_error_t *error) {
    if (list.n > limit) return cmi_fail(error, CM_E_CORRUPT, "%u relationships, but max_relationships is %u", list.n, limit);
    if (list.n_bytes > CM_MAX_RELATIONSHIPS_BYTES)
        return cmi_fail(error, CM_E_CORRUPT, "relationships take %u bytes: at most %u are allowed", list.n_bytes,
                        CM_MAX_RELATIONSHIPS_BYTES);
    cmi_relationships_t all = list;
    for (uint32_t i = 0; i < all.n; i++) {
        if (list.n_bytes < sizeof(uint32_t) || read_u32(list.bytes) > list.n_bytes - sizeof(uint32_t))
            return cmi_fail(error, CM_E_CORRUPT, "relationships[%u] lies beyond the end of the list", i);
        cm_str_t id = cmi_relationships_pop(&list);
        cm_error_t why;
        if (cmi_check_id(id, "relationship", &why) != CM_OK) return cmi_fail(error, CM_E_CORRUPT, "%s", why.message);
        if (holds_before(all, i, id)) return cmi_fail(error, CM_E_CORRUPT, "relationship \"%S\" is there twice", &id);
    }
    return list.n_bytes == 0 ? CM_OK : cmi_fail(error, CM_E_CORRUPT, "%u bytes follow the last relationship", list.n_bytes);
}
