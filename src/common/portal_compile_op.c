
/*
 * Copyright (C) the nginx client portal authors
 *
 * What each tag of a template becomes: ops of its flat code.
 */


#include <stdio.h>
#include "portal_template_code.h"


static int portal_compile_parent(portal_compile_t *c, size_t at,
    const portal_str_t *name);
static void portal_compile_dedent(portal_compile_t *c, portal_op_t *op);
static portal_expr_t *portal_compile_name(portal_compile_t *c,
    const portal_str_t *s);
static void portal_compile_pair(portal_compile_t *c,
    const portal_open_t *open);
static int portal_compile_asset(portal_compile_t *c, portal_op_t *op);


int
portal_compile_open(portal_compile_t *c, unsigned char sigil,
    const portal_str_t *name, const portal_str_t *indent, int alone)
{
    size_t          at;
    portal_op_t    *op;
    portal_open_t  *open;

    if (c->depth == PORTAL_TEMPLATE_NEST) {
        return portal_compile_fail(c, "sections nest too deeply at", name);
    }

    if (name->len == 0) {
        return portal_compile_fail(c, "empty name", NULL);
    }

    op = portal_compile_op(c, sigil == '#' ? portal_op_section
                              : sigil == '^' ? portal_op_inverted
                              : sigil == '<' ? portal_op_parent
                              : portal_op_block);
    if (op == NULL) {
        return PORTAL_ERROR;
    }

    at = c->t->nops - 1;
    op->text = *name;
    op->indent = *indent;

    if (sigil == '#' || sigil == '^') {
        op->expr = portal_compile_name(c, name);

        if (op->expr == NULL) {
            return PORTAL_ERROR;
        }

    } else if (sigil == '<'
               && portal_compile_parent(c, at, name) != PORTAL_OK)
    {
        return PORTAL_ERROR;
    }

    open = &c->stack[c->depth++];
    open->op = at;
    open->name = *name;
    open->line = c->tag;
    open->dedent = c->dedent;
    open->begin = c->begin;
    open->alone = alone != 0;

    if (sigil == '$' && alone) {
        portal_compile_dedent(c, &c->t->ops[at]);
    }

    return PORTAL_OK;
}


static int
portal_compile_parent(portal_compile_t *c, size_t at,
    const portal_str_t *name)
{
    portal_template_t  *parent;

    parent = portal_template_get(c->set, name, c->err);

    if (parent == NULL) {
        return portal_compile_fail(c, NULL, NULL);
    }

    c->t->ops[at].template = parent;

    return PORTAL_OK;
}


/*
 * What stands in the block loses the indentation of its first line and gets
 * that of the place where it is put.
 */

static void
portal_compile_dedent(portal_compile_t *c, portal_op_t *op)
{
    size_t                len;
    const unsigned char  *p;

    for (p = c->p; p < c->last && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    if ((size_t) (c->last - p) > c->nopen
        && memcmp(p, c->open, c->nopen) == 0 && p[c->nopen] == '/')
    {
        return;
    }

    len = c->dedent.len;

    c->dedent.data = (unsigned char *) c->p;
    c->dedent.len = (size_t) (p - c->p);

    if (c->dedent.len > len) {
        op->indent.data = c->dedent.data;
        op->indent.len = c->dedent.len - len;
    }
}


/* A name without pipes: a section asks for what is there. */

static portal_expr_t *
portal_compile_name(portal_compile_t *c, const portal_str_t *s)
{
    portal_expr_t  *expr;

    expr = portal_expr_compile(c->set->arena, s, c->err);

    if (expr == NULL) {
        (void) portal_compile_fail(c, NULL, NULL);
        return NULL;
    }

    if (expr->pipes || expr->literal.data) {
        (void) portal_compile_fail(c, "not a name", s);
        return NULL;
    }

    return expr;
}


int
portal_compile_close(portal_compile_t *c, const portal_str_t *name,
    int alone)
{
    portal_op_t    *op;
    portal_open_t  *open;

    if (c->depth == 0) {
        return portal_compile_fail(c, "nothing to close by", name);
    }

    open = &c->stack[--c->depth];

    if (open->name.len != name->len
        || memcmp(open->name.data, name->data, name->len) != 0)
    {
        return portal_compile_fail(c, "another section is open than", name);
    }

    op = &c->t->ops[open->op];

    op->end = c->t->nops;
    op->lines = (op->type == portal_op_block && alone && c->p[-1] == '\n');

    c->dedent = open->dedent;

    if (!open->alone) {
        if (alone) {
            portal_compile_pair(c, open);

        } else {
            op->indent.len = 0;
        }
    }

    return PORTAL_OK;
}


/* Two tags alone on their line: what stands before is indentation. */

static void
portal_compile_pair(portal_compile_t *c, const portal_open_t *open)
{
    size_t        i;
    portal_op_t  *op;

    if (open->op == 0) {
        return;
    }

    op = &c->t->ops[open->op - 1];

    if (op->type != portal_op_text
        || op->text.data != open->begin + open->dedent.len)
    {
        return;
    }

    for (i = 0; i < op->text.len; i++) {
        if (op->text.data[i] != ' ' && op->text.data[i] != '\t') {
            return;
        }
    }

    op->text.len = 0;
}


int
portal_compile_value(portal_compile_t *c, const portal_str_t *s,
    unsigned raw)
{
    portal_op_t    *op;
    portal_expr_t  *expr;

    expr = portal_expr_compile(c->set->arena, s, c->err);

    if (expr == NULL) {
        return portal_compile_fail(c, NULL, NULL);
    }

    op = portal_compile_op(c, portal_op_name);

    if (op == NULL) {
        return PORTAL_ERROR;
    }

    if (portal_template_keys(c->set, expr, c->err) != PORTAL_OK) {
        return portal_compile_fail(c, NULL, NULL);
    }

    op->expr = expr;
    op->raw = raw;

    if (expr->pipes && expr->pipes->type == portal_to_asset) {
        return portal_compile_asset(c, op);
    }

    return PORTAL_OK;
}


/* The address of an asset is known now: plain text from here on. */

static int
portal_compile_asset(portal_compile_t *c, portal_op_t *op)
{
    portal_str_t   url;
    portal_expr_t *expr;

    expr = op->expr;

    if (expr->literal.data == NULL || expr->pipes->next) {
        return portal_compile_fail(c, "pipe \"asset\" needs a literal and "
                                    "stands alone", NULL);
    }

    if (c->set->asset == NULL
        || c->set->asset(c->set->ctx, &expr->literal, &url) != PORTAL_OK)
    {
        return portal_compile_fail(c, "missing asset", &expr->literal);
    }

    op->type = portal_op_text;
    op->text = url;

    return PORTAL_OK;
}


int
portal_compile_word(portal_compile_t *c, const portal_str_t *key,
    unsigned raw)
{
    size_t        i;
    portal_op_t  *op;

    op = portal_compile_op(c, portal_op_word);

    if (op == NULL) {
        return PORTAL_ERROR;
    }

    op->text = *key;
    op->raw = raw;

    for (i = 0; i < c->set->nlocales; i++) {
        op->words[i] = portal_locale_get(c->set->locales[i], key);

        if (op->words[i] == NULL) {
            snprintf(c->err->text, sizeof(c->err->text),
                     "missing word \"%.*s\" in locale \"%.*s\"",
                     (int) key->len, key->data,
                     (int) c->set->locales[i]->code.len,
                     c->set->locales[i]->code.data);
            return portal_compile_fail(c, NULL, NULL);
        }
    }

    return PORTAL_OK;
}


int
portal_compile_partial(portal_compile_t *c, const portal_str_t *name,
    const portal_str_t *indent)
{
    size_t              at;
    portal_op_t        *op;
    portal_str_t        expr;
    portal_template_t  *partial;

    if (name->len == 0) {
        return portal_compile_fail(c, "empty name", NULL);
    }

    op = portal_compile_op(c, name->data[0] == '*' ? portal_op_dynamic
                                                    : portal_op_partial);
    if (op == NULL) {
        return PORTAL_ERROR;
    }

    at = c->t->nops - 1;
    op->text = *name;
    op->indent = *indent;

    if (op->type == portal_op_dynamic) {
        expr.data = name->data + 1;
        expr.len = name->len - 1;
        op->expr = portal_compile_name(c, &expr);

        return op->expr ? PORTAL_OK : PORTAL_ERROR;
    }

    partial = portal_template_get(c->set, name, c->err);

    if (partial == NULL) {
        return portal_compile_fail(c, NULL, NULL);
    }

    c->t->ops[at].template = partial;

    return PORTAL_OK;
}
