// SPDX-License-Identifier: GPL-2.0-only
/* The last good state of each resource, by kind and key. */

#include <search.h>

#include "mem.h"
#include "model.h"

/* The shards of a pool. */
struct shards {
	char		*pool;			/* first: compared */
	unsigned int	n;
	char		**keys;
};

struct model {
	void			*roots[RES_KINDS];	/* tsearch() trees of struct res */
	void			*shards;		/* of struct shards: few pools have any */
	const struct model_ops	*ops;
	void			*arg;
};

static int compare(const void *a, const void *b)
{
	const struct res *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* --- shards -------------------------------------------------------------------- */

static int compare_shards(const void *a, const void *b)
{
	const struct shards *x = a, *y = b;

	return strcmp(x->pool, y->pool);
}

static struct shards *shards_of(const struct model *m, const char *pool)
{
	struct shards probe = { .pool = (char *)pool }, **slot;

	slot = (struct shards **)tfind(&probe, &m->shards, compare_shards);
	return slot ? *slot : NULL;
}

static void free_shards(void *arg)
{
	struct shards *s = arg;

	while (s->n)
		free(s->keys[--s->n]);
	free(s->keys);
	free(s->pool);
	free(s);
}

static void add_shard(struct model *m, const char *pool, const char *key)
{
	struct shards *s = shards_of(m, pool);

	if (!s) {
		s = mem_zero(1, sizeof(*s));
		s->pool = mem_strdup(pool);
		mem_check(tsearch(s, &m->shards, compare_shards));
	}
	s->keys = mem_grow(s->keys, s->n, sizeof(*s->keys));
	s->keys[s->n++] = mem_strdup(key);
}

static void del_shard(struct model *m, const char *pool, const char *key)
{
	struct shards *s = shards_of(m, pool);
	unsigned int i;

	for (i = 0; s && i < s->n; i++) {
		if (strcmp(s->keys[i], key))
			continue;
		free(s->keys[i]);
		s->keys[i] = s->keys[--s->n];
		break;
	}
	if (!s || s->n)
		return;
	tdelete(s, &m->shards, compare_shards);
	free_shards(s);
}

/* r takes the place of old; either may be NULL. */
static void index_shard(struct model *m, const struct res *old, const struct res *r)
{
	if (old && old->kind == RES_POOL && old->pool.shard_of)
		del_shard(m, old->pool.shard_of, old->key);
	if (r && r->kind == RES_POOL && r->pool.shard_of)
		add_shard(m, r->pool.shard_of, r->key);
}

static void append_members(struct pool *whole, const struct pool *p)
{
	if (!p->n_members)
		return;
	whole->members = mem_check(reallocarray(whole->members, whole->n_members + p->n_members,
						sizeof(*whole->members)));
	memcpy(whole->members + whole->n_members, p->members, p->n_members * sizeof(*p->members));
	whole->n_members += p->n_members;
}

/* Of two that say different things of one member the better one comes first. */
static int compare_members(const void *a, const void *b)
{
	const struct pool_member *x = a, *y = b;
	int diff = vr_addr_compare(&x->addr, &y->addr);

	if (!diff)
		diff = (int)x->port - (int)y->port;
	if (!diff)
		diff = (int)x->failed - (int)y->failed;
	return diff ? diff : (int)x->state - (int)y->state;
}

/* While an endpoint goes from one slice to another, both may have it. */
static void drop_doubles(struct pool *p)
{
	unsigned int i, n = 0;

	if (p->n_members)
		qsort(p->members, p->n_members, sizeof(*p->members), compare_members);
	for (i = 0; i < p->n_members; i++)
		if (!n || vr_addr_compare(&p->members[n - 1].addr, &p->members[i].addr) ||
		    p->members[n - 1].port != p->members[i].port)
			p->members[n++] = p->members[i];
	p->n_members = n;
}

void model_whole_pool(const struct model *m, const struct res *r, struct pool *whole)
{
	const struct shards *s = shards_of(m, r->key);
	unsigned int i;

	*whole = r->pool;
	whole->members = NULL;
	whole->n_members = 0;
	append_members(whole, &r->pool);
	for (i = 0; s && i < s->n; i++)
		append_members(whole, &model_get(m, RES_POOL, s->keys[i])->pool);
	if (s)
		drop_doubles(whole);
}

/* --- resources ------------------------------------------------------------------ */

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
	tdestroy(m->shards, free_shards);
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
	index_shard(m, old == r ? NULL : old, r);
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
	index_shard(m, old, NULL);
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
