
/*
 * Copyright (C) the nginx client portal authors
 *
 * The only place that asks for nginx_version.
 */


#ifndef _NGX_HTTP_PORTAL_COMPAT_H_INCLUDED_
#define _NGX_HTTP_PORTAL_COMPAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * 1.23.0: headers are linked lists, headers_in.cookies (an array of
 * pointers) became headers_in.cookie (the first of a list).
 */

#if (nginx_version >= 1023000)

#define ngx_http_portal_header_last(h)  (h)->next = NULL

#else

#define ngx_http_portal_header_last(h)

#endif


/* 1.31.5: a server may read bodies before any phase. */

#if (nginx_version >= 1031005)

#define ngx_http_portal_reads_early(cscf)                                     \
    ((cscf)->client_body_early_read != NULL)

#else

#define ngx_http_portal_reads_early(cscf)  ((cscf) == NULL)

#endif


/* The next of the parsed Cookie headers (h NULL, *i 0: the first), or NULL. */
static ngx_inline ngx_table_elt_t *
ngx_http_portal_cookies_next(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t *i)
{
#if (nginx_version >= 1023000)

    return (*i)++ ? h->next : r->headers_in.cookie;

#else

    ngx_table_elt_t  **ph;

    ph = r->headers_in.cookies.elts;

    (void) h;

    return *i < r->headers_in.cookies.nelts ? ph[(*i)++] : NULL;

#endif
}


/* Forgets the parsed Cookie headers; the caller then adds what remains. */
static ngx_inline void
ngx_http_portal_cookies_reset(ngx_http_request_t *r)
{
#if (nginx_version >= 1023000)
    r->headers_in.cookie = NULL;
#else
    r->headers_in.cookies.nelts = 0;
#endif
}


static ngx_inline ngx_int_t
ngx_http_portal_cookies_add(ngx_http_request_t *r, ngx_table_elt_t *h)
{
#if (nginx_version >= 1023000)

    ngx_table_elt_t  **ph;

    for (ph = &r->headers_in.cookie; *ph; ph = &(*ph)->next) { /* void */ }

    *ph = h;
    h->next = NULL;

#else

    ngx_table_elt_t  **ph;

    if (r->headers_in.cookies.elts == NULL
        && ngx_array_init(&r->headers_in.cookies, r->pool, 1,
                          sizeof(ngx_table_elt_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ph = ngx_array_push(&r->headers_in.cookies);
    if (ph == NULL) {
        return NGX_ERROR;
    }

    *ph = h;

#endif

    return NGX_OK;
}


#endif /* _NGX_HTTP_PORTAL_COMPAT_H_INCLUDED_ */
