// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* Health monitors: what is asked, and what nodes say of their members. */
#include "test_manager_world.h"

#define POD(name, ip, node) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: web}}, " \
	"spec: {nodeName: " node ", containers: [{name: c}]}, status: {podIP: " ip "}}\n---\n"
#define MONITOR(spec) "{apiVersion: opencontrail.org/v1, kind: HealthMonitor, metadata: {name: hm}, spec: " spec "}\n---\n"
#define SERVICE(note, ports) "{apiVersion: v1, kind: Service, metadata: {name: web, annotations: {" note \
	"}}, spec: {selector: {app: web}, ports: [" ports "]}}\n---\n"
#define ASKS "opencontrail.org/health-monitor: hm"
#define HTTP80 "{name: http, port: 80, targetPort: 8080}"

#define HEAD "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"MemberHealth\",\"metadata\":{\"name\":"
#define FAILED(node, ip, port) HEAD "\"" node "\"},\"status\":{\"failedMembers\":[{\"healthMonitor\":\"default/hm\"," \
	"\"address\":\"" ip "\",\"port\":" #port ",\"reason\":\"x\",\"since\":\"2026-01-01T00:00:00Z\"}]}}"
#define NONE(node) HEAD "\"" node "\"},\"status\":{\"failedMembers\":[]}}"

static void set_up(struct world *w)
{
	world_init(w, "10.32.0.0/12", "10.96.0.0/12");
	world_apply(w, POD("a", "10.32.0.10", "n1") POD("b", "10.32.0.11", "n2"));
	assert_string_equal(w->complaints, "");
}

static int say(struct world *w, char **peer, const char *text, struct vr_err *err)
{
	json_t *object = json_loads(text, 0, NULL);
	int ret;

	assert_non_null(object);
	ret = model_health(&w->model, peer, object, err);
	json_decref(object);
	world_run(w);
	return ret;
}

/* A node that connects, says this, and goes. */
static void tell(struct world *w, const char *text)
{
	struct vr_err err = {};
	char *peer = NULL;

	if (say(w, &peer, text, &err))
		fail_msg("%s", err.text);
	free(peer);
}

/* The states of the members of a pool, in order: "active failed". */
static void expect_pool(struct world *w, const char *pool, const char *want)
{
	json_t *members = json_object_get(world_spec(w, RES_POOL, pool), "members"), *m;
	char got[256] = "";
	size_t i;

	json_array_foreach(members, i, m) {
		strcat(got, i ? " " : "");
		strcat(got, json_string_value(json_object_get(m, "state")));
	}
	assert_string_equal(got, want);
}

static void expect(struct world *w, const char *want)
{
	expect_pool(w, "default/web.http", want);
}

static void asked(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE(ASKS, HTTP80) MONITOR("{type: HTTP}"));
	assert_string_equal(w.complaints, "");
	assert_spec(&w, RES_POOL, "default/web.http", "healthMonitor",
		    "{\"name\":\"default/hm\",\"type\":\"HTTP\",\"intervalSeconds\":5,\"timeoutSeconds\":3,"
		    "\"healthyThreshold\":2,\"unhealthyThreshold\":3,\"path\":\"/\","
		    "\"expectedStatus\":[{\"from\":200,\"to\":399}]}");
	/* Another one in its place reaches the pool. */
	world_apply(&w, MONITOR("{type: HTTP, intervalSeconds: 2, timeoutSeconds: 1, healthyThreshold: 1, "
				"unhealthyThreshold: 4, port: 81, path: '/a?b=%20c', host: web.test, "
				"expectedStatus: [204, '300-302']}"));
	assert_spec(&w, RES_POOL, "default/web.http", "healthMonitor",
		    "{\"name\":\"default/hm\",\"type\":\"HTTP\",\"intervalSeconds\":2,\"timeoutSeconds\":1,"
		    "\"healthyThreshold\":1,\"unhealthyThreshold\":4,\"port\":81,\"path\":\"/a?b=%20c\","
		    "\"host\":\"web.test\",\"expectedStatus\":[{\"from\":204,\"to\":204},{\"from\":300,\"to\":302}]}");
	world_apply(&w, SERVICE("", HTTP80));
	assert_spec(&w, RES_POOL, "default/web.http", "healthMonitor", "null");
	assert_int_equal(w.model.monitor_users.n, 0);
	world_free(&w);
}

static void not_there(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE(ASKS, HTTP80));
	assert_non_null(strstr(w.complaints, "Service default/web: metadata.annotations[opencontrail.org/health-monitor]: "
			       "there is no HealthMonitor default/hm; its members are not probed"));
	assert_int_equal(w.model.problems, 1);
	assert_spec(&w, RES_POOL, "default/web.http", "healthMonitor", "null");
	expect(&w, "active active");
	world_apply(&w, MONITOR("{type: PING}"));
	assert_int_equal(w.model.problems, 0);
	/* TCP cannot ask a UDP port, unless it has one of its own. */
	world_clear(&w);
	world_apply(&w, MONITOR("{type: TCP}") SERVICE(ASKS, HTTP80 ", {name: dns, port: 53, protocol: UDP}"));
	assert_non_null(strstr(w.complaints, "members of UDP port 53 are not probed"));
	assert_spec(&w, RES_POOL, "default/web.dns", "healthMonitor", "null");
	world_apply(&w, MONITOR("{type: TCP, port: 54}"));
	assert_int_equal(w.model.problems, 0);
	/* And one that goes. */
	tell(&w, FAILED("n1", "10.32.0.10", 54));
	expect(&w, "failed active");
	expect_pool(&w, "default/web.dns", "failed active");
	world_delete(&w, KIND_MONITOR, "default/hm");
	expect(&w, "active active");
	world_free(&w);
}

static void believed(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE(ASKS, HTTP80) MONITOR("{type: TCP}"));
	tell(&w, FAILED("n1", "10.32.0.10", 8080));
	expect(&w, "failed active");
	assert_int_equal(json_array_size(w.events), 1);
	/* The same again is no event. */
	tell(&w, FAILED("n1", "10.32.0.10", 8080));
	assert_int_equal(json_array_size(w.events), 0);
	/* Each node for its own; the other's word stays. */
	tell(&w, FAILED("n2", "10.32.0.11", 8080));
	expect(&w, "failed failed");
	tell(&w, NONE("n1"));
	expect(&w, "active failed");
	/* Another port, another monitor: not this member. */
	tell(&w, FAILED("n2", "10.32.0.11", 8081));
	expect(&w, "active active");
	/* Not for others' members. */
	assert_string_equal(w.complaints, "");
	tell(&w, FAILED("n2", "10.32.0.10", 8080));
	expect(&w, "active active");
	assert_string_equal(w.complaints, "MemberHealth of node n2: 1 members are on other nodes, not believed\n");
	/* What was said before there is a member counts when it comes. */
	tell(&w, FAILED("n3", "10.32.0.12", 8080));
	world_apply(&w, POD("c", "10.32.0.12", "n3"));
	expect(&w, "active active failed");
	world_free(&w);
}

static void of_ping(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE(ASKS, HTTP80) MONITOR("{type: PING}"));
	tell(&w, FAILED("n1", "10.32.0.10", 0));
	expect(&w, "failed active");
	world_free(&w);
}

static void refused_lines(void **state)
{
	static const struct { const char *line, *want; } cases[] = {
		{ "{}", "object: must be of kind MemberHealth, apiVersion opencontrail.org/v1" },
		{ "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"n1\"}}",
		  "object: must be of kind MemberHealth, apiVersion opencontrail.org/v1" },
		{ HEAD "7}}", "metadata.name: \"\" is missing" },
		{ HEAD "\"N 1\"}}", "metadata.name: \"N 1\" " },
		{ HEAD "\"n1\"}}", "status.failedMembers: must be a list" },
		{ HEAD "\"n1\"},\"status\":{\"failedMembers\":[{}]}}",
		  "status.failedMembers[0]: healthMonitor: must be namespace/name" },
		{ FAILED("n1", "10.32.0", 1), "status.failedMembers[0]: address: \"10.32.0\" is no IP address" },
		{ FAILED("n1", "10.32.0.10", 65536), "status.failedMembers[0]: port: must be a number from 0 to 65535" },
		{ FAILED("n2", "10.32.0.11", 8080), "metadata.name: n2, but this client is node n1" },
	};
	struct vr_err err = {};
	char *peer = NULL;
	struct world w;
	size_t i;

	(void)state;
	set_up(&w);
	world_apply(&w, SERVICE(ASKS, HTTP80) MONITOR("{type: TCP}"));
	assert_int_equal(say(&w, &peer, FAILED("n1", "10.32.0.10", 8080), &err), 0);
	assert_string_equal(peer, "n1");
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(say(&w, &peer, cases[i].line, &err) < 0);
		if (strncmp(err.text, cases[i].want, strlen(cases[i].want)))
			fail_msg("is   %s\nwant %s", err.text, cases[i].want);
		/* Nothing of it was taken. */
		expect(&w, "failed active");
	}
	free(peer);
	world_free(&w);
}

static void refused_monitors(void **state)
{
	static const struct { const char *spec, *want; } cases[] = {
		{ "{}", "spec.type: is required" },
		{ "{type: HTTPS}", "spec.type: must be PING, TCP or HTTP, not \"HTTPS\"" },
		{ "{type: TCP, intervalSeconds: 0}", "spec.intervalSeconds: must be 1 to 3600, not 0" },
		{ "{type: TCP, intervalSeconds: 5, timeoutSeconds: 6}",
		  "spec.timeoutSeconds: 6 is longer than intervalSeconds, 5" },
		{ "{type: TCP, healthyThreshold: 11}", "spec.healthyThreshold: must be 1 to 10, not 11" },
		{ "{type: TCP, unhealthyThreshold: x}", "spec.unhealthyThreshold: must be" },
		{ "{type: TCP, port: 65536}", "spec.port: must be 1 to 65535, not 65536" },
		{ "{type: PING, port: 80}", "spec.port: is not for type PING" },
		{ "{type: TCP, path: /}", "spec.path: is only for type HTTP" },
		{ "{type: PING, expectedStatus: [200]}", "spec.expectedStatus: is only for type HTTP" },
		{ "{type: HTTP, path: x}", "spec.path: must begin with /" },
		{ "{type: HTTP, path: '/a b'}", "spec.path: must hold printable ASCII" },
		{ "{type: HTTP, host: 'a b'}", "spec.host: \"a b\" " },
		{ "{type: HTTP, expectedStatus: [99]}", "spec.expectedStatus[0]: must be an HTTP status from 100 to 599" },
		{ "{type: HTTP, expectedStatus: [200, 300-299]}", "spec.expectedStatus[1]: must be an HTTP status" },
		{ "{type: HTTP, expectedStatus: ['200-39x']}", "spec.expectedStatus[0]: must be an HTTP status" },
		{ "{type: TCP, interval: 5}", "spec.interval: " },
	};
	struct world w;
	size_t i;

	(void)state;
	set_up(&w);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free char *yaml = xasprintf("{apiVersion: opencontrail.org/v1, kind: HealthMonitor, "
						    "metadata: {name: hm}, spec: %s}", cases[i].spec);
		cleanup_free char *want = xasprintf("document 1: HealthMonitor default/hm: %s", cases[i].want);

		world_clear(&w);
		world_apply(&w, yaml);
		if (!strstr(w.complaints, want))
			fail_msg("is   %s\nwant %s", w.complaints, want);
		assert_int_equal(w.model.objects[KIND_MONITOR].n, 0);
	}
	world_clear(&w);
	world_apply(&w, SERVICE("opencontrail.org/health-monitor: 'a b'", HTTP80));
	assert_non_null(strstr(w.complaints, "metadata.annotations[opencontrail.org/health-monitor]: \"a b\" "));
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked),
		cmocka_unit_test(not_there),
		cmocka_unit_test(believed),
		cmocka_unit_test(of_ping),
		cmocka_unit_test(refused_lines),
		cmocka_unit_test(refused_monitors),
	};

	return cmocka_run_group_tests_name("manager: health", tests, NULL, NULL);
}
