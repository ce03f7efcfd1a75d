
/*
 * Copyright (C) the nginx client portal authors
 *
 * Escaping: every byte in every context.
 */


#include "portal_template_code.h"
#include "view.h"


typedef struct {
    portal_out_t    out;
    unsigned char   data[1024];
} sink_t;


static int sink_more(portal_out_t *out);
static portal_str_t sink_text(sink_t *s, const void *data, size_t len,
    unsigned encode);
static void text_is(const void *data, size_t len, unsigned encode,
    const char *want, const char *what);
static void test_matrix(void);
static void test_bytes(void);
static void test_utf8(void);
static void test_sequence(void);
static void test_json(void);
static void test_value(void);


#define RAW   PORTAL_ENCODE_RAW
#define HTML  PORTAL_ENCODE_HTML
#define JSON  PORTAL_ENCODE_JSON
#define URL   PORTAL_ENCODE_URL


static int
sink_more(portal_out_t *out)
{
    (void) out;

    return PORTAL_ERROR;
}


static portal_str_t
sink_text(sink_t *s, const void *data, size_t len, unsigned encode)
{
    portal_str_t  r, exact;

    exact = str_exact(data, len);

    s->out.pos = s->data;
    s->out.end = s->data + sizeof(s->data);
    s->out.more = sink_more;

    r.data = s->data;
    r.len = 0;

    if (portal_escape_text(&s->out, exact.data, exact.data + len, encode)
        == PORTAL_OK)
    {
        r.len = (size_t) (s->out.pos - s->data);
    }

    free(exact.data);

    return r;
}


static void
text_is(const void *data, size_t len, unsigned encode, const char *want,
    const char *what)
{
    sink_t        s;
    portal_str_t  got;

    got = sink_text(&s, data, len, encode);

    tap_is(got.data, got.len, want, strlen(want), what);
}


/* One value that would leave each context by its own way. */

#define EVIL  "</script><b a=\"'`&amp;\\ %\303\251\342\200\250"

static void
test_matrix(void)
{
    text_is(EVIL, sizeof(EVIL) - 1, HTML,
            "&lt;/script&gt;&lt;b a=&quot;&#39;`&amp;amp;\\ %\303\251"
            "\342\200\250", "HTML");

    text_is(EVIL, sizeof(EVIL) - 1, RAW, EVIL, "raw");

    text_is(EVIL, sizeof(EVIL) - 1, RAW | JSON,
            "\\u003c/script\\u003e\\u003cb a=\"'`\\u0026amp;\\ %\303\251"
            "\\u2028", "JSON in a script");

    text_is(EVIL, sizeof(EVIL) - 1, HTML | JSON,
            "\\u003c/script\\u003e\\u003cb a=&quot;&#39;`\\u0026amp;\\ %"
            "\303\251\\u2028", "JSON in an attribute");

    text_is(EVIL, sizeof(EVIL) - 1, URL,
            "%3C%2Fscript%3E%3Cb%20a%3D%22%27%60%26amp%3B%5C%20%25%C3%A9"
            "%E2%80%A8", "an address");

    text_is("\342\200\251\342\200\252", 6, RAW | JSON,
            "\\u2029\342\200\252", "U+2029, and its neighbour");
}


static void
test_bytes(void)
{
    int            c, html, raw, json, url, nul;
    sink_t         s;
    unsigned char  b;
    portal_str_t   got;

    html = raw = json = url = nul = 0;

    for (c = 0; c < 128; c++) {
        b = (unsigned char) c;

        got = sink_text(&s, &b, 1, HTML);
        html += (got.len != 1 || got.data[0] != b);

        got = sink_text(&s, &b, 1, RAW);
        raw += (got.len != 1 || got.data[0] != b);

        got = sink_text(&s, &b, 1, RAW | JSON);
        json += (got.len != 1 || got.data[0] != b);

        got = sink_text(&s, &b, 1, URL);
        url += (got.len == 1 && got.data[0] == b);

        got = sink_text(&s, &b, 1, RAW);
        nul += (got.len == 3 && memcmp(got.data, "\357\277\275", 3) == 0);
    }

    is_int(html, 6, "HTML changes five characters and NUL");
    is_int(raw, 1, "raw changes NUL");
    is_int(json, 4, "JSON changes three characters and NUL");
    is_int(url, 26 + 26 + 10 + 4, "an address has the unreserved characters");
    is_int(nul, 1, "NUL becomes U+FFFD");
}


#define FFFD  "\357\277\275"

static void
test_utf8(void)
{
    text_is("a\377b", 3, HTML, "a" FFFD "b", "a byte that is never UTF-8");
    text_is("\303", 1, HTML, FFFD, "a cut sequence of two");
    text_is("\342\202", 2, HTML, FFFD FFFD, "a cut sequence of three");
    text_is("\360\237\230", 3, RAW, FFFD FFFD FFFD,
            "a cut sequence of four");
    text_is("\303<", 2, HTML, FFFD "&lt;",
            "a sequence that would swallow a bracket");
    text_is("\342\202\"", 3, HTML, FFFD FFFD "&quot;",
            "or a quote");
    text_is("\300\274", 2, HTML, FFFD FFFD, "an overlong bracket");
    text_is("\340\200\274", 3, HTML, FFFD FFFD FFFD, "of three bytes");
    text_is("\360\200\200\274", 4, RAW, FFFD FFFD FFFD FFFD,
            "of four bytes");
    text_is("\355\240\200", 3, HTML, FFFD FFFD FFFD, "a surrogate");
    text_is("\364\220\200\200", 4, HTML, FFFD FFFD FFFD FFFD,
            "beyond U+10FFFF");
    text_is("\364\217\277\277", 4, HTML, "\364\217\277\277", "U+10FFFF");
    text_is("\355\237\277\356\200\200", 6, HTML, "\355\237\277\356\200\200",
            "the neighbours of the surrogates");
    text_is("\377", 1, URL, "%FF", "an address has bytes");
    text_is("\377\"", 2, HTML | JSON, FFFD "&quot;", "JSON has U+FFFD");
}


/* Against a decoder that is written another way. */

static void
test_sequence(void)
{
    int            a, b, bad;
    size_t         n, want;
    unsigned       u;
    unsigned char  p[4];

    bad = 0;

    for (a = 0; a < 256; a++) {
        for (b = 0; b < 256; b++) {
            p[0] = (unsigned char) a;
            p[1] = (unsigned char) b;
            p[2] = 0x80;
            p[3] = 0xbf;

            n = portal_utf8_sequence(p, p + 4);

            want = a == 0 ? 0 : a < 0x80 ? 1 : a < 0xc0 ? 0 : a < 0xe0 ? 2
                   : a < 0xf0 ? 3 : a < 0xf8 ? 4 : 0;

            if (want > 1) {
                u = (unsigned) a & (0x7fu >> want);
                u = u << 6 | (b & 0x3f);

                if (want > 2) {
                    u = u << 6;
                }

                if (want > 3) {
                    u = u << 6 | 0x3f;
                }

                if ((b & 0xc0) != 0x80 || (want == 2 && u < 0x80)
                    || (want == 3 && (u < 0x800
                                      || (u >= 0xd800 && u <= 0xdfff)))
                    || (want == 4 && (u < 0x10000 || u > 0x10ffff)))
                {
                    want = 0;
                }
            }

            bad += (n != want);
        }
    }

    is_int(bad, 0, "all first and second bytes");
}


static void
test_json(void)
{
    view_is("{{{a|json}}}", "{\"a\":{\"x\":[1,\"]}\\\"<\",null],\"y\":\"\"}}",
            NULL, "{\"x\":[1,\"]}\\\"\\u003c\",null],\"y\":\"\"}",
            "a whole object in a script");
    view_is("{{a|json}}", "{\"a\":[\"'\",\"<\"]}", NULL,
            "[&quot;&#39;&quot;,&quot;\\u003c&quot;]",
            "a whole list in an attribute");
    view_is("{{{a|json}}}{{{b|json}}}{{{c|json}}}{{{d|json}}}{{{e|json}}}",
            "{\"a\":true,\"b\":null,\"c\":-1.5e3,\"d\":\"\\u003c\\n\"}",
            NULL, "truenull-1.5e3\"\\u003c\\n\"null", "values of any type");
    view_is("{{{a|json}}}", "{\"a\":[[],{},[{}]]}", NULL, "[[],{},[{}]]",
            "nested and empty");
    view_is("{{{.|json}}}", "{\"a\":{}}", NULL, "{\"a\":{}}",
            "the context itself");
    view_is("{{{d|date|json}}}", "{\"d\":\"2026-03-05\"}",
            "{" VIEW_FORMAT "}", "\"aujourd'hui\"", "what a pipe made");
    view_is("{{{\"a\\b\"|json}}}{{{a|initials|json}}}",
            "{\"a\":\"\\\" \\\\\"}", NULL, "\"a\\u005cb\"\"\\u0022\\u005c\"",
            "what a pipe made has a quote and a backslash");
    view_is("{{{a|json}}}", "{\"a\":\"</script><!--\"}", NULL,
            "\"\\u003c/script\\u003e\\u003c!--\"",
            "nothing ends the script element");
}


static void
test_value(void)
{
    view_is("{{a}} {{{a}}} {{a|url}}",
            "{\"a\":\"\\u003c\\/\\ud83d\\ude00\\n\\ud83d\\u0000x\"}", NULL,
            "&lt;/\360\237\230\200\n" FFFD FFFD "x </\360\237\230\200\n"
            FFFD FFFD "x %3C%2F%F0%9F%98%80%0A%EF%BF%BD%00x",
            "JSON's escapes, a lone surrogate and NUL");
    view_is("{{a}}", "{\"a\":\"\377\\\\\303\\\"\251\"}", NULL,
            FFFD "\\" FFFD "&quot;" FFFD,
            "no sequence goes on behind an escape");
    view_is("{{t}}{{f}}{{n}}{{z}}",
            "{\"t\":true,\"f\":false,\"n\":1e5,\"z\":null}", NULL,
            "truefalse1e5", "values that are no text");
}


int
main(void)
{
    test_matrix();
    test_bytes();
    test_utf8();
    test_sequence();
    test_json();
    test_value();

    return tap_done();
}
