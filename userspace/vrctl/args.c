// SPDX-License-Identifier: GPL-2.0-only
/* A command's words into a structure, by a table. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

/* A table in use; the one around an element's is "up". */
struct scope {
	const struct arg_table	*table;
	void			*obj;
	uint64_t		seen;		/* entries by index */
	const struct scope	*up;
};

/* "id", or what a positional entry's value is called. */
static const char *arg_name(const struct arg *a)
{
	return a->word ? a->word : a->value;
}

const char *arg_peek(const struct parser *p)
{
	return p->pos < p->n ? p->words[p->pos] : NULL;
}

const char *arg_value(struct parser *p, const struct arg *a)
{
	if (p->pos < p->n)
		return p->words[p->pos++];
	vr_err_set(p->err, EINVAL, "%s: the %s is missing", arg_name(a), a->value);
	return NULL;
}

int arg_invalid(struct parser *p, const struct arg *a, const char *text, const char *what)
{
	return vr_err_set(p->err, EINVAL, "%s: \"%.64s\" is not %s", arg_name(a), text, what);
}

void *arg_grow(struct parser *p, void *listp, unsigned int *n, size_t size)
{
	void *list, **at = listp;

	if (!(*n & (*n - 1))) {
		list = reallocarray(*at, *n ? *n * 2UL : 1, size);
		if (!list) {
			vr_err_nomem(p->err);
			return NULL;
		}
		*at = list;
	}
	return memset((char *)*at + (*n)++ * size, 0, size);
}

int arg_ref(struct parser *p, const struct arg *a, const struct vr_obj_type *t,
	    const char *text, uint32_t *id)
{
	uint64_t number;
	int err;

	if (vr_number_parse(text, UINT64_MAX, &number)) {
		if (!number || number > UINT32_MAX)
			return arg_invalid(p, a, text, "an id, 1 to 4294967295");
		*id = number;
		return 0;
	}
	err = p->resolve(p->ctx, t, text, id, p->err);
	if (err)
		vr_err_wrap(p->err, "%s", arg_name(a));
	return err;
}

static void store(const struct arg *a, void *obj, uint64_t number)
{
	void *at = (char *)obj + a->offset;

	switch (a->width) {
	case 1:
		*(uint8_t *)at = number;
		break;
	case 2:
		*(uint16_t *)at = number;
		break;
	default:
		*(uint32_t *)at = number;
	}
}

static int parse_number(struct parser *p, const struct arg *a, void *obj, const char *text)
{
	uint64_t number, max = a->max ? a->max : UINT32_MAX;
	char what[64];

	if (vr_number_parse(text, max, &number) && number >= a->min) {
		store(a, obj, number);
		return 0;
	}
	snprintf(what, sizeof(what), "a number from %u to %llu", a->min,
		 (unsigned long long)max);
	return arg_invalid(p, a, text, what);
}

static int parse_name(struct parser *p, const struct arg *a, void *obj, const char *text)
{
	const struct vr_name *n;
	char what[256] = "one of";
	uint32_t value;
	size_t len;

	if (vr_name_value(a->names, text, &value)) {
		store(a, obj, value);
		return 0;
	}
	for (n = a->names; n->name; n++) {
		len = strlen(what);
		snprintf(what + len, sizeof(what) - len, "%s %s", n == a->names ? "" : ",",
			 n->name);
	}
	return arg_invalid(p, a, text, what);
}

static int parse_string(struct parser *p, const struct arg *a, void *obj, const char *text)
{
	char **at = (void *)((char *)obj + a->offset);
	size_t max = a->max ? a->max : VROUTER_LABEL_MAX;
	char what[64];

	if (!*text || strlen(text) > max) {
		snprintf(what, sizeof(what), "1 to %zu characters", max);
		return arg_invalid(p, a, text, what);
	}
	*at = strdup(text);
	return *at ? 0 : vr_err_nomem(p->err);
}

static int parse_device(struct parser *p, const struct arg *a, void *obj, const char *text)
{
	size_t len = strlen(text);

	if (!len || len > 15 || strchr(text, '/'))
		return arg_invalid(p, a, text, "a device's name");
	memcpy((char *)obj + a->offset, text, len + 1);
	return 0;
}

static int parse_addr(struct parser *p, const struct arg *a, void *at, const char *text)
{
	return vr_addr_parse(text, at) ? 0 : arg_invalid(p, a, text, "an IPv4 or IPv6 address");
}

static int parse_prefix(struct parser *p, const struct arg *a, void *at, const char *text)
{
	struct vr_prefix *prefix = at;
	const char *slash = strchr(text, '/');
	struct vr_addr addr;
	char base[VR_ADDR_TEXT];

	if (vr_prefix_parse(text, prefix))
		return 0;
	if (slash && slash - text < VR_ADDR_TEXT) {
		snprintf(base, sizeof(base), "%.*s", (int)(slash - text), text);
		if (vr_addr_parse(base, &addr))
			return arg_invalid(p, a, text,
					   "a prefix: too long, or bits after its length are not zero");
	}
	return arg_invalid(p, a, text, "an IPv4 or IPv6 prefix");
}

static void *element(struct parser *p, const struct arg *a, void *obj, size_t size)
{
	return arg_grow(p, (char *)obj + a->offset, (unsigned int *)((char *)obj + a->with), size);
}

static int parse_element(struct parser *p, const struct arg *a, void *obj, const char *text)
{
	void *at;

	switch (a->type) {
	case ARG_REFS:
		at = element(p, a, obj, sizeof(uint32_t));
		return at ? arg_ref(p, a, a->ref, text, at) : -ENOMEM;
	case ARG_ADDRS:
		at = element(p, a, obj, sizeof(struct vr_addr));
		return at ? parse_addr(p, a, at, text) : -ENOMEM;
	default:
		at = element(p, a, obj, sizeof(struct vr_prefix));
		return at ? parse_prefix(p, a, at, text) : -ENOMEM;
	}
}

static int parse_value(struct parser *p, const struct arg *a, void *obj, const char *text)
{
	void *at = (char *)obj + a->offset;

	switch (a->type) {
	case ARG_NUMBER:
		return parse_number(p, a, obj, text);
	case ARG_REF:
		return arg_ref(p, a, a->ref, text, at);
	case ARG_STRING:
		return parse_string(p, a, obj, text);
	case ARG_DEVICE:
		return parse_device(p, a, obj, text);
	case ARG_MAC:
		return vr_mac_parse(text, at) ? 0 :
		       arg_invalid(p, a, text, "a MAC address (02:00:00:00:00:01)");
	case ARG_ADDR:
		return parse_addr(p, a, at, text);
	case ARG_PREFIX:
		return parse_prefix(p, a, at, text);
	case ARG_NAME:
		return parse_name(p, a, obj, text);
	default:
		return parse_element(p, a, obj, text);
	}
}

static int parse_scope(struct parser *p, struct scope *s);

static int parse_arg(struct parser *p, const struct arg *a, struct scope *s)
{
	struct scope inner = { .table = a->sub, .up = s };
	const char *text;
	int err;

	switch (a->type) {
	case ARG_FLAG:
		*(bool *)((char *)s->obj + a->offset) = true;
		return 0;
	case ARG_LIST:
		inner.obj = element(p, a, s->obj, a->sub->size);
		if (!inner.obj)
			return -ENOMEM;
		err = parse_scope(p, &inner);
		if (err)
			vr_err_wrap(p->err, "%s[%u]", arg_name(a),
				    *(unsigned int *)((char *)s->obj + a->with) - 1);
		return err;
	case ARG_CUSTOM:
		err = a->parse(p, a, s->obj);
		break;
	default:
		text = arg_value(p, a);
		err = text ? parse_value(p, a, s->obj, text) : -EINVAL;
	}
	if (!err && a->has_with)
		*(bool *)((char *)s->obj + a->with) = true;
	return err;
}

static bool is_multi(const struct arg *a)
{
	return a->type == ARG_LIST || a->type == ARG_REFS || a->type == ARG_ADDRS ||
	       a->type == ARG_PREFIXES;
}

static const struct arg *find_word(const struct arg_table *t, const char *word)
{
	const struct arg *a;

	for (a = t->args; a < t->args + t->n; a++)
		if (a->word && !strcmp(a->word, word))
			return a;
	return NULL;
}

static const struct arg *next_positional(const struct scope *s)
{
	const struct arg *a;

	for (a = s->table->args; a < s->table->args + s->table->n; a++)
		if (!a->word && !(s->seen & 1ULL << (a - s->table->args)))
			return a;
	return NULL;
}

/* The entry that the next word is for, NULL when it is none of the scope's. */
static const struct arg *find_arg(struct parser *p, const struct scope *s)
{
	const char *word = p->words[p->pos];
	const struct arg *a = find_word(s->table, word);
	const struct scope *up;

	if (a) {
		p->pos++;
		return a;
	}
	for (up = s->up; up; up = up->up)
		if (find_word(up->table, word))
			return NULL;
	return next_positional(s);
}

static int unknown(struct parser *p)
{
	const char *word = p->words[p->pos];

	return vr_err_set(p->err, EINVAL, "unknown word \"%.64s\"%s%.64s%s", word,
			  p->pos ? " after \"" : "", p->pos ? p->words[p->pos - 1] : "",
			  p->pos ? "\"" : "");
}

static int check_required(struct parser *p, const struct scope *s)
{
	const struct arg *a;

	for (a = s->table->args; a < s->table->args + s->table->n; a++)
		if (a->flags & ARG_REQUIRED && !(s->seen & 1ULL << (a - s->table->args)))
			return vr_err_set(p->err, EINVAL, "%s%s%s is missing",
					  a->word ? a->word : "", a->word ? " " : "",
					  a->value ? a->value : "");
	return 0;
}

static int parse_scope(struct parser *p, struct scope *s)
{
	const struct arg *a;
	uint64_t bit;
	int err;

	while (p->pos < p->n) {
		a = find_arg(p, s);
		if (!a && !s->up)
			return unknown(p);
		if (!a)
			break;
		bit = 1ULL << (a - s->table->args);
		if (s->seen & bit && !is_multi(a))
			return vr_err_set(p->err, EINVAL, "%s is given twice", arg_name(a));
		s->seen |= bit;
		err = parse_arg(p, a, s);
		if (err)
			return err;
	}
	return check_required(p, s);
}

int args_parse(struct parser *p, const struct arg_table *table, void *obj)
{
	struct scope top = { .table = table, .obj = obj };

	return parse_scope(p, &top);
}
