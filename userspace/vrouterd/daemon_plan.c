// SPDX-License-Identifier: GPL-2.0-only
/* What is planned for each resource, and what is planned anew when another one changes. */

#include <search.h>
#include <string.h>

#include "daemon.h"
#include "dlog.h"
#include "mem.h"

struct planned {
	enum res_kind	kind;
	char		*key;
	struct unit	unit;
};

static int compare(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;

	return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->key, y->key);
}

static struct planned *find_planned(const struct daemon *d, enum res_kind kind, const char *key)
{
	struct planned probe = { .kind = kind, .key = (char *)key }, **slot;

	slot = (struct planned **)tfind(&probe, &d->planned, compare);
	return slot ? *slot : NULL;
}

const struct unit *daemon_unit(const struct daemon *d, enum res_kind kind, const char *key)
{
	struct planned *e = find_planned(d, kind, key);

	return e ? &e->unit : NULL;
}

/* --- the model's changes ---------------------------------------------------------- */

/* The device that a resource's interface has here. */
static const struct device *device_of(const struct daemon *d, const struct res *r,
				      struct device *dev)
{
	const struct attachment *at;

	if (r && r->kind == RES_ROUTER)
		return d->host.dev.ifindex ? &d->host.dev : NULL;
	if (!r || r->kind != RES_VMI || !r->vmi.node || strcmp(r->vmi.node, d->opt->node))
		return NULL;
	at = attachment_of_vmi(&d->attachments, r->key);
	if (!at)
		return NULL;
	dev->ifindex = at->ifindex;
	dev->name = at->host;
	dev->ports = at->ports;
	dev->n_ports = at->n_ports;
	return dev;
}

static struct planned *make_planned(struct daemon *d, enum res_kind kind, const char *key)
{
	struct planned *e = mem_zero(1, sizeof(*e));

	e->kind = kind;
	e->key = mem_strdup(key);
	mem_check(tsearch(e, &d->planned, compare));
	return e;
}

static void free_planned(void *p)
{
	struct planned *e = p;

	free(e->key);
	free(e);
}

/* r NULL: the resource is no more. For most of a large cluster nothing is planned, and nothing kept. */
static void replan(struct daemon *d, enum res_kind kind, const char *key, const struct res *r)
{
	struct planned *e = find_planned(d, kind, key);
	struct device dev;

	if (!e && !r)
		return;
	if (!e)
		e = make_planned(d, kind, key);
	reconciler_update(d->rc, &e->unit, r, device_of(d, r, &dev));
	daemon_want_work(d, DAEMON_SETTLE);
	if (e->unit.n_objs || e->unit.n_ids)
		return;
	tdelete(e, &d->planned, compare);
	unit_clear(&e->unit, d->ids);
	free_planned(e);
}

void daemon_replan(struct daemon *d, enum res_kind kind, const char *key)
{
	replan(d, kind, key, model_get(d->model, kind, key));
}

static bool is_this_node(const struct daemon *d, const struct res *r)
{
	return r->kind == RES_ROUTER && !strcmp(r->key + strlen("Node/"), d->opt->node);
}

static void replan_router(const struct res *r, void *arg)
{
	struct daemon *d = arg;

	if (!is_this_node(d, r))
		replan(d, r->kind, r->key, r);
}

static void replan_this(const struct res *r, void *arg)
{
	replan(arg, r->kind, r->key, r);
}

/* The addresses that tunnels lead from, and packets to the outside; with others, all tunnels
 * are made anew. r NULL: none.
 */
static void set_local(struct daemon *d, const struct res *r)
{
	const struct attachment *at;
	struct vr_addr local[2] = {};
	uint8_t primary;
	unsigned int i;

	for (i = r ? r->router.n_addrs : 0; i-- > 0;)
		local[r->router.addrs[i].family == AF_INET6] = r->router.addrs[i];
	primary = r && r->router.n_addrs ? r->router.addrs[0].family : 0;
	if (!memcmp(local, d->env.local, sizeof(local)) && primary == d->env.primary)
		return;
	memcpy(d->env.local, local, sizeof(local));
	d->env.primary = primary;
	model_each(d->model, RES_ROUTER, replan_router, d);
	model_each(d->model, RES_NETWORK, replan_this, d);
	model_each(d->model, RES_LINK_LOCAL, replan_this, d);
	for (at = d->attachments.list; at; at = at->next)
		if (at->n_ports)
			daemon_replan(d, RES_VMI, at->vmi);
}

/* Which members of services are near. */
static void set_zone(struct daemon *d, const struct res *r)
{
	const char *zone = r ? r->router.zone : NULL;

	if (zone == d->env.zone || (zone && d->env.zone && !strcmp(zone, d->env.zone)))
		return;
	free(d->env.zone);
	d->env.zone = mem_strdup(zone);
	model_each(d->model, RES_POOL, replan_this, d);
}

bool daemon_is_attached(void *arg, const char *vmi)
{
	const struct daemon *d = arg;
	const struct res *r = model_get(d->model, RES_VMI, vmi);
	struct device dev;

	return device_of(d, r, &dev);
}

bool daemon_is_known(void *arg, const char *node)
{
	const struct daemon *d = arg;
	const struct unit *u;
	char key[320];

	snprintf(key, sizeof(key), "Node/%s", node);
	u = daemon_unit(d, RES_ROUTER, key);
	return u && u->n_objs;
}

struct of_node {
	struct daemon	*d;
	const char	*node;
};

static void replan_vmi_of(const struct res *r, void *arg)
{
	const struct of_node *of = arg;

	if (r->vmi.node && !strcmp(r->vmi.node, of->node))
		replan_this(r, of->d);
}

/* Another node came or went, or its addresses or blocks: so do the ways to what it has. */
static void replan_others(struct daemon *d, const struct res *router)
{
	struct of_node of = { d, router->key + strlen("Node/") };

	if (d->env.settled && !is_this_node(d, router))
		model_each(d->model, RES_VMI, replan_vmi_of, &of);
	model_each(d->model, RES_CHAIN, replan_this, d);
}

/* Without its own interface the node would ask somebody else's addresses. */
static void update_monitors(struct daemon *d, const struct res *old, const struct res *r)
{
	if (*d->opt->host_device) {
		monitors_pool(d->health.monitors, old, r);
	} else if (r && r->pool.monitor && !d->unmonitored) {
		d->unmonitored = true;
		log_warn("health monitors need the node's own interface, see --host-device: "
			 "members on this node are not probed");
	}
}

bool daemon_is_needed(void *arg, enum need need, const char *key)
{
	const struct daemon *d = arg;

	return needs_has(&d->needs, need, key);
}

bool daemon_in_block(void *arg, const struct vmi *v, const struct vr_addr *addr)
{
	const struct daemon *d = arg;
	const struct unit *u;
	char key[320];
	unsigned int i;
	uint32_t vrf;

	snprintf(key, sizeof(key), "Node/%s", v->node);
	u = daemon_unit(d, RES_ROUTER, key);
	vrf = ids_find(d->ids, ID_VRF, v->network);
	for (i = 0; u && i < u->n_objs; i++) {
		const struct kkey *k = &u->objs[i]->key;

		/* a block that goes from one node to another is both nodes' for a moment */
		if (k->kind == K_ROUTE && k->id == vrf && !u->objs[i]->route.node &&
		    vr_prefix_contains(&k->prefix, addr) && reconciler_owns(d->rc, u, k))
			return true;
	}
	return false;
}

void daemon_whole_pool(void *arg, const struct res *r, struct pool *whole)
{
	const struct daemon *d = arg;

	model_whole_pool(d->model, r, whole);
}

struct of_network {
	struct daemon	*d;
	const char	*key;
};

static void replan_vmi_in(const struct res *r, void *arg)
{
	const struct of_network *of = arg;
	bool in = !strcmp(r->vmi.network, of->key) ||
		  (r->vmi.joined && !strcmp(r->vmi.joined, of->key));
	unsigned int i;

	for (i = 0; i < r->vmi.n_through && !in; i++)
		in = !strcmp(r->vmi.through[i].network, of->key);
	if (in)
		replan_this(r, of->d);
}

static void replan_router_in(const struct res *r, void *arg)
{
	const struct of_network *of = arg;
	unsigned int i;

	for (i = 0; i < r->router.n_blocks; i++)
		if (!strcmp(r->router.blocks[i].network, of->key)) {
			replan_router(r, of->d);
			return;
		}
}

static void need_network(struct daemon *d, const char *key)
{
	struct of_network of = { d, key };

	if (!needs_add(&d->needs, NEED_NETWORK, key))
		return;
	daemon_replan(d, RES_NETWORK, key);
	if (!d->env.settled)
		return;
	model_each(d->model, RES_ROUTER, replan_router_in, &of);
	model_each(d->model, RES_VMI, replan_vmi_in, &of);
}

/* Who is in the groups that a needed one's rules name. */
static void need_members(struct daemon *d, const struct res *group)
{
	const struct rule *rule = group->sg.rules;
	unsigned int i;

	for (i = 0; i < group->sg.n_rules; i++, rule++)
		if (rule->peer == PEER_SG && needs_add(&d->needs, NEED_MEMBERS, rule->peer_sg)) {
			needs_add(&d->fresh, NEED_MEMBERS, rule->peer_sg);
			daemon_replan(d, RES_SG, rule->peer_sg);
		}
}

static void need_group(struct daemon *d, const char *key)
{
	const struct res *group = model_get(d->model, RES_SG, key);

	if (!needs_add(&d->needs, NEED_GROUP, key))
		return;
	if (group)
		need_members(d, group);
	daemon_replan(d, RES_SG, key);
}

static void replan_fresh(const struct res *r, void *arg)
{
	struct daemon *d = arg;
	unsigned int i;

	for (i = 0; i < r->vmi.n_sgs; i++)
		if (needs_has(&d->fresh, NEED_MEMBERS, r->vmi.sgs[i])) {
			replan_this(r, d);
			return;
		}
}

void daemon_plan_members(struct daemon *d)
{
	if (!d->fresh.names[NEED_MEMBERS])
		return;
	if (d->env.settled)
		model_each(d->model, RES_VMI, replan_fresh, d);
	needs_free(&d->fresh);
}

/* The network in which this node has a part of it; NULL: none. */
static const char *network_of(const struct daemon *d, const struct res *r)
{
	struct device dev;

	switch (r->kind) {
	case RES_ROUTER:
		return r->router.network;
	case RES_LINK_LOCAL:
		return r->link_local.network;
	case RES_LB:
		return r->lb.network;
	case RES_VMI:
		return device_of(d, r, &dev) ? r->vmi.network : NULL;
	default:
		return NULL;
	}
}

/* Before it is planned itself: what it names is planned with it. */
static void learn_needs(struct daemon *d, const struct res *r)
{
	const char *network = network_of(d, r);
	unsigned int i;

	if (r->kind == RES_SG && needs_has(&d->needs, NEED_GROUP, r->key))
		need_members(d, r);
	if (!network)
		return;
	need_network(d, network);
	if (r->kind != RES_VMI)
		return;
	if (r->vmi.joined)
		need_network(d, r->vmi.joined);
	for (i = 0; i < r->vmi.n_sgs; i++)
		need_group(d, r->vmi.sgs[i]);
}

/* A pod of this node came or went. */
static void refresh_what_is_here(struct daemon *d)
{
	model_each(d->model, RES_CHAIN, replan_this, d);
	d->export.stale = d->joined.stale = true;
}

/* Of a pool's shard that changes: the pool does. */
static void replan_pool_of(struct daemon *d, const struct res *shard)
{
	if (shard && shard->pool.shard_of)
		daemon_replan(d, RES_POOL, shard->pool.shard_of);
}

/* Of a pool: is there news of what its members are? */
static void time_members(struct daemon *d, const struct res *old, const struct res *r)
{
	double before = old ? old->pool.trigger : 0, now = r ? r->pool.trigger : 0;

	if (now != before)
		metrics_trigger(&d->metrics, now);
}

static void on_change(void *arg, const struct res *old, const struct res *r)
{
	const struct res *any = r ? r : old;
	struct daemon *d = arg;
	struct device dev;

	if (any->kind == RES_LB || any->kind == RES_POOL)
		metrics_changed(&d->metrics, any->kind == RES_POOL);
	if (r)
		learn_needs(d, r);
	replan(d, any->kind, any->key, r);
	if (any->kind == RES_POOL) {
		replan_pool_of(d, old);
		replan_pool_of(d, r);
		update_monitors(d, old, r);
		time_members(d, old, r);
	}
	if (any->kind == RES_ROUTER || any->kind == RES_NETWORK)
		d->host.stale = d->export.stale = d->joined.stale = true;
	if (any->kind == RES_ROUTER)
		replan_others(d, any);
	else if (device_of(d, any, &dev))
		refresh_what_is_here(d);
	if (is_this_node(d, any)) {
		set_local(d, r);
		set_zone(d, r);
		d->state.leaving = !r || r->router.leaving;
	}
	if (any->kind == RES_LB && d->opt->external)
		healthport_service(d->healthport, any->key, r ? r->lb.health_port : 0);
}

void daemon_refresh(struct daemon *d, const char *vmi)
{
	const struct res *r = model_get(d->model, RES_VMI, vmi);

	if (r)
		learn_needs(d, r);
	daemon_replan(d, RES_VMI, vmi);
	refresh_what_is_here(d);
}

void daemon_forget(struct daemon *d, struct attachment *at)
{
	char *vmi = mem_strdup(at->vmi);

	/* What comes from it now would be the node's own to route. */
	link_set(at->host, false);
	attachment_del(&d->attachments, at);
	daemon_refresh(d, vmi);
	free(vmi);
}

const struct model_ops daemon_model_ops = { .changed = on_change };

void daemon_settle(struct daemon *d)
{
	if (d->env.settled)
		return;
	d->env.settled = true;
	model_each(d->model, RES_SG, replan_this, d);
	model_each(d->model, RES_ROUTER, replan_router, d);
	model_each(d->model, RES_VMI, replan_this, d);
	model_each(d->model, RES_POOL, replan_this, d);
	model_each(d->model, RES_LB, replan_this, d);
}

static void clear_unit(const void *node, VISIT which, void *arg)
{
	struct planned *e = *(struct planned *const *)node;
	struct daemon *d = arg;

	if (which == postorder || which == leaf)
		unit_clear(&e->unit, d->ids);
}

void daemon_plan_free(struct daemon *d)
{
	twalk_r(d->planned, clear_unit, d);
	tdestroy(d->planned, free_planned);
	needs_free(&d->needs);
	needs_free(&d->fresh);
}
