// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other nodes send is coalesced in the uplink's own poll (NAPI), before UDP has seen
 * it: the core asks the tunnel's socket what is behind the UDP header. Segments of one
 * inner stream that came in the same outer headers, from one peer, of one virtual
 * network, then are one packet for UDP, for rx_tunnel.c and for the pod.
 *
 * A second place to coalesce, behind the decapsulation (gro_cells), would cost a packet
 * another softirq and find nothing more: the core computes what checksums the uplink has
 * not verified.
 */

#include <linux/etherdevice.h>
#include <net/gro.h>
#include <net/udp_tunnel.h>

#include "path.h"
#include "tunnel.h"

/* Between UDP's header and the inner packet. What they say differs between streams. */
static unsigned int header_len(u8 encap)
{
	return encap == VROUTER_TUNNEL_ENCAP_VXLAN ? sizeof(struct vr_vxlan_hdr) : sizeof(__be32);
}

/* RFC 7510: nothing but its first octet says what a label is before of. */
static __be16 behind_label(u8 first)
{
	switch (first >> 4) {
	case 4:
		return htons(ETH_P_IP);
	case 6:
		return htons(ETH_P_IPV6);
	default:
		return 0;
	}
}

/* Who coalesces what is in it, or NULL: rx_tunnel.c will not like it. At hdr are the
 * header and an octet more.
 */
static gro_receive_t inner_receive(u8 encap, const void *hdr)
{
	const struct vr_vxlan_hdr *vh = hdr;
	const struct packet_offload *ptype;
	const __be32 *entry = hdr;
	__be16 proto;

	if (encap == VROUTER_TUNNEL_ENCAP_VXLAN)
		return vh->flags & htonl(VR_VXLAN_HAS_VNI) ? eth_gro_receive : NULL;
	proto = behind_label(*(const u8 *)(entry + 1));
	if (!(*entry & htonl(VR_MPLS_LAST)) || !proto)
		return NULL;
	ptype = gro_find_receive_by_type(proto);
	return ptype ? ptype->callbacks.gro_receive : NULL;
}

/* Behind a label the IP versions have to be the same too: those who coalesce one of them
 * take it for granted. Behind a VXLAN header frames say it, and are compared.
 */
static bool same_header(u8 encap, const u8 *a, const u8 *b, unsigned int len)
{
	return !memcmp(a, b, len) &&
	       (encap == VROUTER_TUNNEL_ENCAP_VXLAN || a[len] >> 4 == b[len] >> 4);
}

/* struct udp_sock::gro_receive, under RCU in the uplink's poll; one for both encapsulations,
 * because the core keeps a short list of such functions.
 */
struct sk_buff *vr_gro_receive(struct sock *sk, struct list_head *held, struct sk_buff *skb)
{
	const struct vr_tunnel_sock *ts = rcu_dereference_sk_user_data(sk);
	unsigned int off = skb_gro_offset(skb), len;
	gro_receive_t inner;
	struct sk_buff *p;
	const u8 *hdr;

	if (unlikely(!ts))
		goto flush;
	len = header_len(ts->encap);
	hdr = skb_gro_header(skb, off + len + 1, off);
	if (unlikely(!hdr))
		goto flush;
	inner = inner_receive(ts->encap, hdr);
	if (unlikely(!inner))
		goto flush;

	list_for_each_entry(p, held, list)
		if (NAPI_GRO_CB(p)->same_flow &&
		    !same_header(ts->encap, hdr, p->data + off, len))
			NAPI_GRO_CB(p)->same_flow = 0;
	skb_gro_pull(skb, len);
	skb_gro_postpull_rcsum(skb, hdr, len);
	return call_gro_receive(inner, held, skb);

flush:
	NAPI_GRO_CB(skb)->flush |= 1;
	return NULL;
}

/* struct udp_sock::gro_complete: nhoff is behind UDP's header. Says where the inner headers
 * are, because a packet that is not for this node is segmented again when it leaves.
 */
int vr_gro_complete_vxlan(struct sock *sk, struct sk_buff *skb, int nhoff)
{
	return eth_gro_complete(skb, nhoff + sizeof(struct vr_vxlan_hdr));
}

int vr_gro_complete_mpls(struct sock *sk, struct sk_buff *skb, int nhoff)
{
	int inner = nhoff + sizeof(__be32), err = -ENOENT;
	const struct packet_offload *ptype;

	ptype = gro_find_complete_by_type(behind_label(skb->data[inner]));
	if (likely(ptype))
		err = ptype->callbacks.gro_complete(skb, inner);
	skb_set_inner_mac_header(skb, inner);
	return err;
}
