
/*
 * Copyright (C) the nginx client portal authors
 *
 * Finding names: the order, what is remembered, and what is true.
 */


#include "portal_template_code.h"
#include "tap.h"


static portal_json_t *parse(portal_arena_t *arena, const char *text);
static portal_expr_t *name(portal_arena_t *arena, const char *text);
static void push(portal_scope_t *s, const portal_json_t *doc, uint32_t node);
static long long find(portal_scope_t *s, const portal_expr_t *expr);
static void test_order(void);
static void test_known(void);
static void test_many(void);
static void test_true(void);


static portal_json_t *
parse(portal_arena_t *arena, const char *text)
{
    portal_str_t    s;
    portal_json_t  *doc;

    /* in memory that ends where the text ends, and goes with the arena */

    s.len = strlen(text);
    s.data = portal_alloc(arena, s.len);
    memcpy(s.data, text, s.len);

    doc = portal_calloc(arena, 1, sizeof(portal_json_t));

    if (portal_json_parse(doc, &s, arena) != PORTAL_OK) {
        abort();
    }

    return doc;
}


static portal_expr_t *
name(portal_arena_t *arena, const char *text)
{
    portal_str_t    s;
    portal_expr_t  *expr;
    portal_error_t  err;

    s = str(text);
    expr = portal_expr_compile(arena, &s, &err);

    if (expr == NULL) {
        abort();
    }

    return expr;
}


static void
push(portal_scope_t *s, const portal_json_t *doc, uint32_t node)
{
    s->places[s->nplaces].doc = doc;
    s->places[s->nplaces++].node = node;
}


/* The number found, -1: nothing, -2: no number. */

static long long
find(portal_scope_t *s, const portal_expr_t *expr)
{
    portal_place_t             place;
    const portal_json_node_t  *node;

    if (portal_scope_find(s, expr, &place) != PORTAL_OK) {
        return -1;
    }

    node = &place.doc->nodes[place.node];

    return node->type == portal_json_number
           ? atoll((const char *) place.doc->text + node->start) : -2;
}


static void
test_order(void)
{
    portal_expr_t   *a, *ab, *dot;
    portal_json_t   *doc, *outer;
    portal_arena_t  *arena;
    portal_scope_t   s;

    arena = portal_arena_create();
    memset(&s, 0, sizeof(portal_scope_t));

    a = name(arena, "a");
    ab = name(arena, "o.b");
    dot = name(arena, ".");

    is_int(find(&s, a), -1, "nothing in nothing");
    is_int(find(&s, dot), -1, "and no context");

    outer = parse(arena, "{\"a\":1,\"o\":{\"b\":2}}");
    doc = parse(arena, "{\"o\":{\"a\":3,\"o\":5},\"n\":7}");

    push(&s, outer, 0);
    push(&s, doc, 0);
    s.nroots = 2;

    is_int(find(&s, a), 1, "from the outer root");
    is_int(find(&s, ab), -1, "the inner root hides by the first part");

    /* node 2 is doc's "o" */

    push(&s, doc, 2);

    is_int(find(&s, a), 3, "from the innermost place");
    is_int(find(&s, ab), -1, "which hides as well");
    is_int(find(&s, dot), -2, "the context is the innermost place");

    s.nplaces--;

    is_int(find(&s, a), 1, "from the root again");

    portal_arena_destroy(arena);
}


/* Roots are searched once for a name: the answer stays right. */

static void
test_known(void)
{
    int              i, bad;
    portal_expr_t   *a, *missing;
    portal_json_t   *root, *with, *without;
    portal_arena_t  *arena;
    portal_scope_t   s;

    arena = portal_arena_create();
    memset(&s, 0, sizeof(portal_scope_t));

    root = parse(arena, "{\"a\":1}");
    with = parse(arena, "{\"a\":2,\"m\":3}");
    without = parse(arena, "{\"x\":2}");

    a = name(arena, "a");
    missing = name(arena, "m");

    push(&s, root, 0);
    s.nroots = 1;

    for (bad = 0, i = 0; i < 100; i++) {
        bad += (find(&s, a) != 1);
        bad += (find(&s, missing) != -1);

        push(&s, without, 0);
        bad += (find(&s, a) != 1);
        bad += (find(&s, missing) != -1);

        push(&s, with, 0);
        bad += (find(&s, a) != 2);
        bad += (find(&s, missing) != 3);

        s.nplaces = 1;
    }

    is_int(bad, 0, "a name that is here, there, and nowhere");

    portal_arena_destroy(arena);
}


/* More names than are remembered. */

static void
test_many(void)
{
    int              i, round, bad;
    char             text[16], *json, *p;
    portal_expr_t   *names[500];
    portal_json_t   *root;
    portal_arena_t  *arena;
    portal_scope_t   s;

    arena = portal_arena_create();
    memset(&s, 0, sizeof(portal_scope_t));

    json = malloc(500 * 16);
    p = json;

    for (i = 0; i < 500; i++) {
        p += sprintf(p, "%c\"n%d\":%d", i ? ',' : '{', i, i);
        snprintf(text, sizeof(text), "n%d", i);
        names[i] = name(arena, strdup(text));
    }

    strcpy(p, "}");

    root = parse(arena, json);

    push(&s, root, 0);
    s.nroots = 1;

    for (bad = 0, round = 0; round < 3; round++) {
        for (i = 0; i < 500; i++) {
            bad += (find(&s, names[i]) != i);
        }
    }

    is_int(bad, 0, "500 names, three times");

    for (i = 0; i < 500; i++) {
        free(names[i]->parts[0].data);
    }

    free(json);
    portal_arena_destroy(arena);
}


static void
test_true(void)
{
    size_t           i;
    portal_json_t   *doc;
    portal_place_t   place;
    portal_arena_t  *arena;

    static const struct {
        const char  *text;
        int          truth;
    } cases[] = {
        { "null", 0 }, { "false", 0 }, { "true", 1 }, { "0", 0 },
        { "-0", 0 }, { "0.0", 0 }, { "0.10", 1 }, { "-1", 1 }, { "9", 1 },
        { "0e9", 0 }, { "\"\"", 0 }, { "\" \"", 1 }, { "\"\\u0000\"", 1 },
        { "[]", 0 }, { "[null]", 1 }, { "{}", 1 }, { NULL, 0 }
    };

    arena = portal_arena_create();

    for (i = 0; cases[i].text; i++) {
        doc = parse(arena, cases[i].text);
        place.doc = doc;
        place.node = 0;

        is_int(portal_scope_true(&place), cases[i].truth, cases[i].text);
    }

    portal_arena_destroy(arena);
}


int
main(void)
{
    test_order();
    test_known();
    test_many();
    test_true();

    return tap_done();
}
