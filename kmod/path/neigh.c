// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP and neighbour discovery. Every neighbour that an interface asks for is the
 * gateway; nothing is forwarded, so nothing is flooded.
 */

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/ndisc.h>

#include "path.h"

const struct in6_addr vr_gateway_ll = { { { 0xfe, 0x80, [15] = 1 } } };

struct arp_ipv4 {
	struct arphdr	head;
	u8		smac[ETH_ALEN];
	__be32		sip;
	u8		tmac[ETH_ALEN];
	__be32		tip;
} __packed;

static bool owns_v4(const struct vr_pkt *pkt, __be32 a)
{
	const union vr_addr addr = { .v4 = a };

	return vr_vif_owns(pkt->conf, AF_INET, &addr);
}

static enum vrouter_drop_reason check_arp(const struct vr_pkt *pkt, const struct arp_ipv4 *a)
{
	if (a->head.ar_hrd != htons(ARPHRD_ETHER) || a->head.ar_pro != htons(ETH_P_IP) ||
	    a->head.ar_hln != ETH_ALEN || a->head.ar_pln != 4 ||
	    a->head.ar_op != htons(ARPOP_REQUEST))
		return VROUTER_DROP_REASON_BAD_ARP;
	if (!ether_addr_equal_unaligned(a->smac, pkt->conf->mac))
		return VROUTER_DROP_REASON_SPOOFED_MAC;
	/* 0.0.0.0 asks whether an address is taken (RFC 5227). */
	if (a->sip && !owns_v4(pkt, a->sip))
		return VROUTER_DROP_REASON_SPOOFED_IP;
	return 0;
}

static void answer_arp(struct vr_pkt *pkt, const struct arp_ipv4 *q)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + sizeof(*q), GFP_ATOMIC);
	struct arp_ipv4 *a;

	if (!skb)
		return;
	skb_reserve(skb, LL_MAX_HEADER);
	a = skb_put(skb, sizeof(*a));
	a->head = q->head;
	a->head.ar_op = htons(ARPOP_REPLY);
	memcpy(a->smac, vr_gateway_mac, ETH_ALEN);
	a->sip = q->tip;
	memcpy(a->tmac, q->smac, ETH_ALEN);
	a->tip = q->sip;
	vr_answer_send(pkt, skb, htons(ETH_P_ARP));
}

void vr_neigh_arp(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why = VROUTER_DROP_REASON_BAD_ARP;
	const struct arp_ipv4 *q;

	if (!pskb_may_pull(pkt->skb, sizeof(*q)))
		goto drop;
	q = (const struct arp_ipv4 *)pkt->skb->data;
	why = check_arp(pkt, q);
	if (why)
		goto drop;
	/* Its own address, or a probe for it: nobody else has it. */
	if (q->sip && !owns_v4(pkt, q->tip))
		answer_arp(pkt, q);
	consume_skb(pkt->skb);
	return;
drop:
	vr_drop(pkt, why, NULL);
}

/* --- IPv6 ------------------------------------------------------------------ */

static void answer_ns(struct vr_pkt *pkt, const struct in6_addr *target)
{
	const unsigned int len = sizeof(struct nd_msg) + 2 + ETH_ALEN;
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + sizeof(struct ipv6hdr) + len, GFP_ATOMIC);
	struct nd_msg *na;
	struct ipv6hdr *h;

	if (!skb)
		return;
	skb_reserve(skb, LL_MAX_HEADER);
	h = skb_put_zero(skb, sizeof(*h));
	h->version = 6;
	h->payload_len = htons(len);
	h->nexthdr = IPPROTO_ICMPV6;
	h->hop_limit = 255;
	h->saddr = *target;
	h->daddr = pkt->tuple.src.v6;
	na = skb_put_zero(skb, len);
	na->icmph.icmp6_type = NDISC_NEIGHBOUR_ADVERTISEMENT;
	na->icmph.icmp6_solicited = 1;
	na->icmph.icmp6_override = 1;
	na->icmph.icmp6_router = 1;
	na->target = *target;
	na->opt[0] = ND_OPT_TARGET_LL_ADDR;
	na->opt[1] = 1;
	memcpy(na->opt + 2, vr_gateway_mac, ETH_ALEN);
	na->icmph.icmp6_cksum = csum_ipv6_magic(&h->saddr, &h->daddr, len, IPPROTO_ICMPV6,
						csum_partial(na, len, 0));
	vr_answer_send(pkt, skb, htons(ETH_P_IPV6));
}

static bool is_own_source(const struct vr_pkt *pkt)
{
	const struct in6_addr *src = &pkt->tuple.src.v6;

	/* A link-local address speaks to the gateway only, and only here. */
	return ipv6_addr_any(src) || ipv6_addr_type(src) & IPV6_ADDR_LINKLOCAL ||
	       vr_vif_owns(pkt->conf, AF_INET6, &pkt->tuple.src);
}

/* RFC 4861, 7.1.1 */
static enum vrouter_drop_reason solicitation(struct vr_pkt *pkt)
{
	const struct ipv6hdr *h;
	const struct nd_msg *ns;
	union vr_addr target;

	if (pkt->tot_len < pkt->l4_off + sizeof(*ns) ||
	    !pskb_may_pull(pkt->skb, pkt->l4_off + sizeof(*ns)))
		return VROUTER_DROP_REASON_BAD_ND;
	h = (const struct ipv6hdr *)pkt->skb->data;
	ns = (const struct nd_msg *)(pkt->skb->data + pkt->l4_off);
	if (h->hop_limit != 255 || ns->icmph.icmp6_code || ipv6_addr_is_multicast(&ns->target))
		return VROUTER_DROP_REASON_BAD_ND;
	if (!is_own_source(pkt))
		return VROUTER_DROP_REASON_SPOOFED_IP;
	target.v6 = ns->target;
	/* Duplicate address detection, or itself: nobody else has it. */
	if (!ipv6_addr_any(&pkt->tuple.src.v6) && !vr_vif_owns(pkt->conf, AF_INET6, &target))
		answer_ns(pkt, &target.v6);
	return 0;
}

static bool is_mld(u8 type)
{
	return type == ICMPV6_MGM_QUERY || type == ICMPV6_MGM_REPORT ||
	       type == ICMPV6_MGM_REDUCTION || type == ICMPV6_MLD2_REPORT;
}

bool vr_neigh_nd(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why = 0;

	switch (pkt->icmp_type) {
	case NDISC_NEIGHBOUR_SOLICITATION:
		why = solicitation(pkt);
		break;
	case NDISC_ROUTER_SOLICITATION:
		break;
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
	case NDISC_ROUTER_ADVERTISEMENT:
	case NDISC_REDIRECT:
		why = VROUTER_DROP_REASON_BAD_ND;
		break;
	default:
		if (!is_mld(pkt->icmp_type))
			return false;
	}
	if (why)
		vr_drop(pkt, why, NULL);
	else
		consume_skb(pkt->skb);
	return true;
}
