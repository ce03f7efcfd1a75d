
/*
 * Copyright (C) the nginx client portal authors
 *
 * Rendering of templates (see portal_template.h): a walk over the flat code
 * of a template, with a stack of the JSON nodes that sections entered.
 * Nothing is allocated, so a page costs its output and the looking up of
 * its names; the only ways to fail are an output that refuses and partials
 * that call each other without end.
 *
 * Blocks: {{<parent}} puts what it gives before what its caller was given,
 * and the outermost giver of a block wins.  What is given is rendered where
 * the parent has the block, but with the blocks of its own file's callers.
 */


#include <stdio.h>
#include "portal_template_code.h"


#define PORTAL_RENDER_DEPTH  64
#define PORTAL_RENDER_KNOWN  64


typedef struct {
    const portal_json_t       *doc;
    uint32_t                   node;
} portal_place_t;


/* The blocks inside of a {{<parent}}. */
typedef struct portal_args_s  portal_args_t;

struct portal_args_s {
    const portal_args_t       *outer;
    const portal_template_t   *t;
    size_t                     op;
};


/* White space before every line, the innermost last. */
typedef struct portal_pad_s  portal_pad_t;

struct portal_pad_s {
    const portal_pad_t        *outer;
    const portal_str_t        *text;
};


/* A name once found in the roots: they stay, while sections come and go. */
typedef struct {
    const portal_str_t        *name;
    portal_place_t             place;
} portal_known_t;


typedef struct {
    const portal_template_set_t  *set;
    const portal_view_t       *view;
    portal_out_t              *out;
    size_t                     locale;
    portal_place_t             places[PORTAL_VIEW_ROOTS
                                      + PORTAL_RENDER_DEPTH];
    size_t                     nplaces;
    size_t                     nroots;
    portal_known_t             known[PORTAL_RENDER_KNOWN];
    const portal_args_t       *args;
    const portal_pad_t        *pad;
    unsigned                   depth;
    unsigned                   fresh:1;    /* at the beginning of a line */
} portal_render_t;


static int portal_render_ops(portal_render_t *r, const portal_template_t *t,
    size_t i, size_t end);
static int portal_render_nest(portal_render_t *r, const portal_template_t *t,
    size_t i, size_t end);
static int portal_render_line(portal_render_t *r, const portal_str_t *text);
static int portal_render_pad(portal_render_t *r, const portal_pad_t *pad);
static int portal_render_section(portal_render_t *r,
    const portal_template_t *t, const portal_op_t *op);
static int portal_render_partial(portal_render_t *r, const portal_op_t *op);
static int portal_render_parent(portal_render_t *r,
    const portal_template_t *t, const portal_op_t *op);
static int portal_render_block(portal_render_t *r,
    const portal_template_t *t, const portal_op_t *op);
static const portal_op_t *portal_render_given(const portal_args_t *args,
    const portal_str_t *name);
static const portal_template_t *portal_render_dynamic(portal_render_t *r,
    const portal_op_t *op);
static int portal_render_find(portal_render_t *r, const portal_expr_t *expr,
    portal_place_t *place);
static int portal_render_name(portal_render_t *r, const portal_str_t *name,
    portal_place_t *place);
static int portal_render_true(const portal_place_t *place);
static void portal_render_get(portal_render_t *r, const portal_expr_t *expr,
    portal_value_t *v);
static void portal_render_read(portal_value_t *v);
static int portal_render_value(portal_render_t *r, const portal_expr_t *expr,
    unsigned raw);
static int portal_render_word(portal_render_t *r,
    const portal_piece_t *piece, unsigned raw, const portal_value_t *count);
static int portal_render_piece(portal_render_t *r, const portal_expr_t *expr,
    const portal_value_t *count);
static int portal_render_json(portal_render_t *r, const portal_value_t *v,
    unsigned mask);
static int portal_render_quoted(portal_render_t *r, const portal_value_t *v,
    unsigned mask);
static size_t portal_render_tree(const portal_value_t *v);
static int portal_render_escaped(portal_render_t *r, const portal_str_t *s,
    unsigned mask);
static int portal_render_text(portal_render_t *r, const unsigned char *p,
    const unsigned char *last, unsigned mask);
static int portal_render_special(portal_render_t *r, unsigned char c,
    unsigned mask);
static int portal_render_percent(portal_render_t *r, const unsigned char *p,
    const unsigned char *last);
static int portal_render_add(portal_render_t *r, const void *data,
    size_t len);


#define portal_render_puts(r, s)  portal_render_add(r, s, sizeof(s) - 1)


int
portal_template_render(const portal_template_t *t, const portal_view_t *view,
    portal_out_t *out)
{
    size_t           i;
    portal_render_t  r;

    memset(&r, 0, sizeof(portal_render_t));

    r.set = t->set;
    r.view = view;
    r.out = out;
    r.fresh = 1;

    for (i = 0; i < view->nroots && i < PORTAL_VIEW_ROOTS; i++) {
        if (view->roots[i] && view->roots[i]->n) {
            r.places[r.nplaces++].doc = view->roots[i];
        }
    }

    r.nroots = r.nplaces;

    for (i = 0; i < t->set->nlocales; i++) {
        if (t->set->locales[i] == view->locale) {
            r.locale = i;
        }
    }

    return portal_render_ops(&r, t, 0, t->nops);
}


static int
portal_render_ops(portal_render_t *r, const portal_template_t *t, size_t i,
    size_t end)
{
    int                 rc;
    portal_place_t      place;
    const portal_op_t  *op;

    for ( /* void */ ; i < end; i = op->end) {
        op = &t->ops[i];

        switch (op->type) {

        case portal_op_text:
            rc = portal_render_line(r, &op->text);
            break;

        case portal_op_name:
            rc = portal_render_value(r, op->expr, op->raw);
            break;

        case portal_op_word:
            rc = portal_render_word(r, op->words[r->locale]
                                       ? op->words[r->locale]->pieces : NULL,
                                    op->raw, NULL);
            break;

        case portal_op_section:
            rc = portal_render_section(r, t, op);
            break;

        case portal_op_inverted:
            rc = PORTAL_OK;

            if (portal_render_find(r, op->expr, &place) != PORTAL_OK
                || !portal_render_true(&place))
            {
                rc = portal_render_nest(r, t, i + 1, op->end);
            }

            break;

        case portal_op_partial:
        case portal_op_dynamic:
            rc = portal_render_partial(r, op);
            break;

        case portal_op_parent:
            rc = portal_render_parent(r, t, op);
            break;

        default: /* portal_op_block */
            rc = portal_render_block(r, t, op);
        }

        if (rc != PORTAL_OK) {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


static int
portal_render_nest(portal_render_t *r, const portal_template_t *t, size_t i,
    size_t end)
{
    int  rc;

    if (r->depth == PORTAL_RENDER_DEPTH) {
        return PORTAL_ERROR;
    }

    r->depth++;
    rc = portal_render_ops(r, t, i, end);
    r->depth--;

    return rc;
}


/* A template's own text: the compiler ends it where a line ends. */

static int
portal_render_line(portal_render_t *r, const portal_str_t *text)
{
    if (text->len == 0) {
        return PORTAL_OK;
    }

    if (r->fresh && text->data[0] != '\n' && text->data[0] != '\r'
        && portal_render_pad(r, r->pad) != PORTAL_OK)
    {
        return PORTAL_ERROR;
    }

    r->fresh = (text->data[text->len - 1] == '\n');

    return portal_render_add(r, text->data, text->len);
}


static int
portal_render_pad(portal_render_t *r, const portal_pad_t *pad)
{
    r->fresh = 0;

    if (pad == NULL) {
        return PORTAL_OK;
    }

    if (portal_render_pad(r, pad->outer) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    return portal_render_add(r, pad->text->data, pad->text->len);
}


static int
portal_render_section(portal_render_t *r, const portal_template_t *t,
    const portal_op_t *op)
{
    size_t                     body;
    uint32_t                   end;
    portal_place_t             place, *top;
    const portal_json_node_t  *node;

    if (portal_render_find(r, op->expr, &place) != PORTAL_OK
        || !portal_render_true(&place))
    {
        return PORTAL_OK;
    }

    if (r->depth == PORTAL_RENDER_DEPTH) {
        return PORTAL_ERROR;
    }

    body = (size_t) (op - t->ops) + 1;
    node = &place.doc->nodes[place.node];
    end = node->next;

    if (node->type == portal_json_array) {
        place.node++;

    } else {
        end = place.node + 1;
    }

    top = &r->places[r->nplaces++];

    while (place.node < end) {
        *top = place;

        if (portal_render_nest(r, t, body, op->end) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        place.node = place.doc->nodes[place.node].next;
    }

    r->nplaces--;

    return PORTAL_OK;
}


static int
portal_render_partial(portal_render_t *r, const portal_op_t *op)
{
    int                       rc;
    portal_pad_t              pad;
    const portal_template_t  *t;

    t = op->type == portal_op_dynamic ? portal_render_dynamic(r, op)
                                      : op->template;
    if (t == NULL) {
        return PORTAL_OK;
    }

    if (op->indent.len == 0) {
        return portal_render_nest(r, t, 0, t->nops);
    }

    pad.outer = r->pad;
    pad.text = &op->indent;

    r->pad = &pad;
    r->fresh = 1;

    rc = portal_render_nest(r, t, 0, t->nops);

    r->pad = pad.outer;

    return rc;
}


/* A template that the data names: of those compiled, or nothing. */

static const portal_template_t *
portal_render_dynamic(portal_render_t *r, const portal_op_t *op)
{
    portal_value_t            v;
    const portal_template_t  *t;

    portal_render_get(r, op->expr, &v);

    if (v.escaped || v.text.len == 0) {
        return NULL;
    }

    for (t = r->set->first; t; t = t->next) {
        if (t->name.len == v.text.len
            && memcmp(t->name.data, v.text.data, v.text.len) == 0)
        {
            return t;
        }
    }

    return NULL;
}


static int
portal_render_parent(portal_render_t *r, const portal_template_t *t,
    const portal_op_t *op)
{
    int            rc;
    portal_pad_t   pad;
    portal_args_t  args;

    args.outer = r->args;
    args.t = t;
    args.op = (size_t) (op - t->ops);

    pad.outer = r->pad;
    pad.text = &op->indent;

    r->args = &args;
    r->pad = op->indent.len ? &pad : pad.outer;

    rc = portal_render_nest(r, op->template, 0, op->template->nops);

    r->args = args.outer;
    r->pad = pad.outer;

    return rc;
}


static int
portal_render_block(portal_render_t *r, const portal_template_t *t,
    const portal_op_t *op)
{
    int                   rc;
    portal_pad_t          pad;
    const portal_op_t    *block;
    const portal_args_t  *args, *given;

    args = r->args;
    block = op;

    /* the outermost giver wins */

    for (given = args; given; given = given->outer) {
        const portal_op_t  *found;

        found = portal_render_given(given, &op->text);

        if (found) {
            block = found;
            t = given->t;
            r->args = given->outer;
        }
    }

    pad.outer = r->pad;
    pad.text = &op->indent;

    r->pad = op->indent.len ? &pad : pad.outer;

    rc = portal_render_nest(r, t, (size_t) (block - t->ops) + 1, block->end);

    r->pad = pad.outer;
    r->args = args;

    if (rc == PORTAL_OK && op->lines && !r->fresh) {
        r->fresh = 1;
        rc = portal_render_puts(r, "\n");
    }

    return rc;
}


static const portal_op_t *
portal_render_given(const portal_args_t *args, const portal_str_t *name)
{
    size_t              i, end;
    const portal_op_t  *op;

    end = args->t->ops[args->op].end;

    for (i = args->op + 1; i < end; i = op->end) {
        op = &args->t->ops[i];

        if (op->type == portal_op_block && op->text.len == name->len
            && memcmp(op->text.data, name->data, name->len) == 0)
        {
            return op;
        }
    }

    return NULL;
}


static int
portal_render_find(portal_render_t *r, const portal_expr_t *expr,
    portal_place_t *place)
{
    unsigned  i;

    if (r->nplaces == 0 || expr->literal.data) {
        return PORTAL_DECLINED;
    }

    if (expr->nparts == 0) {
        *place = r->places[r->nplaces - 1];
        return PORTAL_OK;
    }

    if (portal_render_name(r, &expr->parts[0], place) != PORTAL_OK) {
        return PORTAL_DECLINED;
    }

    for (i = 1; i < expr->nparts; i++) {
        place->node = portal_json_member(place->doc, place->node,
                                         &expr->parts[i]);

        if (place->node == PORTAL_JSON_NONE) {
            return PORTAL_DECLINED;
        }
    }

    return PORTAL_OK;
}


static int
portal_render_name(portal_render_t *r, const portal_str_t *name,
    portal_place_t *place)
{
    size_t           i;
    portal_known_t  *known;

    known = &r->known[(uintptr_t) name / sizeof(portal_str_t)
                      % PORTAL_RENDER_KNOWN];

    for (i = r->nplaces; i-- > 0; /* void */ ) {

        if (i + 1 == r->nroots && known->name == name) {
            *place = known->place;
            return place->node == PORTAL_JSON_NONE ? PORTAL_DECLINED
                                                   : PORTAL_OK;
        }

        place->doc = r->places[i].doc;
        place->node = portal_json_member(place->doc, r->places[i].node,
                                         name);

        if (place->node != PORTAL_JSON_NONE) {
            break;
        }
    }

    if (i < r->nroots || i == (size_t) -1) {
        known->name = name;
        known->place = *place;
    }

    return place->node == PORTAL_JSON_NONE ? PORTAL_DECLINED : PORTAL_OK;
}


/*
 * The specification knows null, false and the empty list; the empty text
 * and zero are added, for a count or a text that there is not.
 */

static int
portal_render_true(const portal_place_t *place)
{
    const unsigned char       *p, *last;
    const portal_json_node_t  *node;

    node = &place->doc->nodes[place->node];

    switch (node->type) {

    case portal_json_null:
    case portal_json_false:
        return 0;

    case portal_json_string:
    case portal_json_array:
        return node->len != 0;

    case portal_json_number:
        p = place->doc->text + node->start;
        last = p + node->len;

        while (p < last && (*p == '0' || *p == '.' || *p == '-')) {
            p++;
        }

        return p < last && *p >= '1' && *p <= '9';

    default:
        return 1;
    }
}


static void
portal_render_get(portal_render_t *r, const portal_expr_t *expr,
    portal_value_t *v)
{
    portal_place_t  place;

    v->doc = NULL;
    v->text.len = 0;
    v->text.data = v->buf;
    v->word = NULL;
    v->escaped = 0;
    v->made = 0;
    v->many = 0;
    v->encode = 0;

    if (expr->literal.data) {
        v->text = expr->literal;
        v->made = 1;
        return;
    }

    if (portal_render_find(r, expr, &place) != PORTAL_OK) {
        return;
    }

    v->doc = place.doc;
    v->node = place.node;

    portal_render_read(v);
}


static void
portal_render_read(portal_value_t *v)
{
    const portal_json_node_t  *node;

    node = &v->doc->nodes[v->node];

    if (node->type == portal_json_null || node->type == portal_json_array
        || node->type == portal_json_object)
    {
        return;
    }

    v->text.data = (unsigned char *) v->doc->text + node->start;
    v->text.len = node->len;
    v->escaped = node->escaped;
}


static int
portal_render_value(portal_render_t *r, const portal_expr_t *expr,
    unsigned raw)
{
    unsigned        mask;
    portal_value_t  v;

    if (r->fresh && portal_render_pad(r, r->pad) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    portal_render_get(r, expr, &v);

    if (expr->pipes) {
        portal_pipe_run(expr->pipes, r->view, &v);
    }

    if (v.word) {
        return portal_render_word(r, v.many ? v.word->other : v.word->pieces,
                                  raw, &v);
    }

    mask = raw ? PORTAL_ENCODE_RAW : PORTAL_ENCODE_HTML;

    if (v.encode == PORTAL_ENCODE_JSON) {
        return portal_render_json(r, &v, mask);
    }

    if (v.encode) {
        mask = v.encode;
    }

    if (v.escaped) {
        return portal_render_escaped(r, &v.text, mask);
    }

    return portal_render_text(r, v.text.data, v.text.data + v.text.len,
                              mask);
}


/* raw: of the word's own text; what it quotes from the page never is. */

static int
portal_render_word(portal_render_t *r, const portal_piece_t *piece,
    unsigned raw, const portal_value_t *count)
{
    int       rc;
    unsigned  mask;

    if (r->fresh && portal_render_pad(r, r->pad) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    if (r->depth == PORTAL_RENDER_DEPTH) {
        return PORTAL_ERROR;
    }

    r->depth++;
    mask = raw ? PORTAL_ENCODE_RAW : PORTAL_ENCODE_HTML;

    for ( /* void */ ; piece; piece = piece->next) {

        rc = piece->expr ? portal_render_piece(r, piece->expr, count)
             : portal_render_text(r, piece->text.data,
                                  piece->text.data + piece->text.len, mask);

        if (rc != PORTAL_OK) {
            return PORTAL_ERROR;
        }
    }

    r->depth--;

    return PORTAL_OK;
}


/* {n} in a word of the pipe "plural" is the number that was counted. */

static int
portal_render_piece(portal_render_t *r, const portal_expr_t *expr,
    const portal_value_t *count)
{
    int             rc;
    portal_value_t  v;
    portal_pipe_t   pipe;

    if (count == NULL || count->doc == NULL || expr->nparts != 1
        || !portal_str_is(&expr->parts[0], "n"))
    {
        return portal_render_value(r, expr, 0);
    }

    v = *count;
    v.word = NULL;

    portal_render_read(&v);

    memset(&pipe, 0, sizeof(portal_pipe_t));
    pipe.type = portal_to_number;

    portal_pipe_run(expr->pipes ? expr->pipes : &pipe, r->view, &v);

    rc = v.escaped ? portal_render_escaped(r, &v.text, PORTAL_ENCODE_HTML)
         : portal_render_text(r, v.text.data, v.text.data + v.text.len,
                              PORTAL_ENCODE_HTML);

    return rc;
}


/*
 * A node as it stands in PostgreSQL's text, with what could end a script
 * element replaced by escapes of JSON.
 */

static int
portal_render_json(portal_render_t *r, const portal_value_t *v, unsigned mask)
{
    portal_str_t          quote;
    const unsigned char  *p;

    mask |= PORTAL_ENCODE_JSON;

    if (v->made
        || (v->doc && v->doc->nodes[v->node].type == portal_json_string))
    {
        if (mask & PORTAL_ENCODE_HTML) {
            portal_str_set(&quote, "&quot;");

        } else {
            portal_str_set(&quote, "\"");
        }

        if (portal_render_add(r, quote.data, quote.len) != PORTAL_OK
            || portal_render_quoted(r, v, mask) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        return portal_render_add(r, quote.data, quote.len);
    }

    if (v->doc == NULL) {
        return portal_render_puts(r, "null");
    }

    p = v->doc->text + v->doc->nodes[v->node].start;

    return portal_render_text(r, p, p + portal_render_tree(v), mask);
}


/* What a pipe or the template made has no escapes of JSON yet. */

static int
portal_render_quoted(portal_render_t *r, const portal_value_t *v,
    unsigned mask)
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

        if (portal_render_text(r, start, p, mask) != PORTAL_OK
            || portal_render_add(r, esc, sizeof(esc) - 1) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        start = p + 1;
    }

    return portal_render_text(r, start, last, mask);
}


/* Bytes of a value that is no string: it was read once, so it is closed. */

static size_t
portal_render_tree(const portal_value_t *v)
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
portal_render_escaped(portal_render_t *r, const portal_str_t *s,
    unsigned mask)
{
    size_t                n;
    unsigned char         c[4];
    const unsigned char  *p, *end, *last;

    p = s->data;
    last = p + s->len;

    while (p < last) {
        end = memchr(p, '\\', (size_t) (last - p));
        end = end ? end : last;

        if (portal_render_text(r, p, end, mask) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        if (end == last) {
            break;
        }

        p = end;
        n = portal_json_next(&p, last, c);

        if (portal_render_text(r, c, c + n, mask) != PORTAL_OK) {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


/* What the encodings of a mask do not pass as it is. */

#define HJ  (PORTAL_ENCODE_HTML|PORTAL_ENCODE_JSON)
#define H   PORTAL_ENCODE_HTML
#define A   (PORTAL_ENCODE_RAW|PORTAL_ENCODE_HTML|PORTAL_ENCODE_JSON)

static const unsigned char  portal_render_class[256] = {
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


static int
portal_render_text(portal_render_t *r, const unsigned char *p,
    const unsigned char *last, unsigned mask)
{
    size_t                n;
    const unsigned char  *start;

    if (mask & PORTAL_ENCODE_URL) {
        return portal_render_percent(r, p, last);
    }

    for (start = p; p < last; /* void */ ) {

        if ((portal_render_class[*p] & mask) == 0) {
            p++;
            continue;
        }

        if (*p >= 0x80) {
            n = portal_utf8_sequence(p, last);

            /* U+2028 and U+2029 ended a line of a script before ES2019 */

            if (n && !(n == 3 && mask & PORTAL_ENCODE_JSON && p[0] == 0xe2
                       && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)))
            {
                p += n;
                continue;
            }

        } else {
            n = 1;
        }

        if (portal_render_add(r, start, (size_t) (p - start)) != PORTAL_OK
            || portal_render_special(r, n == 0 ? 0 : p[n - 1], mask)
               != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        p += n ? n : 1;
        start = p;
    }

    return portal_render_add(r, start, (size_t) (p - start));
}


static int
portal_render_special(portal_render_t *r, unsigned char c, unsigned mask)
{
    if (mask & PORTAL_ENCODE_JSON) {

        switch (c) {

        case '<':
            return portal_render_puts(r, "\\u003c");

        case '>':
            return portal_render_puts(r, "\\u003e");

        case '&':
            return portal_render_puts(r, "\\u0026");

        case 0xa8:
            return portal_render_puts(r, "\\u2028");

        case 0xa9:
            return portal_render_puts(r, "\\u2029");
        }
    }

    switch (c) {

    case '<':
        return portal_render_puts(r, "&lt;");

    case '>':
        return portal_render_puts(r, "&gt;");

    case '&':
        return portal_render_puts(r, "&amp;");

    case '"':
        return portal_render_puts(r, "&quot;");

    case '\'':
        return portal_render_puts(r, "&#39;");

    default:
        return portal_render_puts(r, "\xef\xbf\xbd");
    }
}


static int
portal_render_percent(portal_render_t *r, const unsigned char *p,
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

        if (portal_render_add(r, start, (size_t) (p - start)) != PORTAL_OK
            || portal_render_add(r, esc, 3) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }

        start = p + 1;
    }

    return portal_render_add(r, start, (size_t) (p - start));
}


static int
portal_render_add(portal_render_t *r, const void *data, size_t len)
{
    portal_out_t  *out;

    out = r->out;

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
