// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP's state in a flow (RFC 9293), as far as a router must know it: whether the
 * connection may still carry data, and whether a reset is real (RFC 5961).
 * Windows of data are the end points' business.
 */

#include <linux/tcp.h>
#include <net/tcp.h>

#include "path.h"

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define ACK	0x10

#define SEEN_FIN	BIT(0)	/* vr_tcp_side::flags */

static const struct tcphdr *header(const struct vr_pkt *pkt)
{
	return (const struct tcphdr *)(pkt->skb->data + pkt->l4_off);
}

static bool flags_ok(u8 flags)
{
	if ((flags & SYN) && (flags & (FIN | RST)))
		return false;
	if ((flags & RST) && (flags & FIN))
		return false;
	return flags & (SYN | RST | ACK);
}

/* Sequence number after the segment. */
static u32 segment_end(const struct vr_pkt *pkt, const struct tcphdr *th)
{
	u32 len = pkt->tot_len - pkt->l4_off - th->doff * 4;

	return ntohl(th->seq) + len + th->syn + th->fin;
}

static u8 window_scale(const struct tcphdr *th)
{
	const u8 *opt = (const u8 *)(th + 1);
	unsigned int len = th->doff * 4 - sizeof(*th), i = 0;

	while (i < len && opt[i] != TCPOPT_EOL) {
		if (opt[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len || opt[i + 1] < 2 || i + opt[i + 1] > len)
			break;
		if (opt[i] == TCPOPT_WINDOW && opt[i + 1] == TCPOLEN_WINDOW)
			return min_t(u8, opt[i + 2], TCP_MAX_WSCALE);
		i += opt[i + 1];
	}
	return 0;
}

bool vr_tcp_is_syn(const struct vr_pkt *pkt)
{
	return (pkt->tcp_flags & (SYN | ACK | RST | FIN)) == SYN;
}

bool vr_tcp_reopens(const struct vr_pkt *pkt, const struct vr_flow *f, int dir)
{
	return pkt->tuple.proto == IPPROTO_TCP && dir == VR_ORIG && vr_tcp_is_syn(pkt) &&
	       READ_ONCE(f->state) == VROUTER_FLOW_STATE_CLOSED;
}

/* What a segment tells of its sender. Writes only what changed. */
static void learn(const struct vr_pkt *pkt, struct vr_tcp_side *s)
{
	const struct tcphdr *th = header(pkt);
	u32 end = segment_end(pkt, th), ack = ntohl(th->ack_seq);
	u32 win = (u32)ntohs(th->window) << (th->syn ? 0 : s->wscale);

	if (th->syn)
		s->wscale = window_scale(th);
	if (th->syn || (s32)(end - READ_ONCE(s->end)) > 0)
		WRITE_ONCE(s->end, end);
	if (th->ack && READ_ONCE(s->ack) != ack)
		WRITE_ONCE(s->ack, ack);
	if (READ_ONCE(s->win) != win)
		WRITE_ONCE(s->win, win);
}

enum vrouter_drop_reason vr_tcp_open(const struct vr_pkt *pkt, struct vr_flow *f)
{
	if (!flags_ok(pkt->tcp_flags))
		return VROUTER_DROP_REASON_TCP_STATE;
	if ((pkt->tcp_flags & (SYN | ACK)) != SYN)
		return VROUTER_DROP_REASON_TCP_NO_FLOW;
	learn(pkt, &f->tcp[VR_ORIG]);
	return 0;
}

/* RFC 5961, 3.2: exactly what is expected next closes; elsewhere in the window it
 * is for the end point to challenge; outside it is forged or old.
 */
static enum vrouter_drop_reason reset(const struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	const struct vr_tcp_side *peer = &f->tcp[!dir], *own = &f->tcp[dir];
	const struct tcphdr *th = header(pkt);
	u32 seq = ntohl(th->seq), next = READ_ONCE(peer->ack);
	u8 state = READ_ONCE(f->state);

	/* To a SYN: it is the acknowledgement that must fit. */
	if (dir == VR_REPLY && state == VROUTER_FLOW_STATE_NEW) {
		if (!th->ack || ntohl(th->ack_seq) != READ_ONCE(peer->end))
			return VROUTER_DROP_REASON_TCP_RST;
		vr_flow_set_state(pkt->vn, f, VROUTER_FLOW_STATE_CLOSED);
		return 0;
	}
	/* The peer has acknowledged nothing yet: what the sender itself sent last. */
	if (state == VROUTER_FLOW_STATE_NEW)
		next = READ_ONCE(own->end);
	if (seq == next || seq == READ_ONCE(own->end)) {
		vr_flow_set_state(pkt->vn, f, VROUTER_FLOW_STATE_CLOSED);
		return 0;
	}
	if (seq - next < max(READ_ONCE(peer->win), 1U))
		return 0;
	return VROUTER_DROP_REASON_TCP_RST;
}

/* The state after a segment; the same as before for nearly all of them. */
static u8 next_state(const struct vr_flow *f, u8 state, u8 flags, int dir)
{
	switch (state) {
	case VROUTER_FLOW_STATE_NEW:
		if (dir == VR_REPLY && (flags & SYN))
			return VROUTER_FLOW_STATE_SYN_RECV;
		return state;
	case VROUTER_FLOW_STATE_SYN_RECV:
		if ((flags & ACK) && !(flags & SYN))
			return flags & FIN ? VROUTER_FLOW_STATE_HALF_CLOSED
					   : VROUTER_FLOW_STATE_ESTABLISHED;
		return state;
	case VROUTER_FLOW_STATE_ESTABLISHED:
		return flags & FIN ? VROUTER_FLOW_STATE_HALF_CLOSED : state;
	case VROUTER_FLOW_STATE_HALF_CLOSED:
		if ((flags & FIN) && (f->tcp[!dir].flags & SEEN_FIN))
			return VROUTER_FLOW_STATE_CLOSED;
		return state;
	}
	return state;
}

static enum vrouter_drop_reason fits(const struct vr_flow *f, u8 state, u8 flags, int dir)
{
	if (!flags_ok(flags))
		return VROUTER_DROP_REASON_TCP_STATE;
	if (state == VROUTER_FLOW_STATE_NEW) {
		/* Before the answer only the SYN is sent again. */
		if (dir == VR_ORIG)
			return (flags & (SYN | ACK)) == SYN ? 0 : VROUTER_DROP_REASON_TCP_STATE;
		return flags & SYN ? 0 : VROUTER_DROP_REASON_TCP_STATE;
	}
	return 0;
}

enum vrouter_drop_reason vr_tcp_hit(const struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	u8 state = READ_ONCE(f->state), flags = pkt->tcp_flags, next;
	enum vrouter_drop_reason why;

	if (unlikely((flags & RST) && flags_ok(flags)))
		return reset(pkt, f, dir);
	if (unlikely((flags & (SYN | FIN)) || state != VROUTER_FLOW_STATE_ESTABLISHED ||
		     !(flags & ACK))) {
		why = fits(f, state, flags, dir);
		if (why)
			return why;
		next = next_state(f, state, flags, dir);
		if (flags & FIN)
			f->tcp[dir].flags |= SEEN_FIN;
		if (next != state)
			vr_flow_set_state(pkt->vn, f, next);
	}
	learn(pkt, &f->tcp[dir]);
	return 0;
}
