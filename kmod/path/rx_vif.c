// SPDX-License-Identifier: GPL-2.0-only
/* From a device: what is said of the frame before anything is said of the packet. */

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>

#include "path.h"

const u8 vr_gateway_mac[ETH_ALEN] __aligned(2) = { 0x00, 0x00, 0x5e, 0x00, 0x01, 0x00 };

static enum vrouter_drop_reason check_frame(const struct vr_pkt *pkt, const struct ethhdr *eth)
{
	if (unlikely(!ether_addr_equal(eth->h_source, pkt->conf->mac)))
		return VROUTER_DROP_REASON_SPOOFED_MAC;
	if (unlikely(skb_vlan_tag_present(pkt->skb)))
		return VROUTER_DROP_REASON_BAD_ETHERNET;
	if (likely(ether_addr_equal(eth->h_dest, vr_gateway_mac)))
		return 0;
	/* ARP asks everybody, ND a group; nothing else may. */
	if (eth->h_proto == htons(ETH_P_ARP) && is_broadcast_ether_addr(eth->h_dest))
		return 0;
	if (eth->h_proto == htons(ETH_P_IPV6) && is_multicast_ether_addr(eth->h_dest))
		return 0;
	if (eth->h_proto == htons(ETH_P_IP) && is_multicast_ether_addr(eth->h_dest))
		return VROUTER_DROP_REASON_MULTICAST;
	return VROUTER_DROP_REASON_BAD_ETHERNET;
}

static void receive_ip(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why = vr_parse(pkt);

	if (unlikely(why)) {
		vr_drop(pkt, why, NULL);
		return;
	}
	if (pkt->tuple.proto == IPPROTO_ICMPV6 && vr_neigh_nd(pkt))
		return;
	vr_input(pkt);
}

static void receive(struct vr_pkt *pkt)
{
	const struct ethhdr *eth = eth_hdr(pkt->skb);
	enum vrouter_drop_reason why = check_frame(pkt, eth);

	if (unlikely(why)) {
		vr_drop(pkt, why, NULL);
		return;
	}
	switch (pkt->skb->protocol) {
	case htons(ETH_P_IP):
	case htons(ETH_P_IPV6):
		receive_ip(pkt);
		return;
	case htons(ETH_P_ARP):
		vr_neigh_arp(pkt);
		return;
	}
	vr_drop(pkt, VROUTER_DROP_REASON_BAD_ETHERNET, NULL);
}

rx_handler_result_t vr_rx_vif(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct vr_pkt pkt = {};

	/* What the node loops back for its own listeners is no pod's. */
	if (unlikely(skb->pkt_type == PACKET_LOOPBACK))
		return RX_HANDLER_PASS;
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb))
		return RX_HANDLER_CONSUMED;
	pkt.vif = rcu_dereference(skb->dev->rx_handler_data);
	pkt.vn = pkt.vif->vn;
	pkt.conf = rcu_dereference(pkt.vif->conf);
	pkt.skb = skb;
	vr_count_rx(pkt.vif->counters, skb->len);
	vr_count_rx(pkt.conf->vrf->counters, skb->len);
	receive(&pkt);
	if (likely(pkt.again)) {
		*pskb = pkt.skb;
		return RX_HANDLER_ANOTHER;
	}
	if (pkt.pass) {
		*pskb = pkt.skb;
		return RX_HANDLER_PASS;
	}
	return RX_HANDLER_CONSUMED;
}
