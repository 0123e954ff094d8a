// SPDX-License-Identifier: GPL-2.0-only
/* From the difference between plan and kernel to requests, in their order. */

#include <errno.h>
#include <linux/vrouter.h>
#include <search.h>

#include "dlog.h"
#include "mem.h"
#include "reconcile.h"

/* Who wants a key. */
struct claim {
	struct kkey	key;		/* first: compared */
	const struct kobj *obj;		/* borrowed from the owner's unit */
	struct unit	*owner;
};

/* What may differ. */
struct pending {
	struct kkey	key;		/* first: compared */
	int		err;		/* of the last try */
	char		*text;		/* owned; NULL: not refused. At start all is pending */
};

struct reconciler {
	struct ids	*ids;
	struct backend	backend;
	const struct plan_env *env;
	struct ktable	mirror;
	void		*claims;	/* tsearch() trees */
	void		*pending;
	unsigned int	n_pending;
	struct unit	**losers;	/* units that want a key of another's */
	unsigned int	n_losers;
	bool		synced;
};

static int compare(const void *a, const void *b)
{
	return kkey_compare(a, b);
}

static struct claim *find_claim(const struct reconciler *rc, const struct kkey *key)
{
	struct claim **slot = (struct claim **)tfind(key, &rc->claims, compare);

	return slot ? *slot : NULL;
}

static struct pending *find_pending(const struct reconciler *rc, const struct kkey *key)
{
	struct pending **slot = (struct pending **)tfind(key, &rc->pending, compare);

	return slot ? *slot : NULL;
}

static void mark(struct reconciler *rc, const struct kkey *key)
{
	struct pending *p = find_pending(rc, key);

	if (p)
		return;
	p = mem_zero(1, sizeof(*p));
	p->key = *key;
	mem_check(tsearch(p, &rc->pending, compare));
	rc->n_pending++;
}

static void free_pending(void *arg)
{
	struct pending *p = arg;

	free(p->text);
	free(p);
}

static void unmark(struct reconciler *rc, struct pending *p)
{
	tdelete(p, &rc->pending, compare);
	rc->n_pending--;
	free_pending(p);
}

struct reconciler *reconciler_new(struct ids *ids, const struct backend *backend,
				  const struct plan_env *env)
{
	struct reconciler *rc = mem_zero(1, sizeof(*rc));

	rc->ids = ids;
	rc->backend = *backend;
	rc->env = env;
	return rc;
}

void reconciler_free(struct reconciler *rc)
{
	ktable_clear(&rc->mirror);
	tdestroy(rc->claims, free);
	tdestroy(rc->pending, free_pending);
	free(rc->losers);
	free(rc);
}

/* --- the mirror ---------------------------------------------------------------- */

/* As the plan has it, where that is the same: a dump's copies are not kept beside it. Takes o over. */
static const struct kobj *planned(const struct reconciler *rc, const struct kobj *o)
{
	const struct claim *c = find_claim(rc, &o->key);

	if (!c || !kobj_equal(c->obj, o))
		return o;
	kobj_put(o);
	return kobj_hold(c->obj);
}

/* An object that the kernel has holds its id, so that nobody else gets it. Takes o over. */
static void mirror_set(struct reconciler *rc, const struct kobj *o)
{
	bool known = ktable_get(&rc->mirror, &o->key);
	enum id_space space = 0;
	char buf[ID_NAME];
	const char *name;

	name = plan_id_name(o, &space, buf);
	if (!known && name && kobj_ours(o))
		ids_restore(rc->ids, space, name, o->key.id);
	else if (!known && o->key.kind < K_ROUTE)
		ids_reserve(rc->ids, space, o->key.id);
	ktable_set(&rc->mirror, planned(rc, o));
}

static void mirror_del(struct reconciler *rc, const struct kkey *key)
{
	const struct kobj *o = ktable_take(&rc->mirror, key);
	const char *name, *has;
	enum id_space space;
	char buf[ID_NAME];

	if (!o)
		return;
	name = plan_id_name(o, &space, buf);
	has = name ? ids_name(rc->ids, space, key->id) : NULL;
	if (has && kobj_ours(o) && !strcmp(has, name))
		ids_put(rc->ids, space, key->id);
	kobj_put(o);
}

struct keys {
	struct kkey	*list;
	unsigned int	n;
	uint32_t	id;	/* what is looked for */
};

static void push_key(struct keys *k, const struct kkey *key)
{
	k->list = mem_grow(k->list, k->n, sizeof(*k->list));
	k->list[k->n++] = *key;
}

static void collect_nexthop(const struct kobj *o, void *arg)
{
	struct keys *k = arg;

	if (o->key.kind == K_NEXTHOP && o->nexthop.type == VROUTER_NEXTHOP_TYPE_LOCAL &&
	    o->nexthop.vif == k->id)
		push_key(k, &o->key);
}

/* A vif went: the next hops to it lead nowhere, also if its id comes back. */
static void mirror_vif_gone(struct reconciler *rc, const struct kkey *key)
{
	struct keys k = { .id = key->id };

	mirror_del(rc, key);
	ktable_each(&rc->mirror, collect_nexthop, &k);
	while (k.n) {
		const struct kobj *o = ktable_get(&rc->mirror, &k.list[--k.n]);

		struct vr_nexthop nh = {
			.id = o->key.id, .label = mem_strdup(o->nexthop.label),
			.type = VROUTER_NEXTHOP_TYPE_LOCAL,
		};

		ktable_set(&rc->mirror, kobj_new(K_NEXTHOP, &nh));
		mark(rc, &k.list[k.n]);
	}
	free(k.list);
}

static void collect_inside(const struct kobj *o, void *arg)
{
	struct keys *k = arg;

	if (o->key.kind >= K_ROUTE && o->key.id == k->id)
		push_key(k, &o->key);
}

/* The kernel takes the routes and vips of a VRF along. */
static void mirror_vrf_gone(struct reconciler *rc, const struct kkey *key)
{
	struct keys k = { .id = key->id };

	mirror_del(rc, key);
	ktable_each(&rc->mirror, collect_inside, &k);
	while (k.n) {
		mirror_del(rc, &k.list[--k.n]);
		mark(rc, &k.list[k.n]);
	}
	free(k.list);
}

static void collect_all(const struct kobj *o, void *arg)
{
	push_key(arg, &o->key);
}

void reconciler_dump_begin(struct reconciler *rc)
{
	struct keys k = {};

	ktable_each(&rc->mirror, collect_all, &k);
	while (k.n)
		mirror_del(rc, &k.list[--k.n]);
	free(k.list);
	ids_unreserve(rc->ids);
}

/* An id that is mentioned is not free, even when nothing has it. */
static void reserve_mentioned(struct reconciler *rc, const struct kobj *o)
{
	unsigned int i;

	for (i = 0; o->key.kind == K_VIF && i < o->vif.n_sgs; i++)
		ids_reserve(rc->ids, ID_SG, o->vif.sgs[i]);
	for (i = 0; o->key.kind == K_ROUTE && i < o->route.n_sgs; i++)
		ids_reserve(rc->ids, ID_SG, o->route.sgs[i]);
	for (i = 0; o->key.kind == K_SG && i < o->sg.n_rules; i++)
		if (o->sg.rules[i].peer_sg)
			ids_reserve(rc->ids, ID_SG, o->sg.rules[i].peer_sg);
}

void reconciler_dump_add(struct reconciler *rc, struct kobj *o)
{
	reserve_mentioned(rc, o);
	mark(rc, &o->key);
	mirror_set(rc, o);
}

static void mark_claim(const void *node, VISIT which, void *arg)
{
	if (which == postorder || which == leaf)
		mark(arg, &(*(const struct claim *const *)node)->key);
}

void reconciler_dump_end(struct reconciler *rc)
{
	twalk_r(rc->claims, mark_claim, rc);
}

static void mirror_gone(struct reconciler *rc, const struct kkey *key)
{
	if (key->kind == K_VIF)
		mirror_vif_gone(rc, key);
	else if (key->kind == K_VRF)
		mirror_vrf_gone(rc, key);
	else
		mirror_del(rc, key);
}

void reconciler_seen(struct reconciler *rc, const struct kkey *key, struct kobj *o)
{
	const struct kkey k = *key;

	if (o)
		mirror_set(rc, o);
	else
		mirror_gone(rc, &k);
	mark(rc, &k);
}

const struct kobj *reconciler_has(const struct reconciler *rc, const struct kkey *key)
{
	return ktable_get(&rc->mirror, key);
}

/* An event leaves long lists out: then it says nothing of them. */
static bool brief(const struct kobj *o)
{
	return (o->key.kind == K_NEXTHOP && o->nexthop.members_told > o->nexthop.n_members) ||
	       (o->key.kind == K_SG && o->sg.rules_told > o->sg.n_rules);
}

bool reconciler_knows(const struct reconciler *rc, const struct kobj *o, bool deleted)
{
	const struct kobj *have = ktable_get(&rc->mirror, &o->key);

	if (deleted)
		return !have;
	return have && !brief(o) && kobj_equal(have, o);
}

struct each_vif {
	void (*fn)(const struct kobj *vif, void *arg);
	void *arg;
};

static void visit_vif(const struct kobj *o, void *arg)
{
	const struct each_vif *e = arg;

	if (o->key.kind == K_VIF)
		e->fn(o, e->arg);
}

void reconciler_each_vif(const struct reconciler *rc,
			 void (*fn)(const struct kobj *vif, void *arg), void *arg)
{
	struct each_vif e = { fn, arg };

	ktable_each(&rc->mirror, visit_vif, &e);
}

/* --- what is wanted --------------------------------------------------------------- */

static void lose(struct reconciler *rc, struct unit *u, const struct kobj *o,
		 const struct claim *c)
{
	char mine[KOBJ_TEXT], theirs[KOBJ_TEXT];
	unsigned int i;

	for (i = 0; i < rc->n_losers; i++)
		if (rc->losers[i] == u)
			return;
	log_warn("%s: not programmed, the kernel has place for one and %s came first",
		 kobj_text(o, mine), kobj_text(c->obj, theirs));
	rc->losers = mem_grow(rc->losers, rc->n_losers, sizeof(*rc->losers));
	rc->losers[rc->n_losers++] = u;
}

static void claim_all(struct reconciler *rc, struct unit *u)
{
	unsigned int i;

	for (i = 0; i < u->n_objs; i++) {
		const struct kobj *o = u->objs[i];
		struct claim *c = find_claim(rc, &o->key);

		if (!c) {
			c = mem_zero(1, sizeof(*c));
			c->key = o->key;
			c->owner = u;
			mem_check(tsearch(c, &rc->claims, compare));
		} else if (c->owner != u) {
			lose(rc, u, o, c);
			continue;
		} else if (kobj_equal(c->obj, o)) {
			c->obj = o;
			continue;
		}
		c->obj = o;
		mark(rc, &o->key);
	}
}

/* Gives up what was claimed for old and is not for u. */
static bool release_rest(struct reconciler *rc, struct unit *u, const struct unit *old)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < old->n_objs; i++) {
		struct claim *c = find_claim(rc, &old->objs[i]->key);

		if (!c || c->owner != u || c->obj != old->objs[i])
			continue;
		mark(rc, &c->key);
		tdelete(c, &rc->claims, compare);
		free(c);
		any = true;
	}
	return any;
}

static void forget_loser(struct reconciler *rc, const struct unit *u)
{
	unsigned int i;

	for (i = 0; i < rc->n_losers; i++)
		if (rc->losers[i] == u) {
			rc->losers[i] = rc->losers[--rc->n_losers];
			return;
		}
}

void reconciler_update(struct reconciler *rc, struct unit *u, const struct res *r,
		       const struct device *dev)
{
	struct unit old = *u;
	unsigned int i;

	memset(u, 0, sizeof(*u));
	if (r)
		plan(u, r, dev, rc->env, rc->ids);
	forget_loser(rc, u);
	claim_all(rc, u);
	if (release_rest(rc, u, &old))
		for (i = 0; i < rc->n_losers; i++)
			claim_all(rc, rc->losers[i]);
	/* Last: an id that is wanted still was never free meanwhile. */
	unit_clear(&old, rc->ids);
}

bool reconciler_owns(const struct reconciler *rc, const struct unit *u, const struct kkey *key)
{
	const struct claim *c = find_claim(rc, key);

	return c && c->owner == u;
}

/* --- the difference ------------------------------------------------------------------ */

struct batch {
	struct request	*rq;
	size_t		n;
};

static struct request *push(struct batch *b, const struct kobj *o, bool del, bool replace)
{
	struct request *rq;

	b->rq = mem_grow(b->rq, b->n, sizeof(*b->rq));
	rq = memset(&b->rq[b->n++], 0, sizeof(*rq));
	rq->obj = kobj_hold(o);
	rq->del = del;
	rq->replace = replace;
	return rq;
}

struct diff {
	struct reconciler *rc;
	struct batch	batch;
	struct keys	done;
};

/* A vif cannot change its device, a tunnel's end its network: it goes and comes. Next hops
 * follow it.
 */
static bool moved(const struct kobj *want, const struct kobj *have)
{
	const struct vr_vif *w = &want->vif, *h = &have->vif;

	if (have->key.kind != K_VIF)
		return false;
	return w->type != h->type || w->ifindex != h->ifindex || w->vni != h->vni ||
	       (w->type == VROUTER_VIF_TYPE_TUNNEL && w->vrf != h->vrf);
}

static bool is_host_route(const struct kobj *o)
{
	return o->key.kind == K_ROUTE &&
	       o->key.prefix.len == (o->key.prefix.addr.family == AF_INET ? 32 : 128);
}

/* It only needs what the kernel has already, and says who is there: a rule that asks for the group is to
 * find all who are in it.
 */
static bool is_early(const struct reconciler *rc, const struct kobj *o)
{
	struct kkey vrf = { .kind = K_VRF }, nexthop = { .kind = K_NEXTHOP };

	if (!is_host_route(o))
		return false;
	vrf.id = o->route.vrf;
	nexthop.id = o->route.nexthop;
	return ktable_get(&rc->mirror, &vrf) && ktable_get(&rc->mirror, &nexthop);
}

static void diff_one(struct diff *d, const struct kkey *key)
{
	const struct kobj *have = ktable_get(&d->rc->mirror, key);
	const struct claim *c = find_claim(d->rc, key);

	if (c && have && kobj_equal(c->obj, have)) {
		ktable_set(&d->rc->mirror, kobj_hold(c->obj));
		push_key(&d->done, key);
	} else if (c && have && moved(c->obj, have)) {
		push(&d->batch, have, true, false);
		push(&d->batch, c->obj, false, false);
	} else if (c) {
		push(&d->batch, c->obj, false, have)->early = is_early(d->rc, c->obj);
	} else if (!have || !kobj_ours(have)) {
		push_key(&d->done, key);
	} else if (d->rc->synced) {
		push(&d->batch, have, true, false);
	}
}

static void diff_pending(const void *node, VISIT which, void *arg)
{
	if (which == postorder || which == leaf)
		diff_one(arg, &(*(const struct pending *const *)node)->key);
}

/* Local next hops of the vifs that are made anew in this batch. */
static void follow_moved(struct diff *d)
{
	size_t n = d->batch.n, i;

	for (i = 0; i + 1 < n; i++) {
		struct keys k = { .id = d->batch.rq[i].obj->key.id };

		if (!d->batch.rq[i].del || d->batch.rq[i].obj->key.kind != K_VIF ||
		    d->batch.rq[i + 1].del ||
		    kkey_compare(&d->batch.rq[i].obj->key, &d->batch.rq[i + 1].obj->key))
			continue;
		ktable_each(&d->rc->mirror, collect_nexthop, &k);
		while (k.n) {
			const struct claim *c = find_claim(d->rc, &k.list[--k.n]);

			mark(d->rc, &k.list[k.n]);
			if (c)
				push(&d->batch, c->obj, false, true);
		}
		free(k.list);
	}
}

/* What is needed comes first and goes last; a device is free before it is
 * taken; what is new is there before what it replaces is gone; and whoever has a route of his own
 * is never reached by a wider one instead, which says nothing of his groups.
 */
static int rank(const struct request *rq)
{
	const struct kobj *o = rq->obj;
	/* members may name other next hops */
	bool ecmp = o->key.kind == K_NEXTHOP && o->nexthop.type == VROUTER_NEXTHOP_TYPE_ECMP;
	bool wide = o->key.kind == K_ROUTE && !is_host_route(o);
	int order = 2 * o->key.kind + (ecmp || wide);

	if (rq->del)
		return o->key.kind == K_VIF ? 0 : 4 * K_KINDS - order;
	return rq->early ? 1 : 2 + order;
}

static int by_rank(const void *a, const void *b)
{
	const struct request *x = a, *y = b;
	int diff = rank(x) - rank(y);

	return diff ? diff : kkey_compare(&x->obj->key, &y->obj->key);
}

/* --- the results ----------------------------------------------------------------------- */

static bool converged(const struct reconciler *rc, const struct kkey *key)
{
	const struct kobj *have = ktable_get(&rc->mirror, key);
	const struct claim *c = find_claim(rc, key);

	return c ? have && kobj_equal(c->obj, have) : !have || !kobj_ours(have);
}

static void note_done(struct reconciler *rc, const struct request *rq)
{
	if (rq->del)
		mirror_gone(rc, &rq->obj->key);
	else
		mirror_set(rc, kobj_hold(rq->obj));
}

/* True when the refusal may only mean that the mirror is wrong. */
static bool note_refused(struct reconciler *rc, struct request *rq)
{
	bool stale = rq->replace || rq->del ? rq->err == -ENOENT : rq->err == -EEXIST;
	struct pending *p;
	char text[KOBJ_TEXT];
	bool again;

	mark(rc, &rq->obj->key);
	p = find_pending(rc, &rq->obj->key);
	again = p->err == rq->err && p->text && !strcmp(p->text, rq->text);
	if (!again && !stale)
		log_warn("%s: the kernel refuses to %s it: %s", kobj_text(rq->obj, text),
			 rq->del ? "delete" : rq->replace ? "replace" : "add", rq->text);
	p->err = rq->err;
	free(p->text);
	p->text = rq->text;
	rq->text = NULL;
	if (again)
		return false;
	return stale;
}

static enum outcome note_results(struct reconciler *rc, struct batch *b)
{
	enum outcome out = RC_DONE;
	struct pending *p;
	size_t i;

	for (i = 0; i < b->n; i++) {
		struct request *rq = &b->rq[i];

		/* Gone is gone. */
		if (!rq->err || (rq->del && rq->err == -ENOENT))
			note_done(rc, rq);
		else if (note_refused(rc, rq))
			out = RC_RESYNC;
		else if (out == RC_DONE)
			out = RC_REFUSED;
	}
	for (i = 0; i < b->n; i++) {
		p = find_pending(rc, &b->rq[i].obj->key);
		if (p && converged(rc, &p->key))
			unmark(rc, p);
	}
	return out;
}

static void free_batch(struct batch *b)
{
	while (b->n) {
		kobj_put(b->rq[--b->n].obj);
		free(b->rq[b->n].text);
	}
	free(b->rq);
}

enum outcome reconcile(struct reconciler *rc)
{
	struct diff d = { .rc = rc };
	enum outcome out = RC_DONE;
	size_t i;

	twalk_r(rc->pending, diff_pending, &d);
	while (d.done.n)
		unmark(rc, find_pending(rc, &d.done.list[--d.done.n]));
	free(d.done.list);
	follow_moved(&d);

	if (d.batch.n) {
		qsort(d.batch.rq, d.batch.n, sizeof(*d.batch.rq), by_rank);
		for (i = 0; i < d.batch.n && rank(&d.batch.rq[i]) == 0; i++)
			rc->backend.released(rc->backend.arg, d.batch.rq[i].obj);
		if (rc->backend.apply(rc->backend.arg, d.batch.rq, d.batch.n))
			out = RC_LOST;
		else
			out = note_results(rc, &d.batch);
	}
	free_batch(&d.batch);
	return out;
}

void reconciler_synced(struct reconciler *rc)
{
	rc->synced = true;
}

bool reconciler_pending(const struct reconciler *rc)
{
	return rc->n_pending;
}

bool reconciler_settled(const struct reconciler *rc, const struct unit *u, char *why, size_t size)
{
	char text[KOBJ_TEXT];
	unsigned int i;

	for (i = 0; i < u->n_objs; i++) {
		const struct claim *c = find_claim(rc, &u->objs[i]->key);
		const struct pending *p;

		if (c && c->owner == u && converged(rc, &c->key))
			continue;
		p = find_pending(rc, &u->objs[i]->key);
		snprintf(why, size, "%s: %s", kobj_text(u->objs[i], text),
			 !c || c->owner != u ? "its place is taken" :
			 p && p->text && *p->text ? p->text : "not in the kernel yet");
		return false;
	}
	return true;
}
