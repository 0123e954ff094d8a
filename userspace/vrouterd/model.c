// SPDX-License-Identifier: GPL-2.0-only
/* The last good state of each resource, by kind and key. */

#include <search.h>

#include "mem.h"
#include "model.h"

struct model {
	void			*roots[RES_KINDS];	/* tsearch() trees of struct res */
	const struct model_ops	*ops;
	void			*arg;
};

static int compare(const void *a, const void *b)
{
	const struct res *x = a, *y = b;

	return strcmp(x->key, y->key);
}

struct model *model_new(const struct model_ops *ops, void *arg)
{
	struct model *m = mem_zero(1, sizeof(*m));

	m->ops = ops;
	m->arg = arg;
	return m;
}

static void free_node(void *r)
{
	res_free(r);
}

void model_free(struct model *m)
{
	int k;

	for (k = 0; k < RES_KINDS; k++)
		tdestroy(m->roots[k], free_node);
	free(m);
}

static struct res **find(const struct model *m, enum res_kind kind, const char *key)
{
	struct res probe = { .kind = kind, .key = (char *)key };

	return (struct res **)tfind(&probe, &m->roots[kind], compare);
}

const struct res *model_get(const struct model *m, enum res_kind kind, const char *key)
{
	struct res **slot = find(m, kind, key);

	return slot ? *slot : NULL;
}

void model_set(struct model *m, struct res *r)
{
	struct res **slot = mem_check(tsearch(r, &m->roots[r->kind], compare)), *old = *slot;

	r->listed = true;
	*slot = r;
	m->ops->changed(m->arg, old == r ? NULL : old, r);
	if (old != r)
		res_free(old);
}

void model_del(struct model *m, enum res_kind kind, const char *key)
{
	struct res **slot = find(m, kind, key), *old;

	if (!slot)
		return;
	old = *slot;
	tdelete(old, &m->roots[kind], compare);
	m->ops->changed(m->arg, old, NULL);
	res_free(old);
}

void model_keep(struct model *m, enum res_kind kind, const char *key)
{
	struct res **slot = find(m, kind, key);

	if (slot)
		(*slot)->listed = true;
}

struct each {
	void (*fn)(const struct res *r, void *arg);
	void *arg;
};

static void visit(const void *node, VISIT which, void *arg)
{
	const struct each *each = arg;

	if (which == postorder || which == leaf)
		each->fn(*(struct res *const *)node, each->arg);
}

void model_each(const struct model *m, enum res_kind kind,
		void (*fn)(const struct res *r, void *arg), void *arg)
{
	struct each each = { fn, arg };

	twalk_r(m->roots[kind], visit, &each);
}

static void unlist(const struct res *r, void *arg)
{
	(void)arg;
	((struct res *)r)->listed = false;	/* the model's own */
}

void model_mark(struct model *m)
{
	int k;

	for (k = 0; k < RES_KINDS; k++)
		model_each(m, k, unlist, NULL);
}

struct gone {
	const struct res **list;
	unsigned int n;
};

static void collect(const struct res *r, void *arg)
{
	struct gone *g = arg;

	if (r->listed)
		return;
	g->list = mem_grow(g->list, g->n, sizeof(*g->list));
	g->list[g->n++] = r;
}

unsigned int model_sweep(struct model *m)
{
	struct gone g = {};
	unsigned int i;
	int k;

	/* Users before what they use, as the feed deletes. */
	for (k = RES_KINDS - 1; k >= 0; k--)
		model_each(m, k, collect, &g);
	for (i = 0; i < g.n; i++)
		model_del(m, g.list[i]->kind, g.list[i]->key);
	free(g.list);
	return g.n;
}
