
/*
 * Copyright (C) the nginx client portal authors
 *
 * Reading the text of a template (see portal_template.h): one pass that finds
 * tags and the lines they stand alone on.
 */


#include <stdio.h>
#include "portal_template_code.h"


static int portal_compile_plain(portal_compile_t *c,
    const unsigned char *end);
static int portal_compile_emit(portal_compile_t *c, const unsigned char *p,
    const unsigned char *last);
static portal_str_t portal_compile_trim(const unsigned char *p,
    const unsigned char *last);
static int portal_compile_sigil(unsigned char ch);
static int portal_compile_tag(portal_compile_t *c);
static int portal_compile_end(portal_compile_t *c, unsigned char sigil,
    portal_str_t *s);
static int portal_compile_standalone(portal_compile_t *c,
    unsigned char sigil, portal_str_t *indent);
static int portal_compile_delimiters(portal_compile_t *c,
    const portal_str_t *s);


int
portal_compile_fail(portal_compile_t *c, const char *what,
    const portal_str_t *name)
{
    if (c->err->file.len == 0) {
        c->err->file = c->t->file.len ? c->t->file : c->t->name;
        c->err->line = c->tag;
    }

    if (what) {
        if (name) {
            snprintf(c->err->text, sizeof(c->err->text), "%s \"%.*s\"", what,
                     (int) name->len, name->data);

        } else {
            snprintf(c->err->text, sizeof(c->err->text), "%s", what);
        }
    }

    return PORTAL_ERROR;
}


portal_op_t *
portal_compile_op(portal_compile_t *c, portal_op_e type)
{
    size_t              size;
    portal_op_t        *ops;
    portal_template_t  *t;

    t = c->t;

    if (t->nops == t->size) {
        size = t->size ? t->size * 2 : 32;

        ops = portal_calloc(c->set->arena, size, sizeof(portal_op_t));

        if (ops == NULL) {
            (void) portal_compile_fail(c, "no memory", NULL);
            return NULL;
        }

        if (t->nops) {
            memcpy(ops, t->ops, t->nops * sizeof(portal_op_t));
        }

        t->ops = ops;
        t->size = size;
    }

    ops = &t->ops[t->nops++];
    memset(ops, 0, sizeof(portal_op_t));

    ops->type = type;
    ops->line = c->tag;
    ops->end = t->nops;

    return ops;
}


int
portal_compile_text(portal_compile_t *c)
{
    const unsigned char  *p;

    while (c->p < c->last) {

        for (p = c->p; (size_t) (c->last - p) >= c->nopen; p++) {
            if (*p == c->open[0] && memcmp(p, c->open, c->nopen) == 0) {
                break;
            }
        }

        if ((size_t) (c->last - p) < c->nopen) {
            p = c->last;
        }

        if (p > c->p && portal_compile_plain(c, p) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        if (p < c->last && portal_compile_tag(c) != PORTAL_OK) {
            return PORTAL_ERROR;
        }
    }

    if (c->depth) {
        c->tag = c->stack[c->depth - 1].line;
        return portal_compile_fail(c, "unclosed section",
                                    &c->stack[c->depth - 1].name);
    }

    return PORTAL_OK;
}


/* Text up to end, line by line: a line may lose a block's indentation. */

static int
portal_compile_plain(portal_compile_t *c, const unsigned char *end)
{
    size_t                n;
    const unsigned char  *p, *next;

    while (c->p < end) {
        p = c->p;
        next = memchr(p, '\n', (size_t) (end - p));
        next = next ? next + 1 : end;

        if (p == c->begin && c->dedent.len) {

            for (n = 0; n < c->dedent.len && p < next
                        && (*p == ' ' || *p == '\t'); n++)
            {
                p++;
            }
        }

        if (portal_compile_emit(c, p, next) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        for (p = c->p; p < next; p++) {
            if (*p == '\n') {
                c->line++;
                c->begin = p + 1;
                c->plain = 1;
                c->frame = 1;

            } else if (*p != ' ' && *p != '\t' && *p != '\r') {
                c->plain = 0;
                c->frame = 0;
            }
        }

        c->p = next;
    }

    return PORTAL_OK;
}


static int
portal_compile_emit(portal_compile_t *c, const unsigned char *p,
    const unsigned char *last)
{
    portal_op_t  *op;

    if (p == last) {
        return PORTAL_OK;
    }

    /* text that follows text in memory is one op */

    if (c->t->nops
        && (c->depth == 0 || c->t->nops - 1 > c->stack[c->depth - 1].op))
    {
        op = &c->t->ops[c->t->nops - 1];

        if (op->type == portal_op_text && op->text.data + op->text.len == p
            && op->text.len && p[-1] != '\n')
        {
            op->text.len += (size_t) (last - p);
            return PORTAL_OK;
        }
    }

    op = portal_compile_op(c, portal_op_text);

    if (op == NULL) {
        return PORTAL_ERROR;
    }

    op->text.data = (unsigned char *) p;
    op->text.len = (size_t) (last - p);

    return PORTAL_OK;
}


static portal_str_t
portal_compile_trim(const unsigned char *p, const unsigned char *last)
{
    portal_str_t  s;

    while (p < last && (*p == ' ' || *p == '\t' || *p == '\n'
                        || *p == '\r'))
    {
        p++;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t'
                        || last[-1] == '\n' || last[-1] == '\r'))
    {
        last--;
    }

    s.data = (unsigned char *) p;
    s.len = (size_t) (last - p);

    return s;
}


static int
portal_compile_sigil(unsigned char ch)
{
    return ch && memchr("#^/!>=&{<$@", ch, 11) != NULL;
}


static int
portal_compile_tag(portal_compile_t *c)
{
    int                   alone;
    unsigned char         sigil;
    portal_str_t          s, indent;
    const unsigned char  *p;

    for (p = c->p + c->nopen; p < c->last && (*p == ' ' || *p == '\t'); p++)
    {
        /* void */
    }

    sigil = p < c->last && portal_compile_sigil(*p) ? *p++ : 0;

    s.data = (unsigned char *) p;
    c->tag = c->line;

    if (portal_compile_end(c, sigil, &s) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    memset(&indent, 0, sizeof(portal_str_t));

    alone = (sigil && sigil != '{' && sigil != '&' && sigil != '@')
            ? portal_compile_standalone(c, sigil, &indent) : 0;

    if (!alone) {
        c->plain = 0;

        /* tags of inheritance leave what the line is open */

        if (sigil != '<' && sigil != '$' && sigil != '/') {
            c->frame = 0;
            indent.len = 0;
        }
    }

    switch (sigil) {

    case '!':
        return PORTAL_OK;

    case '=':
        return portal_compile_delimiters(c, &s);

    case '#':
    case '^':
    case '<':
    case '$':
        return portal_compile_open(c, sigil, &s, &indent, alone);

    case '/':
        return portal_compile_close(c, &s, alone);

    case '>':
        return portal_compile_partial(c, &s, &indent);

    case '@':
        return portal_compile_word(c, &s, 0);

    case '{':
    case '&':

        if (s.len && s.data[0] == '@') {
            s = portal_compile_trim(s.data + 1, s.data + s.len);
            return portal_compile_word(c, &s, 1);
        }

        return portal_compile_value(c, &s, 1);

    default:
        return portal_compile_value(c, &s, 0);
    }
}


/* From s->data to the end of the tag; c->p is behind it then. */

static int
portal_compile_end(portal_compile_t *c, unsigned char sigil, portal_str_t *s)
{
    size_t                n;
    unsigned char         close[sizeof(c->close) + 1];
    const unsigned char  *end;

    n = 0;

    if (sigil == '{' || sigil == '=') {
        close[n++] = sigil == '{' ? '}' : '=';
    }

    memcpy(close + n, c->close, c->nclose);
    n += c->nclose;

    for (end = s->data; (size_t) (c->last - end) >= n; end++) {
        if (*end == close[0] && memcmp(end, close, n) == 0) {
            break;
        }
    }

    if ((size_t) (c->last - end) < n) {
        return portal_compile_fail(c, "unclosed tag", NULL);
    }

    *s = portal_compile_trim(s->data, end);

    for ( /* void */ ; c->p < end; c->p++) {
        c->line += (*c->p == '\n');
    }

    c->p = end + n;
    c->tag = c->line;

    return PORTAL_OK;
}


/*
 * A tag alone on its line takes the line away: white space before it, and
 * the end of the line behind.  Called with c->p behind the tag.
 */

static int
portal_compile_standalone(portal_compile_t *c, unsigned char sigil,
    portal_str_t *indent)
{
    unsigned              inherits;
    portal_op_t          *op;
    const unsigned char  *p, *q;

    inherits = (sigil == '<' || sigil == '$' || sigil == '/');

    if (!c->plain && !(inherits && c->frame)) {
        return 0;
    }

    for (p = c->p; p < c->last && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    if (p < c->last && *p == '\r' && p + 1 < c->last && p[1] == '\n') {
        p++;
    }

    for (q = c->begin; q < c->last && (*q == ' ' || *q == '\t'); q++) {
        /* void */
    }

    indent->data = (unsigned char *) c->begin;
    indent->len = (size_t) (q - c->begin);
    indent->len = indent->len > c->dedent.len ? indent->len - c->dedent.len
                                              : 0;

    if (p < c->last && *p != '\n') {
        return 0;
    }

    if (c->plain && c->t->nops) {
        op = &c->t->ops[c->t->nops - 1];

        if (op->type == portal_op_text && op->text.len
            && op->text.data >= c->begin && op->text.data < c->p)
        {
            op->text.len = 0;
        }
    }

    if (p < c->last) {
        p++;
        c->line++;
    }

    c->p = p;
    c->begin = p;
    c->plain = 1;
    c->frame = 1;

    return 1;
}


static int
portal_compile_delimiters(portal_compile_t *c, const portal_str_t *s)
{
    portal_str_t          close;
    const unsigned char  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last && *p != ' ' && *p != '\t' && *p != '\n';
         p++)
    {
        /* void */
    }

    close = portal_compile_trim(p, last);

    if (p == s->data || close.len == 0 || p - s->data > 15 || close.len > 15)
    {
        return portal_compile_fail(c, "invalid delimiters", s);
    }

    c->nopen = (size_t) (p - s->data);
    memcpy(c->open, s->data, c->nopen);
    c->nclose = close.len;
    memcpy(c->close, close.data, close.len);

    return PORTAL_OK;
}
