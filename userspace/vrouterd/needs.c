// SPDX-License-Identifier: GPL-2.0-only
#include "needs.h"

#include <search.h>
#include <string.h>

#include "mem.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool needs_has(const struct needs *n, enum need need, const char *key)
{
	return tfind(key, &n->names[need], compare);
}

bool needs_add(struct needs *n, enum need need, const char *key)
{
	if (needs_has(n, need, key))
		return false;
	mem_check(tsearch(mem_strdup(key), &n->names[need], compare));
	return true;
}

void needs_free(struct needs *n)
{
	enum need need;

	for (need = 0; need < NEEDS; need++)
		tdestroy(n->names[need], free);
	memset(n, 0, sizeof(*n));
}
