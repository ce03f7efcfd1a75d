
/*
 * Copyright (C) the nginx client portal authors
 *
 * Small checks and encodings of text.
 */


#ifndef _PORTAL_TEXT_H_INCLUDED_
#define _PORTAL_TEXT_H_INCLUDED_


#include "portal_common.h"


/* 1: well-formed UTF-8 without NUL (RFC 3629: no surrogate, no overlong). */
int portal_utf8_valid(const unsigned char *data, size_t len);

/* 1: has a byte below 0x20, or 0x7f. */
int portal_has_control(const portal_str_t *s);

/* Writes (len * 4 + 2) / 3 bytes without padding, returns how many. */
size_t portal_base64url(unsigned char *dst, const unsigned char *src,
    size_t len);

/*
 * RFC 4648, section 5, without padding; canonical text only (no spare
 * bits).  dst has room for len * 3 / 4 bytes.
 */
int portal_base64url_decode(unsigned char *dst, size_t *len,
    const portal_str_t *src);

/* src->len / 2 bytes from lower-case or upper-case hex digits. */
int portal_hex_decode(unsigned char *dst, const portal_str_t *src);

/* The 16 bytes of a UUID in its canonical form of 36 lower-case bytes. */
int portal_uuid_parse(unsigned char out[16], const portal_str_t *s);

/* 1: a slug: 1 to 64 of a-z, 0-9 and "-", which is neither first nor last. */
int portal_slug_valid(const portal_str_t *s);

/* Percent-encodes all but the unreserved characters of RFC 3986. */
int portal_buf_urlencode(portal_buf_t *b, const portal_str_t *s);


#endif /* _PORTAL_TEXT_H_INCLUDED_ */
