// SPDX-License-Identifier: GPL-2.0-only
/* What the module says itself: the gateway's answers, errors; and what it refuses to hear. */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>

#include "kunit_util.h"

#define UDP	IPPROTO_UDP

static void echo_gateway(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct kt_pkt p = { .proto = IPPROTO_ICMP, .type = ICMP_ECHO, .src = KT_POD(0),
			    .dst = KT_GATEWAY, .sport = 5, .payload = 56 }, a;

	kt_send(w, 0, &p);
	a = kt_answer(&p);
	a.type = ICMP_ECHOREPLY;
	kt_expect_recv(w, 0, &a, "echo reply");
	p.family = AF_INET6;
	p.proto = IPPROTO_ICMPV6;
	p.type = ICMPV6_ECHO_REQUEST;
	kt_send(w, 0, &p);
	a = kt_answer(&p);
	a.type = ICMPV6_ECHO_REPLY;
	kt_expect_recv(w, 0, &a, "ICMPv6 echo reply");
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
}

static struct sk_buff *arp(struct kunit *test, u16 op, const u8 *sha, u32 spa, u32 tpa)
{
	u8 buf[28] = { 0, 1, 8, 0, 6, 4 };
	struct sk_buff *skb;

	put_unaligned_be16(op, buf + 6);
	memcpy(buf + 8, sha, 6);
	put_unaligned_be32(spa, buf + 14);
	put_unaligned_be32(tpa, buf + 24);
	skb = kt_skb_raw(test, buf, sizeof(buf), sizeof(buf));
	skb->protocol = htons(ETH_P_ARP);
	return skb;
}

struct arp_case {
	const char	*desc;
	u16		op;
	u32		spa, tpa;
	bool		other_sha, answered;
};

static const struct arp_case arps[] = {
	{ "for the gateway", ARPOP_REQUEST, KT_POD(0), KT_GATEWAY, false, true },
	{ "for a pod", ARPOP_REQUEST, KT_POD(0), KT_POD(1), false, true },
	{ "probe for the own address", ARPOP_REQUEST, 0, KT_POD(0), false, false },
	{ "announcement", ARPOP_REQUEST, KT_POD(0), KT_POD(0), false, false },
	{ "spoofed address", ARPOP_REQUEST, KT_POD(1), KT_GATEWAY, false, false },
	{ "spoofed hardware address", ARPOP_REQUEST, KT_POD(0), KT_GATEWAY, true, false },
	{ "reply", ARPOP_REPLY, KT_POD(0), KT_GATEWAY, false, false },
};
KT_PARAM(arps, arps);

static void arp_request(struct kunit *test)
{
	const struct arp_case *c = test->param_value;
	struct kt_world *w = kt_world(test);
	struct sk_buff *skb;

	kt_send_skb(w, 0, arp(test, c->op, c->other_sha ? w->pod[1].mac : w->pod[0].mac, c->spa,
			      c->tpa));
	if (!c->answered) {
		kt_expect_nothing(w);
		return;
	}
	skb = kt_recv(w, 0);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_GE(test, skb->len, 28u);
	KUNIT_ASSERT_EQ(test, skb_linearize(skb), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(skb->data + 6), ARPOP_REPLY);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data + 8, vr_gateway_mac, 6), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(skb->data + 14), c->tpa);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data + 18, w->pod[0].mac, 6), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(skb->data + 24), KT_POD(0));
	kfree_skb(skb);
	kt_expect_nothing(w);
}

/* Every shorter ARP, and one that lies about its sizes, ends without an answer. */
static void arp_malformed(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct sk_buff *skb;
	unsigned int n;
	static const u8 lies[][2] = { { 1, 2 }, { 2, 9 }, { 4, 7 }, { 5, 16 }, { 7, 3 } };

	for (n = 0; n < 28; n++) {
		skb = arp(test, ARPOP_REQUEST, w->pod[0].mac, KT_POD(0), KT_GATEWAY);
		__skb_trim(skb, n);
		kt_send_skb(w, 0, skb);
	}
	for (n = 0; n < ARRAY_SIZE(lies); n++) {
		skb = arp(test, ARPOP_REQUEST, w->pod[0].mac, KT_POD(0), KT_GATEWAY);
		skb->data[lies[n][0]] = lies[n][1];
		kt_send_skb(w, 0, skb);
	}
	KUNIT_EXPECT_EQ(test, kt_drops(w, 0, VROUTER_DROP_REASON_BAD_ARP), 28 + ARRAY_SIZE(lies));
	kt_expect_nothing(w);
}

static void ttl_exceeded(struct kunit *test)
{
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1,
			    .dport = 2, .ttl = 1, .payload = 30 };
	struct kt_world *w = kt_world(test);
	struct sk_buff *skb;
	int i;

	for (i = 0; i < 2; i++) {
		p.family = i ? AF_INET6 : AF_INET;
		kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_TTL);
		skb = kt_recv(w, 0);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		kt_expect_sound(test, skb, "time exceeded");
		KUNIT_EXPECT_EQ(test, skb->data[i ? 40 : 20], i ? ICMPV6_TIME_EXCEED :
				ICMP_TIME_EXCEEDED);
		kfree_skb(skb);
	}
	kt_expect_nothing(w);
}

static void too_big(struct kunit *test)
{
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1,
			    .dport = 2, .payload = 1300 };
	struct kt_world *w = kt_world(test);
	struct vr_addr_af a[2] = { { kt_addr(AF_INET, KT_POD(1)), AF_INET },
				   { kt_addr(AF_INET6, KT_POD(1)), AF_INET6 } };
	struct vr_vif_cfg cfg = { .id = KT_VIF(1), .dev = w->pod[1].host, .vrf = KT_VRF,
				  .n_addrs = 2, .addrs = a, .mtu = 1280 };
	struct netlink_ext_ack extack = {};
	struct sk_buff *skb;
	int i;

	memcpy(cfg.mac, w->pod[1].mac, ETH_ALEN);
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, vr_vif_set(w->vn, &cfg, NLM_F_REPLACE, &extack), 0);
	kt_unlock(w);
	for (i = 0; i < 2; i++) {
		p.family = i ? AF_INET6 : AF_INET;
		kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_MTU);
		skb = kt_recv(w, 0);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		kt_expect_sound(test, skb, "too big");
		if (i) {
			KUNIT_EXPECT_EQ(test, skb->data[40], ICMPV6_PKT_TOOBIG);
			KUNIT_EXPECT_EQ(test, get_unaligned_be32(skb->data + 44), 1280);
		} else {
			KUNIT_EXPECT_EQ(test, skb->data[20], ICMP_DEST_UNREACH);
			KUNIT_EXPECT_EQ(test, skb->data[21], ICMP_FRAG_NEEDED);
			KUNIT_EXPECT_EQ(test, get_unaligned_be16(skb->data + 26), 1280);
		}
		kfree_skb(skb);
		p.payload = 1200;
		kt_send(w, 0, &p);
		skb = kt_recv(w, 1);
		KUNIT_EXPECT_NOT_NULL(test, skb);
		kfree_skb(skb);
		p.payload = 1300;
	}
}

/* --- frames --------------------------------------------------------------- */

static void frames(struct kunit *test)
{
	struct kt_pkt p = { .proto = UDP, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1,
			    .dport = 2 };
	struct kt_world *w = kt_world(test);
	u8 mac[ETH_ALEN];

	ether_addr_copy(mac, w->pod[0].mac);
	w->pod[0].mac[5] ^= 1;
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_SPOOFED_MAC);
	ether_addr_copy(w->pod[0].mac, mac);
	p.src = KT_POD(1);
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_SPOOFED_IP);
	p.src = KT_POD(0);
	p.dst = 0xe0000001;	/* 224.0.0.1 */
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_MULTICAST);
	p.dst = 0xffffffff;
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_MULTICAST);
	p.dst = 0x7f000001;
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_MARTIAN);
	p.dst = KT_POD(0);
	kt_expect_drop(w, 0, &p, VROUTER_DROP_REASON_HAIRPIN_LOOP);
	kt_expect_nothing(w);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.flows), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(echo_gateway),
	KUNIT_CASE_PARAM(arp_request, arps_gen_params),
	KUNIT_CASE(arp_malformed),
	KUNIT_CASE(ttl_exceeded),
	KUNIT_CASE(too_big),
	KUNIT_CASE(frames),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_answer",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = kt_init_pods,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
