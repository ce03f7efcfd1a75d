
/*
 * Copyright (C) the nginx client portal authors
 *
 * The life of a portal request: its context, what it waits for, and its
 * one end.  Everything that outlives a call is a job of its own (a query, a
 * thread task, a timer) with a weak link to the context; one cleanup
 * handler cuts all links when the request ends, however it ends.
 *
 *     access phase: no count               content phase: one token
 *     route, session, role, origin, quota  read body, csrf, ask, reply
 *         |  ^                                  |  ^
 *      NGX_AGAIN wake                        NGX_DONE wake      finish()
 */


#include "ngx_http_portal.h"


static void ngx_http_portal_cleanup(void *data);
static void ngx_http_portal_answered(void *data,
    ngx_portal_db_result_t *result);


ngx_http_portal_ctx_t *
ngx_http_portal_get_ctx(ngx_http_request_t *r)
{
    ngx_http_cleanup_t          *cln;
    ngx_http_portal_ctx_t       *ctx;
    ngx_http_portal_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_portal_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_portal_module);

    if (ctx && ctx->conf == plcf) {
        return ctx;
    }

    /* the first time here, or after an internal redirect */

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_portal_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_portal_cleanup;
    cln->data = ctx;

    ctx->request = r;
    ctx->conf = plcf;
    ctx->portal = plcf->portal;
    ctx->subrequest = (r != r->main);
    ngx_portal_arena_init(&ctx->arena, r->pool);

    ngx_http_set_ctx(r, ctx, ngx_http_portal_module);

    return ctx;
}


static void
ngx_http_portal_cleanup(void *data)
{
    ngx_http_portal_ctx_t  *ctx = data;

    if (ctx->job) {
        if (ngx_portal_db_cancel(ctx->job) == NGX_DECLINED) {
            ngx_http_portal_undo(ctx);
        }

        ctx->job = NULL;
    }

    if (ctx->task) {
        ngx_portal_task_cancel(ctx->task);
        ctx->task = NULL;
    }

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    if (ctx->deposit) {
        ngx_http_portal_deposit_release(ctx->deposit);
        ctx->deposit = NULL;
    }

    if (ctx->running) {
        ngx_queue_remove(&ctx->running->queue);
        ctx->running = NULL;
    }
}


/*
 * A handler in the server's rewrite phase.  Over HTTP/2 the core does not
 * note that it has discarded a body which is too large: it would refuse the
 * internal request for our page of the 413 once more, by a page of its own.
 */

ngx_int_t
ngx_http_portal_discarded_handler(ngx_http_request_t *r)
{
    size_t                         len;
    ngx_uint_t                     i;
    ngx_http_portal_main_conf_t   *pmcf;
    ngx_http_portal_loc_conf_t   **plcf;

    if (!r->internal || r->http_version < NGX_HTTP_VERSION_20
        || r->headers_in.content_length_n <= 0)
    {
        return NGX_DECLINED;
    }

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_portal_module);
    plcf = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        len = plcf[i]->mount.len;

        if (r->uri.len == len + sizeof("_error/NNN") - 1
            && ngx_strncmp(r->uri.data, plcf[i]->mount.data, len) == 0
            && ngx_strncmp(r->uri.data + len, "_error/", 7) == 0)
        {
            r->headers_in.content_length_n = 0;
            break;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_portal_ask(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    const ngx_portal_db_statement_t *st, const ngx_portal_db_param_t *params,
    ngx_http_portal_answer_pt answer)
{
    ctx->answer = answer;
    ctx->event = ngx_portal_zone_event(ctx->portal->zone);

    ctx->job = ngx_portal_db_call(ctx->portal->db, st, params,
                                  ngx_http_portal_answered, ctx);

    return ctx->job ? NGX_AGAIN : NGX_DECLINED;
}


static void
ngx_http_portal_answered(void *data, ngx_portal_db_result_t *result)
{
    ngx_http_portal_ctx_t  *ctx = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    ctx->job = NULL;

    c = ngx_http_portal_wake(r);
    ctx->answer(r, ctx, result);
    ngx_http_portal_woken(c);
}


ngx_int_t
ngx_http_portal_post(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_portal_task_t *task, ngx_thread_pool_t *tp)
{
    task->data = ctx;

    if (ngx_portal_task_post(task, tp) != NGX_OK) {
        return NGX_BUSY;
    }

    ctx->task = task;

    return NGX_OK;
}


ngx_connection_t *
ngx_http_portal_wake(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;
    ngx_http_set_log_request(c->log, r);

    return c;
}


void
ngx_http_portal_woken(ngx_connection_t *c)
{
    ngx_http_run_posted_requests(c);
}


void
ngx_http_portal_column(PGresult *res, int column, ngx_str_t *value)
{
    if (PQgetisnull(res, 0, column)) {
        ngx_str_null(value);
        return;
    }

    value->data = (u_char *) PQgetvalue(res, 0, column);
    value->len = PQgetlength(res, 0, column);
}


void
ngx_http_portal_finish(ngx_http_request_t *r, ngx_int_t rc)
{
    /* a status after the header would be a second answer */

    if (r->header_sent && rc != NGX_OK && rc != NGX_AGAIN && rc != NGX_DONE) {
        rc = NGX_ERROR;
    }

    ngx_http_finalize_request(r, rc);
}
