
/*
 * Copyright (C) the nginx client portal authors
 *
 * argon2id (RFC 9106) of a password, by libsodium.
 */


#ifndef _PORTAL_PASSWORD_H_INCLUDED_
#define _PORTAL_PASSWORD_H_INCLUDED_


#include "portal_common.h"


#define PORTAL_PASSWORD_MAX  1024       /* bytes */


/*
 * out = argon2id(password, salt), one lane.  ops 1 to 10, mem_kib 8 MiB to
 * 256 MiB: what a row says beyond that is damaged or planted.  Takes tens
 * of milliseconds and mem_kib of memory; safe in any thread.
 * PORTAL_ERROR: parameters out of range, or no memory.
 */
int portal_password_hash(unsigned char out[32], const portal_str_t *password,
    const unsigned char salt[16], unsigned ops, unsigned mem_kib);


#endif /* _PORTAL_PASSWORD_H_INCLUDED_ */
