
/*
 * Copyright (C) the nginx client portal authors
 *
 * The gate: every way to a client's data passes here before a byte of a
 * body is read.  Re-entrant like auth_request: it takes no count, returns
 * NGX_AGAIN while it waits for PostgreSQL and is called again.
 *
 *     route -> session -> access level, origin, limits, body -> quota
 *
 * Unknown, NULL, error: refused.
 */


#include "ngx_http_portal.h"
#include "portal_accept.h"
#include "portal_text.h"


static ngx_int_t ngx_http_portal_gate(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_refuse(ngx_http_portal_ctx_t *ctx,
    ngx_uint_t status);
static ngx_int_t ngx_http_portal_gate_find(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_gate_seen(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_gate_who(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_gate_session_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_gate_row(ngx_http_portal_ctx_t *ctx,
    PGresult *res);
static ngx_int_t ngx_http_portal_gate_may(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_gate_body(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static ngx_int_t ngx_http_portal_gate_room(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_gate_room_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static void ngx_http_portal_gate_wait(ngx_http_request_t *r);
static void ngx_http_portal_gate_resume(ngx_http_request_t *r);


static ngx_portal_db_statement_t  ngx_http_portal_session_st = {
    "portal_session",
    "select nonce, session, person, kind, role, locale, theme, idle_left,"
    " absolute_left from portal.session($1, $2)",
    2,
    2,
    1
};


ngx_int_t
ngx_http_portal_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_portal_ctx_t       *ctx;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_portal_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_portal_module);

    if (plcf->portal == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_portal_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_portal_gate(r, ctx);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY && !ctx->internal) {

        /* answered before the content, whatever others say */

        return NGX_DECLINED;
    }

    ngx_http_portal_finish(r, ngx_http_portal_send_refusal(r, ctx));

    return NGX_DONE;
}


/* Where the access phase was skipped (subrequest, "satisfy any"). */

ngx_int_t
ngx_http_portal_precontent_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_portal_ctx_t       *ctx;
    ngx_http_portal_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_portal_module);

    if (plcf->portal == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_portal_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->verdict == NGX_HTTP_PORTAL_GRANTED) {
        return NGX_DECLINED;
    }

    rc = ngx_http_portal_gate(r, ctx);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_portal_finish(r, ngx_http_portal_send_refusal(r, ctx));
        return NGX_DONE;
    }

    return rc;
}


/*
 * NGX_OK: granted; NGX_DECLINED: refused with ctx->status; NGX_AGAIN:
 * waits, and the phase will be run again.
 */

static ngx_int_t
ngx_http_portal_gate(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->verdict == NGX_HTTP_PORTAL_REFUSED) {
        return NGX_DECLINED;
    }

    if (ctx->job) {
        return NGX_AGAIN;
    }

    for ( ;; ) {

        switch (ctx->gate) {

        case ngx_http_portal_gate_route:
            rc = ngx_http_portal_gate_find(r, ctx);

            if (rc == NGX_DECLINED) {
                ngx_http_portal_gate_seen(r, ctx);
            }

            break;

        case ngx_http_portal_gate_session:
            rc = ngx_http_portal_gate_who(r, ctx);
            break;

        case ngx_http_portal_gate_access:
            rc = ngx_http_portal_gate_may(r, ctx);
            break;

        case ngx_http_portal_gate_quota:
            rc = ngx_http_portal_gate_room(r, ctx);
            break;

        default: /* ngx_http_portal_gate_done */
            ctx->verdict = NGX_HTTP_PORTAL_GRANTED;
            ngx_http_portal_body_prepare(r, ctx);
            return NGX_OK;
        }

        if (rc == NGX_AGAIN) {
            ngx_http_portal_gate_wait(r);
            return NGX_AGAIN;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_http_portal_refuse(ngx_http_portal_ctx_t *ctx, ngx_uint_t status)
{
    ctx->verdict = NGX_HTTP_PORTAL_REFUSED;
    ctx->status = status;

    return NGX_DECLINED;
}


static void
ngx_http_portal_gate_wait(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
}


static void
ngx_http_portal_gate_resume(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


/* Which page: nothing of the request but its path and method decides. */

static ngx_int_t
ngx_http_portal_gate_find(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    int          rc;
    ngx_str_t    rest, *accept;
    ngx_uint_t   method, status;

    accept = ngx_http_portal_header_get(r, "accept", sizeof("accept") - 1);
    ctx->json = accept && portal_accepts_json(ngx_portal_str(accept));

    ctx->gate = ngx_http_portal_gate_session;

    /* a "rewrite … break" may have left another address */

    if (r->uri.len < ctx->conf->mount.len
        || ngx_strncmp(r->uri.data, ctx->conf->mount.data,
                       ctx->conf->mount.len)
           != 0)
    {
        return ngx_http_portal_refuse(ctx, NGX_HTTP_NOT_FOUND);
    }

    rest.data = r->uri.data + ctx->conf->mount.len - 1;
    rest.len = r->uri.len - ctx->conf->mount.len + 1;

    if (r->internal && rest.len == sizeof("/_error/NNN") - 1
        && ngx_strncmp(rest.data, "/_error/", 8) == 0)
    {
        /* nginx itself refused, and comes here for the page */

        ctx->internal = 1;
        status = ngx_atoi(rest.data + 8, 3);

        /* or a "rewrite" of the site, by what a visitor wrote */

        if (status < 400 || status > 599) {
            return ngx_http_portal_refuse(ctx, NGX_HTTP_NOT_FOUND);
        }

        if (status == NGX_HTTP_INTERNAL_SERVER_ERROR
            && r->request_body_in_file_only)
        {
            status = ngx_http_portal_upload_unwritten(r, ctx);
        }

        return ngx_http_portal_refuse(ctx, status);
    }

    /* who read the other one would have read another request */

    if (!portal_utf8_valid(rest.data, rest.len)
        || ngx_http_portal_header_twice(r, "content-type",
                                        sizeof("content-type") - 1)
        || ngx_http_portal_header_twice(r, "authorization",
                                        sizeof("authorization") - 1))
    {
        return ngx_http_portal_refuse(ctx, NGX_HTTP_BAD_REQUEST);
    }

    if (rest.len > sizeof("/assets/") - 1
        && ngx_strncmp(rest.data, "/assets/", sizeof("/assets/") - 1) == 0)
    {
        rest.data++;
        rest.len--;

        ctx->asset = ngx_http_portal_asset_find(ctx->conf, &rest);

        if (ctx->asset == NULL) {
            return ngx_http_portal_refuse(ctx, NGX_HTTP_NOT_FOUND);
        }

        if (!ngx_http_portal_is_get(r)) {
            ctx->allow = PORTAL_METHOD_GET;
            return ngx_http_portal_refuse(ctx,
                       r->method == NGX_HTTP_OPTIONS ? NGX_HTTP_NO_CONTENT
                                                     : NGX_HTTP_NOT_ALLOWED);
        }

        ctx->gate = ngx_http_portal_gate_done;

        return NGX_OK;
    }

    if (portal_router_client(ngx_portal_str(&rest),
                             ngx_portal_str(&ctx->client))
        == PORTAL_ERROR)
    {
        return ngx_http_portal_refuse(ctx, NGX_HTTP_NOT_FOUND);
    }

    ctx->rest = rest;

    switch (r->method) {
    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        method = PORTAL_METHOD_GET;
        break;
    case NGX_HTTP_POST:
        method = PORTAL_METHOD_POST;
        break;
    case NGX_HTTP_PUT:
        method = PORTAL_METHOD_PUT;
        break;
    case NGX_HTTP_DELETE:
        method = PORTAL_METHOD_DELETE;
        break;
    case NGX_HTTP_PATCH:
        method = PORTAL_METHOD_PATCH;
        break;
    default:
        method = 0;
    }

    rc = portal_router_match(ctx->conf->router, method,
                             ngx_portal_str(&rest), &ctx->match);

    switch (rc) {

    case PORTAL_ROUTE_FOUND:
        ctx->route = ctx->match.value;
        return NGX_OK;

    case PORTAL_ROUTE_METHOD:
        ctx->allow = ctx->match.allow;

        return ngx_http_portal_refuse(ctx,
                   r->method == NGX_HTTP_OPTIONS ? NGX_HTTP_NO_CONTENT
                                                 : NGX_HTTP_NOT_ALLOWED);

    default:
        return ngx_http_portal_refuse(ctx, NGX_HTTP_NOT_FOUND);
    }
}


/*
 * The page of what has no route: in the language of the person, where the
 * zone knows the session.  Nobody is asked for it.
 */

static void
ngx_http_portal_gate_seen(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ctx->has_token = ngx_http_portal_cookie_token(r, ctx, "", ctx->token)
                     == NGX_OK;

    if (ctx->has_token
        && ngx_portal_session_get(ctx->portal->zone, ctx->token,
                                  &ctx->session)
           == NGX_OK)
    {
        ctx->known = !ctx->session.absent;
    }
}


/* Whose request: the session's cookie, the zone, PostgreSQL on a miss. */

static ngx_int_t
ngx_http_portal_gate_who(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_portal_db_param_t  params[2];

    ctx->gate = ngx_http_portal_gate_access;

    ngx_http_portal_limit_network(r, ctx);

    ctx->has_pre = ngx_http_portal_cookie_token(r, ctx, "-pre", ctx->pre)
                   == NGX_OK;
    ctx->has_device = ngx_http_portal_cookie_token(r, ctx, "-device",
                                                   ctx->device)
                      == NGX_OK;
    ctx->has_token = ngx_http_portal_cookie_token(r, ctx, "", ctx->token)
                     == NGX_OK;

    if (!ctx->has_token) {
        return NGX_OK;
    }

    if (ngx_portal_session_get(ctx->portal->zone, ctx->token, &ctx->session)
        == NGX_OK)
    {
        ctx->known = !ctx->session.absent;
        return NGX_OK;
    }

    ngx_http_portal_nonce(ctx);

    ngx_http_portal_bytes_param(&params[0], ctx->token, sizeof(ctx->token));
    ngx_http_portal_text_param(&params[1], &ctx->nonce);

    rc = ngx_http_portal_ask(r, ctx, &ngx_http_portal_session_st, params,
                             ngx_http_portal_gate_session_answer);

    if (rc == NGX_DECLINED) {
        return ctx->route->access == NGX_HTTP_PORTAL_PUBLIC
               ? NGX_OK
               : ngx_http_portal_refuse(ctx, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    return rc;
}


static void
ngx_http_portal_gate_session_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    if (result->err == NGX_PORTAL_DB_ERR_QUERY) {
        (void) ngx_http_portal_refuse(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);

    } else if (result->err != NGX_PORTAL_DB_OK) {
        if (ctx->route->access != NGX_HTTP_PORTAL_PUBLIC) {
            (void) ngx_http_portal_refuse(ctx, NGX_HTTP_SERVICE_UNAVAILABLE);
        }

    } else if (PQntuples(result->res) != 0) {

        if (ngx_http_portal_own_row(r, ctx, result->res) != NGX_OK
            || ngx_http_portal_gate_row(ctx, result->res) != NGX_OK)
        {
            (void) ngx_http_portal_refuse(ctx,
                                          NGX_HTTP_INTERNAL_SERVER_ERROR);

        } else {
            ctx->known = 1;
            ngx_portal_session_put(ctx->portal->zone, ctx->token,
                                   &ctx->session);
        }

    } else {

        /*
         * Made with our key and no session: it expired or was ended, as
         * those of a whole office may have on a Monday.  Nobody can make
         * one up, so this is no failure, but it is asked about once.
         */

        ngx_memzero(&ctx->session, sizeof(ngx_portal_session_t));
        ctx->session.absent = 1;
        ctx->session.event = ctx->event;

        ngx_portal_session_put(ctx->portal->zone, ctx->token, &ctx->session);
    }

    ngx_http_portal_gate_resume(r);
}


static ngx_int_t
ngx_http_portal_gate_row(ngx_http_portal_ctx_t *ctx, PGresult *res)
{
    ngx_int_t              idle, absolute;
    ngx_str_t              session, person, kind, role, locale, theme;
    ngx_str_t              idle_left, absolute_left;
    ngx_portal_session_t  *s;

    ngx_http_portal_column(res, 1, &session);
    ngx_http_portal_column(res, 2, &person);
    ngx_http_portal_column(res, 3, &kind);
    ngx_http_portal_column(res, 4, &role);
    ngx_http_portal_column(res, 5, &locale);
    ngx_http_portal_column(res, 6, &theme);
    ngx_http_portal_column(res, 7, &idle_left);
    ngx_http_portal_column(res, 8, &absolute_left);

    s = &ctx->session;
    ngx_memzero(s, sizeof(ngx_portal_session_t));

    idle = ngx_atoi(idle_left.data, idle_left.len);
    absolute = ngx_atoi(absolute_left.data, absolute_left.len);

    if (portal_uuid_parse(s->id, ngx_portal_str(&session)) != PORTAL_OK
        || portal_uuid_parse(s->person, ngx_portal_str(&person)) != PORTAL_OK
        || idle <= 0 || absolute <= 0)
    {
        return NGX_ERROR;
    }

    if (kind.len == 5 && ngx_memcmp(kind.data, "staff", 5) == 0) {
        s->staff = 1;
        s->role = (role.len == 5 && ngx_memcmp(role.data, "admin", 5) == 0)
                  ? NGX_HTTP_PORTAL_ADMIN : NGX_HTTP_PORTAL_STAFF;

    } else if (kind.len == 6 && ngx_memcmp(kind.data, "client", 6) == 0) {
        s->role = NGX_HTTP_PORTAL_CLIENT;

    } else {
        return NGX_ERROR;
    }

    ngx_memcpy(s->locale, locale.data, ngx_min(locale.len, 7));
    ngx_memcpy(s->theme, theme.data, ngx_min(theme.len, 7));

    s->event = ctx->event;
    s->idle_end = ngx_current_msec + (uint64_t) idle * 1000;
    s->absolute_end = ngx_current_msec + (uint64_t) absolute * 1000;

    return NGX_OK;
}


/* May they: level, origin, bans, size, all before the body is read. */

static ngx_int_t
ngx_http_portal_gate_may(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_uint_t                access;
    ngx_http_portal_route_t  *route;

    route = ctx->route;
    access = route->access;
    ctx->gate = ngx_http_portal_gate_done;

#if (PORTAL_TEST)
    if (ctx->conf->test_open) {
        return ngx_http_portal_gate_body(r, ctx);
    }
#endif

    if (route->action && route->action->credential) {
        ctx->retry = ngx_http_portal_limit_banned(ctx);
        if (ctx->retry) {
            return ngx_http_portal_refuse(ctx, NGX_HTTP_TOO_MANY_REQUESTS);
        }
    }

    if (ngx_http_portal_origin(r, ctx) != NGX_OK) {
        ngx_http_portal_refused(r, ctx, NGX_HTTP_FORBIDDEN);
        return ngx_http_portal_refuse(ctx, NGX_HTTP_FORBIDDEN);
    }

    if (access != NGX_HTTP_PORTAL_PUBLIC) {

        if (!ctx->known) {
            return ngx_http_portal_refuse(ctx, NGX_HTTP_UNAUTHORIZED);
        }

        if ((access == NGX_HTTP_PORTAL_CLIENT && ctx->session.staff)
            || (access >= NGX_HTTP_PORTAL_STAFF
                && ctx->session.role < access))
        {
            ngx_http_portal_refused(r, ctx, NGX_HTTP_FORBIDDEN);
            return ngx_http_portal_refuse(ctx, NGX_HTTP_FORBIDDEN);
        }

        ngx_http_portal_touch(ctx);
    }

    return ngx_http_portal_gate_body(r, ctx);
}


static ngx_int_t
ngx_http_portal_gate_body(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    off_t                      limit;
    ngx_uint_t                 upload;
    ngx_http_core_loc_conf_t  *clcf;

    upload = ctx->route->action && ctx->route->action->upload;

    if (ngx_http_portal_is_get(r)) {
        return NGX_OK;
    }

    if (r->headers_in.content_length_n < 0) {

        if (r->headers_in.chunked
#if (NGX_HTTP_V2)
            || (r->stream && !r->stream->in_closed)
#endif
           )
        {
            if (!upload) {
                return ngx_http_portal_refuse(ctx, NGX_HTTP_LENGTH_REQUIRED);
            }
        }

    } else {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        limit = ctx->route->body ? (off_t) ctx->route->body
                : upload ? clcf->client_max_body_size
                : NGX_HTTP_PORTAL_FORM_MAX;

        if (limit && r->headers_in.content_length_n > limit) {
            return ngx_http_portal_refuse(ctx,
                                          NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
        }
    }

    if (upload) {
        ctx->gate = ngx_http_portal_gate_quota;
    }

    return NGX_OK;
}


/* Has the client room left: asked before the upload, not after. */

static ngx_int_t
ngx_http_portal_gate_room(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->gate = ngx_http_portal_gate_done;

    rc = ngx_http_portal_deposit_begin(ctx);

    if (rc != NGX_OK) {
        return ngx_http_portal_refuse(ctx, rc == NGX_DECLINED
                                           ? NGX_HTTP_TOO_MANY_REQUESTS
                                           : NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    rc = ngx_http_portal_room(r, ctx, &ctx->client,
                              ngx_max(r->headers_in.content_length_n, 0),
                              ngx_http_portal_gate_room_answer);

    return rc == NGX_DECLINED
           ? ngx_http_portal_refuse(ctx, NGX_HTTP_SERVICE_UNAVAILABLE) : rc;
}


static void
ngx_http_portal_gate_room_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_uint_t  status;

    status = ngx_http_portal_room_status(r, ctx, result);

    if (status != NGX_HTTP_OK) {
        (void) ngx_http_portal_refuse(ctx, status);
    }

    ngx_http_portal_gate_resume(r);
}
