
/*
 * Copyright (C) the nginx client portal authors
 *
 * Taking cookies out of a header.
 */


#include "portal_cookie.h"
#include "tap.h"


#define P  "__Host-portal-main"


typedef struct {
    char   text[1024];
    int    refuse;
} taken_t;


static int take(void *ctx, const portal_str_t *name,
    const portal_str_t *value);
static void cookies_are(const char *header, const char *rest,
    const char *taken);
static void test_take(void);
static void test_rest(void);
static void test_refuse(void);
static void *no_memory(void *ctx, size_t size);
static void test_memory(void);
static void test_cut(void);


static int
take(void *ctx, const portal_str_t *name, const portal_str_t *value)
{
    taken_t  *t = ctx;

    size_t  i;

    static const char  *ours[] = { P, P "-flash" };

    for (i = 0; i < 2; i++) {
        if (name->len == strlen(ours[i])
            && memcmp(name->data, ours[i], name->len) == 0)
        {
            break;
        }
    }

    if (i == 2) {
        return PORTAL_DECLINED;
    }

    if (t->refuse) {
        return t->refuse;
    }

    snprintf(t->text + strlen(t->text), sizeof(t->text) - strlen(t->text),
             "[%.*s|%.*s]", (int) name->len, name->data, (int) value->len,
             value->data);

    return PORTAL_OK;
}


static void
cookies_are(const char *header, const char *rest, const char *taken)
{
    taken_t          t;
    portal_str_t     h, copy;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    memset(&t, 0, sizeof(taken_t));

    h = str_exact(header, strlen(header));
    copy = h;

    is_int(portal_cookie_take(&h, take, &t, arena), PORTAL_OK, header);
    is_str(h, rest, "what remains");
    is_text(t.text, taken, "what was taken");

    if (taken[0] == '\0') {
        ok(h.data == copy.data, "the header is not touched");
    }

    free(copy.data);
    portal_arena_destroy(arena);
}


static void
test_take(void)
{
    cookies_are("", "", "");
    cookies_are("a=b", "a=b", "");
    cookies_are(P "=x", "", "[" P "|x]");
    cookies_are("a=b; " P "=x; c=d", "a=b; c=d", "[" P "|x]");
    cookies_are(P "=x; c=d", "c=d", "[" P "|x]");
    cookies_are("a=b; " P "=x", "a=b", "[" P "|x]");
    cookies_are(P "=x;" P "=y; " P "-flash=z", "",
                "[" P "|x][" P "|y][" P "-flash|z]");
    cookies_are(P "-flash=z; a=b", "a=b", "[" P "-flash|z]");
    cookies_are(P "=", "", "[" P "|]");
    cookies_are(P "=a=b==", "", "[" P "|a=b==]");
    cookies_are(" \t" P " = x \t; a=b", "a=b", "[" P "| x]");
    cookies_are(P "=\"q\"", "", "[" P "|\"q\"]");
}


static void
test_rest(void)
{
    cookies_are("__host-portal-main=x", "__host-portal-main=x", "");
    cookies_are(P, P, "");
    cookies_are("x" P "=1", "x" P "=1", "");
    cookies_are("a=" P "=1", "a=" P "=1", "");
    cookies_are(P "x=1; " P "-flashx=2", P "x=1; " P "-flashx=2", "");
    cookies_are(P "x=1; " P "=2; " P "-=3", P "x=1; " P "-=3", "[" P "|2]");
    cookies_are("=1; " P "=2", "=1", "[" P "|2]");
    cookies_are("__Host-portal-mai=1", "__Host-portal-mai=1", "");
    cookies_are(";;; a=b;;c=d;", ";;; a=b;;c=d;", "");
    cookies_are(";;; a=b;;" P "=x;c=d;", "a=b;;c=d", "[" P "|x]");
    cookies_are("a=b; " P "; " P "=x", "a=b; " P, "[" P "|x]");
    cookies_are("a=\377\001; " P "=x; \303=;", "a=\377\001; \303=",
                "[" P "|x]");
}


static void
test_refuse(void)
{
    taken_t          t;
    portal_str_t     h;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    memset(&t, 0, sizeof(taken_t));
    t.refuse = PORTAL_ERROR;

    h = str("a=b; " P "=x");

    is_int(portal_cookie_take(&h, take, &t, arena), PORTAL_ERROR,
           "a handler that ends it");
    is_str(h, "a=b; " P "=x", "leaves the header");

    portal_arena_destroy(arena);
}


static void *
no_memory(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    return NULL;
}


static void
test_memory(void)
{
    taken_t         t;
    portal_str_t    h;
    portal_arena_t  none;

    none.alloc = no_memory;
    none.ctx = NULL;
    memset(&t, 0, sizeof(taken_t));

    h = str("a=b; " P "=x");

    is_int(portal_cookie_take(&h, take, &t, &none), PORTAL_ERROR, "no memory");
    is_text(t.text, "", "nothing is taken");
}


static void
test_cut(void)
{
    size_t           n, shorter;
    taken_t          t;
    portal_str_t     h, copy;
    portal_arena_t  *arena;

    static const char  header[] = "a=b; " P "=x;; " P "-flash = y ;c";

    shorter = 0;

    for (n = 0; n < sizeof(header); n++) {
        arena = portal_arena_create();
        memset(&t, 0, sizeof(taken_t));

        h = str_exact(header, n);
        copy = h;

        (void) portal_cookie_take(&h, take, &t, arena);
        shorter += (h.len < n);

        free(copy.data);
        portal_arena_destroy(arena);
    }

    ok(shorter > 10, "every cut of a header was read within its bounds");
}


int
main(void)
{
    test_take();
    test_rest();
    test_refuse();
    test_memory();
    test_cut();

    return tap_done();
}
