// SPDX-License-Identifier: GPL-2.0-only
/* The pipeline: a packet that was parsed, to where it ends. */

#include "path.h"

/* The gateway's own answers to what cannot go on. */
static void answer(struct vr_pkt *pkt, const struct vr_decision *d)
{
	if (d->reason == VROUTER_DROP_REASON_NO_MEMBER)
		vr_answer_refused(pkt);
}

static enum vrouter_drop_reason send_on(struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	enum vrouter_drop_reason why;

	why = vr_check_mtu(pkt, f->vif[!dir]);
	if (likely(!why))
		why = vr_rewrite(pkt, &f->side[!dir].tuple);
	if (unlikely(why))
		return why;
	if (f->member) {
		if (dir == VR_ORIG)
			vr_count_rx(f->member->counters, pkt->tot_len);
		else
			vr_count_tx(f->member->counters, pkt->tot_len);
	}
	return vr_forward(pkt, f->vif[!dir]);
}

static enum vrouter_drop_reason miss(struct vr_pkt *pkt, struct vr_decision *d)
{
	enum vrouter_drop_reason why;
	struct vr_flow *f;

	vr_net_count(pkt->vn, misses);
	d->gen = vr_net_gen(pkt->vn);
	vr_decide(pkt, d, NULL);
	if (d->reason) {
		answer(pkt, d);
		return d->reason;
	}
	if (d->to_gateway) {
		vr_answer_echo(pkt);
		consume_skb(pkt->skb);
		return 0;
	}
	why = vr_flow_new(pkt, d, &f);
	if (why)
		return why;
	if (d->vip && READ_ONCE(d->vip->affinity_timeout))
		vr_affinity_set(pkt->vn, d->vip, &pkt->tuple.src, f->member);
	why = vr_flow_hit(pkt, f, VR_ORIG);
	return why ?: send_on(pkt, f, VR_ORIG);
}

static enum vrouter_drop_reason hit(struct vr_pkt *pkt, struct vr_flow_side *side,
				    struct vr_decision *d, bool *again)
{
	struct vr_flow *f = vr_flow_of(side);
	enum vrouter_drop_reason why;
	int dir = side->dir;

	*again = false;
	if (unlikely(vr_tcp_reopens(pkt, f, dir))) {
		/* A new connection with the ports of one that is over. */
		vr_flow_kill(pkt->vn, f);
		*again = true;
		return 0;
	}
	if (unlikely(READ_ONCE(f->gen) != vr_net_gen(pkt->vn))) {
		why = vr_revalidate(pkt, f, dir, d, again);
		if (why || *again)
			return why;
	}
	why = vr_flow_hit(pkt, f, dir);
	return unlikely(why) ? why : send_on(pkt, f, dir);
}

void vr_input(struct vr_pkt *pkt)
{
	struct vr_decision d = {};
	enum vrouter_drop_reason why;
	struct vr_flow_side *side;
	bool again = true;

	if (unlikely(pkt->icmp_error)) {
		why = vr_icmp_error(pkt);
	} else {
		side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);
		if (likely(side)) {
			vr_net_count(pkt->vn, hits);
			why = hit(pkt, side, &d, &again);
		} else {
			why = 0;
		}
		if (unlikely(!why && again))
			why = miss(pkt, &d);
	}
	if (unlikely(why))
		vr_drop(pkt, why, d.sg_vif);
}
