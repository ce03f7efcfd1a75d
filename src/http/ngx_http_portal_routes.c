
/*
 * Copyright (C) the nginx client portal authors
 *
 * The router of a location, made of its portal_page lines at the end of the
 * configuration, when it is known which lines were replaced.
 */


#include "ngx_http_portal.h"


static const char *ngx_http_portal_route_wrong(
    ngx_http_portal_route_t *route);


ngx_int_t
ngx_http_portal_router(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    ngx_uint_t                 i;
    const char                *wrong;
    portal_arena_t            *arena;
    portal_error_t             err;
    ngx_http_portal_route_t  **route;

    arena = ngx_palloc(cf->pool, sizeof(portal_arena_t));
    if (arena == NULL) {
        return NGX_ERROR;
    }

    ngx_portal_arena_init(arena, cf->pool);

    plcf->router = portal_router_create(arena);
    if (plcf->router == NULL) {
        return NGX_ERROR;
    }

    plcf->max_bytes = plcf->location->client_max_body_size;

    route = plcf->pages->elts;

    for (i = 0; i < plcf->pages->nelts; i++) {

        if (route[i]->action && route[i]->action->upload && route[i]->body
            && (plcf->max_bytes == 0
                || (off_t) route[i]->body < plcf->max_bytes))
        {
            plcf->max_bytes = route[i]->body;
        }

        wrong = ngx_http_portal_route_wrong(route[i]);

        if (wrong) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "portal_page \"%V\" %s in %V:%ui",
                          &route[i]->path, wrong, &route[i]->file,
                          route[i]->line);
            return NGX_ERROR;
        }

        ngx_memzero(&err, sizeof(portal_error_t));

        if (portal_router_add(plcf->router, route[i]->method,
                              ngx_portal_str(&route[i]->path), route[i],
                              &err)
            != PORTAL_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "portal_page \"%V\": %s in %V:%ui",
                          &route[i]->path,
                          err.text[0] ? err.text : "no memory",
                          &route[i]->file, route[i]->line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A line that could be parsed and yet can answer nothing, or too much. */

static const char *
ngx_http_portal_route_wrong(ngx_http_portal_route_t *route)
{
    ngx_str_t                 *reserved;
    ngx_http_portal_action_t  *action;

    static ngx_str_t  names[] = {
        ngx_string("/c/"), ngx_string("/assets/"), ngx_string("/_error/"),
        ngx_null_string
    };

    for (reserved = names; reserved->len; reserved++) {
        if (route->path.len >= reserved->len
            && ngx_strncmp(route->path.data, reserved->data, reserved->len)
               == 0)
        {
            return "has a path that the portal itself needs";
        }
    }

    action = route->action;

    if (route->body > NGX_HTTP_PORTAL_FORM_MAX
        && (action == NULL || !action->upload))
    {
        return "has a \"body\" that only an upload may have, 64k is the most";
    }

    if (action == NULL) {

        if (route->name.len == 0 && route->template.len == 0) {
            return "has neither a page function, a template nor an action";
        }

        if (route->name.len == 0 && route->method != PORTAL_METHOD_GET) {
            return "has neither a page function nor an action";
        }

        return NULL;
    }

    if (action->get && route->method != PORTAL_METHOD_GET) {
        return "has an action of GET";
    }

    if (!action->get && route->method == PORTAL_METHOD_GET) {
        return "has an action that is not of GET";
    }

    if (action->named && route->name.len == 0) {
        return "has an action that needs a page function";
    }

    if (action->viewed && route->template.len == 0) {
        return "has an action that needs a template";
    }

    if (action->closed && route->access == NGX_HTTP_PORTAL_PUBLIC) {
        return "has an action that cannot be public";
    }

    return NULL;
}
