
/*
 * Copyright (C) the nginx client portal authors
 *
 * What stands between the braces of a template or of a word: a dotted name
 * or a quoted literal, and pipes.
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
