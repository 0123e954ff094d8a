// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ICMP error belongs to the flow of the packet that it quotes. The sender of
 * the error has received that packet, so the mirror image of what is quoted is
 * a tuple of packets that enter by the sender's vif. The other end of the flow
 * gets the error, and has to find in it what it has sent: quote and outer
 * addresses are translated to its side.
 *
 * A pod only sends errors about what was sent to itself. Behind a tunnel or the node
 * there are routers, whose errors keep their source: traceroute shows it.
 */

#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>

#include "path.h"

/* What is being changed, and the checksums that go along. */
struct quote {
	u8		*l3, *l4;
	unsigned int	l4_len;		/* octets that are there */
	__sum16		*icmp;		/* the error's checksum: covers all of the quote */
	__sum16		*sum;		/* in the quoted header; NULL: none, cut off, SCTP */
};

/* A word of the quote, and of the quoted checksum when that covers it. */
static void set16(struct quote *q, __be16 *at, __be16 to, bool covered)
{
	__sum16 old;

	if (*at == to)
		return;
	if (q->sum && covered) {
		old = *q->sum;
		csum_replace2(q->sum, *at, to);
		csum_replace2(q->icmp, (__force __be16)old, (__force __be16)*q->sum);
	}
	csum_replace2(q->icmp, *at, to);
	*at = to;
}

static void set_addr(struct quote *q, void *at, const void *to, unsigned int len)
{
	__be16 *words = at;
	unsigned int i;

	for (i = 0; i < len / 2; i++)
		set16(q, &words[i], ((const __be16 *)to)[i], true);
}

static void set_addrs(struct quote *q, const struct vr_tuple *t)
{
	struct iphdr *ip = (struct iphdr *)q->l3;
	struct ipv6hdr *ip6 = (struct ipv6hdr *)q->l3;
	__sum16 sum;

	if (t->family == AF_INET6) {
		set_addr(q, &ip6->saddr, &t->src.v6, sizeof(ip6->saddr));
		set_addr(q, &ip6->daddr, &t->dst.v6, sizeof(ip6->daddr));
		return;
	}
	sum = ip->check;
	csum_replace4(&sum, ip->saddr, t->src.v4);
	csum_replace4(&sum, ip->daddr, t->dst.v4);
	set_addr(q, &ip->saddr, &t->src.v4, sizeof(ip->saddr));
	set_addr(q, &ip->daddr, &t->dst.v4, sizeof(ip->daddr));
	set16(q, (__be16 *)&ip->check, (__force __be16)sum, false);
}

/* The quoted transport checksum, if it is there and of the Internet's kind. */
static __sum16 *quoted_sum(const struct quote *q, u8 proto)
{
	unsigned int off;
	__sum16 *sum;

	switch (proto) {
	case IPPROTO_TCP:
		off = offsetof(struct tcphdr, check);
		break;
	case IPPROTO_UDP:
		off = offsetof(struct udphdr, check);
		break;
	case IPPROTO_ICMPV6:
		off = offsetof(struct icmp6hdr, icmp6_cksum);
		break;
	default:
		return NULL;
	}
	if (off + sizeof(*sum) > q->l4_len)
		return NULL;
	sum = (__sum16 *)(q->l4 + off);
	return proto == IPPROTO_UDP && !*sum ? NULL : sum;
}

/* Makes the quote what t says, all of it being linear and writable. */
static void translate_quote(struct vr_pkt *pkt, const struct vr_tuple *t)
{
	u8 *data = pkt->skb->data;
	struct quote q = {
		.l3 = data + pkt->inner_off,
		.l4 = data + pkt->inner_l4_off,
		.l4_len = pkt->tot_len - pkt->inner_l4_off,
		.icmp = &((struct icmphdr *)(data + pkt->l4_off))->checksum,
	};
	__be16 *ports = (__be16 *)q.l4;

	q.sum = quoted_sum(&q, t->proto);
	set_addrs(&q, t);
	if (vr_proto_is_icmp(t->proto)) {
		set16(&q, &ports[2], t->sport, true);	/* the identifier */
		return;
	}
	set16(&q, &ports[0], t->sport, true);
	set16(&q, &ports[1], t->dport, true);
	if (t->proto == IPPROTO_UDP && q.sum && !*q.sum) {
		q.sum = NULL;
		set16(&q, (__be16 *)(q.l4 + offsetof(struct udphdr, check)),
		      (__force __be16)CSUM_MANGLED_0, false);
	}
}

/* The whole header of the quote, with a transport checksum if there is one. An
 * unfinished or summed-up ICMP checksum is made a plain one; both are rare.
 */
static bool make_writable(struct vr_pkt *pkt)
{
	unsigned int len = min_t(unsigned int, pkt->tot_len,
				 pkt->inner_l4_off + sizeof(struct tcphdr));

	if (pkt->skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(pkt->skb))
		return false;
	pkt->skb->ip_summed = CHECKSUM_NONE;
	return !skb_ensure_writable(pkt->skb, len);
}

static bool is_of_router(const struct vr_pkt *pkt)
{
	return !vr_addr_eq(&pkt->tuple.src, &pkt->inner.dst);
}

/* Did the vif get the quoted packet to pass it on? That it did get it, its flow says. */
static bool was_passed_on(const struct vr_pkt *pkt)
{
	return !vr_vif_owns(pkt->conf, pkt->inner.family, &pkt->inner.dst);
}

static bool may_be_of_router(const struct vr_pkt *pkt)
{
	return pkt->vif->type == VROUTER_VIF_TYPE_TUNNEL ||
	       pkt->vif->type == VROUTER_VIF_TYPE_EXTERNAL ||
	       pkt->vif->type == VROUTER_VIF_TYPE_HOST || was_passed_on(pkt);
}

/* The flow, if the error comes from one of its ends, or from the way there, and goes to the
 * other.
 */
static struct vr_flow_side *find_flow(const struct vr_pkt *pkt)
{
	const struct vr_tuple received = vr_tuple_mirror(&pkt->inner);
	struct vr_flow_side *side;

	if (!vr_addr_eq(&pkt->tuple.dst, &pkt->inner.src) ||
	    (is_of_router(pkt) && !may_be_of_router(pkt)))
		return NULL;
	side = vr_flow_lookup_rcu(pkt->vn, &received);
	if (side && pkt->peer && pkt->peer != READ_ONCE(vr_flow_of(side)->nh[!side->dir]))
		return NULL;
	return side;
}

enum vrouter_drop_reason vr_icmp_error(struct vr_pkt *pkt, const struct vr_vif **sg_vif)
{
	const struct vr_nexthop *nh;
	enum vrouter_drop_reason why;
	struct vr_flow_side *side;
	struct vr_tuple t;
	struct vr_flow *f;

	side = find_flow(pkt);
	if (pkt->vif->type != VROUTER_VIF_TYPE_TUNNEL && !vr_source_is_own(pkt) &&
	    (!side || !was_passed_on(pkt)))
		return VROUTER_DROP_REASON_SPOOFED_IP;
	if (!side)
		return VROUTER_DROP_REASON_ICMP_NO_FLOW;
	f = vr_flow_of(side);
	if (READ_ONCE(f->gen) != pkt->gen) {
		why = vr_revalidate(pkt, f, side->dir, sg_vif);
		if (why)
			return why == VR_DECIDE_ANEW ? VROUTER_DROP_REASON_ICMP_NO_FLOW : why;
	}

	t = f->side[!side->dir].tuple;
	nh = READ_ONCE(f->nh[side->dir]);
	why = vr_fits(pkt, f->vif[!side->dir], nh, &f->side[!side->dir].tuple.src);
	if (why)
		return why;
	if (!make_writable(pkt))
		return VROUTER_DROP_REASON_NO_MEMORY;
	translate_quote(pkt, &t);
	/* the outer addresses are the mirror image of what that end sends, too */
	if (is_of_router(pkt))
		t.dst = pkt->tuple.src;
	why = vr_rewrite(pkt, &t);
	return why ?: vr_forward(pkt, f->vif[!side->dir], nh);
}
