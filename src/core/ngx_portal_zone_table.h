
/*
 * Copyright (C) the nginx client portal authors
 *
 * The layout of the shared zone: what the tables and their users share.
 * Private to src/core.
 */


#ifndef _NGX_PORTAL_ZONE_TABLE_H_INCLUDED_
#define _NGX_PORTAL_ZONE_TABLE_H_INCLUDED_


#include "ngx_portal_zone.h"


#define NGX_PORTAL_WAYS  8

#define NGX_PORTAL_TABLE_SESSIONS  0
#define NGX_PORTAL_TABLE_GRANTS    1
#define NGX_PORTAL_TABLE_LIMITS    2
#define NGX_PORTAL_TABLE_BANS      3
#define NGX_PORTAL_TABLES          4


typedef struct {
    uint64_t             expires;
    uint32_t             hash;
    u_char               valid;
    u_char               used;       /* clock bit */
    u_char               fixed;      /* never a victim before it expires */
    u_char               unused;
} ngx_portal_entry_t;


typedef struct {
    ngx_portal_entry_t   head;
    u_char               key[32];
    ngx_portal_session_t data;
    uint64_t             told;       /* when PostgreSQL heard of its use */
    u_char               pad[256 - sizeof(ngx_portal_entry_t) - 32
                             - sizeof(ngx_portal_session_t)
                             - sizeof(uint64_t)];
} ngx_portal_session_entry_t;


typedef struct {
    ngx_portal_entry_t      head;
    ngx_portal_grant_key_t  key;
    ngx_portal_grant_t      data;
} ngx_portal_grant_entry_t;


typedef struct {
    ngx_portal_entry_t   head;
    u_char               key[16];
    uint64_t             count;
    u_char               pad[24];
} ngx_portal_limit_entry_t;


typedef struct {
    u_char              *start;      /* set where it is mapped */
    size_t               entry;
    size_t               key;
    uint32_t             sets;
} ngx_portal_table_t;


typedef struct {
    uint64_t             event;
    uint64_t             floor;
    uint64_t             counters[NGX_PORTAL_KINDS][NGX_PORTAL_COUNTERS];
    uint64_t             latest[NGX_PORTAL_KINDS][NGX_PORTAL_COUNTERS];
                                     /* the end of the id that was bumped */
    uint64_t             alive;      /* 0: not since the zone was made */
    uint64_t             lease;
    ngx_pid_t            holder;
} ngx_portal_shared_t;


struct ngx_portal_zone_s {
    ngx_portal_shared_t *sh;
    ngx_slab_pool_t     *shpool;
    ngx_uint_t           shares[NGX_PORTAL_TABLES];
    ngx_portal_table_t   tables[NGX_PORTAL_TABLES];
};


/* All of these are called with the zone's mutex held, but for the hash. */

uint32_t ngx_portal_hash(const u_char *key, size_t len);

/* The valid entry of the key, or NULL. */
ngx_portal_entry_t *ngx_portal_find(ngx_portal_table_t *table,
    const void *key, uint32_t hash);

/*
 * The entry for key, found or taken over, marked invalid: the caller writes
 * its data, then sets valid.  NULL: the set is full of fixed entries.
 */
ngx_portal_entry_t *ngx_portal_store(ngx_portal_table_t *table,
    const void *key, uint32_t hash);

/* 1: older than the floor, or than a counter of one of the ids. */
ngx_uint_t ngx_portal_stale(ngx_portal_shared_t *sh, uint64_t event,
    const u_char *session, const u_char *person, const u_char *client,
    const u_char *object);

/* 1: the listener was answered a short while ago. */
ngx_uint_t ngx_portal_trusted(ngx_portal_shared_t *sh);


#endif /* _NGX_PORTAL_ZONE_TABLE_H_INCLUDED_ */
