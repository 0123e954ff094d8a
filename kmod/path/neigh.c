// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARP and neighbour discovery. The gateway's MAC is everybody's: each pod sees
 * the others one hop away behind it, whatever prefix it was given. Nothing is
 * passed on. What a pod says of its own addresses is absorbed; what it says
 * of others' is dropped.
 */

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/ipv6.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ip6_checksum.h>
#include <net/ndisc.h>

#include "path.h"

#define NONE	VROUTER_DROP_REASON_NONE
#define BAD_ARP	VROUTER_DROP_REASON_BAD_ARP
#define BAD_ND	VROUTER_DROP_REASON_BAD_ND

/* --- ARP ------------------------------------------------------------------ */

struct arp_ether_ip4 {
	struct arphdr	h;
	u8		sender_mac[ETH_ALEN];
	__be32		sender;
	u8		target_mac[ETH_ALEN];
	__be32		target;
} __packed;

static bool owns_ip4(const struct vr_pkt *pkt, __be32 addr)
{
	const union vr_addr a = { .w = { addr } };

	return vr_vif_owns(pkt->conf, AF_INET, &a);
}

static enum vrouter_drop_reason check_arp(const struct vr_pkt *pkt)
{
	const struct arp_ether_ip4 *arp;

	if (!pskb_may_pull(pkt->skb, sizeof(*arp)))
		return BAD_ARP;
	arp = (const struct arp_ether_ip4 *)pkt->skb->data;
	if (arp->h.ar_hrd != htons(ARPHRD_ETHER) || arp->h.ar_pro != htons(ETH_P_IP) ||
	    arp->h.ar_hln != ETH_ALEN || arp->h.ar_pln != sizeof(__be32))
		return BAD_ARP;
	if (!ether_addr_equal_unaligned(arp->sender_mac, pkt->conf->mac))
		return VROUTER_DROP_REASON_SPOOFED_MAC;
	if (arp->sender && !owns_ip4(pkt, arp->sender))
		return VROUTER_DROP_REASON_SPOOFED_IP;
	/* An announcement may be a reply to nobody (RFC 5227, 3). */
	if (arp->h.ar_op == htons(ARPOP_REPLY) && arp->sender == arp->target)
		return NONE;
	return arp->h.ar_op == htons(ARPOP_REQUEST) ? NONE : BAD_ARP;
}

void vr_neigh_arp(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why = check_arp(pkt);
	const struct arp_ether_ip4 *arp;
	struct sk_buff *reply;

	if (why) {
		vr_drop(pkt, why, NULL);
		return;
	}
	/* Its own addresses are asked for to find out if somebody else has them. */
	arp = (const struct arp_ether_ip4 *)pkt->skb->data;
	if (!owns_ip4(pkt, arp->target)) {
		reply = arp_create(ARPOP_REPLY, ETH_P_ARP, arp->sender, pkt->skb->dev,
				   arp->target, arp->sender_mac, vr_gateway_mac,
				   arp->sender_mac);
		if (reply)
			dev_queue_xmit(reply);
	}
	consume_skb(pkt->skb);
}

/* --- neighbour discovery --------------------------------------------------- */

struct advertisement {
	struct ipv6hdr	ip;
	struct nd_msg	nd;
	u8		option[8];
} __packed;

static bool checksum_is_right(const struct vr_pkt *pkt)
{
	unsigned int len = pkt->tot_len - pkt->l4_off;
	const struct vr_tuple *t = &pkt->tuple;
	__wsum sum;

	if (skb_csum_unnecessary(pkt->skb) || pkt->skb->ip_summed == CHECKSUM_PARTIAL)
		return true;
	sum = skb_checksum(pkt->skb, pkt->l4_off, len, 0);
	return !csum_ipv6_magic(&t->src.v6, &t->dst.v6, len, IPPROTO_ICMPV6, sum);
}

/* RFC 4861, 4.6: no option of length 0, none beyond the end. Returns whether one of
 * them is the sender's link-layer address, or -1.
 */
static int check_options(const struct vr_pkt *pkt, unsigned int off)
{
	const u8 *opt = pkt->skb->data;
	bool source = false;

	while (off < pkt->tot_len) {
		if (off + 8 > pkt->tot_len || !opt[off + 1] ||
		    off + opt[off + 1] * 8 > pkt->tot_len)
			return -1;
		source |= opt[off] == ND_OPT_SOURCE_LL_ADDR;
		off += opt[off + 1] * 8;
	}
	return source;
}

/* A solicitation is to be as RFC 4861, 7.1.1 says. */
static enum vrouter_drop_reason check_solicitation(const struct vr_pkt *pkt)
{
	const struct vr_tuple *t = &pkt->tuple;
	const struct nd_msg *nd;
	int source;

	if (pkt->tot_len - pkt->l4_off < sizeof(*nd) || pkt->icmp_code ||
	    !pskb_may_pull(pkt->skb, pkt->tot_len) || !checksum_is_right(pkt))
		return BAD_ND;
	source = check_options(pkt, pkt->l4_off + sizeof(*nd));
	nd = (const struct nd_msg *)(pkt->skb->data + pkt->l4_off);
	if (source < 0 || ipv6_addr_is_multicast(&nd->target))
		return BAD_ND;
	/* detection of duplicates */
	if (ipv6_addr_any(&t->src.v6))
		return source || !ipv6_addr_is_solict_mult(&t->dst.v6) ? BAD_ND : NONE;
	return NONE;
}

static enum vrouter_drop_reason check_nd(const struct vr_pkt *pkt)
{
	const struct ipv6hdr *ip = (const struct ipv6hdr *)pkt->skb->data;
	const struct vr_tuple *t = &pkt->tuple;

	if (!ipv6_addr_any(&t->src.v6) && !(ipv6_addr_type(&t->src.v6) & IPV6_ADDR_LINKLOCAL) &&
	    !vr_vif_owns(pkt->conf, AF_INET6, &t->src))
		return VROUTER_DROP_REASON_SPOOFED_IP;
	switch (pkt->icmp_type) {
	case NDISC_NEIGHBOUR_SOLICITATION:
		return ip->hop_limit == 255 ? check_solicitation(pkt) : BAD_ND;
	case NDISC_ROUTER_SOLICITATION:
		return ip->hop_limit == 255 ? NONE : BAD_ND;
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
	case NDISC_ROUTER_ADVERTISEMENT:
	case NDISC_REDIRECT:
		return BAD_ND;
	}
	return NONE;	/* of multicast listeners, which we have none for */
}

/* Solicited; overrides what the pod may have known. */
static void advertise(struct vr_pkt *pkt)
{
	const struct nd_msg *ns = (const struct nd_msg *)(pkt->skb->data + pkt->l4_off);
	unsigned int room = LL_RESERVED_SPACE(pkt->skb->dev);
	struct advertisement *a;
	struct sk_buff *skb;
	unsigned int len;

	skb = alloc_skb(room + sizeof(*a), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return;
	skb_reserve(skb, room);
	a = skb_put_zero(skb, sizeof(*a));
	len = sizeof(*a) - sizeof(a->ip);
	a->ip.version = 6;
	a->ip.payload_len = htons(len);
	a->ip.nexthdr = IPPROTO_ICMPV6;
	a->ip.hop_limit = 255;
	a->ip.saddr = ns->target;
	a->ip.daddr = pkt->tuple.src.v6;
	a->nd.icmph.icmp6_type = NDISC_NEIGHBOUR_ADVERTISEMENT;
	a->nd.icmph.icmp6_router = 1;
	a->nd.icmph.icmp6_solicited = 1;
	a->nd.icmph.icmp6_override = 1;
	a->nd.target = ns->target;
	a->option[0] = ND_OPT_TARGET_LL_ADDR;
	a->option[1] = 1;
	memcpy(a->option + 2, vr_gateway_mac, ETH_ALEN);
	a->nd.icmph.icmp6_cksum = csum_ipv6_magic(&a->ip.saddr, &a->ip.daddr, len, IPPROTO_ICMPV6,
						  csum_partial(&a->nd, len, 0));
	vr_answer_send(pkt, skb, ETH_P_IPV6);
}

/* Neighbours, routers, redirects and multicast listeners: matters of a link. */
static bool is_nd(const struct vr_pkt *pkt)
{
	return (pkt->icmp_type >= ICMPV6_MGM_QUERY && pkt->icmp_type <= NDISC_REDIRECT) ||
	       pkt->icmp_type == ICMPV6_MLD2_REPORT;
}

bool vr_neigh_nd(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why;
	const struct nd_msg *nd;
	union vr_addr target;

	if (!is_nd(pkt))
		return false;
	/* the node's stack asks for routers on every link: on this there is nobody */
	if (pkt->vif->type == VROUTER_VIF_TYPE_HOST) {
		consume_skb(pkt->skb);
		return true;
	}
	why = check_nd(pkt);
	if (why) {
		vr_drop(pkt, why, NULL);
		return true;
	}
	if (pkt->icmp_type == NDISC_NEIGHBOUR_SOLICITATION && !ipv6_addr_any(&pkt->tuple.src.v6)) {
		nd = (const struct nd_msg *)(pkt->skb->data + pkt->l4_off);
		target.v6 = nd->target;
		if (!vr_vif_owns(pkt->conf, AF_INET6, &target))
			advertise(pkt);
	}
	consume_skb(pkt->skb);
	return true;
}
