
/*
 * Copyright (C) the nginx client portal authors
 *
 * Reading templates: tags, delimiters, lines.
 */


#include "view.h"


static void test_tags(void);
static void test_delimiters(void);
static void test_standalone(void);
static void test_errors(void);
static void test_cut(void);


static void
test_tags(void)
{
    view_is("", "{}", NULL, "", "an empty text");
    view_is("{", "{}", NULL, "{", "one brace is text");
    view_is("{ {a}} }} {", "{\"a\":1}", NULL, "{ {a}} }} {",
            "braces that are no tag are text");
    view_is("{{a}}{{a}}", "{\"a\":1}", NULL, "11", "tags without text");
    view_is("{{{a}}}{{&a}}{{ & a }}", "{\"a\":\"<\"}", NULL, "<<<",
            "raw values");
    view_is("{{{a}}} }", "{\"a\":\"<\"}", NULL, "< }",
            "three braces end with three");
    view_is("{{\ta\n}}", "{\"a\":1}", NULL, "1", "white space in a tag");
    view_is("{{! comment {{ }}x", "{}", NULL, "x", "comments");
    view_is("{{a}}}", "{\"a\":1}", NULL, "1}", "a brace behind a tag");
    view_is("{{\"a|b\"}}", "{}", NULL, "a|b", "a bar in a literal");
}


static void
test_delimiters(void)
{
    view_is("{{=<% %>=}}<%a%>{{a}}<%={{ }}=%>{{a}}", "{\"a\":1}", NULL,
            "1{{a}}1", "other delimiters and back");
    view_is("{{=| |=}}|a||&a||{a}|", "{\"a\":\"<\"}", NULL, "&lt;<<",
            "delimiters of one character");
    view_is("{{=123456789012345 543210987654321=}}"
            "123456789012345a543210987654321", "{\"a\":1}", NULL, "1",
            "the longest delimiters");

    view_fails("{{=1234567890123456 x=}}", NULL, 1, "invalid delimiters");
    view_fails("{{=x 1234567890123456=}}", NULL, 1, "invalid delimiters");
    view_fails("{{=x=}}", NULL, 1, "invalid delimiters");
    view_fails("{{==}}", NULL, 1, "invalid delimiters");
    view_fails("{{=a b", NULL, 1, "unclosed tag");
}


static void
test_standalone(void)
{
    view_is("a\n  {{! c }}  \nb", "{}", NULL, "a\nb",
            "white space behind a tag alone on its line");
    view_is("{{#a}}\n{{.}}\n{{/a}}\n", "{\"a\":[1,2]}", NULL, "1\n2\n",
            "sections alone on their lines");
    view_is("{{#a}} {{/a}}\n", "{\"a\":1}", NULL, " \n",
            "a whole section on a line leaves it");
    view_is("x{{! c }}\n", "{}", NULL, "x\n", "text before a tag");
    view_is("{{! a }}{{! b }}\n", "{}", NULL, "\n", "two tags on a line");
    view_is("  {{a}}\n", "{}", NULL, "  \n", "a value is never alone");
    view_is("{{! a\n b }}\nx", "{}", NULL, "x",
            "a comment of lines takes them all");
    view_is("{{=| |=}}\n|a|", "{\"a\":1}", NULL, "1",
            "delimiters alone on a line");
}


static void
test_errors(void)
{
    view_fails("a\nb {{x", NULL, 2, "unclosed tag");
    view_fails("{{{x}}", NULL, 1, "unclosed tag");
    view_fails("{{x}", NULL, 1, "unclosed tag");
    view_fails("{{", NULL, 1, "unclosed tag");
    view_fails("{{}}", NULL, 1, "empty name");
    view_fails("\n{{&}}", NULL, 2, "empty name");
    view_fails("{{#a}}\n\n{{/b}}", NULL, 3, "another section is open");
    view_fails("a\n{{/a}}", NULL, 2, "nothing to close by \"a\"");
    view_fails("\n{{#a}}\n{{#b}}\n{{/b}}\n", NULL, 2,
               "unclosed section \"a\"");
    view_fails("{{! two\nlines }}\n{{a b}}", NULL, 3, "invalid name");
    view_fails("{{a\n|nopipe}}", NULL, 2, "unknown pipe \"nopipe\"");
}


/* Every cut of a template compiles or is refused with a place. */

static void
test_cut(void)
{
    size_t         n, bad;
    char           copy[512];
    view_t        *v;
    view_text_t    texts[3];

    static const char  whole[] =
        "{{<good}}{{$b}}\n  {{#a}}{{^b}}x{{{y}}}{{&z}}{{/b}}{{/a}}\n{{/b}}"
        "{{/good}}{{! c }}{{=<% %>=}}<%>good%><%={{ }}=%>{{>*d}}{{@w}}"
        "{{n|plural:p}}{{\"portal.css\"|asset}}{{s|t:x.}}";

    memset(texts, 0, sizeof(texts));
    texts[0].name = "t";
    texts[0].text = copy;
    texts[1].name = "good";
    texts[1].text = "{{$b}}{{/b}}";

    bad = 0;

    for (n = 0; n < sizeof(whole); n++) {
        portal_str_t  exact;

        memcpy(copy, whole, n);
        copy[n] = '\0';

        exact = str_exact(copy, n + 1);
        texts[0].text = (char *) exact.data;

        v = view_create(texts);
        view_locale(v, "fr", "{\"w\":\"w\",\"p\":{\"one\":\"1\","
                             "\"other\":\"2\"}}");

        if (view_get(v, "t") == NULL
            && (v->err.line == 0 || v->err.file.len == 0
                || v->err.text[0] == '\0'))
        {
            bad++;
        }

        if (n + 1 == sizeof(whole)) {
            ok(view_get(v, "t") != NULL, "the whole compiles");
        }

        view_destroy(v);
        free(exact.data);
    }

    is_int(bad, 0, "every cut of it is refused with a place and a reason");
}


int
main(void)
{
    test_tags();
    test_delimiters();
    test_standalone();
    test_errors();
    test_cut();

    return tap_done();
}
