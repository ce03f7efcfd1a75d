
/*
 * Copyright (C) the nginx client portal authors
 *
 * libpq on nginx's event loop: a pool of connections a worker, calls with a
 * deadline, one listener.  Nothing here blocks and nothing knows a request.
 */


#ifndef _NGX_PORTAL_DB_H_INCLUDED_
#define _NGX_PORTAL_DB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <libpq-fe.h>


typedef enum {
    NGX_PORTAL_DB_OK = 0,
    NGX_PORTAL_DB_ERR_QUERY,           /* an error of SQL: see sqlstate */
    NGX_PORTAL_DB_ERR_TIMEOUT,         /* the deadline, or a time limit */
    NGX_PORTAL_DB_ERR_CONNECTION,      /* lost, or not to be had */
    NGX_PORTAL_DB_ERR_SERIALIZATION    /* 40001, 40P01: try again */
} ngx_portal_db_err_e;


typedef struct {
    ngx_str_t              portal;             /* for logs */
    ngx_str_t              conninfo;           /* of check_conninfo() */
    ngx_uint_t             pool;               /* connections at most */
    ngx_uint_t             queue;              /* calls waiting at most */
    ngx_msec_t             connect_timeout;
    ngx_msec_t             query_timeout;      /* waiting, connecting, all */
    ngx_msec_t             idle_timeout;
    ngx_msec_t             lifetime;
    ngx_msec_t             drain_timeout;
} ngx_portal_db_conf_t;


/* Static: the address of a statement is its identity. */
typedef struct {
    const char            *name;
    const char            *sql;
    int                    nparams;

    /*
     * Number of the parameter that the first column of the one row repeats,
     * or 0.  Another answer is of another call: its connection is closed.
     * none: no row is an answer too.
     */
    int                    nonce;
    int                    none;
} ngx_portal_db_statement_t;


typedef struct {
    const char            *data;               /* NULL: SQL NULL */
    int                    len;
    int                    binary;
} ngx_portal_db_param_t;


typedef struct {
    ngx_portal_db_err_e    err;

    /*
     * The rows, when err is OK: complete, and their transaction is over.
     * A handler that wants to keep them sets res to NULL and owes PQclear().
     */
    PGresult              *res;
    char                   sqlstate[6];
} ngx_portal_db_result_t;


typedef struct ngx_portal_db_s           ngx_portal_db_t;
typedef struct ngx_portal_db_job_s       ngx_portal_db_job_t;
typedef struct ngx_portal_db_listener_s  ngx_portal_db_listener_t;

typedef void (*ngx_portal_db_handler_pt)(void *data,
    ngx_portal_db_result_t *result);


typedef struct {
    ngx_uint_t             idle;
    ngx_uint_t             busy;
    ngx_uint_t             draining;
    ngx_uint_t             connecting;
    ngx_uint_t             waiting;
} ngx_portal_db_status_t;


/*
 * For nginx -t: reads the connection string and rewrites it, complete and
 * for non-blocking use: host names resolved to hostaddr, TLS as "require",
 * "verify-…" or "disable" only, gssencmode off, UTF-8, a name.  NULL: done;
 * else what is wrong, never with the password in it.
 */
char *ngx_portal_db_check_conninfo(ngx_pool_t *pool, ngx_str_t *conninfo);

/* The pool of this worker; connects when it is first asked.  NULL: memory. */
ngx_portal_db_t *ngx_portal_db_create(ngx_cycle_t *cycle,
    ngx_portal_db_conf_t *conf);
void ngx_portal_db_close(ngx_portal_db_t *db);

/*
 * Calls the statement with st->nparams parameters (copied).  NULL: not
 * taken, since the queue is full or memory is; handler will not be called.
 * Otherwise it is called exactly once, from the event loop, never from
 * here, unless the job is cancelled before.
 */
ngx_portal_db_job_t *ngx_portal_db_call(ngx_portal_db_t *db,
    const ngx_portal_db_statement_t *st, const ngx_portal_db_param_t *params,
    ngx_portal_db_handler_pt handler, void *data);

/*
 * Nobody waits any more.  A statement that runs is given drain_timeout to
 * end, so that its connection lives on; then the connection is closed.
 * NGX_DECLINED: it was not sent and never will be.
 */
ngx_int_t ngx_portal_db_cancel(ngx_portal_db_job_t *job);

void ngx_portal_db_status(ngx_portal_db_t *db,
    ngx_portal_db_status_t *status);


typedef struct {
    ngx_str_t              conninfo;
    const char            *channel;
    ngx_msec_t             interval;           /* between empty queries */

    /* what was notified, in order; and the end of what came together */
    void                 (*notify)(void *data, ngx_str_t *payload);
    void                 (*notified)(void *data);

    /* LISTEN was answered after a (re)connect: there may have been a gap */
    void                 (*reset)(void *data);

    /* an empty query was answered: all notified before it was seen */
    void                 (*alive)(void *data);
    void                  *data;
} ngx_portal_db_listen_conf_t;


ngx_portal_db_listener_t *ngx_portal_db_listen(ngx_cycle_t *cycle,
    ngx_portal_db_listen_conf_t *conf);
void ngx_portal_db_listen_close(ngx_portal_db_listener_t *listener);


#endif /* _NGX_PORTAL_DB_H_INCLUDED_ */
