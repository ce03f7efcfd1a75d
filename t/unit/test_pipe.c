
/*
 * Copyright (C) the nginx client portal authors
 *
 * Pipes of texts; words are tested where they are rendered.
 */


#include "portal_template_code.h"
#include "view.h"


static void test_initials(void);
static void test_upper(void);
static void test_line(void);
static void test_chain(void);


#define WORDS  "{" VIEW_FORMAT "}"


static void
test_initials(void)
{
    int    i;
    char   json[1024], *p;

    view_is("{{n|initials}}", "{\"n\":\"Claire Dubois\"}", NULL, "CD",
            "two words");
    view_is("{{n|initials}}", "{\"n\":\"claire\"}", NULL, "C", "one word");
    view_is("{{n|initials}}", "{\"n\":\"Jean de la Fontaine\"}", NULL, "JF",
            "the first and the last");
    view_is("{{n|initials}}", "{\"n\":\"  jean   dubois \"}", NULL, "JD",
            "spaces around");
    view_is("{{n|initials}}", "{\"n\":\"\303\251lodie \303\247elik\"}", NULL,
            "\303\211\303\207", "accents");
    view_is("{{n|initials}}", "{\"n\":\"\\u00e9lodie \\u0153uvre\"}", NULL,
            "\303\211\305\222", "the same with JSON's escapes");
    view_is("{{n|initials}}", "{\"n\":\"\"}", NULL, "", "no name");
    view_is("{{n|initials}}", "{\"n\":null}", NULL, "", "null");
    view_is("{{n|initials}}", "{\"n\":\"   \"}", NULL, "", "spaces only");
    view_is("{{n|initials}}", "{\"n\":\"<b> >c\"}", NULL, "&lt;&gt;",
            "what is no letter is escaped");
    view_is("{{n|initials}}", "{\"n\":\"\360\237\230\200 x\"}", NULL,
            "\360\237\230\200X", "a character of four bytes");
    view_is("{{n|initials}}", "{\"n\":\"\377a \303\"}", NULL, "A",
            "bytes that are no text are no letters");
    view_is("{{n|initials}}", "{\"n\":42}", NULL, "4", "a number");

    p = json + sprintf(json, "{\"n\":\"x");

    for (i = 0; i < 200; i++) {
        p += sprintf(p, " \303\251");
    }

    strcpy(p, "\"}");

    view_is("{{n|initials}}", json, NULL, "X\303\211",
            "a name that is longer than what is read of it");
}


static void
test_upper(void)
{
    size_t         i, n;
    unsigned char  out[4];
    const char    *p;

    static const char *const  pairs[] = {
        "a", "A", "z", "Z", "A", "A", "1", "1", "{", "{", "`", "`",
        "\303\240", "\303\200", "\303\276", "\303\236",
        "\303\267", "\303\267", "\303\277", "\303\277",
        "\303\237", "\303\237", "\305\223", "\305\222",
        "\305\222", "\305\222", "\342\202\254", "\342\202\254", NULL
    };

    for (i = 0; pairs[i]; i += 2) {
        p = pairs[i];
        n = portal_pipe_upper((unsigned char *) p,
                              (unsigned char *) p + strlen(p), out);
        tap_is(out, n, pairs[i + 1], strlen(pairs[i + 1]), p);
    }

    p = "\303";
    is_int(portal_pipe_upper((unsigned char *) p, (unsigned char *) p + 1,
                             out),
           0, "a cut character");
}


static void
test_line(void)
{
    portal_str_t    s, pattern;
    portal_line_t   l;
    unsigned char   buf[8];
    portal_field_t  fields[2];

    memset(buf, '#', sizeof(buf));

    portal_line_start(&l, buf, 4);

    s = str("abc");
    portal_line_str(&l, &s);
    portal_line_str(&l, &s);
    s = str("d");
    portal_line_str(&l, &s);
    portal_line_str(&l, &s);

    tap_is(buf, sizeof(buf), "abcd####", 8,
           "a piece that does not fit is left out, a shorter one is not");
    is_int(l.pos - buf, 4, "the line is full");

    fields[0].name = "a";
    fields[0].text = str("1");
    fields[1].name = "ab";
    fields[1].text = str("2");

    portal_line_start(&l, buf, sizeof(buf));
    pattern = str("{a}-{ab}{");
    portal_line_pattern(&l, &pattern, fields, 2);
    tap_is(buf, (size_t) (l.pos - buf), "1-2{", 4, "a pattern");

    portal_line_start(&l, buf, sizeof(buf));
    pattern = str("{abc}{}x}");
    portal_line_pattern(&l, &pattern, fields, 2);
    tap_is(buf, (size_t) (l.pos - buf), "x}", 2,
           "fields that there are not");
}


static void
test_chain(void)
{
    view_is("{{d|date|url}}", "{\"d\":\"2026-02-10\"}", WORDS,
            "10%20f%C3%A9vr.", "a date in an address");
    view_is("{{n|number|initials}}", "{\"n\":1234}", WORDS, "1",
            "a number's first letter");
    view_is("{{d|fulldate|initials}}", "{\"d\":\"2026-03-05\"}", WORDS,
            "52", "from the buffer into itself");
    view_is("{{d|size|number|date}}", "{\"d\":5000}", WORDS, "5 Ko",
            "what a pipe cannot read stays");
}


int
main(void)
{
    test_initials();
    test_upper();
    test_line();
    test_chain();

    return tap_done();
}
