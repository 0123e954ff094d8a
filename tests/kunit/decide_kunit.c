// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is decided on the first packet of a flow: source, service, member,
 * route, next hop, policy at both ends. One world, many questions; a trace of
 * the same packet must say the same.
 */

#include <linux/icmp.h>

#include "kunit_util.h"

#define NONE		VROUTER_DROP_REASON_NONE
#define IN		VROUTER_DIRECTION_INGRESS
#define OUT		VROUTER_DIRECTION_EGRESS

#define VIP_HAIRPIN	(KT_VIP + 1)
#define VIP_EMPTY	(KT_VIP + 2)
#define BLACKHOLE	0x0a420000	/* 10.66.0.0/16 */
#define HOST		0x0a4d0000	/* 10.77.0.0/16 */
#define OTHER_VRF	0x0a580000	/* 10.88.0.0/16: VRF 2, which has two /24 of it */
#define VIP_OTHER	(OTHER_VRF + 0x501)	/* a service of VRF 2 */
#define ECMP_ROUTE	0x0a630000	/* 10.99.0.0/16 */
#define NOWHERE		0x0b000001

static void set_type(struct kt_world *w, u32 id, u8 type, u32 vrf)
{
	kt_set_nexthop(w, &(struct vr_nexthop_cfg){ .id = id, .type = type, .vrf = vrf });
}

/* Its members are pods 1 and 2, which VRF 2 has routes to. */
static void other_service(struct kt_world *w, u8 family)
{
	struct vr_vip_cfg cfg = { .nexthop = family == AF_INET ? 300 : 310 };
	int err;

	kt_set_route(w, 2, kt_prefix(family, KT_POD(1), 32), KT_NH + 1, 0, NULL);
	kt_set_route(w, 2, kt_prefix(family, KT_POD(2), 32), KT_NH + 2, 0, NULL);
	cfg.key = (struct vr_vip_key){ .vrf = 2, .family = family, .proto = IPPROTO_TCP,
				       .port = htons(80), .addr = kt_addr(family, VIP_OTHER) };
	mutex_lock(&w->vn->lock);
	err = vr_vip_set(w->vn, &cfg, NLM_F_CREATE, NULL);
	mutex_unlock(&w->vn->lock);
	KUNIT_ASSERT_EQ(w->test, err, 0);
}

static void routes(struct kt_world *w, u8 family)
{
	kt_set_route(w, KT_VRF, kt_prefix(family, BLACKHOLE, 16), 200, 0, NULL);
	kt_set_route(w, KT_VRF, kt_prefix(family, HOST, 16), 201, 1, (u32[]){ 9 });
	kt_set_route(w, KT_VRF, kt_prefix(family, OTHER_VRF, 16), 202, 0, NULL);
	kt_set_route(w, KT_VRF, kt_prefix(family, ECMP_ROUTE, 16), 204, 0, NULL);
	kt_set_route(w, 2, kt_prefix(family, OTHER_VRF | 0x100, 24), KT_NH + 3, 0, NULL);
	kt_set_route(w, 2, kt_prefix(family, OTHER_VRF | 0x200, 24), 203, 0, NULL);
	kt_set_service(w, family, IPPROTO_TCP, KT_VIP, 80, family == AF_INET ? 300 : 310, 1, 2,
		       8080);
	kt_set_service(w, family, IPPROTO_UDP, KT_VIP, 53, family == AF_INET ? 301 : 311, 1, 1, 0);
	kt_set_service(w, family, IPPROTO_TCP, VIP_HAIRPIN, 80, family == AF_INET ? 302 : 312, 0,
		       1, 8080);
	kt_set_service(w, family, IPPROTO_TCP, VIP_EMPTY, 80, family == AF_INET ? 303 : 313, 0,
		       0, 0);
	other_service(w, family);
}

static int init(struct kunit *test)
{
	struct vr_member_cfg m[2] = { { .weight = 1, .nexthop = KT_NH + 1 },
				      { .weight = 1, .nexthop = KT_NH + 2 } };
	struct kt_world *w;
	int err;

	err = kt_init_pods(test);
	if (err)
		return err;
	w = kt_world(test);
	kt_set_vrf(w, 2);
	set_type(w, 200, VROUTER_NEXTHOP_TYPE_BLACKHOLE, 0);
	set_type(w, 201, VROUTER_NEXTHOP_TYPE_HOST, 0);
	set_type(w, 202, VROUTER_NEXTHOP_TYPE_VRF, 2);
	set_type(w, 203, VROUTER_NEXTHOP_TYPE_VRF, KT_VRF);
	kt_set_nexthop(w, &(struct vr_nexthop_cfg){ .id = 204, .n_members = 2, .members = m,
						    .type = VROUTER_NEXTHOP_TYPE_ECMP });
	routes(w, AF_INET);
	routes(w, AF_INET6);
	return 0;
}

static void ask(struct kt_world *w, unsigned int pod, const struct kt_pkt *p,
		struct vr_decision *d)
{
	struct vr_pkt pkt = { .vn = w->vn, .vif = kt_vif(w, pod),
			      .tuple = kt_tuple(KT_VIF(pod), p) };

	if (p->proto == IPPROTO_ICMP)
		pkt.icmp_type = ICMP_ECHO;
	if (p->proto == IPPROTO_ICMPV6)
		pkt.icmp_type = 128;
	if (!p->proto || p->proto == IPPROTO_TCP)
		pkt.tcp_flags = KT_SYN;
	memset(d, 0, sizeof(*d));
	pkt.gen = vr_net_gen(pkt.vn);
	pkt.conf = rcu_dereference(pkt.vif->conf);
	vr_decide(&pkt, d, NULL);
}

/* --- where to ------------------------------------------------------------- */

struct question {
	const char	*desc;
	u8		proto;
	u8		pod;		/* the sender */
	u32		src;		/* 0 = its own */
	u32		dst;
	u16		dport;
	enum vrouter_drop_reason why;
	s8		out;		/* pod, or */
	u32		to;		/* address after translation; 0 = dst */
	u16		to_port;	/* 0 = dport */
	bool		vip, hairpin, gateway;
};

#define ANY_OF_1_2	-1
#define THE_NODE	-2
#define TCP		IPPROTO_TCP
#define UDP		IPPROTO_UDP

static const struct question questions[] = {
	{ "pod to pod", TCP, 0, 0, KT_POD(1), 80, NONE, 1 },
	{ "pod to pod, UDP", UDP, 2, 0, KT_POD(3), 53, NONE, 3 },
	{ "pod to pod, SCTP", IPPROTO_SCTP, 3, 0, KT_POD(2), 53, NONE, 2 },
	{ "service of two", TCP, 0, 0, KT_VIP, 80, NONE, ANY_OF_1_2, .to_port = 8080, .vip = true },
	{ "service, port kept", UDP, 0, 0, KT_VIP, 53, NONE, 1, KT_POD(1), .vip = true },
	{ "service by itself (hairpin)", TCP, 0, 0, VIP_HAIRPIN, 80, NONE, 0, KT_POD(0), 8080,
	  .vip = true, .hairpin = true },
	{ "the same by another", TCP, 1, 0, VIP_HAIRPIN, 80, NONE, 0, KT_POD(0), 8080,
	  .vip = true },
	{ "service without member", TCP, 0, 0, VIP_EMPTY, 80, VROUTER_DROP_REASON_NO_MEMBER },
	{ "service, other protocol", UDP, 0, 0, KT_VIP, 80, VROUTER_DROP_REASON_NO_ROUTE },
	{ "service, other port", TCP, 0, 0, KT_VIP, 81, VROUTER_DROP_REASON_NO_ROUTE },
	{ "other's address", TCP, 0, KT_POD(1), KT_POD(2), 80, VROUTER_DROP_REASON_SPOOFED_IP },
	{ "nobody's address", TCP, 0, NOWHERE, KT_POD(2), 80, VROUTER_DROP_REASON_SPOOFED_IP },
	{ "the gateway's address", TCP, 0, KT_GATEWAY, KT_POD(2), 80,
	  VROUTER_DROP_REASON_SPOOFED_IP },
	{ "a service's address", TCP, 0, KT_VIP, KT_POD(2), 80, VROUTER_DROP_REASON_SPOOFED_IP },
	{ "spoofed to a service", TCP, 0, KT_POD(3), KT_VIP, 80, VROUTER_DROP_REASON_SPOOFED_IP },
	{ "from behind one of two", TCP, 1, ECMP_ROUTE + 7, KT_POD(3), 80, NONE, 3 },
	{ "from behind the other", TCP, 2, ECMP_ROUTE + 7, KT_POD(3), 80, NONE, 3 },
	{ "from behind neither", TCP, 3, ECMP_ROUTE + 7, KT_POD(0), 80,
	  VROUTER_DROP_REASON_SPOOFED_IP },
	{ "to itself", TCP, 0, 0, KT_POD(0), 80, VROUTER_DROP_REASON_HAIRPIN_LOOP },
	{ "no route", TCP, 0, 0, NOWHERE, 80, VROUTER_DROP_REASON_NO_ROUTE },
	{ "blackhole", TCP, 0, 0, BLACKHOLE + 5, 80, VROUTER_DROP_REASON_BLACKHOLE },
	{ "host", TCP, 0, 0, HOST + 5, 80, NONE, THE_NODE },
	{ "another VRF", TCP, 0, 0, OTHER_VRF + 0x105, 80, NONE, 3 },
	{ "another VRF, no route there", TCP, 0, 0, OTHER_VRF + 0x305, 80,
	  VROUTER_DROP_REASON_NO_ROUTE },
	{ "another VRF's service", TCP, 0, 0, VIP_OTHER, 80, NONE, ANY_OF_1_2, .to_port = 8080,
	  .vip = true },
	{ "the same, other port", TCP, 0, 0, VIP_OTHER, 81, VROUTER_DROP_REASON_NO_ROUTE },
	{ "echo to it", IPPROTO_ICMP, 0, 0, VIP_OTHER, 0, VROUTER_DROP_REASON_VIP_ICMP },
	{ "VRFs in a circle", TCP, 0, 0, OTHER_VRF + 0x205, 80, VROUTER_DROP_REASON_VRF_LOOP },
	{ "route to two", TCP, 0, 0, ECMP_ROUTE + 5, 80, NONE, ANY_OF_1_2 },
	{ "gateway, TCP", TCP, 0, 0, KT_GATEWAY, 80, VROUTER_DROP_REASON_GATEWAY },
	{ "gateway, UDP", UDP, 0, 0, KT_GATEWAY, 53, VROUTER_DROP_REASON_GATEWAY },
	{ "gateway, echo", IPPROTO_ICMP, 0, 0, KT_GATEWAY, 0, NONE, THE_NODE, .gateway = true },
	{ "echo to a pod", IPPROTO_ICMP, 0, 0, KT_POD(2), 0, NONE, 2 },
	{ "echo to a service", IPPROTO_ICMP, 0, 0, KT_VIP, 0, VROUTER_DROP_REASON_VIP_ICMP },
};
KT_PARAM(questions, questions);

static struct kt_pkt packet(const struct question *q, u8 family, u16 sport)
{
	struct kt_pkt p = { .family = family, .proto = q->proto, .dst = q->dst,
			    .src = q->src ?: KT_POD(q->pod), .sport = sport, .dport = q->dport };

	if (p.proto == IPPROTO_ICMP && family == AF_INET6)
		p.proto = IPPROTO_ICMPV6;
	return p;
}

static void expect_out(struct kunit *test, const struct question *q, const struct vr_vif *out)
{
	struct kt_world *w = kt_world(test);

	if (q->out == THE_NODE)
		KUNIT_EXPECT_NULL(test, out);
	else if (q->out == ANY_OF_1_2)
		KUNIT_EXPECT_TRUE(test, out == kt_vif(w, 1) || out == kt_vif(w, 2));
	else
		KUNIT_EXPECT_PTR_EQ(test, out, kt_vif(w, q->out));
}

static void expect_decision(struct kunit *test, const struct question *q, u8 family,
			    const struct vr_decision *d)
{
	union vr_addr src = kt_addr(family, q->src ?: KT_POD(q->pod));
	union vr_addr dst = kt_addr(family, q->to ?: q->dst);

	KUNIT_EXPECT_EQ_MSG(test, d->reason, q->why, "is %s, expected %s", vr_drop_name(d->reason),
			    vr_drop_name(q->why));
	if (q->why || d->reason)
		return;
	KUNIT_EXPECT_EQ(test, d->to_gateway, q->gateway);
	if (q->gateway)
		return;
	expect_out(test, q, d->out);
	KUNIT_EXPECT_EQ(test, !!d->vip, q->vip);
	KUNIT_EXPECT_EQ(test, !vr_addr_eq(&d->src, &src), q->hairpin);
	if (q->vip)
		KUNIT_EXPECT_NOT_NULL(test, d->member);
	if (q->out != ANY_OF_1_2 || !q->vip)
		KUNIT_EXPECT_EQ(test, memcmp(&d->dst, &dst, sizeof(dst)), 0);
	if (q->proto != IPPROTO_ICMP)
		KUNIT_EXPECT_EQ(test, ntohs(d->dport), q->to_port ?: q->dport);
}

static void where_to(struct kunit *test)
{
	const struct question *q = test->param_value;
	struct kt_world *w = kt_world(test);
	struct vr_decision d;
	struct kt_pkt p;
	int i;

	for (i = 0; i < 2; i++) {
		p = packet(q, i ? AF_INET6 : AF_INET, 1025);
		kt_read_lock();
		ask(w, q->pod, &p, &d);
		expect_decision(test, q, i ? AF_INET6 : AF_INET, &d);
		kt_read_unlock();
	}
	/* Nothing was sent, nothing counted, no flow made. */
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
}

static void trace_agrees(struct kunit *test)
{
	struct vr_trace *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	const struct question *q = test->param_value;
	struct kt_world *w = kt_world(test);
	struct vr_trace_result res;
	struct vr_tuple tuple;
	struct kt_pkt p;
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < 2; i++) {
		p = packet(q, i ? AF_INET6 : AF_INET, 1025);
		tuple = kt_tuple(KT_VIF(q->pod), &p);
		/* A trace names an ICMP packet by its type and code. */
		if (q->proto == IPPROTO_ICMP)
			tuple.dport = htons((i ? 128 : 8) << 8);
		t->n = 0;
		memset(&res, 0, sizeof(res));
		KUNIT_EXPECT_EQ(test, vr_trace_run(w->vn, &tuple, t, &res), 0);
		KUNIT_EXPECT_EQ_MSG(test, res.reason, q->why, "is %s, expected %s",
				    vr_drop_name(res.reason), vr_drop_name(q->why));
		KUNIT_EXPECT_GE(test, t->n, 1u);
		KUNIT_EXPECT_LE(test, t->n, (u32)VR_TRACE_MAX_STEPS);
		for (j = 0; j < t->n; j++)
			KUNIT_EXPECT_NE(test, t->step[j].text[0], '\0');
		if (!q->why && q->out >= 0)
			KUNIT_EXPECT_EQ(test, res.vif_out, KT_VIF(q->out));
		if (!q->why && q->vip && q->to_port)
			KUNIT_EXPECT_EQ(test, ntohs(res.final.dport), q->to_port);
	}
	tuple.port = 9999;
	KUNIT_EXPECT_EQ(test, vr_trace_run(w->vn, &tuple, t, &res), -ENOENT);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
}

/* Both members of a service and both next hops of a route are chosen by some flow. */
static void spread(struct kunit *test)
{
	static const struct question to[] = {
		{ .proto = TCP, .dst = KT_VIP, .dport = 80 },
		{ .proto = TCP, .dst = ECMP_ROUTE + 9, .dport = 80 },
	};
	struct kt_world *w = kt_world(test);
	unsigned int i, port, got[2];
	struct vr_decision d;
	struct kt_pkt p;

	for (i = 0; i < ARRAY_SIZE(to); i++) {
		got[0] = 0;
		got[1] = 0;
		for (port = 1000; port < 1200; port++) {
			p = packet(&to[i], AF_INET, port);
			kt_read_lock();
			ask(w, 0, &p, &d);
			KUNIT_EXPECT_EQ(test, d.reason, NONE);
			got[d.out == kt_vif(w, 1)]++;
			kt_read_unlock();
		}
		/* 200 fair coins fall 60 times on a side but for one in 10^8 */
		KUNIT_EXPECT_GE(test, got[0], 60u);
		KUNIT_EXPECT_GE(test, got[1], 60u);
	}
}

/* --- policy --------------------------------------------------------------- */

#define BOTH	(VROUTER_SG_FLAGS_INGRESS | VROUTER_SG_FLAGS_EGRESS)
#define INGRESS	VROUTER_SG_FLAGS_INGRESS
#define EGRESS	VROUTER_SG_FLAGS_EGRESS
#define ANY_PORT .lo = 0, .hi = 65535

struct policy {
	const char	*desc;
	u32		client_enforce, server_enforce;	/* of groups 1 (pod 0) and 2 (pod 1) */
	struct vr_sg_rule client[2], server[2];
	u8		n_client, n_server;
	u8		n_client_sgs;		/* more of pod 0's groups: 1, 5, 6 */
	u32		dst;			/* 0 = pod 1 */
	u16		dport;			/* 0 = 8080 */
	enum vrouter_drop_reason why;
	s8		hit[2];			/* [ingress], [egress] + 1; 0 = none needed */
	bool		only_v4;
};

#define REFUSED_IN	VROUTER_DROP_REASON_SG_INGRESS
#define REFUSED_OUT	VROUTER_DROP_REASON_SG_EGRESS
#define TO_8080(_dir)	{ _dir, 0, TCP, VR_PEER_ANY, 8080, 8080 }
#define TO_80(_dir)	{ _dir, 0, TCP, VR_PEER_ANY, 80, 80 }
#define FROM_SG(_sg)	{ IN, 0, 0, VR_PEER_SG, ANY_PORT, .peer_sg = _sg }
#define FROM_NET(_a, _l) { IN, AF_INET, 0, VR_PEER_PREFIX, ANY_PORT, .prefix = NET(_a, _l) }
#define TO_NET(_a, _l)	{ OUT, AF_INET, 0, VR_PEER_PREFIX, ANY_PORT, .prefix = NET(_a, _l) }
#define NET(_a, _l)	{ .addr.v4 = cpu_to_be32(_a), .family = AF_INET, .len = _l }
#define TO_SG(_sg)	{ OUT, 0, 0, VR_PEER_SG, ANY_PORT, .peer_sg = _sg }

static const struct policy policies[] = {
	{ "groups that close nothing", 0, 0, .n_client_sgs = 1, .why = NONE },
	{ "server closed", 0, INGRESS, .why = REFUSED_IN },
	{ "server closed the other way", 0, EGRESS, .why = NONE },
	{ "client closed", EGRESS, 0, .n_client_sgs = 1, .why = REFUSED_OUT },
	{ "client closed the other way", INGRESS, 0, .n_client_sgs = 1, .why = NONE },
	{ "both closed: the sender's first", BOTH, BOTH, .n_client_sgs = 1, .why = REFUSED_OUT },
	{ "server lets the port in", 0, INGRESS, .server = { TO_8080(IN) }, .n_server = 1,
	  .why = NONE, .hit = { 1, 0 } },
	{ "server lets another port in", 0, INGRESS, .server = { TO_80(IN) }, .n_server = 1,
	  .why = REFUSED_IN },
	{ "second rule", 0, INGRESS, .server = { TO_80(IN), TO_8080(IN) }, .n_server = 2,
	  .why = NONE, .hit = { 2, 0 } },
	{ "rule of the wrong direction", 0, INGRESS, .server = { TO_8080(OUT) }, .n_server = 1,
	  .why = REFUSED_IN },
	{ "client lets the port out", EGRESS, 0, .client = { TO_8080(OUT) }, .n_client = 1,
	  .n_client_sgs = 1, .why = NONE, .hit = { 0, 1 } },
	{ "both ends allow", BOTH, BOTH, .client = { TO_8080(OUT) }, .n_client = 1,
	  .server = { TO_8080(IN) }, .n_server = 1, .n_client_sgs = 1, .why = NONE,
	  .hit = { 1, 1 } },
	{ "only the sender allows", BOTH, BOTH, .client = { TO_8080(OUT) }, .n_client = 1,
	  .n_client_sgs = 1, .why = REFUSED_IN },
	{ "only the receiver allows", BOTH, BOTH, .server = { TO_8080(IN) }, .n_server = 1,
	  .n_client_sgs = 1, .why = REFUSED_OUT },
	{ "peer's group", 0, INGRESS, .server = { FROM_SG(5) }, .n_server = 1,
	  .n_client_sgs = 2, .why = NONE, .hit = { 1, 0 } },
	{ "peer's second group", 0, INGRESS, .server = { FROM_SG(6) }, .n_server = 1,
	  .n_client_sgs = 3, .why = NONE, .hit = { 1, 0 } },
	{ "peer not in the group", 0, INGRESS, .server = { FROM_SG(6) }, .n_server = 1,
	  .n_client_sgs = 2, .why = REFUSED_IN },
	{ "receiver's group", EGRESS, 0, .client = { TO_SG(2) }, .n_client = 1,
	  .n_client_sgs = 1, .why = NONE, .hit = { 0, 1 } },
	{ "service: the member's port counts", 0, INGRESS, .server = { TO_8080(IN) },
	  .n_server = 1, .dst = KT_VIP + 3, .dport = 80, .why = NONE, .hit = { 1, 0 } },
	{ "service: its own port does not", 0, INGRESS, .server = { TO_80(IN) }, .n_server = 1,
	  .dst = KT_VIP + 3, .dport = 80, .why = REFUSED_IN },
	{ "service, sender: the member's port", EGRESS, 0, .client = { TO_8080(OUT) },
	  .n_client = 1, .n_client_sgs = 1, .dst = KT_VIP + 3, .dport = 80, .why = NONE,
	  .hit = { 0, 1 } },
	{ "service, sender: not its own", EGRESS, 0, .client = { TO_80(OUT) }, .n_client = 1,
	  .n_client_sgs = 1, .dst = KT_VIP + 3, .dport = 80, .why = REFUSED_OUT },
	{ "to the member's address", EGRESS, 0, .client = { TO_NET(KT_POD(1), 32) }, .n_client = 1,
	  .n_client_sgs = 1, .why = NONE, .hit = { 0, 1 }, .only_v4 = true },
	{ "to another address", EGRESS, 0, .client = { TO_NET(KT_POD(2), 32) }, .n_client = 1,
	  .n_client_sgs = 1, .why = REFUSED_OUT, .only_v4 = true },
	{ "service, sender: the member's address", EGRESS, 0,
	  .client = { TO_NET(KT_POD(1), 32) }, .n_client = 1, .n_client_sgs = 1,
	  .dst = KT_VIP + 3, .dport = 80, .why = NONE, .hit = { 0, 1 }, .only_v4 = true },
	{ "service, sender: not its address", EGRESS, 0, .client = { TO_NET(KT_VIP + 3, 32) },
	  .n_client = 1, .n_client_sgs = 1, .dst = KT_VIP + 3, .dport = 80,
	  .why = REFUSED_OUT, .only_v4 = true },
	{ "service: the client's address", 0, INGRESS, .server = { FROM_NET(KT_POD(0), 32) },
	  .n_server = 1, .dst = KT_VIP + 3, .dport = 80, .why = NONE, .hit = { 1, 0 },
	  .only_v4 = true },
	{ "service: not its own address", 0, INGRESS, .server = { FROM_NET(KT_VIP + 3, 32) },
	  .n_server = 1, .dst = KT_VIP + 3, .dport = 80, .why = REFUSED_IN, .only_v4 = true },
	{ "group of a route", EGRESS, 0, .client = { TO_SG(9) }, .n_client = 1,
	  .n_client_sgs = 1, .dst = HOST + 5, .why = NONE, .hit = { 0, 1 } },
	{ "not the group of the route", EGRESS, 0, .client = { TO_SG(8) }, .n_client = 1,
	  .n_client_sgs = 1, .dst = HOST + 5, .why = REFUSED_OUT },
};
KT_PARAM(policies, policies);

static void set_policy(struct kt_world *w, const struct policy *p)
{
	static const u32 client[] = { 1, 5, 6 }, server[] = { 2 };

	kt_set_sg(w, 1, p->client_enforce, p->client, p->n_client);
	kt_set_sg(w, 2, p->server_enforce, p->server, p->n_server);
	kt_set_sg(w, 5, 0, NULL, 0);
	kt_set_sg(w, 6, 0, NULL, 0);
	kt_set_vif(w, 0, p->n_client_sgs, client);
	kt_set_vif(w, 1, 1, server);
	kt_set_service(w, AF_INET, TCP, KT_VIP + 3, 80, 320, 1, 1, 8080);
	kt_set_service(w, AF_INET6, TCP, KT_VIP + 3, 80, 321, 1, 1, 8080);
}

static void policy(struct kunit *test)
{
	const struct policy *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct vr_decision d;
	int i, dir;

	set_policy(w, c);
	for (i = 0; i < (c->only_v4 ? 1 : 2); i++) {
		struct kt_pkt p = { .family = i ? AF_INET6 : AF_INET, .proto = TCP,
				    .src = KT_POD(0), .dst = c->dst ?: KT_POD(1),
				    .sport = 1025, .dport = c->dport ?: 8080 };

		kt_read_lock();
		ask(w, 0, &p, &d);
		KUNIT_EXPECT_EQ_MSG(test, d.reason, c->why, "is %s, expected %s",
				    vr_drop_name(d.reason), vr_drop_name(c->why));
		if (c->why)
			KUNIT_EXPECT_PTR_EQ(test, d.sg_vif,
					    kt_vif(w, c->why == REFUSED_OUT ? 0 : 1));
		for (dir = 0; dir < 2 && !c->why && !d.reason; dir++) {
			KUNIT_EXPECT_EQ_MSG(test, d.hit_index[dir], c->hit[dir] - 1,
					    "direction %d", dir);
			if (c->hit[dir])
				KUNIT_EXPECT_PTR_EQ(test, d.hit[dir], rcu_dereference(
					vr_sg_rcu(w->vn, dir == IN ? 2 : 1)->rules));
		}
		kt_read_unlock();
	}
}

/* Two groups on an interface: either may open, either closes. */
static void union_of_groups(struct kunit *test)
{
	const struct vr_sg_rule on_8080 = TO_8080(IN), on_80 = TO_80(IN);
	struct kt_pkt p = { .proto = TCP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1 };
	struct kt_world *w = kt_world(test);
	struct vr_decision d;
	unsigned int i;
	static const struct { u16 port; enum vrouter_drop_reason why; } want[] = {
		{ 80, NONE }, { 8080, NONE }, { 443, REFUSED_IN },
	};

	kt_set_sg(w, 2, INGRESS, &on_8080, 1);
	kt_set_sg(w, 3, 0, &on_80, 1);
	kt_set_vif(w, 1, 2, (u32[]){ 2, 3 });
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		p.dport = want[i].port;
		kt_read_lock();
		ask(w, 0, &p, &d);
		kt_read_unlock();
		KUNIT_EXPECT_EQ_MSG(test, d.reason, want[i].why, "port %u", p.dport);
	}
}

/* --- tiers ----------------------------------------------------------------- */

#define ADMIN		VROUTER_SG_TIER_ADMIN
#define BASELINE	VROUTER_SG_TIER_BASELINE
#define ACCEPT		.action = VROUTER_SG_ACTION_ACCEPT
#define DENY		.action = VROUTER_SG_ACTION_DENY
#define PASS		.action = VROUTER_SG_ACTION_PASS
#define ALL(_action)	{ IN, 0, 0, VR_PEER_ANY, ANY_PORT, _action }
#define ON_80(_action)	{ IN, 0, TCP, VR_PEER_ANY, 80, 80, _action }
#define OF_5(_action)	{ IN, 0, 0, VR_PEER_SG, ANY_PORT, .peer_sg = 5, _action }

/* What the receiver's groups of each tier say of a packet to its port 80. */
static const struct tier_case {
	const char		*desc;
	struct vr_sg_rule	admin[2], second[1];	/* of the lower and the higher priority */
	struct vr_sg_rule	baseline[2];
	u8			n_admin, n_second, n_baseline;
	u8			enforce;		/* of a group that opens port 8080 */
	enum vrouter_drop_reason why;
	u8			hit;			/* group, 0 = none */
} tier_cases[] = {
	{ "admin accepts what a group closes", { ON_80(ACCEPT) }, .n_admin = 1, .enforce = INGRESS,
	  .hit = 10 },
	{ "admin denies what nobody closes", { ON_80(DENY) }, .n_admin = 1, .why = REFUSED_IN },
	{ "the first rule decides: accept", { OF_5(ACCEPT), ALL(DENY) }, .n_admin = 2, .hit = 10 },
	{ "the first rule decides: deny", { ALL(DENY), OF_5(ACCEPT) }, .n_admin = 2,
	  .why = REFUSED_IN },
	{ "the lower priority decides", { ALL(ACCEPT) }, { ALL(DENY) }, .n_admin = 1,
	  .n_second = 1, .hit = 10 },
	{ "the higher where that has no rule", { { IN, 0, TCP, VR_PEER_ANY, 443, 443, ACCEPT } },
	  { ALL(DENY) }, .n_admin = 1, .n_second = 1, .why = REFUSED_IN },
	{ "pass skips the rest of the tier", { ALL(PASS) }, { ALL(DENY) }, .n_admin = 1,
	  .n_second = 1 },
	{ "pass leaves it to the groups", { ALL(PASS) }, .n_admin = 1, .enforce = INGRESS,
	  .why = REFUSED_IN },
	{ "pass leaves it to the baseline", { ALL(PASS) }, .n_admin = 1, .baseline = { ALL(DENY) },
	  .n_baseline = 1, .why = REFUSED_IN },
	{ "baseline denies", .baseline = { ALL(DENY) }, .n_baseline = 1, .why = REFUSED_IN },
	{ "baseline accepts", .baseline = { OF_5(ACCEPT), ALL(DENY) }, .n_baseline = 2,
	  .hit = 12 },
	{ "baseline cannot open what a group closes", .baseline = { ALL(ACCEPT) },
	  .n_baseline = 1, .enforce = INGRESS, .why = REFUSED_IN },
	{ "a closed egress leaves ingress to the baseline", .baseline = { ALL(DENY) },
	  .n_baseline = 1, .enforce = EGRESS, .why = REFUSED_IN },
	{ "no rule anywhere", .admin = { { OUT, 0, 0, VR_PEER_ANY, ANY_PORT, DENY } },
	  .n_admin = 1 },
};
KT_PARAM(tier_cases, tier_cases);

static void tiers(struct kunit *test)
{
	const struct vr_sg_rule on_8080 = TO_8080(IN);
	const struct tier_case *c = test->param_value;
	struct kt_pkt p = { .proto = TCP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1,
			    .dport = 80 };
	struct kt_world *w = kt_world(test);
	struct vr_decision d;

	kt_set_sg(w, 5, 0, NULL, 0);
	kt_set_sg(w, 2, c->enforce, &on_8080, 1);
	/* ids are not in the order of priorities */
	kt_set_tier(w, 10, ADMIN, 7, c->admin, c->n_admin);
	kt_set_tier(w, 9, ADMIN, 8, c->second, c->n_second);
	kt_set_tier(w, 12, BASELINE, 0, c->baseline, c->n_baseline);
	kt_set_vif(w, 0, 1, (u32[]){ 5 });
	kt_set_vif(w, 1, 4, (u32[]){ 2, 9, 10, 12 });
	kt_read_lock();
	ask(w, 0, &p, &d);
	KUNIT_EXPECT_EQ_MSG(test, d.reason, c->why, "is %s", vr_drop_name(d.reason));
	KUNIT_EXPECT_EQ(test, d.hit_index[IN] >= 0, c->hit != 0);
	if (c->hit && d.hit_index[IN] >= 0)
		KUNIT_EXPECT_PTR_EQ(test, d.hit[IN],
				    rcu_dereference(vr_sg_rcu(w->vn, c->hit)->rules));
	kt_read_unlock();
}

/* A group that changes its tier is asked there at once; denials are counted at their rule. */
static void tier_changes(struct kunit *test)
{
	const struct vr_sg_rule deny = ALL(DENY), accept = ALL(ACCEPT);
	struct kt_pkt p = { .proto = TCP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1 };
	struct kt_world *w = kt_world(test);
	struct vr_decision d;

	kt_set_tier(w, 2, BASELINE, 0, &deny, 1);
	kt_set_tier(w, 3, BASELINE, 1, &accept, 1);
	kt_set_vif(w, 1, 2, (u32[]){ 2, 3 });
	kt_read_lock();
	ask(w, 0, &p, &d);
	KUNIT_EXPECT_EQ(test, d.reason, REFUSED_IN);
	KUNIT_EXPECT_EQ(test, vr_ruleset_hits(rcu_dereference(vr_sg_rcu(w->vn, 2)->rules), 0), 1);
	kt_read_unlock();
	kt_set_tier(w, 3, ADMIN, 1, &accept, 1);
	kt_read_lock();
	ask(w, 0, &p, &d);
	KUNIT_EXPECT_EQ(test, d.reason, NONE);
	kt_read_unlock();
}

/* --- whom a service serves, and where node ports are ------------------------- */

static void put_vip(struct kt_world *w, u32 addr, u16 port, u32 sg)
{
	struct vr_vip_cfg cfg = { .nexthop = 320, .sg = sg };
	int err;

	cfg.key = (struct vr_vip_key){ .vrf = KT_VRF, .family = AF_INET, .proto = TCP,
				       .port = htons(port), .addr.v4 = cpu_to_be32(addr) };
	mutex_lock(&w->vn->lock);
	err = vr_vip_set(w->vn, &cfg, NLM_F_CREATE, NULL);
	mutex_unlock(&w->vn->lock);
	KUNIT_ASSERT_EQ(w->test, err, 0);
}

static enum vrouter_drop_reason why(struct kt_world *w, unsigned int pod, u32 dst, u16 dport)
{
	struct kt_pkt p = { .family = AF_INET, .proto = TCP, .src = KT_POD(pod), .dst = dst,
			    .sport = 1025, .dport = dport };
	struct vr_decision d;

	kt_read_lock();
	ask(w, pod, &p, &d);
	kt_read_unlock();
	return d.reason;
}

/* By address, by group, on the service's own port; the sources of one service only. */
static void sources(struct kunit *test)
{
	const struct vr_sg_rule by_addr[] = { FROM_NET(KT_POD(0), 32), TO_NET(KT_POD(2), 32) };
	const struct vr_sg_rule by_group[] = { FROM_SG(5), TO_8080(IN) };
	struct kt_world *w = kt_world(test);
	u32 gen;

	kt_set_sg(w, 20, INGRESS, by_addr, 2);
	kt_set_sg(w, 5, 0, NULL, 0);
	kt_set_vif(w, 2, 1, (u32[]){ 5 });
	kt_set_service(w, AF_INET, TCP, KT_VIP + 3, 80, 320, 1, 1, 8080);
	put_vip(w, KT_VIP + 4, 80, 20);
	KUNIT_EXPECT_EQ(test, why(w, 0, KT_VIP + 4, 80), NONE);
	KUNIT_EXPECT_EQ(test, why(w, 2, KT_VIP + 4, 80), VROUTER_DROP_REASON_VIP_SOURCE);
	KUNIT_EXPECT_EQ(test, why(w, 2, KT_VIP + 3, 80), NONE);
	gen = vr_net_gen(w->vn);
	kt_set_sg(w, 20, 0, by_group, 2);
	KUNIT_EXPECT_TRUE(test, vr_gen_after(vr_net_gen(w->vn), gen));
	KUNIT_EXPECT_EQ(test, why(w, 0, KT_VIP + 4, 80), VROUTER_DROP_REASON_VIP_SOURCE);
	KUNIT_EXPECT_EQ(test, why(w, 2, KT_VIP + 4, 80), NONE);
	kt_set_sg(w, 20, 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, why(w, 2, KT_VIP + 4, 80), VROUTER_DROP_REASON_VIP_SOURCE);
}

/* A vip of every address is at those that routes say are nodes', and at no others. */
static void other_nodes(struct kunit *test)
{
	struct vr_route_cfg r = { .vrf = KT_VRF, .prefix = NET(HOST + 7, 32), .nexthop = 201,
				  .node = true };
	struct kt_world *w = kt_world(test);
	int err;

	kt_set_service(w, AF_INET, TCP, KT_VIP + 3, 80, 320, 1, 1, 8080);
	put_vip(w, 0, 30080, 0);
	mutex_lock(&w->vn->lock);
	err = vr_route_set(w->vn, &r, NLM_F_CREATE, NULL);
	mutex_unlock(&w->vn->lock);
	KUNIT_ASSERT_EQ(test, err, 0);
	kt_set_sg(w, 2, INGRESS, NULL, 0);
	kt_set_vif(w, 1, 1, (u32[]){ 2 });
	/* the member's group refuses, the node has none */
	KUNIT_EXPECT_EQ(test, why(w, 0, HOST + 7, 30080), REFUSED_IN);
	KUNIT_EXPECT_EQ(test, why(w, 0, HOST + 7, 30081), NONE);
	KUNIT_EXPECT_EQ(test, why(w, 0, HOST + 8, 30080), NONE);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(where_to, questions_gen_params),
	KUNIT_CASE_PARAM(trace_agrees, questions_gen_params),
	KUNIT_CASE(spread),
	KUNIT_CASE_PARAM(policy, policies_gen_params),
	KUNIT_CASE(union_of_groups),
	KUNIT_CASE_PARAM(tiers, tier_cases_gen_params),
	KUNIT_CASE(tier_changes),
	KUNIT_CASE(sources),
	KUNIT_CASE(other_nodes),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_decide",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
