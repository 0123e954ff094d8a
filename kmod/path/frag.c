// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fragments. A later one has no ports, so nothing can be said of it without the
 * first; and of the first nothing is said before the datagram is whole, or else a
 * part could pass of what is refused. When none is missing (table/frag_table.c), the
 * fragments go on in order, each as it was sent: the first as any packet does, and
 * then its tuple leads the others to the same flow.
 *
 * The core has given us one of them, and waits for a verdict on that one alone. So none
 * goes back by the verdict: what vr_forward() leaves to the core is done here.
 */

#include <linux/ip.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "path.h"

#define NONE		VROUTER_DROP_REASON_NONE
#define MALFORMED	VROUTER_DROP_REASON_FRAGMENT

/* --- what a fragment says ------------------------------------------------- */

/* Octets of the IP packet that the datagram would be. IPv6 counts those behind its header. */
static bool is_too_long(const struct vr_frag *f)
{
	u32 len = f->hdr + f->off + f->len;

	if (f->key.family == AF_INET6)
		len -= sizeof(struct ipv6hdr) + sizeof(struct frag_hdr);
	return len > U16_MAX;
}

/* What vr_parse() left off at. Malformed: f->bad. The transport's header has to be in the
 * first one alone (RFC 3128), of which only TCP's is long enough to be cut.
 */
static void read_frag(const struct vr_pkt *pkt, struct vr_frag *f)
{
	const struct vr_tuple *t = &pkt->tuple;
	const void *data = pkt->skb->data;
	u16 off;
	u8 proto;

	*f = (struct vr_frag) {
		.key = { .vif = pkt->vif->id, .family = t->family, .src = t->src, .dst = t->dst },
		.hdr = pkt->l4_off,
	};
	if (t->family == AF_INET) {
		const struct iphdr *ip = data;

		off = ntohs(ip->frag_off);
		f->off = (off & IP_OFFSET) * 8;
		f->more = off & IP_MF;
		f->key.id = (__force __be32)ip->id;
		f->key.proto = ip->protocol;
		proto = ip->protocol;
	} else {
		const struct frag_hdr *h = data + pkt->l4_off;

		off = ntohs(h->frag_off);
		f->off = off & IP6_OFFSET;
		f->more = off & IP6_MF;
		f->key.id = h->identification;
		f->hdr += sizeof(*h);
		proto = h->nexthdr;
	}
	f->len = pkt->tot_len - f->hdr;
	if (!f->len || (f->more && f->len % 8) || is_too_long(f) || skb_is_gso(pkt->skb) ||
	    (f->off && f->off < sizeof(struct tcphdr) && proto == IPPROTO_TCP))
		f->bad = MALFORMED;
}

static enum vrouter_drop_reason parse_first(struct vr_pkt *pkt, unsigned int whole_len)
{
	pkt->frag = VR_FRAG_FIRST;
	pkt->whole_len = whole_len;
	return vr_parse(pkt);
}

/* All of the transport header has to be in it (RFC 1858, 7112). How long the datagram is will
 * be known later.
 */
static enum vrouter_drop_reason check_first(struct vr_pkt *pkt)
{
	enum vrouter_drop_reason why = parse_first(pkt, U16_MAX);

	return why == VROUTER_DROP_REASON_BAD_IP || why == VROUTER_DROP_REASON_BAD_L4 ?
	       MALFORMED : why;
}

/* --- what is done with them ------------------------------------------------ */

static DEFINE_PER_CPU(struct sk_buff *, passing);

/* The only other ones of this type are the node's own, looped back. */
bool vr_frag_passes(struct sk_buff *skb)
{
	if (this_cpu_read(passing) != skb)
		return false;
	this_cpu_write(passing, NULL);
	return true;
}

/* To the node's stack by way of the device, whose rx handler lets it pass. Not by a queue:
 * from there it might come back on another CPU.
 */
static void pass_up(struct sk_buff *skb)
{
	skb->pkt_type = PACKET_LOOPBACK;
	vr_skb_skip_taps(skb);
	this_cpu_write(passing, skb);
	netif_receive_skb_core(skb);
	this_cpu_write(passing, NULL);	/* it may not have come that far */
}

/* As the core would have with the verdict of an rx handler. In the queue they keep their
 * order. What entered elsewhere has been handed over already.
 */
static void carry_out(const struct vr_pkt *pkt)
{
	if (pkt->verdict == RX_HANDLER_ANOTHER)
		netif_rx(pkt->skb);
	else if (pkt->verdict == RX_HANDLER_PASS)
		pass_up(pkt->skb);
}

/* One of the fragments, which enter together with the last to arrive: so are judged as that
 * is, by what is configured now.
 */
static void take_next(struct vr_pkt *f, struct net_device *dev, struct sk_buff_head *list)
{
	f->skb = __skb_dequeue(list);
	f->skb->dev = dev;
	f->tot_len = f->skb->len;
	f->l4_off = vr_frag_hdr(f->skb);
	f->verdict = RX_HANDLER_CONSUMED;
}

void vr_frag_send(const struct vr_pkt *last, struct net_device *dev,
		  const struct vr_frag_key *key, struct sk_buff_head *list)
{
	unsigned int end = vr_frag_end(skb_peek_tail(list));
	enum vrouter_drop_reason why;
	struct vr_pkt f = *last;

	f.dropped = NONE;
	take_next(&f, dev, list);
	why = parse_first(&f, f.l4_off + end);
	if (why)
		vr_drop(&f, why, NULL);
	else
		vr_input(&f);
	if (f.dropped) {
		vr_frag_drop(f.vn, f.vif, key, list, f.dropped);
		return;
	}
	carry_out(&f);

	f.frag = VR_FRAG_LATER;
	while (!skb_queue_empty(list)) {
		take_next(&f, dev, list);
		vr_input_later(&f);
		carry_out(&f);
	}
}

void vr_frag_drop(struct vr_net *vn, struct vr_vif *vif, const struct vr_frag_key *key,
		  struct sk_buff_head *list, enum vrouter_drop_reason why)
{
	struct vr_pkt pkt = {
		.vn = vn, .vif = vif,
		.tuple = {
			.port = key->vif, .family = key->family, .proto = key->proto,
			.src = key->src, .dst = key->dst,
		},
	};

	local_bh_disable();
	while ((pkt.skb = __skb_dequeue(list)))
		vr_drop(&pkt, why, NULL);
	local_bh_enable();
}

void vr_frag_input(struct vr_pkt *pkt)
{
	struct net_device *dev = pkt->skb->dev;
	enum vrouter_drop_reason why;
	struct sk_buff_head list;
	struct vr_frag f;

	/* before it can take memory, or spoil another's datagram */
	why = vr_check_source(pkt);
	if (why) {
		vr_drop(pkt, why, NULL);
		return;
	}
	read_frag(pkt, &f);
	if (!f.bad && !f.off)
		f.bad = check_first(pkt);
	__skb_queue_head_init(&list);
	why = vr_frag_add(pkt->vn, pkt->vif, &f, pkt->skb, &list);
	if (why)
		vr_frag_drop(pkt->vn, pkt->vif, &f.key, &list, why);
	else if (!skb_queue_empty(&list))
		vr_frag_send(pkt, dev, &f.key, &list);
}
