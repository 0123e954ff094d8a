/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Three namespaces x, y, z with pods a, b, c each, as Kubernetes' e2e suite has them; what is
 * published of policies over them compared with what the manifests say.
 */
#ifndef TEST_MANAGER_NINE_H
#define TEST_MANAGER_NINE_H

#include "test_manager_naive.h"

#define PODS "10.32.0.0/12,fd00:32::/64"
#define SERVICES "10.96.0.0/12,fd00:96::/112"

static const char *const namespaces[] = { "x", "y", "z" };
static const char *const pods[] = { "a", "b", "c" };
static const char *const protos[] = { "TCP", "UDP", "SCTP" };

/* --- the nine pods --------------------------------------------------------------------- */

static inline void put_namespace(struct world *w, const char *name, const char *more)
{
	cleanup_free char *yaml = xasprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, "
					    "labels: {ns: %s%s}}}", name, name, more);

	world_put(w, yaml);
}

/* Serves 80 and 81 in each protocol, under names; "odd" is 80 on one pod and 81 on the others. */
static inline void put_pod(struct world *w, int n, int p, const char *more)
{
	char *ports = xstrdup(""), *next;
	cleanup_free char *yaml = NULL;
	int i, num;

	for (num = 80; num <= 81; num++) {
		for (i = 0; i < 3; i++) {
			next = xasprintf("%s{name: serve-%d-%c, containerPort: %d, protocol: %s}, ", ports, num,
					 protos[i][0] + 'a' - 'A', num, protos[i]);
			free(ports);
			ports = next;
		}
	}
	yaml = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %s, labels: {pod: %s%s}},"
			 " spec: {nodeName: n1, containers: [{name: c, ports: [%s"
			 "{name: odd, containerPort: %d}]}]},"
			 " status: {podIPs: [{ip: 10.32.%d.%d}, {ip: \"fd00:32::%d:%d\"}]}}",
			 pods[p], namespaces[n], pods[p], more, ports, p == 1 ? 80 : 81, n + 1, p + 10, n + 1, p + 10);
	free(ports);
	world_put(w, yaml);
}

static inline void nine_pods(struct world *w)
{
	int n, p;

	world_init(w, PODS, SERVICES);
	for (n = 0; n < 3; n++) {
		put_namespace(w, namespaces[n], "");
		for (p = 0; p < 3; p++)
			put_pod(w, n, p, "");
	}
	world_run(w);
}

/* Compares all pairs, and returns how many are denied. A pod's talk with itself is not looked at. */
static inline int compare(struct world *w, const char *title, const char *proto, int port, bool v6)
{
	char src[8], dst[8];
	struct probe p = { src, dst, proto, port, v6 };
	int s, d, denied = 0;

	for (s = 0; s < 9; s++) {
		for (d = 0; d < 9; d++) {
			bool naive;

			if (s == d)
				continue;
			sprintf(src, "%s/%s", namespaces[s / 3], pods[s % 3]);
			sprintf(dst, "%s/%s", namespaces[d / 3], pods[d % 3]);
			naive = naive_allows(w, &p);
			if (emitted_allows(w, &p) != naive)
				fail_msg("%s: %s -> %s %s %d IPv%d: published rules %s it, the policies %s", title,
					 src, dst, proto, port, v6 ? 6 : 4, naive ? "deny" : "allow",
					 naive ? "do not" : "do");
			denied += !naive;
		}
	}
	return denied;
}

#define POLICY(ns, name, spec) "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, " \
	"metadata: {name: " name ", namespace: " ns "}, spec: {" spec "}}\n---\n"

/* --- random ------------------------------------------------------------------------------ */

static unsigned int seed;

static inline unsigned int rnd(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static inline json_t *random_selector(void)
{
	static const char *const keys[] = { "pod", "ns", "role" };
	static const char *const values[] = { "a", "b", "x", "y", "api" };
	static const char *const ops[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	json_t *sel = json_object(), *exprs = json_array();
	unsigned int i, n = rnd(3), op;

	if (rnd(3) == 0)
		json_object_set_new(sel, "matchLabels", json_pack("{s:s}", keys[rnd(3)], values[rnd(5)]));
	for (i = 0; i < n; i++) {
		op = rnd(4);
		json_array_append_new(exprs, op < 2 ?
			json_pack("{s:s, s:s, s:[s, s]}", "key", keys[rnd(3)], "operator", ops[op], "values",
				  values[rnd(5)], values[rnd(5)]) :
			json_pack("{s:s, s:s}", "key", keys[rnd(3)], "operator", ops[op]));
	}
	json_object_set_new(sel, "matchExpressions", exprs);
	return sel;
}

/* What came of many changes is what the last state gives at once. */
static inline void same_as_fresh(struct world *w)
{
	struct world fresh;
	int k;

	world_init(&fresh, PODS, SERVICES);
	for (k = 0; k < OBJECT_KINDS; k++)
		map_for_each(&w->model.objects[k], node)
			world_read(&fresh, ((struct object *)node->value)->source, NULL, 1);
	world_run(&fresh);
	for (k = 0; k < STORED_KINDS; k++) {
		assert_int_equal(fresh.store.published[k].n, w->store.published[k].n);
		map_for_each(&fresh.store.published[k], node)
			if (!json_equal(world_spec(&fresh, k, node->key), world_spec(w, k, node->key)))
				fail_msg("%s differs from a fresh translation", node->key);
	}
	world_free(&fresh);
}

#endif
