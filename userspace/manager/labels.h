/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The labels of an object. Objects are many and a JSON object is no small thing, so they are one
 * block of text, which never changes and which several may hold.
 */
#ifndef MANAGER_LABELS_H
#define MANAGER_LABELS_H

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

struct labels {
	unsigned int	refs;
	char		text[];		/* key, value, key, value, ..., sorted by key, and "" */
};

/* Of what is a string in a JSON object, which may be NULL. */
struct labels *labels_new(const json_t *object);
struct labels *labels_one(const char *key, const char *value);
struct labels *labels_ref(struct labels *l);
void labels_put(struct labels *l);		/* NULL: nothing */

/* l may be NULL here: none. */
const char *labels_get(const struct labels *l, const char *key);
bool labels_equal(const struct labels *a, const struct labels *b);
json_t *labels_json(const struct labels *l);

static inline const char *labels_value(const char *key)
{
	return key + strlen(key) + 1;
}

/* key is in the block, and its value is labels_value(key). */
#define labels_for_each(l, key)							\
	for (const char *key = (l)->text; *key; key = labels_value(labels_value(key)))

#endif
