
/*
 * Copyright (C) the nginx client portal authors
 *
 * Keys of networks.
 */


#include <arpa/inet.h>
#include <sys/socket.h>
#include "portal_netkey.h"
#include "tap.h"


static void key_is(const char *addr, unsigned bits, const char *want);
static int same(const char *a, const char *b, unsigned bits);


static void
key_is(const char *addr, unsigned bits, const char *want)
{
    int             i, family;
    char            text[64], *p;
    unsigned char   a[16], out[18];

    family = strchr(addr, ':') ? AF_INET6 : AF_INET;

    if (inet_pton(family, addr, a) != 1) {
        abort();
    }

    memset(out, 0xee, sizeof(out));
    portal_net_key(a, family, bits, out);

    for (p = text, i = 0; i < 16; i++) {
        p += sprintf(p, "%02x", out[i]);
    }

    is_text(text, want, addr);
    ok(out[16] == 0xee && out[17] == 0xee, "16 bytes, no more");
}


static int
same(const char *a, const char *b, unsigned bits)
{
    unsigned char  x[16], y[16], p[16], q[16];

    inet_pton(strchr(a, ':') ? AF_INET6 : AF_INET, a, p);
    inet_pton(strchr(b, ':') ? AF_INET6 : AF_INET, b, q);

    portal_net_key(p, strchr(a, ':') ? AF_INET6 : AF_INET, bits, x);
    portal_net_key(q, strchr(b, ':') ? AF_INET6 : AF_INET, bits, y);

    return memcmp(x, y, 16) == 0;
}


int
main(void)
{
    key_is("192.0.2.129", 32, "0420c0000281" "00000000000000000000");
    key_is("192.0.2.129", 24, "0418c0000200" "00000000000000000000");
    key_is("192.0.2.129", 25, "0419c0000280" "00000000000000000000");
    key_is("192.0.2.129", 31, "041fc0000280" "00000000000000000000");
    key_is("255.255.255.255", 1, "040180000000" "00000000000000000000");
    key_is("192.0.2.129", 0, "040000000000" "00000000000000000000");

    key_is("2001:db8:1:2:3:4:5:6", 64,
           "064020010db80001000200000000" "0000");
    key_is("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 56,
           "063820010db8ffffff0000000000" "0000");
    key_is("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 57,
           "063920010db8ffffff8000000000" "0000");
    key_is("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 112,
           "067020010db8ffffffffffffffff" "ffff");
    key_is("::", 64, "0640000000000000000000000000" "0000");

    key_is("::ffff:192.0.2.129", 64, "0420c0000281" "00000000000000000000");

    ok(same("192.0.2.1", "::ffff:192.0.2.1", 32),
       "an address mapped into IPv6 is the same address");
    ok(!same("192.0.2.1", "192.0.2.2", 32), "two addresses");
    ok(same("192.0.2.1", "192.0.2.2", 24), "of one network");
    ok(same("2001:db8::1", "2001:db8::2", 64), "two of an IPv6 network");
    ok(!same("2001:db8:0:1::1", "2001:db8:0:2::1", 64), "and of two");
    ok(same("2001:db8:0:1::1", "2001:db8:0:2::1", 48), "or of a wider one");
    ok(!same("::c000:201", "192.0.2.1", 32),
       "families do not run into each other");

    return tap_done();
}
