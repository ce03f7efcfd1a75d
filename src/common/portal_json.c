
/*
 * Copyright (C) the nginx client portal authors
 *
 * Reading JSON in place (see portal_json.h).  Measured: a page of 50
 * documents takes a twentieth of what a tree of allocated values takes.
 */


#include "portal_json.h"


#define PORTAL_JSON_DEPTH  64


typedef struct {
    portal_json_t        *doc;
    portal_arena_t       *arena;
    const unsigned char  *p;
    const unsigned char  *last;
} portal_json_reader_t;


static int portal_json_value(portal_json_reader_t *r, unsigned depth);
static int portal_json_container(portal_json_reader_t *r, unsigned depth,
    uint32_t node, unsigned char close);
static int portal_json_text(portal_json_reader_t *r);
static int portal_json_number_text(portal_json_reader_t *r);
static const unsigned char *portal_json_digits(const unsigned char *p,
    const unsigned char *last);
static int portal_json_word(portal_json_reader_t *r, const char *word,
    size_t len, portal_json_e type);
static uint32_t portal_json_add(portal_json_reader_t *r, portal_json_e type);
static void portal_json_space(portal_json_reader_t *r);
static int portal_json_hex(const unsigned char *p, unsigned *u);
static size_t portal_json_utf8(unsigned u, unsigned char out[4]);


int
portal_json_parse(portal_json_t *doc, const portal_str_t *text,
    portal_arena_t *arena)
{
    portal_json_reader_t  r;

    memset(doc, 0, sizeof(portal_json_t));

    if (text->len >= UINT32_MAX) {
        return PORTAL_ERROR;
    }

    doc->text = text->data;

    r.doc = doc;
    r.arena = arena;
    r.p = text->data;
    r.last = text->data + text->len;

    if (portal_json_value(&r, 0) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    portal_json_space(&r);

    return r.p == r.last ? PORTAL_OK : PORTAL_ERROR;
}


static uint32_t
portal_json_add(portal_json_reader_t *r, portal_json_e type)
{
    uint32_t             size;
    portal_json_t       *doc;
    portal_json_node_t  *nodes;

    doc = r->doc;

    if (doc->n == doc->size) {
        size = doc->size ? doc->size * 2
                         : 64 + (uint32_t) ((r->last - r->p) / 16);

        nodes = portal_alloc(r->arena, size * sizeof(portal_json_node_t));
        if (nodes == NULL) {
            return PORTAL_JSON_NONE;
        }

        if (doc->n) {
            memcpy(nodes, doc->nodes, doc->n * sizeof(portal_json_node_t));
        }

        doc->nodes = nodes;
        doc->size = size;
    }

    nodes = &doc->nodes[doc->n];

    nodes->type = (uint8_t) type;
    nodes->escaped = 0;
    nodes->start = (uint32_t) (r->p - doc->text);
    nodes->len = 0;
    nodes->next = doc->n + 1;

    return doc->n++;
}


static void
portal_json_space(portal_json_reader_t *r)
{
    while (r->p < r->last
           && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t'
               || *r->p == '\r'))
    {
        r->p++;
    }
}


static int
portal_json_value(portal_json_reader_t *r, unsigned depth)
{
    uint32_t       node;
    unsigned char  c;

    portal_json_space(r);

    if (r->p == r->last) {
        return PORTAL_ERROR;
    }

    c = *r->p;

    switch (c) {

    case '"':
        return portal_json_text(r);

    case '{':
    case '[':

        if (depth == PORTAL_JSON_DEPTH) {
            return PORTAL_ERROR;
        }

        node = portal_json_add(r, c == '{' ? portal_json_object
                                           : portal_json_array);
        if (node == PORTAL_JSON_NONE) {
            return PORTAL_ERROR;
        }

        r->p++;

        return portal_json_container(r, depth + 1, node,
                                     c == '{' ? '}' : ']');

    case 't':
        return portal_json_word(r, "true", 4, portal_json_true);

    case 'f':
        return portal_json_word(r, "false", 5, portal_json_false);

    case 'n':
        return portal_json_word(r, "null", 4, portal_json_null);

    default:
        return portal_json_number_text(r);
    }
}


static int
portal_json_container(portal_json_reader_t *r, unsigned depth, uint32_t node,
    unsigned char close)
{
    uint32_t  n;

    portal_json_space(r);

    if (r->p < r->last && *r->p == close) {
        r->p++;
        return PORTAL_OK;
    }

    for (n = 1; /* void */ ; n++) {

        if (close == '}') {
            portal_json_space(r);

            if (r->p == r->last || *r->p != '"'
                || portal_json_text(r) != PORTAL_OK)
            {
                return PORTAL_ERROR;
            }

            portal_json_space(r);

            if (r->p == r->last || *r->p++ != ':') {
                return PORTAL_ERROR;
            }
        }

        if (portal_json_value(r, depth) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        portal_json_space(r);

        if (r->p == r->last) {
            return PORTAL_ERROR;
        }

        if (*r->p == close) {
            r->p++;
            r->doc->nodes[node].len = n;
            r->doc->nodes[node].next = r->doc->n;

            return PORTAL_OK;
        }

        if (*r->p++ != ',') {
            return PORTAL_ERROR;
        }
    }
}


static int
portal_json_text(portal_json_reader_t *r)
{
    unsigned              u;
    uint32_t              node;
    const unsigned char  *p, *last;

    r->p++;
    node = portal_json_add(r, portal_json_string);

    if (node == PORTAL_JSON_NONE) {
        return PORTAL_ERROR;
    }

    last = r->last;

    for (p = r->p; p < last; p++) {

        if (*p == '"') {
            r->doc->nodes[node].len = (uint32_t) (p - r->p);
            r->p = p + 1;
            return PORTAL_OK;
        }

        if (*p < 0x20) {
            return PORTAL_ERROR;
        }

        if (*p != '\\') {
            continue;
        }

        r->doc->nodes[node].escaped = 1;

        if (++p == last) {
            return PORTAL_ERROR;
        }

        if (*p == 'u') {
            if (last - p < 5 || portal_json_hex(p + 1, &u) != PORTAL_OK) {
                return PORTAL_ERROR;
            }

            p += 4;

        } else if (memchr("\"\\/bfnrt", *p, 8) == NULL) {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_ERROR;
}


static int
portal_json_number_text(portal_json_reader_t *r)
{
    uint32_t              node;
    const unsigned char  *p, *last;

    node = portal_json_add(r, portal_json_number);

    if (node == PORTAL_JSON_NONE) {
        return PORTAL_ERROR;
    }

    p = r->p;
    last = r->last;

    p += (p < last && *p == '-');

    if (p < last && *p == '0') {
        p++;

    } else {
        p = portal_json_digits(p, last);
    }

    if (p && p < last && *p == '.') {
        p = portal_json_digits(p + 1, last);
    }

    if (p && p < last && (*p == 'e' || *p == 'E')) {
        p++;
        p += (p < last && (*p == '+' || *p == '-'));
        p = portal_json_digits(p, last);
    }

    if (p == NULL) {
        return PORTAL_ERROR;
    }

    r->doc->nodes[node].len = (uint32_t) (p - r->p);
    r->p = p;

    return PORTAL_OK;
}


/* Behind the digits at p; NULL: there is none. */

static const unsigned char *
portal_json_digits(const unsigned char *p, const unsigned char *last)
{
    const unsigned char  *start;

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {
        /* void */
    }

    return p > start ? p : NULL;
}


static int
portal_json_word(portal_json_reader_t *r, const char *word, size_t len,
    portal_json_e type)
{
    uint32_t  node;

    if ((size_t) (r->last - r->p) < len || memcmp(r->p, word, len) != 0) {
        return PORTAL_ERROR;
    }

    node = portal_json_add(r, type);

    if (node == PORTAL_JSON_NONE) {
        return PORTAL_ERROR;
    }

    r->doc->nodes[node].len = (uint32_t) len;
    r->p += len;

    return PORTAL_OK;
}


uint32_t
portal_json_member(const portal_json_t *doc, uint32_t node,
    const portal_str_t *name)
{
    uint32_t                   i, end;
    const portal_json_node_t  *n;

    n = &doc->nodes[node];

    if (n->type != portal_json_object) {
        return PORTAL_JSON_NONE;
    }

    end = n->next;

    for (i = node + 1; i < end; i = doc->nodes[i + 1].next) {
        n = &doc->nodes[i];

        if (n->len == name->len
            && memcmp(doc->text + n->start, name->data, name->len) == 0)
        {
            return i + 1;
        }
    }

    return PORTAL_JSON_NONE;
}


int
portal_json_lookup(const portal_json_t *doc, const char *path,
    portal_str_t *value)
{
    uint32_t                   node;
    const char                *end;
    portal_str_t               name;
    const portal_json_node_t  *n;

    for (node = 0; /* void */ ; path = end + 1) {
        end = strchr(path, '.');

        name.data = (unsigned char *) path;
        name.len = end ? (size_t) (end - path) : strlen(path);

        node = portal_json_member(doc, node, &name);

        if (node == PORTAL_JSON_NONE) {
            return PORTAL_DECLINED;
        }

        if (end == NULL) {
            break;
        }
    }

    n = &doc->nodes[node];

    if (n->type != portal_json_string || n->escaped) {
        return PORTAL_DECLINED;
    }

    value->data = (unsigned char *) doc->text + n->start;
    value->len = n->len;

    return PORTAL_OK;
}


static int
portal_json_hex(const unsigned char *p, unsigned *u)
{
    int            i;
    unsigned char  c;

    *u = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            *u = *u << 4 | (unsigned) (c - '0');
            continue;
        }

        c |= 0x20;

        if (c < 'a' || c > 'f') {
            return PORTAL_ERROR;
        }

        *u = *u << 4 | (unsigned) (c - 'a' + 10);
    }

    return PORTAL_OK;
}


static size_t
portal_json_utf8(unsigned u, unsigned char out[4])
{
    if (u < 0x80) {
        out[0] = (unsigned char) u;
        return 1;
    }

    if (u < 0x800) {
        out[0] = (unsigned char) (0xc0 | u >> 6);
        out[1] = (unsigned char) (0x80 | (u & 0x3f));
        return 2;
    }

    if (u < 0x10000) {
        out[0] = (unsigned char) (0xe0 | u >> 12);
        out[1] = (unsigned char) (0x80 | (u >> 6 & 0x3f));
        out[2] = (unsigned char) (0x80 | (u & 0x3f));
        return 3;
    }

    out[0] = (unsigned char) (0xf0 | u >> 18);
    out[1] = (unsigned char) (0x80 | (u >> 12 & 0x3f));
    out[2] = (unsigned char) (0x80 | (u >> 6 & 0x3f));
    out[3] = (unsigned char) (0x80 | (u & 0x3f));

    return 4;
}


size_t
portal_json_next(const unsigned char **pp, const unsigned char *last,
    unsigned char out[4])
{
    unsigned              u, low;
    const unsigned char  *p;

    static const char  from[] = "bfnrt";
    static const char  to[] = "\b\f\n\r\t";

    p = *pp;

    if (*p != '\\' || last - p < 2) {
        out[0] = *p;
        *pp = p + 1;
        return 1;
    }

    p++;

    if (*p != 'u') {
        const char  *e = memchr(from, *p, 5);

        out[0] = e ? (unsigned char) to[e - from] : *p;
        *pp = p + 1;
        return 1;
    }

    if (last - p < 5 || portal_json_hex(p + 1, &u) != PORTAL_OK) {
        *pp = last;
        return portal_json_utf8(0xfffd, out);
    }

    p += 5;

    if (u >= 0xd800 && u <= 0xdbff && last - p >= 6 && p[0] == '\\'
        && p[1] == 'u' && portal_json_hex(p + 2, &low) == PORTAL_OK
        && low >= 0xdc00 && low <= 0xdfff)
    {
        u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
        p += 6;

    } else if (u >= 0xd800 && u <= 0xdfff) {
        u = 0xfffd;
    }

    *pp = p;

    return portal_json_utf8(u, out);
}
