
/*
 * Copyright (C) the nginx client portal authors
 *
 * Keys, tokens, form tokens, sealed values.
 */


#include <sodium.h>
#include "portal_text.h"
#include "portal_token.h"
#include "tap.h"


#define KEY1  "000102030405060708090a0b0c0d0e0f"                              \
              "101112131415161718191a1b1c1d1e1f"
#define KEY2  "ffffffffffffffffffffffffffffffff"                              \
              "ffffffffffffffffffffffffffffffff"


static portal_keyring_t keyring(const char *text);
static void key_fails(const char *text, unsigned line, const char *reason);
static void test_keyring(void);
static void test_known(void);
static void test_token(void);
static void test_tamper(void);
static void test_rotation(void);
static void test_csrf(void);
static portal_str_t sealed(const portal_keyring_t *kr, const char *purpose,
    const char *aad, const char *plain, int64_t expires);
static int unseal(const portal_keyring_t *kr, const char *purpose,
    const char *aad, portal_str_t text, int64_t now, portal_str_t *plain);
static void test_seal(void);
static void test_seal_tamper(void);
static void test_seal_bound(void);
static void test_seal_limits(void);
static void test_hash(void);


static portal_arena_t    *arena;
static portal_keyring_t   one, two, both;


static portal_keyring_t
keyring(const char *text)
{
    portal_str_t      s;
    portal_error_t    err;
    portal_keyring_t  kr;

    s = str(text);
    memset(&kr, 0, sizeof(portal_keyring_t));

    if (portal_keyring_parse(&kr, &s, &err) != PORTAL_OK) {
        abort();
    }

    return kr;
}


static void
key_fails(const char *text, unsigned line, const char *reason)
{
    portal_str_t      s;
    portal_error_t    err;
    portal_keyring_t  kr;

    s = str_exact(text, strlen(text));
    memset(&err, 0, sizeof(portal_error_t));

    is_int(portal_keyring_parse(&kr, &s, &err), PORTAL_ERROR, reason);
    is_text(err.text, reason, "the reason");
    is_int(err.line, line, "its line");

    free(s.data);
}


static void
test_keyring(void)
{
    portal_keyring_t  kr;

    kr = keyring("# comment\n\n" KEY1 " \r\n\n" KEY2);
    is_int(kr.n, 2, "two keys, comments and empty lines");
    ok(memcmp(&kr.keys[0], &one.keys[0], sizeof(portal_key_t)) == 0
       && memcmp(&kr.keys[1], &two.keys[0], sizeof(portal_key_t)) == 0,
       "in their order");

    kr = keyring("000102030405060708090A0B0C0D0E0F"
                 "101112131415161718191A1B1C1D1E1F\n");
    ok(memcmp(&kr.keys[0], &one.keys[0], sizeof(portal_key_t)) == 0,
       "in capitals");

    ok(memcmp(one.keys[0].token, one.keys[0].csrf, 32) != 0
       && memcmp(one.keys[0].csrf, one.keys[0].seal, 32) != 0
       && memcmp(one.keys[0].token, one.keys[0].seal, 32) != 0
       && memcmp(one.keys[0].token, one.keys[0].hash, 16) != 0,
       "each purpose has a key of its own");

    key_fails("", 0, "no key");
    key_fails("\n# only a comment\n", 2, "no key");
    key_fails("\n" KEY1 "0\n", 2, "a key is not 64 hex digits");
    key_fails("0001\n", 1, "a key is not 64 hex digits");
    key_fails(" " KEY1 "\n", 1, "a key is not 64 hex digits");
    key_fails("g" KEY1 "\n", 1, "a key is not 64 hex digits");
    key_fails("g00102030405060708090a0b0c0d0e0f"
              "101112131415161718191a1b1c1d1e1f", 1,
              "a key is not 64 hex digits");
    key_fails(KEY1 "\n" KEY2 "\n" KEY1 "\n", 3, "more than two keys");
}


/*
 * What an earlier version made is good with this one.  The keys and checks
 * were computed apart, by Python's hashlib and hmac.
 */

static void
test_known(void)
{
    char            hex[65];
    size_t          i;
    portal_str_t    s, aad, plain;
    unsigned char   raw[PORTAL_TOKEN_RAW], sid[32];

    static const char  token[] =
        "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f4CBgoOk5KoAR9GDMA";
    static const char  csrf[] =
        "AAECAwQFBgcICQoLDA0OD4L3fJmgK0y7NiHu5gaV5dzyhnQZQo8j361O6qvfJBZi";
    static const char  sealed_text[] =
        "n5F7VtjnMk-Y-Y5AS4aGl-mm6wkSOwGRPzpDREefijUSDs_lVngZa11ZGf4x"
        "f2fo4uPolDU";

    sodium_bin2hex(hex, sizeof(hex), one.keys[0].token, 32);
    is_text(hex, "31ea4f09314541eef2667870af542097382808503032ca6bbdece60867"
            "a2f3e6", "the key of tokens");
    sodium_bin2hex(hex, sizeof(hex), one.keys[0].csrf, 32);
    is_text(hex, "ef87bfa4e0bf21831ff6f564ac19f0d5d0eaa5123a55c9ebcd45202642"
            "b561cd", "of forms");
    sodium_bin2hex(hex, sizeof(hex), one.keys[0].seal, 32);
    is_text(hex, "fd09bb1dd10c247399a790e9530df449bb4654a26a959f21e167889271"
            "2c5cc2", "of sealed values");
    sodium_bin2hex(hex, sizeof(hex), one.keys[0].hash, 16);
    is_text(hex, "52cc6aa3fbf3168c8a3e7384040636bb", "of tables");

    s = str(token);
    is_int(portal_token_check(&one, "", &s, raw), PORTAL_OK, "a known token");

    for (i = 0; i < 32 && raw[i] == 100 + i; i++) { /* void */ }

    is_int(i, 32, "its bytes");

    memset(sid, 1, sizeof(sid));
    s = str(csrf);
    is_int(portal_csrf_check(&one, sid, &s), PORTAL_OK,
           "a known form token");

    s = str(sealed_text);
    aad = str("sid");
    is_int(portal_unseal(&one, "flash", &aad, &s, 4102444800, arena, &plain),
           PORTAL_OK, "a value sealed before");
    is_str(plain, "saved", "opens");
}


static void
test_token(void)
{
    portal_str_t   s;
    unsigned char  raw[PORTAL_TOKEN_RAW], text[PORTAL_TOKEN_TEXT];
    unsigned char  back[PORTAL_TOKEN_RAW], again[PORTAL_TOKEN_TEXT];
    unsigned char  hash[32], want[32];

    portal_token_new(&one, "", raw, text);
    s = str_exact(text, sizeof(text));

    is_int(portal_token_check(&one, "", &s, back), PORTAL_OK, "a token");
    ok(memcmp(raw, back, sizeof(raw)) == 0, "is the one that was made");

    portal_token_new(&one, "", raw, again);
    ok(memcmp(text, again, 43) != 0, "the next is another");

    is_int(portal_token_check(&two, "", &s, back), PORTAL_DECLINED,
           "another key does not know it");

    portal_token_check(&one, "", &s, back);
    portal_token_hash(hash, back);
    crypto_hash_sha256(want, back, sizeof(back));
    ok(memcmp(hash, want, 32) == 0, "its hash is SHA-256 of all its bytes");

    free(s.data);
}


/* Whatever is changed, and wherever. */

static void
test_tamper(void)
{
    int            c, good;
    size_t         i, n;
    portal_str_t   s;
    unsigned char  raw[PORTAL_TOKEN_RAW], text[PORTAL_TOKEN_TEXT + 1];
    unsigned char  changed[PORTAL_TOKEN_TEXT + 1];

    portal_token_new(&one, "", raw, text);
    text[PORTAL_TOKEN_TEXT] = 'A';

    good = 0;

    for (i = 0; i < PORTAL_TOKEN_TEXT; i++) {
        for (c = 0; c < 256; c++) {
            if (c == text[i]) {
                continue;
            }

            memcpy(changed, text, sizeof(text));
            changed[i] = (unsigned char) c;
            s.data = changed;
            s.len = PORTAL_TOKEN_TEXT;
            good += portal_token_check(&one, "", &s, raw) == PORTAL_OK;
        }
    }

    is_int(good, 0, "no byte of a token may be another");

    for (n = 0; n <= PORTAL_TOKEN_TEXT + 1; n++) {
        s = str_exact(text, n);
        good += portal_token_check(&one, "", &s, raw) == PORTAL_OK;
        free(s.data);
    }

    is_int(good, 1, "nor its length");
}


static void
test_rotation(void)
{
    portal_str_t      s;
    portal_keyring_t  none;
    unsigned char     raw[PORTAL_TOKEN_RAW], text[PORTAL_TOKEN_TEXT];

    s.data = text;
    s.len = sizeof(text);

    portal_token_new(&two, "", raw, text);
    is_int(portal_token_check(&both, "", &s, raw), PORTAL_OK,
           "a token of the second key");

    portal_token_new(&both, "", raw, text);
    is_int(portal_token_check(&one, "", &s, raw), PORTAL_OK,
           "new ones are of the first");
    is_int(portal_token_check(&two, "", &s, raw), PORTAL_DECLINED, "only");

    memset(&none, 0, sizeof(portal_keyring_t));
    is_int(portal_token_check(&none, "", &s, raw), PORTAL_DECLINED,
           "no key, no token");
}


static void
test_csrf(void)
{
    int            c, good;
    size_t         i, n, same;
    portal_str_t   s;
    unsigned char  sid[32], other[32], a[PORTAL_CSRF_TEXT];
    unsigned char  b[PORTAL_CSRF_TEXT], changed[PORTAL_CSRF_TEXT];

    memset(sid, 1, sizeof(sid));
    memset(other, 1, sizeof(other));
    other[31] = 2;

    portal_csrf_new(&one, sid, a);
    portal_csrf_new(&one, sid, b);

    s = str_exact(a, sizeof(a));
    is_int(portal_csrf_check(&one, sid, &s), PORTAL_OK, "a form's token");
    is_int(portal_csrf_check(&one, other, &s), PORTAL_DECLINED,
           "is of its session");
    is_int(portal_csrf_check(&two, sid, &s), PORTAL_DECLINED,
           "and of its key");
    is_int(portal_csrf_check(&both, sid, &s), PORTAL_OK,
           "which may be any of the ring");
    free(s.data);

    for (same = 0, i = 0; i < sizeof(a); i++) {
        same += (a[i] == b[i]);
    }

    ok(same < 16, "two tokens of a session have little in common (%zu)",
       same);

    good = 0;

    for (i = 0; i < sizeof(a); i++) {
        for (c = 0; c < 256; c++) {
            if (c == a[i]) {
                continue;
            }

            memcpy(changed, a, sizeof(a));
            changed[i] = (unsigned char) c;
            s.data = changed;
            s.len = sizeof(changed);
            good += portal_csrf_check(&one, sid, &s) == PORTAL_OK;
        }
    }

    is_int(good, 0, "no byte of it may be another");

    for (n = 0; n < sizeof(a); n++) {
        s = str_exact(a, n);
        good += portal_csrf_check(&one, sid, &s) == PORTAL_OK;
        free(s.data);
    }

    is_int(good, 0, "nor its length");
}


static portal_str_t
sealed(const portal_keyring_t *kr, const char *purpose, const char *aad,
    const char *plain, int64_t expires)
{
    portal_buf_t  b;
    portal_str_t  a, p, r;

    a = str(aad);
    p = str(plain);

    portal_buf_init(&b, arena, 65536);

    if (portal_seal(kr, purpose, &a, &p, expires, &b) != PORTAL_OK) {
        abort();
    }

    r.data = b.data;
    r.len = b.len;

    return r;
}


static int
unseal(const portal_keyring_t *kr, const char *purpose, const char *aad,
    portal_str_t text, int64_t now, portal_str_t *plain)
{
    portal_str_t  a;

    a = str(aad);
    memset(plain, 0, sizeof(portal_str_t));

    return portal_unseal(kr, purpose, &a, &text, now, arena, plain);
}


static void
test_seal(void)
{
    portal_str_t  s, t, plain;

    s = sealed(&one, "flash", "sid", "saved", 1000);

    is_int(unseal(&one, "flash", "sid", s, 999, &plain), PORTAL_OK,
           "a sealed value");
    is_str(plain, "saved", "opened");

    t = sealed(&one, "flash", "sid", "saved", 1000);
    ok(t.len == s.len && memcmp(s.data, t.data, 20) != 0,
       "sealed again it is another text");

    is_int(unseal(&one, "flash", "sid", s, 1000, &plain), PORTAL_OK,
           "to its last second");
    is_int(unseal(&one, "flash", "sid", s, 1001, &plain), PORTAL_DECLINED,
           "and no longer");
    is_int(unseal(&one, "flash", "sid", s, INT64_MAX, &plain),
           PORTAL_DECLINED, "nor ever again");
    is_int(unseal(&one, "flash", "sid", s, INT64_MIN, &plain), PORTAL_OK,
           "a clock that stands far back");

    s = sealed(&one, "flash", "", "", -1);
    is_int(unseal(&one, "flash", "", s, -1, &plain), PORTAL_OK,
           "nothing, before the epoch");
    is_int(plain.len, 0, "is nothing");
    is_int(unseal(&one, "flash", "", s, 0, &plain), PORTAL_DECLINED,
           "and expires as well");
}


static void
test_seal_bound(void)
{
    portal_str_t  s, plain;

    s = sealed(&one, "flash", "sid", "x", 1000);

    is_int(unseal(&one, "form", "sid", s, 0, &plain), PORTAL_DECLINED,
           "another purpose");
    is_int(unseal(&one, "flash", "sie", s, 0, &plain), PORTAL_DECLINED,
           "another session");
    is_int(unseal(&one, "flash", "", s, 0, &plain), PORTAL_DECLINED,
           "none");
    is_int(unseal(&one, "flas", "hsid", s, 0, &plain), PORTAL_DECLINED,
           "purpose and session do not run into each other");
    is_int(unseal(&two, "flash", "sid", s, 0, &plain), PORTAL_DECLINED,
           "another key");
    is_int(unseal(&both, "flash", "sid", s, 0, &plain), PORTAL_OK,
           "a ring of keys");

    s = sealed(&two, "flash", "sid", "x", 1000);
    is_int(unseal(&both, "flash", "sid", s, 0, &plain), PORTAL_OK,
           "with the old one");
    is_str(plain, "x", "opens the same");

    s = sealed(&both, "flash", "sid", "x", 1000);
    is_int(unseal(&one, "flash", "sid", s, 0, &plain), PORTAL_OK,
           "the first one seals");
}


static void
test_seal_tamper(void)
{
    int           c, good;
    size_t        i;
    portal_str_t  s, t, plain;

    s = sealed(&one, "flash", "sid", "saved", 1000);
    good = 0;

    for (i = 0; i < s.len; i++) {
        for (c = 0; c < 256; c += 3) {
            if (c == s.data[i]) {
                continue;
            }

            t = str_exact(s.data, s.len);
            t.data[i] = (unsigned char) c;
            good += unseal(&one, "flash", "sid", t, 0, &plain) == PORTAL_OK;
            free(t.data);
        }
    }

    is_int(good, 0, "no byte may be another");

    for (i = 0; i < s.len; i++) {
        t = str_exact(s.data, i);
        good += unseal(&one, "flash", "sid", t, 0, &plain) == PORTAL_OK;
        free(t.data);
    }

    is_int(good, 0, "nor the length");
}


static void
test_seal_limits(void)
{
    char          aad[300];
    portal_buf_t  b;
    portal_str_t  a, p, s, plain;

    memset(aad, 'a', sizeof(aad));
    a.data = (unsigned char *) aad;
    p = str("x");

    portal_buf_init(&b, arena, 1000);
    a.len = 256 - 6;
    is_int(portal_seal(&one, "flash", &a, &p, 0, &b), PORTAL_OK,
           "purpose and session of 256 bytes");

    a.len++;
    is_int(portal_seal(&one, "flash", &a, &p, 0, &b), PORTAL_ERROR,
           "of 257 bytes");

    s.data = b.data;
    s.len = b.len;
    is_int(portal_unseal(&one, "flash", &a, &s, 0, arena, &plain),
           PORTAL_DECLINED, "nor are they opened");

    a.len = 3;
    portal_buf_init(&b, arena, 65);
    is_int(portal_seal(&one, "flash", &a, &p, 0, &b), PORTAL_ERROR,
           "a buffer that is too small");

    portal_buf_init(&b, arena, 66);
    is_int(portal_seal(&one, "flash", &a, &p, 0, &b), PORTAL_OK,
           "one that is just large enough");

    portal_buf_init(&b, arena, 1000000);
    p.len = 65536;
    p.data = portal_calloc(arena, 1, p.len);
    is_int(portal_seal(&one, "form", &a, &p, 5, &b), PORTAL_OK, "64 KiB");
    s.data = b.data;
    s.len = b.len;
    is_int(portal_unseal(&one, "form", &a, &s, 0, arena, &plain), PORTAL_OK,
           "opened again");
    ok(plain.len == p.len && memcmp(plain.data, p.data, p.len) == 0,
       "are the same");
}


/* SipHash-2-4 of the reference implementation's own key and input. */

static void
test_hash(void)
{
    int               i;
    uint64_t          h;
    unsigned char     input[15];
    portal_keyring_t  kr;

    kr = one;

    for (i = 0; i < 16; i++) {
        kr.keys[0].hash[i] = (unsigned char) i;

        if (i < 15) {
            input[i] = (unsigned char) i;
        }
    }

    h = portal_keyed_hash(&kr, input, sizeof(input));
    ok(h == 0xa129ca6149be45e5ULL, "SipHash-2-4, the paper's example");

    ok(portal_keyed_hash(&one, "a", 1) != portal_keyed_hash(&two, "a", 1),
       "another key, another hash");
    ok(portal_keyed_hash(&both, "a", 1) == portal_keyed_hash(&one, "a", 1),
       "the current key");
}


int
main(void)
{
    if (sodium_init() == -1) {
        return tap_skip_all("libsodium does not start");
    }

    arena = portal_arena_create();
    one = keyring(KEY1);
    two = keyring(KEY2);
    both = keyring(KEY1 "\n" KEY2);

    test_keyring();
    test_known();
    test_token();
    test_tamper();
    test_rotation();
    test_csrf();
    test_seal();
    test_seal_bound();
    test_seal_tamper();
    test_seal_limits();
    test_hash();

    portal_arena_destroy(arena);

    return tap_done();
}
