// SPDX-License-Identifier: GPL-2.0-only
/*
 * To the interface or the node.
 *
 * Into a veth the packet goes straight to the other end, in another namespace,
 * without a second queue: the rx handler has it received once more, there. Into
 * another device it is transmitted.
 */

#include <linux/etherdevice.h>
#include <linux/ip.h>

#include "path.h"

static u32 out_mtu(const struct vr_vif_conf *conf, const struct net_device *dev)
{
	return conf->mtu ? min(conf->mtu, READ_ONCE(dev->mtu)) : READ_ONCE(dev->mtu);
}

static bool fits(const struct sk_buff *skb, u32 mtu)
{
	return skb->len <= mtu || (skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu));
}

/* The other end of a veth, when it can receive. */
static struct net_device *peer_of(struct net_device *dev)
{
	const struct net_device_ops *ops = dev->netdev_ops;
	struct net_device *peer;

	if (!ops->ndo_get_peer_dev)
		return NULL;
	peer = ops->ndo_get_peer_dev(dev);
	return peer && peer->flags & IFF_UP ? peer : NULL;
}

static void push_ethernet(struct sk_buff *skb, const u8 *dst)
{
	struct ethhdr *eth = skb_push(skb, ETH_HLEN);

	ether_addr_copy(eth->h_dest, dst);
	ether_addr_copy(eth->h_source, vr_gateway_mac);
	eth->h_proto = skb->protocol;
	skb_reset_mac_header(skb);
}

static void receive_at(struct vr_pkt *pkt, struct net_device *dev, struct net_device *peer)
{
	struct sk_buff *skb = pkt->skb;

	skb_scrub_packet(skb, true);
	skb->dev = peer;
	skb->pkt_type = PACKET_HOST;
	skb_pull_inline(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	if (peer->pcpu_stat_type == NETDEV_PCPU_STAT_TSTATS)
		dev_sw_netstats_rx_add(peer, skb->len);
	pkt->again = true;
}

static void transmit(struct sk_buff *skb, struct net_device *dev)
{
	skb_scrub_packet(skb, false);
	skb->dev = dev;
	dev_queue_xmit(skb);
}

static enum vrouter_drop_reason to_node(struct vr_pkt *pkt)
{
	pkt->skb->pkt_type = PACKET_HOST;
	pkt->pass = true;
	return 0;
}

enum vrouter_drop_reason vr_check_mtu(struct vr_pkt *pkt, const struct vr_vif *to)
{
	struct net_device *dev = to ? rcu_dereference(to->dev) : NULL;
	u32 mtu;

	if (!dev)
		return 0;
	mtu = out_mtu(rcu_dereference(to->conf), dev);
	if (likely(fits(pkt->skb, mtu)))
		return 0;
	vr_answer_too_big(pkt, mtu);
	return VROUTER_DROP_REASON_MTU;
}

enum vrouter_drop_reason vr_forward(struct vr_pkt *pkt, struct vr_vif *to)
{
	struct sk_buff *skb = pkt->skb;
	const struct vr_vif_conf *conf;
	struct net_device *dev, *peer;

	if (!to)
		return to_node(pkt);
	dev = rcu_dereference(to->dev);
	if (unlikely(!dev || !(dev->flags & IFF_UP)))
		return VROUTER_DROP_REASON_VIF_DOWN;
	conf = rcu_dereference(to->conf);
	if (unlikely(skb_cow_head(skb, ETH_HLEN)))
		return VROUTER_DROP_REASON_NO_MEMORY;
	push_ethernet(skb, conf->mac);
	vr_count_tx(to->counters, pkt->tot_len);
	peer = peer_of(dev);
	if (likely(peer))
		receive_at(pkt, dev, peer);
	else
		transmit(skb, dev);
	return 0;
}
