
/*
 * Copyright (C) the nginx client portal authors
 *
 * argon2id: a known answer, and the limits of its parameters.
 */


#include <sodium.h>
#include "portal_password.h"
#include "tap.h"


#define MIB  1024

/* echo -n password | argon2 somesaltsomesalt -id -v 13 -t 2 -m 16 -p 1 -r */
#define KNOWN_64                                                              \
    "fc33b78139231d34b71626bd6245c1d72efa190ad605c3d8166a72adcedfa2c2"

/* ... -t 1 -m 13 */
#define KNOWN_8                                                               \
    "84fb006bbc3cd69895722b64b5bf735251a9e8e9f3ecb93ff595b98aeb7accb7"


static void hex_is(const unsigned char *p, const char *want,
    const char *what);
static int rc_of(size_t len, unsigned ops, unsigned mem);


static void
hex_is(const unsigned char *p, const char *want, const char *what)
{
    char  text[65];

    sodium_bin2hex(text, sizeof(text), p, 32);
    is_text(text, want, what);
}


static int
rc_of(size_t len, unsigned ops, unsigned mem)
{
    portal_str_t   s;
    unsigned char  text[2000], salt[16], out[32];

    memset(text, 'p', sizeof(text));
    memset(salt, 0, sizeof(salt));
    s.data = text;
    s.len = len;

    return portal_password_hash(out, &s, salt, ops, mem);
}


int
main(void)
{
    portal_str_t   s;
    unsigned char  salt[16], out[32], other[32];

    if (sodium_init() == -1) {
        return tap_skip_all("libsodium does not start");
    }

    memcpy(salt, "somesaltsomesalt", 16);
    s = str("password");

    is_int(portal_password_hash(out, &s, salt, 2, 64 * MIB), PORTAL_OK,
           "argon2id of 64 MiB");
    hex_is(out, KNOWN_64, "its answer");

    is_int(portal_password_hash(out, &s, salt, 1, 8 * MIB), PORTAL_OK,
           "argon2id of 8 MiB");
    hex_is(out, KNOWN_8, "its answer");

    s = str("passwore");
    portal_password_hash(other, &s, salt, 1, 8 * MIB);
    ok(memcmp(out, other, 32) != 0, "another password, another answer");

    s = str("password");
    salt[15] ^= 1;
    portal_password_hash(other, &s, salt, 1, 8 * MIB);
    ok(memcmp(out, other, 32) != 0, "another salt, another answer");
    salt[15] ^= 1;

    portal_password_hash(other, &s, salt, 2, 8 * MIB);
    ok(memcmp(out, other, 32) != 0, "another cost, another answer");

    s.data = (unsigned char *) "pass\0word";
    s.len = 9;
    portal_password_hash(out, &s, salt, 1, 8 * MIB);
    s.len = 4;
    portal_password_hash(other, &s, salt, 1, 8 * MIB);
    ok(memcmp(out, other, 32) != 0, "NUL does not end a password");

    is_int(rc_of(0, 1, 8 * MIB), PORTAL_ERROR, "no password");
    is_int(rc_of(1, 1, 8 * MIB), PORTAL_OK, "of one byte");
    is_int(rc_of(1024, 1, 8 * MIB), PORTAL_OK, "of 1024 bytes");
    is_int(rc_of(1025, 1, 8 * MIB), PORTAL_ERROR, "of 1025 bytes");
    is_int(rc_of(8, 0, 8 * MIB), PORTAL_ERROR, "no pass");
    is_int(rc_of(8, 10, 8 * MIB), PORTAL_OK, "ten passes");
    is_int(rc_of(8, 11, 8 * MIB), PORTAL_ERROR, "eleven passes");
    is_int(rc_of(8, UINT32_MAX, 8 * MIB), PORTAL_ERROR, "without end");
    is_int(rc_of(8, 1, 8 * MIB - 1), PORTAL_ERROR, "less than 8 MiB");
    is_int(rc_of(8, 1, 256 * MIB), PORTAL_OK, "just 256 MiB");
    is_int(rc_of(8, 1, 256 * MIB + 1), PORTAL_ERROR, "more than 256 MiB");
    is_int(rc_of(8, 1, UINT32_MAX), PORTAL_ERROR, "all memory");

    return tap_done();
}
