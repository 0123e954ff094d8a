// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
/*
 * What other nodes and the outside become: tunnels, the node's own addresses, services
 * that are reached from there.
 */

#include "test_vrouterd_world.h"

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
	assert_int_equal(c.n[K_NEXTHOP], 4);	/* tunnel to n2, local, blackhole, vrf; n3 has no address */
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

/* --- blocks ------------------------------------------------------------------- */

static bool asks_for_b;

static bool asks(void *arg, enum need need, const char *key)
{
	(void)arg;
	return need == NEED_NETWORK || (need == NEED_GROUP && !strcmp(key, "default/a")) ||
	       (need == NEED_MEMBERS && asks_for_b && !strcmp(key, "default/b"));
}

static bool in_block(void *arg, const struct vmi *v, const struct vr_addr *addr)
{
	struct vr_prefix block;

	(void)arg;
	return !strcmp(v->node, "n2") && vr_prefix_parse("10.32.0.0/26", &block) &&
	       vr_prefix_contains(&block, addr);
}

#define BLOCK_ROUTER "{\"network\":\"default/net\",\"addresses\":[\"192.0.2.2\"],\"blocks\":[" \
	"{\"network\":\"default/net\",\"cidr\":\"10.32.0.0/26\"}]}"
#define THERE(last, sg) "{\"network\":\"default/net\",\"node\":\"n2\",\"macAddress\":" \
	"\"02:00:00:00:00:0" last "\",\"addresses\":[\"10.32.0." last "\"],\"securityGroups\":[\"" sg "\"]}"

static const struct kobj *route_in(const struct fake *k, uint32_t vrf, const char *prefix)
{
	struct kkey key = { .kind = K_ROUTE, .id = vrf };

	assert_true(vr_prefix_parse(prefix, &key.prefix));
	return ktable_get(&k->objs, &key);
}

static const struct kobj *route_to(struct world *w, const char *prefix)
{
	return route_in(&w->kernel, ids_find(w->ids, ID_VRF, "default/net"), prefix);
}

static void fill_block(struct world *w)
{
	env.tunnels = true;
	env.needed = asks;
	env.in_block = in_block;
	set(w, VMI, "default/in-b", THERE("7", "default/b"));
	set(w, VMI, "default/in-c", THERE("8", "default/c"));
	set(w, ROUTER, "/n2", BLOCK_ROUTER);
	set(w, SG, "default/a", "{\"enforce\":[\"ingress\"],\"rules\":[]}");
	set(w, SG, "default/b", "{}");
	set(w, SG, "default/c", "{}");
	set(w, NETWORK, "{\"vni\":4096,\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":"
	    "\"10.32.0.1\"}]}");
}

/* Who is asked for has a route that says so, and it is there before the rule that asks. */
static void blocks_have_one_route(void **state)
{
	struct world *w = *state;
	const struct kobj *o;

	asks_for_b = false;
	fill_block(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	reconciler_synced(w->rc);
	o = route_to(w, "10.32.0.0/26");
	assert_non_null(o);
	assert_int_equal(o->route.nexthop, ids_find(w->ids, ID_NEXTHOP, "tunnel Node/n2"));
	assert_int_equal(o->route.n_sgs, 0);
	assert_null(route_to(w, "10.32.0.7/32"));
	assert_null(find(w, K_SG, ID_SG, "default/b"));

	asks_for_b = true;
	w->kernel.log[0] = '\0';
	set(w, SG, "default/a", SG_SPEC);
	set(w, SG, "default/b", "{}");
	set(w, VMI, "default/in-b", THERE("7", "default/b"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(w->kernel.log, "+route =sg +sg ");
	o = route_to(w, "10.32.0.7/32");
	assert_int_equal(o->route.n_sgs, 1);
	assert_int_equal(o->route.sgs[0], ids_find(w->ids, ID_SG, "default/b"));
	assert_null(route_to(w, "10.32.0.8/32"));

	/* Without the block they all have one; and it is there before the block's goes. */
	env.in_block = NULL;
	w->kernel.log[0] = '\0';
	set(w, ROUTER, "/n2", ROUTER_SPEC("\"192.0.2.2\""));
	set(w, VMI, "default/in-c", THERE("8", "default/c"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(w->kernel.log, "+route -route ");
	assert_non_null(route_to(w, "10.32.0.8/32"));
	assert_null(route_to(w, "10.32.0.0/26"));
}

static void no_wide_route_alone(const struct fake *k)
{
	assert_true(!route_in(k, 1, "10.32.0.0/26") || route_in(k, 1, "10.32.0.7/32"));
}

/* From nothing, and back to it: nobody is reached by the block's route who has one of his own. */
static void wide_routes_come_last_and_go_first(void **state)
{
	struct world *w = *state;

	asks_for_b = true;
	fill_block(w);
	w->kernel.after = no_wide_route_alone;
	assert_int_equal(reconcile(w->rc), RC_DONE);
	reconciler_synced(w->rc);
	assert_non_null(route_to(w, "10.32.0.0/26"));
	assert_int_equal(ids_find(w->ids, ID_VRF, "default/net"), 1);
	set(w, ROUTER, "/n2", NULL);
	set(w, VMI, "default/in-b", NULL);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_null(route_to(w, "10.32.0.0/26"));
	assert_null(route_to(w, "10.32.0.7/32"));
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
	assert_int_equal(c.n[K_NEXTHOP], 3);
	assert_int_equal(c.n[K_ROUTE], 1);
}

#define WITH_EGRESS(egress) "{\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":\"10.32.0.1\"}]," \
	"\"serviceSubnets\":[\"10.96.0.0/12\"],\"egress\":" egress "}"

static const struct kobj *route_of(const struct world *w, const char *vrf, const char *prefix)
{
	struct kkey key = { .kind = K_ROUTE, .id = ids_find(w->ids, ID_VRF, vrf) };
	const struct kobj *o;

	assert_true(vr_prefix_parse(prefix, &key.prefix));
	o = ktable_get(&w->kernel.objs, &key);
	if (!o)
		fail_msg("no route to %s in %s", prefix, vrf);
	return o;
}

/* A network's own addresses on the nodes that have them; the rest goes out as the node. */
static void ways_out(void **state)
{
	struct world *w = *state;
	const struct kobj *o;

	env.external = true;
	env.primary = AF_INET;
	env.local[0].family = AF_INET;
	env.local[1].family = AF_INET6;
	set(w, ROUTER, "/n1", ROUTER_SPEC("\"192.0.2.1\",\"2001:db8::1\""));
	set(w, NETWORK, WITH_EGRESS("{\"addresses\":[\"192.0.2.9\"],\"nodes\":[\"n1\"],"
				    "\"nonMasqueradeCIDRs\":[\"10.0.0.0/8\"],\"reachable\":true}"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "snat default/net");
	assert_int_equal(o->nexthop.n_snat_addrs, 1);
	assert_int_equal(route_of(w, "default/net", "0.0.0.0/0")->route.nexthop, o->key.id);
	/* it has none of that family */
	assert_int_equal(route_of(w, "default/net", "::/0")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "snat Node/external"));
	assert_int_equal(route_of(w, "default/net", "10.0.0.0/8")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "local Node/external"));
	assert_int_equal(route_of(w, "default/net", "169.254.0.0/16")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "blackhole default/net"));
	/* a pod's address that nobody has is not outside */
	assert_int_equal(route_of(w, "default/net", "10.32.0.0/12")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "blackhole default/net"));
	assert_int_equal(route_of(w, "Node/external", "10.32.0.0/12")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "vrf default/net"));
	reconciler_synced(w->rc);
	set(w, NETWORK, WITH_EGRESS("{\"addresses\":[\"192.0.2.9\"],\"nodes\":[\"n2\"]}"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(ids_find(w->ids, ID_NEXTHOP, "snat default/net"), 0);
	assert_int_equal(route_of(w, "default/net", "0.0.0.0/0")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "snat Node/external"));
	/* also where the outside is to see pods' addresses */
	set(w, NETWORK, WITH_EGRESS("{\"nonMasqueradeCIDRs\":[\"10.32.0.0/12\"]}"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(route_of(w, "default/net", "10.32.0.0/12")->route.nexthop,
			 ids_find(w->ids, ID_NEXTHOP, "blackhole default/net"));
}

static void services_from_outside(void **state)
{
	struct world *w = *state;
	const struct kobj *o;
	struct count c = {};
	uint32_t inside, outside;

	env.external = true;
	env.primary = AF_INET;
	env.local[0].family = AF_INET;
	env.local[1].family = AF_INET6;
	set(w, LB, "default/web", "{\"network\":\"default/net\",\"vips\":[\"10.96.0.10\"],"
	    "\"externalAddresses\":[\"198.51.100.7\"],\"listeners\":[{\"name\":\"http\",\"protocol\":\"TCP\","
	    "\"port\":80,\"nodePort\":30080,\"pools\":{\"IPv4\":\"default/web.http\"}}]}");
	set(w, POOL, "default/web.http", "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"network\":\"default/net\","
	    "\"externalTrafficPolicy\":\"Local\",\"members\":[{\"address\":\"10.32.0.5\",\"port\":80,"
	    "\"node\":\"n1\"},{\"address\":\"10.32.0.9\",\"port\":80,\"node\":\"n2\"}]}");
	set(w, ROUTER, "/n1", ROUTER_SPEC("\"192.0.2.1\",\"192.0.2.2\",\"2001:db8::1\""));
	set(w, NETWORK, WITH_EGRESS("{}"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_VRF], 2);
	assert_int_equal(c.n[K_VIF], 1);	/* external */
	assert_int_equal(c.n[K_NEXTHOP], 6);	/* two ecmp, vrf, snat, plain, blackhole */
	assert_int_equal(c.n[K_ROUTE], 6);	/* services, pods; default and link-local of each family */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nodes_become_tunnels),
		TEST(without_encapsulation_there_are_none),
		TEST(blocks_have_one_route),
		TEST(wide_routes_come_last_and_go_first),
		TEST(another_vni_makes_the_end_anew),
		TEST(a_restart_keeps_the_tunnels),
		TEST(a_node_that_goes_takes_its_tunnel_along),
		TEST(ways_out),
		TEST(services_from_outside),
		TEST(failed_members),
		TEST(source_ranges),
		TEST(from_inside_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
