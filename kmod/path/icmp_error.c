// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ICMP error belongs to the flow of the packet that it quotes. That one was
 * sent to whoever answers now, so its mirror image is the tuple of a packet
 * which enters by the same interface. Outside and inside are translated back to what the flow's
 * other end has sent.
 */

#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "path.h"

static struct vr_tuple mirror(const struct vr_tuple *t)
{
	struct vr_tuple m = *t;

	m.src = t->dst;
	m.dst = t->src;
	m.sport = t->dport;
	m.dport = t->sport;
	return m;
}

/* The packet that the error quotes was of the other direction: as it entered. */
static void restore_inner(struct vr_pkt *pkt, const struct vr_tuple *entered)
{
	u8 *ip = pkt->skb->data + pkt->inner_off;
	__be16 *ports = (__be16 *)(pkt->skb->data + pkt->inner_l4_off);

	if (entered->family == AF_INET) {
		struct iphdr *iph = (struct iphdr *)ip;

		csum_replace4(&iph->check, iph->saddr, entered->src.v4);
		csum_replace4(&iph->check, iph->daddr, entered->dst.v4);
		iph->saddr = entered->src.v4;
		iph->daddr = entered->dst.v4;
	} else {
		struct ipv6hdr *h = (struct ipv6hdr *)ip;

		h->saddr = entered->src.v6;
		h->daddr = entered->dst.v6;
	}
	if (entered->proto == IPPROTO_ICMP || entered->proto == IPPROTO_ICMPV6)
		return;
	ports[0] = entered->sport;
	ports[1] = entered->dport;
}

static void set_outer(struct vr_pkt *pkt, const union vr_addr *src, const union vr_addr *dst)
{
	if (pkt->tuple.family == AF_INET) {
		struct iphdr *iph = (struct iphdr *)pkt->skb->data;

		iph->saddr = src->v4;
		iph->daddr = dst->v4;
		iph->ttl--;
		ip_send_check(iph);
	} else {
		struct ipv6hdr *h = (struct ipv6hdr *)pkt->skb->data;

		h->saddr = src->v6;
		h->daddr = dst->v6;
		h->hop_limit--;
	}
}

/* Errors are short and rare: the whole is summed anew. */
static void set_checksum(struct vr_pkt *pkt)
{
	struct icmphdr *icmp = (struct icmphdr *)(pkt->skb->data + pkt->l4_off);
	unsigned int len = pkt->tot_len - pkt->l4_off;
	__wsum sum;

	icmp->checksum = 0;
	sum = csum_partial(icmp, len, 0);
	if (pkt->tuple.family == AF_INET) {
		icmp->checksum = csum_fold(sum);
	} else {
		const struct ipv6hdr *h = (const struct ipv6hdr *)pkt->skb->data;

		icmp->checksum = csum_ipv6_magic(&h->saddr, &h->daddr, len, IPPROTO_ICMPV6, sum);
	}
	pkt->skb->ip_summed = CHECKSUM_NONE;
}

static bool error_is_from_member(const struct vr_pkt *pkt, const struct vr_tuple *seen)
{
	return vr_addr_eq(&pkt->tuple.src, &seen->src);
}

enum vrouter_drop_reason vr_icmp_error(struct vr_pkt *pkt)
{
	const struct vr_tuple seen = mirror(&pkt->inner);
	const struct vr_tuple *entered;
	enum vrouter_drop_reason why;
	struct vr_flow_side *side;
	union vr_addr src;
	struct vr_flow *f;

	if (!vr_vif_owns(pkt->conf, pkt->tuple.family, &pkt->tuple.src))
		return VROUTER_DROP_REASON_SPOOFED_IP;
	side = vr_flow_lookup_rcu(pkt->vn, &seen);
	if (!side)
		return VROUTER_DROP_REASON_ICMP_NO_FLOW;
	f = vr_flow_of(side);
	if (READ_ONCE(f->dead))
		return VROUTER_DROP_REASON_ICMP_NO_FLOW;
	entered = &f->side[!side->dir].tuple;
	/* It speaks in the name of whom the other end has sent to. */
	src = error_is_from_member(pkt, &seen) ? entered->dst : pkt->tuple.src;
	if (skb_linearize(pkt->skb) || skb_ensure_writable(pkt->skb, pkt->skb->len))
		return VROUTER_DROP_REASON_NO_MEMORY;
	why = vr_check_mtu(pkt, f->vif[!side->dir]);
	if (why)
		return why;
	restore_inner(pkt, entered);
	set_outer(pkt, &src, &entered->src);
	set_checksum(pkt);
	return vr_forward(pkt, f->vif[!side->dir]);
}
