/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_JREAD_H
#define VRD_JREAD_H

/*
 * Reads fields of a JSON object and remembers the first that is wrong, by its
 * path. After an error every call returns nothing, so a reader checks once, at
 * its end.
 */

#include "model.h"

static inline bool jbad(const struct jerr *e)
{
	return e->text[0];
}

void jfail(struct jerr *e, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Below a field, or an element of a list (index >= 0); returns what jleave() takes. */
size_t jenter(struct jerr *e, const char *field, int index);
void jleave(struct jerr *e, size_t mark);

/* Each: the field, or NULL/0 when it is absent and not required. */
const json_t *jobject(struct jerr *e, const json_t *o, const char *field, bool required);
const json_t *jarray(struct jerr *e, const json_t *o, const char *field, size_t max);
const char *jstring(struct jerr *e, const json_t *o, const char *field, bool required);
uint32_t jnumber(struct jerr *e, const json_t *o, const char *field, uint32_t min, uint32_t max,
		 uint32_t absent);
/* A "namespace/name", the key of another resource. */
char *jkey(struct jerr *e, const json_t *o, const char *field, bool required);

/* The string itself is given: an element of a list, or a field. */
bool jip(struct jerr *e, const char *text, struct vr_addr *ip);
bool jprefix(struct jerr *e, const char *text, struct vr_prefix *p);
bool jmac(struct jerr *e, const char *text, uint8_t mac[6]);
uint8_t jproto(struct jerr *e, const json_t *o, const char *field, bool required, bool icmp);
bool key_valid(const char *key);

/* parse_monitor.c: NULL without one, or after an error. */
struct monitor *monitor_parse(struct jerr *e, const json_t *o);

#endif
