// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flow that was decided before the configuration changed. Mostly what changed has
 * nothing to do with it, which a few comparisons tell; else it is decided anew
 * and must come out the same.
 */

#include "path.h"

static bool newer(u32 gen, u32 than)
{
	return vr_gen_after(gen, than);
}

/* Did anything change that the flow was decided by? */
static bool touched(const struct vr_pkt *pkt, const struct vr_flow *f, const struct vr_vip *vip)
{
	u32 gen = READ_ONCE(f->gen);
	int i;

	for (i = 0; i < 2; i++) {
		const struct vr_vif *vif = f->vif[i];
		const struct vr_vif_conf *conf;

		if (!vif)
			continue;
		if (newer(READ_ONCE(vif->gen), gen) || !rcu_access_pointer(vif->dev))
			return true;
		conf = rcu_dereference(vif->conf);
		if (newer(READ_ONCE(conf->vrf->gen), gen))
			return true;
	}
	if (!f->member)
		return false;
	return !vip || READ_ONCE(f->member->removed) || newer(READ_ONCE(vip->gen), gen);
}

static struct vr_vip *vip_of(const struct vr_pkt *pkt, const struct vr_flow *f)
{
	const struct vr_tuple *t = &f->side[VR_ORIG].tuple;
	const struct vr_vip_key key = {
		.vrf = f->vrf, .family = t->family, .proto = t->proto, .port = t->dport,
		.addr = t->dst,
	};

	return f->member ? vr_vip_lookup_rcu(pkt->vn, &key) : NULL;
}

/* The opener's first packet, as far as a decision looks at one. */
static bool first_packet(const struct vr_pkt *pkt, const struct vr_flow *f, struct vr_pkt *first)
{
	memset(first, 0, sizeof(*first));
	first->vn = pkt->vn;
	first->vif = f->vif[VR_ORIG];
	if (!rcu_access_pointer(first->vif->dev))
		return false;
	first->conf = rcu_dereference(first->vif->conf);
	first->tuple = f->side[VR_ORIG].tuple;
	first->icmp_type = vr_echo_request(first->tuple.family);
	return true;
}

/* Is the decision the one that the flow stands for? */
static bool same(const struct vr_flow *f, const struct vr_decision *d)
{
	const struct vr_tuple *r = &f->side[VR_REPLY].tuple;

	return d->out == f->vif[VR_REPLY] && vr_addr_eq(&d->dst, &r->src) &&
	       (d->dport == r->sport) && d->member == f->member;
}

/* May the flow stay with its member? */
static bool member_stays(const struct vr_vip *vip, const struct vr_member *m)
{
	const struct vr_nexthop *nh = vip ? rcu_dereference(vip->nh) : NULL;
	const struct vr_group *g = nh ? rcu_dereference(nh->group) : NULL;

	return g && !READ_ONCE(m->removed) && vr_group_find(g, m->family, &m->addr, m->port) == m;
}

static bool is_policy(enum vrouter_drop_reason why)
{
	return why == VROUTER_DROP_REASON_SG_EGRESS || why == VROUTER_DROP_REASON_SG_INGRESS;
}

/* The flow is not what it would be now. Its opener's packets may open another
 * one, unless they belong to a connection: that ends.
 */
static enum vrouter_drop_reason end(struct vr_pkt *pkt, struct vr_flow *f, int dir,
				    struct vr_decision *d, bool *again)
{
	vr_flow_kill(pkt->vn, f);
	if (is_policy(d->reason))
		return d->reason;
	if (dir == VR_REPLY)
		return d->reason ?: VROUTER_DROP_REASON_MEMBER_REMOVED;
	if (pkt->tuple.proto == IPPROTO_TCP && !vr_tcp_is_syn(pkt)) {
		vr_answer_refused(pkt);
		return d->reason ?: VROUTER_DROP_REASON_MEMBER_REMOVED;
	}
	*again = true;
	return 0;
}

enum vrouter_drop_reason vr_revalidate(struct vr_pkt *pkt, struct vr_flow *f, int dir,
				       struct vr_decision *d, bool *again)
{
	u32 gen = vr_net_gen(pkt->vn);
	struct vr_vip *vip = vip_of(pkt, f);
	struct vr_pkt first;

	if (touched(pkt, f, vip)) {
		vr_net_count(pkt->vn, revalidated);
		if (!first_packet(pkt, f, &first))
			return end(pkt, f, dir, d, again);
		if (f->member && member_stays(vip, f->member))
			d->want = f->member;
		vr_decide(&first, d, NULL);
		if (d->reason || !same(f, d)) {
			enum vrouter_drop_reason why = end(pkt, f, dir, d, again);

			if (*again)
				memset(d, 0, sizeof(*d));
			return why;
		}
	}
	WRITE_ONCE(f->gen, gen);
	return 0;
}
