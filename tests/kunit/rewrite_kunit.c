// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rewriting: addresses, ports and TTL, with every kind of checksum state. What
 * comes out is proved by computing all checksums anew.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <net/checksum.h>
#include <net/ipv6.h>

#include "kunit_util.h"

#define NONE	VROUTER_DROP_REASON_NONE

static struct vr_vif vif = { .id = 7 };

static int init(struct kunit *test)
{
	int err = kt_init(test);

	vif.vn = err ? NULL : kt_world(test)->vn;
	return err;
}

/* Whom a packet is from and to, before and after. */
struct way {
	const char	*desc;
	u32		src, dst, new_src, new_dst;
	u16		sport, dport, new_sport, new_dport;
};

static const struct way ways[] = {
	{ "to a member", KT_POD(0), KT_VIP, KT_POD(0), KT_POD(1), 1025, 80, 1025, 8080 },
	{ "back from it", KT_POD(1), KT_POD(0), KT_VIP, KT_POD(0), 8080, 1025, 80, 1025 },
	{ "hairpin", KT_POD(0), KT_VIP, KT_VIP, KT_POD(0), 1025, 80, 1025, 8080 },
	{ "port kept", KT_POD(0), KT_VIP, KT_POD(0), KT_POD(1), 1025, 53, 1025, 53 },
	{ "nothing but the TTL", KT_POD(0), KT_POD(1), KT_POD(0), KT_POD(1), 9, 10, 9, 10 },
	{ "everything", 0x0affffff, 0x0a000001, 0x0a7f0001, 0x0a00ffff, 0, 65535, 65535, 1 },
};

struct combination {
	const char	*desc;
	u8		family, proto;
	enum kt_csum	csum;
	bool		no_udp_csum;
};

#define FOUR(_name, _family, _proto)						\
	{ _name ", none", _family, _proto, KT_NONE },				\
	{ _name ", unnecessary", _family, _proto, KT_UNNECESSARY },		\
	{ _name ", complete", _family, _proto, KT_COMPLETE },			\
	{ _name ", partial", _family, _proto, KT_PARTIAL }

static const struct combination combinations[] = {
	FOUR("TCP IPv4", AF_INET, IPPROTO_TCP),
	FOUR("TCP IPv6", AF_INET6, IPPROTO_TCP),
	FOUR("UDP IPv4", AF_INET, IPPROTO_UDP),
	FOUR("UDP IPv6", AF_INET6, IPPROTO_UDP),
	FOUR("SCTP IPv4", AF_INET, IPPROTO_SCTP),
	FOUR("SCTP IPv6", AF_INET6, IPPROTO_SCTP),
	FOUR("ICMP", AF_INET, IPPROTO_ICMP),
	FOUR("ICMPv6", AF_INET6, IPPROTO_ICMPV6),
	{ "UDP IPv4 without checksum, none", AF_INET, IPPROTO_UDP, KT_NONE, true },
	{ "UDP IPv4 without checksum, complete", AF_INET, IPPROTO_UDP, KT_COMPLETE, true },
};
KT_PARAM(combinations, combinations);

static struct kt_pkt before(const struct combination *c, const struct way *w, u16 payload)
{
	struct kt_pkt p = { .family = c->family, .proto = c->proto, .src = w->src, .dst = w->dst,
			    .sport = w->sport, .dport = w->dport, .flags = KT_ACK, .seq = 1,
			    .payload = payload, .csum = c->csum, .no_udp_csum = c->no_udp_csum,
			    .ttl = 64 };

	if (p.proto == IPPROTO_ICMP)
		p.type = ICMP_ECHO;
	if (p.proto == IPPROTO_ICMPV6)
		p.type = ICMPV6_ECHO_REQUEST;
	return p;
}

static struct kt_pkt after(const struct kt_pkt *b, const struct way *w)
{
	struct kt_pkt p = *b;

	p.src = w->new_src;
	p.dst = w->new_dst;
	p.ttl = b->ttl - 1;
	if (p.proto != IPPROTO_ICMP && p.proto != IPPROTO_ICMPV6) {
		p.sport = w->new_sport;
		p.dport = w->new_dport;
	}
	return p;
}

/* The other side's tuple, whose mirror image the packet becomes. */
static struct vr_tuple other_side(const struct kt_pkt *a)
{
	struct kt_pkt m = *a;

	swap(m.src, m.dst);
	if (m.proto != IPPROTO_ICMP && m.proto != IPPROTO_ICMPV6)
		swap(m.sport, m.dport);
	return kt_tuple(99, &m);
}

static enum vrouter_drop_reason rewrite(struct kunit *test, struct sk_buff *skb,
					const struct vr_tuple *to)
{
	enum vrouter_drop_reason why;
	struct vr_pkt pkt;

	kt_read_lock();
	why = kt_parse(&pkt, &vif, skb);
	KUNIT_EXPECT_EQ(test, why, NONE);
	if (!why)
		why = vr_rewrite(&pkt, to);
	kt_read_unlock();
	return why;
}

static void one(struct kunit *test, const struct combination *c, const struct way *w, u16 payload)
{
	struct kt_pkt b = before(c, w, payload), a = after(&b, w);
	struct vr_tuple to = other_side(&a);
	struct sk_buff *skb = kt_skb(test, &b);

	KUNIT_EXPECT_EQ_MSG(test, rewrite(test, skb, &to), NONE, "%s", w->desc);
	/* What is still to be completed stays so; nothing else becomes it. */
	KUNIT_EXPECT_EQ_MSG(test, skb->ip_summed == CHECKSUM_PARTIAL,
			    c->csum == KT_PARTIAL, "%s", w->desc);
	kt_expect_pkt(test, skb, &a, w->desc);
	kt_expect_sound(test, skb, w->desc);
	if (c->no_udp_csum)
		KUNIT_EXPECT_EQ_MSG(test, *(u16 *)(skb->data + 26), 0, "%s: checksum appeared",
				    w->desc);
	kfree_skb(skb);
}

static void checksums(struct kunit *test)
{
	const struct combination *c = test->param_value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		one(test, c, &ways[i], 0);
		one(test, c, &ways[i], 33);	/* odd */
		one(test, c, &ways[i], 1000);
	}
}

/* Among many, a checksum that comes to zero: in UDP it must not be sent as one. */
static void random(struct kunit *test)
{
	const struct combination *c = test->param_value;
	struct kt_rnd r = { .state = 41 };
	unsigned int i;

	for (i = 0; i < 200; i++) {
		/* The first octet is always 10: no martian among them. */
		struct way w = { .desc = "random", .src = kt_rnd(&r) >> 8 | KT_SUBNET,
				 .dst = kt_rnd(&r) >> 8 | KT_SUBNET,
				 .new_src = kt_rnd(&r) >> 8 | KT_SUBNET,
				 .new_dst = kt_rnd(&r) >> 8 | KT_SUBNET,
				 .sport = kt_rnd(&r), .dport = kt_rnd(&r),
				 .new_sport = kt_rnd(&r), .new_dport = kt_rnd(&r) };

		one(test, c, &w, kt_rnd_below(&r, 60));
	}
}

/* The UDP checksum of a packet whose source port became this. */
static u16 udp_sum(struct kunit *test, u16 port)
{
	const struct combination c = { .family = AF_INET, .proto = IPPROTO_UDP };
	struct way w = ways[0];
	struct sk_buff *skb;
	struct vr_tuple to;
	struct kt_pkt b, a;
	u16 sum;

	w.new_sport = port;
	b = before(&c, &w, 4);
	a = after(&b, &w);
	to = other_side(&a);
	skb = kt_skb(test, &b);
	KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), NONE);
	kt_expect_sound(test, skb, "port");
	sum = get_unaligned_be16(skb->data + 26);
	kfree_skb(skb);
	return sum;
}

/* A checksum that comes to zero is sent as its other zero: 0 would say that there is none. */
static void udp_zero(struct kunit *test)
{
	u16 port = udp_sum(test, 0);	/* one port more is a sum of one less */
	int i;

	KUNIT_EXPECT_EQ(test, udp_sum(test, port), 0xffff);
	for (i = -2; i <= 2; i++)
		KUNIT_EXPECT_NE_MSG(test, udp_sum(test, port + i), 0, "port %u", port + i);
}

/* A checksum that was wrong on arrival stays wrong: the receiver has to see it. */
static void wrong_stays_wrong(struct kunit *test)
{
	static const struct combination kinds[] = {
		{ "TCP", AF_INET, IPPROTO_TCP }, { "UDP", AF_INET, IPPROTO_UDP },
		{ "TCP IPv6", AF_INET6, IPPROTO_TCP }, { "UDP IPv6", AF_INET6, IPPROTO_UDP },
	};
	unsigned int i, off;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct kt_pkt b = before(&kinds[i], &ways[0], 10), a = after(&b, &ways[0]);
		struct vr_tuple to = other_side(&a);
		struct sk_buff *skb = kt_skb(test, &b), *want = kt_skb(test, &a);

		off = (b.family == AF_INET ? 20 : 40) + (b.proto == IPPROTO_TCP ? 16 : 6);
		/* The payload is bent, the checksum is still that of the sound packet. */
		skb->data[skb->len - 1] ^= 0x55;
		KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), NONE);
		KUNIT_EXPECT_EQ_MSG(test, *(u16 *)(skb->data + off), *(u16 *)(want->data + off), "%s",
				    kinds[i].desc);
		kfree_skb(skb);
		kfree_skb(want);
	}
}

/* Somebody else holds the same octets: they get no other ones. */
static void cloned(struct kunit *test)
{
	const struct combination *c = test->param_value;
	struct kt_pkt b = before(c, &ways[0], 40), a = after(&b, &ways[0]);
	struct vr_tuple to = other_side(&a);
	struct sk_buff *skb = kt_skb(test, &b), *other;
	u8 *copy = kunit_kzalloc(test, skb->len, GFP_KERNEL);
	unsigned int len = skb->len;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, skb->data, len);
	other = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), NONE);
	KUNIT_EXPECT_EQ(test, memcmp(other->data, copy, len), 0);
	kt_expect_pkt(test, skb, &a, "clone");
	kt_expect_sound(test, skb, "clone");
	kfree_skb(skb);
	kfree_skb(other);
}

static void ttl(struct kunit *test)
{
	const struct combination *c = test->param_value;
	struct kt_pkt b = before(c, &ways[0], 8), a = after(&b, &ways[0]);
	struct vr_tuple to = other_side(&a);
	struct sk_buff *skb;

	b.ttl = 1;
	skb = kt_skb(test, &b);
	KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), VROUTER_DROP_REASON_TTL);
	kfree_skb(skb);
	b.ttl = 2;
	skb = kt_skb(test, &b);
	a.ttl = 1;
	KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), NONE);
	kt_expect_pkt(test, skb, &a, "TTL 2");
	kt_expect_sound(test, skb, "TTL 2");
	kfree_skb(skb);
	b.ttl = 255;
	skb = kt_skb(test, &b);
	a.ttl = 254;
	KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), NONE);
	kt_expect_pkt(test, skb, &a, "TTL 255");
	kt_expect_sound(test, skb, "TTL 255");
	kfree_skb(skb);
}

/* Headers in pages, and behind IPv4 options. */
static void in_pages(struct kunit *test)
{
	const struct combination *c = test->param_value;
	struct kt_pkt b = before(c, &ways[0], 100), a = after(&b, &ways[0]);
	struct vr_tuple to = other_side(&a);
	u8 *buf = kunit_kzalloc(test, KT_MAX_PKT, GFP_KERNEL);
	unsigned int len, linear;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	if (c->csum != KT_NONE)
		return;
	len = kt_bytes(&b, buf);
	for (linear = 0; linear < 80; linear += 5) {
		struct sk_buff *skb = kt_skb_raw(test, buf, len, linear);

		KUNIT_EXPECT_EQ(test, rewrite(test, skb, &to), NONE);
		kt_expect_pkt(test, skb, &a, "in pages");
		kt_expect_sound(test, skb, "in pages");
		kfree_skb(skb);
	}
}

/* A later fragment has no transport header: nothing behind the IP header is touched, however
 * little there is, and CHECKSUM_COMPLETE's sum is kept true.
 */
static void later(struct kunit *test)
{
	const struct combination *c = test->param_value;
	struct kt_pkt b = before(c, &ways[0], 40), a = after(&b, &ways[0]);
	unsigned int hdr = c->family == AF_INET ? 20 : 40, len;
	struct vr_tuple to = other_side(&a);
	struct vr_pkt pkt;
	struct sk_buff *skb;
	u8 was[100];

	if (c->csum == KT_PARTIAL)
		return;
	for (len = 1; len < 48; len += 9) {
		skb = kt_skb(test, &b);
		kt_read_lock();
		KUNIT_EXPECT_EQ(test, kt_parse(&pkt, &vif, skb), NONE);
		skb->len = hdr + len;
		skb_set_tail_pointer(skb, skb->len);
		if (c->csum == KT_COMPLETE)
			skb->csum = csum_partial(skb->data, skb->len, 0);
		memcpy(was, skb->data, skb->len);
		KUNIT_EXPECT_EQ(test, vr_rewrite_later(&pkt, &to), NONE);
		kt_read_unlock();
		KUNIT_EXPECT_EQ_MSG(test, memcmp(skb->data + hdr, was + hdr, len), 0, "%u", len);
		KUNIT_EXPECT_EQ_MSG(test, skb->len, hdr + len, "%u", len);
		if (c->csum == KT_COMPLETE)
			KUNIT_EXPECT_EQ_MSG(test, csum_fold(skb->csum),
					    csum_fold(csum_partial(skb->data, skb->len, 0)),
					    "CHECKSUM_COMPLETE's sum, %u octets", len);
		if (c->family == AF_INET) {
			KUNIT_EXPECT_EQ(test, ip_fast_csum(skb->data, 5), 0);
			KUNIT_EXPECT_EQ(test, ip_hdr(skb)->daddr, to.src.v4);
			KUNIT_EXPECT_EQ(test, ip_hdr(skb)->ttl, 63);
		} else {
			KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &to.src.v6));
			KUNIT_EXPECT_EQ(test, ipv6_hdr(skb)->hop_limit, 63);
		}
		kfree_skb(skb);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(checksums, combinations_gen_params),
	KUNIT_CASE_PARAM(random, combinations_gen_params),
	KUNIT_CASE(udp_zero),
	KUNIT_CASE(wrong_stays_wrong),
	KUNIT_CASE_PARAM(later, combinations_gen_params),
	KUNIT_CASE_PARAM(cloned, combinations_gen_params),
	KUNIT_CASE_PARAM(ttl, combinations_gen_params),
	KUNIT_CASE_PARAM(in_pages, combinations_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_rewrite",
	.init = init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
