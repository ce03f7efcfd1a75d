
/*
 * Copyright (C) the nginx client portal authors
 *
 * Sets of templates (see portal_template.h).  A template is in its set before
 * its text is read, so that it may name itself, and partials are bound by
 * pointer.
 */


#include <stdio.h>
#include "portal_template_code.h"
#include "portal_text.h"


static portal_template_t *portal_template_find(portal_template_set_t *set,
    const portal_str_t *name);
static portal_template_t *portal_template_load(portal_template_set_t *set,
    const portal_str_t *name, portal_error_t *err);
static int portal_template_read(portal_template_set_t *set,
    portal_template_t *t, const portal_str_t *text, portal_error_t *err);
static int portal_template_utf8(portal_template_t *t,
    const portal_str_t *text, portal_error_t *err);
static int portal_template_words(portal_template_set_t *set,
    portal_error_t *err);
static int portal_template_pieces(const portal_template_set_t *set,
    const portal_locale_t *locale, const portal_word_t *word,
    const portal_piece_t *piece, portal_error_t *err);


portal_template_set_t *
portal_template_set_create(portal_arena_t *arena,
    portal_template_load_pt load, portal_template_asset_pt asset, void *ctx,
    portal_locale_t **locales, size_t nlocales)
{
    size_t                  i;
    portal_template_set_t  *set;

    set = portal_calloc(arena, 1, sizeof(portal_template_set_t));

    if (set == NULL || nlocales > PORTAL_TEMPLATE_LOCALES) {
        return NULL;
    }

    set->arena = arena;
    set->load = load;
    set->asset = asset;
    set->ctx = ctx;
    set->nlocales = nlocales;

    for (i = 0; i < nlocales; i++) {
        set->locales[i] = locales[i];
    }

    return set;
}


void
portal_template_set_lenient(portal_template_set_t *set)
{
    set->lenient = 1;
}


portal_template_t *
portal_template_get(portal_template_set_t *set, const portal_str_t *name,
    portal_error_t *err)
{
    portal_template_t  *t;

    t = portal_template_find(set, name);

    if (t && t->broken) {
        if (err->text[0] == '\0') {
            snprintf(err->text, sizeof(err->text),
                     "template \"%.*s\" does not compile",
                     (int) name->len, name->data);
        }

        return NULL;
    }

    if (t == NULL) {
        if (!set->checked && portal_template_words(set, err) != PORTAL_OK) {
            return NULL;
        }

        set->nested++;
        t = portal_template_load(set, name, err);
        set->nested--;
    }

    if (t && set->nested == 0 && portal_template_ends(t) != PORTAL_OK) {
        err->file = t->file.len ? t->file : t->name;
        err->line = 1;
        snprintf(err->text, sizeof(err->text),
                 "template \"%.*s\" includes itself, or nests too deeply",
                 (int) name->len, name->data);
        return NULL;
    }

    return t;
}


static portal_template_t *
portal_template_find(portal_template_set_t *set, const portal_str_t *name)
{
    portal_template_t  *t;

    for (t = set->first; t; t = t->next) {
        if (t->name.len == name->len
            && memcmp(t->name.data, name->data, name->len) == 0)
        {
            return t;
        }
    }

    return NULL;
}


static portal_template_t *
portal_template_load(portal_template_set_t *set, const portal_str_t *name,
    portal_error_t *err)
{
    int                 rc;
    portal_str_t        text, file;
    portal_template_t  *t;

    memset(&text, 0, sizeof(portal_str_t));
    memset(&file, 0, sizeof(portal_str_t));

    rc = set->load(set->ctx, name, &text, &file);

    if (rc == PORTAL_ERROR || (rc != PORTAL_OK && !set->lenient)) {
        if (err->text[0] == '\0') {
            snprintf(err->text, sizeof(err->text),
                     "template \"%.*s\" not found", (int) name->len,
                     name->data);
        }

        return NULL;
    }

    t = portal_calloc(set->arena, 1, sizeof(portal_template_t));

    if (t == NULL
        || portal_str_dup(set->arena, &t->name, name) != PORTAL_OK)
    {
        snprintf(err->text, sizeof(err->text), "no memory");
        return NULL;
    }

    t->set = set;
    t->file = file;
    t->next = set->first;
    set->first = t;

    if (portal_template_read(set, t, &text, err) != PORTAL_OK) {
        t->broken = 1;
        return NULL;
    }

    return t;
}


static int
portal_template_read(portal_template_set_t *set, portal_template_t *t,
    const portal_str_t *text, portal_error_t *err)
{
    portal_compile_t  c;

    if (text->len == 0) {
        return PORTAL_OK;
    }

    if (portal_template_utf8(t, text, err) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    memset(&c, 0, sizeof(portal_compile_t));

    c.set = set;
    c.t = t;
    c.err = err;
    c.p = text->data;
    c.begin = c.p;
    c.last = c.p + text->len;
    c.line = 1;
    c.plain = 1;
    c.frame = 1;

    memcpy(c.open, "{{", 2);
    memcpy(c.close, "}}", 2);
    c.nopen = 2;
    c.nclose = 2;

    return portal_compile_text(&c);
}


/* A template's own text is written as it is: it is checked here. */

static int
portal_template_utf8(portal_template_t *t, const portal_str_t *text,
    portal_error_t *err)
{
    unsigned              line;
    const unsigned char  *p, *next, *last;

    p = text->data;
    last = p + text->len;

    for (line = 1; p < last; line++, p = next) {
        next = memchr(p, '\n', (size_t) (last - p));
        next = next ? next + 1 : last;

        if (!portal_utf8_valid(p, (size_t) (next - p))) {
            err->file = t->file.len ? t->file : t->name;
            err->line = line;
            snprintf(err->text, sizeof(err->text), "invalid UTF-8");
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


/* Words that name words by their pipes: any may be chosen by a page. */

static int
portal_template_words(portal_template_set_t *set, portal_error_t *err)
{
    size_t                  i, n;
    const portal_word_t    *word;
    const portal_locale_t  *locale;

    for (i = 0; i < set->nlocales; i++) {
        locale = set->locales[i];

        for (n = 0; n < PORTAL_LOCALE_BUCKETS; n++) {
            for (word = locale->buckets[n]; word; word = word->next) {

                if (portal_template_pieces(set, locale, word, word->pieces,
                                           err)
                    != PORTAL_OK
                    || portal_template_pieces(set, locale, word, word->other,
                                              err)
                       != PORTAL_OK)
                {
                    return PORTAL_ERROR;
                }
            }
        }
    }

    set->checked = 1;

    return PORTAL_OK;
}


static int
portal_template_pieces(const portal_template_set_t *set,
    const portal_locale_t *locale, const portal_word_t *word,
    const portal_piece_t *piece, portal_error_t *err)
{
    size_t  len;

    for ( /* void */ ; piece; piece = piece->next) {

        if (piece->expr == NULL
            || portal_template_keys(set, piece->expr, err) == PORTAL_OK)
        {
            continue;
        }

        len = strlen(err->text);
        snprintf(err->text + len, sizeof(err->text) - len,
                 " in word \"%.*s\" of locale \"%.*s\"",
                 (int) word->key.len, word->key.data,
                 (int) locale->code.len, locale->code.data);

        return PORTAL_ERROR;
    }

    return PORTAL_OK;
}


int
portal_template_keys(const portal_template_set_t *set,
    const portal_expr_t *expr, portal_error_t *err)
{
    size_t                i;
    const portal_pipe_t  *pipe;
    const portal_str_t   *key;
    const portal_word_t  *word;

    for (pipe = expr->pipes; pipe; pipe = pipe->next) {

        key = pipe->type == portal_to_plural ? &pipe->arg
              : (pipe->type == portal_to_t && expr->literal.data
                 && pipe->arg.len == 0) ? &expr->literal
              : NULL;

        for (i = 0; key && i < set->nlocales; i++) {
            word = portal_locale_get(set->locales[i], key);

            if (word && (pipe->type != portal_to_plural || word->other)) {
                continue;
            }

            snprintf(err->text, sizeof(err->text),
                     "%s \"%.*s\" in locale \"%.*s\"",
                     word ? "no plural for word" : "missing word",
                     (int) key->len, key->data,
                     (int) set->locales[i]->code.len,
                     set->locales[i]->code.data);

            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}
