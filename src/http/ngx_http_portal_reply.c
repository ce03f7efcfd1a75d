
/*
 * Copyright (C) the nginx client portal authors
 *
 * The answers.  They are always sent by us with their status, never
 * returned as a code: at 300 and more the site's error_page would replace
 * them, at 201 and 204 the finalizer would.
 */


#include "ngx_http_portal.h"
#include <sodium.h>
#include "portal_accept.h"
#include "portal_text.h"


static ngx_int_t ngx_http_portal_send(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status, const char *type,
    ngx_chain_t *out, off_t size);
static ngx_int_t ngx_http_portal_send_html(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status, portal_template_t *view);
static ngx_int_t ngx_http_portal_send_plain(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);
static ngx_int_t ngx_http_portal_send_problem(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);
static ngx_int_t ngx_http_portal_send_sign_in(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_uint_t ngx_http_portal_has_dots(ngx_str_t *next);
static void ngx_http_portal_take_flash(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_set_flash(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *flash);
static ngx_int_t ngx_http_portal_pre(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);


static const char  ngx_http_portal_csp[] =
    "default-src 'none'; script-src 'nonce-%V'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "frame-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

static const char  ngx_http_portal_csp_none[] =
    "default-src 'none'; frame-ancestors 'none'; sandbox";

static ngx_str_t  ngx_http_portal_flash_purpose = ngx_string("flash");


static ngx_int_t
ngx_http_portal_send(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status, const char *type, ngx_chain_t *out, off_t size)
{
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    if (ngx_http_portal_status_headers(r, ctx, status) != NGX_OK) {
        return NGX_ERROR;
    }

    r->err_status = 0;
    r->headers_out.status = status;
    r->headers_out.status_line.len = 0;
    r->headers_out.content_length_n = size;

    if (status == 422) {

        /* the one of ours that the core has no words for */

        ngx_str_set(&r->headers_out.status_line, "422 Unprocessable Content");
    }

    /* nothing that is kept: there is no condition that could be met */

    r->disable_not_modified = 1;

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    if (type) {
        r->headers_out.content_type.data = (u_char *) type;
        r->headers_out.content_type.len = ngx_strlen(type);
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;
        ngx_str_set(&r->headers_out.charset, "utf-8");
    }

    if (out == NULL) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    for (cl = out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main);
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out);
}


ngx_int_t
ngx_http_portal_send_empty(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status)
{
    if (ngx_http_portal_headers(r, ctx, ngx_http_portal_csp_none, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_portal_send(r, ctx, status, NULL, NULL,
                                status == NGX_HTTP_NO_CONTENT ? -1 : 0);
}


static ngx_int_t
ngx_http_portal_send_html(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status, portal_template_t *view)
{
    off_t         size;
    u_char        raw[16], text[24];
    ngx_str_t     nonce;
    ngx_chain_t  *out;

    randombytes_buf(raw, sizeof(raw));
    nonce.data = text;
    nonce.len = portal_base64url(text, raw, sizeof(raw));

    if (ngx_http_portal_render(r, ctx, view, status, &nonce, &out, &size)
        != NGX_OK)
    {
        return ngx_http_portal_send_plain(r, ctx, status < 400
                                         ? NGX_HTTP_INTERNAL_SERVER_ERROR
                                         : status);
    }

    if (ngx_http_portal_headers(r, ctx, ngx_http_portal_csp, &nonce)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_portal_send(r, ctx, status, "text/html", out, size);
}


/* The last resort, when not even the page of the error can be made. */

static ngx_int_t
ngx_http_portal_send_plain(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_create_temp_buf(r->pool, 32);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL
        || ngx_http_portal_headers(r, ctx, ngx_http_portal_csp_none, NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    b->last = ngx_sprintf(b->last, "Erreur %ui / Error %ui" CRLF, status,
                          status);
    cl->buf = b;
    cl->next = NULL;

    return ngx_http_portal_send(r, ctx, status, "text/plain", cl,
                                b->last - b->pos);
}


ngx_int_t
ngx_http_portal_send_page(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status, portal_template_t *view)
{
    ngx_int_t  rc;

    ngx_http_portal_take_flash(r, ctx);

    if (!ctx->known && !ctx->has_pre) {
        rc = ngx_http_portal_pre(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ctx->json) {
        return status >= 400
               ? ngx_http_portal_send_problem(r, ctx, status)
               : ngx_http_portal_send_json(r, ctx, status, &ctx->body);
    }

    return ngx_http_portal_send_html(r, ctx, status, view);
}


/* A form of somebody unknown is bound to a cookie of its own. */

static ngx_int_t
ngx_http_portal_pre(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    u_char     raw[40];
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, 54);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = 54;

    portal_token_new(ctx->portal->keyring, "-pre", raw, value.data);
    portal_token_hash(ctx->pre, raw);
    ctx->has_pre = 1;

    return ngx_http_portal_cookie_set(r, ctx, "-pre", &value, -1);
}


ngx_int_t
ngx_http_portal_send_json(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *json)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    static ngx_str_t  empty = ngx_string("{}");

    if (json->len == 0) {
        json = &empty;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL
        || ngx_http_portal_headers(r, ctx, ngx_http_portal_csp_none, NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    b->pos = json->data;
    b->last = json->data + json->len;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    return ngx_http_portal_send(r, ctx, status,
                                status >= 400 ? "application/problem+json"
                                              : "application/json",
                                cl, json->len);
}


/* RFC 9457; "instance" is the reference that the log line carries too. */

static ngx_int_t
ngx_http_portal_send_problem(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status)
{
    ngx_str_t     id, json;
    ngx_uint_t    i;
    portal_buf_t  b;

    static struct {
        ngx_uint_t   status;
        const char  *title;
    } titles[] = {
        { 400, "Bad request" },
        { 401, "Not signed in" },
        { 403, "Not allowed" },
        { 404, "Not found" },
        { 405, "Method not allowed" },
        { 409, "Conflict" },
        { 411, "Length required" },
        { 413, "Too large" },
        { 415, "Unsupported media type" },
        { 422, "Refused as it is" },
        { 429, "Too many requests" },
        { 503, "Unavailable" },
        { 507, "No room left" },
        { 0, "Error" }
    };

    for (i = 0; titles[i].status && titles[i].status != status; i++) {
        /* void */
    }

    ngx_http_portal_request_id(r, &id);
    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_REQUEST_MAX);

    portal_buf_puts(&b, "{\"type\":\"about:blank\",\"title\":\"");
    portal_buf_puts(&b, titles[i].title);
    portal_buf_puts(&b, "\",\"status\":");
    portal_buf_int(&b, status);
    portal_buf_puts(&b, ",\"instance\":");
    portal_buf_json(&b, ngx_portal_str(&id));

    if (ctx->errors.len) {
        portal_buf_puts(&b, ",\"errors\":");
        portal_buf_str(&b, ngx_portal_str(&ctx->errors));
    }

    if (portal_buf_puts(&b, "}") != PORTAL_OK) {
        return NGX_ERROR;
    }

    json.data = b.data;
    json.len = b.len;

    return ngx_http_portal_send_json(r, ctx, status, &json);
}


ngx_int_t
ngx_http_portal_send_error(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status)
{
    if (r->header_sent) {
        return NGX_ERROR;
    }

    /* nothing of a page that failed goes into the page of the error */

    ngx_str_null(&ctx->body);
    ngx_str_null(&ctx->shell);

    if (ctx->json) {
        return ngx_http_portal_send_problem(r, ctx, status);
    }

    return ngx_http_portal_send_html(r, ctx, status,
                ctx->conf->errors[ngx_http_portal_error_index(status)]);
}


/* Before the body was read: nginx discards it, and closes lingering. */

ngx_int_t
ngx_http_portal_send_refusal(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (r == r->main) {

        if (r->headers_in.expect && !r->expect_tested) {

            /* nobody asks for a body that would be thrown away */

            r->expect_tested = 1;
            r->keepalive = 0;
        }

        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    switch (ctx->status) {

    case NGX_HTTP_NO_CONTENT:
        return ngx_http_portal_send_empty(r, ctx, ctx->status);

    case NGX_HTTP_UNAUTHORIZED:
        return ngx_http_portal_send_sign_in(r, ctx);

    default:
        return ngx_http_portal_send_error(r, ctx, ctx->status);
    }
}


/* Nobody known: a browser that reads goes to sign in and comes back. */

static ngx_int_t
ngx_http_portal_send_sign_in(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t     gone, none, location;
    portal_buf_t  b;

    ngx_str_null(&gone);

    if (ctx->has_token
        && ngx_http_portal_cookie_set(r, ctx, "", &gone, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->json || ctx->subrequest) {
        return ngx_http_portal_send_error(r, ctx, NGX_HTTP_UNAUTHORIZED);
    }

    if (!ngx_http_portal_is_get(r)) {
        return ngx_http_portal_send_html(r, ctx, NGX_HTTP_UNAUTHORIZED,
                      ctx->conf->errors[NGX_HTTP_PORTAL_SESSION_EXPIRED]);
    }

    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_FORM_MAX);
    portal_buf_puts(&b, "~sign-in");

    if (ctx->rest.len > 1
        && portal_next_valid(ngx_portal_str(&r->unparsed_uri)))
    {
        portal_buf_puts(&b, "?next=");
        portal_buf_urlencode(&b, ngx_portal_str(&r->unparsed_uri));
    }

    if (b.failed) {
        return NGX_ERROR;
    }

    location.data = b.data;
    location.len = b.len;

    ngx_str_null(&none);

    if (ctx->has_token) {
        ngx_str_set(&none, "session.expired");
    }

    return ngx_http_portal_send_redirect(r, ctx, &location, &none);
}


/* A browser resolves "/../" and "/%2e/": they would leave the mount. */

static ngx_uint_t
ngx_http_portal_has_dots(ngx_str_t *next)
{
    u_char  *p, *last;

    last = next->data + next->len;

    for (p = next->data; p + 1 < last && *p != '?' && *p != '#'; p++) {

        if ((p[0] == '/' || p[0] == '\\')
            && (p[1] == '.'
                || (last - p > 3
                    && ngx_strncasecmp(p + 1, (u_char *) "%2e", 3) == 0)))
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_portal_send_next(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *next, ngx_str_t *flash)
{
    ngx_str_t  location;

    if (next->len < ctx->conf->mount.len
        || ngx_strncmp(next->data, ctx->conf->mount.data,
                       ctx->conf->mount.len)
           != 0
        || !portal_next_valid(ngx_portal_str(next))
        || ngx_http_portal_has_dots(next))
    {
        ngx_str_set(&location, "~");
        return ngx_http_portal_send_redirect(r, ctx, &location, flash);
    }

    location.len = next->len - ctx->conf->mount.len + 1;
    location.data = ngx_pnalloc(r->pool, location.len);
    if (location.data == NULL) {
        return NGX_ERROR;
    }

    location.data[0] = '~';
    ngx_memcpy(location.data + 1, next->data + ctx->conf->mount.len,
               location.len - 1);

    return ngx_http_portal_send_redirect(r, ctx, &location, flash);
}


ngx_int_t
ngx_http_portal_send_redirect(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *location, ngx_str_t *flash)
{
    ngx_str_t      json, value, rest;
    portal_buf_t   b, j;

    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_FORM_MAX);
    portal_buf_str(&b, ngx_portal_str(&ctx->conf->mount));

    rest = *location;

    if (rest.len && rest.data[0] == '~') {
        rest.data++;
        rest.len--;

    } else if (ctx->client.len) {
        portal_buf_puts(&b, "c/");
        portal_buf_str(&b, ngx_portal_str(&ctx->client));
        portal_buf_puts(&b, "/");
    }

    portal_buf_str(&b, ngx_portal_str(&rest));

    value.data = b.data;
    value.len = b.len;

    if (b.failed || portal_has_control(ngx_portal_str(&value))) {
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    if (ctx->json) {
        portal_buf_init(&j, &ctx->arena, NGX_HTTP_PORTAL_FORM_MAX);
        portal_buf_puts(&j, "{\"location\":");
        portal_buf_json(&j, ngx_portal_str(&value));

        if (flash->len) {
            portal_buf_puts(&j, ",\"flash\":");
            portal_buf_json(&j, ngx_portal_str(flash));
        }

        if (portal_buf_puts(&j, "}") != PORTAL_OK) {
            return NGX_ERROR;
        }

        json.data = j.data;
        json.len = j.len;

        return ngx_http_portal_send_json(r, ctx, NGX_HTTP_OK, &json);
    }

    if ((flash->len && ngx_http_portal_set_flash(r, ctx, flash) != NGX_OK)
        || ngx_http_portal_header_add(r, "Location", &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_portal_send_empty(r, ctx, NGX_HTTP_SEE_OTHER);
}


static ngx_int_t
ngx_http_portal_set_flash(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *flash)
{
    ngx_str_t     value;
    portal_buf_t  b;

    portal_buf_init(&b, &ctx->arena, 1024);

    if (portal_seal(ctx->portal->keyring, "flash",
                    ngx_portal_str(&ngx_http_portal_flash_purpose),
                    ngx_portal_str(flash), ngx_time() + 30, &b)
        != PORTAL_OK)
    {
        /* what was done is done: only its message is lost */

        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "message of page \"%V\" is too long",
                      &ctx->route->name);
        return NGX_OK;
    }

    value.data = b.data;
    value.len = b.len;

    return ngx_http_portal_cookie_set(r, ctx, "-flash", &value, 30);
}


static void
ngx_http_portal_take_flash(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t  value, gone;

    if (ctx->json) {
        return;
    }

    ngx_http_portal_cookie_get(r, ctx->portal, "-flash", &value);

    if (value.len == 0) {
        return;
    }

    if (portal_unseal(ctx->portal->keyring, "flash",
                      ngx_portal_str(&ngx_http_portal_flash_purpose),
                      ngx_portal_str(&value), ngx_time(), &ctx->arena,
                      ngx_portal_str(&ctx->flash))
        != PORTAL_OK)
    {
        ngx_str_null(&ctx->flash);
    }

    ngx_str_null(&gone);
    (void) ngx_http_portal_cookie_set(r, ctx, "-flash", &gone, 0);
}
