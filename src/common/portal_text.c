
/*
 * Copyright (C) the nginx client portal authors
 *
 * Small checks and encodings of text (see portal_text.h).
 */


#include "portal_text.h"


static int portal_base64url_value(unsigned char c);
static int portal_hex_value(unsigned char c);


int
portal_utf8_valid(const unsigned char *p, size_t len)
{
    size_t         i, n;
    uint32_t       min, u;
    unsigned char  c;

    for (i = 0; i < len; i += n) {
        c = p[i];

        if (c == 0) {
            return 0;
        }

        if (c < 0x80) {
            n = 1;
            continue;
        }

        if (c >= 0xc2 && c <= 0xdf) {
            n = 2;
            min = 0x80;
            u = c & 0x1f;

        } else if (c >= 0xe0 && c <= 0xef) {
            n = 3;
            min = 0x800;
            u = c & 0x0f;

        } else if (c >= 0xf0 && c <= 0xf4) {
            n = 4;
            min = 0x10000;
            u = c & 0x07;

        } else {
            return 0;
        }

        if (len - i < n) {
            return 0;
        }

        for (size_t k = 1; k < n; k++) {
            if ((p[i + k] & 0xc0) != 0x80) {
                return 0;
            }

            u = (u << 6) | (p[i + k] & 0x3f);
        }

        if (u < min || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff)) {
            return 0;
        }
    }

    return 1;
}


int
portal_has_control(const portal_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] == 0x7f) {
            return 1;
        }
    }

    return 0;
}


size_t
portal_base64url(unsigned char *dst, const unsigned char *src, size_t len)
{
    size_t          i;
    uint32_t        u;
    unsigned char  *p;

    static const char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz0123456789-_";

    p = dst;

    for (i = 0; i + 2 < len; i += 3) {
        u = (uint32_t) src[i] << 16 | (uint32_t) src[i + 1] << 8 | src[i + 2];

        *p++ = alphabet[u >> 18];
        *p++ = alphabet[(u >> 12) & 63];
        *p++ = alphabet[(u >> 6) & 63];
        *p++ = alphabet[u & 63];
    }

    if (len - i == 1) {
        *p++ = alphabet[src[i] >> 2];
        *p++ = alphabet[(src[i] & 3) << 4];

    } else if (len - i == 2) {
        *p++ = alphabet[src[i] >> 2];
        *p++ = alphabet[(src[i] & 3) << 4 | src[i + 1] >> 4];
        *p++ = alphabet[(src[i + 1] & 15) << 2];
    }

    return (size_t) (p - dst);
}


static int
portal_base64url_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return c == '-' ? 62 : c == '_' ? 63 : -1;
}


int
portal_base64url_decode(unsigned char *dst, size_t *len,
    const portal_str_t *src)
{
    int             v, bits;
    size_t          i;
    uint32_t        u;
    unsigned char  *p;

    p = dst;
    u = 0;
    bits = 0;

    for (i = 0; i < src->len; i++) {
        v = portal_base64url_value(src->data[i]);

        if (v < 0) {
            return PORTAL_ERROR;
        }

        u = u << 6 | (uint32_t) v;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *p++ = (unsigned char) (u >> bits);
            u &= (1u << bits) - 1;
        }
    }

    /* a text of length 1 modulo 4, or one with bits to spare that are set */

    if (bits == 6 || u != 0) {
        return PORTAL_ERROR;
    }

    *len = (size_t) (p - dst);

    return PORTAL_OK;
}


static int
portal_hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


int
portal_hex_decode(unsigned char *dst, const portal_str_t *src)
{
    int     high, low;
    size_t  i;

    if (src->len & 1) {
        return PORTAL_ERROR;
    }

    for (i = 0; i < src->len; i += 2) {
        high = portal_hex_value(src->data[i]);
        low = portal_hex_value(src->data[i + 1]);

        if (high < 0 || low < 0) {
            return PORTAL_ERROR;
        }

        *dst++ = (unsigned char) (high << 4 | low);
    }

    return PORTAL_OK;
}


int
portal_uuid_parse(unsigned char out[16], const portal_str_t *s)
{
    int            high, low;
    size_t         i, n;
    unsigned char  c;

    if (s->len != 36) {
        return PORTAL_ERROR;
    }

    n = 0;

    for (i = 0; i < 36; i++) {
        c = s->data[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return PORTAL_ERROR;
            }

            continue;
        }

        high = portal_hex_value(c);
        low = portal_hex_value(s->data[i + 1]);

        /* one spelling only: an id is compared, cached and hashed as text */

        if (high < 0 || low < 0 || (c >= 'A' && c <= 'F')
            || (s->data[i + 1] >= 'A' && s->data[i + 1] <= 'F'))
        {
            return PORTAL_ERROR;
        }

        out[n++] = (unsigned char) (high << 4 | low);
        i++;
    }

    return PORTAL_OK;
}


int
portal_slug_valid(const portal_str_t *s)
{
    size_t         i;
    unsigned char  c;

    if (s->len == 0 || s->len > 64 || s->data[0] == '-'
        || s->data[s->len - 1] == '-')
    {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return 0;
        }
    }

    return 1;
}


int
portal_buf_urlencode(portal_buf_t *b, const portal_str_t *s)
{
    char           hex[3];
    size_t         i;
    unsigned char  c;

    static const char  digits[] = "0123456789ABCDEF";

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
            || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
            || c == '~')
        {
            portal_buf_add(b, &s->data[i], 1);
            continue;
        }

        hex[0] = '%';
        hex[1] = digits[c >> 4];
        hex[2] = digits[c & 15];
        portal_buf_add(b, hex, 3);
    }

    return b->failed ? PORTAL_ERROR : PORTAL_OK;
}
