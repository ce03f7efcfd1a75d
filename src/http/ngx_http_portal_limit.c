
/*
 * Copyright (C) the nginx client portal authors
 *
 * Attempts at credentials by network and by address: in the shared zone, so
 * that a flood costs no query.  Somebody who has a whole IPv6 site to try
 * from is bounded by its /48 as well.
 */


#include "ngx_http_portal.h"
#include "portal_netkey.h"


/* what a ban or a count lasts for: to the end of the window, ms */
#define NGX_HTTP_PORTAL_LIMIT_WINDOW   600000

/* failures before a ban */
#define NGX_HTTP_PORTAL_LIMIT_NETWORK  20
#define NGX_HTTP_PORTAL_LIMIT_SITE     200

/*
 * Attempts that have not succeeded, those under way and those that nobody
 * waited for among them: of a network as many as PostgreSQL takes, so that
 * an office which comes in the morning is not turned away.
 */
#define NGX_HTTP_PORTAL_BEGUN_NETWORK  40
#define NGX_HTTP_PORTAL_BEGUN_SITE     400

/* at an address: PostgreSQL evaluates not even ten in a window */
#define NGX_HTTP_PORTAL_BEGUN_ACCOUNT  20

/* the first byte of a key that is no network's: those begin with 4 or 6 */
#define NGX_HTTP_PORTAL_KEY_BEGUN      0x80
#define NGX_HTTP_PORTAL_KEY_ACCOUNT    0x40


static void ngx_http_portal_limit_key(u_char key[16], const u_char from[16]);
static void ngx_http_portal_limit_email(ngx_http_portal_ctx_t *ctx,
    ngx_str_t *email, u_char key[16]);
static ngx_msec_t ngx_http_portal_limit_left(ngx_http_portal_ctx_t *ctx,
    const u_char from[16]);


void
ngx_http_portal_limit_network(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    struct sockaddr      *sa;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    u_char               *addr;
#endif

    sa = r->connection->sockaddr;
    ctx->has_network = 1;

    switch (sa->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        addr = ((struct sockaddr_in6 *) sa)->sin6_addr.s6_addr;

        portal_net_key(addr, AF_INET6, 64, ctx->network);
        portal_net_key(addr, AF_INET6, 48, ctx->site);

        /* an IPv4 address in IPv6 has the same key at any length */

        ctx->has_site = ngx_memcmp(ctx->site, ctx->network, 16) != 0;
        break;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        portal_net_key((u_char *) &sin->sin_addr.s_addr, AF_INET, 32,
                       ctx->network);
        break;

    default:

        /* a socket in the file system: everybody has the same address */

        ctx->has_network = 0;
        ngx_memzero(ctx->network, sizeof(ctx->network));
    }
}


static void
ngx_http_portal_limit_key(u_char key[16], const u_char from[16])
{
    ngx_memcpy(key, from, 16);
    key[0] |= NGX_HTTP_PORTAL_KEY_BEGUN;
}


ngx_int_t
ngx_http_portal_limit_begin(ngx_http_portal_ctx_t *ctx)
{
    u_char  network[16], site[16];

    ngx_http_portal_limit_key(network, ctx->network);
    ngx_http_portal_limit_key(site, ctx->site);

    if (ctx->has_network
        && ngx_portal_limit_take(ctx->portal->zone, network,
                                 NGX_HTTP_PORTAL_BEGUN_NETWORK,
                                 NGX_HTTP_PORTAL_LIMIT_WINDOW)
           != NGX_OK)
    {
        ctx->retry = ngx_http_portal_limit_banned(ctx);
        return NGX_DECLINED;
    }

    if (ctx->has_site
        && ngx_portal_limit_take(ctx->portal->zone, site,
                                 NGX_HTTP_PORTAL_BEGUN_SITE,
                                 NGX_HTTP_PORTAL_LIMIT_WINDOW)
           != NGX_OK)
    {
        ngx_portal_limit_release(ctx->portal->zone, network);
        ctx->retry = ngx_http_portal_limit_banned(ctx);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_http_portal_limit_release(ngx_http_portal_ctx_t *ctx, ngx_str_t *email)
{
    u_char  key[16];

    if (ctx->has_network) {
        ngx_http_portal_limit_key(key, ctx->network);
        ngx_portal_limit_release(ctx->portal->zone, key);
    }

    if (ctx->has_site) {
        ngx_http_portal_limit_key(key, ctx->site);
        ngx_portal_limit_release(ctx->portal->zone, key);
    }

    if (!ctx->has_device) {
        ngx_http_portal_limit_email(ctx, email, key);
        ngx_portal_limit_release(ctx->portal->zone, key);
    }
}


void
ngx_http_portal_limit_fail(ngx_http_portal_ctx_t *ctx)
{
    if (ctx->has_network) {
        (void) ngx_portal_limit_take(ctx->portal->zone, ctx->network,
                                     NGX_HTTP_PORTAL_LIMIT_NETWORK,
                                     NGX_HTTP_PORTAL_LIMIT_WINDOW);
    }

    if (ctx->has_site) {
        (void) ngx_portal_limit_take(ctx->portal->zone, ctx->site,
                                     NGX_HTTP_PORTAL_LIMIT_SITE,
                                     NGX_HTTP_PORTAL_LIMIT_WINDOW);
    }
}


void
ngx_http_portal_limit_ban(ngx_http_portal_ctx_t *ctx, ngx_msec_t time)
{
    if (ctx->has_network) {
        ngx_portal_limit_ban(ctx->portal->zone, ctx->network, time);
    }
}


ngx_msec_t
ngx_http_portal_limit_banned(ngx_http_portal_ctx_t *ctx)
{
    ngx_msec_t  network, site;

    network = ctx->has_network
              ? ngx_http_portal_limit_left(ctx, ctx->network) : 0;
    site = ctx->has_site ? ngx_http_portal_limit_left(ctx, ctx->site) : 0;

    return ngx_max(network, site);
}


static ngx_msec_t
ngx_http_portal_limit_left(ngx_http_portal_ctx_t *ctx, const u_char from[16])
{
    u_char      key[16];
    ngx_msec_t  failed, begun;

    ngx_http_portal_limit_key(key, from);

    failed = ngx_portal_limit_banned(ctx->portal->zone, from);
    begun = ngx_portal_limit_banned(ctx->portal->zone, key);

    return ngx_max(failed, begun);
}


/* As PostgreSQL compares: without blanks around, ASCII in lower case. */

static void
ngx_http_portal_limit_email(ngx_http_portal_ctx_t *ctx, ngx_str_t *email,
    u_char key[16])
{
    u_char    *p, *last, text[NGX_HTTP_PORTAL_EMAIL_MAX];
    uint64_t   hash;

    p = email->data;
    last = p + email->len;

    while (p < last && *p == ' ') {
        p++;
    }

    while (last > p && last[-1] == ' ') {
        last--;
    }

    ngx_strlow(text, p, last - p);
    hash = portal_keyed_hash(ctx->portal->keyring, text, last - p);

    ngx_memzero(key, 16);
    key[0] = NGX_HTTP_PORTAL_KEY_ACCOUNT;
    ngx_memcpy(key + 8, &hash, sizeof(uint64_t));
}


ngx_int_t
ngx_http_portal_limit_account(ngx_http_portal_ctx_t *ctx, ngx_str_t *email)
{
    u_char  key[16];

    if (ctx->has_device) {

        /* it may have a count of its own, and only PostgreSQL knows */

        return NGX_OK;
    }

    ngx_http_portal_limit_email(ctx, email, key);

    return ngx_portal_limit_count(ctx->portal->zone, key,
                                  NGX_HTTP_PORTAL_LIMIT_WINDOW)
           > NGX_HTTP_PORTAL_BEGUN_ACCOUNT ? NGX_DECLINED : NGX_OK;
}


void
ngx_http_portal_limit_forget(ngx_http_portal_ctx_t *ctx, ngx_str_t *email)
{
    u_char  key[16];

    if (!ctx->has_device) {
        ngx_http_portal_limit_email(ctx, email, key);
        ngx_portal_limit_forget(ctx->portal->zone, key);
    }
}
