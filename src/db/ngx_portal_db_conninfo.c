
/*
 * Copyright (C) the nginx client portal authors
 *
 * Connection strings, at configuration load: what would block or change
 * its mind at run time is settled or refused here.
 */


#include "ngx_portal_db.h"
#include <netdb.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>


typedef struct {
    const char  *host;
    const char  *hostaddr;
    const char  *sslmode;
    const char  *name;
    ngx_uint_t   gss;
    ngx_uint_t   encoding;
} ngx_portal_conninfo_t;


static char *ngx_portal_db_conninfo_read(PQconninfoOption *options,
    ngx_portal_conninfo_t *info);
static char *ngx_portal_db_conninfo_resolve(const char *host,
    char *addr, size_t size);
static u_char *ngx_portal_db_conninfo_add(u_char *p, const char *key,
    const char *value);


char *
ngx_portal_db_check_conninfo(ngx_pool_t *pool, ngx_str_t *conninfo)
{
    char                   *rv, *err, *text, addr[INET6_ADDRSTRLEN];
    size_t                  len;
    u_char                 *p;
    ngx_uint_t              local;
    PQconninfoOption       *options, *o;
    ngx_portal_conninfo_t   info;

    text = ngx_pnalloc(pool, conninfo->len + 1);
    if (text == NULL) {
        return "no memory";
    }

    *ngx_cpymem(text, conninfo->data, conninfo->len) = '\0';

    err = NULL;
    options = PQconninfoParse(text, &err);

    if (options == NULL) {

        /* libpq's text may quote the string, and with it the password */

        PQfreemem(err);
        return "invalid connection string";
    }

    ngx_memzero(&info, sizeof(ngx_portal_conninfo_t));

    rv = ngx_portal_db_conninfo_read(options, &info);

    if (rv) {
        goto done;
    }

    local = info.host == NULL ? info.hostaddr == NULL : info.host[0] == '/';

    if (local && info.host == NULL) {
        rv = "\"host\" is missing: a directory of a Unix socket, or an "
             "address";
        goto done;
    }

    if (local && info.sslmode && ngx_strcmp(info.sslmode, "disable") != 0) {
        rv = "\"sslmode\" has no meaning for a Unix socket";
        goto done;
    }

    if (!local && info.sslmode == NULL) {
        rv = "\"sslmode\" is missing: require, verify-ca, verify-full or "
             "disable";
        goto done;
    }

    addr[0] = '\0';

    if (!local && info.hostaddr == NULL) {
        rv = ngx_portal_db_conninfo_resolve(info.host, addr, sizeof(addr));

        if (rv) {
            goto done;
        }
    }

    len = sizeof("gssencmode='disable' client_encoding='UTF8' "
                 "sslmode='disable' hostaddr='' application_name='portal' ")
          + sizeof(addr);

    for (o = options; o->keyword; o++) {
        if (o->val) {
            len += ngx_strlen(o->keyword) + 2 * ngx_strlen(o->val) + 4;
        }
    }

    p = ngx_pnalloc(pool, len);

    if (p == NULL) {
        rv = "no memory";
        goto done;
    }

    conninfo->data = p;

    for (o = options; o->keyword; o++) {
        if (o->val && ngx_strcmp(o->keyword, "gssencmode") != 0
            && ngx_strcmp(o->keyword, "client_encoding") != 0)
        {
            p = ngx_portal_db_conninfo_add(p, o->keyword, o->val);
        }
    }

    p = ngx_portal_db_conninfo_add(p, "gssencmode", "disable");
    p = ngx_portal_db_conninfo_add(p, "client_encoding", "UTF8");

    if (local && info.sslmode == NULL) {
        p = ngx_portal_db_conninfo_add(p, "sslmode", "disable");
    }

    if (addr[0]) {
        p = ngx_portal_db_conninfo_add(p, "hostaddr", addr);
    }

    if (info.name == NULL) {
        p = ngx_portal_db_conninfo_add(p, "application_name", "portal");
    }

    conninfo->len = p - conninfo->data;

done:

    PQconninfoFree(options);

    return rv;
}


static char *
ngx_portal_db_conninfo_read(PQconninfoOption *options,
    ngx_portal_conninfo_t *info)
{
    PQconninfoOption  *o;

    for (o = options; o->keyword; o++) {

        if (o->val == NULL) {
            continue;
        }

        if (ngx_strcmp(o->keyword, "host") == 0) {
            info->host = o->val;

        } else if (ngx_strcmp(o->keyword, "hostaddr") == 0) {
            info->hostaddr = o->val;

        } else if (ngx_strcmp(o->keyword, "sslmode") == 0) {
            info->sslmode = o->val;

        } else if (ngx_strcmp(o->keyword, "application_name") == 0) {
            info->name = o->val;

        } else if (ngx_strcmp(o->keyword, "service") == 0
                   || ngx_strcmp(o->keyword, "passfile") == 0)
        {
            return "\"service\" and \"passfile\" cannot be used: workers "
                   "have no home directory";
        }
    }

    if ((info->host && strchr(info->host, ','))
        || (info->hostaddr && strchr(info->hostaddr, ',')))
    {
        return "several hosts cannot be used";
    }

    if (info->sslmode
        && (ngx_strcmp(info->sslmode, "prefer") == 0
            || ngx_strcmp(info->sslmode, "allow") == 0))
    {
        return "\"sslmode\" must be require, verify-ca, verify-full or "
               "disable";
    }

    return NULL;
}


static char *
ngx_portal_db_conninfo_resolve(const char *host, char *addr, size_t size)
{
    void                 *p;
    struct addrinfo       hints, *res;

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;

    if (getaddrinfo(host, NULL, &hints, &res) != 0) {
        return "\"host\" cannot be resolved";
    }

    p = res->ai_family == AF_INET6
        ? (void *) &((struct sockaddr_in6 *) res->ai_addr)->sin6_addr
        : (void *) &((struct sockaddr_in *) res->ai_addr)->sin_addr;

    if (inet_ntop(res->ai_family, p, addr, (socklen_t) size) == NULL) {
        addr[0] = '\0';
    }

    freeaddrinfo(res);

    return addr[0] ? NULL : "\"host\" cannot be resolved";
}


static u_char *
ngx_portal_db_conninfo_add(u_char *p, const char *key, const char *value)
{
    p = ngx_sprintf(p, "%s='", key);

    for ( /* void */ ; *value; value++) {
        if (*value == '\'' || *value == '\\') {
            *p++ = '\\';
        }

        *p++ = (u_char) *value;
    }

    *p++ = '\'';
    *p++ = ' ';

    return p;
}
