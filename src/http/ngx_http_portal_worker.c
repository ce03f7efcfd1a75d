
/*
 * Copyright (C) the nginx client portal authors
 *
 * What a worker does beside its requests: one timer a portal, every 500 ms,
 *
 *   - asks for the lease of the host's listener and starts or stops it,
 *   - cuts responses in flight whose session, person, client or document
 *     was named in a notification since they were granted, and asks again
 *     where it may have been,
 *   - tells PostgreSQL which sessions were used, each once a minute,
 *   - has the store's tmp/ swept, once an hour.
 */


#include "ngx_http_portal.h"
#include "portal_text.h"


#define NGX_HTTP_PORTAL_TICK       500
#define NGX_HTTP_PORTAL_LEASE      2000
/* PostgreSQL hears of a session's use once in so long, ms, */
#define NGX_HTTP_PORTAL_TOUCH      60000

/* and of all of a worker's together, ms */
#define NGX_HTTP_PORTAL_FLUSH      10000
#define NGX_HTTP_PORTAL_TOUCH_MAX  512

/* tmp/ is looked at by the worker that listens, ms */
#define NGX_HTTP_PORTAL_SWEEP      3600000


/* a UUID in hex, as PostgreSQL reads it too */
#define NGX_HTTP_PORTAL_UUID       32


/* What an answer about a running response is about. */
typedef struct {
    ngx_http_portal_t  *portal;
    u_char              session[16];
} ngx_http_portal_doubt_t;


static ngx_int_t ngx_http_portal_ask_again(ngx_http_portal_t *portal,
    ngx_http_portal_running_t *run);
static void ngx_http_portal_asked_again(void *data,
    ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_start(ngx_cycle_t *cycle,
    ngx_http_portal_t *portal);
static void ngx_http_portal_tick(ngx_event_t *ev);
static void ngx_http_portal_listen(ngx_http_portal_t *portal);
static void ngx_http_portal_cut(ngx_http_portal_t *portal);
static void ngx_http_portal_touch_send(ngx_http_portal_t *portal);
static void ngx_http_portal_touched(void *data,
    ngx_portal_db_result_t *result);
static void ngx_http_portal_notify(void *data, ngx_str_t *payload);
static void ngx_http_portal_notified(void *data);
static void ngx_http_portal_reset(void *data);
static void ngx_http_portal_alive(void *data);


static ngx_portal_db_statement_t  ngx_http_portal_touch_st = {
    "portal_touch",
    "select portal.touch($1::bytea[])",
    1,
    0,
    0
};


static ngx_portal_db_statement_t  ngx_http_portal_still_st = {
    "portal_still_granted",
    "select portal.still_granted($1, $2)",
    2,
    0,
    0
};


ngx_int_t
ngx_http_portal_init_worker(ngx_cycle_t *cycle,
    ngx_http_portal_main_conf_t *pmcf)
{
    ngx_uint_t           i;
    ngx_http_portal_t  **portal;

    portal = pmcf->portals.elts;

    for (i = 0; i < pmcf->portals.nelts; i++) {
        if (portal[i]->used
            && ngx_http_portal_start(cycle, portal[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_start(ngx_cycle_t *cycle, ngx_http_portal_t *portal)
{
    portal->db = ngx_portal_db_create(cycle, &portal->db_conf);
    if (portal->db == NULL) {
        return NGX_ERROR;
    }

    portal->touched = ngx_array_create(cycle->pool,
                                       NGX_HTTP_PORTAL_TOUCH_MAX, 32);
    if (portal->touched == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_init(&portal->running);
    ngx_queue_init(&portal->deposits);
    portal->touch_sent = ngx_current_msec;

    portal->timer.data = portal;
    portal->timer.log = cycle->log;
    portal->timer.handler = ngx_http_portal_tick;
    portal->timer.cancelable = 1;

    ngx_add_timer(&portal->timer, 1);

    return NGX_OK;
}


void
ngx_http_portal_exit_worker(ngx_http_portal_main_conf_t *pmcf)
{
    ngx_uint_t           i;
    ngx_http_portal_t  **portal;

    portal = pmcf->portals.elts;

    for (i = 0; i < pmcf->portals.nelts; i++) {

        if (portal[i]->listener) {
            ngx_portal_db_listen_close(portal[i]->listener);
            portal[i]->listener = NULL;
            ngx_portal_zone_release(portal[i]->zone);
        }

        if (portal[i]->db) {
            ngx_portal_db_close(portal[i]->db);
            portal[i]->db = NULL;
        }
    }
}


static void
ngx_http_portal_tick(ngx_event_t *ev)
{
    ngx_http_portal_t  *portal = ev->data;

    ngx_http_portal_listen(portal);
    ngx_http_portal_cut(portal);

    if (ngx_exiting
        || ngx_current_msec - portal->touch_sent >= NGX_HTTP_PORTAL_FLUSH)
    {
        ngx_http_portal_touch_send(portal);
    }

    if (portal->listener
        && (portal->swept == 0
            || ngx_current_msec - portal->swept >= NGX_HTTP_PORTAL_SWEEP))
    {
        portal->swept = ngx_current_msec;
        ngx_http_portal_sweep(portal);
    }

    /* a worker that shuts down waits for the turn that tells */

    ev->cancelable = (ngx_exiting || portal->touched->nelts == 0);

    ngx_add_timer(ev, NGX_HTTP_PORTAL_TICK);
}


static void
ngx_http_portal_listen(ngx_http_portal_t *portal)
{
    ngx_portal_db_listen_conf_t  conf;

    /* a worker that shuts down listens as long as it serves a download */

    if ((ngx_exiting && ngx_queue_empty(&portal->running))
        || !ngx_portal_zone_lease(portal->zone, NGX_HTTP_PORTAL_LEASE))
    {
        if (portal->listener) {
            ngx_portal_db_listen_close(portal->listener);
            portal->listener = NULL;
            ngx_portal_zone_release(portal->zone);
        }

        return;
    }

    if (portal->listener) {
        return;
    }

    ngx_memzero(&conf, sizeof(ngx_portal_db_listen_conf_t));

    conf.conninfo = portal->listen;
    conf.channel = "portal";
    conf.interval = NGX_HTTP_PORTAL_TICK;
    conf.notify = ngx_http_portal_notify;
    conf.notified = ngx_http_portal_notified;
    conf.reset = ngx_http_portal_reset;
    conf.alive = ngx_http_portal_alive;
    conf.data = portal;

    portal->listener = ngx_portal_db_listen((ngx_cycle_t *) ngx_cycle, &conf);

    if (portal->listener == NULL) {
        ngx_portal_zone_release(portal->zone);
    }
}


static void
ngx_http_portal_notify(void *data, ngx_str_t *payload)
{
    ngx_http_portal_t  *portal = data;

    u_char      id[16];
    ngx_str_t   rest;
    ngx_uint_t  kind;

    static ngx_str_t  kinds[NGX_PORTAL_KINDS] = {
        ngx_string("session:"), ngx_string("person:"),
        ngx_string("client:"), ngx_string("document:")
    };

    for (kind = 0; kind < NGX_PORTAL_KINDS; kind++) {

        if (payload->len <= kinds[kind].len
            || ngx_memcmp(payload->data, kinds[kind].data, kinds[kind].len)
               != 0)
        {
            continue;
        }

        rest.data = payload->data + kinds[kind].len;
        rest.len = payload->len - kinds[kind].len;

        if (portal_uuid_parse(id, ngx_portal_str(&rest)) == PORTAL_OK) {
            ngx_portal_zone_bump(portal->zone, kind, id);
            return;
        }
    }

    /* what we cannot read may be about anything */

    ngx_portal_zone_bump_all(portal->zone);
}


/* Once for many: a commit may take away a right of thousands. */

static void
ngx_http_portal_notified(void *data)
{
    ngx_http_portal_cut(data);
}


static void
ngx_http_portal_reset(void *data)
{
    ngx_http_portal_t  *portal = data;

    ngx_portal_zone_bump_all(portal->zone);
    ngx_portal_zone_alive(portal->zone);
}


static void
ngx_http_portal_alive(void *data)
{
    ngx_http_portal_t  *portal = data;

    ngx_portal_zone_alive(portal->zone);
}


/*
 * Registers a response that goes out under a grant, so that it can be cut;
 * its link goes with the request's cleanup.
 */

ngx_int_t
ngx_http_portal_run_start(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    const ngx_portal_grant_key_t *key, const ngx_portal_grant_t *grant)
{
    ngx_http_portal_running_t  *run;

    run = ngx_palloc(r->pool, sizeof(ngx_http_portal_running_t));
    if (run == NULL) {
        return NGX_ERROR;
    }

    run->request = r;
    run->event = grant->event;

    ngx_memcpy(run->session, key->session, 16);
    ngx_memcpy(run->document, key->document, 16);
    ngx_memcpy(run->person, grant->person, 16);
    ngx_memcpy(run->client, grant->client, 16);

    ngx_queue_insert_tail(&ctx->portal->running, &run->queue);
    ctx->running = run;

    return NGX_OK;
}


static void
ngx_http_portal_cut(ngx_http_portal_t *portal)
{
    uint64_t                    event;
    ngx_uint_t                  fate;
    ngx_queue_t                *q, pending;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_portal_running_t  *run;

    if (ngx_queue_empty(&portal->running)) {
        return;
    }

    event = ngx_portal_zone_event(portal->zone);

    if (event == portal->event) {
        return;
    }

    portal->event = event;

    /* the end of one may be the end of others: of one main request */

    ngx_queue_init(&pending);
    ngx_queue_add(&pending, &portal->running);
    ngx_queue_init(&portal->running);

    while (!ngx_queue_empty(&pending)) {
        q = ngx_queue_head(&pending);
        run = ngx_queue_data(q, ngx_http_portal_running_t, queue);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&portal->running, q);

        fate = ngx_portal_zone_fate(portal->zone, run->event, run->session,
                                    run->person, run->client, run->document);

        if (fate == NGX_PORTAL_GOOD) {
            continue;
        }

        if (fate == NGX_PORTAL_DOUBTED) {

            /* after a gap, or the end of another: PostgreSQL is asked again */

            if (ngx_http_portal_ask_again(portal, run) == NGX_OK) {
                run->event = event;

            } else {
                portal->event = 0;
            }

            continue;
        }

        r = run->request;
        c = ngx_http_portal_wake(r);

        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "portal response cut: its grant has ended");

        c->error = 1;
        ngx_http_portal_finish(r, NGX_ERROR);
        ngx_http_portal_woken(c);
    }
}


/*
 * Nobody may be there any more when the answer comes: it is about a session
 * and a document, and a "no" is told like any revocation.  NGX_DECLINED: it
 * could not be asked now, and will be at the next tick.
 */

static ngx_int_t
ngx_http_portal_ask_again(ngx_http_portal_t *portal,
    ngx_http_portal_running_t *run)
{
    ngx_str_t                  session, document;
    u_char                     text[2][NGX_HTTP_PORTAL_UUID];
    ngx_portal_db_param_t      params[2];
    ngx_http_portal_doubt_t   *doubt;

    doubt = ngx_alloc(sizeof(ngx_http_portal_doubt_t), portal->timer.log);
    if (doubt == NULL) {
        return NGX_DECLINED;
    }

    doubt->portal = portal;
    ngx_memcpy(doubt->session, run->session, 16);

    session.data = text[0];
    session.len = ngx_hex_dump(text[0], run->session, 16) - text[0];
    document.data = text[1];
    document.len = ngx_hex_dump(text[1], run->document, 16) - text[1];

    ngx_http_portal_text_param(&params[0], &session);
    ngx_http_portal_text_param(&params[1], &document);

    if (ngx_portal_db_call(portal->db, &ngx_http_portal_still_st, params,
                           ngx_http_portal_asked_again, doubt)
        == NULL)
    {
        ngx_free(doubt);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_http_portal_asked_again(void *data, ngx_portal_db_result_t *result)
{
    ngx_http_portal_doubt_t  *doubt = data;

    ngx_str_t  value;

    ngx_str_null(&value);

    if (result->err == NGX_PORTAL_DB_OK && PQntuples(result->res) == 1) {
        ngx_http_portal_column(result->res, 0, &value);
    }

    /* unknown is no */

    if (value.len != 1 || value.data[0] != 't') {
        ngx_portal_zone_bump(doubt->portal->zone, NGX_PORTAL_SESSION,
                             doubt->session);
        ngx_http_portal_cut(doubt->portal);
    }

    ngx_free(doubt);
}


/* A session was used: it lives longer, and PostgreSQL hears of it soon. */

void
ngx_http_portal_touch(ngx_http_portal_ctx_t *ctx)
{
    u_char             *p;
    ngx_msec_t          idle;
    ngx_http_portal_t  *portal;

    portal = ctx->portal;
    idle = 1000 * (ctx->session.staff ? ctx->conf->staff_idle
                                      : ctx->conf->idle);

    if (ngx_portal_session_touch(portal->zone, ctx->token, idle,
                                 ngx_min(NGX_HTTP_PORTAL_TOUCH, idle / 4))
        != NGX_OK)
    {
        return;
    }

    if (portal->touched->nelts >= NGX_HTTP_PORTAL_TOUCH_MAX) {
        ngx_http_portal_touch_send(portal);
    }

    if (portal->touched->nelts < NGX_HTTP_PORTAL_TOUCH_MAX) {
        p = ngx_array_push(portal->touched);
        if (p) {
            ngx_memcpy(p, ctx->token, 32);
            portal->timer.cancelable = 0;
        }
    }
}


static void
ngx_http_portal_touch_send(ngx_http_portal_t *portal)
{
    u_char                 *p, *text, *token;
    ngx_uint_t              i;
    ngx_portal_db_param_t   param;

    portal->touch_sent = ngx_current_msec;

    if (portal->touched->nelts == 0) {
        return;
    }

    /* an array of bytea as text: {"\\x…","\\x…"} */

    text = ngx_alloc(portal->touched->nelts * 72 + 2, portal->timer.log);
    if (text == NULL) {
        return;
    }

    p = text;
    *p++ = '{';
    token = portal->touched->elts;

    for (i = 0; i < portal->touched->nelts; i++, token += 32) {
        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, "\"\\\\x", 4);
        p = ngx_hex_dump(p, token, 32);
        *p++ = '"';
    }

    *p++ = '}';

    param.data = (char *) text;
    param.len = (int) (p - text);
    param.binary = 0;

    if (ngx_portal_db_call(portal->db, &ngx_http_portal_touch_st, &param,
                           ngx_http_portal_touched, portal))
    {
        portal->touched->nelts = 0;
    }

    ngx_free(text);
}


static void
ngx_http_portal_touched(void *data, ngx_portal_db_result_t *result)
{
    ngx_http_portal_t  *portal = data;

    if (result->err != NGX_PORTAL_DB_OK) {
        ngx_log_error(NGX_LOG_WARN, portal->timer.log, 0,
                      "last-seen times of portal \"%V\" were not stored",
                      &portal->name);
    }
}
