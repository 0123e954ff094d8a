// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other nodes send, octet by octet: what is let in, and by which reason the rest is
 * dropped.
 */

#include <linux/ip.h>
#include <linux/udp.h>
#include <net/netlink.h>

#include "../../kmod/path/tunnel.h"
#include "kunit_util.h"

#define VNI		5001
#define TUNNEL_VIF	50
#define NODE(i)		(0xc0000200 + (i))	/* 192.0.2.i, underlay */
#define PODS_OF(i)	(0x0a010000 + ((i) << 8))	/* a /24 behind node i */

enum { VXLAN = VROUTER_TUNNEL_ENCAP_VXLAN, MPLS = VROUTER_TUNNEL_ENCAP_MPLSOUDP };

/* --- a node with two others ------------------------------------------------ */

static void set_tunnel(struct kt_world *w, u32 id, u8 encap, unsigned int node)
{
	struct vr_nexthop_cfg cfg = {
		.id = id, .type = VROUTER_NEXTHOP_TYPE_TUNNEL,
		.tunnel = { .encap = encap, .family = AF_INET,
			    .remote = kt_addr(AF_INET, NODE(node)) },
	};

	kt_set_nexthop(w, &cfg);
}

/* Node 2 by VXLAN, 3 by VXLAN, 4 by MPLS. */
static int init(struct kunit *test)
{
	struct vr_vif_cfg end = { .id = TUNNEL_VIF, .type = VROUTER_VIF_TYPE_TUNNEL, .vni = VNI,
				  .vrf = KT_VRF };
	struct netlink_ext_ack extack = {};
	int err = kt_init_pods(test), i;
	struct kt_world *w;

	if (err)
		return err;
	w = kt_world(test);
	kt_lock(w);
	err = vr_vif_set(w->vn, &end, NLM_F_CREATE, &extack);
	kt_unlock(w);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "%s", extack._msg ?: "");
	for (i = 2; i <= 4; i++) {
		set_tunnel(w, 200 + i, i == 4 ? MPLS : VXLAN, i);
		kt_set_route(w, KT_VRF, kt_prefix(AF_INET, PODS_OF(i), 24), 200 + i, 0, NULL);
	}
	return 0;
}

/* --- a packet on the wire --------------------------------------------------- */

static const struct rx_case {
	const char	*desc;
	enum vrouter_drop_reason why;
	u8		encap;
	u8		node;		/* who sends; 0 = 2, or 4 by MPLS */
	u8		tos;		/* of the outer header */
	bool		no_flag;	/* VXLAN: without VNI; MPLS: not the last label */
	bool		other_mac;
	u16		proto;		/* of the inner frame; 0 = IPv4 */
	u32		vni;		/* 0 = VNI */
	u16		keep;		/* octets behind the outer UDP header; 0 = all */
	u8		version;	/* of the inner header; 0 = right */
	u32		src, dst;	/* 0 = a pod behind the sender, pod 0 */
} rx_cases[] = {
	{ "vxlan" },
	{ "mpls", .encap = MPLS },
	{ "vxlan, unknown peer", VROUTER_DROP_REASON_UNKNOWN_PEER, .node = 9 },
	{ "mpls, a peer by vxlan", VROUTER_DROP_REASON_UNKNOWN_PEER, MPLS, .node = 2 },
	{ "vxlan, a peer by mpls", VROUTER_DROP_REASON_UNKNOWN_PEER, .node = 4 },
	{ "unknown vni", VROUTER_DROP_REASON_UNKNOWN_VNI, .vni = VNI + 1 },
	{ "the largest vni", VROUTER_DROP_REASON_UNKNOWN_VNI, .vni = 0xffffff },
	{ "unknown label", VROUTER_DROP_REASON_UNKNOWN_VNI, MPLS, .vni = VNI + 1 },
	{ "vxlan without vni", VROUTER_DROP_REASON_BAD_ENCAP, .no_flag = true },
	{ "label that is not the last", VROUTER_DROP_REASON_BAD_ENCAP, MPLS, .no_flag = true },
	{ "vxlan header cut", VROUTER_DROP_REASON_BAD_ENCAP, .keep = 7 },
	{ "vxlan, nothing in it", VROUTER_DROP_REASON_BAD_ENCAP, .keep = 8 },
	{ "frame cut", VROUTER_DROP_REASON_BAD_ENCAP, .keep = 8 + 13 },
	{ "frame, nothing in it", VROUTER_DROP_REASON_BAD_IP, .keep = 8 + 14 },
	{ "inner header cut", VROUTER_DROP_REASON_BAD_IP, .keep = 8 + 14 + 19 },
	{ "inner packet cut", VROUTER_DROP_REASON_BAD_IP, .keep = 8 + 14 + 27 },
	{ "label cut", VROUTER_DROP_REASON_BAD_ENCAP, MPLS, .keep = 3 },
	{ "label, nothing behind", VROUTER_DROP_REASON_BAD_ENCAP, MPLS, .keep = 4 },
	{ "mpls, inner header cut", VROUTER_DROP_REASON_BAD_IP, MPLS, .keep = 4 + 19 },
	{ "mpls, neither ipv4 nor ipv6", VROUTER_DROP_REASON_BAD_ENCAP, MPLS, .version = 5 },
	{ "vxlan, ipv6 that is ipv4", VROUTER_DROP_REASON_BAD_IP, .proto = ETH_P_IPV6 },
	{ "arp", VROUTER_DROP_REASON_BAD_ETHERNET, .proto = ETH_P_ARP },
	{ "a frame for another mac", VROUTER_DROP_REASON_BAD_ETHERNET, .other_mac = true },
	{ "congestion, inner knows none", VROUTER_DROP_REASON_TUNNEL_ECN, .tos = 3 },
	{ "outer ect", .tos = 2 },
	{ "another node's pod", VROUTER_DROP_REASON_SPOOFED_PEER, .src = PODS_OF(3) + 5 },
	{ "mpls, another node's pod", VROUTER_DROP_REASON_SPOOFED_PEER, MPLS,
	  .src = PODS_OF(2) + 5 },
	{ "this node's pod", VROUTER_DROP_REASON_SPOOFED_PEER, .src = KT_POD(1) },
	{ "a source without route", VROUTER_DROP_REASON_SPOOFED_PEER, .src = 0xc6336401 },
	{ "source loopback", VROUTER_DROP_REASON_MARTIAN, .src = 0x7f000001 },
	{ "source multicast", VROUTER_DROP_REASON_MARTIAN, .src = 0xe0000001 },
	{ "to loopback", VROUTER_DROP_REASON_MARTIAN, .dst = 0x7f000001 },
	{ "to multicast", VROUTER_DROP_REASON_MULTICAST, .dst = 0xe0000001 },
	{ "to the other node", VROUTER_DROP_REASON_TUNNEL_LOOP, .dst = PODS_OF(3) + 5 },
	{ "back to the sender", VROUTER_DROP_REASON_TUNNEL_LOOP, .dst = PODS_OF(2) + 6 },
	{ "without a route", VROUTER_DROP_REASON_NO_ROUTE, .dst = 0xc6336401 },
};
KT_PARAM(rx_cases, rx_cases);

static unsigned int sender(const struct rx_case *c)
{
	return c->node ?: c->encap == MPLS ? 4 : 2;
}

static struct kt_pkt inner_of(const struct rx_case *c)
{
	return (struct kt_pkt) {
		.proto = IPPROTO_UDP, .src = c->src ?: PODS_OF(sender(c)) + 5,
		.dst = c->dst ?: KT_POD(0), .sport = 1000, .dport = 2000, .payload = 32,
	};
}

static unsigned int put_vxlan(const struct rx_case *c, u8 *buf)
{
	struct vr_vxlan_hdr *vh = (struct vr_vxlan_hdr *)buf;
	struct ethhdr *eth = (struct ethhdr *)(vh + 1);

	/* RFC 7348, 5: what is reserved is not looked at */
	vh->flags = htonl((c->no_flag ? 0 : VR_VXLAN_HAS_VNI) | 0x00abcdef);
	vh->vni = htonl((c->vni ?: VNI) << 8 | 0x77);
	ether_addr_copy(eth->h_dest, vr_gateway_mac);
	eth->h_dest[5] ^= c->other_mac;
	eth_zero_addr(eth->h_source);
	eth->h_proto = htons(c->proto ?: ETH_P_IP);
	return sizeof(*vh) + ETH_HLEN;
}

static unsigned int put_mpls(const struct rx_case *c, u8 *buf)
{
	*(__be32 *)buf = htonl((c->vni ?: VNI) << 12 | (c->no_flag ? 0 : 1 << 8) | 9);
	return 4;
}

/* From the outer IP header on. */
static unsigned int wire(const struct rx_case *c, u8 *buf)
{
	const struct kt_pkt inner = inner_of(c);
	struct udphdr *uh = (struct udphdr *)(buf + 20);
	struct iphdr *ip = (struct iphdr *)buf;
	unsigned int len = 28;

	len += c->encap == MPLS ? put_mpls(c, buf + len) : put_vxlan(c, buf + len);
	if (c->version) {
		kt_bytes(&inner, buf + len);
		buf[len] = c->version << 4 | 5;
	}
	len += c->version ? 60 : kt_bytes(&inner, buf + len);
	if (c->keep)
		len = 28 + c->keep;
	*ip = (struct iphdr) {
		.version = 4, .ihl = 5, .tos = c->tos, .ttl = 64, .protocol = IPPROTO_UDP,
		.tot_len = htons(len), .saddr = kt_addr(AF_INET, NODE(sender(c))).v4,
		.daddr = kt_addr(AF_INET, NODE(1)).v4,
	};
	*uh = (struct udphdr) {
		.source = htons(50000), .len = htons(len - 20),
		.dest = htons(c->encap == MPLS ? VR_PORT_MPLSOUDP : VR_PORT_VXLAN),
	};
	return len;
}

/* As UDP hands it over: all in the head, or next to nothing of it. */
static void receive(struct kunit *test, const struct rx_case *c, bool linear)
{
	struct kt_world *w = kt_world(test);
	struct vr_nexthop *nh;
	struct vr_tunnel *t;
	struct sk_buff *skb;
	unsigned int len;
	u8 *buf;

	buf = kunit_kzalloc(test, KT_MAX_PKT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	len = wire(c, buf);
	skb = kt_skb_raw(test, buf, len, linear ? len : 28);
	skb_set_transport_header(skb, 20);
	skb_pull(skb, 20);
	kt_read_lock();
	nh = vr_nexthop_rcu(w->vn, c->encap == MPLS ? 204 : 202);
	t = rcu_dereference(nh->tunnel);
	vr_rx_tunnel(t->sk, skb);
	kt_read_unlock();
	kunit_kfree(test, buf);
}

static void expect_reason(struct kunit *test, const struct rx_case *c, bool linear)
{
	struct vr_net_totals *t = kunit_kzalloc(test, 2 * sizeof(*t), GFP_KERNEL);
	struct kt_world *w = kt_world(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	vr_net_sum(w->vn, &t[0]);
	receive(test, c, linear);
	vr_net_sum(w->vn, &t[1]);
	for (i = 0; i < __VROUTER_DROP_REASON_MAX; i++)
		KUNIT_EXPECT_EQ_MSG(test, t[1].drops[i] - t[0].drops[i], c->why && i == c->why,
				    "drops as %s", vr_drop_name(i));
	kunit_kfree(test, t);
}

static void rx(struct kunit *test)
{
	const struct rx_case *c = test->param_value;
	struct kt_pkt want = inner_of(c);
	unsigned int linear;

	want.ttl = 63;
	for (linear = 0; linear < 2; linear++) {
		expect_reason(test, c, linear);
		if (!c->why)
			kt_expect_recv(kt_world(test), 0, &want, c->desc);
		kt_expect_nothing(kt_world(test));
	}
}

/* A packet of a flow that another node has opened. */
static void flow_of_another_node(struct kunit *test)
{
	const struct rx_case opens = { "opens" };
	const struct rx_case spoofs = { "spoofs", VROUTER_DROP_REASON_SPOOFED_PEER, .node = 3,
					.src = PODS_OF(2) + 5 };
	struct kt_pkt want = inner_of(&opens);

	want.ttl = 63;
	expect_reason(test, &opens, true);
	kt_expect_recv(kt_world(test), 0, &want, "opens");
	expect_reason(test, &spoofs, true);
	kt_expect_nothing(kt_world(test));
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(rx, rx_cases_gen_params),
	KUNIT_CASE(flow_of_another_node),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_tunnel",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
