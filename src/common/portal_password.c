
/*
 * Copyright (C) the nginx client portal authors
 *
 * argon2id of a password (see portal_password.h).
 */


#include <sodium.h>
#include "portal_password.h"


int
portal_password_hash(unsigned char out[32], const portal_str_t *password,
    const unsigned char salt[16], unsigned ops, unsigned mem_kib)
{
    if (password->len == 0 || password->len > PORTAL_PASSWORD_MAX
        || ops < 1 || ops > 10
        || mem_kib < 8 * 1024 || mem_kib > 256 * 1024)
    {
        return PORTAL_ERROR;
    }

    if (crypto_pwhash(out, 32, (const char *) password->data, password->len,
                      salt, ops, (size_t) mem_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13)
        != 0)
    {
        return PORTAL_ERROR;
    }

    return PORTAL_OK;
}
