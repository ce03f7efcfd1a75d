
/*
 * Copyright (C) the nginx client portal authors
 *
 * HTML of a page: the outer root "portal" (what the worker knows: paths,
 * token, words typed, flash) is written as JSON and read by the same reader
 * as PostgreSQL's answer, so that a template sees one kind of data.
 */


#include "ngx_http_portal.h"
#include <sodium.h>
#include "portal_accept.h"
#include "portal_text.h"


#define NGX_HTTP_PORTAL_OUT  16384


typedef struct {
    ngx_http_request_t  *request;
    ngx_chain_t         *first;
    ngx_chain_t        **last;
    ngx_buf_t           *buf;
    off_t                size;
} ngx_http_portal_sink_t;


static int ngx_http_portal_more(portal_out_t *out);
static ngx_int_t ngx_http_portal_root(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status, ngx_str_t *nonce,
    portal_buf_t *b);
static void ngx_http_portal_root_path(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_buf_t *b);
static void ngx_http_portal_root_csrf(ngx_http_portal_ctx_t *ctx,
    portal_buf_t *b);
static void ngx_http_portal_root_next(ngx_http_portal_ctx_t *ctx,
    portal_buf_t *b);


portal_locale_t *
ngx_http_portal_words(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    int                          i;
    ngx_str_t                   *header;
    ngx_uint_t                   n;
    portal_str_t                 codes[NGX_HTTP_PORTAL_LOCALES];
    ngx_http_portal_loc_conf_t  *plcf;

    plcf = ctx->conf;

    for (n = 0; n < plcf->nwords; n++) {
        codes[n] = *portal_locale_code(plcf->words[n]);

        if (ctx->known && codes[n].len == 2
            && ngx_memcmp(ctx->session.locale, codes[n].data, 2) == 0)
        {
            return plcf->words[n];
        }
    }

    header = ngx_http_portal_header_get(r, "accept-language",
                                        sizeof("accept-language") - 1);
    if (header) {
        i = portal_accept_language(ngx_portal_str(header), codes,
                                   plcf->nwords);
        if (i >= 0) {
            return plcf->words[i];
        }
    }

    return plcf->words[0];
}


void
ngx_http_portal_request_id(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_http_variable_value_t    *v;
    ngx_http_portal_main_conf_t  *pmcf;

    ngx_str_null(id);

    /* by its index: the same in every place that asks, and in the log */

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_portal_module);
    v = ngx_http_get_indexed_variable(r, pmcf->request_id);

    if (v && !v->not_found && v->valid) {
        id->data = v->data;
        id->len = v->len;
    }
}


static int
ngx_http_portal_more(portal_out_t *out)
{
    ngx_http_portal_sink_t  *sink = out->ctx;

    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (sink->buf) {
        sink->buf->last = out->pos;
        sink->size += sink->buf->last - sink->buf->pos;
    }

    b = ngx_create_temp_buf(sink->request->pool, NGX_HTTP_PORTAL_OUT);
    cl = ngx_alloc_chain_link(sink->request->pool);

    if (b == NULL || cl == NULL) {
        return PORTAL_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    *sink->last = cl;
    sink->last = &cl->next;
    sink->buf = b;

    out->pos = b->pos;
    out->end = b->end;

    return PORTAL_OK;
}


ngx_int_t
ngx_http_portal_render(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    portal_template_t *view, ngx_uint_t status, ngx_str_t *nonce,
    ngx_chain_t **chain, off_t *size)
{
    u_char                  *p, day[sizeof("YYYY-MM-DD")];
    ngx_tm_t                 tm;
    portal_buf_t             b;
    portal_str_t             text;
    portal_json_t            root, body;
    portal_out_t             out;
    portal_view_t            v;
    ngx_http_portal_sink_t   sink;

    portal_buf_init(&b, &ctx->arena, 2 * NGX_HTTP_PORTAL_REQUEST_MAX);

    if (ngx_http_portal_root(r, ctx, status, nonce, &b) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&v, sizeof(portal_view_t));

    text.data = b.data;
    text.len = b.len;

    if (portal_json_parse(&root, &text, &ctx->arena) != PORTAL_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "what the page's shell said is not JSON");
        return NGX_ERROR;
    }

    v.roots[v.nroots++] = &root;

    if (ctx->body.len) {
        if (portal_json_parse(&body, ngx_portal_str(&ctx->body), &ctx->arena)
            != PORTAL_OK)
        {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "what page \"%V\" said is not JSON",
                          &ctx->route->name);
            return NGX_ERROR;
        }

        v.roots[v.nroots++] = &body;
    }

    v.locale = ngx_http_portal_words(r, ctx);

    if (portal_json_lookup(&root, "shell.today", &v.today) != PORTAL_OK) {
        ngx_localtime(ngx_time(), &tm);
        p = ngx_sprintf(day, "%04d-%02d-%02d", tm.ngx_tm_year,
                        tm.ngx_tm_mon, tm.ngx_tm_mday);
        v.today.data = day;
        v.today.len = p - day;
    }

    ngx_memzero(&sink, sizeof(ngx_http_portal_sink_t));
    sink.request = r;
    sink.last = &sink.first;

    out.pos = NULL;
    out.end = NULL;
    out.more = ngx_http_portal_more;
    out.ctx = &sink;

    if (portal_template_render(view, &v, &out) != PORTAL_OK
        || sink.buf == NULL)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "template of \"%V\" could not be rendered", &r->uri);
        return NGX_ERROR;
    }

    sink.buf->last = out.pos;
    sink.size += sink.buf->last - sink.buf->pos;

    *chain = sink.first;
    *size = sink.size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_root(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status, ngx_str_t *nonce, portal_buf_t *b)
{
    ngx_str_t         id;
    portal_locale_t  *words;

    words = ngx_http_portal_words(r, ctx);
    ngx_http_portal_request_id(r, &id);

    portal_buf_puts(b, "{\"root\":");
    portal_buf_json(b, ngx_portal_str(&ctx->conf->mount));

    portal_buf_puts(b, ",\"base\":\"");
    portal_buf_str(b, ngx_portal_str(&ctx->conf->mount));

    if (ctx->client.len) {
        portal_buf_puts(b, "c/");
        portal_buf_str(b, ngx_portal_str(&ctx->client));
        portal_buf_puts(b, "/");
    }

    portal_buf_puts(b, "\",\"site\":");
    portal_buf_str(b, ngx_portal_str(&ctx->conf->site));

    portal_buf_puts(b, ",\"lang\":");
    portal_buf_json(b, portal_locale_code(words));

    portal_buf_puts(b, ",\"nonce\":");
    portal_buf_json(b, ngx_portal_str(nonce));

    portal_buf_puts(b, ",\"id\":");
    portal_buf_json(b, ngx_portal_str(&id));

    portal_buf_puts(b, ",\"status\":");
    portal_buf_int(b, status);

    if (ctx->retry) {
        portal_buf_puts(b, ",\"retry_after\":");
        portal_buf_int(b, (ctx->retry + 59999) / 60000);
    }

    portal_buf_puts(b, ",\"max_bytes\":");
    portal_buf_int(b, ctx->conf->max_bytes);

    portal_buf_puts(b, ctx->known ? ",\"signed_in\":true"
                                  : ",\"signed_in\":false");

    ngx_http_portal_root_path(r, ctx, b);
    ngx_http_portal_root_csrf(ctx, b);
    ngx_http_portal_root_next(ctx, b);

    if (ctx->flash.len) {
        portal_buf_puts(b, ",\"flash\":");
        portal_buf_json(b, ngx_portal_str(&ctx->flash));
    }

    if (ctx->form_json.len) {
        portal_buf_puts(b, ",\"form\":");
        portal_buf_str(b, ngx_portal_str(&ctx->form_json));
    }

    if (ctx->errors.len) {
        portal_buf_puts(b, ",\"errors\":");
        portal_buf_str(b, ngx_portal_str(&ctx->errors));
    }

    if (ctx->shell.len) {
        portal_buf_puts(b, ",\"shell\":");
        portal_buf_str(b, ngx_portal_str(&ctx->shell));
    }

    portal_buf_puts(b, "}");

    return b->failed ? NGX_ERROR : NGX_OK;
}


/* The address of this page below its base, as it was asked for. */

static void
ngx_http_portal_root_path(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    portal_buf_t *b)
{
    size_t      skip;
    ngx_str_t   path;

    skip = ctx->conf->mount.len;

    if (ctx->client.len) {
        skip += sizeof("c/") - 1 + ctx->client.len + 1;
    }

    path = r->main->unparsed_uri;

    if (path.len < skip || !ngx_http_portal_is_get(r)
        || !portal_next_valid(ngx_portal_str(&path)))
    {
        return;
    }

    path.data += skip;
    path.len -= skip;

    portal_buf_puts(b, ",\"path\":");
    portal_buf_json(b, ngx_portal_str(&path));
}


static void
ngx_http_portal_root_csrf(ngx_http_portal_ctx_t *ctx, portal_buf_t *b)
{
    u_char         text[64];
    const u_char  *sid;

    sid = ctx->known ? ctx->token : ctx->has_pre ? ctx->pre : NULL;

    if (sid == NULL) {
        return;
    }

    /* masked: another text in every response (BREACH) */

    portal_csrf_new(ctx->portal->keyring, sid, text);

    portal_buf_puts(b, ",\"csrf\":\"");
    portal_buf_add(b, text, sizeof(text));
    portal_buf_puts(b, "\"");
}


static void
ngx_http_portal_root_next(ngx_http_portal_ctx_t *ctx, portal_buf_t *b)
{
    const portal_str_t  *next;

    next = portal_form_get(&ctx->form, "next");

    if (next == NULL) {
        next = portal_form_get(&ctx->query, "next");
    }

    if (next && portal_next_valid(next)) {
        portal_buf_puts(b, ",\"next\":");
        portal_buf_json(b, next);
    }
}
