
/*
 * Copyright (C) the nginx client portal authors
 *
 * The connections of a worker's pool.  The state of one is the list that it
 * is in:
 *
 *     free -> connecting -> idle <-> busy -> draining -> idle or free
 *                  |                   |
 *                  +- fails: back-off  +- error, not idle: free
 *
 * A page function of the site may leave settings, locks or prepared
 * statements behind.  portal.call marks such a session by a "!" at the end
 * of application_name, which PostgreSQL reports by itself; a connection so
 * marked, or one whose call failed, is cleaned by DISCARD ALL before it
 * serves anybody else.  A page of ours costs nothing for it.
 */


#include "ngx_portal_db_pool.h"


#define NGX_PORTAL_DB_BACKOFF_MIN  50
#define NGX_PORTAL_DB_BACKOFF_MAX  1000


static void ngx_portal_db_connect(ngx_portal_db_t *db);
static void ngx_portal_db_refuse(ngx_portal_db_t *db);
static void ngx_portal_db_release(ngx_portal_db_slot_t *slot);
static ngx_uint_t ngx_portal_db_is_prepared(ngx_portal_db_slot_t *slot,
    const ngx_portal_db_statement_t *st);
static void ngx_portal_db_run(ngx_portal_db_slot_t *slot,
    ngx_portal_db_job_t *job);
static ngx_int_t ngx_portal_db_send(ngx_portal_db_slot_t *slot);
static ngx_uint_t ngx_portal_db_dirty(ngx_portal_db_slot_t *slot);
static void ngx_portal_db_prepared(ngx_portal_db_slot_t *slot);
static void ngx_portal_db_cleaned(ngx_portal_db_slot_t *slot);
static void ngx_portal_db_executed(ngx_portal_db_slot_t *slot);
static ngx_int_t ngx_portal_db_result(ngx_portal_db_slot_t *slot,
    ngx_portal_db_job_t *job, ngx_portal_db_result_t *result);
static void ngx_portal_db_clean(ngx_portal_db_slot_t *slot);
static void ngx_portal_db_go_on(ngx_portal_db_slot_t *slot);
static void ngx_portal_db_give_up(ngx_portal_db_slot_t *slot,
    const char *reason);
static ngx_int_t ngx_portal_db_own(ngx_portal_db_job_t *job, PGresult *res);
static ngx_portal_db_err_e ngx_portal_db_classify(const char *sqlstate);


void
ngx_portal_db_move(ngx_portal_db_slot_t *slot, ngx_portal_db_state_e state)
{
    ngx_portal_db_t  *db;

    db = slot->db;

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, db->log, 0,
                   "portal db %p: state %d -> %d", slot, slot->state, state);

    ngx_queue_remove(&slot->queue);
    db->counts[slot->state]--;

    slot->state = state;

    /* the one used last is used first: the others may grow old */

    ngx_queue_insert_head(&db->lists[state], &slot->queue);
    db->counts[state]++;

    if (slot->conn.c) {
        slot->conn.c->idle = (state == ngx_portal_db_idle);
    }
}


/* Gives waiting calls to idle connections, and opens more where needed. */

void
ngx_portal_db_serve(ngx_portal_db_t *db)
{
    ngx_queue_t           *q;
    ngx_portal_db_job_t   *job;
    ngx_portal_db_slot_t  *slot;

    while (!ngx_queue_empty(&db->waiting)
           && !ngx_queue_empty(&db->lists[ngx_portal_db_idle]))
    {
        q = ngx_queue_head(&db->waiting);
        job = ngx_queue_data(q, ngx_portal_db_job_t, queue);

        q = ngx_queue_head(&db->lists[ngx_portal_db_idle]);
        slot = ngx_queue_data(q, ngx_portal_db_slot_t, queue);

        ngx_queue_remove(&job->queue);
        db->nwaiting--;

        ngx_portal_db_run(slot, job);
    }

    if (db->nwaiting > db->counts[ngx_portal_db_connecting]
        && !ngx_queue_empty(&db->lists[ngx_portal_db_free]))
    {
        ngx_portal_db_connect(db);
    }
}


static void
ngx_portal_db_connect(ngx_portal_db_t *db)
{
    ngx_queue_t           *q;
    ngx_portal_db_slot_t  *slot;

    if (db->closing
        || (db->backoff
            && (ngx_msec_int_t) (db->retry - ngx_current_msec) > 0))
    {
        return;
    }

    /* while the server is in doubt, one attempt at a time */

    if (db->backoff && db->counts[ngx_portal_db_connecting]) {
        return;
    }

    q = ngx_queue_head(&db->lists[ngx_portal_db_free]);
    slot = ngx_queue_data(q, ngx_portal_db_slot_t, queue);

    ngx_portal_db_move(slot, ngx_portal_db_connecting);

    slot->nprepared = 0;
    slot->timer.cancelable = 0;
    slot->born = ngx_current_msec;
    slot->conn.quiet = (db->backoff != 0);

    if (ngx_portal_db_conn_start(&slot->conn, db->conninfo) != NGX_OK) {
        ngx_portal_db_move(slot, ngx_portal_db_free);
        ngx_portal_db_refuse(db);
        return;
    }

    ngx_add_timer(&slot->timer, db->conf->connect_timeout);
}


/* A connection could not be had: wait longer before the next attempt. */

static void
ngx_portal_db_refuse(ngx_portal_db_t *db)
{
    ngx_queue_t          *q;
    ngx_msec_t            left;
    ngx_portal_db_job_t  *job;

    db->backoff = db->backoff ? db->backoff * 2 : NGX_PORTAL_DB_BACKOFF_MIN;

    if (db->backoff > NGX_PORTAL_DB_BACKOFF_MAX) {
        db->backoff = NGX_PORTAL_DB_BACKOFF_MAX;
    }

    db->retry = ngx_current_msec + db->backoff / 2
                + (ngx_msec_t) ngx_random() % (db->backoff / 2 + 1);

    if (db->counts[ngx_portal_db_idle] || db->counts[ngx_portal_db_busy]) {
        return;
    }

    /* those who wait are told soon, but not from here: see db_call() */

    for (q = ngx_queue_head(&db->waiting);
         q != ngx_queue_sentinel(&db->waiting);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_portal_db_job_t, queue);

        if (job->refused) {
            continue;
        }

        left = job->deadline - ngx_current_msec;

        if ((ngx_msec_int_t) left > NGX_PORTAL_DB_REFUSED) {
            job->refused = 1;
            ngx_add_timer(&job->timer, NGX_PORTAL_DB_REFUSED);
        }
    }
}


void
ngx_portal_db_connected(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_slot_t  *slot = conn->data;

    ngx_portal_db_t  *db;

    db = slot->db;

    ngx_del_timer(&slot->timer);

    if (db->backoff) {
        ngx_log_error(NGX_LOG_NOTICE, db->log, 0,
                      "portal \"%V\": PostgreSQL answers again",
                      &db->conf->portal);
    }

    db->backoff = 0;
    conn->quiet = 0;
    ngx_portal_db_release(slot);
}


/* Idle again, unless it is too old, unclean, or the worker goes. */

static void
ngx_portal_db_release(ngx_portal_db_slot_t *slot)
{
    ngx_portal_db_t  *db;

    db = slot->db;

    if (slot->timer.timer_set) {
        ngx_del_timer(&slot->timer);
    }

    if (ngx_exiting || db->closing) {
        if (db->nwaiting == 0 || db->closing) {
            ngx_portal_db_slot_close(slot, NULL);
            return;
        }

    } else if (ngx_current_msec - slot->born > db->conf->lifetime) {
        ngx_portal_db_slot_close(slot, NULL);
        ngx_portal_db_serve(db);
        return;
    }

    ngx_portal_db_move(slot, ngx_portal_db_idle);

    slot->timer.cancelable = 1;
    ngx_add_timer(&slot->timer, db->conf->idle_timeout);

    ngx_portal_db_serve(db);
}


static ngx_uint_t
ngx_portal_db_is_prepared(ngx_portal_db_slot_t *slot,
    const ngx_portal_db_statement_t *st)
{
    ngx_uint_t  i;

    for (i = 0; i < slot->nprepared; i++) {
        if (slot->prepared[i] == st) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_portal_db_run(ngx_portal_db_slot_t *slot, ngx_portal_db_job_t *job)
{
    ngx_del_timer(&slot->timer);
    slot->timer.cancelable = 0;

    slot->job = job;
    slot->st = job->st;
    job->slot = slot;

    ngx_portal_db_move(slot, ngx_portal_db_busy);

    slot->step = ngx_portal_db_is_prepared(slot, job->st)
                 ? ngx_portal_db_execute : ngx_portal_db_prepare;

    if (ngx_portal_db_send(slot) == NGX_OK) {
        return;
    }

    /*
     * Not even sent: the connection had died while it was idle.  The call
     * goes back to the head of the queue; its timer is still set.
     */

    slot->job = NULL;
    job->slot = NULL;

    ngx_queue_insert_head(&slot->db->waiting, &job->queue);
    slot->db->nwaiting++;

    ngx_portal_db_slot_close(slot, "send failed");
}


static ngx_int_t
ngx_portal_db_send(ngx_portal_db_slot_t *slot)
{
    int                   ok;
    PGconn               *pg;
    ngx_portal_db_job_t  *job;

    pg = slot->conn.pg;
    job = slot->job;

    ngx_portal_db_conn_clear(&slot->conn);

    switch (slot->step) {

    case ngx_portal_db_prepare:
        ok = PQsendPrepare(pg, job->st->name, job->st->sql, job->st->nparams,
                           NULL);
        break;

    case ngx_portal_db_execute:
        ok = PQsendQueryPrepared(pg, job->st->name, job->st->nparams,
                                 job->values, job->lengths, job->formats, 0);
        break;

    default: /* ngx_portal_db_discard */
        ok = PQsendQuery(pg, "DISCARD ALL");
    }

    return (ok && ngx_portal_db_conn_sent(&slot->conn) == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


/* "!" at the end of application_name: see the head of this file. */

static ngx_uint_t
ngx_portal_db_dirty(ngx_portal_db_slot_t *slot)
{
    size_t       len;
    const char  *name;

    name = PQparameterStatus(slot->conn.pg, "application_name");
    len = name ? ngx_strlen(name) : 0;

    return len && name[len - 1] == '!';
}


void
ngx_portal_db_done(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_slot_t  *slot = conn->data;

    ngx_portal_db_job_t  *job;

    job = slot->job;

    if (slot->step == ngx_portal_db_discard) {
        ngx_portal_db_cleaned(slot);
        return;
    }

    if (slot->step == ngx_portal_db_prepare && !conn->error) {
        ngx_portal_db_prepared(slot);
        return;
    }

    if (job && conn->error && !job->retried
        && ngx_strcmp(conn->sqlstate, "26000") == 0)
    {
        /* the statement is unknown there (a failover): prepare again */

        job->retried = 1;
        slot->nprepared = 0;
        slot->step = ngx_portal_db_prepare;
        ngx_portal_db_go_on(slot);
        return;
    }

    ngx_portal_db_executed(slot);
}


/* Sends what slot->step says, or gives the connection up. */

static void
ngx_portal_db_go_on(ngx_portal_db_slot_t *slot)
{
    if (ngx_portal_db_send(slot) != NGX_OK) {
        ngx_portal_db_give_up(slot, "send failed");
    }
}


static void
ngx_portal_db_give_up(ngx_portal_db_slot_t *slot, const char *reason)
{
    ngx_portal_db_t  *db;

    db = slot->db;

    ngx_portal_db_slot_close(slot, reason);
    ngx_portal_db_serve(db);
}


static void
ngx_portal_db_prepared(ngx_portal_db_slot_t *slot)
{
    if (slot->nprepared == NGX_PORTAL_DB_STATEMENTS) {
        ngx_portal_db_give_up(slot, "too many statements");
        return;
    }

    slot->prepared[slot->nprepared++] = slot->st;
    slot->step = ngx_portal_db_execute;

    if (slot->job == NULL) {

        /* cancelled meanwhile */

        ngx_portal_db_release(slot);
        return;
    }

    ngx_portal_db_go_on(slot);
}


static void
ngx_portal_db_cleaned(ngx_portal_db_slot_t *slot)
{
    if (slot->conn.error) {
        ngx_portal_db_give_up(slot, "could not be cleaned");
        return;
    }

    slot->nprepared = 0;
    slot->step = ngx_portal_db_execute;
    ngx_portal_db_release(slot);
}


/* The call is over: its connection first, then who has asked. */

static void
ngx_portal_db_executed(ngx_portal_db_slot_t *slot)
{
    ngx_uint_t               clean;
    ngx_portal_db_job_t     *job;
    ngx_portal_db_conn_t    *conn;
    ngx_portal_db_result_t   result;

    job = slot->job;
    slot->job = NULL;
    conn = &slot->conn;

    clean = !conn->error && !ngx_portal_db_dirty(slot);

    if (ngx_portal_db_result(slot, job, &result) != NGX_OK) {
        ngx_portal_db_slot_close(slot, "not in step");
        ngx_portal_db_finish(job, &result);
        ngx_portal_db_serve(slot->db);
        return;
    }

    if (clean) {
        ngx_portal_db_release(slot);

    } else {
        ngx_portal_db_clean(slot);
    }

    if (job) {

        /* job->slot is set: it is in no queue */

        ngx_portal_db_finish(job, &result);

    } else if (result.res) {
        PQclear(result.res);
    }
}


/* NGX_ERROR: the answer is of another call. */

static ngx_int_t
ngx_portal_db_result(ngx_portal_db_slot_t *slot, ngx_portal_db_job_t *job,
    ngx_portal_db_result_t *result)
{
    ngx_portal_db_t       *db;
    ngx_portal_db_conn_t  *conn;

    db = slot->db;
    conn = &slot->conn;

    ngx_memzero(result, sizeof(ngx_portal_db_result_t));

    if (conn->error) {
        result->err = ngx_portal_db_classify(conn->sqlstate);
        ngx_memcpy(result->sqlstate, conn->sqlstate, 6);

        ngx_log_error(NGX_LOG_ERR, db->log, 0,
                      "portal \"%V\": call \"%s\" failed with SQLSTATE %s",
                      &db->conf->portal, job ? job->st->name : "abandoned",
                      conn->sqlstate);

        return NGX_OK;
    }

    result->res = conn->res;
    conn->res = NULL;

    if (job == NULL || ngx_portal_db_own(job, result->res) == NGX_OK) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ALERT, db->log, 0,
                  "portal \"%V\": answer of PostgreSQL does not belong to "
                  "this request: call \"%s\"",
                  &db->conf->portal, job->st->name);

    PQclear(result->res);
    result->res = NULL;
    result->err = NGX_PORTAL_DB_ERR_QUERY;

    return NGX_ERROR;
}


/* Nobody is to find what a call has left behind on its connection. */

static void
ngx_portal_db_clean(ngx_portal_db_slot_t *slot)
{
    slot->step = ngx_portal_db_discard;

    if (slot->state == ngx_portal_db_draining) {
        ngx_portal_db_move(slot, ngx_portal_db_busy);
    }

    if (slot->timer.timer_set) {
        ngx_del_timer(&slot->timer);
    }

    ngx_add_timer(&slot->timer, slot->db->conf->drain_timeout);
    ngx_portal_db_go_on(slot);
}


/* Is it the one row of this call, by what it was sent with? */

static ngx_int_t
ngx_portal_db_own(ngx_portal_db_job_t *job, PGresult *res)
{
    int  n, rows;

    if (job->st->nonce == 0) {
        return NGX_OK;
    }

    n = job->st->nonce - 1;
    rows = res ? PQntuples(res) : 0;

    if (rows == 0) {
        return job->st->none ? NGX_OK : NGX_ERROR;
    }

    return (rows == 1 && job->values[n] && !PQgetisnull(res, 0, 0)
            && PQgetlength(res, 0, 0) == job->lengths[n]
            && ngx_memcmp(PQgetvalue(res, 0, 0), job->values[n],
                          job->lengths[n]) == 0)
           ? NGX_OK : NGX_ERROR;
}


static ngx_portal_db_err_e
ngx_portal_db_classify(const char *sqlstate)
{
    if (ngx_strncmp(sqlstate, "40", 2) == 0) {
        return NGX_PORTAL_DB_ERR_SERIALIZATION;
    }

    if (ngx_strcmp(sqlstate, "57014") == 0
        || ngx_strcmp(sqlstate, "55P03") == 0)
    {
        return NGX_PORTAL_DB_ERR_TIMEOUT;
    }

    if (ngx_strncmp(sqlstate, "08", 2) == 0
        || ngx_strncmp(sqlstate, "57P", 3) == 0
        || ngx_strncmp(sqlstate, "53", 2) == 0)
    {
        return NGX_PORTAL_DB_ERR_CONNECTION;
    }

    return NGX_PORTAL_DB_ERR_QUERY;
}


void
ngx_portal_db_failed(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_slot_t  *slot = conn->data;

    ngx_uint_t        connecting;
    ngx_portal_db_t  *db;

    db = slot->db;
    connecting = (slot->state == ngx_portal_db_connecting);

    ngx_portal_db_slot_close(slot, NULL);

    if (connecting) {
        ngx_portal_db_refuse(db);
    }

    /* those who wait for the one that was lost get another */

    ngx_portal_db_serve(db);
}


/* Its call, if it had one, is told that the connection was lost. */

void
ngx_portal_db_slot_close(ngx_portal_db_slot_t *slot, const char *reason)
{
    ngx_portal_db_job_t  *job;

    if (reason) {
        ngx_log_error(NGX_LOG_INFO, slot->db->log, 0,
                      "portal \"%V\": connection closed: %s",
                      &slot->db->conf->portal, reason);
    }

    if (slot->timer.timer_set) {
        ngx_del_timer(&slot->timer);
    }

    ngx_portal_db_conn_close(&slot->conn);
    slot->nprepared = 0;

    ngx_portal_db_move(slot, ngx_portal_db_free);

    job = slot->job;
    slot->job = NULL;

    if (job) {
        ngx_portal_db_fail(job, NGX_PORTAL_DB_ERR_CONNECTION);
    }
}


void
ngx_portal_db_slot_timer(ngx_event_t *ev)
{
    ngx_portal_db_slot_t  *slot = ev->data;

    ngx_uint_t        level;
    ngx_portal_db_t  *db;

    db = slot->db;

    switch (slot->state) {

    case ngx_portal_db_connecting:
        level = slot->conn.quiet ? NGX_LOG_INFO : NGX_LOG_ERR;

        ngx_log_error(level, db->log, 0,
                      "portal \"%V\": connection to PostgreSQL timed out",
                      &db->conf->portal);
        ngx_portal_db_slot_close(slot, NULL);
        ngx_portal_db_refuse(db);
        return;

    case ngx_portal_db_idle:

        /* the last one is kept: the next visitor need not wait for it */

        if (db->counts[ngx_portal_db_idle] + db->counts[ngx_portal_db_busy]
            == 1)
        {
            ngx_add_timer(ev, db->conf->idle_timeout);
            return;
        }

        ngx_portal_db_slot_close(slot, "idle timeout");
        return;

    default:
        ngx_portal_db_slot_close(slot, "abandoned statement still runs");
        ngx_portal_db_serve(db);
    }
}
