// SPDX-License-Identifier: GPL-2.0-only
#include "selector.h"

#include "field.h"
#include "labels.h"
#include "xmem.h"

static int by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *requirement_text(const struct requirement *r)
{
	char *text, *more;
	size_t i;

	switch (r->op) {
	case SELECTOR_EXISTS:
		return xstrdup(r->key);
	case SELECTOR_ABSENT:
		return xasprintf("!%s", r->key);
	default:
		break;
	}
	if (r->n == 1)
		return xasprintf("%s%s%s", r->key, r->op == SELECTOR_IN ? "=" : "!=", r->values[0]);
	text = xasprintf("%s %s (%s", r->key, r->op == SELECTOR_IN ? "in" : "notin", r->values[0]);
	for (i = 1; i < r->n; i++) {
		more = xasprintf("%s,%s", text, r->values[i]);
		free(text);
		text = more;
	}
	more = xasprintf("%s)", text);
	free(text);
	return more;
}

static void requirement_free(struct requirement *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->values[i]);
	free(r->values);
	free(r->key);
}

void selector_free(struct selector *sel)
{
	size_t i;

	if (!sel)
		return;
	for (i = 0; i < sel->n; i++)
		requirement_free(&sel->reqs[i]);
	free(sel->reqs);
	free(sel);
}

struct selector *selector_copy(const struct selector *sel)
{
	struct selector *copy;
	size_t i, j;

	if (!sel)
		return NULL;
	copy = xzalloc(sizeof(*copy));
	copy->n = sel->n;
	copy->reqs = xcalloc(sel->n, sizeof(*copy->reqs));
	for (i = 0; i < sel->n; i++) {
		const struct requirement *from = &sel->reqs[i];
		struct requirement *to = &copy->reqs[i];

		to->op = from->op;
		to->key = xstrdup(from->key);
		to->n = from->n;
		to->values = xcalloc(from->n, sizeof(*to->values));
		for (j = 0; j < from->n; j++)
			to->values[j] = xstrdup(from->values[j]);
	}
	return copy;
}

struct selector *selector_new(const char *key, const char *value)
{
	struct selector *sel = xzalloc(sizeof(*sel));

	sel->n = 1;
	sel->reqs = xcalloc(1, sizeof(*sel->reqs));
	sel->reqs[0].op = SELECTOR_IN;
	sel->reqs[0].key = xstrdup(key);
	sel->reqs[0].n = 1;
	sel->reqs[0].values = xcalloc(1, sizeof(*sel->reqs[0].values));
	sel->reqs[0].values[0] = xstrdup(value);
	return sel;
}

static int by_text(const void *a, const void *b)
{
	cleanup_free char *x = requirement_text(a), *y = requirement_text(b);

	return strcmp(x, y);
}

static void sort_values(struct requirement *r)
{
	size_t i, kept = 0;

	if (r->n)
		qsort(r->values, r->n, sizeof(*r->values), by_string);
	for (i = 0; i < r->n; i++) {
		if (kept && !strcmp(r->values[i], r->values[kept - 1]))
			free(r->values[i]);
		else
			r->values[kept++] = r->values[i];
	}
	r->n = kept;
}

static void canonicalize(struct selector *sel)
{
	size_t i, kept = 0;

	for (i = 0; i < sel->n; i++)
		sort_values(&sel->reqs[i]);
	if (sel->n)
		qsort(sel->reqs, sel->n, sizeof(*sel->reqs), by_text);
	for (i = 0; i < sel->n; i++) {
		if (kept && !by_text(&sel->reqs[i], &sel->reqs[kept - 1]))
			requirement_free(&sel->reqs[i]);
		else
			sel->reqs[kept++] = sel->reqs[i];
	}
	sel->n = kept;
}

static void read_value(struct requirement *r, const struct field *f)
{
	const char *s = field_as_string(f), *reason = s ? name_label_value(s) : NULL;

	if (reason)
		field_error(f, "\"%.80s\" %s", s, reason);
	else if (s)
		*(char **)array_push(&r->values, &r->n, sizeof(char *)) = xstrdup(s);
}

static void check_key(const struct field *f, const char *key)
{
	const char *reason = name_label_key(key);

	if (reason)
		field_error(f, "\"%.80s\" %s", key, reason);
}

static void read_labels(struct selector *sel, const struct field *map)
{
	const char *key;
	json_t *value;

	json_object_foreach(map->value, key, value) {
		struct requirement *r = array_push(&sel->reqs, &sel->n, sizeof(*r));
		struct field f = field_get(map, key);

		check_key(&f, key);
		r->op = SELECTOR_IN;
		r->key = xstrdup(key);
		read_value(r, &f);
	}
}

static bool read_op(const struct field *f, enum selector_op *op)
{
	static const char *const names[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	const char *s;
	size_t i;

	field_required(f, "operator");
	s = field_string(f, "operator");
	for (i = 0; s && i < 4; i++) {
		if (!strcmp(s, names[i])) {
			*op = i;
			return true;
		}
	}
	if (s) {
		struct field at = field_get(f, "operator");

		field_error(&at, "must be In, NotIn, Exists or DoesNotExist, not \"%.30s\"", s);
	}
	return false;
}

static void read_expression(struct selector *sel, const struct field *f)
{
	static const char *const known[] = { "key", "operator", "values", NULL };
	struct requirement *r = array_push(&sel->reqs, &sel->n, sizeof(*r));
	struct field values, key = field_get(f, "key");
	const char *text;
	bool wants_values;
	size_t i;

	field_only(f, known, true);
	field_required(f, "key");
	text = field_string(f, "key");
	if (text)
		check_key(&key, text);
	r->key = xstrdup(text ? text : "");
	if (!read_op(f, &r->op))
		return;
	values = field_array(f, "values");
	for (i = 0; i < field_count(&values); i++) {
		struct field v = field_at(&values, i);

		read_value(r, &v);
	}
	wants_values = r->op == SELECTOR_IN || r->op == SELECTOR_NOT_IN;
	if (wants_values && !field_count(&values))
		field_error(&values, "must be given for In and NotIn");
	if (!wants_values && field_count(&values))
		field_error(&values, "must not be given for Exists and DoesNotExist");
}

struct selector *selector_read(const struct field *f)
{
	static const char *const known[] = { "matchLabels", "matchExpressions", NULL };
	size_t i, errors = f->place->report->errors;
	struct field labels, list;
	struct selector *sel;

	if (!json_is_object(f->value)) {
		field_error(f, "must be a label selector (an object)");
		return NULL;
	}
	field_only(f, known, true);
	sel = xzalloc(sizeof(*sel));
	labels = field_object(f, "matchLabels");
	read_labels(sel, &labels);
	list = field_array(f, "matchExpressions");
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i);

		if (json_is_object(e.value))
			read_expression(sel, &e);
		else
			field_error(&e, "must be an object");
	}
	if (f->place->report->errors != errors) {
		selector_free(sel);
		return NULL;
	}
	canonicalize(sel);
	return sel;
}

struct selector *selector_read_map(const struct field *f)
{
	struct selector *sel = xzalloc(sizeof(*sel));
	size_t errors = f->place->report->errors;

	read_labels(sel, f);
	if (f->place->report->errors != errors) {
		selector_free(sel);
		return NULL;
	}
	canonicalize(sel);
	return sel;
}

static bool has_value(const struct requirement *r, const char *value)
{
	return r->n && bsearch(&value, r->values, r->n, sizeof(*r->values), by_string);
}

bool selector_matches(const struct selector *sel, const struct labels *labels)
{
	size_t i;

	for (i = 0; i < sel->n; i++) {
		const struct requirement *r = &sel->reqs[i];
		const char *value = labels_get(labels, r->key);
		bool holds;

		switch (r->op) {
		case SELECTOR_IN:
			holds = value && has_value(r, value);
			break;
		case SELECTOR_NOT_IN:	/* which an object without the label fulfils */
			holds = !value || !has_value(r, value);
			break;
		case SELECTOR_EXISTS:
			holds = value;
			break;
		default:
			holds = !value;
		}
		if (!holds)
			return false;
	}
	return true;
}

char *selector_text(const struct selector *sel)
{
	char *text = xstrdup("");
	size_t i;

	for (i = 0; i < sel->n; i++) {
		cleanup_free char *one = requirement_text(&sel->reqs[i]);
		char *more = xasprintf("%s%s%s", text, i ? "," : "", one);

		free(text);
		text = more;
	}
	return text;
}

const struct requirement *selector_pivot(const struct selector *sel)
{
	const struct requirement *best = NULL;
	size_t i;

	for (i = 0; i < sel->n; i++)
		if (sel->reqs[i].op == SELECTOR_IN && (!best || sel->reqs[i].n < best->n))
			best = &sel->reqs[i];
	return best;
}
