
/*
 * Copyright (C) the nginx client portal authors
 *
 * Rendering: what the specification's own cases leave open.
 */


#include "view.h"


static void test_truth(void);
static void test_names(void);
static void test_roots(void);
static void test_words(void);
static void test_word_loop(void);
static void test_long_key(void);
static void test_depth(void);
static void test_dynamic(void);
static void test_blocks(void);
static void test_lines(void);
static void test_output(void);


#define TRUTH  "{{#a}}yes{{/a}}{{^a}}no{{/a}}"


static void
test_truth(void)
{
    view_is(TRUTH, "{}", NULL, "no", "an absent value is false");
    view_is(TRUTH, "{\"a\":null}", NULL, "no", "null is false");
    view_is(TRUTH, "{\"a\":false}", NULL, "no", "false is false");
    view_is(TRUTH, "{\"a\":[]}", NULL, "no", "the empty list is false");
    view_is(TRUTH, "{\"a\":\"\"}", NULL, "no", "the empty text is false");
    view_is(TRUTH, "{\"a\":0}", NULL, "no", "zero is false");
    view_is(TRUTH, "{\"a\":-0.00}", NULL, "no", "zero is false as a decimal");
    view_is(TRUTH, "{\"a\":0.01}", NULL, "yes", "a small decimal is true");
    view_is(TRUTH, "{\"a\":-1}", NULL, "yes", "a negative number is true");
    view_is(TRUTH, "{\"a\":10}", NULL, "yes", "ten is true");
    view_is(TRUTH, "{\"a\":true}", NULL, "yes", "true is true");
    view_is(TRUTH, "{\"a\":\"0\"}", NULL, "yes", "a text of 0 is true");
    view_is(TRUTH, "{\"a\":{}}", NULL, "yes", "an empty object is true");
    view_is(TRUTH, "{\"a\":[0,false]}", NULL, "yesyes",
            "a list is rendered for each of its elements");
    view_is("{{#a}}{{.}},{{/a}}", "{\"a\":[0,\"\",null,false,\"x\"]}", NULL,
            "0,,,false,x,", "false elements of a list are elements");
    view_is("{{#a}}{{#b}}{{.}}{{/b}};{{/a}}",
            "{\"a\":[{\"b\":[1,[2,3],4]},{\"b\":[]},{\"b\":5}]}", NULL,
            "14;;5;", "lists in lists end where they end");
}


static void
test_names(void)
{
    view_is("{{a}}{{b}}{{c}}", "{\"a\":{\"x\":1},\"b\":[1],\"c\":\"c\"}",
            NULL, "c", "an object or a list is no text");
    view_is("{{#o}}{{a}}{{/o}}", "{\"a\":\"out\",\"o\":{\"a\":null}}", NULL,
            "", "an inner null hides the outer value");
    view_is("{{#o}}{{a.b}}{{/o}}",
            "{\"a\":{\"b\":\"out\"},\"o\":{\"a\":{}}}", NULL, "",
            "only the first part of a name is searched for");
    view_is("{{#a}}{{a}}{{/a}}", "{\"a\":\"x\"}", NULL, "x",
            "a name is found in the section of its own value");
    view_is("{{#a}}{{n}}{{#b}}{{n}}{{/b}}{{/a}}{{n}}",
            "{\"n\":0,\"a\":[{\"n\":1,\"b\":{}},{\"b\":{\"n\":2}}]}", NULL,
            "11020", "sections come and go, the roots stay");
    view_is("{{\"<literal>\"}}", "{}", NULL, "&lt;literal&gt;",
            "a literal is a value");
    view_is("{{length}}{{x.length}}", "{\"x\":[1,2]}", NULL, "",
            "nothing is built in");
}


static void
test_roots(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "t", "{{a}} {{b}} {{c}} {{#s}}{{a}}{{/s}} {{.}}{{a}}" },
        { "n", "{{a}}{{#a}}x{{/a}}{{^a}}y{{/a}}{{>*a}}{{.}}" },
        { NULL, NULL }
    };

    v = view_create(texts);

    view_render(v, "t", "{\"a\":1,\"b\":2,\"s\":{\"b\":0}}",
                "{\"a\":10,\"c\":30}");
    is_text((char *) v->data, "10 2 30 10 10",
            "the last root is searched first");

    view_render(v, "t", "{\"a\":1}", "[]");
    is_text((char *) v->data, "1    1", "a root may be no object");

    view_render(v, "t", "\"x\"", "\"y\"");
    is_text((char *) v->data, "    y", "the last root is the context");

    view_destroy(v);

    {
        portal_out_t        out;
        unsigned char       data[64];
        portal_view_t       view;
        portal_json_t       none;
        portal_template_t  *t;

        v = view_create(texts);
        t = view_get(v, "n");

        memset(&view, 0, sizeof(portal_view_t));
        memset(&none, 0, sizeof(portal_json_t));

        out.pos = data;
        out.end = data + sizeof(data);

        is_int(portal_template_render(t, &view, &out), PORTAL_OK,
               "no root at all");
        tap_is(data, (size_t) (out.pos - data), "y", 1, "and every name is "
               "absent");

        out.pos = data;
        view.roots[0] = NULL;
        view.roots[1] = &none;
        view.nroots = 2;

        is_int(portal_template_render(t, &view, &out), PORTAL_OK,
               "roots that are none");
        tap_is(data, (size_t) (out.pos - data), "y", 1, "are left out");

        view_destroy(v);
    }
}


#define WORDS                                                                 \
    "{" VIEW_FORMAT ","                                                       \
    "\"hello\":\"Bonjour <b>{name}</b> & bienvenue\","                        \
    "\"docs\":{\"one\":\"{n} document\",\"other\":\"{n} documents\"},"        \
    "\"docs2\":{\"one\":\"un de {who}\","                                      \
    "\"other\":\"{count|number} de {who}\"}"                                   \
    ",\"both\":\"{count|plural:docs} de {who}\","                             \
    "\"kind\":{\"pdf\":\"Fichier PDF\",\"a\":{\"b\":\"deep\"}},"              \
    "\"n\":\"[{n}]\","                                                        \
    "\"flash\":{\"saved\":\"Enregistr\303\251.\"}}"


#define ENGLISH  "{\"p\":{\"one\":\"one\",\"other\":\"many\"}}"


static void
test_words(void)
{
    view_is("{{@hello}}", "{\"name\":\"<i>\"}", WORDS,
            "Bonjour &lt;b&gt;&lt;i&gt;&lt;/b&gt; &amp; bienvenue",
            "a word is text");
    view_is("{{{@hello}}}", "{\"name\":\"<i>\"}", WORDS,
            "Bonjour <b>&lt;i&gt;</b> & bienvenue",
            "three braces: the word is HTML, what it quotes is not");
    view_is("{{&@hello}}", "{\"name\":\"\\u003ci\\u003e\"}", WORDS,
            "Bonjour <b>&lt;i&gt;</b> & bienvenue",
            "an ampersand is the same");
    view_is("{{{ @hello }}}{{ @flash.saved }}", "{}", WORDS,
            "Bonjour <b></b> & bienvenueEnregistr\303\251.",
            "white space around a key, an absent name");

    view_is("{{c|plural:docs}}", "{\"c\":0}", WORDS, "0 document",
            "fr: none is one");
    view_is("{{c|plural:docs}}", "{\"c\":1}", WORDS, "1 document",
            "fr: one");
    view_is("{{c|plural:docs}}", "{\"c\":2}", WORDS, "2 documents",
            "fr: two is many");
    view_is("{{c|plural:docs}}", "{\"c\":1234}", WORDS, "1_234 documents",
            "{n} is the number, grouped");
    view_is("{{c|plural:docs}}", "{\"c\":1.5}", WORDS, "1,5 document",
            "fr: less than two is one");
    view_is("{{c|plural:docs}}", "{\"c\":-1}", WORDS, "-1 document",
            "a negative number");
    view_is("{{c|plural:docs}}", "{\"c\":null,\"n\":7}", WORDS,
            " documents", "null is many, and no number of the page's");
    view_is("{{c|plural:docs}}", "{\"c\":\"<2\"}", WORDS,
            "&lt;2 documents", "what is no number");
    view_is("{{count|plural:docs2}}", "{\"count\":3,\"who\":\"<J>\"}", WORDS,
            "3 de &lt;J&gt;", "other placeholders are the page's");
    view_is("{{@both}}", "{\"count\":1,\"who\":\"J\"}", WORDS,
            "1 document de J", "a word may name a word");

    view_is("{{c|plural:p}}", "{\"c\":0}", ENGLISH, "many", "en: none");
    view_is("{{c|plural:p}}", "{\"c\":1}", ENGLISH, "one", "en: one");
    view_is("{{c|plural:p}}", "{\"c\":2}", ENGLISH, "many", "en: two");
    view_is("{{c|plural:p}}", "{\"c\":11}", ENGLISH, "many", "en: eleven");
    view_is("{{c|plural:p}}", "{\"c\":1.5}", ENGLISH, "many",
            "en: one and a half");
    view_is("{{c|plural:p}}", "{\"c\":0.1}", ENGLISH, "many",
            "en: a tenth");

    view_is("{{k|t:kind.}}", "{\"k\":\"pdf\"}", WORDS, "Fichier PDF",
            "t: the word of prefix and value");
    view_is("{{k|t:kind.}}", "{\"k\":\"<x>\"}", WORDS, "&lt;x&gt;",
            "t: without a word the value itself");
    view_is("{{k|t:kind.}}", "{\"k\":\"p\\u0064f\"}", WORDS, "pdf",
            "t: an escaped value is none");
    view_is("{{k|t:kind.}}", "{}", WORDS, "", "t: no value");
    view_is("{{k|t:kind.}}", "{\"k\":\"a.b\"}", WORDS, "deep",
            "t: deeper keys");
    view_is("{{\"flash.saved\"|t}}", "{}", WORDS, "Enregistr\303\251.",
            "t: of a literal");
    view_is("{{k|t:}}", "{\"k\":\"n\",\"n\":\"x\"}", WORDS, "[x]",
            "{n} is an ordinary name in other words");
    view_is("{{k|t:kind.}}", "{\"k\":7}", NULL, "7", "t: without words");
    view_is("{{c|plural:x}} {{d|date}} {{s|size}}",
            "{\"c\":7,\"d\":\"2026-01-02\",\"s\":5}", NULL,
            "7 2026-01-02 5", "pipes without a locale change nothing");
}


/* Words that name each other without end. */

static void
test_word_loop(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "t", "{{c|plural:a}}" },
        { "u", "{{k|t:x.}}" },
        { NULL, NULL }
    };

    v = view_create(texts);
    view_locale(v, "fr", "{\"a\":{\"one\":\"{c|plural:a}\","
                         "\"other\":\"end\"},\"x\":{\"y\":"
                         "\"{k|t:x.}\"}}");

    is_int(view_render(v, "t", NULL, "{\"c\":1}"), PORTAL_ERROR,
           "a word that names itself ends with an error");
    is_int(view_render(v, "t", NULL, "{\"c\":2}"), PORTAL_OK,
           "where it does");
    is_int(view_render(v, "u", NULL, "{\"k\":\"y\"}"), PORTAL_ERROR,
           "by the page's value as well");

    view_destroy(v);
}


/* A key of 300 bytes is no word, and no overflow. */

static void
test_long_key(void)
{
    char  json[512], want[400];

    memset(want, 'k', 300);
    want[300] = '\0';
    snprintf(json, sizeof(json), "{\"k\":\"%s\"}", want);

    view_is("{{k|t:kind.}}", json, WORDS, want, "t: a value of 300 bytes");

    want[251] = '\0';
    snprintf(json, sizeof(json), "{\"k\":\"%s\"}", want);

    view_is("{{k|t:kind.}}", json, WORDS, want, "t: a key of 256 bytes");
}


static void
test_depth(void)
{
    char         json[4096], *p;
    int          i;
    view_t      *v;

    static const view_text_t  texts[] = {
        { "t", "{{#c}}({{>t}}){{/c}}" },
        { "deep", "{{>d1}}" },
        { "d1", "{{#x}}{{>d1}}{{/x}}" },
        { "loop", "a{{>loop}}" },
        { "ping", "{{>pong}}" },
        { "pong", "{{<ping}}{{$b}}{{/b}}{{/ping}}" },
        { "maybe", "{{^stop}}{{>maybe}}{{/stop}}" },
        { "block", "{{<frame}}{{$b}}x{{>block}}{{/b}}{{/frame}}" },
        { "frame", "{{$b}}{{/b}}" },
        { "unused", "{{<frame}}{{$no}}{{>unused}}{{/no}}{{/frame}}" },
        { "self", "{{<frame}}{{$b}}1{{$b}}2{{/b}}{{/b}}{{/frame}}" },
        { NULL, NULL }
    };

    v = view_create(texts);

    for (p = json, i = 0; i < 31; i++) {
        p += sprintf(p, "{\"c\":[");
    }

    p += sprintf(p, "{\"c\":[]}");

    for (i = 0; i < 31; i++) {
        p += sprintf(p, "]}");
    }

    /* a level is a section and a partial */

    is_int(view_render(v, "t", NULL, json), PORTAL_OK,
           "a tree of 31 levels is rendered");
    is_int(strlen((char *) v->data), 62, "and whole");

    /* a name that every level finds again */

    is_int(view_render(v, "t", NULL, "{\"c\":[{}]}"), PORTAL_ERROR,
           "what finds itself again ends with an error");
    is_int(view_render(v, "deep", NULL, "{\"x\":true}"), PORTAL_ERROR,
           "a partial that the page makes endless");
    is_int(view_render(v, "deep", NULL, "{\"x\":false}"), PORTAL_OK,
           "or not");
    is_int(view_render(v, "maybe", NULL, "{\"stop\":true}"), PORTAL_OK,
           "an inverted section ends a recursion");
    is_int(view_render(v, "maybe", NULL, "{}"), PORTAL_ERROR,
           "or does not");

    ok(view_get(v, "loop") == NULL
       && strstr(v->err.text, "includes itself") != NULL,
       "a template that includes itself is refused when compiled");
    ok(portal_str_is(&v->err.file, "loop") && v->err.line == 1,
       "with its file and line");
    ok(view_get(v, "ping") == NULL, "through a parent as well");
    ok(view_get(v, "block") == NULL, "and in the block that it gives");
    ok(view_get(v, "unused") != NULL, "but not in one that nobody takes");

    is_int(view_render(v, "self", NULL, NULL), PORTAL_OK,
           "a block of its own name inside");
    is_text((char *) v->data, "12", "is not given to itself");

    view_destroy(v);
}


static void
test_dynamic(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "t", "[{{>*a.kind}}]" },
        { "x", "{{#a}}{{n}}{{/a}}" },
        { "late", "never compiled" },
        { NULL, NULL }
    };

    v = view_create(texts);

    (void) view_get(v, "x");

    view_render(v, "t", NULL, "{\"a\":{\"kind\":\"x\",\"n\":1}}");
    is_text((char *) v->data, "[1]", "a template that the data names");

    view_render(v, "t", NULL, "{\"a\":{\"kind\":\"late\"}}");
    is_text((char *) v->data, "[]", "only of those that are compiled");

    view_render(v, "t", NULL, "{\"a\":{\"kind\":\"../x\"}}");
    is_text((char *) v->data, "[]", "and no path");

    view_render(v, "t", NULL, "{\"a\":{\"kind\":\"\\u0078\"}}");
    is_text((char *) v->data, "[]", "an escaped name is none");

    is_int(view_render(v, "t", NULL, "{\"a\":{\"kind\":\"t\"}}"),
           PORTAL_ERROR, "one that names itself ends with an error");

    view_destroy(v);
}


static void
test_blocks(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "base", "<{{$title}}base{{/title}}|{{$body}}{{$inner}}i{{/inner}}"
                  "{{/body}}|{{>part}}|{{<other}}{{/other}}>" },
        { "part", "{{$title}}part{{/title}}" },
        { "other", "{{$title}}other{{/title}}" },
        { "mid", "{{<base}}{{$body}}mid[{{$inner}}mi{{/inner}}]{{/body}}"
                 "{{/base}}" },
        { "page", "{{<mid}}{{$title}}page{{/title}}{{$inner}}pi{{/inner}}"
                  "{{/mid}}" },
        { "scope", "{{<base}}{{$title}}T{{/title}}{{$body}}{{>part}}"
                   "{{<other}}{{/other}}{{/body}}{{/base}}" },
        { NULL, NULL }
    };

    v = view_create(texts);

    view_render(v, "base", NULL, NULL);
    is_text((char *) v->data, "<base|i|part|other>", "defaults");

    view_render(v, "mid", NULL, NULL);
    is_text((char *) v->data, "<base|mid[mi]|part|other>",
            "a block in a given block has its default");

    view_render(v, "page", NULL, NULL);
    is_text((char *) v->data, "<page|mid[pi]|page|page>",
            "the outermost gives it, to partials and parents below too");

    view_render(v, "scope", NULL, NULL);
    is_text((char *) v->data, "<T|partother|T|T>",
            "what is given does not get what stands beside it");

    view_destroy(v);
}


static void
test_lines(void)
{
    view_t  *v;

    static const view_text_t  texts[] = {
        { "t", "<\n    {{>a}}\n>\n" },
        { "a", "1\n\n{{x}}\n  {{>b}}\n{{@w}}\n{{#s}}\ns\n{{/s}}\n" },
        { "b", "2\n3" },
        { "crlf", "a\r\n{{#s}}\r\nb\r\n{{/s}}\r\nc" },
        { "inline", "  {{>c}} x\n" },
        { "c", "1\n2" },
        { "layout", "<\n  {{$main}}{{/main}}\n>\n" },
        { "lines", "{{<layout}}\n{{$main}}\n1\n  2\n{{/main}}\n"
                   "{{/layout}}\n" },
        { "text", "{{<layout}}{{$main}}1{{/main}}{{/layout}}" },
        { "none", "{{<layout}}{{/layout}}" },
        { "deeper", "{{<layout}}{{$main}}\n   1\n     2\n 3\n{{/main}}"
                    "{{/layout}}" },
        { "tagged", "{{<layout}}{{$main}}\n    {{x}}\n    y\n{{/main}}"
                    "{{/layout}}" },
        { "two", " {{$a}}{{/a}} {{$b}}{{/b}}\n" },
        { "twice", "{{<two}}{{$a}}1{{/a}}{{$b}}2{{/b}}{{/two}}" },
        { "line", "  {{>d}}\n" },
        { "d", "{{x}}y{{x}}{{@w}}z{{x}}\n" },
        { "open", "{{$b}}\n  " },
        { "end", "{{$b}}\n  {{" },
        { NULL, NULL }
    };

    v = view_create(texts);
    view_locale(v, "fr", "{\"w\":\"w\\nw\"}");

    view_render(v, "t", NULL, "{\"x\":\"x\\nx\",\"s\":true}");
    is_text((char *) v->data,
            "<\n    1\n\n    x\nx\n      2\n      3w\nw\n    s\n>\n",
            "indentation of partials: its own lines, no empty one, no value");

    view_render(v, "crlf", NULL, "{\"s\":true}");
    is_text((char *) v->data, "a\r\nb\r\nc", "lines that end with CR and LF");

    view_render(v, "inline", NULL, NULL);
    is_text((char *) v->data, "  1\n2 x\n",
            "a partial with something behind is not indented");

    view_render(v, "lines", NULL, NULL);
    is_text((char *) v->data, "<\n  1\n    2\n>\n",
            "a block of lines is put where its place stands");

    view_render(v, "text", NULL, NULL);
    is_text((char *) v->data, "<\n  1\n>\n",
            "a block of a few words ends its line");

    view_render(v, "none", NULL, NULL);
    is_text((char *) v->data, "<\n>\n", "an empty block leaves no line");

    view_render(v, "deeper", NULL, NULL);
    is_text((char *) v->data, "<\n  1\n    2\n  3\n>\n",
            "a block loses the indentation of its first line, no more");

    view_render(v, "tagged", NULL, "{\"x\":1}");
    is_text((char *) v->data, "<\n  1\n  y\n>\n",
            "a first line that begins with a tag");

    view_render(v, "twice", NULL, NULL);
    is_text((char *) v->data, " 1 2\n", "two blocks on a line");

    view_render(v, "line", NULL, "{\"x\":1}");
    is_text((char *) v->data, "  1y1w\nwz1\n", "a line is indented once");

    ok(view_get(v, "open") == NULL && view_get(v, "end") == NULL,
       "a block that the file's end opens");

    view_destroy(v);
}


static void
test_output(void)
{
    size_t   max;
    view_t  *v;

    static const view_text_t  texts[] = {
        { "t", "text {{v}} {{{v}}} {{v|url}} {{v|json}} {{#l}}{{.}}{{/l}}" },
        { NULL, NULL }
    };

    static const char  json[] =
        "{\"v\":\"<\\u00e9&\\\"\",\"l\":[1,\"two\"]}";
    static const char  want[] =
        "text &lt;\303\251&amp;&quot; <\303\251&\" %3C%C3%A9%26%22 "
        "&quot;\\u003c\\u00e9\\u0026\\&quot;&quot; 1two";

    v = view_create(texts);

    for (v->step = 1; v->step < 12; v->step++) {
        if (view_render(v, "t", NULL, json) != PORTAL_OK
            || strcmp((char *) v->data, want) != 0)
        {
            break;
        }
    }

    is_int(v->step, 12, "buffers of any size");
    is_text((char *) v->data, want, "the same bytes");

    for (max = 0; max < sizeof(want) - 1; max++) {
        v->max = max;

        if (view_render(v, "t", NULL, json) != PORTAL_ERROR
            || (size_t) (v->out.pos - v->data) > max)
        {
            break;
        }
    }

    is_int(max, sizeof(want) - 1, "an output that refuses is an error");

    view_destroy(v);
}


int
main(void)
{
    test_truth();
    test_names();
    test_roots();
    test_words();
    test_word_loop();
    test_long_key();
    test_depth();
    test_dynamic();
    test_blocks();
    test_lines();
    test_output();

    return tap_done();
}
