
/*
 * Copyright (C) the nginx client portal authors
 *
 * Sign-in by password.
 *
 *     begin    the limits of the zone, and a place in the queue of hashes:
 *              what is refused here costs no query
 *     start    PostgreSQL reserves the attempt and returns salt and
 *              parameters (false but stable ones for an unknown address)
 *     hash     argon2id in a thread at nice +10, the place is the task's
 *     finish   PostgreSQL compares, and opens the session
 *     floor    a failure leaves no sooner than 400 ms after it came
 *
 * The attempt counts from its beginning, here and in PostgreSQL, and is
 * given back where it succeeds: who goes away before its end has made one.
 * What fails for want of our own is no attempt.
 *
 * Unknown, wrong, locked, disabled: the same statements, the same hash, the
 * same answer.
 */


#include "ngx_http_portal_password.h"
#include <sodium.h>
#include "portal_text.h"


/* a browser is known for so long, seconds */
#define NGX_HTTP_PORTAL_DEVICE  (90 * 86400)


static ngx_int_t ngx_http_portal_number(ngx_http_request_t *r, ngx_str_t *s,
    ngx_uint_t n);
static ngx_int_t ngx_http_portal_password_fields(ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s);
static ngx_int_t ngx_http_portal_password_begin(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_password_start(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_password_failed(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);
static void ngx_http_portal_password_started(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_password_read(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, PGresult *res);
static void ngx_http_portal_password_hashed(void *data,
    ngx_portal_task_t *task);
static ngx_int_t ngx_http_portal_password_finish(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const ngx_http_portal_hash_t *hash);
static void ngx_http_portal_password_token(ngx_http_portal_ctx_t *ctx,
    const char *purpose, u_char *text, u_char hash[32]);
static void ngx_http_portal_password_finished(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_password_in(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_password_refused(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_password_floor(ngx_event_t *ev);
static ngx_int_t ngx_http_portal_password_refuse(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);


static ngx_portal_db_statement_t  ngx_http_portal_start_st = {
    "portal_sign_in_start",
    "select nonce, attempt, encode(salt, 'hex'), ops, mem_kib, retry"
    " from portal.sign_in_start($1, $2, $3, $4, $5, $6)",
    6,
    6,
    0
};

static ngx_portal_db_statement_t  ngx_http_portal_finish_st = {
    "portal_sign_in_finish",
    "select nonce, status from portal.sign_in_finish($1, $2, $3, $4, $5, $6,"
    " $7, $8, $9, $10, $11)",
    11,
    11,
    0
};


static ngx_int_t
ngx_http_portal_number(ngx_http_request_t *r, ngx_str_t *s, ngx_uint_t n)
{
    s->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (s->data == NULL) {
        return NGX_ERROR;
    }

    s->len = ngx_sprintf(s->data, "%ui", n) - s->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_portal_password(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_portal_sign_in_t  *s;

    s = ngx_pcalloc(r->pool, sizeof(ngx_http_portal_sign_in_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    ctx->state = s;
    s->start = ngx_current_msec;

    rc = ngx_http_portal_password_fields(ctx, s);

    if (rc == NGX_OK) {
        rc = ngx_http_portal_password_begin(r, ctx);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_portal_password_start(r, ctx);
    }

    if (rc == NGX_AGAIN) {
        ctx->waiting = 1;
        return NGX_AGAIN;
    }

    if (rc == 422) {
        return ngx_http_portal_send_page(r, ctx, rc, ctx->route->view);
    }

    return ngx_http_portal_password_failed(r, ctx, rc);
}


/* NGX_OK, or the status to answer with. */

static ngx_int_t
ngx_http_portal_password_fields(ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s)
{
    const portal_str_t  *email, *password;

    email = portal_form_get(&ctx->form, "email");
    password = portal_form_get(&ctx->form, "password");

    if (email == NULL || password == NULL
        || email->len > NGX_HTTP_PORTAL_EMAIL_MAX
        || password->len > PORTAL_PASSWORD_MAX)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (email->len == 0) {
        ngx_str_set(&ctx->errors, "{\"email\":\"email.required\"}");
        return 422;
    }

    if (password->len == 0) {
        ngx_str_set(&ctx->errors, "{\"password\":\"password.required\"}");
        return 422;
    }

    s->email.data = email->data;
    s->email.len = email->len;
    s->password.data = password->data;
    s->password.len = password->len;

    return NGX_OK;
}


/* NGX_OK; NGX_AGAIN: refused at the floor; or the status to answer with. */

static ngx_int_t
ngx_http_portal_password_begin(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    if (ngx_http_portal_limit_begin(ctx) != NGX_OK) {
        return NGX_HTTP_TOO_MANY_REQUESTS;
    }

    s->begun = 1;

    if (ngx_http_portal_limit_account(ctx, &s->email) != NGX_OK) {

        /* PostgreSQL has locked it long ago, and would say the same */

        ngx_http_portal_password_refused(r, ctx);

        return NGX_AGAIN;
    }

    if (ngx_http_portal_hash_place(r, ctx, s) != NGX_OK) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    return NGX_OK;
}


/* NGX_AGAIN, or the status to answer with. */

static ngx_int_t
ngx_http_portal_password_start(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t                   ops, mem_kib;
    ngx_portal_db_param_t       params[6];
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    s->network.data = ngx_pnalloc(r->pool, 32);
    if (s->network.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_hex_dump(s->network.data, ctx->network, 16);
    s->network.len = ctx->has_network ? 32 : 0;

    if (ngx_http_portal_number(r, &ops, ctx->conf->ops) != NGX_OK
        || ngx_http_portal_number(r, &mem_kib, ctx->conf->memory / 1024)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_portal_nonce(ctx);

    ngx_http_portal_text_param(&params[0], &s->email);
    ngx_http_portal_text_param(&params[1], &s->network);
    ngx_http_portal_bytes_param(&params[2],
                                ctx->has_device ? ctx->device : NULL, 32);
    ngx_http_portal_text_param(&params[3], &ops);
    ngx_http_portal_text_param(&params[4], &mem_kib);
    ngx_http_portal_text_param(&params[5], &ctx->nonce);

    return ngx_http_portal_ask(r, ctx, &ngx_http_portal_start_st, params,
                               ngx_http_portal_password_started)
           == NGX_AGAIN ? NGX_AGAIN : NGX_HTTP_SERVICE_UNAVAILABLE;
}


/* For no fault of the visitor's: the attempt does not count here. */

static ngx_int_t
ngx_http_portal_password_failed(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status)
{
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    if (s->begun) {
        s->begun = 0;
        ngx_http_portal_limit_release(ctx, &s->email);
    }

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE && ctx->retry == 0) {
        ctx->retry = 1000;
    }

    return ngx_http_portal_send_error(r, ctx, status);
}


static void
ngx_http_portal_password_started(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_int_t  rc;

    if (result->err != NGX_PORTAL_DB_OK) {
        ngx_http_portal_finish(r, ngx_http_portal_password_failed(r, ctx,
                                      ngx_http_portal_db_status(result)));
        return;
    }

    rc = ngx_http_portal_password_read(r, ctx, result->res);

    if (rc == NGX_OK
        && ngx_http_portal_hash(r, ctx, ctx->state,
                                ngx_http_portal_password_hashed)
           != NGX_OK)
    {
        rc = NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (rc != NGX_OK) {
        ngx_http_portal_finish(r, ngx_http_portal_password_failed(r, ctx,
                                                                  rc));
    }
}


/* NGX_OK, or the status to answer with. */

static ngx_int_t
ngx_http_portal_password_read(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, PGresult *res)
{
    ngx_int_t                   n, mem_kib;
    ngx_str_t                   value;
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    if (ngx_http_portal_own_row(r, ctx, res) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_portal_column(res, 5, &value);
    n = ngx_atoi(value.data, value.len);

    if (n > 0) {
        /* remembered, so that the next one costs no query */

        ctx->retry = 1000 * n;
        ngx_http_portal_limit_ban(ctx, ctx->retry);

        return NGX_HTTP_TOO_MANY_REQUESTS;
    }

    ngx_http_portal_column(res, 1, &value);

    s->attempt.len = value.len;
    s->attempt.data = ngx_pstrdup(r->pool, &value);
    if (s->attempt.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_portal_column(res, 2, &value);

    if (value.len != 32
        || portal_hex_decode(s->salt, ngx_portal_str(&value)) != PORTAL_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_portal_column(res, 3, &value);
    n = ngx_atoi(value.data, value.len);

    ngx_http_portal_column(res, 4, &value);
    mem_kib = ngx_atoi(value.data, value.len);

    /* a damaged row is refused like a wrong password, when it is hashed */

    s->ops = ngx_max(n, 0);
    s->mem_kib = ngx_max(mem_kib, 0);

    return NGX_OK;
}


static void
ngx_http_portal_password_hashed(void *data, ngx_portal_task_t *task)
{
    ngx_http_portal_ctx_t  *ctx = data;

    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_portal_hash_t  *hash;

    r = ctx->request;
    hash = task->args;
    ctx->task = NULL;

    c = ngx_http_portal_wake(r);

    if (hash->rc != PORTAL_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "password could not be hashed with ops %ui, %uiK",
                      (ngx_uint_t) hash->ops, (ngx_uint_t) hash->mem_kib);

        /* planted or damaged parameters: as a wrong password */

        ngx_http_portal_password_refused(r, ctx);

    } else if (ngx_http_portal_password_finish(r, ctx, hash) != NGX_OK) {
        ngx_http_portal_finish(r, ngx_http_portal_password_failed(r, ctx,
                                      NGX_HTTP_SERVICE_UNAVAILABLE));
    }

    ngx_http_portal_woken(c);
}


static void
ngx_http_portal_password_token(ngx_http_portal_ctx_t *ctx,
    const char *purpose, u_char *text, u_char hash[32])
{
    u_char  raw[PORTAL_TOKEN_RAW];

    portal_token_new(ctx->portal->keyring, purpose, raw, text);
    portal_token_hash(hash, raw);
    sodium_memzero(raw, sizeof(raw));
}


static ngx_int_t
ngx_http_portal_password_finish(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const ngx_http_portal_hash_t *hash)
{
    u_char                     *p;
    ngx_str_t                   agent, idle, absolute;
    portal_str_t                text;
    ngx_portal_db_param_t       params[11];
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    ngx_http_portal_password_token(ctx, "", s->text, s->hash);

    if (!ctx->has_device) {
        ngx_http_portal_password_token(ctx, "-device", s->device_text,
                                       s->device);
    }

    ngx_http_portal_agent(r, &text);
    agent.data = text.data;
    agent.len = text.len;

    p = ngx_pnalloc(r->pool, 2 * (2 * NGX_TIME_T_LEN + 3));
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* both limits of both kinds: PostgreSQL knows which this person is */

    idle.data = p;
    p = ngx_sprintf(p, "{%T,%T}", ctx->conf->idle, ctx->conf->staff_idle);
    idle.len = p - idle.data;

    absolute.data = p;
    p = ngx_sprintf(p, "{%T,%T}", ctx->conf->absolute,
                    ctx->conf->staff_absolute);
    absolute.len = p - absolute.data;

    ngx_http_portal_nonce(ctx);

    ngx_http_portal_text_param(&params[0], &s->attempt);
    ngx_http_portal_text_param(&params[1], &s->email);
    ngx_http_portal_bytes_param(&params[2], hash->output, 32);
    ngx_http_portal_bytes_param(&params[3], s->hash, 32);
    ngx_http_portal_bytes_param(&params[4],
                                ctx->has_token ? ctx->token : NULL, 32);
    ngx_http_portal_bytes_param(&params[5],
                                ctx->has_device ? ctx->device : s->device,
                                32);
    ngx_http_portal_text_param(&params[6], &r->connection->addr_text);
    ngx_http_portal_text_param(&params[7], &agent);
    ngx_http_portal_text_param(&params[8], &idle);
    ngx_http_portal_text_param(&params[9], &absolute);
    ngx_http_portal_text_param(&params[10], &ctx->nonce);

    ngx_http_portal_hash_keep(ctx, s, hash);

    return ngx_http_portal_ask(r, ctx, &ngx_http_portal_finish_st, params,
                               ngx_http_portal_password_finished)
           == NGX_AGAIN ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_portal_password_finished(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_int_t  rc;
    ngx_str_t  status;

    if (result->err != NGX_PORTAL_DB_OK) {
        ngx_http_portal_finish(r, ngx_http_portal_password_failed(r, ctx,
                                      ngx_http_portal_db_status(result)));
        return;
    }

    if (ngx_http_portal_own_row(r, ctx, result->res) != NGX_OK) {
        ngx_http_portal_finish(r, ngx_http_portal_password_failed(r, ctx,
                                      NGX_HTTP_INTERNAL_SERVER_ERROR));
        return;
    }

    ngx_http_portal_column(result->res, 1, &status);

    if (status.len != 2 || ngx_memcmp(status.data, "ok", 2) != 0) {
        ngx_http_portal_password_refused(r, ctx);
        return;
    }

    rc = ngx_http_portal_password_in(r, ctx);

    ngx_http_portal_hash_again(ctx, ctx->state);
    ngx_http_portal_finish(r, rc);
}


static ngx_int_t
ngx_http_portal_password_in(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t                   value, device, gone, none, *next;
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    ngx_http_portal_limit_release(ctx, &s->email);
    ngx_http_portal_limit_forget(ctx, &s->email);

    if (ctx->has_token) {
        ngx_portal_session_drop(ctx->portal->zone, ctx->token);
    }

    value.data = s->text;
    value.len = sizeof(s->text);

    device.data = s->device_text;
    device.len = sizeof(s->device_text);

    ngx_str_null(&gone);
    ngx_str_null(&none);

    if (!ctx->has_device
        && ngx_http_portal_cookie_set(r, ctx, "-device", &device,
                                      NGX_HTTP_PORTAL_DEVICE)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_portal_cookie_set(r, ctx, "", &value, -1) != NGX_OK
        || ngx_http_portal_cookie_set(r, ctx, "-pre", &gone, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    next = (ngx_str_t *) portal_form_get(&ctx->form, "next");

    if (next == NULL) {
        next = &none;
    }

    return ngx_http_portal_send_next(r, ctx, next, &none);
}


static void
ngx_http_portal_password_refused(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_msec_t                  left;
    ngx_http_portal_sign_in_t  *s;

    s = ctx->state;

    ngx_http_portal_limit_fail(ctx);

    /*
     * At the next multiple: what took longer than the floor, since the queue
     * was long or the hash is an old one, tells no more by its time.
     */

    left = NGX_HTTP_PORTAL_FLOOR
           - (ngx_current_msec - s->start) % NGX_HTTP_PORTAL_FLOOR;

    ctx->timer.data = ctx;
    ctx->timer.handler = ngx_http_portal_password_floor;
    ctx->timer.log = r->connection->log;

    ngx_add_timer(&ctx->timer, left);
}


static void
ngx_http_portal_password_floor(ngx_event_t *ev)
{
    ngx_http_portal_ctx_t  *ctx = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;

    c = ngx_http_portal_wake(r);
    ngx_http_portal_finish(r, ngx_http_portal_password_refuse(r, ctx));
    ngx_http_portal_woken(c);
}


static ngx_int_t
ngx_http_portal_password_refuse(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_set(&ctx->errors, "{\"email\":\"sign_in.refused\"}");

    return ngx_http_portal_send_page(r, ctx, NGX_HTTP_UNAUTHORIZED,
                                     ctx->route->view);
}
