
/*
 * Copyright (C) the nginx client portal authors
 *
 * The directives' table, and inheritance.  They are parsed in
 * ngx_http_portal_conf_portal.c (those of a named portal) and
 * ngx_http_portal_conf_location.c; what needs the whole configuration is
 * checked afterwards, in ngx_http_portal_check.c.
 */


#include "ngx_http_portal.h"
#include "ngx_http_portal_conf.h"


ngx_command_t  ngx_http_portal_commands[] = {

    { ngx_string("portal_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_portal_conf_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_portal_conf_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_portal_conf_key_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_portal_conf_portal,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_storage"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_portal_conf_storage,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_templates"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_conf_list,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_portal_loc_conf_t, templates),
      NULL },

    { ngx_string("portal_locale"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_conf_list,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_portal_loc_conf_t, locales),
      NULL },

    { ngx_string("portal_page"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_portal_conf_page,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_set"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_TAKE2,
      ngx_http_portal_conf_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_conf_session,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("portal_password"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF
                        |NGX_CONF_1MORE,
      ngx_http_portal_conf_password,
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

#if (PORTAL_TEST)

    /* the worker's own checks off: the database has to hold alone */

    { ngx_string("portal_test_open"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_portal_loc_conf_t, test_open),
      NULL },

#endif

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
           != NGX_OK
        || ngx_array_init(&pmcf->blocks, cf->pool, 2,
                          sizeof(ngx_http_portal_block_t))
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
#if (PORTAL_TEST)
    plcf->test_open = NGX_CONF_UNSET;
#endif
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

    ngx_keyval_t                 *set;
    ngx_http_portal_block_t      *block;
    ngx_http_portal_route_t     **route;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_portal_main_conf_t  *pmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && conf->portal == NULL && prev->portal) {

        /*
         * "if" and "limit_except" inside the location: the same portal,
         * when that is complete
         */

        pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_portal_module);

        block = ngx_array_push(&pmcf->blocks);
        if (block == NULL) {
            return NGX_CONF_ERROR;
        }

        block->clcf = clcf;
        block->conf = conf;
        block->outer = prev;
        block->file = conf->file;
        block->line = conf->line;

        *conf = *prev;

        return NGX_CONF_OK;
    }

    if (conf->portal == NULL && conf->pages != NGX_CONF_UNSET_PTR) {
        route = conf->pages->elts;

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"portal_page\" in a location without \"portal\" in "
                      "%V:%ui", &route[0]->file, route[0]->line);
        return NGX_CONF_ERROR;
    }

    ngx_conf_merge_ptr_value(conf->templates, prev->templates, NULL);
    ngx_conf_merge_ptr_value(conf->locales, prev->locales, NULL);
    ngx_conf_merge_value(conf->regex_ok, prev->regex_ok, 0);
#if (PORTAL_TEST)
    ngx_conf_merge_value(conf->test_open, prev->test_open, 0);
#endif

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
