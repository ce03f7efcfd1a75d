
/*
 * Copyright (C) the nginx client portal authors
 *
 * Tokens, form tokens, sealed values, key files.  The first byte chooses;
 * what follows is xored with a good text, so that the input begins near
 * what is accepted, and only the good text itself may be.
 */


#include <sodium.h>
#include "fuzz.h"
#include "portal_token.h"


typedef struct {
    portal_arena_t    *arena;
    portal_keyring_t   kr;
    unsigned char      sid[32];
    unsigned char      token[PORTAL_TOKEN_TEXT];
    unsigned char      csrf[PORTAL_CSRF_TEXT];
    portal_str_t       sealed;
} fuzz_good_t;


static fuzz_good_t *fuzz_good(void);
static portal_str_t fuzz_xor(const unsigned char *good, size_t len,
    const uint8_t *data, size_t size, int *same);


static fuzz_good_t *
fuzz_good(void)
{
    portal_buf_t     b;
    portal_str_t     key, aad, plain;
    unsigned char    raw[PORTAL_TOKEN_RAW];
    portal_error_t   err;

    static fuzz_good_t  good;

    if (good.arena) {
        return &good;
    }

    fuzz_check(sodium_init() != -1);

    good.arena = portal_arena_create();

    portal_str_set(&key, "000102030405060708090a0b0c0d0e0f"
                         "101112131415161718191a1b1c1d1e1f");
    fuzz_check(portal_keyring_parse(&good.kr, &key, &err) == PORTAL_OK);

    portal_token_new(&good.kr, "", raw, good.token);
    portal_csrf_new(&good.kr, good.sid, good.csrf);

    portal_str_set(&aad, "sid");
    portal_str_set(&plain, "plain");
    portal_buf_init(&b, good.arena, 1000);
    fuzz_check(portal_seal(&good.kr, "fuzz", &aad, &plain, 1000, &b)
               == PORTAL_OK);

    good.sealed.data = b.data;
    good.sealed.len = b.len;

    return &good;
}


static portal_str_t
fuzz_xor(const unsigned char *good, size_t len, const uint8_t *data,
    size_t size, int *same)
{
    size_t        i;
    portal_str_t  s;

    s = fuzz_copy(data, size);
    *same = size == len;

    for (i = 0; i < size && i < len; i++) {
        s.data[i] ^= good[i];
        *same = *same && data[i] == 0;
    }

    return s;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc, same;
    uint8_t            kind;
    portal_str_t       s, aad, plain;
    fuzz_good_t       *good;
    unsigned char      raw[PORTAL_TOKEN_RAW];
    portal_error_t     err;
    portal_arena_t    *arena;
    portal_keyring_t   kr;

    if (size == 0) {
        return 0;
    }

    good = fuzz_good();
    kind = data[0] % 4;
    data++;
    size--;

    switch (kind) {

    case 0:
        s = fuzz_xor(good->token, sizeof(good->token), data, size, &same);
        rc = portal_token_check(&good->kr, "", &s, raw);
        fuzz_check((rc == PORTAL_OK) == same);
        break;

    case 1:
        s = fuzz_xor(good->csrf, sizeof(good->csrf), data, size, &same);
        rc = portal_csrf_check(&good->kr, good->sid, &s);
        fuzz_check((rc == PORTAL_OK) == same);
        break;

    case 2:
        s = fuzz_xor(good->sealed.data, good->sealed.len, data, size, &same);
        portal_str_set(&aad, "sid");
        arena = portal_arena_create();
        rc = portal_unseal(&good->kr, "fuzz", &aad, &s, 0, arena, &plain);
        fuzz_check((rc == PORTAL_OK) == same);
        fuzz_check(!same || portal_str_is(&plain, "plain"));
        portal_arena_destroy(arena);
        break;

    default:
        s = fuzz_copy(data, size);
        memset(&err, 0, sizeof(portal_error_t));

        if (portal_keyring_parse(&kr, &s, &err) == PORTAL_OK) {
            fuzz_check(kr.n == 1 || kr.n == 2);

        } else {
            fuzz_check(err.text[0]);
        }
    }

    free(s.data);

    return 0;
}
