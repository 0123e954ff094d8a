// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the source of a packet its sender's own? That of a pod or VM is an address of its vif, or
 * one that the vif's VRF routes to it: what a service instance passes on comes from the networks
 * that are routed through it. What another node sends has to be routed back to that node.
 */

#include "path.h"

#define NONE	VROUTER_DROP_REASON_NONE

/* Does this next hop lead back to where the packet came from? The packet of a trace comes
 * from any other node that it may have come from.
 */
static bool is_back(const struct vr_pkt *pkt, const struct vr_nexthop *nh, bool traced)
{
	if (!nh)
		return false;
	if (nh->type == VROUTER_NEXTHOP_TYPE_LOCAL)
		return rcu_access_pointer(nh->vif) == pkt->vif;
	return nh->type == VROUTER_NEXTHOP_TYPE_TUNNEL &&
	       pkt->vif->type == VROUTER_VIF_TYPE_TUNNEL &&
	       (nh == pkt->peer || (traced && !pkt->peer));
}

/* The same of a next hop that may be several. */
static bool leads_back(const struct vr_pkt *pkt, const struct vr_nexthop *nh, bool traced)
{
	const struct vr_group *g;
	unsigned int i;

	if (nh->type != VROUTER_NEXTHOP_TYPE_ECMP)
		return is_back(pkt, nh, traced);
	g = rcu_dereference(nh->group);
	for (i = 0; i < g->n; i++)
		if (is_back(pkt, rcu_dereference(g->members[i]->nh), traced))
			return true;
	return false;
}

static bool is_routed_back(const struct vr_pkt *pkt, struct vr_decision *d, struct vr_trace *t)
{
	const struct vr_nexthop *nh;
	bool right;

	d->from = vr_route_lookup_rcu(pkt->conf->vrf, pkt->tuple.family, &pkt->tuple.src);
	if (!d->from) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_SOURCE, "no route leads to the source");
		return false;
	}
	nh = d->from->nh;
	right = leads_back(pkt, nh, t);
	d->indirect |= nh->type == VROUTER_NEXTHOP_TYPE_ECMP;
	vr_trace_step(t, VROUTER_TRACE_STAGE_SOURCE,
		      "the source is by route %s behind next hop " VR_NAMED ", %s",
		      d->from->label ?: "(no label)", VR_NAME(nh->id, READ_ONCE(nh->label)),
		      right ? "where it comes from" : "where it does not come from");
	return right;
}

bool vr_source_is_own(const struct vr_pkt *pkt)
{
	if (pkt->vif->type == VROUTER_VIF_TYPE_EXTERNAL ||
	    (pkt->vif->type == VROUTER_VIF_TYPE_HOST && !pkt->conf->n_addrs))
		return true;
	return vr_vif_owns(pkt->conf, pkt->tuple.family, &pkt->tuple.src);
}

enum vrouter_drop_reason vr_check_source(const struct vr_pkt *pkt, struct vr_decision *d,
					 struct vr_trace *t)
{
	struct vr_trace_step *s;
	bool owns;

	if (pkt->vif->type == VROUTER_VIF_TYPE_TUNNEL)
		return is_routed_back(pkt, d, t) ? NONE : VROUTER_DROP_REASON_SPOOFED_PEER;
	if (pkt->vif->type == VROUTER_VIF_TYPE_EXTERNAL) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_SOURCE,
			      "it comes from the node's own network");
		return NONE;
	}
	owns = vr_source_is_own(pkt);
	s = vr_trace_step(t, VROUTER_TRACE_STAGE_SOURCE, "the source is %s of vif " VR_NAMED,
			  owns ? "an address" : "no address",
			  VR_NAME(pkt->vif->id, pkt->conf->label));
	if (s) {
		s->vif = pkt->vif->id;
		s->vrf = pkt->conf->vrf->id;
	}
	return owns || is_routed_back(pkt, d, t) ? NONE : VROUTER_DROP_REASON_SPOOFED_IP;
}
