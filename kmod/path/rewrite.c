// SPDX-License-Identifier: GPL-2.0-only
/* Addresses, ports, TTL and the checksums over them. */

#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/sctp/checksum.h>

#include "path.h"

/* The checksum of the transport header, and whether addresses are in it. */
static __sum16 *l4_check(const struct vr_tuple *t, void *l4)
{
	switch (t->proto) {
	case IPPROTO_TCP:
		return &((struct tcphdr *)l4)->check;
	case IPPROTO_UDP:
		return &((struct udphdr *)l4)->check;
	case IPPROTO_ICMPV6:
		return &((struct icmphdr *)l4)->checksum;
	}
	return NULL;	/* ICMP covers no addresses; SCTP has another kind */
}

static void replace_addr(struct sk_buff *skb, __sum16 *check, u8 family, const union vr_addr *from,
			 const union vr_addr *to)
{
	if (!check)
		return;
	if (family == AF_INET)
		inet_proto_csum_replace4(check, skb, from->v4, to->v4, true);
	else
		inet_proto_csum_replace16(check, skb, from->w, to->w, true);
}

/* A header's addresses, in IP and in the transport checksum. */
static void set_addr(struct sk_buff *skb, void *ip, __sum16 *check, u8 family, bool source,
		     const union vr_addr *from, const union vr_addr *to)
{
	if (vr_addr_eq(from, to))
		return;
	replace_addr(skb, check, family, from, to);
	if (family == AF_INET) {
		struct iphdr *iph = ip;

		csum_replace4(&iph->check, from->v4, to->v4);
		*(source ? &iph->saddr : &iph->daddr) = to->v4;
	} else {
		struct ipv6hdr *h = ip;

		*(source ? &h->saddr : &h->daddr) = to->v6;
	}
}

static void set_port(struct sk_buff *skb, __sum16 *check, __be16 *port, __be16 to)
{
	if (*port == to)
		return;
	if (check)
		inet_proto_csum_replace2(check, skb, *port, to, false);
	*port = to;
}

static bool has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

/* A UDP packet over IPv4 may have no checksum, and keeps none (RFC 768). */
static bool no_checksum(const struct vr_pkt *pkt, const void *l4)
{
	return pkt->tuple.proto == IPPROTO_UDP && !((const struct udphdr *)l4)->check &&
	       pkt->skb->ip_summed != CHECKSUM_PARTIAL;
}

static void translate(struct vr_pkt *pkt, const struct vr_tuple *to)
{
	struct sk_buff *skb = pkt->skb;
	void *ip = skb->data, *l4 = skb->data + pkt->l4_off;
	const struct vr_tuple *t = &pkt->tuple;
	__sum16 *check = l4_check(t, l4);
	__be16 *ports = l4;
	bool bare = check && no_checksum(pkt, l4);

	if (bare)
		check = NULL;
	set_addr(skb, ip, check, t->family, true, &t->src, &to->dst);
	set_addr(skb, ip, check, t->family, false, &t->dst, &to->src);
	if (has_ports(t->proto)) {
		bool changed = ports[0] != to->dport || ports[1] != to->sport;

		set_port(skb, check, &ports[0], to->dport);
		set_port(skb, check, &ports[1], to->sport);
		if (changed && t->proto == IPPROTO_SCTP && skb->ip_summed != CHECKSUM_PARTIAL)
			((struct sctphdr *)l4)->checksum = sctp_compute_cksum(skb, pkt->l4_off);
	}
	if (check && t->proto == IPPROTO_UDP && !*check)
		*check = CSUM_MANGLED_0;
}

static bool is_translated(const struct vr_tuple *t, const struct vr_tuple *to)
{
	return t->sport != to->dport || t->dport != to->sport || !vr_addr_eq(&t->src, &to->dst) ||
	       !vr_addr_eq(&t->dst, &to->src);
}

static void decrease_ttl(struct vr_pkt *pkt)
{
	if (pkt->tuple.family == AF_INET)
		ip_decrease_ttl((struct iphdr *)pkt->skb->data);
	else
		((struct ipv6hdr *)pkt->skb->data)->hop_limit--;
}

/* Octets that are written: the IP header and what of the transport header is. */
static unsigned int written(const struct vr_pkt *pkt)
{
	unsigned int l4 = pkt->tuple.proto == IPPROTO_TCP ? sizeof(struct tcphdr) : 8;

	return pkt->l4_off + (pkt->tuple.proto == IPPROTO_SCTP ? sizeof(struct sctphdr) : l4);
}

enum vrouter_drop_reason vr_rewrite(struct vr_pkt *pkt, const struct vr_tuple *to)
{
	const u8 *h = pkt->skb->data;

	if ((pkt->tuple.family == AF_INET ? ((const struct iphdr *)h)->ttl
					  : ((const struct ipv6hdr *)h)->hop_limit) <= 1) {
		vr_answer_time_exceeded(pkt);
		return VROUTER_DROP_REASON_TTL;
	}
	if (skb_ensure_writable(pkt->skb, written(pkt)))
		return VROUTER_DROP_REASON_NO_MEMORY;
	skb_forward_csum(pkt->skb);
	if (is_translated(&pkt->tuple, to))
		translate(pkt, to);
	decrease_ttl(pkt);
	return 0;
}
