// SPDX-License-Identifier: GPL-2.0-only
#include "addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *family_name(enum family f)
{
	return f == V4 ? "IPv4" : "IPv6";
}

/*
 * An IPv4 address with leading zeros, which inet_pton() refuses, is decimal to Kubernetes
 * (CVE-2021-29923): API servers have such objects. Returns NULL if that is not what the text is.
 */
static const char *without_zeros(const char *text, char *buf, size_t size)
{
	const char *s;
	size_t n = 0;

	for (s = text; *s; s++) {
		if (*s == '0' && (!n || buf[n - 1] == '.') && s[1] >= '0' && s[1] <= '9')
			continue;
		if (n + 1 >= size)
			return NULL;
		buf[n++] = *s;
	}
	buf[n] = '\0';
	return buf;
}

static bool is_v4_mapped(const struct addr *a)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->bytes, head, sizeof(head));
}

const char *addr_parse(const char *text, struct addr *out)
{
	char decimal[INET_ADDRSTRLEN];
	const char *plain = strchr(text, ':') ? NULL : without_zeros(text, decimal, sizeof(decimal));

	memset(out, 0, sizeof(*out));
	if (plain && inet_pton(AF_INET, plain, out->bytes) == 1) {
		out->family = V4;
		return NULL;
	}
	if (inet_pton(AF_INET6, text, out->bytes) == 1) {
		out->family = V6;
		return is_v4_mapped(out) ? "is an IPv4-mapped IPv6 address" : NULL;
	}
	return "is not an IP address";
}

static void clear_host_bits(struct prefix *p)
{
	unsigned int i;

	for (i = p->len; i < family_bits(p->addr.family); i++)
		p->addr.bytes[i / 8] &= ~(0x80 >> i % 8);
}

const char *prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/'), *reason;
	char addr[ADDR_TEXT];
	size_t digits;

	if (!slash)
		return "is not a CIDR (address/length)";
	if ((size_t)(slash - text) >= sizeof(addr))
		return "is not an IP address";
	memcpy(addr, text, slash - text);
	addr[slash - text] = '\0';
	reason = addr_parse(addr, &out->addr);
	if (reason)
		return reason;
	digits = strspn(slash + 1, "0123456789");
	if (!digits || digits > 3 || slash[1 + digits] || (slash[1] == '0' && digits > 1))
		return "has a prefix length that is no number";
	out->len = atoi(slash + 1);
	if (out->len > family_bits(out->addr.family))
		return "has a prefix length beyond its family's";
	clear_host_bits(out);
	return NULL;
}

const char *addr_text(const struct addr *a, char *buf)
{
	return inet_ntop(a->family == V4 ? AF_INET : AF_INET6, a->bytes, buf, ADDR_TEXT);
}

const char *prefix_text(const struct prefix *p, char *buf)
{
	addr_text(&p->addr, buf);
	sprintf(buf + strlen(buf), "/%u", p->len);
	return buf;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_is_usable(const struct addr *a)
{
	const uint8_t *b = a->bytes;
	size_t i = 0;

	if (a->family == V4)
		return *b && *b != 127 && *b < 224 && !(*b == 169 && b[1] == 254);
	while (i < 15 && !b[i])
		i++;
	return !(i == 15 && b[15] <= 1) && *b != 0xff && !(*b == 0xfe && (b[1] & 0xc0) == 0x80);
}

static bool same_head(const struct addr *a, const struct addr *b, unsigned int bits)
{
	unsigned int octets = bits / 8, rest = bits % 8;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, octets))
		return false;
	return !rest || !((a->bytes[octets] ^ b->bytes[octets]) >> (8 - rest));
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	return same_head(&p->addr, a, p->len);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}
