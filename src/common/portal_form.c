
/*
 * Copyright (C) the nginx client portal authors
 *
 * Query strings and forms (see portal_form.h).
 */


#include "portal_form.h"
#include "portal_text.h"


static int portal_form_decode(portal_str_t *dst, const unsigned char *p,
    const unsigned char *last, portal_arena_t *arena);
static int portal_form_add(portal_form_t *form, const unsigned char *p,
    const unsigned char *last, portal_arena_t *arena);


int
portal_form_parse(portal_form_t *form, const portal_str_t *input,
    portal_arena_t *arena)
{
    int                   rc;
    const unsigned char  *p, *last, *end;

    form->n = 0;
    form->fields = NULL;

    if (input->len == 0) {
        return PORTAL_OK;
    }

    p = input->data;
    last = p + input->len;

    while (p <= last) {
        end = p < last ? memchr(p, '&', (size_t) (last - p)) : NULL;

        if (end == NULL) {
            end = last;
        }

        if (end > p) {
            rc = portal_form_add(form, p, end, arena);

            if (rc != PORTAL_OK) {
                return rc;
            }
        }

        p = end + 1;
    }

    return PORTAL_OK;
}


static int
portal_form_add(portal_form_t *form, const unsigned char *p,
    const unsigned char *last, portal_arena_t *arena)
{
    int                   rc;
    size_t                i;
    portal_form_field_t  *field;
    const unsigned char  *equal;

    if (form->n == PORTAL_FORM_FIELDS) {
        return PORTAL_FORM_MANY;
    }

    if (form->fields == NULL) {
        form->fields = portal_calloc(arena, PORTAL_FORM_FIELDS,
                                     sizeof(portal_form_field_t));
        if (form->fields == NULL) {
            return PORTAL_ERROR;
        }
    }

    field = &form->fields[form->n];

    equal = memchr(p, '=', (size_t) (last - p));

    rc = portal_form_decode(&field->name, p, equal ? equal : last, arena);

    if (rc == PORTAL_OK) {
        rc = portal_form_decode(&field->value, equal ? equal + 1 : last,
                                last, arena);
    }

    if (rc != PORTAL_OK) {
        return rc;
    }

    for (i = 0; i < field->name.len; i++) {
        if (field->name.data[i] == '[' || field->name.data[i] == ']') {
            return PORTAL_FORM_ARRAY;
        }
    }

    for (i = 0; i < form->n; i++) {
        if (form->fields[i].name.len == field->name.len
            && memcmp(form->fields[i].name.data, field->name.data,
                      field->name.len)
               == 0)
        {
            return PORTAL_FORM_DUPLICATE;
        }
    }

    form->n++;

    return PORTAL_OK;
}


static int
portal_form_decode(portal_str_t *dst, const unsigned char *p,
    const unsigned char *last, portal_arena_t *arena)
{
    portal_str_t    hex;
    unsigned char  *d, c;

    dst->data = portal_alloc(arena, (size_t) (last - p) + 1);
    if (dst->data == NULL) {
        return PORTAL_ERROR;
    }

    d = dst->data;

    while (p < last) {
        c = *p++;

        if (c == '+') {
            c = ' ';

        } else if (c == '%') {
            if (last - p < 2) {
                return PORTAL_FORM_TEXT;
            }

            hex.data = (unsigned char *) p;
            hex.len = 2;

            if (portal_hex_decode(&c, &hex) != PORTAL_OK) {
                return PORTAL_FORM_TEXT;
            }

            p += 2;
        }

        *d++ = c;
    }

    *d = '\0';
    dst->len = (size_t) (d - dst->data);

    return portal_utf8_valid(dst->data, dst->len) ? PORTAL_OK
                                                  : PORTAL_FORM_TEXT;
}


const portal_str_t *
portal_form_get(const portal_form_t *form, const char *name)
{
    size_t  i, len;

    len = strlen(name);

    for (i = 0; i < form->n; i++) {
        if (form->fields[i].name.len == len
            && memcmp(form->fields[i].name.data, name, len) == 0)
        {
            return &form->fields[i].value;
        }
    }

    return NULL;
}


int
portal_form_json(portal_buf_t *b, const portal_form_t *form,
    const char *const *omit)
{
    size_t               i;
    const char          *comma;
    const char *const   *o;
    const portal_str_t  *name;

    comma = "";
    portal_buf_puts(b, "{");

    for (i = 0; i < form->n; i++) {
        name = &form->fields[i].name;

        for (o = omit; o && *o; o++) {
            if (strlen(*o) == name->len
                && memcmp(*o, name->data, name->len) == 0)
            {
                break;
            }
        }

        if (o && *o) {
            continue;
        }

        portal_buf_puts(b, comma);
        portal_buf_json(b, name);
        portal_buf_puts(b, ":");
        portal_buf_json(b, &form->fields[i].value);
        comma = ",";
    }

    return portal_buf_puts(b, "}");
}
