
/*
 * Copyright (C) the nginx client portal authors
 *
 * The end of the configuration: all that nginx -t can know without the
 * database is found here, with file and line; then each portal location is
 * made ready (ngx_http_portal_prepare.c).
 */


#include "ngx_http_portal.h"
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>


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
static ngx_int_t ngx_http_portal_check_blocks(ngx_conf_t *cf,
    ngx_http_portal_main_conf_t *pmcf);
static ngx_int_t ngx_http_portal_check_pools(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *first, ngx_http_portal_loc_conf_t *plcf);
static void ngx_http_portal_check_early(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf);
static ngx_err_t ngx_http_portal_try(ngx_conf_t *cf, u_char *name);


ngx_int_t
ngx_http_portal_check(ngx_conf_t *cf, ngx_http_portal_main_conf_t *pmcf)
{
    ngx_uint_t                    i;
    ngx_http_portal_t           **portals;
    ngx_http_core_srv_conf_t    **cscfp;
    ngx_http_core_main_conf_t    *cmcf;
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
            || ngx_http_portal_check_pools(cf, locations[0], locations[i])
               != NGX_OK
            || ngx_http_portal_prepare(cf, locations[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_portal_check_blocks(cf, pmcf);
}


/* "if" and "limit_except": the outer one of a block stands before it. */

static ngx_int_t
ngx_http_portal_check_blocks(ngx_conf_t *cf,
    ngx_http_portal_main_conf_t *pmcf)
{
    ngx_uint_t                i;
    ngx_http_portal_block_t  *block;

    block = pmcf->blocks.elts;

    for (i = 0; i < pmcf->blocks.nelts; i++) {

        if (block[i].clcf->handler) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "another content handler, as of \"proxy_pass\", "
                          "inside of portal location \"%V\" in %V:%ui",
                          &block[i].outer->mount, &block[i].file,
                          block[i].line);
            return NGX_ERROR;
        }

        if (ngx_http_portal_prepare_block(cf, &block[i]) != NGX_OK) {
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

    if (plcf->location->handler != ngx_http_portal_content_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "another content handler, as of \"proxy_pass\", in "
                      "portal location \"%V\" in %V:%ui",
                      &plcf->mount, &plcf->file, plcf->line);
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
    ngx_http_portal_check_early(cf, plcf);

    return ngx_http_portal_check_storage(cf, plcf);
}


/* Hashing has one thread pool a worker, whatever locations it is for. */

static ngx_int_t
ngx_http_portal_check_pools(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *first, ngx_http_portal_loc_conf_t *plcf)
{
    if (plcf->threads == first->threads && plcf->queue == first->queue) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "portal location \"%V\" has \"portal_password threads=%ui "
                  "queue=%ui\" in %V:%ui, but \"%V\" in %V:%ui has "
                  "\"threads=%ui queue=%ui\": they are of all portals, set "
                  "them once at the level of http",
                  &plcf->mount, plcf->threads, plcf->queue, &plcf->file,
                  plcf->line, &first->mount, &first->file, first->line,
                  first->threads, first->queue);

    return NGX_ERROR;
}


/* A body that is read before the gate may be anybody's. */

static void
ngx_http_portal_check_early(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    if (ngx_http_portal_reads_early(plcf->server)) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"client_body_early_read\" in the server of portal "
                      "location \"%V\": its condition must be false there, "
                      "deposits read early are refused in %V:%ui",
                      &plcf->mount, &plcf->file, plcf->line);
    }
}


/*
 * May the workers' user read, write and search the folder?  Groups and
 * access lists are the kernel's business: a child becomes that user, and
 * asks.  Returns the error, or 0, also where it cannot be known.
 */

static ngx_err_t
ngx_http_portal_try(ngx_conf_t *cf, u_char *name)
{
    int               status;
    pid_t             pid;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() != 0) {
        return access((char *) name, R_OK|W_OK|X_OK) == -1 ? ngx_errno : 0;
    }

    if (ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return 0;
    }

    pid = fork();

    if (pid == 0) {
        if (setgid(ccf->group) == -1
            || initgroups(ccf->username, ccf->group) == -1
            || setuid(ccf->user) == -1)
        {
            _exit(0);
        }

        _exit(access((char *) name, R_OK|W_OK|X_OK) == -1 ? ngx_errno : 0);
    }

    if (pid == -1) {
        ngx_log_error(NGX_LOG_WARN, cf->log, ngx_errno, "fork() failed");
        return 0;
    }

    while (waitpid(pid, &status, 0) == -1) {
        if (ngx_errno != NGX_EINTR) {
            return 0;
        }
    }

    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}


static ngx_int_t
ngx_http_portal_check_storage(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf)
{
    u_char           *name;
    ngx_err_t         err;
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

    err = ngx_http_portal_try(cf, name);

    if (err) {
        mode = ngx_file_access(&fi);

        ngx_log_error(NGX_LOG_EMERG, cf->log, err,
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
