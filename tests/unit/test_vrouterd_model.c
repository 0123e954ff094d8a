// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
/* The feed's lines and resources: what is taken, and what is said of the rest. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/vrouter.h>
#include <string.h>

#include "feed.h"
#include "jread.h"
#include "model.h"

static json_t *json(const char *text)
{
	json_error_t je;
	json_t *o = json_loads(text, 0, &je);

	if (!o)
		fail_msg("test's JSON: %s: %s", je.text, text);
	return o;
}

#define HEAD(kind) "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"" kind "\"," \
	"\"metadata\":{\"namespace\":\"default\",\"name\":\"x\",\"uid\":\"u1\"},\"spec\":"

static struct res *parse(const char *text, struct jerr *e)
{
	json_t *o = json(text);
	struct res *r = res_identify(o, e);

	if (r && !res_parse_spec(r, o, e)) {
		res_free(r);
		r = NULL;
	}
	json_decref(o);
	return r;
}

struct bad { const char *text, *want; };

static void fields_are_named(void **state)
{
	static const struct bad cases[] = {
		{ "[]", "object: must be an object" },
		{ "{\"kind\":\"SecurityGroup\"}", "apiVersion: is missing" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"SecurityGroup\"}",
		  "apiVersion: \"v1\" is not opencontrail.org/v1" },
		{ "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"SecurityGroup\"}",
		  "metadata: is missing" },
		{ "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"SecurityGroup\","
		  "\"metadata\":{\"namespace\":\"a\",\"name\":7}}",
		  "metadata.name: must be a string that is not empty" },
		{ HEAD("SecurityGroup") "7}", "spec: must be an object" },
		{ HEAD("SecurityGroup") "{\"enforce\":[\"up\"]}}",
		  "spec.enforce: must be \"ingress\" or \"egress\"" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"ingress\"},{}]}}",
		  "spec.rules[1].direction: is missing" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"ingress\",\"protocol\":"
		  "\"TCP\",\"ports\":{\"from\":0}}]}}",
		  "spec.rules[0].ports.from: must be a number from 1 to 65535" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"ingress\",\"protocol\":"
		  "\"TCP\",\"ports\":{\"from\":90,\"to\":80}}]}}",
		  "spec.rules[0].ports.to: 80 is less than from, 90" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"ingress\","
		  "\"ports\":{\"from\":90}}]}}",
		  "spec.rules[0].ports: only TCP, UDP and SCTP have ports" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"egress\",\"peer\":"
		  "{\"prefix\":\"10.0.0.1/8\"}}]}}",
		  "spec.rules[0].peer.prefix: \"10.0.0.1/8\" is not a prefix, or has bits "
		  "after its length" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"egress\",\"peer\":"
		  "{\"securityGroup\":\"nowhere\"}}]}}",
		  "spec.rules[0].peer.securityGroup: \"nowhere\" is not namespace/name" },
		{ HEAD("SecurityGroup") "{\"tier\":\"top\"}}",
		  "spec.tier: is unknown: \"top\"" },
		{ HEAD("SecurityGroup") "{\"tier\":\"admin\",\"enforce\":[\"ingress\"]}}",
		  "spec.enforce: has no place in the tiers admin and baseline" },
		{ HEAD("SecurityGroup") "{\"rules\":[{\"direction\":\"egress\",\"action\":"
		  "\"deny\"}]}}",
		  "spec.rules[0].action: only the tiers admin and baseline deny or pass" },
		{ HEAD("VirtualNetwork") "{\"subnets\":[{\"cidr\":\"10.0.0.0/8\",\"gateway\":"
		  "\"fd00::1\"}]}}",
		  "spec.subnets[0].gateway: is not of the subnet's address family" },
		{ HEAD("VirtualMachineInterface") "{\"network\":\"a/b\",\"macAddress\":\"02:00\","
		  "\"addresses\":[\"10.0.0.1\"]}}",
		  "spec.macAddress: \"02:00\" is not a MAC address" },
		{ HEAD("VirtualMachineInterface") "{\"network\":\"a/b\",\"macAddress\":"
		  "\"02:00:00:00:00:01\"}}", "spec.addresses: is missing or empty" },
		{ HEAD("VirtualMachineInterface") "{\"network\":\"a/b\",\"macAddress\":"
		  "\"02:00:00:00:00:01\",\"addresses\":[\"10.0.0.1\",\"10.0.0\"]}}",
		  "spec.addresses[1]: \"10.0.0\" is not an IP address" },
		{ HEAD("LoadBalancerPool") "{\"shardOf\":\"x\",\"protocol\":\"TCP\",\"family\":\"IPv4\"}}",
		  "spec.shardOf: \"x\" is not namespace/name" },
		{ HEAD("VirtualRouter") "{\"network\":\"default/n\",\"blocks\":[{\"network\":\"default/n\",\"cidr\":"
		  "\"10.0.0.1/24\"}]}}",
		  "spec.blocks[0].cidr: \"10.0.0.1/24\" is not a prefix, or has bits after its length" },
		{ HEAD("LoadBalancerPool") "{\"protocol\":\"ICMP\",\"family\":\"IPv4\"}}",
		  "spec.protocol: \"ICMP\" is not TCP, UDP or SCTP" },
		{ HEAD("LoadBalancerPool") "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"members\":"
		  "[{\"address\":\"fd00::1\",\"port\":1}]}}",
		  "spec.members[0].address: \"fd00::1\" is not of the pool's family" },
		{ HEAD("LoadBalancerPool") "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"members\":"
		  "[{\"address\":\"10.0.0.1\",\"port\":1,\"state\":\"ill\"}]}}",
		  "spec.members[0].state: \"ill\" is not \"active\", \"draining\" or \"failed\"" },
		{ HEAD("LoadBalancerPool") "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"healthMonitor\":"
		  "{\"name\":\"a/b\",\"type\":\"HTTPS\"}}}",
		  "spec.healthMonitor.type: \"HTTPS\" is not PING, TCP or HTTP" },
		{ HEAD("LoadBalancerPool") "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"healthMonitor\":"
		  "{\"name\":\"a/b\",\"type\":\"HTTP\",\"path\":\"/\",\"expectedStatus\":[{\"to\":299}]}}}",
		  "spec.healthMonitor.expectedStatus[0].from: is missing" },
		{ HEAD("LoadBalancerPool") "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"healthMonitor\":"
		  "{\"name\":\"a/b\",\"type\":\"TCP\",\"timeoutSeconds\":6}}}",
		  "spec.healthMonitor.timeoutSeconds: is longer than intervalSeconds" },
		{ HEAD("LoadBalancer") "{\"network\":\"a/b\",\"listeners\":[{\"protocol\":\"TCP\","
		  "\"port\":99999}]}}",
		  "spec.listeners[0].port: must be a number from 1 to 65535" },
		{ HEAD("LoadBalancer") "{\"network\":\"a/b\",\"sourceRanges\":[\"10.0.0.0/8\",\"10.0.0.1/8\"]}}",
		  "spec.sourceRanges[1]: \"10.0.0.1/8\" is not a prefix, or has bits after its length" },
		{ HEAD("LoadBalancer") "{\"network\":\"a/b\",\"healthCheckNodePort\":0}}",
		  "spec.healthCheckNodePort: must be a number from 1 to 65535" },
	};
	unsigned int i;
	struct jerr e;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(parse(cases[i].text, &e));
		assert_string_equal(e.text, cases[i].want);
	}
}

static void vmi_is_read(void **state)
{
	struct jerr e;
	struct res *r = parse(HEAD("VirtualMachineInterface")
		"{\"network\":\"default/cluster-network\",\"node\":\"n1\",\"pod\":\"x\","
		"\"interface\":\"eth0\",\"macAddress\":\"02:00:0a:20:00:05\","
		"\"addresses\":[\"10.32.0.5\",\"fd00::5\"],"
		"\"securityGroups\":[\"default/a\",\"default/b\"],\"mtu\":1450}}", &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->kind, RES_VMI);
	assert_string_equal(r->key, "default/x");
	assert_int_equal(r->vmi.n_addrs, 2);
	assert_int_equal(r->vmi.addrs[1].family, AF_INET6);
	assert_int_equal(r->vmi.n_sgs, 2);
	assert_string_equal(r->vmi.sgs[1], "default/b");
	assert_int_equal(r->vmi.mtu, 1450);
	assert_int_equal(r->vmi.mac[5], 5);
	res_free(r);
}

static void sg_is_read(void **state)
{
	struct jerr e;
	struct res *r = parse(HEAD("SecurityGroup") "{\"enforce\":[\"ingress\"],\"rules\":["
		"{\"direction\":\"ingress\",\"name\":\"first\",\"protocol\":\"UDP\","
		"\"ports\":{\"from\":53},\"peer\":{\"prefix\":\"10.0.0.0/8\","
		"\"except\":[\"10.1.0.0/16\",\"10.2.0.0/16\"]}},"
		"{\"direction\":\"egress\",\"peer\":{\"securityGroup\":\"default/g\"}}]}}", &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->sg.enforce, VROUTER_SG_FLAGS_INGRESS);
	assert_int_equal(r->sg.n_rules, 2);
	assert_int_equal(r->sg.rules[0].port_max, 53);
	assert_int_equal(r->sg.rules[0].n_except, 2);
	assert_int_equal(r->sg.rules[1].peer, PEER_SG);
	res_free(r);
}

static void tier_is_read(void **state)
{
	struct jerr e;
	struct res *r = parse(HEAD("SecurityGroup") "{\"enforce\":[],\"tier\":\"baseline\","
		"\"priority\":1000,\"rules\":[{\"direction\":\"ingress\",\"action\":\"pass\"},"
		"{\"direction\":\"ingress\"}]}}", &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->sg.tier, VROUTER_SG_TIER_BASELINE);
	assert_int_equal(r->sg.priority, 1000);
	assert_int_equal(r->sg.rules[0].action, VROUTER_SG_ACTION_PASS);
	assert_int_equal(r->sg.rules[1].action, VROUTER_SG_ACTION_ACCEPT);
	res_free(r);
}

static void trigger_is_read(void **state)
{
	static const struct { const char *text; double want; } times[] = {
		{ "2026-01-31T03:00:00Z", 1769828400 }, { "2026-01-31T03:00:00.25Z", 1769828400.25 },
		{ "yesterday", 0 }, { "", 0 },
	};
	char text[400];
	struct jerr e;
	struct res *r;
	size_t i;

	(void)state;
	for (i = 0; i < VR_ARRAY_SIZE(times); i++) {
		snprintf(text, sizeof(text), "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":"
			 "\"LoadBalancerPool\",\"metadata\":{\"namespace\":\"default\",\"name\":\"x\","
			 "\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"%s\"}},"
			 "\"spec\":{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"members\":[]}}", times[i].text);
		r = parse(text, &e);
		assert_non_null(r);
		assert_true(r->pool.trigger == times[i].want);
		res_free(r);
	}
}

static void other_kinds_are_let_pass(void **state)
{
	struct jerr e;
	struct res *r = parse("{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"Project\","
			      "\"metadata\":{\"namespace\":\"\",\"name\":\"default\"},"
			      "\"spec\":{}}", &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->kind, RES_OTHER);
	res_free(r);
}

/* --- the model ----------------------------------------------------------------- */

struct seen { int set, replaced, deleted; };

static void count(void *arg, const struct res *old, const struct res *r)
{
	struct seen *s = arg;

	s->set += r && !old;
	s->replaced += r && old;
	s->deleted += !r;
}

static const struct model_ops counting = { .changed = count };

static void put(struct model *m, const char *name)
{
	char text[512];
	struct jerr e;

	snprintf(text, sizeof(text), "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":"
		 "\"SecurityGroup\",\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\"},"
		 "\"spec\":{}}", name);
	model_set(m, parse(text, &e));
}

static void mark_and_sweep(void **state)
{
	struct seen seen = {};
	struct model *m = model_new(&counting, &seen);

	(void)state;
	put(m, "a");
	put(m, "b");
	put(m, "c");
	put(m, "a");
	assert_int_equal(seen.set, 3);
	assert_int_equal(seen.replaced, 1);

	model_mark(m);
	put(m, "b");
	model_keep(m, RES_SG, "default/c");
	assert_non_null(model_get(m, RES_SG, "default/a"));	/* nothing goes before */
	assert_int_equal(model_sweep(m), 1);
	assert_null(model_get(m, RES_SG, "default/a"));
	assert_non_null(model_get(m, RES_SG, "default/c"));
	assert_int_equal(seen.deleted, 1);
	model_del(m, RES_SG, "default/none");
	assert_int_equal(seen.deleted, 1);
	model_free(m);
}

/* members: JSON objects; shard_of: its field, or nothing. */
static void put_pool(struct model *m, const char *name, const char *shard_of, const char *members)
{
	char text[1024];
	struct jerr e;

	snprintf(text, sizeof(text), "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"LoadBalancerPool\","
		 "\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\"},\"spec\":{\"protocol\":\"TCP\","
		 "\"family\":\"IPv4\",%s\"members\":[%s]}}", name, shard_of, members);
	model_set(m, parse(text, &e));
}

#define SHARD_OF(pool) "\"shardOf\":\"default/" pool "\","
#define MEMBER(last, state) "{\"address\":\"10.1.0." last "\",\"port\":80,\"state\":\"" state "\"}"

/* "1 2d": last octets of the members, those that drain with a d. */
static void assert_whole(const struct model *m, const char *key, const char *want)
{
	struct pool whole;
	char text[128] = "";
	unsigned int i;

	model_whole_pool(m, model_get(m, RES_POOL, key), &whole);
	for (i = 0; i < whole.n_members; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u%s", i ? " " : "",
			 whole.members[i].addr.b[3],
			 whole.members[i].state == VROUTER_MEMBER_STATE_DRAINING ? "d" : "");
	free(whole.members);
	assert_string_equal(text, want);
}

static void pools_have_shards(void **state)
{
	struct seen seen = {};
	struct model *m = model_new(&counting, &seen);

	(void)state;
	/* in any order; what is no shard of it is not its */
	put_pool(m, "p.s1", SHARD_OF("p"), MEMBER("3", "active") "," MEMBER("2", "draining"));
	put_pool(m, "q.s1", SHARD_OF("q"), MEMBER("9", "active"));
	put_pool(m, "p", "", MEMBER("1", "active") "," MEMBER("2", "active"));
	put_pool(m, "p.s2", SHARD_OF("p"), MEMBER("4", "draining"));
	assert_whole(m, "default/p", "1 2 3 4d");
	/* one that moves, one that changes, one that goes */
	put_pool(m, "p.s1", SHARD_OF("q"), MEMBER("3", "active"));
	assert_whole(m, "default/p", "1 2 4d");
	put_pool(m, "p.s2", SHARD_OF("p"), MEMBER("4", "active"));
	assert_whole(m, "default/p", "1 2 4");
	model_del(m, RES_POOL, "default/p.s2");
	assert_whole(m, "default/p", "1 2");
	model_free(m);
}

/* --- lines ------------------------------------------------------------------------ */

static int events;
static enum event_type last;

static bool on_event(void *arg, enum event_type type, const json_t *object, char *why, size_t size)
{
	const char *refuse = arg;

	(void)object;
	events++;
	last = type;
	if (refuse)
		snprintf(why, size, "%s", refuse);
	return !refuse;
}

static const struct feed_ops ops = { .event = on_event };

static bool line(const char *text, char *why, size_t size)
{
	return feed_line(&ops, NULL, 12, text, strlen(text), why, size);
}

static void lines_are_events(void **state)
{
	char why[512];

	(void)state;
	events = 0;
	assert_true(line("{\"type\":\"ADDED\",\"object\":{}}", why, sizeof(why)));
	assert_int_equal(last, EVENT_SET);
	assert_true(line("{\"type\":\"DELETED\",\"object\":{}}", why, sizeof(why)));
	assert_int_equal(last, EVENT_DELETED);
	assert_true(line("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{}}}", why, sizeof(why)));
	assert_int_equal(events, 2);
	assert_true(line("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":"
			 "{\"k8s.io/initial-events-end\":\"true\"}}}}", why, sizeof(why)));
	assert_int_equal(last, EVENT_SYNCED);
}

static void bad_lines_are_named(void **state)
{
	static const struct bad cases[] = {
		{ "", "line 12: empty" },
		{ "{", "line 12: column 1: " },
		{ "[]", "line 12: not a JSON object" },
		{ "{\"object\":{}}", "line 12: type: is missing or not a string" },
		{ "{\"type\":\"ADDED\"}", "line 12: object: is missing or not an object" },
		{ "{\"type\":\"ERROR\",\"object\":{}}",
		  "line 12: type: \"ERROR\" is not ADDED, MODIFIED, DELETED or BOOKMARK" },
		{ "{\"type\":\"ADDED\",\"type\":\"ADDED\",\"object\":{}}", "line 12: column " },
	};
	static const char event[] = "{\"type\":\"ADDED\",\"object\":{}}";
	char why[512];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(line(cases[i].text, why, sizeof(why)));
		assert_memory_equal(why, cases[i].want, strlen(cases[i].want));
	}
	assert_false(feed_line(&ops, "metadata: is missing", 7, event, strlen(event), why,
			       sizeof(why)));
	assert_string_equal(why, "line 7: metadata: is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_named),
		cmocka_unit_test(vmi_is_read),
		cmocka_unit_test(sg_is_read),
		cmocka_unit_test(tier_is_read),
		cmocka_unit_test(trigger_is_read),
		cmocka_unit_test(other_kinds_are_let_pass),
		cmocka_unit_test(mark_and_sweep),
		cmocka_unit_test(pools_have_shards),
		cmocka_unit_test(lines_are_events),
		cmocka_unit_test(bad_lines_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
