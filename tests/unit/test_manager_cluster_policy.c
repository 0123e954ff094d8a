// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/*
 * ClusterNetworkPolicy to SecurityGroups: cases after those of the API's conformance suite, then
 * random ones together with NetworkPolicies, each against an evaluator that reads only the manifests.
 */
#include "test_manager_nine.h"

#define CNP(name, tier, priority, spec) "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: " \
	"ClusterNetworkPolicy, metadata: {name: " name "}, spec: {tier: " tier ", priority: " #priority \
	", " spec "}}\n---\n"
#define NS(n) "{namespaces: {matchLabels: {ns: " n "}}}"
#define POD(n, p) "{pods: {namespaceSelector: {matchLabels: {ns: " n "}}, podSelector: {matchLabels: {pod: " p "}}}}"
#define OF(who) "subject: " who ", "
#define EVERYBODY "{namespaces: {}}"
#define TCP(n) "protocols: [{tcp: {destinationPort: {number: " #n "}}}]"

/* --- cases ---------------------------------------------------------------------------------- */

static const struct step {
	const char	*title;		/* NULL: goes on with the case before */
	const char	*policies;
	const char	*proto;
	int		port;
	int		denied;		/* of the 72 pairs, counted by hand */
} steps[] = {
	{ "deny ingress", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "]}]"), "TCP", 80, 9 },
	{ NULL, "", "UDP", 80, 9 },
	{ "accept before deny", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Accept, from: [" POD("y", "a") "]}, "
	  "{action: Deny, from: [" EVERYBODY "]}]"), "TCP", 80, 21 },
	{ "deny before accept", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" EVERYBODY "]}, "
	  "{action: Accept, from: [" POD("y", "a") "]}]"), "TCP", 80, 24 },
	{ "deny egress", CNP("p", "Admin", 1, OF(POD("x", "a")) "egress: [{action: Deny, to: [" NS("y") "]}]"), "TCP", 80, 3 },
	{ "one port", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "], " TCP(80) "}]"), "TCP", 80, 9 },
	{ NULL, "", "TCP", 81, 0 },
	{ "a range of ports", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "], protocols: "
	  "[{udp: {destinationPort: {range: {start: 70, end: 80}}}}]}]"), "UDP", 80, 9 },
	{ NULL, "", "UDP", 81, 0 },
	{ NULL, "", "TCP", 80, 0 },
	{ "SCTP", CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Deny, to: [" NS("z") "], protocols: "
	  "[{sctp: {destinationPort: {number: 81}}}]}]"), "SCTP", 81, 9 },
	{ "a named port, in", CNP("p", "Admin", 1, OF(EVERYBODY) "ingress: [{action: Deny, from: [" NS("y") "], protocols: "
	  "[{destinationNamedPort: odd}]}]"), "TCP", 80, 8 },
	{ NULL, "", "TCP", 81, 16 },
	{ "a named port, out", CNP("p", "Admin", 1, OF(NS("y")) "egress: [{action: Deny, to: [" EVERYBODY "], protocols: "
	  "[{destinationNamedPort: odd}]}]"), "TCP", 80, 8 },
	{ "a name whose protocol is the pod's", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "], "
	  "protocols: [{destinationNamedPort: serve-80-u}]}]"), "UDP", 80, 9 },
	{ NULL, "", "TCP", 80, 0 },
	{ "networks", CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Accept, to: [{networks: [10.32.2.10/32, "
	  "\"fd00:32::2:10/128\"]}]}, {action: Deny, to: [{networks: [10.32.2.0/24, \"fd00:32::2:0/112\"]}]}]"), "TCP", 80, 6 },
	{ "the lower priority first", CNP("late", "Admin", 2, OF(NS("x")) "ingress: [{action: Accept, from: [" NS("y") "]}]")
	  CNP("early", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "]}]"), "TCP", 80, 9 },
	{ NULL, CNP("early", "Admin", 3, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "]}]"), "TCP", 80, 0 },
	{ "admin accepts what a policy closes", POLICY("x", "np", "podSelector: {}, policyTypes: [Ingress]"), "TCP", 80, 24 },
	{ NULL, CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Accept, from: [" NS("y") "]}]"), "TCP", 80, 15 },
	{ NULL, CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Pass, from: [" NS("y") "]}]"), "TCP", 80, 24 },
	{ "admin denies what a policy opens", POLICY("x", "np", "podSelector: {}, ingress: [{}]")
	  CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "]}]"), "TCP", 80, 9 },
	{ "pass skips later policies of the tier", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Pass, from: [" NS("y") "]}]")
	  CNP("q", "Admin", 2, OF(NS("x")) "ingress: [{action: Deny, from: [" EVERYBODY "]}]"), "TCP", 80, 15 },
	{ "baseline denies", CNP("p", "Baseline", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" EVERYBODY "]}]"), "TCP", 80, 24 },
	{ NULL, POLICY("x", "np", "podSelector: {matchLabels: {pod: a}}, ingress: [{}]"), "TCP", 80, 16 },
	{ NULL, POLICY("x", "np", "podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: [{}]"), "TCP", 80, 24 },
	{ NULL, CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Accept, from: [" EVERYBODY "]}]"), "TCP", 80, 0 },
	{ "admin passes to the baseline", CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Pass, to: [" NS("y") "]}, "
	  "{action: Deny, to: [" EVERYBODY "]}]") CNP("b", "Baseline", 1, OF(NS("x")) "egress: [{action: Deny, to: ["
	  POD("y", "a") "]}]"), "TCP", 80, 18 },
	{ "a namespace's label", CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("new") "]}]"), "TCP", 80, 0 },
	{ NULL, "{apiVersion: v1, kind: Namespace, metadata: {name: y, labels: {ns: new}}}", "TCP", 80, 9 },
};

static void cases(void **state)
{
	struct world w = {};
	const char *title = NULL;
	int v6, denied;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (steps[i].title) {
			if (title)
				world_free(&w);
			title = steps[i].title;
			nine_pods(&w);
		}
		if (*steps[i].policies)
			world_apply(&w, steps[i].policies);
		assert_string_equal(w.complaints, "");
		for (v6 = 0; v6 < 2; v6++) {
			denied = compare(&w, title, steps[i].proto, steps[i].port, v6);
			if (denied != steps[i].denied)
				fail_msg("%s (step %zu): %s %d: %d pairs are denied, not %d", title, i,
					 steps[i].proto, steps[i].port, denied, steps[i].denied);
		}
	}
	world_free(&w);
}

/* --- what is published, in the letter --------------------------------------------------------- */

static void contents(void **state)
{
	struct world w;

	(void)state;
	nine_pods(&w);
	world_apply(&w, CNP("p", "Baseline", 30, OF(POD("x", "a")) "ingress: [{name: no-y, action: Deny, from: [" NS("y") "], "
			    TCP(80) "}], egress: [{action: Pass, to: [{networks: [10.0.0.0/8]}]}]"));
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "tier", "\"baseline\"");
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "priority", "30");
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "enforce", "[]");
	assert_spec(&w, RES_INTERFACE, "x/a", "securityGroups", "[\"default/cluster-policy-p\"]");
	assert_spec(&w, RES_INTERFACE, "x/b", "securityGroups", "[]");
	world_apply(&w, CNP("p", "Admin", 0, OF(POD("x", "a")) "egress: [{name: out, action: Pass, to: [{networks: "
			    "[10.0.0.0/8]}]}]"));
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "tier", "\"admin\"");
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "rules",
		    "[{\"direction\":\"egress\",\"name\":\"cluster policy p egress[0].to[0] out\",\"action\":\"pass\","
		    "\"peer\":{\"prefix\":\"10.0.0.0/8\"}}]");
	/* a NetworkPolicy may have the same name */
	world_apply(&w, POLICY("default", "p", "podSelector: {}"));
	assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 2);
	world_delete(&w, KIND_CLUSTER_POLICY, "p");
	world_delete(&w, KIND_POLICY, "default/p");
	assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 0);
	assert_int_equal(w.model.groups.n, 0);
	assert_int_equal(w.model.group_names.n, 0);
	world_free(&w);
}

#define NODE(name, labels, addr) "{apiVersion: v1, kind: Node, metadata: {name: " name ", labels: {" labels "}}, " \
	"status: {addresses: [{type: InternalIP, address: " addr "}]}}\n---\n"
#define RULE_TO(addr) "{\"direction\":\"egress\",\"name\":\"cluster policy p egress[0].to[0]\",\"action\":\"deny\"," \
	"\"peer\":{\"prefix\":\"" addr "/32\"}}"

static void nodes_as_peers(void **state)
{
	struct world w;

	(void)state;
	nine_pods(&w);
	world_apply(&w, NODE("n1", "role: db", "192.0.2.1") NODE("n2", "", "192.0.2.2")
		    CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Deny, to: [{nodes: {matchLabels: {role: db}}}]}]"));
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "rules", "[" RULE_TO("192.0.2.1") "]");
	world_apply(&w, NODE("n2", "role: db", "192.0.2.2"));
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "rules",
		    "[" RULE_TO("192.0.2.1") "," RULE_TO("192.0.2.2") "]");
	world_delete(&w, KIND_NODE, "n1");
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "rules", "[" RULE_TO("192.0.2.2") "]");
	assert_string_equal(w.complaints, "");
	world_free(&w);
}

/* What is not known here accepts nothing, and denies everything where it would deny or pass. */
static void unknown_peers_fail_closed(void **state)
{
	struct world w;

	(void)state;
	nine_pods(&w);
	world_apply(&w, CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Accept, to: [{domainNames: [a.example]}, " NS("y") "]}, "
			    "{action: Deny, to: [" NS("y") "]}]"));
	assert_non_null(strstr(w.complaints, "ClusterNetworkPolicy p: spec.egress[0].to[0]: is no peer that is known here: the rule "
			       "matches nothing"));
	assert_int_equal(json_array_size(json_object_get(world_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p"), "rules")), 1);
	world_apply(&w, CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Pass, from: [{stars: {}}]}]"));
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "rules",
		    "[{\"direction\":\"ingress\",\"name\":\"cluster policy p ingress[0]\",\"action\":\"deny\"}]");
	world_apply(&w, CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "], protocols: [{quic: {}}]}]"));
	assert_spec(&w, RES_SECURITY_GROUP, "default/cluster-policy-p", "rules",
		    "[{\"direction\":\"ingress\",\"name\":\"cluster policy p ingress[0]\",\"action\":\"deny\"}]");
	world_free(&w);
}

static void refused(void **state)
{
	static const struct { const char *yaml, *want; } bad[] = {
		{ CNP("p", "Middle", 1, OF(NS("x"))), "spec.tier: must be Admin or Baseline, not \"Middle\"" },
		{ CNP("p", "Admin", 1001, OF(NS("x"))), "spec.priority: must be" },
		{ CNP("p", "Admin", 1, "subject: {}"), "spec.subject: must have namespaces or pods" },
		{ CNP("p", "Admin", 1, "ingress: []"), "spec.subject: is required" },
		{ CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Allow, from: [" NS("y") "]}]"),
		  "spec.ingress[0].action: must be Accept, Deny or Pass, not \"Allow\"" },
		{ CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny}]"), "spec.ingress[0].from: is required" },
		{ CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: []}]"),
		  "spec.ingress[0].from: must have at least one entry" },
		{ CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Deny, to: [{networks: [10.0.0.0/33]}]}]"),
		  "spec.egress[0].to[0].networks[0]" },
		{ CNP("p", "Admin", 1, OF(NS("x")) "egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], "
		      "protocols: [{destinationNamedPort: web}]}]"), "networks and nodes have no named ports" },
		{ CNP("p", "Admin", 1, OF(NS("x")) "ingress: [{action: Deny, from: [" NS("y") "], protocols: "
		      "[{tcp: {destinationPort: {range: {start: 9, end: 8}}}}]}]"),
		  "spec.ingress[0].protocols[0].tcp.destinationPort.range: must have a start that is not above its end" },
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		nine_pods(&w);
		world_apply(&w, bad[i].yaml);
		if (!strstr(w.complaints, bad[i].want))
			fail_msg("\"%s\" is not in: %s", bad[i].want, w.complaints);
		assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 0);
		world_free(&w);
	}
}

/* --- random -------------------------------------------------------------------------------------- */

static json_t *random_who(void)
{
	return rnd(2) ? json_pack("{s:o}", "namespaces", random_selector()) :
	       json_pack("{s:{s:o, s:o}}", "pods", "namespaceSelector", random_selector(), "podSelector",
			 random_selector());
}

static json_t *random_protocol(bool may_name)
{
	static const char *const keys[] = { "tcp", "udp", "sctp" };
	static const char *const names[] = { "odd", "serve-80-t", "serve-81-u", "nobody" };

	switch (rnd(may_name ? 3 : 2)) {
	case 0:
		return json_pack("{s:{s:{s:i}}}", keys[rnd(3)], "destinationPort", "number", 80 + rnd(2));
	case 1:
		return json_pack("{s:{s:{s:{s:i, s:i}}}}", keys[rnd(3)], "destinationPort", "range",
				 "start", 79 + rnd(2), "end", 80 + rnd(2));
	default:
		return json_pack("{s:s}", "destinationNamedPort", names[rnd(4)]);
	}
}

static json_t *random_rules(bool ingress)
{
	static const char *const actions[] = { "Accept", "Deny", "Pass" };
	json_t *rules = json_array();
	unsigned int i, j, n = rnd(4), m;

	for (i = 0; i < n; i++) {
		json_t *peers = json_array(), *protocols = json_array(), *rule;
		bool networks = !ingress && rnd(3) == 0;

		for (m = 1 + rnd(2), j = 0; j < m; j++)
			json_array_append_new(peers, networks ? json_pack("{s:[s, s]}", "networks",
				rnd(2) ? "10.32.2.0/24" : "10.32.0.0/12", "fd00:32::2:0/112") : random_who());
		for (m = rnd(3), j = 0; j < m; j++)
			json_array_append_new(protocols, random_protocol(!networks));
		rule = json_pack("{s:s, s:o}", "action", actions[rnd(3)], ingress ? "from" : "to", peers);
		if (json_array_size(protocols))
			json_object_set(rule, "protocols", protocols);
		json_decref(protocols);
		json_array_append_new(rules, rule);
	}
	return rules;
}

static void random_cluster_policy(struct world *w)
{
	unsigned int n = rnd(4);
	char name[4] = { 'c', '0' + n, 0 };
	json_t *obj;

	if (rnd(5) == 0) {
		model_del(&w->model, KIND_CLUSTER_POLICY, name);
		return;
	}
	/* no two have the same priority, so there is one right answer */
	obj = json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:i, s:o, s:o, s:o}}", "apiVersion",
			"policy.networking.k8s.io/v1alpha2", "kind", "ClusterNetworkPolicy", "metadata", "name", name,
			"spec", "tier", rnd(2) ? "Admin" : "Baseline", "priority", rnd(200) * 4 + n, "subject",
			random_who(), "ingress", random_rules(true), "egress", random_rules(false));
	world_read(w, obj, NULL, 1);
	json_decref(obj);
}

static void random_change(struct world *w)
{
	static const char *const more[] = { "", ", role: api", ", role: x" };

	switch (rnd(7)) {
	case 0:
		put_pod(w, rnd(3), rnd(3), more[rnd(3)]);
		break;
	case 1:
		put_namespace(w, namespaces[rnd(3)], more[rnd(3)]);
		break;
	case 2:
		world_put(w, rnd(2) ? POLICY("x", "np", "podSelector: {matchLabels: {pod: a}}, ingress: []") :
			  POLICY("x", "np", "podSelector: {}, egress: [{ports: [{port: 80}]}], policyTypes: [Egress]"));
		break;
	default:
		random_cluster_policy(w);
	}
}

static void random_changes(void **state)
{
	unsigned int round, i, n, proto;
	struct world w;

	(void)state;
	for (round = 1; round <= 60; round++) {
		seed = round * 104729;
		nine_pods(&w);
		for (i = 0; i < 12; i++) {
			for (n = rnd(4); n; n--)
				random_change(&w);
			world_run(&w);
			proto = rnd(3);
			compare(&w, "random", protos[proto], 80, rnd(2));
			compare(&w, "random", protos[proto], 81, rnd(2));
		}
		assert_string_equal(w.complaints, "");
		same_as_fresh(&w);
		world_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(contents),
		cmocka_unit_test(nodes_as_peers),
		cmocka_unit_test(unknown_peers_fail_closed),
		cmocka_unit_test(refused),
		cmocka_unit_test(random_changes),
	};

	return cmocka_run_group_tests_name("manager: cluster network policies", tests, NULL, NULL);
}
