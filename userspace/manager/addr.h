/* SPDX-License-Identifier: GPL-2.0-only */
/* IP addresses and prefixes as manifests write them. */
#ifndef MANAGER_ADDR_H
#define MANAGER_ADDR_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

enum family { V4, V6, FAMILIES };

struct addr {
	enum family	family;
	uint8_t		bytes[16];	/* network order; the first four for IPv4 */
};

struct prefix {
	struct addr	addr;		/* without host bits */
	unsigned int	len;
};

#define ADDR_TEXT INET6_ADDRSTRLEN
#define PREFIX_TEXT (INET6_ADDRSTRLEN + 4)

static inline unsigned int family_bits(enum family f)
{
	return f == V4 ? 32 : 128;
}

const char *family_name(enum family f);

/*
 * Both return NULL, or the reason for which text is refused: IPv4-mapped IPv6 addresses are
 * read differently by different programs. Leading zeros of IPv4 are ignored and host bits of a
 * prefix are cleared, as the API server's readers do.
 */
const char *addr_parse(const char *text, struct addr *out);
const char *prefix_parse(const char *text, struct prefix *out);

/* Into buf (ADDR_TEXT or PREFIX_TEXT octets), which is returned. */
const char *addr_text(const struct addr *a, char *buf);
const char *prefix_text(const struct prefix *p, char *buf);

bool addr_equal(const struct addr *a, const struct addr *b);
/* Could a machine have it, in a network of several? (RFC 6890; RFC 4291, 2.4) */
bool addr_is_usable(const struct addr *a);
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

#endif
