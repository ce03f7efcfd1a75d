
/*
 * Copyright (C) the nginx client portal authors
 *
 * Routes.
 */


#include "portal_router.h"
#include "tap.h"


static int add(unsigned method, const char *pattern, const char *value);
static void path_is(unsigned method, const char *path, const char *want);
static void client_is(const char *path, int rc, const char *rest,
    const char *client);
static void test_add(void);
static void test_match(void);
static void test_types(void);
static void test_methods(void);
static void test_hostile(void);
static void test_client(void);


static portal_arena_t   *arena;
static portal_router_t  *router;
static portal_error_t    err;


#define UUID  "5f0c6a1e-98b2-4c55-8a44-0123456789ab"


static int
add(unsigned method, const char *pattern, const char *value)
{
    int           rc;
    portal_str_t  s;

    s = str_exact(pattern, strlen(pattern));
    memset(&err, 0, sizeof(portal_error_t));
    rc = portal_router_add(router, method, &s, (void *) value, &err);
    free(s.data);

    return rc;
}


/* want: the value and the parameters, "404", or "405 METHODS". */

static void
path_is(unsigned method, const char *path, const char *want)
{
    int             rc;
    char            got[256], *p;
    size_t          i;
    portal_str_t    s;
    portal_match_t  m;

    s = str_exact(path, strlen(path));
    rc = portal_router_match(router, method, &s, &m);

    if (rc == PORTAL_ROUTE_FOUND) {
        p = got + sprintf(got, "%s", (char *) m.value);

        for (i = 0; i < m.nparams; i++) {
            p += sprintf(p, " %.*s=%.*s", (int) m.params[i].name.len,
                         m.params[i].name.data, (int) m.params[i].value.len,
                         m.params[i].value.data);
        }

    } else if (rc == PORTAL_ROUTE_METHOD) {
        sprintf(got, "405 %u", m.allow);

    } else {
        strcpy(got, "404");
    }

    is_text(got, want, path);
    free(s.data);
}


static void
test_add(void)
{
    size_t  i;

    static const char  *good[] = {
        "/", "/a", "/a-b_c.9", "/a/b/c/d/e", "/:id", "/:slug/:n", "/a/:n",
        "/:id/:id/:id/:id", NULL
    };

    static const char  *bad[] = {
        "", "a", "a/b", "//", "/a/", "/a//b", "/A", "/\303\251", "/a b",
        "/.a", "/..", "/:", "/:x", "/:ids", "/:id:n", "/a?b", "/a#b",
        "/a%20", "/*", "/{a}", "/:n/:n/:n/:n/:n", "/a\001", NULL
    };

    for (i = 0; good[i]; i++) {
        router = portal_router_create(arena);
        is_int(add(PORTAL_METHOD_GET, good[i], "x"), PORTAL_OK, good[i]);
    }

    for (i = 0; bad[i]; i++) {
        router = portal_router_create(arena);
        ok(add(PORTAL_METHOD_GET, bad[i], "x") == PORTAL_ERROR
           && strcmp(err.text, "invalid path of a page") == 0,
           "refused: %s", bad[i]);
    }

    router = portal_router_create(arena);
    is_int(add(0, "/a", "x"), PORTAL_ERROR, "no method");
    is_int(add(3, "/a", "x"), PORTAL_ERROR, "two methods");
    is_int(add(256, "/a", "x"), PORTAL_ERROR, "a method beyond");

    is_int(add(PORTAL_METHOD_GET, "/a/:id", "x"), PORTAL_OK, "a route");
    is_int(add(PORTAL_METHOD_POST, "/a/:id", "x"), PORTAL_OK,
           "another method");
    is_int(add(PORTAL_METHOD_GET, "/a/:id", "y"), PORTAL_ERROR, "again");
    is_text(err.text, "duplicate route", "is refused");
    is_int(add(PORTAL_METHOD_GET, "/", "x"), PORTAL_OK, "the root");
    is_int(add(PORTAL_METHOD_GET, "/", "x"), PORTAL_ERROR, "is one, too");
}


static void
test_match(void)
{
    router = portal_router_create(arena);

    path_is(PORTAL_METHOD_GET, "/", "404");

    add(PORTAL_METHOD_GET, "/", "root");
    add(PORTAL_METHOD_GET, "/documents", "list");
    add(PORTAL_METHOD_GET, "/documents/new", "new");
    add(PORTAL_METHOD_GET, "/documents/:id", "one");
    add(PORTAL_METHOD_GET, "/documents/:id/file", "file");
    add(PORTAL_METHOD_GET, "/a/b/c", "deep");
    add(PORTAL_METHOD_GET, "/x/:slug/one", "s1");
    add(PORTAL_METHOD_GET, "/x/known/two", "k2");
    add(PORTAL_METHOD_GET, "/y/:slug/:n/:id/z", "all");

    path_is(PORTAL_METHOD_GET, "/", "root");
    path_is(PORTAL_METHOD_GET, "/documents", "list");
    path_is(PORTAL_METHOD_GET, "/documents/new", "new");
    path_is(PORTAL_METHOD_GET, "/documents/" UUID, "one id=" UUID);
    path_is(PORTAL_METHOD_GET, "/documents/" UUID "/file",
            "file id=" UUID);
    path_is(PORTAL_METHOD_GET, "/a/b/c", "deep");
    path_is(PORTAL_METHOD_GET, "/a/b", "404");
    path_is(PORTAL_METHOD_GET, "/a", "404");
    path_is(PORTAL_METHOD_GET, "/a/b/c/d", "404");
    path_is(PORTAL_METHOD_GET, "/x/known/two", "k2");
    path_is(PORTAL_METHOD_GET, "/x/known/one", "s1 slug=known");
    path_is(PORTAL_METHOD_GET, "/x/other/two", "404");
    path_is(PORTAL_METHOD_GET, "/y/a-b/7/" UUID "/z",
            "all slug=a-b n=7 id=" UUID);
    path_is(PORTAL_METHOD_GET, "/y/a-b/7/" UUID, "404");
    path_is(PORTAL_METHOD_GET, "/y/a-b/x/" UUID "/z", "404");
}


static void
test_types(void)
{
    char  path[256];

    router = portal_router_create(arena);
    add(PORTAL_METHOD_GET, "/i/:id", "i");
    add(PORTAL_METHOD_GET, "/s/:slug", "s");
    add(PORTAL_METHOD_GET, "/n/:n", "n");

    path_is(PORTAL_METHOD_GET, "/i/" UUID, "i id=" UUID);
    path_is(PORTAL_METHOD_GET, "/i/00000000-0000-0000-0000-000000000000",
            "i id=00000000-0000-0000-0000-000000000000");
    path_is(PORTAL_METHOD_GET, "/i/5F0C6A1E-98B2-4C55-8A44-0123456789AB",
            "404");
    path_is(PORTAL_METHOD_GET, "/i/5f0c6a1e98b24c558a440123456789ab",
            "404");
    path_is(PORTAL_METHOD_GET, "/i/" UUID "0", "404");
    path_is(PORTAL_METHOD_GET, "/i/5f0c6a1e-98b2-4c55-8a44-0123456789a",
            "404");
    path_is(PORTAL_METHOD_GET, "/i/5f0c6a1e-98b2-4c55-8a44-0123456789ag",
            "404");
    path_is(PORTAL_METHOD_GET, "/i/{5f0c6a1e-98b2-4c55-8a44-012345678901",
            "404");

    path_is(PORTAL_METHOD_GET, "/s/a", "s slug=a");
    path_is(PORTAL_METHOD_GET, "/s/a-9", "s slug=a-9");
    path_is(PORTAL_METHOD_GET, "/s/-a", "404");
    path_is(PORTAL_METHOD_GET, "/s/a-", "404");
    path_is(PORTAL_METHOD_GET, "/s/A", "404");
    path_is(PORTAL_METHOD_GET, "/s/a_b", "404");
    path_is(PORTAL_METHOD_GET, "/s/a.b", "404");

    memset(path, 'a', sizeof(path));
    memcpy(path, "/s/", 3);
    path[3 + 64] = '\0';

    {
        char  want[300];

        sprintf(want, "s slug=%s", path + 3);
        path_is(PORTAL_METHOD_GET, path, want);
    }

    path[3 + 64] = 'a';
    path[3 + 65] = '\0';
    path_is(PORTAL_METHOD_GET, path, "404");

    path_is(PORTAL_METHOD_GET, "/n/0", "n n=0");
    path_is(PORTAL_METHOD_GET, "/n/999999999", "n n=999999999");
    path_is(PORTAL_METHOD_GET, "/n/1234567890", "404");
    path_is(PORTAL_METHOD_GET, "/n/-1", "404");
    path_is(PORTAL_METHOD_GET, "/n/1a", "404");
    path_is(PORTAL_METHOD_GET, "/n/+1", "404");
}


static void
test_methods(void)
{
    router = portal_router_create(arena);
    add(PORTAL_METHOD_GET, "/a", "get");
    add(PORTAL_METHOD_POST, "/a", "post");
    add(PORTAL_METHOD_PATCH, "/b", "patch");
    add(PORTAL_METHOD_GET, "/d/:slug", "slug");
    add(PORTAL_METHOD_POST, "/d/known", "known");

    path_is(PORTAL_METHOD_GET, "/a", "get");
    path_is(PORTAL_METHOD_POST, "/a", "post");
    path_is(PORTAL_METHOD_DELETE, "/a", "405 3");
    path_is(0, "/a", "405 3");
    path_is(PORTAL_METHOD_GET, "/b", "405 16");
    path_is(PORTAL_METHOD_PATCH, "/b", "patch");
    path_is(PORTAL_METHOD_GET, "/c", "404");
    path_is(PORTAL_METHOD_GET, "/d/known", "405 2");
    path_is(PORTAL_METHOD_GET, "/d/other", "slug slug=other");
}


static void
test_hostile(void)
{
    char    path[4096];
    size_t  i;

    static const char  *bad[] = {
        "", "a", "//", "///", "/a/", "//a", "/a//b", "/a/./b", "/a/../b",
        "/a/..", "/%61", "/a%00", "/a;x", "/a?x", "/A", " /a", "/a ",
        "/a\n", "http://x/a", "*", "/c/x/a", NULL
    };

    router = portal_router_create(arena);
    add(PORTAL_METHOD_GET, "/a", "a");
    add(PORTAL_METHOD_GET, "/a/b", "b");
    add(PORTAL_METHOD_GET, "/a/:slug/:n", "c");

    for (i = 0; bad[i]; i++) {
        path_is(PORTAL_METHOD_GET, bad[i], "404");
    }

    for (i = 0; i + 2 < sizeof(path); i += 2) {
        memcpy(path + i, "/a", 2);
    }

    path[i] = '\0';
    path_is(PORTAL_METHOD_GET, path, "404");

    {
        portal_str_t    s;
        portal_match_t  m;

        s.data = (unsigned char *) "/a\0";
        s.len = 3;
        is_int(portal_router_match(router, PORTAL_METHOD_GET, &s, &m),
               PORTAL_ROUTE_NONE, "NUL behind a path");
    }
}


static void
client_is(const char *path, int rc, const char *rest, const char *client)
{
    portal_str_t    s, c;
    unsigned char  *data;

    s = str_exact(path, strlen(path));
    data = s.data;
    memset(&c, 0xff, sizeof(portal_str_t));

    is_int(portal_router_client(&s, &c), rc, path);
    is_str(s, rest, "the path");
    is_str(c, client, "the client");

    free(data);
}


static void
test_client(void)
{
    client_is("/c/martin", PORTAL_OK, "/", "martin");
    client_is("/c/martin/", PORTAL_OK, "/", "martin");
    client_is("/c/martin/documents", PORTAL_OK, "/documents", "martin");
    client_is("/c/a-9/documents/x", PORTAL_OK, "/documents/x", "a-9");
    client_is("/c/martin//x", PORTAL_OK, "//x", "martin");
    client_is("/documents", PORTAL_DECLINED, "/documents", "");
    client_is("/", PORTAL_DECLINED, "/", "");
    client_is("", PORTAL_DECLINED, "", "");
    client_is("/c", PORTAL_DECLINED, "/c", "");
    client_is("/cx/martin", PORTAL_DECLINED, "/cx/martin", "");
    client_is("/C/martin", PORTAL_DECLINED, "/C/martin", "");
    client_is("/c/", PORTAL_ERROR, "/c/", "");
    client_is("/c//", PORTAL_ERROR, "/c//", "");
    client_is("/c//x", PORTAL_ERROR, "/c//x", "");
    client_is("/c/Martin", PORTAL_ERROR, "/c/Martin", "");
    client_is("/c/-x/y", PORTAL_ERROR, "/c/-x/y", "");
    client_is("/c/../y", PORTAL_ERROR, "/c/../y", "");
    client_is("/c/a%2fb", PORTAL_ERROR, "/c/a%2fb", "");
}


int
main(void)
{
    arena = portal_arena_create();

    test_add();
    test_match();
    test_types();
    test_methods();
    test_hostile();
    test_client();

    portal_arena_destroy(arena);

    return tap_done();
}
