
/*
 * Copyright (C) the nginx client portal authors
 *
 * Our cookies.  A handler in the server's first phase takes them out of
 * headers_in and keeps them in the request's context: no proxied
 * application, variable or log behind this phase ever sees one.
 *
 * The cookies of portal NAME are "portal-NAME" (the session), and
 * "portal-NAME-pre" (forms of somebody unknown), "-flash" (what to say on
 * the next page) and "-device" (a browser that was signed in before), each
 * with "__Host-" in front unless "secure=off".
 */


#include "ngx_http_portal.h"
#include <sodium.h>
#include "portal_cookie.h"


typedef struct {
    ngx_http_portal_t    *portal;
    const char           *suffix;         /* of the table below */
    ngx_str_t             value;
    unsigned              secure:1;       /* "__Host-" in front */
    unsigned              twice:1;        /* two different values */
} ngx_http_portal_cookie_t;


/* Found again through the pool: ctx is zeroed by internal redirects. */
typedef struct {
    ngx_http_request_t   *request;
    ngx_array_t           cookies;        /* ngx_http_portal_cookie_t */
} ngx_http_portal_jar_t;


static ngx_http_portal_jar_t *ngx_http_portal_jar(ngx_http_request_t *r);
static ngx_http_portal_jar_t *ngx_http_portal_jar_create(
    ngx_http_request_t *r);
static void ngx_http_portal_jar_cleanup(void *data);
static int ngx_http_portal_jar_add(void *ctx, const portal_str_t *name,
    const portal_str_t *value);
static int ngx_http_portal_jar_put(ngx_http_portal_jar_t *jar,
    const ngx_http_portal_cookie_t *new);
static ngx_uint_t ngx_http_portal_cookie_begins(ngx_str_t *name,
    const char *text, size_t len);
static const char *ngx_http_portal_cookie_suffix(ngx_str_t *rest);
static ngx_uint_t ngx_http_portal_cookie_seen(ngx_http_request_t *r);
static ngx_int_t ngx_http_portal_cookie_strip(ngx_http_request_t *r);


#define NGX_HTTP_PORTAL_HOST  "__Host-"

static const char  *ngx_http_portal_suffixes[] = {
    "", "-pre", "-flash", "-device", NULL
};


static void
ngx_http_portal_jar_cleanup(void *data)
{
    /* only marks the place of the jar in the list of cleanups */

    (void) data;
}


static ngx_http_portal_jar_t *
ngx_http_portal_jar(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_portal_jar_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


static ngx_http_portal_jar_t *
ngx_http_portal_jar_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_portal_jar_t  *jar;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_portal_jar_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_portal_jar_cleanup;
    jar = cln->data;
    jar->request = r;

    if (ngx_array_init(&jar->cookies, r->pool, 4,
                       sizeof(ngx_http_portal_cookie_t))
        != NGX_OK)
    {
        return NULL;
    }

    return jar;
}


/*
 * All that a portal may ever set is taken out, and what it does set is kept:
 * other names, however many of them a neighbour adds, fill nothing.
 */

static int
ngx_http_portal_jar_add(void *ctx, const portal_str_t *name,
    const portal_str_t *value)
{
    ngx_http_portal_jar_t  *jar = ctx;

    ngx_str_t                     plain, rest;
    ngx_uint_t                    i;
    ngx_http_portal_t           **portal;
    ngx_http_portal_cookie_t      new;
    ngx_http_portal_main_conf_t  *pmcf;

    plain.data = name->data;
    plain.len = name->len;

    new.value.data = value->data;
    new.value.len = value->len;
    new.secure = ngx_http_portal_cookie_begins(&plain, NGX_HTTP_PORTAL_HOST,
                                       sizeof(NGX_HTTP_PORTAL_HOST) - 1);
    new.twice = 0;

    pmcf = ngx_http_get_module_main_conf(jar->request,
                                         ngx_http_portal_module);
    portal = pmcf->portals.elts;

    for (i = 0; i < pmcf->portals.nelts; i++) {
        rest = plain;

        if (!ngx_http_portal_cookie_begins(&rest,
                                           (char *) portal[i]->cookie.data,
                                           portal[i]->cookie.len)
            || (rest.len && rest.data[0] != '-'))
        {
            continue;
        }

        new.portal = portal[i];
        new.suffix = ngx_http_portal_cookie_suffix(&rest);

        return new.suffix ? ngx_http_portal_jar_put(jar, &new) : PORTAL_OK;
    }

    return PORTAL_DECLINED;
}


/* 1: it does, and what follows is left. */

static ngx_uint_t
ngx_http_portal_cookie_begins(ngx_str_t *name, const char *text, size_t len)
{
    if (name->len < len || ngx_memcmp(name->data, text, len) != 0) {
        return 0;
    }

    name->data += len;
    name->len -= len;

    return 1;
}


static const char *
ngx_http_portal_cookie_suffix(ngx_str_t *rest)
{
    ngx_uint_t    i;
    const char  **suffix;

    suffix = ngx_http_portal_suffixes;

    for (i = 0; suffix[i]; i++) {
        if (rest->len == ngx_strlen(suffix[i])
            && ngx_memcmp(rest->data, suffix[i], rest->len) == 0)
        {
            return suffix[i];
        }
    }

    return NULL;
}


static int
ngx_http_portal_jar_put(ngx_http_portal_jar_t *jar,
    const ngx_http_portal_cookie_t *new)
{
    ngx_uint_t                 i;
    ngx_http_portal_cookie_t  *cookie;

    cookie = jar->cookies.elts;

    for (i = 0; i < jar->cookies.nelts; i++) {
        if (cookie[i].portal == new->portal && cookie[i].suffix == new->suffix
            && cookie[i].secure == new->secure)
        {
            if (cookie[i].value.len != new->value.len
                || ngx_memcmp(cookie[i].value.data, new->value.data,
                              new->value.len)
                   != 0)
            {
                cookie[i].twice = 1;
            }

            return PORTAL_OK;
        }
    }

    cookie = ngx_array_push(&jar->cookies);
    if (cookie == NULL) {
        return PORTAL_ERROR;
    }

    *cookie = *new;

    return PORTAL_OK;
}


/* Most of a site's visitors have no cookie of ours. */

static ngx_uint_t
ngx_http_portal_cookie_seen(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    for (i = 0, h = ngx_http_portal_cookies_next(r, NULL, &i);
         h;
         h = ngx_http_portal_cookies_next(r, h, &i))
    {
        if (ngx_strnstr(h->value.data, "portal-", h->value.len)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_portal_cookie_handler(ngx_http_request_t *r)
{
    size_t                  len;
    ngx_uint_t              i, strip;
    portal_arena_t          arena;
    ngx_list_part_t        *part;
    ngx_table_elt_t        *h;
    ngx_http_portal_jar_t  *jar;

    if (r != r->main || !ngx_http_portal_cookie_seen(r)
        || ngx_http_portal_jar(r))
    {
        return NGX_DECLINED;
    }

    jar = ngx_http_portal_jar_create(r);
    if (jar == NULL) {
        return NGX_ERROR;
    }

    ngx_portal_arena_init(&arena, r->pool);
    ngx_http_portal_cookies_reset(r);
    strip = 0;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;

            if (part->nelts == 0) {
                continue;
            }
        }

        if (h[i].key.len != sizeof("cookie") - 1
            || ngx_strncasecmp(h[i].key.data, (u_char *) "cookie",
                               sizeof("cookie") - 1)
               != 0)
        {
            continue;
        }

        len = h[i].value.len;

        if (ngx_strnstr(h[i].value.data, "portal-", len)
            && portal_cookie_take(ngx_portal_str(&h[i].value),
                                  ngx_http_portal_jar_add, jar, &arena)
               != PORTAL_OK)
        {
            return NGX_ERROR;
        }

        if (h[i].value.len == 0 && len != 0) {

            /* nothing but ours: the header itself goes */

            h[i].value.data = NULL;
            strip = 1;
            continue;
        }

        if (ngx_http_portal_cookies_add(r, &h[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (strip && ngx_http_portal_cookie_strip(r) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


/*
 * Takes the marked elements out of the list of headers without moving any
 * other: the core holds pointers to them.  Each run of those that stay
 * becomes a part; none but the first may be empty, since nginx's own loops
 * read the first element of a next part unasked.  What is pushed later gets
 * a part of its own: the last one is full by nalloc.
 */

static ngx_int_t
ngx_http_portal_cookie_strip(ngx_http_request_t *r)
{
    ngx_list_t       *list;
    ngx_uint_t        i, open;
    ngx_list_part_t   first, *part, *run, *last;
    ngx_table_elt_t  *h;

    list = &r->headers_in.headers;

    first = list->part;
    last = NULL;

    list->part.nelts = 0;
    list->part.next = NULL;
    list->last = &list->part;

    for (part = &first; part; part = part->next) {
        h = part->elts;
        open = 0;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].value.data == NULL) {
                open = 0;
                continue;
            }

            if (open) {
                last->nelts++;
                continue;
            }

            run = &list->part;

            if (last) {
                run = ngx_palloc(r->pool, sizeof(ngx_list_part_t));
                if (run == NULL) {
                    return NGX_ERROR;
                }

                last->next = run;
            }

            run->elts = &h[i];
            run->nelts = 1;
            run->next = NULL;

            last = run;
            open = 1;
        }
    }

    if (last) {
        list->last = last;
        list->nalloc = last->nelts;
    }

    return NGX_OK;
}


/* value.len 0: absent, or two different ones were sent. */

void
ngx_http_portal_cookie_get(ngx_http_request_t *r, ngx_http_portal_t *portal,
    const char *suffix, ngx_str_t *value)
{
    ngx_uint_t                    i;
    ngx_http_portal_jar_t        *jar;
    ngx_http_portal_cookie_t     *cookie;
    ngx_http_portal_loc_conf_t   *plcf;

    ngx_str_null(value);

    jar = ngx_http_portal_jar(r->main);
    if (jar == NULL) {
        return;
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_portal_module);

    cookie = jar->cookies.elts;

    for (i = 0; i < jar->cookies.nelts; i++) {
        if (cookie[i].portal == portal
            && cookie[i].secure == (unsigned) plcf->secure
            && ngx_strcmp(cookie[i].suffix, suffix) == 0)
        {
            if (!cookie[i].twice) {
                *value = cookie[i].value;
            }

            return;
        }
    }
}


ngx_int_t
ngx_http_portal_cookie_token(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const char *suffix, u_char hash[32])
{
    u_char     raw[PORTAL_TOKEN_RAW];
    ngx_str_t  value;

    ngx_http_portal_cookie_get(r, ctx->portal, suffix, &value);

    if (value.len == 0
        || portal_token_check(ctx->portal->keyring, suffix,
                              ngx_portal_str(&value), raw)
           != PORTAL_OK)
    {
        return NGX_DECLINED;
    }

    portal_token_hash(hash, raw);
    sodium_memzero(raw, sizeof(raw));

    return NGX_OK;
}


/* max_age: seconds; 0 removes the cookie; -1: until the browser closes. */

ngx_int_t
ngx_http_portal_cookie_set(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    const char *suffix, ngx_str_t *value, time_t max_age)
{
    u_char     *p;
    ngx_str_t   header;

    header.data = ngx_pnalloc(r->pool, ctx->portal->cookie.len + value->len
                                       + 160);
    if (header.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(header.data, "%s%V%s=%V; Path=/; HttpOnly; SameSite=Lax",
                    ctx->conf->secure ? NGX_HTTP_PORTAL_HOST : "",
                    &ctx->portal->cookie, suffix, value);

    if (ctx->conf->secure) {
        p = ngx_cpymem(p, "; Secure", sizeof("; Secure") - 1);
    }

    if (max_age >= 0) {
        p = ngx_sprintf(p, "; Max-Age=%T", max_age);
    }

    header.len = p - header.data;

    return ngx_http_portal_header_add(r, "Set-Cookie", &header);
}
