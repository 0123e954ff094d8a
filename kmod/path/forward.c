// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last stage: to a vif, or to the node's own stack.
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

/* Nothing is fragmented: without DF too the sender is told. Whoever does path MTU
 * discovery, which is nearly everybody, learns, and the node has no work with
 * fragments. A datagram's sender is told about the first fragment, if that is too large.
 */
enum vrouter_drop_reason vr_fits(struct vr_pkt *pkt, const struct vr_vif *to)
{
	const struct net_device *dev;
	u32 mtu;

	if (!to)
		return NONE;
	dev = rcu_dereference(to->dev);
	if (unlikely(!dev))
		return VROUTER_DROP_REASON_VIF_DOWN;
	mtu = mtu_of(to, dev);
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

/* A frame from the gateway to the vif's MAC. */
static void set_frame(struct sk_buff *skb, const struct vr_vif_conf *conf)
{
	struct ethhdr *eth = eth_hdr(skb);

	ether_addr_copy(eth->h_dest, conf->mac);
	ether_addr_copy(eth->h_source, vr_gateway_mac);
}

static enum vrouter_drop_reason pass_up(struct vr_pkt *pkt)
{
	pkt->skb->pkt_type = PACKET_HOST;
	pkt->verdict = RX_HANDLER_PASS;
	return NONE;
}

enum vrouter_drop_reason vr_forward(struct vr_pkt *pkt, struct vr_vif *to)
{
	const struct vr_vif_conf *conf;
	struct sk_buff *skb = pkt->skb;
	struct net_device *dev, *peer;

	if (!to)
		return pass_up(pkt);
	dev = rcu_dereference(to->dev);
	if (unlikely(!dev || !(dev->flags & IFF_UP) || !netif_carrier_ok(dev)))
		return VROUTER_DROP_REASON_VIF_DOWN;

	conf = rcu_dereference(to->conf);
	set_frame(skb, conf);
	skb_scrub_packet(skb, true);
	skb->priority = 0;
	vr_count_tx(to->counters, skb->len + ETH_HLEN);
	vr_count_tx(conf->vrf->counters, skb->len + ETH_HLEN);

	peer = direct_peer(dev);
	if (likely(peer)) {
		vr_dev_count_tx(dev, skb->len + ETH_HLEN);
		if (unlikely(!ether_addr_equal_64bits(conf->mac, peer->dev_addr)))
			skb->pkt_type = PACKET_OTHERHOST;
		skb->dev = peer;
		pkt->verdict = RX_HANDLER_ANOTHER;
		return NONE;
	}
	skb->dev = dev;
	__skb_push(skb, ETH_HLEN);
	dev_queue_xmit(skb);
	return NONE;
}
