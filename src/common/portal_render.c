
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


#include "portal_template_code.h"


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


typedef struct {
    const portal_template_set_t  *set;
    const portal_view_t          *view;
    portal_out_t                 *out;
    size_t                        locale;
    portal_scope_t                scope;
    const portal_args_t          *args;
    const portal_pad_t           *pad;
    unsigned                      depth;
    unsigned                      fresh:1;  /* at the beginning of a line */
    unsigned                      dry:1;    /* what depends on no page */
} portal_render_t;


static int portal_render_ops(portal_render_t *r, const portal_template_t *t,
    size_t i, size_t end);
static int portal_render_nest(portal_render_t *r, const portal_template_t *t,
    size_t i, size_t end);
static int portal_render_line(portal_render_t *r, const portal_str_t *text);
static int portal_render_pad(portal_render_t *r, const portal_pad_t *pad);
static int portal_render_section(portal_render_t *r,
    const portal_template_t *t, const portal_op_t *op);
static int portal_render_inverted(portal_render_t *r,
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
static void portal_render_get(portal_render_t *r, const portal_expr_t *expr,
    portal_value_t *v);
static void portal_render_start(portal_value_t *v);
static void portal_render_read(portal_value_t *v, const portal_json_t *doc,
    uint32_t n);
static int portal_render_value(portal_render_t *r, const portal_expr_t *expr,
    unsigned raw);
static int portal_render_put(portal_render_t *r, const portal_pipe_t *pipe,
    portal_value_t *v, unsigned raw);
static int portal_render_word(portal_render_t *r,
    const portal_piece_t *piece, unsigned raw, const portal_value_t *count);
static int portal_render_piece(portal_render_t *r, const portal_expr_t *expr,
    const portal_value_t *count);
static int portal_render_nowhere(portal_out_t *out);


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
            r.scope.places[r.scope.nplaces++].doc = view->roots[i];
        }
    }

    r.scope.nroots = r.scope.nplaces;

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
            rc = portal_render_inverted(r, t, op);
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

    return portal_escape_add(r->out, text->data, text->len);
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

    return portal_escape_add(r->out, pad->text->data, pad->text->len);
}


static int
portal_render_section(portal_render_t *r, const portal_template_t *t,
    const portal_op_t *op)
{
    size_t                     body;
    uint32_t                   end;
    portal_place_t             place, *top;
    const portal_json_node_t  *node;

    if (portal_scope_find(&r->scope, op->expr, &place) != PORTAL_OK
        || !portal_scope_true(&place))
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

    top = &r->scope.places[r->scope.nplaces++];

    while (place.node < end) {
        *top = place;

        if (portal_render_nest(r, t, body, op->end) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        place.node = place.doc->nodes[place.node].next;
    }

    r->scope.nplaces--;

    return PORTAL_OK;
}


static int
portal_render_inverted(portal_render_t *r, const portal_template_t *t,
    const portal_op_t *op)
{
    portal_place_t  place;

    if (r->dry
        || (portal_scope_find(&r->scope, op->expr, &place) == PORTAL_OK
            && portal_scope_true(&place)))
    {
        return PORTAL_OK;
    }

    return portal_render_nest(r, t, (size_t) (op - t->ops) + 1, op->end);
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
    const portal_op_t    *block, *found;
    const portal_args_t  *args, *given;

    args = r->args;
    block = op;

    /* the outermost giver wins */

    for (given = args; given; given = given->outer) {
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
        rc = portal_escape_add(r->out, "\n", 1);
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


static void
portal_render_get(portal_render_t *r, const portal_expr_t *expr,
    portal_value_t *v)
{
    portal_place_t  place;

    portal_render_start(v);

    if (expr->literal.data) {
        v->text = expr->literal;
        v->made = 1;

    } else if (portal_scope_find(&r->scope, expr, &place) == PORTAL_OK) {
        portal_render_read(v, place.doc, place.node);
    }
}


/* Not its buffer: most values need none. */

static void
portal_render_start(portal_value_t *v)
{
    v->doc = NULL;
    v->text.len = 0;
    v->text.data = v->buf;
    v->word = NULL;
    v->escaped = 0;
    v->made = 0;
    v->counted = 0;
    v->many = 0;
    v->encode = 0;
}


static void
portal_render_read(portal_value_t *v, const portal_json_t *doc, uint32_t n)
{
    const portal_json_node_t  *node;

    v->doc = doc;
    v->node = n;

    node = &doc->nodes[n];

    if (node->type == portal_json_null || node->type == portal_json_array
        || node->type == portal_json_object)
    {
        return;
    }

    v->text.data = (unsigned char *) doc->text + node->start;
    v->text.len = node->len;
    v->escaped = node->escaped;
}


static int
portal_render_value(portal_render_t *r, const portal_expr_t *expr,
    unsigned raw)
{
    portal_value_t  v;

    if (r->fresh && portal_render_pad(r, r->pad) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    portal_render_get(r, expr, &v);

    return portal_render_put(r, expr->pipes, &v, raw);
}


static int
portal_render_put(portal_render_t *r, const portal_pipe_t *pipe,
    portal_value_t *v, unsigned raw)
{
    if (pipe) {
        portal_pipe_run(pipe, r->view, v);
    }

    if (v->word == NULL) {
        return portal_escape_value(r->out, v, raw);
    }

    return portal_render_word(r, v->many ? v->word->other : v->word->pieces,
                              raw, v);
}


/* raw: of the word's own text; what it quotes from the page never is. */

static int
portal_render_word(portal_render_t *r, const portal_piece_t *piece,
    unsigned raw, const portal_value_t *count)
{
    int       rc;
    unsigned  encode;

    if (r->fresh && portal_render_pad(r, r->pad) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    if (r->depth == PORTAL_RENDER_DEPTH) {
        return PORTAL_ERROR;
    }

    r->depth++;
    encode = raw ? PORTAL_ENCODE_RAW : PORTAL_ENCODE_HTML;

    for ( /* void */ ; piece; piece = piece->next) {

        rc = piece->expr ? portal_render_piece(r, piece->expr, count)
             : portal_escape_text(r->out, piece->text.data,
                                  piece->text.data + piece->text.len,
                                  encode);

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
    portal_value_t        v;
    const portal_pipe_t  *pipe;

    static const portal_pipe_t  number = {
        portal_to_number, { 0, NULL }, NULL
    };

    if (count == NULL || !count->counted || expr->nparts != 1
        || !portal_str_is(&expr->parts[0], "n"))
    {
        return portal_render_value(r, expr, 0);
    }

    portal_render_start(&v);
    portal_render_read(&v, count->doc, count->node);

    pipe = expr->pipes ? expr->pipes : &number;

    return portal_render_put(r, pipe, &v, 0);
}


int
portal_template_ends(const portal_template_t *t)
{
    portal_out_t     out;
    portal_view_t    view;
    portal_render_t  r;
    unsigned char    buf[512];

    memset(&view, 0, sizeof(portal_view_t));
    memset(&r, 0, sizeof(portal_render_t));

    out.pos = buf;
    out.end = buf + sizeof(buf);
    out.more = portal_render_nowhere;
    out.ctx = buf;

    r.set = t->set;
    r.view = &view;
    r.out = &out;
    r.dry = 1;

    return portal_render_ops(&r, t, 0, t->nops);
}


static int
portal_render_nowhere(portal_out_t *out)
{
    out->pos = out->ctx;

    return PORTAL_OK;
}
