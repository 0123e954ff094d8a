// SPDX-License-Identifier: GPL-2.0-only
/* links: vrctl lib */
/* vrctl's words: what each mistake is told as, and what right ones become. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vrctl.h"

/* Labels that "the kernel" has. */
static int resolve(void *ctx, const struct vr_obj_type *t, const char *label, uint32_t *id,
		   struct vr_err *e)
{
	(void)ctx;
	if (!strcmp(label, "twice"))
		return vr_err_set(e, ENOTUNIQ, "%ss 1 and 2 have the label", vr_type_name(t));
	if (strcmp(label, "default/web-0"))
		return vr_err_set(e, ENOENT, "no %s has the label", vr_type_name(t));
	*id = 77;
	return 0;
}

static const struct verb *verb(const struct object *o, const char *name)
{
	unsigned int i;

	for (i = 0; i < o->n; i++)
		if (!strcmp(o->verbs[i].name, name))
			return &o->verbs[i];
	fail_msg("no verb %s", name);
	return NULL;
}

/* Words by blanks. The structure is the caller's; NULL when they are refused. */
static void *parse(const struct verb *v, const char *text, struct vr_err *e)
{
	char *copy = strdup(text), *words[64], *save = NULL, *word;
	struct parser p = { .words = words, .err = e, .resolve = resolve };
	void *obj = calloc(1, v->args.size);

	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		words[p.n++] = word;
	e->code = 0;
	if (args_parse(&p, &v->args, obj)) {
		assert_true(e->code);
		if (v->type)
			vr_obj_free(v->type, obj);
		free(obj);
		obj = NULL;
	}
	free(copy);
	return obj;
}

static void *accept_words(const struct verb *v, const char *text)
{
	struct vr_err e;
	void *obj = parse(v, text, &e);

	if (!obj)
		fail_msg("%s: %s", text, e.text);
	return obj;
}

static void release(const struct verb *v, void *obj)
{
	if (v->type)
		vr_obj_free(v->type, obj);
	free(obj);
}

static void vif(void **state)
{
	const struct verb *v = verb(&object_vif, "add");
	struct vr_vif *vif = accept_words(v, "id 3 dev veth3 vrf default/web-0 addr 10.32.0.3 "
					  "mac 02:00:00:00:00:03 addr fd00::3 sg 5 sg 6 "
					  "mtu 1500 label vif");

	assert_int_equal(vif->id, 3);
	assert_string_equal(vif->ifname, "veth3");
	assert_int_equal(vif->vrf, 77);
	assert_int_equal(vif->mac[5], 3);
	assert_int_equal(vif->n_addrs, 2);
	assert_int_equal(vif->addrs[1].family, AF_INET6);
	assert_int_equal(vif->n_sgs, 2);
	assert_int_equal(vif->sgs[1], 6);
	assert_int_equal(vif->mtu, 1500);
	assert_string_equal(vif->label, "vif");
	release(v, vif);
	(void)state;
}

static void nexthop(void **state)
{
	const struct verb *v = verb(&object_nexthop, "add");
	struct vr_nexthop *nh;

	nh = accept_words(v, "id 20 label l ecmp member 10.32.0.3 port 8080 weight 2 label m "
			  "member 10.32.0.4 port 8080 state draining member nexthop 5");
	assert_int_equal(nh->type, VROUTER_NEXTHOP_TYPE_ECMP);
	assert_string_equal(nh->label, "l");
	assert_int_equal(nh->n_members, 3);
	assert_string_equal(nh->members[0].label, "m");
	assert_int_equal(nh->members[0].weight, 2);
	assert_int_equal(nh->members[1].port, 8080);
	assert_int_equal(nh->members[1].state, VROUTER_MEMBER_STATE_DRAINING);
	assert_int_equal(nh->members[2].nexthop, 5);
	release(v, nh);

	nh = accept_words(v, "id 9 vrf 2");
	assert_int_equal(nh->type, VROUTER_NEXTHOP_TYPE_VRF);
	assert_int_equal(nh->vrf, 2);
	release(v, nh);
	nh = accept_words(v, "local vif 3 id 10");	/* any order */
	assert_int_equal(nh->type, VROUTER_NEXTHOP_TYPE_LOCAL);
	assert_int_equal(nh->vif, 3);
	release(v, nh);
	nh = accept_words(v, "id 20 ecmp");
	assert_int_equal(nh->n_members, 0);
	release(v, nh);
	(void)state;
}

static void route_and_vip(void **state)
{
	const struct verb *v = verb(&object_route, "add");
	struct vr_route *r = accept_words(v, "vrf 1 10.32.0.0/12 nexthop 10 sg 5");
	struct vr_vip *vip;

	assert_int_equal(r->prefix.len, 12);
	assert_int_equal(r->n_sgs, 1);
	release(v, r);
	r = accept_words(v, "vrf 1 ::/0 nexthop 10");
	assert_false(r->node);
	assert_int_equal(r->prefix.addr.family, AF_INET6);
	assert_int_equal(r->prefix.len, 0);
	release(v, r);
	r = accept_words(v, "fd00::1 vrf 1 nexthop 10 node");
	assert_true(r->node);
	assert_int_equal(r->prefix.len, 128);
	release(v, r);

	v = verb(&object_vip, "add");
	vip = accept_words(v, "vrf 1 10.96.0.10 tcp 80 nexthop 20 affinity 10800 "
			   "sg 9 label default/web:http");
	assert_int_equal(vip->proto, IPPROTO_TCP);
	assert_int_equal(vip->port, 80);
	assert_int_equal(vip->affinity_timeout, 10800);
	assert_int_equal(vip->sg, 9);
	release(v, vip);
	(void)state;
}

static void sg(void **state)
{
	const struct verb *v = verb(&object_sg, "add");
	struct vr_sg *sg = accept_words(v, "id 5 label x enforce ingress,egress "
		"rule ingress tcp 80-90 from 10.0.0.0/8 except 10.1.0.0/16 except 10.2.0.0/16 "
		"rule egress any to sg 7 label y rule ingress icmp type 8 code 0 from any "
		"rule ingress udp 53 family ipv6");
	const struct vr_sg_rule *r = sg->rules;

	assert_int_equal(sg->enforce, 3);
	assert_int_equal(sg->n_rules, 4);
	assert_true(r[0].has_ports);
	assert_int_equal(r[0].port_max, 90);
	assert_int_equal(r[0].n_except, 2);
	assert_int_equal(r[1].direction, VROUTER_DIRECTION_EGRESS);
	assert_int_equal(r[1].peer_sg, 7);
	assert_string_equal(r[1].label, "y");
	assert_false(r[1].has_ports);
	assert_true(r[2].has_icmp_type && r[2].has_icmp_code);
	assert_int_equal(r[2].icmp_type, 8);
	assert_int_equal(r[3].family, AF_INET6);
	release(v, sg);
	(void)state;
}

static void flow_filter(void **state)
{
	const struct verb *v = verb(&object_flow, "show");
	struct vr_flow_filter *f = accept_words(v, "vif default/web-0 src 10.0.0.1 proto tcp "
						"sport 0 dport 80 state new");

	assert_int_equal(f->vif, 77);
	assert_true(f->has_state);
	assert_int_equal(f->state, VROUTER_FLOW_STATE_NEW);
	assert_true(f->tuple.has_sport && f->tuple.has_dport);
	assert_int_equal(f->tuple.dport, 80);
	release(v, f);
	f = accept_words(v, "");
	assert_false(f->has_state || f->tuple.has_sport);
	release(v, f);
	(void)state;
}

static void limits(void **state)
{
	const struct verb *v = verb(&object_limits, "set");
	struct vr_limits *l = accept_words(v, "flows 1000 timeout-udp 30 global");

	assert_true(l->global);
	assert_int_equal(l->value[VROUTER_A_LIMITS_FLOWS], 1000);
	assert_int_equal(l->value[VROUTER_A_LIMITS_TIMEOUT_UDP], 30);
	release(v, l);
	(void)state;
}

static void mistakes(void **state)
{
	static const struct {
		const struct object *o;
		const char *verb, *words, *want;
	} cases[] = {
		{ &object_vif, "add", "", "id NUMBER is missing" },
		{ &object_vif, "add", "id", "id: the NUMBER is missing" },
		{ &object_vif, "add", "id 0", "id: \"0\" is not a number from 1 to 4294967295" },
		{ &object_vif, "add", "id -1", "id: \"-1\" is not a number from 1 to 4294967295" },
		{ &object_vif, "add", "id 4294967296",
		  "id: \"4294967296\" is not a number from 1 to 4294967295" },
		{ &object_vif, "add", "id 99999999999999999999999",
		  "id: \"99999999999999999999999\" is not a number from 1 to 4294967295" },
		{ &object_vif, "add", "id 3 id 4", "id is given twice" },
		{ &object_vif, "add", "id 3 i 4", "unknown word \"i\" after \"3\"" },
		{ &object_vif, "add", "foo", "unknown word \"foo\"" },
		{ &object_vif, "add", "dev 0123456789abcdef",
		  "dev: \"0123456789abcdef\" is not a device's name" },
		{ &object_vif, "add", "mac 02:00:00:00:00",
		  "mac: \"02:00:00:00:00\" is not a MAC address (02:00:00:00:00:01)" },
		{ &object_vif, "add", "addr 10.1", "addr: \"10.1\" is not an IPv4 or IPv6 address" },
		{ &object_vif, "add", "mtu 65536", "mtu: \"65536\" is not a number from 0 to 65535" },
		{ &object_vif, "add", "vrf nobody", "vrf: no vrf has the label" },
		{ &object_vif, "add", "vrf twice", "vrf: vrfs 1 and 2 have the label" },
		{ &object_nexthop, "add", "id 1 local host",
		  "a next hop is either local or host" },
		{ &object_nexthop, "add", "id 1 vrf", "vrf: the VRF is missing" },
		{ &object_nexthop, "add", "id 1 ecmp member 10.0.0.1 port 0",
		  "member[0]: port: \"0\" is not a number from 1 to 65535" },
		{ &object_nexthop, "add", "id 1 ecmp member 10.0.0.1 10.0.0.2",
		  "unknown word \"10.0.0.2\" after \"10.0.0.1\"" },
		{ &object_nexthop, "add", "id 1 ecmp member 10.0.0.1 state off",
		  "member[0]: state: \"off\" is not one of active, draining" },
		{ &object_route, "add", "vrf 1 nexthop 3", "PREFIX is missing" },
		{ &object_route, "add", "vrf 1 10.0.0.1/8 nexthop 3",
		  "PREFIX: \"10.0.0.1/8\" is not a prefix: too long, or bits after its length are "
		  "not zero" },
		{ &object_route, "add", "vrf 1 10.0.0.0/33",
		  "PREFIX: \"10.0.0.0/33\" is not a prefix: too long, or bits after its length are "
		  "not zero" },
		{ &object_route, "add", "vrf 1 ten", "PREFIX: \"ten\" is not an IPv4 or IPv6 prefix" },
		{ &object_vip, "add", "vrf 1 10.0.0.1 tcp", "PORT is missing" },
		{ &object_vip, "add", "vrf 1 10.0.0.1 tcpp 80",
		  "PROTO: \"tcpp\" is not one of any, tcp, udp, sctp, icmp, icmpv6" },
		{ &object_sg, "add", "id 1 rule ingress any rule egress any from any",
		  "rule[1]: an egress rule has no \"from\"" },
		{ &object_sg, "add", "id 1 rule ingress", "rule[0]: PROTO is missing" },
		{ &object_sg, "add", "id 1 rule ingress tcp 90-80",
		  "rule[0]: PORT[-PORT]: \"90-80\" is not a port or a range of ports (80, 8000-8080)" },
		{ &object_sg, "add", "id 1 rule ingress tcp 80-",
		  "rule[0]: PORT[-PORT]: \"80-\" is not a port or a range of ports (80, 8000-8080)" },
		{ &object_sg, "add", "id 1 rule ingress tcp 1000000-2",
		  "rule[0]: PORT[-PORT]: \"1000000-2\" is not a port or a range of ports (80, 8000-8080)" },
		{ &object_sg, "add", "id 1 enforce both",
		  "enforce: \"both\" is not ingress, egress, ingress,egress or none" },
		{ &object_sg, "add", "id 1 enforce ingress,",
		  "enforce: \"\" is not ingress, egress, ingress,egress or none" },
		{ &object_limits, "set", "flows 2147483648",
		  "flows: \"2147483648\" is not a number from 1 to 2147483647" },
	};
	struct vr_err e;
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(cases); i++) {
		if (parse(verb(cases[i].o, cases[i].verb), cases[i].words, &e))
			fail_msg("\"%s\" was taken", cases[i].words);
		assert_string_equal(e.text, cases[i].want);
	}
	(void)state;
}

/* Any words in any order are taken or refused, and nothing is lost. */
static void random_words(void **state)
{
	static const char *const some[] = {
		"id", "1", "label", "x", "member", "rule", "ingress", "egress", "tcp", "80-90", "from",
		"to", "sg", "any", "10.0.0.0/8", "except", "10.0.0.1", "fd00::1", "port", "ecmp",
		"vrf", "local", "vif", "nexthop", "default/web-0", "", "\x1b[31m", "%s%n", "addr",
	};
	char *words[16];
	struct parser p = { .words = words, .resolve = resolve };
	const struct verb *v;
	struct vr_err e;
	unsigned int i, k, o;
	void *obj;

	srandom(2);
	p.err = &e;
	for (i = 0; i < 20000; i++) {
		for (o = 0, k = random(); objects[o]; o++)
			;
		v = &objects[k % o]->verbs[random() % objects[k % o]->n];
		p.n = random() % 16;
		p.pos = 0;
		for (k = 0; k < p.n; k++)
			words[k] = (char *)some[random() % VR_ARRAY_SIZE(some)];
		obj = calloc(1, v->args.size ? v->args.size : 1);
		args_parse(&p, &v->args, obj);
		release(v, obj);
	}
	(void)state;
}

/* Every table can be used: few enough entries, types with what they need. */
static void tables(void **state)
{
	const struct object *const *o;
	const struct verb *v;
	const struct arg *a;
	FILE *null = fopen("/dev/null", "w");

	for (o = objects; *o; o++) {
		help_object(null, *o);
		for (v = (*o)->verbs; v < (*o)->verbs + (*o)->n; v++) {
			help_verb(null, *o, v);
			assert_true(v->args.n <= 64);
			assert_non_null(v->run);
			if (v->type)
				assert_true(v->args.size >= vr_type_size(v->type));
			for (a = v->args.args; a < v->args.args + v->args.n; a++) {
				assert_true(a->word || a->value);
				assert_true(a->type != ARG_REF || a->ref);
				assert_true(a->type != ARG_NAME || a->names);
				assert_true(a->type != ARG_LIST || a->sub);
				assert_true(a->type != ARG_CUSTOM || a->parse);
			}
		}
	}
	help_all(null);
	fclose(null);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vif), cmocka_unit_test(nexthop), cmocka_unit_test(route_and_vip),
		cmocka_unit_test(sg), cmocka_unit_test(flow_filter), cmocka_unit_test(limits),
		cmocka_unit_test(mistakes), cmocka_unit_test(random_words), cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
