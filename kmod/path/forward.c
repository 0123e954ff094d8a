// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last stage: to a pod or VM, to the node's own stack, to another node, outside.
 *
 * A veth's other end is the pod's; a packet is put straight into its receive
 * path (as BPF's redirect_peer does), without the queue between the ends, unless
 * somebody watches or shapes what the node's end sends.
 */

#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <net/sch_generic.h>

#include "path.h"

#define NONE	VROUTER_DROP_REASON_NONE

static u32 mtu_of(const struct vr_vif *vif, const struct net_device *dev)
{
	return rcu_dereference(vif->conf)->mtu ?: READ_ONCE(dev->mtu);
}

static u32 tunnel_mtu(struct vr_pkt *pkt, const struct vr_vif *vif, const struct vr_nexthop *nh)
{
	u32 mtu = nh ? vr_tunnel_mtu(pkt->vn, nh) : 0;
	u32 most = rcu_dereference(vif->conf)->mtu;

	return most ? min(mtu, most) : mtu;
}

/* Nothing is fragmented: without DF too the sender is told. Whoever does path MTU
 * discovery, which is nearly everybody, learns, and the node has no work with
 * fragments. A datagram's sender is told about the first fragment, if that is too large.
 */
enum vrouter_drop_reason vr_fits(struct vr_pkt *pkt, const struct vr_vif *to,
				 const struct vr_nexthop *nh, const union vr_addr *dst)
{
	const struct net_device *dev;
	u32 mtu;

	if (!to)
		return NONE;
	if (to->type == VROUTER_VIF_TYPE_TUNNEL) {
		mtu = tunnel_mtu(pkt, to, nh);
		if (unlikely(!mtu))
			return VROUTER_DROP_REASON_UNDERLAY;
	} else if (to->type == VROUTER_VIF_TYPE_EXTERNAL) {
		mtu = vr_external_mtu(pkt->vn, pkt->tuple.family, dst);
		if (unlikely(!mtu))
			return VROUTER_DROP_REASON_NO_EXTERNAL_ROUTE;
	} else {
		dev = rcu_dereference(to->dev);
		if (unlikely(!dev))
			return VROUTER_DROP_REASON_VIF_DOWN;
		mtu = mtu_of(to, dev);
	}
	if (likely(pkt->tot_len <= mtu) ||
	    (skb_is_gso(pkt->skb) && skb_gso_validate_network_len(pkt->skb, mtu)))
		return NONE;
	vr_answer_too_big(pkt, mtu);
	return VROUTER_DROP_REASON_MTU;
}

/* The pod's end, or NULL where the queue has to be taken. */
static struct net_device *direct_peer(struct net_device *dev)
{
	struct net_device *peer;

	if (!dev->netdev_ops->ndo_get_peer_dev)
		return NULL;
	if (unlikely(!list_empty(&dev->ptype_all)))
		return NULL;
	if (unlikely(rcu_dereference_bh(netdev_get_tx_queue(dev, 0)->qdisc)->enqueue))
		return NULL;
	peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	return peer && likely(peer->flags & IFF_UP) ? peer : NULL;
}

/* A frame from the gateway to the vif's MAC. What came without one has room for it, or
 * gets some.
 */
static bool set_frame(struct vr_pkt *pkt, const struct vr_vif_conf *conf)
{
	struct sk_buff *skb = pkt->skb;
	struct ethhdr *eth;

	if (unlikely(!pkt->handler)) {
		if (skb_cow_head(skb, ETH_HLEN))
			return false;
		skb_set_mac_header(skb, -ETH_HLEN);
		skb_reset_mac_len(skb);
	}
	eth = eth_hdr(skb);
	ether_addr_copy(eth->h_dest, conf->mac);
	ether_addr_copy(eth->h_source, vr_gateway_mac);
	eth->h_proto = skb->protocol;
	return true;
}

/* The packet is one that its new device has received. */
static void hand_over(struct vr_pkt *pkt)
{
	if (likely(pkt->handler))
		pkt->verdict = RX_HANDLER_ANOTHER;
	else
		netif_rx(pkt->skb);
}

static enum vrouter_drop_reason pass_up(struct vr_pkt *pkt)
{
	pkt->skb->pkt_type = PACKET_HOST;
	pkt->verdict = RX_HANDLER_PASS;
	return NONE;
}

static void to_device(struct vr_pkt *pkt, struct net_device *dev, const struct vr_vif_conf *conf)
{
	struct net_device *peer = direct_peer(dev);
	struct sk_buff *skb = pkt->skb;

	if (likely(peer)) {
		vr_dev_count_tx(dev, skb->len + ETH_HLEN);
		if (unlikely(!ether_addr_equal_64bits(conf->mac, peer->dev_addr)))
			skb->pkt_type = PACKET_OTHERHOST;
		else if (unlikely(!pkt->handler))
			skb->pkt_type = PACKET_HOST;
		skb->dev = peer;
		hand_over(pkt);
		return;
	}
	skb->dev = dev;
	__skb_push(skb, ETH_HLEN);
	dev_queue_xmit(skb);
}

/* To another node or outside. */
static enum vrouter_drop_reason to_network(struct vr_pkt *pkt, struct vr_vif *to,
					   const struct vr_vif_conf *conf,
					   const struct vr_nexthop *nh)
{
	unsigned int len = pkt->skb->len + ETH_HLEN;
	enum vrouter_drop_reason why;

	if (unlikely(!vr_vif_is_up(to)))
		return VROUTER_DROP_REASON_VIF_DOWN;
	skb_set_transport_header(pkt->skb, pkt->l4_off);
	if (to->type == VROUTER_VIF_TYPE_EXTERNAL)
		why = vr_external_xmit(pkt->vn, pkt->skb);
	else
		why = nh ? vr_tunnel_xmit(pkt->vn, pkt->skb, nh, to->vni) :
			   VROUTER_DROP_REASON_UNDERLAY;
	if (likely(!why)) {
		vr_count_tx(to->counters, len);
		vr_count_tx(conf->vrf->counters, len);
	}
	return why;
}

enum vrouter_drop_reason vr_forward(struct vr_pkt *pkt, struct vr_vif *to,
				    const struct vr_nexthop *nh)
{
	const struct vr_vif_conf *conf;
	struct sk_buff *skb = pkt->skb;
	struct net_device *dev;

	if (!to)
		return likely(pkt->handler) ? pass_up(pkt) : VROUTER_DROP_REASON_VIF_DOWN;
	conf = rcu_dereference(to->conf);
	if (to->type == VROUTER_VIF_TYPE_TUNNEL || to->type == VROUTER_VIF_TYPE_EXTERNAL)
		return to_network(pkt, to, conf, nh);
	dev = rcu_dereference(to->dev);
	if (unlikely(!dev || !(dev->flags & IFF_UP) || !netif_carrier_ok(dev)))
		return VROUTER_DROP_REASON_VIF_DOWN;

	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->priority = 0;
	vr_count_tx(to->counters, skb->len + ETH_HLEN);
	vr_count_tx(conf->vrf->counters, skb->len + ETH_HLEN);
	if (to->type == VROUTER_VIF_TYPE_HOST) {
		vr_host_dev_rx(dev, skb);
		hand_over(pkt);
	} else if (likely(set_frame(pkt, conf))) {
		to_device(pkt, dev, conf);
	} else {
		return VROUTER_DROP_REASON_NO_MEMORY;
	}
	return NONE;
}
