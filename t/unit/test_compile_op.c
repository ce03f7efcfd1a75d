
/*
 * Copyright (C) the nginx client portal authors
 *
 * What tags become.
 */


#include "portal_template_code.h"
#include "view.h"


static void test_sections(void);
static void test_partials(void);
static void test_blocks(void);
static void test_code(void);


static void
test_sections(void)
{
    int   i;
    char  deep[1024], *p;

    view_fails("{{#}}{{/}}", NULL, 1, "empty name");
    view_fails("{{#a|date}}{{/a|date}}", NULL, 1, "not a name");
    view_fails("\n{{^\"a\"}}{{/\"a\"}}", NULL, 2, "not a name");
    view_fails("{{#a..b}}{{/a..b}}", NULL, 1, "empty part");
    view_fails("{{#a}}{{/a }}{{/a}}", NULL, 1, "nothing to close");

    for (p = deep, i = 0; i < 32; i++) {
        p += sprintf(p, "{{#a}}");
    }

    for (i = 0; i < 32; i++) {
        p += sprintf(p, "{{/a}}");
    }

    view_is(deep, "{\"a\":true}", NULL, "", "32 sections in each other");

    memmove(deep + 6, deep, strlen(deep) + 1);
    memcpy(deep, "{{#a}}", 6);

    view_fails(deep, NULL, 1, "sections nest too deeply");
}


static void
test_partials(void)
{
    view_fails("{{>}}", NULL, 1, "empty name");
    view_fails("a\n{{>nowhere}}", NULL, 2, "template \"nowhere\" not found");
    view_fails("{{>*}}", NULL, 1, "empty name");
    view_fails("{{>*a|date}}", NULL, 1, "not a name");
    view_fails("{{>bad}}", NULL, 3, "nothing to close");

    view_is("{{>*nothing}}", "{}", NULL, "", "a dynamic name of nothing");
}


static void
test_blocks(void)
{
    view_fails("{{$}}{{/}}", NULL, 1, "empty name");
    view_fails("{{<}}{{/}}", NULL, 1, "empty name");
    view_fails("{{<nowhere}}{{/nowhere}}", NULL, 1,
               "template \"nowhere\" not found");
    view_fails("{{<good}}\n", NULL, 1, "unclosed section \"good\"");
    view_fails("{{<good}}\n{{$a}}{{/b}}{{/good}}", NULL, 2,
               "another section is open");
    view_fails("{{<good}}\n{{@no}}{{/good}}", "{}", 2, "missing word");
    view_fails("{{<good}}{{$a}}\n{{>nowhere}}{{/a}}{{/good}}", NULL, 2,
               "template \"nowhere\" not found");
}


/* A section's end is behind all that is inside. */

static void
test_code(void)
{
    size_t              i, inside;
    view_t             *v;
    portal_template_t  *t;

    static const view_text_t  texts[] = {
        { "t", "a{{#b}}c{{#d}}e{{/d}}{{f}}{{/b}}g" },
        { NULL, NULL }
    };

    v = view_create(texts);
    t = view_get(v, "t");

    is_int(t->nops, 7, "ops");
    is_int(t->ops[1].end, 6, "the end of the outer section");
    is_int(t->ops[3].end, 5, "the end of the inner one");

    inside = 0;

    for (i = 0; i < t->nops; i++) {
        inside += (t->ops[i].end <= i || t->ops[i].end > t->nops);
    }

    is_int(inside, 0, "every end is ahead");

    view_destroy(v);
}


int
main(void)
{
    test_sections();
    test_partials();
    test_blocks();
    test_code();

    return tap_done();
}
