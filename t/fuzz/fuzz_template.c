
/*
 * Copyright (C) the nginx client portal authors
 *
 * Templates and values: "TEMPLATE NUL VALUE".  What is rendered is UTF-8,
 * the same whatever the size of its buffers, and where the template writes
 * no value raw, no "<" of a value comes out of it.
 */


#include "fuzz.h"
#include "portal_template_code.h"
#include "portal_text.h"


#define FUZZ_OUT   (256 * 1024)

/* stands behind every "<" of the value, and nowhere in the template */
#define FUZZ_MARK  "\356\200\200"


typedef struct {
    portal_str_t    text;
} fuzz_load_t;


typedef struct {
    portal_out_t    out;
    size_t          step;
    unsigned char  *data;
} fuzz_sink_t;


static int fuzz_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file);
static int fuzz_asset(void *ctx, const portal_str_t *name,
    portal_str_t *url);
static int fuzz_more(portal_out_t *out);
static portal_locale_t *fuzz_locale(portal_arena_t *arena);
static portal_json_t *fuzz_doc(portal_arena_t *arena,
    const portal_str_t *value);
static int fuzz_raw(const portal_template_set_t *set);
static int fuzz_render(const portal_template_t *t, const portal_view_t *v,
    fuzz_sink_t *sink, size_t step);


static const char  words[] =
    "{\"_format\":{\"today\":\"aujourd'hui\",\"yesterday\":\"hier\","
    "\"tomorrow\":\"demain\",\"day\":\"{d} {mon}\",\"day_year\":"
    "\"{d} {mon} {y}\",\"full\":\"{d} {month} {y}\",\"month\":"
    "\"{Month} {y}\",\"time\":\"{h}:{m}\",\"datetime\":\"{date}, {time}\","
    "\"first\":\"1er\",\"decimal\":\",\",\"group\":\" \",\"unit\":"
    "\"{n} {unit}\",\"money\":\"{n} {currency}\",\"months\":[\"a\",\"b\","
    "\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\"],"
    "\"short_months\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\","
    "\"i\",\"j\",\"k\",\"l\"],\"units\":[\"o\",\"Ko\",\"Mo\",\"Go\"],"
    "\"plural_from_two\":true},\"w\":\"word {v} {n|date}\",\"p\":{\"one\":"
    "\"{n} one {v}\",\"other\":\"{n} many {v}\"},\"t\":{\"x\":\"{v}\"}}";


static int
fuzz_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    fuzz_load_t  *load = ctx;

    (void) file;

    if (portal_str_is(name, "t")) {
        *text = load->text;

    } else if (portal_str_is(name, "p")) {
        portal_str_set(text, "[{{v}}\n {{$b}}{{v}}{{/b}}\n]");

    } else if (portal_str_is(name, "l")) {
        portal_str_set(text, "x\n  {{$b}}\n    y {{v}}\n  {{/b}}\n{{>p}}");

    } else {
        return PORTAL_DECLINED;
    }

    return PORTAL_OK;
}


static int
fuzz_asset(void *ctx, const portal_str_t *name, portal_str_t *url)
{
    (void) ctx;

    *url = *name;

    return PORTAL_OK;
}


static int
fuzz_more(portal_out_t *out)
{
    size_t        n;
    fuzz_sink_t  *sink = out->ctx;

    n = FUZZ_OUT - (size_t) (out->pos - sink->data);

    if (n == 0) {
        return PORTAL_ERROR;
    }

    out->end = out->pos + (n < sink->step ? n : sink->step);

    return PORTAL_OK;
}


static portal_locale_t *
fuzz_locale(portal_arena_t *arena)
{
    portal_str_t      code, json, file;
    portal_error_t    err;
    portal_locale_t  *locale;

    portal_str_set(&code, "fr");
    portal_str_set(&json, words);
    portal_str_set(&file, "fr.json");

    locale = portal_locale_create(arena, &code);
    fuzz_check(portal_locale_add(locale, &json, &file, &err) == PORTAL_OK);

    return locale;
}


/* The value under every name that a template would use. */

static portal_json_t *
fuzz_doc(portal_arena_t *arena, const portal_str_t *value)
{
    size_t          i;
    portal_buf_t    b, v;
    portal_str_t    s;
    portal_json_t  *doc;

    portal_buf_init(&v, arena, 65536);
    portal_buf_puts(&v, "\"");

    for (i = 0; i < value->len; i++) {

        if (value->data[i] == '<') {
            portal_buf_puts(&v, i & 1 ? "<" FUZZ_MARK
                                      : "\\u003c" FUZZ_MARK);

        } else if (value->data[i] < 0x20 || value->data[i] == '"'
                   || value->data[i] == '\\')
        {
            char  esc[8];

            snprintf(esc, sizeof(esc), "\\u%04x", value->data[i]);
            portal_buf_puts(&v, esc);

        } else {
            portal_buf_add(&v, &value->data[i], 1);
        }
    }

    portal_buf_puts(&v, "\"");
    s.data = v.data;
    s.len = v.len;

    portal_buf_init(&b, arena, 1024 * 1024);
    portal_buf_puts(&b, "{\"v\":");
    portal_buf_str(&b, &s);
    portal_buf_puts(&b, ",\"a\":");
    portal_buf_str(&b, &s);
    portal_buf_puts(&b, ",\"l\":[{\"v\":");
    portal_buf_str(&b, &s);
    portal_buf_puts(&b, ",\"k\":\"x\"}],\"o\":{\"a\":{\"b\":");
    portal_buf_str(&b, &s);
    portal_buf_puts(&b, "}},\"e\":[],\"z\":0,\"n\":12345,\"d\":"
                        "\"2026-03-04T10:20:30\",\"k\":\"p\",\"nil\":null}");

    fuzz_check(!b.failed);

    s.data = b.data;
    s.len = b.len;
    doc = portal_calloc(arena, 1, sizeof(portal_json_t));

    fuzz_check(portal_json_parse(doc, &s, arena) == PORTAL_OK);

    return doc;
}


static int
fuzz_raw(const portal_template_set_t *set)
{
    size_t                    i;
    const portal_template_t  *t;

    for (t = set->first; t; t = t->next) {
        for (i = 0; i < t->nops; i++) {
            fuzz_check(t->ops[i].end > i && t->ops[i].end <= t->nops);

            if (t->ops[i].raw && t->ops[i].type == portal_op_name) {
                return 1;
            }
        }
    }

    return 0;
}


static int
fuzz_render(const portal_template_t *t, const portal_view_t *v,
    fuzz_sink_t *sink, size_t step)
{
    sink->data = malloc(FUZZ_OUT);
    fuzz_check(sink->data);

    sink->step = step;
    sink->out.pos = sink->data;
    sink->out.end = sink->data;
    sink->out.more = fuzz_more;
    sink->out.ctx = sink;

    return portal_template_render(t, v, &sink->out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     rc;
    size_t                  len;
    fuzz_sink_t             a, b;
    fuzz_load_t             load;
    portal_str_t            value, name;
    portal_view_t           v;
    portal_error_t          err;
    portal_arena_t         *arena;
    portal_locale_t        *locale;
    portal_template_t      *t;
    portal_template_set_t  *set;

    load.text = fuzz_piece(&data, &size);
    value = fuzz_piece(&data, &size);

    arena = portal_arena_create();
    memset(&err, 0, sizeof(portal_error_t));

    locale = fuzz_locale(arena);
    set = portal_template_set_create(arena, fuzz_load, fuzz_asset, &load,
                                     &locale, 1);

    portal_str_set(&name, "t");
    t = portal_template_get(set, &name, &err);

    if (t == NULL) {
        fuzz_check(err.text[0] && memchr(err.text, 0, sizeof(err.text)));
        goto done;
    }

    memset(&v, 0, sizeof(portal_view_t));
    v.locale = locale;
    v.roots[0] = fuzz_doc(arena, &value);
    v.nroots = 1;
    portal_str_set(&v.today, "2026-03-05");

    rc = fuzz_render(t, &v, &a, FUZZ_OUT);
    fuzz_check(fuzz_render(t, &v, &b, 3) == rc);

    len = (size_t) (a.out.pos - a.data);

    if (rc == PORTAL_OK) {
        fuzz_check(len == (size_t) (b.out.pos - b.data)
                   && memcmp(a.data, b.data, len) == 0);
        fuzz_check(portal_utf8_valid(a.data, len));

        if (!fuzz_raw(set)
            && !memmem(load.text.data, load.text.len, FUZZ_MARK, 3))
        {
            fuzz_check(!memmem(a.data, len, "<" FUZZ_MARK, 4));
        }
    }

    free(a.data);
    free(b.data);

done:

    portal_arena_destroy(arena);
    free(load.text.data);
    free(value.data);

    return 0;
}
