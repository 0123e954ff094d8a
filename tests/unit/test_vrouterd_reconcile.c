// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd lib */
/*
 * From resources to objects, ids and requests, against a kernel that keeps
 * objects in a table and refuses what refers to something that is not there.
 */

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
	int		dead;			/* errno of every batch */
	char		log[8192];		/* "+sg +vrf -route ..." */
};

static bool there(const struct fake *k, enum kobj_kind kind, uint32_t id)
{
	struct kkey key = { .kind = kind, .id = id };

	return ktable_get(&k->objs, &key);
}

static const char *needs(const struct fake *k, const struct kobj *o)
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

static void look_for_use(const struct kobj *o, void *arg)
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

static void request(struct fake *k, struct request *rq)
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
		snprintf(rq->text, sizeof(rq->text), "%s", why);
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
}

static int apply(void *arg, struct request *rq, size_t n)
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

static void released(void *arg, const struct kobj *vif)
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

static void world_open(struct world *w)
{
	struct backend b = { .apply = apply, .released = released, .arg = &w->kernel };

	w->ids = ids_new();
	w->rc = reconciler_new(w->ids, &b, &env);
	w->n = 0;
}

static void world_close(struct world *w)
{
	reconciler_free(w->rc);
	while (w->n) {
		unit_clear(&w->units[--w->n].u, w->ids);
		free(w->units[w->n].name);
	}
	ids_free(w->ids);
}

static void dump_one(const struct kobj *o, void *arg)
{
	struct world *w = arg;
	const struct vr_obj_type *t = kobj_type(o->key.kind);
	struct kobj copy = {};

	assert_int_equal(vr_obj_copy(t, &copy.sg, kobj_obj(o)), 0);
	reconciler_dump_add(w->rc, kobj_new(o->key.kind, &copy.sg));
}

static void dump(struct world *w)
{
	reconciler_dump_begin(w->rc);
	ktable_each(&w->kernel.objs, dump_one, w);
	reconciler_dump_end(w->rc);
}

/* Another vrouterd on the same kernel. */
static void restart(struct world *w)
{
	world_close(w);
	world_open(w);
	memset(w->kernel.log, 0, sizeof(w->kernel.log));
	w->kernel.requests = w->kernel.adds = w->kernel.replaces = w->kernel.dels = 0;
	dump(w);
}

static struct unit *unit_of(struct world *w, const char *name)
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

static struct res *resource(const char *kind, const char *name, const char *spec)
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
static void set_dev(struct world *w, const char *kind, const char *name, const char *spec,
		    uint32_t ifindex)
{
	struct device dev = { .ifindex = ifindex, .name = "vr0123456789abc" };
	struct res *r = spec ? resource(kind, name, spec) : NULL;
	char key[256];

	snprintf(key, sizeof(key), "%s %s", kind, name);
	reconciler_update(w->rc, unit_of(w, key), r, ifindex ? &dev : NULL);
	res_free(r);
}

static void set(struct world *w, const char *kind, const char *name, const char *spec)
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

static void fill(struct world *w)
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

static int open_world(void **state)
{
	struct world *w = mem_zero(1, sizeof(*w));

	env.tunnels = false;
	env.external = false;
	env.family = 0;
	world_open(w);
	dump(w);
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;

	world_close(w);
	ktable_clear(&w->kernel.objs);
	free(w);
	return 0;
}

/* --- plan ----------------------------------------------------------------------- */

static const struct kobj *find(struct world *w, enum kobj_kind kind, enum id_space space,
			       const char *name)
{
	struct kkey key = { .kind = kind, .id = ids_find(w->ids, space, name) };

	return ktable_get(&w->kernel.objs, &key);
}

struct count { unsigned int n[K_KINDS]; };

static void count_one(const struct kobj *o, void *arg)
{
	struct count *c = arg;

	c->n[o->key.kind]++;
}

static void resources_become_objects(void **state)
{
	struct world *w = *state;
	const struct kobj *o;
	struct count c = {};

	fill(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_SG], 2);
	assert_int_equal(c.n[K_VRF], 1);
	assert_int_equal(c.n[K_VIF], 1);
	assert_int_equal(c.n[K_NEXTHOP], 3);	/* local, ecmp, blackhole */
	assert_int_equal(c.n[K_ROUTE], 3);	/* two hosts', service subnet */
	assert_int_equal(c.n[K_VIP], 1);	/* the IPv6 address has no pool */

	o = find(w, K_VIF, ID_VIF, "default/web-0");
	assert_int_equal(o->vif.ifindex, 7);
	assert_int_equal(o->vif.n_addrs, 2);
	assert_int_equal(o->vif.n_sgs, 2);
	assert_true(o->vif.sgs[0] < o->vif.sgs[1]);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "ecmp default/web.http");
	assert_int_equal(o->nexthop.n_members, 2);
	assert_int_equal(o->nexthop.members[0].addr.b[3], 5);
	assert_int_equal(o->nexthop.members[0].weight, 1);
	o = find(w, K_VRF, ID_VRF, "default/net");
	assert_int_equal(o->vrf.n_gateways, 2);
	o = find(w, K_SG, ID_SG, "default/a");
	assert_int_equal(o->sg.rules[0].peer_sg, ids_find(w->ids, ID_SG, "default/b"));
}

static void what_is_needed_comes_first(void **state)
{
	struct world *w = *state;

	fill(w);
	reconcile(w->rc);
	assert_string_equal(w->kernel.log, "+sg +sg +vrf +vif +nexthop +nexthop +nexthop "
			    "+route +route +route +vip ");
	w->kernel.log[0] = '\0';
	reconciler_synced(w->rc);
	set(w, NETWORK, NULL);
	set(w, VMI, "default/web-0", NULL);
	set(w, LB, "default/web", NULL);
	set(w, POOL, "default/web.http", NULL);
	set(w, SG, "default/a", NULL);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	/* The device first: nothing is to come from it without its policy. */
	assert_string_equal(w->kernel.log, "-vif -vip -route -route -route -nexthop -nexthop "
			    "-nexthop -vrf -sg ");
	assert_int_equal(w->kernel.released, 1);
}

#define ROUTER	"VirtualRouter"
#define ROUTER_SPEC(addr) "{\"network\":\"default/net\",\"addresses\":[" addr "]}"

/* This node n1 with a device, n2 and n3 with addresses, a pod on n2. */
static void fill_nodes(struct world *w)
{
	set(w, VMI, "default/there", "{\"network\":\"default/net\",\"node\":\"n2\",\"macAddress\":"
	    "\"02:00:00:00:00:02\",\"addresses\":[\"10.32.0.7\",\"fd00::7\"],"
	    "\"securityGroups\":[\"default/b\"]}");
	set_dev(w, ROUTER, "/n1", ROUTER_SPEC("\"192.0.2.1\""), 9);
	set(w, ROUTER, "/n2", ROUTER_SPEC("\"192.0.2.2\",\"2001:db8::2\""));
	set(w, ROUTER, "/n3", ROUTER_SPEC(""));
	set(w, SG, "default/b", "{}");
	set(w, NETWORK, "{\"vni\":4096,\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":"
	    "\"10.32.0.1\"}]}");
}

static void nodes_become_tunnels(void **state)
{
	struct world *w = *state;
	const struct kobj *o;
	struct count c = {};
	uint32_t tunnel;

	env.tunnels = true;
	fill_nodes(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_VIF], 2);	/* the tunnels' end, the host's */
	assert_int_equal(c.n[K_NEXTHOP], 3);	/* tunnel to n2, local, blackhole; n3 has no address */
	assert_int_equal(c.n[K_ROUTE], 5);	/* the pod's two, n1's one, n2's two */

	o = find(w, K_VIF, ID_VIF, "tunnel default/net");
	assert_int_equal(o->vif.type, VROUTER_VIF_TYPE_TUNNEL);
	assert_int_equal(o->vif.vni, 4096);
	o = find(w, K_VIF, ID_VIF, "host Node/n1");
	assert_int_equal(o->vif.type, VROUTER_VIF_TYPE_HOST);
	assert_int_equal(o->vif.ifindex, 9);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "tunnel Node/n2");
	assert_int_equal(o->nexthop.remote.family, AF_INET);
	assert_int_equal(o->nexthop.remote.b[3], 2);

	/* of the other family when asked for, with the same id */
	tunnel = o->key.id;
	env.family = AF_INET6;
	set(w, ROUTER, "/n2", ROUTER_SPEC("\"192.0.2.2\",\"2001:db8::2\""));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "tunnel Node/n2");
	assert_int_equal(o->nexthop.remote.family, AF_INET6);
	assert_int_equal(o->key.id, tunnel);
}

static void without_encapsulation_there_are_none(void **state)
{
	struct world *w = *state;
	struct count c = {};

	fill_nodes(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_VIF], 1);	/* the host's */
	assert_int_equal(c.n[K_ROUTE], 1);
}

/* A network's number is not changed in place. */
static void another_vni_makes_the_end_anew(void **state)
{
	struct world *w = *state;

	env.tunnels = true;
	fill_nodes(w);
	reconcile(w->rc);
	reconciler_synced(w->rc);
	w->kernel.log[0] = '\0';
	set(w, NETWORK, "{\"vni\":4097,\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":"
	    "\"10.32.0.1\"}]}");
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(w->kernel.log, "-vif +vif ");
}

static void a_restart_keeps_the_tunnels(void **state)
{
	struct world *w = *state;

	env.tunnels = true;
	fill_nodes(w);
	reconcile(w->rc);
	restart(w);
	fill_nodes(w);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 0);
}

static void a_node_that_goes_takes_its_tunnel_along(void **state)
{
	struct world *w = *state;
	struct count c = {};

	env.tunnels = true;
	fill_nodes(w);
	reconcile(w->rc);
	reconciler_synced(w->rc);
	set(w, VMI, "default/there", NULL);
	set(w, ROUTER, "/n2", NULL);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_NEXTHOP], 2);
	assert_int_equal(c.n[K_ROUTE], 1);
}

static void services_from_outside(void **state)
{
	struct world *w = *state;
	const struct kobj *o;
	struct count c = {};
	uint32_t inside, outside;

	env.external = true;
	set(w, LB, "default/web", "{\"network\":\"default/net\",\"vips\":[\"10.96.0.10\"],"
	    "\"externalAddresses\":[\"198.51.100.7\"],\"listeners\":[{\"name\":\"http\",\"protocol\":\"TCP\","
	    "\"port\":80,\"nodePort\":30080,\"pools\":{\"IPv4\":\"default/web.http\"}}]}");
	set(w, POOL, "default/web.http", "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"network\":\"default/net\","
	    "\"externalTrafficPolicy\":\"Local\",\"members\":[{\"address\":\"10.32.0.5\",\"port\":80,"
	    "\"node\":\"n1\"},{\"address\":\"10.32.0.9\",\"port\":80,\"node\":\"n2\"}]}");
	set(w, ROUTER, "/n1", ROUTER_SPEC("\"192.0.2.1\",\"192.0.2.2\",\"2001:db8::1\""));
	set(w, NETWORK, NETWORK_SPEC);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_VRF], 2);
	assert_int_equal(c.n[K_VIF], 1);	/* external */
	assert_int_equal(c.n[K_NEXTHOP], 5);	/* two ecmp, vrf, snat, blackhole */
	assert_int_equal(c.n[K_ROUTE], 3);	/* service subnet, a default of each family */
	assert_int_equal(c.n[K_VIP], 5);	/* cluster; external and node port, from both sides */

	inside = ids_find(w->ids, ID_VRF, "default/net");
	outside = ids_find(w->ids, ID_VRF, "Node/external");
	o = find(w, K_VIF, ID_VIF, "external Node/external");
	assert_int_equal(o->vif.vrf, outside);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "vrf default/net");
	assert_int_equal(o->nexthop.vrf, inside);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "snat Node/external");
	assert_int_equal(o->nexthop.n_snat_addrs, 3);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "ecmp default/web.http");
	assert_int_equal(o->nexthop.n_members, 2);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "ecmp default/web.http@external");
	assert_int_equal(o->nexthop.n_members, 1);
	assert_int_equal(o->nexthop.members[0].addr.b[3], 5);
	assert_int_equal(o->nexthop.members[0].nexthop, ids_find(w->ids, ID_NEXTHOP, "vrf default/net"));
	restart(w);
}

/* A failed member is no member, neither from inside nor from outside. */
static void failed_members(void **state)
{
	struct world *w = *state;
	const struct kobj *o;

	env.external = true;
	set(w, POOL, "default/web.http", "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"network\":\"default/net\","
	    "\"externalTrafficPolicy\":\"Cluster\",\"members\":[{\"address\":\"10.32.0.5\",\"port\":80},"
	    "{\"address\":\"10.32.0.9\",\"port\":80,\"state\":\"failed\"}]}");
	assert_int_equal(reconcile(w->rc), RC_DONE);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "ecmp default/web.http");
	assert_int_equal(o->nexthop.n_members, 1);
	assert_int_equal(o->nexthop.members[0].addr.b[3], 5);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "ecmp default/web.http@external");
	assert_int_equal(o->nexthop.n_members, 1);
}

static uint32_t vip_group(const struct world *w, const char *vrf, const char *addr, uint16_t port)
{
	struct kkey key = { .kind = K_VIP, .proto = IPPROTO_TCP, .port = port };
	const struct kobj *o;

	key.id = ids_find(w->ids, ID_VRF, vrf);
	assert_true(vr_addr_parse(addr, &key.prefix.addr));
	o = ktable_get(&w->kernel.objs, &key);
	assert_non_null(o);
	return o->vip.sg;
}

/* Whom the load balancer's addresses serve: a group of their vips, of the families that have ranges. */
static void source_ranges(void **state)
{
	struct world *w = *state;
	const struct kobj *o;
	uint32_t sg;

	env.external = true;
#define BALANCED(more) "{\"network\":\"default/net\",\"vips\":[\"10.96.0.10\"],\"externalAddresses\":[\"198.51.100.7\"],"	\
	"\"loadBalancerAddresses\":[\"203.0.113.5\",\"2001:db8::5\"]," more						\
	"\"listeners\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"nodePort\":30080,\"pools\":"		\
	"{\"IPv4\":\"default/web.http\",\"IPv6\":\"default/web.http6\"}}]}"
	set(w, LB, "default/web", BALANCED("\"sourceRanges\":[\"192.0.2.0/24\",\"10.0.0.0/8\"],"));
	set(w, POOL, "default/web.http", "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"network\":\"default/net\","
	    "\"externalTrafficPolicy\":\"Cluster\",\"members\":[]}");
	set(w, POOL, "default/web.http6", "{\"protocol\":\"TCP\",\"family\":\"IPv6\",\"network\":\"default/net\","
	    "\"externalTrafficPolicy\":\"Cluster\",\"members\":[]}");
	set(w, ROUTER, "/n1", ROUTER_SPEC("\"192.0.2.1\""));
	set(w, NETWORK, NETWORK_SPEC);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	sg = ids_find(w->ids, ID_SG, "default/web@sources");
	assert_int_not_equal(sg, 0);
	o = find(w, K_SG, ID_SG, "default/web@sources");
	assert_int_equal(o->sg.n_rules, 2);
	assert_int_equal(o->sg.rules[0].peer_prefix.len, 24);
	assert_string_equal(o->sg.rules[0].label, "192.0.2.0/24");
	assert_int_equal(vip_group(w, "Node/external", "203.0.113.5", 80), sg);
	assert_int_equal(vip_group(w, "default/net", "203.0.113.5", 80), sg);
	assert_int_equal(vip_group(w, "Node/external", "2001:db8::5", 80), 0);
	assert_int_equal(vip_group(w, "Node/external", "198.51.100.7", 80), 0);
	assert_int_equal(vip_group(w, "Node/external", "0.0.0.0", 30080), 0);
	assert_int_equal(vip_group(w, "default/net", "10.96.0.10", 80), 0);
	reconciler_synced(w->rc);
	set(w, LB, "default/web", BALANCED(""));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(vip_group(w, "Node/external", "203.0.113.5", 80), 0);
	assert_int_equal(ids_find(w->ids, ID_SG, "default/web@sources"), 0);
}

/* Where nothing from outside is served, pods still reach what the service has there. */
static void from_inside_only(void **state)
{
	struct world *w = *state;
	struct count c = {};

	set(w, LB, "default/web", BALANCED("\"sourceRanges\":[\"192.0.2.0/24\"],"));
	set(w, POOL, "default/web.http", "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"members\":[]}");
	set(w, POOL, "default/web.http6", "{\"protocol\":\"TCP\",\"family\":\"IPv6\",\"members\":[]}");
	set(w, NETWORK, NETWORK_SPEC);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_VRF], 1);
	assert_int_equal(c.n[K_VIP], 6);	/* cluster, external, node port and balancer's of each family */
	assert_int_equal(vip_group(w, "default/net", "0.0.0.0", 30080), 0);
	assert_int_equal(vip_group(w, "default/net", "203.0.113.5", 80), ids_find(w->ids, ID_SG, "default/web@sources"));
}

/* --- differences --------------------------------------------------------------------- */

static void restart_changes_nothing(void **state)
{
	struct world *w = *state;
	uint32_t vif, sg, nh;

	fill(w);
	reconcile(w->rc);
	vif = ids_find(w->ids, ID_VIF, "default/web-0");
	sg = ids_find(w->ids, ID_SG, "default/b");
	nh = ids_find(w->ids, ID_NEXTHOP, "ecmp default/web.http");

	restart(w);
	/* Names that come earlier now do not take the ids of others. */
	set(w, SG, "default/0-new", "{}");
	set(w, POOL, "default/0-new", POOL_SPEC("1"));
	fill(w);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 2);
	assert_int_equal(ids_find(w->ids, ID_VIF, "default/web-0"), vif);
	assert_int_equal(ids_find(w->ids, ID_SG, "default/b"), sg);
	assert_int_equal(ids_find(w->ids, ID_NEXTHOP, "ecmp default/web.http"), nh);
}

static void nothing_is_deleted_before_the_bookmark(void **state)
{
	struct world *w = *state;

	fill(w);
	reconcile(w->rc);
	restart(w);
	set(w, NETWORK, NETWORK_SPEC);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 0);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.dels, 8);	/* all but vrf, blackhole and its route */
	assert_int_equal(w->kernel.adds + w->kernel.replaces, 0);
}

static void a_change_costs_what_it_changes(void **state)
{
	struct world *w = *state;

	fill(w);
	reconcile(w->rc);
	w->kernel.requests = 0;
	set(w, POOL, "default/web.http", POOL_SPEC("8080"));
	reconcile(w->rc);
	assert_int_equal(w->kernel.requests, 0);
	set(w, POOL, "default/web.http", POOL_SPEC("9090"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 1);
	assert_int_equal(w->kernel.replaces, 1);
}

static void a_refused_object_blocks_no_other(void **state)
{
	struct world *w = *state;
	char why[256];

	set(w, NETWORK, NETWORK_SPEC);
	set(w, POOL, "default/web.http", POOL_SPEC("8080"));
	w->kernel.refuse_nexthop = ids_find(w->ids, ID_NEXTHOP, "ecmp default/web.http");
	set(w, LB, "default/web", LB_SPEC("10.96.0.10", "default/web.http"));
	set(w, SG, "default/b", "{}");
	assert_int_equal(reconcile(w->rc), RC_REFUSED);
	assert_non_null(find(w, K_SG, ID_SG, "default/b"));
	assert_true(reconciler_pending(w->rc));
	assert_false(reconciler_settled(w->rc, unit_of(w, "LoadBalancer default/web"), why,
					sizeof(why)));
	assert_non_null(strstr(why, "No such nexthop"));

	w->kernel.refuse_nexthop = 0;
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_false(reconciler_pending(w->rc));
	assert_true(reconciler_settled(w->rc, unit_of(w, "LoadBalancer default/web"), why,
				       sizeof(why)));
}

static void foreign_objects_are_left_alone(void **state)
{
	struct vr_vrf vrf = { .id = 1, .label = mem_strdup("mine") };
	struct vr_vrf other = { .id = 3, .label = NULL };
	struct vr_vif tap = { .id = 1, .label = mem_strdup("default/vm"), .vrf = 1, .ifindex = 3,
			      .ifname = "tap0" };
	struct world *w = *state;

	ktable_set(&w->kernel.objs, kobj_new(K_VRF, &vrf));
	ktable_set(&w->kernel.objs, kobj_new(K_VRF, &other));
	ktable_set(&w->kernel.objs, kobj_new(K_VIF, &tap));
	restart(w);
	reconciler_synced(w->rc);
	fill(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.dels + w->kernel.replaces, 0);
	assert_int_equal(ids_find(w->ids, ID_VRF, "default/net"), 2);
	assert_int_equal(ids_find(w->ids, ID_VIF, "default/web-0"), 2);
}

static void a_vif_that_vanished_is_made_anew(void **state)
{
	struct world *w = *state;
	struct kkey key = { .kind = K_VIF };

	fill(w);
	reconcile(w->rc);
	reconciler_synced(w->rc);
	key.id = ids_find(w->ids, ID_VIF, "default/web-0");
	kobj_put(ktable_take(&w->kernel.objs, &key));
	reconciler_seen(w->rc, &key, NULL);
	w->kernel.log[0] = '\0';
	assert_int_equal(reconcile(w->rc), RC_DONE);
	/* The next hop leads nowhere until it is told the vif again. */
	assert_string_equal(w->kernel.log, "+vif =nexthop ");

	/* A new sandbox: another device for the same pod. */
	w->kernel.log[0] = '\0';
	set_dev(w, VMI, "default/web-0", VMI_SPEC("\"10.32.0.5\",\"fd00::5\"",
						  "\"default/b\",\"default/a\""), 8);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(w->kernel.log, "-vif +vif =nexthop ");
	assert_false(reconciler_pending(w->rc));
	assert_int_equal(find(w, K_VIF, ID_VIF, "default/web-0")->vif.ifindex, 8);
}

static void two_that_want_one_key(void **state)
{
	struct world *w = *state;
	struct kkey key = { .kind = K_VIP, .id = 1, .proto = IPPROTO_TCP, .port = 80 };
	char why[256];

	fill(w);
	set(w, LB, "default/two", LB_SPEC("10.96.0.10", "default/web.http"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_true(vr_addr_parse("10.96.0.10", &key.prefix.addr));
	key.id = ids_find(w->ids, ID_VRF, "default/net");
	assert_string_equal(kobj_label(ktable_get(&w->kernel.objs, &key)), "default/web:http");
	assert_false(reconciler_settled(w->rc, unit_of(w, "LoadBalancer default/two"), why,
					sizeof(why)));

	set(w, LB, "default/web", NULL);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(kobj_label(ktable_get(&w->kernel.objs, &key)), "default/two:http");
}

static void a_wrong_mirror_asks_for_a_dump(void **state)
{
	struct world *w = *state;
	struct kkey key = { .kind = K_SG };

	fill(w);
	reconcile(w->rc);
	reconciler_synced(w->rc);
	key.id = ids_find(w->ids, ID_SG, "default/b");
	kobj_put(ktable_take(&w->kernel.objs, &key));
	set(w, SG, "default/b", "{\"enforce\":[\"egress\"]}");
	assert_int_equal(reconcile(w->rc), RC_RESYNC);
	dump(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_non_null(find(w, K_SG, ID_SG, "default/b"));

	w->kernel.dead = ENOBUFS;
	set(w, SG, "default/b", "{}");
	assert_int_equal(reconcile(w->rc), RC_LOST);
	w->kernel.dead = 0;
	dump(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(find(w, K_SG, ID_SG, "default/b")->sg.enforce, 0);
}

/* --- ids ---------------------------------------------------------------------------- */

static void ids_are_kept_and_given_again(void **state)
{
	struct ids *ids = ids_new();

	(void)state;
	assert_true(ids_restore(ids, ID_SG, "a/b", 2));
	ids_reserve(ids, ID_SG, 1);
	assert_int_equal(ids_get(ids, ID_SG, "a/c"), 3);
	assert_int_equal(ids_get(ids, ID_SG, "a/b"), 2);
	assert_int_equal(ids_get(ids, ID_VRF, "a/c"), 1);
	assert_false(ids_restore(ids, ID_SG, "a/b", 9));	/* has one */
	assert_false(ids_restore(ids, ID_SG, "a/x", 3));	/* another's */

	ids_put(ids, ID_SG, 2);
	assert_int_equal(ids_find(ids, ID_SG, "a/b"), 2);	/* held once more */
	ids_put(ids, ID_SG, 2);
	assert_int_equal(ids_find(ids, ID_SG, "a/b"), 0);
	assert_int_equal(ids_get(ids, ID_SG, "a/d"), 2);
	ids_unreserve(ids);
	assert_int_equal(ids_get(ids, ID_SG, "a/e"), 1);
	assert_int_equal(ids_get(ids, ID_SG, "a/f"), 4);
	ids_free(ids);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(resources_become_objects),
		TEST(what_is_needed_comes_first),
		TEST(restart_changes_nothing),
		TEST(nothing_is_deleted_before_the_bookmark),
		TEST(a_change_costs_what_it_changes),
		TEST(a_refused_object_blocks_no_other),
		TEST(foreign_objects_are_left_alone),
		TEST(a_vif_that_vanished_is_made_anew),
		TEST(two_that_want_one_key),
		TEST(a_wrong_mirror_asks_for_a_dump),
		TEST(nodes_become_tunnels),
		TEST(services_from_outside),
		TEST(failed_members),
		TEST(source_ranges),
		TEST(from_inside_only),
		TEST(without_encapsulation_there_are_none),
		TEST(another_vni_makes_the_end_anew),
		TEST(a_restart_keeps_the_tunnels),
		TEST(a_node_that_goes_takes_its_tunnel_along),
		cmocka_unit_test(ids_are_kept_and_given_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
