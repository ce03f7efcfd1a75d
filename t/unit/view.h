
/*
 * Copyright (C) the nginx client portal authors
 *
 * Templates from memory, rendered with JSON from memory.
 */


#ifndef _VIEW_H_INCLUDED_
#define _VIEW_H_INCLUDED_


#include "portal_template.h"
#include "tap.h"


#define VIEW_OUT  65536


typedef struct {
    const char            *name;
    const char            *text;
} view_text_t;


typedef struct {
    portal_arena_t         *arena;
    const view_text_t      *texts;         /* ends with a NULL name */
    portal_locale_t        *locales[PORTAL_TEMPLATE_LOCALES];
    size_t                  nlocales;
    portal_template_set_t  *set;
    portal_error_t          err;
    const char             *today;
    size_t                  step;          /* bytes a call of more() */
    size_t                  max;           /* of output */

    portal_out_t            out;
    size_t                  room;
    unsigned char           data[VIEW_OUT + 1];
} view_t;


#define VIEW_FORMAT                                                           \
    "\"_format\":{\"today\":\"aujourd'hui\",\"yesterday\":\"hier\","          \
    "\"tomorrow\":\"demain\",\"day\":\"{d} {mon}\","                          \
    "\"day_year\":\"{d} {mon} {y}\",\"full\":\"{d} {month} {y}\","            \
    "\"month\":\"{Month} {y}\",\"time\":\"{h}:{m}\","                         \
    "\"datetime\":\"{date}, {time}\",\"first\":\"1er\",\"decimal\":\",\","    \
    "\"group\":\"_\",\"unit\":\"{n} {unit}\",\"money\":\"{n} {currency}\","   \
    "\"months\":[\"janvier\",\"f\303\251vrier\",\"mars\",\"avril\",\"mai\","  \
    "\"juin\",\"juillet\",\"ao\303\273t\",\"septembre\",\"octobre\","         \
    "\"novembre\",\"\303\251cembre\"],"                                       \
    "\"short_months\":[\"janv.\",\"f\303\251vr.\",\"mars\",\"avr.\",\"mai\"," \
    "\"juin\",\"juil.\",\"ao\303\273t\",\"sept.\",\"oct.\",\"nov.\","         \
    "\"d\303\251c.\"],\"units\":[\"octets\",\"Ko\",\"Mo\",\"Go\"],"           \
    "\"plural_from_two\":true}"


__attribute__((unused))
static int
view_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    view_t             *v = ctx;
    const view_text_t  *t;

    for (t = v->texts; t->name; t++) {
        if (strlen(t->name) == name->len
            && memcmp(t->name, name->data, name->len) == 0)
        {
            *text = str(t->text);
            *file = str(t->name);
            return PORTAL_OK;
        }
    }

    return PORTAL_DECLINED;
}


__attribute__((unused))
static int
view_asset(void *ctx, const portal_str_t *name, portal_str_t *url)
{
    (void) ctx;

    if (!portal_str_is(name, "portal.css")) {
        return PORTAL_DECLINED;
    }

    portal_str_set(url, "assets/portal.0f0f.css");

    return PORTAL_OK;
}


__attribute__((unused))
static int
view_more(portal_out_t *out)
{
    size_t   n;
    view_t  *v = out->ctx;

    n = v->max - (size_t) (out->pos - v->data);

    if (n == 0) {
        return PORTAL_ERROR;
    }

    out->end = out->pos + (n < v->step ? n : v->step);

    return PORTAL_OK;
}


__attribute__((unused))
static view_t *
view_create(const view_text_t *texts)
{
    view_t  *v;

    v = calloc(1, sizeof(view_t));
    if (v == NULL) {
        abort();
    }

    v->arena = portal_arena_create();
    v->texts = texts;
    v->step = 7;
    v->max = VIEW_OUT;

    return v;
}


__attribute__((unused))
static void
view_destroy(view_t *v)
{
    portal_arena_destroy(v->arena);
    free(v);
}


/* Words for a set that is not there yet; NULL: v->err says why. */

__attribute__((unused))
static portal_locale_t *
view_locale(view_t *v, const char *code, const char *json)
{
    portal_str_t      c, j, f;
    portal_locale_t  *locale;

    c = str(code);
    j = str(json);
    f = str("words.json");

    locale = portal_locale_create(v->arena, &c);

    if (portal_locale_add(locale, &j, &f, &v->err) != PORTAL_OK) {
        return NULL;
    }

    v->locales[v->nlocales++] = locale;

    return locale;
}


__attribute__((unused))
static portal_template_t *
view_get(view_t *v, const char *name)
{
    portal_str_t  n;

    if (v->set == NULL) {
        v->set = portal_template_set_create(v->arena, view_load, view_asset,
                                            v, v->locales, v->nlocales);
    }

    memset(&v->err, 0, sizeof(portal_error_t));
    n = str(name);

    return portal_template_get(v->set, &n, &v->err);
}


/*
 * Renders with JSON roots, the outermost first; the output stands in v->data
 * and has a NUL behind.
 */

__attribute__((unused))
static int
view_render(view_t *v, const char *name, const char *outer,
    const char *inner)
{
    int                 rc;
    size_t              i;
    portal_str_t        texts[2];
    portal_json_t       docs[2];
    portal_view_t       view;
    portal_template_t  *t;

    memset(&view, 0, sizeof(portal_view_t));
    v->data[0] = '\0';

    t = view_get(v, name);
    if (t == NULL) {
        return PORTAL_ERROR;
    }

    texts[0] = str(outer ? outer : "{}");
    texts[1] = str(inner ? inner : "{}");

    for (i = 0; i < 2; i++) {
        texts[i] = str_exact(texts[i].data, texts[i].len);

        if (portal_json_parse(&docs[i], &texts[i], v->arena) != PORTAL_OK) {
            fprintf(stderr, "not JSON: %s\n", i ? inner : outer);
            abort();
        }

        view.roots[view.nroots++] = &docs[i];
    }

    view.locale = v->nlocales ? v->locales[0] : NULL;
    view.today = str(v->today ? v->today : "");

    v->out.pos = v->data;
    v->out.end = v->data;
    v->out.more = view_more;
    v->out.ctx = v;

    rc = portal_template_render(t, &view, &v->out);

    *v->out.pos = '\0';

    free(texts[0].data);
    free(texts[1].data);

    return rc;
}


/* Renders the template "t" of this text with this JSON and these words. */

__attribute__((unused))
static void
view_is(const char *text, const char *json, const char *words,
    const char *want, const char *what)
{
    view_t       *v;
    view_text_t   texts[2];

    memset(texts, 0, sizeof(texts));

    texts[0].name = "t";
    texts[0].text = text;

    v = view_create(texts);
    v->today = "2026-03-05";

    if (words && view_locale(v, "fr", words) == NULL) {
        ok(0, "%s", what);
        printf("# words: %s\n", v->err.text);

    } else if (view_render(v, "t", NULL, json) != PORTAL_OK) {
        ok(0, "%s", what);
        printf("# not rendered: %s\n", v->err.text);

    } else {
        tap_is(v->data, (size_t) (v->out.pos - v->data), want, strlen(want),
               what);
    }

    view_destroy(v);
}


/* The template "t" of this text does not compile, for this reason. */

__attribute__((unused))
static void
view_fails(const char *text, const char *words, unsigned line,
    const char *reason)
{
    int           good;
    view_t       *v;
    view_text_t   texts[4];

    memset(texts, 0, sizeof(texts));

    texts[0].name = "t";
    texts[0].text = text;
    texts[1].name = "good";
    texts[1].text = "good";
    texts[2].name = "bad";
    texts[2].text = "\n\n{{/nothing}}";

    v = view_create(texts);

    if (words && view_locale(v, "fr", words) == NULL) {
        ok(0, "%s: words", reason);
        view_destroy(v);
        return;
    }

    good = view_get(v, "t") == NULL && strstr(v->err.text, reason) != NULL
           && v->err.line == line && v->err.file.len != 0;

    ok(good, "refused: %s", reason);

    if (!good) {
        printf("# got %.*s:%u: %s\n", (int) v->err.file.len,
               v->err.file.data ? (char *) v->err.file.data : "", v->err.line,
               v->err.text);
    }

    view_destroy(v);
}


#endif /* _VIEW_H_INCLUDED_ */
