
/*
 * Copyright (C) the nginx client portal authors
 *
 * One connection to PostgreSQL (see ngx_portal_db_conn.h).
 *
 *     start -> connecting -> connected() -> [sent -> done()]* -> close
 *                   |                          |
 *                   +------ failed() <---------+
 *
 * libpq reads what is there, not all that is there: events are
 * level-triggered, or a reply of 20 kB stalls when the worker was busy.
 * While connecting, the socket may change under the same number (several
 * addresses, TLS), so it is taken off before each PQconnectPoll() and put
 * back after it.
 */


#include "ngx_portal_db_conn.h"
#include <openssl/ssl.h>


static ngx_int_t ngx_portal_db_conn_register(ngx_portal_db_conn_t *conn,
    ngx_uint_t read, ngx_uint_t write);
static void ngx_portal_db_conn_unregister(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_conn_event(ngx_event_t *ev);
static void ngx_portal_db_conn_poll(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_conn_io(ngx_portal_db_conn_t *conn);
static ngx_int_t ngx_portal_db_conn_flush(ngx_portal_db_conn_t *conn);
static ngx_int_t ngx_portal_db_conn_results(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_conn_take(ngx_portal_db_conn_t *conn,
    PGresult *res);
static ngx_uint_t ngx_portal_db_conn_pending(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_conn_fail(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_conn_notice(void *arg, const PGresult *res);


ngx_int_t
ngx_portal_db_conn_start(ngx_portal_db_conn_t *conn, const char *conninfo)
{
    static ngx_uint_t  ssl;

    if (!ssl) {

        /* nginx has initialised OpenSSL already */

        PQinitOpenSSL(0, 0);
        ssl = 1;
    }

    conn->pg = PQconnectStart(conninfo);

    if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD) {
        ngx_portal_db_conn_fail(conn);
        ngx_portal_db_conn_close(conn);
        return NGX_ERROR;
    }

    PQsetNoticeReceiver(conn->pg, ngx_portal_db_conn_notice, conn);

    if (ngx_portal_db_conn_register(conn, 0, 1) != NGX_OK) {
        ngx_portal_db_conn_close(conn);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_portal_db_conn_notice(void *arg, const PGresult *res)
{
    (void) arg;
    (void) res;

    /* its text may hold what a page was asked with: not for the log */

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "portal db notice");
}


/*
 * Says why, once, without anything of the connection string; as an error
 * only the first time, since an outage may last.
 */

static void
ngx_portal_db_conn_fail(ngx_portal_db_conn_t *conn)
{
    char        *text, *end;
    size_t       len;
    ngx_uint_t   level;

    text = conn->pg ? PQerrorMessage(conn->pg) : "no memory";
    end = strchr(text, '\n');
    len = end ? (size_t) (end - text) : ngx_strlen(text);

    level = conn->quiet ? NGX_LOG_INFO : NGX_LOG_ERR;

    ngx_log_error(level, conn->log, 0, "PostgreSQL: %*s", len, text);
}


static ngx_int_t
ngx_portal_db_conn_register(ngx_portal_db_conn_t *conn, ngx_uint_t read,
    ngx_uint_t write)
{
    int                fd;
    ngx_connection_t  *c;

    c = conn->c;

    if (c == NULL) {
        fd = PQsocket(conn->pg);

        if (fd < 0) {
            return NGX_ERROR;
        }

        c = ngx_get_connection(fd, conn->log);
        if (c == NULL) {
            return NGX_ERROR;
        }

        c->data = conn;
        c->log = conn->log;
        c->read->log = conn->log;
        c->write->log = conn->log;
        c->read->handler = ngx_portal_db_conn_event;
        c->write->handler = ngx_portal_db_conn_event;

        conn->c = c;
    }

    if (read && !c->read->active
        && ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!read && c->read->active
        && ngx_del_event(c->read, NGX_READ_EVENT, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (write && !c->write->active
        && ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* left on, it would fire for ever */

    if (!write && c->write->active
        && ngx_del_event(c->write, NGX_WRITE_EVENT, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_portal_db_conn_unregister(ngx_portal_db_conn_t *conn)
{
    ngx_uint_t         flags;
    ngx_connection_t  *c;

    c = conn->c;

    if (c == NULL) {
        return;
    }

    conn->c = NULL;

    /* libpq closes the socket by itself when the server is gone */

    flags = PQsocket(conn->pg) == -1 ? NGX_CLOSE_EVENT : 0;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    /* the descriptor is libpq's, who closes it */

    c->idle = 0;
    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


void
ngx_portal_db_conn_close(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_conn_unregister(conn);
    ngx_portal_db_conn_clear(conn);

    conn->up = 0;
    conn->query = 0;

    if (conn->pg) {
        PQfinish(conn->pg);
        conn->pg = NULL;
    }
}


void
ngx_portal_db_conn_clear(ngx_portal_db_conn_t *conn)
{
    if (conn->res) {
        PQclear(conn->res);
        conn->res = NULL;
    }

    conn->error = 0;
    conn->sqlstate[0] = '\0';
}


static void
ngx_portal_db_conn_event(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_portal_db_conn_t  *conn;

    c = ev->data;
    conn = c->data;

    if (c->close) {

        /* nginx shuts down and wants idle connections gone */

        conn->failed(conn);
        return;
    }

    if (!conn->up) {
        ngx_portal_db_conn_poll(conn);
        return;
    }

    ngx_portal_db_conn_io(conn);
}


static void
ngx_portal_db_conn_poll(ngx_portal_db_conn_t *conn)
{
    ngx_int_t                   rc;
    PostgresPollingStatusType   status;

    ngx_portal_db_conn_unregister(conn);

    status = PQconnectPoll(conn->pg);

    switch (status) {

    case PGRES_POLLING_READING:
        rc = ngx_portal_db_conn_register(conn, 1, 0);
        break;

    case PGRES_POLLING_WRITING:
        rc = ngx_portal_db_conn_register(conn, 0, 1);
        break;

    case PGRES_POLLING_OK:
        rc = ngx_portal_db_conn_register(conn, 1, 0);

        if (rc == NGX_OK && PQsetnonblocking(conn->pg, 1) == 0) {
            conn->up = 1;
            conn->connected(conn);
            return;
        }

        rc = NGX_ERROR;
        break;

    default:
        rc = NGX_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_portal_db_conn_fail(conn);
        conn->failed(conn);
    }
}


ngx_int_t
ngx_portal_db_conn_sent(ngx_portal_db_conn_t *conn)
{
    conn->query = 1;

    return ngx_portal_db_conn_flush(conn);
}


static ngx_int_t
ngx_portal_db_conn_flush(ngx_portal_db_conn_t *conn)
{
    int  n;

    n = PQflush(conn->pg);

    if (n == -1) {
        return NGX_ERROR;
    }

    return ngx_portal_db_conn_register(conn, 1, n == 1);
}


/* What TLS has decrypted and nobody has read makes no socket readable. */

static ngx_uint_t
ngx_portal_db_conn_pending(ngx_portal_db_conn_t *conn)
{
    SSL  *ssl;

    ssl = PQsslStruct(conn->pg, "OpenSSL");

    return ssl && SSL_pending(ssl) > 0;
}


static void
ngx_portal_db_conn_io(ngx_portal_db_conn_t *conn)
{
    ngx_int_t  rc;

    do {
        if (PQconsumeInput(conn->pg) != 1
            || ngx_portal_db_conn_flush(conn) != NGX_OK)
        {
            /* an idle connection may simply have been closed */

            if (conn->query || conn->notified) {
                ngx_portal_db_conn_fail(conn);
            }

            conn->failed(conn);
            return;
        }

    } while (ngx_portal_db_conn_pending(conn));

    rc = ngx_portal_db_conn_results(conn);

    if (conn->notified) {
        conn->notified(conn);

        if (conn->pg == NULL) {
            return;
        }
    }

    if (rc == NGX_ERROR) {
        conn->failed(conn);

    } else if (rc == NGX_OK) {
        conn->query = 0;
        conn->done(conn);
    }
}


/*
 * NGX_OK: the last result is here and the transaction is over; NGX_AGAIN:
 * not yet, or none is expected; NGX_ERROR: of no use any more.
 */

static ngx_int_t
ngx_portal_db_conn_results(ngx_portal_db_conn_t *conn)
{
    PGresult        *res;
    ExecStatusType   status;

    /* an idle connection: whatever came, no result may be among it */

    while (!PQisBusy(conn->pg)) {

        res = PQgetResult(conn->pg);

        if (res == NULL) {

            if (!conn->query) {
                return NGX_AGAIN;
            }

            return PQtransactionStatus(conn->pg) == PQTRANS_IDLE
                   ? NGX_OK : NGX_ERROR;
        }

        status = PQresultStatus(res);

        if (!conn->query || status == PGRES_COPY_IN
            || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
        {
            ngx_log_error(NGX_LOG_ERR, conn->log, 0,
                          "unexpected result of PostgreSQL");
            PQclear(res);
            return NGX_ERROR;
        }

        ngx_portal_db_conn_take(conn, res);

        if (PQstatus(conn->pg) == CONNECTION_BAD) {
            return NGX_ERROR;
        }
    }

    return NGX_AGAIN;
}


/*
 * A row counts only if no error comes after it: a deferred constraint that
 * fails at commit sends the row first.
 */

static void
ngx_portal_db_conn_take(ngx_portal_db_conn_t *conn, PGresult *res)
{
    char  *sqlstate;

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:

        if (conn->res == NULL && !conn->error) {
            conn->res = res;
            return;
        }

        break;

    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        break;

    default:
        sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

        ngx_portal_db_conn_clear(conn);
        conn->error = 1;

        ngx_cpystrn((u_char *) conn->sqlstate,
                    (u_char *) (sqlstate ? sqlstate : "08006"), 6);
    }

    PQclear(res);
}
