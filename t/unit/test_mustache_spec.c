
/*
 * Copyright (C) the nginx client portal authors
 *
 * The specification of Mustache: every case of its files.
 */


#include <jansson.h>
#include <unistd.h>
#include "portal_template.h"
#include "tap.h"


#define SPEC  "../shared/data/mustache-spec"


typedef struct {
    json_t          *partials;
    const char      *text;
} spec_load_t;


typedef struct {
    portal_out_t     out;
    unsigned char    data[4096];
} spec_out_t;


static const char  *files[] = {
    "comments", "delimiters", "interpolation", "inverted", "partials",
    "sections", "~inheritance", "~dynamic-names", NULL
};


static int spec_load(void *ctx, const portal_str_t *name,
    portal_str_t *text, portal_str_t *file);
static int spec_more(portal_out_t *out);
static void spec_case(const char *file, json_t *test);
static int spec_render(portal_arena_t *arena, json_t *test, spec_out_t *o,
    portal_error_t *err);


static int
spec_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    char          key[256];
    json_t       *value;
    spec_load_t  *load = ctx;

    (void) file;

    if (name->len == 0) {
        *text = str(load->text);
        return PORTAL_OK;
    }

    snprintf(key, sizeof(key), "%.*s", (int) name->len, name->data);
    value = json_object_get(load->partials, key);

    if (value == NULL) {
        return PORTAL_DECLINED;
    }

    *text = str(json_string_value(value));

    return PORTAL_OK;
}


static int
spec_more(portal_out_t *out)
{
    (void) out;

    return PORTAL_ERROR;
}


static int
spec_render(portal_arena_t *arena, json_t *test, spec_out_t *o,
    portal_error_t *err)
{
    int                     rc;
    char                   *data;
    json_t                 *value;
    const char             *key;
    spec_load_t             load;
    portal_str_t            name, text;
    portal_json_t           doc;
    portal_view_t           view;
    portal_template_t      *t;
    portal_template_set_t  *set;

    load.partials = json_object_get(test, "partials");
    load.text = json_string_value(json_object_get(test, "template"));

    set = portal_template_set_create(arena, spec_load, NULL, &load, NULL, 0);
    portal_template_set_lenient(set);

    /* a dynamic name finds what is compiled */

    json_object_foreach(load.partials, key, value) {
        name = str(key);

        if (portal_template_get(set, &name, err) == NULL) {
            return PORTAL_ERROR;
        }
    }

    name = str("");
    t = portal_template_get(set, &name, err);

    if (t == NULL) {
        return PORTAL_ERROR;
    }

    data = json_dumps(json_object_get(test, "data"),
                      JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    text = str(data);

    memset(&view, 0, sizeof(portal_view_t));

    rc = portal_json_parse(&doc, &text, arena);

    if (rc == PORTAL_OK) {
        view.roots[0] = &doc;
        view.nroots = 1;

        o->out.pos = o->data;
        o->out.end = o->data + sizeof(o->data);
        o->out.more = spec_more;

        rc = portal_template_render(t, &view, &o->out);
    }

    free(data);

    return rc;
}


static void
spec_case(const char *file, json_t *test)
{
    int              rc;
    char             what[256];
    const char      *expected;
    spec_out_t       o;
    portal_error_t   err;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    memset(&err, 0, sizeof(portal_error_t));
    o.out.pos = o.data;

    snprintf(what, sizeof(what), "%s: %s", file,
             json_string_value(json_object_get(test, "name")));

    rc = spec_render(arena, test, &o, &err);

    if (rc != PORTAL_OK) {
        ok(0, "%s", what);
        printf("# %s\n", err.text);

    } else {
        expected = json_string_value(json_object_get(test, "expected"));
        tap_is(o.data, (size_t) (o.out.pos - o.data), expected,
               strlen(expected), what);
    }

    portal_arena_destroy(arena);
}


int
main(void)
{
    char     path[256];
    size_t   i;
    json_t  *root, *test;

    if (access(SPEC, R_OK) != 0) {
        return tap_skip_all("no " SPEC);
    }

    for (i = 0; files[i]; i++) {
        snprintf(path, sizeof(path), "%s/%s.json", SPEC, files[i]);

        root = json_load_file(path, 0, NULL);

        if (!ok(root != NULL, "%s", path)) {
            continue;
        }

        size_t  n;

        json_array_foreach(json_object_get(root, "tests"), n, test) {
            spec_case(files[i], test);
        }

        json_decref(root);
    }

    return tap_done();
}
