// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser: sound packets of every kind give their tuple and offsets; of a
 * packet that is cut or lies, nothing is believed and nothing is read past its
 * end, whatever follows there.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/ipv6.h>

#include "kunit_util.h"

#define NONE	VROUTER_DROP_REASON_NONE
#define BAD_IP	VROUTER_DROP_REASON_BAD_IP
#define BAD_L4	VROUTER_DROP_REASON_BAD_L4

static struct vr_vif vif = { .id = 7 };

static int init(struct kunit *test)
{
	int err = kt_init(test);

	vif.vn = err ? NULL : kt_world(test)->vn;
	return err;
}

static u8 *buffer(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, KT_MAX_PKT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	return buf;
}

static enum vrouter_drop_reason parse_bytes(struct kunit *test, struct vr_pkt *pkt, const u8 *buf,
					    unsigned int len, unsigned int linear)
{
	struct sk_buff *skb = kt_skb_raw(test, buf, len, linear);
	enum vrouter_drop_reason why = kt_parse(pkt, &vif, skb);

	if (!why) {
		KUNIT_EXPECT_GE(test, skb_headlen(skb), pkt->l4_off + 8u);
		KUNIT_EXPECT_EQ(test, skb->len, pkt->tot_len);
	}
	kfree_skb(skb);
	return why;
}

/* --- sound packets -------------------------------------------------------- */

struct kind {
	const char	*desc;
	struct kt_pkt	p;
};

#define BOTH(_name, ...)							\
	{ _name " IPv4", { .family = AF_INET, .src = KT_POD(0), .dst = KT_POD(1), __VA_ARGS__ } }, \
	{ _name " IPv6", { .family = AF_INET6, .src = KT_POD(0), .dst = KT_POD(1), __VA_ARGS__ } }

static const struct kind kinds[] = {
	BOTH("TCP SYN", .proto = IPPROTO_TCP, .sport = 1025, .dport = 80, .flags = KT_SYN),
	BOTH("TCP options", .proto = IPPROTO_TCP, .sport = 1, .dport = 65535, .flags = KT_SYN,
	     .wscale = 8),
	BOTH("TCP data", .proto = IPPROTO_TCP, .sport = 1025, .dport = 80, .flags = KT_ACK,
	     .payload = 100),
	BOTH("UDP", .proto = IPPROTO_UDP, .sport = 53, .dport = 53, .payload = 33),
	BOTH("UDP empty", .proto = IPPROTO_UDP, .sport = 53, .dport = 53),
	BOTH("SCTP", .proto = IPPROTO_SCTP, .sport = 9, .dport = 10, .payload = 20),
	{ "ICMP echo request", { .src = KT_POD(0), .dst = KT_POD(1), .proto = IPPROTO_ICMP,
				 .type = ICMP_ECHO, .sport = 77, .payload = 56 } },
	{ "ICMP echo reply", { .src = KT_POD(0), .dst = KT_POD(1), .proto = IPPROTO_ICMP,
			       .type = ICMP_ECHOREPLY, .sport = 77, .payload = 1 } },
	{ "ICMPv6 echo request", { .family = AF_INET6, .src = KT_POD(0), .dst = KT_POD(1),
				   .proto = IPPROTO_ICMPV6, .type = ICMPV6_ECHO_REQUEST,
				   .sport = 78, .payload = 56 } },
	{ "ICMPv6 echo reply", { .family = AF_INET6, .src = KT_POD(0), .dst = KT_POD(1),
				 .proto = IPPROTO_ICMPV6, .type = ICMPV6_ECHO_REPLY,
				 .sport = 78 } },
};
KT_PARAM(kinds, kinds);

static void expect_tuple(struct kunit *test, const struct vr_tuple *got,
			 const struct vr_tuple *want)
{
	KUNIT_EXPECT_EQ(test, got->port, want->port);
	KUNIT_EXPECT_EQ(test, got->family, want->family);
	KUNIT_EXPECT_EQ(test, got->proto, want->proto);
	KUNIT_EXPECT_EQ(test, ntohs(got->sport), ntohs(want->sport));
	KUNIT_EXPECT_EQ(test, ntohs(got->dport), ntohs(want->dport));
	KUNIT_EXPECT_EQ(test, memcmp(got, want, sizeof(*got)), 0);
}

/* Whole, with link padding behind it, and with its headers split over pages anywhere. */
static void good(struct kunit *test)
{
	const struct kind *k = test->param_value;
	struct vr_tuple want = kt_tuple(vif.id, &k->p);
	unsigned int len, linear;
	u8 *buf = buffer(test);
	struct vr_pkt pkt;

	len = kt_bytes(&k->p, buf);
	for (linear = 0; linear <= len; linear++) {
		KUNIT_EXPECT_EQ_MSG(test, parse_bytes(test, &pkt, buf, len, linear), NONE,
				    "%u octets linear", linear);
		expect_tuple(test, &pkt.tuple, &want);
	}
	KUNIT_EXPECT_EQ(test, pkt.l4_off, k->p.family == AF_INET6 ? 40 : 20);
	KUNIT_EXPECT_EQ(test, pkt.tot_len, len);
	KUNIT_EXPECT_FALSE(test, pkt.icmp_error);
	if (want.proto == IPPROTO_TCP)
		KUNIT_EXPECT_EQ(test, pkt.tcp_flags, k->p.flags);
	if (want.proto == IPPROTO_ICMP || want.proto == IPPROTO_ICMPV6)
		KUNIT_EXPECT_EQ(test, pkt.icmp_type, k->p.type);

	/* parse_bytes() sees to it that the padding is gone */
	KUNIT_EXPECT_EQ(test, parse_bytes(test, &pkt, buf, len + 18, len + 18), NONE);
	KUNIT_EXPECT_EQ(test, parse_bytes(test, &pkt, buf, len + 18, 1), NONE);
	KUNIT_EXPECT_EQ(test, pkt.tot_len, len);
}

/* Cut anywhere: refused, and for the same reason whatever octets follow in memory. */
static void truncated(struct kunit *test)
{
	const struct kind *k = test->param_value;
	enum vrouter_drop_reason why[2];
	unsigned int len, n, i;
	u8 *buf = buffer(test);
	struct sk_buff *skb;
	struct vr_pkt pkt;

	len = kt_bytes(&k->p, buf);
	for (n = 0; n < len; n++) {
		for (i = 0; i < 2; i++) {
			skb = kt_skb_raw(test, buf, len, len);
			if (i)
				memset(skb->data + n, 0xff, len - n);
			__skb_trim(skb, n);
			why[i] = kt_parse(&pkt, &vif, skb);
			kfree_skb(skb);
		}
		KUNIT_EXPECT_NE_MSG(test, why[0], NONE, "%u of %u octets", n, len);
		KUNIT_EXPECT_EQ_MSG(test, why[0], why[1], "%u of %u octets", n, len);
	}
}

static void set_ip_checksum(u8 *buf, unsigned int hdr)
{
	unsigned int i;
	u32 sum = 0;

	put_unaligned_be16(0, buf + 10);
	for (i = 0; i < hdr; i += 2)
		sum += get_unaligned_be16(buf + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_unaligned_be16(~sum, buf + 10);
}

static void set_ip_len(u8 *buf, unsigned int len)
{
	if (buf[0] >> 4 == 6) {
		put_unaligned_be16(len - 40, buf + 4);
		return;
	}
	put_unaligned_be16(len, buf + 2);
	set_ip_checksum(buf, (buf[0] & 15) * 4);
}

/* The same with an IP length that agrees: the transport header is what is cut. */
static void truncated_l4(struct kunit *test)
{
	const struct kind *k = test->param_value;
	unsigned int len, n, hdr = k->p.family == AF_INET6 ? 40 : 20, need;
	u8 proto = k->p.proto, *buf = buffer(test);
	struct vr_pkt pkt;

	len = kt_bytes(&k->p, buf);
	/* A UDP header names its length; of the others only the header is needed. */
	need = proto == IPPROTO_TCP ? (k->p.wscale ? 24 : 20) : proto == IPPROTO_UDP ? len - hdr :
	       proto == IPPROTO_SCTP ? 12 : 8;
	for (n = hdr; n < len; n++) {
		enum vrouter_drop_reason want = n - hdr < need ? BAD_L4 : NONE;

		set_ip_len(buf, n);
		if (n == 40 && hdr == 40) {	/* length 0 says jumbogram (RFC 2675) */
			KUNIT_EXPECT_NE(test, parse_bytes(test, &pkt, buf, len, len), NONE);
			continue;
		}
		KUNIT_EXPECT_EQ_MSG(test, parse_bytes(test, &pkt, buf, n, n), want,
				    "%u of %u octets", n, len);
		/* and what lies behind the IP packet is padding, not header */
		KUNIT_EXPECT_EQ_MSG(test, parse_bytes(test, &pkt, buf, len, len), want,
				    "%u of %u octets, then padding", n, len);
	}
}

/* --- lies ----------------------------------------------------------------- */

struct lie {
	const char	*desc;
	u8		family, proto;
	u16		off;		/* octets to change, */
	u16		val;		/* to this */
	u8		n;		/* 1 or 2 of them */
	enum vrouter_drop_reason why;
	bool		checksum;	/* the IPv4 header checksum is right all the same */
};

static const struct lie lies[] = {
	{ "IPv4 version 6", AF_INET, IPPROTO_TCP, 0, 0x65, 1, BAD_IP, true },
	{ "IPv4 version 0", AF_INET, IPPROTO_TCP, 0, 0x05, 1, BAD_IP, true },
	{ "IPv4 header length 0", AF_INET, IPPROTO_TCP, 0, 0x40, 1, BAD_IP },
	{ "IPv4 header length 16", AF_INET, IPPROTO_TCP, 0, 0x44, 1, BAD_IP },
	{ "IPv4 header longer than the packet", AF_INET, IPPROTO_ICMP, 0, 0x4f, 1, BAD_IP },
	{ "IPv4 length 0", AF_INET, IPPROTO_TCP, 2, 0, 2, BAD_IP, true },
	{ "IPv4 length below its header", AF_INET, IPPROTO_TCP, 2, 19, 2, BAD_IP, true },
	{ "IPv4 length beyond the frame", AF_INET, IPPROTO_TCP, 2, 1400, 2, BAD_IP, true },
	{ "IPv4 length 65535", AF_INET, IPPROTO_TCP, 2, 65535, 2, BAD_IP, true },
	{ "IPv4 header checksum", AF_INET, IPPROTO_TCP, 10, 0x1234, 2, BAD_IP },
	{ "IPv4 first fragment", AF_INET, IPPROTO_UDP, 6, 0x2000, 2,
	  VROUTER_DROP_REASON_FRAGMENT, true },
	{ "IPv4 later fragment", AF_INET, IPPROTO_UDP, 6, 0x0010, 2,
	  VROUTER_DROP_REASON_FRAGMENT, true },
	{ "IPv4 last fragment with DF", AF_INET, IPPROTO_UDP, 6, 0x5fff, 2,
	  VROUTER_DROP_REASON_FRAGMENT, true },
	{ "IPv4 protocol GRE", AF_INET, IPPROTO_TCP, 9, IPPROTO_GRE, 1,
	  VROUTER_DROP_REASON_PROTOCOL, true },
	{ "IPv4 protocol 255", AF_INET, IPPROTO_TCP, 9, 255, 1,
	  VROUTER_DROP_REASON_PROTOCOL, true },
	{ "IPv4 with ICMPv6", AF_INET, IPPROTO_TCP, 9, IPPROTO_ICMPV6, 1,
	  VROUTER_DROP_REASON_PROTOCOL, true },
	{ "IPv6 version 4", AF_INET6, IPPROTO_TCP, 0, 0x40, 1, BAD_IP },
	{ "IPv6 version 15", AF_INET6, IPPROTO_TCP, 0, 0xf0, 1, BAD_IP },
	{ "IPv6 length beyond the frame", AF_INET6, IPPROTO_TCP, 4, 1400, 2, BAD_IP },
	{ "IPv6 length 65535", AF_INET6, IPPROTO_TCP, 4, 65535, 2, BAD_IP },
	{ "IPv6 no next header", AF_INET6, IPPROTO_TCP, 6, NEXTHDR_NONE, 1,
	  VROUTER_DROP_REASON_PROTOCOL },
	{ "IPv6 next header GRE", AF_INET6, IPPROTO_TCP, 6, IPPROTO_GRE, 1,
	  VROUTER_DROP_REASON_PROTOCOL },
	{ "IPv6 with ICMPv4", AF_INET6, IPPROTO_TCP, 6, IPPROTO_ICMP, 1,
	  VROUTER_DROP_REASON_PROTOCOL },
	{ "TCP data offset 0", AF_INET, IPPROTO_TCP, 32, 0x00, 1, BAD_L4 },
	{ "TCP data offset 16", AF_INET, IPPROTO_TCP, 32, 0x40, 1, BAD_L4 },
	{ "TCP header beyond the packet", AF_INET, IPPROTO_TCP, 32, 0xf0, 1, BAD_L4 },
	{ "TCP data offset 16 IPv6", AF_INET6, IPPROTO_TCP, 52, 0x40, 1, BAD_L4 },
	{ "UDP length 0", AF_INET, IPPROTO_UDP, 24, 0, 2, BAD_L4 },
	{ "UDP length 7", AF_INET, IPPROTO_UDP, 24, 7, 2, BAD_L4 },
	{ "UDP length beyond the packet", AF_INET, IPPROTO_UDP, 24, 25, 2, BAD_L4 },
	{ "UDP length 0 IPv6", AF_INET6, IPPROTO_UDP, 44, 0, 2, BAD_L4 },
	{ "UDP length beyond the packet IPv6", AF_INET6, IPPROTO_UDP, 44, 65535, 2, BAD_L4 },
};
KT_PARAM(lies, lies);

static void lying(struct kunit *test)
{
	const struct lie *l = test->param_value;
	const struct kt_pkt p = { .family = l->family, .proto = l->proto, .src = KT_POD(0),
				  .dst = KT_POD(1), .sport = 1000, .dport = 80,
				  .flags = KT_SYN, .type = ICMP_ECHO, .payload = 16 };
	u8 *buf = buffer(test);
	struct sk_buff *skb;
	struct vr_pkt pkt;
	unsigned int len;

	len = kt_bytes(&p, buf);
	if (l->n == 1)
		buf[l->off] = l->val;
	else
		put_unaligned_be16(l->val, buf + l->off);
	if (l->checksum)
		set_ip_checksum(buf, 20);
	skb = kt_skb_raw(test, buf, len, len);
	skb->protocol = l->family == AF_INET ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	KUNIT_EXPECT_EQ(test, kt_parse(&pkt, &vif, skb), l->why);
	kfree_skb(skb);
}

/* --- IPv4 options --------------------------------------------------------- */

struct option {
	const char	*desc;
	u8		opt[8];
	enum vrouter_drop_reason why;
};

static const struct option options[] = {
	{ "none but padding", { 0 }, NONE },
	{ "no-operation", { 1, 1, 1, 1, 1, 1, 1, 1 }, NONE },
	{ "record route", { 7, 7, 4, 0, 0, 0, 0, 0 }, NONE },
	{ "router alert", { 148, 4, 0, 0, 0 }, NONE },
	{ "loose source route", { 131, 7, 4, 10, 0, 0, 1, 0 }, BAD_IP },
	{ "strict source route", { 137, 7, 4, 10, 0, 0, 1, 0 }, BAD_IP },
	{ "source route behind no-operation", { 1, 131, 7, 4, 10, 0, 0, 1 }, BAD_IP },
	{ "length 0", { 7, 0, 0 }, BAD_IP },
	{ "length 1", { 7, 1, 0 }, BAD_IP },
	{ "length beyond the header", { 7, 9, 4 }, BAD_IP },
	{ "length missing", { 1, 1, 1, 1, 1, 1, 1, 7 }, BAD_IP },
};
KT_PARAM(options, options);

static void ipv4_option(struct kunit *test)
{
	const struct kt_pkt p = { .proto = IPPROTO_UDP, .src = KT_POD(0), .dst = KT_POD(1),
				  .sport = 1000, .dport = 53, .payload = 9 };
	const struct option *o = test->param_value;
	u8 *buf = buffer(test);
	unsigned int len;
	struct vr_pkt pkt;

	len = kt_bytes(&p, buf);
	memmove(buf + 28, buf + 20, len - 20);
	memcpy(buf + 20, o->opt, 8);
	buf[0] = 0x47;
	set_ip_len(buf, len + 8);
	KUNIT_EXPECT_EQ(test, parse_bytes(test, &pkt, buf, len + 8, len + 8), o->why);
	KUNIT_EXPECT_EQ(test, parse_bytes(test, &pkt, buf, len + 8, 0), o->why);
	if (!o->why) {
		KUNIT_EXPECT_EQ(test, pkt.l4_off, 28);
		KUNIT_EXPECT_EQ(test, ntohs(pkt.tuple.dport), 53);
	}
}

/* --- IPv6 extension headers ----------------------------------------------- */

struct chain {
	const char	*desc;
	u8		hdr[4];		/* in order, 0xff ends; 0 = hop-by-hop */
	u8		len[4];		/* "hdr ext len" of each */
	enum vrouter_drop_reason why;
};

static const struct chain chains[] = {
	{ "hop-by-hop", { 0, 0xff }, { 0 }, NONE },
	{ "destination options", { 60, 0xff }, { 1 }, NONE },
	{ "hop-by-hop, destination", { 0, 60, 0xff }, { 0, 2 }, NONE },
	{ "destination twice", { 60, 60, 0xff }, { 0, 0 }, NONE },
	{ "hop-by-hop not first", { 60, 0, 0xff }, { 0, 0 }, BAD_IP },
	{ "hop-by-hop twice", { 0, 0, 0xff }, { 0, 0 }, BAD_IP },
	{ "longer than the packet", { 60, 0xff }, { 255 }, BAD_IP },
	{ "second longer than the packet", { 60, 60, 0xff }, { 0, 200 }, BAD_IP },
	{ "fragment", { 44, 0xff }, { 0 }, VROUTER_DROP_REASON_FRAGMENT },
	{ "fragment behind hop-by-hop", { 0, 44, 0xff }, { 0, 0 }, VROUTER_DROP_REASON_FRAGMENT },
	{ "atomic fragment", { 44, 0xff }, { 1 }, NONE },
	{ "atomic fragment between others", { 0, 44, 60, 0xff }, { 0, 1, 0 }, NONE },
	{ "two fragment headers", { 44, 44, 0xff }, { 1, 1 }, BAD_IP },
	{ "source route (type 0)", { 43, 0xff }, { 0 }, BAD_IP },
	{ "ESP", { 50, 0xff }, { 0 }, VROUTER_DROP_REASON_PROTOCOL },
};
KT_PARAM(chains, chains);

static unsigned int build_chain(u8 *buf, const u8 *hdr, const u8 *ext_len, unsigned int n)
{
	const struct kt_pkt p = { .family = AF_INET6, .proto = IPPROTO_UDP, .src = KT_POD(0),
				  .dst = KT_POD(1), .sport = 1000, .dport = 53, .payload = 8 };
	unsigned int len = kt_bytes(&p, buf), off = 40, i, room;
	u8 udp[16];

	memcpy(udp, buf + 40, 16);
	buf[6] = n ? hdr[0] : IPPROTO_UDP;
	for (i = 0; i < n; i++) {
		/* A length that lies gets 8 octets all the same. */
		room = ext_len[i] < 16 && hdr[i] != 44 ? ext_len[i] * 8 + 8 : 8;
		memset(buf + off, 0, room);
		buf[off] = i + 1 < n ? hdr[i + 1] : IPPROTO_UDP;
		buf[off + 1] = ext_len[i];
		if (hdr[i] == 44)
			buf[off + 3] = !ext_len[i];	/* more fragments, or atomic */
		else if (hdr[i] == 43)
			buf[off + 3] = 1;	/* one segment left */
		else
			put_unaligned_be16(1 << 8 | (room - 4), buf + off + 2);	/* PadN */
		off += room;
	}
	memcpy(buf + off, udp, 16);
	len = off + 16;
	set_ip_len(buf, len);
	return len;
}

static void ipv6_chain(struct kunit *test)
{
	const struct chain *c = test->param_value;
	unsigned int n, len, cut;
	u8 *buf = buffer(test);
	struct vr_pkt pkt;

	for (n = 0; n < 4 && c->hdr[n] != 0xff; n++)
		;
	len = build_chain(buf, c->hdr, c->len, n);
	KUNIT_EXPECT_EQ(test, parse_bytes(test, &pkt, buf, len, len), c->why);
	KUNIT_EXPECT_EQ(test, parse_bytes(test, &pkt, buf, len, 0), c->why);
	if (c->why)
		return;
	KUNIT_EXPECT_EQ(test, pkt.l4_off, len - 16);
	KUNIT_EXPECT_EQ(test, pkt.tuple.proto, IPPROTO_UDP);
	KUNIT_EXPECT_EQ(test, ntohs(pkt.tuple.sport), 1000);
	KUNIT_EXPECT_EQ(test, ntohs(pkt.tuple.dport), 53);
	for (cut = 40; cut < len; cut++) {
		set_ip_len(buf, cut);
		KUNIT_EXPECT_NE_MSG(test, parse_bytes(test, &pkt, buf, cut, cut), NONE,
				    "cut at %u of %u", cut, len);
	}
}

/* However long the chain, the walk ends: short ones pass, endless ones do not. */
static void ipv6_overlong(struct kunit *test)
{
	u8 *hdr = kunit_kzalloc(test, 256, GFP_KERNEL), *len = hdr + 128, *buf = buffer(test);
	struct vr_pkt pkt;
	unsigned int n, size;
	bool over = false;

	KUNIT_ASSERT_NOT_NULL(test, hdr);
	memset(hdr, IPPROTO_DSTOPTS, 128);
	for (n = 0; n <= 120; n++) {
		enum vrouter_drop_reason why;

		size = build_chain(buf, hdr, len, n);
		why = parse_bytes(test, &pkt, buf, size, size);
		if (n <= 2)
			KUNIT_EXPECT_EQ_MSG(test, why, NONE, "%u headers", n);
		if (n >= 32)
			KUNIT_EXPECT_EQ_MSG(test, why, BAD_IP, "%u headers", n);
		if (over)
			KUNIT_EXPECT_NE_MSG(test, why, NONE, "%u headers", n);
		over |= why != NONE;
	}
}

/* --- ICMP errors ---------------------------------------------------------- */

static const struct kind errors[] = {
	{ "unreachable, TCP", { .family = AF_INET, .proto = IPPROTO_TCP, .type = ICMP_DEST_UNREACH } },
	{ "unreachable, UDP", { .family = AF_INET, .proto = IPPROTO_UDP, .type = ICMP_DEST_UNREACH } },
	{ "time exceeded, SCTP", { .family = AF_INET, .proto = IPPROTO_SCTP,
				   .type = ICMP_TIME_EXCEEDED } },
	{ "parameter problem, echo", { .family = AF_INET, .proto = IPPROTO_ICMP,
				       .type = ICMP_PARAMETERPROB } },
	{ "v6 unreachable, TCP", { .family = AF_INET6, .proto = IPPROTO_TCP,
				   .type = ICMPV6_DEST_UNREACH } },
	{ "v6 too big, UDP", { .family = AF_INET6, .proto = IPPROTO_UDP,
			       .type = ICMPV6_PKT_TOOBIG } },
	{ "v6 time exceeded, SCTP", { .family = AF_INET6, .proto = IPPROTO_SCTP,
				      .type = ICMPV6_TIME_EXCEED } },
	{ "v6 parameter problem, echo", { .family = AF_INET6, .proto = IPPROTO_ICMPV6,
					  .type = ICMPV6_PARAMPROB } },
};
KT_PARAM(errors, errors);

/* The error that pod 1 sends to pod 0 about the packet of pod 0 to pod 1; n octets of it. */
static unsigned int build_error(const struct kind *k, u8 *buf, struct kt_pkt *in, unsigned int n)
{
	struct kt_pkt out = { .family = k->p.family, .src = KT_POD(1), .dst = KT_POD(0),
			      .proto = k->p.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			      .type = k->p.type };
	u8 inner[128];
	unsigned int len;

	*in = (struct kt_pkt){ .family = k->p.family, .proto = k->p.proto, .src = KT_POD(0),
			       .dst = KT_POD(1), .sport = 1000, .dport = 80, .flags = KT_SYN,
			       .payload = 16 };
	if (k->p.proto == IPPROTO_ICMP)
		in->type = ICMP_ECHO;
	if (k->p.proto == IPPROTO_ICMPV6)
		in->type = ICMPV6_ECHO_REQUEST;
	len = kt_bytes(in, inner);
	out.data = inner;
	out.payload = min(n, len);
	return kt_bytes(&out, buf);
}

static void icmp_error(struct kunit *test)
{
	const struct kind *k = test->param_value;
	unsigned int hdr = k->p.family == AF_INET ? 20 : 40, n, len, whole;
	struct vr_tuple want;
	u8 *buf = buffer(test);
	struct kt_pkt in;
	struct vr_pkt pkt;

	whole = build_error(k, buf, &in, ~0u) - hdr - 8;
	for (n = 0; n <= whole; n++) {
		enum vrouter_drop_reason why;

		len = build_error(k, buf, &in, n);
		why = parse_bytes(test, &pkt, buf, len, len);
		KUNIT_EXPECT_EQ_MSG(test, why, parse_bytes(test, &pkt, buf, len, 0),
				    "%u octets of the packet, in pages", n);
		/* Ports are the least that names the flow; RFC 792 gives 8 octets. */
		if (n < hdr + 4)
			KUNIT_EXPECT_NE_MSG(test, why, NONE, "%u octets of the packet", n);
		if (n < hdr + 8)
			continue;
		KUNIT_ASSERT_EQ_MSG(test, why, NONE, "%u octets of the packet", n);
		want = kt_tuple(pkt.inner.port, &in);
		expect_tuple(test, &pkt.inner, &want);
		KUNIT_EXPECT_TRUE(test, pkt.icmp_error);
		KUNIT_EXPECT_EQ(test, pkt.inner_off, hdr + 8);
		KUNIT_EXPECT_EQ(test, pkt.inner_l4_off, hdr + 8 + hdr);
		KUNIT_EXPECT_EQ(test, pkt.tuple.sport, 0);
		KUNIT_EXPECT_EQ(test, pkt.tuple.dport, 0);
	}
}

/* An error about garbage, about an error, about a fragment: no flow can be named. */
static void icmp_error_lies(struct kunit *test)
{
	static const struct lie in[] = {
		{ "version", AF_INET, 0, 0, 0x65, 1 },
		{ "header length", AF_INET, 0, 0, 0x44, 1 },
		{ "header length beyond", AF_INET, 0, 0, 0x4f, 1 },
		{ "later fragment", AF_INET, 0, 6, 0x0010, 2 },
		{ "protocol", AF_INET, 0, 9, IPPROTO_GRE, 1 },
		{ "v6 version", AF_INET6, 0, 0, 0x40, 1 },
		{ "v6 next header", AF_INET6, 0, 6, IPPROTO_GRE, 1 },
	};
	struct kind k = { .p = { .proto = IPPROTO_TCP } };
	unsigned int i, hdr, len;
	u8 *buf = buffer(test);
	struct kt_pkt sent;
	struct vr_pkt pkt;

	for (i = 0; i < ARRAY_SIZE(in); i++) {
		k.p.family = in[i].family;
		k.p.type = in[i].family == AF_INET ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
		hdr = in[i].family == AF_INET ? 20 : 40;
		len = build_error(&k, buf, &sent, 28);
		if (in[i].family == AF_INET6)
			len = build_error(&k, buf, &sent, 48);
		if (in[i].n == 1)
			buf[hdr + 8 + in[i].off] = in[i].val;
		else
			put_unaligned_be16(in[i].val, buf + hdr + 8 + in[i].off);
		KUNIT_EXPECT_NE_MSG(test, parse_bytes(test, &pkt, buf, len, len), NONE, "%s",
				    in[i].desc);
	}
	/* RFC 1122 3.2.2: no error about an error */
	k.p = (struct kt_pkt){ .family = AF_INET, .proto = IPPROTO_ICMP, .type = ICMP_DEST_UNREACH };
	len = build_error(&k, buf, &sent, 28);
	buf[28 + 20] = ICMP_DEST_UNREACH;
	KUNIT_EXPECT_NE(test, parse_bytes(test, &pkt, buf, len, len), NONE);
}

/* Random octets and randomly bent packets: any verdict, but inside of the packet. */
static void random_octets(struct kunit *test)
{
	struct kt_rnd r = { .state = 1 };
	unsigned int i, j, len;
	u8 *buf = buffer(test);
	struct vr_pkt pkt;

	for (i = 0; i < 20000; i++) {
		const struct kind *k = &kinds[kt_rnd_below(&r, ARRAY_SIZE(kinds))];
		struct sk_buff *skb;

		len = kt_bytes(&k->p, buf);
		for (j = kt_rnd_below(&r, 5); j; j--)
			buf[kt_rnd_below(&r, min(len, 60u))] = kt_rnd(&r);
		if (buf[0] >> 4 == 4 && i & 1 && (buf[0] & 15) * 4 <= len)
			set_ip_checksum(buf, (buf[0] & 15) * 4);
		len = kt_rnd_below(&r, 4) ? len : kt_rnd_below(&r, len + 1);
		skb = kt_skb_raw(test, buf, len, kt_rnd_below(&r, len + 1));
		if (!kt_parse(&pkt, &vif, skb)) {
			if (pkt.tot_len > len || pkt.l4_off + 8 > pkt.tot_len ||
			    skb_headlen(skb) < pkt.l4_off + 8 || skb->len != pkt.tot_len)
				KUNIT_FAIL(test, "round %u: tot_len %u l4_off %u of %u octets", i,
					   pkt.tot_len, pkt.l4_off, len);
		}
		kfree_skb(skb);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(good, kinds_gen_params),
	KUNIT_CASE_PARAM(truncated, kinds_gen_params),
	KUNIT_CASE_PARAM(truncated_l4, kinds_gen_params),
	KUNIT_CASE_PARAM(lying, lies_gen_params),
	KUNIT_CASE_PARAM(ipv4_option, options_gen_params),
	KUNIT_CASE_PARAM(ipv6_chain, chains_gen_params),
	KUNIT_CASE(ipv6_overlong),
	KUNIT_CASE_PARAM(icmp_error, errors_gen_params),
	KUNIT_CASE(icmp_error_lies),
	KUNIT_CASE(random_octets),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_parse",
	.init = init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
