
/*
 * Copyright (C) the nginx client portal authors
 *
 * Uploads.  nginx writes the body to a temporary file in the store's own
 * tmp/; threads then make files of the store out of it:
 *
 *     read    hash, type by content, fsync (the parts of a multipart form
 *             to files in tmp/)
 *     check   the form's token and client
 *     room    where the gate could not know: has that client room for it
 *     keep    rename into the store, fsync the folders
 *     call    the page function commits the rows that name them
 *
 * No row without its file, whatever is killed when.  What the call refuses
 * is taken out of the store again; a file without a row that is there all
 * the same (a worker was killed, a visitor left in the middle of the call)
 * is what the collector is for.
 */


#include "ngx_http_portal.h"
#include "ngx_http_portal_upload.h"
#include "portal_disposition.h"
#include "portal_multipart.h"
#include "portal_text.h"


/* a disk with less than this has no room, bytes */
#define NGX_HTTP_PORTAL_UPLOAD_ROOM  (1024 * 1024)


static ngx_int_t ngx_http_portal_upload_start(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_upload_undo(ngx_http_portal_ctx_t *ctx);
static ngx_http_portal_upload_t *ngx_http_portal_upload_keep_state(
    ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static void ngx_http_portal_upload_was_read(void *data,
    ngx_portal_task_t *task);
static void ngx_http_portal_upload_kept(void *data,
    ngx_portal_task_t *task);
static ngx_int_t ngx_http_portal_upload_check(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static ngx_int_t ngx_http_portal_upload_form(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const char *client);
static void ngx_http_portal_upload_end(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_int_t rc);
static ngx_int_t ngx_http_portal_upload_store(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static ngx_int_t ngx_http_portal_upload_next(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static ngx_int_t ngx_http_portal_upload_room(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static void ngx_http_portal_upload_room_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_upload_room_read(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result);
static ngx_int_t ngx_http_portal_upload_other(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx);
static void ngx_http_portal_upload_free(void *data);
static ngx_int_t ngx_http_portal_upload_call(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static ngx_int_t ngx_http_portal_upload_refuse(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up);
static ngx_int_t ngx_http_portal_upload_name(ngx_http_request_t *r,
    ngx_str_t *name);


ngx_int_t
ngx_http_portal_upload(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_portal_upload_start(r, ctx);

    if (rc == NGX_OK) {
        ctx->waiting = 1;
        return NGX_AGAIN;
    }

    if (rc == NGX_HTTP_SERVICE_UNAVAILABLE) {
        ctx->retry = 1000;
    }

    return ngx_http_portal_send_error(r, ctx, rc);
}


/*
 * nginx could not write the body, and has told its log why; for its visitor
 * it is enough to know whether there is no room.
 */

ngx_uint_t
ngx_http_portal_upload_unwritten(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    off_t  wanted;

    wanted = ngx_max(r->headers_in.content_length_n,
                     NGX_HTTP_PORTAL_UPLOAD_ROOM);

    return ngx_fs_available(ctx->conf->temp->name.data) < wanted
           ? NGX_HTTP_INSUFFICIENT_STORAGE : NGX_HTTP_SERVICE_UNAVAILABLE;
}


/* NGX_OK: posted; else the status to answer with. */

static ngx_int_t
ngx_http_portal_upload_start(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_t         name, *type, *token, *path;
    portal_str_t      boundary;
    portal_upload_t  *up;

    if (r->headers_in.content_type == NULL || r->request_body == NULL) {
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    if (r->request_body->temp_file == NULL
        && r->request_body->bufs == NULL)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (r->request_body->temp_file == NULL
        || !r->request_body->temp_file->persistent)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "body of an upload was read before the request was "
                      "granted");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    type = &r->headers_in.content_type->value;
    path = &r->request_body->temp_file->file.name;

    if (portal_multipart_boundary(ngx_portal_str(type), &boundary)
        == PORTAL_OK)
    {
        up = portal_upload_create(ngx_portal_str(&ctx->conf->storage),
                                  ngx_portal_str(path), &boundary, NULL);

    } else {

        /*
         * The script sends the file itself, its name and the form's token
         * in headers; that no other origin can send without being asked.
         */

        token = ngx_http_portal_header_get(r, "x-portal-csrf",
                                           sizeof("x-portal-csrf") - 1);

        if (ngx_http_portal_csrf(r, ctx, token) != NGX_OK) {
            return NGX_HTTP_FORBIDDEN;
        }

        if (ngx_http_portal_upload_name(r, &name) != NGX_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }

        up = portal_upload_create(ngx_portal_str(&ctx->conf->storage),
                                  ngx_portal_str(path), NULL,
                                  ngx_portal_str(&name));
    }

    if (up == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_portal_upload_post(r, ctx, up,
                                       ngx_http_portal_upload_read,
                                       ngx_http_portal_upload_was_read);
}


/* X-Portal-File: the name, percent-encoded UTF-8. */

static ngx_int_t
ngx_http_portal_upload_name(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char          *src, *dst;
    ngx_str_t       *value;
    portal_str_t     decoded;
    portal_arena_t   arena;

    value = ngx_http_portal_header_get(r, "x-portal-file",
                                       sizeof("x-portal-file") - 1);

    /* 255 characters of four bytes, each of them three digits long */

    if (value == NULL || value->len == 0 || value->len > 4096) {
        return NGX_ERROR;
    }

    decoded.data = ngx_pnalloc(r->pool, value->len);
    if (decoded.data == NULL) {
        return NGX_ERROR;
    }

    src = value->data;
    dst = decoded.data;

    ngx_unescape_uri(&dst, &src, value->len, 0);

    decoded.len = dst - decoded.data;
    ngx_portal_arena_init(&arena, r->pool);

    if (!portal_utf8_valid(decoded.data, decoded.len)
        || portal_filename_clean(&arena, ngx_portal_str(name), &decoded)
           != PORTAL_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The call has kept nothing, and never will. */

static void
ngx_http_portal_upload_undo(ngx_http_portal_ctx_t *ctx)
{
    portal_upload_t           *up;
    ngx_http_portal_upload_t  *state = ctx->state;

    up = state->up;
    state->up = NULL;

    ngx_http_portal_upload_take_back(ctx->portal, ctx->deposit, up);
}


static void
ngx_http_portal_upload_was_read(void *data, ngx_portal_task_t *task)
{
    ngx_http_portal_ctx_t  *ctx = data;

    ngx_int_t                  rc;
    portal_upload_t           *up;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_portal_upload_t  *args;

    r = ctx->request;
    args = task->args;
    up = args->up;
    ctx->task = NULL;

    c = ngx_http_portal_wake(r);

    if (up->rc != PORTAL_OK) {
        rc = ngx_http_portal_upload_refuse(r, ctx, up);
        goto done;
    }

    rc = ngx_http_portal_upload_check(r, ctx, up);

    if (rc == NGX_OK) {
        args->up = NULL;
        rc = ngx_http_portal_upload_next(r, ctx, up);

    } else {
        rc = ngx_http_portal_send_error(r, ctx, rc);
    }

done:

    ngx_http_portal_upload_end(r, ctx, rc);
    ngx_http_portal_woken(c);
}


/* The end of the request, unless it waits for a query or a thread. */

static void
ngx_http_portal_upload_end(ngx_http_request_t *r, ngx_http_portal_ctx_t *ctx,
    ngx_int_t rc)
{
    if (rc == NGX_AGAIN && (ctx->job || ctx->task)) {
        return;
    }

    ngx_http_portal_finish(r, rc);
}


/* The form is ours, and up is not the task's any more. */

static ngx_int_t
ngx_http_portal_upload_next(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    size_t  len;

    len = ngx_strlen(up->client);

    if (len && ctx->client.len
        && (len != ctx->client.len
            || ngx_memcmp(up->client, ctx->client.data, len) != 0))
    {
        portal_upload_destroy(up);
        return ngx_http_portal_upload_other(r, ctx);
    }

    if (r->headers_in.content_length == NULL || (len && !ctx->client.len)) {
        return ngx_http_portal_upload_room(r, ctx, up);
    }

    return ngx_http_portal_upload_store(r, ctx, up);
}


static ngx_int_t
ngx_http_portal_upload_store(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    ngx_int_t  rc;

    rc = ngx_http_portal_upload_post(r, ctx, up, ngx_http_portal_upload_keep,
                                     ngx_http_portal_upload_kept);

    return rc == NGX_OK ? NGX_AGAIN
                        : ngx_http_portal_send_error(r, ctx, rc);
}


/*
 * The form was opened at another client: the page function would say 409
 * when the files are in the store; so it is asked without them.
 */

static ngx_int_t
ngx_http_portal_upload_other(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx)
{
    ngx_str_set(&ctx->files_json, "\"files.empty\"");

    return ngx_http_portal_call(r, ctx);
}


static void
ngx_http_portal_upload_free(void *data)
{
    ngx_http_portal_upload_t  *state = data;

    if (state->up) {
        portal_upload_destroy(state->up);
    }
}


/*
 * As the gate asked, with what it did not know: the size of a body that came
 * in chunks, the client of a form whose address names none.
 */

static ngx_int_t
ngx_http_portal_upload_room(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    uint64_t   bytes;
    unsigned   i;
    ngx_str_t  client;

    if (ngx_http_portal_upload_keep_state(r, ctx, up) == NULL) {
        return NGX_ERROR;
    }

    bytes = 0;

    for (i = 0; i < up->n; i++) {
        bytes += up->files[i].size;
    }

    client = ctx->client;

    if (client.len == 0 && up->client[0]) {
        client.data = (u_char *) up->client;
        client.len = ngx_strlen(up->client);
    }

    return ngx_http_portal_room(r, ctx, &client, (off_t) bytes,
                                ngx_http_portal_upload_room_answer)
           == NGX_AGAIN
           ? NGX_AGAIN
           : ngx_http_portal_send_error(r, ctx,
                                        NGX_HTTP_SERVICE_UNAVAILABLE);
}


/* The request has the upload: it goes with the request's memory. */

static ngx_http_portal_upload_t *
ngx_http_portal_upload_keep_state(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_portal_upload_t  *state;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_portal_upload_t));
    if (cln == NULL) {
        portal_upload_destroy(up);
        return NULL;
    }

    state = cln->data;
    state->up = up;
    cln->handler = ngx_http_portal_upload_free;
    ctx->state = state;

    return state;
}


static void
ngx_http_portal_upload_room_answer(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_http_portal_upload_end(r, ctx,
                        ngx_http_portal_upload_room_read(r, ctx, result));
}


static ngx_int_t
ngx_http_portal_upload_room_read(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, ngx_portal_db_result_t *result)
{
    ngx_uint_t                 status;
    portal_upload_t           *up;
    ngx_http_portal_upload_t  *state;

    status = ngx_http_portal_room_status(r, ctx, result);

    state = ctx->state;
    up = state->up;

    if (status == NGX_HTTP_OK) {
        state->up = NULL;
        return ngx_http_portal_upload_store(r, ctx, up);
    }

    if (status == NGX_HTTP_NOT_FOUND && ctx->client.len == 0
        && up->client[0])
    {
        return ngx_http_portal_upload_other(r, ctx);
    }

    return ngx_http_portal_send_error(r, ctx, status);
}


/* NGX_OK, or the status to answer with: is the form ours? */

static ngx_int_t
ngx_http_portal_upload_check(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    ngx_str_t  token;

    if (up->boundary[0]) {
        token.data = (u_char *) up->csrf;
        token.len = ngx_strlen(up->csrf);

        if (ngx_http_portal_csrf(r, ctx, &token) != NGX_OK) {
            return NGX_HTTP_FORBIDDEN;
        }
    }

    return ngx_http_portal_upload_form(r, ctx, up->client);
}


static ngx_int_t
ngx_http_portal_upload_form(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, const char *client)
{
    portal_str_t  s;
    portal_buf_t  b;

    s.data = (u_char *) client;
    s.len = ngx_strlen(client);

    if (!portal_utf8_valid(s.data, s.len)) {
        return NGX_HTTP_BAD_REQUEST;
    }

    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_FORM_MAX);
    portal_buf_puts(&b, "{");

    if (s.len) {
        portal_buf_puts(&b, "\"client\":");
        portal_buf_json(&b, &s);
    }

    if (portal_buf_puts(&b, "}") != PORTAL_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->form_json.data = b.data;
    ctx->form_json.len = b.len;

    return NGX_OK;
}


static void
ngx_http_portal_upload_kept(void *data, ngx_portal_task_t *task)
{
    ngx_http_portal_ctx_t  *ctx = data;

    ngx_int_t                  rc;
    portal_upload_t           *up;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_portal_upload_t  *args;

    r = ctx->request;
    args = task->args;
    up = args->up;
    ctx->task = NULL;

    c = ngx_http_portal_wake(r);

    if (up->rc == PORTAL_OK) {
        args->up = NULL;
        rc = ngx_http_portal_upload_call(r, ctx, up);

    } else {
        rc = ngx_http_portal_upload_refuse(r, ctx, up);
    }

    ngx_http_portal_upload_end(r, ctx, rc);
    ngx_http_portal_woken(c);
}


static ngx_int_t
ngx_http_portal_upload_call(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    portal_buf_t  b;

    if (ngx_http_portal_upload_keep_state(r, ctx, up) == NULL) {
        return NGX_ERROR;
    }

    ctx->undo = ngx_http_portal_upload_undo;

    portal_buf_init(&b, &ctx->arena, NGX_HTTP_PORTAL_REQUEST_MAX);

    if (portal_upload_json(up, &b) != PORTAL_OK) {
        ngx_http_portal_undo(ctx);
        return ngx_http_portal_send_error(r, ctx,
                                          NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ctx->files_json.data = b.data;
    ctx->files_json.len = b.len;

    return ngx_http_portal_call(r, ctx);
}


/* What went wrong with the files, as the visitor is told. */

static ngx_int_t
ngx_http_portal_upload_refuse(ngx_http_request_t *r,
    ngx_http_portal_ctx_t *ctx, portal_upload_t *up)
{
    ngx_uint_t  status;

    switch (up->rc) {

    case PORTAL_UPLOAD_BAD:
        status = NGX_HTTP_BAD_REQUEST;
        break;

    case PORTAL_UPLOAD_SPACE:
        status = NGX_HTTP_INSUFFICIENT_STORAGE;
        break;

    case PORTAL_UPLOAD_IO:
        status = NGX_HTTP_SERVICE_UNAVAILABLE;
        break;

    default:

        /* the page function says 422, and shows its page again */

        if (up->rc == PORTAL_UPLOAD_TYPE) {
            ngx_str_set(&ctx->files_json, "\"files.type\"");

        } else if (up->rc == PORTAL_UPLOAD_MANY) {
            ngx_str_set(&ctx->files_json, "\"files.many\"");

        } else {
            ngx_str_set(&ctx->files_json, "\"files.empty\"");
        }

        if (ngx_http_portal_upload_check(r, ctx, up) != NGX_OK) {
            return ngx_http_portal_send_error(r, ctx, NGX_HTTP_FORBIDDEN);
        }

        return ngx_http_portal_call(r, ctx);
    }

    if (up->call) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, up->err,
                      "upload: %s failed", up->call);
    }

    return ngx_http_portal_send_error(r, ctx, status);
}
