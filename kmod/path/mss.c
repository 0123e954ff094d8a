// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bound on the segments that a connection's ends ask each other for (RFC 9293, 3.7.1), for
 * networks where ICMP's "too big" gets lost on the way.
 */

#include <linux/tcp.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "path.h"

/* Of the option with the segment size: where its value is in the header, 0 = there is none. */
static unsigned int find_mss(const u8 *th, unsigned int len)
{
	unsigned int at = sizeof(struct tcphdr), size;

	while (at < len && th[at] != TCPOPT_EOL) {
		if (th[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		size = at + 1 < len ? th[at + 1] : 0;
		if (size < 2 || at + size > len)
			return 0;
		if (th[at] == TCPOPT_MSS)
			return size == TCPOLEN_MSS ? at + 2 : 0;
		at += size;
	}
	return 0;
}

void vr_bound_mss(struct vr_pkt *pkt)
{
	u32 most = READ_ONCE(pkt->vn->limits.tcp_mss);
	struct sk_buff *skb = pkt->skb;
	unsigned int len, at;
	struct tcphdr *th;
	u8 *value;
	u16 mss;

	if (likely(most == VR_TCP_MSS_ANY) || pkt->frag != VR_FRAG_NONE)
		return;
	th = (struct tcphdr *)(skb->data + pkt->l4_off);
	len = __tcp_hdrlen(th);
	if (len < sizeof(*th) || pkt->l4_off + len > pkt->tot_len ||
	    skb_ensure_writable(skb, pkt->l4_off + len))
		return;
	th = (struct tcphdr *)(skb->data + pkt->l4_off);
	at = find_mss((u8 *)th, len);
	if (!at)
		return;
	value = (u8 *)th + at;
	mss = value[0] << 8 | value[1];
	if (mss <= most)
		return;
	value[0] = most >> 8;
	value[1] = most;
	/* at an odd octet the sum has the two the other way round */
	inet_proto_csum_replace2(&th->check, skb, at & 1 ? htons(swab16(mss)) : htons(mss),
				 at & 1 ? htons(swab16(most)) : htons(most), false);
}
