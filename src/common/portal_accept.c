
/*
 * Copyright (C) the nginx client portal authors
 *
 * Content negotiation (see portal_accept.h).
 */


#include <strings.h>
#include "portal_accept.h"


typedef struct {
    const unsigned char  *p;
    const unsigned char  *last;
    portal_str_t          value;
    int                   q;            /* thousandths */
} portal_accept_t;


static int portal_accept_next(portal_accept_t *a);
static int portal_accept_q(const unsigned char *p, const unsigned char *last);
static int portal_accept_is(const portal_str_t *s, const char *name);


/* The next element of a list with weights; 0: there is none. */

static int
portal_accept_next(portal_accept_t *a)
{
    const unsigned char  *end, *semi;

    while (a->p < a->last && (*a->p == ' ' || *a->p == ',' || *a->p == '\t'))
    {
        a->p++;
    }

    if (a->p == a->last) {
        return 0;
    }

    end = memchr(a->p, ',', (size_t) (a->last - a->p));
    end = end ? end : a->last;

    semi = memchr(a->p, ';', (size_t) (end - a->p));

    a->q = semi ? portal_accept_q(semi, end) : 1000;

    a->value.data = (unsigned char *) a->p;
    a->value.len = (size_t) ((semi ? semi : end) - a->p);

    while (a->value.len && (a->value.data[a->value.len - 1] == ' '
                            || a->value.data[a->value.len - 1] == '\t'))
    {
        a->value.len--;
    }

    a->p = end;

    return 1;
}


static int
portal_accept_q(const unsigned char *p, const unsigned char *last)
{
    int  q, scale;

    for ( /* void */ ; last - p >= 3; p++) {

        if (*p != ';' && *p != ' ' && *p != '\t') {
            continue;
        }

        if ((p[1] != 'q' && p[1] != 'Q') || p[2] != '=') {
            continue;
        }

        p += 3;
        q = 0;
        scale = 1000;

        for ( /* void */ ; p < last && scale; p++) {
            if (*p == '.') {
                continue;
            }

            if (*p < '0' || *p > '9') {
                break;
            }

            q += (*p - '0') * scale;
            scale /= 10;
        }

        return q > 1000 ? 1000 : q;
    }

    return 1000;
}


static int
portal_accept_is(const portal_str_t *s, const char *name)
{
    return s->len == strlen(name)
           && strncasecmp((const char *) s->data, name, s->len) == 0;
}


int
portal_accepts_json(const portal_str_t *accept)
{
    int              json, html;
    portal_accept_t  a;

    json = 0;
    html = 0;

    a.p = accept->data;
    a.last = a.p + accept->len;

    while (portal_accept_next(&a)) {

        if (portal_accept_is(&a.value, "application/json")
            || portal_accept_is(&a.value, "application/problem+json"))
        {
            json = a.q > json ? a.q : json;

        } else if (portal_accept_is(&a.value, "text/html")) {
            html = a.q > html ? a.q : html;
        }
    }

    return json > html;
}


int
portal_accept_language(const portal_str_t *header, const portal_str_t *codes,
    size_t n)
{
    int              best, q;
    size_t           i;
    portal_accept_t  a;

    best = -1;
    q = 0;

    a.p = header->data;
    a.last = a.p + header->len;

    while (portal_accept_next(&a)) {

        if (a.q <= q || a.value.len < 2
            || (a.value.len > 2 && a.value.data[2] != '-'))
        {
            continue;
        }

        for (i = 0; i < n; i++) {
            if (codes[i].len == 2
                && strncasecmp((char *) codes[i].data,
                               (char *) a.value.data, 2)
                   == 0)
            {
                best = (int) i;
                q = a.q;
                break;
            }
        }
    }

    return best;
}


int
portal_next_valid(const portal_str_t *next)
{
    size_t  i;

    /* what a URI has percent-encoded only (RFC 3986) */

    static const char  never[] = "\"<>\\^`{|}";

    if (next->len == 0 || next->len > 2048 || next->data[0] != '/') {
        return 0;
    }

    if (next->len > 1 && (next->data[1] == '/' || next->data[1] == '\\')) {
        return 0;
    }

    for (i = 0; i < next->len; i++) {
        if (next->data[i] < 0x21 || next->data[i] > 0x7e
            || memchr(never, next->data[i], sizeof(never) - 1))
        {
            return 0;
        }
    }

    return 1;
}
