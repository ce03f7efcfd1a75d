
/*
 * Copyright (C) the nginx client portal authors
 *
 * Paths from strangers, and patterns of pages: "PATH NUL PATTERN".
 */


#include "fuzz.h"
#include "portal_router.h"
#include "portal_text.h"


static const char  *patterns[] = {
    "/", "/documents", "/documents/new", "/documents/:id",
    "/documents/:id/file", "/a/:slug/:n", "/a/known/two", "/b/:n/:n/:n/:n",
    NULL
};


static void fuzz_params(const portal_match_t *m);


/* A parameter is of its type, and of one segment. */

static void
fuzz_params(const portal_match_t *m)
{
    size_t               i, n;
    unsigned char        uuid[16];
    const portal_str_t  *name, *value;

    for (i = 0; i < m->nparams; i++) {
        name = &m->params[i].name;
        value = &m->params[i].value;

        fuzz_check(value->len && memchr(value->data, '/', value->len) == NULL);

        if (portal_str_is(name, "id")) {
            fuzz_check(portal_uuid_parse(uuid, value) == PORTAL_OK);

        } else if (portal_str_is(name, "slug")) {
            fuzz_check(portal_slug_valid(value));

        } else {
            fuzz_check(portal_str_is(name, "n") && value->len <= 9);

            for (n = 0; n < value->len; n++) {
                fuzz_check(value->data[n] >= '0' && value->data[n] <= '9');
            }
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               rc;
    size_t            i;
    portal_str_t      path, pattern, copy, client, s;
    portal_match_t    m, again;
    portal_error_t    err;
    portal_arena_t   *arena;
    portal_router_t  *router;

    path = fuzz_piece(&data, &size);
    pattern = fuzz_piece(&data, &size);

    arena = portal_arena_create();
    router = portal_router_create(arena);

    for (i = 0; patterns[i]; i++) {
        s.data = (unsigned char *) patterns[i];
        s.len = strlen(patterns[i]);
        fuzz_check(portal_router_add(router, PORTAL_METHOD_GET, &s,
                                     (void *) patterns[i], &err)
                   == PORTAL_OK);
    }

    rc = portal_router_match(router, PORTAL_METHOD_GET, &path, &m);

    if (rc == PORTAL_ROUTE_FOUND) {
        fuzz_check(m.value && m.allow == PORTAL_METHOD_GET);
        fuzz_params(&m);
    }

    /* another method finds the same place, or as little */

    fuzz_check((portal_router_match(router, PORTAL_METHOD_PUT, &path, &again)
                == PORTAL_ROUTE_METHOD) == (rc == PORTAL_ROUTE_FOUND));

    copy = path;
    rc = portal_router_client(&copy, &client);

    if (rc == PORTAL_OK) {
        fuzz_check(portal_slug_valid(&client) && copy.len
                   && copy.data[0] == '/');
    }

    /* a pattern without types is its own path */

    if (pattern.len
        && portal_router_add(router, PORTAL_METHOD_PUT, &pattern, arena,
                             &err)
           == PORTAL_OK
        && memchr(pattern.data, ':', pattern.len) == NULL)
    {
        fuzz_check(portal_router_match(router, PORTAL_METHOD_PUT, &pattern,
                                       &m)
                   == PORTAL_ROUTE_FOUND);
        fuzz_check(m.value == arena);
    }

    portal_arena_destroy(arena);
    free(path.data);
    free(pattern.data);

    return 0;
}
