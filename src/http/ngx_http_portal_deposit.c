
/*
 * Copyright (C) the nginx client portal authors
 *
 * What deposits need beside their own request: how many of a session are
 * under way in this worker, whether there is room for one, the files of one
 * that was refused, and those that a killed worker has left in tmp/.
 */


#include "ngx_http_portal.h"
#include "portal_store.h"


/* under way of one session: the queue of the threads is everybody's */
#define NGX_HTTP_PORTAL_DEPOSITS    4
#define NGX_HTTP_PORTAL_RETRY       5000

/* what nobody has written to for so long, s, and how many at a time */
#define NGX_HTTP_PORTAL_SWEEP_AGE   86400
#define NGX_HTTP_PORTAL_SWEEP_MAX   1000


/* Held by its request and by each task of it: a thread may be the last. */
struct ngx_http_portal_deposit_s {
    ngx_queue_t  queue;
    u_char       session[16];
    ngx_uint_t   holders;
};


typedef struct {
    ngx_path_t  *temp;
    int          n;
    ngx_err_t    err;
} ngx_http_portal_sweep_t;


static void ngx_http_portal_sweep_run(ngx_portal_task_t *task);
static void ngx_http_portal_sweep_done(void *data, ngx_portal_task_t *task);


static ngx_portal_db_statement_t  ngx_http_portal_room_st = {
    "portal_upload_check",
    "select nonce, status from portal.upload_check($1, $2, $3, $4)",
    4,
    4,
    0
};


ngx_int_t
ngx_http_portal_deposit_begin(ngx_http_portal_ctx_t *ctx)
{
    ngx_uint_t                  n;
    ngx_queue_t                *q, *all;
    ngx_http_portal_deposit_t  *deposit;

    n = 0;
    all = &ctx->portal->deposits;

    for (q = ngx_queue_head(all);
         q != ngx_queue_sentinel(all);
         q = ngx_queue_next(q))
    {
        deposit = ngx_queue_data(q, ngx_http_portal_deposit_t, queue);

        if (ngx_memcmp(deposit->session, ctx->session.id, 16) == 0) {
            n++;
        }
    }

    if (n >= NGX_HTTP_PORTAL_DEPOSITS) {
        ctx->retry = NGX_HTTP_PORTAL_RETRY;
        return NGX_DECLINED;
    }

    /* not of the request's pool: a thread may be at work when that goes */

    deposit = ngx_alloc(sizeof(ngx_http_portal_deposit_t), ngx_cycle->log);
    if (deposit == NULL) {
        return NGX_ERROR;
    }

    deposit->holders = 1;
    ngx_memcpy(deposit->session, ctx->session.id, 16);
    ngx_queue_insert_tail(all, &deposit->queue);

    ctx->deposit = deposit;

    return NGX_OK;
}


ngx_http_portal_deposit_t *
ngx_http_portal_deposit_hold(ngx_http_portal_deposit_t *deposit)
{
    deposit->holders++;

    return deposit;
}


void
ngx_http_portal_deposit_release(ngx_http_portal_deposit_t *deposit)
{
    if (--deposit->holders == 0) {
        ngx_queue_remove(&deposit->queue);
        ngx_free(deposit);
    }
}


ngx_int_t
ngx_http_portal_room(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_str_t *client, off_t bytes, ngx_http_portal_answer_pt answer)
{
    u_char                 text[NGX_OFF_T_LEN];
    ngx_str_t              value;
    ngx_portal_db_param_t  params[4];

    value.data = text;
    value.len = ngx_sprintf(text, "%O", bytes) - text;

    ngx_http_portal_nonce(ctx);

    ngx_http_portal_bytes_param(&params[0], ctx->token, sizeof(ctx->token));
    ngx_http_portal_text_param(&params[1], client);
    ngx_http_portal_text_param(&params[2], &value);
    ngx_http_portal_text_param(&params[3], &ctx->nonce);

    return ngx_http_portal_ask(r, ctx, &ngx_http_portal_room_st, params,
                               answer);
}


ngx_uint_t
ngx_http_portal_room_status(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_int_t  status;
    ngx_str_t  value;

    if (result->err != NGX_PORTAL_DB_OK) {
        return ngx_http_portal_db_status(result);
    }

    if (ngx_http_portal_own_row(r, ctx, result->res) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_portal_column(result->res, 1, &value);
    status = ngx_atoi(value.data, value.len);

    return status == NGX_HTTP_OK || (status >= 400 && status < 600)
           ? (ngx_uint_t) status : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


void
ngx_http_portal_sweep(ngx_http_portal_t *portal)
{
    ngx_portal_task_t        *task;
    ngx_http_portal_sweep_t  *sweep;

    task = ngx_portal_task_create(sizeof(ngx_http_portal_sweep_t));
    if (task == NULL) {
        return;
    }

    sweep = task->args;
    sweep->temp = portal->temp;

    task->data = portal;
    task->run = ngx_http_portal_sweep_run;
    task->done = ngx_http_portal_sweep_done;

    /* where the queue is full, an hour later will do */

    (void) ngx_portal_task_post(task, portal->files);
}


static void
ngx_http_portal_sweep_run(ngx_portal_task_t *task)
{
    ngx_http_portal_sweep_t  *sweep = task->args;

    ngx_portal_thread_nice();

    sweep->n = portal_store_sweep((char *) sweep->temp->name.data,
                                  NGX_HTTP_PORTAL_SWEEP_AGE,
                                  NGX_HTTP_PORTAL_SWEEP_MAX);
    sweep->err = ngx_errno;
}


static void
ngx_http_portal_sweep_done(void *data, ngx_portal_task_t *task)
{
    ngx_http_portal_t        *portal = data;
    ngx_http_portal_sweep_t  *sweep = task->args;

    if (sweep->n == PORTAL_ERROR) {
        ngx_log_error(NGX_LOG_ERR, portal->timer.log, sweep->err,
                      "opendir() \"%V\" failed", &sweep->temp->name);

    } else if (sweep->n > 0) {
        ngx_log_error(NGX_LOG_NOTICE, portal->timer.log, 0,
                      "%d files of uploads that never ended were removed "
                      "from \"%V\"", sweep->n, &sweep->temp->name);
    }
}
