// SPDX-License-Identifier: GPL-2.0-only
#include "field.h"

#include <netinet/in.h>

#include "reader.h"
#include "utf8.h"
#include "xmem.h"

void report_add(struct report *report, enum severity severity, const char *fmt, ...)
{
	struct complaint *c = array_push(&report->v, &report->n, sizeof(*c));
	va_list ap;

	va_start(ap, fmt);
	c->text = vr_utf8_clean(xvasprintf(fmt, ap));
	va_end(ap);
	c->severity = severity;
	report->errors += severity == ERROR;
}

void report_free(struct report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++)
		free(report->v[i].text);
	free(report->v);
	memset(report, 0, sizeof(*report));
}

unsigned int field_line(const struct field *f)
{
	/* What is not there is missing where its parent stands. */
	while (f->up && !f->lines)
		f = f->up;
	return lines_line(f->lines);
}

/* "spec.ports[0].port"; keys that would be misread stand in brackets. */
static char *path_of(const struct field *f)
{
	char *up, *path;

	if (!f->up)
		return xstrdup("");
	up = path_of(f->up);
	if (!f->key)
		path = xasprintf("%s[%zu]", up, f->index);
	else if (strpbrk(f->key, "./[ "))
		path = xasprintf("%s[%.100s]", up, f->key);
	else
		path = xasprintf("%s%s%.100s", up, *up ? "." : "", f->key);
	free(up);
	return path;
}

static void complain(const struct field *f, enum severity severity, const char *fmt, va_list ap)
{
	const struct place *place = f->place;
	char *path = path_of(f), *reason = xvasprintf(fmt, ap);

	cleanup_free char *where = place->file ?
		xasprintf("%s:%u: document %u: ", place->file, field_line(f), place->document) :
		xstrdup("");

	report_add(place->report, severity, "%s%s%s%s%s%s", where,
		   place->object ? place->object : "", place->object ? ": " : "", path,
		   *path ? ": " : "", reason);
	free(path);
	free(reason);
}

void field_error(const struct field *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(f, ERROR, fmt, ap);
	va_end(ap);
}

void field_warn(const struct field *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(f, WARNING, fmt, ap);
	va_end(ap);
}

void field_note(const struct field *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(f, NOTE, fmt, ap);
	va_end(ap);
}

struct field field_get(const struct field *up, const char *key)
{
	struct field f = { .up = up, .key = key, .place = up->place };

	f.value = json_object_get(up->value, key);
	f.lines = json_object_get(json_array_get(up->lines, 1), key);
	if (json_is_null(f.value))
		f.value = NULL;
	return f;
}

struct field field_at(const struct field *up, size_t i)
{
	return (struct field){
		.up = up, .index = i, .place = up->place,
		.value = json_array_get(up->value, i),
		.lines = json_array_get(json_array_get(up->lines, 1), i),
	};
}

static const char *type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return "a string";
	case JSON_INTEGER: return "a number";
	case JSON_REAL: return "a fraction";
	case JSON_NULL: return "null";
	default: return "a boolean";
	}
}

static void wrong_type(struct field *f, const char *want)
{
	field_error(f, "must be %s, not %s", want, type_name(f->value));
	f->value = NULL;
}

struct field field_object(const struct field *up, const char *key)
{
	struct field f = field_get(up, key);

	if (f.value && !json_is_object(f.value))
		wrong_type(&f, "an object");
	return f;
}

struct field field_array(const struct field *up, const char *key)
{
	struct field f = field_get(up, key);

	if (f.value && !json_is_array(f.value))
		wrong_type(&f, "a list");
	return f;
}

const char *field_as_string(const struct field *f)
{
	struct field copy = *f;

	if (!f->value || !json_is_string(f->value)) {
		if (!f->value)
			field_error(f, "must be a string");
		else
			wrong_type(&copy, "a string");
		return NULL;
	}
	return json_string_value(f->value);
}

const char *field_string(const struct field *up, const char *key)
{
	struct field f = field_get(up, key);

	return f.value ? field_as_string(&f) : NULL;
}

bool field_bool(const struct field *up, const char *key, bool absent)
{
	struct field f = field_get(up, key);

	if (f.value && !json_is_boolean(f.value))
		wrong_type(&f, "true or false");
	return f.value ? json_is_true(f.value) : absent;
}

json_int_t field_int(const struct field *up, const char *key, json_int_t min, json_int_t max,
		     json_int_t absent)
{
	struct field f = field_get(up, key);
	json_int_t v;

	if (!f.value)
		return absent;
	if (!json_is_integer(f.value)) {
		wrong_type(&f, "a whole number");
		return absent;
	}
	v = json_integer_value(f.value);
	if (v >= min && v <= max)
		return v;
	field_error(&f, "must be %lld to %lld, not %lld", (long long)min, (long long)max,
		    (long long)v);
	return absent;
}

void field_required(const struct field *up, const char *key)
{
	struct field f = field_get(up, key);

	if (!f.value)
		field_error(&f, "is required");
}

void field_only(const struct field *object, const char *const known[], bool fatal)
{
	const char *const *k;
	const char *key;
	json_t *value;

	json_object_foreach(object->value, key, value) {
		struct field f = field_get(object, key);

		for (k = known; *k && strcmp(*k, key); k++)
			;
		if (*k)
			continue;
		if (fatal)
			field_error(&f, "is not a known field");
		else
			field_warn(&f, "is not a known field, ignored");
	}
}

bool field_addr(const struct field *f, struct addr *out)
{
	const char *s = field_as_string(f), *reason;

	if (!s)
		return false;
	reason = addr_parse(s, out);
	if (reason)
		field_error(f, "\"%.60s\" %s", s, reason);
	return !reason;
}

bool field_prefix(const struct field *f, struct prefix *out)
{
	const char *s = field_as_string(f), *reason;

	if (!s)
		return false;
	reason = prefix_parse(s, out);
	if (reason)
		field_error(f, "\"%.60s\" %s", s, reason);
	return !reason;
}

const char *protocol_name(int proto)
{
	switch (proto) {
	case IPPROTO_TCP: return "TCP";
	case IPPROTO_UDP: return "UDP";
	default: return "SCTP";
	}
}

bool field_protocol(const struct field *up, int *proto)
{
	struct field f = field_get(up, "protocol");
	const char *s;

	*proto = IPPROTO_TCP;
	if (!f.value)
		return true;
	s = field_as_string(&f);
	if (!s)
		return false;
	if (!strcmp(s, "UDP"))
		*proto = IPPROTO_UDP;
	else if (!strcmp(s, "SCTP"))
		*proto = IPPROTO_SCTP;
	else if (strcmp(s, "TCP")) {
		field_error(&f, "must be TCP, UDP or SCTP, not \"%.30s\"", s);
		return false;
	}
	return true;
}
