
/*
 * Copyright (C) the nginx client portal authors
 *
 * Taking cookies out of a Cookie header (see portal_cookie.h).
 */


#include "portal_cookie.h"


static const unsigned char *portal_cookie_trim(const unsigned char *p,
    const unsigned char **last);
static int portal_cookie_offer(const unsigned char *p,
    const unsigned char *last, portal_cookie_pt handler, void *ctx);


static const unsigned char *
portal_cookie_trim(const unsigned char *p, const unsigned char **last)
{
    while (p < *last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (*last > p && ((*last)[-1] == ' ' || (*last)[-1] == '\t')) {
        (*last)--;
    }

    return p;
}


static int
portal_cookie_offer(const unsigned char *p, const unsigned char *last,
    portal_cookie_pt handler, void *ctx)
{
    portal_str_t          name, value;
    const unsigned char  *start, *equal, *end;

    start = portal_cookie_trim(p, &last);
    equal = memchr(start, '=', (size_t) (last - start));

    if (equal == NULL) {
        return PORTAL_DECLINED;
    }

    value.data = (unsigned char *) equal + 1;
    value.len = (size_t) (last - equal - 1);

    end = equal;
    name.data = (unsigned char *) portal_cookie_trim(start, &end);
    name.len = (size_t) (end - start);

    return handler(ctx, &name, &value);
}


int
portal_cookie_take(portal_str_t *header, portal_cookie_pt handler, void *ctx,
    portal_arena_t *arena)
{
    int                   rc, taken;
    unsigned char        *rest, *r;
    const unsigned char  *p, *last, *end, *next;

    if (header->len == 0) {
        return PORTAL_OK;
    }

    rest = portal_alloc(arena, header->len);
    if (rest == NULL) {
        return PORTAL_ERROR;
    }

    r = rest;
    taken = 0;

    p = header->data;
    last = p + header->len;

    while (p < last) {
        next = memchr(p, ';', (size_t) (last - p));
        end = next ? next : last;
        next = next ? next + 1 : last;

        rc = portal_cookie_offer(p, end, handler, ctx);

        if (rc == PORTAL_OK) {
            taken = 1;

        } else if (rc == PORTAL_DECLINED) {
            memcpy(r, p, (size_t) (next - p));
            r += next - p;

        } else {
            return rc;
        }

        p = next;
    }

    if (!taken) {
        return PORTAL_OK;
    }

    /* a separator that now begins or ends the header goes as well */

    p = rest;
    last = r;

    while (p < last && (*p == ' ' || *p == ';' || *p == '\t')) {
        p++;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == ';'
                        || last[-1] == '\t'))
    {
        last--;
    }

    header->data = (unsigned char *) p;
    header->len = (size_t) (last - p);

    return PORTAL_OK;
}
