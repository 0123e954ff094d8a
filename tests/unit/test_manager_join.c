// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* Which networks are joined with the cluster's, what their resources say, and who is at their border. */
#include "test_manager_world.h"

#define NODE(name, ip) "{apiVersion: v1, kind: Node, metadata: {name: " name "}, status: {addresses: " \
	"[{type: InternalIP, address: " ip "}]}}\n---\n"
#define NETWORK(name, made, subnets) "{apiVersion: opencontrail.org/v1, kind: VirtualNetwork, metadata: {name: " name \
	", creationTimestamp: '" made "'}, spec: {subnets: [" subnets "]}}\n---\n"
#define BLUE NETWORK("blue", "2026-05-01T00:00:00Z", "{cidr: 10.210.0.0/24}")
#define POD(name, notes) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: " name \
	"}, annotations: {" notes "}}, spec: {nodeName: n1, containers: []}}\n---\n"
#define IN_BLUE "opencontrail.org/network: blue"
#define BY_THE_WAY "k8s.v1.cni.cncf.io/networks: blue"
#define SERVICE "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: a}, clusterIP: 10.96.0.9, " \
	"ports: [{port: 80}]}}\n---\n"
#define CHAIN "{apiVersion: opencontrail.org/v1, kind: ServiceChain, metadata: {name: fw}, spec: {left: blue, right: red, " \
	"podSelector: {matchLabels: {app: fw}}}}\n---\n"
#define JOINED "{\"network\":\"default/cluster-network\",\"subnets\":[\"10.32.0.0/12\",\"10.96.0.0/12\"]}"

static int set_up(void **state)
{
	struct world *w = xzalloc(sizeof(*w));

	world_init(w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(w, NODE("n1", "192.0.2.1"));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

static void what_is_said(void **state)
{
	struct world *w = *state;

	world_apply(w, BLUE POD("a", IN_BLUE) POD("b", BY_THE_WAY) SERVICE);
	assert_string_equal(w->complaints, "");
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/blue", "joined", JOINED);
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/blue", "apart", "null");
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/cluster-network", "joined", "null");
	assert_spec(w, RES_INTERFACE, "default/a", "joined", "\"default/cluster-network\"");
	/* of several interfaces only the first */
	assert_spec(w, RES_INTERFACE, "default/b", "joined", "null");
	assert_spec(w, RES_INTERFACE, "default/b.net1", "network", "\"default/blue\"");
	assert_spec(w, RES_INTERFACE, "default/b.net1", "joined", "null");
	assert_int_equal(json_array_size(json_object_get(world_spec(w, RES_POOL, "default/web.80-tcp"), "members")), 1);
	/* its last one's going leaves nothing behind */
	world_delete(w, KIND_NETWORK, "default/blue");
	assert_null(world_spec(w, RES_INTERFACE, "default/a"));
	assert_int_equal(json_array_size(json_object_get(world_spec(w, RES_POOL, "default/web.80-tcp"), "members")), 0);
}

static void apart(struct world *w, const char *subnets, const char *why)
{
	cleanup_free char *yaml = xasprintf(NETWORK("odd", "2026-06-01T00:00:00Z", "%s"), subnets);
	cleanup_free char *quoted = why ? xasprintf("\"%s\"", why) : xstrdup("null");

	world_apply(w, yaml);
	assert_string_equal(w->complaints, "");
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/odd", "apart", quoted);
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/odd", "joined", why ? "null" : JOINED);
}

static void why_not(void **state)
{
	struct world *w = *state;

	world_apply(w, BLUE);
	apart(w, "{cidr: 8.8.8.0/24}", "its 8.8.8.0/24 is not within --joined-networks");
	apart(w, "{cidr: 10.211.0.0/24}, {cidr: '2001:db8::/64'}", "its 2001:db8::/64 is not within --joined-networks");
	apart(w, "{cidr: 10.40.0.0/16}", "its 10.40.0.0/16 overlaps 10.32.0.0/12 of the cluster's pods");
	apart(w, "{cidr: 10.96.4.0/24}", "its 10.96.4.0/24 overlaps 10.96.0.0/12 of the cluster's services");
	apart(w, "{cidr: 10.210.0.128/25}", "its 10.210.0.128/25 overlaps 10.210.0.0/24 of VirtualNetwork default/blue, which is "
	      "joined already");
	apart(w, "{cidr: 10.211.0.0/24}", NULL);
	/* a node that comes has its addresses, and gives them back */
	world_apply(w, NODE("n2", "10.211.0.7"));
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/odd", "apart", "\"10.211.0.7 of its subnets is node n2's\"");
	world_delete(w, KIND_NODE, "n2");
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/odd", "apart", "null");
}

/* The older one, whatever their names, and in which order they are heard of. */
static void of_two(void **state)
{
	struct world *w = *state;

	world_apply(w, NETWORK("a", "2026-07-01T00:00:00Z", "{cidr: 10.210.0.0/16}") POD("a", "opencontrail.org/network: a"));
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/a", "joined", JOINED);
	world_apply(w, BLUE);
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/blue", "joined", JOINED);
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/a", "joined", "null");
	assert_spec(w, RES_INTERFACE, "default/a", "joined", "null");
	world_delete(w, KIND_NETWORK, "default/blue");
	assert_spec(w, RES_VIRTUAL_NETWORK, "default/a", "joined", JOINED);
	assert_spec(w, RES_INTERFACE, "default/a", "joined", "\"default/cluster-network\"");
}

/* Is the prefix among the peers of the group's rules, or among what they leave out? */
static bool has_peer(struct world *w, const char *group, const char *cidr, bool except)
{
	json_t *rule, *peer, *e;
	size_t i, j;

	json_array_foreach(json_object_get(world_spec(w, RES_SECURITY_GROUP, group), "rules"), i, rule) {
		peer = json_object_get(rule, "peer");
		if (!except && json_string_value(json_object_get(peer, "prefix")) &&
		    !strcmp(json_string_value(json_object_get(peer, "prefix")), cidr))
			return true;
		json_array_foreach(json_object_get(peer, "except"), j, e)
			if (except && !strcmp(json_string_value(e), cidr))
				return true;
	}
	return false;
}

static void the_border(void **state)
{
	static const char *const in = "default/isolation-ingress.default.blue", *const out = "default/isolation-egress.default.blue";
	struct world *w = *state;

	world_apply(w, BLUE POD("a", IN_BLUE));
	assert_spec(w, RES_SECURITY_GROUP, in, "enforce", "[\"ingress\"]");
	assert_true(has_peer(w, in, "10.210.0.0/24", false));
	assert_true(has_peer(w, out, "10.210.0.0/24", false));
	assert_true(has_peer(w, in, "10.32.0.0/12", true));
	/* another joined network is not outside */
	world_apply(w, NETWORK("red", "2026-05-02T00:00:00Z", "{cidr: 10.220.0.0/24}"));
	assert_true(has_peer(w, in, "10.220.0.0/24", true));
	assert_true(has_peer(w, out, "10.220.0.0/24", true));
	assert_false(has_peer(w, out, "10.220.0.0/24", false));
	/* who chains two networks wants them to reach each other */
	world_apply(w, CHAIN);
	assert_true(has_peer(w, in, "10.220.0.0/24", false));
	assert_true(has_peer(w, out, "10.220.0.0/24", false));
	world_delete(w, KIND_CHAIN, "default/fw");
	assert_false(has_peer(w, out, "10.220.0.0/24", false));
	world_delete(w, KIND_NETWORK, "default/red");
	assert_false(has_peer(w, out, "10.220.0.0/24", true));
	/* a subnet more is the network's, too */
	world_apply(w, NETWORK("blue", "2026-05-01T00:00:00Z", "{cidr: 10.210.0.0/24}, {cidr: 10.210.1.0/24}"));
	assert_true(has_peer(w, out, "10.210.1.0/24", false));
	world_delete(w, KIND_POD, "default/a");
	assert_null(world_spec(w, RES_SECURITY_GROUP, in));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_is_said), CASE(why_not), CASE(of_two), CASE(the_border),
	};

	return cmocka_run_group_tests_name("manager: joined networks", tests, NULL, NULL);
}
