
/*
 * Copyright (C) the nginx client portal authors
 *
 * Checks and encodings of text.
 */


#include "portal_text.h"
#include "tap.h"


static int utf8(const char *s, size_t len);
static void test_utf8(void);
static void test_utf8_all(void);
static void test_control(void);
static void test_base64(void);
static void test_base64_refused(void);
static void test_hex(void);
static void test_uuid(void);
static void test_slug(void);
static void test_urlencode(void);


static int
utf8(const char *s, size_t len)
{
    int           rc;
    portal_str_t  exact;

    exact = str_exact(s, len);
    rc = portal_utf8_valid(exact.data, len);
    free(exact.data);

    return rc;
}


#define good(s, what)  ok(utf8(s, sizeof(s) - 1) == 1, "%s", what)
#define bad(s, what)   ok(utf8(s, sizeof(s) - 1) == 0, "refused: %s", what)

static void
test_utf8(void)
{
    good("", "nothing");
    good("abc\001\n\177", "ASCII");
    good("\302\200\337\277", "two bytes");
    good("\340\240\200\357\277\277", "three bytes");
    good("\360\220\200\200\364\217\277\277", "four bytes");
    good("\355\237\277\356\200\200", "around the surrogates");
    good("\357\273\277", "a byte order mark");

    bad("\0", "NUL");
    bad("a\0b", "NUL within");
    bad("\200", "a byte that continues nothing");
    bad("\303", "a cut sequence of two");
    bad("\342\202", "a cut sequence of three");
    bad("\360\237\230", "a cut sequence of four");
    bad("\303a", "a sequence that a letter ends");
    bad("\342\202a", "late");
    bad("\300\200", "an overlong NUL");
    bad("\301\277", "an overlong letter");
    bad("\340\237\277", "an overlong of three bytes");
    bad("\360\217\277\277", "an overlong of four bytes");
    bad("\355\240\200", "the first surrogate");
    bad("\355\277\277", "the last surrogate");
    bad("\364\220\200\200", "beyond U+10FFFF");
    bad("\365\200\200\200", "a first byte beyond");
    bad("\370\210\200\200\200", "five bytes");
    bad("\376\377", "bytes that are never there");
    bad("good \303\251 then \303", "at the end of a good text");
}


/* Every code point, encoded here, is valid; surrogates are not. */

static void
test_utf8_all(void)
{
    int            wrong;
    size_t         n;
    uint32_t       u;
    unsigned char  p[4];

    wrong = 0;

    for (u = 1; u <= 0x110fff; u++) {

        if (u < 0x80) {
            n = 1;
            p[0] = (unsigned char) u;

        } else if (u < 0x800) {
            n = 2;
            p[0] = (unsigned char) (0xc0 | u >> 6);

        } else if (u < 0x10000) {
            n = 3;
            p[0] = (unsigned char) (0xe0 | u >> 12);
            p[1] = (unsigned char) (0x80 | (u >> 6 & 0x3f));

        } else {
            n = 4;
            p[0] = (unsigned char) (0xf0 | u >> 18);
            p[1] = (unsigned char) (0x80 | (u >> 12 & 0x3f));
            p[2] = (unsigned char) (0x80 | (u >> 6 & 0x3f));
        }

        if (n > 1) {
            p[n - 1] = (unsigned char) (0x80 | (u & 0x3f));
        }

        wrong += portal_utf8_valid(p, n)
                 != !(u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff));
    }

    is_int(wrong, 0, "every code point");
}


static void
test_control(void)
{
    int            c, n;
    portal_str_t   s;
    unsigned char  b;

    s.data = &b;
    s.len = 1;

    for (n = 0, c = 0; c < 256; c++) {
        b = (unsigned char) c;
        n += portal_has_control(&s);
    }

    is_int(n, 33, "33 bytes are controls");

    s = str("abc\303\251");
    is_int(portal_has_control(&s), 0, "a text without");
    s = str("abc\n");
    is_int(portal_has_control(&s), 1, "a text with one at its end");
    s.len = 0;
    is_int(portal_has_control(&s), 0, "nothing");
}


static void
test_base64(void)
{
    size_t         i, n, len, wrong;
    portal_str_t   s;
    unsigned char  raw[64], text[100], back[80];

    static const struct {
        const char  *raw;
        const char  *text;
    } known[] = {
        { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy" }, { "\377\376\375", "__79" },
        { "\373\360", "-_A" }, { NULL, NULL }
    };

    for (i = 0; known[i].raw; i++) {
        n = portal_base64url(text, (unsigned char *) known[i].raw,
                             strlen(known[i].raw));
        tap_is(text, n, known[i].text, strlen(known[i].text),
               known[i].text);
    }

    wrong = 0;

    for (n = 0; n <= sizeof(raw); n++) {
        for (i = 0; i < n; i++) {
            raw[i] = (unsigned char) (i * 37 + n);
        }

        s.data = text;
        s.len = portal_base64url(text, raw, n);

        wrong += s.len != (n * 4 + 2) / 3
                 || portal_base64url_decode(back, &len, &s) != PORTAL_OK
                 || len != n || memcmp(raw, back, n) != 0;
    }

    is_int(wrong, 0, "lengths of 0 to 64, and back");
}


static void
test_base64_refused(void)
{
    int            c, n;
    size_t         i, len;
    portal_str_t   s;
    unsigned char  out[16], text[2];

    static const char  *refused[] = {
        "A", "AAAAA", "AB", "AAB", "Zh", "Zm9=", "Zg==", "Zm9v\n", " Zm9v",
        "Zm+v", "Zm/v", "Zm9v.", "Z\303\251v", NULL
    };

    for (i = 0; refused[i]; i++) {
        s = str_exact(refused[i], strlen(refused[i]));
        is_int(portal_base64url_decode(out, &len, &s), PORTAL_ERROR,
               refused[i]);
        free(s.data);
    }

    for (n = 0, c = 0; c < 256; c++) {
        text[0] = (unsigned char) c;
        text[1] = 'A';
        s.data = text;
        s.len = 2;
        n += portal_base64url_decode(out, &len, &s) == PORTAL_OK;
    }

    is_int(n, 64, "64 bytes are digits");

    for (n = 0, c = 0; c < 256; c++) {
        text[0] = 'A';
        text[1] = (unsigned char) c;
        n += portal_base64url_decode(out, &len, &s) == PORTAL_OK;
    }

    is_int(n, 4, "4 of them have no bits to spare at the end");
}


static void
test_hex(void)
{
    int            a, n;
    portal_str_t   s;
    unsigned char  out[4], text[2];

    s = str("00ffAbcD");
    is_int(portal_hex_decode(out, &s), PORTAL_OK, "hex digits");
    tap_is(out, 4, "\000\377\253\315", 4, "of either case");

    s = str("0");
    is_int(portal_hex_decode(out, &s), PORTAL_ERROR, "an odd number");
    s = str("0g");
    is_int(portal_hex_decode(out, &s), PORTAL_ERROR, "no digit");
    s = str("");
    is_int(portal_hex_decode(out, &s), PORTAL_OK, "nothing");

    s.data = text;
    s.len = 2;

    for (n = 0, a = 0; a < 65536; a++) {
        text[0] = (unsigned char) (a >> 8);
        text[1] = (unsigned char) a;
        n += portal_hex_decode(out, &s) == PORTAL_OK;
    }

    is_int(n, 22 * 22, "22 bytes are digits");
}


static void
test_uuid(void)
{
    int             n, c;
    size_t          i;
    portal_str_t    s;
    unsigned char   out[16], text[40];

    static const char  uuid[] = "01234567-89ab-cdef-0123-456789abcdef";

    s = str_exact(uuid, 36);
    is_int(portal_uuid_parse(out, &s), PORTAL_OK, "a UUID");
    tap_is(out, 16, "\001\043\105\147\211\253\315\357\001\043\105\147\211"
           "\253\315\357", 16, "its bytes");
    free(s.data);

    for (n = 0, i = 0; i < 36; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, uuid, 36);
            text[i] = (unsigned char) c;
            s.data = text;
            s.len = 36;
            n += portal_uuid_parse(out, &s) == PORTAL_OK;
        }
    }

    is_int(n, 32 * 16 + 4, "one spelling of each digit, one of each dash");

    memcpy(text, uuid, 37);

    for (n = 0, i = 0; i < 40; i++) {
        s.len = i;
        n += portal_uuid_parse(out, &s) == PORTAL_OK;
    }

    is_int(n, 1, "of one length");
}


static void
test_slug(void)
{
    int            c, n;
    portal_str_t   s;
    unsigned char  text[65];

    static const char  *valid[] = { "a", "9", "a-b", "a--b", NULL };
    static const char  *invalid[] = {
        "", "-", "-a", "a-", "A", "a_b", "a b", "a.b", "\303\251", NULL
    };

    for (n = 0; valid[n]; n++) {
        s = str(valid[n]);
        is_int(portal_slug_valid(&s), 1, valid[n]);
    }

    for (n = 0; invalid[n]; n++) {
        s = str(invalid[n]);
        ok(portal_slug_valid(&s) == 0, "refused: %s", invalid[n]);
    }

    memset(text, 'a', sizeof(text));
    s.data = text;
    s.len = 64;
    is_int(portal_slug_valid(&s), 1, "64 bytes");
    s.len = 65;
    is_int(portal_slug_valid(&s), 0, "65 bytes");

    s.len = 3;

    for (n = 0, c = 0; c < 256; c++) {
        text[1] = (unsigned char) c;
        n += portal_slug_valid(&s);
    }

    is_int(n, 37, "37 bytes may be within");
}


static void
test_urlencode(void)
{
    int              c, plain;
    portal_buf_t     b;
    portal_str_t     s;
    unsigned char    byte;
    portal_arena_t  *arena;

    arena = portal_arena_create();

    portal_buf_init(&b, arena, 100);
    s = str("a b/c?\303\251%~-._+&=");
    is_int(portal_buf_urlencode(&b, &s), PORTAL_OK, "percent-encoding");
    s.data = b.data;
    s.len = b.len;
    is_str(s, "a%20b%2Fc%3F%C3%A9%25~-._%2B%26%3D", "of all but unreserved");

    for (plain = 0, c = 0; c < 256; c++) {
        byte = (unsigned char) c;
        s.data = &byte;
        s.len = 1;
        portal_buf_init(&b, arena, 3);
        portal_buf_urlencode(&b, &s);
        plain += (b.len == 1);
    }

    is_int(plain, 66, "66 characters are unreserved");

    portal_buf_init(&b, arena, 5);
    s = str("  ");
    is_int(portal_buf_urlencode(&b, &s), PORTAL_ERROR, "a limit");

    portal_arena_destroy(arena);
}


int
main(void)
{
    test_utf8();
    test_utf8_all();
    test_control();
    test_base64();
    test_base64_refused();
    test_hex();
    test_uuid();
    test_slug();
    test_urlencode();

    return tap_done();
}
