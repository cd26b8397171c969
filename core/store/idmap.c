/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* idmap.c - see idmap.h. */
#include "store/idmap.h"

#include "plat_random.h"

#define MARK 1u
#define FIRST_BUCKETS 256u
#define KEYS_PER_BUCKET 2u
#define MOST_BUCKETS (1u << 28) /* keys and dummies together must stay below 2^31, the largest index that a link holds */
#define ROOT 1u                 /* the dummy of bucket 0: the head of the list, never removed */

static bool is_marked(uint32_t link) {
    return (link & MARK) != 0;
}
static uint32_t index_of(uint32_t link) {
    return link >> 1;
}
static uint32_t link_to(uint32_t index) {
    return index << 1;
}

/* ---- split order ---------------------------------------------------------------------------------------------------------- */

static uint32_t reverse_bits(uint32_t word) {
    word = (word >> 1 & 0x55555555u) | (word & 0x55555555u) << 1;
    word = (word >> 2 & 0x33333333u) | (word & 0x33333333u) << 2;
    word = (word >> 4 & 0x0F0F0F0Fu) | (word & 0x0F0F0F0Fu) << 4;
    return __builtin_bswap32(word);
}

static uint32_t order_of_key(uint32_t hash) {
    return reverse_bits(hash) | 1;
}

static uint32_t order_of_bucket(uint32_t bucket) {
    return reverse_bits(bucket);
}

static uint32_t hash_of(const cmi_idmap_t *map, cm_str_t key) {
    return (uint32_t)cmi_hash(key.data, key.len, map->seed);
}

/* The bucket that this one was split from: without its highest bit. */
static uint32_t parent_of(uint32_t bucket) {
    return bucket & ~(0x80000000u >> __builtin_clz(bucket));
}

/* ---- entries: allocation ----------------------------------------------------------------------------------------------------- */

/* A private entry. A scan may look at its word, and finds no slot there: fresh memory is zero, and a reused entry held TOMB or NONE. */
static cm_status_t make_entry(cmi_idmap_t *map, uint32_t order, uint64_t value, uint32_t key, uint32_t *index) {
    cm_status_t status = cmi_items_take(&map->entries, index);
    if (status != CM_OK) return status;
    cmi_entry_t *entry = cmi_idmap_at(map, *index);
    entry->order = order;
    entry->key = key;
    plat_store_relaxed(&entry->born, 0); /* relaxed, both: published by linking, [M1] */
    plat_store_relaxed(&entry->value, value);
    return CM_OK;
}

static cm_status_t make_key_entry(cmi_idmap_t *map, uint32_t order, cm_str_t key, uint32_t *index) {
    uint32_t block = cmi_blocks_alloc(map->blocks, (uint32_t)key.len);
    if (block == CMI_NO_BLOCK) return CM_E_NO_MEMORY;
    memcpy(cmi_blocks_at(map->blocks, block), key.data, key.len);
    cm_status_t status = make_entry(map, order, CMI_VALUE_NONE, block, index);
    if (status != CM_OK) cmi_blocks_free(map->blocks, block);
    return status;
}

void cmi_idmap_free(cmi_idmap_t *map, uint32_t index) {
    uint32_t key = cmi_idmap_at(map, index)->key;
    if (key != CMI_NO_BLOCK) cmi_blocks_free(map->blocks, key);
    cmi_items_give(&map->entries, index);
}

/* ---- the list ------------------------------------------------------------------------------------------------------------------ */

cm_str_t cmi_idmap_key(const cmi_idmap_t *map, uint32_t index) {
    uint32_t block = cmi_idmap_at(map, index)->key;
    return (cm_str_t){cmi_blocks_at(map->blocks, block), cmi_blocks_len(map->blocks, block)};
}

static bool has_key(const cmi_idmap_t *map, const cmi_entry_t *entry, cm_str_t key) {
    return cmi_blocks_len(map->blocks, entry->key) == key.len && memcmp(cmi_blocks_at(map->blocks, entry->key), key.data, key.len) == 0;
}

/* Where in the list an order (and key, unless it is a dummy's) is or belongs: between `before` and `at`. */
typedef struct position {
    uint32_t before, at;
    bool found; /* `at` is it */
} position_t;

/* One walk to the position, which unlinks every marked entry on the way. False when another thread changed a link under it. */
static bool try_seek(cmi_idmap_t *map, uint32_t start, uint32_t order, cm_str_t key, position_t *out) {
    *out = (position_t){start, index_of(plat_load_acquire(&cmi_idmap_at(map, start)->next)), false}; /* [M1]; a dummy is never marked */
    while (out->at != CMI_NO_ENTRY_INDEX) {
        cmi_entry_t *entry = cmi_idmap_at(map, out->at);
        uint32_t next = plat_load_acquire(&entry->next); /* [M1] acquire: the entry behind, and under a mark the tombstone [M2] */
        if (is_marked(next)) {
            uint32_t expected = link_to(out->at);
            /* [M1] release: hands on the entry behind. It fails when `before` got another neighbour, or was marked itself */
            if (!plat_cas_release(&cmi_idmap_at(map, out->before)->next, &expected, next & ~MARK)) return false;
        } else {
            if (entry->order > order) return true;
            out->found = entry->order == order && (entry->key == CMI_NO_BLOCK || has_key(map, entry, key));
            if (out->found) return true;
            out->before = out->at;
        }
        out->at = index_of(next);
    }
    return true;
}

/* Lock-free: every further try means that another thread linked, marked or unlinked an entry here. */
static position_t seek(cmi_idmap_t *map, uint32_t start, uint32_t order, cm_str_t key) {
    position_t position;
    while (!try_seek(map, start, order, key, &position)) {}
    return position;
}

/* Puts a private entry at a position. False when another thread changed the link there. */
static bool link_at(cmi_idmap_t *map, position_t position, uint32_t index) {
    uint32_t expected = link_to(position.at);
    plat_store_relaxed(&cmi_idmap_at(map, index)->next, expected); /* relaxed: published by the CAS */
    /* [M1] release: the entry before the link to it. acquire: since we read it the link may have changed and changed back, for an entry of the same key that came and went; its tombstone is
     * seen before ours is born [M8] */
    return plat_cas_acq_rel(&cmi_idmap_at(map, position.before)->next, &expected, link_to(index));
}

static void mark(cmi_idmap_t *map, uint32_t index) {
    plat_fetch_or_release(&cmi_idmap_at(map, index)->next, MARK); /* [M2] release: the tombstone, seen by its marker, before the mark */
}

/* ---- buckets --------------------------------------------------------------------------------------------------------------------- */

static plat_a32_t *bucket_at(const cmi_idmap_t *map, uint32_t bucket) {
    return (plat_a32_t *)cmi_arena_at(&map->buckets, bucket);
}

/* Gives a bucket its dummy, after its ancestors have theirs (at most 31 deep). Without memory for one the parent's serves: slower, not wrong. */
static uint32_t open_bucket(cmi_idmap_t *map, uint32_t bucket) {
    uint32_t dummy = plat_load_acquire(bucket_at(map, bucket)); /* [M6] acquire: the dummy */
    if (dummy != CMI_NO_ENTRY_INDEX) return dummy;
    uint32_t start = open_bucket(map, parent_of(bucket)); /* ends at bucket 0, which is open from the beginning */
    uint32_t order = order_of_bucket(bucket);
    if (make_entry(map, order, CMI_VALUE_TOMB, CMI_NO_BLOCK, &dummy) != CM_OK) return start;
    position_t position;
    do {
        position = seek(map, start, order, (cm_str_t){NULL, 0});
    } while (!position.found && !link_at(map, position, dummy)); /* retry: another thread changed the link there */
    if (position.found) {
        cmi_items_give(&map->entries, dummy); /* another thread was first */
        dummy = position.at;
    }
    plat_store_release(bucket_at(map, bucket), dummy); /* [M6] release: the dummy. Two threads can only store the same */
    return dummy;
}

/* [M7] acquire: the buckets' memory; pairs with the CAS in grow(). */
static uint32_t bucket_of(const cmi_idmap_t *map, uint32_t hash) {
    return hash & (plat_load_acquire((plat_a32_t *)&map->n_buckets) - 1);
}

/* A dummy in front of the hash, without opening buckets. */
static uint32_t nearest_dummy(const cmi_idmap_t *map, uint32_t hash) {
    uint32_t bucket = bucket_of(map, hash), dummy;
    while ((dummy = plat_load_acquire(bucket_at(map, bucket))) == CMI_NO_ENTRY_INDEX) bucket = parent_of(bucket); /* [M6] */
    return dummy;
}

/* Doubles the buckets. Without memory they stay as they are. */
static void grow(cmi_idmap_t *map) {
    uint32_t n = plat_load_relaxed(&map->n_buckets);                                             /* relaxed: re-checked by the CAS */
    if (n >= map->max_buckets || plat_load_relaxed(&map->n_keys) / KEYS_PER_BUCKET <= n) return; /* relaxed: a threshold */
    uint32_t step = 1u << map->buckets.chunk_shift;
    for (uint64_t bucket = n; bucket < 2 * (uint64_t)n; bucket += step)
        if (!cmi_arena_ensure(&map->buckets, (uint32_t)bucket)) return;
    plat_cas_release(&map->n_buckets, &n, 2 * n); /* [M7] release: the buckets' memory. Failing, another thread did it */
}

/* ---- idmap.h -------------------------------------------------------------------------------------------------------------------------- */

static uint32_t buckets_for(uint32_t n_keys) {
    uint32_t n = FIRST_BUCKETS;
    while (n < MOST_BUCKETS && n < n_keys / KEYS_PER_BUCKET) n *= 2;
    return n;
}

bool cmi_idmap_open(cmi_idmap_t *map, cmi_blocks_t *blocks, uint32_t n_keys) {
    memset(map, 0, sizeof *map);
    map->blocks = blocks;
    map->seed = plat_random_u64();
    map->max_buckets = buckets_for(n_keys);
    plat_store_relaxed(&map->n_buckets, FIRST_BUCKETS); /* relaxed, here and below: not shared yet */
    plat_store_relaxed(&map->n_scans, 1);
    uint32_t root;
    if (cmi_items_open(&map->entries, sizeof(cmi_entry_t), n_keys + map->max_buckets + 1) &&
        cmi_arena_open(&map->buckets, sizeof(plat_a32_t), map->max_buckets) &&
        cmi_arena_ensure(&map->buckets, 0) && /* the first chunk holds FIRST_BUCKETS */
        make_entry(map, order_of_bucket(0), CMI_VALUE_TOMB, CMI_NO_BLOCK, &root) == CM_OK) {
        plat_store_relaxed(bucket_at(map, 0), root);
        return true;
    }
    cmi_idmap_close(map);
    return false;
}

void cmi_idmap_close(cmi_idmap_t *map) {
    cmi_items_close(&map->entries);
    cmi_arena_close(&map->buckets);
}

uint32_t cmi_idmap_find(const cmi_idmap_t *map, cm_str_t key) {
    uint32_t hash = hash_of(map, key), order = order_of_key(hash);
    uint32_t at = nearest_dummy(map, hash);
    for (;;) {
        uint32_t next = plat_load_acquire(&cmi_idmap_at(map, at)->next); /* [M1] acquire: the entry behind */
        at = index_of(next);
        if (at == CMI_NO_ENTRY_INDEX) return CMI_NO_ENTRY_INDEX;
        const cmi_entry_t *entry = cmi_idmap_at(map, at);
        if (entry->order > order) return CMI_NO_ENTRY_INDEX;
        if (entry->order != order || !has_key(map, entry, key)) continue;
        /* relaxed: says only whether to go on. A removed one: its successor may be further on */
        if (is_marked(plat_load_relaxed((plat_a32_t *)&entry->next))) continue;
        return at;
    }
}

cm_status_t cmi_idmap_obtain(cmi_idmap_t *map, cm_str_t key, uint32_t *entry, uint64_t *value, bool *made) {
    uint32_t hash = hash_of(map, key), order = order_of_key(hash);
    uint32_t start = open_bucket(map, bucket_of(map, hash)), fresh = CMI_NO_ENTRY_INDEX;
    *made = false;
    for (;;) { /* retry: another thread removed this key, or changed the link where it belongs */
        position_t position = seek(map, start, order, key);
        if (position.found) {
            *entry = position.at;
            *value = cmi_idmap_value(map, position.at);
            if (*value == CMI_VALUE_TOMB) {
                mark(map, position.at); /* the remover may not have come to it; the next seek unlinks it */
                continue;
            }
            if (fresh != CMI_NO_ENTRY_INDEX) cmi_idmap_free(map, fresh); /* nobody ever saw it */
            return CM_OK;
        }
        if (fresh == CMI_NO_ENTRY_INDEX) {
            cm_status_t status = make_key_entry(map, order, key, &fresh);
            if (status != CM_OK) return status;
        }
        if (link_at(map, position, fresh)) break;
    }
    plat_fetch_add_relaxed(&map->n_keys, 1); /* relaxed: a threshold and a statistic */
    grow(map);
    *entry = fresh;
    *value = CMI_VALUE_NONE;
    *made = true;
    return CM_OK;
}

/* Why the entry is out of the list afterwards: it was in the list when this seek began, if at all, and every entry that the seek passes was in the list at some moment
 * since. So from each of them a path leads to it until somebody unlinks it; the seek goes past its place, and unlinks what it finds marked. Once out it cannot
 * come back: only its predecessor's link names it, and links of marked entries are frozen. */
void cmi_idmap_unlink(cmi_idmap_t *map, uint32_t index) {
    mark(map, index);
    uint32_t order = cmi_idmap_at(map, index)->order;
    seek(map, nearest_dummy(map, reverse_bits(order)), order, cmi_idmap_key(map, index));
    plat_fetch_sub_relaxed(&map->n_keys, 1); /* relaxed: a threshold and a statistic */
}

void cmi_idmap_set_born(cmi_idmap_t *map, uint32_t index) {
    plat_a32_t *born = &cmi_idmap_at(map, index)->born;
    if (plat_load_relaxed(born) != 0) return; /* relaxed: a writer before us came to it */
    /* [M8] release: the predecessor's tombstone, seen before this entry was linked. Adding 0, because an RMW takes its place before or after each scan's */
    uint32_t scan = plat_fetch_add_release(&map->n_scans, 0), unborn = 0;
    plat_cas_relaxed(born, &unborn, scan); /* relaxed: published by the word [M3]. The first writer's number stands */
}

uint32_t cmi_idmap_begin_scan(cmi_idmap_t *map) {
    return plat_fetch_add_acquire(&map->n_scans, 1) + 1; /* [M8] acquire: what was done before the births that came before */
}

uint64_t cmi_idmap_bytes(const cmi_idmap_t *map) {
    /* relaxed: statistics */
    return cmi_items_bytes(&map->entries) + cmi_arena_bytes(&map->buckets, plat_load_relaxed((plat_a32_t *)&map->n_buckets));
}

/* ---- check -------------------------------------------------------------------------------------------------------------------------- */

static cm_status_t check_entry(const cmi_idmap_t *map, const char *name, uint32_t index, const cmi_entry_t *entry, uint32_t *n_marked,
                               uint32_t slack, cm_error_t *error) {
    /* [M1] */
    if (is_marked(plat_load_acquire((plat_a32_t *)&entry->next)) && ++*n_marked > slack)
        return cmi_fail(error, CM_E_INVARIANT, "%s entry %u is marked and still linked", name, index);
    bool dummy = (entry->order & 1) == 0;
    if (dummy != (entry->key == CMI_NO_BLOCK))
        return cmi_fail(error, CM_E_INVARIANT, "%s entry %u: a dummy with a key, or a key without", name, index);
    if (!dummy && entry->order != order_of_key(hash_of(map, cmi_idmap_key(map, index))))
        return cmi_fail(error, CM_E_INVARIANT, "%s entry %u is not where its hash belongs", name, index);
    return CM_OK;
}

static cm_status_t check_list(const cmi_idmap_t *map, const char *name, uint32_t slack, cm_error_t *error) {
    uint32_t end = cmi_idmap_end(map), n_keys = 0, n_seen = 0, n_marked = 0;
    uint32_t order = 0;
    for (uint32_t at = ROOT; at != CMI_NO_ENTRY_INDEX; at = index_of(plat_load_acquire(&cmi_idmap_at(map, at)->next))) { /* [M1] */
        if (at >= end) return cmi_fail(error, CM_E_INVARIANT, "%s entry %u is linked, but there are %u", name, at, end);
        if (++n_seen > end) return cmi_fail(error, CM_E_INVARIANT, "the list of %s entries has a cycle", name);
        const cmi_entry_t *entry = cmi_idmap_at(map, at);
        if (entry->order < order || (entry->order == order && (order & 1) == 0 && at != ROOT))
            return cmi_fail(error, CM_E_INVARIANT, "%s entry %u breaks the split order", name, at);
        order = entry->order;
        cm_status_t status = check_entry(map, name, at, entry, &n_marked, slack, error);
        if (status != CM_OK) return status;
        n_keys += entry->key != CMI_NO_BLOCK;
    }
    uint32_t counted = plat_load_relaxed((plat_a32_t *)&map->n_keys); /* relaxed: nobody writes */
    if (n_keys > counted + slack || counted > n_keys + slack)
        return cmi_fail(error, CM_E_INVARIANT, "%u %s entries are linked, %u are counted", n_keys, name, counted);
    return CM_OK;
}

cm_status_t cmi_idmap_check(const cmi_idmap_t *map, const char *name, uint32_t slack, cm_error_t *error) {
    cm_status_t status = check_list(map, name, slack, error);
    uint32_t n_buckets = plat_load_acquire((plat_a32_t *)&map->n_buckets); /* [M7] */
    for (uint32_t bucket = 0; bucket < n_buckets && status == CM_OK; bucket++) {
        uint32_t dummy = plat_load_acquire(bucket_at(map, bucket)); /* [M6] */
        if (dummy != CMI_NO_ENTRY_INDEX && cmi_idmap_at(map, dummy)->order != order_of_bucket(bucket))
            status = cmi_fail(error, CM_E_INVARIANT, "bucket %u of the %s entries leads to entry %u, which is not its dummy", bucket, name,
                              dummy);
    }
    return status;
}
