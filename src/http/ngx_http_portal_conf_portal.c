
/*
 * Copyright (C) the nginx client portal authors
 *
 * Directives of a named portal: its zone, its database, its key file.
 */


#include "ngx_http_portal.h"
#include "ngx_http_portal_conf.h"


static char *ngx_http_portal_conf_database_param(ngx_conf_t *cf,
    ngx_portal_db_conf_t *db, ngx_str_t *listen, ngx_str_t *value);
static void ngx_http_portal_conf_keyring_free(void *data);


ngx_http_portal_t *
ngx_http_portal_conf_named(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char                        ch;
    ngx_uint_t                    i;
    ngx_http_portal_t            *portal, **p;
    ngx_http_portal_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_portal_module);
    p = pmcf->portals.elts;

    for (i = 0; i < pmcf->portals.nelts; i++) {
        if (p[i]->name.len == name->len
            && ngx_strncmp(p[i]->name.data, name->data, name->len) == 0)
        {
            return p[i];
        }
    }

    /* the name is part of the cookie's */

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')
              || ch == '_'))
        {
            break;
        }
    }

    if (i < name->len || name->len == 0 || name->len > 32) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid portal name \"%V\": 1 to 32 of a-z, 0-9 "
                           "and \"_\"", name);
        return NULL;
    }

    p = ngx_array_push(&pmcf->portals);
    if (p == NULL) {
        return NULL;
    }

    portal = ngx_pcalloc(cf->pool, sizeof(ngx_http_portal_t));
    if (portal == NULL) {
        return NULL;
    }

    portal->name = *name;
    portal->db_conf.portal = *name;
    portal->file = cf->conf_file->file.name;
    portal->line = cf->conf_file->line;

    portal->cookie.len = sizeof("portal-") - 1 + name->len;
    portal->cookie.data = ngx_pnalloc(cf->pool, portal->cookie.len);
    if (portal->cookie.data == NULL) {
        return NULL;
    }

    ngx_sprintf(portal->cookie.data, "portal-%V", name);

    *p = portal;

    return portal;
}


/* NGX_OK: value is "NAME=rest"; NGX_DECLINED: it is not. */

ngx_int_t
ngx_http_portal_param(ngx_str_t *value, const char *name, ngx_str_t *rest)
{
    size_t  len;

    len = ngx_strlen(name);

    if (value->len < len || ngx_strncmp(value->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    rest->data = value->data + len;
    rest->len = value->len - len;

    return NGX_OK;
}


char *
ngx_http_portal_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t             size;
    ngx_int_t           n;
    ngx_str_t          *value, rest, name;
    ngx_uint_t          i, j, sum;
    ngx_http_portal_t  *portal;

    ngx_uint_t          shares[4] = { 40, 48, 8, 4 };
    static const char  *names[4] = {
        "sessions=", "grants=", "limits=", "bans="
    };

    value = cf->args->elts;

    portal = ngx_http_portal_conf_named(cf, &value[1]);
    if (portal == NULL) {
        return NGX_CONF_ERROR;
    }

    if (portal->zone) {
        return "is duplicate";
    }

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (size < 1024 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small: 1m at least",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {

        for (j = 0; j < 4; j++) {
            if (ngx_http_portal_param(&value[i], names[j], &rest) == NGX_OK) {
                break;
            }
        }

        if (j == 4) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        n = ngx_atoi(rest.data, rest.len);

        if (n == NGX_ERROR || n < 1 || n > 97) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid share \"%V\": percent, 1 to 97",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        shares[j] = n;
    }

    for (sum = 0, j = 0; j < 4; j++) {
        sum += shares[j];
    }

    if (sum > 100) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the shares of zone \"%V\" make %ui percent",
                           &value[1], sum);
        return NGX_CONF_ERROR;
    }

    name.len = sizeof("portal_") - 1 + value[1].len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf(name.data, "portal_%V", &value[1]);

    portal->zone = ngx_portal_zone_add(cf, &name, size, shares,
                                       &ngx_http_portal_module);

    return portal->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_portal_conf_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                  *rv;
    ngx_str_t             *value;
    ngx_uint_t             i;
    ngx_http_portal_t     *portal;
    ngx_portal_db_conf_t  *db;

    value = cf->args->elts;

    portal = ngx_http_portal_conf_named(cf, &value[1]);
    if (portal == NULL) {
        return NGX_CONF_ERROR;
    }

    db = &portal->db_conf;

    if (db->conninfo.data) {
        return "is duplicate";
    }

    db->conninfo = value[2];
    portal->listen = value[2];

    db->pool = 4;
    db->queue = 256;
    db->connect_timeout = 1500;
    db->query_timeout = 1800;
    db->idle_timeout = 300 * 1000;
    db->lifetime = 3600 * 1000;
    db->drain_timeout = 500;

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_http_portal_conf_database_param(cf, db, &portal->listen,
                                            &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    rv = ngx_portal_db_check_conninfo(cf->pool, &db->conninfo);

    if (rv == NULL) {
        rv = ngx_portal_db_check_conninfo(cf->pool, &portal->listen);
    }

    if (rv != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "database of portal \"%V\": %s", &value[1], rv);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_portal_conf_database_param(ngx_conf_t *cf, ngx_portal_db_conf_t *db,
    ngx_str_t *listen, ngx_str_t *value)
{
    ngx_int_t    n;
    ngx_str_t    rest;
    ngx_msec_t  *msec;

    msec = NULL;

    if (ngx_http_portal_param(value, "listen=", listen) == NGX_OK) {
        return NGX_CONF_OK;
    }

    if (ngx_http_portal_param(value, "connect_timeout=", &rest) == NGX_OK) {
        msec = &db->connect_timeout;

    } else if (ngx_http_portal_param(value, "query_timeout=", &rest)
               == NGX_OK)
    {
        msec = &db->query_timeout;

    } else if (ngx_http_portal_param(value, "idle_timeout=", &rest)
               == NGX_OK)
    {
        msec = &db->idle_timeout;

    } else if (ngx_http_portal_param(value, "lifetime=", &rest) == NGX_OK) {
        msec = &db->lifetime;
    }

    if (msec) {
        n = ngx_parse_time(&rest, 0);

        if (n == NGX_ERROR || n == 0) {
            goto invalid;
        }

        *msec = n;

        return NGX_CONF_OK;
    }

    if (ngx_http_portal_param(value, "pool=", &rest) == NGX_OK) {
        n = ngx_atoi(rest.data, rest.len);

        if (n == NGX_ERROR || n < 1 || n > 1000) {
            goto invalid;
        }

        db->pool = n;

        return NGX_CONF_OK;
    }

    if (ngx_http_portal_param(value, "queue=", &rest) == NGX_OK) {
        n = ngx_atoi(rest.data, rest.len);

        if (n == NGX_ERROR || n < 1 || n > 100000) {
            goto invalid;
        }

        db->queue = n;

        return NGX_CONF_OK;
    }

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);

    return NGX_CONF_ERROR;
}


static void
ngx_http_portal_conf_keyring_free(void *data)
{
    ngx_memzero(data, sizeof(portal_keyring_t));
}


char *
ngx_http_portal_conf_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char               text[4096];
    ssize_t              n;
    ngx_fd_t             fd;
    ngx_str_t           *value;
    portal_str_t         content;
    portal_error_t       err;
    ngx_file_info_t      fi;
    ngx_http_portal_t   *portal;
    ngx_pool_cleanup_t  *cln;

    value = cf->args->elts;

    portal = ngx_http_portal_conf_named(cf, &value[1]);
    if (portal == NULL) {
        return NGX_CONF_ERROR;
    }

    if (portal->keyring) {
        return "is duplicate";
    }

    if (ngx_conf_full_name(cf->cycle, &value[2], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(value[2].data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &value[2]);
        return NGX_CONF_ERROR;
    }

    n = -1;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", &value[2]);
        goto done;
    }

    if (ngx_file_access(&fi) & 0077) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key file \"%V\" can be read by others: "
                           "its mode must be 0400 or 0600", &value[2]);
        goto done;
    }

    n = ngx_read_fd(fd, text, sizeof(text));

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", &value[2]);
    }

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &value[2]);
    }

    if (n == -1) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(portal_keyring_t));
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_portal_conf_keyring_free;
    portal->keyring = cln->data;
    ngx_memzero(portal->keyring, sizeof(portal_keyring_t));
    ngx_memzero(&err, sizeof(portal_error_t));

    content.data = text;
    content.len = n;

    n = portal_keyring_parse(portal->keyring, &content, &err);
    ngx_memzero(text, sizeof(text));

    if (n != PORTAL_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\":%ui",
                           err.text, &value[2], (ngx_uint_t) err.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
