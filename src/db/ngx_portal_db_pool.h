
/*
 * Copyright (C) the nginx client portal authors
 *
 * The pool of a worker: what its two files share, the calls (ngx_portal_db.c)
 * and the connections (ngx_portal_db_pool.c).  Private to src/db.
 */


#ifndef _NGX_PORTAL_DB_POOL_H_INCLUDED_
#define _NGX_PORTAL_DB_POOL_H_INCLUDED_


#include "ngx_portal_db_conn.h"


/* a call is told of a server that refuses no later than this, ms */
#define NGX_PORTAL_DB_REFUSED      100

#define NGX_PORTAL_DB_STATEMENTS   32


typedef enum {
    ngx_portal_db_free = 0,
    ngx_portal_db_connecting,
    ngx_portal_db_idle,
    ngx_portal_db_busy,
    ngx_portal_db_draining
} ngx_portal_db_state_e;


typedef enum {
    ngx_portal_db_execute = 0,
    ngx_portal_db_prepare,
    ngx_portal_db_discard
} ngx_portal_db_step_e;


typedef struct {
    ngx_queue_t                        queue;
    ngx_portal_db_conn_t               conn;
    ngx_portal_db_t                   *db;
    ngx_portal_db_job_t               *job;
    const ngx_portal_db_statement_t   *st;         /* that runs */
    ngx_portal_db_state_e              state;
    ngx_portal_db_step_e               step;
    ngx_event_t                        timer;
    ngx_msec_t                         born;
    const ngx_portal_db_statement_t   *prepared[NGX_PORTAL_DB_STATEMENTS];
    ngx_uint_t                         nprepared;
} ngx_portal_db_slot_t;


struct ngx_portal_db_job_s {
    ngx_queue_t                        queue;      /* while it waits */
    ngx_pool_t                        *pool;
    ngx_portal_db_t                   *db;
    ngx_portal_db_slot_t              *slot;       /* while it runs */
    const ngx_portal_db_statement_t   *st;
    const char                       **values;
    int                               *lengths;
    int                               *formats;
    ngx_portal_db_handler_pt           handler;
    void                              *data;
    ngx_event_t                        timer;
    ngx_msec_t                         deadline;
    unsigned                           retried:1;
    unsigned                           refused:1;  /* timer is not the end */
};


struct ngx_portal_db_s {
    ngx_portal_db_conf_t              *conf;
    ngx_log_t                         *log;
    ngx_portal_db_slot_t              *slots;
    ngx_queue_t                        lists[ngx_portal_db_draining + 1];
    ngx_uint_t                         counts[ngx_portal_db_draining + 1];
    ngx_queue_t                        waiting;
    ngx_uint_t                         nwaiting;
    ngx_msec_t                         backoff;    /* 0: none */
    ngx_msec_t                         retry;      /* not before */
    char                              *conninfo;
    unsigned                           closing:1;
};


/* calls */

/* The end of a job: it is gone before its handler is called. */
void ngx_portal_db_finish(ngx_portal_db_job_t *job,
    ngx_portal_db_result_t *result);
void ngx_portal_db_fail(ngx_portal_db_job_t *job, ngx_portal_db_err_e err);


/* connections */

/* The one place where a connection changes its state, which is its list. */
void ngx_portal_db_move(ngx_portal_db_slot_t *slot,
    ngx_portal_db_state_e state);

/* Gives waiting calls to idle connections, and opens more where needed. */
void ngx_portal_db_serve(ngx_portal_db_t *db);

/* Its call, if it had one, is told that the connection was lost. */
void ngx_portal_db_slot_close(ngx_portal_db_slot_t *slot,
    const char *reason);
void ngx_portal_db_slot_timer(ngx_event_t *ev);

/* of its ngx_portal_db_conn_t */
void ngx_portal_db_connected(ngx_portal_db_conn_t *conn);
void ngx_portal_db_done(ngx_portal_db_conn_t *conn);
void ngx_portal_db_failed(ngx_portal_db_conn_t *conn);


#endif /* _NGX_PORTAL_DB_POOL_H_INCLUDED_ */
