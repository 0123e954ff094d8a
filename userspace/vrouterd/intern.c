// SPDX-License-Identifier: GPL-2.0-only
/* Names kept once. */

#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "mem.h"

struct name {
	unsigned int	users;
	char		text[];
};

static void *names;	/* tsearch() tree of texts, each in its struct name */

static struct name *name_of(const char *text)
{
	return (struct name *)(text - offsetof(struct name, text));
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

const char *intern(const char *text)
{
	struct name *name;
	char **slot;

	if (!text)
		return NULL;
	slot = tfind(text, &names, compare);
	if (!slot) {
		name = mem_zero(1, sizeof(*name) + strlen(text) + 1);
		strcpy(name->text, text);
		slot = mem_check(tsearch(name->text, &names, compare));
	}
	name_of(*slot)->users++;
	return *slot;
}

const char *intern_take(char *text)
{
	const char *name = intern(text);

	free(text);
	return name;
}

void intern_put(const char *text)
{
	if (!text || --name_of(text)->users)
		return;
	tdelete(text, &names, compare);
	free(name_of(text));
}
