// SPDX-License-Identifier: GPL-2.0-only
/*
 * A datagram that the kernel put together, in fragments again: as large as its sender's
 * largest, so that what fits and who is told that it does not is the same as for any other
 * packet. For hooks behind the kernel's defragmentation (external.c).
 */

#include <linux/ip.h>
#include <linux/random.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "path.h"

#define NONE	VROUTER_DROP_REASON_NONE

/* Octets of the largest fragment that the datagram came in; 0: it was whole. */
static unsigned int largest(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? IPCB(skb)->frag_max_size :
						  IP6CB(skb)->frag_max_size;
}

bool vr_refrag_is_due(const struct sk_buff *skb)
{
	return unlikely(largest(skb)) && !skb_is_gso(skb);
}

/* What each fragment has in front: of the datagram, and in all. */
struct shape {
	unsigned int	head;		/* octets before what is cut */
	unsigned int	hdr;		/* the same, with the fragment header (IPv6) */
	unsigned int	step;		/* octets of payload in each but the last */
	unsigned int	next_at;	/* IPv6: where the type of what is cut is said */
	__be32		id;		/* IPv6 */
};

static enum vrouter_drop_reason measure(struct sk_buff *skb, struct shape *s)
{
	unsigned int most = largest(skb);
	u8 *next;
	int len;

	*s = (struct shape) {};
	if (skb->protocol == htons(ETH_P_IP)) {
		s->head = ip_hdrlen(skb);
		s->hdr = s->head;
	} else {
		len = ip6_find_1stfragopt(skb, &next);
		if (len < 0)
			return VROUTER_DROP_REASON_BAD_IP;
		s->head = len;
		s->hdr = s->head + sizeof(struct frag_hdr);
		s->next_at = next - skb_network_header(skb);
		/* RFC 7739: nobody can guess it; none of the kernel's own is exported any more */
		s->id = (__force __be32)(get_random_u32() ?: 1);
	}
	if (most < s->hdr + 8)
		return VROUTER_DROP_REASON_FRAGMENT;
	s->step = (most - s->hdr) & ~7U;
	if (DIV_ROUND_UP(skb->len - s->head, s->step) > VR_FRAG_MAX)
		return VROUTER_DROP_REASON_FRAGMENT_LIMIT;
	return NONE;
}

/* Options go with each fragment, those too that the first alone needs (RFC 791): they do no
 * harm there. DF is what the sender's largest fragment had.
 */
static void set_ip4(struct iphdr *ip, unsigned int off, unsigned int len, bool more)
{
	ip->tot_len = htons(ip->ihl * 4 + len);
	ip->frag_off &= htons(IP_DF);
	ip->frag_off |= htons(off / 8 | (more ? IP_MF : 0));
	ip_send_check(ip);
}

static void set_ip6(u8 *head, const struct shape *s, unsigned int off, unsigned int len, bool more)
{
	struct frag_hdr *h = (struct frag_hdr *)(head + s->head);

	*h = (struct frag_hdr) {
		.nexthdr = head[s->next_at],
		.frag_off = htons(off | (more ? IP6_MF : 0)),
		.identification = s->id,
	};
	head[s->next_at] = NEXTHDR_FRAGMENT;
	((struct ipv6hdr *)head)->payload_len = htons(s->hdr - sizeof(struct ipv6hdr) + len);
}

static struct sk_buff *cut(const struct sk_buff *skb, const struct shape *s, unsigned int off,
			   unsigned int len)
{
	unsigned int room = LL_MAX_HEADER;
	bool more = s->head + off + len < skb->len;
	struct sk_buff *f;
	u8 *head;

	f = alloc_skb(room + s->hdr + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!f)
		return NULL;
	skb_reserve(f, room);
	head = skb_put(f, s->hdr + len);
	if (skb_copy_bits(skb, 0, head, s->head) ||
	    skb_copy_bits(skb, s->head + off, head + s->hdr, len)) {
		kfree_skb(f);
		return NULL;
	}
	skb_reset_network_header(f);
	f->protocol = skb->protocol;
	f->pkt_type = skb->pkt_type;
	f->dev = skb->dev;
	f->skb_iif = skb->skb_iif;
	if (f->protocol == htons(ETH_P_IP))
		set_ip4((struct iphdr *)head, off, len, more);
	else
		set_ip6(head, s, off, len, more);
	vr_frag_set_place(f, off, len, s->hdr);
	return f;
}

enum vrouter_drop_reason vr_refrag(struct sk_buff *skb, struct sk_buff_head *list)
{
	enum vrouter_drop_reason why;
	unsigned int off, len;
	struct sk_buff *f;
	struct shape s;

	/* a checksum is over the datagram: nobody behind can add it to the first part */
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return VROUTER_DROP_REASON_NO_MEMORY;
	why = measure(skb, &s);
	if (why)
		return why;
	for (off = 0; s.head + off < skb->len; off += len) {
		len = min(s.step, skb->len - s.head - off);
		f = cut(skb, &s, off, len);
		if (!f) {
			__skb_queue_purge(list);
			return VROUTER_DROP_REASON_NO_MEMORY;
		}
		__skb_queue_tail(list, f);
	}
	return NONE;
}
