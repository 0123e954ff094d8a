// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets from descriptions, and the proof that one is sound. Checksums are
 * computed here in the plainest way, not with the kernel's helpers that the
 * module uses.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>

#include "kunit_util.h"

static u32 sum16(const u8 *p, unsigned int len, u32 sum)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static u16 fold16(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static u32 crc32c_plain(const u8 *p, unsigned int len)
{
	u32 crc = ~0u;
	unsigned int i, bit;

	for (i = 0; i < len; i++) {
		crc ^= p[i];
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Pseudo-header of the packet at p, its transport header being len octets long. */
static u32 pseudo_sum(const u8 *p, u8 proto, unsigned int len)
{
	u32 sum = proto + (len & 0xffff) + (len >> 16);

	return p[0] >> 4 == 4 ? sum16(p + 12, 8, sum) : sum16(p + 8, 32, sum);
}

static unsigned int l4_header_len(u8 proto, const struct kt_pkt *p)
{
	switch (proto) {
	case IPPROTO_TCP:
		return p->wscale ? 24 : 20;
	case IPPROTO_SCTP:
		return 12;
	default:
		return 8;
	}
}

static u8 pkt_proto(const struct kt_pkt *p)
{
	return p->proto ?: IPPROTO_TCP;
}

static u8 pkt_family(const struct kt_pkt *p)
{
	return p->family ?: AF_INET;
}

static unsigned int ip_header(const struct kt_pkt *p, unsigned int l4_len, u8 *buf)
{
	union vr_addr src = kt_addr(pkt_family(p), p->src);
	union vr_addr dst = kt_addr(pkt_family(p), p->dst);

	if (pkt_family(p) == AF_INET) {
		struct iphdr *ip = (void *)buf;

		*ip = (struct iphdr){ .version = 4, .ihl = 5, .tot_len = htons(20 + l4_len),
				      .id = htons(1), .frag_off = htons(0x4000),
				      .ttl = p->ttl ?: 64, .protocol = pkt_proto(p),
				      .saddr = src.v4, .daddr = dst.v4 };
		ip->check = htons((u16)~fold16(sum16(buf, 20, 0)));
		return 20;
	}
	*(struct ipv6hdr *)buf = (struct ipv6hdr){
		.version = 6, .payload_len = htons(l4_len), .nexthdr = pkt_proto(p),
		.hop_limit = p->ttl ?: 64, .saddr = src.v6, .daddr = dst.v6 };
	return 40;
}

static void l4_header(const struct kt_pkt *p, unsigned int l4_len, u8 *l4)
{
	switch (pkt_proto(p)) {
	case IPPROTO_TCP: {
		struct tcphdr *th = (void *)l4;

		*th = (struct tcphdr){ .source = htons(p->sport), .dest = htons(p->dport),
				       .seq = htonl(p->seq), .ack_seq = htonl(p->ack),
				       .doff = p->wscale ? 6 : 5, .window = htons(p->win ?: 65535) };
		l4[13] = p->flags;
		if (p->wscale)
			put_unaligned_be32(0x01030300 + p->wscale - 1, l4 + 20);
		break;
	}
	case IPPROTO_UDP:
		*(struct udphdr *)l4 = (struct udphdr){ .source = htons(p->sport),
							.dest = htons(p->dport),
							.len = htons(l4_len) };
		break;
	case IPPROTO_SCTP:
		*(struct sctphdr *)l4 = (struct sctphdr){ .source = htons(p->sport),
							  .dest = htons(p->dport),
							  .vtag = htonl(0x01020304) };
		break;
	default:
		memset(l4, 0, 8);
		l4[0] = p->type;
		l4[1] = p->code;
		*(__be16 *)(l4 + 4) = htons(p->sport);
	}
}

/* Where the checksum is, from the transport header; its octets are 0 when called. */
static void l4_checksum(const struct kt_pkt *p, u8 *buf, unsigned int hdr, unsigned int l4_len)
{
	u8 proto = pkt_proto(p), *l4 = buf + hdr;
	u32 sum;

	if (proto == IPPROTO_SCTP) {
		*(__le32 *)(l4 + 8) = cpu_to_le32(crc32c_plain(l4, l4_len));
		return;
	}
	if (proto == IPPROTO_UDP && p->no_udp_csum)
		return;
	sum = proto == IPPROTO_ICMP ? 0 : pseudo_sum(buf, proto, l4_len);
	sum = (u16)~fold16(sum16(l4, l4_len, sum));
	if (proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	*(__be16 *)(l4 + (proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2)) = htons(sum);
}

unsigned int kt_bytes(const struct kt_pkt *p, u8 *buf)
{
	unsigned int head = l4_header_len(pkt_proto(p), p), hdr, i;

	hdr = ip_header(p, head + p->payload, buf);
	l4_header(p, head + p->payload, buf + hdr);
	for (i = 0; i < p->payload; i++)
		buf[hdr + head + i] = p->data ? ((const u8 *)p->data)[i] : i;
	l4_checksum(p, buf, hdr, head + p->payload);
	return hdr + head + p->payload;
}

struct vr_tuple kt_tuple(u32 port, const struct kt_pkt *p)
{
	struct vr_tuple t = { .port = port, .family = pkt_family(p), .proto = pkt_proto(p),
			      .sport = htons(p->sport), .dport = htons(p->dport),
			      .src = kt_addr(pkt_family(p), p->src),
			      .dst = kt_addr(pkt_family(p), p->dst) };

	if (t.proto == IPPROTO_ICMP || t.proto == IPPROTO_ICMPV6)
		t.dport = t.sport;
	return t;
}

struct sk_buff *kt_skb_raw(struct kunit *test, const u8 *buf, unsigned int len,
			   unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + len, GFP_KERNEL);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, LL_MAX_HEADER);
	skb_put_data(skb, buf, linear);
	if (linear < len) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			kfree_skb(skb);
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page), buf + linear, len - linear);
		skb_add_rx_frag(skb, 0, page, 0, len - linear, PAGE_SIZE);
	}
	skb_reset_network_header(skb);
	skb->protocol = buf[0] >> 4 == 6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	return skb;
}

/* PARTIAL: the checksum field holds the pseudo-header's sum for whoever completes it. */
static void make_partial(struct sk_buff *skb, u8 proto, unsigned int hdr)
{
	u8 *l4 = skb->data + hdr;
	unsigned int off = proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 :
			   proto == IPPROTO_SCTP ? 8 : 2;

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + hdr;
	skb->csum_offset = off;
	if (proto == IPPROTO_SCTP) {
		skb->csum_not_inet = 1;
		*(__le32 *)(l4 + off) = 0;
	} else {
		*(__be16 *)(l4 + off) = proto == IPPROTO_ICMP ? 0 :
			htons(fold16(pseudo_sum(skb->data, proto, skb->len - hdr)));
	}
}

struct sk_buff *kt_skb(struct kunit *test, const struct kt_pkt *p)
{
	struct sk_buff *skb;
	unsigned int len;
	u8 *buf;

	buf = kunit_kzalloc(test, KT_MAX_PKT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	len = kt_bytes(p, buf);
	skb = kt_skb_raw(test, buf, len, len);
	kunit_kfree(test, buf);
	switch (p->csum) {
	case KT_NONE:
		break;
	case KT_UNNECESSARY:
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		break;
	case KT_COMPLETE:
		skb->ip_summed = CHECKSUM_COMPLETE;
		skb->csum = csum_partial(skb->data, skb->len, 0);
		break;
	case KT_PARTIAL:
		make_partial(skb, pkt_proto(p), pkt_family(p) == AF_INET ? 20 : 40);
		break;
	}
	return skb;
}

enum vrouter_drop_reason kt_parse(struct vr_pkt *pkt, struct vr_vif *vif, struct sk_buff *skb)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->vif = vif;
	pkt->vn = vif->vn;
	pkt->gen = vr_net_gen(pkt->vn);
	pkt->conf = rcu_dereference_check(vif->conf, 1);
	pkt->skb = skb;
	return vr_parse(pkt);
}

/* Complete checksums, those of one's complement. */
static void expect_l4(struct kunit *test, const u8 *p, unsigned int hdr, unsigned int len,
		      u8 proto, const char *what)
{
	const u8 *l4 = p + hdr;
	unsigned int n = len - hdr;

	switch (proto) {
	case IPPROTO_UDP:
		if (!l4[6] && !l4[7] && p[0] >> 4 == 4)
			return;
		fallthrough;
	case IPPROTO_TCP:
	case IPPROTO_ICMPV6:
		KUNIT_EXPECT_EQ_MSG(test, fold16(sum16(l4, n, pseudo_sum(p, proto, n))), 0xffff,
				    "%s: checksum of protocol %u", what, proto);
		break;
	case IPPROTO_ICMP:
		KUNIT_EXPECT_EQ_MSG(test, fold16(sum16(l4, n, 0)), 0xffff, "%s: ICMP checksum",
				    what);
		break;
	}
}

static void expect_sctp(struct kunit *test, u8 *l4, unsigned int len, const char *what)
{
	__le32 given = *(__le32 *)(l4 + 8);

	*(__le32 *)(l4 + 8) = 0;
	KUNIT_EXPECT_EQ_MSG(test, le32_to_cpu(given), crc32c_plain(l4, len), "%s: SCTP CRC", what);
	*(__le32 *)(l4 + 8) = given;
}

static void expect_partial(struct kunit *test, struct sk_buff *skb, u8 proto, unsigned int hdr,
			   const char *what)
{
	u8 *l4 = skb->data + hdr;

	KUNIT_EXPECT_EQ_MSG(test, skb_checksum_start_offset(skb), (int)hdr, "%s: csum_start", what);
	if (proto == IPPROTO_SCTP) {
		KUNIT_EXPECT_TRUE_MSG(test, skb->csum_not_inet, "%s: csum_not_inet", what);
		KUNIT_EXPECT_EQ_MSG(test, skb->csum_offset, 8, "%s: csum_offset", what);
		return;
	}
	if (proto != IPPROTO_ICMP)
		KUNIT_EXPECT_EQ_MSG(test, ntohs(*(__be16 *)(l4 + skb->csum_offset)),
				    fold16(pseudo_sum(skb->data, proto, skb->len - hdr)),
				    "%s: pseudo-header sum", what);
	KUNIT_ASSERT_EQ(test, skb_checksum_help(skb), 0);
	expect_l4(test, skb->data, hdr, skb->len, proto, what);
}

void kt_expect_sound(struct kunit *test, struct sk_buff *skb, const char *what)
{
	unsigned int hdr, len;
	u8 *p, proto;

	KUNIT_ASSERT_EQ(test, skb_linearize(skb), 0);
	p = skb->data;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_EQ_MSG(test, csum_fold(skb->csum),
				    csum_fold(csum_partial(p, skb->len, 0)),
				    "%s: CHECKSUM_COMPLETE's sum", what);
	if (p[0] >> 4 == 4) {
		hdr = (p[0] & 15) * 4;
		proto = p[9];
		len = get_unaligned_be16(p + 2);
		KUNIT_EXPECT_EQ_MSG(test, fold16(sum16(p, hdr, 0)), 0xffff,
				    "%s: IPv4 header checksum", what);
	} else {
		hdr = 40;
		proto = p[6];
		len = 40 + get_unaligned_be16(p + 4);
	}
	KUNIT_ASSERT_EQ_MSG(test, len, skb->len, "%s: length", what);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		expect_partial(test, skb, proto, hdr, what);
	else if (proto == IPPROTO_SCTP)
		expect_sctp(test, p + hdr, len - hdr, what);
	else
		expect_l4(test, p, hdr, len, proto, what);
}

void kt_expect_pkt(struct kunit *test, struct sk_buff *skb, const struct kt_pkt *want,
		   const char *what)
{
	struct vr_tuple got = { .family = skb->data[0] >> 4 == 4 ? AF_INET : AF_INET6 };
	struct vr_tuple exp = kt_tuple(0, want);
	u8 *p, *l4, ttl;

	KUNIT_ASSERT_EQ(test, skb_linearize(skb), 0);
	p = skb->data;
	if (got.family == AF_INET) {
		got.proto = p[9];
		ttl = p[8];
		memcpy(&got.src, p + 12, 4);
		memcpy(&got.dst, p + 16, 4);
		l4 = p + (p[0] & 15) * 4;
	} else {
		got.proto = p[6];
		ttl = p[7];
		memcpy(&got.src, p + 8, 16);
		memcpy(&got.dst, p + 24, 16);
		l4 = p + 40;
	}
	if (got.proto == IPPROTO_ICMP || got.proto == IPPROTO_ICMPV6) {
		got.sport = *(__be16 *)(l4 + 4);
		got.dport = got.sport;
		KUNIT_EXPECT_EQ_MSG(test, l4[0], want->type, "%s: ICMP type", what);
		KUNIT_EXPECT_EQ_MSG(test, l4[1], want->code, "%s: ICMP code", what);
	} else {
		got.sport = *(__be16 *)l4;
		got.dport = *(__be16 *)(l4 + 2);
	}
	if (want->ttl)
		KUNIT_EXPECT_EQ_MSG(test, ttl, want->ttl, "%s: TTL", what);
	if (memcmp(&got, &exp, sizeof(got)))
		KUNIT_FAIL(test, "%s: proto %u %pI6c:%u -> %pI6c:%u, expected %u %pI6c:%u -> %pI6c:%u",
			   what, got.proto, &got.src, ntohs(got.sport), &got.dst, ntohs(got.dport),
			   exp.proto, &exp.src, ntohs(exp.sport), &exp.dst, ntohs(exp.dport));
}
