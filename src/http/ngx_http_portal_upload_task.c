
/*
 * Copyright (C) the nginx client portal authors
 *
 * What threads do for uploads, one task a step:
 *
 *     read       the files of the body
 *     keep       into the store with them
 *     withdraw   and out again, when they were refused
 */


#include "ngx_http_portal.h"
#include "ngx_http_portal_upload.h"


static ngx_portal_task_t *ngx_http_portal_upload_task(
    ngx_http_portal_t *portal, ngx_http_portal_deposit_t *deposit,
    portal_upload_t *up, ngx_portal_task_run_pt run);
static void ngx_http_portal_upload_withdraw(ngx_portal_task_t *task);
static void ngx_http_portal_upload_drop(ngx_portal_task_t *task);
static void ngx_http_portal_upload_gone(ngx_portal_task_t *task);


ngx_int_t
ngx_http_portal_upload_post(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up,
    ngx_portal_task_run_pt run, ngx_portal_task_done_pt done)
{
    ngx_portal_task_t  *task;

    task = ngx_http_portal_upload_task(ctx->portal, ctx->deposit, up, run);

    if (task == NULL) {
        portal_upload_destroy(up);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    task->done = done;
    task->cleanup = ngx_http_portal_upload_drop;

    return ngx_http_portal_post(r, ctx, task, ctx->portal->files) == NGX_OK
           ? NGX_OK : NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_portal_task_t *
ngx_http_portal_upload_task(ngx_http_portal_t *portal,
    ngx_http_portal_deposit_t *deposit, portal_upload_t *up,
    ngx_portal_task_run_pt run)
{
    ngx_portal_task_t         *task;
    ngx_http_portal_upload_t  *args;

    task = ngx_portal_task_create(sizeof(ngx_http_portal_upload_t));
    if (task == NULL) {
        return NULL;
    }

    args = task->args;
    args->portal = portal;
    args->deposit = ngx_http_portal_deposit_hold(deposit);
    args->up = up;

    task->run = run;

    return task;
}


void
ngx_http_portal_upload_read(ngx_portal_task_t *task)
{
    ngx_http_portal_upload_t  *args = task->args;

    ngx_portal_thread_nice();
    (void) portal_upload_read(args->up);
}


void
ngx_http_portal_upload_keep(ngx_portal_task_t *task)
{
    ngx_http_portal_upload_t  *args = task->args;

    ngx_portal_thread_nice();
    (void) portal_upload_keep(args->up);
}


static void
ngx_http_portal_upload_withdraw(ngx_portal_task_t *task)
{
    ngx_http_portal_upload_t  *args = task->args;

    ngx_portal_thread_nice();
    portal_upload_withdraw(args->up);
}


/* Nobody took the upload over: it was refused, or its visitor has left. */

static void
ngx_http_portal_upload_drop(ngx_portal_task_t *task)
{
    ngx_http_portal_upload_t  *args = task->args;

    if (args->up) {
        ngx_http_portal_upload_take_back(args->portal, args->deposit,
                                         args->up);
    }

    ngx_http_portal_deposit_release(args->deposit);
}


static void
ngx_http_portal_upload_gone(ngx_portal_task_t *task)
{
    ngx_http_portal_upload_t  *args = task->args;

    portal_upload_destroy(args->up);
    ngx_http_portal_deposit_release(args->deposit);
}


/* Out of the store with it; nobody waits for that. */

void
ngx_http_portal_upload_take_back(ngx_http_portal_t *portal,
    ngx_http_portal_deposit_t *deposit, portal_upload_t *up)
{
    ngx_portal_task_t  *task;

    task = portal_upload_kept(up)
           ? ngx_http_portal_upload_task(portal, deposit, up,
                                         ngx_http_portal_upload_withdraw)
           : NULL;

    if (task == NULL) {
        portal_upload_destroy(up);
        return;
    }

    task->cleanup = ngx_http_portal_upload_gone;

    (void) ngx_portal_task_post(task, portal->files);
}
