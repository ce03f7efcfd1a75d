
/*
 * Copyright (C) the nginx client portal authors
 *
 * Cookie headers: none of ours is left, every other one is.
 */


#include "fuzz.h"
#include "portal_cookie.h"


#define PREFIX  "__Host-p"


static int fuzz_take(void *ctx, const portal_str_t *name,
    const portal_str_t *value);
static size_t fuzz_next(const portal_str_t *h, size_t pos, portal_str_t *c);
static int fuzz_ours(const portal_str_t *c);


static int
fuzz_take(void *ctx, const portal_str_t *name, const portal_str_t *value)
{
    size_t  *calls = ctx;

    fuzz_check(memchr(name->data, ';', name->len) == NULL
               && memchr(name->data, '=', name->len) == NULL
               && memchr(value->data, ';', value->len) == NULL);

    if (name->len < sizeof(PREFIX) - 1
        || memcmp(name->data, PREFIX, sizeof(PREFIX) - 1) != 0)
    {
        return PORTAL_DECLINED;
    }

    (*calls)++;

    return PORTAL_OK;
}


/* The next part between semicolons that is not empty. */

static size_t
fuzz_next(const portal_str_t *h, size_t pos, portal_str_t *c)
{
    while (pos < h->len && (h->data[pos] == ';' || h->data[pos] == ' '
                            || h->data[pos] == '\t'))
    {
        pos++;
    }

    c->data = h->data + pos;

    while (pos < h->len && h->data[pos] != ';') {
        pos++;
    }

    c->len = (size_t) (h->data + pos - c->data);

    while (c->len && (c->data[c->len - 1] == ' '
                      || c->data[c->len - 1] == '\t'))
    {
        c->len--;
    }

    return pos;
}


static int
fuzz_ours(const portal_str_t *c)
{
    return c->len >= sizeof(PREFIX) - 1
           && memcmp(c->data, PREFIX, sizeof(PREFIX) - 1) == 0
           && memchr(c->data, '=', c->len) != NULL;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           calls, ours, a, b;
    portal_str_t     h, rest, x, y;
    portal_arena_t  *arena;

    h = fuzz_copy(data, size);
    arena = portal_arena_create();

    calls = 0;
    rest = h;
    fuzz_check(portal_cookie_take(&rest, fuzz_take, &calls, arena)
               == PORTAL_OK);

    ours = 0;
    b = 0;

    for (a = fuzz_next(&h, 0, &x); x.len; a = fuzz_next(&h, a, &x)) {
        if (fuzz_ours(&x)) {
            ours++;
            continue;
        }

        b = fuzz_next(&rest, b, &y);
        fuzz_check(x.len == y.len && memcmp(x.data, y.data, x.len) == 0);
    }

    fuzz_check(ours == calls);
    (void) fuzz_next(&rest, b, &y);
    fuzz_check(y.len == 0);

    calls = 0;
    fuzz_check(portal_cookie_take(&rest, fuzz_take, &calls, arena)
               == PORTAL_OK);
    fuzz_check(calls == 0);

    portal_arena_destroy(arena);
    free(h.data);

    return 0;
}
