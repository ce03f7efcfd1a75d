
/*
 * Copyright (C) the nginx client portal authors
 *
 * Query strings and forms.
 */


#define _GNU_SOURCE

#include "portal_form.h"
#include "tap.h"


typedef struct {
    portal_arena_t  *arena;
    int              left;
} few_t;


static void form_is(const char *input, const char *want);
static void refused(const char *input, size_t len, int want);
static void test_parse(void);
static void test_refused(void);
static void test_limits(void);
static void *few(void *ctx, size_t size);
static void test_memory(void);
static void test_get(void);
static void test_json(void);
static void test_cut(void);


/* want: name=value pairs, each followed by a bar. */

static void
form_is(const char *input, const char *want)
{
    int              rc;
    char             text[512], *p;
    size_t           i;
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    s = str_exact(input, strlen(input));

    rc = portal_form_parse(&form, &s, arena);

    free(s.data);

    text[0] = '\0';
    p = text;

    for (i = 0; rc == PORTAL_OK && i < form.n; i++) {
        p += sprintf(p, "%.*s=%.*s|", (int) form.fields[i].name.len,
                     form.fields[i].name.data,
                     (int) form.fields[i].value.len,
                     form.fields[i].value.data);
    }

    is_int(rc, PORTAL_OK, input);
    is_text(text, want, "its fields");

    portal_arena_destroy(arena);
}


static void
test_parse(void)
{
    form_is("", "");
    form_is("a=b", "a=b|");
    form_is("a=b&c=d", "a=b|c=d|");
    form_is("a", "a=|");
    form_is("a=", "a=|");
    form_is("=b", "=b|");
    form_is("&&a=b&&c=d&", "a=b|c=d|");
    form_is("&", "");
    form_is("a=b=c", "a=b=c|");
    form_is("a+b=c+d", "a b=c d|");
    form_is("a=%2B%26%3D%25", "a=+&=%|");
    form_is("%61=%C3%A9", "a=\303\251|");
    form_is("a=%f0%9F%98%80", "a=\360\237\230\200|");
    form_is("a=\303\251", "a=\303\251|");
    form_is("a=%0D%0A%09%01", "a=\r\n\t\001|");
    form_is("a=1&A=2", "a=1|A=2|");
    form_is("a;b=c;d", "a;b=c;d|");
}


static void
refused(const char *input, size_t len, int want)
{
    char             what[128];
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    s = str_exact(input, len);

    tap_printable(what, sizeof(what), s.data, s.len);
    is_int(portal_form_parse(&form, &s, arena), want, what);

    free(s.data);
    portal_arena_destroy(arena);
}


#define r(s, want)  refused(s, sizeof(s) - 1, want)

static void
test_refused(void)
{
    r("a=%", PORTAL_FORM_TEXT);
    r("a=%4", PORTAL_FORM_TEXT);
    r("a=%4g", PORTAL_FORM_TEXT);
    r("a=%g4", PORTAL_FORM_TEXT);
    r("a=%%41", PORTAL_FORM_TEXT);
    r("%=a", PORTAL_FORM_TEXT);
    r("a=%4&b=1", PORTAL_FORM_TEXT);
    r("a=%00", PORTAL_FORM_TEXT);
    r("a\0=b", PORTAL_FORM_TEXT);
    r("a=%FF", PORTAL_FORM_TEXT);
    r("a=\377", PORTAL_FORM_TEXT);
    r("a=%C3", PORTAL_FORM_TEXT);
    r("a=%C3&b=%A9", PORTAL_FORM_TEXT);
    r("a=%C0%AF", PORTAL_FORM_TEXT);
    r("a=%ED%A0%80", PORTAL_FORM_TEXT);
    r("a=%F4%90%80%80", PORTAL_FORM_TEXT);
    r("a=1&a=2", PORTAL_FORM_DUPLICATE);
    r("a=1&%61=2", PORTAL_FORM_DUPLICATE);
    r("a&b&a", PORTAL_FORM_DUPLICATE);
    r("=1&=2", PORTAL_FORM_DUPLICATE);
    r("a[]=1", PORTAL_FORM_ARRAY);
    r("a%5Bb%5D=1", PORTAL_FORM_ARRAY);
    r("]=1", PORTAL_FORM_ARRAY);
}


static void
test_limits(void)
{
    int              i;
    char             input[2048], *p;
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t  *arena;

    for (p = input, i = 0; i < PORTAL_FORM_FIELDS; i++) {
        p += sprintf(p, "&f%d=%d", i, i);
    }

    arena = portal_arena_create();
    s = str(input);
    is_int(portal_form_parse(&form, &s, arena), PORTAL_OK, "64 fields");
    is_int(form.n, 64, "all of them");

    strcpy(p, "&x");
    s = str(input);
    is_int(portal_form_parse(&form, &s, arena), PORTAL_FORM_MANY,
           "65 fields");

    s.len = 1;
    s.data = (unsigned char *) "a";
    is_int(portal_form_parse(&form, &s, arena), PORTAL_OK, "a form again");
    is_int(form.n, 1, "begins anew");

    portal_arena_destroy(arena);
}


static void *
few(void *ctx, size_t size)
{
    few_t  *f = ctx;

    return f->left-- > 0 ? portal_alloc(f->arena, size) : NULL;
}


static void
test_memory(void)
{
    int              n;
    few_t            f;
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t   scarce;

    f.arena = portal_arena_create();
    scarce.alloc = few;
    scarce.ctx = &f;
    s = str("a=b");

    for (n = 0; n < 10; n++) {
        f.left = n;

        if (portal_form_parse(&form, &s, &scarce) == PORTAL_OK) {
            break;
        }
    }

    is_int(n, 3, "memory for the fields, a name and a value, or an error");

    portal_arena_destroy(f.arena);
}


static void
test_get(void)
{
    portal_str_t         s;
    portal_form_t        form;
    portal_arena_t      *arena;
    const portal_str_t  *v;

    arena = portal_arena_create();
    s = str("ab=1&abc=2&e=&=4");
    portal_form_parse(&form, &s, arena);

    is_str(*portal_form_get(&form, "ab"), "1", "a field");
    is_str(*portal_form_get(&form, "abc"), "2", "another that begins alike");
    ok(portal_form_get(&form, "a") == NULL, "one that is not there");
    ok(portal_form_get(&form, "abcd") == NULL, "nor this");

    v = portal_form_get(&form, "e");
    ok(v && v->len == 0 && v->data[0] == '\0', "an empty one is there");
    is_str(*portal_form_get(&form, ""), "4", "one without a name");

    s.len = 0;
    portal_form_parse(&form, &s, arena);
    ok(portal_form_get(&form, "ab") == NULL, "an empty form has none");

    portal_arena_destroy(arena);
}


static void
test_json(void)
{
    portal_buf_t     b;
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t  *arena;

    static const char *const  omit[] = { "csrf", "password", NULL };

    arena = portal_arena_create();
    s = str("csrf=t&q=%22%3C%5C&password=p&pass=%0A&%22=1");
    portal_form_parse(&form, &s, arena);

    portal_buf_init(&b, arena, 1000);
    is_int(portal_form_json(&b, &form, omit), PORTAL_OK, "JSON");
    s.data = b.data;
    s.len = b.len;
    is_str(s, "{\"q\":\"\\\"\\u003c\\\\\",\"pass\":\"\\u000a\","
              "\"\\\"\":\"1\"}",
           "without what is omitted");

    portal_buf_init(&b, arena, 1000);
    portal_form_json(&b, &form, NULL);
    ok(memmem(b.data, b.len, "\"password\":\"p\"", 14) != NULL
       && memmem(b.data, b.len, "{\"csrf\":\"t\"", 11) != NULL,
       "or with everything");

    portal_buf_init(&b, arena, 10);
    is_int(portal_form_json(&b, &form, NULL), PORTAL_ERROR, "a limit");

    s.len = 0;
    portal_form_parse(&form, &s, arena);
    portal_buf_init(&b, arena, 10);
    portal_form_json(&b, &form, omit);
    tap_is(b.data, b.len, "{}", 2, "an empty form");

    portal_arena_destroy(arena);
}


/* Each cut is a form or is refused for the escape that it cuts. */

static void
test_cut(void)
{
    int              rc, good, text;
    size_t           n;
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t  *arena;

    static const char  input[] = "a=%C3%A9&b=+&c&d=%41";

    good = 0;
    text = 0;

    for (n = 0; n < sizeof(input); n++) {
        arena = portal_arena_create();
        s = str_exact(input, n);

        rc = portal_form_parse(&form, &s, arena);
        good += (rc == PORTAL_OK);
        text += (rc == PORTAL_FORM_TEXT);

        free(s.data);
        portal_arena_destroy(arena);
    }

    is_int(text, 7, "cuts within an escape or a character");
    is_int(good, (int) sizeof(input) - 7, "the others");
}


int
main(void)
{
    test_parse();
    test_refused();
    test_limits();
    test_memory();
    test_get();
    test_json();
    test_cut();

    return tap_done();
}
