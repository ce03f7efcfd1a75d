
/*
 * Copyright (C) the nginx client portal authors
 *
 * Directives of a portal location: where it is mounted, its storage, its
 * folders and languages, its pages, limits of sessions and passwords.
 */


#include "ngx_http_portal.h"
#include "ngx_http_portal_conf.h"


static char *ngx_http_portal_conf_url(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, ngx_str_t *url);
static char *ngx_http_portal_conf_page_param(ngx_conf_t *cf,
    ngx_http_portal_route_t *route, ngx_str_t *value);


char *
ngx_http_portal_conf_portal(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

    plcf->portal = ngx_http_portal_conf_named(cf, &value[1]);
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

    if (ngx_http_portal_conf_url(cf, plcf, &value[2]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (clcf->handler) {
        return "needs a location without another content handler, as of "
               "\"proxy_pass\"";
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
ngx_http_portal_conf_url(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf,
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


char *
ngx_http_portal_conf_storage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_portal_conf_list(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_portal_conf_page(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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
        rv = ngx_http_portal_conf_page_param(cf, route, &value[i]);
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
ngx_http_portal_conf_page_param(ngx_conf_t *cf, ngx_http_portal_route_t *route,
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


char *
ngx_http_portal_conf_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_portal_conf_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_portal_conf_password(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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
