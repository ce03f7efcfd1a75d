
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the visitor's headers and parameters ask for.
 */


#ifndef _PORTAL_ACCEPT_H_INCLUDED_
#define _PORTAL_ACCEPT_H_INCLUDED_


#include "portal_common.h"


/*
 * 1: the Accept header (RFC 9110, 12.5.1) names application/json or
 * application/problem+json, and not text/html with the same or more weight.
 */
int portal_accepts_json(const portal_str_t *accept);

/*
 * Index in codes (n of them, two letters each) of the language that the
 * Accept-Language header (RFC 9110, 12.5.4) likes best, or -1.
 */
int portal_accept_language(const portal_str_t *header,
    const portal_str_t *codes, size_t n);

/*
 * 1: a target that stays on this origin: begins with one "/" that neither
 * "/" nor "\" follows, and has printable ASCII only.
 */
int portal_next_valid(const portal_str_t *next);


#endif /* _PORTAL_ACCEPT_H_INCLUDED_ */
