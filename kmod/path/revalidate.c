// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet of a flow that was found right before the configuration last changed.
 * Mostly nothing changed that the flow depends on, which a few comparisons tell.
 * If a route or a service of its VRF changed, it is looked up whether the way is
 * the same. Only else all is decided anew, as for the opener's first packet.
 *
 *	same answer		the flow goes on
 *	policy refuses		the flow stays, refused, for a while: its packets, also the
 *				responder's, open no other flow; it goes on if allowed again
 *	another way		the flow ends: TCP is reset, others are decided anew
 *
 * A flow stays with its member as long as that is one of the service's, draining or
 * not. What is allowed is decided for the opener's packets; replies follow.
 */

#include "path.h"

#define NONE	VROUTER_DROP_REASON_NONE

static bool vif_changed(const struct vr_vif *vif, u32 gen)
{
	return vif && (!vr_vif_is_up(vif) || vr_gen_after(READ_ONCE(vif->gen), gen));
}

static struct vr_vip *find_vip(const struct vr_net *vn, const struct vr_flow *f)
{
	return vr_vip_find_rcu(vn, f->vrf, &f->side[VR_ORIG].tuple);
}

/* Is the service what it was, as far as the flow goes? */
static bool same_service(const struct vr_net *vn, const struct vr_flow *f, u32 gen)
{
	const struct vr_tuple *t = &f->side[VR_ORIG].tuple;
	const struct vr_vip *vip;

	/* not a node's either, whose ports are looked for one by one */
	if (!f->member)
		return !vr_vip_addr_rcu(vn, f->vrf, t->family, &t->dst) &&
		       (vr_proto_is_icmp(t->proto) || !find_vip(vn, f));
	vip = find_vip(vn, f);
	return vip && !vr_gen_after(READ_ONCE(vip->gen), gen);
}

/* Does the VRF's route to an end still name this next hop, and the same groups? */
static bool same_route(const struct vr_vrf *vrf, u8 family, const union vr_addr *to,
		       const struct vr_nexthop *nh, u32 gen)
{
	const struct vr_route *route = vr_route_lookup_rcu(vrf, family, to);

	return route && route->nh == nh && !vr_gen_after(route->gen, gen);
}

/* To both ends, as far as routes lead there: the opener's is asked of what tunnels bring. */
static bool same_routes(const struct vr_vrf *vrf, const struct vr_flow *f, u32 gen)
{
	const struct vr_tuple *t = &f->side[VR_REPLY].tuple;
	const struct vr_tuple *o = &f->side[VR_ORIG].tuple;
	const struct vr_nexthop *nh = READ_ONCE(f->nh[VR_ORIG]);

	if (f->vif[VR_ORIG]->type == VROUTER_VIF_TYPE_TUNNEL &&
	    !same_route(vrf, o->family, &o->src, READ_ONCE(f->nh[VR_REPLY]), gen))
		return false;
	if (f->member && rcu_access_pointer(f->member->nh))
		return rcu_access_pointer(f->member->nh) == nh;
	if (!f->member && vr_vrf_is_gateway(vrf, t->family, &t->src))
		return false;
	return same_route(vrf, t->family, &t->src, nh, gen);
}

static bool nexthop_changed(const struct vr_nexthop *nh, u32 gen)
{
	return nh && vr_gen_after(READ_ONCE(nh->gen), gen);
}

/* False: nothing has changed that concerns the flow. */
static bool is_touched(const struct vr_net *vn, const struct vr_flow *f)
{
	const struct vr_nexthop *nh = READ_ONCE(f->nh[VR_ORIG]);
	u32 gen = READ_ONCE(f->gen);
	const struct vr_vrf *vrf;

	if (vif_changed(f->vif[VR_ORIG], gen) || vif_changed(f->vif[VR_REPLY], gen))
		return true;
	if (READ_ONCE(f->flags) & (VR_FLOW_REFUSED | VR_FLOW_INDIRECT))
		return true;
	if (!nh || nexthop_changed(nh, gen) || nexthop_changed(READ_ONCE(f->nh[VR_REPLY]), gen))
		return true;
	if (f->member && (READ_ONCE(f->member->removed) || !same_service(vn, f, gen)))
		return true;

	/* the vif is up, so the configuration has its VRF */
	vrf = rcu_dereference(f->vif[VR_ORIG]->conf)->vrf;
	if (likely(!vr_gen_after(READ_ONCE(vrf->gen), gen)))
		return false;
	return !f->vif[VR_REPLY] || !same_service(vn, f, gen) || !same_routes(vrf, f, gen);
}

/* The opener's first packet, as far as a decision looks at it. */
static void first_packet(const struct vr_pkt *now, int dir, const struct vr_flow *f,
			 struct vr_pkt *pkt)
{
	*pkt = (struct vr_pkt) {
		.vn	= now->vn,
		.gen	= now->gen,
		.vif	= f->vif[VR_ORIG],
		.conf	= rcu_dereference(f->vif[VR_ORIG]->conf),
		.peer	= dir == VR_ORIG ? now->peer : READ_ONCE(f->nh[VR_REPLY]),
		.tuple	= f->side[VR_ORIG].tuple,
	};
	if (vr_proto_is_icmp(pkt->tuple.proto))
		pkt->icmp_type = vr_echo_request(pkt->tuple.family);
}

/* The port that SNAT chose stays; of ICMP it is in both places. */
static bool is_same_way(const struct vr_flow *f, const struct vr_decision *d)
{
	const struct vr_tuple *reply = &f->side[VR_REPLY].tuple;
	bool snat = READ_ONCE(f->flags) & VR_FLOW_SNAT;

	if (!!d->port_min != snat || (snat && !vr_addr_eq(&d->src, &reply->dst)))
		return false;
	if (d->dport != reply->sport && !(snat && vr_proto_is_icmp(reply->proto)))
		return false;
	/* what is behind another of several knows nothing of the flow */
	if (d->nh != READ_ONCE(f->nh[VR_ORIG]) && d->route && d->route->nh != d->nh &&
	    d->route->nh->type == VROUTER_NEXTHOP_TYPE_ECMP)
		return false;
	return d->member == f->member && d->out == f->vif[VR_REPLY] &&
	       vr_addr_eq(&d->dst, &reply->src);
}

static bool is_policy(enum vrouter_drop_reason why)
{
	return why == VROUTER_DROP_REASON_SG_EGRESS || why == VROUTER_DROP_REASON_SG_INGRESS ||
	       why == VROUTER_DROP_REASON_VIP_SOURCE;
}

static void swap_nexthop(struct vr_nexthop **at, struct vr_nexthop *nh)
{
	struct vr_nexthop *old;

	if (nh == READ_ONCE(*at) || !nh || !vr_nexthop_tryget(nh))
		return;
	old = xchg(at, nh);
	if (old)
		vr_nexthop_put(old);
}

static void go_on(struct vr_flow *f, const struct vr_decision *d, struct vr_nexthop *peer)
{
	swap_nexthop(&f->nh[VR_ORIG], d->nh);
	swap_nexthop(&f->nh[VR_REPLY], peer);
	vr_flow_set_flag(f, VR_FLOW_REFUSED, false);
	WRITE_ONCE(f->gen, d->gen);
}

/* The flow led to where it would not lead now. The opener of a connection is told; what
 * has none may open another flow by this very packet, and so may a SYN.
 */
static enum vrouter_drop_reason end(struct vr_pkt *pkt, struct vr_flow *f, int dir,
				    enum vrouter_drop_reason why)
{
	vr_flow_kill(pkt->vn, f);
	if (f->member)
		why = VROUTER_DROP_REASON_MEMBER_REMOVED;
	if (pkt->icmp_error)
		return VR_DECIDE_ANEW;
	if (dir == VR_REPLY)
		return why ?: VROUTER_DROP_REASON_POLICY_CHANGE;
	if (pkt->tuple.proto != IPPROTO_TCP || vr_tcp_is_syn(pkt))
		return VR_DECIDE_ANEW;
	vr_answer_refused(pkt);
	return why ?: VROUTER_DROP_REASON_TCP_NO_FLOW;
}

enum vrouter_drop_reason vr_revalidate(struct vr_pkt *pkt, struct vr_flow *f, int dir,
				       const struct vr_vif **sg_vif)
{
	struct vr_decision d = { .keep = f->member, .keep_nh = READ_ONCE(f->nh[VR_ORIG]) };
	struct vr_pkt first;

	if (likely(!is_touched(pkt->vn, f))) {
		WRITE_ONCE(f->gen, pkt->gen);
		return NONE;
	}

	vr_net_count(pkt->vn, revalidated);
	if (!vr_vif_is_up(f->vif[VR_ORIG]))
		return end(pkt, f, dir, VROUTER_DROP_REASON_VIF_DOWN);
	first_packet(pkt, dir, f, &first);
	vr_decide(&first, &d, NULL);
	if (d.to_gateway || !is_same_way(f, &d))
		return end(pkt, f, dir, d.reason);
	if (is_policy(d.reason)) {
		vr_flow_set_flag(f, VR_FLOW_REFUSED, true);
		*sg_vif = d.sg_vif;
		return d.reason;
	}
	if (d.reason)
		return end(pkt, f, dir, d.reason);
	go_on(f, &d, first.peer);
	return NONE;
}
