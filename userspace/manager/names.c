// SPDX-License-Identifier: GPL-2.0-only
/* The forms of names, as the API server checks them. */
#include <string.h>

#include "field.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* len of s are of inner, the first and last of ends */
static bool is_word(const char *s, size_t len, const char *inner, const char *ends)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!is_one_of(s[i], inner))
			return false;
	return len && is_one_of(s[0], ends) && is_one_of(s[len - 1], ends);
}

const char *name_dns_label(const char *s)
{
	if (strlen(s) > 63)
		return "must be no longer than 63 characters";
	if (!is_word(s, strlen(s), LOWER DIGITS "-", LOWER DIGITS))
		return "must be lower case letters, digits and '-', with a letter or digit at both "
		       "ends";
	return NULL;
}

const char *name_dns_service(const char *s)
{
	const char *reason = name_dns_label(s);

	if (!reason && !is_one_of(*s, LOWER))
		reason = "must begin with a letter";
	return reason;
}

const char *name_dns_subdomain(const char *s)
{
	size_t len;

	if (strlen(s) > 253)
		return "must be no longer than 253 characters";
	for (;; s += len + 1) {
		len = strcspn(s, ".");
		if (!is_word(s, len, LOWER DIGITS "-", LOWER DIGITS))
			return "must be lower case letters, digits, '-' and '.', with a letter or "
			       "digit "
			       "at both ends of each part";
		if (!s[len])
			return NULL;
	}
}

const char *name_port(const char *s)
{
	if (strlen(s) > 15)
		return "must be no longer than 15 characters";
	if (!is_word(s, strlen(s), LOWER DIGITS "-", LOWER DIGITS) || strstr(s, "--"))
		return "must be lower case letters, digits and single '-', with a letter or digit "
		       "at both ends";
	if (!strpbrk(s, LOWER))
		return "must have at least one letter; a port's number is written without quotes";
	return NULL;
}

static const char *qualified_part(const char *s)
{
	if (strlen(s) > 63)
		return "must be no longer than 63 characters";
	if (!is_word(s, strlen(s), ALNUM "-_.", ALNUM))
		return "must be letters, digits, '-', '_' and '.', with a letter or digit at both "
		       "ends";
	return NULL;
}

const char *name_label_key(const char *s)
{
	const char *slash = strchr(s, '/');
	char domain[254];

	if (!slash)
		return qualified_part(s);
	if ((size_t)(slash - s) >= sizeof(domain))
		return "must have no more than 253 characters before the '/'";
	memcpy(domain, s, slash - s);
	domain[slash - s] = '\0';
	if (name_dns_subdomain(domain))
		return "must have a DNS name before the '/'";
	return qualified_part(slash + 1);
}

const char *name_label_value(const char *s)
{
	return *s ? qualified_part(s) : NULL;
}
