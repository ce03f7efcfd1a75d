
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the workers of a host remember together: sessions, grants, limits
 * and bans in fixed set-associative tables, and the generation counters
 * by which a cached answer is known to be stale.
 */


#ifndef _NGX_PORTAL_ZONE_H_INCLUDED_
#define _NGX_PORTAL_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#if (NGX_PTR_SIZE == 4)
#error the portal module needs a clock of 64 bits: ngx_msec_t has 32 here
#endif


#define NGX_PORTAL_SESSION  0
#define NGX_PORTAL_PERSON   1
#define NGX_PORTAL_CLIENT   2
#define NGX_PORTAL_OBJECT   3
#define NGX_PORTAL_KINDS    4

#define NGX_PORTAL_COUNTERS  4096

#define NGX_PORTAL_GOOD     0
#define NGX_PORTAL_DOUBTED  1
#define NGX_PORTAL_ENDED    2

/* an entry is not trusted without a new answer for longer than this, ms */
#define NGX_PORTAL_ENTRY_TTL  60000

/* nor when the listener was not answered for this long, ms */
#define NGX_PORTAL_ALIVE_TTL  2000


typedef struct {
    u_char          id[16];          /* portal.session.id */
    u_char          person[16];
    uint64_t        event;           /* read before the query was sent */
    uint64_t        idle_end;        /* ngx_current_msec clock */
    uint64_t        absolute_end;
    u_char          absent;          /* there is no such session */
    u_char          staff;
    u_char          role;            /* NGX_HTTP_PORTAL_ACCESS_* */
    u_char          locale[8];       /* NUL-terminated */
    u_char          theme[8];
} ngx_portal_session_t;


typedef struct {
    u_char          session[16];
    u_char          document[16];
    uint64_t        slug;            /* hash of the client in the URL, or 0 */
} ngx_portal_grant_key_t;


typedef struct {
    uint64_t        event;
    u_char          person[16];
    u_char          client[16];
    u_char          hash[32];        /* SHA-256 of the content */
    uint64_t        size;            /* bytes */
    int64_t         mtime;           /* seconds of the epoch */
    u_char          type;            /* index of portal_type_at() */
    u_char          show;            /* may be shown inline */
    u_char          name_len;
    u_char          name[165];
} ngx_portal_grant_t;


typedef struct ngx_portal_zone_s  ngx_portal_zone_t;


/*
 * Declares the zone of a portal: shares of sessions, grants, limits, bans
 * in percent.  NULL: logged, as ngx_shared_memory_add().
 */
ngx_shm_zone_t *ngx_portal_zone_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, ngx_uint_t shares[4], void *tag);

/* The event number to be read before a query whose answer will be cached. */
uint64_t ngx_portal_zone_event(ngx_shm_zone_t *zone);

/*
 * NGX_OK: found, trusted, and copied out; NGX_DECLINED: ask PostgreSQL.
 * key: SHA-256 of the session's token.
 */
ngx_int_t ngx_portal_session_get(ngx_shm_zone_t *zone, const u_char key[32],
    ngx_portal_session_t *session);

/* Stores unless something newer than session->event happened meanwhile. */
void ngx_portal_session_put(ngx_shm_zone_t *zone, const u_char key[32],
    const ngx_portal_session_t *session);

void ngx_portal_session_drop(ngx_shm_zone_t *zone, const u_char key[32]);

/*
 * Extends the idle limit of a cached session.  NGX_OK: PostgreSQL has not
 * been told of its use for interval ms, and is to be told now;
 * NGX_DECLINED: it has.
 */
ngx_int_t ngx_portal_session_touch(ngx_shm_zone_t *zone,
    const u_char key[32], ngx_msec_t idle, ngx_msec_t interval);

ngx_int_t ngx_portal_grant_get(ngx_shm_zone_t *zone,
    const ngx_portal_grant_key_t *key, ngx_portal_grant_t *grant);
void ngx_portal_grant_put(ngx_shm_zone_t *zone,
    const ngx_portal_grant_key_t *key, const ngx_portal_grant_t *grant);

/* Counts one of key in a window of ms: how many there were, with this one. */
ngx_uint_t ngx_portal_limit_count(ngx_shm_zone_t *zone,
    const u_char key[16], ngx_msec_t window);

/*
 * Counts one, and with the last of max bans the key for the rest of the
 * window.  NGX_DECLINED: it is banned already, and nothing was counted.
 */
ngx_int_t ngx_portal_limit_take(ngx_shm_zone_t *zone, const u_char key[16],
    ngx_uint_t max, ngx_msec_t window);

/* One that was taken was none: its ban, if it made one, goes as well. */
void ngx_portal_limit_release(ngx_shm_zone_t *zone, const u_char key[16]);

/* There were none. */
void ngx_portal_limit_forget(ngx_shm_zone_t *zone, const u_char key[16]);

void ngx_portal_limit_ban(ngx_shm_zone_t *zone, const u_char key[16],
    ngx_msec_t time);

/* Milliseconds that the key is still banned for; 0: it is not. */
ngx_msec_t ngx_portal_limit_banned(ngx_shm_zone_t *zone,
    const u_char key[16]);

/* kind: NGX_PORTAL_SESSION…; id: the 16 bytes of a UUID. */
void ngx_portal_zone_bump(ngx_shm_zone_t *zone, ngx_uint_t kind,
    const u_char id[16]);

/* After a gap in the notifications: nothing older counts any more. */
void ngx_portal_zone_bump_all(ngx_shm_zone_t *zone);

/*
 * What has become since event of something about these ids (NULL: not
 * asked).  NGX_PORTAL_DOUBTED: a counter that one of them shares with others
 * has grown, or there was a gap in the notifications; NGX_PORTAL_ENDED: one
 * of them was named.
 */
ngx_uint_t ngx_portal_zone_fate(ngx_shm_zone_t *zone, uint64_t event,
    const u_char *session, const u_char *person, const u_char *client,
    const u_char *object);

/* The listener's answer has come: entries are trusted from here on. */
void ngx_portal_zone_alive(ngx_shm_zone_t *zone);

/*
 * One worker of a host listens: 1 when the caller holds the lease, which
 * it has got or renewed for ttl ms by this call.
 */
ngx_uint_t ngx_portal_zone_lease(ngx_shm_zone_t *zone, ngx_msec_t ttl);

/* Gives the lease back; no effect for another holder. */
void ngx_portal_zone_release(ngx_shm_zone_t *zone);


#endif /* _NGX_PORTAL_ZONE_H_INCLUDED_ */
