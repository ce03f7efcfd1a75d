
/*
 * Copyright (C) the nginx client portal authors
 *
 * One page, one call: the request as JSON to portal.call, its row to an
 * answer.  The row counts only after its transaction is over (src/db sees
 * to that), and only if it repeats the nonce of this call.
 */


#include "ngx_http_portal.h"


/* of a session in a minute that are kept */
#define NGX_HTTP_PORTAL_REFUSALS  20


static void ngx_http_portal_call_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_call_reply(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_call_request(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_buf_t *b);
static void ngx_http_portal_call_agent(ngx_http_request_t *r,
    portal_buf_t *b);
static void ngx_http_portal_result_clear(void *data);
static void ngx_http_portal_refused_kept(void *data,
    ngx_portal_db_result_t *result);


static ngx_portal_db_statement_t  ngx_http_portal_call_st = {
    "portal_call",
    "select nonce, status, location, flash, body, errors, shell"
    " from portal.call($1, $2, $3, $4, $5, $6)",
    6,
    6,
    0
};


static ngx_portal_db_statement_t  ngx_http_portal_refused_st = {
    "portal_refused",
    "select portal.refused($1, $2, $3, $4, $5)",
    5,
    0,
    0
};


ngx_int_t
ngx_http_portal_call(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_str_t              request, method;
    portal_buf_t           b;
    ngx_portal_db_param_t  params[6];

    ngx_http_portal_nonce(ctx);

    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_REQUEST_MAX);

    if (ngx_http_portal_call_request(r, ctx, &b) != NGX_OK) {
        ngx_http_portal_undo(ctx);
        return ngx_http_portal_send_error(r, ctx, NGX_HTTP_BAD_REQUEST);
    }

    request.data = b.data;
    request.len = b.len;

    if (ngx_http_portal_is_get(r)) {
        ngx_str_set(&method, "GET");

    } else {
        method = r->method_name;
    }

    ngx_http_portal_bytes_param(&params[0], ctx->known ? ctx->token : NULL,
                                sizeof(ctx->token));
    ngx_http_portal_text_param(&params[1], &ctx->route->name);
    ngx_http_portal_text_param(&params[2], &method);
    ngx_http_portal_text_param(&params[3], &ctx->client);
    ngx_http_portal_text_param(&params[4], &request);
    ngx_http_portal_text_param(&params[5], &ctx->nonce);

    rc = ngx_http_portal_ask(r, ctx, &ngx_http_portal_call_st, params,
                             ngx_http_portal_call_answer);

    if (rc == NGX_AGAIN) {
        ctx->waiting = 1;
        return NGX_AGAIN;
    }

    ngx_http_portal_undo(ctx);

    return ngx_http_portal_send_error(r, ctx, NGX_HTTP_SERVICE_UNAVAILABLE);
}


void
ngx_http_portal_undo(ngx_http_portal_ctx_t *ctx)
{
    if (ctx->undo) {
        ctx->undo(ctx);
        ctx->undo = NULL;
    }
}


static ngx_int_t
ngx_http_portal_call_request(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_buf_t *b)
{
    ngx_str_t   id;
    ngx_uint_t  i;

    portal_buf_puts(b, "{\"path\":{");

    for (i = 0; i < ctx->match.nparams; i++) {
        portal_buf_puts(b, i ? "," : "");
        portal_buf_json(b, &ctx->match.params[i].name);
        portal_buf_puts(b, ":");
        portal_buf_json(b, &ctx->match.params[i].value);
    }

    portal_buf_puts(b, "},\"query\":");

    if (portal_form_json(b, &ctx->query, NULL) != PORTAL_OK) {
        return NGX_ERROR;
    }

    if (ctx->form_json.len) {
        portal_buf_puts(b, ",\"form\":");
        portal_buf_str(b, ngx_portal_str(&ctx->form_json));
    }

    if (ctx->files_json.len) {
        portal_buf_puts(b, ",\"files\":");
        portal_buf_str(b, ngx_portal_str(&ctx->files_json));
    }

    portal_buf_puts(b, ",\"ip\":");
    portal_buf_json(b, ngx_portal_str(&r->connection->addr_text));
    ngx_http_portal_call_agent(r, b);

    ngx_http_portal_request_id(r, &id);
    portal_buf_puts(b, ",\"id\":");
    portal_buf_json(b, ngx_portal_str(&id));

    /* what a deposit may be is told before it is made */

    portal_buf_puts(b, ",\"max_bytes\":");
    portal_buf_int(b, ctx->conf->max_bytes);
    portal_buf_puts(b, ",\"accept\":\"");
    portal_buf_str(b, ngx_portal_str(&ctx->conf->accept));
    portal_buf_puts(b, "\"");

    portal_buf_puts(b, ctx->json ? ",\"html\":false}" : ",\"html\":true}");

    return b->failed ? NGX_ERROR : NGX_OK;
}


/* Printable ASCII only: what goes into rows and logs is harmless. */

static void
ngx_http_portal_call_agent(ngx_http_request_t *r, portal_buf_t *b)
{
    portal_str_t  agent;

    ngx_http_portal_agent(r, &agent);

    portal_buf_puts(b, ",\"agent\":");
    portal_buf_json(b, &agent);
}


void
ngx_http_portal_agent(ngx_http_request_t *r, portal_str_t *agent)
{
    u_char      ch;
    size_t      i, len;
    ngx_str_t  *value;

    agent->len = 0;
    agent->data = NULL;

    if (r->headers_in.user_agent == NULL) {
        return;
    }

    value = &r->headers_in.user_agent->value;
    len = ngx_min(value->len, 255);

    agent->data = ngx_pnalloc(r->pool, len);
    if (agent->data == NULL) {
        return;
    }

    for (i = 0; i < len; i++) {
        ch = value->data[i];
        agent->data[agent->len++] = (ch < 0x20 || ch > 0x7e) ? '?' : ch;
    }
}


static void
ngx_http_portal_call_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_http_portal_finish(r, ngx_http_portal_call_reply(r, ctx, result));
}


static void
ngx_http_portal_result_clear(void *data)
{
    PQclear(data);
}


/* Keeps the result until the request's memory goes: texts point into it. */

ngx_int_t
ngx_http_portal_keep(ngx_http_request_t *r, ngx_portal_db_result_t *result)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_portal_result_clear;
    cln->data = result->res;
    result->res = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_call_reply(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_portal_db_result_t *result)
{
    PGresult   *res;
    ngx_int_t   status;
    ngx_str_t   value, location, flash;

    if (result->err != NGX_PORTAL_DB_OK) {

        /* an error that PostgreSQL tells has ended the transaction */

        if (result->sqlstate[0]) {
            ngx_http_portal_undo(ctx);
        }

        return ngx_http_portal_send_db_error(r, ctx, result);
    }

    res = result->res;

    if (ngx_http_portal_own_row(r, ctx, res) != NGX_OK
        || ngx_http_portal_keep(r, result) != NGX_OK)
    {
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_http_portal_column(res, 1, &value);
    ngx_http_portal_column(res, 2, &location);
    ngx_http_portal_column(res, 3, &flash);
    ngx_http_portal_column(res, 4, &ctx->body);
    ngx_http_portal_column(res, 5, &ctx->errors);
    ngx_http_portal_column(res, 6, &ctx->shell);

    status = ngx_atoi(value.data, value.len);

    /* so has a refusal, but for a page that has written and returns nothing */

    if (status >= 400 && status != NGX_HTTP_NOT_FOUND) {
        ngx_http_portal_undo(ctx);
    }

    if (status == NGX_HTTP_SEE_OTHER && location.len) {

        if (ctx->known
            && (portal_form_get(&ctx->form, "locale")
                || portal_form_get(&ctx->form, "theme")))
        {
            /* what was chosen is to be seen on the very next page */

            ngx_portal_session_drop(ctx->portal->zone, ctx->token);
        }

        return ngx_http_portal_send_redirect(r, ctx, &location, &flash);
    }

    if (status == NGX_HTTP_UNAUTHORIZED) {

        /* the session ended since the zone was told of it */

        ngx_portal_session_drop(ctx->portal->zone, ctx->token);
        ctx->known = 0;
        ctx->status = status;

        return ngx_http_portal_send_refusal(r, ctx);
    }

    if (status == NGX_HTTP_OK || status == 422) {

        if (ctx->json) {
            return status == NGX_HTTP_OK
                   ? ngx_http_portal_send_json(r, ctx, status, &ctx->body)
                   : ngx_http_portal_send_error(r, ctx, status);
        }

        if (ctx->route->view && ctx->body.len) {
            return ngx_http_portal_send_page(r, ctx, status,
                                             ctx->route->view);
        }

        return ngx_http_portal_send_error(r, ctx, status == NGX_HTTP_OK
                                           ? NGX_HTTP_INTERNAL_SERVER_ERROR
                                           : status);
    }

    if (status < 400 || status > 599) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "page \"%V\" answered status %i", &ctx->route->name,
                      status);
        status = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_portal_send_error(r, ctx, status);
}


/* What PostgreSQL could not do, as the visitor is told. */

ngx_uint_t
ngx_http_portal_db_status(ngx_portal_db_result_t *result)
{
    return result->err == NGX_PORTAL_DB_ERR_QUERY
           ? NGX_HTTP_INTERNAL_SERVER_ERROR : NGX_HTTP_SERVICE_UNAVAILABLE;
}


ngx_int_t
ngx_http_portal_send_db_error(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    return ngx_http_portal_send_error(r, ctx,
                                      ngx_http_portal_db_status(result));
}


/*
 * What the worker itself has refused to a session is kept too.  Nobody waits
 * for it: the answer is on its way, and a flood may fill the queue.
 */

void
ngx_http_portal_refused(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status)
{
    u_char                 *p;
    ngx_str_t               what, code, request;
    ngx_portal_db_param_t   params[5];
    ngx_portal_db_status_t  db;

    if (!ctx->known || ctx->route == NULL) {
        return;
    }

    /* not more than a few of a session, and never before somebody's page */

    if (ngx_portal_limit_count(ctx->portal->zone, ctx->session.id, 60000)
        > NGX_HTTP_PORTAL_REFUSALS)
    {
        return;
    }

    ngx_portal_db_status(ctx->portal->db, &db);

    if (db.waiting) {
        return;
    }

    p = ngx_pnalloc(r->pool, r->method_name.len + 1 + ctx->route->path.len
                             + NGX_INT_T_LEN);
    if (p == NULL) {
        return;
    }

    what.data = p;
    p = ngx_sprintf(p, "%V %V", &r->method_name, &ctx->route->path);
    what.len = p - what.data;

    code.data = p;
    code.len = ngx_sprintf(p, "%ui", status) - p;

    ngx_http_portal_request_id(r, &request);

    ngx_http_portal_bytes_param(&params[0], ctx->token, sizeof(ctx->token));
    ngx_http_portal_text_param(&params[1], &what);
    ngx_http_portal_text_param(&params[2], &code);
    ngx_http_portal_text_param(&params[3], &r->connection->addr_text);
    ngx_http_portal_text_param(&params[4], &request);

    (void) ngx_portal_db_call(ctx->portal->db, &ngx_http_portal_refused_st,
                              params, ngx_http_portal_refused_kept,
                              ctx->portal);
}


static void
ngx_http_portal_refused_kept(void *data, ngx_portal_db_result_t *result)
{
    ngx_http_portal_t  *portal = data;

    if (result->err != NGX_PORTAL_DB_OK) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "a refusal of portal \"%V\" was not kept",
                      &portal->name);
    }
}


ngx_int_t
ngx_http_portal_view_only(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t   home, none;
    ngx_str_t  *next;

    /* who is signed in has no need of a page for strangers */

    if (ctx->known && ctx->route->access == NGX_HTTP_PORTAL_PUBLIC) {
        ngx_str_null(&none);
        next = (ngx_str_t *) portal_form_get(&ctx->query, "next");

        if (next) {
            return ngx_http_portal_send_next(r, ctx, next, &none);
        }

        ngx_str_set(&home, "~");

        return ngx_http_portal_send_redirect(r, ctx, &home, &none);
    }

    return ngx_http_portal_send_page(r, ctx, NGX_HTTP_OK, ctx->route->view);
}
