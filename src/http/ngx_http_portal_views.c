
/*
 * Copyright (C) the nginx client portal authors
 *
 * Templates, words and assets of a location, read once at configuration
 * load.  Each of the folders of "portal_templates" may hold templates/,
 * locales/ and assets/; the first folder that has a file wins, file by
 * file, so that a site overrides one template without copying the rest.
 */


#include "ngx_http_portal.h"
#include <openssl/sha.h>


#define NGX_HTTP_PORTAL_FILE_MAX  (4 * 1024 * 1024)


typedef struct {
    ngx_conf_t                  *cf;
    ngx_http_portal_loc_conf_t  *plcf;
} ngx_http_portal_load_t;


static ngx_int_t ngx_http_portal_read(ngx_conf_t *cf, ngx_str_t *path,
    ngx_str_t *content);
static ngx_int_t ngx_http_portal_lookup(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, const char *kind, ngx_str_t *name,
    const char *suffix, ngx_str_t *path, ngx_str_t *content);
static int ngx_http_portal_load(void *ctx, const portal_str_t *name,
    portal_str_t *text, portal_str_t *file);
static int ngx_http_portal_load_asset(void *ctx, const portal_str_t *name,
    portal_str_t *url);
static ngx_http_portal_asset_t *ngx_http_portal_asset_add(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, ngx_str_t *name);
static ngx_int_t ngx_http_portal_asset_type(ngx_str_t *name,
    ngx_str_t *type);
static ngx_int_t ngx_http_portal_load_locales(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, portal_arena_t *arena);
static ngx_int_t ngx_http_portal_view(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, ngx_str_t *name, ngx_str_t *file,
    ngx_uint_t line, portal_template_t **view);


static ngx_str_t  ngx_http_portal_error_names[] = {
    ngx_string("errors/400"), ngx_string("errors/401"),
    ngx_string("errors/403"), ngx_string("errors/404"),
    ngx_string("errors/405"), ngx_string("errors/409"),
    ngx_string("errors/411"), ngx_string("errors/413"),
    ngx_string("errors/415"), ngx_string("errors/422"),
    ngx_string("errors/429"), ngx_string("errors/500"),
    ngx_string("errors/503"), ngx_string("errors/507"),
    ngx_string("errors/session-expired"),
    ngx_null_string
};


/* NGX_OK; NGX_DECLINED: there is no such file; NGX_ERROR: logged. */

static ngx_int_t
ngx_http_portal_read(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *content)
{
    off_t            size;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, ngx_errno,
                      ngx_fd_info_n " \"%V\" failed", path);
        goto done;
    }

    size = ngx_file_size(&fi);

    if (!ngx_is_file(&fi) || size > NGX_HTTP_PORTAL_FILE_MAX) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" is not a file of at most 4m", path);
        goto done;
    }

    content->data = ngx_pnalloc(cf->pool, size + 1);
    if (content->data == NULL) {
        goto done;
    }

    n = ngx_read_fd(fd, content->data, size);

    if (n != (ssize_t) size) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, n == -1 ? ngx_errno : 0,
                      ngx_read_fd_n " \"%V\" failed", path);
        goto done;
    }

    content->len = size;
    rc = NGX_OK;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", path);
    }

    return rc;
}


static ngx_int_t
ngx_http_portal_lookup(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf,
    const char *kind, ngx_str_t *name, const char *suffix, ngx_str_t *path,
    ngx_str_t *content)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_str_t   *folder;
    ngx_uint_t   i;

    folder = plcf->templates->elts;

    for (i = 0; i < plcf->templates->nelts; i++) {

        p = ngx_pnalloc(cf->pool, folder[i].len + ngx_strlen(kind)
                                  + name->len + ngx_strlen(suffix) + 3);
        if (p == NULL) {
            return NGX_ERROR;
        }

        path->data = p;
        p = ngx_sprintf(p, "%V/%s/%V%s", &folder[i], kind, name, suffix);
        path->len = p - path->data;
        *p = '\0';

        rc = ngx_http_portal_read(cf, path, content);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


static int
ngx_http_portal_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    ngx_http_portal_load_t  *load = ctx;

    ngx_str_t  n;

    n.data = name->data;
    n.len = name->len;

    /* a name is a path below templates/ and never leaves it */

    if (n.len == 0 || n.data[0] == '/'
        || ngx_strnstr(n.data, "..", n.len) != NULL)
    {
        return PORTAL_DECLINED;
    }

    return ngx_http_portal_lookup(load->cf, load->plcf, "templates", &n,
                                  ".mustache", (ngx_str_t *) file,
                                  (ngx_str_t *) text);
}


static int
ngx_http_portal_load_asset(void *ctx, const portal_str_t *name,
    portal_str_t *url)
{
    ngx_http_portal_load_t  *load = ctx;

    ngx_str_t                 n;
    ngx_http_portal_asset_t  *asset;

    n.data = name->data;
    n.len = name->len;

    asset = ngx_http_portal_asset_add(load->cf, load->plcf, &n);
    if (asset == NULL) {
        return PORTAL_DECLINED;
    }

    url->data = asset->url.data;
    url->len = asset->url.len;

    return PORTAL_OK;
}


static ngx_int_t
ngx_http_portal_asset_type(ngx_str_t *name, ngx_str_t *type)
{
    size_t      len;
    ngx_uint_t  i;

    static struct {
        const char  *suffix;
        ngx_str_t    type;
    } types[] = {
        { ".css", ngx_string("text/css") },
        { ".js", ngx_string("text/javascript") },
        { ".svg", ngx_string("image/svg+xml") },
        { ".png", ngx_string("image/png") },
        { ".webp", ngx_string("image/webp") },
        { ".jpg", ngx_string("image/jpeg") },
        { ".ico", ngx_string("image/x-icon") },
        { ".woff2", ngx_string("font/woff2") },
        { ".webmanifest", ngx_string("application/manifest+json") },
        { NULL, ngx_null_string }
    };

    for (i = 0; types[i].suffix; i++) {
        len = ngx_strlen(types[i].suffix);

        if (name->len > len
            && ngx_strncmp(name->data + name->len - len, types[i].suffix,
                           len)
               == 0)
        {
            *type = types[i].type;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_http_portal_asset_t *
ngx_http_portal_asset_add(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf,
    ngx_str_t *name)
{
    u_char                   *p, *dot, hash[SHA256_DIGEST_LENGTH];
    ngx_str_t                 content, type, path;
    ngx_uint_t                i;
    ngx_http_portal_asset_t  *asset;

    asset = plcf->assets.elts;

    for (i = 0; i < plcf->assets.nelts; i++) {
        if (asset[i].name.len == name->len
            && ngx_strncmp(asset[i].name.data, name->data, name->len) == 0)
        {
            return &asset[i];
        }
    }

    if (name->len == 0 || name->data[0] == '/' || name->data[0] == '.'
        || ngx_strnstr(name->data, "..", name->len) != NULL
        || ngx_http_portal_asset_type(name, &type) != NGX_OK
        || ngx_http_portal_lookup(cf, plcf, "assets", name, "", &path,
                                  &content)
           != NGX_OK)
    {
        return NULL;
    }

    asset = ngx_array_push(&plcf->assets);
    if (asset == NULL) {
        return NULL;
    }

    asset->path = path;
    asset->type = type;
    asset->name.len = name->len;
    asset->name.data = ngx_pstrdup(cf->pool, name);
    asset->url.data = ngx_pnalloc(cf->pool, name->len
                                            + sizeof("assets/.12345678"));
    if (asset->name.data == NULL || asset->url.data == NULL) {
        return NULL;
    }

    SHA256(content.data, content.len, hash);

    for (dot = name->data + name->len - 1; *dot != '.'; dot--) { /* void */ }

    p = ngx_sprintf(asset->url.data, "assets/%*s.",
                    (size_t) (dot - name->data), name->data);
    p = ngx_hex_dump(p, hash, 4);
    p = ngx_cpymem(p, dot, name->data + name->len - dot);
    asset->url.len = p - asset->url.data;

    return asset;
}


ngx_http_portal_asset_t *
ngx_http_portal_asset_find(ngx_http_portal_loc_conf_t *plcf, ngx_str_t *url)
{
    ngx_uint_t                i;
    ngx_http_portal_asset_t  *asset;

    asset = plcf->assets.elts;

    for (i = 0; i < plcf->assets.nelts; i++) {
        if (asset[i].url.len == url->len
            && ngx_memcmp(asset[i].url.data, url->data, url->len) == 0)
        {
            return &asset[i];
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_portal_error_index(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0; ngx_http_portal_error_names[i].len; i++) {
        if ((ngx_uint_t) ngx_atoi(ngx_http_portal_error_names[i].data
                                  + sizeof("errors/") - 1, 3)
            == status)
        {
            return i;
        }
    }

    /* what has no page of its own: the client's fault, or ours */

    return ngx_http_portal_error_index(status == 504 || status == 502 ? 503
                                       : status >= 500 ? 500 : 400);
}


static ngx_int_t
ngx_http_portal_load_locales(ngx_conf_t *cf,
    ngx_http_portal_loc_conf_t *plcf, portal_arena_t *arena)
{
    u_char          *p;
    ngx_int_t        rc;
    ngx_str_t       *code, *folder, content, path;
    ngx_uint_t       i, j, n, found;
    portal_error_t   err;

    static ngx_str_t  both[] = { ngx_string("fr"), ngx_string("en") };

    code = plcf->locales ? plcf->locales->elts : both;
    n = plcf->locales ? plcf->locales->nelts : 2;
    folder = plcf->templates->elts;

    for (i = 0; i < n; i++) {

        plcf->words[i] = portal_locale_create(arena,
                                              ngx_portal_str(&code[i]));
        if (plcf->words[i] == NULL) {
            return NGX_ERROR;
        }

        found = 0;

        for (j = 0; j < plcf->templates->nelts; j++) {
            p = ngx_pnalloc(cf->pool, folder[j].len
                                      + sizeof("/locales/xx.json"));
            if (p == NULL) {
                return NGX_ERROR;
            }

            path.data = p;
            p = ngx_sprintf(p, "%V/locales/%V.json", &folder[j], &code[i]);
            path.len = p - path.data;
            *p = '\0';

            rc = ngx_http_portal_read(cf, &path, &content);

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }

            ngx_memzero(&err, sizeof(portal_error_t));

            if (portal_locale_add(plcf->words[i], ngx_portal_str(&content),
                                  ngx_portal_str(&path), &err)
                != PORTAL_OK)
            {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %V:%ui",
                              err.text, &path, (ngx_uint_t) err.line);
                return NGX_ERROR;
            }

            found = 1;
        }

        if (!found) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no words for locale \"%V\" in \"portal_templates\""
                          " of %V:%ui", &code[i], &plcf->file, plcf->line);
            return NGX_ERROR;
        }
    }

    plcf->nwords = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_portal_view(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf,
    ngx_str_t *name, ngx_str_t *file, ngx_uint_t line,
    portal_template_t **view)
{
    portal_error_t  err;

    ngx_memzero(&err, sizeof(portal_error_t));

    *view = portal_template_get(plcf->views, ngx_portal_str(name), &err);

    if (*view) {
        return NGX_OK;
    }

    if (err.file.len) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%s in %*s:%ui, template \"%V\" of %V:%ui",
                      err.text, err.file.len, err.file.data,
                      (ngx_uint_t) err.line, name, file, line);

    } else {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%s: template \"%V\" of %V:%ui",
                      err.text[0] ? err.text : "not found", name, file,
                      line);
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_http_portal_views(ngx_conf_t *cf, ngx_http_portal_loc_conf_t *plcf)
{
    ngx_uint_t                 i;
    portal_arena_t            *arena;
    ngx_http_portal_load_t    *load;
    ngx_http_portal_route_t  **route;

    arena = ngx_palloc(cf->pool, sizeof(portal_arena_t));
    load = ngx_palloc(cf->pool, sizeof(ngx_http_portal_load_t));

    if (arena == NULL || load == NULL
        || ngx_array_init(&plcf->assets, cf->pool, 16,
                          sizeof(ngx_http_portal_asset_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_portal_arena_init(arena, cf->pool);
    load->cf = cf;
    load->plcf = plcf;

    if (ngx_http_portal_load_locales(cf, plcf, arena) != NGX_OK) {
        return NGX_ERROR;
    }

    plcf->views = portal_template_set_create(arena, ngx_http_portal_load,
                                             ngx_http_portal_load_asset,
                                             load, plcf->words,
                                             plcf->nwords);
    if (plcf->views == NULL) {
        return NGX_ERROR;
    }

    route = plcf->pages->elts;

    for (i = 0; i < plcf->pages->nelts; i++) {
        if (route[i]->template.len
            && ngx_http_portal_view(cf, plcf, &route[i]->template,
                                    &route[i]->file, route[i]->line,
                                    &route[i]->view)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; ngx_http_portal_error_names[i].len; i++) {
        if (ngx_http_portal_view(cf, plcf, &ngx_http_portal_error_names[i],
                                 &plcf->file, plcf->line, &plcf->errors[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
