
/*
 * Copyright (C) the nginx client portal authors
 *
 * The shared zone of a portal, cut once into fixed tables: nothing in it is
 * allocated, linked, queued or grown afterwards.  A table is an array of
 * sets of eight entries, the set is chosen by a hash of the key; the victim
 * of an insertion is an invalid or expired entry of the set, else the first
 * one whose clock bit is clear.  An entry is invalidated, written, then
 * validated: a worker killed in between leaves at most one invalid entry.
 * The mutex is that of the slab pool, which the master unlocks for a dead
 * worker; it is held for a lookup and a copy only.
 *
 * Time is ngx_current_msec: one monotonic clock for all workers of a host,
 * and the zone does not outlive it.
 */


#include "ngx_portal_zone_table.h"


static ngx_int_t ngx_portal_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void ngx_portal_zone_cut(ngx_portal_zone_t *zone, u_char *p,
    size_t size);
static ngx_portal_entry_t *ngx_portal_victim(ngx_portal_table_t *table,
    uint32_t hash);
static ngx_uint_t ngx_portal_fate(ngx_portal_shared_t *sh, uint64_t event,
    const u_char *session, const u_char *person, const u_char *client,
    const u_char *object);
static uint64_t ngx_portal_id_end(const u_char id[16]);


static size_t  ngx_portal_entry_sizes[NGX_PORTAL_TABLES] = {
    sizeof(ngx_portal_session_entry_t),
    sizeof(ngx_portal_grant_entry_t),
    sizeof(ngx_portal_limit_entry_t),
    sizeof(ngx_portal_limit_entry_t)
};

static size_t  ngx_portal_key_sizes[NGX_PORTAL_TABLES] = {
    32, sizeof(ngx_portal_grant_key_t), 16, 16
};


ngx_shm_zone_t *
ngx_portal_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    ngx_uint_t shares[4], void *tag)
{
    ngx_shm_zone_t     *shm_zone;
    ngx_portal_zone_t  *zone;

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_portal_zone_t));
    if (zone == NULL) {
        return NULL;
    }

    ngx_memcpy(zone->shares, shares, sizeof(zone->shares));

    shm_zone = ngx_shared_memory_add(cf, name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "portal zone \"%V\" is already bound", name);
        return NULL;
    }

    shm_zone->init = ngx_portal_zone_init;
    shm_zone->data = zone;

    return shm_zone;
}


static ngx_int_t
ngx_portal_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_portal_zone_t  *ozone = data;

    u_char             *p;
    size_t              size, head;
    ngx_portal_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (ozone) {
        if (ngx_memcmp(zone->shares, ozone->shares, sizeof(zone->shares))) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "portal zone \"%V\" had other shares before: "
                          "change its size or name with them",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        zone->sh = ozone->sh;
        ngx_memcpy(zone->tables, ozone->tables, sizeof(zone->tables));

        return NGX_OK;
    }

    head = ngx_align(sizeof(ngx_portal_shared_t), 64);

    if (shm_zone->shm.exists) {
        p = zone->shpool->data;

        if (p == NULL) {
            return NGX_ERROR;
        }

        size = *(size_t *) p;
        zone->sh = (ngx_portal_shared_t *) (p + 64);
        ngx_portal_zone_cut(zone, p + 64 + head, size - 64 - head);

        return NGX_OK;
    }

    size = zone->shpool->pfree * ngx_pagesize;

    p = ngx_slab_calloc(zone->shpool, size);
    if (p == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "could not cut portal zone \"%V\"",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    *(size_t *) p = size;
    zone->shpool->data = p;

    zone->sh = (ngx_portal_shared_t *) (p + 64);
    zone->sh->event = 1;

    ngx_portal_zone_cut(zone, p + 64 + head, size - 64 - head);

    return NGX_OK;
}


static void
ngx_portal_zone_cut(ngx_portal_zone_t *zone, u_char *p, size_t size)
{
    size_t               part;
    ngx_uint_t           i;
    ngx_portal_table_t  *table;

    for (i = 0; i < NGX_PORTAL_TABLES; i++) {
        table = &zone->tables[i];
        part = size / 100 * zone->shares[i];

        table->start = p;
        table->entry = ngx_portal_entry_sizes[i];
        table->key = ngx_portal_key_sizes[i];
        table->sets = (uint32_t) (part / (table->entry * NGX_PORTAL_WAYS));

        if (table->sets == 0) {
            table->sets = 1;
        }

        p += (size_t) table->sets * table->entry * NGX_PORTAL_WAYS;
    }
}


uint32_t
ngx_portal_hash(const u_char *key, size_t len)
{
    return ngx_murmur_hash2((u_char *) key, len);
}


ngx_portal_entry_t *
ngx_portal_find(ngx_portal_table_t *table, const void *key, uint32_t hash)
{
    u_char              *p;
    ngx_uint_t           i;
    ngx_portal_entry_t  *e;

    p = table->start
        + (size_t) (hash % table->sets) * table->entry * NGX_PORTAL_WAYS;

    for (i = 0; i < NGX_PORTAL_WAYS; i++, p += table->entry) {
        e = (ngx_portal_entry_t *) p;

        if (e->valid && e->hash == hash
            && ngx_memcmp(p + sizeof(ngx_portal_entry_t), key, table->key)
               == 0)
        {
            return e;
        }
    }

    return NULL;
}


static ngx_portal_entry_t *
ngx_portal_victim(ngx_portal_table_t *table, uint32_t hash)
{
    u_char              *p, *set;
    uint64_t             now;
    ngx_uint_t           i, round;
    ngx_portal_entry_t  *e;

    now = ngx_current_msec;
    set = table->start
          + (size_t) (hash % table->sets) * table->entry * NGX_PORTAL_WAYS;

    for (i = 0, p = set; i < NGX_PORTAL_WAYS; i++, p += table->entry) {
        e = (ngx_portal_entry_t *) p;

        if (!e->valid || e->expires <= now) {
            return e;
        }
    }

    for (round = 0; round < 2; round++) {
        for (i = 0, p = set; i < NGX_PORTAL_WAYS; i++, p += table->entry) {
            e = (ngx_portal_entry_t *) p;

            if (e->fixed) {
                continue;
            }

            if (!e->used) {
                return e;
            }

            e->used = 0;
        }
    }

    return NULL;
}


/*
 * The entry for key, found or taken over, marked invalid: the caller writes
 * its data, then sets valid.  NULL: the set is full of fixed entries.
 */

ngx_portal_entry_t *
ngx_portal_store(ngx_portal_table_t *table, const void *key, uint32_t hash)
{
    ngx_portal_entry_t  *e;

    e = ngx_portal_find(table, key, hash);

    if (e == NULL) {
        e = ngx_portal_victim(table, hash);

        if (e == NULL) {
            return NULL;
        }
    }

    e->valid = 0;
    ngx_memory_barrier();

    e->hash = hash;
    e->used = 0;
    e->fixed = 0;
    ngx_memcpy((u_char *) e + sizeof(ngx_portal_entry_t), key, table->key);

    return e;
}


uint64_t
ngx_portal_zone_event(ngx_shm_zone_t *shm_zone)
{
    uint64_t            event;
    ngx_portal_zone_t  *zone = shm_zone->data;

    ngx_shmtx_lock(&zone->shpool->mutex);
    event = zone->sh->event;
    ngx_shmtx_unlock(&zone->shpool->mutex);

    return event;
}


ngx_uint_t
ngx_portal_stale(ngx_portal_shared_t *sh, uint64_t event,
    const u_char *session, const u_char *person, const u_char *client,
    const u_char *object)
{
    return ngx_portal_fate(sh, event, session, person, client, object)
           != NGX_PORTAL_GOOD;
}


static ngx_uint_t
ngx_portal_fate(ngx_portal_shared_t *sh, uint64_t event,
    const u_char *session, const u_char *person, const u_char *client,
    const u_char *object)
{
    uint32_t       hash;
    ngx_uint_t     i, fate;
    const u_char  *ids[NGX_PORTAL_KINDS];

    ids[NGX_PORTAL_SESSION] = session;
    ids[NGX_PORTAL_PERSON] = person;
    ids[NGX_PORTAL_CLIENT] = client;
    ids[NGX_PORTAL_OBJECT] = object;

    fate = event < sh->floor ? NGX_PORTAL_DOUBTED : NGX_PORTAL_GOOD;

    for (i = 0; i < NGX_PORTAL_KINDS; i++) {

        if (ids[i] == NULL) {
            continue;
        }

        hash = ngx_portal_hash(ids[i], 16) % NGX_PORTAL_COUNTERS;

        if (sh->counters[i][hash] > event) {

            if (sh->latest[i][hash] == ngx_portal_id_end(ids[i])) {
                return NGX_PORTAL_ENDED;
            }

            fate = NGX_PORTAL_DOUBTED;
        }
    }

    return fate;
}


/* Ids may begin with a time: their end is what tells them apart. */

static uint64_t
ngx_portal_id_end(const u_char id[16])
{
    uint64_t  end;

    ngx_memcpy(&end, id + 8, sizeof(uint64_t));

    return end;
}


ngx_uint_t
ngx_portal_trusted(ngx_portal_shared_t *sh)
{
    return sh->alive
           && (uint64_t) ngx_current_msec < sh->alive + NGX_PORTAL_ALIVE_TTL;
}


void
ngx_portal_zone_bump(ngx_shm_zone_t *shm_zone, ngx_uint_t kind,
    const u_char id[16])
{
    uint32_t            hash;
    ngx_portal_zone_t  *zone = shm_zone->data;

    hash = ngx_portal_hash(id, 16) % NGX_PORTAL_COUNTERS;

    ngx_shmtx_lock(&zone->shpool->mutex);
    zone->sh->counters[kind][hash] = ++zone->sh->event;
    zone->sh->latest[kind][hash] = ngx_portal_id_end(id);
    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_portal_zone_bump_all(ngx_shm_zone_t *shm_zone)
{
    ngx_portal_zone_t  *zone = shm_zone->data;

    ngx_shmtx_lock(&zone->shpool->mutex);
    zone->sh->floor = ++zone->sh->event;
    ngx_shmtx_unlock(&zone->shpool->mutex);
}


ngx_uint_t
ngx_portal_zone_fate(ngx_shm_zone_t *shm_zone, uint64_t event,
    const u_char *session, const u_char *person, const u_char *client,
    const u_char *object)
{
    ngx_uint_t          fate;
    ngx_portal_zone_t  *zone = shm_zone->data;

    ngx_shmtx_lock(&zone->shpool->mutex);
    fate = ngx_portal_fate(zone->sh, event, session, person, client, object);
    ngx_shmtx_unlock(&zone->shpool->mutex);

    return fate;
}


void
ngx_portal_zone_alive(ngx_shm_zone_t *shm_zone)
{
    ngx_portal_zone_t  *zone = shm_zone->data;

    ngx_shmtx_lock(&zone->shpool->mutex);
    zone->sh->alive = ngx_current_msec;
    ngx_shmtx_unlock(&zone->shpool->mutex);
}


ngx_uint_t
ngx_portal_zone_lease(ngx_shm_zone_t *shm_zone, ngx_msec_t ttl)
{
    ngx_uint_t          held;
    ngx_portal_zone_t  *zone = shm_zone->data;

    held = 0;

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (zone->sh->holder == ngx_pid
        || zone->sh->lease <= (uint64_t) ngx_current_msec)
    {
        zone->sh->holder = ngx_pid;
        zone->sh->lease = ngx_current_msec + ttl;
        held = 1;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return held;
}


void
ngx_portal_zone_release(ngx_shm_zone_t *shm_zone)
{
    ngx_portal_zone_t  *zone = shm_zone->data;

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (zone->sh->holder == ngx_pid) {
        zone->sh->holder = 0;
        zone->sh->lease = 0;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}
