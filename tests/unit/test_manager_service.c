// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* Services: cluster addresses, endpoints, what is served and what is not. */
#include "test_manager_world.h"

#define POD(name, ip, more) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: web}}, " \
	"spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}, " \
	"{name: dns, containerPort: 53, protocol: UDP}]}]}, status: {podIP: " ip more "}}\n---\n"
#define SERVICE(name, spec) "{apiVersion: v1, kind: Service, metadata: {name: " name "}, spec: {" spec "}}\n---\n"
#define LABELLED(name, label, spec) "{apiVersion: v1, kind: Service, metadata: {name: " name ", labels: {" label \
	"}}, spec: {" spec "}}\n---\n"
#define WEB "selector: {app: web}, clusterIP: 10.96.0.80, ports: [{name: http, port: 80, targetPort: http}]"
#define NOT_READY ", conditions: [{type: Ready, status: 'False'}]"

#define MEMBER(ip, port, state, name) "{\"address\":\"" ip "\",\"port\":" #port ",\"weight\":1,\"state\":\"" state \
	"\",\"node\":\"n1\",\"target\":\"default/" name "\"}"

static void set_up(struct world *w)
{
	world_init(w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(w, POD("a", "10.32.0.10", "") POD("b", "10.32.0.11", ""));
	assert_string_equal(w->complaints, "");
}

static void cluster_ip(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB));
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "vips", "[\"10.96.0.80\"]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "listeners", "[{\"name\":\"http\",\"protocol\":\"TCP\","
		    "\"port\":80,\"pools\":{\"IPv4\":\"default/web.http\"}}]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sessionAffinity", "null");
	assert_spec(&w, RES_POOL, "default/web.http", "members",
		    "[" MEMBER("10.32.0.10", 8080, "active", "a") "," MEMBER("10.32.0.11", 8080, "active", "b") "]");
	assert_spec(&w, RES_INSTANCE_IP, "/10.96.0.80", "loadBalancer", "\"default/web\"");
	/* A label that takes a pod out, and a deleted pod. */
	world_apply(&w, "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: db}}, spec: {nodeName: n1}}");
	assert_spec(&w, RES_POOL, "default/web.http", "members", "[" MEMBER("10.32.0.11", 8080, "active", "b") "]");
	world_delete(&w, KIND_POD, "default/b");
	assert_spec(&w, RES_POOL, "default/web.http", "members", "[]");
	world_delete(&w, KIND_SERVICE, "default/web");
	assert_int_equal(w.store.published[RES_LOAD_BALANCER].n + w.store.published[RES_POOL].n, 0);
	assert_null(store_get(&w.store, RES_INSTANCE_IP, "/10.96.0.80"));
	assert_int_equal(w.model.service_index.n, 0);
	world_free(&w);
}

static void states_of_pods(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB) POD("a", "10.32.0.10", NOT_READY));
	assert_spec(&w, RES_POOL, "default/web.http", "members", "[" MEMBER("10.32.0.11", 8080, "active", "b") "]");
	world_apply(&w, SERVICE("web", WEB ", publishNotReadyAddresses: true"));
	assert_spec(&w, RES_POOL, "default/web.http", "members",
		    "[" MEMBER("10.32.0.10", 8080, "active", "a") "," MEMBER("10.32.0.11", 8080, "active", "b") "]");
	world_apply(&w, SERVICE("web", WEB)
		    "{apiVersion: v1, kind: Pod, metadata: {name: b, labels: {app: web}, deletionTimestamp: "
		    "'2026-01-01T00:00:00Z'}, spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, "
		    "containerPort: 8080}]}]}}");
	assert_spec(&w, RES_POOL, "default/web.http", "members", "[" MEMBER("10.32.0.11", 8080, "draining", "b") "]");
	world_apply(&w, POD("b", "10.32.0.11", ", phase: Failed"));
	assert_spec(&w, RES_POOL, "default/web.http", "members", "[]");
	assert_null(store_get(&w.store, RES_INTERFACE, "default/b"));
	world_free(&w);
}

/* Named ports: by pod, by protocol; a pod without the name is left out. */
static void ports(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, "{apiVersion: v1, kind: Pod, metadata: {name: b, labels: {app: web}}, spec: {nodeName: n1, "
		    "containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}}\n---\n"
		    SERVICE("web", "selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, "
			    "{name: same, port: 81}, {name: dns, port: 53, protocol: UDP, targetPort: dns}, "
			    "{name: dns-tcp, port: 53, targetPort: dns}]"));
	assert_spec(&w, RES_POOL, "default/web.http", "members",
		    "[" MEMBER("10.32.0.10", 8080, "active", "a") "," MEMBER("10.32.0.11", 9090, "active", "b") "]");
	assert_spec(&w, RES_POOL, "default/web.same", "members",
		    "[" MEMBER("10.32.0.10", 81, "active", "a") "," MEMBER("10.32.0.11", 81, "active", "b") "]");
	assert_spec(&w, RES_POOL, "default/web.dns", "members", "[" MEMBER("10.32.0.10", 53, "active", "a") "]");
	assert_spec(&w, RES_POOL, "default/web.dns", "protocol", "\"UDP\"");
	assert_spec(&w, RES_POOL, "default/web.dns-tcp", "members", "[]");
	world_apply(&w, SERVICE("web", "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]"));
	assert_int_equal(w.store.published[RES_POOL].n, 1);
	assert_non_null(store_get(&w.store, RES_POOL, "default/web.80-tcp"));
	world_free(&w);
}

static void affinity(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB ", sessionAffinity: ClientIP"));
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sessionAffinity", "{\"timeoutSeconds\":10800}");
	world_apply(&w, SERVICE("web", WEB ", sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}"));
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sessionAffinity", "{\"timeoutSeconds\":5}");
	world_apply(&w, SERVICE("web", WEB ", sessionAffinity: None"));
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sessionAffinity", "null");
	world_free(&w);
}

static void not_served(void **state)
{
	static const char *const others[] = {
		SERVICE("web", "type: ExternalName, externalName: example.com, ports: [{port: 80}]"),
		SERVICE("web", "type: ExternalName, externalName: example.com"),
		SERVICE("web", "clusterIP: None, selector: {app: web}, ports: [{port: 80}]"),
		SERVICE("web", "clusterIP: None, selector: {app: web}"),
		LABELLED("web", "service.kubernetes.io/service-proxy-name: foo", WEB),
		LABELLED("web", "service.kubernetes.io/headless: ''", WEB),
	};
	struct world w;
	size_t i;

	(void)state;
	set_up(&w);
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		world_apply(&w, SERVICE("web", WEB));
		assert_spec(&w, RES_LOAD_BALANCER, "default/web", "vips", "[\"10.96.0.80\"]");
		world_apply(&w, others[i]);
		assert_string_equal(w.complaints, "");
		assert_int_equal(w.store.published[RES_LOAD_BALANCER].n + w.store.published[RES_POOL].n, 0);
		assert_null(store_get(&w.store, RES_INSTANCE_IP, "/10.96.0.80"));
	}
	world_apply(&w, SERVICE("web", "type: NodePort, " WEB));
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "vips", "[\"10.96.0.80\"]");
	world_free(&w);
}

#define SLICE(name, ready) "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " name ", labels: " \
	"{kubernetes.io/service-name: web}}, addressType: IPv4, ports: [{name: http, port: 7000}, {name: x, port: 1}], " \
	"endpoints: [" ready "]}\n---\n"

/* EndpointSlices before Endpoints before the selector. */
/* The last change of all slices is the pool's. */
static void trigger_time(void **state)
{
#define TIMED(name, addr, time) "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " name \
	", labels: {kubernetes.io/service-name: web}, annotations: {endpoints.kubernetes.io/last-change-trigger-time: '" time \
	"'}}, addressType: IPv4, ports: [{name: http, port: 7000}], endpoints: [{addresses: [" addr "]}]}\n---\n"
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB) TIMED("a", "10.32.8.1", "2026-01-31T03:00:09Z") TIMED("b", "10.32.8.2", "2026-01-31T03:00:08Z"));
	assert_published(&w, RES_POOL, "default/web.http",
			 "\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"2026-01-31T03:00:09Z\"}");
	world_free(&w);
}

static void given_endpoints(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB)
		    "{apiVersion: v1, kind: Endpoints, metadata: {name: web}, subsets: [{addresses: [{ip: 10.32.9.1, "
		    "nodeName: n1, targetRef: {kind: Pod, name: e, namespace: default}}], notReadyAddresses: "
		    "[{ip: 10.32.9.2}], ports: [{name: http, port: 9000}]}, {addresses: [{ip: 10.32.9.3}], ports: "
		    "[{name: http, port: 9001}]}]}");
	assert_spec(&w, RES_POOL, "default/web.http", "members", "[" MEMBER("10.32.9.1", 9000, "active", "e") ","
		    "{\"address\":\"10.32.9.3\",\"port\":9001,\"weight\":1,\"state\":\"active\"}]");
	world_apply(&w, SLICE("s1", "{addresses: [10.32.8.1]}, {addresses: [10.32.8.2], conditions: {ready: false}}, "
			      "{addresses: [10.32.8.3], conditions: {ready: false, serving: true, terminating: true}}, "
			      "{addresses: [10.32.8.4], conditions: {ready: false, serving: false, terminating: true}}")
		    SLICE("s2", "{addresses: [10.32.8.1]}, {addresses: [10.32.8.5], conditions: {}, topology: "
			  "{kubernetes.io/hostname: n2}}"));
	assert_spec(&w, RES_POOL, "default/web.http", "members",
		    "[{\"address\":\"10.32.8.1\",\"port\":7000,\"weight\":1,\"state\":\"active\"},"
		    "{\"address\":\"10.32.8.3\",\"port\":7000,\"weight\":1,\"state\":\"draining\"},"
		    "{\"address\":\"10.32.8.5\",\"port\":7000,\"weight\":1,\"state\":\"active\",\"node\":\"n2\"}]");
	world_apply(&w, SERVICE("web", WEB ", publishNotReadyAddresses: true"));
	assert_int_equal(json_array_size(json_object_get(world_spec(&w, RES_POOL, "default/web.http"), "members")), 5);
	world_apply(&w, SERVICE("web", WEB));
	world_delete(&w, KIND_SLICE, "default/s1");
	world_delete(&w, KIND_SLICE, "default/s2");
	world_delete(&w, KIND_ENDPOINTS, "default/web");
	assert_spec(&w, RES_POOL, "default/web.http", "members",
		    "[" MEMBER("10.32.0.10", 8080, "active", "a") "," MEMBER("10.32.0.11", 8080, "active", "b") "]");
	/* No selector and nothing given: an empty pool, so clients are refused at once. */
	world_apply(&w, SERVICE("bare", "ports: [{port: 80}]"));
	assert_spec(&w, RES_POOL, "default/bare.80-tcp", "members", "[]");
	world_free(&w);
}

/* traffic_distribution.go, topology_hints.go: whom an endpoint is meant for is passed on. */
static void hints(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB) SLICE("s1", "{addresses: [10.32.8.1], hints: {forZones: [{name: a}, {name: b}], "
						  "forNodes: [{name: n1}]}}"));
	assert_spec(&w, RES_POOL, "default/web.http", "members",
		    "[{\"address\":\"10.32.8.1\",\"port\":7000,\"weight\":1,\"state\":\"active\","
		    "\"zones\":[\"a\",\"b\"],\"nodes\":[\"n1\"]}]");
	world_apply(&w, "{apiVersion: v1, kind: Node, metadata: {name: n9, labels: {topology.kubernetes.io/zone: a}}}");
	assert_spec(&w, RES_ROUTER, "/n9", "zone", "\"a\"");
	assert_null(json_object_get(world_spec(&w, RES_ROUTER, "/n9"), "leaving"));
	/* the autoscaler is going to delete it; another taint means nothing here */
	world_apply(&w, "{apiVersion: v1, kind: Node, metadata: {name: n9}, spec: {taints: [{key: other, effect: NoSchedule}, "
			"{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}}");
	assert_spec(&w, RES_ROUTER, "/n9", "leaving", "true");
	world_apply(&w, "{apiVersion: v1, kind: Node, metadata: {name: n9, deletionTimestamp: '2026-01-31T03:00:00Z'}}");
	assert_spec(&w, RES_ROUTER, "/n9", "leaving", "true");
	world_apply(&w, "{apiVersion: v1, kind: Node, metadata: {name: n9}, spec: {taints: [{key: other, effect: NoSchedule}]}}");
	assert_null(json_object_get(world_spec(&w, RES_ROUTER, "/n9"), "leaving"));
	world_free(&w);
}

static void host_network_endpoint(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("host", "selector: {app: host}, ports: [{port: 80}]")
		    "{apiVersion: v1, kind: Pod, metadata: {name: h, labels: {app: host}}, spec: {nodeName: n1, "
		    "hostNetwork: true}, status: {podIP: 192.0.2.7}}");
	assert_spec(&w, RES_POOL, "default/host.80-tcp", "members", "[" MEMBER("192.0.2.7", 80, "active", "h") "]");
	assert_null(store_get(&w.store, RES_INTERFACE, "default/h"));
	world_free(&w);
}

static void dual_stack(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "10.32.0.0/12,fd00:32::/64", "10.96.0.0/12,fd00:96::/112");
	world_apply(&w, "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: web}}, spec: {nodeName: n1}, status: "
		    "{podIPs: [{ip: 10.32.0.10}, {ip: \"fd00:32::10\"}]}}\n---\n"
		    SERVICE("one", "clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80}]")
		    SERVICE("six", "clusterIP: \"fd00:96::6\", selector: {app: web}, ports: [{port: 80}]")
		    SERVICE("both", "clusterIP: \"fd00:96::7\", clusterIPs: [\"fd00:96::7\", 10.96.0.7], ipFamilyPolicy: "
			    "RequireDualStack, selector: {app: web}, ports: [{port: 80}]")
		    SERVICE("prefer", "ipFamilyPolicy: PreferDualStack, clusterIP: 10.96.0.8, ports: [{port: 80}]")
		    SERVICE("list", "ipFamilies: [IPv6], ports: [{port: 80}]"));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_LOAD_BALANCER, "default/one", "vips", "[\"10.96.0.1\"]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/six", "vips", "[\"fd00:96::6\"]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/both", "vips", "[\"fd00:96::7\",\"10.96.0.7\"]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/both", "listeners", "[{\"protocol\":\"TCP\",\"port\":80,"
		    "\"pools\":{\"IPv4\":\"default/both.80-tcp\",\"IPv6\":\"default/both.80-tcp.ipv6\"}}]");
	assert_spec(&w, RES_POOL, "default/both.80-tcp.ipv6", "members",
		    "[" MEMBER("fd00:32::10", 80, "active", "a") "]");
	assert_int_equal(json_array_size(json_object_get(world_spec(&w, RES_LOAD_BALANCER, "default/prefer"), "vips")), 2);
	assert_int_equal(json_array_size(json_object_get(world_spec(&w, RES_LOAD_BALANCER, "default/list"), "vips")), 1);
	world_free(&w);
}

#define BALANCED(spec) "{apiVersion: v1, kind: Service, metadata: {name: web%s}, spec: {selector: {app: web}, " spec \
	", ports: [{port: 80, nodePort: 30080}]}, status: {loadBalancer: {ingress: [{ip: 203.0.113.5}]}}}"
#define RANGES_NOTE ", annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: \"%s\"}"

static void apply_balanced(struct world *w, const char *fmt, const char *ranges)
{
	cleanup_free char *note = ranges ? xasprintf(RANGES_NOTE, ranges) : xstrdup("");
	cleanup_free char *text = NULL;

	world_clear(w);
	assert_true(asprintf(&text, fmt, note) > 0);
	world_apply(w, text);
}

/* The field counts, else the old annotation; each once, without host bits. */
static void source_ranges(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	apply_balanced(&w, BALANCED("type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.77/24, \" 2001:db8::/32 \", "
				    "192.0.2.0/24]"), "10.0.0.0/8");
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sourceRanges", "[\"192.0.2.0/24\",\"2001:db8::/32\"]");
	apply_balanced(&w, BALANCED("type: LoadBalancer"), " 10.0.0.0/8,192.0.2.1/32 ");
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sourceRanges", "[\"10.0.0.0/8\",\"192.0.2.1/32\"]");
	apply_balanced(&w, BALANCED("type: LoadBalancer"), NULL);
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sourceRanges", "null");
	/* a health-check port needs a policy by which nodes differ */
	apply_balanced(&w, BALANCED("type: LoadBalancer, healthCheckNodePort: 32000"), NULL);
	assert_non_null(strstr(w.complaints, "spec.healthCheckNodePort: needs type LoadBalancer and "
			       "externalTrafficPolicy Local"));
	world_free(&w);
}

/* Taken addresses are told of once; the service is there as soon as the address is free. */
static void taken_address(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB) SERVICE("zoo", WEB));
	assert_string_equal(w.complaints, "t.yaml:3: Service default/zoo: 10.96.0.80 belongs to service default/web\n");
	assert_null(store_get(&w.store, RES_LOAD_BALANCER, "default/zoo"));
	assert_int_equal(w.model.problems, 1);
	world_run(&w);
	assert_string_equal(w.complaints, "t.yaml:3: Service default/zoo: 10.96.0.80 belongs to service default/web\n");
	world_delete(&w, KIND_SERVICE, "default/web");
	assert_spec(&w, RES_LOAD_BALANCER, "default/zoo", "vips", "[\"10.96.0.80\"]");
	assert_int_equal(w.model.problems, 0);
	world_free(&w);
}

static void kinds_in_order(struct world *w, const char *want)
{
	char *got = xstrdup(""), *more;
	json_t *event;
	size_t i;

	json_array_foreach(w->events, i, event) {
		json_t *obj = json_object_get(event, "object");

		more = xasprintf("%s%c:%s ", got, *json_string_value(json_object_get(event, "type")),
				 json_string_value(json_object_get(obj, "kind")));
		free(got);
		got = more;
	}
	assert_string_equal(got, want);
	free(got);
}

/* What is named comes before what names it; a cluster address is free before its next owner has it. */
static void order_of_events(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("web", WEB));
	kinds_in_order(&w, "A:InstanceIP A:LoadBalancerPool A:LoadBalancer ");
	world_apply(&w, SERVICE("web", WEB));
	kinds_in_order(&w, "");
	model_del(&w.model, KIND_SERVICE, "default/web");
	world_apply(&w, SERVICE("new", WEB) "{apiVersion: v1, kind: Namespace, metadata: {name: n}}");
	kinds_in_order(&w, "D:LoadBalancer A:Project M:InstanceIP A:LoadBalancerPool A:LoadBalancer D:LoadBalancerPool ");
	world_delete(&w, KIND_POD, "default/a");
	kinds_in_order(&w, "M:LoadBalancerPool D:InstanceIP D:VirtualMachineInterface ");
	world_free(&w);
}

static void from_outside(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, "
		    "type: LoadBalancer, externalTrafficPolicy: Local, internalTrafficPolicy: Local, "
		    "externalIPs: [198.51.100.7, 198.51.100.8], healthCheckNodePort: 32000, ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}, "
		    "{name: dns, protocol: UDP, port: 53}]}, "
		    "status: {loadBalancer: {ingress: [{ip: 203.0.113.5}, {hostname: web.example}, "
		    "{ip: 198.51.100.7}, {ip: 203.0.113.6, ipMode: Proxy}]}}}");
	/* What is both is the load balancer's, whose ranges hold. */
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "externalAddresses", "[\"198.51.100.8\"]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "loadBalancerAddresses",
		    "[\"203.0.113.5\",\"198.51.100.7\"]");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "sourceRanges", "null");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "healthCheckNodePort", "32000");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "listeners", "[{\"name\":\"http\",\"protocol\":\"TCP\","
		    "\"port\":80,\"pools\":{\"IPv4\":\"default/web.http\"},\"nodePort\":30080},{\"name\":\"dns\","
		    "\"protocol\":\"UDP\",\"port\":53,\"pools\":{\"IPv4\":\"default/web.dns\"}}]");
	assert_spec(&w, RES_POOL, "default/web.http", "externalTrafficPolicy", "\"Local\"");
	assert_spec(&w, RES_POOL, "default/web.http", "internalTrafficPolicy", "\"Local\"");
	assert_spec(&w, RES_POOL, "default/web.http", "network", "\"default/cluster-network\"");
	/* Without addresses only a port with a number of its own is reached. */
	world_apply(&w, SERVICE("web", "selector: {app: web}, type: NodePort, ports: [{name: http, port: 80, "
				"targetPort: http, nodePort: 30080}, {name: dns, protocol: UDP, port: 53}]"));
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "externalAddresses", "null");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "loadBalancerAddresses", "null");
	assert_spec(&w, RES_LOAD_BALANCER, "default/web", "healthCheckNodePort", "null");
	assert_spec(&w, RES_POOL, "default/web.http", "externalTrafficPolicy", "\"Cluster\"");
	assert_spec(&w, RES_POOL, "default/web.dns", "externalTrafficPolicy", "null");
	assert_spec(&w, RES_POOL, "default/web.http", "internalTrafficPolicy", "null");
	world_clear(&w);
	world_apply(&w, SERVICE("web", "selector: {app: web}, externalTrafficPolicy: Somewhere, ports: [{port: 80}]"));
	assert_non_null(strstr(w.complaints, "spec.externalTrafficPolicy: must be Cluster or Local"));
	world_clear(&w);
	world_apply(&w, SERVICE("web", "selector: {app: web}, type: NodePort, ports: [{name: a, port: 80, "
				"nodePort: 30080}, {name: b, port: 81, nodePort: 30080}]"));
	assert_non_null(strstr(w.complaints, "spec.ports[1].nodePort: 30080 is that of ports[0]"));
	world_free(&w);
}

static void same_place_outside(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE("a", "externalIPs: [198.51.100.7], ports: [{port: 80}]"));
	world_apply(&w, SERVICE("b", "externalIPs: [198.51.100.7], ports: [{name: a, port: 81}, {name: b, port: 80, protocol: UDP}]"));
	assert_string_equal(w.complaints, "");
	world_apply(&w, SERVICE("c", "externalIPs: [198.51.100.8, 198.51.100.7], ports: [{name: a, port: 79}, {name: b, port: 80}]"));
	assert_non_null(strstr(w.complaints, "Service default/c: external address 198.51.100.7, TCP port 80, is that of "
			       "service default/a, too; which of them it reaches is not defined"));
	assert_int_equal(w.model.problems, 1);
	/* one leaves the place: then the other has it alone */
	world_apply(&w, SERVICE("a", "ports: [{port: 80}]"));
	assert_int_equal(w.model.problems, 0);
	/* addresses of the cluster's own are nobody's to take */
	world_clear(&w);
	world_apply(&w, SERVICE("d", "externalIPs: [10.96.0.10, 10.32.0.5, 198.51.100.9], ports: [{port: 80}]"));
	assert_non_null(strstr(w.complaints, "spec.externalIPs[0]: \"10.96.0.10\" is in the cluster's service network, ignored"));
	assert_non_null(strstr(w.complaints, "spec.externalIPs[1]: \"10.32.0.5\" is in the cluster's pod network, ignored"));
	assert_spec(&w, RES_LOAD_BALANCER, "default/d", "externalAddresses", "[\"198.51.100.9\"]");
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_ip),
		cmocka_unit_test(states_of_pods),
		cmocka_unit_test(ports),
		cmocka_unit_test(affinity),
		cmocka_unit_test(not_served),
		cmocka_unit_test(given_endpoints),
		cmocka_unit_test(trigger_time),
		cmocka_unit_test(hints),
		cmocka_unit_test(host_network_endpoint),
		cmocka_unit_test(dual_stack),
		cmocka_unit_test(from_outside),
		cmocka_unit_test(same_place_outside),
		cmocka_unit_test(source_ranges),
		cmocka_unit_test(taken_address),
		cmocka_unit_test(order_of_events),
	};

	return cmocka_run_group_tests_name("manager: services", tests, NULL, NULL);
}
