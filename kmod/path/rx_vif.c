// SPDX-License-Identifier: GPL-2.0-only
/* A frame from a vif's device: is it the pod's own, and for the gateway? */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "path.h"

const u8 vr_gateway_mac[ETH_ALEN + 2] __aligned(8) = { 0x00, 0x00, 0x5e, 0x00, 0x01, 0x00 };

/* Other destinations than the gateway: ARP may ask all, IPv6 its groups. That it asks
 * there is for neigh.c and parse.c to check.
 */
static bool is_for_group(const struct sk_buff *skb, const struct ethhdr *eth)
{
	if (skb->protocol == htons(ETH_P_ARP))
		return is_broadcast_ether_addr(eth->h_dest);
	return skb->protocol == htons(ETH_P_IPV6) && eth->h_dest[0] == 0x33 &&
	       eth->h_dest[1] == 0x33;
}

static enum vrouter_drop_reason check_frame(const struct vr_pkt *pkt)
{
	const struct ethhdr *eth = eth_hdr(pkt->skb);

	if (unlikely(!ether_addr_equal_64bits(eth->h_source, pkt->conf->mac)))
		return VROUTER_DROP_REASON_SPOOFED_MAC;
	if (unlikely(skb_vlan_tag_present(pkt->skb)))
		return VROUTER_DROP_REASON_BAD_ETHERNET;
	if (likely(ether_addr_equal_64bits(eth->h_dest, vr_gateway_mac)) ||
	    is_for_group(pkt->skb, eth))
		return VROUTER_DROP_REASON_NONE;
	/* what is sent to all by IPv4 says more of the cause than its frame does */
	if (is_multicast_ether_addr(eth->h_dest) && pkt->skb->protocol == htons(ETH_P_IP))
		return VROUTER_DROP_REASON_MULTICAST;
	return VROUTER_DROP_REASON_BAD_ETHERNET;
}

static void receive(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why = check_frame(pkt);

	if (unlikely(why)) {
		vr_drop(pkt, why, NULL);
		return;
	}
	switch (pkt->skb->protocol) {
	case htons(ETH_P_IP):
	case htons(ETH_P_IPV6):
		break;
	case htons(ETH_P_ARP):
		vr_neigh_arp(pkt);
		return;
	default:
		vr_drop(pkt, VROUTER_DROP_REASON_BAD_ETHERNET, NULL);
		return;
	}

	why = vr_parse(pkt);
	if (unlikely(why == VROUTER_DROP_REASON_FRAGMENT))
		vr_frag_input(pkt);
	else if (unlikely(why))
		vr_drop(pkt, why, NULL);
	else if (likely(pkt->tuple.proto != IPPROTO_ICMPV6) || !vr_neigh_nd(pkt))
		vr_input(pkt);
}

/* Frames come as PACKET_OTHERHOST, because the device's own MAC is not the gateway's. */
rx_handler_result_t vr_rx_vif(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct vr_vif *vif;
	struct vr_pkt pkt;

	if (unlikely(skb->pkt_type == PACKET_LOOPBACK)) {
		if (vr_frag_passes(skb))
			skb->pkt_type = PACKET_HOST;
		return RX_HANDLER_PASS;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb))
		return RX_HANDLER_CONSUMED;

	vif = rcu_dereference(skb->dev->rx_handler_data);
	vr_pkt_init(&pkt, vif->vn, skb);
	vr_pkt_enter(&pkt, vif);
	pkt.handler = true;
	receive(&pkt);
	*pskb = skb;
	return pkt.verdict;
}
