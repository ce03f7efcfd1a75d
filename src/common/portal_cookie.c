
/*
 * Copyright (C) the nginx client portal authors
 *
 * Taking cookies out of a Cookie header (see portal_cookie.h).
 */


#include "portal_cookie.h"


static const unsigned char *portal_cookie_trim(const unsigned char *p,
    const unsigned char **last);


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


int
portal_cookie_take(portal_str_t *header, const portal_str_t *prefix,
    portal_cookie_pt handler, void *ctx, portal_arena_t *arena)
{
    int                   rc, taken;
    portal_str_t          name, value;
    unsigned char        *rest, *r;
    const unsigned char  *p, *last, *end, *next, *equal, *start;

    if (header->len < prefix->len) {
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

        start = portal_cookie_trim(p, &end);
        equal = memchr(start, '=', (size_t) (end - start));

        if (equal && (size_t) (equal - start) >= prefix->len
            && memcmp(start, prefix->data, prefix->len) == 0)
        {
            name.data = (unsigned char *) start;
            value.data = (unsigned char *) equal + 1;
            value.len = (size_t) (end - equal - 1);

            end = equal;
            (void) portal_cookie_trim(start, &end);
            name.len = (size_t) (end - start);

            rc = handler(ctx, &name, &value);
            if (rc != PORTAL_OK) {
                return rc;
            }

            taken = 1;

        } else {
            memcpy(r, p, (size_t) (next - p));
            r += next - p;
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
