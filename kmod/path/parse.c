// SPDX-License-Identifier: GPL-2.0-only
/*
 * One bounded walk over the headers of a packet. What follows relies on it: the
 * headers that struct vr_pkt points to are linear, within the IP packet, and
 * agree with one another about lengths.
 *
 * After trimming, skb->len is the IP packet's length, so that pskb_may_pull()
 * also is the check of bounds. It may move the header: pointers into it are
 * taken anew behind each.
 */

#include <linux/ip.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "path.h"

#define MAX_EXT_HEADERS	8

#define NONE	VROUTER_DROP_REASON_NONE
#define BAD_IP	VROUTER_DROP_REASON_BAD_IP
#define BAD_L4	VROUTER_DROP_REASON_BAD_L4

/* --- addresses ------------------------------------------------------------ */

static enum vrouter_drop_reason check_ip4_addrs(__be32 src, __be32 dst)
{
	if (unlikely(ipv4_is_multicast(dst) || ipv4_is_lbcast(dst)))
		return VROUTER_DROP_REASON_MULTICAST;
	if (unlikely(ipv4_is_zeronet(src) || ipv4_is_loopback(src) || ipv4_is_multicast(src) ||
		     ipv4_is_lbcast(src) || ipv4_is_zeronet(dst) || ipv4_is_loopback(dst)))
		return VROUTER_DROP_REASON_MARTIAN;
	return NONE;
}

static bool is_martian6(const struct in6_addr *a)
{
	return ipv6_addr_any(a) || ipv6_addr_loopback(a) || ipv6_addr_v4mapped(a);
}

static enum vrouter_drop_reason check_ip6_addrs(const struct in6_addr *src,
						const struct in6_addr *dst)
{
	if (ipv6_addr_is_multicast(dst))
		return VROUTER_DROP_REASON_MULTICAST;
	if (ipv6_addr_is_multicast(src) || is_martian6(src) || is_martian6(dst))
		return VROUTER_DROP_REASON_MARTIAN;
	return NONE;
}

/* --- IP ------------------------------------------------------------------- */

/* Trims what the link layer has padded. */
static enum vrouter_drop_reason set_len(struct vr_pkt *pkt, unsigned int len)
{
	pkt->tot_len = len;
	if (likely(pkt->skb->len == len))
		return NONE;
	return pskb_trim_rcsum(pkt->skb, len) ? VROUTER_DROP_REASON_NO_MEMORY : NONE;
}

/* Malformed options, and those of source routes (RFC 7126), by which the sender
 * would decide where the packet goes.
 */
static bool options_are_bad(const u8 *opt, unsigned int len)
{
	unsigned int i = 0;

	while (i < len && opt[i] != IPOPT_END) {
		if (opt[i] == IPOPT_NOOP) {
			i++;
			continue;
		}
		if (opt[i] == IPOPT_LSRR || opt[i] == IPOPT_SSRR)
			return true;
		if (i + 1 == len || opt[i + 1] < 2 || opt[i + 1] > len - i)
			return true;
		i += opt[i + 1];
	}
	return false;
}

static enum vrouter_drop_reason parse_ip4(struct vr_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;
	const struct iphdr *ip;
	unsigned int hdr, len;

	if (unlikely(!pskb_may_pull(skb, sizeof(*ip))))
		return BAD_IP;
	ip = (const struct iphdr *)skb->data;
	hdr = ip->ihl * 4;
	if (unlikely(ip->version != 4 || hdr < sizeof(*ip) || !pskb_may_pull(skb, hdr)))
		return BAD_IP;

	ip = (const struct iphdr *)skb->data;
	len = ntohs(ip->tot_len);
	if (unlikely(len < hdr || len > skb->len || ip_fast_csum(ip, ip->ihl)))
		return BAD_IP;
	if (unlikely(hdr > sizeof(*ip) &&
		     options_are_bad((const u8 *)(ip + 1), hdr - sizeof(*ip))))
		return BAD_IP;

	pkt->l4_off = hdr;
	pkt->tuple.family = AF_INET;
	pkt->tuple.proto = ip->protocol;
	pkt->tuple.src.v4 = ip->saddr;
	pkt->tuple.dst.v4 = ip->daddr;
	if (unlikely(ip_is_fragment(ip)) && pkt->frag != VR_FRAG_FIRST)
		return set_len(pkt, len) ?: VROUTER_DROP_REASON_FRAGMENT;
	return set_len(pkt, len);
}

/* Past the fragment header at *off: of a first fragment, when that is what is asked for, or
 * of a packet that is whole. A second one makes no sense.
 */
static enum vrouter_drop_reason skip_frag(struct sk_buff *skb, unsigned int *off, u8 *proto,
					  u8 *frag)
{
	const struct frag_hdr *h;

	if (!pskb_may_pull(skb, *off + sizeof(*h)))
		return BAD_IP;
	h = (const struct frag_hdr *)(skb->data + *off);
	if (h->frag_off & htons(IP6_OFFSET | IP6_MF)) {
		if (*frag != VR_FRAG_FIRST || h->frag_off & htons(IP6_OFFSET))
			return VROUTER_DROP_REASON_FRAGMENT;
	} else if (*frag == VR_FRAG_NONE) {
		*frag = VR_FRAG_ATOMIC;
	}
	*proto = h->nexthdr;
	*off += sizeof(*h);
	return NONE;
}

/* From the header of type *proto at *off to the transport header. */
static enum vrouter_drop_reason skip_ext(struct sk_buff *skb, unsigned int *off, u8 *proto,
					 u8 *frag)
{
	enum vrouter_drop_reason why;
	unsigned int n, n_frag = 0;
	const u8 *h;

	for (n = 0; ; n++) {
		switch (*proto) {
		case NEXTHDR_HOP:
			if (n)
				return BAD_IP;
			break;
		case NEXTHDR_DEST:
		case NEXTHDR_ROUTING:
			break;
		case NEXTHDR_FRAGMENT:
			if (n_frag++)
				return BAD_IP;
			why = skip_frag(skb, off, proto, frag);
			if (why)
				return why;
			continue;
		default:
			return NONE;
		}
		if (n == MAX_EXT_HEADERS || !pskb_may_pull(skb, *off + 8))
			return BAD_IP;
		h = skb->data + *off;
		/* RFC 5095; others may only have arrived */
		if (*proto == NEXTHDR_ROUTING && (!h[2] || h[3]))
			return BAD_IP;
		*proto = h[0];
		*off += (h[1] + 1) * 8;
		if (*off > skb->len)
			return BAD_IP;
	}
}

/* A jumbogram, or a GSO packet of more than 64 kB, has length 0 and is refused: devices
 * do not send these unless they are told to (gso_max_size).
 */
static enum vrouter_drop_reason parse_ip6(struct vr_pkt *pkt)
{
	unsigned int off = sizeof(struct ipv6hdr), len;
	struct sk_buff *skb = pkt->skb;
	enum vrouter_drop_reason why;
	const struct ipv6hdr *ip;

	if (unlikely(!pskb_may_pull(skb, sizeof(*ip))))
		return BAD_IP;
	ip = (const struct ipv6hdr *)skb->data;
	len = sizeof(*ip) + ntohs(ip->payload_len);
	if (unlikely(ip->version != 6 || len > skb->len || len > U16_MAX))
		return BAD_IP;

	pkt->tuple.family = AF_INET6;
	pkt->tuple.proto = ip->nexthdr;
	pkt->tuple.src.v6 = ip->saddr;
	pkt->tuple.dst.v6 = ip->daddr;
	why = set_len(pkt, len);
	if (unlikely(why))
		return why;
	why = skip_ext(skb, &off, &pkt->tuple.proto, &pkt->frag);
	pkt->l4_off = off;
	return why;
}

/* --- the packet in an ICMP error ------------------------------------------- */

static int inner_ip4(struct vr_pkt *pkt, unsigned int off)
{
	const struct iphdr *ip;

	if (!pskb_may_pull(pkt->skb, off + sizeof(*ip)))
		return -1;
	ip = (const struct iphdr *)(pkt->skb->data + off);
	if (ip->version != 4 || ip->ihl < 5 || ip->frag_off & htons(IP_OFFSET))
		return -1;
	pkt->inner.proto = ip->protocol;
	pkt->inner.src.v4 = ip->saddr;
	pkt->inner.dst.v4 = ip->daddr;
	return off + ip->ihl * 4;
}

static int inner_ip6(struct vr_pkt *pkt, unsigned int off)
{
	u8 first = VR_FRAG_FIRST;	/* it has the ports, so a flow can be found */
	const struct ipv6hdr *ip;

	if (!pskb_may_pull(pkt->skb, off + sizeof(*ip)))
		return -1;
	ip = (const struct ipv6hdr *)(pkt->skb->data + off);
	if (ip->version != 6)
		return -1;
	pkt->inner.proto = ip->nexthdr;
	pkt->inner.src.v6 = ip->saddr;
	pkt->inner.dst.v6 = ip->daddr;
	off += sizeof(*ip);
	return skip_ext(pkt->skb, &off, &pkt->inner.proto, &first) ? -1 : off;
}

static bool is_echo(u8 proto, u8 type)
{
	return proto == IPPROTO_ICMP ? type == ICMP_ECHO || type == ICMP_ECHOREPLY :
	       type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY;
}

/* Of it at least the first eight octets behind the IP header are there (RFC 792).
 * pkt->inner says what its sender has sent, as far as its receiver, who is the
 * sender of the error, has seen it: after translation.
 */
static enum vrouter_drop_reason parse_inner(struct vr_pkt *pkt)
{
	unsigned int off = pkt->l4_off + sizeof(struct icmphdr);
	struct vr_tuple *t = &pkt->inner;
	const __be16 *l4;
	int l4_off;

	memset(t, 0, sizeof(*t));
	t->port = pkt->tuple.port;
	t->family = pkt->tuple.family;
	l4_off = t->family == AF_INET ? inner_ip4(pkt, off) : inner_ip6(pkt, off);
	if (l4_off < 0 || !pskb_may_pull(pkt->skb, l4_off + 8))
		return BAD_L4;
	pkt->inner_off = off;
	pkt->inner_l4_off = l4_off;

	l4 = (const __be16 *)(pkt->skb->data + l4_off);
	switch (t->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		t->sport = l4[0];
		t->dport = l4[1];
		return NONE;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if ((t->proto == IPPROTO_ICMP) != (t->family == AF_INET) ||
		    !is_echo(t->proto, *(const u8 *)l4))
			return BAD_L4;
		t->sport = l4[2];
		t->dport = l4[2];
		return NONE;
	}
	return BAD_L4;
}

/* --- transport ------------------------------------------------------------ */

static bool is_error(u8 proto, u8 type)
{
	if (proto == IPPROTO_ICMPV6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* Multicast listener and neighbour discovery: neigh.c's, whatever the addresses. */
static bool is_link_local(const struct vr_pkt *pkt)
{
	return pkt->tuple.proto == IPPROTO_ICMPV6 &&
	       ((pkt->icmp_type >= ICMPV6_MGM_QUERY && pkt->icmp_type <= NDISC_REDIRECT) ||
		pkt->icmp_type == ICMPV6_MLD2_REPORT);
}

static enum vrouter_drop_reason parse_icmp(struct vr_pkt *pkt)
{
	const struct icmphdr *icmp;

	if ((pkt->tuple.proto == IPPROTO_ICMP) != (pkt->tuple.family == AF_INET))
		return VROUTER_DROP_REASON_PROTOCOL;
	if (!pskb_may_pull(pkt->skb, pkt->l4_off + sizeof(*icmp)))
		return BAD_L4;
	icmp = (const struct icmphdr *)(pkt->skb->data + pkt->l4_off);
	pkt->icmp_type = icmp->type;
	pkt->icmp_code = icmp->code;
	if (is_echo(pkt->tuple.proto, icmp->type)) {
		pkt->tuple.sport = icmp->un.echo.id;
		pkt->tuple.dport = icmp->un.echo.id;
		return NONE;
	}
	if (is_error(pkt->tuple.proto, icmp->type)) {
		/* the quote might go on in the next one */
		if (pkt->frag == VR_FRAG_FIRST)
			return VROUTER_DROP_REASON_FRAGMENT;
		pkt->icmp_error = true;
		return parse_inner(pkt);
	}
	if (!is_link_local(pkt))
		return VROUTER_DROP_REASON_PROTOCOL;
	/* RFC 6980 */
	return pkt->frag ? VROUTER_DROP_REASON_BAD_ND : NONE;
}

static enum vrouter_drop_reason parse_tcp(struct vr_pkt *pkt)
{
	const struct tcphdr *th;

	if (unlikely(!pskb_may_pull(pkt->skb, pkt->l4_off + sizeof(*th))))
		return BAD_L4;
	th = (const struct tcphdr *)(pkt->skb->data + pkt->l4_off);
	if (unlikely(th->doff < 5 || !pskb_may_pull(pkt->skb, pkt->l4_off + th->doff * 4)))
		return BAD_L4;
	th = (const struct tcphdr *)(pkt->skb->data + pkt->l4_off);
	pkt->tuple.sport = th->source;
	pkt->tuple.dport = th->dest;
	pkt->tcp_flags = ((const u8 *)th)[13];
	return NONE;
}

static enum vrouter_drop_reason parse_udp(struct vr_pkt *pkt)
{
	const struct udphdr *uh;
	unsigned int len;

	if (unlikely(!pskb_may_pull(pkt->skb, pkt->l4_off + sizeof(*uh))))
		return BAD_L4;
	uh = (const struct udphdr *)(pkt->skb->data + pkt->l4_off);
	len = ntohs(uh->len);
	if (unlikely(len < sizeof(*uh) || len > pkt->tot_len - pkt->l4_off) &&
	    (pkt->frag != VR_FRAG_FIRST || len > pkt->whole_len - pkt->l4_off || len < sizeof(*uh)))
		return BAD_L4;
	pkt->tuple.sport = uh->source;
	pkt->tuple.dport = uh->dest;
	return NONE;
}

static enum vrouter_drop_reason parse_sctp(struct vr_pkt *pkt)
{
	const struct sctphdr *sh;

	if (unlikely(!pskb_may_pull(pkt->skb, pkt->l4_off + sizeof(*sh))))
		return BAD_L4;
	sh = (const struct sctphdr *)(pkt->skb->data + pkt->l4_off);
	pkt->tuple.sport = sh->source;
	pkt->tuple.dport = sh->dest;
	return NONE;
}

static enum vrouter_drop_reason parse_l4(struct vr_pkt *pkt)
{
	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
		return parse_tcp(pkt);
	case IPPROTO_UDP:
		return parse_udp(pkt);
	case IPPROTO_SCTP:
		return parse_sctp(pkt);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(pkt);
	}
	return VROUTER_DROP_REASON_PROTOCOL;
}

enum vrouter_drop_reason vr_parse(struct vr_pkt *pkt)
{
	bool ip4 = pkt->skb->protocol == htons(ETH_P_IP);
	struct vr_tuple *t = &pkt->tuple;
	enum vrouter_drop_reason why;

	memset(t, 0, sizeof(*t));
	t->port = pkt->vif->id;
	why = ip4 ? parse_ip4(pkt) : parse_ip6(pkt);
	if (unlikely(why))
		return why;
	why = parse_l4(pkt);
	if (unlikely(why))
		return why;
	/* what GSO sizes are counted from; a tap's user may have said nothing */
	skb_set_transport_header(pkt->skb, pkt->l4_off);
	if (likely(ip4))
		return check_ip4_addrs(t->src.v4, t->dst.v4);
	return is_link_local(pkt) ? NONE : check_ip6_addrs(&t->src.v6, &t->dst.v6);
}
