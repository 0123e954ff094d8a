/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reconciler without sockets, against a kernel that keeps objects in a table and
 * refuses what refers to something that is not there.
 */
#ifndef TEST_VROUTERD_WORLD_H
#define TEST_VROUTERD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/vrouter.h>
#include <string.h>

#include "mem.h"
#include "model.h"
#include "reconcile.h"

/* --- a kernel -------------------------------------------------------------------- */

struct fake {
	struct ktable	objs;
	unsigned int	requests, adds, replaces, dels, released;
	uint32_t	refuse_nexthop;		/* this one is not taken */
	void		(*after)(const struct fake *k);	/* each request that was done; or NULL */
	int		dead;			/* errno of every batch */
	char		log[8192];		/* "+sg +vrf -route ..." */
};

static inline bool there(const struct fake *k, enum kobj_kind kind, uint32_t id)
{
	struct kkey key = { .kind = kind, .id = id };

	return ktable_get(&k->objs, &key);
}

static inline const char *needs(const struct fake *k, const struct kobj *o)
{
	unsigned int i;

	switch ((enum kobj_kind)o->key.kind) {
	case K_VIF:
		for (i = 0; i < o->vif.n_sgs; i++)
			if (!there(k, K_SG, o->vif.sgs[i]))
				return "No such sg";
		return there(k, K_VRF, o->vif.vrf) ? NULL : "No such vrf";
	case K_NEXTHOP:
		if (o->key.id == k->refuse_nexthop)
			return "Not this one";
		return o->nexthop.vif && !there(k, K_VIF, o->nexthop.vif) ? "No such vif" : NULL;
	case K_ROUTE:
		return !there(k, K_VRF, o->route.vrf) ? "No such vrf" :
		       !there(k, K_NEXTHOP, o->route.nexthop) ? "No such nexthop" : NULL;
	case K_VIP:
		return !there(k, K_VRF, o->vip.vrf) ? "No such vrf" :
		       !there(k, K_NEXTHOP, o->vip.nexthop) ? "No such nexthop" :
		       o->vip.sg && !there(k, K_SG, o->vip.sg) ? "No such sg" : NULL;
	default:
		return NULL;
	}
}

struct usage { const struct kobj *of; bool used; };

static inline void look_for_use(const struct kobj *o, void *arg)
{
	struct usage *u = arg;
	uint32_t id = u->of->key.id;

	if (u->of->key.kind == K_NEXTHOP)
		u->used |= (o->key.kind == K_ROUTE && o->route.nexthop == id) ||
			   (o->key.kind == K_VIP && o->vip.nexthop == id);
	else if (u->of->key.kind == K_SG)
		u->used |= o->key.kind == K_VIP && o->vip.sg == id;
	else if (u->of->key.kind == K_VRF)
		u->used |= o->key.kind == K_VIF && o->vif.vrf == id;
}

static inline void request(struct fake *k, struct request *rq)
{
	const struct kobj *have = ktable_get(&k->objs, &rq->obj->key);
	struct usage use = { .of = rq->obj };
	const char *why = NULL;

	if (rq->del) {
		ktable_each(&k->objs, look_for_use, &use);
		rq->err = !have ? -ENOENT : use.used ? -EBUSY : 0;
		why = use.used ? "In use" : "Not there";
	} else {
		why = needs(k, rq->obj);
		rq->err = rq->replace && !have ? -ENOENT : !rq->replace && have ? -EEXIST :
			  why ? -EINVAL : 0;
		why = why ? why : "There or not there";
	}
	if (rq->err) {
		rq->text = mem_strdup(why);
		return;
	}
	if (rq->del)
		kobj_put(ktable_take(&k->objs, &rq->obj->key));
	else
		ktable_set(&k->objs, kobj_hold(rq->obj));
	k->dels += rq->del;
	k->adds += !rq->del && !rq->replace;
	k->replaces += rq->replace;
	snprintf(k->log + strlen(k->log), sizeof(k->log) - strlen(k->log), "%c%s ",
		 rq->del ? '-' : rq->replace ? '=' : '+', vr_type_name(kobj_type(rq->obj->key.kind)));
	if (k->after)
		k->after(k);
}

static inline int apply(void *arg, struct request *rq, size_t n)
{
	struct fake *k = arg;
	size_t i;

	if (k->dead)
		return -k->dead;
	for (i = 0; i < n; i++)
		request(k, &rq[i]);
	k->requests += n;
	return 0;
}

static inline void released(void *arg, const struct kobj *vif)
{
	struct fake *k = arg;

	(void)vif;
	k->released++;
}

/* --- a daemon without sockets ----------------------------------------------------- */

#define MAX_UNITS 64

struct world {
	struct fake	kernel;
	struct ids	*ids;
	struct reconciler *rc;
	struct { char *name; struct unit u; } units[MAX_UNITS];
	unsigned int	n;
};

static struct plan_env env = { .node = "n1" };

static inline void world_open(struct world *w)
{
	struct backend b = { .apply = apply, .released = released, .arg = &w->kernel };

	w->ids = ids_new();
	w->rc = reconciler_new(w->ids, &b, &env);
	w->n = 0;
}

static inline void world_close(struct world *w)
{
	reconciler_free(w->rc);
	while (w->n) {
		unit_clear(&w->units[--w->n].u, w->ids);
		free(w->units[w->n].name);
	}
	ids_free(w->ids);
}

static inline void dump_one(const struct kobj *o, void *arg)
{
	struct world *w = arg;
	const struct vr_obj_type *t = kobj_type(o->key.kind);
	struct kobj copy = {};

	assert_int_equal(vr_obj_copy(t, &copy.sg, kobj_obj(o)), 0);
	reconciler_dump_add(w->rc, kobj_new(o->key.kind, &copy.sg));
}

static inline void dump(struct world *w)
{
	reconciler_dump_begin(w->rc);
	ktable_each(&w->kernel.objs, dump_one, w);
	reconciler_dump_end(w->rc);
}

/* Another vrouterd on the same kernel. */
static inline void restart(struct world *w)
{
	world_close(w);
	world_open(w);
	memset(w->kernel.log, 0, sizeof(w->kernel.log));
	w->kernel.requests = w->kernel.adds = w->kernel.replaces = w->kernel.dels = 0;
	dump(w);
}

static inline struct unit *unit_of(struct world *w, const char *name)
{
	unsigned int i;

	for (i = 0; i < w->n; i++)
		if (!strcmp(w->units[i].name, name))
			return &w->units[i].u;
	assert_true(w->n < MAX_UNITS);
	w->units[w->n].name = mem_strdup(name);
	memset(&w->units[w->n].u, 0, sizeof(struct unit));
	return &w->units[w->n++].u;
}

static inline struct res *resource(const char *kind, const char *name, const char *spec)
{
	char text[4096], ns[256];
	struct jerr e;
	struct res *r;
	json_t *o;

	snprintf(ns, sizeof(ns), "%.*s", (int)strcspn(name, "/"), name);
	snprintf(text, sizeof(text), "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"%s\","
		 "\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"},\"spec\":%s}", kind, ns,
		 strchr(name, '/') + 1, spec);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	r = res_identify(o, &e);
	assert_non_null(r);
	if (!res_parse_spec(r, o, &e))
		fail_msg("%s", e.text);
	json_decref(o);
	return r;
}

/* spec NULL: deleted. dev: name of the interface's device. */
static inline void set_dev(struct world *w, const char *kind, const char *name, const char *spec,
			   uint32_t ifindex)
{
	struct device dev = { .ifindex = ifindex, .name = "vr0123456789abc" };
	struct res *r = spec ? resource(kind, name, spec) : NULL;
	char key[256];

	snprintf(key, sizeof(key), "%s %s", kind, name);
	reconciler_update(w->rc, unit_of(w, key), r, ifindex ? &dev : NULL);
	res_free(r);
}

static inline void set(struct world *w, const char *kind, const char *name, const char *spec)
{
	set_dev(w, kind, name, spec, 0);
}

#define NETWORK	"VirtualNetwork", "default/net"
#define NETWORK_SPEC "{\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":\"10.32.0.1\"}," \
	"{\"cidr\":\"fd00::/64\",\"gateway\":\"fd00::1\"}],\"serviceSubnets\":[\"10.96.0.0/12\"]}"
#define VMI	"VirtualMachineInterface"
#define VMI_SPEC(addr, sgs) "{\"network\":\"default/net\",\"node\":\"n1\",\"macAddress\":" \
	"\"02:00:00:00:00:01\",\"addresses\":[" addr "],\"securityGroups\":[" sgs "]}"
#define SG	"SecurityGroup"
#define SG_SPEC	"{\"enforce\":[\"ingress\"],\"rules\":[{\"direction\":\"ingress\",\"peer\":" \
	"{\"securityGroup\":\"default/b\"}}]}"
#define POOL	"LoadBalancerPool"
#define POOL_SPEC(port) "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"members\":[" \
	"{\"address\":\"10.32.0.9\",\"port\":" port "},{\"address\":\"10.32.0.5\",\"port\":" port "}]}"
#define LB	"LoadBalancer"
#define LB_SPEC(vip, pool) "{\"network\":\"default/net\",\"vips\":[\"" vip "\",\"fd01::1\"]," \
	"\"listeners\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"pools\":" \
	"{\"IPv4\":\"" pool "\"}}]}"

static inline void fill(struct world *w)
{
	/* Not in the order of the feed: names have ids before they are there. */
	set(w, LB, "default/web", LB_SPEC("10.96.0.10", "default/web.http"));
	set_dev(w, VMI, "default/web-0", VMI_SPEC("\"10.32.0.5\",\"fd00::5\"",
						  "\"default/b\",\"default/a\""), 7);
	set(w, VMI, "default/elsewhere", VMI_SPEC("\"10.32.0.6\"", ""));
	set(w, SG, "default/a", SG_SPEC);
	set(w, SG, "default/b", "{}");
	set(w, POOL, "default/web.http", POOL_SPEC("8080"));
	set(w, NETWORK, NETWORK_SPEC);
}

static inline int open_world(void **state)
{
	struct world *w = mem_zero(1, sizeof(*w));

	env.tunnels = false;
	env.settled = true;
	env.needed = NULL;
	env.in_block = NULL;
	env.external = false;
	env.family = 0;
	env.primary = 0;
	memset(env.local, 0, sizeof(env.local));
	world_open(w);
	dump(w);
	*state = w;
	return 0;
}

static inline int close_world(void **state)
{
	struct world *w = *state;

	world_close(w);
	ktable_clear(&w->kernel.objs);
	free(w);
	return 0;
}

static inline const struct kobj *find(struct world *w, enum kobj_kind kind, enum id_space space,
				      const char *name)
{
	struct kkey key = { .kind = kind, .id = ids_find(w->ids, space, name) };

	return ktable_get(&w->kernel.objs, &key);
}

struct count { unsigned int n[K_KINDS]; };

static inline void count_one(const struct kobj *o, void *arg)
{
	struct count *c = arg;

	c->n[o->key.kind]++;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

#endif
