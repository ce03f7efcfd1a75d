
/*
 * Copyright (C) the nginx client portal authors
 *
 * Calls of PostgreSQL (see ngx_portal_db.h).  A call waits in one queue,
 * oldest first, with a timer that is not cancelable: its deadline covers
 * waiting, connecting and running.  Who asked may go at any moment: its
 * call is cancelled, the connection drains or is closed.
 */


#include "ngx_portal_db_pool.h"


static void ngx_portal_db_job_free(ngx_portal_db_job_t *job);
static void ngx_portal_db_job_timer(ngx_event_t *ev);


ngx_portal_db_t *
ngx_portal_db_create(ngx_cycle_t *cycle, ngx_portal_db_conf_t *conf)
{
    ngx_uint_t             i;
    ngx_portal_db_t       *db;
    ngx_portal_db_slot_t  *slot;

    db = ngx_pcalloc(cycle->pool, sizeof(ngx_portal_db_t));
    if (db == NULL) {
        return NULL;
    }

    db->slots = ngx_pcalloc(cycle->pool,
                            conf->pool * sizeof(ngx_portal_db_slot_t));
    db->conninfo = ngx_pnalloc(cycle->pool, conf->conninfo.len + 1);

    if (db->slots == NULL || db->conninfo == NULL) {
        return NULL;
    }

    *ngx_cpymem(db->conninfo, conf->conninfo.data, conf->conninfo.len) = '\0';

    db->conf = conf;
    db->log = cycle->log;

    ngx_queue_init(&db->waiting);

    for (i = 0; i <= ngx_portal_db_draining; i++) {
        ngx_queue_init(&db->lists[i]);
    }

    for (i = 0; i < conf->pool; i++) {
        slot = &db->slots[i];

        slot->db = db;
        slot->conn.log = cycle->log;
        slot->conn.data = slot;
        slot->conn.connected = ngx_portal_db_connected;
        slot->conn.done = ngx_portal_db_done;
        slot->conn.failed = ngx_portal_db_failed;

        slot->timer.data = slot;
        slot->timer.handler = ngx_portal_db_slot_timer;
        slot->timer.log = cycle->log;

        ngx_queue_insert_tail(&db->lists[ngx_portal_db_free], &slot->queue);
        db->counts[ngx_portal_db_free]++;
    }

    return db;
}


void
ngx_portal_db_close(ngx_portal_db_t *db)
{
    ngx_uint_t  i;

    db->closing = 1;

    for (i = 0; i < db->conf->pool; i++) {
        if (db->slots[i].state != ngx_portal_db_free) {
            ngx_portal_db_slot_close(&db->slots[i], "worker exits");
        }
    }
}


void
ngx_portal_db_status(ngx_portal_db_t *db, ngx_portal_db_status_t *status)
{
    status->idle = db->counts[ngx_portal_db_idle];
    status->busy = db->counts[ngx_portal_db_busy];
    status->draining = db->counts[ngx_portal_db_draining];
    status->connecting = db->counts[ngx_portal_db_connecting];
    status->waiting = db->nwaiting;
}


ngx_portal_db_job_t *
ngx_portal_db_call(ngx_portal_db_t *db, const ngx_portal_db_statement_t *st,
    const ngx_portal_db_param_t *params, ngx_portal_db_handler_pt handler,
    void *data)
{
    int                   i;
    char                 *p;
    ngx_pool_t           *pool;
    ngx_portal_db_job_t  *job;

    if (db->closing || db->nwaiting >= db->conf->queue) {
        return NULL;
    }

    pool = ngx_create_pool(1024, db->log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_portal_db_job_t));
    if (job == NULL) {
        goto failed;
    }

    job->values = ngx_pcalloc(pool, st->nparams * sizeof(char *));
    job->lengths = ngx_pcalloc(pool, st->nparams * sizeof(int));
    job->formats = ngx_pcalloc(pool, st->nparams * sizeof(int));

    if (job->values == NULL || job->lengths == NULL || job->formats == NULL) {
        goto failed;
    }

    for (i = 0; i < st->nparams; i++) {
        if (params[i].data == NULL) {
            continue;
        }

        p = ngx_pnalloc(pool, params[i].len + 1);
        if (p == NULL) {
            goto failed;
        }

        ngx_memcpy(p, params[i].data, params[i].len);
        p[params[i].len] = '\0';

        job->values[i] = p;
        job->lengths[i] = params[i].len;
        job->formats[i] = params[i].binary;
    }

    job->pool = pool;
    job->db = db;
    job->st = st;
    job->handler = handler;
    job->data = data;
    job->deadline = ngx_current_msec + db->conf->query_timeout;

    job->timer.data = job;
    job->timer.handler = ngx_portal_db_job_timer;
    job->timer.log = db->log;

    ngx_queue_insert_tail(&db->waiting, &job->queue);
    db->nwaiting++;

    /*
     * While the server refuses, a call is told soon; nobody is told from
     * inside the call that asked.
     */

    if (db->backoff && db->counts[ngx_portal_db_idle] == 0
        && db->counts[ngx_portal_db_busy] == 0)
    {
        job->refused = 1;
        ngx_add_timer(&job->timer, NGX_PORTAL_DB_REFUSED);

    } else {
        ngx_add_timer(&job->timer, db->conf->query_timeout);
    }

    ngx_portal_db_serve(db);

    return job;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


ngx_int_t
ngx_portal_db_cancel(ngx_portal_db_job_t *job)
{
    ngx_portal_db_slot_t  *slot;

    slot = job->slot;

    if (slot) {
        slot->job = NULL;
        ngx_portal_db_move(slot, ngx_portal_db_draining);
        ngx_add_timer(&slot->timer, slot->db->conf->drain_timeout);
    }

    ngx_portal_db_job_free(job);

    return slot ? NGX_OK : NGX_DECLINED;
}


static void
ngx_portal_db_job_free(ngx_portal_db_job_t *job)
{
    if (job->timer.timer_set) {
        ngx_del_timer(&job->timer);
    }

    if (job->slot == NULL) {
        ngx_queue_remove(&job->queue);
        job->db->nwaiting--;
    }

    ngx_destroy_pool(job->pool);
}


/* The end of a job: it is gone before its handler is called. */

void
ngx_portal_db_finish(ngx_portal_db_job_t *job, ngx_portal_db_result_t *result)
{
    void                      *data;
    ngx_portal_db_handler_pt   handler;

    handler = job->handler;
    data = job->data;

    ngx_portal_db_job_free(job);

    handler(data, result);

    if (result->res) {
        PQclear(result->res);
    }
}


void
ngx_portal_db_fail(ngx_portal_db_job_t *job, ngx_portal_db_err_e err)
{
    ngx_portal_db_result_t  result;

    ngx_memzero(&result, sizeof(ngx_portal_db_result_t));
    result.err = err;

    ngx_portal_db_finish(job, &result);
}


static void
ngx_portal_db_job_timer(ngx_event_t *ev)
{
    ngx_portal_db_job_t  *job = ev->data;

    ngx_portal_db_t       *db;
    ngx_portal_db_slot_t  *slot;

    db = job->db;

    if (job->refused) {

        /* still no connection: that is the answer */

        if (job->slot == NULL && db->backoff) {
            ngx_portal_db_fail(job, NGX_PORTAL_DB_ERR_CONNECTION);
            return;
        }

        job->refused = 0;

        if ((ngx_msec_int_t) (job->deadline - ngx_current_msec) > 0) {
            ngx_add_timer(ev, job->deadline - ngx_current_msec);
            return;
        }
    }

    ngx_log_error(NGX_LOG_WARN, db->log, 0,
                  "portal \"%V\": call \"%s\" reached its deadline %s",
                  &db->conf->portal, job->st->name,
                  job->slot ? "while it ran" : "while it waited");

    slot = job->slot;

    if (slot) {
        slot->job = NULL;
        ngx_portal_db_move(slot, ngx_portal_db_draining);
        ngx_add_timer(&slot->timer, db->conf->drain_timeout);
    }

    ngx_portal_db_fail(job, NGX_PORTAL_DB_ERR_TIMEOUT);
}
