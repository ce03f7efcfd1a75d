
/*
 * Copyright (C) the nginx client portal authors
 *
 * Sets of templates: loading, words, assets, and what nginx -t says.
 */


#include "view.h"


static void test_get(void);
static void test_broken(void);
static void test_words(void);
static void test_locales(void);
static void test_loader(void);
static int failing_load(void *ctx, const portal_str_t *name,
    portal_str_t *text, portal_str_t *file);
static void test_utf8(void);


static void
test_get(void)
{
    view_t             *v;
    portal_str_t        name;
    portal_template_t  *t;

    static const view_text_t  texts[] = {
        { "t", "t{{>p}}" },
        { "p", "p" },
        { "empty", "" },
        { "missing", "\n{{>nowhere}}" },
        { NULL, NULL }
    };

    v = view_create(texts);
    t = view_get(v, "t");

    ok(t != NULL, "a template");
    ok(view_get(v, "t") == t, "is compiled once");
    ok(view_get(v, "T") == NULL, "names are exact");
    is_text(v->err.text, "template \"T\" not found", "and the reason is told");

    ok(view_get(v, "missing") == NULL, "a partial that is missing");
    is_text(v->err.text, "template \"nowhere\" not found", "is named");
    is_int(v->err.line, 2, "with the line");
    is_str(v->err.file, "missing", "and the file of who names it");

    is_int(view_render(v, "empty", NULL, NULL), PORTAL_OK, "an empty file");
    is_text((char *) v->data, "", "is an empty page");

    ok(portal_template_set_create(v->arena, view_load, NULL, v, v->locales,
                                  PORTAL_TEMPLATE_LOCALES + 1) == NULL,
       "more locales than there is room for");
    ok(portal_template_set_create(v->arena, view_load, NULL, v, v->locales,
                                  PORTAL_TEMPLATE_LOCALES) != NULL,
       "just as many");

    v->set = portal_template_set_create(v->arena, view_load, NULL, v, NULL,
                                        0);
    portal_template_set_lenient(v->set);

    name = str("missing");
    ok(portal_template_get(v->set, &name, &v->err) != NULL,
       "a lenient set does without");

    is_int(view_render(v, "missing", NULL, NULL), PORTAL_OK, "and renders");
    is_text((char *) v->data, "\n", "nothing for it");

    view_destroy(v);
}


/* A template that did not compile stays out, whoever asks again. */

static void
test_broken(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "a", "{{>b}}" },
        { "b", "b\n{{#x}}" },
        { "ok", "ok" },
        { NULL, NULL }
    };

    v = view_create(texts);

    ok(view_get(v, "a") == NULL, "a partial does not compile");
    is_text(v->err.text, "unclosed section \"x\"", "the reason is its own");
    is_str(v->err.file, "b", "in its own file");
    is_int(v->err.line, 2, "at its own line");

    ok(view_get(v, "b") == NULL, "asked for again it is refused again");
    is_text(v->err.text, "template \"b\" does not compile", "and named");
    ok(view_get(v, "a") == NULL, "as is who includes it");
    ok(view_get(v, "ok") != NULL, "others compile");

    view_destroy(v);
}


static void
test_words(void)
{
    view_fails("a\n\n{{@no}}", "{\"yes\":\"x\"}", 3,
               "missing word \"no\" in locale \"fr\"");
    view_fails("{{@}}", "{\"yes\":\"x\"}", 1, "missing word \"\"");
    view_fails("\n{{n|plural:no}}", "{}", 2,
               "missing word \"no\" in locale \"fr\"");
    view_fails("{{n|plural:one}}", "{\"one\":\"x\"}", 1,
               "no plural for word \"one\"");
    view_fails("{{\"k\"|t}}", "{}", 1, "missing word \"k\"");
    view_fails("{{\"x.css\"|asset}}", NULL, 1, "missing asset \"x.css\"");
    view_fails("{{name|asset}}", NULL, 1, "needs a literal");

    view_is("{{\"portal.css\"|asset}}", "{}", NULL,
            "assets/portal.0f0f.css", "an asset's address");
    view_is("{{k|t:a.}}", "{}", "{}", "",
            "a word that the page names need not be there");
}


static void
test_locales(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "t", "{{@a}}{{n|plural:p}}" },
        { "u", "{{@b}}" },
        { NULL, NULL }
    };

    v = view_create(texts);
    view_locale(v, "fr", "{\"a\":\"un\",\"b\":\"x\","
                         "\"p\":{\"one\":\"1\",\"other\":\"{n}\"}}");
    view_locale(v, "en", "{\"a\":\"one\","
                         "\"p\":{\"one\":\"1\",\"other\":\"{n}!\"}}");

    ok(view_get(v, "u") == NULL, "a word is there in every locale");
    is_text(v->err.text, "missing word \"b\" in locale \"en\"", "or not");

    view_render(v, "t", NULL, "{\"n\":5}");
    is_text((char *) v->data, "un5", "the first locale");

    {
        portal_locale_t  *fr = v->locales[0];

        v->locales[0] = v->locales[1];
        view_render(v, "t", NULL, "{\"n\":5}");
        is_text((char *) v->data, "one5!", "the other");
        v->locales[0] = fr;
    }

    view_destroy(v);

    v = view_create(texts);
    view_locale(v, "fr", "{\"a\":\"un {n|plural:q}\",\"b\":\"x\","
                         "\"p\":{\"one\":\"1\",\"other\":\"{n}\"}}");

    ok(view_get(v, "t") == NULL, "a word that names a missing word");
    is_text(v->err.text, "missing word \"q\" in locale \"fr\" in word \"a\" "
            "of locale \"fr\"", "is named");

    view_destroy(v);
}


static int
failing_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    portal_error_t  *err = ctx;

    (void) name;
    (void) text;
    (void) file;

    strcpy(err->text, "disk on fire");

    return PORTAL_ERROR;
}


static void
test_loader(void)
{
    portal_str_t            name;
    portal_error_t          err;
    portal_arena_t         *arena;
    portal_template_set_t  *set;

    arena = portal_arena_create();
    memset(&err, 0, sizeof(portal_error_t));

    set = portal_template_set_create(arena, failing_load, NULL, &err, NULL,
                                     0);
    portal_template_set_lenient(set);
    name = str("t");

    ok(portal_template_get(set, &name, &err) == NULL,
       "a loader that fails, even in a lenient set");
    is_text(err.text, "disk on fire", "has its own reason");

    portal_arena_destroy(arena);
}


static void
test_utf8(void)
{
    view_fails("good \303\251\n\nbad \303(", NULL, 3, "invalid UTF-8");
    view_fails("\355\240\200", NULL, 1, "invalid UTF-8");
    view_fails("{{x}}\n\300\200", NULL, 2, "invalid UTF-8");
}


int
main(void)
{
    test_get();
    test_broken();
    test_words();
    test_locales();
    test_loader();
    test_utf8();

    return tap_done();
}
