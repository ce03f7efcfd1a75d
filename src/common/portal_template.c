
/*
 * Copyright (C) the nginx client portal authors
 *
 * Compiling templates (see portal_template.h).  One pass over the text; a
 * template is in its set before its text is read, so that it may name
 * itself, and partials are bound by pointer.
 */


#include <stdio.h>
#include "portal_template_code.h"


#define PORTAL_TEMPLATE_NEST  32


typedef struct {
    size_t                 op;           /* PORTAL_OP… that is open */
    portal_str_t           name;
    unsigned               line;
    portal_str_t           dedent;       /* before it */
    const unsigned char   *begin;        /* of its line */
    unsigned               alone:1;
} portal_open_t;


typedef struct {
    portal_template_set_t *set;
    portal_template_t     *t;
    portal_error_t        *err;
    const unsigned char   *text;
    const unsigned char   *p;
    const unsigned char   *last;
    unsigned               line;

    unsigned char          open[16];     /* delimiters */
    unsigned char          close[16];
    size_t                 nopen;
    size_t                 nclose;

    portal_open_t          stack[PORTAL_TEMPLATE_NEST];
    size_t                 depth;
    portal_str_t           dedent;       /* of the block around */

    const unsigned char   *begin;        /* of the line */
    unsigned               plain:1;      /* white space only so far */
    unsigned               frame:1;      /* or tags of inheritance */
} portal_compile_t;


static portal_template_t *portal_template_load(portal_template_set_t *set,
    const portal_str_t *name, portal_error_t *err);
static int portal_template_text(portal_compile_t *c);
static int portal_template_fail(portal_compile_t *c, const char *what,
    const portal_str_t *name);
static portal_op_t *portal_template_op(portal_compile_t *c,
    portal_op_e type);
static int portal_template_plain(portal_compile_t *c,
    const unsigned char *end);
static int portal_template_emit(portal_compile_t *c, const unsigned char *p,
    const unsigned char *last);
static int portal_template_tag(portal_compile_t *c);
static int portal_template_delimiters(portal_compile_t *c,
    const portal_str_t *s);
static int portal_template_standalone(portal_compile_t *c,
    unsigned char sigil, portal_str_t *indent);
static int portal_template_open(portal_compile_t *c, unsigned char sigil,
    const portal_str_t *name, const portal_str_t *indent, int alone);
static int portal_template_close(portal_compile_t *c,
    const portal_str_t *name, int alone);
static void portal_template_pair(portal_compile_t *c,
    const portal_open_t *open);
static int portal_template_value(portal_compile_t *c, const portal_str_t *s,
    unsigned raw);
static int portal_template_word(portal_compile_t *c, const portal_str_t *key,
    unsigned raw);
static int portal_template_partial(portal_compile_t *c,
    const portal_str_t *name, const portal_str_t *indent);
static int portal_template_asset(portal_compile_t *c, portal_op_t *op);
static int portal_template_keys(portal_compile_t *c, portal_expr_t *expr);
static portal_str_t portal_template_trim(const unsigned char *p,
    const unsigned char *last);
static int portal_template_sigil(unsigned char c);


portal_template_set_t *
portal_template_set_create(portal_arena_t *arena,
    portal_template_load_pt load, portal_template_asset_pt asset, void *ctx,
    portal_locale_t **locales, size_t nlocales)
{
    size_t                  i;
    portal_template_set_t  *set;

    set = portal_calloc(arena, 1, sizeof(portal_template_set_t));

    if (set == NULL || nlocales > PORTAL_TEMPLATE_LOCALES) {
        return NULL;
    }

    set->arena = arena;
    set->load = load;
    set->asset = asset;
    set->ctx = ctx;
    set->nlocales = nlocales;

    for (i = 0; i < nlocales; i++) {
        set->locales[i] = locales[i];
    }

    return set;
}


void
portal_template_set_lenient(portal_template_set_t *set)
{
    set->lenient = 1;
}


portal_template_t *
portal_template_get(portal_template_set_t *set, const portal_str_t *name,
    portal_error_t *err)
{
    portal_template_t  *t;

    for (t = set->first; t; t = t->next) {
        if (t->name.len == name->len
            && memcmp(t->name.data, name->data, name->len) == 0)
        {
            return t;
        }
    }

    return portal_template_load(set, name, err);
}


static portal_template_t *
portal_template_load(portal_template_set_t *set, const portal_str_t *name,
    portal_error_t *err)
{
    int                 rc;
    portal_str_t        text, file;
    portal_compile_t    c;
    portal_template_t  *t;

    memset(&file, 0, sizeof(portal_str_t));

    rc = set->load(set->ctx, name, &text, &file);

    if (rc == PORTAL_ERROR || (rc != PORTAL_OK && !set->lenient)) {
        if (err->text[0] == '\0') {
            snprintf(err->text, sizeof(err->text),
                     "template \"%.*s\" not found", (int) name->len,
                     name->data);
        }

        return NULL;
    }

    t = portal_calloc(set->arena, 1, sizeof(portal_template_t));

    if (t == NULL
        || portal_str_dup(set->arena, &t->name, name) != PORTAL_OK)
    {
        snprintf(err->text, sizeof(err->text), "no memory");
        return NULL;
    }

    t->set = set;
    t->file = file;
    t->next = set->first;
    set->first = t;

    if (rc != PORTAL_OK) {
        t->empty = 1;
        return t;
    }

    memset(&c, 0, sizeof(portal_compile_t));

    c.set = set;
    c.t = t;
    c.err = err;
    c.text = text.data;
    c.p = text.data;
    c.begin = c.p;
    c.last = text.data + text.len;
    c.line = 1;
    c.plain = 1;
    c.frame = 1;

    memcpy(c.open, "{{", 2);
    memcpy(c.close, "}}", 2);
    c.nopen = 2;
    c.nclose = 2;

    return portal_template_text(&c) == PORTAL_OK ? t : NULL;
}


static int
portal_template_fail(portal_compile_t *c, const char *what,
    const portal_str_t *name)
{
    if (c->err->file.len == 0) {
        c->err->file = c->t->file.len ? c->t->file : c->t->name;
        c->err->line = c->line;
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


static portal_op_t *
portal_template_op(portal_compile_t *c, portal_op_e type)
{
    size_t              size;
    portal_op_t        *ops;
    portal_template_t  *t;

    t = c->t;

    if (t->nops == t->size) {
        size = t->size ? t->size * 2 : 32;

        ops = portal_calloc(c->set->arena, size, sizeof(portal_op_t));

        if (ops == NULL) {
            (void) portal_template_fail(c, "no memory", NULL);
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
    ops->line = c->line;
    ops->end = t->nops;

    return ops;
}


static int
portal_template_text(portal_compile_t *c)
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

        if (p > c->p && portal_template_plain(c, p) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        if (p < c->last && portal_template_tag(c) != PORTAL_OK) {
            return PORTAL_ERROR;
        }
    }

    if (c->depth) {
        c->line = c->stack[c->depth - 1].line;
        return portal_template_fail(c, "unclosed section",
                                    &c->stack[c->depth - 1].name);
    }

    return PORTAL_OK;
}


/* Text up to end, line by line: a line may lose a block's indentation. */

static int
portal_template_plain(portal_compile_t *c, const unsigned char *end)
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

        if (portal_template_emit(c, p, next) != PORTAL_OK) {
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
portal_template_emit(portal_compile_t *c, const unsigned char *p,
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

    op = portal_template_op(c, portal_op_text);

    if (op == NULL) {
        return PORTAL_ERROR;
    }

    op->text.data = (unsigned char *) p;
    op->text.len = (size_t) (last - p);

    return PORTAL_OK;
}


static portal_str_t
portal_template_trim(const unsigned char *p, const unsigned char *last)
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
portal_template_sigil(unsigned char ch)
{
    return ch && memchr("#^/!>=&{<$@", ch, 11) != NULL;
}


static int
portal_template_tag(portal_compile_t *c)
{
    int                   alone;
    unsigned char         sigil, close[20];
    size_t                nclose;
    portal_str_t          s, indent, key;
    const unsigned char  *p, *end, *tag;

    tag = c->p;
    p = c->p + c->nopen;

    /* tags of inheritance keep the line's state, others end it */

    while (p < c->last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    sigil = p < c->last && portal_template_sigil(*p) ? *p++ : 0;

    memcpy(close, c->close, c->nclose);
    nclose = c->nclose;

    if (sigil == '{' || sigil == '=') {
        memmove(close + 1, close, nclose);
        close[0] = sigil == '{' ? '}' : '=';
        nclose++;
    }

    for (end = p; (size_t) (c->last - end) >= nclose; end++) {
        if (memcmp(end, close, nclose) == 0) {
            break;
        }
    }

    if ((size_t) (c->last - end) < nclose) {
        return portal_template_fail(c, "unclosed tag", NULL);
    }

    s = portal_template_trim(p, end);

    /* {{{@key}}}: the sigil is inside */

    for ( /* void */ ; tag < end; tag++) {
        c->line += (*tag == '\n');
    }

    c->p = end + nclose;

    memset(&indent, 0, sizeof(portal_str_t));
    alone = (sigil && sigil != '{' && sigil != '&' && sigil != '@')
            ? portal_template_standalone(c, sigil, &indent) : 0;

    if (!alone) {
        c->plain = 0;

        if (sigil == '>') {
            indent.len = 0;
        }

        if (sigil != '<' && sigil != '$' && sigil != '/') {
            c->frame = 0;
        }
    }

    switch (sigil) {

    case '!':
        return PORTAL_OK;

    case '=':
        return portal_template_delimiters(c, &s);

    case '#':
    case '^':
    case '<':
    case '$':
        return portal_template_open(c, sigil, &s, &indent, alone);

    case '/':
        return portal_template_close(c, &s, alone);

    case '>':
        return portal_template_partial(c, &s, &indent);

    case '@':
        return portal_template_word(c, &s, 0);

    case '{':
    case '&':

        if (s.len && s.data[0] == '@') {
            key = portal_template_trim(s.data + 1, s.data + s.len);
            return portal_template_word(c, &key, 1);
        }

        return portal_template_value(c, &s, 1);

    default:
        return portal_template_value(c, &s, 0);
    }
}


/*
 * A tag alone on its line takes the line away: white space before it, and
 * the end of the line behind.  Called with c->p behind the tag.
 */

static int
portal_template_standalone(portal_compile_t *c, unsigned char sigil,
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
portal_template_delimiters(portal_compile_t *c, const portal_str_t *s)
{
    portal_str_t          close;
    const unsigned char  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last && *p != ' ' && *p != '\t' && *p != '\n';
         p++)
    {
        /* void */
    }

    close = portal_template_trim(p, last);

    if (p == s->data || close.len == 0 || p - s->data > 15 || close.len > 15)
    {
        return portal_template_fail(c, "invalid delimiters", s);
    }

    c->nopen = (size_t) (p - s->data);
    memcpy(c->open, s->data, c->nopen);
    c->nclose = close.len;
    memcpy(c->close, close.data, close.len);

    return PORTAL_OK;
}


static int
portal_template_open(portal_compile_t *c, unsigned char sigil,
    const portal_str_t *name, const portal_str_t *indent, int alone)
{
    size_t                at;
    portal_op_t          *op;
    portal_open_t        *open;
    const unsigned char  *p;

    if (c->depth == PORTAL_TEMPLATE_NEST) {
        return portal_template_fail(c, "sections nest too deeply at", name);
    }

    if (name->len == 0) {
        return portal_template_fail(c, "empty name", NULL);
    }

    op = portal_template_op(c, sigil == '#' ? portal_op_section
                               : sigil == '^' ? portal_op_inverted
                               : sigil == '<' ? portal_op_parent
                               : portal_op_block);
    if (op == NULL) {
        return PORTAL_ERROR;
    }

    at = c->t->nops - 1;
    op->text = *name;
    op->indent = *indent;

    if (sigil == '<') {
        portal_template_t  *parent;

        parent = portal_template_get(c->set, name, c->err);

        if (parent == NULL) {
            return portal_template_fail(c, NULL, NULL);
        }

        op = &c->t->ops[at];
        op->template = parent;

    } else if (sigil != '$') {
        op->expr = portal_expr_compile(c->set->arena, name, c->err);

        if (op->expr == NULL) {
            return portal_template_fail(c, NULL, NULL);
        }
    }

    open = &c->stack[c->depth++];
    open->op = at;
    open->name = *name;
    open->line = c->line;
    open->dedent = c->dedent;
    open->begin = c->begin;
    open->alone = alone != 0;

    if (sigil == '$' && alone) {

        /*
         * What stands in the block loses the indentation of its first line
         * and gets that of the place where it is put.
         */

        for (p = c->p; p < c->last && (*p == ' ' || *p == '\t'); p++) {
            /* void */
        }

        if ((size_t) (c->last - p) < c->nopen + 1
            || memcmp(p, c->open, c->nopen) != 0 || p[c->nopen] != '/')
        {
            c->dedent.data = (unsigned char *) c->p;
            c->dedent.len = (size_t) (p - c->p);

            if (c->dedent.len > open->dedent.len) {
                op->indent.data = c->dedent.data;
                op->indent.len = c->dedent.len - open->dedent.len;
            }
        }
    }

    return PORTAL_OK;
}


static int
portal_template_close(portal_compile_t *c, const portal_str_t *name,
    int alone)
{
    portal_op_t    *op;
    portal_open_t  *open;

    if (c->depth == 0) {
        return portal_template_fail(c, "nothing to close by", name);
    }

    open = &c->stack[--c->depth];

    if (open->name.len != name->len
        || memcmp(open->name.data, name->data, name->len) != 0)
    {
        return portal_template_fail(c, "another section is open than", name);
    }

    op = &c->t->ops[open->op];

    op->end = c->t->nops;
    op->lines = (op->type == portal_op_block && alone);

    c->dedent = open->dedent;

    if (!open->alone) {
        if (alone) {
            portal_template_pair(c, open);

        } else {
            op->indent.len = 0;
        }
    }

    return PORTAL_OK;
}


/* Two tags alone on their line: what stands before is indentation. */

static void
portal_template_pair(portal_compile_t *c, const portal_open_t *open)
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


/* Keys of the pipes "plural" and literal "t" must be there in all locales. */

static int
portal_template_keys(portal_compile_t *c, portal_expr_t *expr)
{
    size_t                i;
    portal_str_t         *key;
    portal_pipe_t        *pipe;
    const portal_word_t  *word;

    for (pipe = expr->pipes; pipe; pipe = pipe->next) {

        key = pipe->type == portal_to_plural ? &pipe->arg
              : (pipe->type == portal_to_t && expr->literal.data
                 && pipe->arg.len == 0) ? &expr->literal
              : NULL;

        for (i = 0; key && i < c->set->nlocales; i++) {
            word = portal_locale_get(c->set->locales[i], key);

            if (word == NULL
                || (pipe->type == portal_to_plural && word->other == NULL))
            {
                return portal_template_fail(c, word
                                            ? "no plural for word"
                                            : "missing word", key);
            }
        }
    }

    return PORTAL_OK;
}


static int
portal_template_value(portal_compile_t *c, const portal_str_t *s,
    unsigned raw)
{
    portal_op_t    *op;
    portal_expr_t  *expr;

    expr = portal_expr_compile(c->set->arena, s, c->err);

    if (expr == NULL) {
        return portal_template_fail(c, NULL, NULL);
    }

    op = portal_template_op(c, portal_op_name);

    if (op == NULL || portal_template_keys(c, expr) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    op->expr = expr;
    op->raw = raw;

    if (expr->pipes && expr->pipes->type == portal_to_asset) {
        return portal_template_asset(c, op);
    }

    return PORTAL_OK;
}


/* The address of an asset is known now: plain text from here on. */

static int
portal_template_asset(portal_compile_t *c, portal_op_t *op)
{
    portal_str_t   url;
    portal_expr_t *expr;

    expr = op->expr;

    if (expr->literal.data == NULL || expr->pipes->next) {
        return portal_template_fail(c, "pipe \"asset\" needs a literal and "
                                    "stands alone", NULL);
    }

    if (c->set->asset == NULL
        || c->set->asset(c->set->ctx, &expr->literal, &url) != PORTAL_OK)
    {
        return portal_template_fail(c, "missing asset", &expr->literal);
    }

    op->type = portal_op_text;
    op->text = url;

    return PORTAL_OK;
}


static int
portal_template_word(portal_compile_t *c, const portal_str_t *key,
    unsigned raw)
{
    size_t        i;
    portal_op_t  *op;

    op = portal_template_op(c, portal_op_word);

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
            return portal_template_fail(c, NULL, NULL);
        }
    }

    return PORTAL_OK;
}


static int
portal_template_partial(portal_compile_t *c, const portal_str_t *name,
    const portal_str_t *indent)
{
    size_t              at;
    portal_op_t        *op;
    portal_str_t        expr;
    portal_template_t  *partial;

    if (name->len == 0) {
        return portal_template_fail(c, "empty name", NULL);
    }

    op = portal_template_op(c, name->data[0] == '*' ? portal_op_dynamic
                                                    : portal_op_partial);
    if (op == NULL) {
        return PORTAL_ERROR;
    }

    at = c->t->nops - 1;
    op->text = *name;
    op->indent = *indent;

    if (op->type == portal_op_dynamic) {
        expr = portal_template_trim(name->data + 1, name->data + name->len);
        op->expr = portal_expr_compile(c->set->arena, &expr, c->err);

        return op->expr ? PORTAL_OK : portal_template_fail(c, NULL, NULL);
    }

    partial = portal_template_get(c->set, name, c->err);

    if (partial == NULL) {
        return portal_template_fail(c, NULL, NULL);
    }

    c->t->ops[at].template = partial;

    return PORTAL_OK;
}
