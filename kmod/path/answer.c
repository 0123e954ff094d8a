// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module says itself, as the gateway or in a service's name: a new packet,
 * sent back by the interface that asked.
 */

#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>

#include "path.h"

#define ANSWER_TTL	64
#define V4_QUOTE_MAX	(576 - sizeof(struct iphdr) - sizeof(struct icmphdr))	/* RFC 1812 */
#define V6_QUOTE_MAX	(IPV6_MIN_MTU - sizeof(struct ipv6hdr) - sizeof(struct icmp6hdr))

static unsigned int ip_len(u8 family)
{
	return family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* An empty packet with room for headers; data at the transport header of len octets. */
static struct sk_buff *answer_alloc(const struct vr_pkt *pkt, unsigned int len)
{
	unsigned int head = ETH_HLEN + ip_len(pkt->tuple.family);
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + head + len, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER + head);
	skb_put_zero(skb, len);
	skb_reset_transport_header(skb);
	return skb;
}

static void put_ipv4(struct sk_buff *skb, __be32 src, __be32 dst, u8 proto)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(skb->len);
	iph->frag_off = htons(IP_DF);
	iph->ttl = ANSWER_TTL;
	iph->protocol = proto;
	iph->saddr = src;
	iph->daddr = dst;
	ip_send_check(iph);
}

static void put_ipv6(struct sk_buff *skb, const struct in6_addr *src, const struct in6_addr *dst,
		     u8 proto, u8 hops)
{
	struct ipv6hdr *h = skb_push(skb, sizeof(*h));

	memset(h, 0, sizeof(*h));
	h->version = 6;
	h->payload_len = htons(skb->len - sizeof(*h));
	h->nexthdr = proto;
	h->hop_limit = hops;
	h->saddr = *src;
	h->daddr = *dst;
}

/* The frame to the interface's own MAC, by its device. */
void vr_answer_send(struct vr_pkt *pkt, struct sk_buff *skb, __be16 protocol)
{
	struct net_device *dev = rcu_dereference(pkt->vif->dev);
	struct ethhdr *eth;

	if (!dev) {
		kfree_skb(skb);
		return;
	}
	skb_reset_network_header(skb);
	eth = skb_push(skb, ETH_HLEN);
	ether_addr_copy(eth->h_dest, pkt->conf->mac);
	ether_addr_copy(eth->h_source, vr_gateway_mac);
	eth->h_proto = protocol;
	skb_reset_mac_header(skb);
	skb->protocol = protocol;
	skb->dev = dev;
	vr_count_tx(pkt->vif->counters, skb->len - ETH_HLEN);
	dev_queue_xmit(skb);
}

/* From src to the sender of pkt. The transport header is complete but for a
 * checksum that covers addresses.
 */
static void send_ip(struct vr_pkt *pkt, struct sk_buff *skb, const union vr_addr *src, u8 proto,
		    __sum16 *check)
{
	const struct vr_tuple *t = &pkt->tuple;
	__wsum sum = csum_partial(skb->data, skb->len, 0);

	if (t->family == AF_INET) {
		*check = proto == IPPROTO_ICMP ? csum_fold(sum)
			: csum_tcpudp_magic(src->v4, t->src.v4, skb->len, proto, sum);
		put_ipv4(skb, src->v4, t->src.v4, proto);
		vr_answer_send(pkt, skb, htons(ETH_P_IP));
	} else {
		*check = csum_ipv6_magic(&src->v6, &t->src.v6, skb->len, proto, sum);
		put_ipv6(skb, &src->v6, &t->src.v6, proto, ANSWER_TTL);
		vr_answer_send(pkt, skb, htons(ETH_P_IPV6));
	}
}

void vr_answer_echo(struct vr_pkt *pkt)
{
	unsigned int len = pkt->tot_len - pkt->l4_off;
	struct sk_buff *skb = answer_alloc(pkt, len);
	struct icmphdr *icmp;

	if (!skb)
		return;
	icmp = (struct icmphdr *)skb->data;
	if (skb_copy_bits(pkt->skb, pkt->l4_off, icmp, len)) {
		kfree_skb(skb);
		return;
	}
	icmp->type = pkt->tuple.family == AF_INET ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY;
	icmp->checksum = 0;
	send_ip(pkt, skb, &pkt->tuple.dst, pkt->tuple.proto, &icmp->checksum);
}

/* RFC 9293, 3.10.7.1: the reset to a segment that belongs to nothing. */
static void send_reset(struct vr_pkt *pkt)
{
	const struct tcphdr *th = (const struct tcphdr *)(pkt->skb->data + pkt->l4_off);
	struct sk_buff *skb;
	struct tcphdr *rst;

	if (th->rst)
		return;
	skb = answer_alloc(pkt, sizeof(*rst));
	if (!skb)
		return;
	rst = (struct tcphdr *)skb->data;
	rst->source = th->dest;
	rst->dest = th->source;
	rst->doff = sizeof(*rst) / 4;
	rst->rst = 1;
	if (th->ack) {
		rst->seq = th->ack_seq;
	} else {
		rst->ack = 1;
		rst->ack_seq = htonl(ntohl(th->seq) + th->syn + th->fin + pkt->tot_len -
				     pkt->l4_off - th->doff * 4);
	}
	send_ip(pkt, skb, &pkt->tuple.dst, IPPROTO_TCP, &rst->check);
}

/* The gateway's address of the family; its VRF may have none. */
static bool gateway_addr(const struct vr_pkt *pkt, union vr_addr *addr)
{
	const struct vr_gateways *g = rcu_dereference(pkt->conf->vrf->gateways);
	unsigned int i;

	for (i = 0; i < g->n; i++) {
		if (g->a[i].family != pkt->tuple.family)
			continue;
		*addr = g->a[i].addr;
		return true;
	}
	memset(addr, 0, sizeof(*addr));
	if (pkt->tuple.family == AF_INET6)
		addr->v6 = vr_gateway_ll;
	else
		addr->v4 = htonl(0xc0000008);	/* RFC 7600's dummy address, 192.0.0.8 */
	return true;
}

/* An error about the packet, which is quoted as it came (RFC 792, RFC 4443). Rate-limited. */
static void send_error(struct vr_pkt *pkt, const union vr_addr *src, u8 type, u8 code, u32 info)
{
	bool v4 = pkt->tuple.family == AF_INET;
	unsigned int max = v4 ? V4_QUOTE_MAX : V6_QUOTE_MAX;
	unsigned int quote = min_t(unsigned int, pkt->tot_len, max);
	struct icmphdr *icmp;
	struct sk_buff *skb;

	BUILD_BUG_ON(sizeof(struct icmphdr) != sizeof(struct icmp6hdr));
	if (pkt->icmp_error)
		return;
	skb = answer_alloc(pkt, sizeof(*icmp) + quote);
	if (!skb)
		return;
	icmp = (struct icmphdr *)skb->data;
	icmp->type = type;
	icmp->code = code;
	icmp->un.gateway = htonl(info);
	if (skb_copy_bits(pkt->skb, 0, icmp + 1, quote)) {
		kfree_skb(skb);
		return;
	}
	send_ip(pkt, skb, src, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, &icmp->checksum);
}

void vr_answer_refused(struct vr_pkt *pkt)
{
	if (pkt->tuple.proto == IPPROTO_TCP)
		send_reset(pkt);
	else if (pkt->tuple.family == AF_INET)
		send_error(pkt, &pkt->tuple.dst, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	else
		send_error(pkt, &pkt->tuple.dst, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0);
}

void vr_answer_too_big(struct vr_pkt *pkt, u32 mtu)
{
	union vr_addr src;

	gateway_addr(pkt, &src);
	if (pkt->tuple.family == AF_INET)
		send_error(pkt, &src, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, mtu);
	else
		send_error(pkt, &src, ICMPV6_PKT_TOOBIG, 0, mtu);
}

void vr_answer_time_exceeded(struct vr_pkt *pkt)
{
	union vr_addr src;

	gateway_addr(pkt, &src);
	if (pkt->tuple.family == AF_INET)
		send_error(pkt, &src, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
	else
		send_error(pkt, &src, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
}
