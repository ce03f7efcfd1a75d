
/*
 * Copyright (C) the nginx client portal authors
 *
 * The network that an address belongs to, as the key of a limiter.
 */


#ifndef _PORTAL_NETKEY_H_INCLUDED_
#define _PORTAL_NETKEY_H_INCLUDED_


/*
 * out: family, length of the prefix, the first bits of the address (4 bytes
 * for AF_INET, 16 for AF_INET6).  An IPv4 address mapped into IPv6 gives
 * the key of the IPv4 address.  bits: 0 to 32, or 0 to 112.
 */
void portal_net_key(const unsigned char *addr, int family, unsigned bits,
    unsigned char out[16]);


#endif /* _PORTAL_NETKEY_H_INCLUDED_ */
