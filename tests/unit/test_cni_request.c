// SPDX-License-Identifier: GPL-2.0-only
/* links: cni lib */
/* The CNI plugin's words: configuration, environment, results, errors. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cni.h"

/* --- environment ------------------------------------------------------------- */

static const char *const *vars;		/* name, value, ..., NULL */

static const char *get_var(const char *name)
{
	unsigned int i;

	for (i = 0; vars[i]; i += 2)
		if (!strcmp(vars[i], name))
			return vars[i + 1];
	return NULL;
}

#define ARGS "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;" \
	"K8S_POD_INFRA_CONTAINER_ID=abc;K8S_POD_UID=u-1"
#define CONF "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"contrail-cni\"}"

static const char *const good[] = {
	"CNI_COMMAND", "ADD", "CNI_CONTAINERID", "abc", "CNI_NETNS", "/run/netns/x",
	"CNI_IFNAME", "eth0", "CNI_ARGS", ARGS, NULL,
};

static int parse(struct cni_request *rq, const char *conf, const char *const *env,
		 struct cni_error *e)
{
	cni_request_clear(rq);
	vars = env;
	memset(e, 0, sizeof(*e));
	return cni_request_parse(rq, conf, strlen(conf), get_var, e);
}

static void a_good_request(void **state)
{
	struct cni_request rq = {};
	struct cni_error e;

	(void)state;
	assert_int_equal(parse(&rq, "{\"cniVersion\":\"0.4.0\",\"name\":\"net\",\"type\":"
			       "\"contrail-cni\",\"socket\":\"/s\",\"mtu\":1400,\"timeout\":5,"
			       "\"ipam\":{},\"somethingElse\":[]}", good, &e), 0);
	assert_int_equal(rq.verb, CNI_ADD);
	assert_string_equal(rq.version, "0.4.0");
	assert_string_equal(rq.socket, "/s");
	assert_int_equal(rq.mtu, 1400);
	assert_int_equal(rq.timeout, 5);
	assert_string_equal(rq.ns, "default");
	assert_string_equal(rq.pod, "web-0");
	assert_string_equal(rq.uid, "u-1");
	assert_int_equal(strlen(rq.host), 15);

	assert_int_equal(parse(&rq, CONF, good, &e), 0);
	assert_string_equal(rq.socket, "/run/vrouter/cni.sock");
	assert_int_equal(rq.timeout, 30);
	cni_request_clear(&rq);
}

struct bad { const char *conf; int code; const char *msg; };

/* Each with this error, whose sentence begins so. */
static void refused(const struct bad *cases, size_t n)
{
	struct cni_request rq = {};
	struct cni_error e;
	size_t i;

	for (i = 0; i < n; i++) {
		assert_int_equal(parse(&rq, cases[i].conf, good, &e), -1);
		if (strncmp(e.msg, cases[i].msg, strlen(cases[i].msg)))
			fail_msg("\"%s\", expected \"%s...\"", e.msg, cases[i].msg);
		assert_int_equal(e.code, cases[i].code);
		assert_non_null(rq.version);	/* the error says one */
	}
	cni_request_clear(&rq);
}

static void bad_configurations(void **state)
{
	static const struct bad cases[] = {
		{ "{not json", CNI_DECODE, "network configuration: line 1, column 4: " },
		{ "[]", CNI_DECODE, "network configuration: not a JSON object" },
		{ "{}", CNI_BAD_VERSION, "cniVersion is missing" },
		{ "{\"cniVersion\":1}", CNI_BAD_VERSION, "cniVersion: must be a string" },
		{ "{\"cniVersion\":\"9.9.9\"}", CNI_BAD_VERSION, "cniVersion 9.9.9 is not" },
		{ "{\"cniVersion\":\"1.0.0\"}", CNI_BAD_CONFIG, "name is missing" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"a b\"}", CNI_BAD_CONFIG,
		  "name: \"a b\" is not" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"mtu\":12}", CNI_BAD_CONFIG,
		  "mtu: must be a number from 1280 to 65535" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"socket\":\"s\"}", CNI_BAD_CONFIG,
		  "socket: \"s\" is not an absolute path" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"timeout\":\"1\"}", CNI_BAD_CONFIG,
		  "timeout: must be a number" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"ipam\":{\"type\":\"host-local\"}}",
		  CNI_UNSUPPORTED_FIELD, "ipam: not supported" },
		{ "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":7}", CNI_BAD_CONFIG,
		  "prevResult: must be an object" },
	};

	(void)state;
	refused(cases, sizeof(cases) / sizeof(cases[0]));
}

static void bad_environments(void **state)
{
	static const struct { const char *var, *value; int code; const char *msg; } cases[] = {
		{ "CNI_COMMAND", NULL, CNI_BAD_ENV, "CNI_COMMAND is not set" },
		{ "CNI_COMMAND", "PLAY", CNI_BAD_ENV, "CNI_COMMAND is \"PLAY\"" },
		{ "CNI_CONTAINERID", NULL, CNI_BAD_ENV, "CNI_CONTAINERID is not set" },
		{ "CNI_CONTAINERID", "../x", CNI_BAD_ENV, "CNI_CONTAINERID: \"../x\"" },
		{ "CNI_IFNAME", "", CNI_BAD_ENV, "CNI_IFNAME is not set" },
		{ "CNI_IFNAME", "a/b", CNI_BAD_ENV, "CNI_IFNAME: \"a/b\"" },
		{ "CNI_IFNAME", "sixteen-letters-", CNI_BAD_ENV, "CNI_IFNAME: " },
		{ "CNI_NETNS", "", CNI_BAD_ENV, "CNI_NETNS is not set" },
		{ "CNI_ARGS", NULL, CNI_BAD_ENV, "CNI_ARGS has no K8S_POD_NAMESPACE" },
		{ "CNI_ARGS", "K8S_POD_NAMESPACE=a", CNI_BAD_ENV, "CNI_ARGS has no K8S_POD_NAME" },
		{ "CNI_ARGS", "K8S_POD_NAME=A/b", CNI_BAD_ENV, "CNI_ARGS: K8S_POD_NAME: \"A/b\"" },
		{ "CNI_ARGS", "nonsense", CNI_BAD_ENV, "CNI_ARGS: \"nonsense\" is not KEY=VALUE" },
	};
	const char *env[sizeof(good) / sizeof(good[0])];
	struct cni_request rq = {};
	struct cni_error e;
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(env, good, sizeof(good));
		for (k = 0; env[k]; k += 2)
			if (!strcmp(env[k], cases[i].var))
				env[k + (cases[i].value ? 1 : 0)] = cases[i].value ?: "other";
		assert_int_equal(parse(&rq, CONF, env, &e), -1);
		if (strncmp(e.msg, cases[i].msg, strlen(cases[i].msg)))
			fail_msg("\"%s\", expected \"%s...\"", e.msg, cases[i].msg);
		assert_int_equal(e.code, cases[i].code);
	}
	cni_request_clear(&rq);
}

#define WITH(config) "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"runtimeConfig\":{" config "}}"

static void capabilities(void **state)
{
	static const struct bad cases[] = {
		{ WITH("\"bandwidth\":5"), CNI_BAD_CONFIG, "runtimeConfig.bandwidth: must be an" },
		{ WITH("\"bandwidth\":{\"ingressRate\":\"1M\"}"), CNI_BAD_CONFIG,
		  "runtimeConfig.bandwidth.ingressRate: must be a whole number of bits, 0 or from 8" },
		{ WITH("\"bandwidth\":{\"egressRate\":-5}"), CNI_BAD_CONFIG,
		  "runtimeConfig.bandwidth.egressRate: must be" },
		{ WITH("\"portMappings\":{}"), CNI_BAD_CONFIG,
		  "runtimeConfig.portMappings: must be a list" },
		{ WITH("\"portMappings\":[{\"hostPort\":70000,\"containerPort\":1}]"),
		  CNI_BAD_CONFIG, "runtimeConfig.portMappings[0].hostPort: must be a port, 0 to" },
		{ WITH("\"portMappings\":[{\"hostPort\":1}]"), CNI_BAD_CONFIG,
		  "runtimeConfig.portMappings[0].containerPort: must be a port, 1 to 65535" },
		{ WITH("\"portMappings\":[{\"hostPort\":1,\"containerPort\":1,\"protocol\":"
		       "\"icmp\"}]"), CNI_BAD_CONFIG,
		  "runtimeConfig.portMappings[0].protocol: \"icmp\" is not tcp, udp or sctp" },
		{ WITH("\"portMappings\":[8080]"), CNI_BAD_CONFIG,
		  "runtimeConfig.portMappings[0]: must be an object" },
		{ WITH("\"portMappings\":[{\"hostPort\":1,\"containerPort\":1,\"hostIP\":1}]"),
		  CNI_BAD_CONFIG, "runtimeConfig.portMappings[0].hostIP: must be a string" },
		{ WITH("\"bandwidth\":{\"egressRate\":1000000000000001}"), CNI_BAD_CONFIG,
		  "runtimeConfig.bandwidth.egressRate: must be a whole number of bits, 0 or from 8 to 1000000000000000" },
	};
	struct cni_request rq = {};
	struct cni_error e;

	(void)state;
	refused(cases, sizeof(cases) / sizeof(cases[0]));
	/* the burst of a runtime that was told none; a port that is not mapped */
	assert_int_equal(parse(&rq, WITH("\"bandwidth\":{\"ingressRate\":1000000,\"ingressBurst\":"
		"4294967295,\"egressRate\":2000000,\"egressBurst\":80000},\"portMappings\":["
		"{\"hostPort\":0,\"containerPort\":80},{\"hostPort\":8080,\"containerPort\":80,"
		"\"protocol\":\"udp\",\"hostIP\":\"\"}]"), good, &e), 0);
	assert_int_equal(rq.limit[CNI_TO_POD].rate, 1000000);
	assert_int_equal(rq.limit[CNI_TO_POD].burst, 0);
	assert_int_equal(rq.limit[CNI_FROM_POD].rate, 2000000);
	assert_int_equal(rq.limit[CNI_FROM_POD].burst, 80000);
	assert_int_equal(json_array_size(rq.ports), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rq.ports, 0),
							      "protocol")), "UDP");
	assert_null(json_object_get(json_array_get(rq.ports, 0), "hostIP"));

	/* containerd's letters */
	assert_int_equal(parse(&rq, WITH("\"bandwidth\":{\"IngressRate\":1000000,\"EgressRate\":2000000},"
		"\"portMappings\":[{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"tcp\","
		"\"HostIP\":\"\"}]"), good, &e), 0);
	assert_int_equal(rq.limit[CNI_TO_POD].rate, 1000000);
	assert_int_equal(rq.limit[CNI_FROM_POD].rate, 2000000);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(rq.ports, 0),
							    "hostPort")), 8080);
	cni_request_clear(&rq);
}

static void del_needs_little(void **state)
{
	static const char *const env[] = {
		"CNI_COMMAND", "DEL", "CNI_CONTAINERID", "abc", "CNI_IFNAME", "eth0", NULL,
	};
	struct cni_request rq = {}, add = {};
	struct cni_error e;

	(void)state;
	assert_int_equal(parse(&rq, CONF, env, &e), 0);
	assert_null(rq.netns);
	assert_null(rq.pod);
	assert_int_equal(parse(&add, CONF, good, &e), 0);
	assert_string_equal(rq.host, add.host);	/* finds what ADD made */
	cni_request_clear(&rq);
	cni_request_clear(&add);
}

static void check_needs_the_result(void **state)
{
	const char *env[sizeof(good) / sizeof(good[0])];
	struct cni_request rq = {};
	struct cni_error e;

	(void)state;
	memcpy(env, good, sizeof(good));
	env[1] = "CHECK";
	assert_int_equal(parse(&rq, CONF, env, &e), -1);
	assert_int_equal(e.code, CNI_BAD_CONFIG);
	assert_int_equal(parse(&rq, "{\"cniVersion\":\"0.3.1\",\"name\":\"n\",\"prevResult\":{}}",
			       env, &e), -1);
	assert_int_equal(e.code, CNI_BAD_VERSION);
	cni_request_clear(&rq);
}

static void version_needs_nothing(void **state)
{
	static const char *const env[] = { "CNI_COMMAND", "VERSION", NULL };
	struct cni_request rq = {};
	struct cni_error e;
	json_t *o;

	(void)state;
	assert_int_equal(parse(&rq, "{\"cniVersion\":\"9.9.9\"}", env, &e), 0);
	assert_int_equal(rq.verb, CNI_VERSION);
	o = cni_versions_json(rq.version);
	assert_string_equal(json_string_value(json_object_get(o, "cniVersion")), "1.1.0");
	assert_int_equal(json_array_size(json_object_get(o, "supportedVersions")), 4);
	json_decref(o);
	cni_request_clear(&rq);
}

#define CONF11 "{\"cniVersion\":\"1.1.0\",\"name\":\"net\""
#define VALID ",\"cni.dev/valid-attachments\":"

static void status_and_gc_need_no_container(void **state)
{
	static const char *const status[] = { "CNI_COMMAND", "STATUS", NULL };
	static const char *const gc[] = { "CNI_COMMAND", "GC", "CNI_PATH", "/", NULL };
	struct cni_request rq = {}, add = {};
	struct cni_error e;

	(void)state;
	assert_int_equal(parse(&rq, CONF11 "}", status, &e), 0);
	assert_int_equal(rq.verb, CNI_STATUS);
	assert_int_equal(parse(&rq, CONF, status, &e), -1);
	assert_int_equal(e.code, CNI_BAD_VERSION);
	assert_int_equal(parse(&rq, CONF, gc, &e), -1);
	assert_int_equal(e.code, CNI_BAD_VERSION);

	/* No list is not an empty one. */
	assert_int_equal(parse(&rq, CONF11 "}", gc, &e), 0);
	assert_null(rq.keep);
	assert_int_equal(parse(&rq, CONF11 VALID "[]}", gc, &e), 0);
	assert_int_equal(json_array_size(rq.keep), 0);
	assert_true(json_is_array(rq.keep));
	assert_int_equal(parse(&rq, CONF11 VALID "[{\"containerID\":\"abc\",\"ifname\":\"eth0\"}]}",
			       gc, &e), 0);
	assert_int_equal(parse(&add, CONF, good, &e), 0);
	assert_string_equal(json_string_value(json_array_get(rq.keep, 0)), add.host);
	cni_request_clear(&rq);
	cni_request_clear(&add);
}

static void a_wrong_gc_list_is_refused(void **state)
{
	static const char *const gc[] = { "CNI_COMMAND", "GC", NULL };
	static const char *const lists[] = {
		"null", "{}", "[7]", "[{}]", "[{\"containerID\":\"abc\"}]",
		"[{\"containerID\":\"abc\",\"ifname\":\"\"}]",
		"[{\"containerID\":\"../x\",\"ifname\":\"eth0\"}]",
	};
	struct cni_request rq = {};
	struct cni_error e;
	char text[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(text, sizeof(text), CONF11 VALID "%s}", lists[i]);
		assert_int_equal(parse(&rq, text, gc, &e), -1);
		assert_int_equal(e.code, CNI_BAD_CONFIG);
		assert_non_null(strstr(e.msg, "cni.dev/valid-attachments"));
	}
	cni_request_clear(&rq);
}

static void host_names_differ(void **state)
{
	char a[IFNAMSIZ], b[IFNAMSIZ], c[IFNAMSIZ];

	(void)state;
	cni_host_ifname(a, "abc", "eth0");
	cni_host_ifname(b, "abd", "eth0");
	cni_host_ifname(c, "abc", "eth1");
	assert_string_not_equal(a, b);
	assert_string_not_equal(a, c);
	assert_memory_equal(a, "vr", 2);
}

/* --- results -------------------------------------------------------------------- */

#define REPLY "{\"macAddress\":\"02:00:0a:20:00:05\",\"mtu\":1500,\"addresses\":[" \
	"{\"address\":\"10.32.0.5\",\"gateway\":\"10.32.0.1\"}," \
	"{\"address\":\"fd00::5\",\"gateway\":\"fe80::1\"}]}"

static json_t *result_of(const char *version, struct cni_request *rq, const char *described,
			 struct cni_interface *ifc)
{
	static struct cni_interfaces all;
	json_t *reply = json_loads(described, 0, NULL);
	struct cni_error e;

	assert_int_equal(parse(rq, CONF, good, &e), 0);
	rq->version = version;
	assert_int_equal(cni_interfaces_parse(rq, reply, &all, &e), 0);
	json_decref(reply);
	*ifc = all.v[0];
	return cni_result(rq, &all);
}

static const char *text(const json_t *o, const char *a, int i, const char *b)
{
	return json_string_value(json_object_get(json_array_get(json_object_get(o, a), i), b));
}

static void a_result_is_complete(void **state)
{
	static struct cni_interfaces back;
	struct cni_interface ifc;
	struct cni_request rq = {};
	struct cni_error e;
	json_t *o = result_of("1.0.0", &rq, REPLY, &ifc);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(o, "cniVersion")), "1.0.0");
	assert_string_equal(text(o, "interfaces", 0, "name"), rq.host);
	assert_null(text(o, "interfaces", 0, "sandbox"));
	assert_string_equal(text(o, "interfaces", 1, "name"), "eth0");
	assert_string_equal(text(o, "interfaces", 1, "mac"), "02:00:0a:20:00:05");
	assert_string_equal(text(o, "interfaces", 1, "sandbox"), "/run/netns/x");
	assert_string_equal(text(o, "ips", 0, "address"), "10.32.0.5/32");
	assert_string_equal(text(o, "ips", 0, "gateway"), "10.32.0.1");
	assert_null(text(o, "ips", 0, "version"));
	assert_string_equal(text(o, "ips", 1, "address"), "fd00::5/128");
	assert_string_equal(text(o, "routes", 0, "dst"), "0.0.0.0/0");
	assert_string_equal(text(o, "routes", 1, "dst"), "::/0");
	assert_string_equal(text(o, "routes", 1, "gw"), "fe80::1");
	assert_true(json_is_object(json_object_get(o, "dns")));

	/* And says the same when it comes back. */
	assert_int_equal(cni_result_parse(&rq, o, &back, &e), 0);
	assert_int_equal(back.n, 1);
	assert_int_equal(back.v[0].n_addrs, 2);
	assert_memory_equal(back.v[0].mac, ifc.mac, 6);
	assert_memory_equal(&back.v[0].addrs[1], &ifc.addrs[1], sizeof(ifc.addrs[1]));
	rq.ifname = "eth1";
	assert_int_equal(cni_result_parse(&rq, o, &back, &e), -1);
	assert_int_equal(e.code, CNI_BAD_CONFIG);
	json_decref(o);
	cni_request_clear(&rq);
}

#define MORE "{\"interface\":\"default/web-0\",\"macAddress\":\"02:00:0a:20:00:05\",\"mtu\":1500," \
	"\"addresses\":[{\"address\":\"10.32.0.5\",\"gateway\":\"10.32.0.1\"}],\"additional\":[" \
	"{\"interface\":\"default/web-0.net1\",\"ifname\":\"net1\"," \
	"\"macAddress\":\"02:00:0a:40:00:05\",\"mtu\":1500,\"routes\":[\"10.64.0.0/16\",\"fd64::/64\"]," \
	"\"addresses\":[{\"address\":\"10.64.0.5\",\"gateway\":\"10.64.0.1\"}]}]}"

static void more_interfaces_than_one(void **state)
{
	static struct cni_interfaces back;
	struct cni_interface ifc;
	struct cni_request rq = {};
	struct cni_error e;
	json_t *o = result_of("1.0.0", &rq, MORE, &ifc), *foreign;

	(void)state;
	assert_true(ifc.first);
	assert_string_equal(text(o, "interfaces", 3, "name"), "net1");
	assert_string_not_equal(text(o, "interfaces", 2, "name"), rq.host);
	assert_string_equal(text(o, "ips", 1, "address"), "10.64.0.5/32");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(
		json_object_get(o, "ips"), 1), "interface")), 3);
	/* no second default route, and none of a family that it has no address of */
	assert_string_equal(text(o, "routes", 1, "dst"), "10.64.0.0/16");
	assert_int_equal(json_array_size(json_object_get(o, "routes")), 2);

	/* One that another plugin of the chain made is not ours. */
	foreign = json_pack("{ss ss ss}", "name", "tun0", "mac", "02:00:00:00:00:01", "sandbox", "x");
	json_array_append_new(json_object_get(o, "interfaces"), foreign);
	assert_int_equal(cni_result_parse(&rq, o, &back, &e), 0);
	assert_int_equal(back.n, 2);
	assert_string_equal(back.v[1].ifname, "net1");
	assert_string_equal(back.v[1].host, text(o, "interfaces", 2, "name"));
	assert_string_equal(back.v[1].key, "default/web-0.net1");
	assert_false(back.v[1].first);
	json_decref(o);
	cni_request_clear(&rq);
}

/* Later in a list of plugins: what is there stays, and indices count on. */
static void results_are_added_to(void **state)
{
	struct cni_request rq = {};
	json_t *prev = json_loads("{\"interfaces\":[{\"name\":\"lo\",\"sandbox\":\"/x\"}],\"ips\":["
				  "{\"address\":\"127.0.0.1/8\",\"interface\":0}],\"dns\":{\"search\":"
				  "[\"a\"]}}", 0, NULL), *reply = json_loads(REPLY, 0, NULL), *o;
	static struct cni_interfaces all;
	struct cni_error e;

	(void)state;
	assert_int_equal(parse(&rq, CONF, good, &e), 0);
	rq.prev = prev;
	assert_int_equal(cni_interfaces_parse(&rq, reply, &all, &e), 0);
	o = cni_result(&rq, &all);
	assert_string_equal(text(o, "interfaces", 0, "name"), "lo");
	assert_string_equal(text(o, "interfaces", 2, "name"), "eth0");
	assert_string_equal(text(o, "ips", 0, "address"), "127.0.0.1/8");
	assert_string_equal(text(o, "ips", 1, "address"), "10.32.0.5/32");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(
		json_object_get(o, "ips"), 1), "interface")), 2);
	assert_int_equal(json_array_size(json_object_get(json_object_get(o, "dns"), "search")), 1);
	assert_int_equal(cni_result_parse(&rq, o, &all, &e), 0);
	assert_int_equal(all.v[0].n_addrs, 2);
	json_decref(o);
	json_decref(reply);
	json_decref(prev);
	cni_request_clear(&rq);
}

static void new_results_name_the_mtu(void **state)
{
	struct cni_interface ifc;
	struct cni_request rq = {};
	json_t *o = result_of("1.1.0", &rq, REPLY, &ifc), *list = json_object_get(o, "interfaces");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "mtu")), 1500);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "mtu")), 1500);
	json_decref(o);
	o = result_of("1.0.0", &rq, REPLY, &ifc);
	assert_null(json_object_get(json_array_get(json_object_get(o, "interfaces"), 1), "mtu"));
	json_decref(o);
	cni_request_clear(&rq);
}

static void old_results_name_the_family(void **state)
{
	struct cni_interface ifc;
	struct cni_request rq = {};
	json_t *o = result_of("0.4.0", &rq, REPLY, &ifc);

	(void)state;
	assert_string_equal(text(o, "ips", 0, "version"), "4");
	assert_string_equal(text(o, "ips", 1, "version"), "6");
	json_decref(o);
	cni_request_clear(&rq);
}

static void errors_have_their_form(void **state)
{
	struct cni_error e = {};
	json_t *o;

	(void)state;
	cni_fail_errno(&e, CNI_IO, 2, "open %s", "/x");
	o = cni_error_json("1.0.0", &e);
	assert_int_equal(json_integer_value(json_object_get(o, "code")), 5);
	assert_string_equal(json_string_value(json_object_get(o, "msg")), "open /x");
	assert_string_equal(json_string_value(json_object_get(o, "details")),
			    "No such file or directory");
	json_decref(o);

	cni_fail(&e, CNI_BAD_ENV, "%s", "\xff\xfe");	/* any octets may be quoted */
	o = cni_error_json("1.0.0", &e);
	assert_non_null(json_object_get(o, "msg"));
	assert_null(json_object_get(o, "details"));
	json_decref(o);
}

static void bad_replies_are_refused(void **state)
{
	static const char *const replies[] = {
		"{}", "{\"macAddress\":\"02:00:0a:20:00:05\",\"mtu\":1500,\"addresses\":[]}",
		"{\"macAddress\":\"02:00\",\"mtu\":1500,\"addresses\":[{\"address\":\"10.0.0.1\","
		"\"gateway\":\"10.0.0.2\"}]}",
		"{\"macAddress\":\"02:00:0a:20:00:05\",\"mtu\":1500,\"addresses\":[{\"address\":"
		"\"10.0.0.1\",\"gateway\":\"fe80::1\"}]}",
		"{\"macAddress\":\"02:00:0a:20:00:05\",\"mtu\":7,\"addresses\":[{\"address\":"
		"\"10.0.0.1\",\"gateway\":\"10.0.0.2\"}]}",
	};
	static struct cni_interfaces all;
	struct cni_request rq = {};
	struct cni_error e;
	unsigned int i;

	(void)state;
	assert_int_equal(parse(&rq, CONF, good, &e), 0);
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		json_t *o = json_loads(replies[i], 0, NULL);

		assert_int_equal(cni_interfaces_parse(&rq, o, &all, &e), -1);
		assert_int_equal(e.code, CNI_DECODE);
		json_decref(o);
	}
	cni_request_clear(&rq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_request),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(bad_environments),
		cmocka_unit_test(del_needs_little),
		cmocka_unit_test(check_needs_the_result),
		cmocka_unit_test(version_needs_nothing),
		cmocka_unit_test(status_and_gc_need_no_container),
		cmocka_unit_test(a_wrong_gc_list_is_refused),
		cmocka_unit_test(capabilities), cmocka_unit_test(results_are_added_to),
		cmocka_unit_test(new_results_name_the_mtu),
		cmocka_unit_test(host_names_differ),
		cmocka_unit_test(a_result_is_complete),
		cmocka_unit_test(more_interfaces_than_one),
		cmocka_unit_test(old_results_name_the_family),
		cmocka_unit_test(errors_have_their_form),
		cmocka_unit_test(bad_replies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
