
/*
 * Copyright (C) the nginx client portal authors
 *
 * Tokens, form tokens and sealed values (see portal_token.h).
 */


#include <sodium.h>
#include <stdio.h>
#include <openssl/sha.h>
#include "portal_text.h"
#include "portal_token.h"


#define PORTAL_SEAL_OVERHEAD                                                  \
    (crypto_aead_xchacha20poly1305_ietf_NPUBBYTES                             \
     + crypto_aead_xchacha20poly1305_ietf_ABYTES + 8)


static int portal_keyring_key(portal_key_t *key, const portal_str_t *line);
static void portal_token_mac(const portal_key_t *key, const char *purpose,
    const unsigned char random[32], unsigned char mac[8]);
static void portal_csrf_mac(const portal_key_t *key,
    const unsigned char sid[32], const unsigned char random[16],
    unsigned char mac[32]);
static int portal_seal_aad(const char *purpose, const portal_str_t *aad,
    unsigned char *out, size_t size, size_t *len);


static int
portal_keyring_key(portal_key_t *key, const portal_str_t *line)
{
    unsigned char  master[crypto_kdf_KEYBYTES];

    if (line->len != 2 * sizeof(master)
        || portal_hex_decode(master, line) != PORTAL_OK)
    {
        return PORTAL_ERROR;
    }

    crypto_kdf_derive_from_key(key->token, 32, 1, "portal01", master);
    crypto_kdf_derive_from_key(key->csrf, 32, 2, "portal01", master);
    crypto_kdf_derive_from_key(key->seal, 32, 3, "portal01", master);
    crypto_kdf_derive_from_key(key->hash, 16, 4, "portal01", master);

    sodium_memzero(master, sizeof(master));

    return PORTAL_OK;
}


int
portal_keyring_parse(portal_keyring_t *kr, const portal_str_t *text,
    portal_error_t *err)
{
    portal_str_t          line;
    const unsigned char  *p, *last, *end;

    p = text->data;
    last = p + text->len;

    kr->n = 0;
    err->line = 0;

    while (p < last) {
        end = memchr(p, '\n', (size_t) (last - p));
        end = end ? end : last;
        err->line++;

        line.data = (unsigned char *) p;
        line.len = (size_t) (end - p);

        while (line.len && (line.data[line.len - 1] == ' '
                            || line.data[line.len - 1] == '\r'))
        {
            line.len--;
        }

        p = end + 1;

        if (line.len == 0 || line.data[0] == '#') {
            continue;
        }

        if (kr->n == 2) {
            snprintf(err->text, sizeof(err->text), "more than two keys");
            return PORTAL_ERROR;
        }

        if (portal_keyring_key(&kr->keys[kr->n], &line) != PORTAL_OK) {
            snprintf(err->text, sizeof(err->text),
                     "a key is not 64 hex digits");
            return PORTAL_ERROR;
        }

        kr->n++;
    }

    if (kr->n == 0) {
        snprintf(err->text, sizeof(err->text), "no key");
        return PORTAL_ERROR;
    }

    return PORTAL_OK;
}


static void
portal_token_mac(const portal_key_t *key, const char *purpose,
    const unsigned char random[32], unsigned char mac[8])
{
    unsigned char             full[16];
    crypto_generichash_state  state;

    crypto_generichash_init(&state, key->token, sizeof(key->token),
                            sizeof(full));
    crypto_generichash_update(&state, random, 32);
    crypto_generichash_update(&state, (const unsigned char *) purpose,
                              strlen(purpose));
    crypto_generichash_final(&state, full, sizeof(full));

    memcpy(mac, full, 8);
}


void
portal_token_new(const portal_keyring_t *kr, const char *purpose,
    unsigned char raw[PORTAL_TOKEN_RAW],
    unsigned char text[PORTAL_TOKEN_TEXT])
{
    randombytes_buf(raw, 32);
    portal_token_mac(&kr->keys[0], purpose, raw, raw + 32);

    portal_base64url(text, raw, PORTAL_TOKEN_RAW);
}


int
portal_token_check(const portal_keyring_t *kr, const char *purpose,
    const portal_str_t *text, unsigned char raw[PORTAL_TOKEN_RAW])
{
    size_t         len;
    unsigned       i;
    unsigned char  mac[8];

    if (text->len != PORTAL_TOKEN_TEXT
        || portal_base64url_decode(raw, &len, text) != PORTAL_OK
        || len != PORTAL_TOKEN_RAW)
    {
        return PORTAL_DECLINED;
    }

    for (i = 0; i < kr->n; i++) {
        portal_token_mac(&kr->keys[i], purpose, raw, mac);

        if (sodium_memcmp(mac, raw + 32, sizeof(mac)) == 0) {
            return PORTAL_OK;
        }
    }

    return PORTAL_DECLINED;
}


void
portal_token_hash(unsigned char out[32],
    const unsigned char raw[PORTAL_TOKEN_RAW])
{
    SHA256(raw, PORTAL_TOKEN_RAW, out);
}


static void
portal_csrf_mac(const portal_key_t *key, const unsigned char sid[32],
    const unsigned char random[16], unsigned char mac[32])
{
    crypto_auth_hmacsha256_state  state;

    crypto_auth_hmacsha256_init(&state, key->csrf, sizeof(key->csrf));
    crypto_auth_hmacsha256_update(&state, sid, 32);
    crypto_auth_hmacsha256_update(&state, random, 16);
    crypto_auth_hmacsha256_final(&state, mac);
}


void
portal_csrf_new(const portal_keyring_t *kr, const unsigned char sid[32],
    unsigned char text[PORTAL_CSRF_TEXT])
{
    unsigned char  raw[48];

    randombytes_buf(raw, 16);
    portal_csrf_mac(&kr->keys[0], sid, raw, raw + 16);

    portal_base64url(text, raw, sizeof(raw));
}


int
portal_csrf_check(const portal_keyring_t *kr, const unsigned char sid[32],
    const portal_str_t *text)
{
    size_t         len;
    unsigned       i;
    unsigned char  raw[48], mac[32];

    if (text->len != PORTAL_CSRF_TEXT
        || portal_base64url_decode(raw, &len, text) != PORTAL_OK
        || len != sizeof(raw))
    {
        return PORTAL_DECLINED;
    }

    for (i = 0; i < kr->n; i++) {
        portal_csrf_mac(&kr->keys[i], sid, raw, mac);

        if (sodium_memcmp(mac, raw + 16, sizeof(mac)) == 0) {
            return PORTAL_OK;
        }
    }

    return PORTAL_DECLINED;
}


/* purpose, NUL, aad: two parts that cannot run into each other */

static int
portal_seal_aad(const char *purpose, const portal_str_t *aad,
    unsigned char *out, size_t size, size_t *len)
{
    size_t  n;

    n = strlen(purpose) + 1;

    if (n + aad->len > size) {
        return PORTAL_ERROR;
    }

    memcpy(out, purpose, n);

    if (aad->len) {
        memcpy(out + n, aad->data, aad->len);
    }

    *len = n + aad->len;

    return PORTAL_OK;
}


int
portal_seal(const portal_keyring_t *kr, const char *purpose,
    const portal_str_t *aad, const portal_str_t *plain, int64_t expires,
    portal_buf_t *out)
{
    size_t               i, adlen, len;
    unsigned char       *raw, *text, *p, ad[256];
    unsigned long long   n;

    len = plain->len + PORTAL_SEAL_OVERHEAD;

    if (portal_seal_aad(purpose, aad, ad, sizeof(ad), &adlen) != PORTAL_OK
        || len > out->max)
    {
        return PORTAL_ERROR;
    }

    raw = portal_alloc(out->arena, len + plain->len + 8);
    text = portal_alloc(out->arena, (len * 4 + 2) / 3);

    if (raw == NULL || text == NULL) {
        return PORTAL_ERROR;
    }

    randombytes_buf(raw, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);

    /* the time is inside, in big endian */

    p = raw + len;

    for (i = 0; i < 8; i++) {
        p[i] = (unsigned char) ((uint64_t) expires >> (56 - 8 * i));
    }

    if (plain->len) {
        memcpy(p + 8, plain->data, plain->len);
    }

    crypto_aead_xchacha20poly1305_ietf_encrypt(
        raw + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, &n, p,
        plain->len + 8, ad, adlen, NULL, raw, kr->keys[0].seal);

    len = portal_base64url(text, raw, len);

    return portal_buf_add(out, text, len);
}


int
portal_unseal(const portal_keyring_t *kr, const char *purpose,
    const portal_str_t *aad, const portal_str_t *text, int64_t now,
    portal_arena_t *arena, portal_str_t *plain)
{
    size_t               len, adlen, i;
    uint64_t             expires;
    unsigned             k;
    unsigned char       *raw, *out, ad[256];
    unsigned long long   n;

    if (text->len < PORTAL_SEAL_OVERHEAD
        || portal_seal_aad(purpose, aad, ad, sizeof(ad), &adlen)
           != PORTAL_OK)
    {
        return PORTAL_DECLINED;
    }

    raw = portal_alloc(arena, text->len);
    out = portal_alloc(arena, text->len);

    if (raw == NULL || out == NULL) {
        return PORTAL_ERROR;
    }

    if (portal_base64url_decode(raw, &len, text) != PORTAL_OK
        || len < PORTAL_SEAL_OVERHEAD)
    {
        return PORTAL_DECLINED;
    }

    for (k = 0; k < kr->n; k++) {

        if (crypto_aead_xchacha20poly1305_ietf_decrypt(
                out, &n, NULL,
                raw + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                len - crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                ad, adlen, raw, kr->keys[k].seal)
            != 0)
        {
            continue;
        }

        expires = 0;

        for (i = 0; i < 8; i++) {
            expires = expires << 8 | out[i];
        }

        if ((int64_t) expires < now) {
            return PORTAL_DECLINED;
        }

        plain->data = out + 8;
        plain->len = (size_t) n - 8;

        return PORTAL_OK;
    }

    return PORTAL_DECLINED;
}


uint64_t
portal_keyed_hash(const portal_keyring_t *kr, const void *data, size_t len)
{
    uint64_t       hash;
    unsigned char  out[crypto_shorthash_BYTES];

    crypto_shorthash(out, data, len, kr->keys[0].hash);
    memcpy(&hash, out, sizeof(hash));

    return hash;
}
