
/*
 * Copyright (C) the nginx client portal authors
 *
 * A sign-in by password on its way, and its hashes.  Private to src/auth.
 */


#ifndef _NGX_HTTP_PORTAL_PASSWORD_H_INCLUDED_
#define _NGX_HTTP_PORTAL_PASSWORD_H_INCLUDED_


#include "ngx_http_portal.h"
#include "portal_password.h"


/* What a thread works on: copies, wiped when it is done. */
typedef struct {
    u_char               password[PORTAL_PASSWORD_MAX];
    size_t               len;
    u_char               salt[16];
    unsigned             ops;
    unsigned             mem_kib;
    u_char               output[32];
    int                  rc;

    /* of a hash that is made anew */
    u_char               token[32];         /* SHA-256: of the session */
    u_char               old[32];           /* output of the hash so far */
} ngx_http_portal_hash_t;


typedef struct {
    ngx_str_t            email;
    ngx_str_t            password;
    ngx_str_t            network;           /* hex of the limiter's key */
    ngx_str_t            attempt;
    u_char               salt[16];
    ngx_uint_t           ops;
    ngx_uint_t           mem_kib;
    u_char               text[PORTAL_TOKEN_TEXT];      /* of the session */
    u_char               hash[32];
    u_char               device_text[PORTAL_TOKEN_TEXT];
    u_char               device[32];
    ngx_msec_t           start;
    ngx_portal_task_t   *again;             /* to be hashed anew, or NULL */

    unsigned             begun:1;           /* counted by the limiter */
    unsigned             placed:1;          /* has a place in the queue */
} ngx_http_portal_sign_in_t;


/*
 * Takes a place in the worker's queue of hashes, which the request gives
 * back with its end, or its task.  NGX_BUSY: there is none.
 */
ngx_int_t ngx_http_portal_hash_place(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_http_portal_sign_in_t *s);

/* Hashes the password as the sign-in's row says: task->args is the hash. */
ngx_int_t ngx_http_portal_hash(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_http_portal_sign_in_t *s,
    ngx_portal_task_done_pt done);

/*
 * Where the stored hash is weaker than new ones are, keeps what a new one
 * is made of until the sign-in is decided.
 */
void ngx_http_portal_hash_keep(ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s, const ngx_http_portal_hash_t *hash);

/*
 * The sign-in has succeeded: what was kept is hashed anew, behind its
 * answer.  Where the queue is full, the next sign-in will do it.
 */
void ngx_http_portal_hash_again(ngx_http_portal_ctx_t *ctx,
    ngx_http_portal_sign_in_t *s);


#endif /* _NGX_HTTP_PORTAL_PASSWORD_H_INCLUDED_ */
