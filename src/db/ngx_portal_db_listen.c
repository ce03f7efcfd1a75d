
/*
 * Copyright (C) the nginx client portal authors
 *
 * The listener: LISTEN on a connection of its own, and an empty query every
 * interval.  What was notified before the query was seen comes before its
 * end, so the answer proves that nothing is missing.  Silence is a gap:
 * the connection is given up, and after the next one everything is reset.
 */


#include "ngx_portal_db_conn.h"


/* an empty query that is not answered for so long: the peer is gone, ms */
#define NGX_PORTAL_LISTEN_MUTE   3000

#define NGX_PORTAL_LISTEN_RETRY  500


struct ngx_portal_db_listener_s {
    ngx_pool_t                   *pool;
    ngx_portal_db_conn_t          conn;
    ngx_portal_db_listen_conf_t   conf;
    ngx_event_t                   timer;
    char                         *conninfo;
    unsigned                      listening:1;
};


static void ngx_portal_db_listen_start(ngx_portal_db_listener_t *listener);
static void ngx_portal_db_listen_connected(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_listen_notified(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_listen_done(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_listen_failed(ngx_portal_db_conn_t *conn);
static void ngx_portal_db_listen_timer(ngx_event_t *ev);
static void ngx_portal_db_listen_query(ngx_portal_db_listener_t *listener,
    const char *sql);


ngx_portal_db_listener_t *
ngx_portal_db_listen(ngx_cycle_t *cycle, ngx_portal_db_listen_conf_t *conf)
{
    ngx_pool_t                *pool;
    ngx_portal_db_listener_t  *listener;

    pool = ngx_create_pool(1024, cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    listener = ngx_pcalloc(pool, sizeof(ngx_portal_db_listener_t));
    if (listener == NULL) {
        goto failed;
    }

    listener->conninfo = ngx_pnalloc(pool, conf->conninfo.len + 1);
    if (listener->conninfo == NULL) {
        goto failed;
    }

    *ngx_cpymem(listener->conninfo, conf->conninfo.data, conf->conninfo.len)
        = '\0';

    listener->pool = pool;
    listener->conf = *conf;

    listener->conn.log = cycle->log;
    listener->conn.data = listener;
    listener->conn.connected = ngx_portal_db_listen_connected;
    listener->conn.notified = ngx_portal_db_listen_notified;
    listener->conn.done = ngx_portal_db_listen_done;
    listener->conn.failed = ngx_portal_db_listen_failed;

    listener->timer.data = listener;
    listener->timer.handler = ngx_portal_db_listen_timer;
    listener->timer.log = cycle->log;
    listener->timer.cancelable = 1;

    ngx_portal_db_listen_start(listener);

    return listener;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


void
ngx_portal_db_listen_close(ngx_portal_db_listener_t *listener)
{
    if (listener->timer.timer_set) {
        ngx_del_timer(&listener->timer);
    }

    ngx_portal_db_conn_close(&listener->conn);
    ngx_destroy_pool(listener->pool);
}


static void
ngx_portal_db_listen_start(ngx_portal_db_listener_t *listener)
{
    listener->listening = 0;

    if (ngx_portal_db_conn_start(&listener->conn, listener->conninfo)
        != NGX_OK)
    {
        listener->conn.quiet = 1;
        ngx_add_timer(&listener->timer, NGX_PORTAL_LISTEN_RETRY);
        return;
    }

    ngx_add_timer(&listener->timer, NGX_PORTAL_LISTEN_MUTE);
}


static void
ngx_portal_db_listen_query(ngx_portal_db_listener_t *listener,
    const char *sql)
{
    if (listener->timer.timer_set) {
        ngx_del_timer(&listener->timer);
    }

    ngx_portal_db_conn_clear(&listener->conn);

    if (!PQsendQuery(listener->conn.pg, sql)
        || ngx_portal_db_conn_sent(&listener->conn) != NGX_OK)
    {
        ngx_portal_db_listen_failed(&listener->conn);
        return;
    }

    ngx_add_timer(&listener->timer, NGX_PORTAL_LISTEN_MUTE);
}


static void
ngx_portal_db_listen_connected(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_listener_t  *listener = conn->data;

    u_char  sql[128];

    ngx_sprintf(sql, "LISTEN %s%Z", listener->conf.channel);
    ngx_portal_db_listen_query(listener, (char *) sql);
}


static void
ngx_portal_db_listen_notified(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_listener_t  *listener = conn->data;

    PGnotify    *n;
    ngx_str_t    payload;
    ngx_uint_t   seen;

    seen = 0;

    while ((n = PQnotifies(conn->pg)) != NULL) {
        payload.data = (u_char *) n->extra;
        payload.len = ngx_strlen(n->extra);

        listener->conf.notify(listener->conf.data, &payload);
        PQfreemem(n);
        seen = 1;
    }

    if (seen) {
        listener->conf.notified(listener->conf.data);
    }
}


static void
ngx_portal_db_listen_done(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_listener_t  *listener = conn->data;

    if (conn->error) {
        ngx_portal_db_listen_failed(conn);
        return;
    }

    if (listener->timer.timer_set) {
        ngx_del_timer(&listener->timer);
    }

    ngx_add_timer(&listener->timer, listener->conf.interval);

    if (!listener->listening) {
        listener->listening = 1;
        conn->quiet = 0;
        listener->conf.reset(listener->conf.data);
        return;
    }

    listener->conf.alive(listener->conf.data);
}


static void
ngx_portal_db_listen_failed(ngx_portal_db_conn_t *conn)
{
    ngx_portal_db_listener_t  *listener = conn->data;

    ngx_portal_db_conn_close(conn);
    listener->listening = 0;
    conn->quiet = 1;

    if (listener->timer.timer_set) {
        ngx_del_timer(&listener->timer);
    }

    ngx_add_timer(&listener->timer, NGX_PORTAL_LISTEN_RETRY);
}


static void
ngx_portal_db_listen_timer(ngx_event_t *ev)
{
    ngx_portal_db_listener_t  *listener = ev->data;

    ngx_uint_t             level;
    ngx_portal_db_conn_t  *conn;

    conn = &listener->conn;

    if (conn->pg == NULL) {
        ngx_portal_db_listen_start(listener);
        return;
    }

    if (conn->up && !conn->query) {
        ngx_portal_db_listen_query(listener, "");
        return;
    }

    level = conn->quiet ? NGX_LOG_INFO : NGX_LOG_WARN;

    ngx_log_error(level, conn->log, 0,
                  "PostgreSQL does not answer the listener");

    ngx_portal_db_listen_failed(conn);
}
