// SPDX-License-Identifier: GPL-2.0-only
/*
 * Security groups on the first packet of a flow, as it is after translation: the
 * sender's groups on what it sends, the receiver's on what it gets. In a
 * direction that one of a vif's groups closes, the rules of all of them open.
 * What groups of the admin tier accept or deny never gets there; those of the baseline
 * tier are asked when no group closes the direction.
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

/* --- tiers ------------------------------------------------------------------- */

/* The rule that decides in a tier. */
struct verdict {
	unsigned int		sg;		/* index among the vif's */
	struct vr_ruleset	*rules;
	int			rule;		/* -1: none does */
	u8			action;		/* PASS then, too */
};

static struct verdict ask_tier(const struct vr_vif_conf *conf, const struct vr_sg_query *q, u8 tier)
{
	struct verdict v = { .rule = -1, .action = VROUTER_SG_ACTION_PASS };
	u32 priority, best = U32_MAX;
	struct vr_ruleset *rules;
	unsigned int i;
	int rule;

	/* in order of id, so of the same priority the lowest id decides */
	for (i = 0; i < conf->n_sgs; i++) {
		priority = READ_ONCE(conf->sgs[i]->priority);
		if (READ_ONCE(conf->sgs[i]->tier) != tier || priority >= best)
			continue;
		rules = rcu_dereference(conf->sgs[i]->rules);
		rule = vr_ruleset_first(rules, q);
		if (rule < 0)
			continue;
		best = priority;
		v.sg = i;
		v.rules = rules;
		v.rule = rule;
		v.action = vr_ruleset_rule(rules, rule)->action;
	}
	return v;
}

static void tell_tier(struct vr_trace *t, const struct vr_vif *vif, const struct vr_vif_conf *conf,
		      const struct vr_sg_query *q, u8 tier, const struct verdict *v)
{
	static const char *const actions[] = {
		[VROUTER_SG_ACTION_ACCEPT] = "accepts", [VROUTER_SG_ACTION_DENY] = "denies",
		[VROUTER_SG_ACTION_PASS] = "passes on",
	};
	bool egress = q->direction == VROUTER_DIRECTION_EGRESS;
	u8 stage = egress ? VROUTER_TRACE_STAGE_EGRESS_SG : VROUTER_TRACE_STAGE_INGRESS_SG;
	const char *name = tier == VROUTER_SG_TIER_ADMIN ? "admin" : "baseline";
	const char *way = egress ? "egress" : "ingress";
	struct vr_trace_step *s;

	if (v->rule < 0)
		s = vr_trace_step(t, stage, "no %s rule of the %s tier of vif %u (%s) matches",
				  way, name, vif->id, conf->label ?: "no label");
	else
		s = vr_trace_step(t, stage,
				  "%s tier: %s rule %d (%s) of group %u (%s) of vif %u (%s) %s it",
				  name, way, v->rule,
				  vr_ruleset_rule(v->rules, v->rule)->label ?: "no label",
				  conf->sg_ids[v->sg],
				  READ_ONCE(conf->sgs[v->sg]->label) ?: "no label", vif->id,
				  conf->label ?: "no label", actions[v->action]);
	if (!s)
		return;
	s->vif = vif->id;
	if (v->rule < 0)
		return;
	s->sg = conf->sg_ids[v->sg];
	s->rule = v->rule;
}

/* VROUTER_SG_ACTION_PASS: the next tier is to be asked. */
static u8 check_tier(const struct vr_vif *vif, const struct vr_vif_conf *conf,
		     const struct vr_sg_query *q, u8 tier, struct vr_decision *d,
		     struct vr_trace *t)
{
	struct verdict v = ask_tier(conf, q, tier);

	if (unlikely(t))
		tell_tier(t, vif, conf, q, tier, &v);
	if (v.action == VROUTER_SG_ACTION_ACCEPT) {
		d->hit[q->direction] = v.rules;
		d->hit_index[q->direction] = v.rule;
	} else if (v.rule >= 0 && !t) {
		vr_ruleset_hit(v.rules, v.rule);
	}
	return v.action;
}

/* --- between the tiers --------------------------------------------------------- */

static bool is_allowed(const struct vr_vif_conf *conf, const struct vr_sg_query *q,
		       struct vr_decision *d, unsigned int *sg)
{
	struct vr_ruleset *rules;
	unsigned int i;
	int rule;

	for (i = 0; i < conf->n_sgs; i++) {
		if (READ_ONCE(conf->sgs[i]->tier) != VROUTER_SG_TIER_NETWORK_POLICY)
			continue;
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

static bool check_groups(const struct vr_vif *vif, const struct vr_vif_conf *conf,
			 const struct vr_sg_query *q, struct vr_decision *d, bool enforced,
			 struct vr_trace *t)
{
	bool allowed = true;
	unsigned int sg = 0;

	if (enforced)
		allowed = is_allowed(conf, q, d, &sg);
	if (unlikely(t))
		tell(t, vif, conf, q, d, enforced, allowed, sg);
	return allowed;
}

/* One end's groups; false: refused. */
static bool check(struct vr_vif *vif, const struct vr_vif_conf *conf,
		  const struct vr_sg_query *q, struct vr_decision *d, struct vr_trace *t)
{
	bool enforced = READ_ONCE(conf->sg_enforce) & BIT(q->direction);
	u8 tiers = READ_ONCE(conf->sg_tiers), action = VROUTER_SG_ACTION_PASS;

	if (unlikely(tiers & BIT(VROUTER_SG_TIER_ADMIN)))
		action = check_tier(vif, conf, q, VROUTER_SG_TIER_ADMIN, d, t);
	if (action == VROUTER_SG_ACTION_PASS && !check_groups(vif, conf, q, d, enforced, t))
		action = VROUTER_SG_ACTION_DENY;
	if (action == VROUTER_SG_ACTION_PASS && !enforced &&
	    unlikely(tiers & BIT(VROUTER_SG_TIER_BASELINE)))
		action = check_tier(vif, conf, q, VROUTER_SG_TIER_BASELINE, d, t);
	if (action == VROUTER_SG_ACTION_DENY)
		d->sg_vif = vif;
	return action != VROUTER_SG_ACTION_DENY;
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
