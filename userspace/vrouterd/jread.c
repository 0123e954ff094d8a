// SPDX-License-Identifier: GPL-2.0-only
/* Fields of JSON objects, with the path of the one that is wrong. */

#include <stdarg.h>

#include "jread.h"
#include "mem.h"

#define KEY_MAX		319	/* as a label of the kernel's */

size_t jenter(struct jerr *e, const char *field, int index)
{
	size_t mark = strlen(e->path), room = sizeof(e->path) - mark;

	if (index < 0)
		snprintf(e->path + mark, room, "%s%s", mark ? "." : "", field);
	else
		snprintf(e->path + mark, room, "%s%s[%d]", mark ? "." : "", field, index);
	return mark;
}

void jleave(struct jerr *e, size_t mark)
{
	e->path[mark] = '\0';
}

void jfail(struct jerr *e, const char *field, const char *fmt, ...)
{
	char why[160];
	va_list args;

	if (jbad(e))
		return;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	snprintf(e->text, sizeof(e->text), "%s%s%s: %s", e->path,
		 field && e->path[0] ? "." : "", field ? field : "", why);
}

static const json_t *get(struct jerr *e, const json_t *o, const char *field, bool required)
{
	const json_t *v;

	if (jbad(e))
		return NULL;
	v = json_object_get(o, field);
	if (json_is_null(v))
		v = NULL;
	if (!v && required)
		jfail(e, field, "is missing");
	return v;
}

const json_t *jobject(struct jerr *e, const json_t *o, const char *field, bool required)
{
	const json_t *v = get(e, o, field, required);

	if (v && !json_is_object(v)) {
		jfail(e, field, "must be an object");
		return NULL;
	}
	return v;
}

const json_t *jarray(struct jerr *e, const json_t *o, const char *field, size_t max)
{
	const json_t *v = get(e, o, field, false);

	if (v && !json_is_array(v)) {
		jfail(e, field, "must be a list");
		return NULL;
	}
	if (json_array_size(v) > max) {
		jfail(e, field, "has %zu elements, at most %zu are allowed", json_array_size(v),
		      max);
		return NULL;
	}
	return v;
}

const char *jstring(struct jerr *e, const json_t *o, const char *field, bool required)
{
	const json_t *v = get(e, o, field, required);

	if (!v)
		return NULL;
	if (!json_is_string(v) || !json_string_length(v)) {
		jfail(e, field, "must be a string that is not empty");
		return NULL;
	}
	return json_string_value(v);
}

uint32_t jnumber(struct jerr *e, const json_t *o, const char *field, uint32_t min, uint32_t max,
		 uint32_t absent)
{
	const json_t *v = get(e, o, field, false);

	if (!v)
		return absent;
	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
		jfail(e, field, "must be a number from %u to %u", min, max);
		return absent;
	}
	return json_integer_value(v);
}

/* Both parts there, one slash, nothing that a table of names could not show. */
bool key_valid(const char *key)
{
	const char *slash = strchr(key, '/'), *s;

	if (!slash || slash == key || !slash[1] || strchr(slash + 1, '/') ||
	    strlen(key) > KEY_MAX)
		return false;
	for (s = key; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

char *jkey(struct jerr *e, const json_t *o, const char *field, bool required)
{
	const char *s = jstring(e, o, field, required);

	if (!s)
		return NULL;
	if (!key_valid(s)) {
		jfail(e, field, "\"%.64s\" is not namespace/name", s);
		return NULL;
	}
	return mem_strdup(s);
}

bool jip(struct jerr *e, const char *text, struct vr_addr *ip)
{
	if (text && vr_addr_parse(text, ip))
		return true;
	jfail(e, NULL, "\"%.64s\" is not an IP address", text ? text : "");
	return false;
}

bool jprefix(struct jerr *e, const char *text, struct vr_prefix *p)
{
	/* Without a length it would be one address, which nobody means here. */
	if (text && strchr(text, '/') && vr_prefix_parse(text, p))
		return true;
	jfail(e, NULL, "\"%.64s\" is not a prefix, or has bits after its length",
	      text ? text : "");
	return false;
}

bool jmac(struct jerr *e, const char *text, uint8_t mac[6])
{
	if (!text)
		return false;
	if (vr_mac_parse(text, mac))
		return true;
	jfail(e, "macAddress", "\"%.32s\" is not a MAC address", text);
	return false;
}

uint8_t jproto(struct jerr *e, const json_t *o, const char *field, bool required, bool icmp)
{
	static const struct { const char *name; uint8_t proto; bool icmp; } known[] = {
		{ "TCP", IPPROTO_TCP, false }, { "UDP", IPPROTO_UDP, false },
		{ "SCTP", IPPROTO_SCTP, false }, { "ICMP", IPPROTO_ICMP, true },
		{ "ICMPv6", IPPROTO_ICMPV6, true },
	};
	const char *s = jstring(e, o, field, required);
	unsigned int i;

	if (!s)
		return 0;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(s, known[i].name) && (icmp || !known[i].icmp))
			return known[i].proto;
	jfail(e, field, "\"%.32s\" is not TCP, UDP%s", s, icmp ? ", SCTP, ICMP or ICMPv6" :
	      " or SCTP");
	return 0;
}
