
/*
 * Copyright (C) the nginx client portal authors
 *
 * Expressions: names, literals, pipes.
 */


#include "portal_expr.h"
#include "tap.h"


static portal_expr_t *compile(const char *text, size_t len);
static void fails(const char *text, const char *reason);
static void test_names(void);
static void test_literals(void);
static void test_pipes(void);
static void test_errors(void);


static portal_arena_t  *arena;
static portal_error_t   err;


/* From memory that ends where the text ends; it stays to the end. */

static portal_expr_t *
compile(const char *text, size_t len)
{
    unsigned char  *copy;
    portal_str_t    s;

    copy = portal_alloc(arena, len);
    memcpy(copy, text, len);

    s.data = copy;
    s.len = len;

    memset(&err, 0, sizeof(portal_error_t));

    return portal_expr_compile(arena, &s, &err);
}


static void
fails(const char *text, const char *reason)
{
    portal_expr_t  *e;

    e = compile(text, strlen(text));

    if (!ok(e == NULL && strstr(err.text, reason), "refused: %s", text)) {
        printf("# got: %s\n", e ? "an expression" : err.text);
    }
}


static void
test_names(void)
{
    portal_expr_t  *e;

    e = compile("a", 1);
    is_int(e->nparts, 1, "a name");
    is_str(e->parts[0], "a", "of one part");
    ok(e->pipes == NULL && e->literal.data == NULL, "and nothing else");

    e = compile(" \t\r\na.bc.d \n", 11);
    is_int(e->nparts, 3, "a dotted name, white space around");
    is_str(e->parts[0], "a", "first");
    is_str(e->parts[1], "bc", "second");
    is_str(e->parts[2], "d", "third");

    e = compile(".", 1);
    is_int(e->nparts, 0, "the context itself");
    ok(e->literal.data == NULL, "is no literal");

    e = compile("\303\251-_0", 5);
    is_str(e->parts[0], "\303\251-_0", "any other character");
}


static void
test_literals(void)
{
    portal_expr_t  *e;

    e = compile("\"a.b|c\"|t", 9);
    is_str(e->literal, "a.b|c", "a literal with a dot and a bar");
    ok(e->pipes && e->pipes->type == portal_to_t, "and a pipe");

    e = compile("\"\"", 2);
    ok(e && e->literal.data && e->literal.len == 0, "the empty literal");
}


static void
test_pipes(void)
{
    size_t          i;
    char            text[64];
    portal_expr_t  *e;

    static const struct {
        const char     *name;
        portal_pipe_e   type;
    } pipes[] = {
        { "date", portal_to_date }, { "fulldate", portal_to_fulldate },
        { "month", portal_to_month }, { "time", portal_to_time },
        { "datetime", portal_to_datetime }, { "size", portal_to_size },
        { "money", portal_to_money }, { "number", portal_to_number },
        { "plural:k", portal_to_plural }, { "t:k", portal_to_t },
        { "asset", portal_to_asset }, { "url", portal_to_url },
        { "json", portal_to_json }, { "initials", portal_to_initials },
        { NULL, 0 }
    };

    for (i = 0; pipes[i].name; i++) {
        snprintf(text, sizeof(text), "a | %s ", pipes[i].name);
        e = compile(text, strlen(text));
        ok(e && e->pipes && e->pipes->type == pipes[i].type
           && e->pipes->next == NULL, "pipe %s", pipes[i].name);
    }

    e = compile("a|date|url", 10);
    ok(e && e->pipes->type == portal_to_date
       && e->pipes->next->type == portal_to_url, "two pipes in their order");

    e = compile("a|t:docs.kind.", 14);
    is_str(e->pipes->arg, "docs.kind.", "an argument");

    e = compile("a|t:", 4);
    ok(e && e->pipes->arg.len == 0, "an empty argument of t");

    e = compile("a|money:USD", 11);
    is_str(e->pipes->arg, "USD", "a currency");
}


static void
test_errors(void)
{
    fails("", "empty name");
    fails("  ", "empty name");
    fails("|date", "empty name");
    fails("a.", "empty part");
    fails(".a", "empty part");
    fails("a..b", "empty part");
    fails("..", "empty part");
    fails("a b", "invalid name");
    fails("a\"b", "invalid name");
    fails("{a", "invalid name");
    fails("a}", "invalid name");
    fails("a\001", "invalid name");
    fails("\"a", "unclosed literal");
    fails("\"", "unclosed literal");
    fails("\"a|date", "unclosed literal");
    fails("a|", "unknown pipe \"\"");
    fails("a|date|", "unknown pipe \"\"");
    fails("a|Date", "unknown pipe \"Date\"");
    fails("a|dat", "unknown pipe \"dat\"");
    fails("a|dates", "unknown pipe \"dates\"");
    fails("a|plural", "needs a key");
    fails("a|plural:", "needs a key");
    fails("a|date:x", "takes no argument");
    fails("a|date:", "takes no argument");
    fails("a|url|date", "\"url\" must be the last");
    fails("a|json|url", "\"json\" must be the last");
    fails("a|t:x|date", "\"t\" must be the last");
    fails("a|plural:x|url", "\"plural\" must be the last");
    fails("\"a\"|asset|url", "\"asset\" must be the last");
    fails("a|money:eur", "code of a currency");
    fails("a|money:", "code of a currency");
    fails("a|money:EURO", "code of a currency");
    fails("a|money:E", "code of a currency");
}


int
main(void)
{
    arena = portal_arena_create();

    test_names();
    test_literals();
    test_pipes();
    test_errors();

    portal_arena_destroy(arena);

    return tap_done();
}
