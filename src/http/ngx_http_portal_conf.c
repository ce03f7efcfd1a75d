
/*
 * Copyright (C) the nginx client portal authors
 *
 * The directives: parsing and inheritance.  What needs the whole
 * configuration is checked afterwards, in ngx_http_portal_check.c.
 */


#include "ngx_http_portal.h"


static ngx_http_portal_t *ngx_http_portal_named(ngx_conf_t *cf,
    ngx_str_t *name);
static char *ngx_http_portal_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_database_param(ngx_conf_t *cf,
    ngx_portal_db_conf_t *db, ngx_str_t *listen, ngx_str_t *value);
static char *ngx_http_portal_key_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_portal_url(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, ngx_str_t *url);
static char *ngx_http_portal_storage(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_list(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_page(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_page_param(ngx_conf_t *cf,
    ngx_http_portal_route_t *route, ngx_str_t *value);
static char *ngx_http_portal_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_session(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_portal_password_conf(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_portal_param(ngx_str_t *value, const char *name,
    ngx_str_t *rest);
static void ngx_http_portal_keyring_free(void *data);


ngx_command_t  ngx_http_portal_commands[] = {

    { ngx_string("portal_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_portal_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_portal_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_portal_key_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_portal,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_storage"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_portal_storage,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_templates"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_list,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_portal_loc_conf_t, templates),
      NULL },

    { ngx_string("portal_locale"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_list,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_portal_loc_conf_t, locales),
      NULL },

    { ngx_string("portal_page"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_portal_page,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_set"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_TAKE2,
      ngx_http_portal_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_session,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_password"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_password_conf,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_regex_ok"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_portal_loc_conf_t, regex_ok),
      NULL },

      ngx_null_command
};


void *
ngx_http_portal_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_portal_main_conf_t  *pmcf;

    pmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_portal_main_conf_t));
    if (pmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&pmcf->portals, cf->pool, 2,
                       sizeof(ngx_http_portal_t *))
        != NGX_OK
        || ngx_array_init(&pmcf->locations, cf->pool, 2,
                          sizeof(ngx_http_portal_loc_conf_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return pmcf;
}


void *
ngx_http_portal_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_portal_loc_conf_t  *plcf;

    plcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_portal_loc_conf_t));
    if (plcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     plcf->portal = NULL;
     *     plcf->storage = { 0, NULL };
     *     plcf->router = NULL;
     */

    plcf->templates = NGX_CONF_UNSET_PTR;
    plcf->locales = NGX_CONF_UNSET_PTR;
    plcf->pages = NGX_CONF_UNSET_PTR;
    plcf->sets = NGX_CONF_UNSET_PTR;
    plcf->regex_ok = NGX_CONF_UNSET;
    plcf->idle = NGX_CONF_UNSET;
    plcf->absolute = NGX_CONF_UNSET;
    plcf->staff_idle = NGX_CONF_UNSET;
    plcf->staff_absolute = NGX_CONF_UNSET;
    plcf->secure = NGX_CONF_UNSET;
    plcf->ops = NGX_CONF_UNSET_UINT;
    plcf->memory = NGX_CONF_UNSET_SIZE;
    plcf->threads = NGX_CONF_UNSET_UINT;
    plcf->queue = NGX_CONF_UNSET_UINT;

    /* where the block begins: told with mistakes found later */

    if (cf->conf_file) {
        plcf->file = cf->conf_file->file.name;
        plcf->line = cf->conf_file->line;
    }

    return plcf;
}


char *
ngx_http_portal_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_portal_loc_conf_t  *prev = parent;
    ngx_http_portal_loc_conf_t  *conf = child;

    ngx_keyval_t              *set;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && conf->portal == NULL && prev->portal) {

        /* "if" and "limit_except" inside the location: the same portal */

        *conf = *prev;

        return NGX_CONF_OK;
    }

    ngx_conf_merge_ptr_value(conf->templates, prev->templates, NULL);
    ngx_conf_merge_ptr_value(conf->locales, prev->locales, NULL);
    ngx_conf_merge_value(conf->regex_ok, prev->regex_ok, 0);

    ngx_conf_merge_value(conf->idle, prev->idle, 30 * 60);
    ngx_conf_merge_value(conf->absolute, prev->absolute, 12 * 3600);
    ngx_conf_merge_value(conf->staff_idle, prev->staff_idle, 15 * 60);
    ngx_conf_merge_value(conf->staff_absolute, prev->staff_absolute,
                         8 * 3600);
    ngx_conf_merge_value(conf->secure, prev->secure, 1);

    ngx_conf_merge_uint_value(conf->ops, prev->ops, 2);
    ngx_conf_merge_size_value(conf->memory, prev->memory, 64 * 1024 * 1024);
    ngx_conf_merge_uint_value(conf->threads, prev->threads, 1);
    ngx_conf_merge_uint_value(conf->queue, prev->queue, 32);

    if (conf->pages == NGX_CONF_UNSET_PTR) {
        conf->pages = NULL;
    }

    /* portal_set adds to what is set further out */

    if (conf->sets == NGX_CONF_UNSET_PTR) {
        conf->sets = prev->sets;

    } else if (prev->sets != NGX_CONF_UNSET_PTR && prev->sets != NULL) {
        set = ngx_array_push_n(conf->sets, prev->sets->nelts);
        if (set == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(set, prev->sets->elts,
                   prev->sets->nelts * sizeof(ngx_keyval_t));
    }

    if (conf->sets == NGX_CONF_UNSET_PTR) {
        conf->sets = NULL;
    }

    return NGX_CONF_OK;
}


static ngx_http_portal_t *
ngx_http_portal_named(ngx_conf_t *cf, ngx_str_t *name)
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

static ngx_int_t
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


static char *
ngx_http_portal_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    portal = ngx_http_portal_named(cf, &value[1]);
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


static char *
ngx_http_portal_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                  *rv;
    ngx_str_t             *value;
    ngx_uint_t             i;
    ngx_http_portal_t     *portal;
    ngx_portal_db_conf_t  *db;

    value = cf->args->elts;

    portal = ngx_http_portal_named(cf, &value[1]);
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
        rv = ngx_http_portal_database_param(cf, db, &portal->listen,
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
ngx_http_portal_database_param(ngx_conf_t *cf, ngx_portal_db_conf_t *db,
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
ngx_http_portal_keyring_free(void *data)
{
    ngx_memzero(data, sizeof(portal_keyring_t));
}


static char *
ngx_http_portal_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    portal = ngx_http_portal_named(cf, &value[1]);
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

    cln->handler = ngx_http_portal_keyring_free;
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


static char *
ngx_http_portal(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_portal_loc_conf_t *plcf = conf;

    ngx_str_t                    *value;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_portal_loc_conf_t  **p;
    ngx_http_portal_main_conf_t  *pmcf;

    if (plcf->portal) {
        return "is duplicate";
    }

    value = cf->args->elts;

    plcf->portal = ngx_http_portal_named(cf, &value[1]);
    if (plcf->portal == NULL) {
        return NGX_CONF_ERROR;
    }

    plcf->portal->used = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->named || clcf->exact_match || clcf->noname
#if (NGX_PCRE)
        || clcf->regex
#endif
        || clcf->name.len == 0
        || clcf->name.data[clcf->name.len - 1] != '/')
    {
        return "needs a prefix location whose name ends with \"/\"";
    }

    plcf->mount = clcf->name;
    plcf->location = clcf;
    plcf->server = ngx_http_conf_get_module_srv_conf(cf,
                                                     ngx_http_core_module);

    if (ngx_http_portal_url(cf, plcf, &value[2]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_http_portal_content_handler;
    clcf->auto_redirect = 1;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_portal_module);

    p = ngx_array_push(&pmcf->locations);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    *p = plcf;

    return NGX_CONF_OK;
}


static char *
ngx_http_portal_url(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf,
    ngx_str_t *url)
{
    u_char  *p, *last;

    last = url->data + url->len;

    if (url->len > 8 && ngx_strncmp(url->data, "https://", 8) == 0) {
        p = url->data + 8;

    } else if (url->len > 7 && ngx_strncmp(url->data, "http://", 7) == 0) {
        p = url->data + 7;

    } else {
        goto invalid;
    }

    p = ngx_strlchr(p, last, '/');
    if (p == NULL) {
        goto invalid;
    }

    plcf->url = *url;
    plcf->origin.data = url->data;
    plcf->origin.len = p - url->data;

    if ((size_t) (last - p) != plcf->mount.len
        || ngx_strncmp(p, plcf->mount.data, plcf->mount.len) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "base URL \"%V\" does not end with the location's "
                           "name \"%V\"", url, &plcf->mount);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid base URL \"%V\": http(s)://HOST/PATH/", url);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_portal_storage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_portal_loc_conf_t *plcf = conf;

    ngx_str_t   *value;
    ngx_path_t  *path;

    if (plcf->storage.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    plcf->storage = value[1];

    if (ngx_conf_full_name(cf->cycle, &plcf->storage, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (plcf->storage.len > 1
           && plcf->storage.data[plcf->storage.len - 1] == '/')
    {
        plcf->storage.len--;
    }

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    path->name.len = plcf->storage.len + sizeof("/tmp") - 1;
    path->name.data = ngx_pnalloc(cf->pool, path->name.len + 1);
    if (path->name.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf(path->name.data, "%V/tmp%Z", &plcf->storage);

    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    if (ngx_add_path(cf, &path) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    plcf->temp = path;

    return NGX_CONF_OK;
}


static char *
ngx_http_portal_list(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t    *value, *s;
    ngx_uint_t    i;
    ngx_array_t **list;

    list = (ngx_array_t **) (p + cmd->offset);

    if (*list != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    *list = ngx_array_create(cf->pool, cf->args->nelts - 1,
                             sizeof(ngx_str_t));
    if (*list == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        s = ngx_array_push(*list);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = value[i];

        if (cmd->offset == offsetof(ngx_http_portal_loc_conf_t, templates)) {
            if (ngx_conf_full_name(cf->cycle, s, 1) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (s->len != 2 || s->data[0] < 'a' || s->data[0] > 'z'
            || s->data[1] < 'a' || s->data[1] > 'z'
            || i > NGX_HTTP_PORTAL_LOCALES)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid locale \"%V\": up to %d codes of two "
                               "letters", s, NGX_HTTP_PORTAL_LOCALES);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_portal_page(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_portal_loc_conf_t *plcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_portal_route_t   *route, **p;

    static ngx_str_t   names[] = {
        ngx_string("GET"), ngx_string("POST"), ngx_string("PUT"),
        ngx_string("DELETE"), ngx_string("PATCH"), ngx_null_string
    };

    static ngx_uint_t  methods[] = {
        PORTAL_METHOD_GET, PORTAL_METHOD_POST, PORTAL_METHOD_PUT,
        PORTAL_METHOD_DELETE, PORTAL_METHOD_PATCH
    };

    value = cf->args->elts;

    if (cf->args->nelts < 4) {
        return "needs a method, a path and a name";
    }

    route = ngx_pcalloc(cf->pool, sizeof(ngx_http_portal_route_t));
    if (route == NULL) {
        return NGX_CONF_ERROR;
    }

    route->file = cf->conf_file->file.name;
    route->line = cf->conf_file->line;
    route->access = NGX_HTTP_PORTAL_ANY;

    for (i = 0; names[i].len; i++) {
        if (value[1].len == names[i].len
            && ngx_strncmp(value[1].data, names[i].data, names[i].len) == 0)
        {
            route->method = methods[i];
        }
    }

    if (route->method == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid method \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    route->path = value[2];

    if (value[3].len != 1 || value[3].data[0] != '-') {
        route->name = value[3];

        if (route->method == PORTAL_METHOD_GET) {
            route->template = value[3];
        }
    }

    for (i = 4; i < cf->args->nelts; i++) {
        rv = ngx_http_portal_page_param(cf, route, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (plcf->pages == NGX_CONF_UNSET_PTR) {
        plcf->pages = ngx_array_create(cf->pool, 32,
                                       sizeof(ngx_http_portal_route_t *));
        if (plcf->pages == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    /* a later line replaces an earlier one: so a site overrides ours */

    p = plcf->pages->elts;

    for (i = 0; i < plcf->pages->nelts; i++) {
        if (p[i]->method == route->method
            && p[i]->path.len == route->path.len
            && ngx_strncmp(p[i]->path.data, route->path.data,
                           route->path.len) == 0)
        {
            p[i] = route;
            return NGX_CONF_OK;
        }
    }

    p = ngx_array_push(plcf->pages);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    *p = route;

    return NGX_CONF_OK;
}


static char *
ngx_http_portal_page_param(ngx_conf_t *cf, ngx_http_portal_route_t *route,
    ngx_str_t *value)
{
    ssize_t     size;
    ngx_str_t   rest;
    ngx_uint_t  i;

    static ngx_str_t  levels[] = {
        ngx_string("public"), ngx_string("any"), ngx_string("client"),
        ngx_string("staff"), ngx_string("admin"), ngx_null_string
    };

    if (ngx_http_portal_param(value, "access=", &rest) == NGX_OK) {

        for (i = 0; levels[i].len; i++) {
            if (rest.len == levels[i].len
                && ngx_strncmp(rest.data, levels[i].data, rest.len) == 0)
            {
                route->access = i;
                return NGX_CONF_OK;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown access level \"%V\": public, any, "
                           "client, staff or admin", &rest);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_portal_param(value, "template=", &rest) == NGX_OK) {
        route->template = rest;

        if (rest.len == 1 && rest.data[0] == '-') {
            ngx_str_null(&route->template);
        }

        return NGX_CONF_OK;
    }

    if (ngx_http_portal_param(value, "action=", &rest) == NGX_OK) {
        route->action = ngx_http_portal_action(&rest);

        if (route->action == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown action \"%V\"", &rest);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (ngx_http_portal_param(value, "body=", &rest) == NGX_OK) {
        size = ngx_parse_size(&rest);

        if (size != NGX_ERROR && size > 0) {
            route->body = size;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", value);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_portal_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_portal_loc_conf_t *plcf = conf;

    ngx_str_t     *value;
    ngx_keyval_t  *set;

    if (plcf->sets == NGX_CONF_UNSET_PTR) {
        plcf->sets = ngx_array_create(cf->pool, 8, sizeof(ngx_keyval_t));
        if (plcf->sets == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    set = ngx_array_push(plcf->sets);
    if (set == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    set->key = value[1];
    set->value = value[2];

    return NGX_CONF_OK;
}


static char *
ngx_http_portal_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_portal_loc_conf_t *plcf = conf;

    time_t       t, *field;
    ngx_str_t   *value, rest;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_portal_param(&value[i], "secure=", &rest) == NGX_OK) {

            if (rest.len == 2 && ngx_strncmp(rest.data, "on", 2) == 0) {
                plcf->secure = 1;
                continue;
            }

            if (rest.len == 3 && ngx_strncmp(rest.data, "off", 3) == 0) {
                plcf->secure = 0;
                continue;
            }

            goto invalid;
        }

        if (ngx_http_portal_param(&value[i], "idle=", &rest) == NGX_OK) {
            field = &plcf->idle;

        } else if (ngx_http_portal_param(&value[i], "absolute=", &rest)
                   == NGX_OK)
        {
            field = &plcf->absolute;

        } else if (ngx_http_portal_param(&value[i], "staff_idle=", &rest)
                   == NGX_OK)
        {
            field = &plcf->staff_idle;

        } else if (ngx_http_portal_param(&value[i], "staff_absolute=", &rest)
                   == NGX_OK)
        {
            field = &plcf->staff_absolute;

        } else {
            goto invalid;
        }

        t = ngx_parse_time(&rest, 1);

        if (t == (time_t) NGX_ERROR || t < 60 || t > 31 * 86400) {
            goto invalid;
        }

        *field = t;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\"", &value[i]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_portal_password_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_portal_loc_conf_t *plcf = conf;

    ssize_t      size;
    ngx_int_t    n;
    ngx_str_t   *value, rest;
    ngx_uint_t   i, min, max, *field;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_portal_param(&value[i], "memory=", &rest) == NGX_OK) {
            size = ngx_parse_size(&rest);

            if (size == NGX_ERROR || size < 19 * 1024 * 1024
                || size > 256 * 1024 * 1024)
            {
                goto invalid;
            }

            plcf->memory = size;
            continue;
        }

        if (ngx_http_portal_param(&value[i], "ops=", &rest) == NGX_OK) {
            field = &plcf->ops;
            min = 2;
            max = 10;

        } else if (ngx_http_portal_param(&value[i], "threads=", &rest)
                   == NGX_OK)
        {
            field = &plcf->threads;
            min = 1;
            max = 64;

        } else if (ngx_http_portal_param(&value[i], "queue=", &rest)
                   == NGX_OK)
        {
            field = &plcf->queue;
            min = 1;
            max = 1024;

        } else {
            goto invalid;
        }

        n = ngx_atoi(rest.data, rest.len);

        if (n == NGX_ERROR || (ngx_uint_t) n < min || (ngx_uint_t) n > max) {
            goto invalid;
        }

        *field = n;
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\": argon2id memory 19m to "
                       "256m, ops 2 to 10, threads 1 to 64, queue 1 to 1024",
                       &value[i]);

    return NGX_CONF_ERROR;
}
