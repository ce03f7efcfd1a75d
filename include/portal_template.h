
/*
 * Copyright (C) the nginx client portal authors
 *
 * Templates: Mustache (the specification's core, inheritance and dynamic
 * names) with words, pipes and assets, compiled at configuration load into
 * flat code that all requests of a worker share.
 *
 *     {{name}} {{{raw}}} {{name|pipe:arg}} {{"literal"|asset}}
 *     {{@key}} {{{@key}}}     a word of the reader's language
 *
 * Values are written as HTML, fit for text and for attributes in quotes, and
 * three braces write them as they are.  {{{@key}}} writes the word's own text
 * as it is; what the word quotes from the page is HTML even then.  A section
 * is left out for false, null, the empty list, the empty text and zero.
 */


#ifndef _PORTAL_TEMPLATE_H_INCLUDED_
#define _PORTAL_TEMPLATE_H_INCLUDED_


#include "portal_common.h"
#include "portal_json.h"
#include "portal_locale.h"


#define PORTAL_TEMPLATE_LOCALES  4
#define PORTAL_VIEW_ROOTS        4


typedef struct portal_template_s      portal_template_t;
typedef struct portal_template_set_s  portal_template_set_t;


/* PORTAL_OK, PORTAL_DECLINED: there is none of that name, PORTAL_ERROR. */
typedef int (*portal_template_load_pt)(void *ctx, const portal_str_t *name,
    portal_str_t *text, portal_str_t *file);
typedef int (*portal_template_asset_pt)(void *ctx, const portal_str_t *name,
    portal_str_t *url);


/* What a page is rendered with. */
typedef struct {
    const portal_locale_t  *locale;      /* one of the set's, or NULL */

    /* the innermost last: names are searched from the last to the first */
    const portal_json_t    *roots[PORTAL_VIEW_ROOTS];
    size_t                  nroots;
    portal_str_t            today;       /* YYYY-MM-DD where the reader is */
} portal_view_t;


/* NULL: no memory.  ctx is that of both callbacks; asset may be NULL. */
portal_template_set_t *portal_template_set_create(portal_arena_t *arena,
    portal_template_load_pt load, portal_template_asset_pt asset, void *ctx,
    portal_locale_t **locales, size_t nlocales);

/* A partial that is missing renders as nothing (the specification's way). */
void portal_template_set_lenient(portal_template_set_t *set);

/*
 * Compiles the template, its partials and parents, and checks its words in
 * every locale.  NULL: err has file, line and text.
 */
portal_template_t *portal_template_get(portal_template_set_t *set,
    const portal_str_t *name, portal_error_t *err);

/* PORTAL_ERROR: the output refused, or it nests too deeply. */
int portal_template_render(const portal_template_t *t,
    const portal_view_t *view, portal_out_t *out);


#endif /* _PORTAL_TEMPLATE_H_INCLUDED_ */
