/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a manifest's fields so that every complaint says where: file and line,
 * document, object, field path, reason. Complaints are collected, as the API
 * server does, not only the first one given.
 */
#ifndef MANAGER_FIELD_H
#define MANAGER_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct config;

enum severity {
	NOTE,
	WARNING,	/* not what was meant, probably */
	ERROR,		/* the object is refused */
};

/* What was found wrong with one reading of the manifests. */
struct report {
	struct complaint {
		enum severity	severity;
		char		*text;
	}	*v;
	size_t	n;
	size_t	errors;
};

void report_add(struct report *report, enum severity severity, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void report_free(struct report *report);

/* Where an object stands. */
struct place {
	const char		*file;
	unsigned int		document;
	const char		*object;	/* "Pod default/web-0", once known; or the kind */
	const struct config	*config;
	struct report		*report;
};

/* A value in its document; lives on the stack beside its parent. */
struct field {
	const struct field	*up;		/* NULL: the document itself */
	const char		*key;		/* in an object; NULL: index counts */
	size_t			index;
	json_t			*value;		/* NULL: absent, or null in the manifest */
	json_t			*lines;
	struct place		*place;
};

unsigned int field_line(const struct field *f);
void field_error(const struct field *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void field_note(const struct field *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void field_warn(const struct field *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A child, of any type; ->value is NULL when absent. */
struct field field_get(const struct field *up, const char *key);
struct field field_at(const struct field *up, size_t i);
/*
 * A child that must be of a type when given. Absent and wrong ones have a NULL ->value;
 * wrong ones have been complained about.
 */
struct field field_object(const struct field *up, const char *key);
struct field field_array(const struct field *up, const char *key);
const char *field_string(const struct field *up, const char *key);
bool field_bool(const struct field *up, const char *key, bool absent);
/* An integer in min..max; absent when not given or wrong. */
json_int_t field_int(const struct field *up, const char *key, json_int_t min, json_int_t max,
		     json_int_t absent);
/* An element that must be a string; NULL after a complaint. */
const char *field_as_string(const struct field *f);

static inline size_t field_count(const struct field *array)
{
	return json_array_size(array->value);
}

void field_required(const struct field *up, const char *key);
/* Complains about keys of an object that are not in the NULL-ended list. */
void field_only(const struct field *object, const char *const known[], bool fatal);

/* Checked scalars; false after a complaint. */
bool field_addr(const struct field *f, struct addr *out);
bool field_prefix(const struct field *f, struct prefix *out);
bool field_protocol(const struct field *up, int *proto);	/* absent: TCP */

/* NULL, or why the text is no such name. */
const char *name_dns_label(const char *s);	/* RFC 1123: at most 63 of a-z 0-9 - */
const char *name_dns_service(const char *s);	/* RFC 1035: as above, and a letter first */
const char *name_dns_subdomain(const char *s);	/* labels with dots, at most 253 */
const char *name_port(const char *s);		/* IANA_SVC_NAME: at most 15, one letter */
const char *name_label_key(const char *s);
const char *name_label_value(const char *s);

/* "TCP", "UDP" or "SCTP" of an IPPROTO_ number. */
const char *protocol_name(int proto);

#endif
