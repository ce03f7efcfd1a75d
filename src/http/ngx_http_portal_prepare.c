
/*
 * Copyright (C) the nginx client portal authors
 *
 * Makes a portal location ready once the whole configuration is known:
 * threads, templates and routes, what it needs of the core's own settings,
 * error pages of its own.
 */


#include "ngx_http_portal.h"
#include "portal_text.h"
#include "portal_type.h"


#define NGX_HTTP_PORTAL_OPEN_FILES  128


static void ngx_http_portal_adapt(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_portal_loc_conf_t *plcf);
static void ngx_http_portal_no_ssi(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf);
static ngx_open_file_cache_t *ngx_http_portal_cache(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_limits(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_error_pages(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_site(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_accept(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);


ngx_int_t
ngx_http_portal_prepare(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    static ngx_str_t  passwords = ngx_string("portal_password");
    static ngx_str_t  files = ngx_string("portal_files");

    ngx_http_portal_adapt(cf, plcf->location, plcf);

    plcf->cache = ngx_http_portal_cache(cf, plcf);
    if (plcf->cache == NULL) {
        return NGX_ERROR;
    }

    /* a thread that is to take its next task finds it in the queue */

    plcf->passwords = ngx_portal_thread_pool(cf, &passwords, plcf->threads,
                                             plcf->queue + plcf->threads);
    plcf->portal->files = ngx_portal_thread_pool(cf, &files, 2, 256);
    plcf->portal->temp = plcf->temp;

    if (plcf->passwords == NULL || plcf->portal->files == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_portal_site(cf, plcf) != NGX_OK
        || ngx_http_portal_accept(cf, plcf) != NGX_OK
        || ngx_http_portal_views(cf, plcf) != NGX_OK
        || ngx_http_portal_router(cf, plcf) != NGX_OK
        || ngx_http_portal_error_pages(cf, plcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_portal_limits(cf, plcf->location, plcf);
}


ngx_int_t
ngx_http_portal_prepare_block(ngx_conf_t *cf, ngx_http_portal_block_t *block)
{
    *block->conf = *block->outer;

    block->clcf->handler = ngx_http_portal_content_handler;
    block->clcf->error_pages = block->conf->location->error_pages;
    ngx_http_portal_adapt(cf, block->clcf, block->conf);

    return ngx_http_portal_limits(cf, block->clcf, block->conf);
}


/* What of the core's own settings a portal location needs. */

static void
ngx_http_portal_adapt(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_portal_loc_conf_t *plcf)
{
    ngx_http_portal_no_ssi(cf, clcf);

    /* forms are read into one buffer, uploads into the store's own tmp/ */

    if (clcf->client_body_buffer_size < 2 * NGX_HTTP_PORTAL_FORM_MAX) {
        clcf->client_body_buffer_size = 2 * NGX_HTTP_PORTAL_FORM_MAX;
    }

    clcf->client_body_temp_path = plcf->temp;
    clcf->client_body_in_file_only = 0;

    if (clcf->max_ranges > 1) {
        clcf->max_ranges = 1;
    }

    /* the page of an error may be refused in its turn, but no third time */

    clcf->recursive_error_pages = 0;

    /* a refusal is to be read before the connection goes */

    if (clcf->lingering_close == NGX_HTTP_LINGERING_OFF) {
        clcf->lingering_close = NGX_HTTP_LINGERING_ON;
    }
}


/*
 * A page that somebody deposited may hold SSI commands, and an "ssi on" of
 * the site would run them: with the site's rights, past its access rules.
 * The filter's configuration is private; its directive knows the place.
 */

static void
ngx_http_portal_no_ssi(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    char           *conf;
    ngx_uint_t      i;
    ngx_module_t   *m;
    ngx_command_t  *cmd;

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (m->type != NGX_HTTP_MODULE
            || ngx_strcmp(m->name, "ngx_http_ssi_filter_module") != 0)
        {
            continue;
        }

        conf = clcf->loc_conf[m->ctx_index];

        for (cmd = m->commands; cmd->name.len; cmd++) {
            if (ngx_strcmp(cmd->name.data, "ssi") == 0) {
                *(ngx_flag_t *) (conf + cmd->offset) = 0;
            }
        }
    }
}


/*
 * The site's own cache of open files, where it has one; else one for all
 * portals, small: each entry is a descriptor of the worker.
 */

static ngx_open_file_cache_t *
ngx_http_portal_cache(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    ngx_http_portal_main_conf_t  *pmcf;

    if (plcf->location->open_file_cache) {
        return plcf->location->open_file_cache;
    }

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_portal_module);

    if (pmcf->cache == NULL) {
        pmcf->cache = ngx_open_file_cache_init(cf->pool,
                                               NGX_HTTP_PORTAL_OPEN_FILES,
                                               20);
    }

    return pmcf->cache;
}


/*
 * The core stops reading a body of unknown length at the location's limit
 * only; an upload with a lower one is read under a copy of the location.
 */

static ngx_int_t
ngx_http_portal_limits(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_portal_loc_conf_t *plcf)
{
    size_t                      len;
    void                      **conf;
    ngx_uint_t                  i;
    ngx_http_portal_limit_t    *limit;
    ngx_http_portal_route_t   **route;
    ngx_http_core_loc_conf_t   *copy;

    plcf->limits = ngx_array_create(cf->pool, 1,
                                    sizeof(ngx_http_portal_limit_t));
    if (plcf->limits == NULL) {
        return NGX_ERROR;
    }

    len = ngx_http_max_module * sizeof(void *);
    route = plcf->pages->elts;

    for (i = 0; i < plcf->pages->nelts; i++) {

        if (route[i]->body == 0 || route[i]->action == NULL
            || !route[i]->action->upload
            || (clcf->client_max_body_size
                && clcf->client_max_body_size <= (off_t) route[i]->body))
        {
            continue;
        }

        limit = ngx_array_push(plcf->limits);
        conf = ngx_palloc(cf->pool, len);
        copy = ngx_palloc(cf->pool, sizeof(ngx_http_core_loc_conf_t));

        if (limit == NULL || conf == NULL || copy == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(conf, clcf->loc_conf, len);
        ngx_memcpy(copy, clcf, sizeof(ngx_http_core_loc_conf_t));

        copy->client_max_body_size = route[i]->body;
        copy->loc_conf = conf;
        conf[ngx_http_core_module.ctx_index] = copy;

        limit->route = route[i];
        limit->loc_conf = conf;
    }

    return NGX_OK;
}


/*
 * The site's error_page never replaces our answers; what nginx itself
 * refuses in our location comes back to it as an internal request.
 */

static ngx_int_t
ngx_http_portal_error_pages(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    u_char               *p;
    ngx_uint_t            i;
    ngx_http_err_page_t  *err;

    static ngx_uint_t  statuses[] = {
        400, 403, 405, 408, 411, 413, 414, 415, 429, 500, 501, 502, 503, 504,
        505, 507, 0
    };

    plcf->location->error_pages = ngx_array_create(cf->pool, 16,
                                                sizeof(ngx_http_err_page_t));
    if (plcf->location->error_pages == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; statuses[i]; i++) {
        err = ngx_array_push(plcf->location->error_pages);
        if (err == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(err, sizeof(ngx_http_err_page_t));

        p = ngx_pnalloc(cf->pool, plcf->mount.len + sizeof("_error/NNN"));
        if (p == NULL) {
            return NGX_ERROR;
        }

        err->status = statuses[i];
        err->overwrite = -1;
        err->value.value.data = p;
        p = ngx_sprintf(p, "%V_error/%ui", &plcf->mount, statuses[i]);
        err->value.value.len = p - err->value.value.data;
    }

    return NGX_OK;
}


/* portal_set as the JSON object that templates read under "site" */

static ngx_int_t
ngx_http_portal_site(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    ngx_uint_t       i, j;
    ngx_keyval_t    *set;
    portal_buf_t     b;
    portal_arena_t   arena;

    ngx_portal_arena_init(&arena, cf->pool);
    portal_buf_init(&b, &arena, NGX_HTTP_PORTAL_FORM_MAX);

    set = plcf->sets ? plcf->sets->elts : NULL;

    portal_buf_puts(&b, "{");

    for (i = 0; plcf->sets && i < plcf->sets->nelts; i++) {

        /* the first of a name wins: the innermost level */

        for (j = 0; j < i; j++) {
            if (set[j].key.len == set[i].key.len
                && ngx_strncmp(set[j].key.data, set[i].key.data,
                               set[i].key.len)
                   == 0)
            {
                break;
            }
        }

        if (j < i) {
            continue;
        }

        if (!portal_utf8_valid(set[i].value.data, set[i].value.len)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "value of portal_set \"%V\" is not UTF-8 in "
                          "%V:%ui", &set[i].key, &plcf->file, plcf->line);
            return NGX_ERROR;
        }

        portal_buf_puts(&b, b.len > 1 ? "," : "");
        portal_buf_json(&b, ngx_portal_str(&set[i].key));
        portal_buf_puts(&b, ":");
        portal_buf_json(&b, ngx_portal_str(&set[i].value));
    }

    if (portal_buf_puts(&b, "}") != PORTAL_OK) {
        return NGX_ERROR;
    }

    plcf->site.data = b.data;
    plcf->site.len = b.len;

    return NGX_OK;
}


/* What may be deposited, as the file picker of a form wants it. */

static ngx_int_t
ngx_http_portal_accept(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    portal_buf_t    b;
    portal_arena_t  arena;

    ngx_portal_arena_init(&arena, cf->pool);
    portal_buf_init(&b, &arena, 4096);

    if (portal_type_extensions(&b) != PORTAL_OK) {
        return NGX_ERROR;
    }

    plcf->accept.data = b.data;
    plcf->accept.len = b.len;

    return NGX_OK;
}
