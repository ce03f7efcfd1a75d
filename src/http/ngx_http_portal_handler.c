
/*
 * Copyright (C) the nginx client portal authors
 *
 * The content phase: reads the body of a request that the gate granted,
 * parses query and form, and hands over to the route's action or to its
 * page function.  The only count of the request is the one which
 * ngx_http_read_client_request_body() takes.
 */


#include "ngx_http_portal.h"
#include <jansson.h>
#include <sodium.h>
#include "portal_text.h"


static void ngx_http_portal_body_limit(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_portal_run(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_read_query(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_read_form(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_read_json(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *body);
static ngx_int_t ngx_http_portal_read_fields(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, json_t *root);
static ngx_int_t ngx_http_portal_body(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_uint_t ngx_http_portal_type_is(ngx_http_request_t *r,
    const char *type);


static ngx_http_portal_action_t  ngx_http_portal_actions[] = {

    /* upload, credential, csrf; get, named, viewed, closed */

    { ngx_string("file"), ngx_http_portal_file, 0, 0, 0, 1, 0, 0, 1 },
    { ngx_string("preview"), ngx_http_portal_preview, 0, 0, 0, 1, 0, 0, 1 },
    { ngx_string("upload"), ngx_http_portal_upload, 1, 0, 1, 0, 1, 1, 1 },
    { ngx_string("password"), ngx_http_portal_password,
      0, 1, 0, 0, 0, 1, 0 },
    { ngx_string("sign_out"), ngx_http_portal_sign_out,
      0, 0, 1, 0, 0, 0, 0 },
    { ngx_null_string, NULL, 0, 0, 0, 0, 0, 0, 0 }
};


ngx_http_portal_action_t *
ngx_http_portal_action(ngx_str_t *name)
{
    ngx_http_portal_action_t  *a;

    for (a = ngx_http_portal_actions; a->name.len; a++) {
        if (a->name.len == name->len
            && ngx_strncmp(a->name.data, name->data, name->len) == 0)
        {
            return a;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_portal_content_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_portal_ctx_t  *ctx;

    ctx = ngx_http_portal_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->verdict != NGX_HTTP_PORTAL_GRANTED) {

        /* the phases of the gate were not run: nothing is served */

        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "portal content without a verdict of the gate");
        ctx->verdict = NGX_HTTP_PORTAL_REFUSED;
        ctx->status = NGX_HTTP_INTERNAL_SERVER_ERROR;

        return ngx_http_portal_send_refusal(r, ctx);
    }

    if (ngx_http_portal_is_get(r)) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

#if (NGX_HTTP_V3)
        if (r->http_version == NGX_HTTP_VERSION_30) {

            /* nothing was marked as discarded: there is nothing to read */

            r->headers_in.content_length_n = -1;
            r->headers_in.chunked = 0;
        }
#endif
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_portal_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


/*
 * How the body is to be read: said as soon as the request is granted, since
 * another module ("mirror") may read it before the content phase.
 */

void
ngx_http_portal_body_prepare(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    if (ctx->route == NULL || ngx_http_portal_is_get(r)) {
        return;
    }

    if (ctx->route->action && ctx->route->action->upload) {
        r->request_body_in_file_only = 1;
        r->request_body_in_persistent_file = 1;
        r->request_body_in_clean_file = 1;
        r->request_body_file_group_access = 0;
        r->request_body_file_log_level = 0;

        ngx_http_portal_body_limit(r, ctx);

    } else {
        r->request_body_in_single_buf = 1;
    }
}


/*
 * A length that was not told in advance is found out while reading, by the
 * location's client_max_body_size: where the route has a lower limit, by a
 * copy of the location that has that one.
 */

static void
ngx_http_portal_body_limit(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_uint_t                i;
    ngx_http_portal_limit_t  *limit;

    limit = ctx->conf->limits->elts;

    for (i = 0; i < ctx->conf->limits->nelts; i++) {
        if (limit[i].route == ctx->route) {
            r->loc_conf = limit[i].loc_conf;
            return;
        }
    }
}


/* The body is here: the request owns one token, given back by finish(). */

static void
ngx_http_portal_body_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_portal_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_portal_module);

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    rc = ngx_http_portal_run(r, ctx);

    if (rc != NGX_AGAIN || !ctx->waiting) {
        ngx_http_portal_finish(r, rc);
    }
}


/*
 * NGX_AGAIN with ctx->waiting set: somebody will finish the request;
 * anything else is what a send function returned.
 */

static ngx_int_t
ngx_http_portal_run(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_http_portal_route_t  *route;

    if (ctx->asset) {
        return ngx_http_portal_asset(r, ctx);
    }

    route = ctx->route;

    rc = ngx_http_portal_read_query(r, ctx);

    if (rc == NGX_OK && !ngx_http_portal_is_get(r)
        && (route->action == NULL || !route->action->upload))
    {
        rc = ngx_http_portal_read_form(r, ctx);
    }

    if (rc != NGX_OK) {
        return ngx_http_portal_send_error(r, ctx, rc);
    }

    if (!ngx_http_portal_is_get(r)
        && (route->action == NULL || !route->action->csrf))
    {
        if (ngx_http_portal_csrf_sent(r, ctx) != NGX_OK) {
            ngx_http_portal_refused(r, ctx, NGX_HTTP_FORBIDDEN);
            return ngx_http_portal_send_error(r, ctx, NGX_HTTP_FORBIDDEN);
        }
    }

    if (route->action) {
        return route->action->handler(r, ctx);
    }

    if (route->name.len == 0) {
        return ngx_http_portal_view_only(r, ctx);
    }

    return ngx_http_portal_call(r, ctx);
}


static ngx_int_t
ngx_http_portal_read_query(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    if (portal_form_parse(&ctx->query, ngx_portal_str(&r->args),
                          &ctx->arena)
        != PORTAL_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_portal_type_is(ngx_http_request_t *r, const char *type)
{
    size_t      len;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;
    len = ngx_strlen(type);

    return value->len >= len
           && ngx_strncasecmp(value->data, (u_char *) type, len) == 0
           && (value->len == len || value->data[len] == ';'
               || value->data[len] == ' ');
}


/* NGX_OK, or the status to answer with. */

static ngx_int_t
ngx_http_portal_read_form(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t     rc;
    ngx_str_t     body;
    portal_buf_t  b;

    static const char  *omit[] = { "csrf", "password", NULL };

    rc = ngx_http_portal_body(r, &body);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_portal_type_is(r, "application/json")) {
        return ngx_http_portal_read_json(r, ctx, &body);
    }

    if (body.len
        && !ngx_http_portal_type_is(r, "application/x-www-form-urlencoded"))
    {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    if (portal_form_parse(&ctx->form, ngx_portal_str(&body), &ctx->arena)
        != PORTAL_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_REQUEST_MAX);

    if (portal_form_json(&b, &ctx->form, omit) != PORTAL_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    ctx->form_json.data = b.data;
    ctx->form_json.len = b.len;

    return NGX_OK;
}


/*
 * A body in one buffer: the location's client_body_buffer_size was raised
 * above the limit of a form, so that no form is ever in a file.
 */

static ngx_int_t
ngx_http_portal_body(ngx_http_request_t *r, ngx_str_t *body)
{
    size_t        len;
    u_char       *p;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    len = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        if (cl->buf->in_file) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        len += cl->buf->last - cl->buf->pos;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL) {
        body->data = cl->buf->pos;
        body->len = len;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body->data = p;
    body->len = len;

    for ( /* void */ ; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}


/* What strangers send is read by jansson: an object of scalars. */

static ngx_int_t
ngx_http_portal_read_json(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *body)
{
    char          *text;
    json_t        *root;
    ngx_int_t      rc;
    json_error_t   err;

    root = json_loadb((char *) body->data, body->len, JSON_REJECT_DUPLICATES,
                      &err);

    if (!json_is_object(root)
        || json_object_size(root) > PORTAL_FORM_FIELDS)
    {
        json_decref(root);
        return NGX_HTTP_BAD_REQUEST;
    }

    rc = ngx_http_portal_read_fields(r, ctx, root);

    if (rc != NGX_OK) {
        json_decref(root);
        return rc;
    }

    /* the token and a password are the worker's business */

    (void) json_object_del(root, "csrf");
    (void) json_object_del(root, "password");

    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);

    if (text == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    ctx->form_json.len = ngx_strlen(text);
    ctx->form_json.data = ngx_pnalloc(r->pool, ctx->form_json.len);

    if (ctx->form_json.data) {
        ngx_memcpy(ctx->form_json.data, text, ctx->form_json.len);
        rc = NGX_OK;
    }

    free(text);

    return rc;
}


/* The texts of the object, as the fields of a form. */

static ngx_int_t
ngx_http_portal_read_fields(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, json_t *root)
{
    json_t               *value;
    const char           *key;
    portal_str_t          name, text;
    portal_form_field_t  *field;

    field = ngx_pcalloc(r->pool,
                        PORTAL_FORM_FIELDS * sizeof(portal_form_field_t));
    if (field == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->form.fields = field;

    json_object_foreach(root, key, value) {

        if (json_is_object(value) || json_is_array(value)
            || json_is_null(value))
        {
            return NGX_HTTP_BAD_REQUEST;
        }

        if (!json_is_string(value)) {
            continue;
        }

        name.data = (u_char *) key;
        name.len = ngx_strlen(key);
        text.data = (u_char *) json_string_value(value);
        text.len = json_string_length(value);

        if (portal_str_dup(&ctx->arena, &field->name, &name) != PORTAL_OK
            || portal_str_dup(&ctx->arena, &field->value, &text)
               != PORTAL_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        field++;
        ctx->form.n++;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_portal_csrf_sent(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t  *token;

    token = (ngx_str_t *) portal_form_get(&ctx->form, "csrf");

    if (token == NULL) {
        token = ngx_http_portal_header_get(r, "x-portal-csrf",
                                           sizeof("x-portal-csrf") - 1);
    }

    return ngx_http_portal_csrf(r, ctx, token);
}


ngx_int_t
ngx_http_portal_csrf(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *token)
{
    const u_char  *sid;

    sid = ctx->known ? ctx->token : ctx->has_pre ? ctx->pre : NULL;

    if (sid == NULL || token == NULL
        || portal_csrf_check(ctx->portal->keyring, sid,
                             ngx_portal_str(token))
           != PORTAL_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_portal_nonce(ngx_http_portal_ctx_t *ctx)
{
    u_char  raw[12];

    randombytes_buf(raw, sizeof(raw));

    ctx->nonce.data = ngx_pnalloc(ctx->request->pool, 2 * sizeof(raw));

    if (ctx->nonce.data == NULL) {
        ctx->nonce.len = 0;
        return;
    }

    ctx->nonce.len = ngx_hex_dump(ctx->nonce.data, raw, sizeof(raw))
                     - ctx->nonce.data;
}


ngx_int_t
ngx_http_portal_own_row(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    PGresult *res)
{
    ngx_str_t  nonce;

    if (PQntuples(res) == 1 && ctx->nonce.len) {
        ngx_http_portal_column(res, 0, &nonce);

        if (nonce.len == ctx->nonce.len
            && ngx_memcmp(nonce.data, ctx->nonce.data, nonce.len) == 0)
        {
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                  "answer of PostgreSQL does not belong to this request");

    return NGX_ERROR;
}
