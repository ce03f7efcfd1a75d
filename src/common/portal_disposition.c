
/*
 * Copyright (C) the nginx client portal authors
 *
 * Names of files (see portal_disposition.h).
 */


#include "portal_disposition.h"
#include "portal_text.h"


#define PORTAL_FILENAME_MAX  200
#define PORTAL_EXTENSION_MAX  12


static size_t portal_filename_bidi(const unsigned char *p, size_t n);


/*
 * Bytes of a character, at the end of n bytes, that turns the direction of
 * text or is not seen ("fdp.exe" may show as "exe.pdf"): U+0080 to U+009F,
 * U+061C, U+200B to U+200F, U+2028 to U+202E, U+2066 to U+2069, U+FEFF; 0:
 * another character.
 */

static size_t
portal_filename_bidi(const unsigned char *p, size_t n)
{
    if (n >= 2) {
        p += n - 2;

        if ((p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            || (p[0] == 0xd8 && p[1] == 0x9c))
        {
            return 2;
        }
    }

    if (n < 3) {
        return 0;
    }

    p--;

    if (p[0] == 0xe2 && p[1] == 0x80
        && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae)))
    {
        return 3;
    }

    if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) {
        return 3;
    }

    return (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) ? 3 : 0;
}


int
portal_disposition(portal_buf_t *b, int is_inline, const portal_str_t *name)
{
    size_t         i;
    unsigned char  c;
    portal_str_t   part;

    portal_buf_puts(b, is_inline ? "inline; filename=\""
                                 : "attachment; filename=\"");

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c >= 0x80) {

            /* one "_" for a character of several bytes */

            if ((c & 0xc0) != 0x80) {
                portal_buf_add(b, "_", 1);
            }

            continue;
        }

        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '/'
            || c == '%' || c == ';')
        {
            c = '_';
        }

        portal_buf_add(b, &c, 1);
    }

    portal_buf_puts(b, "\"; filename*=UTF-8''");

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\') {
            portal_buf_add(b, "_", 1);
            continue;
        }

        part.data = &name->data[i];
        part.len = 1;
        portal_buf_urlencode(b, &part);
    }

    return b->failed ? PORTAL_ERROR : PORTAL_OK;
}


int
portal_filename_clean(portal_arena_t *arena, portal_str_t *dst,
    const portal_str_t *src)
{
    size_t                i, n, dot, cut, back;
    unsigned char        *p, c;
    const unsigned char  *start, *last;

    last = src->data + src->len;

    for (start = last; start > src->data; start--) {
        if (start[-1] == '/' || start[-1] == '\\') {
            break;
        }
    }

    p = portal_alloc(arena, src->len + 1);
    if (p == NULL) {
        return PORTAL_ERROR;
    }

    n = 0;

    for ( /* void */ ; start < last; start++) {
        c = *start;

        if (c < 0x20 || c == 0x7f || (n == 0 && (c == '.' || c == ' '))) {
            continue;
        }

        p[n++] = c;

        /* of what is kept: bytes that were apart may have come together */

        n -= portal_filename_bidi(p, n);
    }

    while (n && (p[n - 1] == ' ' || p[n - 1] == '.')) {
        n--;
    }

    if (n == 0) {
        return PORTAL_DECLINED;
    }

    if (n > PORTAL_FILENAME_MAX) {

        for (dot = n; dot > 0 && p[dot - 1] != '.'; dot--) { /* void */ }

        i = dot ? dot - 1 : n;

        if (n - i > PORTAL_EXTENSION_MAX) {
            i = n;
        }

        /* whole characters only, of which none has more than four bytes */

        cut = PORTAL_FILENAME_MAX - (n - i);

        for (back = 3; back && (p[cut] & 0xc0) == 0x80; back--) {
            cut--;
        }

        memmove(p + cut, p + i, n - i);
        n = cut + (n - i);
    }

    p[n] = '\0';
    dst->data = p;
    dst->len = n;

    return PORTAL_OK;
}
