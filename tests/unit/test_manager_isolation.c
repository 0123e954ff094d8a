// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/*
 * Isolation of namespaces and apps: who reaches whom by the published groups, as a matrix, while
 * annotations, labels, services and policies change under live pods.
 */
#include "test_manager_naive.h"

#define PODS "10.32.0.0/12,fd00:32::/64"
#define SERVICES "10.96.0.0/12,fd00:96::/112"
#define N 6

static const char *const pods[N] = { "shop/a", "shop/b", "bank/a", "bank/b", "kube-system/a", "kube-system/b" };

static void put_namespace(struct world *w, const char *name, const char *notes)
{
	cleanup_free char *yaml = xasprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {ns: %s}, "
					    "annotations: {%s}}}", name, name, notes);

	world_apply(w, yaml);
}

static void put_pod(struct world *w, int i, const char *labels)
{
	const char *slash = strchr(pods[i], '/');
	cleanup_free char *yaml = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %.*s, "
					    "labels: {pod: %s%s}}, spec: {nodeName: n1, containers: [{name: c}]}, status: "
					    "{podIPs: [{ip: 10.32.1.%d}, {ip: \"fd00:32::1:%d\"}]}}", slash + 1,
					    (int)(slash - pods[i]), pods[i], slash + 1, labels, 10 + i, 10 + i);

	world_apply(w, yaml);
}

static int set_up(void **state)
{
	struct world *w = xzalloc(sizeof(*w));
	int i;

	world_init(w, PODS, SERVICES);
	put_namespace(w, "shop", "");
	put_namespace(w, "bank", "");
	put_namespace(w, "kube-system", "");
	for (i = 0; i < N; i++)
		put_pod(w, i, "");
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

/* A row for each sender, a column for each receiver: 'x' reached, '.' not, '-' itself. */
static void expect(struct world *w, const char *what, const char *const want[N])
{
	char row[N + 1] = "";
	int s, d, v6;

	for (v6 = 0; v6 < 2; v6++) {
		for (s = 0; s < N; s++) {
			for (d = 0; d < N; d++) {
				struct probe p = { pods[s], pods[d], "TCP", 80, v6 };

				row[d] = s == d ? '-' : emitted_allows(w, &p) ? 'x' : '.';
			}
			if (strcmp(row, want[s]))
				fail_msg("%s: IPv%d: %s reaches %s, not %s", what, v6 ? 6 : 4, pods[s], row, want[s]);
		}
	}
}

#define FROM_SHOP "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: in, namespace: bank}, " \
	"spec: {podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: shop}}}]}]}}"
#define TO_SHOP "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: bank}, " \
	"spec: {podSelector: {matchLabels: {pod: b}}, policyTypes: [Egress], " \
	"egress: [{to: [{namespaceSelector: {matchLabels: {ns: shop}}, podSelector: {matchLabels: {pod: b}}}]}]}}"

static const char *const all_open[N] = { "-xxxxx", "x-xxxx", "xx-xxx", "xxx-xx", "xxxx-x", "xxxxx-" };

static void of_namespace(void **state)
{
	struct world *w = *state;

	expect(w, "not isolated", all_open);
	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	expect(w, "bank is isolated", (const char *const[N]){ "-x..xx", "x-..xx", "..-xxx", "..x-xx", "xx..-x", "xx..x-" });
	world_apply(w, FROM_SHOP);
	expect(w, "a policy opens bank/a to shop, and to nobody else",
	       (const char *const[N]){ "-xx.xx", "x-x.xx", "..-xxx", "...-xx", "xx..-x", "xx..x-" });
	world_apply(w, TO_SHOP);
	expect(w, "a policy opens the way from bank/b to shop/b, and to nobody else",
	       (const char *const[N]){ "-xx.xx", "x-x.xx", "..-xxx", ".x.-..", "xx..-x", "xx..x-" });
	put_namespace(w, "bank", "opencontrail.org/isolation: \"false\"");
	expect(w, "without isolation the policies hold",
	       (const char *const[N]){ "-xxxxx", "x-xxxx", "xx-xxx", ".x.-..", "xx.x-x", "xx.xx-" });
	world_delete(w, KIND_POLICY, "bank/in");
	world_delete(w, KIND_POLICY, "bank/out");
	expect(w, "without both", all_open);
	assert_null(store_get(&w->store, RES_SECURITY_GROUP, "bank/isolation-ingress"));
}

static void of_both_namespaces(void **state)
{
	struct world *w = *state;

	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	put_namespace(w, "shop", "opencontrail.org/isolation: \"true\"");
	expect(w, "two isolated namespaces",
	       (const char *const[N]){ "-x..xx", "x-..xx", "..-xxx", "..x-xx", "....-x", "....x-" });
	/* both sides have to open it: the sender's egress and the receiver's ingress */
	world_apply(w, FROM_SHOP);
	expect(w, "one side is open", (const char *const[N]){ "-x..xx", "x-..xx", "..-xxx", "...-xx", "....-x", "....x-" });
	world_apply(w, "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: shop}, "
		    "spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]}}");
	expect(w, "both are", (const char *const[N]){ "-xx.xx", "x-x.xx", "..-xxx", "...-xx", "....-x", "....x-" });
}

static void of_app(void **state)
{
	struct world *w = *state;

	put_pod(w, 0, ", opencontrail.org/name: web");
	expect(w, "shop/a is an app",
	       (const char *const[N]){ "-...xx", ".-xxxx", ".x-xxx", ".xx-xx", ".xxx-x", ".xxxx-" });
	put_pod(w, 1, ", opencontrail.org/name: web");
	put_pod(w, 2, ", opencontrail.org/name: web");
	expect(w, "and so is shop/b, and another in bank",
	       (const char *const[N]){ "-x..xx", "x-..xx", "..-.xx", "...-xx", "...x-x", "...xx-" });
	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	expect(w, "an app in an isolated namespace is apart from it",
	       (const char *const[N]){ "-x..xx", "x-..xx", "..-.xx", "...-xx", "....-x", "....x-" });
	put_namespace(w, "bank", "");
	put_pod(w, 0, "");
	put_pod(w, 1, "");
	put_pod(w, 2, "");
	expect(w, "no more", all_open);
	world_apply(w, "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop, labels: {opencontrail.org/name: db}}, "
		    "spec: {selector: {pod: b}, ports: [{port: 80}]}}");
	expect(w, "the label of a service is that of its pods",
	       (const char *const[N]){ "-.xxxx", ".-..xx", "x.-xxx", "x.x-xx", "x.xx-x", "x.xxx-" });
	world_apply(w, "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop, labels: {opencontrail.org/name: db}}, "
		    "spec: {selector: {pod: a}, ports: [{port: 80}]}}");
	expect(w, "its selector moves",
	       (const char *const[N]){ "-...xx", ".-xxxx", ".x-xxx", ".xx-xx", ".xxx-x", ".xxxx-" });
	world_delete(w, KIND_SERVICE, "shop/s");
	expect(w, "the service is gone", all_open);
}

/* A pod cannot say that it is in a domain. */
static void forged(void **state)
{
	struct world *w = *state;

	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	put_pod(w, 0, ", isolation.opencontrail.org/domain: bank");
	put_pod(w, 3, ", isolation.opencontrail.org/domain: shop");
	expect(w, "labels of users", (const char *const[N]){ "-x..xx", "x-..xx", "..-xxx", "..x-xx", "xx..-x", "xx..x-" });
}

static bool has_outside(struct world *w)
{
	json_t *rule, *rules = json_object_get(world_spec(w, RES_SECURITY_GROUP, "bank/isolation-egress"), "rules");
	size_t i;

	json_array_foreach(rules, i, rule) {
		const char *prefix = json_string_value(json_object_get(json_object_get(rule, "peer"), "prefix"));

		if (prefix && !strcmp(prefix, "0.0.0.0/0")) {
			assert_string_equal(json_string_value(json_array_get(json_object_get(json_object_get(rule, "peer"),
				"except"), 0)), "10.32.0.0/12");
			return true;
		}
	}
	return false;
}

static void outside(void **state)
{
	struct world *w = *state;

	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	assert_true(has_outside(w));
	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\", opencontrail.org/ip_fabric_snat: \"false\"");
	assert_false(has_outside(w));
	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	assert_true(has_outside(w));
}

/* A user's policy of a name like the manager's own is another group. */
static void namesake(void **state)
{
	struct world *w = *state;

	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	world_apply(w, "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: isolation-ingress, "
		    "namespace: bank}, spec: {podSelector: {matchLabels: {pod: a}}, ingress: [{}]}}");
	assert_non_null(store_get(&w->store, RES_SECURITY_GROUP, "bank/isolation-ingress"));
	assert_non_null(store_get(&w->store, RES_SECURITY_GROUP, "bank/policy-isolation-ingress"));
	expect(w, "open to all", (const char *const[N]){ "-xx.xx", "x-x.xx", "..-xxx", "..x-xx", "xxx.-x", "xxx.x-" });
}

/* Work for one pod of an isolated namespace leaves the others' groups alone. */
static void one_change(void **state)
{
	struct world *w = *state;
	json_t *event;
	size_t i;

	put_namespace(w, "bank", "opencontrail.org/isolation: \"true\"");
	put_pod(w, 3, ", more: x");
	json_array_foreach(w->events, i, event) {
		assert_string_not_equal(json_string_value(json_object_get(json_object_get(event, "object"), "kind")),
					"SecurityGroup");
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(of_namespace), CASE(of_both_namespaces), CASE(of_app), CASE(forged), CASE(outside), CASE(namesake),
		CASE(one_change),
	};

	return cmocka_run_group_tests_name("manager: isolation", tests, NULL, NULL);
}
