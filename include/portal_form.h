
/*
 * Copyright (C) the nginx client portal authors
 *
 * Query strings and forms (application/x-www-form-urlencoded, WHATWG URL
 * standard, section 5), strictly: what is ambiguous is refused.
 */


#ifndef _PORTAL_FORM_H_INCLUDED_
#define _PORTAL_FORM_H_INCLUDED_


#include "portal_common.h"


#define PORTAL_FORM_FIELDS       64

#define PORTAL_FORM_MANY       -20      /* more than PORTAL_FORM_FIELDS */
#define PORTAL_FORM_DUPLICATE  -21      /* a name twice */
#define PORTAL_FORM_ARRAY      -22      /* "[" or "]" in a name */
#define PORTAL_FORM_TEXT       -23      /* NUL, not UTF-8, bad escape */


typedef struct {
    portal_str_t          name;
    portal_str_t          value;
} portal_form_field_t;


typedef struct {
    portal_form_field_t  *fields;
    size_t                n;
} portal_form_t;


/*
 * Decoded copies of all fields, in the arena.  PORTAL_OK, PORTAL_ERROR
 * (memory), or one of the reasons above: answer 400.
 */
int portal_form_parse(portal_form_t *form, const portal_str_t *input,
    portal_arena_t *arena);

/* The value of the field, or NULL where there is none. */
const portal_str_t *portal_form_get(const portal_form_t *form,
    const char *name);

/*
 * Appends the fields as a JSON object of strings, but those named in the
 * NULL-terminated list omit (or NULL).
 */
int portal_form_json(portal_buf_t *b, const portal_form_t *form,
    const char *const *omit);


#endif /* _PORTAL_FORM_H_INCLUDED_ */
