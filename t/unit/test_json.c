
/*
 * Copyright (C) the nginx client portal authors
 *
 * Reading JSON in place.
 */


#include "portal_json.h"
#include "tap.h"


static int parse(const char *text, size_t len);
static void test_values(void);
static void test_refused(void);
static void test_nodes(void);
static void test_member(void);
static void test_lookup(void);
static void text_is(const char *text, const char *want);
static void test_next(void);
static void test_depth(void);
static void test_many(void);
static void test_cut(void);
static void *few(void *ctx, size_t size);
static void test_memory(void);


static portal_arena_t  *arena;
static portal_json_t    doc;


static int
parse(const char *text, size_t len)
{
    int           rc;
    portal_str_t  s;

    s = str_exact(text, len);
    rc = portal_json_parse(&doc, &s, arena);
    free(s.data);

    return rc;
}


static void
test_values(void)
{
    char    what[64];
    size_t  i;

    static const char  *good[] = {
        "null", "true", "false", "0", "-0", "12", "-1.5", "1e5", "1E+5",
        "1.25e-10", "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\303\251\"", "[]", "{}", " [ 1 , 2 ] ", "\t\r\n{ \"a\" : 1 }\n",
        "[[],{},[{}]]", "{\"a\":{\"b\":[null]},\"\":\"\"}", "\"\177\"", NULL
    };

    for (i = 0; good[i]; i++) {
        tap_printable(what, sizeof(what), (unsigned char *) good[i],
                      strlen(good[i]));
        is_int(parse(good[i], strlen(good[i])), PORTAL_OK, what);
    }
}


static void
test_refused(void)
{
    char    what[64];
    size_t  i;

    static const struct {
        const char  *text;
        size_t       len;
    } bad[] = {
#define J(s)  { s, sizeof(s) - 1 }
        J(""), J(" "), J("nul"), J("nulL"), J("nullx"), J("tru"),
        J("falsy"), J("+1"), J("-"), J(".5"), J("1."), J("1.e5"), J("01"),
        J("-01"), J("1e"), J("1e+"), J("1.2.3"), J("1-2"), J("0x1"),
        J("NaN"), J("Infinity"), J("\""), J("\"a"), J("\"\\\""),
        J("\"\\x\""), J("\"\\u\""), J("\"\\u12\""), J("\"\\u123g\""),
        J("\"\\"), J("\"\n\""), J("\"\0\""), J("\"\037\""), J("'a'"),
        J("["), J("]"), J("[1"), J("[1,"), J("[1,]"), J("[,1]"), J("[1 2]"),
        J("[1}"), J("{"), J("}"), J("{1:2}"), J("{\"a\"}"), J("{\"a\":}"),
        J("{\"a\":1,}"), J("{\"a\":1"), J("{\"a\" 1}"), J("{,}"),
        J("{\"a\":1]"), J("1 2"), J("{} {}"), J("//"), J("/**/1"),
        J("null\0"), J("\357\273\277{}"), { NULL, 0 }
    };

    for (i = 0; bad[i].text; i++) {
        tap_printable(what, sizeof(what), (unsigned char *) bad[i].text,
                      bad[i].len);
        is_int(parse(bad[i].text, bad[i].len), PORTAL_ERROR, what);
    }
}


static void
test_nodes(void)
{
    portal_str_t  s;

    s = str(" {\"a\":[1,\"x\\n\"],\"b\":{},\"c\":-2.5e3}");

    is_int(portal_json_parse(&doc, &s, arena), PORTAL_OK, "a document");
    is_int(doc.n, 9, "its nodes");

    is_int(doc.nodes[0].type, portal_json_object, "the root");
    is_int(doc.nodes[0].len, 3, "has three members");
    is_int(doc.nodes[0].next, 9, "and everything inside");

    is_int(doc.nodes[2].type, portal_json_array, "a list");
    is_int(doc.nodes[2].len, 2, "of two");
    is_int(doc.nodes[2].next, 5, "ends before the next name");

    is_int(doc.nodes[4].type, portal_json_string, "a text");
    is_int(doc.nodes[4].escaped, 1, "with an escape");
    is_int(doc.nodes[4].len, 3, "its length is that of the source");
    ok(memcmp(doc.text + doc.nodes[4].start, "x\\n", 3) == 0, "its start");

    is_int(doc.nodes[6].type, portal_json_object, "an empty object");
    is_int(doc.nodes[6].len, 0, "has no member");
    is_int(doc.nodes[6].next, 7, "and nothing inside");

    is_int(doc.nodes[8].type, portal_json_number, "a number");
    is_int(doc.nodes[8].len, 6, "as it is written");
}


static void
test_member(void)
{
    uint32_t      node;
    portal_str_t  s, name;

    s = str("{\"a\":{\"b\":1},\"b\":2,\"ab\":3,\"\":4,\"b\":5,\"\\u0063\":6}");
    portal_json_parse(&doc, &s, arena);

    name = str("b");
    node = portal_json_member(&doc, 0, &name);
    ok(node != PORTAL_JSON_NONE && doc.text[doc.nodes[node].start] == '2',
       "a member, not one of another object; the first of two");

    name = str("a");
    node = portal_json_member(&doc, 0, &name);
    name = str("b");
    node = portal_json_member(&doc, node, &name);
    is_int(doc.text[doc.nodes[node].start], '1', "a member of a member");

    is_int(portal_json_member(&doc, node, &name), PORTAL_JSON_NONE,
           "a number has none");

    name = str("");
    node = portal_json_member(&doc, 0, &name);
    is_int(doc.text[doc.nodes[node].start], '4', "a name of nothing");

    name = str("c");
    is_int(portal_json_member(&doc, 0, &name), PORTAL_JSON_NONE,
           "a name with an escape is not looked for");

    name = str("abc");
    is_int(portal_json_member(&doc, 0, &name), PORTAL_JSON_NONE,
           "one that is not there");
}


static void
test_lookup(void)
{
    portal_str_t  s, value;

    s = str("{\"a\":{\"b\":\"x\",\"n\":1,\"e\":\"\\n\",\"s\":\"\"}}");
    portal_json_parse(&doc, &s, arena);

    is_int(portal_json_lookup(&doc, "a.b", &value), PORTAL_OK, "a path");
    is_str(value, "x", "its text");
    is_int(portal_json_lookup(&doc, "a.s", &value), PORTAL_OK,
           "an empty text");
    is_int(value.len, 0, "is a text");
    is_int(portal_json_lookup(&doc, "a.n", &value), PORTAL_DECLINED,
           "a number is none");
    is_int(portal_json_lookup(&doc, "a.e", &value), PORTAL_DECLINED,
           "nor one with escapes");
    is_int(portal_json_lookup(&doc, "a", &value), PORTAL_DECLINED,
           "nor an object");
    is_int(portal_json_lookup(&doc, "a.b.c", &value), PORTAL_DECLINED,
           "a path through a text");
    is_int(portal_json_lookup(&doc, "x.b", &value), PORTAL_DECLINED,
           "a path to nothing");
    is_int(portal_json_lookup(&doc, "", &value), PORTAL_DECLINED,
           "no path");
}


/* The characters of a text, each as hex digits and a space. */

static void
text_is(const char *text, const char *want)
{
    char                  got[256], *g;
    size_t                i, n;
    unsigned char         c[4];
    portal_str_t          s;
    const unsigned char  *p, *last;

    s = str_exact(text, strlen(text));
    p = s.data;
    last = p + s.len;
    g = got;
    *g = '\0';

    while (p < last) {
        n = portal_json_next(&p, last, c);

        for (i = 0; i < n; i++) {
            g += sprintf(g, "%02x", c[i]);
        }

        *g++ = ' ';
        *g = '\0';
    }

    free(s.data);
    is_text(got, want, text);
}


static void
test_next(void)
{
    text_is("a\303\251", "61 c3 a9 ");
    text_is("\\\"\\\\\\/\\b\\f\\n\\r\\t", "22 5c 2f 08 0c 0a 0d 09 ");
    text_is("\\u0041\\u00e9\\u20ac", "41 c3a9 e282ac ");
    text_is("\\u0000", "00 ");
    text_is("\\u007f\\u0080\\u07ff\\u0800\\uffff", "7f c280 dfbf e0a080 "
            "efbfbf ");
    text_is("\\ud83d\\ude00", "f09f9880 ");
    text_is("\\uD83D\\uDE00", "f09f9880 ");
    text_is("\\udbff\\udfff", "f48fbfbf ");
    text_is("\\ud800", "efbfbd ");
    text_is("\\ud800x", "efbfbd 78 ");
    text_is("\\ud800\\n", "efbfbd 0a ");
    text_is("\\ud800\\ud800", "efbfbd efbfbd ");
    text_is("\\udc00\\ud800", "efbfbd efbfbd ");
    text_is("\\ud800\\u0041", "efbfbd 41 ");
    text_is("\\ud800\\ude0", "efbfbd efbfbd ");
    text_is("\\u12", "efbfbd ");
    text_is("\\u123g", "efbfbd ");
    text_is("\\", "5c ");
}


static void
test_depth(void)
{
    int    depth, deepest;
    char   text[256];

    deepest = 0;

    for (depth = 1; depth < 100; depth++) {
        memset(text, '[', (size_t) depth);
        text[depth] = '1';
        memset(text + depth + 1, ']', (size_t) depth);

        if (parse(text, 2 * (size_t) depth + 1) == PORTAL_OK) {
            deepest = depth;
        }
    }

    is_int(deepest, 64, "lists in lists");

    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    is_int(parse(text, 130), PORTAL_ERROR, "65 empty lists");
    is_int(parse(text + 1, 128), PORTAL_OK, "64 empty lists");

    memset(text, '[', 200);
    is_int(parse(text, 200), PORTAL_ERROR, "nothing but opening");
}


static void
test_many(void)
{
    int    i;
    char  *text, *p;

    text = malloc(300000);
    p = text;
    *p++ = '[';

    for (i = 0; i < 100000; i++) {
        *p++ = '1';
        *p++ = ',';
    }

    p[-1] = ']';

    is_int(parse(text, (size_t) (p - text)), PORTAL_OK, "100,000 numbers");
    is_int(doc.nodes[0].len, 100000, "all counted");
    is_int(doc.nodes[0].next, 100001, "to the end");
    is_int(doc.nodes[100000].start, 199999, "and in their places");

    free(text);
}


/* No cut of a document is a document, and none is read beyond its end. */

static void
test_cut(void)
{
    int     good;
    size_t  n;

    static const char  text[] =
        "{\"a\":[null,true,false,-1.5e+3,\"\\u00e9\\ud83d\\ude00\"],\"b\":{}}";

    good = 0;

    for (n = 0; n < sizeof(text); n++) {
        good += (parse(text, n) == PORTAL_OK);
    }

    is_int(good, 1, "only the whole is a document");
}


static void *
few(void *ctx, size_t size)
{
    int  *left = ctx;

    return (*left)-- > 0 ? portal_alloc(arena, size) : NULL;
}


static void
test_memory(void)
{
    int             i, left;
    char           *text;
    portal_str_t    s;
    portal_arena_t  scarce;

    scarce.alloc = few;
    scarce.ctx = &left;

    text = malloc(20001);

    for (i = 0; i < 10000; i++) {
        memcpy(text + 2 * i, "1,", 2);
    }

    text[0] = '[';
    text[1] = '1';
    text[19999] = ']';

    s.data = (unsigned char *) text;
    s.len = 20000;

    for (left = i = 0; i < 20; i++) {
        left = i;

        if (portal_json_parse(&doc, &s, &scarce) == PORTAL_OK) {
            break;
        }
    }

    ok(i > 1 && i < 20, "memory that ends at any of the %d times is an error",
       i);

    free(text);
}


int
main(void)
{
    arena = portal_arena_create();

    test_values();
    test_refused();
    test_nodes();
    test_member();
    test_lookup();
    test_next();
    test_depth();
    test_many();
    test_cut();
    test_memory();

    portal_arena_destroy(arena);

    return tap_done();
}
