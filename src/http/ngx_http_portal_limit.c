
/*
 * Copyright (C) the nginx client portal authors
 *
 * Failed credentials by network: in the shared zone, so that a flood costs
 * no query.  Somebody who has a whole IPv6 site to try from is bounded by
 * its /48 as well.
 */


#include "ngx_http_portal.h"
#include "portal_netkey.h"


/* failures before a ban, which lasts for the rest of the window, ms */
#define NGX_HTTP_PORTAL_LIMIT_NETWORK  20
#define NGX_HTTP_PORTAL_LIMIT_SITE     200
#define NGX_HTTP_PORTAL_LIMIT_WINDOW   600000


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


void
ngx_http_portal_limit_fail(ngx_http_portal_ctx_t *ctx)
{
    if (ctx->has_network) {
        ngx_portal_limit_fail(ctx->portal->zone, ctx->network,
                              NGX_HTTP_PORTAL_LIMIT_NETWORK,
                              NGX_HTTP_PORTAL_LIMIT_WINDOW);
    }

    if (ctx->has_site) {
        ngx_portal_limit_fail(ctx->portal->zone, ctx->site,
                              NGX_HTTP_PORTAL_LIMIT_SITE,
                              NGX_HTTP_PORTAL_LIMIT_WINDOW);
    }
}


ngx_msec_t
ngx_http_portal_limit_banned(ngx_http_portal_ctx_t *ctx)
{
    ngx_msec_t  network, site;

    network = ctx->has_network
              ? ngx_portal_limit_banned(ctx->portal->zone, ctx->network) : 0;
    site = ctx->has_site
           ? ngx_portal_limit_banned(ctx->portal->zone, ctx->site) : 0;

    return ngx_max(network, site);
}
