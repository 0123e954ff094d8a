// SPDX-License-Identifier: GPL-2.0-only
/* Names and ids, found both ways. */

#include <search.h>

#include "ids.h"
#include "mem.h"

struct id {
	uint32_t	id;
	unsigned int	refs;
	bool		reserved;	/* another's: has no name, or keeps its id from being lost */
	char		*name;		/* NULL = only reserved */
};

struct space {
	void		*by_name, *by_id;	/* tsearch() trees of struct id */
	uint32_t	lowest;			/* every id below is taken */
};

struct ids {
	struct space	spaces[ID_SPACES];
};

static int compare_name(const void *a, const void *b)
{
	return strcmp(((const struct id *)a)->name, ((const struct id *)b)->name);
}

static int compare_id(const void *a, const void *b)
{
	uint32_t x = ((const struct id *)a)->id, y = ((const struct id *)b)->id;

	return x < y ? -1 : x > y;
}

static struct id *find_id(const struct space *s, uint32_t id)
{
	struct id probe = { .id = id }, **slot;

	slot = (struct id **)tfind(&probe, &s->by_id, compare_id);
	return slot ? *slot : NULL;
}

static struct id *find_name(const struct space *s, const char *name)
{
	struct id probe = { .name = (char *)name }, **slot;

	slot = (struct id **)tfind(&probe, &s->by_name, compare_name);
	return slot ? *slot : NULL;
}

struct ids *ids_new(void)
{
	struct ids *ids = mem_zero(1, sizeof(*ids));
	int i;

	for (i = 0; i < ID_SPACES; i++)
		ids->spaces[i].lowest = 1;
	return ids;
}

static void free_id(void *p)
{
	struct id *id = p;

	free(id->name);
	free(id);
}

static void keep(void *p)
{
	(void)p;
}

void ids_free(struct ids *ids)
{
	int i;

	for (i = 0; i < ID_SPACES; i++) {
		tdestroy(ids->spaces[i].by_name, keep);
		tdestroy(ids->spaces[i].by_id, free_id);
	}
	free(ids);
}

static struct id *add(struct space *s, uint32_t id, const char *name)
{
	struct id *e = mem_zero(1, sizeof(*e));

	e->id = id;
	e->name = mem_strdup(name);
	mem_check(tsearch(e, &s->by_id, compare_id));
	if (name)
		mem_check(tsearch(e, &s->by_name, compare_name));
	return e;
}

static void drop_unused(struct space *s, struct id *e)
{
	if (e->refs || e->reserved)
		return;
	if (e->name)
		tdelete(e, &s->by_name, compare_name);
	tdelete(e, &s->by_id, compare_id);
	if (e->id < s->lowest)
		s->lowest = e->id;
	free_id(e);
}

uint32_t ids_get(struct ids *ids, enum id_space space, const char *name)
{
	struct space *s = &ids->spaces[space];
	struct id *e = find_name(s, name);

	if (!e) {
		while (find_id(s, s->lowest))
			s->lowest++;
		e = add(s, s->lowest++, name);
	}
	e->refs++;
	return e->id;
}

void ids_put(struct ids *ids, enum id_space space, uint32_t id)
{
	struct space *s = &ids->spaces[space];
	struct id *e = find_id(s, id);

	if (!e || !e->refs)
		return;
	e->refs--;
	drop_unused(s, e);
}

uint32_t ids_find(const struct ids *ids, enum id_space space, const char *name)
{
	const struct id *e = find_name(&ids->spaces[space], name);

	return e ? e->id : 0;
}

const char *ids_name(const struct ids *ids, enum id_space space, uint32_t id)
{
	const struct id *e = find_id(&ids->spaces[space], id);

	return e ? e->name : NULL;
}

bool ids_restore(struct ids *ids, enum id_space space, const char *name, uint32_t id)
{
	struct space *s = &ids->spaces[space];
	struct id *e = find_id(s, id);

	/* Mentioned before it was seen itself. */
	if (e && !e->name && !find_name(s, name)) {
		e->name = mem_strdup(name);
		mem_check(tsearch(e, &s->by_name, compare_name));
	} else if (!e && !find_name(s, name)) {
		e = add(s, id, name);
	} else if (!e || !e->name || strcmp(e->name, name)) {
		ids_reserve(ids, space, id);
		return false;
	}
	e->refs++;
	return true;
}

void ids_reserve(struct ids *ids, enum id_space space, uint32_t id)
{
	struct space *s = &ids->spaces[space];
	struct id *e = find_id(s, id);

	if (!e)
		e = add(s, id, NULL);
	e->reserved = true;
}

struct reserved {
	struct id	**list;
	unsigned int	n;
};

static void collect(const void *node, VISIT which, void *arg)
{
	struct id *e = *(struct id *const *)node;
	struct reserved *r = arg;

	if ((which != postorder && which != leaf) || !e->reserved)
		return;
	r->list = mem_grow(r->list, r->n, sizeof(*r->list));
	r->list[r->n++] = e;
}

void ids_unreserve(struct ids *ids)
{
	int i;

	for (i = 0; i < ID_SPACES; i++) {
		struct reserved r = {};

		twalk_r(ids->spaces[i].by_id, collect, &r);
		while (r.n) {
			r.list[--r.n]->reserved = false;
			drop_unused(&ids->spaces[i], r.list[r.n]);
		}
		free(r.list);
	}
}
