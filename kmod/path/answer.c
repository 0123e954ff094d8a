// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the gateway says itself, always to the sender of a packet and by the vif that
 * it came by: echo replies, TCP resets, ICMP errors. ICMP errors are limited in
 * rate for each vif (RFC 1812, 4.3.2.8; RFC 4443, 2.4 f), so that one flooding
 * pod takes none from another.
 */

#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "path.h"

#define TTL			64
#define ERRORS_PER_SECOND	1000
#define QUOTE_IP4		(576 - sizeof(struct iphdr) - sizeof(struct icmphdr))
#define QUOTE_IP6		(IPV6_MIN_MTU - sizeof(struct ipv6hdr) - sizeof(struct icmp6hdr))

/* --- sending -------------------------------------------------------------- */

static void send_frame(struct vr_pkt *pkt, struct sk_buff *skb, struct net_device *dev)
{
	struct ethhdr *eth = skb_push(skb, ETH_HLEN);

	skb_reset_mac_header(skb);
	ether_addr_copy(eth->h_dest, pkt->conf->mac);
	ether_addr_copy(eth->h_source, vr_gateway_mac);
	eth->h_proto = skb->protocol;
	skb->dev = dev;
	dev_queue_xmit(skb);
}

/* What the node's own sockets send need not have a device yet, nor that of its vif. */
void vr_answer_send(struct vr_pkt *pkt, struct sk_buff *skb, u16 protocol)
{
	struct net_device *dev = rcu_dereference(pkt->vif->dev);

	skb_reset_network_header(skb);
	skb->protocol = htons(protocol);
	switch (pkt->vif->type) {
	case VROUTER_VIF_TYPE_TUNNEL:
		if (vr_tunnel_xmit(pkt->vn, skb, pkt->peer, pkt->vif->vni))
			kfree_skb(skb);
		break;
	case VROUTER_VIF_TYPE_EXTERNAL:
		if (vr_external_xmit(pkt->vn, skb))
			kfree_skb(skb);
		break;
	case VROUTER_VIF_TYPE_HOST:
		if (dev) {
			vr_host_dev_rx(dev, skb);
			netif_rx(skb);
		} else {
			kfree_skb(skb);
		}
		break;
	default:
		if (dev)
			send_frame(pkt, skb, dev);
		else
			kfree_skb(skb);
	}
}

/* Room for an answer of len octets behind the IP header, which are there. */
static struct sk_buff *alloc(unsigned int len)
{
	const unsigned int room = LL_MAX_HEADER + sizeof(struct ipv6hdr);
	struct sk_buff *skb;

	skb = alloc_skb(room + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put(skb, len);
	skb_reset_transport_header(skb);
	return skb;
}

static void send_ip4(struct vr_pkt *pkt, struct sk_buff *skb, const union vr_addr *from, u8 proto)
{
	struct iphdr *ip = skb_push(skb, sizeof(*ip));

	*ip = (struct iphdr) {
		.version = 4, .ihl = sizeof(*ip) / 4, .tot_len = htons(skb->len),
		.frag_off = htons(IP_DF), .ttl = TTL, .protocol = proto,
		.saddr = from->v4, .daddr = pkt->tuple.src.v4,
	};
	ip_send_check(ip);
	vr_answer_send(pkt, skb, ETH_P_IP);
}

static void send_ip6(struct vr_pkt *pkt, struct sk_buff *skb, const union vr_addr *from, u8 proto)
{
	unsigned int len = skb->len;
	struct ipv6hdr *ip = skb_push(skb, sizeof(*ip));

	*ip = (struct ipv6hdr) {
		.version = 6, .payload_len = htons(len), .nexthdr = proto, .hop_limit = TTL,
		.saddr = from->v6, .daddr = pkt->tuple.src.v6,
	};
	vr_answer_send(pkt, skb, ETH_P_IPV6);
}

static void send(struct vr_pkt *pkt, struct sk_buff *skb, const union vr_addr *from, u8 proto)
{
	if (pkt->tuple.family == AF_INET)
		send_ip4(pkt, skb, from, proto);
	else
		send_ip6(pkt, skb, from, proto);
}

/* The checksum over skb's octets, with the pseudo-header of the answer but in ICMP. */
static __sum16 checksum(const struct vr_pkt *pkt, const struct sk_buff *skb,
			const union vr_addr *from, u8 proto)
{
	__wsum sum = csum_partial(skb->data, skb->len, 0);

	if (proto == IPPROTO_ICMP)
		return csum_fold(sum);
	if (pkt->tuple.family == AF_INET)
		return csum_tcpudp_magic(from->v4, pkt->tuple.src.v4, skb->len, proto, sum);
	return csum_ipv6_magic(&from->v6, &pkt->tuple.src.v6, skb->len, proto, sum);
}

/* --- echo ----------------------------------------------------------------- */

/* The checksum differs by the type alone, the addresses having changed places; so one
 * that was wrong is wrong in the reply.
 */
void vr_answer_echo(struct vr_pkt *pkt)
{
	unsigned int len = pkt->tot_len - pkt->l4_off;
	const struct vr_tuple *t = &pkt->tuple;
	struct icmphdr *icmp;
	struct sk_buff *skb;
	u8 type;

	if (pkt->skb->dev && pkt->tot_len > pkt->skb->dev->mtu)
		return;
	skb = alloc(len);
	if (!skb)
		return;
	icmp = (struct icmphdr *)skb->data;
	if (skb_copy_bits(pkt->skb, pkt->l4_off, icmp, len)) {
		kfree_skb(skb);
		return;
	}

	type = t->family == AF_INET ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY;
	if (pkt->skb->ip_summed == CHECKSUM_PARTIAL) {
		icmp->type = type;
		icmp->checksum = 0;
		icmp->checksum = checksum(pkt, skb, &t->dst, t->proto);
	} else {
		csum_replace2(&icmp->checksum, htons(icmp->type << 8), htons(type << 8));
		icmp->type = type;
	}
	send(pkt, skb, &t->dst, t->proto);
}

/* --- TCP reset ------------------------------------------------------------ */

/* RFC 9293, 3.10.7.1: as one who knows nothing of the connection. */
static void reset(struct vr_pkt *pkt)
{
	const struct tcphdr *th = (const struct tcphdr *)(pkt->skb->data + pkt->l4_off);
	u32 len = pkt->tot_len - pkt->l4_off - th->doff * 4;
	const struct vr_tuple *t = &pkt->tuple;
	struct sk_buff *skb;
	struct tcphdr *rst;

	if (th->rst)
		return;
	skb = alloc(sizeof(*rst));
	if (!skb)
		return;
	rst = (struct tcphdr *)skb->data;
	*rst = (struct tcphdr) {
		.source = t->dport, .dest = t->sport, .doff = sizeof(*rst) / 4, .rst = 1,
	};
	if (th->ack) {
		rst->seq = th->ack_seq;
	} else {
		rst->ack = 1;
		rst->ack_seq = htonl(ntohl(th->seq) + len + th->syn + th->fin);
	}
	rst->check = checksum(pkt, skb, &t->dst, IPPROTO_TCP);
	send(pkt, skb, &t->dst, IPPROTO_TCP);
}

/* --- ICMP errors ---------------------------------------------------------- */

/* Two CPUs that find a new second at once may let a few more pass. */
static bool may_send_error(struct vr_vif *vif)
{
	struct vr_event_rate *rate = &vif->answers;
	u32 last = READ_ONCE(rate->second), now = jiffies / HZ;

	if (last != now && cmpxchg(&rate->second, last, now) == last)
		atomic_set(&rate->sent, 0);
	return atomic_add_unless(&rate->sent, 1, ERRORS_PER_SECOND);
}

/* Quotes the packet as its sender has sent it. info: the header's second word, host
 * byte order. No error about an error, or a fragment but the first (RFC 1122, 3.2.2).
 */
static void error(struct vr_pkt *pkt, const union vr_addr *from, u8 type, u8 code, u32 info)
{
	bool ip4 = pkt->tuple.family == AF_INET;
	u8 proto = ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	unsigned int quote;
	struct icmphdr *icmp;
	struct sk_buff *skb;

	BUILD_BUG_ON(sizeof(struct icmphdr) != sizeof(struct icmp6hdr));
	if (pkt->icmp_error || pkt->frag == VR_FRAG_LATER || !may_send_error(pkt->vif))
		return;
	quote = min_t(unsigned int, pkt->tot_len, ip4 ? QUOTE_IP4 : QUOTE_IP6);
	skb = alloc(sizeof(*icmp) + quote);
	if (!skb)
		return;
	icmp = (struct icmphdr *)skb->data;
	*icmp = (struct icmphdr) { .type = type, .code = code, .un.gateway = htonl(info) };
	if (skb_copy_bits(pkt->skb, 0, icmp + 1, quote)) {
		kfree_skb(skb);
		return;
	}
	icmp->checksum = checksum(pkt, skb, from, proto);
	send(pkt, skb, from, proto);
}

/* The gateway of the packet's family. A VRF need not have one: then it is the address
 * that was sent to who speaks.
 */
static const union vr_addr *gateway(const struct vr_pkt *pkt)
{
	const struct vr_gateways *g = rcu_dereference(pkt->conf->vrf->gateways);
	unsigned int i;

	for (i = 0; g && i < g->n; i++)
		if (g->a[i].family == pkt->tuple.family)
			return &g->a[i].addr;
	return &pkt->tuple.dst;
}

void vr_answer_refused(struct vr_pkt *pkt)
{
	const union vr_addr *from = &pkt->tuple.dst;

	if (pkt->tuple.proto == IPPROTO_TCP)
		reset(pkt);
	else if (pkt->tuple.family == AF_INET)
		error(pkt, from, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	else
		error(pkt, from, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
}

void vr_answer_too_big(struct vr_pkt *pkt, u32 mtu)
{
	if (pkt->tuple.family == AF_INET)
		error(pkt, gateway(pkt), ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
		      min_t(u32, mtu, U16_MAX));
	else
		error(pkt, gateway(pkt), ICMPV6_PKT_TOOBIG, 0, max_t(u32, mtu, IPV6_MIN_MTU));
}

void vr_answer_time_exceeded(struct vr_pkt *pkt)
{
	if (pkt->tuple.family == AF_INET)
		error(pkt, gateway(pkt), ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
	else
		error(pkt, gateway(pkt), ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
}
