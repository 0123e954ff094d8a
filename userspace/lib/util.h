/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_UTIL_H
#define VR_UTIL_H

/* Addresses and prefixes, numbers from text. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VR_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Compared as octets: unused ones are zero. */
struct vr_addr {
	uint8_t	family;		/* AF_INET, AF_INET6; 0 = none */
	uint8_t	b[16];		/* network byte order */
};

struct vr_prefix {
	struct vr_addr	addr;	/* host bits zero; family 0 = none */
	uint8_t		len;	/* bits */
};

static inline unsigned int vr_addr_octets(uint8_t family)
{
	return family == AF_INET6 ? 16 : family == AF_INET ? 4 : 0;
}

#define VR_ADDR_TEXT	INET6_ADDRSTRLEN
#define VR_PREFIX_TEXT	(VR_ADDR_TEXT + 4)
#define VR_MAC_TEXT	18

/* Exact forms only: no host names, no "10.1", no zone. False when it is none. */
bool vr_addr_parse(const char *text, struct vr_addr *addr);
/* "10.0.0.0/8"; without a length it is that of one address. Host bits must be zero. */
bool vr_prefix_parse(const char *text, struct vr_prefix *prefix);
bool vr_mac_parse(const char *text, uint8_t mac[6]);
/* Each returns buf. */
const char *vr_addr_text(const struct vr_addr *addr, char buf[VR_ADDR_TEXT]);
const char *vr_prefix_text(const struct vr_prefix *prefix, char buf[VR_PREFIX_TEXT]);
const char *vr_mac_text(const uint8_t mac[6], char buf[VR_MAC_TEXT]);

/* IPv4 before IPv6, then by address. */
int vr_addr_compare(const struct vr_addr *a, const struct vr_addr *b);
bool vr_prefix_contains(const struct vr_prefix *prefix, const struct vr_addr *addr);
static inline bool vr_prefix_equal(const struct vr_prefix *a, const struct vr_prefix *b)
{
	return a->len == b->len && !vr_addr_compare(&a->addr, &b->addr);
}

/* Decimal digits only, at most max. False when it is none. */
bool vr_number_parse(const char *text, uint64_t max, uint64_t *number);

#endif
