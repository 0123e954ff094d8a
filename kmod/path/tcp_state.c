// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP as far as a router has to know it: may the connection still carry data, and
 * is a reset the peer's (RFC 9293, RFC 5961). Data outside of windows is the
 * ends' own business: both ends are known by interface and address, so nobody
 * else can send into a connection.
 *
 * States: NEW (SYN), SYN_RECV (SYN answered), ESTABLISHED, HALF_CLOSED (one FIN),
 * CLOSED (both, or a valid RST).
 *
 * What the node's own stack sends does not pass here. A flow to the node
 * (vif[VR_REPLY] is NULL) is followed by what its opener sends.
 */

#include <linux/tcp.h>
#include <net/tcp.h>

#include "path.h"

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define ACK	0x10

#define NONE	VROUTER_DROP_REASON_NONE
#define NEW	VROUTER_FLOW_STATE_NEW
#define RECV	VROUTER_FLOW_STATE_SYN_RECV
#define ESTAB	VROUTER_FLOW_STATE_ESTABLISHED
#define HALF	VROUTER_FLOW_STATE_HALF_CLOSED
#define CLOSED	VROUTER_FLOW_STATE_CLOSED

/* vr_tcp_side::flags */
#define SENT_SYN	BIT(0)
#define SENT_FIN	BIT(1)
#define HAS_WSCALE	BIT(2)	/* its SYN offered a window scale */

struct segment {
	const struct tcphdr	*th;
	u32			seq, ack;
	u32			end;	/* number after it, with SYN and FIN counted */
	u8			flags;	/* FIN, SYN, RST, ACK only */
	bool			empty;	/* no data */
};

static void read_segment(const struct vr_pkt *pkt, struct segment *s)
{
	const struct tcphdr *th = (const struct tcphdr *)(pkt->skb->data + pkt->l4_off);
	u32 len = pkt->tot_len - pkt->l4_off - th->doff * 4;

	s->th = th;
	s->flags = pkt->tcp_flags & (FIN | SYN | RST | ACK);
	s->seq = ntohl(th->seq);
	s->ack = ntohl(th->ack_seq);
	s->end = s->seq + len + th->syn + th->fin;
	s->empty = !len;
}

/* Does RFC 9293 know such a segment? PSH, URG and those of ECN go with any. */
static bool is_sane(u8 flags)
{
	switch (flags) {
	case SYN:
	case SYN | ACK:
	case RST:
	case RST | ACK:
	case FIN | ACK:
	case ACK:
		return true;
	}
	return false;
}

/* RFC 7323. -1: none offered. */
static int window_scale(const struct tcphdr *th)
{
	const u8 *opt = (const u8 *)(th + 1);
	unsigned int len = th->doff * 4 - sizeof(*th), i = 0;

	while (i < len && opt[i] != TCPOPT_EOL) {
		if (opt[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 == len || opt[i + 1] < 2 || opt[i + 1] > len - i)
			return -1;
		if (opt[i] == TCPOPT_WINDOW && opt[i + 1] == TCPOLEN_WINDOW)
			return min_t(u8, opt[i + 2], TCP_MAX_WSCALE);
		i += opt[i + 1];
	}
	return -1;
}

/* --- what a side has said ------------------------------------------------- */

/* Its SYN: all anew. The peer has acknowledged nothing of it yet. */
static void learn_syn(struct vr_flow *f, int dir, const struct segment *s)
{
	struct vr_tcp_side *own = &f->tcp[dir], *peer = &f->tcp[!dir];
	int scale = window_scale(s->th);

	WRITE_ONCE(own->end, s->end);
	WRITE_ONCE(own->win, ntohs(s->th->window));
	WRITE_ONCE(own->wscale, scale < 0 ? 0 : scale);
	WRITE_ONCE(own->flags, SENT_SYN | (scale < 0 ? 0 : HAS_WSCALE));
	WRITE_ONCE(peer->ack, s->seq);
	if (s->flags & ACK)
		WRITE_ONCE(own->ack, s->ack);
}

/* Any other segment. Windows are scaled if both SYNs said so. */
static void learn(struct vr_flow *f, int dir, const struct segment *s)
{
	struct vr_tcp_side *own = &f->tcp[dir];
	bool scaled = own->flags & f->tcp[!dir].flags & HAS_WSCALE;
	u32 win = (u32)ntohs(s->th->window) << (scaled ? own->wscale : 0);

	if (after(s->end, READ_ONCE(own->end)))
		WRITE_ONCE(own->end, s->end);
	if (after(s->ack, READ_ONCE(own->ack)))
		WRITE_ONCE(own->ack, s->ack);
	if (READ_ONCE(own->win) != win)
		WRITE_ONCE(own->win, win);
}

/* --- reset ---------------------------------------------------------------- */

/* To a SYN an RST answers by acknowledging it (RFC 9293, 3.10.7.3). */
static bool refuses_syn(const struct vr_flow *f, const struct segment *s)
{
	return s->flags & ACK && after(s->ack, READ_ONCE(f->tcp[VR_REPLY].ack)) &&
	       !after(s->ack, READ_ONCE(f->tcp[VR_ORIG].end));
}

/* RFC 5961, 3.2. The number that the receiver expects next is what it acknowledged
 * last, or, if its acknowledgment is still to come, the end of all that the
 * sender has sent. Elsewhere in the window the receiver will challenge it, and
 * it is for the answer to that to close the flow.
 */
static enum vrouter_drop_reason reset(const struct vr_pkt *pkt, struct vr_flow *f, int dir,
				      const struct segment *s, u8 state)
{
	const struct vr_tcp_side *own = &f->tcp[dir], *peer = &f->tcp[!dir];
	bool blind = !f->vif[VR_REPLY];

	if (state == NEW && dir == VR_REPLY) {
		if (!refuses_syn(f, s))
			return VROUTER_DROP_REASON_TCP_RST;
	} else if (s->seq != READ_ONCE(peer->ack) && s->seq != READ_ONCE(own->end)) {
		if (blind || s->seq - READ_ONCE(peer->ack) < READ_ONCE(peer->win))
			return NONE;
		return VROUTER_DROP_REASON_TCP_RST;
	}
	vr_flow_move_state(pkt->vn, f, state, CLOSED);
	return NONE;
}

/* --- states --------------------------------------------------------------- */

/* The opener has sent its SYN, the responder nothing yet. */
static enum vrouter_drop_reason in_new(const struct vr_pkt *pkt, struct vr_flow *f, int dir,
				       const struct segment *s)
{
	if (s->flags == SYN || (s->flags == (SYN | ACK) && dir == VR_REPLY)) {
		learn_syn(f, dir, s);
		if (dir == VR_REPLY)	/* without ACK both ends have opened at once */
			vr_flow_move_state(pkt->vn, f, NEW, RECV);
		return NONE;
	}
	if (dir == VR_ORIG && !f->vif[VR_REPLY] && s->flags & ACK) {
		learn(f, dir, s);
		vr_flow_move_state(pkt->vn, f, NEW, ESTAB);
		return NONE;
	}
	/* The responder holds an older connection of these ports and says so by an ACK that
	 * does not fit. The opener will reset that by the number acknowledged there.
	 */
	if (dir == VR_REPLY && s->flags == ACK && s->empty && !refuses_syn(f, s)) {
		WRITE_ONCE(f->tcp[VR_REPLY].ack, s->ack);
		return NONE;
	}
	return VROUTER_DROP_REASON_TCP_STATE;
}

/* The opener's SYN was answered, by one with ACK or (both opened at once) without. */
static enum vrouter_drop_reason in_recv(const struct vr_pkt *pkt, struct vr_flow *f, int dir,
					const struct segment *s)
{
	if (s->flags & SYN) {
		if (dir == VR_REPLY)
			learn_syn(f, dir, s);
		else if (s->flags & ACK)
			learn(f, dir, s);
		return NONE;
	}
	/* the responder may send data before (RFC 7413) */
	if (dir == VR_ORIG)
		vr_flow_move_state(pkt->vn, f, RECV, ESTAB);
	return NONE;
}

/* A FIN counts where the peer can take it; one that is behind its window is not real. */
static void fin(const struct vr_pkt *pkt, struct vr_flow *f, int dir, const struct segment *s,
		u8 state)
{
	struct vr_tcp_side *own = &f->tcp[dir], *peer = &f->tcp[!dir];

	if (own->flags & SENT_FIN)
		return;
	if (f->vif[VR_REPLY] && after(s->seq, READ_ONCE(peer->ack) + READ_ONCE(peer->win)))
		return;
	WRITE_ONCE(own->flags, own->flags | SENT_FIN);
	vr_flow_move_state(pkt->vn, f, state,
			   READ_ONCE(peer->flags) & SENT_FIN ? CLOSED : HALF);
}

/* Between both SYNs and the end. A SYN here is the ends' to challenge (RFC 5961, 4) and
 * tells nothing of the connection.
 */
static enum vrouter_drop_reason in_open(const struct vr_pkt *pkt, struct vr_flow *f, int dir,
					const struct segment *s)
{
	u8 state = READ_ONCE(f->state);

	if (s->flags & SYN)
		return NONE;
	if (s->flags & FIN && state != CLOSED)
		fin(pkt, f, dir, s, state);
	learn(f, dir, s);
	return NONE;
}

/* --- what others call ----------------------------------------------------- */

bool vr_tcp_is_syn(const struct vr_pkt *pkt)
{
	return (pkt->tcp_flags & (FIN | SYN | RST | ACK)) == SYN;
}

bool vr_tcp_reopens(const struct vr_pkt *pkt, const struct vr_flow *f)
{
	return vr_tcp_is_syn(pkt) && READ_ONCE(f->state) == CLOSED;
}

enum vrouter_drop_reason vr_tcp_open(const struct vr_pkt *pkt, struct vr_flow *f)
{
	struct segment s;

	if (!vr_tcp_is_syn(pkt))
		return is_sane(pkt->tcp_flags & (FIN | SYN | RST | ACK)) ?
		       VROUTER_DROP_REASON_TCP_NO_FLOW : VROUTER_DROP_REASON_TCP_STATE;
	if (!f)
		return NONE;
	read_segment(pkt, &s);
	learn_syn(f, VR_ORIG, &s);
	return NONE;
}

enum vrouter_drop_reason vr_tcp_hit(const struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	u8 state = READ_ONCE(f->state);
	enum vrouter_drop_reason why;
	struct segment s;

	read_segment(pkt, &s);
	if (likely(s.flags == ACK && state == ESTAB)) {
		learn(f, dir, &s);
		return NONE;
	}
	if (!is_sane(s.flags))
		return VROUTER_DROP_REASON_TCP_STATE;
	if (s.flags & RST)
		return reset(pkt, f, dir, &s, state);

	switch (state) {
	case NEW:
		return in_new(pkt, f, dir, &s);
	case RECV:
		why = in_recv(pkt, f, dir, &s);
		return why || s.flags & SYN ? why : in_open(pkt, f, dir, &s);
	case CLOSED:
		if (s.flags == SYN && dir == VR_ORIG) {
			learn_syn(f, dir, &s);
			vr_flow_move_state(pkt->vn, f, CLOSED, NEW);
			return NONE;
		}
	}
	return in_open(pkt, f, dir, &s);
}
