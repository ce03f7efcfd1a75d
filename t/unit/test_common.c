
/*
 * Copyright (C) the nginx client portal authors
 *
 * Arenas, bounded buffers, outputs.
 */


#include "portal_common.h"
#include "tap.h"


typedef struct {
    portal_out_t    out;
    size_t          step;
    unsigned        calls;
    unsigned        left;
    unsigned char   data[64];
} sink_t;


static int sink_more(portal_out_t *out);
static void *no_memory(void *ctx, size_t size);
static void test_arena(void);
static void test_dup(void);
static void test_buf(void);
static void test_int(void);
static void test_json(void);
static void test_out(void);


static void *
no_memory(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    return NULL;
}


static void
test_arena(void)
{
    int              i, bad;
    unsigned char   *p;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    bad = 0;

    for (i = 0; i < 1000; i++) {
        p = portal_alloc(arena, (size_t) i);

        if (p == NULL || ((uintptr_t) p & (sizeof(long double) - 1))) {
            bad++;
            continue;
        }

        memset(p, 0xff, (size_t) i);
    }

    is_int(bad, 0, "memory of 0 to 999 bytes is aligned and writable");

    p = portal_calloc(arena, 3, 5);
    ok(p && p[0] == 0 && p[14] == 0, "calloc() clears");
    ok(portal_calloc(arena, SIZE_MAX / 2, 3) == NULL,
       "a product that overflows");
    ok(portal_alloc(arena, SIZE_MAX) == NULL, "a sum that overflows");
    ok(portal_alloc(arena, SIZE_MAX - 8) == NULL, "or nearly so");
    ok(portal_calloc(arena, 0, 8) != NULL, "nothing is something");

    portal_arena_destroy(arena);
}


static void
test_dup(void)
{
    portal_str_t     s, d;
    portal_arena_t  *arena, none;

    none.alloc = no_memory;
    none.ctx = NULL;

    arena = portal_arena_create();

    s = str("text");
    is_int(portal_str_dup(arena, &d, &s), PORTAL_OK, "a copy");
    ok(d.data != s.data && d.len == 4 && d.data[4] == '\0',
       "is another text, with NUL behind");

    s.len = 0;
    s.data = NULL;
    is_int(portal_str_dup(arena, &d, &s), PORTAL_OK, "a copy of nothing");
    ok(d.len == 0 && d.data[0] == '\0', "is an empty text");

    s = str("text");
    is_int(portal_str_dup(&none, &d, &s), PORTAL_ERROR, "no memory");

    portal_arena_destroy(arena);
}


static void
test_buf(void)
{
    int              i;
    portal_buf_t     b;
    portal_arena_t  *arena, none;

    arena = portal_arena_create();

    portal_buf_init(&b, arena, 10);
    is_int(portal_buf_puts(&b, "12345"), PORTAL_OK, "half of it");
    is_int(portal_buf_puts(&b, "67890"), PORTAL_OK, "just full");
    is_int(portal_buf_add(&b, "", 0), PORTAL_OK, "nothing fits in nothing");
    is_int(portal_buf_puts(&b, "x"), PORTAL_ERROR, "one byte too many");
    is_int(portal_buf_add(&b, "", 0), PORTAL_ERROR, "it stays failed");
    tap_is(b.data, b.len, "1234567890", 10, "and whole");

    portal_buf_init(&b, arena, 10);
    is_int(portal_buf_puts(&b, "12345678901"), PORTAL_ERROR,
           "11 bytes at once");
    is_int(b.len, 0, "none of them is there");

    portal_buf_init(&b, arena, 0);
    is_int(portal_buf_puts(&b, "x"), PORTAL_ERROR, "a limit of nothing");

    portal_buf_init(&b, arena, 100000);

    for (i = 0; i < 10000; i++) {
        portal_buf_puts(&b, "0123456789");
    }

    is_int(b.failed, 0, "it grows to its limit");
    is_int(b.len, 100000, "exactly");
    is_int(portal_buf_puts(&b, "x"), PORTAL_ERROR, "and no further");
    ok(memcmp(b.data + 99990, "0123456789", 10) == 0
       && memcmp(b.data, "0123456789", 10) == 0, "what it holds");

    portal_buf_init(&b, arena, SIZE_MAX);
    portal_buf_puts(&b, "x");
    is_int(portal_buf_add(&b, "x", SIZE_MAX), PORTAL_ERROR,
           "a length that overflows");

    none.alloc = no_memory;
    none.ctx = NULL;
    portal_buf_init(&b, &none, 100);
    is_int(portal_buf_puts(&b, "x"), PORTAL_ERROR, "no memory");

    portal_arena_destroy(arena);
}


static void
test_int(void)
{
    portal_buf_t     b;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    portal_buf_init(&b, arena, 100);

    portal_buf_int(&b, INT64_MIN);
    portal_buf_puts(&b, " ");
    portal_buf_int(&b, 0);
    portal_buf_puts(&b, " ");
    portal_buf_int(&b, INT64_MAX);

    tap_is(b.data, b.len, "-9223372036854775808 0 9223372036854775807", 42,
           "the smallest, zero, the greatest");

    portal_arena_destroy(arena);
}


static void
test_json(void)
{
    int              c, bad;
    char             want[16];
    portal_buf_t     b;
    portal_str_t     s;
    unsigned char    byte;
    portal_arena_t  *arena;

    arena = portal_arena_create();

    portal_buf_init(&b, arena, 1000);
    s = str("a\"\\/\b\t\n\r\f</script>&\303\251\342\202\254\342\200\250"
            "\342\200\251\342\200\252\177");
    portal_buf_json(&b, &s);
    s.data = b.data;
    s.len = b.len;
    is_str(s, "\"a\\\"\\\\/\\u0008\\u0009\\u000a\\u000d\\u000c\\u003c/script"
              "\\u003e\\u0026\303\251\342\202\254\\u2028\\u2029\342\200\252"
              "\\u007f\"", "what could end a text, a script or a line");

    bad = 0;

    for (c = 0; c < 128; c++) {
        byte = (unsigned char) c;
        s.data = &byte;
        s.len = 1;

        portal_buf_init(&b, arena, 100);
        portal_buf_json(&b, &s);

        if (c < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '&') {
            snprintf(want, sizeof(want), "\"\\u%04x\"", c);

        } else {
            snprintf(want, sizeof(want), "\"%s%c\"",
                     c == '"' || c == '\\' ? "\\" : "", c);
        }

        bad += b.len != strlen(want) || memcmp(b.data, want, b.len) != 0;
    }

    is_int(bad, 0, "each byte of ASCII");

    portal_buf_init(&b, arena, 100);
    s = str_exact("\342\200\250", 3);
    portal_buf_json(&b, &s);
    tap_is(b.data, b.len, "\"\\u2028\"", 8, "U+2028 at the end");
    free(s.data);

    portal_buf_init(&b, arena, 100);
    s = str_exact("\342\200", 2);
    portal_buf_json(&b, &s);
    tap_is(b.data, b.len, "\"\342\200\"", 4, "a cut U+2028 is not read over");
    free(s.data);

    portal_buf_init(&b, arena, 100);
    s.len = 0;
    s.data = (unsigned char *) "";
    portal_buf_json(&b, &s);
    tap_is(b.data, b.len, "\"\"", 2, "nothing");

    portal_buf_init(&b, arena, 5);
    s = str("<<<<");
    is_int(portal_buf_json(&b, &s), PORTAL_ERROR, "the limit counts escapes");

    portal_arena_destroy(arena);
}


static int
sink_more(portal_out_t *out)
{
    sink_t  *s = out->ctx;

    s->calls++;

    if (s->left < s->step) {
        return PORTAL_ERROR;
    }

    out->end = out->pos + s->step;
    s->left -= (unsigned) s->step;

    return PORTAL_OK;
}


static void
test_out(void)
{
    sink_t  s;

    memset(&s, 0, sizeof(sink_t));
    s.out.pos = s.data;
    s.out.end = s.data;
    s.out.more = sink_more;
    s.out.ctx = &s;
    s.step = 3;
    s.left = 9;

    is_int(portal_out_add(&s.out, "12345678", 8), PORTAL_OK, "in pieces");
    is_int(s.calls, 3, "of three bytes");
    is_int(portal_out_add(&s.out, "", 0), PORTAL_OK, "nothing");
    is_int(portal_out_add(&s.out, "9", 1), PORTAL_OK, "to the end");
    is_int(s.calls, 3, "asks for no more than needed");
    is_int(portal_out_add(&s.out, "x", 1), PORTAL_ERROR, "it refuses");
    tap_is(s.data, (size_t) (s.out.pos - s.data), "123456789", 9,
           "what came out");
}


int
main(void)
{
    test_arena();
    test_dup();
    test_buf();
    test_int();
    test_json();
    test_out();

    return tap_done();
}
