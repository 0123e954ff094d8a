// SPDX-License-Identifier: GPL-2.0-only
/*
 * Security groups: the sender's on what it sends, the receiver's on what it gets,
 * both on the packet after translation.
 */

#include "path.h"

static u16 query_port(const struct vr_pkt *pkt, const struct vr_decision *d)
{
	if (pkt->tuple.proto == IPPROTO_ICMP || pkt->tuple.proto == IPPROTO_ICMPV6)
		return pkt->icmp_type << 8 | pkt->icmp_code;
	return ntohs(d->dport);
}

/* The groups of one vif on a packet in one direction. */
static bool allowed(const struct vr_vif_conf *conf, const struct vr_sg_query *q,
		    struct vr_decision *d)
{
	unsigned int i;

	for (i = 0; i < conf->n_sgs; i++) {
		struct vr_ruleset *rs = rcu_dereference(conf->sgs[i]->rules);
		int rule = vr_ruleset_match(rs, q);

		if (rule < 0)
			continue;
		d->hit[q->direction] = rs;
		d->hit_index[q->direction] = rule;
		d->hit_sg[q->direction] = conf->sg_ids[i];
		return true;
	}
	return false;
}

static void tell(struct vr_trace *t, u8 stage, const struct vr_vif *vif,
		 const struct vr_vif_conf *conf, const struct vr_decision *d, int direction,
		 bool good)
{
	const char *word = direction == VROUTER_DIRECTION_EGRESS ? "egress" : "ingress";
	struct vr_trace_step *s;
	const char *name;

	if (!t)
		return;
	if (good) {
		name = vr_ruleset_rule(d->hit[direction], d->hit_index[direction])->label;
		s = vr_trace_step(t, stage, "security group %u, rule %d (%s) allows it",
				  d->hit_sg[direction], d->hit_index[direction],
				  name ?: "no label");
	} else {
		s = vr_trace_step(t, stage, "no %s rule of vif %u (%s) allows it", word, vif->id,
				  READ_ONCE(conf->label) ?: "no label");
	}
	if (!s)
		return;
	s->vif = vif->id;
	s->sg = d->hit_sg[direction];
	s->rule = d->hit_index[direction];
}

static bool check(struct vr_vif *vif, const struct vr_vif_conf *conf, struct vr_sg_query *q,
		  struct vr_decision *d, struct vr_trace *t)
{
	u8 stage = q->direction == VROUTER_DIRECTION_EGRESS ? VROUTER_TRACE_STAGE_EGRESS_SG
							      : VROUTER_TRACE_STAGE_INGRESS_SG;
	bool good;

	if (!(READ_ONCE(conf->sg_enforce) & BIT(q->direction))) {
		if (t)
			vr_trace_step(t, stage, "no security group of vif %u restricts it",
				      vif->id);
		return true;
	}
	good = allowed(conf, q, d);
	tell(t, stage, vif, conf, d, q->direction, good);
	if (!good)
		d->sg_vif = vif;
	return good;
}

enum vrouter_drop_reason vr_policy(const struct vr_pkt *pkt, struct vr_decision *d,
				   struct vr_trace *t)
{
	const struct vr_vif_conf *to = d->out ? rcu_dereference(d->out->conf) : NULL;
	struct vr_sg_query q = {
		.family = pkt->tuple.family,
		.proto = pkt->tuple.proto,
		.port = query_port(pkt, d),
	};

	BUILD_BUG_ON(BIT(VROUTER_DIRECTION_INGRESS) != VROUTER_SG_FLAGS_INGRESS);
	BUILD_BUG_ON(BIT(VROUTER_DIRECTION_EGRESS) != VROUTER_SG_FLAGS_EGRESS);

	q.direction = VROUTER_DIRECTION_EGRESS;
	q.peer = &d->dst;
	q.n_peer_sgs = to ? to->n_sgs : d->route ? d->route->n_sgs : 0;
	q.peer_sgs = to ? to->sg_ids : d->route ? d->route->sgs : NULL;
	if (!check(pkt->vif, pkt->conf, &q, d, t))
		return VROUTER_DROP_REASON_SG_EGRESS;
	if (!to)
		return 0;
	q.direction = VROUTER_DIRECTION_INGRESS;
	q.peer = &pkt->tuple.src;
	q.n_peer_sgs = pkt->conf->n_sgs;
	q.peer_sgs = pkt->conf->sg_ids;
	if (!check(d->out, to, &q, d, t))
		return VROUTER_DROP_REASON_SG_INGRESS;
	return 0;
}
