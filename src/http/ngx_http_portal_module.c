
/*
 * Copyright (C) the nginx client portal authors
 *
 * The module: its contexts, the phases it takes part in, the workers' life.
 *
 *     post-read    takes our cookies out of the request (before the log too)
 *     access       the gate (re-entrant, takes no count)
 *     precontent   the gate again where the access phase was skipped
 *     content      reads the body, asks PostgreSQL, answers
 */


#include "ngx_http_portal.h"
#include <sodium.h>


static ngx_int_t ngx_http_portal_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_portal_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_portal_init_process(ngx_cycle_t *cycle);
static void ngx_http_portal_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_portal_phase(ngx_http_core_main_conf_t *cmcf,
    ngx_uint_t phase, ngx_http_handler_pt handler);


static ngx_http_module_t  ngx_http_portal_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_portal_init,                  /* postconfiguration */

    ngx_http_portal_create_main_conf,      /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_portal_create_loc_conf,       /* create location configuration */
    ngx_http_portal_merge_loc_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_portal_module = {
    NGX_MODULE_V1,
    &ngx_http_portal_module_ctx,           /* module context */
    ngx_http_portal_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_portal_init_module,           /* init module */
    ngx_http_portal_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_portal_exit_process,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_portal_phase(ngx_http_core_main_conf_t *cmcf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt  *h;

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_init(ngx_conf_t *cf)
{
    ngx_array_t                  *log;
    ngx_http_handler_pt          *h;
    ngx_http_core_main_conf_t    *cmcf;
    ngx_http_portal_main_conf_t  *pmcf;

    static ngx_str_t  request_id = ngx_string("request_id");

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_portal_module);

    if (pmcf->locations.nelts == 0) {
        return NGX_OK;
    }

    pmcf->request_id = ngx_http_get_variable_index(cf, &request_id);

    if (pmcf->request_id == NGX_ERROR
        || ngx_http_portal_check(cf, pmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (ngx_http_portal_phase(cmcf, NGX_HTTP_POST_READ_PHASE,
                              ngx_http_portal_cookie_handler)
        != NGX_OK
        || ngx_http_portal_phase(cmcf, NGX_HTTP_SERVER_REWRITE_PHASE,
                                 ngx_http_portal_discarded_handler)
           != NGX_OK
        || ngx_http_portal_phase(cmcf, NGX_HTTP_ACCESS_PHASE,
                                 ngx_http_portal_access_handler)
           != NGX_OK
        || ngx_http_portal_phase(cmcf, NGX_HTTP_PRECONTENT_PHASE,
                                 ngx_http_portal_precontent_handler)
           != NGX_OK
        || ngx_http_portal_phase(cmcf, NGX_HTTP_LOG_PHASE,
                                 ngx_http_portal_cookie_handler)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* what nginx refuses before the first phase is logged all the same */

    log = &cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;
    h = log->elts;

    ngx_memmove(&h[1], h, (log->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = ngx_http_portal_cookie_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_init_module(ngx_cycle_t *cycle)
{
    if (sodium_init() < 0) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "sodium_init() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_init_process(ngx_cycle_t *cycle)
{
    ngx_http_portal_main_conf_t  *pmcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_portal_module);
    if (pmcf == NULL || pmcf->locations.nelts == 0) {
        return NGX_OK;
    }

    return ngx_http_portal_init_worker(cycle, pmcf);
}


static void
ngx_http_portal_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_portal_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_portal_module);
    if (pmcf == NULL || pmcf->locations.nelts == 0) {
        return;
    }

    ngx_http_portal_exit_worker(pmcf);
}
