// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole way, from a pod's veth to another's: what arrives there is
 * compared with what should, and every checksum is computed anew.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "kunit_util.h"

#define TCP	IPPROTO_TCP
#define UDP	IPPROTO_UDP
#define NH	300

struct proto_case {
	const char	*desc;
	u8		family, proto;
	enum kt_csum	csum;
};

static const struct proto_case protos[] = {
	{ "TCP IPv4", AF_INET, TCP, KT_NONE },
	{ "TCP IPv4 offloaded", AF_INET, TCP, KT_PARTIAL },
	{ "TCP IPv6", AF_INET6, TCP, KT_COMPLETE },
	{ "TCP IPv6 offloaded", AF_INET6, TCP, KT_PARTIAL },
	{ "UDP IPv4", AF_INET, UDP, KT_COMPLETE },
	{ "UDP IPv4 offloaded", AF_INET, UDP, KT_PARTIAL },
	{ "UDP IPv6", AF_INET6, UDP, KT_NONE },
	{ "SCTP IPv4", AF_INET, IPPROTO_SCTP, KT_NONE },
	{ "SCTP IPv6", AF_INET6, IPPROTO_SCTP, KT_PARTIAL },
};
KT_PARAM(protos, protos);

/* Through a service and back, for each protocol: translated there, translated back. */
static void service(struct kunit *test)
{
	const struct proto_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct kt_pkt p, seen, back;

	kt_set_service(w, c->family, c->proto, KT_VIP, 80, NH, 1, 1, 8080);
	p = (struct kt_pkt){ .family = c->family, .proto = c->proto, .src = KT_POD(0),
			     .dst = KT_VIP, .sport = 1025, .dport = 80, .flags = KT_SYN,
			     .payload = c->proto == TCP ? 0 : 64, .csum = c->csum };
	seen = p;
	seen.dst = KT_POD(1);
	seen.dport = 8080;
	seen.ttl = 63;
	kt_send(w, 0, &p);
	kt_expect_recv(w, 1, &seen, "to the member");

	back = kt_answer(&seen);
	back.ttl = 64;
	back.flags = KT_SYN | KT_ACK;
	back.ack = 1;
	kt_send(w, 1, &back);
	seen = kt_answer(&p);
	seen.ttl = 63;
	kt_expect_recv(w, 0, &seen, "back to the client");
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 1);
	kt_expect_nothing(w);
}

/* The same from a pod to itself: it must see the service as its peer, not itself. */
static void hairpin(struct kunit *test)
{
	const struct proto_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct kt_pkt p, seen, back;

	kt_set_service(w, c->family, c->proto, KT_VIP, 80, NH, 0, 1, 8080);
	p = (struct kt_pkt){ .family = c->family, .proto = c->proto, .src = KT_POD(0),
			     .dst = KT_VIP, .sport = 1025, .dport = 80, .flags = KT_SYN,
			     .payload = c->proto == TCP ? 0 : 64, .csum = c->csum };
	seen = p;
	seen.src = KT_VIP;
	seen.dst = KT_POD(0);
	seen.dport = 8080;
	kt_send(w, 0, &p);
	kt_expect_recv(w, 0, &seen, "to itself");
	back = kt_answer(&seen);
	back.flags = KT_SYN | KT_ACK;
	back.ack = 1;
	kt_send(w, 0, &back);
	seen = kt_answer(&p);
	kt_expect_recv(w, 0, &seen, "and back");
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 1);
}

/* One client's port, by several ways to the same port of a pod: that sees several ports. */
static void same_way_back(struct kt_world *w, const struct kt_pkt *p, u16 min, u16 max)
{
	struct kunit *test = w->test;
	struct kt_pkt seen = *p, back;
	struct sk_buff *skb;

	kt_send(w, 0, p);
	skb = kt_recv(w, 1);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, skb_linearize(skb), 0);
	seen.dst = KT_POD(1);
	seen.dport = 8080;
	seen.sport = get_unaligned_be16(skb->data + (p->family == AF_INET ? 20 : 40));
	KUNIT_EXPECT_GE(test, seen.sport, min);
	KUNIT_EXPECT_LE(test, seen.sport, max);
	kt_expect_pkt(test, skb, &seen, "to the member");
	kfree_skb(skb);

	back = kt_answer(&seen);
	back.flags = KT_SYN | KT_ACK;
	back.ack = 1;
	kt_send(w, 1, &back);
	seen = kt_answer(p);
	kt_expect_recv(w, 0, &seen, "back to the client");
}

static const u8 init_chunk[64] = { 1 }, heartbeat_chunk[64] = { 4 };

static void shared_member(struct kunit *test)
{
	const struct proto_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct kt_pkt p = { .family = c->family, .proto = c->proto, .src = KT_POD(0),
			    .dst = KT_VIP, .sport = 5000, .dport = 80, .flags = KT_SYN,
			    .payload = c->proto == TCP ? 0 : 64, .data = init_chunk,
			    .csum = c->csum };
	struct kt_pkt privileged = p;
	unsigned int port;

	for (port = 80; port < 84; port++)
		kt_set_service(w, c->family, c->proto, KT_VIP, port, NH + port, 1, 1, 8080);
	same_way_back(w, &p, 5000, 5000);
	for (p.dport = 81; p.dport < 84; p.dport++)
		same_way_back(w, &p, 1024, U16_MAX);
	p.dst = KT_POD(1);
	p.dport = 8080;
	same_way_back(w, &p, 1024, U16_MAX);

	privileged.sport = 700;
	same_way_back(w, &privileged, 700, 700);
	privileged.dport = 81;
	same_way_back(w, &privileged, 512, 1023);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 7);
	kt_expect_nothing(w);
}

/* The other way of an association that has one already keeps its ports, or is none. */
static void second_path(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	u8 family;

	for (family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0) {
		struct kt_pkt p = { .family = family, .proto = IPPROTO_SCTP, .src = KT_POD(0),
				    .dst = KT_VIP, .sport = 5000, .dport = 80, .payload = 64,
				    .data = init_chunk };

		kt_set_service(w, family, IPPROTO_SCTP, KT_VIP, 80, NH + family, 1, 1, 8080);
		same_way_back(w, &p, 5000, 5000);
		p.dst = KT_POD(1);
		p.dport = 8080;
		p.data = heartbeat_chunk;
		kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_FLOW_CLASH);
		kt_expect_nothing(w);
	}
}

/* No member: told at once. */
static void refused(struct kunit *test)
{
	const struct proto_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct kt_pkt p = { .family = c->family, .proto = c->proto, .src = KT_POD(0),
			    .dst = KT_VIP, .sport = 1025, .dport = 80, .flags = KT_SYN,
			    .seq = 77, .payload = 20, .csum = c->csum };
	struct sk_buff *skb;
	unsigned int hdr = c->family == AF_INET ? 20 : 40;
	u8 *l4;

	kt_set_service(w, c->family, c->proto, KT_VIP, 80, NH, 0, 0, 0);
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_NO_MEMBER);
	skb = kt_recv(w, 0);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	kt_expect_sound(test, skb, "answer");
	l4 = skb->data + hdr;
	if (c->proto == TCP) {
		struct kt_pkt rst = kt_answer(&p);

		kt_expect_pkt(test, skb, &rst, "RST");
		KUNIT_EXPECT_EQ(test, l4[13], KT_RST | KT_ACK);
		/* RFC 9293 3.10.7.1: acknowledges SYN and data */
		KUNIT_EXPECT_EQ(test, get_unaligned_be32(l4 + 8), 77 + 1 + 20);
		KUNIT_EXPECT_EQ(test, get_unaligned_be32(l4 + 4), 0);
	} else if (c->family == AF_INET) {
		KUNIT_EXPECT_EQ(test, skb->data[9], IPPROTO_ICMP);
		KUNIT_EXPECT_EQ(test, l4[0], ICMP_DEST_UNREACH);
		KUNIT_EXPECT_EQ(test, l4[1], ICMP_PORT_UNREACH);
		KUNIT_EXPECT_EQ(test, get_unaligned_be32(l4 + 8 + 16), KT_VIP);
	} else {
		KUNIT_EXPECT_EQ(test, skb->data[6], IPPROTO_ICMPV6);
		KUNIT_EXPECT_EQ(test, l4[0], ICMPV6_DEST_UNREACH);
		KUNIT_EXPECT_EQ(test, l4[1], ICMPV6_PORT_UNREACH);
	}
	kfree_skb(skb);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
}

/* --- ICMP errors ---------------------------------------------------------- */

struct icmp_case {
	const char	*desc;
	u8		family, proto;
	u8		type, code;
	u16		inner;		/* octets of the packet in it; 0 = all */
};

static const struct icmp_case icmp_cases[] = {
	{ "UDP, all of it", AF_INET, UDP, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH },
	{ "UDP, 28 octets", AF_INET, UDP, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 28 },
	{ "TCP, all of it", AF_INET, TCP, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED },
	{ "TCP, 28 octets", AF_INET, TCP, ICMP_TIME_EXCEEDED, 0, 28 },
	{ "SCTP, 28 octets", AF_INET, IPPROTO_SCTP, ICMP_DEST_UNREACH, 2, 28 },
	{ "IPv6 UDP, all of it", AF_INET6, UDP, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH },
	{ "IPv6 UDP, 48 octets", AF_INET6, UDP, ICMPV6_TIME_EXCEED, 0, 48 },
	{ "IPv6 TCP, all of it", AF_INET6, TCP, ICMPV6_PKT_TOOBIG, 0 },
	{ "IPv6 TCP, 48 octets", AF_INET6, TCP, ICMPV6_DEST_UNREACH, 1, 48 },
};
KT_PARAM(icmp_cases, icmp_cases);

/* An error about "about" from its receiver to its sender; inner octets of it. */
static struct kt_pkt error_about(const struct icmp_case *c, const struct kt_pkt *about, u8 *buf)
{
	unsigned int len = kt_bytes(about, buf);

	return (struct kt_pkt){ .family = c->family, .src = about->dst, .dst = about->src,
				.proto = c->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				.type = c->type, .code = c->code, .data = buf,
				.payload = c->inner ?: len };
}

/* What arrived must be, octet for octet behind the IP header, this error. */
static void expect_error(struct kt_world *w, unsigned int pod, const struct icmp_case *c,
			 const struct kt_pkt *about, const char *what)
{
	u8 *buf = kunit_kzalloc(w->test, 2 * KT_MAX_PKT, GFP_KERNEL), *want = buf + KT_MAX_PKT;
	unsigned int hdr = c->family == AF_INET ? 20 : 40, len, i;
	struct kt_pkt e = error_about(c, about, buf);
	struct sk_buff *skb = kt_recv(w, pod);

	if (!skb)
		KUNIT_FAIL(w->test, "%s: nothing arrived", what);
	KUNIT_ASSERT_NOT_NULL(w->test, skb);
	len = kt_bytes(&e, want);
	e.ttl = 63;
	kt_expect_sound(w->test, skb, what);
	kt_expect_pkt(w->test, skb, &e, what);
	KUNIT_ASSERT_EQ_MSG(w->test, skb->len, len, "%s", what);
	for (i = hdr; i < len; i++)
		if (skb->data[i] != want[i]) {
			KUNIT_FAIL(w->test, "%s: octet %u is %02x, expected %02x", what, i,
				   skb->data[i], want[i]);
			break;
		}
	kfree_skb(skb);
}

/* Errors in both directions of a translated flow: each end must recognise its own packet. */
static void icmp_error(struct kunit *test)
{
	const struct icmp_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct kt_pkt p, at_server, reply, at_client, e;
	u8 *buf = kunit_kzalloc(test, KT_MAX_PKT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	kt_set_service(w, c->family, c->proto, KT_VIP, 80, NH, 1, 1, 8080);
	p = (struct kt_pkt){ .family = c->family, .proto = c->proto, .src = KT_POD(0), .ttl = 64,
			     .dst = KT_VIP, .sport = 1025, .dport = 80, .flags = KT_SYN,
			     .payload = 32 };
	at_server = p;
	at_server.dst = KT_POD(1);
	at_server.dport = 8080;
	at_server.ttl = 63;
	kt_send(w, 0, &p);
	kt_expect_recv(w, 1, &at_server, "packet");
	reply = kt_answer(&at_server);
	reply.ttl = 64;
	reply.flags = KT_SYN | KT_ACK;
	reply.ack = 33;
	kt_send(w, 1, &reply);
	at_client = reply;
	at_client.src = KT_VIP;
	at_client.sport = 80;
	at_client.ttl = 63;
	kt_expect_recv(w, 0, &at_client, "reply");

	/* The server about what it got; the client must see what it had sent. */
	p.ttl = 63;
	e = error_about(c, &at_server, buf);
	kt_send(w, 1, &e);
	expect_error(w, 0, c, &p, "error of the server");
	/* The client about what it got. */
	reply.ttl = 63;
	e = error_about(c, &at_client, buf);
	kt_send(w, 0, &e);
	expect_error(w, 1, c, &reply, "error of the client");
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 1);
	kt_expect_nothing(w);
}

/* An error about a flow that is not, or not the sender's, is dropped. */
static void icmp_error_forged(struct kunit *test)
{
	const struct icmp_case c = { .family = AF_INET, .type = ICMP_DEST_UNREACH };
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1025,
			    .dport = 80, .payload = 16 }, seen = p, e;
	struct kt_world *w = kt_world(test);
	u8 *buf = kunit_kzalloc(test, KT_MAX_PKT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	e = error_about(&c, &p, buf);
	kt_expect_drop(w, 1, &e, VROUTER_DROP_REASON_ICMP_NO_FLOW);
	kt_send(w, 0, &p);
	kt_expect_recv(w, 1, &seen, "packet");
	/* pod 2 says that pod 1 cannot be reached */
	e.src = KT_POD(2);
	kt_expect_drop(w, 2, &e, VROUTER_DROP_REASON_ICMP_NO_FLOW);
	/* pod 1 tells pod 2 of a packet that pod 0 has sent */
	e.src = KT_POD(1);
	e.dst = KT_POD(2);
	kt_expect_drop(w, 1, &e, VROUTER_DROP_REASON_ICMP_NO_FLOW);
	/* and an error with somebody else's source */
	e.dst = KT_POD(0);
	e.src = KT_POD(1);
	kt_expect_drop(w, 2, &e, VROUTER_DROP_REASON_SPOOFED_IP);
	kt_expect_nothing(w);
}

/* A connection that a service knows nothing of is reset (RFC 9293, 3.10.7.1), by a number
 * that its client believes; nothing is said to a reset. Between pods the ends see to that.
 */
static void out_of_state(struct kunit *test)
{
	struct kt_pkt p = { .proto = TCP, .src = KT_POD(0), .dst = KT_VIP, .sport = 1,
			    .dport = 80, .flags = KT_ACK, .seq = 5, .ack = 77 }, rst;
	struct kt_world *w = kt_world(test);
	struct sk_buff *skb;

	kt_set_service(w, AF_INET, TCP, KT_VIP, 80, NH, 1, 1, 8080);
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_TCP_NO_FLOW);
	skb = kt_recv(w, 0);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	rst = kt_answer(&p);
	kt_expect_pkt(test, skb, &rst, "RST");
	kt_expect_sound(test, skb, "RST");
	KUNIT_EXPECT_EQ(test, skb->data[33], KT_RST);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(skb->data + 24), 77);
	kfree_skb(skb);

	p.flags = KT_RST;
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_TCP_NO_FLOW);
	p.dst = KT_POD(1);
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_TCP_NO_FLOW);
	p.flags = KT_ACK;
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_TCP_NO_FLOW);
	p = (struct kt_pkt){ .proto = IPPROTO_ICMP, .type = ICMP_ECHOREPLY, .src = KT_POD(0),
			     .dst = KT_POD(1), .sport = 3 };
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_ICMP_NO_FLOW);
	kt_expect_nothing(w);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
}

static void echo(struct kunit *test)
{
	struct kt_pkt p = { .proto = IPPROTO_ICMP, .type = ICMP_ECHO, .src = KT_POD(0),
			    .dst = KT_POD(1), .sport = 9, .payload = 56 }, a, seen;
	struct kt_world *w = kt_world(test);

	kt_send(w, 0, &p);
	seen = p;
	seen.ttl = 63;
	kt_expect_recv(w, 1, &seen, "echo request");
	a = kt_answer(&p);
	a.type = ICMP_ECHOREPLY;
	kt_send(w, 1, &a);
	seen = a;
	seen.ttl = 63;
	kt_expect_recv(w, 0, &seen, "echo reply");
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 1);
}

/* --- changes reach flows -------------------------------------------------- */

/* One UDP packet each way, so that the flow is open. */
static void open_flow(struct kt_world *w, const struct kt_pkt *p, unsigned int to,
		      const struct kt_pkt *seen)
{
	struct kt_pkt back = kt_answer(seen), at_client = kt_answer(p);

	kt_send(w, 0, p);
	kt_expect_recv(w, to, seen, "first packet");
	kt_send(w, to, &back);
	kt_expect_recv(w, 0, &at_client, "first reply");
}

static void policy_change(struct kunit *test)
{
	const struct vr_sg_rule allow = { VROUTER_DIRECTION_INGRESS, 0, UDP, VR_PEER_ANY, 53, 53 };
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1,
			    .dport = 53 }, back = kt_answer(&p), other = p;
	struct kt_world *w = kt_world(test);

	kt_set_sg(w, 2, VROUTER_SG_FLAGS_INGRESS, &allow, 1);
	kt_set_vif(w, 1, 1, (u32[]){ 2 });
	open_flow(w, &p, 1, &p);
	/* Another service's change: the flow stays. */
	kt_set_service(w, AF_INET, TCP, KT_VIP, 80, NH, 2, 1, 8080);
	kt_send(w, 0, &p);
	kt_expect_recv(w, 1, &p, "after another's change");
	/* The rule goes: so does the flow, in both directions. */
	kt_set_sg(w, 2, VROUTER_SG_FLAGS_INGRESS, NULL, 0);
	kt_send(w, 0, &p);
	kt_send(w, 1, &back);
	kt_expect_nothing(w);
	/* It comes back: traffic does too. */
	kt_set_sg(w, 2, VROUTER_SG_FLAGS_INGRESS, &allow, 1);
	kt_send(w, 0, &p);
	kt_expect_recv(w, 1, &p, "allowed again");
	other.dport = 54;
	kt_expect_drop(w, 0, &other, VROUTER_DROP_REASON_SG_INGRESS);
}

/* A member removed: UDP goes to another at once; TCP ends, and its client is not left hanging. */
static void member_removed(struct kunit *test)
{
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_VIP, .sport = 1,
			    .dport = 53 }, seen = p;
	struct kt_world *w = kt_world(test);

	kt_set_service(w, AF_INET, UDP, KT_VIP, 53, NH, 1, 1, 5353);
	seen.dst = KT_POD(1);
	seen.dport = 5353;
	open_flow(w, &p, 1, &seen);
	kt_set_service(w, AF_INET, UDP, KT_VIP, 53, NH, 2, 1, 5353);
	seen.dst = KT_POD(2);
	kt_send(w, 0, &p);
	kt_expect_recv(w, 2, &seen, "to the new member");
	kt_expect_nothing(w);
}

static void member_added(struct kunit *test)
{
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_VIP, .dport = 53 }, seen;
	struct kt_world *w = kt_world(test);
	unsigned int port;

	/* Established flows stay on their member, whatever is added. */
	kt_set_service(w, AF_INET, UDP, KT_VIP, 53, NH, 1, 1, 5353);
	for (port = 1; port < 40; port++) {
		p.sport = port;
		seen = p;
		seen.dst = KT_POD(1);
		seen.dport = 5353;
		open_flow(w, &p, 1, &seen);
	}
	kt_set_service(w, AF_INET, UDP, KT_VIP, 53, NH, 1, 3, 5353);
	for (port = 1; port < 40; port++) {
		p.sport = port;
		seen = p;
		seen.dst = KT_POD(1);
		seen.dport = 5353;
		kt_send(w, 0, &p);
		kt_expect_recv(w, 1, &seen, "stays");
	}
	kt_expect_nothing(w);
}

static void affinity(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct vr_vip_cfg vip = { .nexthop = NH, .affinity_timeout = 3600 };
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_VIP, .dport = 53 };
	struct netlink_ext_ack extack = {};
	unsigned int port, pod, got[KT_PODS] = {};
	struct sk_buff *skb;

	kt_set_service(w, AF_INET, UDP, KT_VIP, 53, NH, 1, 3, 0);
	vip.key = (struct vr_vip_key){ .vrf = KT_VRF, .family = AF_INET, .proto = UDP,
				       .port = htons(53), .addr = kt_addr(AF_INET, KT_VIP) };
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, vr_vip_set(w->vn, &vip, NLM_F_REPLACE, &extack), 0);
	kt_unlock(w);
	for (port = 1; port <= 40; port++) {
		p.sport = port;
		kt_send(w, 0, &p);
	}
	rcu_barrier();
	for (pod = 1; pod < KT_PODS; pod++)
		for (; (skb = skb_dequeue(&w->pod[pod].got)); kfree_skb(skb))
			got[pod]++;
	KUNIT_EXPECT_EQ(test, max3(got[1], got[2], got[3]), 40u);
}

/* Detached: its flows end, nothing reaches the device by us any more. */
static void detached(struct kunit *test)
{
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1,
			    .dport = 53 };
	struct kt_world *w = kt_world(test);

	open_flow(w, &p, 1, &p);
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, vr_vif_del(w->vn, KT_VIF(1), NULL), 0);
	kt_unlock(w);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
	kt_send(w, 0, &p);
	kt_expect_nothing(w);
	/* attached anew, the next hop's and the route's work is theirs again */
	kt_set_vif(w, 1, 0, NULL);
	kt_set_nexthop(w, &(struct vr_nexthop_cfg){ .id = KT_NH + 1, .vif = KT_VIF(1),
		.type = VROUTER_NEXTHOP_TYPE_LOCAL });
	kt_send(w, 0, &p);
	kt_expect_recv(w, 1, &p, "attached anew");
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(service, protos_gen_params),
	KUNIT_CASE_PARAM(hairpin, protos_gen_params),
	KUNIT_CASE_PARAM(shared_member, protos_gen_params),
	KUNIT_CASE(second_path),
	KUNIT_CASE_PARAM(refused, protos_gen_params),
	KUNIT_CASE_PARAM(icmp_error, icmp_cases_gen_params),
	KUNIT_CASE(icmp_error_forged),
	KUNIT_CASE(out_of_state),
	KUNIT_CASE(echo),
	KUNIT_CASE(policy_change),
	KUNIT_CASE(member_removed),
	KUNIT_CASE(member_added),
	KUNIT_CASE(affinity),
	KUNIT_CASE(detached),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_path",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = kt_init_pods,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
