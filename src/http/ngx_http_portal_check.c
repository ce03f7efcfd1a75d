
/*
 * Copyright (C) the nginx client portal authors
 *
 * The end of the configuration: all that nginx -t can know without the
 * database is found here, with file and line; then each portal location is
 * made ready (routes, templates, threads, error pages of its own).
 */


#include "ngx_http_portal.h"
#include "portal_text.h"
#include "portal_type.h"


#define NGX_HTTP_PORTAL_OPEN_FILES  128


static ngx_int_t ngx_http_portal_check_named(ngx_conf_t *cf,
    ngx_http_portal_t *portal);
static ngx_int_t ngx_http_portal_check_location(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_check_storage(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_check_regex(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *pclcf);
static ngx_int_t ngx_http_portal_check_tree(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *pclcf, ngx_http_location_tree_node_t *node);
static void ngx_http_portal_check_memory(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_int_t ngx_http_portal_prepare(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
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
static ngx_int_t ngx_http_portal_mode(ngx_conf_t *cf, ngx_file_info_t *fi);


ngx_int_t
ngx_http_portal_check(ngx_conf_t *cf, ngx_http_portal_main_conf_t *pmcf)
{
    ngx_uint_t                    i;
    ngx_http_portal_t           **portals;
    ngx_http_core_srv_conf_t    **cscfp;
    ngx_http_core_main_conf_t    *cmcf;
    ngx_http_portal_block_t      *block;
    ngx_http_portal_loc_conf_t  **locations;

    portals = pmcf->portals.elts;

    for (i = 0; i < pmcf->portals.nelts; i++) {
        if (portals[i]->used
            && ngx_http_portal_check_named(cf, portals[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        if (ngx_http_portal_check_regex(cf,
                cscfp[i]->ctx->loc_conf[ngx_http_core_module.ctx_index])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    locations = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (ngx_http_portal_check_location(cf, locations[i]) != NGX_OK
            || ngx_http_portal_prepare(cf, locations[i]) != NGX_OK
            || ngx_http_portal_limits(cf, locations[i]->location,
                                      locations[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* the outer one of a block stands before it */

    block = pmcf->blocks.elts;

    for (i = 0; i < pmcf->blocks.nelts; i++) {
        *block[i].conf = *block[i].outer;
        block[i].clcf->handler = ngx_http_portal_content_handler;
        block[i].clcf->error_pages = block[i].conf->location->error_pages;
        ngx_http_portal_adapt(cf, block[i].clcf, block[i].conf);

        if (ngx_http_portal_limits(cf, block[i].clcf, block[i].conf)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_check_named(ngx_conf_t *cf, ngx_http_portal_t *portal)
{
    const char  *missing;

    missing = portal->zone == NULL ? "portal_zone"
              : portal->db_conf.conninfo.data == NULL ? "portal_database"
              : portal->keyring == NULL ? "portal_key_file"
              : NULL;

    if (missing) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "portal \"%V\" has no \"%s\" in %V:%ui",
                      &portal->name, missing, &portal->file, portal->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_check_location(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf)
{
    const char  *missing;

    missing = plcf->storage.data == NULL ? "portal_storage"
              : plcf->templates == NULL ? "portal_templates"
              : plcf->pages == NULL ? "portal_page"
              : NULL;

    if (missing) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "portal location \"%V\" has no \"%s\" in %V:%ui",
                      &plcf->mount, missing, &plcf->file, plcf->line);
        return NGX_ERROR;
    }

    if (plcf->secure && ngx_strncmp(plcf->url.data, "http://", 7) == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "base URL \"%V\" is plain http: its cookies would "
                      "never be sent, use https or \"portal_session "
                      "secure=off\" in %V:%ui",
                      &plcf->url, &plcf->file, plcf->line);
        return NGX_ERROR;
    }

    if (!plcf->secure) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"secure=off\": sessions of portal \"%V\" can be read "
                      "by anybody on the way in %V:%ui",
                      &plcf->portal->name, &plcf->file, plcf->line);
    }

    ngx_http_portal_check_memory(cf, plcf);

    return ngx_http_portal_check_storage(cf, plcf);
}


/* May the workers' user read, write and search the folder, by its mode? */

static ngx_int_t
ngx_http_portal_mode(ngx_conf_t *cf, ngx_file_info_t *fi)
{
    ngx_uid_t         uid;
    ngx_gid_t         gid;
    ngx_uint_t        mode;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() == 0 && ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        uid = ccf->user;
        gid = ccf->group;

    } else {
        uid = geteuid();
        gid = getegid();
    }

    if (uid == 0) {
        return NGX_OK;
    }

    mode = fi->st_mode;
    mode = fi->st_uid == uid ? mode >> 6
           : fi->st_gid == gid ? mode >> 3
           : mode;

    return (mode & 7) == 7 ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_portal_check_storage(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf)
{
    u_char           *name;
    ngx_uint_t        mode;
    ngx_file_info_t   fi;

    name = ngx_pnalloc(cf->temp_pool, plcf->storage.len + 1);
    if (name == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(name, plcf->storage.data, plcf->storage.len) = '\0';

    if (ngx_file_info(name, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
                      "portal_storage \"%s\" cannot be used in %V:%ui",
                      name, &plcf->file, plcf->line);
        return NGX_ERROR;
    }

    if (!ngx_is_dir(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "portal_storage \"%s\" is not a directory in %V:%ui",
                      name, &plcf->file, plcf->line);
        return NGX_ERROR;
    }

    if (ngx_http_portal_mode(cf, &fi) != NGX_OK) {
        mode = ngx_file_access(&fi);

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the workers' user cannot read and write "
                      "portal_storage \"%s\" (mode 0%ui%ui%ui) in %V:%ui",
                      name, mode >> 6, (mode >> 3) & 7, mode & 7,
                      &plcf->file, plcf->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A regex location beside a prefix location without "^~" takes requests
 * away from it: "location ~* \.pdf$ { }" would serve a closed file.
 */

static ngx_int_t
ngx_http_portal_check_regex(ngx_conf_t *cf, ngx_http_core_loc_conf_t *pclcf)
{
#if (NGX_PCRE)
    ngx_uint_t  i;

    for (i = 0; pclcf->regex_locations && pclcf->regex_locations[i]; i++) {
        if (ngx_http_portal_check_regex(cf, pclcf->regex_locations[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }
#endif

    return ngx_http_portal_check_tree(cf, pclcf, pclcf->static_locations);
}


static ngx_int_t
ngx_http_portal_check_tree(ngx_conf_t *cf, ngx_http_core_loc_conf_t *pclcf,
    ngx_http_location_tree_node_t *node)
{
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_portal_loc_conf_t  *plcf;

    if (node == NULL) {
        return NGX_OK;
    }

    if (node->exact
        && ngx_http_portal_check_regex(cf, node->exact) != NGX_OK)
    {
        return NGX_ERROR;
    }

    clcf = node->inclusive;

    if (clcf) {
        plcf = clcf->loc_conf[ngx_http_portal_module.ctx_index];

#if (NGX_PCRE)
        if (plcf->portal && !plcf->regex_ok && !clcf->noregex
            && pclcf->regex_locations && pclcf->regex_locations[0])
        {
            ngx_http_portal_loc_conf_t  *rlcf;

            rlcf = pclcf->regex_locations[0]->
                       loc_conf[ngx_http_portal_module.ctx_index];

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "portal location \"%V\" in %V:%ui can be taken "
                          "over by regex location \"%V\" in %V:%ui: write "
                          "\"location ^~ %V\", or \"portal_regex_ok on\"",
                          &clcf->name, &plcf->file, plcf->line,
                          &pclcf->regex_locations[0]->name, &rlcf->file,
                          rlcf->line, &clcf->name);
            return NGX_ERROR;
        }
#endif

        if (ngx_http_portal_check_regex(cf, clcf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_portal_check_tree(cf, pclcf, node->left) != NGX_OK
        || ngx_http_portal_check_tree(cf, pclcf, node->tree) != NGX_OK
        || ngx_http_portal_check_tree(cf, pclcf, node->right) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_portal_check_memory(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf)
{
    long              pages;
    uint64_t          total, used;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    pages = sysconf(_SC_PHYS_PAGES);
    if (pages <= 0) {
        return;
    }

    total = (uint64_t) pages * ngx_pagesize;
    used = (uint64_t) plcf->memory * plcf->threads
           * (ccf->worker_processes > 0 ? ccf->worker_processes : 1);

    if (used > total / 4) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "password hashing may take %uLM of memory "
                      "(workers x threads x memory), more than a quarter of "
                      "%uLM in %V:%ui",
                      used >> 20, total >> 20, &plcf->file, plcf->line);
    }
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


static ngx_int_t
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
    plcf->files = ngx_portal_thread_pool(cf, &files, 2, 256);

    if (plcf->passwords == NULL || plcf->files == NULL) {
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

    return NGX_OK;
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
