
/*
 * Copyright (C) the nginx client portal authors
 *
 * Query strings and forms: what was read, written again, reads the same;
 * and its JSON is what jansson reads.
 */


#include <jansson.h>
#include "fuzz.h"
#include "portal_form.h"
#include "portal_text.h"


static void fuzz_json(const portal_form_t *form, portal_arena_t *arena);
static void fuzz_again(const portal_form_t *form, portal_arena_t *arena);


static void
fuzz_json(const portal_form_t *form, portal_arena_t *arena)
{
    size_t         i;
    json_t        *root, *value;
    portal_buf_t   b;
    portal_str_t  *s;

    portal_buf_init(&b, arena, 1024 * 1024);
    fuzz_check(portal_form_json(&b, form, NULL) == PORTAL_OK);

    root = json_loadb((char *) b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
    fuzz_check(json_object_size(root) == form->n);

    for (i = 0; i < form->n; i++) {
        value = json_object_get(root, (char *) form->fields[i].name.data);
        s = &form->fields[i].value;

        fuzz_check(json_string_length(value) == s->len
                   && memcmp(json_string_value(value), s->data, s->len) == 0);
    }

    for (i = 0; i < b.len; i++) {
        fuzz_check(b.data[i] >= 0x20 && b.data[i] != '<');
    }

    json_decref(root);
}


static void
fuzz_again(const portal_form_t *form, portal_arena_t *arena)
{
    size_t         i;
    portal_buf_t   b;
    portal_str_t   s;
    portal_form_t  again;

    portal_buf_init(&b, arena, 1024 * 1024);

    for (i = 0; i < form->n; i++) {
        portal_buf_urlencode(&b, &form->fields[i].name);
        portal_buf_puts(&b, "=");
        portal_buf_urlencode(&b, &form->fields[i].value);
        portal_buf_puts(&b, "&");
    }

    s.data = b.data;
    s.len = b.len;

    fuzz_check(portal_form_parse(&again, &s, arena) == PORTAL_OK);
    fuzz_check(again.n == form->n);

    for (i = 0; i < form->n; i++) {
        s = again.fields[i].value;

        fuzz_check(s.len == form->fields[i].value.len
                   && memcmp(s.data, form->fields[i].value.data, s.len) == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              rc;
    size_t           i;
    portal_str_t     s;
    portal_form_t    form;
    portal_arena_t  *arena;

    s = fuzz_copy(data, size);
    arena = portal_arena_create();

    rc = portal_form_parse(&form, &s, arena);
    free(s.data);

    if (rc == PORTAL_OK) {
        fuzz_check(form.n <= PORTAL_FORM_FIELDS);

        for (i = 0; i < form.n; i++) {
            fuzz_check(portal_utf8_valid(form.fields[i].name.data,
                                         form.fields[i].name.len));
            fuzz_check(portal_utf8_valid(form.fields[i].value.data,
                                         form.fields[i].value.len));
            fuzz_check(portal_form_get(&form,
                                       (char *) form.fields[i].name.data)
                       == &form.fields[i].value);
        }

        fuzz_json(&form, arena);
        fuzz_again(&form, arena);

    } else {
        fuzz_check(rc <= PORTAL_FORM_MANY && rc >= PORTAL_FORM_TEXT);
    }

    portal_arena_destroy(arena);

    return 0;
}
