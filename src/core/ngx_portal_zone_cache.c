
/*
 * Copyright (C) the nginx client portal authors
 *
 * What is in the tables of the zone: sessions, grants, counts of failures
 * and bans.  Each function holds the mutex for a lookup and a copy only.
 */


#include "ngx_portal_zone_table.h"


static void ngx_portal_drop(ngx_shm_zone_t *shm_zone, ngx_uint_t table,
    const u_char *key, size_t len);
static ngx_uint_t ngx_portal_limit_add(ngx_portal_zone_t *zone,
    const u_char key[16], uint32_t hash, ngx_msec_t window, uint64_t *end);
static void ngx_portal_limit_bar(ngx_portal_zone_t *zone,
    const u_char key[16], uint32_t hash, uint64_t end);


static void
ngx_portal_drop(ngx_shm_zone_t *shm_zone, ngx_uint_t table, const u_char *key,
    size_t len)
{
    uint32_t             hash;
    ngx_portal_zone_t   *zone = shm_zone->data;
    ngx_portal_entry_t  *e;

    hash = ngx_portal_hash(key, len);

    ngx_shmtx_lock(&zone->shpool->mutex);

    e = ngx_portal_find(&zone->tables[table], key, hash);
    if (e) {
        e->valid = 0;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


ngx_int_t
ngx_portal_session_get(ngx_shm_zone_t *shm_zone, const u_char key[32],
    ngx_portal_session_t *session)
{
    uint32_t                     hash;
    uint64_t                     now;
    ngx_int_t                    rc;
    ngx_portal_zone_t           *zone = shm_zone->data;
    ngx_portal_session_entry_t  *e;

    hash = ngx_portal_hash(key, 32);
    now = ngx_current_msec;
    rc = NGX_DECLINED;

    ngx_shmtx_lock(&zone->shpool->mutex);

    e = (ngx_portal_session_entry_t *)
            ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_SESSIONS], key,
                            hash);

    if (e && e->head.expires > now
        && (e->data.absent
            || (e->data.idle_end > now && e->data.absolute_end > now))
        && ngx_portal_trusted(zone->sh)
        && !ngx_portal_stale(zone->sh, e->data.event, e->data.id,
                             e->data.person, NULL, NULL))
    {
        e->head.used = 1;
        *session = e->data;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


void
ngx_portal_session_put(ngx_shm_zone_t *shm_zone, const u_char key[32],
    const ngx_portal_session_t *session)
{
    uint32_t                     hash;
    ngx_portal_zone_t           *zone = shm_zone->data;
    ngx_portal_session_entry_t  *e;

    hash = ngx_portal_hash(key, 32);

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (!ngx_portal_stale(zone->sh, session->event, session->id,
                          session->person, NULL, NULL))
    {
        e = (ngx_portal_session_entry_t *)
                ngx_portal_store(&zone->tables[NGX_PORTAL_TABLE_SESSIONS],
                                 key, hash);

        if (e) {
            e->data = *session;
            e->told = 0;
            e->head.expires = ngx_current_msec + NGX_PORTAL_ENTRY_TTL;
            ngx_memory_barrier();
            e->head.valid = 1;
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_portal_session_drop(ngx_shm_zone_t *shm_zone, const u_char key[32])
{
    ngx_portal_drop(shm_zone, NGX_PORTAL_TABLE_SESSIONS, key, 32);
}


ngx_int_t
ngx_portal_session_touch(ngx_shm_zone_t *shm_zone, const u_char key[32],
    ngx_msec_t idle, ngx_msec_t interval)
{
    uint32_t                     hash;
    uint64_t                     now;
    ngx_int_t                    rc;
    ngx_portal_zone_t           *zone = shm_zone->data;
    ngx_portal_session_entry_t  *e;

    hash = ngx_portal_hash(key, 32);
    now = ngx_current_msec;
    rc = NGX_OK;

    ngx_shmtx_lock(&zone->shpool->mutex);

    e = (ngx_portal_session_entry_t *)
            ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_SESSIONS], key,
                            hash);
    if (e) {
        e->data.idle_end = now + idle;

        if (e->told && now - e->told < interval) {
            rc = NGX_DECLINED;

        } else {
            e->told = now;
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


ngx_int_t
ngx_portal_grant_get(ngx_shm_zone_t *shm_zone,
    const ngx_portal_grant_key_t *key, ngx_portal_grant_t *grant)
{
    uint32_t                   hash;
    ngx_int_t                  rc;
    ngx_portal_zone_t         *zone = shm_zone->data;
    ngx_portal_grant_entry_t  *e;

    hash = ngx_portal_hash((u_char *) key, sizeof(ngx_portal_grant_key_t));
    rc = NGX_DECLINED;

    ngx_shmtx_lock(&zone->shpool->mutex);

    e = (ngx_portal_grant_entry_t *)
            ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_GRANTS], key,
                            hash);

    if (e && e->head.expires > (uint64_t) ngx_current_msec
        && ngx_portal_trusted(zone->sh)
        && !ngx_portal_stale(zone->sh, e->data.event, e->key.session,
                             e->data.person, e->data.client,
                             e->key.document))
    {
        e->head.used = 1;
        *grant = e->data;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


void
ngx_portal_grant_put(ngx_shm_zone_t *shm_zone,
    const ngx_portal_grant_key_t *key, const ngx_portal_grant_t *grant)
{
    uint32_t                   hash;
    ngx_portal_zone_t         *zone = shm_zone->data;
    ngx_portal_grant_entry_t  *e;

    hash = ngx_portal_hash((u_char *) key, sizeof(ngx_portal_grant_key_t));

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (!ngx_portal_stale(zone->sh, grant->event, key->session,
                          grant->person, grant->client, key->document))
    {
        e = (ngx_portal_grant_entry_t *)
                ngx_portal_store(&zone->tables[NGX_PORTAL_TABLE_GRANTS], key,
                                 hash);

        if (e) {
            e->data = *grant;
            e->head.expires = ngx_current_msec + NGX_PORTAL_ENTRY_TTL;
            ngx_memory_barrier();
            e->head.valid = 1;
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


/* With the mutex held: how many there were, and the end of their window. */

static ngx_uint_t
ngx_portal_limit_add(ngx_portal_zone_t *zone, const u_char key[16],
    uint32_t hash, ngx_msec_t window, uint64_t *end)
{
    uint64_t                   now;
    ngx_portal_table_t        *table;
    ngx_portal_limit_entry_t  *e;

    now = ngx_current_msec;
    table = &zone->tables[NGX_PORTAL_TABLE_LIMITS];

    e = (ngx_portal_limit_entry_t *) ngx_portal_find(table, key, hash);

    if (e && e->head.expires > now) {
        e->head.used = 1;
        *end = e->head.expires;

        return ++e->count;
    }

    *end = now + window;

    e = (ngx_portal_limit_entry_t *) ngx_portal_store(table, key, hash);

    if (e) {
        e->count = 1;
        e->head.expires = *end;
        ngx_memory_barrier();
        e->head.valid = 1;
    }

    return 1;
}


/* With the mutex held. */

static void
ngx_portal_limit_bar(ngx_portal_zone_t *zone, const u_char key[16],
    uint32_t hash, uint64_t end)
{
    ngx_portal_entry_t  *ban;

    ban = ngx_portal_store(&zone->tables[NGX_PORTAL_TABLE_BANS], key, hash);

    if (ban) {
        ban->expires = end;
        ban->fixed = 1;
        ngx_memory_barrier();
        ban->valid = 1;
    }
}


ngx_uint_t
ngx_portal_limit_count(ngx_shm_zone_t *shm_zone, const u_char key[16],
    ngx_msec_t window)
{
    uint32_t            hash;
    uint64_t            end;
    ngx_uint_t          count;
    ngx_portal_zone_t  *zone = shm_zone->data;

    hash = ngx_portal_hash(key, 16);

    ngx_shmtx_lock(&zone->shpool->mutex);
    count = ngx_portal_limit_add(zone, key, hash, window, &end);
    ngx_shmtx_unlock(&zone->shpool->mutex);

    return count;
}


ngx_int_t
ngx_portal_limit_take(ngx_shm_zone_t *shm_zone, const u_char key[16],
    ngx_uint_t max, ngx_msec_t window)
{
    uint32_t             hash;
    uint64_t             end;
    ngx_int_t            rc;
    ngx_uint_t           count;
    ngx_portal_zone_t   *zone = shm_zone->data;
    ngx_portal_entry_t  *ban;

    hash = ngx_portal_hash(key, 16);
    rc = NGX_DECLINED;

    ngx_shmtx_lock(&zone->shpool->mutex);

    ban = ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_BANS], key, hash);

    if (ban == NULL || ban->expires <= (uint64_t) ngx_current_msec) {
        count = ngx_portal_limit_add(zone, key, hash, window, &end);

        if (count >= max) {
            ngx_portal_limit_bar(zone, key, hash, end);
        }

        /* more: there was no room for the ban */

        rc = count > max ? NGX_DECLINED : NGX_OK;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return rc;
}


void
ngx_portal_limit_release(ngx_shm_zone_t *shm_zone, const u_char key[16])
{
    uint32_t                   hash;
    ngx_portal_zone_t         *zone = shm_zone->data;
    ngx_portal_entry_t        *ban;
    ngx_portal_limit_entry_t  *e;

    hash = ngx_portal_hash(key, 16);

    ngx_shmtx_lock(&zone->shpool->mutex);

    e = (ngx_portal_limit_entry_t *)
            ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_LIMITS], key,
                            hash);

    if (e && e->count) {
        e->count--;

        ban = ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_BANS], key,
                              hash);
        if (ban) {
            ban->valid = 0;
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_portal_limit_forget(ngx_shm_zone_t *shm_zone, const u_char key[16])
{
    ngx_portal_drop(shm_zone, NGX_PORTAL_TABLE_LIMITS, key, 16);
}


void
ngx_portal_limit_ban(ngx_shm_zone_t *shm_zone, const u_char key[16],
    ngx_msec_t time)
{
    uint32_t            hash;
    ngx_portal_zone_t  *zone = shm_zone->data;

    hash = ngx_portal_hash(key, 16);

    ngx_shmtx_lock(&zone->shpool->mutex);
    ngx_portal_limit_bar(zone, key, hash, ngx_current_msec + time);
    ngx_shmtx_unlock(&zone->shpool->mutex);
}


ngx_msec_t
ngx_portal_limit_banned(ngx_shm_zone_t *shm_zone, const u_char key[16])
{
    uint32_t             hash;
    uint64_t             now;
    ngx_msec_t           left;
    ngx_portal_zone_t   *zone = shm_zone->data;
    ngx_portal_entry_t  *e;

    hash = ngx_portal_hash(key, 16);
    now = ngx_current_msec;
    left = 0;

    ngx_shmtx_lock(&zone->shpool->mutex);

    e = ngx_portal_find(&zone->tables[NGX_PORTAL_TABLE_BANS], key, hash);
    if (e && e->expires > now) {
        left = (ngx_msec_t) (e->expires - now);
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return left;
}
