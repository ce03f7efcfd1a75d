
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the files that parse directives share; private to them.
 */


#ifndef _NGX_HTTP_PORTAL_CONF_H_INCLUDED_
#define _NGX_HTTP_PORTAL_CONF_H_INCLUDED_


#include "ngx_http_portal.h"


/* The portal of this name, made when it is first named; NULL: logged. */
ngx_http_portal_t *ngx_http_portal_conf_named(ngx_conf_t *cf,
    ngx_str_t *name);

/* NGX_OK: value is NAME and rest, NAME with its "="; else NGX_DECLINED. */
ngx_int_t ngx_http_portal_param(ngx_str_t *value, const char *name,
    ngx_str_t *rest);

/* the directives */
char *ngx_http_portal_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_key_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_portal(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_storage(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_list(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_page(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_session(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_portal_conf_password(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_PORTAL_CONF_H_INCLUDED_ */
