// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes one packet in the uplink's poll, and what does not. Two tunnel packets with
 * consecutive segments are received by an interface in one poll; the second one differs from
 * the first in the way the case says.
 */

#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <net/gro.h>
#include <net/gso.h>
#include <net/ip.h>

#include "../../kmod/path/tunnel.h"
#include "kunit_util.h"

#define PAYLOAD	600
#define NH	300
#define VNI	77
#define ROOM	(KT_MAX_PKT + 100)
#define VXLAN	VROUTER_TUNNEL_ENCAP_VXLAN
#define MPLS	VROUTER_TUNNEL_ENCAP_MPLSOUDP
/* of the outer IPv4 header and of UDP's */
#define OUTER	(sizeof(struct iphdr) + sizeof(struct udphdr))

struct tunnel_pkt {
	u8		tos;		/* of the outer header */
	u32		from;		/* the other node; 0 = KT_SUBNET + 2 */
	u16		sport;		/* 0 = 50000 */
	u32		vni;		/* 0 = VNI */
	bool		bad;		/* no VNI, or not the last label */
	u8		dmac;		/* last octet of the inner frame's destination */
	struct kt_pkt	inner;
};

struct gro_case {
	const char		*desc;
	u8			encap;
	bool			one;	/* they become one packet */
	struct tunnel_pkt	first, second;
};

static const struct gro_case cases[] = {
	{ "VXLAN: one stream", VXLAN, true },
	{ "VXLAN: one stream of IPv6", VXLAN, true,
	  { .inner.family = AF_INET6 }, { .inner.family = AF_INET6 } },
	{ "VXLAN: another virtual network", VXLAN, false, {}, { .vni = VNI + 1 } },
	{ "VXLAN: another node", VXLAN, false, {}, { .from = KT_SUBNET + 3 } },
	{ "VXLAN: another outer port", VXLAN, false, {}, { .sport = 50001 } },
	{ "VXLAN: congestion on the way of one", VXLAN, false, {}, { .tos = 3 } },
	{ "VXLAN: congestion on the way of both", VXLAN, true, { .tos = 3 }, { .tos = 3 } },
	{ "VXLAN: another inner port", VXLAN, false, {}, { .inner.sport = 1001 } },
	{ "VXLAN: another inner TTL", VXLAN, false, {}, { .inner.ttl = 63 } },
	{ "VXLAN: another inner MAC", VXLAN, false, {}, { .dmac = 7 } },
	{ "VXLAN: another IP version", VXLAN, false, {}, { .inner.family = AF_INET6 } },
	{ "VXLAN: no VNI", VXLAN, false, { .bad = true }, { .bad = true } },
	{ "MPLS: one stream", MPLS, true },
	{ "MPLS: one stream of IPv6", MPLS, true,
	  { .inner.family = AF_INET6 }, { .inner.family = AF_INET6 } },
	{ "MPLS: another virtual network", MPLS, false, {}, { .vni = VNI + 1 } },
	{ "MPLS: another node", MPLS, false, {}, { .from = KT_SUBNET + 3 } },
	{ "MPLS: congestion on the way of one", MPLS, false, {}, { .tos = 3 } },
	{ "MPLS: another inner port", MPLS, false, {}, { .inner.sport = 1001 } },
	{ "MPLS: another IP version", MPLS, false, {}, { .inner.family = AF_INET6 } },
	{ "MPLS: two labels", MPLS, false, { .bad = true }, { .bad = true } },
};

KT_PARAM(gro, cases);

static unsigned int put_vxlan(u8 *buf, const struct tunnel_pkt *p)
{
	*(struct vr_vxlan_hdr *)buf = (struct vr_vxlan_hdr) {
		.flags = p->bad ? 0 : htonl(VR_VXLAN_HAS_VNI),
		.vni = htonl((p->vni ?: VNI) << VR_VXLAN_VNI_SHIFT),
	};
	buf += sizeof(struct vr_vxlan_hdr);
	ether_addr_copy(buf, vr_gateway_mac);
	buf[ETH_ALEN - 1] += p->dmac;
	ether_addr_copy(buf + ETH_ALEN, vr_gateway_mac);
	put_unaligned_be16(p->inner.family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP, buf + 2 * ETH_ALEN);
	return sizeof(struct vr_vxlan_hdr) + ETH_HLEN;
}

static unsigned int put_label(u8 *buf, const struct tunnel_pkt *p)
{
	put_unaligned_be32((p->vni ?: VNI) << VR_MPLS_LABEL_SHIFT |
			   (p->bad ? 0 : VR_MPLS_LAST) | VR_MPLS_TTL, buf);
	return sizeof(__be32);
}

/* From the outer IP header on; segment 0 or 1 of the stream. */
static unsigned int octets(const struct tunnel_pkt *p, u8 encap, unsigned int segment, u8 *buf)
{
	struct iphdr *ip = (struct iphdr *)buf;
	struct kt_pkt inner = p->inner;
	unsigned int len = OUTER;

	inner.src = KT_POD(1);
	inner.dst = KT_POD(2);
	inner.sport = inner.sport ?: 1000;
	inner.dport = 80;
	inner.flags = KT_ACK;
	inner.seq = 1 + segment * PAYLOAD;
	inner.payload = PAYLOAD;
	len += encap == VXLAN ? put_vxlan(buf + len, p) : put_label(buf + len, p);
	len += kt_bytes(&inner, buf + len);
	*ip = (struct iphdr) {
		.version = 4, .ihl = 5, .tos = p->tos, .tot_len = htons(len), .ttl = 64,
		.frag_off = htons(IP_DF), .protocol = IPPROTO_UDP,
		.saddr = htonl(p->from ?: KT_SUBNET + 2), .daddr = htonl(KT_SUBNET + 1),
	};
	ip_send_check(ip);
	*(struct udphdr *)(ip + 1) = (struct udphdr) {
		.source = htons(p->sport ?: 50000), .len = htons(len - sizeof(*ip)),
		.dest = htons(encap == VXLAN ? VR_PORT_VXLAN : VR_PORT_MPLSOUDP),
	};
	return len;
}

static int poll(struct napi_struct *napi, int budget)
{
	return 0;
}

/* Both in one poll of pod 0's own end, which is no interface of vrouter's. */
static void receive(struct kt_world *w, struct sk_buff *skb[2])
{
	struct net_device *dev = w->pod[0].peer;
	struct napi_struct *napi = kunit_kzalloc(w->test, sizeof(*napi), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(w->test, napi);
	rtnl_lock();
	dev->features |= NETIF_F_GRO;
	rtnl_unlock();
	netif_napi_add(dev, napi, poll);
	napi_enable(napi);
	local_bh_disable();
	KUNIT_EXPECT_TRUE(w->test, napi_schedule_prep(napi));
	for (i = 0; i < 2; i++) {
		__skb_push(skb[i], ETH_HLEN);
		eth_zero_addr(skb[i]->data);
		eth_zero_addr(skb[i]->data + ETH_ALEN);
		put_unaligned_be16(ETH_P_IP, skb[i]->data + 2 * ETH_ALEN);
		skb_reset_mac_header(skb[i]);
		__skb_pull(skb[i], ETH_HLEN);
		skb[i]->dev = dev;
		napi_gro_receive(napi, skb[i]);
	}
	napi_complete_done(napi, 1);
	local_bh_enable();
	napi_disable(napi);
	netif_napi_del(napi);
	rtnl_lock();
	dev->features &= ~NETIF_F_GRO;
	rtnl_unlock();
}

/* What is forwarded as it is has to be the same segments again behind its IP header (where
 * each gets an identification).
 */
static void expect_segments(struct kunit *test, struct sk_buff *skb, u8 *buf[2],
			    unsigned int len)
{
	const unsigned int ip = sizeof(struct iphdr);
	struct sk_buff *segs, *next;
	unsigned int n = 0;

	__skb_push(skb, ETH_HLEN);
	skb_reset_mac_len(skb);
	segs = skb_gso_segment(skb, NETIF_F_SG);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(segs));
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		if (n < 2 && !skb_linearize(segs) && segs->len == ETH_HLEN + len)
			KUNIT_EXPECT_MEMEQ(test, segs->data + ETH_HLEN + ip, buf[n] + ip, len - ip);
		else
			KUNIT_FAIL(test, "segment %u of %u octets", n, segs->len);
		n++;
		kfree_skb(segs);
	}
	KUNIT_EXPECT_EQ(test, n, 2u);
}

static void merges(struct kunit *test)
{
	const struct gro_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct sk_buff *skb[2], *got;
	unsigned int i, len[2];
	u8 *buf[2];

	kt_set_nexthop(w, &(struct vr_nexthop_cfg) {
		.id = NH, .type = VROUTER_NEXTHOP_TYPE_TUNNEL,
		.tunnel = { .encap = c->encap, .family = AF_INET,
			    .remote.v4 = htonl(KT_SUBNET + 2) } });
	for (i = 0; i < 2; i++) {
		buf[i] = kunit_kzalloc(test, ROOM, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf[i]);
		len[i] = octets(i ? &c->second : &c->first, c->encap, i, buf[i]);
		skb[i] = kt_skb_raw(test, buf[i], len[i], len[i]);
	}
	receive(w, skb);

	got = kt_recv(w, 0);
	KUNIT_ASSERT_NOT_NULL(test, got);
	if (c->one) {
		KUNIT_EXPECT_EQ(test, got->len, len[0] + PAYLOAD);
		KUNIT_EXPECT_EQ(test, ip_hdr(got)->tos, c->first.tos);
		expect_segments(test, got, buf, len[0]);
	} else {
		KUNIT_EXPECT_EQ(test, got->len, len[0]);
		kfree_skb(got);
		got = kt_recv(w, 0);
		KUNIT_ASSERT_NOT_NULL(test, got);
		KUNIT_EXPECT_EQ(test, got->len, len[1]);
	}
	kfree_skb(got);
	kt_expect_nothing(w);
}

static struct kunit_case gro_cases[] = {
	KUNIT_CASE_PARAM(merges, gro_gen_params),
	{}
};

static struct kunit_suite gro_suite = {
	.name = "vrouter_gro",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = kt_init_pods,
	.exit = kt_exit,
	.test_cases = gro_cases,
};

kunit_test_suite(gro_suite);
