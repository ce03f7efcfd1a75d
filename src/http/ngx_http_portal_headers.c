
/*
 * Copyright (C) the nginx client portal authors
 *
 * Headers: those of every answer of ours, and those that go with a status.
 */


#include "ngx_http_portal.h"


static ngx_str_t *ngx_http_portal_header_find(ngx_http_request_t *r,
    const char *name, size_t len, ngx_uint_t others);


ngx_int_t
ngx_http_portal_header_add(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
    ngx_http_portal_header_last(h);

    return NGX_OK;
}


void
ngx_http_portal_clear_headers(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            /* cookies stay: they belong to the session, not to the answer */

            if (h[i].key.len != sizeof("Set-Cookie") - 1
                || ngx_strncmp(h[i].key.data, "Set-Cookie", h[i].key.len)
                   != 0)
            {
                h[i].hash = 0;
            }
        }
    }

    r->headers_out.etag = NULL;
    r->headers_out.last_modified_time = -1;
}


ngx_str_t *
ngx_http_portal_header_get(ngx_http_request_t *r, const char *name,
    size_t len)
{
    return ngx_http_portal_header_find(r, name, len, 0);
}


ngx_uint_t
ngx_http_portal_header_twice(ngx_http_request_t *r, const char *name,
    size_t len)
{
    return ngx_http_portal_header_find(r, name, len, 1) != NULL;
}


/* The header of that name after as many others of it. */

static ngx_str_t *
ngx_http_portal_header_find(ngx_http_request_t *r, const char *name,
    size_t len, ngx_uint_t others)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;

            if (part->nelts == 0) {
                i--;
                continue;
            }
        }

        if (h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0
            && others-- == 0)
        {
            return &h[i].value;
        }
    }
}


/*
 * The headers of every response of ours.  csp: a format with one %V for
 * the nonce, or without where nonce is NULL.
 */

ngx_int_t
ngx_http_portal_headers(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    const char *csp, ngx_str_t *nonce)
{
    u_char      *p;
    ngx_str_t    value;
    ngx_uint_t   i;

    static struct {
        const char  *name;
        ngx_str_t    value;
    } always[] = {
        { "X-Content-Type-Options", ngx_string("nosniff") },
        { "Referrer-Policy", ngx_string("same-origin") },
        { "Permissions-Policy", ngx_string("camera=(), microphone=(), "
                                           "geolocation=(), payment=()") },
        { "Cross-Origin-Opener-Policy", ngx_string("same-origin") },
        { "Cross-Origin-Resource-Policy", ngx_string("same-origin") },
        { NULL, ngx_null_string }
    };

    for (i = 0; always[i].name; i++) {
        if (ngx_http_portal_header_add(r, always[i].name, &always[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    value.len = ngx_strlen(csp) + (nonce ? nonce->len : 0);
    value.data = ngx_pnalloc(r->pool, value.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = nonce ? ngx_snprintf(value.data, value.len, csp, nonce)
              : ngx_cpymem(value.data, csp, value.len);
    value.len = p - value.data;

    return ngx_http_portal_header_add(r, "Content-Security-Policy", &value);
}


ngx_int_t
ngx_http_portal_status_headers(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status)
{
    u_char      *p;
    ngx_str_t    value;
    ngx_uint_t   i;

    static ngx_str_t  names[] = {
        ngx_string("GET, HEAD, "), ngx_string("POST, "), ngx_string("PUT, "),
        ngx_string("DELETE, "), ngx_string("PATCH, ")
    };

    ngx_str_set(&value, "no-store");

    if (ngx_http_portal_header_add(r, "Cache-Control", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&value, "Accept");

    if (ngx_http_portal_header_add(r, "Vary", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (status == NGX_HTTP_NOT_ALLOWED || status == NGX_HTTP_NO_CONTENT) {
        value.data = ngx_pnalloc(r->pool, 64);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        p = value.data;

        for (i = 0; i < 5; i++) {
            if (ctx->allow & (1u << i)) {
                p = ngx_cpymem(p, names[i].data, names[i].len);
            }
        }

        p = ngx_cpymem(p, "OPTIONS", sizeof("OPTIONS") - 1);
        value.len = p - value.data;

        if (ngx_http_portal_header_add(r, "Allow", &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (status == NGX_HTTP_TOO_MANY_REQUESTS
        || status == NGX_HTTP_SERVICE_UNAVAILABLE)
    {
        value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_sprintf(value.data, "%M",
                        ctx->retry ? (ctx->retry + 999) / 1000
                                   : (ngx_msec_t) 2);
        value.len = p - value.data;

        return ngx_http_portal_header_add(r, "Retry-After", &value);
    }

    return NGX_OK;
}
