
/*
 * Copyright (C) the nginx client portal authors
 *
 * Tokens that are recognised before a query, tokens of forms, and sealed
 * values: everything that needs the key file.
 */


#ifndef _PORTAL_TOKEN_H_INCLUDED_
#define _PORTAL_TOKEN_H_INCLUDED_


#include "portal_common.h"


#define PORTAL_TOKEN_RAW   40       /* 32 random bytes, 8 of their check */
#define PORTAL_TOKEN_TEXT  54       /* the same in base64url */
#define PORTAL_CSRF_TEXT   64


typedef struct {
    unsigned char    token[32];
    unsigned char    csrf[32];
    unsigned char    seal[32];
    unsigned char    hash[16];
} portal_key_t;


typedef struct {
    portal_key_t     keys[2];       /* the first one signs, both verify */
    unsigned         n;
} portal_keyring_t;


/*
 * Reads a key file: one or two lines of 64 hex digits, the first of which
 * is current; empty lines and lines with "#" do not count.  PORTAL_ERROR:
 * err->line and err->text say why; nothing of the text is repeated.
 */
int portal_keyring_parse(portal_keyring_t *kr, const portal_str_t *text,
    portal_error_t *err);

/*
 * A new token: raw bytes and their text of PORTAL_TOKEN_TEXT bytes.
 * purpose: "" a session's; what is made for one is none for another.
 */
void portal_token_new(const portal_keyring_t *kr, const char *purpose,
    unsigned char raw[PORTAL_TOKEN_RAW],
    unsigned char text[PORTAL_TOKEN_TEXT]);

/*
 * PORTAL_OK: well formed, and its check was made for this purpose with one
 * of our keys; PORTAL_DECLINED: not ours.  Compared in constant time.
 */
int portal_token_check(const portal_keyring_t *kr, const char *purpose,
    const portal_str_t *text, unsigned char raw[PORTAL_TOKEN_RAW]);

/* SHA-256 of the raw token: what PostgreSQL and the zone know it by. */
void portal_token_hash(unsigned char out[32],
    const unsigned char raw[PORTAL_TOKEN_RAW]);

/*
 * A form's token for the session sid: base64url of 16 random bytes and
 * HMAC-SHA-256(key, sid || random).  Another text every time, so that a
 * compressed page does not give it away (BREACH).
 */
void portal_csrf_new(const portal_keyring_t *kr, const unsigned char sid[32],
    unsigned char text[PORTAL_CSRF_TEXT]);
int portal_csrf_check(const portal_keyring_t *kr,
    const unsigned char sid[32], const portal_str_t *text);

/*
 * Seals plain (XChaCha20-Poly1305, base64url) until expires, in seconds of
 * the epoch, for this purpose and aad only.
 */
int portal_seal(const portal_keyring_t *kr, const char *purpose,
    const portal_str_t *aad, const portal_str_t *plain, int64_t expires,
    portal_buf_t *out);

/* PORTAL_DECLINED: not ours, another purpose or aad, or expired at now. */
int portal_unseal(const portal_keyring_t *kr, const char *purpose,
    const portal_str_t *aad, const portal_str_t *text, int64_t now,
    portal_arena_t *arena, portal_str_t *plain);

/* SipHash-2-4 under the current key: of tables, not of proofs. */
uint64_t portal_keyed_hash(const portal_keyring_t *kr, const void *data,
    size_t len);


#endif /* _PORTAL_TOKEN_H_INCLUDED_ */
