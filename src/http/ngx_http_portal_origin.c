
/*
 * Copyright (C) the nginx client portal authors
 *
 * Where a request comes from, as the browser tells it: what writes must
 * come from a page of ours, and a document is not a part of anybody else's
 * page.
 */


#include "ngx_http_portal.h"


static ngx_int_t ngx_http_portal_origin_write(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_origin_file(ngx_http_request_t *r);
static ngx_uint_t ngx_http_portal_origin_own(ngx_str_t *site);


ngx_int_t
ngx_http_portal_origin(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    if (!ngx_http_portal_is_get(r)) {
        return ngx_http_portal_origin_write(r, ctx);
    }

    if (ctx->route->action && ctx->route->action->get) {
        return ngx_http_portal_origin_file(r);
    }

    return NGX_OK;
}


/*
 * Sec-Fetch-Site decides where the browser sends it; else Origin
 * must be the configured one; a request with neither is refused.
 */

static ngx_int_t
ngx_http_portal_origin_write(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t  *site, *origin;

    site = ngx_http_portal_header_get(r, "sec-fetch-site",
                                      sizeof("sec-fetch-site") - 1);
    if (site) {
        return ngx_http_portal_origin_own(site) ? NGX_OK : NGX_ERROR;
    }

    origin = ngx_http_portal_header_get(r, "origin", sizeof("origin") - 1);

    if (origin && origin->len == ctx->conf->origin.len
        && ngx_strncasecmp(origin->data, ctx->conf->origin.data, origin->len)
           == 0)
    {
        return NGX_OK;
    }

    return NGX_ERROR;
}


/*
 * A link to a document, in a mail or on another site, is followed; as an
 * image, a script or a frame of another origin's page it is refused.
 */

static ngx_int_t
ngx_http_portal_origin_file(ngx_http_request_t *r)
{
    ngx_str_t  *site, *mode, *dest;

    site = ngx_http_portal_header_get(r, "sec-fetch-site",
                                      sizeof("sec-fetch-site") - 1);

    if (site == NULL || ngx_http_portal_origin_own(site)) {
        return NGX_OK;
    }

    mode = ngx_http_portal_header_get(r, "sec-fetch-mode",
                                      sizeof("sec-fetch-mode") - 1);
    dest = ngx_http_portal_header_get(r, "sec-fetch-dest",
                                      sizeof("sec-fetch-dest") - 1);

    if ((mode == NULL || portal_str_is(mode, "navigate"))
        && (dest == NULL || portal_str_is(dest, "document")))
    {
        return NGX_OK;
    }

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_portal_origin_own(ngx_str_t *site)
{
    return portal_str_is(site, "same-origin") || portal_str_is(site, "none");
}
