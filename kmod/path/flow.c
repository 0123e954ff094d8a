// SPDX-License-Identifier: GPL-2.0-only
/* A packet of a flow that exists, and the making of one that does not. */

#include "path.h"

static void count_hit(const struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	u32 now = (u32)jiffies;

	WRITE_ONCE(f->side[dir].packets, f->side[dir].packets + 1);
	WRITE_ONCE(f->bytes[dir], f->bytes[dir] + pkt->tot_len);
	if (READ_ONCE(f->last_used) != now)
		WRITE_ONCE(f->last_used, now);
}

enum vrouter_drop_reason vr_flow_hit(struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	enum vrouter_drop_reason why;

	if (pkt->tuple.proto == IPPROTO_TCP) {
		why = vr_tcp_hit(pkt, f, dir);
		if (unlikely(why))
			return why;
	} else if (dir == VR_REPLY && READ_ONCE(f->state) == VROUTER_FLOW_STATE_NEW) {
		vr_flow_set_state(pkt->vn, f, VROUTER_FLOW_STATE_OPEN);
	}
	count_hit(pkt, f, dir);
	return 0;
}

/* What the responder's packets look like as they enter. */
static void reply_tuple(const struct vr_pkt *pkt, const struct vr_decision *d,
			struct vr_tuple *t)
{
	memset(t, 0, sizeof(*t));
	t->port = d->out ? d->out->id : 0;
	t->family = pkt->tuple.family;
	t->proto = pkt->tuple.proto;
	t->src = d->dst;
	t->sport = d->dport;
	/* A pod that reaches itself must answer to somebody else: the VIP. */
	t->dst = d->hairpin ? pkt->tuple.dst : pkt->tuple.src;
	t->dport = pkt->tuple.sport;
}

static void count_new(const struct vr_pkt *pkt, const struct vr_decision *d)
{
	int i;

	vr_count_flow(pkt->vif->counters);
	if (d->vip)
		vr_count_flow(d->vip->counters);
	if (d->member)
		vr_count_flow(d->member->counters);
	if (d->nh)
		vr_count_flow(d->nh->counters);
	for (i = 0; i < 2; i++)
		if (d->hit[i] && d->hit_index[i] >= 0)
			vr_ruleset_hit(d->hit[i], d->hit_index[i]);
}

enum vrouter_drop_reason vr_flow_new(struct vr_pkt *pkt, const struct vr_decision *d,
				     struct vr_flow **flow)
{
	enum vrouter_drop_reason why;
	struct vr_flow *f;
	int err;

	f = vr_flow_alloc(pkt->vn, pkt->vif, d->out, d->member, &why);
	if (!f)
		return why;
	f->gen = d->gen;
	f->vrf = pkt->conf->vrf->id;
	f->flags = d->vip ? VR_FLOW_VIP : 0;
	f->side[VR_ORIG].tuple = pkt->tuple;
	reply_tuple(pkt, d, &f->side[VR_REPLY].tuple);
	if (pkt->tuple.proto == IPPROTO_TCP) {
		why = vr_tcp_open(pkt, f);
		if (why) {
			vr_flow_discard(pkt->vn, f);
			return why;
		}
	}
	err = vr_flow_insert(pkt->vn, f);
	if (err == -EEXIST) {
		struct vr_flow_side *side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);

		/* Another CPU was first, or it is gone again: the sender will retry. */
		*flow = side ? vr_flow_of(side) : NULL;
		return side ? 0 : VROUTER_DROP_REASON_NO_MEMORY;
	}
	if (err)
		return err == -EADDRINUSE ? VROUTER_DROP_REASON_FLOW_CLASH
					  : VROUTER_DROP_REASON_NO_MEMORY;
	count_new(pkt, d);
	vr_event_flow(pkt->vn, f, false);
	*flow = f;
	return 0;
}
