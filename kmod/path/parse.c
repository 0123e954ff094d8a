// SPDX-License-Identifier: GPL-2.0-only
/*
 * One walk over the headers of a packet. Everything that follows relies on it:
 * the headers named in struct vr_pkt are linear, lie within the IP packet and
 * agree with one another.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "path.h"

#define MAX_EXT_HEADERS	8

/* A range of the IP packet, made linear; NULL when it ends before. */
static void *at(struct vr_pkt *pkt, unsigned int off, unsigned int len)
{
	if (off + len > pkt->tot_len || !pskb_may_pull(pkt->skb, off + len))
		return NULL;
	return pkt->skb->data + off;
}

static enum vrouter_drop_reason check_v4_addrs(__be32 src, __be32 dst)
{
	if (ipv4_is_lbcast(dst) || ipv4_is_multicast(dst))
		return VROUTER_DROP_REASON_MULTICAST;
	if (ipv4_is_multicast(src) || ipv4_is_lbcast(src) || ipv4_is_zeronet(src) ||
	    ipv4_is_loopback(src) || ipv4_is_loopback(dst) || ipv4_is_zeronet(dst))
		return VROUTER_DROP_REASON_MARTIAN;
	return 0;
}

/* A source route would choose the way in our place; RFC 7126 says drop. */
static bool has_source_route(const u8 *opt, unsigned int len)
{
	unsigned int i = 0;

	while (i < len && opt[i] != IPOPT_END) {
		if (opt[i] == IPOPT_LSRR || opt[i] == IPOPT_SSRR)
			return true;
		if (opt[i] == IPOPT_NOOP) {
			i++;
			continue;
		}
		if (i + 1 >= len || opt[i + 1] < 2)
			return true;	/* malformed: as bad */
		i += opt[i + 1];
	}
	return false;
}

/* Fixed part, options and lengths of an IPv4 header at "off"; its length in octets, or 0. */
static unsigned int ipv4_len(struct vr_pkt *pkt, unsigned int off)
{
	const struct iphdr *iph = at(pkt, off, sizeof(*iph));

	if (!iph || iph->version != 4 || iph->ihl < 5 || !at(pkt, off, iph->ihl * 4))
		return 0;
	return iph->ihl * 4;
}

static enum vrouter_drop_reason parse_ipv4(struct vr_pkt *pkt)
{
	const struct iphdr *iph;
	unsigned int len;

	pkt->tot_len = min(pkt->skb->len, 65535U);
	len = ipv4_len(pkt, 0);
	if (!len)
		return VROUTER_DROP_REASON_BAD_IP;
	iph = (const struct iphdr *)pkt->skb->data;
	if (ntohs(iph->tot_len) > pkt->skb->len || ntohs(iph->tot_len) < len ||
	    ip_fast_csum(iph, iph->ihl))
		return VROUTER_DROP_REASON_BAD_IP;
	if (len > sizeof(*iph) && has_source_route((const u8 *)(iph + 1), len - sizeof(*iph)))
		return VROUTER_DROP_REASON_BAD_IP;
	pkt->tot_len = ntohs(iph->tot_len);
	pkt->tuple.family = AF_INET;
	pkt->tuple.proto = iph->protocol;
	pkt->tuple.src.v4 = iph->saddr;
	pkt->tuple.dst.v4 = iph->daddr;
	pkt->l4_off = len;
	if (ip_is_fragment(iph))
		return VROUTER_DROP_REASON_FRAGMENT;
	return check_v4_addrs(iph->saddr, iph->daddr);
}

static enum vrouter_drop_reason check_v6_addrs(const struct in6_addr *src,
					       const struct in6_addr *dst)
{
	if (ipv6_addr_is_multicast(src) || ipv6_addr_loopback(src) || ipv6_addr_loopback(dst) ||
	    ipv6_addr_any(dst) || ipv6_addr_v4mapped(src) || ipv6_addr_v4mapped(dst))
		return VROUTER_DROP_REASON_MARTIAN;
	return 0;
}

/* From the extension header *off of type *next on to the transport header. */
static enum vrouter_drop_reason skip_ext(struct vr_pkt *pkt, unsigned int *off, u8 *next)
{
	unsigned int n;

	for (n = 0; ipv6_ext_hdr(*next); n++) {
		const struct ipv6_opt_hdr *h;

		if (*next == NEXTHDR_FRAGMENT)
			return VROUTER_DROP_REASON_FRAGMENT;
		if (*next == NEXTHDR_NONE)
			return VROUTER_DROP_REASON_PROTOCOL;
		if (n == MAX_EXT_HEADERS)
			return VROUTER_DROP_REASON_BAD_IP;
		h = at(pkt, *off, sizeof(*h));
		if (!h)
			return VROUTER_DROP_REASON_BAD_IP;
		/* Whoever routes by a header in the packet decides in our place (RFC 5095). */
		if (*next == NEXTHDR_ROUTING)
			return VROUTER_DROP_REASON_BAD_IP;
		*off += *next == NEXTHDR_AUTH ? (h->hdrlen + 2) * 4 : ipv6_optlen(h);
		*next = h->nexthdr;
		if (*off > pkt->tot_len)
			return VROUTER_DROP_REASON_BAD_IP;
	}
	return 0;
}

static enum vrouter_drop_reason parse_ipv6(struct vr_pkt *pkt)
{
	const struct ipv6hdr *h;
	enum vrouter_drop_reason why;
	unsigned int off = sizeof(*h);
	u8 next;

	pkt->tot_len = min(pkt->skb->len, 65535U);
	h = at(pkt, 0, sizeof(*h));
	if (!h || h->version != 6 || ntohs(h->payload_len) + sizeof(*h) > pkt->skb->len)
		return VROUTER_DROP_REASON_BAD_IP;
	/* A jumbogram or a GSO packet beyond 64 kB has none (RFC 2675). */
	if (!h->payload_len)
		return VROUTER_DROP_REASON_BAD_IP;
	pkt->tot_len = ntohs(h->payload_len) + sizeof(*h);
	pkt->tuple.family = AF_INET6;
	pkt->tuple.src.v6 = h->saddr;
	pkt->tuple.dst.v6 = h->daddr;
	next = h->nexthdr;
	why = check_v6_addrs(&pkt->tuple.src.v6, &pkt->tuple.dst.v6);
	if (why)
		return why;
	why = skip_ext(pkt, &off, &next);
	pkt->tuple.proto = next;
	pkt->l4_off = off;
	return why;
}

/* Ports of a header that was seen whole or, in an ICMP error, at least so far. */
static void set_ports(struct vr_tuple *t, const void *l4)
{
	const __be16 *ports = l4;

	t->sport = ports[0];
	t->dport = ports[1];
}

static bool is_echo(u8 proto, u8 type)
{
	return proto == IPPROTO_ICMP ? type == ICMP_ECHO || type == ICMP_ECHOREPLY
				     : type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY;
}

static bool is_error(u8 proto, u8 type)
{
	if (proto == IPPROTO_ICMPV6)
		return type < 128;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH;
}

/* The packet in an ICMP error, of which at least eight octets of transport
 * header are there (RFC 792).
 */
static enum vrouter_drop_reason parse_inner(struct vr_pkt *pkt)
{
	struct vr_tuple *t = &pkt->inner;
	unsigned int off = pkt->l4_off + sizeof(struct icmphdr), l4;
	const struct icmphdr *icmp;

	pkt->inner_off = off;
	t->port = pkt->tuple.port;
	t->family = pkt->tuple.family;
	if (t->family == AF_INET) {
		const struct iphdr *iph;

		l4 = ipv4_len(pkt, off);
		if (!l4)
			return VROUTER_DROP_REASON_BAD_L4;
		iph = (const struct iphdr *)(pkt->skb->data + off);
		if (iph->frag_off & htons(IP_OFFSET))
			return VROUTER_DROP_REASON_FRAGMENT;
		t->proto = iph->protocol;
		t->src.v4 = iph->saddr;
		t->dst.v4 = iph->daddr;
		l4 += off;
	} else {
		const struct ipv6hdr *h = at(pkt, off, sizeof(*h));
		u8 next;

		if (!h || h->version != 6)
			return VROUTER_DROP_REASON_BAD_L4;
		t->src.v6 = h->saddr;
		t->dst.v6 = h->daddr;
		next = h->nexthdr;
		l4 = off + sizeof(*h);
		if (skip_ext(pkt, &l4, &next))
			return VROUTER_DROP_REASON_BAD_L4;
		t->proto = next;
	}
	pkt->inner_l4_off = l4;
	if (!at(pkt, l4, 8))
		return VROUTER_DROP_REASON_BAD_L4;
	if (t->proto == IPPROTO_ICMP || t->proto == IPPROTO_ICMPV6) {
		icmp = (const struct icmphdr *)(pkt->skb->data + l4);
		if (!is_echo(t->proto, icmp->type))
			return VROUTER_DROP_REASON_ICMP_NO_FLOW;
		t->sport = icmp->un.echo.id;
		t->dport = icmp->un.echo.id;
		return 0;
	}
	set_ports(t, pkt->skb->data + l4);
	return 0;
}

static enum vrouter_drop_reason parse_icmp(struct vr_pkt *pkt)
{
	const struct icmphdr *h = at(pkt, pkt->l4_off, sizeof(*h));
	u8 proto = pkt->tuple.proto;

	/* ICMP of the other family */
	if ((proto == IPPROTO_ICMP) != (pkt->tuple.family == AF_INET))
		return VROUTER_DROP_REASON_PROTOCOL;
	if (!h)
		return VROUTER_DROP_REASON_BAD_L4;
	pkt->icmp_type = h->type;
	pkt->icmp_code = h->code;
	if (is_echo(proto, h->type)) {
		pkt->tuple.sport = h->un.echo.id;
		pkt->tuple.dport = h->un.echo.id;
		return 0;
	}
	if (!is_error(proto, h->type))
		return 0;	/* ND is answered before; the rest belongs to no flow */
	pkt->icmp_error = true;
	return parse_inner(pkt);
}

static enum vrouter_drop_reason parse_l4(struct vr_pkt *pkt)
{
	unsigned int off = pkt->l4_off, left = pkt->tot_len - off;
	const struct tcphdr *th;
	const struct udphdr *uh;
	const void *h;

	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
		th = at(pkt, off, sizeof(*th));
		if (!th || th->doff < 5 || th->doff * 4 > left || !at(pkt, off, th->doff * 4))
			return VROUTER_DROP_REASON_BAD_L4;
		h = pkt->skb->data + off;
		pkt->tcp_flags = ((const u8 *)h)[13];
		break;
	case IPPROTO_UDP:
		h = uh = at(pkt, off, sizeof(*uh));
		if (!uh || ntohs(uh->len) < sizeof(*uh) || ntohs(uh->len) > left)
			return VROUTER_DROP_REASON_BAD_L4;
		break;
	case IPPROTO_SCTP:
		h = at(pkt, off, sizeof(struct sctphdr) + sizeof(struct sctp_chunkhdr));
		if (!h)
			return VROUTER_DROP_REASON_BAD_L4;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(pkt);
	default:
		return VROUTER_DROP_REASON_PROTOCOL;
	}
	set_ports(&pkt->tuple, h);
	return 0;
}

enum vrouter_drop_reason vr_parse(struct vr_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;
	enum vrouter_drop_reason why;

	pkt->tuple.port = pkt->vif->id;
	why = skb->protocol == htons(ETH_P_IP) ? parse_ipv4(pkt) : parse_ipv6(pkt);
	if (why)
		return why;
	if (skb->len > pkt->tot_len && pskb_trim_rcsum(skb, pkt->tot_len))
		return VROUTER_DROP_REASON_NO_MEMORY;
	skb_reset_network_header(skb);
	why = parse_l4(pkt);
	if (why)
		return why;
	skb_set_transport_header(skb, pkt->l4_off);
	return 0;
}
