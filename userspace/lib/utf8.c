// SPDX-License-Identifier: GPL-2.0-only
#include "utf8.h"

#include <stddef.h>
#include <stdint.h>

/* Octets of the character at s; 0: it is none. */
static size_t length(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80 ? 1 : *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf8 ? 4 : 0, i;
	uint32_t c;

	if (n < 2)
		return n;
	c = *s & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

char *vr_utf8_clean(char *s)
{
	char *at = s;
	size_t n;

	while (at && *at) {
		n = length((unsigned char *)at);
		if (!n)
			*at = '?';
		at += n ? n : 1;
	}
	return s;
}
