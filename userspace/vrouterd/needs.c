// SPDX-License-Identifier: GPL-2.0-only
#include "needs.h"

#include <search.h>
#include <string.h>

#include "mem.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool needs_has(const struct needs *n, enum res_kind kind, const char *key)
{
	return tfind(key, &n->names[kind], compare);
}

bool needs_add(struct needs *n, enum res_kind kind, const char *key)
{
	if (needs_has(n, kind, key))
		return false;
	mem_check(tsearch(mem_strdup(key), &n->names[kind], compare));
	return true;
}

void needs_free(struct needs *n)
{
	enum res_kind kind;

	for (kind = 0; kind < RES_KINDS; kind++)
		tdestroy(n->names[kind], free);
	memset(n, 0, sizeof(*n));
}
