
/*
 * Copyright (C) the nginx client portal authors
 *
 * Content negotiation and targets of redirects.
 */


#include "portal_accept.h"
#include "tap.h"


static void json_is(const char *accept, int want);
static void language_is(const char *header, int want);
static void next_is(const char *next, size_t len, int want);
static void test_json(void);
static void test_language(void);
static void test_next(void);
static void test_cut(void);


static void
json_is(const char *accept, int want)
{
    portal_str_t  s;

    s = str_exact(accept, strlen(accept));
    is_int(portal_accepts_json(&s), want, accept);
    free(s.data);
}


static void
test_json(void)
{
    json_is("", 0);
    json_is("application/json", 1);
    json_is("Application/JSON", 1);
    json_is("application/problem+json", 1);
    json_is("application/json; charset=utf-8", 1);
    json_is("*/*", 0);
    json_is("application/*", 0);
    json_is("text/html", 0);
    json_is("text/html,application/json", 0);
    json_is("application/json,text/html", 0);
    json_is("application/json,text/html;q=0.9", 1);
    json_is("application/json;q=0.9,text/html", 0);
    json_is("text/html;q=0.999, application/json", 1);
    json_is("application/json;q=0", 0);
    json_is("application/json;q=0.001", 1);
    json_is("application/json;q=0.000", 0);
    json_is("application/json ; q=0.5 , text/html;q=0.4", 1);
    json_is("application/json;v=1;q=0.1,text/html;q=0.2", 0);
    json_is("application/json;v=1,text/html", 0);
    json_is("application/json;q=9,text/html;q=1", 0);
    json_is("application/json\t;q=1,\ttext/html\t;q=0.5", 1);
    json_is("text/html\t;q=1,application/json;q=0.5", 0);
    json_is("application/jsonx", 0);
    json_is("application/jso", 0);
    json_is(",,, ,application/json", 1);
    json_is(";,;q=1,;;q=", 0);
    json_is("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            0);
}


static void
language_is(const char *header, int want)
{
    portal_str_t  s, codes[2];

    codes[0] = str("fr");
    codes[1] = str("en");

    s = str_exact(header, strlen(header));
    is_int(portal_accept_language(&s, codes, 2), want, header);
    free(s.data);
}


static void
test_language(void)
{
    language_is("", -1);
    language_is("fr", 0);
    language_is("en", 1);
    language_is("FR-fr", 0);
    language_is("en-US,en;q=0.9,fr;q=0.8", 1);
    language_is("de,en;q=0.7,fr;q=0.8", 0);
    language_is("fr;q=0.5,en;q=0.5", 0);
    language_is("fr;q=0,en;q=0.1", 1);
    language_is("fr;q=0", -1);
    language_is("fra", -1);
    language_is("f", -1);
    language_is("fr_FR", -1);
    language_is("*", -1);
    language_is("de-DE, *;q=0.5", -1);
    language_is("fr ;q=0.2 , en\t; q=0.3", 1);
    language_is("x-fr,en-", 1);
}


static void
next_is(const char *next, size_t len, int want)
{
    char          what[64];
    portal_str_t  s;

    s = str_exact(next, len);

    tap_printable(what, sizeof(what), s.data, s.len);
    is_int(portal_next_valid(&s), want, what);
    free(s.data);
}


#define next(s, want)  next_is(s, sizeof(s) - 1, want)

static void
test_next(void)
{
    char  text[2050];

    next("", 0);
    next("/", 1);
    next("/documents?q=a%20b&c=d#e", 1);
    next("//evil.example", 0);
    next("/\\evil.example", 0);
    next("\\evil.example", 0);
    next("http://evil.example", 0);
    next("javascript:alert(1)", 0);
    next("documents", 0);
    next(" /documents", 0);
    next("/documents ", 0);
    next("/a b", 0);
    next("/a\tb", 0);
    next("/a\r\nSet-Cookie: x=y", 0);
    next("/a\n", 0);
    next("/\0", 0);
    next("/\177", 0);
    next("/\303\251", 0);
    next("/a//b", 1);
    next("/~!$&'()*+,;=:@", 1);
    next("/\t/evil.example", 0);

    memset(text, 'a', sizeof(text));
    text[0] = '/';

    next_is(text, 2048, 1);
    next_is(text, 2049, 0);
}


/* No header, wherever it ends, is read beyond its end. */

static void
test_cut(void)
{
    size_t        n, json, english;
    portal_str_t  s, codes[1];

    static const char  header[] = "text/html ;q=0.5\t, application/json ,"
                                  "fr-FR;q=0.5,en-US;q=0.1,fr";

    codes[0] = str("en");

    json = 0;
    english = 0;

    for (n = 0; n < sizeof(header); n++) {
        s = str_exact(header, n);
        json += portal_accepts_json(&s) == 1;
        english += portal_accept_language(&s, codes, 1) == 0;
        free(s.data);
    }

    is_int(json, sizeof(header) - (strstr(header, "json") + 4 - header),
           "cuts of a header that ask for JSON");
    is_int(english, sizeof(header) - (strstr(header, "en-") + 2 - header) - 3,
           "and for English, but with \"q=\", \"q=0\" and \"q=0.\"");
}


int
main(void)
{
    test_json();
    test_language();
    test_next();
    test_cut();

    return tap_done();
}
