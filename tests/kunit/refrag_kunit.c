// SPDX-License-Identifier: GPL-2.0-only
/*
 * A datagram that the kernel put together is cut again: as large as its sender's fragments,
 * all of it, each a sound IP packet.
 */

#include <linux/ip.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "kunit_util.h"

#define PAYLOAD	1400

static const struct cut {
	const char	*desc;
	u8		family;
	u16		most;		/* octets of the sender's largest fragment */
	bool		df;
	unsigned int	n;		/* fragments; 0 = refused */
	enum vrouter_drop_reason why;
} cuts[] = {
	{ "ipv4", AF_INET, 620, false, 3 },
	{ "ipv4, df", AF_INET, 620, true, 3 },
	{ "ipv4, not by eight", AF_INET, 626, false, 3 },
	{ "ipv4, many", AF_INET, 20 + 24, false, 59 },
	{ "ipv4, too many", AF_INET, 20 + 16, false, 0, VROUTER_DROP_REASON_FRAGMENT_LIMIT },
	{ "ipv4, no room", AF_INET, 27, false, 0, VROUTER_DROP_REASON_FRAGMENT },
	{ "ipv6", AF_INET6, 648, false, 3 },
	{ "ipv6, not by eight", AF_INET6, 655, false, 3 },
	{ "ipv6, too many", AF_INET6, 48 + 16, false, 0, VROUTER_DROP_REASON_FRAGMENT_LIMIT },
	{ "ipv6, no room", AF_INET6, 55, false, 0, VROUTER_DROP_REASON_FRAGMENT },
};
KT_PARAM(cuts, cuts);

static struct sk_buff *whole(struct kunit *test, const struct cut *c)
{
	const struct kt_pkt p = { .family = c->family, .proto = IPPROTO_UDP, .src = KT_POD(0),
				  .dst = KT_POD(1), .sport = 1, .dport = 2, .payload = PAYLOAD };
	struct sk_buff *skb = kt_skb(test, &p);

	memset(skb->cb, 0, sizeof(skb->cb));
	KUNIT_EXPECT_FALSE(test, vr_refrag_is_due(skb));
	if (c->family == AF_INET) {
		IPCB(skb)->frag_max_size = c->most;
		ip_hdr(skb)->id = htons(0x1234);
		ip_hdr(skb)->frag_off = c->df ? htons(IP_DF) : 0;
		ip_send_check(ip_hdr(skb));
	} else {
		IP6CB(skb)->frag_max_size = c->most;
	}
	KUNIT_EXPECT_TRUE(test, vr_refrag_is_due(skb));
	return skb;
}

static void expect_ip4(struct kunit *test, const struct sk_buff *f, bool df, u32 off, bool more)
{
	const struct iphdr *ip = (const struct iphdr *)f->data;
	u32 want = off / 8;

	if (more)
		want |= IP_MF;
	if (df)
		want |= IP_DF;
	KUNIT_EXPECT_EQ(test, ip_fast_csum(ip, ip->ihl), 0);
	KUNIT_EXPECT_EQ(test, ntohs(ip->tot_len), f->len);
	KUNIT_EXPECT_EQ(test, ntohs(ip->id), 0x1234);
	KUNIT_EXPECT_EQ(test, ntohs(ip->frag_off), want);
}

static void expect_ip6(struct kunit *test, const struct sk_buff *f, __be32 id, u32 off, bool more)
{
	const struct ipv6hdr *ip = (const struct ipv6hdr *)f->data;
	const struct frag_hdr *h = (const struct frag_hdr *)(ip + 1);

	KUNIT_EXPECT_EQ(test, ntohs(ip->payload_len), f->len - sizeof(*ip));
	KUNIT_EXPECT_EQ(test, ip->nexthdr, NEXTHDR_FRAGMENT);
	KUNIT_EXPECT_EQ(test, h->nexthdr, IPPROTO_UDP);
	KUNIT_EXPECT_EQ(test, h->reserved, 0);
	KUNIT_EXPECT_EQ(test, ntohs(h->frag_off), more ? off + IP6_MF : off);
	KUNIT_EXPECT_EQ(test, (__force u32)h->identification, (__force u32)id);
}

/* Each in its place with its octets; where they end. */
static u32 expect_pieces(struct kunit *test, const struct cut *c, const struct sk_buff *skb,
			 struct sk_buff_head *list)
{
	unsigned int head = c->family == AF_INET ? 20 : 40, hdr, at = 0;
	struct sk_buff *f;
	__be32 id = 0;

	skb_queue_walk(list, f) {
		bool more = !skb_queue_is_last(list, f);

		hdr = vr_frag_hdr(f);
		KUNIT_EXPECT_EQ(test, hdr, c->family == AF_INET ? 20 : 48);
		KUNIT_EXPECT_LE(test, f->len, c->most);
		KUNIT_EXPECT_EQ(test, vr_frag_end(f), at + f->len - hdr);
		KUNIT_EXPECT_EQ(test, 0, memcmp(f->data + hdr, skb->data + head + at,
						f->len - hdr));
		if (c->family == AF_INET) {
			expect_ip4(test, f, c->df, at, more);
		} else {
			if (!at)
				id = ((struct frag_hdr *)(f->data + 40))->identification;
			expect_ip6(test, f, id, at, more);
		}
		at = vr_frag_end(f);
	}
	return at;
}

static void pieces(struct kunit *test)
{
	const struct cut *c = test->param_value;
	struct sk_buff *skb = whole(test, c);
	enum vrouter_drop_reason why;
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	kt_read_lock();
	why = vr_refrag(skb, &list);
	kt_read_unlock();
	KUNIT_EXPECT_EQ(test, why, c->why);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&list), c->n);
	KUNIT_EXPECT_EQ(test, expect_pieces(test, c, skb, &list), c->n ? PAYLOAD + 8 : 0);
	__skb_queue_purge(&list);
	kfree_skb(skb);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(pieces, cuts_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_refrag",
	.init = kt_init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
