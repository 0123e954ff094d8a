// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/*
 * NetworkPolicy to SecurityGroups: the 48 cases of Kubernetes' e2e suite, then random ones,
 * each against an evaluator that reads only the manifests.
 */
#include "test_manager_nine.h"

/* --- the 48 cases --------------------------------------------------------------------------- */

struct step {
	const char	*title;		/* NULL: goes on with the case before */
	const char	*policies;	/* documents to apply; "-ns/name" deletes one */
	const char	*proto;
	int		port;
	int		denied;		/* of the 72 pairs, counted by hand */
};

#define A "podSelector: {matchLabels: {pod: a}}, "
#define ALL "podSelector: {}, "
#define NS_Y "{namespaceSelector: {matchLabels: {ns: y}}}"
#define NOT_X "namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [x]}]}"
#define EGRESS "policyTypes: [Egress], "
#define BOTH "policyTypes: [Ingress, Egress]"

static const struct step steps[] = {
	{ "01 default-deny ingress", POLICY("x", "p", ALL "policyTypes: [Ingress]"), "TCP", 80, 24 },
	{ "02 default-deny both", POLICY("x", "p", ALL BOTH), "TCP", 80, 42 },
	{ "03 podSelector", POLICY("x", "p", A "ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}]}]"), "TCP", 80, 7 },
	{ "04 deny and allow add up", POLICY("x", "d", ALL "policyTypes: [Ingress]") POLICY("x", "p", A "ingress: [{}]"),
	  "TCP", 80, 16 },
	{ "05 every namespace", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {}}]}]"), "TCP", 80, 0 },
	{ "06 one namespace", POLICY("x", "p", A "ingress: [{from: [" NS_Y "]}]"), "TCP", 80, 5 },
	{ "07 pod expression", POLICY("x", "p", A "ingress: [{from: [{podSelector: {matchExpressions: "
	  "[{key: pod, operator: In, values: [b]}]}}]}]"), "TCP", 80, 7 },
	{ "08 namespace expression", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchExpressions: "
	  "[{key: ns, operator: In, values: [y]}]}}]}]"), "TCP", 80, 5 },
	{ "09 two peers", POLICY("x", "p", A "ingress: [{from: [{" NOT_X "}, {podSelector: {matchLabels: {pod: b}}}]}]"),
	  "TCP", 80, 1 },
	{ "10 both in one peer", POLICY("x", "p", A "ingress: [{from: [{" NOT_X ", podSelector: {matchLabels: {pod: b}}}]}]"),
	  "TCP", 80, 6 },
	{ "11 several of several", POLICY("x", "p", A "ingress: [{from: [{" NOT_X ", podSelector: {matchExpressions: "
	  "[{key: pod, operator: In, values: [b, c]}]}}]}]"), "TCP", 80, 4 },
	{ "12 two pod selectors", POLICY("x", "p", A "ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}, "
	  "{podSelector: {matchLabels: {pod: c}}}]}]"), "TCP", 80, 6 },
	{ "13 one pod of one namespace", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchLabels: "
	  "{ns: y}}, podSelector: {matchLabels: {pod: a}}}]}]"), "TCP", 80, 7 },
	{ "14 one port", POLICY("x", "p", A "ingress: [{from: [" NS_Y "], ports: [{port: 81}]}]"), "TCP", 81, 5 },
	{ NULL, "", "TCP", 80, 8 },
	{ "15 a second policy", POLICY("x", "p", A "ingress: [{from: [" NS_Y "], ports: [{port: 81}]}]"), "TCP", 80, 8 },
	{ NULL, POLICY("x", "q", A "ingress: [{from: [" NS_Y "], ports: [{port: 80}]}]"), "TCP", 80, 5 },
	{ NULL, "", "TCP", 81, 5 },
	{ "16 allow all", POLICY("x", "p", ALL "ingress: [{}]"), "TCP", 80, 0 },
	{ NULL, "", "TCP", 81, 0 },
	{ "17 named port", POLICY("x", "p", ALL "ingress: [{ports: [{port: serve-81-t}]}]"), "TCP", 81, 0 },
	{ NULL, "", "TCP", 80, 24 },
	{ "18 named port and peer", POLICY("x", "p", A "ingress: [{from: [" NS_Y "], ports: [{port: serve-80-t}]}]"),
	  "TCP", 80, 5 },
	{ NULL, "", "TCP", 81, 8 },
	{ "19 egress to named port", POLICY("x", "p", A EGRESS "egress: [{ports: [{port: serve-80-t}]}]"), "TCP", 80, 0 },
	{ NULL, "", "TCP", 81, 8 },
	{ "20 updated", POLICY("x", "p", A "ingress: [{}]"), "TCP", 80, 0 },
	{ NULL, POLICY("x", "p", A "ingress: []"), "TCP", 80, 8 },
	{ "21 namespace label", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y2}}}]}]"),
	  "TCP", 80, 8 },
	{ NULL, "{apiVersion: v1, kind: Namespace, metadata: {name: y, labels: {ns: y2}}}", "TCP", 80, 5 },
	{ "22 pod label", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: "
	  "{new: one}}}]}]"), "TCP", 80, 8 },
	{ NULL, "pod y/b new: one", "TCP", 80, 7 },
	{ "23 empty podSelector", POLICY("x", "p", ALL "ingress: [{from: [{podSelector: {}}]}]"), "TCP", 80, 18 },
	{ "24 target label", POLICY("x", "p", "podSelector: {matchLabels: {target: one}}, ingress: []"), "TCP", 80, 0 },
	{ NULL, "pod x/a target: one", "TCP", 80, 8 },
	{ "25 deny egress of a pod", POLICY("x", "p", A EGRESS), "TCP", 80, 8 },
	{ "26 deny egress of all", POLICY("x", "p", ALL EGRESS), "TCP", 80, 24 },
	{ "27 both directions", POLICY("x", "p", A BOTH ", ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}]}], "
	  "egress: [{ports: [{port: 80}]}]"), "TCP", 80, 7 },
	{ NULL, "", "TCP", 81, 15 },
	{ "28 client side", POLICY("x", "e", A EGRESS "egress: [{to: [{namespaceSelector: {matchLabels: {ns: y}}, "
	  "podSelector: {matchLabels: {pod: a}}}]}]")
	  POLICY("y", "i", "podSelector: {matchExpressions: [{key: pod, operator: In, values: [a, b]}]}, ingress: "
	  "[{from: [{namespaceSelector: {matchLabels: {ns: x}}, podSelector: {matchLabels: {pod: a}}}]}]"),
	  "TCP", 80, 21 },
	{ "29 egress to one pod", POLICY("x", "p", A EGRESS "egress: [{to: [{namespaceSelector: {matchLabels: {ns: y}}, "
	  "podSelector: {matchLabels: {pod: a}}}]}]"), "TCP", 80, 7 },
	{ "30 protocol alone", POLICY("x", "p", A "ingress: [{ports: [{protocol: TCP}]}]"), "TCP", 81, 0 },
	{ NULL, "", "UDP", 80, 8 },
	{ "31 allow-all on top", POLICY("x", "p", A "ingress: [{ports: [{port: 80}]}]"), "TCP", 81, 8 },
	{ NULL, POLICY("x", "q", A "ingress: [{}]"), "TCP", 81, 0 },
	{ "32 egress allow-all on top", POLICY("x", "p", A EGRESS "egress: [{ports: [{port: 80}]}]"), "TCP", 81, 8 },
	{ NULL, POLICY("x", "q", A EGRESS "egress: [{}]"), "TCP", 81, 0 },
	{ "33 deletion", POLICY("x", "p", ALL BOTH), "TCP", 80, 42 },
	{ NULL, "-x/p", "TCP", 80, 0 },
	{ "34 ipBlock", POLICY("x", "p", A EGRESS "egress: [{to: [{ipBlock: {cidr: 10.32.2.11/32}}, "
	  "{ipBlock: {cidr: \"fd00:32::2:11/128\"}}]}]"), "TCP", 80, 7 },
	{ "35 except", POLICY("x", "p", A EGRESS "egress: [{to: [{ipBlock: {cidr: 10.32.0.0/12, except: [10.32.2.11/32]}}, "
	  "{ipBlock: {cidr: \"fd00:32::/64\", except: [\"fd00:32::2:11/128\"]}}]}]"), "TCP", 80, 1 },
	{ "36 the excepted allowed", POLICY("x", "p", A EGRESS "egress: [{to: [{ipBlock: {cidr: 10.32.0.0/12, except: "
	  "[10.32.2.11/32]}}, {ipBlock: {cidr: \"fd00:32::/64\", except: [\"fd00:32::2:11/128\"]}}]}]"), "TCP", 80, 1 },
	{ NULL, POLICY("x", "q", A EGRESS "egress: [{to: [{ipBlock: {cidr: 10.32.2.11/32}}, {ipBlock: {cidr: "
	  "\"fd00:32::2:11/128\"}}]}]"), "TCP", 80, 0 },
	{ "37 directions do not mix", POLICY("x", "i", A "ingress: [{from: [" NS_Y "]}]")
	  POLICY("x", "e", A EGRESS "egress: [{to: [{namespaceSelector: {matchLabels: {ns: z}}}]}]"), "TCP", 80, 10 },
	{ "38 SCTP opens no TCP", POLICY("x", "p", A "ingress: [{ports: [{port: 81, protocol: SCTP}]}]"), "TCP", 81, 8 },
	{ "39 SCTP isolates", POLICY("x", "p", A "ingress: [{ports: [{port: 80, protocol: SCTP}]}]"), "TCP", 80, 8 },
	{ "40 UDP opens no TCP", POLICY("x", "p", A "ingress: [{ports: [{port: 81, protocol: UDP}]}]"), "TCP", 81, 8 },
	{ NULL, "", "UDP", 81, 0 },
	{ "41 name label", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchLabels: "
	  "{kubernetes.io/metadata.name: y}}}]}]"), "TCP", 80, 5 },
	{ "42 name label NotIn", POLICY("x", "p", A EGRESS "egress: [{to: [{namespaceSelector: {matchExpressions: "
	  "[{key: kubernetes.io/metadata.name, operator: NotIn, values: [y]}]}}]}]"), "TCP", 80, 3 },
	{ "43 UDP default-deny", POLICY("x", "p", ALL "policyTypes: [Ingress]"), "UDP", 80, 24 },
	{ "44 UDP port", POLICY("x", "p", A "ingress: [{from: [" NS_Y "], ports: [{port: 81, protocol: UDP}]}]"), "UDP", 81, 5 },
	{ NULL, "", "UDP", 80, 8 },
	{ "45 UDP one pod", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y}}, "
	  "podSelector: {matchLabels: {pod: a}}}]}]"), "UDP", 80, 7 },
	{ "46 SCTP default-deny", POLICY("x", "p", ALL "policyTypes: [Ingress]"), "SCTP", 80, 24 },
	{ "47 SCTP port", POLICY("x", "p", A "ingress: [{from: [" NS_Y "], ports: [{port: 81, protocol: SCTP}]}]"), "SCTP", 81, 5 },
	{ NULL, "", "SCTP", 80, 8 },
	{ "48 SCTP one pod", POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y}}, "
	  "podSelector: {matchLabels: {pod: a}}}]}]"), "SCTP", 80, 7 },
	/* Beyond the suite. */
	{ "49 endPort", POLICY("x", "p", A "ingress: [{ports: [{port: 70, endPort: 80}]}]"), "TCP", 80, 0 },
	{ NULL, "", "TCP", 81, 8 },
	{ "50 a named port that differs", POLICY("x", "p", ALL "ingress: [{ports: [{port: odd}]}]"), "TCP", 80, 16 },
	{ NULL, "", "TCP", 81, 8 },
	{ "51 egress to it", POLICY("x", "p", A EGRESS "egress: [{ports: [{port: odd}]}]"), "TCP", 80, 5 },
	{ NULL, "", "TCP", 81, 3 },
	{ "52 egress to it within a block", POLICY("x", "p", A EGRESS "egress: [{to: [{ipBlock: {cidr: 10.32.2.0/24}}, "
	  "{ipBlock: {cidr: \"fd00:32::2:0/112\"}}], ports: [{port: odd}]}]"), "TCP", 81, 6 },
	{ "53 an unknown name", POLICY("x", "p", ALL "ingress: [{ports: [{port: nobody}]}]"), "TCP", 80, 24 },
	{ "54 a name of another protocol", POLICY("x", "p", ALL "ingress: [{ports: [{port: odd, protocol: UDP}]}]"), "TCP", 80, 24 },
};

static void apply_step(struct world *w, const struct step *s)
{
	const char *text = s->policies;

	if (*text == '-') {
		world_delete(w, KIND_POLICY, text + 1);
		return;
	}
	if (!strncmp(text, "pod ", 4)) {
		cleanup_free char *more = xasprintf(", %s", text + 8);

		put_pod(w, text[4] - 'x', text[6] - 'a', more);
		world_run(w);
		return;
	}
	world_apply(w, text);
}

static void e2e_cases(void **state)
{
	struct world w = {};
	const char *title = NULL;
	int v6, denied, cases = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (steps[i].title) {
			if (title)
				world_free(&w);
			title = steps[i].title;
			cases++;
			nine_pods(&w);
		}
		apply_step(&w, &steps[i]);
		assert_string_equal(w.complaints, "");
		for (v6 = 0; v6 < 2; v6++) {
			denied = compare(&w, title, steps[i].proto, steps[i].port, v6);
			if (denied != steps[i].denied)
				fail_msg("%s: %s %d: %d pairs are denied, not %d", title, steps[i].proto,
					 steps[i].port, denied, steps[i].denied);
		}
	}
	assert_int_equal(cases, 54);
	world_free(&w);
}

/* --- what is published, in the letter ------------------------------------------------------------ */

static void group_contents(void **state)
{
	struct world w;

	(void)state;
	nine_pods(&w);
	world_apply(&w, POLICY("x", "p", A BOTH ", ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.1.0.0/16]}}], "
			       "ports: [{port: 80, endPort: 90}, {protocol: UDP}]}], egress: [{}]"));
	assert_spec(&w, RES_SECURITY_GROUP, "x/policy-p", "enforce", "[\"ingress\",\"egress\"]");
	assert_spec(&w, RES_SECURITY_GROUP, "x/policy-p", "rules",
		    "[{\"direction\":\"ingress\",\"name\":\"policy x/p ingress[0].from[0].ports[0]\",\"protocol\":\"TCP\","
		    "\"ports\":{\"from\":80,\"to\":90},\"peer\":{\"prefix\":\"10.0.0.0/8\",\"except\":[\"10.1.0.0/16\"]}},"
		    "{\"direction\":\"ingress\",\"name\":\"policy x/p ingress[0].from[0].ports[1]\",\"protocol\":\"UDP\","
		    "\"peer\":{\"prefix\":\"10.0.0.0/8\",\"except\":[\"10.1.0.0/16\"]}},"
		    "{\"direction\":\"egress\",\"name\":\"policy x/p egress[0]\"}]");
	assert_spec(&w, RES_INTERFACE, "x/a", "securityGroups", "[\"x/policy-p\"]");
	assert_spec(&w, RES_INTERFACE, "x/b", "securityGroups", "[]");
	world_free(&w);
}

/* Peers that mean the same share one group, however and wherever they are written. */
static void identity_groups_are_shared(void **state)
{
	struct world w;

	(void)state;
	nine_pods(&w);
	world_apply(&w, POLICY("x", "p", A "ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y, t: u}}}]}]")
		    POLICY("z", "q", A "ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: t, operator: In, "
			   "values: [u]}, {key: ns, operator: In, values: [y, y]}]}}]}]"));
	assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 3);
	world_delete(&w, KIND_POLICY, "x/p");
	assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 2);
	world_delete(&w, KIND_POLICY, "z/q");
	assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 0);
	assert_int_equal(w.model.groups.n, 0);
	assert_int_equal(w.model.group_names.n, 0);
	assert_int_equal(w.model.group_index.n, 0);
	world_free(&w);
}

/* A policy's name may have 253 characters; a group's "namespace/name" stays within the label's 319. */
static void long_names(void **state)
{
	static const char pod[] = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: %s, "
		"annotations: {kubernetes.io/config.hash: abc}}, spec: {nodeName: n, containers: "
		"[{ports: [{name: http, containerPort: 80}]}]}}\n---\n";
	char name[254], ns[64];
	struct world w;
	int i;

	(void)state;
	memset(name, 'n', 253);
	memset(ns, 's', 63);
	name[253] = ns[63] = '\0';
	world_init(&w, PODS, SERVICES);
	for (i = 0; i < 2; i++) {
		cleanup_free char *yaml = NULL, *pods_ = NULL;

		name[252] = 'a' + i;
		pods_ = xasprintf(pod, ns);
		yaml = xasprintf("%s{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: %s, "
				 "namespace: %s}, spec: {podSelector: {}, ingress: [{%s}]}}", pods_, name, ns,
				 i ? "ports: [{port: http}]" : "");
		world_apply(&w, yaml);
	}
	assert_string_equal(w.complaints, "");
	assert_int_equal(w.store.published[RES_SECURITY_GROUP].n, 2);
	map_for_each(&w.store.published[RES_SECURITY_GROUP], node)
		assert_true(strlen(node->key) <= 64 + 253 && strlen(node->key) <= 319);
	map_for_each(&w.store.published[RES_INTERFACE], node)
		assert_published(&w, RES_INTERFACE, node->key,
			 "\"annotations\":{\"kubernetes.io/config.hash\":\"abc\"}");
	world_free(&w);
}

static void expect_events(struct world *w, const char *want)
{
	char *got = xstrdup(""), *more;
	json_t *event;
	size_t i;

	json_array_foreach(w->events, i, event) {
		json_t *obj = json_object_get(event, "object"), *meta = json_object_get(obj, "metadata");

		more = xasprintf("%s%s %s %s/%s\n", got, str(event, "type"), str(obj, "kind"),
				 str(meta, "namespace"), str(meta, "name"));
		free(got);
		got = more;
	}
	assert_string_equal(got, want);
	free(got);
}

static void labels_move_memberships_only(void **state)
{
	struct world w;

	(void)state;
	nine_pods(&w);
	world_apply(&w, POLICY("x", "p", A "ingress: [{from: [{podSelector: {matchLabels: {role: api}}}], ports: [{port: odd}]}]"));
	put_pod(&w, 0, 1, ", role: api");
	world_run(&w);
	expect_events(&w, "MODIFIED VirtualMachineInterface x/b\n");
	put_pod(&w, 0, 1, ", role: api");
	world_run(&w);
	expect_events(&w, "");
	put_pod(&w, 0, 1, ", role: api, other: label");
	world_run(&w);
	expect_events(&w, "");
	world_apply(&w, POLICY("x", "p", A "ingress: [{from: [{podSelector: {matchExpressions: [{key: role, operator: In, "
			       "values: [api]}]}}], ports: [{port: odd}]}]"));
	expect_events(&w, "");
	world_free(&w);
}

/* A host-network pod, one without a node and one that has ended are in no group. */
static void pods_that_are_not_selected(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(&w, POLICY("default", "p", ALL "ingress: [{from: [{podSelector: {}}]}]")
		    "{apiVersion: v1, kind: Pod, metadata: {name: host}, spec: {nodeName: n, hostNetwork: true}}\n---\n"
		    "{apiVersion: v1, kind: Pod, metadata: {name: done}, spec: {nodeName: n}, status: {phase: Succeeded}}\n---\n"
		    "{apiVersion: v1, kind: Pod, metadata: {name: nowhere}, spec: {}}\n---\n"
		    "{apiVersion: v1, kind: Pod, metadata: {name: pod}, spec: {nodeName: n}}");
	assert_int_equal(w.store.published[RES_INTERFACE].n, 1);
	assert_string_equal(w.complaints, "t.yaml:7: Pod default/nowhere: spec.nodeName: is not given, and there "
			    "are 0 nodes to choose from; the pod gets no interface\n");
	world_free(&w);
}

/* --- random -------------------------------------------------------------------------------------- */

static json_t *random_peer(void)
{
	static const char *const blocks[] = { "10.32.0.0/12", "10.32.2.0/24", "fd00:32::2:0/112", "10.32.1.10/32" };
	json_t *peer = json_object();

	switch (rnd(4)) {
	case 0:
		json_object_set_new(peer, "podSelector", random_selector());
		break;
	case 1:
		json_object_set_new(peer, "namespaceSelector", random_selector());
		break;
	case 2:
		json_object_set_new(peer, "podSelector", random_selector());
		json_object_set_new(peer, "namespaceSelector", random_selector());
		break;
	default:
		json_object_set_new(peer, "ipBlock", json_pack("{s:s}", "cidr", blocks[rnd(4)]));
		if (rnd(2))
			json_object_set_new(peer, "ipBlock", json_pack("{s:s, s:[s]}", "cidr", "10.32.0.0/12",
								       "except", "10.32.2.0/24"));
	}
	return peer;
}

static json_t *random_port(void)
{
	static const char *const names[] = { "odd", "serve-80-t", "serve-81-u", "nobody" };
	json_t *port = json_pack("{s:s}", "protocol", protos[rnd(3)]);

	switch (rnd(4)) {
	case 0:
		json_object_set_new(port, "port", json_string(names[rnd(4)]));
		break;
	case 1:
		json_object_set_new(port, "port", json_integer(80 + rnd(2)));
		break;
	case 2:
		json_object_set_new(port, "port", json_integer(79 + rnd(2)));
		json_object_set_new(port, "endPort", json_integer(80 + rnd(2)));
	}
	return port;
}

static json_t *random_rules(bool ingress)
{
	json_t *rules = json_array();
	unsigned int i, j, n = rnd(3), m;

	for (i = 0; i < n; i++) {
		json_t *peers = json_array(), *ports = json_array();

		for (m = rnd(3), j = 0; j < m; j++)
			json_array_append_new(peers, random_peer());
		for (m = rnd(3), j = 0; j < m; j++)
			json_array_append_new(ports, random_port());
		json_array_append_new(rules, json_pack("{s:o, s:o}", ingress ? "from" : "to", peers, "ports", ports));
	}
	return rules;
}

static void random_policy(struct world *w)
{
	char name[4] = { 'p', '0' + rnd(4), 0 };
	const char *ns = namespaces[rnd(3)];
	cleanup_free char *key = xasprintf("%s/%s", ns, name);
	json_t *obj;

	if (rnd(4) == 0) {
		model_del(&w->model, KIND_POLICY, key);
		return;
	}
	obj = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:o, s:o, s:o}}", "apiVersion", "networking.k8s.io/v1",
			"kind", "NetworkPolicy", "metadata", "name", name, "namespace", ns, "spec",
			"podSelector", random_selector(), "ingress", random_rules(true), "egress", random_rules(false));
	if (rnd(2))
		json_object_set_new(json_object_get(obj, "spec"), "policyTypes",
				    rnd(2) ? json_pack("[s]", rnd(2) ? "Ingress" : "Egress") :
				    json_pack("[s, s]", "Ingress", "Egress"));
	world_read(w, obj, NULL, 1);
	json_decref(obj);
}

static void random_change(struct world *w)
{
	static const char *const more[] = { "", ", role: api", ", role: x" };

	switch (rnd(5)) {
	case 0:
		put_pod(w, rnd(3), rnd(3), more[rnd(3)]);
		break;
	case 1:
		put_namespace(w, namespaces[rnd(3)], more[rnd(3)]);
		break;
	default:
		random_policy(w);
	}
}

static void random_changes(void **state)
{
	unsigned int round, i, n, proto;
	struct world w;

	(void)state;
	for (round = 1; round <= 60; round++) {
		seed = round * 7919;
		nine_pods(&w);
		for (i = 0; i < 12; i++) {
			for (n = rnd(4); n; n--)
				random_change(&w);
			world_run(&w);
			proto = rnd(3);
			compare(&w, "random", protos[proto], 80, rnd(2));
			compare(&w, "random", protos[proto], 81, rnd(2));
		}
		same_as_fresh(&w);
		world_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e2e_cases),
		cmocka_unit_test(group_contents),
		cmocka_unit_test(identity_groups_are_shared),
		cmocka_unit_test(long_names),
		cmocka_unit_test(labels_move_memberships_only),
		cmocka_unit_test(pods_that_are_not_selected),
		cmocka_unit_test(random_changes),
	};

	return cmocka_run_group_tests_name("manager: network policies", tests, NULL, NULL);
}
