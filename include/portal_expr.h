
/*
 * Copyright (C) the nginx client portal authors
 *
 * What stands between the braces of a template or of a word: a dotted name
 * or a quoted literal, and pipes.
 *
 *     date         today, 5 mars, 5 mars 2025
 *     fulldate     5 mars 2025
 *     month        Mars 2025, of a date or of YYYY-MM
 *     time         14:05
 *     datetime     the date and the time
 *     size         bytes: 2,1 Mo
 *     money:CODE   the currency's smallest units: 1 234,50 EUR; EUR is the
 *                  one that need not be named
 *     number       1 234
 *     initials     the first letters of the first and of the last word
 *     plural:KEY   the word KEY for this number; {n} in it is the number
 *     t:PREFIX     the word whose key is PREFIX and the value; without such
 *                  a word the value
 *     asset        of a literal: the address of the file of that name
 *     url          percent-encoded
 *     json         fit for a script element with three braces, for an
 *                  attribute in quotes with two
 *
 * The last five end the expression.  A value that a pipe cannot read, a date
 * that is none, is written as it is.
 */


#ifndef _PORTAL_EXPR_H_INCLUDED_
#define _PORTAL_EXPR_H_INCLUDED_


#include "portal_common.h"


typedef enum {
    portal_to_date = 0,
    portal_to_fulldate,
    portal_to_month,
    portal_to_time,
    portal_to_datetime,
    portal_to_size,
    portal_to_money,
    portal_to_number,
    portal_to_plural,
    portal_to_t,
    portal_to_asset,
    portal_to_url,
    portal_to_json,
    portal_to_initials
} portal_pipe_e;


typedef struct portal_pipe_s  portal_pipe_t;

struct portal_pipe_s {
    portal_pipe_e      type;
    portal_str_t       arg;
    portal_pipe_t      *next;
};


typedef struct {
    portal_str_t       literal;      /* data set: a quoted literal */
    portal_str_t      *parts;        /* of a dotted name; none: "." */
    unsigned           nparts;
    portal_pipe_t      *pipes;
} portal_expr_t;


/*
 * Compiles name|pipe:arg|pipe; texts point into s.  NULL: err->text says
 * what is wrong (an unknown pipe, an empty name, no memory).
 */
portal_expr_t *portal_expr_compile(portal_arena_t *arena,
    const portal_str_t *s, portal_error_t *err);


#endif /* _PORTAL_EXPR_H_INCLUDED_ */
