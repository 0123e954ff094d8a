// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* Addresses: given and found ones, bounds, and that the same manifests give the same. */
#include <getopt.h>

#include "ipam.h"
#include "test_manager_world.h"

static struct ipam ipam_of(const char *cidrs, bool gateway, bool band)
{
	const struct ipam_options opts = { .gateway = gateway, .band = band };
	struct network net;
	struct ipam ipam;

	assert_null(config_network(cidrs, &net));
	ipam_init(&ipam, "pod network", &net, &opts);
	return ipam;
}

static void expect_claim(struct ipam *ipam, const char *text, const char *problem)
{
	struct addr a;

	assert_null(addr_parse(text, &a));
	cleanup_free char *got = ipam_claim(ipam, &a, "pod x", NULL);

	if (problem)
		assert_string_equal(got, problem);
	else
		assert_null(got);
}

static void given(void **state)
{
	struct ipam ipam = ipam_of("10.0.0.0/24,fd00::/64", true, false);
	struct addr a;

	(void)state;
	expect_claim(&ipam, "10.0.0.2", NULL);
	expect_claim(&ipam, "10.0.0.2", "10.0.0.2 belongs to pod x");
	expect_claim(&ipam, "10.0.0.1", "10.0.0.1 is the gateway of the pod network");
	expect_claim(&ipam, "10.0.0.0", "10.0.0.0 is reserved in the pod network");
	expect_claim(&ipam, "10.0.0.255", "10.0.0.255 is reserved in the pod network");
	expect_claim(&ipam, "10.0.1.2", "10.0.1.2 is outside of the pod network");
	expect_claim(&ipam, "fd00::1", "fd00::1 is the gateway of the pod network");
	expect_claim(&ipam, "fd00::", "fd00:: is reserved in the pod network");
	expect_claim(&ipam, "fd00::ffff:ffff:ffff:ffff", NULL);
	addr_parse("10.0.0.2", &a);
	ipam_release(&ipam, &a);
	ipam_release(&ipam, &a);
	assert_int_equal(ipam_used(&ipam, V4), 0);
	expect_claim(&ipam, "10.0.0.2", NULL);
	ipam_free(&ipam);
}

/* Every address once, then a clear word; the low band last. */
static void exhaustion(void **state)
{
	struct ipam ipam = ipam_of("10.0.0.0/26", false, true);
	char owner[24], text[ADDR_TEXT];
	struct addr a;
	int i;

	(void)state;
	for (i = 0; i < 62; i++) {
		sprintf(owner, "pod p%d", i);
		assert_null(ipam_allocate(&ipam, V4, owner, NULL, &a));
		assert_true(prefix_contains(&ipam.net.subnets[0], &a));
		assert_true(a.bytes[3] > 0 && a.bytes[3] < 63);
		assert_int_equal(a.bytes[3] < 16, i >= 47);
	}
	cleanup_free char *problem = ipam_allocate(&ipam, V4, "pod more", NULL, &a);

	assert_string_equal(problem, "the pod network is exhausted: all of its 62 IPv4 addresses (10.0.0.0/26) are in use");
	addr_parse("10.0.0.7", &a);
	ipam_release(&ipam, &a);
	assert_null(ipam_allocate(&ipam, V4, "pod more", NULL, &a));
	assert_string_equal(addr_text(&a, text), "10.0.0.7");
	ipam_free(&ipam);
}

static void large_networks(void **state)
{
	struct ipam ipam = ipam_of("10.0.0.0/8,fd00::/16", true, false);
	struct addr a, b;
	char owner[24];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		sprintf(owner, "pod p%d", i);
		assert_null(ipam_allocate(&ipam, V6, owner, NULL, &a));
		assert_true(prefix_contains(&ipam.net.subnets[1], &a));
		assert_null(ipam_allocate(&ipam, V4, owner, NULL, &b));
		assert_true(prefix_contains(&ipam.net.subnets[0], &b));
	}
	ipam_free(&ipam);
}

static const char *const many = "{apiVersion: v1, kind: Pod, metadata: {name: p%d}, spec: {nodeName: n1}}";

static void put_pod(struct world *w, int i)
{
	cleanup_free char *yaml = xasprintf(many, i);

	world_put(w, yaml);
}

/* Forward, backward, one by one: the same addresses, though the network is nearly full. */
static void restarts_agree(void **state)
{
	struct world a, b;
	int i;

	(void)state;
	world_init(&a, "10.32.0.0/25,fd00:32::/120", "10.96.0.0/24");
	world_init(&b, "10.32.0.0/25,fd00:32::/120", "10.96.0.0/24");
	for (i = 0; i < 120; i++) {
		put_pod(&a, i);
		put_pod(&b, 119 - i);
	}
	world_run(&a);
	world_run(&b);
	assert_string_equal(a.complaints, "");
	assert_int_equal(a.store.published[RES_INTERFACE].n, 120);
	assert_int_equal(a.store.published[RES_INSTANCE_IP].n, 240);
	map_for_each(&a.store.published[RES_INTERFACE], node)
		assert_true(json_equal(world_spec(&a, RES_INTERFACE, node->key),
				       world_spec(&b, RES_INTERFACE, node->key)));
	world_free(&a);
	world_free(&b);
}

/* A pod that gets none is told of by name, has nothing, and gets one when another goes. */
static void starved_pods(void **state)
{
	struct world w;
	int i;

	(void)state;
	world_init(&w, "10.32.0.0/29", "10.96.0.0/24");
	for (i = 0; i < 6; i++)
		put_pod(&w, i);
	world_run(&w);
	assert_string_equal(w.complaints, "t.yaml:1: Pod default/p5: the pod network is exhausted: "
			    "all of its 5 IPv4 addresses (10.32.0.0/29) are in use\n");
	assert_null(store_get(&w.store, RES_INTERFACE, "default/p5"));
	world_delete(&w, KIND_POD, "default/p2");
	assert_non_null(store_get(&w.store, RES_INTERFACE, "default/p5"));
	assert_int_equal(w.model.problems, 0);
	world_free(&w);
}

/* Given ones come first, so that nobody is on them; addresses outlive changes of the pod. */
static void given_before_found(void **state)
{
	cleanup_free char *before = NULL, *after = NULL;
	struct world w;
	int i;

	(void)state;
	world_init(&w, "10.32.0.0/28", "10.96.0.0/24");
	for (i = 0; i < 10; i++)
		put_pod(&w, i);
	world_put(&w, "{apiVersion: v1, kind: Pod, metadata: {name: z1}, spec: {nodeName: n1}, status: {podIP: 10.32.0.2}}\n---\n"
		  "{apiVersion: v1, kind: Pod, metadata: {name: z2}, spec: {nodeName: n1}, status: {podIP: 10.32.0.3}}\n---\n"
		  "{apiVersion: v1, kind: Pod, metadata: {name: z3}, spec: {nodeName: n1}, status: {podIP: 10.32.0.1}}\n---\n"
		  "{apiVersion: v1, kind: Pod, metadata: {name: z4}, spec: {nodeName: n1}, status: {podIP: 10.40.0.1}}");
	world_run(&w);
	assert_spec(&w, RES_INTERFACE, "default/z1", "addresses", "[\"10.32.0.2\"]");
	assert_spec(&w, RES_INTERFACE, "default/z2", "addresses", "[\"10.32.0.3\"]");
	assert_string_equal(w.complaints, "t.yaml:5: Pod default/z3: 10.32.0.1 is the gateway of the pod network\n"
			    "t.yaml:7: Pod default/z4: status.podIP: 10.40.0.1 is outside of the pod network, "
			    "ignored; the pod gets another address (did another CNI plugin attach it?)\n");
	before = world_text(&w, RES_INTERFACE, "default/p3", "addresses");
	world_apply(&w, "{apiVersion: v1, kind: Pod, metadata: {name: p3, labels: {a: b}}, spec: {nodeName: n2}}");
	after = world_text(&w, RES_INTERFACE, "default/p3", "addresses");
	assert_string_equal(before, after);
	assert_spec(&w, RES_INTERFACE, "default/p3", "node", "\"n2\"");
	world_free(&w);
}

static void macs(void **state)
{
	struct map seen = {};
	struct world w;
	int i;

	(void)state;
	world_init(&w, "10.32.0.0/12", "10.96.0.0/24");
	for (i = 0; i < 500; i++)
		put_pod(&w, i);
	world_run(&w);
	map_for_each(&w.store.published[RES_INTERFACE], node) {
		const char *mac = json_string_value(json_object_get(world_spec(&w, RES_INTERFACE, node->key), "macAddress"));

		assert_int_equal(strlen(mac), 17);
		assert_memory_equal(mac, "02:", 3);
		assert_null(map_set(&seen, mac, &seen));
	}
	map_clear(&seen, NULL);
	world_free(&w);
}

/* Without a nodeName the only Node has the pod. */
static void only_node(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(&w, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}\n---\n"
		    "{apiVersion: v1, kind: Node, metadata: {name: n1}}");
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_INTERFACE, "default/p", "node", "\"n1\"");
	world_apply(&w, "{apiVersion: v1, kind: Node, metadata: {name: n2}}");
	assert_null(store_get(&w.store, RES_INTERFACE, "default/p"));
	assert_non_null(strstr(w.complaints, "there are 2 nodes to choose from"));
	world_delete(&w, KIND_NODE, "n1");
	assert_spec(&w, RES_INTERFACE, "default/p", "node", "\"n2\"");
	world_free(&w);
}

#define NODE(name, addrs) "{apiVersion: v1, kind: Node, metadata: {name: " name "}, status: " \
	"{addresses: [" addrs "]}}"

static void nodes_become_virtual_routers(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(&w, NODE("n1", "{type: Hostname, address: n1}, {type: InternalIP, address: 192.0.2.1}, "
			     "{type: ExternalIP, address: 203.0.113.1}, "
			     "{type: InternalIP, address: '2001:db8::1'}, "
			     "{type: InternalIP, address: 192.0.2.1}"));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_ROUTER, "/n1", "addresses", "[\"192.0.2.1\",\"2001:db8::1\"]");
	assert_spec(&w, RES_ROUTER, "/n1", "network", "\"default/cluster-network\"");
	world_apply(&w, NODE("n1", ""));
	assert_spec(&w, RES_ROUTER, "/n1", "addresses", "[]");
	world_apply(&w, NODE("n1", "{type: InternalIP, address: 192.0.2.300}"));
	assert_non_null(strstr(w.complaints, "status.addresses[0].address"));
	world_delete(&w, KIND_NODE, "n1");
	assert_null(store_get(&w.store, RES_ROUTER, "/n1"));
	world_free(&w);
}

static void networks(void **state)
{
	static const struct { const char *text, *problem; } samples[] = {
		{ "10.32.0.0/12", NULL }, { "fd00::/64", NULL }, { "fd00::/64,10.0.0.0/8", NULL },
		{ "10.0.0.0/8,10.0.0.0/8", "10.0.0.0/8 and 10.0.0.0/8 overlap" },
		{ "10.0.0.0/8,fd00::/64,11.0.0.0/8", NULL },
		{ "10.0.0.0/8,fd00::/64,10.1.0.0/16", "10.0.0.0/8 and 10.1.0.0/16 overlap" },
		{ "10.0.0.0/8,", "\"\" is not a CIDR (address/length)" },
		{ "10.0.0.0", "\"10.0.0.0\" is not a CIDR (address/length)" },
		{ "10.0.0.0/33", "\"10.0.0.0/33\" has a prefix length beyond its family's" },
		{ "10.0.0.0/31", "10.0.0.0/31 is too small: at least four addresses are needed" },
		{ "10.32.0.1/12", "10.32.0.1/12 has bits set beyond its length; 10.32.0.0/12 is meant?" },
		{ "010.0.0.0/8", NULL },
		{ "0x0a.0.0.0/8", "\"0x0a.0.0.0/8\" is not an IP address" },
		{ "::ffff:10.0.0.0/104", "\"::ffff:10.0.0.0/104\" is an IPv4-mapped IPv6 address" },
		{ "", "\"\" is not a CIDR (address/length)" },
	};
	struct network net;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		cleanup_free char *problem = config_network(samples[i].text, &net);

		if (samples[i].problem)
			assert_string_equal(problem, samples[i].problem);
		else
			assert_null(problem);
	}
	assert_null(config_network("fd00::/64,10.0.0.0/8", &net));
	assert_int_equal(net.primary, V6);
}

static int options(struct config *cfg, const char *pods, const char *services, const char *blocks)
{
	char *argv[] = { "x", "--server", "http://192.0.2.1", "--pod-network", (char *)pods, "--service-network",
			 (char *)services, blocks ? "--node-block-size" : NULL, (char *)blocks, NULL };

	config_init(cfg);
	optind = 0;
	return config_args(cfg, blocks ? 9 : 7, argv);
}

static void command_line(void **state)
{
	static const struct { const char *text; int ret; unsigned int v4, v6; } samples[] = {
		{ NULL, -1, 26, 122 }, { "24", -1, 24, 120 }, { "28,124", -1, 28, 124 }, { "0", -1, 0, 0 },
		{ "28,0", -1, 28, 0 }, { "32", 2, 0, 0 }, { "15", 2, 0, 0 }, { "26,128", 2, 0, 0 },
		{ "26,122,1", 2, 0, 0 }, { "26,", 2, 0, 0 }, { "x", 2, 0, 0 },
	};
	struct config cfg;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		assert_int_equal(options(&cfg, "10.0.0.0/16,fd00::/64", "10.96.0.0/12", samples[i].text), samples[i].ret);
		if (samples[i].ret < 0) {
			assert_int_equal(cfg.block_len[V4], samples[i].v4);
			assert_int_equal(cfg.block_len[V6], samples[i].v6);
		}
	}
	assert_int_equal(options(&cfg, "10.0.0.0/16,10.97.0.0/16", "10.96.0.0/12", NULL), 2);
	assert_int_equal(options(&cfg, "10.0.0.0/16", "10.96.0.0/16,10.97.0.0/16", NULL), 2);
	assert_int_equal(options(&cfg, "10.0.0.0/16", "10.96.0.0/16,fd00::/112", NULL), 2);
	assert_null(config_network("10.0.0.0/16,10.97.0.0/16", &cfg.pods));
	assert_null(config_network("10.96.0.0/12", &cfg.services));
	cleanup_free char *problem = config_validate(&cfg);

	assert_string_equal(problem, "--service-network: 10.96.0.0/12 overlaps 10.97.0.0/16 of --pod-network");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given),
		cmocka_unit_test(exhaustion),
		cmocka_unit_test(large_networks),
		cmocka_unit_test(restarts_agree),
		cmocka_unit_test(starved_pods),
		cmocka_unit_test(given_before_found),
		cmocka_unit_test(macs),
		cmocka_unit_test(only_node),
		cmocka_unit_test(nodes_become_virtual_routers),
		cmocka_unit_test(networks),
		cmocka_unit_test(command_line),
	};

	return cmocka_run_group_tests_name("manager: addresses", tests, NULL, NULL);
}
