// SPDX-License-Identifier: GPL-2.0-only
#include "ipam.h"

#include "xmem.h"

/* More than anybody has pods; keeps the arithmetic in 64 bits. */
#define MAX_HOST_BITS 62

static uint64_t size_of(const struct prefix *p)
{
	unsigned int bits = family_bits(p->addr.family) - p->len;

	return 1ULL << (bits < MAX_HOST_BITS ? bits : MAX_HOST_BITS);
}

static struct addr addr_at(const struct prefix *p, uint64_t offset)
{
	struct addr a = p->addr;
	int i = family_bits(a.family) / 8 - 1;

	for (; offset; offset >>= 8, i--)
		a.bytes[i] |= offset & 0xff;
	return a;
}

static uint64_t offset_of(const struct prefix *p, const struct addr *a)
{
	unsigned int i, octets = family_bits(a->family) / 8;
	uint64_t offset = 0;

	for (i = octets > 8 ? octets - 8 : 0; i < octets; i++)
		offset = offset << 8 | a->bytes[i];
	/* The host part only; one beyond MAX_HOST_BITS stays large, as it should. */
	return octets * 8 - p->len >= 64 ? offset : offset & ((1ULL << (octets * 8 - p->len)) - 1);
}

struct addr ipam_gateway(const struct prefix *p)
{
	return addr_at(p, 1);
}

void ipam_init(struct ipam *ipam, const char *name, const struct network *net, bool gateway,
	       bool band)
{
	enum family f;
	uint64_t size, low;

	memset(ipam, 0, sizeof(*ipam));
	ipam->name = name;
	ipam->net = *net;
	for (f = V4; f < FAMILIES; f++) {
		if (!net->has[f])
			continue;
		size = size_of(&net->prefix[f]);
		ipam->first[f] = gateway ? 2 : 1;
		/* IPv4's last is the broadcast address. */
		ipam->last[f] = size - (f == V4 ? 2 : 1);
		low = size / 16 < 16 ? 16 : size / 16 > 256 ? 256 : size / 16;
		ipam->low[f] = band && size > 2 * low ? low : ipam->first[f];
	}
}

void ipam_free(struct ipam *ipam)
{
	map_clear(&ipam->owners, free);
}

static void take(struct ipam *ipam, const struct addr *a, const char *text, const char *owner)
{
	map_set(&ipam->owners, text, xstrdup(owner));
	ipam->used[a->family]++;
}

char *ipam_claim(struct ipam *ipam, const struct addr *a, const char *owner)
{
	const struct prefix *p = &ipam->net.prefix[a->family];
	const char *holder;
	char text[ADDR_TEXT];
	uint64_t offset;

	addr_text(a, text);
	if (!ipam->net.has[a->family] || !prefix_contains(p, a))
		return xasprintf("%s is outside of the %s", text, ipam->name);
	offset = offset_of(p, a);
	if (offset == 1 && ipam->first[a->family] == 2)
		return xasprintf("%s is the gateway of the %s", text, ipam->name);
	if (!offset || (a->family == V4 && offset > ipam->last[V4]))
		return xasprintf("%s is reserved in the %s", text, ipam->name);
	holder = map_get(&ipam->owners, text);
	if (holder)
		return xasprintf("%s belongs to %s", text, holder);
	take(ipam, a, text, owner);
	return NULL;
}

/* Upward from a start in from..to, once around. */
static bool probe(struct ipam *ipam, enum family f, uint64_t from, uint64_t to, const char *owner,
		  struct addr *out)
{
	cleanup_free char *seed = xasprintf("%s %s", family_name(f), owner);
	uint64_t n = to - from + 1, start = stable_hash(seed) % n, i;
	char text[ADDR_TEXT];

	for (i = 0; i < n; i++) {
		*out = addr_at(&ipam->net.prefix[f], from + (start + i) % n);
		if (map_get(&ipam->owners, addr_text(out, text)))
			continue;
		take(ipam, out, text, owner);
		return true;
	}
	return false;
}

char *ipam_allocate(struct ipam *ipam, enum family f, const char *owner, struct addr *out)
{
	char net[PREFIX_TEXT];

	if (ipam->used[f] < ipam->last[f] - ipam->first[f] + 1 &&
	    (probe(ipam, f, ipam->low[f], ipam->last[f], owner, out) ||
	     (ipam->low[f] > ipam->first[f] &&
	      probe(ipam, f, ipam->first[f], ipam->low[f] - 1, owner, out))))
		return NULL;
	return xasprintf("the %s %s is exhausted: all of its %llu addresses are in use", ipam->name,
			 prefix_text(&ipam->net.prefix[f], net), (unsigned long long)ipam->used[f]);
}

void ipam_release(struct ipam *ipam, const struct addr *a)
{
	char text[ADDR_TEXT], *owner = map_del(&ipam->owners, addr_text(a, text));

	if (owner)
		ipam->used[a->family]--;
	free(owner);
}
