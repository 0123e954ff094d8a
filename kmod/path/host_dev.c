// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node's own stack in a VRF: a link of kind "vrouter", attached as a vif of type
 * host. What the stack sends by it enters the VRF; what the VRF has for the node comes
 * out of it. It carries IP packets without a link layer.
 */

#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <net/rtnetlink.h>

#include "path.h"

struct host_dev {
	struct vr_vif __rcu *vif;
};

/* --- from the stack ------------------------------------------------------- */

static void receive(struct sk_buff *skb, struct vr_vif *vif)
{
	enum vrouter_drop_reason why;
	struct vr_pkt pkt;

	vr_pkt_init(&pkt, vif->vn, skb);
	vr_pkt_enter(&pkt, vif);
	why = vr_parse(&pkt);
	if (unlikely(why == VROUTER_DROP_REASON_FRAGMENT))
		vr_frag_input(&pkt);
	else if (unlikely(why))
		vr_drop(&pkt, why, NULL);
	else if (likely(pkt.tuple.proto != IPPROTO_ICMPV6) || !vr_neigh_nd(&pkt))
		vr_input(&pkt);
}

/* BH disabled */
static netdev_tx_t xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct host_dev *hd = netdev_priv(dev);
	struct vr_vif *vif;

	rcu_read_lock();
	vif = rcu_dereference(hd->vif);
	if (likely(vif && (skb->protocol == htons(ETH_P_IP) ||
			   skb->protocol == htons(ETH_P_IPV6)))) {
		dev_sw_netstats_tx_add(dev, 1, skb->len);
		skb_reset_mac_header(skb);
		skb_reset_network_header(skb);
		receive(skb, vif);
	} else {
		DEV_STATS_INC(dev, tx_dropped);
		kfree_skb(skb);
	}
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/* --- to the stack --------------------------------------------------------- */

void vr_host_dev_rx(struct net_device *dev, struct sk_buff *skb)
{
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	skb->dev = dev;
	skb->pkt_type = PACKET_HOST;
	dev_sw_netstats_rx_add(dev, skb->len);
}

/* --- the link ------------------------------------------------------------- */

static int dev_init(struct net_device *dev)
{
	return vr_dev_alloc_tstats(dev);
}

static void dev_uninit(struct net_device *dev)
{
	vr_dev_free_tstats(dev);
}

static const struct net_device_ops ops = {
	.ndo_init	= dev_init,
	.ndo_uninit	= dev_uninit,
	.ndo_start_xmit	= xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

#define FEATURES (NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM |	\
		  NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA)

static void setup(struct net_device *dev)
{
	dev->netdev_ops = &ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_NOARP | IFF_POINTOPOINT;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = IPV6_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	dev->needed_headroom = LL_MAX_HEADER;
	dev->features |= FEATURES;
	dev->hw_features |= FEATURES;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->needs_free_netdev = true;
	vr_dev_set_lltx(dev);
}

static struct rtnl_link_ops link_ops __read_mostly = {
	.kind		= "vrouter",
	.priv_size	= sizeof(struct host_dev),
	.setup		= setup,
};

bool vr_is_host_dev(const struct net_device *dev)
{
	return dev->netdev_ops == &ops;
}

struct vr_vif *vr_host_dev_vif(const struct net_device *dev)
{
	const struct host_dev *hd = netdev_priv(dev);

	return rcu_dereference_rtnl(hd->vif);
}

void vr_host_dev_attach(struct net_device *dev, struct vr_vif *vif)
{
	struct host_dev *hd = netdev_priv(dev);

	ASSERT_RTNL();
	rcu_assign_pointer(hd->vif, vif);
}

int vr_host_dev_init(void)
{
	return rtnl_link_register(&link_ops);
}

void vr_host_dev_exit(void)
{
	rtnl_link_unregister(&link_ops);
}

MODULE_ALIAS_RTNL_LINK("vrouter");
