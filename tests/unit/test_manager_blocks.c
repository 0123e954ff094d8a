// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* Networks of several subnets, blocks of addresses for nodes, and what happens when none is left. */
#include "test_manager_world.h"

#define NETWORK(name, spec) "{apiVersion: opencontrail.org/v1, kind: VirtualNetwork, metadata: {name: " name \
	"}, spec: {" spec "}}\n---\n"
#define NAMESPACE(name, notes) "{apiVersion: v1, kind: Namespace, metadata: {name: " name ", annotations: {" notes "}}}\n---\n"
#define CLUSTER "default/cluster-network"

/* As on an API server: nodes have blocks of these prefix lengths. */
static void start(struct world *w, const char *pods, unsigned int v4, unsigned int v6)
{
	world_init(w, pods, "10.96.0.0/12");
	model_free(&w->model);
	w->cfg.api = true;
	w->cfg.block_len[V4] = v4;
	w->cfg.block_len[V6] = v6;
	model_init(&w->model, &w->cfg, &w->store, world_complain, w);
	world_put(w, NAMESPACE("default", ""));
}

static void put_node(struct world *w, int i)
{
	cleanup_free char *yaml = xasprintf("{apiVersion: v1, kind: Node, metadata: {name: n%d}}", i);

	world_put(w, yaml);
}

static void put_pod_(struct world *w, int i, int node, const char *notes)
{
	cleanup_free char *yaml = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: p%d, annotations: {%s}}, "
					    "spec: {nodeName: n%d}}", i, notes, node);

	world_put(w, yaml);
}

static void put_pod(struct world *w, int i, int node)
{
	put_pod_(w, i, node, "");
}

static const char *addr_of(struct world *w, int i)
{
	cleanup_free char *key = xasprintf("default/p%d", i);
	const json_t *list = json_object_get(world_spec(w, RES_INTERFACE, key), "addresses");

	return json_string_value(json_array_get(list, 0));
}

static const json_t *blocks_of(struct world *w, int node)
{
	cleanup_free char *key = xasprintf("/n%d", node);

	return json_object_get(world_spec(w, RES_ROUTER, key), "blocks");
}

static void assert_complaint(struct world *w, const char *part)
{
	if (!strstr(w->complaints, part))
		fail_msg("no \"%s\" in:\n%s", part, w->complaints);
	world_clear(w);
}

static bool is_in(const char *addr, const char *cidr)
{
	struct prefix p;
	struct addr a;

	assert_null(addr_parse(addr, &a));
	assert_null(prefix_parse(cidr, &p));
	return prefix_contains(&p, &a);
}

/* What the API server tells of the InstanceIPs that were written; then what is made of that. */
static void hear(struct world *w)
{
	json_t *events = json_copy(w->events), *event;
	size_t i;

	json_array_foreach(events, i, event) {
		json_t *o = json_object_get(event, "object");
		const char *type = json_string_value(json_object_get(event, "type"));

		if (!strcmp(json_string_value(json_object_get(o, "kind")), "InstanceIP"))
			model_pin(&w->model, json_string_value(json_object_get(json_object_get(o, "metadata"), "name")),
				  strcmp(type, "DELETED") ? o : NULL);
	}
	json_decref(events);
	world_run(w);
}

/* What an API server has of another manager. */
static void pin_all(struct world *w, const struct world *old)
{
	map_for_each(&old->store.published[RES_INSTANCE_IP], node) {
		json_t *object = store_read(&old->store, RES_INSTANCE_IP, node->key);

		model_pin(&w->model, strchr(node->key, '/') + 1, object);
		json_decref(object);
	}
}

static void subnets_in_turn(void **state)
{
	struct world w;
	int i;

	(void)state;
	start(&w, "10.32.0.0/29,fd00::/64,10.40.0.0/29", 0, 0);
	for (i = 0; i < 11; i++) {
		put_pod(&w, i, 1);
		world_run(&w);
	}
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER, "subnets",
		    "[{\"cidr\":\"10.32.0.0/29\",\"gateway\":\"10.32.0.1\"},"
		    "{\"cidr\":\"fd00::/64\",\"gateway\":\"fd00::1\"},"
		    "{\"cidr\":\"10.40.0.0/29\",\"gateway\":\"10.40.0.1\"}]");
	for (i = 0; i < 10; i++)
		assert_true(is_in(addr_of(&w, i), i < 5 ? "10.32.0.0/29" : "10.40.0.0/29"));
	assert_null(addr_of(&w, 10));
	assert_complaint(&w, "Pod default/p10: the pod network is exhausted: all of its 10 IPv4 addresses "
			 "(10.32.0.0/29, 10.40.0.0/29) are in use");
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER, "exhausted", "[\"IPv4\"]");
	world_delete(&w, KIND_POD, "default/p2");
	assert_true(is_in(addr_of(&w, 10), "10.32.0.0/29"));
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER, "exhausted", "[\"IPv4\"]");
	world_delete(&w, KIND_POD, "default/p3");
	assert_spec(&w, RES_VIRTUAL_NETWORK, CLUSTER, "exhausted", "null");
	world_free(&w);
}

static void blocks(void **state)
{
	struct world w;
	int i;

	(void)state;
	start(&w, "10.32.0.0/24,fd00::/64", 28, 122);
	for (i = 1; i <= 2; i++)
		put_node(&w, i);
	for (i = 0; i < 20; i++)
		put_pod(&w, i, 1);
	put_pod(&w, 20, 2);
	world_run(&w);
	assert_string_equal(w.complaints, "");
	/* two of IPv4, one of IPv6 */
	assert_int_equal(json_array_size(blocks_of(&w, 1)), 3);
	assert_int_equal(json_array_size(blocks_of(&w, 2)), 2);
	for (i = 0; i < 20; i++) {
		const json_t *block;
		size_t n = 0, j;

		json_array_foreach(blocks_of(&w, 1), j, block) {
			const char *cidr = json_string_value(json_object_get(block, "cidr"));

			n += !strchr(cidr, ':') && is_in(addr_of(&w, i), cidr);
			assert_string_equal(json_string_value(json_object_get(block, "network")), CLUSTER);
		}
		assert_int_equal(n, 1);
	}
	world_delete(&w, KIND_POD, "default/p20");
	assert_null(blocks_of(&w, 2));
	put_pod(&w, 0, 2);
	world_run(&w);
	assert_int_equal(json_array_size(blocks_of(&w, 1)), 3);
	world_free(&w);
}

/* A block is nobody's alone when there is no other: pods go before blocks. */
static void borrowing(void **state)
{
	struct world w;
	int i;

	(void)state;
	start(&w, "10.32.0.0/26", 28, 0);
	for (i = 1; i <= 5; i++)
		put_node(&w, i);
	for (i = 1; i <= 5; i++) {
		put_pod(&w, i, i);
		world_run(&w);
	}
	for (i = 1; i <= 4; i++)
		assert_int_equal(json_array_size(blocks_of(&w, i)), 1);
	assert_non_null(addr_of(&w, 5));
	for (i = 6; i <= 61; i++)
		put_pod(&w, i, 1);
	world_run(&w);
	assert_string_equal(w.complaints, "");
	put_pod(&w, 62, 1);
	world_run(&w);
	assert_complaint(&w, "Pod default/p62: the pod network is exhausted: all of its 61 IPv4");
	world_delete(&w, KIND_POD, "default/p3");
	assert_non_null(addr_of(&w, 62));
	world_free(&w);
}

static void small_subnets_have_none(void **state)
{
	struct world w;

	(void)state;
	start(&w, "10.32.0.0/25", 26, 122);
	put_node(&w, 1);
	put_pod(&w, 1, 1);
	world_run(&w);
	assert_non_null(addr_of(&w, 1));
	assert_null(blocks_of(&w, 1));
	world_free(&w);
}

static void networks_of_users(void **state)
{
	cleanup_free char *before = NULL, *after = NULL;
	struct world w;
	int i;

	(void)state;
	start(&w, "10.32.0.0/12", 26, 122);
	put_node(&w, 1);
	world_put(&w, NETWORK("blue", "subnets: [{cidr: 10.64.0.0/29}]"));
	for (i = 0; i < 6; i++) {
		put_pod_(&w, i, 1, "opencontrail.org/network: blue");
		world_run(&w);
	}
	assert_complaint(&w, "Pod default/p5: the VirtualNetwork default/blue is exhausted: all of its 5 IPv4 "
			 "addresses (10.64.0.0/29) are in use");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/blue", "exhausted", "[\"IPv4\"]");
	before = xstrdup(addr_of(&w, 0));
	world_apply(&w, NETWORK("blue", "subnets: [{cidr: 10.64.0.0/29}, {cidr: 10.64.0.0/16}]"));
	assert_complaint(&w, "spec.subnets: 10.64.0.0/29 and 10.64.0.0/16 overlap");
	assert_null(addr_of(&w, 5));
	/* one more while pods are in it; who waited has an address, which is of a block */
	world_apply(&w, NETWORK("blue", "subnets: [{cidr: 10.64.0.0/29}, {cidr: 10.65.0.0/16}]"));
	assert_string_equal(w.complaints, "");
	assert_true(is_in(addr_of(&w, 5), "10.65.0.0/16"));
	after = xstrdup(addr_of(&w, 0));
	assert_string_equal(before, after);
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/blue", "exhausted", "null");
	assert_int_equal(json_array_size(blocks_of(&w, 1)), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(blocks_of(&w, 1), 0), "network")),
			    "default/blue");
	/* and one less, if nobody is there */
	world_apply(&w, NETWORK("blue", "subnets: [{cidr: 10.64.0.0/29}]"));
	assert_complaint(&w, "spec.subnets: a pod has an address that would go: 10.65.");
	world_delete(&w, KIND_POD, "default/p5");
	assert_spec(&w, RES_VIRTUAL_NETWORK, "default/blue", "subnets",
		    "[{\"cidr\":\"10.64.0.0/29\",\"gateway\":\"10.64.0.1\"}]");
	assert_int_equal(w.model.problems, 0);
	assert_null(blocks_of(&w, 1));
	world_free(&w);
}

/* An address that the network has no longer, as after a change of --pod-network. */
static void outside(void **state)
{
	json_t *old = json_pack("{s:{s:s, s:s, s:s, s:s}}", "spec", "address", "10.200.0.5", "family", "IPv4",
				"network", CLUSTER, "interface", "default/p1");
	struct world w;

	(void)state;
	start(&w, "10.32.0.0/12", 26, 122);
	model_pin(&w.model, "10.200.0.5", old);
	put_pod(&w, 1, 1);
	world_run(&w);
	assert_complaint(&w, "Pod default/p1: InstanceIP: 10.200.0.5 is outside of the pod network; the pod gets another address");
	assert_true(is_in(addr_of(&w, 1), "10.32.0.0/12"));
	cleanup_free char *first = xstrdup(addr_of(&w, 1));

	hear(&w);
	model_pin(&w.model, "10.200.0.5", NULL);
	put_pod(&w, 1, 1);
	world_run(&w);
	assert_string_equal(addr_of(&w, 1), first);
	assert_string_equal(w.complaints, "");
	json_decref(old);
	world_free(&w);
}

#define IN(ns, name, notes) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: " ns ", annotations: {" notes \
	"}}, spec: {nodeName: n1}}\n---\n"
#define BLUE "opencontrail.org/network: default/blue"

static void namespaces(void **state)
{
	struct world w;

	(void)state;
	start(&w, "10.32.0.0/12", 26, 122);
	world_apply(&w, NETWORK("blue", "subnets: [{cidr: 10.64.0.0/24}]") NETWORK("red", "subnets: [{cidr: 10.65.0.0/24}]")
		    IN("team", "a", "") IN("team", "b", "opencontrail.org/network: default/red") IN("other", "c", ""));
	assert_string_equal(w.complaints, "");
	/* which network it is to be in is not known before the namespace is */
	assert_null(world_spec(&w, RES_INTERFACE, "team/a"));
	world_apply(&w, NAMESPACE("team", BLUE) NAMESPACE("other", ""));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_INTERFACE, "team/a", "network", "\"default/blue\"");
	assert_spec(&w, RES_INTERFACE, "team/b", "network", "\"default/red\"");
	assert_spec(&w, RES_INTERFACE, "other/c", "network", "\"" CLUSTER "\"");
	world_apply(&w, NAMESPACE("team", "opencontrail.org/network: '{\"project\": \"default\", \"name\": \"red\"}'"));
	assert_spec(&w, RES_INTERFACE, "team/a", "network", "\"default/red\"");
	world_apply(&w, NAMESPACE("team", "opencontrail.org/network: nowhere"));
	assert_complaint(&w, "Pod team/a: interface eth0: there is no VirtualNetwork team/nowhere; the pod gets no interface");
	assert_null(world_spec(&w, RES_INTERFACE, "team/a"));
	world_apply(&w, NAMESPACE("team", ""));
	assert_spec(&w, RES_INTERFACE, "team/a", "network", "\"" CLUSTER "\"");
	assert_int_equal(w.model.problems, 0);
	/* nor is it another one because the namespace goes first */
	world_apply(&w, NAMESPACE("team", BLUE));
	world_delete(&w, KIND_NAMESPACE, "team");
	assert_spec(&w, RES_INTERFACE, "team/a", "network", "\"default/blue\"");
	world_free(&w);
}

#define FABRIC "opencontrail.org/ip_fabric_forwarding: 'true'"
#define ROUTER "{apiVersion: opencontrail.org/v1, kind: LogicalRouter, metadata: {name: r}, spec: {network: blue, reachable: true}}"

static void fabric_forwarding(void **state)
{
	struct world w;

	(void)state;
	start(&w, "10.32.0.0/12", 26, 122);
	world_apply(&w, NETWORK("blue", "subnets: [{cidr: 10.64.0.0/24}]") NAMESPACE("team", FABRIC));
	assert_complaint(&w, "Namespace team: annotation opencontrail.org/ip_fabric_forwarding: has no effect on a "
			 "namespace in the cluster's network; give it a VirtualNetwork of its own");
	world_apply(&w, NAMESPACE("team", FABRIC ", " BLUE));
	assert_complaint(&w, "give VirtualNetwork default/blue a LogicalRouter with reachable: true");
	world_apply(&w, ROUTER);
	assert_string_equal(w.complaints, "");
	assert_int_equal(w.model.problems, 0);
	world_delete(&w, KIND_ROUTER, "default/r");
	assert_complaint(&w, "give VirtualNetwork default/blue a LogicalRouter");
	world_free(&w);
}

/* Pods that came while no manager ran are served after those that have addresses. */
static void latecomers(void **state)
{
	struct world old, w;
	int i;

	(void)state;
	start(&old, "10.32.0.0/24", 28, 0);
	for (i = 1; i <= 12; i++) {
		put_node(&old, i);
		put_pod(&old, 50 + i, i);
	}
	world_run(&old);
	start(&w, "10.32.0.0/24", 28, 0);
	pin_all(&w, &old);
	for (i = 1; i <= 12; i++) {
		put_node(&w, i);
		put_pod(&w, 30 - i, i);
		put_pod(&w, 50 + i, i);
	}
	world_run(&w);
	for (i = 1; i <= 12; i++) {
		assert_string_equal(addr_of(&w, 50 + i), addr_of(&old, 50 + i));
		assert_true(json_equal(blocks_of(&w, i), blocks_of(&old, i)));
		assert_true(is_in(addr_of(&w, 30 - i), json_string_value(json_object_get(
			json_array_get(blocks_of(&w, i), 0), "cidr"))));
	}
	world_free(&w);
	world_free(&old);
}

/* Given addresses of a subnet larger than blocks are counted in. */
static void far_up(void **state)
{
	struct world w;

	(void)state;
	start(&w, "fd00::/48", 0, 122);
	put_node(&w, 1);
	world_apply(&w, "{apiVersion: v1, kind: Pod, metadata: {name: p1}, spec: {nodeName: n1}, "
		    "status: {podIP: 'fd00:0:0:5::9'}}");
	assert_string_equal(w.complaints, "");
	assert_string_equal(addr_of(&w, 1), "fd00:0:0:5::9");
	assert_null(blocks_of(&w, 1));
	world_delete(&w, KIND_POD, "default/p1");
	put_pod(&w, 2, 1);
	world_run(&w);
	assert_int_equal(json_array_size(blocks_of(&w, 1)), 1);
	world_free(&w);
}

/* --- any sequence ---------------------------------------------------------------------------- */

#define NODES 6
#define PODS 400
#define ROUNDS 150
#define SUBNETS "10.32.0.0/25,10.40.0.0/26"
#define CAPACITY (125 + 61)

struct run {
	struct world	w;
	int		node[PODS];		/* 0: there is no such pod */
	char		had[PODS][ADDR_TEXT];	/* before the last change */
	unsigned int	seed;
};

static unsigned int draw(struct run *r, unsigned int n)
{
	r->seed = r->seed * 1103515245 + 12345;
	return (r->seed >> 16) % n;
}

/* No address twice, none changed, none free while a pod waits. */
static void check_addresses(struct run *r)
{
	size_t pods = 0, have = 0;
	struct map seen = {};
	int i;

	for (i = 0; i < PODS; i++) {
		const char *a = addr_of(&r->w, i);

		pods += !!r->node[i];
		have += !!a;
		assert_true(!a || r->node[i]);
		if (a)
			assert_null(map_set(&seen, a, r));
		if (a && *r->had[i])
			assert_string_equal(a, r->had[i]);
		assert_true(a || !r->node[i] || !*r->had[i]);
		snprintf(r->had[i], ADDR_TEXT, "%s", a ? a : "");
	}
	assert_int_equal(have, pods < CAPACITY ? pods : CAPACITY);
	assert_int_equal(r->w.store.published[RES_INSTANCE_IP].n, have);
	map_clear(&seen, NULL);
}

static void check_blocks(struct run *r)
{
	struct map seen = {};
	const json_t *block;
	size_t j;
	int i;

	for (i = 1; i <= NODES; i++)
		json_array_foreach(blocks_of(&r->w, i), j, block)
			assert_null(map_set(&seen, json_string_value(json_object_get(block, "cidr")), r));
	map_clear(&seen, NULL);
}

/* A manager that knows what the API server has, and nothing else. */
static void restart(struct run *r)
{
	struct world old = r->w;
	int i;

	start(&r->w, SUBNETS, 28, 0);
	pin_all(&r->w, &old);
	for (i = 1; i <= NODES; i++)
		put_node(&r->w, i);
	for (i = 0; i < PODS; i++)
		if (r->node[i])
			put_pod(&r->w, i, r->node[i]);
	world_run(&r->w);
	for (i = 1; i <= NODES; i++) {
		const json_t *was = blocks_of(&old, i), *is = blocks_of(&r->w, i);

		assert_true(was == is || json_equal(was, is));
	}
	world_free(&old);
}

static void change(struct run *r)
{
	int i = draw(r, PODS), n = 1 + draw(r, 12);

	/* fills up, is full for a while, empties */
	for (; n; n--, i = (i + 7) % PODS) {
		if (r->node[i] && !draw(r, 3)) {
			cleanup_free char *key = xasprintf("default/p%d", i);

			model_del(&r->w.model, KIND_POD, key);
			r->node[i] = 0;
			*r->had[i] = '\0';
		} else if (!r->node[i]) {
			r->node[i] = 1 + draw(r, NODES);
			put_pod(&r->w, i, r->node[i]);
		}
	}
	world_run(&r->w);
	hear(&r->w);
}

static void any_sequence(void **state)
{
	struct run *r = xzalloc(sizeof(*r));
	unsigned int full = 0;
	int i;

	(void)state;
	for (r->seed = 1; r->seed < 4; r->seed++) {
		unsigned int seed = r->seed;

		start(&r->w, SUBNETS, 28, 0);
		memset(r->node, 0, sizeof(r->node));
		memset(r->had, 0, sizeof(r->had));
		for (i = 1; i <= NODES; i++)
			put_node(&r->w, i);
		world_run(&r->w);
		for (i = 0; i < ROUNDS; i++) {
			change(r);
			check_addresses(r);
			check_blocks(r);
			full += r->w.store.published[RES_INSTANCE_IP].n == CAPACITY;
			if (draw(r, 8))
				continue;
			restart(r);
			check_addresses(r);
		}
		world_free(&r->w);
		r->seed = seed;
	}
	assert_true(full > 0);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subnets_in_turn),
		cmocka_unit_test(blocks),
		cmocka_unit_test(borrowing),
		cmocka_unit_test(small_subnets_have_none),
		cmocka_unit_test(networks_of_users),
		cmocka_unit_test(outside),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(fabric_forwarding),
		cmocka_unit_test(latecomers),
		cmocka_unit_test(far_up),
		cmocka_unit_test(any_sequence),
	};

	return cmocka_run_group_tests_name("manager: subnets and blocks", tests, NULL, NULL);
}
