// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet from another node: who sends it, of which virtual network is it? What is in it
 * then goes the way of every packet. Only who a tunnel next hop leads to may send, and
 * decide.c only takes sources that are routed back to them.
 */

#include <linux/etherdevice.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/udp_tunnel.h>

#include "path.h"
#include "tunnel.h"

#define NONE	VROUTER_DROP_REASON_NONE
#define BAD	VROUTER_DROP_REASON_BAD_ENCAP

/* From the outer header, which is gone later. */
struct outer {
	struct vr_tunnel_key	key;
	u8			dsfield;
};

static void read_outer(const struct sk_buff *skb, u8 encap, struct outer *o)
{
	*o = (struct outer) { .key.encap = encap };
	if (ip_hdr(skb)->version == 4) {
		o->key.family = AF_INET;
		o->key.remote.v4 = ip_hdr(skb)->saddr;
		o->dsfield = ip_hdr(skb)->tos;
	} else {
		o->key.family = AF_INET6;
		o->key.remote.v6 = ipv6_hdr(skb)->saddr;
		o->dsfield = ipv6_get_dsfield(ipv6_hdr(skb));
	}
}

/* RFC 7348, 5: reserved bits are not looked at. Leaves the inner packet at skb->data. */
static enum vrouter_drop_reason pull_vxlan(struct sk_buff *skb, u32 *vni)
{
	const struct vr_vxlan_hdr *vh;
	const struct ethhdr *eth;

	if (!pskb_may_pull(skb, sizeof(struct udphdr) + sizeof(*vh)))
		return BAD;
	vh = (const struct vr_vxlan_hdr *)(skb->data + sizeof(struct udphdr));
	if (!(vh->flags & htonl(VR_VXLAN_HAS_VNI)))
		return BAD;
	*vni = ntohl(vh->vni) >> VR_VXLAN_VNI_SHIFT;
	if (__iptunnel_pull_header(skb, sizeof(struct udphdr) + sizeof(*vh), htons(ETH_P_TEB),
				   false, true))
		return BAD;

	skb_reset_mac_header(skb);
	eth = eth_hdr(skb);
	if (!ether_addr_equal(eth->h_dest, vr_gateway_mac))
		return VROUTER_DROP_REASON_BAD_ETHERNET;
	if (eth->h_proto != htons(ETH_P_IP) && eth->h_proto != htons(ETH_P_IPV6))
		return VROUTER_DROP_REASON_BAD_ETHERNET;
	skb->protocol = eth->h_proto;
	skb_pull_rcsum(skb, ETH_HLEN);
	return NONE;
}

/* RFC 3032 and 7510: one label, then what its first octet says. */
static enum vrouter_drop_reason pull_mpls(struct sk_buff *skb, u32 *label)
{
	const unsigned int len = sizeof(struct udphdr) + sizeof(__be32);
	__be16 proto;
	u32 entry;

	if (!pskb_may_pull(skb, len + 1))
		return BAD;
	entry = ntohl(*(const __be32 *)(skb->data + sizeof(struct udphdr)));
	if (!(entry & VR_MPLS_LAST))
		return BAD;
	*label = entry >> VR_MPLS_LABEL_SHIFT;
	switch (skb->data[len] >> 4) {
	case 4:
		proto = htons(ETH_P_IP);
		break;
	case 6:
		proto = htons(ETH_P_IPV6);
		break;
	default:
		return BAD;
	}
	/* true: no frame in it */
	return __iptunnel_pull_header(skb, len, proto, true, true) ? BAD : NONE;
}

/* RFC 6040, 4.2. The IP header has been parsed. */
static enum vrouter_drop_reason take_ecn(struct vr_pkt *pkt, u8 outer)
{
	struct sk_buff *skb = pkt->skb;
	bool ip4 = pkt->tuple.family == AF_INET;
	u8 inner;

	if (likely(!INET_ECN_is_ce(outer)))
		return NONE;
	if (skb_ensure_writable(skb, ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
		return VROUTER_DROP_REASON_NO_MEMORY;
	inner = ip4 ? ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
	return INET_ECN_decapsulate(skb, outer, inner) > 1 ? VROUTER_DROP_REASON_TUNNEL_ECN : NONE;
}

/* Up to the vif by which the packet enters. */
static enum vrouter_drop_reason enter(struct vr_pkt *pkt, struct outer *o, u8 encap)
{
	struct sk_buff *skb = pkt->skb;
	enum vrouter_drop_reason why;
	struct vr_vif *vif;
	u32 vni;

	read_outer(skb, encap, o);
	pkt->peer = vr_tunnel_peer_rcu(pkt->vn, &o->key);
	if (unlikely(!pkt->peer))
		return VROUTER_DROP_REASON_UNKNOWN_PEER;
	why = encap == VROUTER_TUNNEL_ENCAP_VXLAN ? pull_vxlan(skb, &vni) : pull_mpls(skb, &vni);
	if (unlikely(why))
		return why;
	vif = vr_vif_by_vni_rcu(pkt->vn, vni);
	if (unlikely(!vif))
		return VROUTER_DROP_REASON_UNKNOWN_VNI;
	vr_pkt_enter(pkt, vif);
	return NONE;
}

static void receive(struct vr_pkt *pkt, u8 encap)
{
	enum vrouter_drop_reason why;
	struct outer o;

	why = enter(pkt, &o, encap);
	if (likely(!why)) {
		skb_reset_network_header(pkt->skb);
		why = vr_parse(pkt);
	}
	if (likely(!why || why == VROUTER_DROP_REASON_FRAGMENT))
		why = take_ecn(pkt, o.dsfield) ?: why;
	if (likely(!why))
		vr_input(pkt);
	else if (why == VROUTER_DROP_REASON_FRAGMENT)
		vr_frag_input(pkt);
	else
		vr_drop(pkt, why, NULL);
}

/* From UDP, data at its header, its checksum verified. Always consumes the skb. */
int vr_rx_tunnel(struct sock *sk, struct sk_buff *skb)
{
	const struct vr_tunnel_sock *ts = rcu_dereference_sk_user_data(sk);
	struct vr_pkt pkt;

	skb = ts ? skb_share_check(skb, GFP_ATOMIC) : skb;
	if (unlikely(!ts || !skb)) {
		kfree_skb(skb);
		return 0;
	}
	vr_pkt_init(&pkt, ts->vn, skb);
	receive(&pkt, ts->encap);
	return 0;
}

/* Other than that it was too big. UDP has the skb's headers at the quoted packet, which is
 * right behind the ICMP header.
 */
static bool is_unreachable(const struct sk_buff *skb, u8 family)
{
	const struct icmphdr *icmp = (const void *)(skb_network_header(skb) - sizeof(*icmp));

	BUILD_BUG_ON(sizeof(struct icmphdr) != sizeof(struct icmp6hdr));
	if (family == AF_INET)
		return icmp->type == ICMP_DEST_UNREACH && icmp->code != ICMP_FRAG_NEEDED;
	return icmp->type == ICMPV6_DEST_UNREACH;
}

/* An ICMP error of the underlay about a packet of ours, at whose UDP header skb->data is.
 * 0: the core may learn from it (path MTU), so that the next packet's sender can be told.
 */
int vr_rx_tunnel_err(struct sock *sk, struct sk_buff *skb)
{
	const struct vr_tunnel_sock *ts = rcu_dereference_sk_user_data(sk);
	struct vr_tunnel_key key = {};
	struct vr_nexthop *nh;

	if (!ts)
		return -ENOENT;
	key.encap = ts->encap;
	if (ip_hdr(skb)->version == 4) {
		key.family = AF_INET;
		key.remote.v4 = ip_hdr(skb)->daddr;
	} else {
		key.family = AF_INET6;
		key.remote.v6 = ipv6_hdr(skb)->daddr;
	}
	nh = vr_tunnel_peer_rcu(ts->vn, &key);
	if (nh && is_unreachable(skb, key.family) && vr_nexthop_may_tell(nh))
		pr_notice("vrouter: next hop " VR_NAMED ": the underlay does not reach it\n",
			  VR_NAME(nh->id, READ_ONCE(nh->label)));
	return nh ? 0 : -ENOENT;
}
