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

static void replan(struct daemon *d, struct planned *e, const struct res *r)
{
	struct device dev;

	reconciler_update(d->rc, &e->unit, r, device_of(d, r, &dev));
	daemon_want_work(d, DAEMON_SETTLE);
}

void daemon_replan(struct daemon *d, enum res_kind kind, const char *key)
{
	struct planned *e = find_planned(d, kind, key);

	if (e)
		replan(d, e, model_get(d->model, kind, key));
}

static bool is_this_node(const struct daemon *d, const struct res *r)
{
	return r->kind == RES_ROUTER && !strcmp(r->key + strlen("Node/"), d->opt->node);
}

static void replan_router(const struct res *r, void *arg)
{
	struct daemon *d = arg;
	struct planned *e = is_this_node(d, r) ? NULL : find_planned(d, RES_ROUTER, r->key);

	if (e)
		replan(d, e, r);
}

static void replan_this(const struct res *r, void *arg)
{
	struct daemon *d = arg;
	struct planned *e = find_planned(d, r->kind, r->key);

	if (e)
		replan(d, e, r);
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
	struct planned *e;

	if (!r->vmi.node || strcmp(r->vmi.node, of->node))
		return;
	e = find_planned(of->d, RES_VMI, r->key);
	if (e)
		replan(of->d, e, r);
}

/* Another node came or went, or its addresses: so do the ways to what it has. */
static void replan_others(struct daemon *d, const struct res *router)
{
	struct of_node of = { d, router->key + strlen("Node/") };

	if (!is_this_node(d, router))
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

bool daemon_is_needed(void *arg, enum res_kind kind, const char *key)
{
	const struct daemon *d = arg;

	return needs_has(&d->needs, kind, key);
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

static void need_network(struct daemon *d, const char *key)
{
	struct of_network of = { d, key };

	if (!needs_add(&d->needs, RES_NETWORK, key))
		return;
	daemon_replan(d, RES_NETWORK, key);
	model_each(d->model, RES_VMI, replan_vmi_in, &of);
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

	if (!network)
		return;
	need_network(d, network);
	if (r->kind != RES_VMI)
		return;
	if (r->vmi.joined)
		need_network(d, r->vmi.joined);
	for (i = 0; i < r->vmi.n_sgs; i++)
		if (needs_add(&d->needs, RES_SG, r->vmi.sgs[i]))
			daemon_replan(d, RES_SG, r->vmi.sgs[i]);
}

/* A pod of this node came or went. */
static void refresh_what_is_here(struct daemon *d)
{
	model_each(d->model, RES_CHAIN, replan_this, d);
	d->export.stale = d->joined.stale = true;
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
	struct planned *e = find_planned(d, any->kind, any->key);
	struct device dev;

	if (any->kind == RES_LB || any->kind == RES_POOL)
		metrics_changed(&d->metrics, any->kind == RES_POOL);
	if (!e) {
		e = mem_zero(1, sizeof(*e));
		e->kind = any->kind;
		e->key = mem_strdup(any->key);
		mem_check(tsearch(e, &d->planned, compare));
	}
	if (r)
		learn_needs(d, r);
	replan(d, e, r);
	if (any->kind == RES_POOL) {
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
	if (r)
		return;
	tdelete(e, &d->planned, compare);
	free(e->key);
	free(e);
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
}

static void free_planned(void *p)
{
	struct planned *e = p;

	free(e->key);
	free(e);
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
}
