
/*
 * Copyright (C) the nginx client portal authors
 *
 * Sign-out: of the session of this browser, or of all of its person's.  A
 * session that has ended meanwhile is as good as ended: the cookie goes, and
 * no form's token is asked for, since there is nothing left to protect.
 */


#include "ngx_http_portal.h"


static ngx_int_t ngx_http_portal_sign_out_ask(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_sign_out_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_signed_out(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);


static ngx_portal_db_statement_t  ngx_http_portal_out_st = {
    "portal_sign_out",
    "select portal.sign_out($1, $2)",
    2,
    0,
    0
};


ngx_int_t
ngx_http_portal_sign_out(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    if (ctx->known) {

        if (ngx_http_portal_csrf_sent(r, ctx) != NGX_OK) {
            ngx_http_portal_refused(r, ctx, NGX_HTTP_FORBIDDEN);
            return ngx_http_portal_send_error(r, ctx, NGX_HTTP_FORBIDDEN);
        }

        return ngx_http_portal_sign_out_ask(r, ctx);
    }

    if (ctx->has_token && !ctx->session.absent) {

        /* PostgreSQL could not be asked: it may well be alive */

        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    return ngx_http_portal_signed_out(r, ctx);
}


static ngx_int_t
ngx_http_portal_sign_out_ask(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t              everywhere;
    ngx_portal_db_param_t  params[2];

    ngx_str_set(&everywhere, "f");

    if (portal_form_get(&ctx->form, "everywhere")) {
        ngx_str_set(&everywhere, "t");
    }

    ngx_http_portal_bytes_param(&params[0], ctx->token, sizeof(ctx->token));
    ngx_http_portal_text_param(&params[1], &everywhere);

    if (ngx_http_portal_ask(r, ctx, &ngx_http_portal_out_st, params,
                            ngx_http_portal_sign_out_answer)
        != NGX_AGAIN)
    {
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ctx->waiting = 1;

    return NGX_AGAIN;
}


static void
ngx_http_portal_sign_out_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    if (result->err != NGX_PORTAL_DB_OK) {
        ngx_http_portal_finish(r, ngx_http_portal_send_db_error(r, ctx,
                                                                result));
        return;
    }

    /* at once on this host, without waiting for the notification */

    ngx_portal_zone_bump(ctx->portal->zone, NGX_PORTAL_SESSION,
                         ctx->session.id);
    ngx_portal_session_drop(ctx->portal->zone, ctx->token);
    ctx->known = 0;

    ngx_http_portal_finish(r, ngx_http_portal_signed_out(r, ctx));
}


static ngx_int_t
ngx_http_portal_signed_out(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t  location, flash, gone, clear;

    ngx_str_set(&location, "~sign-in");
    ngx_str_set(&flash, "signed_out");
    ngx_str_null(&gone);

    /* cookies and storage of this origin are the site's too */

    ngx_str_set(&clear, "\"cache\"");

    if (ngx_http_portal_cookie_set(r, ctx, "", &gone, 0) != NGX_OK
        || ngx_http_portal_header_add(r, "Clear-Site-Data", &clear)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_portal_send_redirect(r, ctx, &location, &flash);
}
