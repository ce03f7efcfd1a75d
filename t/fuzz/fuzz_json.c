
/*
 * Copyright (C) the nginx client portal authors
 *
 * JSON, read as jansson reads it.
 */


#include <jansson.h>
#include "fuzz.h"
#include "portal_json.h"
#include "portal_text.h"


static unsigned fuzz_nesting(const portal_str_t *s);
static uint32_t fuzz_same(const portal_json_t *doc, uint32_t node,
    json_t *value);
static void fuzz_string(const portal_json_t *doc, uint32_t node,
    const char *want, size_t len);
static void fuzz_nodes(const portal_json_t *doc, size_t len);


static unsigned
fuzz_nesting(const portal_str_t *s)
{
    size_t    i;
    unsigned  depth, most, quoted;

    depth = most = quoted = 0;

    for (i = 0; i < s->len; i++) {

        if (quoted) {
            i += (s->data[i] == '\\');
            quoted = !(i < s->len && s->data[i] == '"'
                       && s->data[i - 1] != '\\')
                     || (i && s->data[i - 1] == '\\');
            continue;
        }

        quoted = s->data[i] == '"';
        depth += s->data[i] == '[' || s->data[i] == '{';
        most = depth > most ? depth : most;
        depth -= depth && (s->data[i] == ']' || s->data[i] == '}');
    }

    return most;
}


/* The text as its characters, a lone surrogate aside. */

static void
fuzz_string(const portal_json_t *doc, uint32_t node, const char *want,
    size_t len)
{
    size_t                n;
    unsigned char         c[4];
    const unsigned char  *p, *last;

    p = doc->text + doc->nodes[node].start;
    last = p + doc->nodes[node].len;

    while (p < last) {
        n = portal_json_next(&p, last, c);
        fuzz_check(n && n <= 4 && n <= len && memcmp(c, want, n) == 0);
        want += n;
        len -= n;
    }

    fuzz_check(len == 0);
}


/* The same tree; returns the node behind it. */

static uint32_t
fuzz_same(const portal_json_t *doc, uint32_t node, json_t *value)
{
    size_t                     i;
    json_t                    *member;
    uint32_t                   child;
    portal_str_t               name;
    const char                *key;
    const portal_json_node_t  *n;

    n = &doc->nodes[node];
    child = node + 1;

    switch (n->type) {

    case portal_json_null:
        fuzz_check(json_is_null(value));
        break;

    case portal_json_false:
        fuzz_check(json_is_false(value));
        break;

    case portal_json_true:
        fuzz_check(json_is_true(value));
        break;

    case portal_json_number:
        fuzz_check(json_is_number(value));
        break;

    case portal_json_string:
        fuzz_string(doc, node, json_string_value(value),
                    json_string_length(value));
        break;

    case portal_json_array:
        fuzz_check(json_array_size(value) == n->len);

        json_array_foreach(value, i, member) {
            child = fuzz_same(doc, child, member);
        }

        break;

    default:
        fuzz_check(json_object_size(value) == n->len);

        json_object_foreach(value, key, member) {
            fuzz_string(doc, child, key, strlen(key));

            if (!doc->nodes[child].escaped) {
                name.data = (unsigned char *) key;
                name.len = strlen(key);
                fuzz_check(portal_json_member(doc, node, &name) == child + 1);
            }

            child = fuzz_same(doc, child + 1, member);
        }
    }

    fuzz_check(n->next == child);

    return child;
}


static void
fuzz_nodes(const portal_json_t *doc, size_t len)
{
    uint32_t                   i;
    const portal_json_node_t  *n;

    fuzz_check(doc->n && doc->nodes[0].next == doc->n);

    for (i = 0; i < doc->n; i++) {
        n = &doc->nodes[i];

        fuzz_check(n->next > i && n->next <= doc->n && n->start < len + 1);

        if (n->type < portal_json_array) {
            fuzz_check(n->next == i + 1 && n->start + n->len <= len);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              rc;
    json_t          *root;
    json_error_t     err;
    portal_str_t     s;
    portal_json_t    doc;
    portal_arena_t  *arena;

    s = fuzz_copy(data, size);
    arena = portal_arena_create();

    rc = portal_json_parse(&doc, &s, arena);

    root = json_loadb((char *) s.data, s.len,
                      JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &err);

    if (rc == PORTAL_OK) {
        fuzz_nodes(&doc, s.len);

        if (root) {
            (void) fuzz_same(&doc, 0, root);
        }

    } else if (root && memchr(s.data, 0, s.len) == NULL) {

        /* jansson takes a NUL behind the value for the end */

        fuzz_check(fuzz_nesting(&s) > 64);
    }

    json_decref(root);
    portal_arena_destroy(arena);
    free(s.data);

    return 0;
}
