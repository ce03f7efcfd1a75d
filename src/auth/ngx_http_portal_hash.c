
/*
 * Copyright (C) the nginx client portal authors
 *
 * The hashes of sign-ins: argon2id in threads at nice +10.
 *
 * A sign-in takes its place in the queue before PostgreSQL counts it, so
 * that a queue which is full costs nobody an attempt, and no query.  The
 * place is the request's until its task is posted, then the task's: who goes
 * away keeps it until the hash is made.
 *
 * A stored hash that is weaker than new ones are is replaced after a sign-in
 * that succeeded, when its answer has left: a failure costs one hash, always.
 */


#include "ngx_http_portal_password.h"
#include <sodium.h>


static ngx_uint_t ngx_http_portal_hash_full(ngx_http_portal_loc_conf_t *plcf);
static void ngx_http_portal_hash_end(void *data);
static ngx_portal_task_t *ngx_http_portal_hash_task(
    ngx_http_portal_hash_t **hash);
static void ngx_http_portal_hash_thread(ngx_portal_task_t *task);
static void ngx_http_portal_hash_wipe(ngx_portal_task_t *task);
static void ngx_http_portal_hash_leave(ngx_portal_task_t *task);
static void ngx_http_portal_hashed_again(void *data,
    ngx_portal_task_t *task);
static void ngx_http_portal_hash_kept(void *data,
    ngx_portal_db_result_t *result);


static ngx_portal_db_statement_t  ngx_http_portal_rehash_st = {
    "portal_sign_in_rehash",
    "select portal.sign_in_rehash($1, $2, $3, $4, $5, $6)",
    6,
    0,
    0
};


/* of the worker, as the pool of threads is: one for all portals */
static ngx_uint_t  ngx_http_portal_hash_places;


static ngx_uint_t
ngx_http_portal_hash_full(ngx_http_portal_loc_conf_t *plcf)
{
    return ngx_http_portal_hash_places >= plcf->queue + plcf->threads;
}


ngx_int_t
ngx_http_portal_hash_place(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s)
{
    ngx_http_cleanup_t  *cln;

    if (ngx_http_portal_hash_full(ctx->conf)) {
        return NGX_BUSY;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_BUSY;
    }

    cln->handler = ngx_http_portal_hash_end;
    cln->data = s;

    s->placed = 1;
    ngx_http_portal_hash_places++;

    return NGX_OK;
}


static void
ngx_http_portal_hash_end(void *data)
{
    ngx_http_portal_sign_in_t  *s = data;

    if (s->placed) {
        s->placed = 0;
        ngx_http_portal_hash_places--;
    }

    if (s->again) {
        ngx_portal_task_destroy(s->again);
        s->again = NULL;
    }
}


static ngx_portal_task_t *
ngx_http_portal_hash_task(ngx_http_portal_hash_t **hash)
{
    ngx_portal_task_t  *task;

    task = ngx_portal_task_create(sizeof(ngx_http_portal_hash_t));
    if (task == NULL) {
        return NULL;
    }

    task->run = ngx_http_portal_hash_thread;
    task->cleanup = ngx_http_portal_hash_wipe;

    *hash = task->args;

    return task;
}


ngx_int_t
ngx_http_portal_hash(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s, ngx_portal_task_done_pt done)
{
    ngx_portal_task_t       *task;
    ngx_http_portal_hash_t  *hash;

    task = ngx_http_portal_hash_task(&hash);
    if (task == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(hash->password, s->password.data, s->password.len);
    hash->len = s->password.len;
    ngx_memcpy(hash->salt, s->salt, sizeof(hash->salt));
    hash->ops = (unsigned) s->ops;
    hash->mem_kib = (unsigned) s->mem_kib;

    /* the body's copy is not needed any more */

    sodium_memzero(s->password.data, s->password.len);

    task->done = done;
    task->cleanup = ngx_http_portal_hash_leave;
    s->placed = 0;

    return ngx_http_portal_post(r, ctx, task, ctx->conf->passwords);
}


static void
ngx_http_portal_hash_thread(ngx_portal_task_t *task)
{
    portal_str_t             password;
    ngx_http_portal_hash_t  *hash = task->args;

    ngx_portal_thread_nice();

    password.data = hash->password;
    password.len = hash->len;

    hash->rc = portal_password_hash(hash->output, &password, hash->salt,
                                    hash->ops, hash->mem_kib);
}


static void
ngx_http_portal_hash_wipe(ngx_portal_task_t *task)
{
    sodium_memzero(task->args, sizeof(ngx_http_portal_hash_t));
}


static void
ngx_http_portal_hash_leave(ngx_portal_task_t *task)
{
    ngx_http_portal_hash_places--;
    ngx_http_portal_hash_wipe(task);
}


void
ngx_http_portal_hash_keep(ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s, const ngx_http_portal_hash_t *hash)
{
    ngx_http_portal_hash_t      *again;
    ngx_http_portal_loc_conf_t  *plcf;

    plcf = ctx->conf;

    if (s->ops >= plcf->ops && s->mem_kib >= plcf->memory / 1024) {
        return;
    }

    s->again = ngx_http_portal_hash_task(&again);
    if (s->again == NULL) {
        return;
    }

    ngx_memcpy(again->password, hash->password, hash->len);
    again->len = hash->len;
    again->ops = (unsigned) plcf->ops;
    again->mem_kib = (unsigned) (plcf->memory / 1024);
    randombytes_buf(again->salt, sizeof(again->salt));

    ngx_memcpy(again->token, s->hash, 32);
    ngx_memcpy(again->old, hash->output, 32);
}


void
ngx_http_portal_hash_again(ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s)
{
    ngx_portal_task_t  *task;

    task = s->again;

    if (task == NULL || ngx_http_portal_hash_full(ctx->conf)) {
        return;
    }

    s->again = NULL;
    ngx_http_portal_hash_places++;

    task->done = ngx_http_portal_hashed_again;
    task->cleanup = ngx_http_portal_hash_leave;
    task->data = ctx->portal;

    (void) ngx_portal_task_post(task, ctx->conf->passwords);
}


/* Nobody waits: the session and the old output say whose hash it is. */

static void
ngx_http_portal_hashed_again(void *data, ngx_portal_task_t *task)
{
    ngx_http_portal_t  *portal = data;

    u_char                   text[2][NGX_INT_T_LEN];
    ngx_str_t                ops, mem_kib;
    ngx_portal_db_param_t    params[6];
    ngx_http_portal_hash_t  *hash;

    hash = task->args;

    if (hash->rc != PORTAL_OK) {
        ngx_log_error(NGX_LOG_ERR, portal->timer.log, 0,
                      "password could not be hashed with ops %ui, %uiK",
                      (ngx_uint_t) hash->ops, (ngx_uint_t) hash->mem_kib);
        return;
    }

    ops.data = text[0];
    ops.len = ngx_sprintf(text[0], "%ui", (ngx_uint_t) hash->ops) - text[0];
    mem_kib.data = text[1];
    mem_kib.len = ngx_sprintf(text[1], "%ui", (ngx_uint_t) hash->mem_kib)
                  - text[1];

    ngx_http_portal_bytes_param(&params[0], hash->token, 32);
    ngx_http_portal_bytes_param(&params[1], hash->old, 32);
    ngx_http_portal_bytes_param(&params[2], hash->salt, 16);
    ngx_http_portal_text_param(&params[3], &ops);
    ngx_http_portal_text_param(&params[4], &mem_kib);
    ngx_http_portal_bytes_param(&params[5], hash->output, 32);

    (void) ngx_portal_db_call(portal->db, &ngx_http_portal_rehash_st, params,
                              ngx_http_portal_hash_kept, portal);
}


static void
ngx_http_portal_hash_kept(void *data, ngx_portal_db_result_t *result)
{
    ngx_http_portal_t  *portal = data;

    if (result->err != NGX_PORTAL_DB_OK) {
        ngx_log_error(NGX_LOG_WARN, portal->timer.log, 0,
                      "a new hash of portal \"%V\" was not stored",
                      &portal->name);
    }
}
