// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses, ports, TTL, and the checksums that cover them. Checksums are updated,
 * not made anew, so that one that was wrong stays wrong; SCTP's CRC is made anew
 * if it was right. CHECKSUM_PARTIAL and GSO are left to whoever completes them,
 * CHECKSUM_COMPLETE's sum is kept true.
 */

#include <linux/ip.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "path.h"

/* Octets of the transport header that are written. */
static unsigned int writable_len(const struct vr_pkt *pkt)
{
	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
		return pkt->l4_off + offsetofend(struct tcphdr, check);
	case IPPROTO_SCTP:
		return pkt->l4_off + sizeof(struct sctphdr);
	default:
		return pkt->l4_off + sizeof(struct udphdr);
	}
}

/* The checksum that covers addresses and ports by the Internet's sum; NULL if the
 * protocol has another, none over these, or the packet goes without.
 */
static __sum16 *sum_of(const struct vr_pkt *pkt, void *l4)
{
	struct udphdr *uh = l4;

	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
		return &((struct tcphdr *)l4)->check;
	case IPPROTO_UDP:
		return uh->check || pkt->skb->ip_summed == CHECKSUM_PARTIAL ? &uh->check : NULL;
	case IPPROTO_ICMPV6:
		return &((struct icmp6hdr *)l4)->icmp6_cksum;
	}
	return NULL;
}

/* Octets that no checksum of the packet makes up for, in CHECKSUM_COMPLETE's sum. */
static void sum_complete(struct sk_buff *skb, __be32 from, __be32 to)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_add(csum_sub(skb->csum, (__force __wsum)from),
				     (__force __wsum)to);
}

/* Inlined, as set_port() and set_ip() are: as calls they are 68 instructions more for a
 * packet, of 1 216.
 */
static __always_inline void set_ip4(struct sk_buff *skb, __sum16 *sum, __sum16 *ip_sum,
				    __be32 *addr, __be32 to)
{
	if (*addr == to)
		return;
	csum_replace4(ip_sum, *addr, to);
	if (sum)
		inet_proto_csum_replace4(sum, skb, *addr, to, true);
	*addr = to;
}

static void set_ip6(struct sk_buff *skb, __sum16 *sum, struct in6_addr *addr,
		    const struct in6_addr *to)
{
	int i;

	if (ipv6_addr_equal(addr, to))
		return;
	if (sum)
		inet_proto_csum_replace16(sum, skb, addr->s6_addr32, to->s6_addr32, true);
	for (i = 0; !sum && i < 4; i++)
		sum_complete(skb, addr->s6_addr32[i], to->s6_addr32[i]);
	*addr = *to;
}

static __always_inline void set_port(struct sk_buff *skb, __sum16 *sum, __be16 *port, __be16 to)
{
	if (*port == to)
		return;
	if (sum)
		inet_proto_csum_replace2(sum, skb, *port, to, false);
	else
		sum_complete(skb, (__force __be32)*port, (__force __be32)to);
	*port = to;
}

/* No TTL is 0 after this, as the callers have seen. */
static __always_inline void set_ip(struct vr_pkt *pkt, __sum16 *sum, const struct vr_tuple *to)
{
	struct sk_buff *skb = pkt->skb;
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	if (likely(pkt->tuple.family == AF_INET)) {
		ip = (struct iphdr *)skb->data;
		set_ip4(skb, sum, &ip->check, &ip->saddr, to->dst.v4);
		set_ip4(skb, sum, &ip->check, &ip->daddr, to->src.v4);
		ip_decrease_ttl(ip);
		return;
	}
	ip6 = (struct ipv6hdr *)skb->data;
	set_ip6(skb, sum, &ip6->saddr, &to->dst.v6);
	set_ip6(skb, sum, &ip6->daddr, &to->src.v6);
	ip6->hop_limit--;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_sub(skb->csum, (__force __wsum)htons(1));
}

/* The CRC covers ports, not addresses. Without CHECKSUM_PARTIAL the packet is a tap's, or
 * the first fragment, which has not all that the CRC covers: its ports have to stay.
 */
static enum vrouter_drop_reason set_sctp(struct vr_pkt *pkt, struct sctphdr *sh,
					 const struct vr_tuple *to)
{
	struct sk_buff *skb = pkt->skb;
	bool sum = skb->ip_summed != CHECKSUM_PARTIAL, right;
	__le32 old = sh->checksum;

	if (sh->source == to->dport && sh->dest == to->sport)
		return VROUTER_DROP_REASON_NONE;
	if (pkt->frag == VR_FRAG_FIRST)
		return VROUTER_DROP_REASON_FRAGMENT;
	right = sum && old == vr_sctp_csum(skb, pkt->l4_off);
	set_port(skb, NULL, &sh->source, to->dport);
	set_port(skb, NULL, &sh->dest, to->sport);
	if (!right)
		return VROUTER_DROP_REASON_NONE;
	sh->checksum = vr_sctp_csum(skb, pkt->l4_off);
	sum_complete(skb, (__force __be32)old, (__force __be32)sh->checksum);
	return VROUTER_DROP_REASON_NONE;
}

/* ICMPv4's checksum, which covers no address, is not the sum that set_ip() was given. */
static void set_echo_id(struct vr_pkt *pkt, struct icmphdr *icmp, const struct vr_tuple *to)
{
	if (likely(icmp->un.echo.id == to->sport) || pkt->icmp_error)
		return;
	set_port(pkt->skb, &icmp->checksum, &icmp->un.echo.id, to->sport);
}

static bool is_last_hop(const struct vr_pkt *pkt)
{
	const void *ip = pkt->skb->data;

	return (pkt->tuple.family == AF_INET ? ((const struct iphdr *)ip)->ttl :
		((const struct ipv6hdr *)ip)->hop_limit) <= 1;
}

/* The first fragment's checksum covers the others' addresses: they are the same. */
enum vrouter_drop_reason vr_rewrite_later(struct vr_pkt *pkt, const struct vr_tuple *to)
{
	unsigned int len = pkt->tuple.family == AF_INET ? sizeof(struct iphdr) :
							  sizeof(struct ipv6hdr);

	if (unlikely(is_last_hop(pkt)))
		return VROUTER_DROP_REASON_TTL;
	if (unlikely(skb_ensure_writable(pkt->skb, len)))
		return VROUTER_DROP_REASON_NO_MEMORY;
	set_ip(pkt, NULL, to);
	return VROUTER_DROP_REASON_NONE;
}

enum vrouter_drop_reason vr_rewrite(struct vr_pkt *pkt, const struct vr_tuple *to)
{
	struct sk_buff *skb = pkt->skb;
	__be16 *ports;
	__sum16 *sum;
	void *l4;

	if (unlikely(is_last_hop(pkt)))
		return VROUTER_DROP_REASON_TTL;
	if (unlikely(skb_ensure_writable(skb, writable_len(pkt))))
		return VROUTER_DROP_REASON_NO_MEMORY;

	l4 = skb->data + pkt->l4_off;
	sum = sum_of(pkt, l4);
	set_ip(pkt, sum, to);
	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		ports = l4;
		set_port(skb, sum, &ports[0], to->dport);
		set_port(skb, sum, &ports[1], to->sport);
		/* 0 would say that there is none (RFC 768) */
		if (pkt->tuple.proto == IPPROTO_UDP && sum && !*sum)
			*sum = CSUM_MANGLED_0;
		break;
	case IPPROTO_SCTP:
		return set_sctp(pkt, l4, to);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		set_echo_id(pkt, l4, to);
		break;
	}
	return VROUTER_DROP_REASON_NONE;
}
