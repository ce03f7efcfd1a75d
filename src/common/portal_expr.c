
/*
 * Copyright (C) the nginx client portal authors
 *
 * Expressions of templates and words (see portal_expr.h).
 */


#include <stdio.h>
#include "portal_expr.h"


static portal_str_t portal_expr_trim(const unsigned char *p,
    const unsigned char *last);
static int portal_expr_name(portal_arena_t *arena, portal_expr_t *expr,
    const portal_str_t *name, portal_error_t *err);
static portal_pipe_t *portal_expr_pipe(portal_arena_t *arena,
    const portal_str_t *s, portal_error_t *err);
static int portal_expr_pipe_fail(portal_error_t *err, unsigned type,
    const char *what);
static int portal_expr_arg(unsigned type, const portal_str_t *arg, int given,
    portal_error_t *err);
static int portal_expr_order(const portal_expr_t *expr, portal_error_t *err);
static const unsigned char *portal_expr_bar(const unsigned char *p,
    const unsigned char *last);


static const char  *portal_pipe_names[] = {
    "date", "fulldate", "month", "time", "datetime", "size", "money",
    "number", "plural", "t", "asset", "url", "json", "initials", NULL
};


static portal_str_t
portal_expr_trim(const unsigned char *p, const unsigned char *last)
{
    portal_str_t  s;

    while (p < last && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t'
                        || last[-1] == '\n'))
    {
        last--;
    }

    s.data = (unsigned char *) p;
    s.len = (size_t) (last - p);

    return s;
}


/* The next bar outside quotes, or last. */

static const unsigned char *
portal_expr_bar(const unsigned char *p, const unsigned char *last)
{
    unsigned  quoted;

    for (quoted = 0; p < last && (quoted || *p != '|'); p++) {
        if (*p == '"') {
            quoted = !quoted;
        }
    }

    return p;
}


portal_expr_t *
portal_expr_compile(portal_arena_t *arena, const portal_str_t *s,
    portal_error_t *err)
{
    portal_str_t          part;
    portal_pipe_t       **link;
    portal_expr_t        *expr;
    const unsigned char  *p, *last, *end;

    expr = portal_calloc(arena, 1, sizeof(portal_expr_t));
    if (expr == NULL) {
        snprintf(err->text, sizeof(err->text), "no memory");
        return NULL;
    }

    p = s->data;
    last = p + s->len;
    link = &expr->pipes;

    end = portal_expr_bar(p, last);
    part = portal_expr_trim(p, end);

    if (portal_expr_name(arena, expr, &part, err) != PORTAL_OK) {
        return NULL;
    }

    while (end < last) {
        p = end + 1;
        end = portal_expr_bar(p, last);
        part = portal_expr_trim(p, end);

        *link = portal_expr_pipe(arena, &part, err);

        if (*link == NULL) {
            return NULL;
        }

        link = &(*link)->next;
    }

    return portal_expr_order(expr, err) == PORTAL_OK ? expr : NULL;
}


/* What these give is no text that another pipe could read. */

static int
portal_expr_order(const portal_expr_t *expr, portal_error_t *err)
{
    const portal_pipe_t  *pipe;

    for (pipe = expr->pipes; pipe; pipe = pipe->next) {

        switch (pipe->type) {

        case portal_to_plural:
        case portal_to_t:
        case portal_to_asset:
        case portal_to_url:
        case portal_to_json:

            if (pipe->next) {
                return portal_expr_pipe_fail(err, pipe->type,
                                             "must be the last");
            }

            break;

        default:
            break;
        }
    }

    return PORTAL_OK;
}


static int
portal_expr_name(portal_arena_t *arena, portal_expr_t *expr,
    const portal_str_t *name, portal_error_t *err)
{
    size_t                i, n;
    const unsigned char  *p, *last, *dot;

    if (name->len == 0) {
        snprintf(err->text, sizeof(err->text), "empty name");
        return PORTAL_ERROR;
    }

    if (name->data[0] == '"') {

        if (name->len < 2 || name->data[name->len - 1] != '"') {
            snprintf(err->text, sizeof(err->text), "unclosed literal");
            return PORTAL_ERROR;
        }

        expr->literal.data = name->data + 1;
        expr->literal.len = name->len - 2;

        return PORTAL_OK;
    }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= ' ' || name->data[i] == '"'
            || name->data[i] == '{' || name->data[i] == '}')
        {
            snprintf(err->text, sizeof(err->text), "invalid name \"%.*s\"",
                     (int) name->len, name->data);
            return PORTAL_ERROR;
        }
    }

    if (name->len == 1 && name->data[0] == '.') {
        return PORTAL_OK;
    }

    for (i = 0, n = 1; i < name->len; i++) {
        n += (name->data[i] == '.');
    }

    expr->parts = portal_calloc(arena, n, sizeof(portal_str_t));

    if (expr->parts == NULL) {
        snprintf(err->text, sizeof(err->text), "no memory");
        return PORTAL_ERROR;
    }

    p = name->data;
    last = p + name->len;

    for ( ;; ) {
        dot = memchr(p, '.', (size_t) (last - p));
        dot = dot ? dot : last;

        if (dot == p) {
            snprintf(err->text, sizeof(err->text), "empty part in \"%.*s\"",
                     (int) name->len, name->data);
            return PORTAL_ERROR;
        }

        expr->parts[expr->nparts].data = (unsigned char *) p;
        expr->parts[expr->nparts++].len = (size_t) (dot - p);

        if (dot == last) {
            return PORTAL_OK;
        }

        p = dot + 1;
    }
}


static portal_pipe_t *
portal_expr_pipe(portal_arena_t *arena, const portal_str_t *s,
    portal_error_t *err)
{
    size_t                len;
    unsigned              i;
    portal_str_t          arg;
    portal_pipe_t        *pipe;
    const unsigned char  *colon;

    colon = s->len ? memchr(s->data, ':', s->len) : NULL;
    len = colon ? (size_t) (colon - s->data) : s->len;

    for (i = 0; portal_pipe_names[i]; i++) {
        if (strlen(portal_pipe_names[i]) == len
            && memcmp(portal_pipe_names[i], s->data, len) == 0)
        {
            break;
        }
    }

    if (portal_pipe_names[i] == NULL) {
        snprintf(err->text, sizeof(err->text), "unknown pipe \"%.*s\"",
                 (int) len, s->data);
        return NULL;
    }

    memset(&arg, 0, sizeof(portal_str_t));

    if (colon) {
        arg.data = (unsigned char *) colon + 1;
        arg.len = s->len - len - 1;
    }

    if (portal_expr_arg(i, &arg, colon != NULL, err) != PORTAL_OK) {
        return NULL;
    }

    pipe = portal_calloc(arena, 1, sizeof(portal_pipe_t));

    if (pipe == NULL) {
        snprintf(err->text, sizeof(err->text), "no memory");
        return NULL;
    }

    pipe->type = i;
    pipe->arg = arg;

    return pipe;
}


static int
portal_expr_pipe_fail(portal_error_t *err, unsigned type, const char *what)
{
    snprintf(err->text, sizeof(err->text), "pipe \"%s\" %s",
             portal_pipe_names[type], what);

    return PORTAL_ERROR;
}


static int
portal_expr_arg(unsigned type, const portal_str_t *arg, int given,
    portal_error_t *err)
{
    size_t  i;

    switch (type) {

    case portal_to_plural:
        return arg->len ? PORTAL_OK
                        : portal_expr_pipe_fail(err, type, "needs a key");

    case portal_to_t:
        return PORTAL_OK;

    case portal_to_money:

        for (i = 0; i < arg->len; i++) {
            if (arg->data[i] < 'A' || arg->data[i] > 'Z') {
                break;
            }
        }

        if (given && (i != 3 || arg->len != 3)) {
            return portal_expr_pipe_fail(err, type, "needs the code of a "
                                         "currency, EUR");
        }

        return PORTAL_OK;

    default:
        return !given ? PORTAL_OK
                      : portal_expr_pipe_fail(err, type, "takes no argument");
    }
}
