
/*
 * Copyright (C) the nginx client portal authors
 *
 * Names of files.
 */


#include "portal_disposition.h"
#include "portal_text.h"
#include "tap.h"


static void disposition_is(const char *name, size_t len, const char *want);
static void clean_is(const char *name, size_t len, const char *want,
    const char *what);
static void test_disposition(void);
static void test_bytes(void);
static void test_limit(void);
static void test_clean(void);
static void test_bidi(void);
static void test_long(void);


static void
disposition_is(const char *name, size_t len, const char *want)
{
    char             what[256];
    portal_buf_t     b;
    portal_str_t     s;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    portal_buf_init(&b, arena, 4096);

    s = str_exact(name, len);
    tap_printable(what, sizeof(what), s.data, s.len);

    ok(portal_disposition(&b, 0, &s) == PORTAL_OK, "%s", what);
    tap_is(b.data, b.len, want, strlen(want), "its disposition");

    free(s.data);
    portal_arena_destroy(arena);
}


#define D(name, ascii, utf8)                                                  \
    disposition_is(name, sizeof(name) - 1, "attachment; filename=\"" ascii    \
                   "\"; filename*=UTF-8''" utf8)

static void
test_disposition(void)
{
    portal_buf_t     b;
    portal_str_t     s;
    portal_arena_t  *arena;

    D("a.pdf", "a.pdf", "a.pdf");
    D("", "", "");
    D("Bilan 2025.pdf", "Bilan 2025.pdf", "Bilan%202025.pdf");
    D("\303\251t\303\251.pdf", "_t_.pdf", "%C3%A9t%C3%A9.pdf");
    D("\342\202\254.txt", "_.txt", "%E2%82%AC.txt");
    D("\360\237\230\200.txt", "_.txt", "%F0%9F%98%80.txt");
    D("a\"b.pdf", "a_b.pdf", "a%22b.pdf");
    D("a\\b.pdf", "a_b.pdf", "a_b.pdf");
    D("a/b.pdf", "a_b.pdf", "a_b.pdf");
    D("a;b.pdf", "a_b.pdf", "a%3Bb.pdf");
    D("a%41.pdf", "a_41.pdf", "a%2541.pdf");
    D("a\r\nSet-Cookie: x.pdf", "a__Set-Cookie: x.pdf",
      "a__Set-Cookie%3A%20x.pdf");
    D("a\0b\177c", "a_b_c", "a_b_c");
    D("it's (1)*.txt", "it's (1)*.txt", "it%27s%20%281%29%2A.txt");
    D("\" ; filename=\"evil.exe", "_ _ filename=_evil.exe",
      "%22%20%3B%20filename%3D%22evil.exe");

    arena = portal_arena_create();
    portal_buf_init(&b, arena, 4096);
    s = str("a.pdf");
    portal_disposition(&b, 1, &s);
    tap_is(b.data, b.len, "inline; filename=\"a.pdf\"; "
           "filename*=UTF-8''a.pdf", 48, "inline");
    portal_arena_destroy(arena);
}


/* Whatever byte a name has, the header stays one header. */

static void
test_bytes(void)
{
    int              c, bad;
    size_t           i, quotes;
    portal_buf_t     b;
    portal_str_t     s;
    unsigned char    name[3];
    portal_arena_t  *arena;

    arena = portal_arena_create();
    bad = 0;

    for (c = 0; c < 256; c++) {
        name[0] = 'a';
        name[1] = (unsigned char) c;
        name[2] = 'b';
        s.data = name;
        s.len = 3;

        portal_buf_init(&b, arena, 4096);
        portal_disposition(&b, 0, &s);

        for (quotes = 0, i = 0; i < b.len; i++) {
            bad += (b.data[i] < 0x20 || b.data[i] > 0x7e
                    || b.data[i] == '\\');
            quotes += (b.data[i] == '"');
        }

        bad += (quotes != 2);
    }

    is_int(bad, 0, "no byte of a name is a control, a quote or a backslash");

    portal_arena_destroy(arena);
}


static void
test_limit(void)
{
    portal_buf_t     b;
    portal_str_t     s;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    s = str("abc.pdf");

    portal_buf_init(&b, arena, 54);
    is_int(portal_disposition(&b, 0, &s), PORTAL_ERROR, "too long for the "
           "buffer");
    portal_buf_init(&b, arena, 56);
    is_int(portal_disposition(&b, 0, &s), PORTAL_OK, "just long enough");

    portal_arena_destroy(arena);
}


static void
clean_is(const char *name, size_t len, const char *want, const char *what)
{
    int              rc;
    portal_str_t     s, dst;
    portal_arena_t  *arena;

    arena = portal_arena_create();

    s = str_exact(name, len);
    memset(&dst, 0, sizeof(portal_str_t));

    rc = portal_filename_clean(arena, &dst, &s);

    if (want == NULL) {
        is_int(rc, PORTAL_DECLINED, what);

    } else {
        ok(rc == PORTAL_OK && dst.data[dst.len] == '\0', "%s: kept", what);
        is_str(dst, want, what);
    }

    free(s.data);
    portal_arena_destroy(arena);
}


#define clean(name, want, what)  clean_is(name, sizeof(name) - 1, want, what)

static void
test_clean(void)
{
    clean("a.pdf", "a.pdf", "a name");
    clean("C:\\fakepath\\a.pdf", "a.pdf", "a path of Windows");
    clean("/etc/passwd", "passwd", "a path of Unix");
    clean("../../etc/passwd", "passwd", "a path upwards");
    clean("a/b\\c.pdf", "c.pdf", "both");
    clean("", NULL, "nothing");
    clean("/", NULL, "a slash");
    clean("a/", NULL, "a folder");
    clean("..", NULL, "the folder above");
    clean("....", NULL, "dots");
    clean(" . . ", NULL, "dots and spaces");
    clean("\001\r\n", NULL, "controls");
    clean(".htaccess", "htaccess", "a name that begins with a dot");
    clean(" .x", "x", "behind a space");
    clean("a.pdf.", "a.pdf", "a dot at the end");
    clean("a.pdf . ", "a.pdf", "and spaces");
    clean("a\0.pdf", "a.pdf", "NUL");
    clean("a\r\nb\tc\177.pdf", "abc.pdf", "controls within");
    clean("\302\205a\302\237\302\240.pdf", "a\302\240.pdf",
          "controls of Latin-1; a hard space is none");
    clean("\303\251.pdf", "\303\251.pdf", "accents");
    clean("con\303", "con\303", "a cut character does no harm");
}


static void
test_bidi(void)
{
    clean("a\342\200\256fdp.exe", "afdp.exe", "U+202E");
    clean("a\342\200\252b\342\200\254c.txt", "abc.txt", "U+202A, U+202C");
    clean("a\342\200\253b\342\200\255c.txt", "abc.txt", "U+202B, U+202D");
    clean("a\342\201\246b\342\201\251c.txt", "abc.txt", "U+2066, U+2069");
    clean("a\342\200\213b\342\200\217c.txt", "abc.txt", "U+200B, U+200F");
    clean("a\342\200\250b\342\200\251c.txt", "abc.txt", "U+2028, U+2029");
    clean("\357\273\277a.txt", "a.txt", "U+FEFF");
    clean("a\330\234b.txt", "ab.txt", "U+061C");
    clean("a\342\200\212b\342\200\220c\342\200\257d\342\201\245e\342\201\252",
          "a\342\200\212b\342\200\220c\342\200\257d\342\201\245e\342\201\252",
          "their neighbours stay");
    clean("\342\200\256", NULL, "nothing but U+202E");
    clean("\342\200\256.txt", "txt", "a dot behind what is left out");
    clean("a\342\200", "a\342\200", "a cut character at the end");
    clean("a\342\0\200\001\256b", "ab", "U+202E with controls within");
    clean("a\342\342\200\256\200\256b", "ab", "U+202E within U+202E");
    clean("\357\273\277.x", "x", "a dot behind U+FEFF");
}


static void
test_long(void)
{
    char    name[600], want[600];
    size_t  i;

    memset(name, 'a', sizeof(name));
    memset(want, 'a', sizeof(want));

    want[200] = '\0';
    clean_is(name, 200, want, "200 bytes");
    clean_is(name, 201, want, "201 bytes");

    memcpy(name + 300, ".pdf", 4);
    memcpy(want + 196, ".pdf", 5);
    clean_is(name, 304, want, "a long name keeps its extension");

    memset(name, 'a', sizeof(name));
    memcpy(name + 300, ".abcdefghijk", 12);
    memset(want, 'a', sizeof(want));
    memcpy(want + 188, ".abcdefghijk", 13);
    clean_is(name, 312, want, "of eleven letters");

    memcpy(name + 300, ".abcdefghijkl", 13);
    memset(want, 'a', sizeof(want));
    want[200] = '\0';
    clean_is(name, 313, want, "but none of twelve");

    for (i = 0; i < 300; i += 2) {
        memcpy(name + i, "\303\251", 2);
        memcpy(want + i, "\303\251", 2);
    }

    memcpy(name + 300, ".xlsx", 5);
    memcpy(want + 194, ".xlsx", 6);
    clean_is(name, 305, want, "cut between characters");

    for (i = 0; i < 400; i += 4) {
        memcpy(name + i, "\360\237\230\200", 4);
        memcpy(want + i, "\360\237\230\200", 4);
    }

    memcpy(name + 400, ".pdf", 4);
    memcpy(want + 196, ".pdf", 5);
    clean_is(name, 404, want, "of four bytes");

    {
        portal_str_t     s, dst;
        portal_arena_t  *arena;

        arena = portal_arena_create();
        memset(name, 0x80, 500);
        s.data = (unsigned char *) name;
        s.len = 500;
        is_int(portal_filename_clean(arena, &dst, &s), PORTAL_OK,
               "bytes that begin no character");
        ok(dst.len <= 200 && dst.len >= 197,
           "are kept up to the limit");
        portal_arena_destroy(arena);
    }
}


int
main(void)
{
    test_disposition();
    test_bytes();
    test_limit();
    test_clean();
    test_bidi();
    test_long();

    return tap_done();
}
