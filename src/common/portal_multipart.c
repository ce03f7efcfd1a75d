
/*
 * Copyright (C) the nginx client portal authors
 *
 * multipart/form-data, fed piece by piece (see portal_multipart.h).  Data
 * is handed on as it comes; only the headers of a part are collected.  The
 * boundary is searched as "CRLF--boundary": no byte of it can begin again
 * inside itself but its first, CR, which makes the search need no buffer.
 */


#include <strings.h>
#include "portal_disposition.h"
#include "portal_multipart.h"
#include "portal_text.h"


static int portal_multipart_scan(portal_multipart_t *mp,
    const unsigned char **pp, const unsigned char *last, int report);
static int portal_multipart_behind(portal_multipart_t *mp,
    unsigned char c);
static int portal_multipart_collect(portal_multipart_t *mp,
    unsigned char c);
static int portal_multipart_part(portal_multipart_t *mp);
static int portal_multipart_disposition(const portal_str_t *line,
    portal_str_t *name, portal_str_t *filename, int *has_filename);
static int portal_multipart_param(const unsigned char **pp,
    const unsigned char *last, portal_str_t *name, portal_str_t *value);
static void portal_multipart_unquote(portal_str_t *value);
static void *portal_multipart_alloc(void *ctx, size_t size);


int
portal_multipart_boundary(const portal_str_t *type, portal_str_t *boundary)
{
    size_t                i;
    unsigned char         c;
    portal_str_t          name;
    const unsigned char  *p, *last;

    static const char  form[] = "multipart/form-data";

    if (type->len < sizeof(form) - 1
        || strncasecmp((char *) type->data, form, sizeof(form) - 1) != 0)
    {
        return PORTAL_DECLINED;
    }

    p = type->data + sizeof(form) - 1;
    last = type->data + type->len;

    while (portal_multipart_param(&p, last, &name, boundary) == PORTAL_OK) {

        if (name.len != 8
            || strncasecmp((char *) name.data, "boundary", 8) != 0)
        {
            continue;
        }

        if (boundary->len == 0 || boundary->len > PORTAL_MULTIPART_BOUNDARY)
        {
            return PORTAL_ERROR;
        }

        for (i = 0; i < boundary->len; i++) {
            c = boundary->data[i];

            if (c <= 0x20 || c >= 0x7f) {
                return PORTAL_ERROR;
            }
        }

        return PORTAL_OK;
    }

    return PORTAL_ERROR;
}


void
portal_multipart_init(portal_multipart_t *mp, const portal_str_t *boundary,
    unsigned max, const portal_multipart_handlers_t *handlers, void *ctx)
{
    memset(mp, 0, offsetof(portal_multipart_t, header));

    mp->handlers = handlers;
    mp->ctx = ctx;
    mp->max = max;

    memcpy(mp->mark, "\r\n--", 4);
    memcpy(mp->mark + 4, boundary->data, boundary->len);
    mp->nmark = boundary->len + 4;

    /* the first boundary may stand at the very beginning, without CRLF */

    mp->matched = 2;
    mp->nheader = 0;
}


int
portal_multipart_feed(portal_multipart_t *mp, const unsigned char *p,
    size_t len)
{
    int                   rc;
    const unsigned char  *last;

    last = p + len;
    rc = PORTAL_OK;

    while (p < last && rc == PORTAL_OK) {

        switch (mp->state) {

        case portal_multipart_preamble:
            rc = portal_multipart_scan(mp, &p, last, 0);
            break;

        case portal_multipart_after:
            rc = portal_multipart_behind(mp, *p++);
            break;

        case portal_multipart_headers:
            rc = portal_multipart_collect(mp, *p++);
            break;

        case portal_multipart_body:
            rc = portal_multipart_scan(mp, &p, last, 1);
            break;

        case portal_multipart_done:

            /* the epilogue is nobody's */

            return PORTAL_OK;

        default:
            rc = PORTAL_ERROR;
        }
    }

    if (rc != PORTAL_OK) {
        mp->state = portal_multipart_failed;
        return PORTAL_ERROR;
    }

    return PORTAL_OK;
}


/* Looks for the mark; what is before it is the body's. */

static int
portal_multipart_scan(portal_multipart_t *mp, const unsigned char **pp,
    const unsigned char *last, int report)
{
    const unsigned char  *p, *start;

    p = *pp;
    start = p;

    while (p < last) {

        if (*p == mp->mark[mp->matched]) {
            p++;

            if (++mp->matched < mp->nmark) {
                continue;
            }

            mp->matched = 0;
            mp->ntail = 0;
            mp->state = portal_multipart_after;
            *pp = p;

            return report ? mp->handlers->end(mp->ctx) : PORTAL_OK;
        }

        if (mp->matched) {

            /* what had matched so far was data after all */

            if (report
                && mp->handlers->data(mp->ctx, mp->mark, mp->matched)
                   != PORTAL_OK)
            {
                return PORTAL_ERROR;
            }

            mp->matched = 0;
            continue;
        }

        start = p;
        p = memchr(p, '\r', (size_t) (last - p));
        p = p ? p : last;

        if (report && p > start
            && mp->handlers->data(mp->ctx, start, (size_t) (p - start))
               != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }
    }

    *pp = p;

    return PORTAL_OK;
}


/* Behind a boundary: CRLF, or two dashes at the very end. */

static int
portal_multipart_behind(portal_multipart_t *mp, unsigned char c)
{
    /* white space of transport is allowed before CRLF */

    if (mp->ntail == 0 && (c == ' ' || c == '\t')) {
        return PORTAL_OK;
    }

    mp->tail[mp->ntail++] = c;

    if (mp->ntail < 2) {
        return (c == '\r' || c == '-') ? PORTAL_OK : PORTAL_ERROR;
    }

    if (mp->tail[0] == '-' && c == '-') {
        mp->state = portal_multipart_done;
        return PORTAL_OK;
    }

    if (mp->tail[0] != '\r' || c != '\n' || ++mp->parts > mp->max) {
        return PORTAL_ERROR;
    }

    mp->nheader = 0;
    mp->state = portal_multipart_headers;

    return PORTAL_OK;
}


static int
portal_multipart_collect(portal_multipart_t *mp, unsigned char c)
{
    if (mp->nheader == PORTAL_MULTIPART_HEADER || c == 0) {
        return PORTAL_ERROR;
    }

    mp->header[mp->nheader++] = c;

    if (c != '\n') {
        return PORTAL_OK;
    }

    /* a part without headers: what follows would be taken for them */

    if (mp->nheader == 2 && mp->header[0] == '\r') {
        return PORTAL_ERROR;
    }

    if (mp->nheader < 4
        || memcmp(mp->header + mp->nheader - 4, "\r\n\r\n", 4) != 0)
    {
        return PORTAL_OK;
    }

    mp->state = portal_multipart_body;

    mp->matched = 0;

    return portal_multipart_part(mp);
}


typedef struct {
    unsigned char  memory[2 * PORTAL_MULTIPART_HEADER];
    size_t         used;
} portal_multipart_memory_t;


static void *
portal_multipart_alloc(void *ctx, size_t size)
{
    portal_multipart_memory_t  *m = ctx;

    void  *p;

    if (size > sizeof(m->memory) - m->used) {
        return NULL;
    }

    p = m->memory + m->used;
    m->used += size;

    return p;
}


static int
portal_multipart_part(portal_multipart_t *mp)
{
    int                         has_name, has_filename;
    portal_str_t                line, name, filename, type, clean;
    portal_arena_t              arena;
    const unsigned char        *p, *last, *end;
    portal_multipart_memory_t   memory;

    memory.used = 0;
    arena.alloc = portal_multipart_alloc;
    arena.ctx = &memory;

    memset(&name, 0, sizeof(portal_str_t));
    memset(&filename, 0, sizeof(portal_str_t));
    memset(&type, 0, sizeof(portal_str_t));

    has_name = 0;
    has_filename = 0;

    p = mp->header;
    last = p + mp->nheader;

    while (p < last) {
        end = memchr(p, '\n', (size_t) (last - p));

        line.data = (unsigned char *) p;
        line.len = (size_t) (end - p);

        if (line.len && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        p = end + 1;

        if (line.len > 20
            && strncasecmp((char *) line.data, "content-disposition:", 20)
               == 0)
        {
            if (has_name) {
                return PORTAL_ERROR;
            }

            line.data += 20;
            line.len -= 20;
            has_name = 1;

            if (portal_multipart_disposition(&line, &name, &filename,
                                             &has_filename)
                != PORTAL_OK)
            {
                return PORTAL_ERROR;
            }

        } else if (line.len > 13
                   && strncasecmp((char *) line.data, "content-type:", 13)
                      == 0)
        {
            type.data = line.data + 13;
            type.len = line.len - 13;
        }
    }

    if (!has_name || name.len == 0
        || !portal_utf8_valid(name.data, name.len)
        || portal_has_control(&name)
        || !portal_utf8_valid(filename.data, filename.len)
        || portal_has_control(&filename))
    {
        return PORTAL_ERROR;
    }

    if (!has_filename) {
        return mp->handlers->begin(mp->ctx, &name, NULL, &type);
    }

    if (filename.len == 0
        || portal_filename_clean(&arena, &clean, &filename) != PORTAL_OK)
    {
        clean.len = 0;
        clean.data = (unsigned char *) "";
    }

    return mp->handlers->begin(mp->ctx, &name, &clean, &type);
}


static int
portal_multipart_disposition(const portal_str_t *line, portal_str_t *name,
    portal_str_t *filename, int *has_filename)
{
    portal_str_t          param, value;
    const unsigned char  *p, *last;

    p = line->data;
    last = p + line->len;

    while (p < last && *p == ' ') {
        p++;
    }

    if (last - p < 9 || strncasecmp((char *) p, "form-data", 9) != 0) {
        return PORTAL_ERROR;
    }

    p += 9;

    while (portal_multipart_param(&p, last, &param, &value) == PORTAL_OK) {

        if (param.len == 4 && strncasecmp((char *) param.data, "name", 4) == 0)
        {
            if (name->data) {
                return PORTAL_ERROR;
            }

            portal_multipart_unquote(&value);
            *name = value;

        } else if (param.len == 8
                   && strncasecmp((char *) param.data, "filename", 8) == 0)
        {
            if (*has_filename) {
                return PORTAL_ERROR;
            }

            portal_multipart_unquote(&value);
            *filename = value;
            *has_filename = 1;
        }
    }

    return PORTAL_OK;
}


/* The next "; name=value" or "; name="value"". */

static int
portal_multipart_param(const unsigned char **pp, const unsigned char *last,
    portal_str_t *name, portal_str_t *value)
{
    const unsigned char  *p, *start;

    p = *pp;

    while (p < last && (*p == ';' || *p == ' ' || *p == '\t')) {
        p++;
    }

    start = p;

    while (p < last && *p != '=' && *p != ';') {
        p++;
    }

    if (p == last || *p != '=') {
        return PORTAL_DECLINED;
    }

    name->data = (unsigned char *) start;
    name->len = (size_t) (p - start);
    p++;

    if (p < last && *p == '"') {
        start = ++p;

        while (p < last && *p != '"') {
            p += (*p == '\\' && last - p > 1 && (p[1] == '"' || p[1] == '\\'))
                 ? 2 : 1;
        }

        if (p >= last) {
            return PORTAL_DECLINED;
        }

        value->data = (unsigned char *) start;
        value->len = (size_t) (p - start);
        *pp = p + 1;

        return PORTAL_OK;
    }

    start = p;

    while (p < last && *p != ';' && *p != ' ') {
        p++;
    }

    value->data = (unsigned char *) start;
    value->len = (size_t) (p - start);
    *pp = p;

    return PORTAL_OK;
}


/*
 * In place: browsers write a quote as %22 and CR, LF as %0D, %0A (WHATWG),
 * older ones put a backslash before the quote.
 */

static void
portal_multipart_unquote(portal_str_t *value)
{
    size_t          i, n;
    unsigned char  *p;

    p = value->data;
    n = 0;

    for (i = 0; i < value->len; i++) {

        if (p[i] == '\\' && i + 1 < value->len
            && (p[i + 1] == '"' || p[i + 1] == '\\'))
        {
            i++;

        } else if (p[i] == '%' && i + 2 < value->len
                   && memcmp(p + i, "%22", 3) == 0)
        {
            p[n++] = '"';
            i += 2;
            continue;
        }

        p[n++] = p[i];
    }

    value->len = n;
}


int
portal_multipart_finish(portal_multipart_t *mp)
{
    return mp->state == portal_multipart_done ? PORTAL_OK : PORTAL_ERROR;
}
