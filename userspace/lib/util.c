// SPDX-License-Identifier: GPL-2.0-only
/* Addresses, prefixes and numbers, from and to text. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

bool vr_number_parse(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;
	unsigned int digit;

	if (!*text)
		return false;
	for (; *text; text++) {
		digit = (unsigned char)*text - '0';
		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max)
		return false;
	*number = n;
	return true;
}

bool vr_addr_parse(const char *text, struct vr_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(addr->family, text, addr->b) == 1)
		return true;
	memset(addr, 0, sizeof(*addr));
	return false;
}

/* Are all bits after the first len zero? */
static bool host_bits_zero(const struct vr_addr *addr, unsigned int len)
{
	unsigned int i, n = vr_addr_octets(addr->family);

	for (i = len / 8; i < n; i++)
		if (addr->b[i] & (i == len / 8 ? 0xff >> len % 8 : 0xff))
			return false;
	return true;
}

bool vr_prefix_parse(const char *text, struct vr_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char addr[VR_ADDR_TEXT];
	uint64_t len;
	size_t n;

	memset(prefix, 0, sizeof(*prefix));
	n = slash ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof(addr))
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (!vr_addr_parse(addr, &prefix->addr))
		return false;

	len = vr_addr_octets(prefix->addr.family) * 8;
	if ((slash && !vr_number_parse(slash + 1, len, &len)) ||
	    !host_bits_zero(&prefix->addr, len)) {
		memset(prefix, 0, sizeof(*prefix));
		return false;
	}
	prefix->len = len;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool vr_mac_parse(const char *text, uint8_t mac[6])
{
	uint8_t parsed[6];
	int i, hi, lo;

	for (i = 0; i < 6; i++, text += 3) {
		hi = hex_digit(text[0]);
		lo = hi < 0 ? -1 : hex_digit(text[1]);
		if (lo < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		parsed[i] = hi << 4 | lo;
	}
	memcpy(mac, parsed, sizeof(parsed));
	return true;
}

const char *vr_addr_text(const struct vr_addr *addr, char buf[VR_ADDR_TEXT])
{
	if (!addr->family || !inet_ntop(addr->family, addr->b, buf, VR_ADDR_TEXT))
		strcpy(buf, "-");
	return buf;
}

const char *vr_prefix_text(const struct vr_prefix *prefix, char buf[VR_PREFIX_TEXT])
{
	char addr[VR_ADDR_TEXT];

	snprintf(buf, VR_PREFIX_TEXT, "%s/%u", vr_addr_text(&prefix->addr, addr), prefix->len);
	return buf;
}

const char *vr_mac_text(const uint8_t mac[6], char buf[VR_MAC_TEXT])
{
	snprintf(buf, VR_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return buf;
}

int vr_addr_compare(const struct vr_addr *a, const struct vr_addr *b)
{
	if (a->family != b->family)
		return vr_addr_octets(a->family) < vr_addr_octets(b->family) ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool vr_prefix_contains(const struct vr_prefix *prefix, const struct vr_addr *addr)
{
	unsigned int octets = prefix->len / 8, bits = prefix->len % 8;

	if (prefix->addr.family != addr->family)
		return false;
	return !memcmp(prefix->addr.b, addr->b, octets) &&
	       (!bits || !((prefix->addr.b[octets] ^ addr->b[octets]) >> (8 - bits)));
}
