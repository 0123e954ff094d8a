// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
/* What a node plans for other nodes and for service chains. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/vrouter.h>
#include <string.h>

#include "hostport.h"
#include "intern.h"
#include "plan.h"

static struct res *parse(const char *kind, const char *name, const char *spec)
{
	json_t *o = json_pack("{ss ss s{ss ss} so}", "apiVersion", "opencontrail.org/v1", "kind", kind,
			      "metadata", "namespace", "default", "name", name, "spec",
			      json_loads(spec, 0, NULL));
	struct jerr e;
	struct res *r = res_identify(o, &e);

	assert_non_null(r);
	if (!res_parse_spec(r, o, &e))
		fail_msg("%s", e.text);
	json_decref(o);
	return r;
}

/* --- which family two nodes' tunnel has ------------------------------------------- */

static struct vr_addr v4(uint8_t last)
{
	return (struct vr_addr){ .family = AF_INET, .b = { 192, 0, 2, last } };
}

static struct vr_addr v6(uint8_t last)
{
	return (struct vr_addr){ .family = AF_INET6, .b = { 0x20, 1, 0xd, 0xb8, [15] = last } };
}

/* The family of the tunnel from one node, whose primary family this is, to another; 0 = none. */
static uint8_t tunnel_family(const char *from, uint8_t primary, const char *to, const char *addrs)
{
	struct plan_env env = { .node = from, .tunnels = true, .primary = primary,
				.local = { v4(1), v6(1) } };
	char spec[128];
	struct ids *ids = ids_new();
	uint8_t family = 0;
	struct unit u;
	struct res *r;
	unsigned int i;

	snprintf(spec, sizeof(spec), "{\"network\":\"default/net\",\"addresses\":[%s]}", addrs);
	r = parse("VirtualRouter", to, spec);
	plan(&u, r, NULL, &env, ids);
	for (i = 0; i < u.n_objs; i++)
		if (u.objs[i]->key.kind == K_NEXTHOP) {
			family = u.objs[i]->nexthop.remote.family;
			assert_int_equal(u.objs[i]->nexthop.local.family, family);
		}
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
	return family;
}

#define V4_FIRST "\"192.0.2.2\",\"2001:db8::2\""
#define V6_FIRST "\"2001:db8::2\",\"192.0.2.2\""

static void both_ends_agree(void **state)
{
	(void)state;
	assert_int_equal(tunnel_family("a", AF_INET, "b", V4_FIRST), AF_INET);
	/* a lists IPv4 first, b IPv6: both have that of a */
	assert_int_equal(tunnel_family("a", AF_INET, "b", V6_FIRST), AF_INET);
	assert_int_equal(tunnel_family("b", AF_INET6, "a", V4_FIRST), AF_INET);
	/* and the other way round */
	assert_int_equal(tunnel_family("a", AF_INET6, "b", V4_FIRST), AF_INET6);
	assert_int_equal(tunnel_family("b", AF_INET, "a", V6_FIRST), AF_INET6);
	/* one has only one */
	assert_int_equal(tunnel_family("a", AF_INET6, "b", "\"192.0.2.2\""), AF_INET);
	assert_int_equal(tunnel_family("b", AF_INET6, "a", "\"192.0.2.2\""), AF_INET);
	assert_int_equal(tunnel_family("a", AF_INET, "b", ""), 0);
}

/* --- service chains ---------------------------------------------------------------- */

static bool only_first(void *arg, const char *vmi)
{
	(void)arg;
	return !strncmp(vmi, "default/fw-1.", 13);
}

static bool only_n2(void *arg, const char *node)
{
	(void)arg;
	return !strcmp(node, "n2");
}

#define INSTANCE(name, node, state) "{\"pod\":\"default/" name "\",\"node\":\"" node "\",\"state\":\"" state \
	"\",\"left\":\"default/" name ".net1\",\"right\":\"default/" name ".net2\"}"

static const char chain_spec[] = "{\"left\":\"default/l\",\"right\":\"default/r\",\"instances\":["
	INSTANCE("fw-1", "n1", "active") "," INSTANCE("fw-2", "n1", "active") ","
	INSTANCE("fw-3", "n2", "active") "," INSTANCE("fw-4", "n2", "active") ","
	INSTANCE("fw-5", "n2", "draining") "," INSTANCE("fw-6", "n3", "active") "]}";

static void members_that_can_be_reached(void **state)
{
	struct plan_env env = { .node = "n1", .tunnels = true, .attached = only_first, .known = only_n2 };
	struct res *r = parse("ServiceChain", "fw", chain_spec);
	struct ids *ids = ids_new();
	const struct vr_nexthop *nh;
	struct unit u;

	(void)state;
	plan(&u, r, NULL, &env, ids);
	assert_int_equal(u.n_objs, 2);
	nh = &u.objs[0]->nexthop;
	assert_string_equal(nh->label, "default/fw@left");
	assert_string_equal(u.objs[1]->nexthop.label, "default/fw@right");
	/* one that is attached here, and one node with two that are active */
	assert_int_equal(nh->n_members, 2);
	assert_int_equal(nh->members[0].weight, 1);
	assert_string_equal(nh->members[0].label, "default/fw-1");
	assert_int_equal(nh->members[0].nexthop, ids_get(ids, ID_NEXTHOP, "local default/fw-1.net1"));
	/* in the order of their next hops, of which the tunnel's is older */
	assert_int_equal(u.objs[1]->nexthop.members[1].nexthop,
			 ids_get(ids, ID_NEXTHOP, "local default/fw-1.net2"));
	assert_int_equal(nh->members[1].weight, 2);
	assert_int_equal(nh->members[1].state, VROUTER_MEMBER_STATE_ACTIVE);
	assert_int_equal(nh->members[1].nexthop, ids_get(ids, ID_NEXTHOP, "tunnel Node/n2"));
	unit_clear(&u, ids);

	env.tunnels = false;
	plan(&u, r, NULL, &env, ids);
	assert_int_equal(u.objs[0]->nexthop.n_members, 1);
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
}

static void a_node_that_drains(void **state)
{
	static const char spec[] = "{\"left\":\"default/l\",\"right\":\"default/r\",\"instances\":["
		INSTANCE("fw-1", "n2", "draining") "," INSTANCE("fw-2", "n2", "draining") "]}";
	struct plan_env env = { .node = "n1", .tunnels = true };
	struct res *r = parse("ServiceChain", "fw", spec);
	struct ids *ids = ids_new();
	struct unit u;

	(void)state;
	plan(&u, r, NULL, &env, ids);
	assert_int_equal(u.objs[0]->nexthop.n_members, 1);
	assert_int_equal(u.objs[0]->nexthop.members[0].state, VROUTER_MEMBER_STATE_DRAINING);
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
}

/* --- members that are near ---------------------------------------------------------- */

#define M(last, more) "{\"address\":\"10.32.0." #last "\",\"port\":80,\"node\":\"n" #last "\"" more "}"
#define IN(zone) ",\"zones\":[\"" zone "\"]"
#define ON(node) ",\"nodes\":[\"" node "\"]"
#define DRAINS ",\"state\":\"draining\""
#define FAILED ",\"state\":\"failed\""

/* The members that node n1 of zone a takes, by the last octet of their addresses. */
static void near(const char *members, const char *zone, const char *more, const char *want)
{
	struct plan_env env = { .node = "n1", .zone = (char *)zone, .settled = true };
	char spec[2048], got[64] = "";
	struct ids *ids = ids_new();
	struct unit u;
	struct res *r;
	unsigned int i;

	snprintf(spec, sizeof(spec), "{\"protocol\":\"TCP\",\"family\":\"IPv4\",\"network\":\"default/n\"%s,\"members\":[%s]}",
		 more, members);
	r = parse("LoadBalancerPool", "web.http", spec);
	plan(&u, r, NULL, &env, ids);
	for (i = 0; i < u.objs[0]->nexthop.n_members; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u ", u.objs[0]->nexthop.members[i].addr.b[3]);
	assert_string_equal(got, want);
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
}

/* traffic_distribution.go, topology_hints.go: as kube-proxy understands hints. */
static void hints(void **state)
{
	static const char all[] = M(1, IN("a")) "," M(2, IN("b")) "," M(3, IN("a"));

	(void)state;
	near(all, "a", "", "1 3 ");
	near(all, "b", "", "2 ");
	near(all, "c", "", "1 2 3 ");		/* none is for this zone */
	near(all, NULL, "", "1 2 3 ");		/* the node's zone is not known */
	near(M(1, IN("a")) "," M(2, ""), "a", "", "1 2 ");	/* not all say it */
	near(M(1, IN("a")) "," M(2, IN("b")) "," M(4, DRAINS), "a", "", "1 4 ");
	near(M(1, IN("a") FAILED) "," M(2, IN("b")), "a", "", "2 ");	/* nobody is left in the zone */
	near(M(2, IN("a") ON("n2")) "," M(1, IN("a") ON("n1")), "a", "", "1 ");
	near(M(2, IN("a") ON("n2")) "," M(3, IN("a") ON("n3")), "a", "", "2 3 ");
	near(all, "b", ",\"internalTrafficPolicy\":\"Local\"", "1 ");
}

static void routes_through(void **state)
{
	static const char spec[] = "{\"network\":\"default/r\",\"node\":\"n2\",\"macAddress\":\"02:00:00:00:00:05\","
		"\"addresses\":[\"10.65.0.5\"],\"through\":[{\"network\":\"default/l\",\"chain\":\"default/fw\","
		"\"side\":\"left\"}]}";
	struct plan_env env = { .node = "n1", .tunnels = true, .settled = true };
	struct res *r = parse("VirtualMachineInterface", "b", spec);
	struct ids *ids = ids_new();
	struct unit u;

	(void)state;
	plan(&u, r, NULL, &env, ids);
	assert_int_equal(u.n_objs, 2);
	assert_int_equal(u.objs[0]->route.vrf, ids_get(ids, ID_VRF, "default/r"));
	assert_int_equal(u.objs[0]->route.nexthop, ids_get(ids, ID_NEXTHOP, "tunnel Node/n2"));
	assert_int_equal(u.objs[1]->route.vrf, ids_get(ids, ID_VRF, "default/l"));
	assert_int_equal(u.objs[1]->route.nexthop, ids_get(ids, ID_NEXTHOP, "ecmp default/fw@left"));
	unit_clear(&u, ids);

	/* not before its node is known */
	env.known = only_n2;
	env.node = "n9";
	intern_put(r->vmi.node);
	r->vmi.node = intern("n3");
	plan(&u, r, NULL, &env, ids);
	assert_int_equal(u.n_objs, 0);
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
}

/* --- blocks ------------------------------------------------------------------------- */

/* What this node has use for: the network, and who is in the group that arg names. */
static bool needs_these(void *arg, enum need need, const char *key)
{
	return need == NEED_NETWORK ? !strcmp(key, "default/net") :
	       need == NEED_MEMBERS && arg && !strcmp(key, arg);
}

static bool in_10_1(void *arg, const struct vmi *v, const struct vr_addr *addr)
{
	(void)arg;
	assert_string_equal(v->node, "n2");
	return addr->b[0] == 10 && addr->b[1] == 1;
}

/* "10.1.0.5 asked" for each route of the interface, with its groups by name. */
static void near_block(struct plan_env *env, const char *addrs, const char *more, const char *routes)
{
	char spec[512], text[512] = "", addr[VR_ADDR_TEXT];
	struct ids *ids = ids_new();
	unsigned int i, k;
	struct res *r;
	struct unit u;

	snprintf(spec, sizeof(spec), "{\"network\":\"default/net\",\"node\":\"n2\",\"macAddress\":"
		 "\"02:00:00:00:00:05\",\"securityGroups\":[\"default/x\",\"default/y\"],\"addresses\":[%s]%s}",
		 addrs, more);
	r = parse("VirtualMachineInterface", "b", spec);
	plan(&u, r, NULL, env, ids);
	for (i = 0; i < u.n_objs; i++) {
		const struct vr_route *rt = &u.objs[i]->route;

		assert_int_equal(u.objs[i]->key.kind, K_ROUTE);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
			 vr_addr_text(&rt->prefix.addr, addr));
		for (k = 0; k < rt->n_sgs; k++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
				 ids_name(ids, ID_SG, rt->sgs[k]));
	}
	assert_string_equal(text, routes);
	/* Of most interfaces of a large cluster nothing is to be kept. */
	assert_true(*routes || !u.n_ids);
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
}

static void who_has_a_route_of_his_own(void **state)
{
	struct plan_env env = {
		.node = "n1", .tunnels = true, .settled = true, .needed = needs_these,
		.in_block = in_10_1,
	};
	struct plan_env unheard = env;

	(void)state;
	near_block(&env, "\"10.1.0.5\"", "", "");
	near_block(&env, "\"10.2.0.5\"", "", "10.2.0.5 ");
	near_block(&env, "\"10.1.0.5\",\"10.2.0.5\"", "", "10.1.0.5 10.2.0.5 ");
	near_block(&env, "\"10.1.0.5\"", ",\"through\":[{\"network\":\"default/net\",\"chain\":\"default/fw\","
		   "\"side\":\"left\"}]", "10.1.0.5 10.1.0.5 ");
	near_block(&env, "\"10.1.0.5\"", ",\"joined\":\"default/other\"", "10.1.0.5 ");
	env.arg = (void *)"default/y";
	near_block(&env, "\"10.1.0.5\"", "", "10.1.0.5 default/y ");
	/* Nothing takes the place of what the kernel has before it is known who is asked for. */
	unheard.settled = false;
	near_block(&unheard, "\"10.2.0.5\"", "", "");
}

/* --- host ports --------------------------------------------------------------------- */

static const struct vr_nexthop *nexthop_of(const struct unit *u, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < u->n_objs; i++)
		if (u->objs[i]->key.kind == K_NEXTHOP && u->objs[i]->nexthop.id == id)
			return &u->objs[i]->nexthop;
	fail_msg("a vip of a next hop that is not planned");
	return NULL;
}

static void describe_vips(const struct unit *u, struct ids *ids, char *text, size_t size)
{
	char at[VR_ADDR_TEXT], to[VR_ADDR_TEXT];
	unsigned int i;
	size_t n = 0;

	text[0] = '\0';
	for (i = 0; i < u->n_objs; i++) {
		const struct vr_vip *vip = &u->objs[i]->vip;
		const struct vr_nexthop *nh;

		if (u->objs[i]->key.kind != K_VIP)
			continue;
		nh = nexthop_of(u, vip->nexthop);
		assert_int_equal(nh->n_members, 1);
		n += snprintf(text + n, size - n, "%s%s %s:%u>%s:%u", n ? ", " : "",
			      vip->vrf == ids_get(ids, ID_VRF, "default/net") ? "net" : "out",
			      vr_addr_text(&vip->addr, at), vip->port,
			      vr_addr_text(&nh->members[0].addr, to), nh->members[0].port);
		assert_int_equal(!nh->members[0].nexthop,
				 vip->vrf == ids_get(ids, ID_VRF, "default/net"));
	}
}

static void has_vips(const struct host_port *port, bool external, const char *want)
{
	static const char spec[] = "{\"network\":\"default/net\",\"node\":\"n1\",\"macAddress\":"
		"\"02:00:00:00:00:05\",\"addresses\":[\"10.32.0.5\",\"10.32.0.6\",\"fd00::5\"]}";
	struct plan_env env = { .node = "n1", .external = external, .local = { v4(1), v6(1) } };
	struct device dev = { .ifindex = 7, .name = "vr0", .ports = port, .n_ports = 1 };
	struct res *r = parse("VirtualMachineInterface", "web-0", spec);
	struct ids *ids = ids_new();
	char text[512];
	struct unit u;

	plan(&u, r, &dev, &env, ids);
	describe_vips(&u, ids, text, sizeof(text));
	assert_string_equal(text, want);
	unit_clear(&u, ids);
	ids_free(ids);
	res_free(r);
}

static void host_ports(void **state)
{
	struct host_port p = { .proto = IPPROTO_TCP, .port = 8080, .target = 80 };

	(void)state;
	has_vips(&p, false, "net 192.0.2.1:8080>10.32.0.5:80, net 2001:db8::1:8080>fd00::5:80");
	has_vips(&p, true, "net 192.0.2.1:8080>10.32.0.5:80, out 0.0.0.0:8080>10.32.0.5:80, "
		 "net 2001:db8::1:8080>fd00::5:80, out :::8080>fd00::5:80");
	p.addr.family = AF_INET6;	/* :: */
	has_vips(&p, true, "net 2001:db8::1:8080>fd00::5:80, out :::8080>fd00::5:80");
	p.addr = v4(9);
	has_vips(&p, true, "net 192.0.2.9:8080>10.32.0.5:80, out 192.0.2.9:8080>10.32.0.5:80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_agree),
		cmocka_unit_test(members_that_can_be_reached),
		cmocka_unit_test(a_node_that_drains),
		cmocka_unit_test(hints), cmocka_unit_test(routes_through),
		cmocka_unit_test(who_has_a_route_of_his_own),
		cmocka_unit_test(host_ports),
	};

	return cmocka_run_group_tests_name("vrouterd: plan", tests, NULL, NULL);
}
