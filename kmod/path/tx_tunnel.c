// SPDX-License-Identifier: GPL-2.0-only
/*
 * To another node: encapsulation, and the way there. GSO packets stay whole: the headers
 * say what is inner and what is outer, so that the uplink or the core segments them as
 * late as possible.
 */

#include <linux/etherdevice.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "path.h"
#include "tunnel.h"

#define NONE		VROUTER_DROP_REASON_NONE

/* RFC 7510, 3 */
#define PORT_MIN	49152
#define PORT_MAX	65535

/* How a packet gets to the other node; dst is held. */
struct way {
	struct dst_entry	*dst;
	union vr_addr		local;
};

/* --- the way -------------------------------------------------------------- */

static bool find_way4(struct vr_net *vn, struct vr_tunnel *t, struct way *w)
{
	struct flowi4 fl = {
		.daddr = t->cfg.remote.v4, .saddr = t->cfg.local.v4,
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *rt;

	rt = ip_route_output_key(vn->net, &fl);
	if (IS_ERR(rt))
		return false;
	w->dst = &rt->dst;
	w->local.v4 = fl.saddr;
	dst_cache_set_ip4(&t->dst, w->dst, fl.saddr);
	return true;
}

static bool find_way6(struct vr_net *vn, struct vr_tunnel *t, struct way *w)
{
	struct flowi6 fl = {
		.daddr = t->cfg.remote.v6, .saddr = t->cfg.local.v6,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst;

	dst = ip6_dst_lookup_flow(vn->net, t->sk, &fl, NULL);
	if (IS_ERR(dst))
		return false;
	w->dst = dst;
	w->local.v6 = fl.saddr;
	dst_cache_set_ip6(&t->dst, dst, &fl.saddr);
	return true;
}

/* By the cache as long as no route has changed. A way into the virtual network itself
 * would come back here.
 */
static bool find_way(struct vr_net *vn, struct vr_tunnel *t, struct way *w)
{
	struct rtable *rt;
	bool found;

	w->local = (union vr_addr) {};
	if (t->cfg.family == AF_INET) {
		rt = dst_cache_get_ip4(&t->dst, &w->local.v4);
		w->dst = rt ? &rt->dst : NULL;
		found = rt || find_way4(vn, t, w);
	} else {
		w->dst = dst_cache_get_ip6(&t->dst, &w->local.v6);
		found = w->dst || find_way6(vn, t, w);
	}
	if (likely(found && !vr_is_host_dev(w->dst->dev)))
		return true;
	if (found)
		dst_release(w->dst);
	return false;
}

static unsigned int encap_len(const struct vr_tunnel *t)
{
	unsigned int ip = t->cfg.family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (t->cfg.encap == VROUTER_TUNNEL_ENCAP_VXLAN)
		return ip + sizeof(struct udphdr) + sizeof(struct vr_vxlan_hdr) + ETH_HLEN;
	return ip + sizeof(struct udphdr) + sizeof(__be32);
}

u32 vr_tunnel_mtu(struct vr_net *vn, const struct vr_nexthop *nh)
{
	struct vr_tunnel *t = rcu_dereference(nh->tunnel);
	struct way w;
	u32 mtu;

	if (!t || !find_way(vn, t, &w))
		return 0;
	mtu = dst_mtu(w.dst);
	dst_release(w.dst);
	return mtu - min(mtu, encap_len(t));
}

/* --- encapsulation -------------------------------------------------------- */

static void push_frame(struct sk_buff *skb, const struct vr_tunnel *t)
{
	struct ethhdr *eth = skb_push(skb, ETH_HLEN);

	ether_addr_copy(eth->h_dest, t->cfg.mac);
	ether_addr_copy(eth->h_source, vr_gateway_mac);
	eth->h_proto = skb->protocol;
	skb_reset_mac_header(skb);
}

/* The offload code finds the inner headers where they are now. */
static bool push_vxlan(struct sk_buff *skb, const struct vr_tunnel *t, u32 vni)
{
	struct vr_vxlan_hdr *vh;

	push_frame(skb, t);
	if (udp_tunnel_handle_offloads(skb, t->cfg.csum))
		return false;
	vh = skb_push(skb, sizeof(*vh));
	*vh = (struct vr_vxlan_hdr) {
		.flags = htonl(VR_VXLAN_HAS_VNI), .vni = htonl(vni << VR_VXLAN_VNI_SHIFT),
	};
	skb_set_inner_protocol(skb, htons(ETH_P_TEB));
	return true;
}

/* For the offload code the label is a part of the tunnel's header, as long as that one and
 * copied with it before each segment, and the IP packet is what is inner. Were the inner
 * protocol MPLS, nobody could segment: mpls_gso_segment() wants the same field of the skb
 * to say what is behind the label.
 */
static bool push_mpls(struct sk_buff *skb, const struct vr_tunnel *t, u32 label)
{
	skb_reset_mac_header(skb);
	if (udp_tunnel_handle_offloads(skb, t->cfg.csum))
		return false;
	*(__be32 *)skb_push(skb, sizeof(__be32)) =
		htonl(label << VR_MPLS_LABEL_SHIFT | VR_MPLS_LAST | VR_MPLS_TTL);
	skb_set_inner_protocol(skb, skb->protocol);
	return true;
}

/* DSCP and ECN of the inner packet, as they are (RFC 6040, 4.1: normal mode) */
static u8 outer_dsfield(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? ip_hdr(skb)->tos :
						  ipv6_get_dsfield(ipv6_hdr(skb));
}

/* What fits has been told to senders, so the outer packet is never fragmented: a
 * router on the way that cannot take it says so.
 */
static void send_udp(struct vr_net *vn, struct sk_buff *skb, const struct vr_tunnel *t,
		     const struct way *w, u8 dsfield)
{
	__be16 dport = htons(t->cfg.encap == VROUTER_TUNNEL_ENCAP_VXLAN ? VR_PORT_VXLAN :
								      VR_PORT_MPLSOUDP);
	__be16 sport;

	/* the dissector wants to know the namespace, but no device counts it */
	skb->dev = w->dst->dev;
	sport = udp_flow_src_port(vn->net, skb, PORT_MIN, PORT_MAX, true);
	skb->dev = NULL;
	if (t->cfg.family == AF_INET)
		vr_udp_tunnel_xmit(dst_rtable(w->dst), t->sk, skb, w->local.v4, t->cfg.remote.v4,
				   dsfield, ip4_dst_hoplimit(w->dst), htons(IP_DF), sport, dport,
				   !t->cfg.csum);
	else
		vr_udp_tunnel6_xmit(w->dst, t->sk, skb, &w->local.v6, &t->cfg.remote.v6, dsfield,
				    ip6_dst_hoplimit(w->dst), sport, dport, !t->cfg.csum);
}

/* One packet; takes over w->dst and, when 0, the skb. */
static enum vrouter_drop_reason encap(struct vr_net *vn, struct sk_buff *skb,
				      const struct vr_tunnel *t, const struct way *w, u32 vni)
{
	unsigned int room = LL_RESERVED_SPACE(w->dst->dev) + w->dst->header_len + encap_len(t);
	u8 dsfield;
	bool done;

	if (unlikely(skb_cow_head(skb, room))) {
		dst_release(w->dst);
		return VROUTER_DROP_REASON_NO_MEMORY;
	}
	dsfield = outer_dsfield(skb);
	done = t->cfg.encap == VROUTER_TUNNEL_ENCAP_VXLAN ? push_vxlan(skb, t, vni) :
							    push_mpls(skb, t, vni);
	if (unlikely(!done)) {
		dst_release(w->dst);
		return VROUTER_DROP_REASON_NO_MEMORY;
	}
	send_udp(vn, skb, t, w, dsfield);
	return NONE;
}

/* Segments of a GSO packet, each sent by itself: for the inner headers of one that is a
 * tunnel's already (a pod's own) there is no second place in the skb.
 */
static enum vrouter_drop_reason encap_segments(struct vr_net *vn, struct sk_buff *skb,
					       const struct vr_tunnel *t, struct way *w, u32 vni)
{
	struct sk_buff *segs, *next;

	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (IS_ERR_OR_NULL(segs)) {
		dst_release(w->dst);
		return VROUTER_DROP_REASON_NO_MEMORY;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		dst_hold(w->dst);
		if (encap(vn, segs, t, w, vni))
			kfree_skb(segs);
	}
	dst_release(w->dst);
	return NONE;
}

enum vrouter_drop_reason vr_tunnel_xmit(struct vr_net *vn, struct sk_buff *skb,
					const struct vr_nexthop *nh, u32 vni)
{
	struct vr_tunnel *t = rcu_dereference(nh->tunnel);
	bool mpls = t && t->cfg.encap == VROUTER_TUNNEL_ENCAP_MPLSOUDP;
	struct way w;

	if (unlikely(!t || (mpls && vni > VR_MPLS_LABEL_MAX) || !find_way(vn, t, &w)))
		return VROUTER_DROP_REASON_UNDERLAY;
	if (unlikely(skb->encapsulation && skb_is_gso(skb)))
		return encap_segments(vn, skb, t, &w, vni);
	return encap(vn, skb, t, &w, vni);
}
