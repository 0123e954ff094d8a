// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pipeline of a packet that was parsed:
 *
 *	flow found -> still right? -> its state -.
 *	                                          >- fits? -> rewrite -> forward
 *	no flow    -> decide -> make one --------'
 */

#include <net/tcp.h>

#include "path.h"

static __always_inline enum vrouter_drop_reason
send_by(struct vr_pkt *pkt, const struct vr_flow_side *side,
	enum vrouter_drop_reason (*rewrite)(struct vr_pkt *pkt, const struct vr_tuple *to))
{
	const struct vr_flow_side *other = &vr_flow_of(side)->side[!side->dir];
	const struct vr_nexthop *nh = READ_ONCE(vr_flow_of(side)->nh[side->dir]);
	struct vr_vif *out = vr_flow_of(side)->vif[!side->dir];
	enum vrouter_drop_reason why;

	why = vr_fits(pkt, out, nh, &other->tuple.src);
	if (unlikely(why))
		return why;
	if (unlikely(pkt->tcp_flags & TCPHDR_SYN))
		vr_bound_mss(pkt);
	why = rewrite(pkt, &other->tuple);
	if (unlikely(why)) {
		if (why == VROUTER_DROP_REASON_TTL)
			vr_answer_time_exceeded(pkt);
		return why;
	}
	return vr_forward(pkt, out, nh);
}

static enum vrouter_drop_reason send_on(struct vr_pkt *pkt, const struct vr_flow_side *side)
{
	return send_by(pkt, side, vr_rewrite);
}

/* A packet of a flow, to where that leads. */
static enum vrouter_drop_reason hit(struct vr_pkt *pkt, struct vr_flow_side *side,
				    const struct vr_vif **sg_vif)
{
	struct vr_flow *f = vr_flow_of(side);
	enum vrouter_drop_reason why;
	int dir = side->dir;

	if (unlikely(READ_ONCE(f->gen) != pkt->gen)) {
		why = vr_revalidate(pkt, f, dir, sg_vif);
		if (why)
			return why;
	}
	/* by a tunnel only from where its own packets lead */
	if (unlikely(pkt->peer && pkt->peer != READ_ONCE(f->nh[!dir])))
		return VROUTER_DROP_REASON_SPOOFED_PEER;
	why = vr_flow_hit(pkt, f, dir);
	if (unlikely(why))
		return why;
	vr_net_count(pkt->vn, hits);
	return send_on(pkt, side);
}

/* A packet of no flow. */
static noinline enum vrouter_drop_reason miss(struct vr_pkt *pkt, const struct vr_vif **sg_vif)
{
	enum vrouter_drop_reason why;
	struct vr_decision d = {};
	struct vr_flow_side *side;

	vr_net_count(pkt->vn, misses);
	vr_decide(pkt, &d, NULL);
	if (d.reason) {
		if (d.refuse)
			vr_answer_refused(pkt);
		*sg_vif = d.sg_vif;
		return d.reason;
	}
	if (d.to_gateway) {
		/* it would have to be put together for an answer */
		if (pkt->frag == VR_FRAG_FIRST)
			return VROUTER_DROP_REASON_GATEWAY;
		vr_answer_echo(pkt);
		consume_skb(pkt->skb);
		return VROUTER_DROP_REASON_NONE;
	}
	why = vr_flow_new(pkt, &d, &side);
	/* Its member is gone and the flow with it: the client should not wait. */
	if (d.vip && why == VROUTER_DROP_REASON_TCP_NO_FLOW)
		vr_answer_refused(pkt);
	return why ?: send_on(pkt, side);
}

void vr_input(struct vr_pkt *pkt)
{
	const struct vr_vif *sg_vif = NULL;
	enum vrouter_drop_reason why;
	struct vr_flow_side *side;

	if (unlikely(pkt->icmp_error)) {
		why = vr_icmp_error(pkt, &sg_vif);
	} else {
		side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);
		why = likely(side) ? hit(pkt, side, &sg_vif) : VR_DECIDE_ANEW;
		if (why == VR_DECIDE_ANEW)
			why = miss(pkt, &sg_vif);
	}
	if (unlikely(why))
		vr_drop(pkt, why, sg_vif);
}

/* What let the first one pass, lets this pass; only its flow may have ended meanwhile. */
void vr_input_later(struct vr_pkt *pkt)
{
	struct vr_flow_side *side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);
	enum vrouter_drop_reason why = VROUTER_DROP_REASON_FRAGMENT;

	if (likely(side)) {
		vr_flow_later(pkt, vr_flow_of(side), side->dir);
		vr_net_count(pkt->vn, hits);
		why = send_by(pkt, side, vr_rewrite_later);
	}
	if (unlikely(why))
		vr_drop(pkt, why, NULL);
}
