// SPDX-License-Identifier: GPL-2.0-only
/*
 * Security groups on the first packet of a flow, as it is after translation: the
 * sender's groups on what it sends, the receiver's on what it gets. In a
 * direction that one of a vif's groups closes, the rules of all of them open.
 * A service may have a group as well: it serves the sources that this one's rules open.
 */

#include "path.h"

/* Port, or ICMP type and code, of the packet as its receiver gets it; host byte order. */
static u16 query_port(const struct vr_pkt *pkt, const struct vr_decision *d)
{
	if (vr_proto_is_icmp(pkt->tuple.proto))
		return pkt->icmp_type << 8 | pkt->icmp_code;
	return ntohs(d->dport);
}

static bool is_allowed(const struct vr_vif_conf *conf, const struct vr_sg_query *q,
		       struct vr_decision *d, unsigned int *sg)
{
	struct vr_ruleset *rules;
	unsigned int i;
	int rule;

	for (i = 0; i < conf->n_sgs; i++) {
		rules = rcu_dereference(conf->sgs[i]->rules);
		rule = vr_ruleset_match(rules, q);
		if (rule < 0)
			continue;
		d->hit[q->direction] = rules;
		d->hit_index[q->direction] = rule;
		*sg = i;
		return true;
	}
	return false;
}

/* Every group that closes the direction, since none of them alone refuses. */
static void tell_closing(struct vr_trace *t, u8 stage, const struct vr_vif *vif,
			 const struct vr_vif_conf *conf, const struct vr_sg_query *q)
{
	struct vr_trace_step *s;
	unsigned int i;

	for (i = 0; i < conf->n_sgs; i++) {
		if (!(READ_ONCE(conf->sgs[i]->enforce) & BIT(q->direction)))
			continue;
		s = vr_trace_step(t, stage, "group %u (%s) closes it; none of its %u rules matches",
				  conf->sg_ids[i], READ_ONCE(conf->sgs[i]->label) ?: "no label",
				  vr_ruleset_len(rcu_dereference(conf->sgs[i]->rules)));
		if (!s)
			return;
		s->vif = vif->id;
		s->sg = conf->sg_ids[i];
	}
}

static void tell(struct vr_trace *t, const struct vr_vif *vif, const struct vr_vif_conf *conf,
		 const struct vr_sg_query *q, const struct vr_decision *d, bool enforced,
		 bool allowed, unsigned int sg)
{
	bool egress = q->direction == VROUTER_DIRECTION_EGRESS;
	u8 stage = egress ? VROUTER_TRACE_STAGE_EGRESS_SG : VROUTER_TRACE_STAGE_INGRESS_SG;
	const char *way = egress ? "egress" : "ingress", *who = conf->label ?: "no label";
	const struct vr_sg_rule *rule;
	struct vr_trace_step *s;

	if (!enforced) {
		s = vr_trace_step(t, stage, "no group of vif %u (%s) closes %s", vif->id, who, way);
	} else if (!allowed) {
		tell_closing(t, stage, vif, conf, q);
		s = vr_trace_step(t, stage, "no %s rule in %u groups of vif %u (%s) allows it",
				  way, conf->n_sgs, vif->id, who);
	} else {
		rule = vr_ruleset_rule(d->hit[q->direction], d->hit_index[q->direction]);
		s = vr_trace_step(t, stage,
				  "%s rule %d (%s) of group %u (%s) of vif %u (%s) allows it", way,
				  d->hit_index[q->direction], rule->label ?: "no label",
				  conf->sg_ids[sg], READ_ONCE(conf->sgs[sg]->label) ?: "no label",
				  vif->id, who);
	}
	if (!s)
		return;
	s->vif = vif->id;
	if (!enforced || !allowed)
		return;
	s->sg = conf->sg_ids[sg];
	s->rule = d->hit_index[q->direction];
}

/* One end's groups; false: refused. */
static bool check(struct vr_vif *vif, const struct vr_vif_conf *conf,
		  const struct vr_sg_query *q, struct vr_decision *d, struct vr_trace *t)
{
	bool enforced = READ_ONCE(conf->sg_enforce) & BIT(q->direction);
	bool allowed = true;
	unsigned int sg = 0;

	if (enforced)
		allowed = is_allowed(conf, q, d, &sg);
	if (unlikely(t))
		tell(t, vif, conf, q, d, enforced, allowed, sg);
	if (!allowed)
		d->sg_vif = vif;
	return allowed;
}

/* Does the pod or VM only pass on what is from or to this address? */
static bool is_transit(const struct vr_vif *vif, const struct vr_vif_conf *conf, u8 family,
		       const union vr_addr *addr)
{
	return (vif->type == VROUTER_VIF_TYPE_VETH || vif->type == VROUTER_VIF_TYPE_TAP) &&
	       !vr_vif_owns(conf, family, addr);
}

/* The groups of the other end: its own, or those of the route to it when it is not here. */
static void set_peer(struct vr_sg_query *q, const struct vr_vif *vif,
		     const struct vr_vif_conf *conf, const struct vr_route *route)
{
	if (vif && vif->type != VROUTER_VIF_TYPE_TUNNEL) {
		q->n_peer_sgs = conf->n_sgs;
		q->peer_sgs = conf->sg_ids;
	} else if (route) {
		q->n_peer_sgs = route->n_sgs;
		q->peer_sgs = route->sgs;
	} else {
		q->n_peer_sgs = 0;
	}
}

/* The packet is seen as its sender sent it, to the service's address and port. */
static bool serves(const struct vr_pkt *pkt, const struct vr_vip *vip, struct vr_trace *t)
{
	const struct vr_sg *sg = rcu_dereference(vip->sg);
	struct vr_sg_query q = {
		.direction = VROUTER_DIRECTION_INGRESS,
		.family = pkt->tuple.family,
		.proto = pkt->tuple.proto,
		.port = ntohs(pkt->tuple.dport),
		.peer = &pkt->tuple.src,
	};
	const struct vr_ruleset *rules;
	struct vr_trace_step *s;
	const char *label;
	int rule;

	if (likely(!sg))
		return true;
	set_peer(&q, pkt->vif, pkt->conf, NULL);
	rules = rcu_dereference(sg->rules);
	rule = vr_ruleset_match(rules, &q);
	label = READ_ONCE(sg->label) ?: "no label";
	if (rule < 0)
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VIP,
				  "the service does not serve the source: its group %u (%s)",
				  sg->id, label);
	else
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VIP,
				  "rule %d (%s) of the service's group %u (%s) allows it", rule,
				  vr_ruleset_rule(rules, rule)->label ?: "no label", sg->id, label);
	if (s)
		s->sg = sg->id;
	return rule >= 0;
}

/* A pod that reaches itself by a service is judged like any other pair of ends; its
 * peer then is itself, not the service. Between nodes the sender's groups are judged where
 * it is, the receiver's where that is. What a service instance passes on is not its own: it
 * is judged at its ends, too. The node always reaches its own pods, as kubelet's probes have
 * to.
 */
enum vrouter_drop_reason vr_policy(const struct vr_pkt *pkt, struct vr_decision *d,
				   struct vr_trace *t)
{
	const struct vr_vif_conf *to = d->out ? rcu_dereference(d->out->conf) : NULL;
	struct vr_sg_query q = {
		.direction = VROUTER_DIRECTION_EGRESS,
		.family = pkt->tuple.family,
		.proto = pkt->tuple.proto,
		.port = query_port(pkt, d),
		.peer = &d->dst,
	};
	bool through;

	BUILD_BUG_ON(BIT(VROUTER_DIRECTION_INGRESS) != VROUTER_SG_FLAGS_INGRESS);
	BUILD_BUG_ON(BIT(VROUTER_DIRECTION_EGRESS) != VROUTER_SG_FLAGS_EGRESS);

	if (d->vip && !serves(pkt, d->vip, t))
		return VROUTER_DROP_REASON_VIP_SOURCE;
	through = to && !d->member && is_transit(d->out, to, pkt->tuple.family, &d->dst);
	set_peer(&q, through ? NULL : d->out, to, d->route);
	if (!is_transit(pkt->vif, pkt->conf, pkt->tuple.family, &pkt->tuple.src) &&
	    !check(pkt->vif, pkt->conf, &q, d, t))
		return VROUTER_DROP_REASON_SG_EGRESS;
	if (!to || through || pkt->vif->type == VROUTER_VIF_TYPE_HOST)
		return VROUTER_DROP_REASON_NONE;

	q.direction = VROUTER_DIRECTION_INGRESS;
	q.peer = &pkt->tuple.src;
	set_peer(&q, d->from ? NULL : pkt->vif, pkt->conf, d->from);
	return check(d->out, to, &q, d, t) ? VROUTER_DROP_REASON_NONE :
					     VROUTER_DROP_REASON_SG_INGRESS;
}
