
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the files of src/http and src/auth share: configuration, the life
 * of a portal request, and the few functions by which it moves on.
 */


#ifndef _NGX_HTTP_PORTAL_H_INCLUDED_
#define _NGX_HTTP_PORTAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_portal_compat.h"
#include "ngx_portal_core.h"
#include "ngx_portal_zone.h"
#include "ngx_portal_db.h"
#include "portal_common.h"
#include "portal_form.h"
#include "portal_json.h"
#include "portal_locale.h"
#include "portal_router.h"
#include "portal_template.h"
#include "portal_token.h"


/* access levels: of a route, and of a session */
#define NGX_HTTP_PORTAL_PUBLIC   0
#define NGX_HTTP_PORTAL_ANY      1
#define NGX_HTTP_PORTAL_CLIENT   2
#define NGX_HTTP_PORTAL_STAFF    3
#define NGX_HTTP_PORTAL_ADMIN    4

#define NGX_HTTP_PORTAL_LOCALES  2

/* error pages, and the place of the one for a form that came too late */
#define NGX_HTTP_PORTAL_ERRORS           15
#define NGX_HTTP_PORTAL_SESSION_EXPIRED  14

/* a form, its fields in JSON and the pages' parameters, bytes */
#define NGX_HTTP_PORTAL_FORM_MAX     65536
#define NGX_HTTP_PORTAL_REQUEST_MAX  (256 * 1024)

/* of an e-mail address, bytes */
#define NGX_HTTP_PORTAL_EMAIL_MAX    254

/* sign-in failures are answered no sooner than this, ms */
#define NGX_HTTP_PORTAL_FLOOR        400

typedef struct ngx_http_portal_s        ngx_http_portal_t;
typedef struct ngx_http_portal_ctx_s    ngx_http_portal_ctx_t;
typedef struct ngx_http_portal_route_s  ngx_http_portal_route_t;
typedef struct ngx_http_portal_deposit_s  ngx_http_portal_deposit_t;
typedef struct ngx_http_portal_loc_conf_s  ngx_http_portal_loc_conf_t;


/* A named portal: one database, one zone, one cookie. */
struct ngx_http_portal_s {
    ngx_str_t                  name;
    ngx_shm_zone_t            *zone;
    ngx_portal_db_conf_t       db_conf;
    ngx_str_t                  listen;        /* conninfo of the listener */
    portal_keyring_t          *keyring;

    ngx_str_t                  cookie;        /* portal-NAME */
    ngx_str_t                  file;          /* where it was first named */
    ngx_uint_t                 line;
    unsigned                   used:1;        /* by a location */
    ngx_path_t                *temp;          /* STORAGE/tmp */
    ngx_thread_pool_t         *files;

    /* of the worker */
    ngx_portal_db_t           *db;
    ngx_portal_db_listener_t  *listener;
    ngx_event_t                timer;         /* lease, cuts, last-seen */
    ngx_queue_t                running;       /* ngx_http_portal_running_t */
    ngx_queue_t                deposits;      /* …_deposit_t */
    uint64_t                   event;         /* at the last cut */
    ngx_array_t               *touched;       /* of 32 bytes */
    ngx_msec_t                 touch_sent;
    ngx_msec_t                 swept;         /* tmp/; 0: not yet */
};


/* "if" and "limit_except" inside a portal location */
typedef struct {
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_portal_loc_conf_t  *conf;
    ngx_http_portal_loc_conf_t  *outer;
    ngx_str_t                    file;
    ngx_uint_t                   line;
} ngx_http_portal_block_t;


typedef struct {
    ngx_array_t                portals;       /* ngx_http_portal_t * */
    ngx_array_t                locations;     /* …_loc_conf_t * */
    ngx_array_t                blocks;        /* …_block_t */
    ngx_int_t                  request_id;    /* index of $request_id */
    ngx_open_file_cache_t     *cache;
} ngx_http_portal_main_conf_t;


typedef ngx_int_t (*ngx_http_portal_action_pt)(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);


/* What "action=" of portal_page names: the few things that need C. */
typedef struct {
    ngx_str_t                  name;
    ngx_http_portal_action_pt  handler;       /* content, body read */
    unsigned                   upload:1;      /* body: any length, any type */
    unsigned                   credential:1;  /* has the network limiter */
    unsigned                   csrf:1;        /* handler checks the token */
    unsigned                   get:1;         /* of GET, and of it only */
    unsigned                   named:1;       /* needs a page function */
    unsigned                   viewed:1;      /* needs a template */
    unsigned                   closed:1;      /* never access=public */
} ngx_http_portal_action_t;


struct ngx_http_portal_route_s {
    ngx_uint_t                 method;        /* PORTAL_METHOD_* */
    ngx_str_t                  path;
    ngx_str_t                  name;          /* page function; "" none */
    ngx_str_t                  template;
    portal_template_t         *view;
    ngx_uint_t                 access;
    ngx_http_portal_action_t  *action;        /* NULL: call, then view */
    size_t                     body;          /* limit; 0: default */
    ngx_str_t                  file;
    ngx_uint_t                 line;
};


/* The location's configuration with the body limit of a route. */
typedef struct {
    ngx_http_portal_route_t   *route;
    void                     **loc_conf;
} ngx_http_portal_limit_t;


typedef struct {
    ngx_str_t                  name;          /* portal.css */
    ngx_str_t                  url;           /* assets/portal.HASH.css */
    ngx_str_t                  path;          /* on disk */
    ngx_str_t                  type;
} ngx_http_portal_asset_t;


struct ngx_http_portal_loc_conf_s {
    ngx_http_portal_t         *portal;
    ngx_str_t                  url;           /* base URL, ends with "/" */
    ngx_str_t                  origin;        /* scheme://host[:port] */
    ngx_str_t                  mount;         /* the location's name */
    ngx_http_core_srv_conf_t  *server;
    ngx_http_core_loc_conf_t  *location;

    ngx_str_t                  storage;       /* no trailing slash */
    ngx_path_t                *temp;
    ngx_array_t               *templates;     /* ngx_str_t: folders */
    ngx_array_t               *locales;       /* ngx_str_t: codes */
    ngx_array_t               *pages;         /* …_route_t * */
    ngx_array_t               *sets;          /* ngx_keyval_t */
    ngx_flag_t                 regex_ok;
#if (PORTAL_TEST)
    ngx_flag_t                 test_open;
#endif

    time_t                     idle;          /* seconds */
    time_t                     absolute;
    time_t                     staff_idle;
    time_t                     staff_absolute;
    ngx_flag_t                 secure;

    ngx_uint_t                 ops;           /* argon2id */
    size_t                     memory;        /* bytes */
    ngx_uint_t                 threads;
    ngx_uint_t                 queue;

    /* made at the end of the configuration */
    portal_router_t           *router;
    portal_template_set_t     *views;
    portal_locale_t           *words[NGX_HTTP_PORTAL_LOCALES];
    ngx_uint_t                 nwords;
    ngx_array_t                assets;        /* ngx_http_portal_asset_t */
    portal_template_t         *errors[NGX_HTTP_PORTAL_ERRORS];
    ngx_str_t                  site;          /* the sets as JSON */
    ngx_str_t                  accept;        /* extensions: ".pdf,.png" */
    off_t                      max_bytes;     /* of a deposit; 0: no limit */
    ngx_thread_pool_t         *passwords;
    ngx_open_file_cache_t     *cache;
    ngx_array_t               *limits;        /* ngx_http_portal_limit_t */

    ngx_str_t                  file;          /* of the location */
    ngx_uint_t                 line;
};


typedef enum {
    NGX_HTTP_PORTAL_PENDING = 0,
    NGX_HTTP_PORTAL_GRANTED,
    NGX_HTTP_PORTAL_REFUSED
} ngx_http_portal_verdict_e;


typedef enum {
    ngx_http_portal_gate_route = 0,
    ngx_http_portal_gate_session,
    ngx_http_portal_gate_access,
    ngx_http_portal_gate_quota,
    ngx_http_portal_gate_done
} ngx_http_portal_gate_e;


/* A response in flight, by session: cut when the session ends. */
typedef struct {
    ngx_queue_t                queue;
    ngx_http_request_t        *request;
    uint64_t                   event;
    u_char                     session[16];
    u_char                     person[16];
    u_char                     client[16];
    u_char                     document[16];
} ngx_http_portal_running_t;


typedef void (*ngx_http_portal_answer_pt)(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);


struct ngx_http_portal_ctx_s {
    ngx_http_request_t          *request;
    ngx_http_portal_loc_conf_t  *conf;
    ngx_http_portal_t           *portal;
    portal_arena_t               arena;

    /* the gate */
    ngx_http_portal_verdict_e    verdict;
    ngx_http_portal_gate_e       gate;
    ngx_uint_t                   status;      /* of the refusal */
    ngx_uint_t                   allow;       /* methods of a 405 */
    ngx_msec_t                   retry;       /* of a 429, ms */
    ngx_http_portal_route_t     *route;
    portal_match_t               match;
    ngx_str_t                    client;      /* slug of /c/SLUG, or "" */
    ngx_str_t                    rest;        /* path below it */
    ngx_http_portal_asset_t     *asset;

    /* who */
    u_char                       token[32];   /* SHA-256 of the token */
    u_char                       pre[32];     /* of the anonymous cookie */
    u_char                       device[32];  /* of the browser's cookie */
    uint64_t                     event;       /* before the query */
    ngx_portal_session_t         session;
    u_char                       network[16];
    u_char                       site[16];    /* its /48, for IPv6 */

    /* what waits */
    ngx_portal_db_job_t         *job;
    ngx_http_portal_answer_pt    answer;
    ngx_portal_task_t           *task;
    ngx_event_t                  timer;
    void                        *state;       /* of the action */
    ngx_http_portal_deposit_t   *deposit;

    /* what was done before the call is undone: the call keeps nothing */
    void                       (*undo)(ngx_http_portal_ctx_t *ctx);

    /* the request's content */
    portal_form_t                query;
    portal_form_t                form;
    ngx_str_t                    form_json;
    ngx_str_t                    files_json;
    ngx_str_t                    nonce;

    /* the answer */
    PGresult                    *result;
    ngx_str_t                    body;        /* JSON of the page */
    ngx_str_t                    shell;
    ngx_str_t                    errors;
    ngx_str_t                    flash;       /* key to show now */
    ngx_http_portal_running_t   *running;

    unsigned                     has_token:1; /* passed the key check */
    unsigned                     has_pre:1;
    unsigned                     has_device:1;
    unsigned                     has_site:1;
    unsigned                     has_network:1;
    unsigned                     known:1;     /* session is filled in */
    unsigned                     json:1;      /* the client asks for JSON */
    unsigned                     waiting:1;
    unsigned                     subrequest:1;
    unsigned                     internal:1;  /* an error page of ours */
};


extern ngx_module_t  ngx_http_portal_module;


/* conf */
void *ngx_http_portal_create_main_conf(ngx_conf_t *cf);
void *ngx_http_portal_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_portal_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
extern ngx_command_t  ngx_http_portal_commands[];

/*
 * At the end of the configuration: what nginx -t can know.  NGX_ERROR: the
 * mistake was logged with file and line.
 */
ngx_int_t ngx_http_portal_check(ngx_conf_t *cf,
    ngx_http_portal_main_conf_t *pmcf);
ngx_int_t ngx_http_portal_prepare(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
ngx_int_t ngx_http_portal_prepare_block(ngx_conf_t *cf,
    ngx_http_portal_block_t *block);
ngx_int_t ngx_http_portal_views(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);

/* Index in plcf->errors of the page for the status, or of the nearest. */
ngx_uint_t ngx_http_portal_error_index(ngx_uint_t status);
ngx_http_portal_asset_t *ngx_http_portal_asset_find(
    ngx_http_portal_loc_conf_t *plcf, ngx_str_t *url);
ngx_int_t ngx_http_portal_router(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
ngx_http_portal_action_t *ngx_http_portal_action(ngx_str_t *name);

/* the worker */
ngx_int_t ngx_http_portal_init_worker(ngx_cycle_t *cycle,
    ngx_http_portal_main_conf_t *pmcf);
void ngx_http_portal_exit_worker(ngx_http_portal_main_conf_t *pmcf);
void ngx_http_portal_touch(ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_run_start(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const ngx_portal_grant_key_t *key,
    const ngx_portal_grant_t *grant);

/* cookies */
ngx_int_t ngx_http_portal_cookie_handler(ngx_http_request_t *r);
void ngx_http_portal_cookie_get(ngx_http_request_t *r,
    ngx_http_portal_t *portal, const char *suffix, ngx_str_t *value);
ngx_int_t ngx_http_portal_cookie_set(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const char *suffix, ngx_str_t *value,
    time_t max_age);

/* the gate */
ngx_int_t ngx_http_portal_access_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_portal_precontent_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_portal_discarded_handler(ngx_http_request_t *r);
ngx_http_portal_ctx_t *ngx_http_portal_get_ctx(ngx_http_request_t *r);

/*
 * NGX_ERROR: not from a page of ours, which a write has to be, nor a
 * document that somebody went to.
 */
ngx_int_t ngx_http_portal_origin(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/*
 * The limiter of credentials.  By network, an IPv4 address, an IPv6 /64 and
 * its /48: begin() counts an attempt, NGX_OK, or NGX_DECLINED with the wait
 * in ctx->retry; fail() counts one that was refused; ban() is what PostgreSQL
 * says; banned() returns the milliseconds that are left, or 0.
 *
 * By e-mail address, for browsers that nobody has signed in with: account()
 * counts, NGX_DECLINED: so often that PostgreSQL evaluates none any more.
 *
 * release() takes an attempt back from both, which has succeeded, or failed
 * by our fault; forget() all of the address, after a success.
 */
void ngx_http_portal_limit_network(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_limit_begin(ngx_http_portal_ctx_t *ctx);
void ngx_http_portal_limit_fail(ngx_http_portal_ctx_t *ctx);
void ngx_http_portal_limit_ban(ngx_http_portal_ctx_t *ctx, ngx_msec_t time);
ngx_msec_t ngx_http_portal_limit_banned(ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_limit_account(ngx_http_portal_ctx_t *ctx,
    ngx_str_t *email);
void ngx_http_portal_limit_release(ngx_http_portal_ctx_t *ctx,
    ngx_str_t *email);
void ngx_http_portal_limit_forget(ngx_http_portal_ctx_t *ctx,
    ngx_str_t *email);

/* the content */
ngx_int_t ngx_http_portal_content_handler(ngx_http_request_t *r);
void ngx_http_portal_body_prepare(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/*
 * Ends the request: nobody else does.  rc: what a send function returned,
 * or NGX_ERROR.  The request may be gone afterwards.
 */
void ngx_http_portal_finish(ngx_http_request_t *r, ngx_int_t rc);

/*
 * Asks PostgreSQL; answer() is called once from the event loop, unless the
 * request ends before.  NGX_AGAIN, or NGX_DECLINED: overloaded, answer()
 * will not be called.
 */
ngx_int_t ngx_http_portal_ask(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const ngx_portal_db_statement_t *st,
    const ngx_portal_db_param_t *params, ngx_http_portal_answer_pt answer);

/* Posts a task whose done() gets the ctx; as ngx_portal_task_post(). */
ngx_int_t ngx_http_portal_post(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_task_t *task,
    ngx_thread_pool_t *tp);

/* Around every callback from outside the request's own events. */
ngx_connection_t *ngx_http_portal_wake(ngx_http_request_t *r);
void ngx_http_portal_woken(ngx_connection_t *c);

/* Column of the first row; data NULL for SQL NULL. */
void ngx_http_portal_column(PGresult *res, int column, ngx_str_t *value);

/*
 * A new nonce in ctx->nonce for the next call; every row of an answer
 * repeats it.
 */
void ngx_http_portal_nonce(ngx_http_portal_ctx_t *ctx);

/*
 * NGX_OK: the cookie of this suffix is a token of ours, and hash is what
 * PostgreSQL knows it by.
 */
ngx_int_t ngx_http_portal_cookie_token(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const char *suffix, u_char hash[32]);

/*
 * NGX_OK: exactly one row, and its first column is the nonce of this call;
 * anything else is logged as an alert and must be answered with 500.
 */
ngx_int_t ngx_http_portal_own_row(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, PGresult *res);

/* NGX_OK: the form's token belongs to this session, or anonymous cookie. */
ngx_int_t ngx_http_portal_csrf(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *token);

/* The same for the token that a form or its header carries. */
ngx_int_t ngx_http_portal_csrf_sent(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/* Runs the page function; ends the request. */
ngx_int_t ngx_http_portal_call(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/* The call has kept nothing, and never will: what it was to keep goes. */
void ngx_http_portal_undo(ngx_http_portal_ctx_t *ctx);

/* Tells PostgreSQL that the worker has refused something to a session. */
void ngx_http_portal_refused(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);

/* The page of a route without a function: nothing but its template. */
ngx_int_t ngx_http_portal_view_only(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/* Takes the result over; it is cleared with the request's pool. */
ngx_int_t ngx_http_portal_keep(ngx_http_request_t *r,
    ngx_portal_db_result_t *result);

/* The User-Agent, cut to 255 bytes of printable ASCII. */
void ngx_http_portal_agent(ngx_http_request_t *r, portal_str_t *agent);

/*
 * actions and pages: what a send function returned, or NGX_AGAIN with
 * ctx->waiting set, and the request is finished later
 */
ngx_int_t ngx_http_portal_file(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_preview(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_upload(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_password(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
ngx_int_t ngx_http_portal_sign_out(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/*
 * A deposit of this session is under way, from here on to the end of its
 * request and of its last thread.  NGX_DECLINED: there are as many as there
 * may be, with the wait in ctx->retry.
 */
ngx_int_t ngx_http_portal_deposit_begin(ngx_http_portal_ctx_t *ctx);
ngx_http_portal_deposit_t *ngx_http_portal_deposit_hold(
    ngx_http_portal_deposit_t *deposit);
void ngx_http_portal_deposit_release(ngx_http_portal_deposit_t *deposit);

/*
 * May they deposit for this client, and has it room for so many bytes?  As
 * ngx_http_portal_ask(); room_status() is the answer: 200, or what it is
 * refused with.
 */
ngx_int_t ngx_http_portal_room(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *client, off_t bytes,
    ngx_http_portal_answer_pt answer);
ngx_uint_t ngx_http_portal_room_status(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);

/* Removes from tmp/ what a killed worker has left there, in a thread. */
void ngx_http_portal_sweep(ngx_http_portal_t *portal);

/* The status of an upload whose body nginx could not write: 503 or 507. */
ngx_uint_t ngx_http_portal_upload_unwritten(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

ngx_int_t ngx_http_portal_asset(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/* the answers: each returns what finish() wants */
ngx_int_t ngx_http_portal_send_error(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);
ngx_int_t ngx_http_portal_send_page(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status, portal_template_t *view);
ngx_int_t ngx_http_portal_send_json(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status, ngx_str_t *json);

/* location: below the mount; "~" in front: not below /c/SLUG either. */
ngx_int_t ngx_http_portal_send_redirect(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *location, ngx_str_t *flash);

/* next: a path of this mount as the visitor sent it; else the home page. */
ngx_int_t ngx_http_portal_send_next(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_str_t *next, ngx_str_t *flash);
ngx_uint_t ngx_http_portal_db_status(ngx_portal_db_result_t *result);
ngx_int_t ngx_http_portal_send_db_error(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
ngx_int_t ngx_http_portal_send_empty(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);
ngx_int_t ngx_http_portal_send_refusal(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/* headers */
ngx_int_t ngx_http_portal_header_add(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
ngx_str_t *ngx_http_portal_header_get(ngx_http_request_t *r,
    const char *name, size_t len);
ngx_uint_t ngx_http_portal_header_twice(ngx_http_request_t *r,
    const char *name, size_t len);

/* Forgets what was added before an answer turned into an error. */
void ngx_http_portal_clear_headers(ngx_http_request_t *r);
ngx_int_t ngx_http_portal_headers(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const char *csp, ngx_str_t *nonce);

/* Cache-Control, Vary, and what goes with the status. */
ngx_int_t ngx_http_portal_status_headers(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_uint_t status);

/* HTML of a template with the ctx's body, shell, errors… as a chain. */
ngx_int_t ngx_http_portal_render(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_template_t *view, ngx_uint_t status,
    ngx_str_t *nonce, ngx_chain_t **out, off_t *size);
portal_locale_t *ngx_http_portal_words(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);

/* 32 hex digits of the request, as $request_id. */
void ngx_http_portal_request_id(ngx_http_request_t *r, ngx_str_t *id);


/* Parameters of a call; an empty text is SQL NULL. */
static ngx_inline void
ngx_http_portal_text_param(ngx_portal_db_param_t *param, const ngx_str_t *s)
{
    param->data = s->len ? (const char *) s->data : NULL;
    param->len = (int) s->len;
    param->binary = 0;
}


static ngx_inline void
ngx_http_portal_bytes_param(ngx_portal_db_param_t *param, const u_char *p,
    size_t len)
{
    param->data = (const char *) p;
    param->len = (int) len;
    param->binary = 1;
}


#define ngx_http_portal_is_get(r)                                             \
    ((r)->method == NGX_HTTP_GET || (r)->method == NGX_HTTP_HEAD)


#endif /* _NGX_HTTP_PORTAL_H_INCLUDED_ */
