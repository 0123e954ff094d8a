// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* Virtual networks of users, pods with interfaces in them, service chains between them. */
#include "test_manager_world.h"

#define NODE "{apiVersion: v1, kind: Node, metadata: {name: n1}}\n---\n"
#define NETWORK(name, spec) "{apiVersion: opencontrail.org/v1, kind: VirtualNetwork, metadata: {name: " name \
	"}, spec: {" spec "}}\n---\n"
#define LEFT NETWORK("left", "subnets: [{cidr: 10.64.0.0/24}]")
#define RIGHT NETWORK("right", "subnets: [{cidr: 10.65.0.0/24}, {cidr: 'fd65::/64'}], vni: 777")
#define POD(name, notes) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: " name \
	"}, annotations: {" notes "}}, spec: {containers: []}}\n---\n"
#define READY(name, notes, ready) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: fw}, " \
	"annotations: {" notes "}}, spec: {containers: []}, status: {conditions: [{type: Ready, status: '" ready "'}]}}\n---\n"
#define FIRST(net) "opencontrail.org/network: '" net "'"
#define MORE(nets) "k8s.v1.cni.cncf.io/networks: '" nets "'"
#define CHAIN(name) "{apiVersion: opencontrail.org/v1, kind: ServiceChain, metadata: {name: " name \
	"}, spec: {left: left, right: default/right, podSelector: {matchLabels: {app: fw}}}}\n---\n"

static void set_up(struct world *w)
{
	world_init(w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(w, NODE);
}

static void assert_complaint(struct world *w, const char *part)
{
	if (!strstr(w->complaints, part))
		fail_msg("no \"%s\" in:\n%s", part, w->complaints);
	world_clear(w);
}

static void interfaces(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LEFT RIGHT POD("a", FIRST("left")) POD("fw", MORE("left, default/right@out")));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/right", "vni", "777");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/left", "subnets",
		    "[{\"cidr\":\"10.64.0.0/24\",\"gateway\":\"10.64.0.1\"}]");
	assert_spec(&w, RES_INTERFACE, "default/a", "network", "\"default/left\"");
	assert_spec(&w, RES_INTERFACE, "default/fw", "network", "\"default/cluster-network\"");
	assert_spec(&w, RES_INTERFACE, "default/fw", "additional", "[\"default/fw.net1\",\"default/fw.out\"]");
	assert_spec(&w, RES_INTERFACE, "default/fw.net1", "interface", "\"net1\"");
	assert_spec(&w, RES_INTERFACE, "default/fw.net1", "pod", "\"fw\"");
	assert_spec(&w, RES_INTERFACE, "default/fw.out", "network", "\"default/right\"");
	assert_int_equal(json_array_size(json_object_get(world_spec(&w, RES_INTERFACE, "default/fw.out"),
							 "addresses")), 2);
	/* a, and three of fw's, of which one has two */
	assert_int_equal(w.store.published[RES_INSTANCE_IP].n, 5);

	world_apply(&w, POD("fw", MORE("left")));
	assert_null(world_spec(&w, RES_INTERFACE, "default/fw.out"));
	assert_int_equal(w.store.published[RES_INSTANCE_IP].n, 3);
	world_delete(&w, KIND_POD, "default/fw");
	assert_null(world_spec(&w, RES_INTERFACE, "default/fw.net1"));
	assert_int_equal(w.store.published[RES_INSTANCE_IP].n, 1);
	world_free(&w);
}

static void json_forms(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LEFT RIGHT POD("a", FIRST("{\"domain\": \"d\", \"project\": \"default\", \"name\": \"left\"}"))
		    POD("b", MORE("[{\"name\": \"left\", \"interface\": \"in\"}, {\"name\": \"right\", "
				  "\"namespace\": \"default\"}]")));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_INTERFACE, "default/a", "network", "\"default/left\"");
	assert_spec(&w, RES_INTERFACE, "default/b", "additional", "[\"default/b.in\",\"default/b.net2\"]");
	world_free(&w);
}

/* The same addresses and numbers come after a restart, whatever else is there. */
static void restart(void **state)
{
	static const char *const text = LEFT RIGHT POD("a", FIRST("left")) POD("b", MORE("left"));
	char *vni[2], *addr[2], *mac[2];
	struct world w;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		set_up(&w);
		if (i)
			world_apply(&w, NETWORK("another", "subnets: [{cidr: 10.66.0.0/24}]"));
		world_apply(&w, text);
		vni[i] = world_text(&w, RES_VIRTUAL_NETWORK, "default/left", "vni");
		addr[i] = world_text(&w, RES_INTERFACE, "default/b.net1", "addresses");
		mac[i] = world_text(&w, RES_INTERFACE, "default/b.net1", "macAddress");
		world_free(&w);
	}
	assert_string_equal(vni[0], vni[1]);
	assert_string_equal(addr[0], addr[1]);
	assert_string_equal(mac[0], mac[1]);
	for (i = 0; i < 2; i++) {
		free(vni[i]);
		free(addr[i]);
		free(mac[i]);
	}
}

static void networks_come_and_go(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, POD("a", FIRST("left")));
	assert_complaint(&w, "interface eth0: there is no VirtualNetwork default/left; the pod gets no interface");
	assert_null(world_spec(&w, RES_INTERFACE, "default/a"));
	world_apply(&w, LEFT);
	assert_spec(&w, RES_INTERFACE, "default/a", "network", "\"default/left\"");

	/* Pods would have addresses of no subnet. */
	world_apply(&w, NETWORK("left", "subnets: [{cidr: 10.99.0.0/24}]"));
	assert_complaint(&w, "VirtualNetwork default/left: spec.subnets: a pod has an address that would go: 10.64.0.");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/left", "subnets",
		    "[{\"cidr\":\"10.64.0.0/24\",\"gateway\":\"10.64.0.1\"}]");
	world_delete(&w, KIND_POD, "default/a");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/left", "subnets",
		    "[{\"cidr\":\"10.99.0.0/24\",\"gateway\":\"10.99.0.1\"}]");

	world_apply(&w, POD("a", MORE("left")));
	assert_spec(&w, RES_INTERFACE, "default/a", "additional", "[\"default/a.net1\"]");
	world_delete(&w, KIND_NETWORK, "default/left");
	assert_complaint(&w, "interface net1: there is no VirtualNetwork default/left");
	assert_null(world_spec(&w, RES_INTERFACE, "default/a"));
	assert_int_equal(w.store.published[RES_INSTANCE_IP].n, 0);
	assert_null(world_spec(&w, RES_VIRTUAL_NETWORK, "default/left"));
	world_free(&w);
}

static void numbers_clash(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, RIGHT NETWORK("other", "subnets: [{cidr: 10.1.0.0/24}], vni: 777"));
	assert_complaint(&w, "spec.vni: 777 is that of VirtualNetwork default/");
	assert_int_equal(w.store.published[RES_VIRTUAL_NETWORK].n, 2);
	world_delete(&w, KIND_NETWORK, world_spec(&w, RES_VIRTUAL_NETWORK, "default/right") ? "default/right" :
		     "default/other");
	/* the other one takes its place */
	assert_int_equal(w.store.published[RES_VIRTUAL_NETWORK].n, 2);
	world_free(&w);
}

/* "web.net1" may be a pod, or an interface of pod "web". */
static void namesakes(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LEFT POD("web", MORE("left")) POD("web.net1", ""));
	assert_complaint(&w, "Pod default/web: interface net1: its name, web.net1, is that of a pod");
	assert_spec(&w, RES_INTERFACE, "default/web.net1", "pod", "\"web.net1\"");
	world_delete(&w, KIND_POD, "default/web.net1");
	assert_spec(&w, RES_INTERFACE, "default/web.net1", "pod", "\"web\"");
	world_free(&w);
}

#define FW(name, ready) READY(name, MORE("left,right"), ready)
#define INSTANCE(name, state) "{\"pod\":\"default/" name "\",\"node\":\"n1\",\"state\":\"" state \
	"\",\"left\":\"default/" name ".net1\",\"right\":\"default/" name ".net2\"}"
#define THROUGH(net, chain, side) "[{\"network\":\"default/" net "\",\"chain\":\"default/" chain "\",\"side\":\"" side "\"}]"

static void chains(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LEFT RIGHT CHAIN("fw") POD("a", FIRST("left")) POD("b", FIRST("right")) POD("c", ""));
	assert_complaint(&w, "spec.podSelector: no pod with interfaces in default/left and default/right matches it");
	assert_spec(&w, RES_CHAIN, "default/fw", "instances", "[]");
	assert_spec(&w, RES_INTERFACE, "default/a", "through", THROUGH("right", "fw", "right"));
	assert_spec(&w, RES_INTERFACE, "default/b", "through", THROUGH("left", "fw", "left"));
	assert_spec(&w, RES_INTERFACE, "default/c", "through", "null");

	world_apply(&w, FW("fw-1", "True") FW("fw-2", "False"));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_CHAIN, "default/fw", "instances", "[" INSTANCE("fw-1", "active") "]");
	/* an instance is not itself behind instances */
	assert_spec(&w, RES_INTERFACE, "default/fw-1.net1", "through", "null");
	world_apply(&w, FW("fw-2", "True"));
	assert_spec(&w, RES_CHAIN, "default/fw", "instances",
		    "[" INSTANCE("fw-1", "active") "," INSTANCE("fw-2", "active") "]");
	world_delete(&w, KIND_POD, "default/fw-1");
	assert_spec(&w, RES_CHAIN, "default/fw", "instances", "[" INSTANCE("fw-2", "active") "]");

	world_apply(&w, CHAIN("second"));
	assert_complaint(&w, "default/left and default/right are chained by ServiceChain default/fw already");
	assert_null(world_spec(&w, RES_CHAIN, "default/second"));
	world_delete(&w, KIND_CHAIN, "default/fw");
	assert_null(world_spec(&w, RES_CHAIN, "default/fw"));
	assert_spec(&w, RES_INTERFACE, "default/a", "through", THROUGH("right", "second", "right"));
	world_delete(&w, KIND_CHAIN, "default/second");
	assert_spec(&w, RES_INTERFACE, "default/a", "through", "null");
	world_free(&w);
}

static void a_chain_waits_for_its_networks(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LEFT CHAIN("fw") POD("a", FIRST("left")) FW("fw-1", "True"));
	assert_complaint(&w, "spec.right: there is no VirtualNetwork default/right");
	assert_spec(&w, RES_INTERFACE, "default/a", "through", "null");
	world_apply(&w, RIGHT);
	assert_spec(&w, RES_CHAIN, "default/fw", "instances", "[" INSTANCE("fw-1", "active") "]");
	assert_spec(&w, RES_INTERFACE, "default/a", "through", THROUGH("right", "fw", "right"));
	world_delete(&w, KIND_NETWORK, "default/right");
	assert_null(world_spec(&w, RES_CHAIN, "default/fw"));
	assert_spec(&w, RES_INTERFACE, "default/a", "through", "null");
	world_free(&w);
}

#define ROUTER(name, spec) "{apiVersion: opencontrail.org/v1, kind: LogicalRouter, metadata: {name: " name \
	"}, spec: {" spec "}}\n---\n"

static void logical_routers(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER_NETWORK, "egress", "{}");
	world_apply(&w, LEFT ROUTER("a", "network: left, snat: {addresses: [192.0.2.9], nodes: [n1]}, "
				    "nonMasqueradeCIDRs: [10.0.0.0/8]"));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/left", "egress",
		    "{\"addresses\":[\"192.0.2.9\"],\"nodes\":[\"n1\"],\"nonMasqueradeCIDRs\":[\"10.0.0.0/8\"]}");
	world_apply(&w, ROUTER("b", "network: left, reachable: true") ROUTER("c", "network: nowhere"));
	assert_complaint(&w, "default/left has LogicalRouter default/a already; ignored");
	world_delete(&w, KIND_ROUTER, "default/a");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/left", "egress", "{\"reachable\":true}");
	world_delete(&w, KIND_ROUTER, "default/b");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/left", "egress", "null");
	world_apply(&w, ROUTER("d", "network: cluster-network, snat: {addresses: ['2001:db8::9']}"));
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER_NETWORK, "egress", "{\"addresses\":[\"2001:db8::9\"]}");
	world_delete(&w, KIND_ROUTER, "default/d");
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER_NETWORK, "egress", "{}");
	world_clear(&w);
	world_apply(&w, NETWORK("nowhere", "subnets: [{cidr: 10.70.0.0/24}]"));
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/nowhere", "egress", "{}");
	world_delete(&w, KIND_NETWORK, "default/nowhere");
	assert_complaint(&w, "LogicalRouter default/c: spec.network: there is no VirtualNetwork default/nowhere");
	world_free(&w);
}

/* Two networks may have the same addresses, but outside only one of them can be there. */
static void reachable_networks_overlap(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, NETWORK("a", "subnets: [{cidr: 10.64.0.0/16}]") NETWORK("b", "subnets: [{cidr: 10.64.8.0/24}]")
		    ROUTER("x", "network: b, reachable: true") ROUTER("y", "network: a, reachable: true"));
	assert_complaint(&w, "spec.reachable: default/b has addresses of default/a, which is reachable already");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/a", "egress", "{\"reachable\":true}");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/b", "egress", "{}");
	world_delete(&w, KIND_ROUTER, "default/y");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/b", "egress", "{\"reachable\":true}");
	world_apply(&w, ROUTER("y", "network: a, reachable: true"));
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/b", "egress", "{}");
	world_delete(&w, KIND_NETWORK, "default/a");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/b", "egress", "{\"reachable\":true}");
	world_free(&w);
}

#define LINK_LOCAL(spec) "{apiVersion: opencontrail.org/v1, kind: LinkLocalService, metadata: {name: dns}, " \
	"spec: {" spec "}}\n---\n"

static void link_local_services(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LINK_LOCAL("address: 169.254.20.10, protocol: UDP, port: 53, nodePort: 5353"));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_LINK_LOCAL, "/dns", "nodePort", "5353");
	assert_spec(&w, RES_LINK_LOCAL, "/dns", "protocol", "\"UDP\"");
	world_apply(&w, LINK_LOCAL("address: 'fe80::53', port: 53"));
	assert_spec(&w, RES_LINK_LOCAL, "/dns", "address", "\"fe80::53\"");
	assert_spec(&w, RES_LINK_LOCAL, "/dns", "nodePort", "53");
	world_delete(&w, KIND_LINK_LOCAL, "dns");
	assert_int_equal(w.store.published[RES_LINK_LOCAL].n, 0);
	world_free(&w);
}

static void bad_ones(void **state)
{
	static const struct { const char *yaml, *complaint; } bad[] = {
		{ NETWORK("x", "subnets: []"), "spec.subnets: must have a subnet" },
		{ NETWORK("x", "subnets: [{cidr: 10.1.0.0/16}, {cidr: 10.1.2.0/24}]"),
		  "spec.subnets: 10.1.0.0/16 and 10.1.2.0/24 overlap" },
		{ NETWORK("x", "subnets: [{cidr: 10.1.0.0/30}]"), "\"10.1.0.0/30\" is too small" },
		{ NETWORK("x", "subnets: [{cidr: 10.1.0.0/24}], vni: 5"), "spec.vni" },
		{ NETWORK("x", "subnet: [{cidr: 10.1.0.0/24}]"), "spec.subnet" },
		{ NETWORK("cluster-network", "subnets: [{cidr: 10.1.0.0/24}]"), "is the cluster's own network" },
		{ "{apiVersion: opencontrail.org/v1, kind: ServiceChain, metadata: {name: x}, spec: {left: a, right: a, "
		  "podSelector: {}}}", "left and right are the same network, default/a" },
		{ "{apiVersion: opencontrail.org/v1, kind: ServiceChain, metadata: {name: x}, spec: {left: a, right: B!, "
		  "podSelector: {}}}", "spec.right: \"B!\" is not a network's name" },
		{ "{apiVersion: opencontrail.org/v1, kind: ServiceChain, metadata: {name: x}, spec: {left: a, right: b}}",
		  "spec.podSelector: is required" },
		{ LINK_LOCAL("address: 10.0.0.1, port: 53"), "\"10.0.0.1\" is not in 169.254.0.0/16 or fe80::/10" },
		{ LINK_LOCAL("address: 169.254.1.1"), "spec.port: is required" },
		{ LINK_LOCAL("port: 53"), "spec.address: is required" },
		{ LINK_LOCAL("address: 169.254.1.1, port: 53, protocol: ICMP"), "spec.protocol" },
		{ ROUTER("x", "snat: {}"), "spec.network: is required" },
		{ ROUTER("x", "network: left, snat: {addresses: []}"), "spec.snat.addresses: must have an address" },
		{ ROUTER("x", "network: left, snat: {addresses: [10.0.0.300]}"), "spec.snat.addresses[0]" },
		{ ROUTER("x", "network: left, snat: {addresses: [10.0.0.3, 10.0.0.3]}"), "is there twice" },
		{ ROUTER("x", "network: left, snat: {nodes: [n1]}"), "is of no use without addresses" },
		{ ROUTER("x", "network: left, nonMasqueradeCIDRs: [10.0.0.0/33]"), "spec.nonMasqueradeCIDRs[0]" },
		{ ROUTER("x", "network: left, masquerade: true"), "spec.masquerade" },
		{ POD("x", FIRST("{nonsense")), "is neither a network's name nor JSON with a name" },
		{ POD("x", MORE("left,left@net1")), "interface net1 is there already" },
		{ POD("x", MORE("left@eth0")), "interface eth0 is there already" },
		{ POD("x", MORE("left@averyverylongname")), "has more than 15 characters" },
		{ POD("x", MORE("[{")), "is not JSON" },
		{ POD("x", MORE("[{\"namespace\": \"a\"}]")), "element 0 has no name" },
		{ POD("x", MORE("[{\"name\": \"left\", \"mac\": \"02:00:00:00:00:01\"}]")), "\"mac\" is not supported" },
		{ POD("x", MORE("a,b,c,d,e,f,g,h,i")), "has more than 8 networks" },
	};
	struct world w;
	size_t i;

	(void)state;
	set_up(&w);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		world_apply(&w, bad[i].yaml);
		assert_complaint(&w, bad[i].complaint);
	}
	assert_int_equal(w.store.published[RES_VIRTUAL_NETWORK].n, 1);
	assert_int_equal(w.store.published[RES_CHAIN].n, 0);
	world_free(&w);
}

#define ATTACHMENT(name, notes, config) "{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {name: " \
	name ", annotations: {" notes "}}, spec: {config: '" config "'}}\n---\n"
#define OURS "{\"cniVersion\": \"1.1.0\", \"type\": \"contrail-cni\"}"
#define THEIRS "{\"cniVersion\": \"1.1.0\", \"name\": \"x\", \"plugins\": [{\"type\": \"macvlan\"}, {\"type\": \"tuning\"}]}"

/* NetworkAttachmentDefinitions: names of networks, networks of their own, and what is another plugin's. */
static void attachments(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, LEFT ATTACHMENT("fast", "", THEIRS) ATTACHMENT("west", "opencontrail.org/network: left", OURS)
		    ATTACHMENT("lab", "opencontrail.org/cidr: '10.70.0.0/24, fd70::/64'", OURS)
		    POD("a", MORE("fast, west@w, lab")));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_INTERFACE, "default/a", "additional", "[\"default/a.w\",\"default/a.net3\"]");
	assert_spec(&w, RES_INTERFACE, "default/a.w", "network", "\"default/left\"");
	assert_spec(&w, RES_INTERFACE, "default/a.net3", "network", "\"default/lab\"");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/lab", "subnets",
		    "[{\"cidr\":\"10.70.0.0/24\",\"gateway\":\"10.70.0.1\"},{\"cidr\":\"fd70::/64\",\"gateway\":\"fd70::1\"}]");

	/* a change of what it stands for */
	world_apply(&w, RIGHT ATTACHMENT("west", "opencontrail.org/network: right", OURS));
	assert_spec(&w, RES_INTERFACE, "default/a.w", "network", "\"default/right\"");
	/* another plugin's becomes ours */
	world_apply(&w, ATTACHMENT("fast", "", OURS));
	assert_complaint(&w, "there is no VirtualNetwork default/fast");
	assert_null(world_spec(&w, RES_INTERFACE, "default/a.net3"));
	world_apply(&w, NETWORK("fast", "subnets: [{cidr: 10.72.0.0/24}]"));
	assert_spec(&w, RES_INTERFACE, "default/a.net1", "network", "\"default/fast\"");
	/* a user's network of the name goes first, until it goes */
	world_apply(&w, NETWORK("own", "subnets: [{cidr: 10.71.0.0/24}]")
		    ATTACHMENT("own", "opencontrail.org/cidr: 10.73.0.0/24", OURS) POD("b", MORE("own")));
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/own", "subnets", "[{\"cidr\":\"10.71.0.0/24\",\"gateway\":\"10.71.0.1\"}]");
	world_delete(&w, KIND_POD, "default/b");
	world_delete(&w, KIND_NETWORK, "default/own");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/own", "subnets", "[{\"cidr\":\"10.73.0.0/24\",\"gateway\":\"10.73.0.1\"}]");
	/* without any it is not there */
	world_delete(&w, KIND_ATTACHMENT, "default/lab");
	assert_complaint(&w, "there is no VirtualNetwork default/lab");
	assert_null(world_spec(&w, RES_VIRTUAL_NETWORK, "default/lab"));
	world_free(&w);
}

static void wrong_attachments(void **state)
{
	static const struct { const char *yaml, *complaint; } cases[] = {
		{ ATTACHMENT("x", "", "{\"type"), "spec.config: is not JSON: line 1" },
		{ ATTACHMENT("x", "", "{\"name\": \"x\"}"), "spec.config: names no plugin" },
		{ ATTACHMENT("x", "opencontrail.org/cidr: 10.0.0.0/33", OURS), "[opencontrail.org/cidr]: \"10.0.0.0/33\"" },
		{ ATTACHMENT("x", "opencontrail.org/cidr: 127.0.0.0/8", OURS), "\"127.0.0.0/8\" has no addresses for pods" },
		{ ATTACHMENT("x", "opencontrail.org/cidr: ''", OURS), "[opencontrail.org/cidr]: has no prefix" },
		{ ATTACHMENT("x.y", "opencontrail.org/cidr: 10.7.0.0/24", OURS), "a VirtualNetwork cannot have the name \"x.y\"" },
		{ ATTACHMENT("x", "opencontrail.org/cidr: 10.7.0.0/24, opencontrail.org/network: left", OURS),
		  "excludes opencontrail.org/network" },
		{ ATTACHMENT("x", "opencontrail.org/network: a b", OURS), "\"a b\" is not a network's name" },
	};
	struct world w;
	size_t i;

	(void)state;
	set_up(&w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_apply(&w, cases[i].yaml);
		assert_complaint(&w, cases[i].complaint);
		assert_null(map_get(&w.model.objects[KIND_ATTACHMENT], "default/x"));
	}
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces),
		cmocka_unit_test(json_forms),
		cmocka_unit_test(restart),
		cmocka_unit_test(networks_come_and_go),
		cmocka_unit_test(numbers_clash),
		cmocka_unit_test(namesakes),
		cmocka_unit_test(chains),
		cmocka_unit_test(a_chain_waits_for_its_networks),
		cmocka_unit_test(logical_routers),
		cmocka_unit_test(reachable_networks_overlap),
		cmocka_unit_test(link_local_services),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(attachments),
		cmocka_unit_test(wrong_attachments),
	};

	return cmocka_run_group_tests_name("manager: networks and chains", tests, NULL, NULL);
}
