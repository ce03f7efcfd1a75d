
/*
 * Copyright (C) the nginx client portal authors
 *
 * Downloads and previews: the grant ("this session may read this file")
 * from the zone, from PostgreSQL on a miss, then nginx's own way of a
 * static file: open_file_cache, sendfile, Range, If-Range, conditionals.
 * The gate and the grant come before any conditional or range logic.
 */


#include "ngx_http_portal.h"
#include "portal_disposition.h"
#include "portal_text.h"
#include "portal_type.h"


static ngx_int_t ngx_http_portal_grant_cached(ngx_http_portal_ctx_t *ctx,
    const ngx_portal_grant_key_t *key, ngx_portal_grant_t *grant);
static ngx_int_t ngx_http_portal_grant(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t show);
static void ngx_http_portal_grant_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_grant_read(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_grant_row(PGresult *res,
    ngx_portal_grant_t *grant, ngx_str_t *name);
static ngx_int_t ngx_http_portal_send_grant(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_grant_t *grant, ngx_str_t *name);
static ngx_uint_t ngx_http_portal_file_wanted(ngx_http_request_t *r,
    ngx_str_t *etag, time_t mtime);
static ngx_uint_t ngx_http_portal_file_tagged(ngx_str_t *list,
    ngx_str_t *etag);
static ngx_int_t ngx_http_portal_send_file(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *path, off_t size);
static ngx_uint_t ngx_http_portal_file_fault(ngx_http_request_t *r,
    ngx_str_t *path, ngx_err_t err);
static ngx_int_t ngx_http_portal_send_beyond(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_open(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *path, ngx_open_file_info_t *of);


/* The state of a file action: what its grant is asked for. */
typedef struct {
    ngx_portal_grant_key_t  key;
    ngx_uint_t              show;
} ngx_http_portal_file_t;


static ngx_portal_db_statement_t  ngx_http_portal_grant_st = {
    "portal_file_grant",
    "select nonce, status, session, person, client_id, document, hash, size,"
    " type, name, mtime, inline"
    " from portal.file_grant($1, $2, $3, $4, $5, $6)",
    6,
    4,
    0
};


static const char  ngx_http_portal_file_csp[] =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'self'";


ngx_int_t
ngx_http_portal_file(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    return ngx_http_portal_grant(r, ctx, 0);
}


ngx_int_t
ngx_http_portal_preview(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    return ngx_http_portal_grant(r, ctx, 1);
}


static ngx_int_t
ngx_http_portal_grant_cached(ngx_http_portal_ctx_t *ctx,
    const ngx_portal_grant_key_t *key, ngx_portal_grant_t *grant)
{
#if (PORTAL_TEST)
    if (ctx->conf->test_open) {
        return NGX_DECLINED;
    }
#endif

    return ngx_portal_grant_get(ctx->portal->zone, key, grant);
}


static ngx_int_t
ngx_http_portal_grant(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_uint_t show)
{
    ngx_int_t                rc;
    ngx_str_t                name, id, request;
    ngx_portal_grant_t       grant;
    ngx_portal_db_param_t    params[6];
    ngx_http_portal_file_t  *file;

    file = ngx_pcalloc(r->pool, sizeof(ngx_http_portal_file_t));
    if (file == NULL) {
        return NGX_ERROR;
    }

    ctx->state = file;
    file->show = show;

    id.data = ctx->match.params[0].value.data;
    id.len = ctx->match.params[0].value.len;

    if (ctx->match.nparams != 1
        || portal_uuid_parse(file->key.document, ngx_portal_str(&id))
           != PORTAL_OK)
    {
        return ngx_http_portal_send_error(r, ctx, NGX_HTTP_NOT_FOUND);
    }

    ngx_memcpy(file->key.session, ctx->session.id, 16);

    if (ctx->client.len) {
        file->key.slug = portal_keyed_hash(ctx->portal->keyring,
                                           ctx->client.data,
                                           ctx->client.len);
    }

    if (ngx_http_portal_grant_cached(ctx, &file->key, &grant) == NGX_OK) {
        name.data = ngx_pnalloc(r->pool, grant.name_len);
        if (name.data == NULL) {
            return NGX_ERROR;
        }

        name.len = grant.name_len;
        ngx_memcpy(name.data, grant.name, grant.name_len);

        return ngx_http_portal_send_grant(r, ctx, &grant, &name);
    }

    ngx_http_portal_nonce(ctx);
    ngx_http_portal_request_id(r, &request);

    ngx_http_portal_bytes_param(&params[0], ctx->token, sizeof(ctx->token));
    ngx_http_portal_text_param(&params[1], &ctx->client);
    ngx_http_portal_text_param(&params[2], &id);
    ngx_http_portal_text_param(&params[3], &ctx->nonce);
    ngx_http_portal_text_param(&params[4], &r->connection->addr_text);
    ngx_http_portal_text_param(&params[5], &request);

    rc = ngx_http_portal_ask(r, ctx, &ngx_http_portal_grant_st, params,
                             ngx_http_portal_grant_answer);

    if (rc == NGX_AGAIN) {
        ctx->waiting = 1;
        return NGX_AGAIN;
    }

    return ngx_http_portal_send_error(r, ctx, NGX_HTTP_SERVICE_UNAVAILABLE);
}


static void
ngx_http_portal_grant_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_http_portal_finish(r, ngx_http_portal_grant_read(r, ctx, result));
}


static ngx_int_t
ngx_http_portal_grant_read(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_portal_db_result_t *result)
{
    ngx_int_t                status;
    ngx_str_t                value, name;
    ngx_portal_grant_t       grant;
    ngx_http_portal_file_t  *file;

    if (result->err != NGX_PORTAL_DB_OK) {
        return ngx_http_portal_send_db_error(r, ctx, result);
    }

    if (ngx_http_portal_own_row(r, ctx, result->res) != NGX_OK) {
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_http_portal_column(result->res, 1, &value);
    status = ngx_atoi(value.data, value.len);

    if (status == NGX_HTTP_UNAUTHORIZED) {
        ngx_portal_session_drop(ctx->portal->zone, ctx->token);
        ctx->known = 0;
        ctx->status = status;

        return ngx_http_portal_send_refusal(r, ctx);
    }

    if (status != NGX_HTTP_OK) {
        return ngx_http_portal_send_error(r, ctx,
                                          status >= 400 && status < 600
                                          ? (ngx_uint_t) status
                                          : NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_memzero(&grant, sizeof(ngx_portal_grant_t));

    if (ngx_http_portal_grant_row(result->res, &grant, &value) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "grant of PostgreSQL is not well formed");
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    name.len = value.len;
    name.data = ngx_pstrdup(r->pool, &value);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    file = ctx->state;
    grant.event = ctx->event;

    /* a name too long for the table costs a query each time, no more */

    if (name.len <= sizeof(grant.name)) {
        grant.name_len = (u_char) name.len;
        ngx_memcpy(grant.name, name.data, name.len);

        ngx_portal_grant_put(ctx->portal->zone, &file->key, &grant);
    }

    return ngx_http_portal_send_grant(r, ctx, &grant, &name);
}


static ngx_int_t
ngx_http_portal_grant_row(PGresult *res, ngx_portal_grant_t *grant,
    ngx_str_t *name)
{
    off_t      size;
    time_t     mtime;
    ngx_str_t  person, client, hash, type, value;

    ngx_http_portal_column(res, 3, &person);
    ngx_http_portal_column(res, 4, &client);
    ngx_http_portal_column(res, 6, &hash);
    ngx_http_portal_column(res, 8, &type);
    ngx_http_portal_column(res, 9, name);

    ngx_http_portal_column(res, 7, &value);
    size = ngx_atoof(value.data, value.len);

    ngx_http_portal_column(res, 10, &value);
    mtime = ngx_atotm(value.data, value.len);

    ngx_http_portal_column(res, 11, &value);

    /* the hash becomes a path: 64 hex digits and nothing else */

    if (portal_uuid_parse(grant->person, ngx_portal_str(&person))
        != PORTAL_OK
        || portal_uuid_parse(grant->client, ngx_portal_str(&client))
           != PORTAL_OK
        || hash.len != 64
        || portal_hex_decode(grant->hash, ngx_portal_str(&hash)) != PORTAL_OK
        || size == NGX_ERROR || mtime == NGX_ERROR
        || name->len == 0 || name->len > 1024)
    {
        return NGX_ERROR;
    }

    grant->size = size;
    grant->mtime = mtime;
    grant->type = (u_char) portal_type_index(ngx_portal_str(&type));
    grant->show = (value.len == 1 && value.data[0] == 't');

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_send_grant(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_portal_grant_t *grant, ngx_str_t *name)
{
    u_char                  *p;
    ngx_str_t                path, etag, value;
    ngx_uint_t               show;
    portal_buf_t             b;
    const portal_type_t     *type;
    ngx_http_portal_file_t  *file;

    file = ctx->state;
    type = portal_type_at(grant->type);
    show = file->show && grant->show && type->inline_ok;

    if (file->show && !show) {

        /* there is nothing to show inline: as absent */

        return ngx_http_portal_send_error(r, ctx, NGX_HTTP_NOT_FOUND);
    }

    path.len = ctx->conf->storage.len + sizeof("/ab/") - 1 + 62;
    path.data = ngx_pnalloc(r->pool, path.len + 1);
    etag.len = 34;
    etag.data = ngx_pnalloc(r->pool, etag.len);

    if (path.data == NULL || etag.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(path.data, ctx->conf->storage.data,
                   ctx->conf->storage.len);
    *p++ = '/';
    p = ngx_hex_dump(p, grant->hash, 1);
    *p++ = '/';
    p = ngx_hex_dump(p, grant->hash + 1, 31);
    *p = '\0';

    p = etag.data;
    *p++ = '"';
    p = ngx_hex_dump(p, grant->hash, 16);
    *p = '"';

    if (!ngx_http_portal_file_wanted(r, &etag, (time_t) grant->mtime)) {
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_PRECONDITION_FAILED);
    }

    portal_buf_init(&b, &ctx->arena, 8192);

    if (portal_disposition(&b, show, ngx_portal_str(name)) != PORTAL_OK) {
        return NGX_ERROR;
    }

    value.data = b.data;
    value.len = b.len;

    if (ngx_http_portal_header_add(r, "Content-Disposition", &value)
        != NGX_OK
        || ngx_http_portal_headers(r, ctx, ngx_http_portal_file_csp, NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&value, "private, no-store");

    if (ngx_http_portal_header_add(r, "Cache-Control", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.etag = ngx_list_push(&r->headers_out.headers);
    if (r->headers_out.etag == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.etag->hash = 1;
    ngx_str_set(&r->headers_out.etag->key, "ETag");
    r->headers_out.etag->value = etag;
    ngx_http_portal_header_last(r->headers_out.etag);

    r->headers_out.last_modified_time = (time_t) grant->mtime;
    r->headers_out.content_type.data = (u_char *) type->mime;
    r->headers_out.content_type.len = ngx_strlen(type->mime);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    if (ngx_http_portal_run_start(r, ctx, &file->key, grant) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_portal_send_file(r, ctx, &path, (off_t) grant->size);
}


/*
 * If-Match and If-Unmodified-Since (RFC 9110, 13.2.2).  The core's filter
 * would answer 412 with a page of its own and without our headers, so what
 * was found to be met here is taken out of its sight.
 */

static ngx_uint_t
ngx_http_portal_file_wanted(ngx_http_request_t *r, ngx_str_t *etag,
    time_t mtime)
{
    time_t            t;
    ngx_table_elt_t  *match, *since;

    match = r->headers_in.if_match;
    since = r->headers_in.if_unmodified_since;

    r->headers_in.if_match = NULL;
    r->headers_in.if_unmodified_since = NULL;

    if (match) {
        return ngx_http_portal_file_tagged(&match->value, etag);
    }

    if (since) {
        t = ngx_parse_http_time(since->value.data, since->value.len);

        return t == NGX_ERROR || t >= mtime;
    }

    return 1;
}


static ngx_uint_t
ngx_http_portal_file_tagged(ngx_str_t *list, ngx_str_t *etag)
{
    u_char  *p, *last;

    p = list->data;
    last = p + list->len;

    if (list->len == 1 && *p == '*') {
        return 1;
    }

    while (p < last) {

        if (*p == ' ' || *p == '\t' || *p == ',') {
            p++;
            continue;
        }

        if ((size_t) (last - p) >= etag->len
            && ngx_memcmp(p, etag->data, etag->len) == 0)
        {
            return 1;
        }

        /* another tag, or a weak one, which never matches here */

        p = ngx_strlchr(p, last, ',');

        if (p == NULL) {
            break;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_portal_open(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *path, ngx_open_file_info_t *of)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_memzero(of, sizeof(ngx_open_file_info_t));

    of->read_ahead = clcf->read_ahead;
    of->directio = clcf->directio;
    of->valid = 60;
    of->min_uses = 1;
    of->errors = 0;
    of->events = 0;

#if (NGX_HAVE_OPENAT)
    of->disable_symlinks = NGX_DISABLE_SYMLINKS_ON;
    of->disable_symlinks_from = ctx->conf->storage.len;

    if (ctx->asset) {
        of->disable_symlinks = NGX_DISABLE_SYMLINKS_OFF;
    }
#endif

    return ngx_open_cached_file(ctx->conf->cache, path, of, r->pool);
}


static ngx_int_t
ngx_http_portal_send_file(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *path, off_t size)
{
    ngx_int_t              rc;
    ngx_buf_t             *b;
    ngx_chain_t            out;
    ngx_open_file_info_t   of;

    /* allocate before the header is sent */

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_portal_open(r, ctx, path, &of);

    if (rc != NGX_OK || !of.is_file || (size >= 0 && of.size != size)) {
        ngx_http_portal_clear_headers(r);

        return ngx_http_portal_send_error(r, ctx,
                   ngx_http_portal_file_fault(r, path,
                                              rc == NGX_OK ? 0 : of.err));
    }

    r->allow_ranges = 1;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = of.size;

    rc = ngx_http_send_header(r);

    if (rc == NGX_HTTP_RANGE_NOT_SATISFIABLE) {
        return ngx_http_portal_send_beyond(r, ctx);
    }

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->file_pos = 0;
    b->file_last = of.size;

    b->in_file = b->file_last ? 1 : 0;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;
    b->sync = (b->last_buf || b->in_file) ? 0 : 1;

    b->file->fd = of.fd;
    b->file->name = *path;
    b->file->log = r->connection->log;
    b->file->directio = of.is_directio;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* Tells the log; returns the status to answer with. */

static ngx_uint_t
ngx_http_portal_file_fault(ngx_http_request_t *r, ngx_str_t *path,
    ngx_err_t err)
{
    switch (err) {

    case NGX_ELOOP:
    case NGX_EMLINK:
    case NGX_ENOTDIR:

        /* the store has none: whatever it leads to, nobody gets it */

        ngx_log_error(NGX_LOG_ALERT, r->connection->log, err,
                      "file \"%V\" of the store is a link, or in the place "
                      "of its folder is one", path);

        return NGX_HTTP_NOT_FOUND;

    case NGX_EMFILE:
    case NGX_ENFILE:
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, err,
                      ngx_open_file_n " \"%V\" failed", path);
        break;

    default:
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, err,
                      "file \"%V\" of the store is missing or has "
                      "another size than its row", path);
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* 416, with the size as the core's filter has written it. */

static ngx_int_t
ngx_http_portal_send_beyond(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t  range;

    ngx_str_null(&range);

    if (r->headers_out.content_range) {
        range = r->headers_out.content_range->value;
        r->headers_out.content_range = NULL;
    }

    ngx_http_portal_clear_headers(r);

    if (range.len
        && ngx_http_portal_header_add(r, "Content-Range", &range) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_portal_send_error(r, ctx, NGX_HTTP_RANGE_NOT_SATISFIABLE);
}


/* Fingerprinted: the name changes with the content, so kept for ever. */

ngx_int_t
ngx_http_portal_asset(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t  value;

    ngx_str_set(&value, "public, max-age=31536000, immutable");

    if (ngx_http_portal_header_add(r, "Cache-Control", &value) != NGX_OK
        || ngx_http_portal_headers(r, ctx,
                 "default-src 'none'; style-src 'unsafe-inline'; sandbox",
                                   NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.content_type = ctx->asset->type;
    r->headers_out.content_type_len = ctx->asset->type.len;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    /* it has no validators that a condition could be about */

    r->disable_not_modified = 1;

    return ngx_http_portal_send_file(r, ctx, &ctx->asset->path, -1);
}
