
/*
 * Copyright (C) the nginx client portal authors
 *
 * One connection to PostgreSQL on the event loop: what the pool and the
 * listener share.  Private to src/db.
 */


#ifndef _NGX_PORTAL_DB_CONN_H_INCLUDED_
#define _NGX_PORTAL_DB_CONN_H_INCLUDED_


#include "ngx_portal_db.h"


typedef struct ngx_portal_db_conn_s  ngx_portal_db_conn_t;

typedef void (*ngx_portal_db_conn_pt)(ngx_portal_db_conn_t *conn);


struct ngx_portal_db_conn_s {
    PGconn                  *pg;
    ngx_connection_t        *c;            /* of the socket of the moment */
    ngx_log_t               *log;
    void                    *data;         /* of the owner */

    /*
     * The owner's: each may close the connection, after which nothing of
     * it is touched here.
     */
    ngx_portal_db_conn_pt    connected;
    ngx_portal_db_conn_pt    done;         /* all results of a query */
    ngx_portal_db_conn_pt    notified;     /* before done; may be NULL */
    ngx_portal_db_conn_pt    failed;       /* to be closed by the owner */

    PGresult                *res;          /* rows of the query, or NULL */
    char                     sqlstate[6];
    unsigned                 error:1;      /* the query ended in an error */
    unsigned                 up:1;
    unsigned                 query:1;      /* results are outstanding */
    unsigned                 quiet:1;      /* the owner's: was told before */
};


/* NGX_OK: on its way; NGX_ERROR: logged, closed again. */
ngx_int_t ngx_portal_db_conn_start(ngx_portal_db_conn_t *conn,
    const char *conninfo);

/* After a PQsend…(): results are expected, output is flushed. */
ngx_int_t ngx_portal_db_conn_sent(ngx_portal_db_conn_t *conn);

/* Gives the socket back to libpq and closes it; idempotent. */
void ngx_portal_db_conn_close(ngx_portal_db_conn_t *conn);

/* Forgets the rows of the query before. */
void ngx_portal_db_conn_clear(ngx_portal_db_conn_t *conn);


#endif /* _NGX_PORTAL_DB_CONN_H_INCLUDED_ */
