
/*
 * Copyright (C) the nginx client portal authors
 *
 * Keys of networks (see portal_netkey.h).
 */


#include <string.h>
#include <sys/socket.h>
#include "portal_netkey.h"


void
portal_net_key(const unsigned char *addr, int family, unsigned bits,
    unsigned char out[16])
{
    unsigned  bytes;

    static const unsigned char  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (family == AF_INET6 && memcmp(addr, mapped, sizeof(mapped)) == 0) {
        portal_net_key(addr + 12, AF_INET, 32, out);
        return;
    }

    memset(out, 0, 16);

    out[0] = family == AF_INET6 ? 6 : 4;
    out[1] = (unsigned char) bits;

    bytes = bits / 8;
    memcpy(out + 2, addr, bytes);

    if (bits % 8) {
        out[2 + bytes] = addr[bytes]
                         & (unsigned char) (0xff << (8 - bits % 8));
    }
}
