
/*
 * Copyright (C) the nginx client portal authors
 *
 * What an upload's request and its threads share.  Private to src/http.
 */


#ifndef _NGX_HTTP_PORTAL_UPLOAD_H_INCLUDED_
#define _NGX_HTTP_PORTAL_UPLOAD_H_INCLUDED_


#include "ngx_http_portal.h"
#include "portal_store.h"


/*
 * The upload goes from the first task to the second, and to ctx->state while
 * PostgreSQL is asked; whoever has it at its own end destroys it, and with
 * it what was not kept.
 */
typedef struct {
    ngx_http_portal_t          *portal;
    ngx_http_portal_deposit_t  *deposit;
    portal_upload_t            *up;
} ngx_http_portal_upload_t;


/*
 * Has a thread run one of the two steps below on the upload; NGX_OK, or the
 * status to answer with.
 */
ngx_int_t ngx_http_portal_upload_post(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up,
    ngx_portal_task_run_pt run, ngx_portal_task_done_pt done);

void ngx_http_portal_upload_read(ngx_portal_task_t *task);
void ngx_http_portal_upload_keep(ngx_portal_task_t *task);

/* Destroys the upload, and takes what it has kept out of the store again. */
void ngx_http_portal_upload_take_back(ngx_http_portal_t *portal,
    ngx_http_portal_deposit_t *deposit, portal_upload_t *up);


#endif /* _NGX_HTTP_PORTAL_UPLOAD_H_INCLUDED_ */
