// SPDX-License-Identifier: GPL-2.0-only
#include "labels.h"

#include "xmem.h"

struct pair {
	const char	*key, *value;
};

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static struct labels *pack(const struct pair *pairs, size_t n)
{
	size_t i, len = 1;
	struct labels *l;
	char *at;

	for (i = 0; i < n; i++)
		len += strlen(pairs[i].key) + strlen(pairs[i].value) + 2;
	l = xzalloc(sizeof(*l) + len);
	l->refs = 1;
	for (i = 0, at = l->text; i < n; i++) {
		at = stpcpy(at, pairs[i].key) + 1;
		at = stpcpy(at, pairs[i].value) + 1;
	}
	return l;
}

struct labels *labels_new(const json_t *object)
{
	struct pair *pairs = xcalloc(json_object_size(object), sizeof(*pairs));
	struct labels *l;
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach((json_t *)object, key, value) {
		/* nor "", which is nobody's key and would end them */
		if (*key && json_is_string(value))
			pairs[n++] = (struct pair){ key, json_string_value(value) };
	}
	qsort(pairs, n, sizeof(*pairs), by_key);
	l = pack(pairs, n);
	free(pairs);
	return l;
}

struct labels *labels_one(const char *key, const char *value)
{
	return pack(&(struct pair){ key, value }, 1);
}

struct labels *labels_ref(struct labels *l)
{
	l->refs++;
	return l;
}

void labels_put(struct labels *l)
{
	if (l && !--l->refs)
		free(l);
}

const char *labels_get(const struct labels *l, const char *key)
{
	if (!l)
		return NULL;
	labels_for_each(l, at) {
		int diff = strcmp(at, key);

		if (!diff)
			return labels_value(at);
		if (diff > 0)
			return NULL;
	}
	return NULL;
}

static size_t text_len(const struct labels *l)
{
	size_t len = 1;

	labels_for_each(l, key)
		len = labels_value(labels_value(key)) + 1 - l->text;
	return len;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
	size_t len;

	if (!a || !b)
		return a == b;
	len = text_len(a);
	return len == text_len(b) && !memcmp(a->text, b->text, len);
}

json_t *labels_json(const struct labels *l)
{
	json_t *object = mem_check(json_object());

	labels_for_each(l, key)
		json_object_set_new(object, key, json_string(labels_value(key)));
	return object;
}
