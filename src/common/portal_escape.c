
/*
 * Copyright (C) the nginx client portal authors
 *
 * Writing values into a page: as HTML, fit for text and for attributes in
 * quotes of either kind; as JSON, fit for a script element; percent-encoded;
 * or as they are.  Whatever the way, what comes out is well-formed UTF-8
 * without NUL: U+FFFD stands for what was not.
 */


#include <stdio.h>
#include "portal_template_code.h"


static int portal_escape_json(portal_out_t *out, const portal_value_t *v,
    unsigned encode);
static int portal_escape_quoted(portal_out_t *out, const portal_value_t *v,
    unsigned encode);
static size_t portal_escape_tree(const portal_value_t *v);
static int portal_escape_escaped(portal_out_t *out, const portal_str_t *s,
    unsigned encode);
static int portal_escape_special(portal_out_t *out, unsigned char c,
    unsigned encode);
static int portal_escape_percent(portal_out_t *out, const unsigned char *p,
    const unsigned char *last);


#define portal_escape_puts(out, s)  portal_escape_add(out, s, sizeof(s) - 1)


/* What the encodings do not pass as it is. */

#define HJ  (PORTAL_ENCODE_HTML|PORTAL_ENCODE_JSON)
#define H   PORTAL_ENCODE_HTML
#define A   (PORTAL_ENCODE_RAW|PORTAL_ENCODE_HTML|PORTAL_ENCODE_JSON)

static const unsigned char  portal_escape_class[256] = {
    A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, H, 0, 0, 0, HJ, H, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, HJ, 0, HJ, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
    A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A
};

#undef HJ
#undef H
#undef A


int
portal_escape_value(portal_out_t *out, const portal_value_t *v, unsigned raw)
{
    unsigned  encode;

    encode = raw ? PORTAL_ENCODE_RAW : PORTAL_ENCODE_HTML;

    if (v->encode == PORTAL_ENCODE_JSON) {
        return portal_escape_json(out, v, encode);
    }

    if (v->encode) {
        encode = v->encode;
    }

    if (v->escaped) {
        return portal_escape_escaped(out, &v->text, encode);
    }

    return portal_escape_text(out, v->text.data, v->text.data + v->text.len,
                              encode);
}


/*
 * A node as it stands in PostgreSQL's text, with what could end a script
 * element replaced by escapes of JSON.
 */

static int
portal_escape_json(portal_out_t *out, const portal_value_t *v, unsigned encode)
{
    portal_str_t          quote;
    const unsigned char  *p;

    encode |= PORTAL_ENCODE_JSON;

    if (v->made
        || (v->doc && v->doc->nodes[v->node].type == portal_json_string))
    {
        if (encode & PORTAL_ENCODE_HTML) {
            portal_str_set(&quote, "&quot;");

        } else {
            portal_str_set(&quote, "\"");
        }

        if (portal_escape_add(out, quote.data, quote.len) != PORTAL_OK
            || portal_escape_quoted(out, v, encode) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        return portal_escape_add(out, quote.data, quote.len);
    }

    if (v->doc == NULL) {
        return portal_escape_puts(out, "null");
    }

    p = v->doc->text + v->doc->nodes[v->node].start;

    return portal_escape_text(out, p, p + portal_escape_tree(v), encode);
}


/* What a pipe or the template made has no escapes of JSON yet. */

static int
portal_escape_quoted(portal_out_t *out, const portal_value_t *v,
    unsigned encode)
{
    char                  esc[sizeof("\\u0000")];
    const unsigned char  *p, *start, *last;

    start = v->text.data;
    last = start + v->text.len;

    for (p = start; v->made && p < last; p++) {

        if (*p >= 0x20 && *p != '"' && *p != '\\') {
            continue;
        }

        snprintf(esc, sizeof(esc), "\\u%04x", *p);

        if (portal_escape_text(out, start, p, encode) != PORTAL_OK
            || portal_escape_add(out, esc, sizeof(esc) - 1) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        start = p + 1;
    }

    return portal_escape_text(out, start, last, encode);
}


/* Bytes of a value that is no string: it was read once, so it is closed. */

static size_t
portal_escape_tree(const portal_value_t *v)
{
    unsigned                   depth, quoted;
    const unsigned char       *p, *start;
    const portal_json_node_t  *node;

    node = &v->doc->nodes[v->node];

    if (node->type != portal_json_array && node->type != portal_json_object)
    {
        return node->len;
    }

    start = v->doc->text + node->start;
    depth = 0;
    quoted = 0;

    for (p = start; /* void */ ; p++) {

        if (quoted) {
            if (*p == '\\') {
                p++;

            } else if (*p == '"') {
                quoted = 0;
            }

            continue;
        }

        if (*p == '"') {
            quoted = 1;

        } else if (*p == '{' || *p == '[') {
            depth++;

        } else if ((*p == '}' || *p == ']') && --depth == 0) {
            return (size_t) (p - start) + 1;
        }
    }
}


/* The text of a JSON string: runs between its escapes, and these. */

static int
portal_escape_escaped(portal_out_t *out, const portal_str_t *s,
    unsigned encode)
{
    size_t                n;
    unsigned char         c[4];
    const unsigned char  *p, *end, *last;

    p = s->data;
    last = p + s->len;

    while (p < last) {
        end = memchr(p, '\\', (size_t) (last - p));
        end = end ? end : last;

        if (portal_escape_text(out, p, end, encode) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        if (end == last) {
            break;
        }

        p = end;
        n = portal_json_next(&p, last, c);

        if (portal_escape_text(out, c, c + n, encode) != PORTAL_OK) {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


int
portal_escape_text(portal_out_t *out, const unsigned char *p,
    const unsigned char *last, unsigned encode)
{
    size_t                n;
    const unsigned char  *start;

    if (encode & PORTAL_ENCODE_URL) {
        return portal_escape_percent(out, p, last);
    }

    for (start = p; p < last; /* void */ ) {

        if ((portal_escape_class[*p] & encode) == 0) {
            p++;
            continue;
        }

        if (*p >= 0x80) {
            n = portal_utf8_sequence(p, last);

            /* U+2028 and U+2029 ended a line of a script before ES2019 */

            if (n && !(n == 3 && encode & PORTAL_ENCODE_JSON && p[0] == 0xe2
                       && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)))
            {
                p += n;
                continue;
            }

        } else {
            n = 1;
        }

        if (portal_escape_add(out, start, (size_t) (p - start)) != PORTAL_OK
            || portal_escape_special(out, n == 0 ? 0 : p[n - 1], encode)
               != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        p += n ? n : 1;
        start = p;
    }

    return portal_escape_add(out, start, (size_t) (p - start));
}


static int
portal_escape_special(portal_out_t *out, unsigned char c, unsigned encode)
{
    if (encode & PORTAL_ENCODE_JSON) {

        switch (c) {

        case '<':
            return portal_escape_puts(out, "\\u003c");

        case '>':
            return portal_escape_puts(out, "\\u003e");

        case '&':
            return portal_escape_puts(out, "\\u0026");

        case 0xa8:
            return portal_escape_puts(out, "\\u2028");

        case 0xa9:
            return portal_escape_puts(out, "\\u2029");
        }
    }

    switch (c) {

    case '<':
        return portal_escape_puts(out, "&lt;");

    case '>':
        return portal_escape_puts(out, "&gt;");

    case '&':
        return portal_escape_puts(out, "&amp;");

    case '"':
        return portal_escape_puts(out, "&quot;");

    case '\'':
        return portal_escape_puts(out, "&#39;");

    default:
        return portal_escape_puts(out, "\xef\xbf\xbd");
    }
}


static int
portal_escape_percent(portal_out_t *out, const unsigned char *p,
    const unsigned char *last)
{
    unsigned char         c, esc[3];
    const unsigned char  *start;

    static const char  hex[] = "0123456789ABCDEF";

    esc[0] = '%';

    for (start = p; p < last; p++) {
        c = *p;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
            || c == '~')
        {
            continue;
        }

        esc[1] = (unsigned char) hex[c >> 4];
        esc[2] = (unsigned char) hex[c & 0x0f];

        if (portal_escape_add(out, start, (size_t) (p - start)) != PORTAL_OK
            || portal_escape_add(out, esc, 3) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        start = p + 1;
    }

    return portal_escape_add(out, start, (size_t) (p - start));
}


int
portal_escape_add(portal_out_t *out, const void *data, size_t len)
{
    if (len == 0) {
        return PORTAL_OK;
    }

    if ((size_t) (out->end - out->pos) < len) {
        return portal_out_add(out, data, len);
    }

    memcpy(out->pos, data, len);
    out->pos += len;

    return PORTAL_OK;
}


size_t
portal_utf8_sequence(const unsigned char *p, const unsigned char *last)
{
    size_t         left;
    unsigned char  low, high;

    left = (size_t) (last - p);

    if (p[0] < 0x80) {
        return p[0] != 0;
    }

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    }

    /* the second byte excludes the overlong, surrogates and > U+10FFFF */

    low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

    if (p[0] < 0xe0 || p[0] > 0xf4 || left < 3 || p[1] < low || p[1] > high
        || (p[2] & 0xc0) != 0x80)
    {
        return 0;
    }

    if (p[0] <= 0xef) {
        return 3;
    }

    return left >= 4 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
}
