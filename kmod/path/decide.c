// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the first packet of a flow, step by step: is the source the
 * sender's own, is the destination the gateway or a service, which member of it,
 * which route and next hop lead there, do the security groups allow it.
 *
 * Nothing is changed here and the packet's octets are not looked at, so that the
 * same code answers a trace.
 */

#include <linux/jhash.h>
#include <linux/siphash.h>

#include "path.h"

#define NONE	VROUTER_DROP_REASON_NONE

/* --- gateway -------------------------------------------------------------- */

static enum vrouter_drop_reason to_gateway(const struct vr_pkt *pkt, struct vr_decision *d,
					   struct vr_trace *t)
{
	d->to_gateway = vr_proto_is_icmp(pkt->tuple.proto) &&
			pkt->icmp_type == vr_echo_request(pkt->tuple.family);
	vr_trace_step(t, VROUTER_TRACE_STAGE_ROUTE, "the destination is the gateway, which %s",
		      d->to_gateway ? "answers" : "answers echo requests only");
	return d->to_gateway ? NONE : VROUTER_DROP_REASON_GATEWAY;
}

/* --- service and member --------------------------------------------------- */

/* Of the five parts that name a connection; keyed, so that nobody can aim at a
 * member. The same for all packets of a connection, whoever asks.
 */
static u32 flow_hash(const struct vr_pkt *pkt)
{
	const struct vr_tuple *t = &pkt->tuple;
	u64 ports = (u64)(__force u16)t->sport << 32 | (__force u16)t->dport << 8 | t->proto;

	if (t->family == AF_INET)
		return siphash_2u64((u64)(__force u32)t->src.v4 << 32 | (__force u32)t->dst.v4,
				    ports, &pkt->vn->hash_key);
	return siphash(&t->sport, sizeof(*t) - offsetof(struct vr_tuple, sport),
		       &pkt->vn->hash_key);
}

/* Does the member belong to the service as it is now? */
static bool is_member(const struct vr_group *g, const struct vr_member *m)
{
	return !READ_ONCE(m->removed) && vr_group_find(g, m->family, &m->addr, m->port) == m;
}

/* A member that drains keeps its flows, but not its clients: they go on to others as
 * long as there are any.
 */
static struct vr_member *by_affinity(const struct vr_pkt *pkt, const struct vr_vip *vip,
				     const struct vr_group *g)
{
	struct vr_member *m;

	if (!READ_ONCE(vip->affinity_timeout))
		return NULL;
	m = vr_affinity_get_rcu(pkt->vn, vip, &pkt->tuple.src);
	if (!m || READ_ONCE(m->state) != VROUTER_MEMBER_STATE_ACTIVE || !is_member(g, m))
		return NULL;
	return m;
}

static struct vr_member *select_member(const struct vr_pkt *pkt, struct vr_decision *d,
				       struct vr_trace *t)
{
	const struct vr_nexthop *nh = rcu_dereference(d->vip->nh);
	const struct vr_group *g = nh ? rcu_dereference(nh->group) : NULL;
	const char *how = "kept";
	struct vr_trace_step *s;
	struct vr_member *m;

	if (!g)
		return NULL;
	m = d->keep && is_member(g, d->keep) ? d->keep : NULL;
	if (!m) {
		m = by_affinity(pkt, d->vip, g);
		how = "the client's affinity";
	}
	if (!m) {
		m = vr_group_select(g, flow_hash(pkt));
		how = "the flow's hash";
	}
	if (!m)
		return NULL;

	s = vr_trace_step(t, VROUTER_TRACE_STAGE_MEMBER, "member %s%s of %u in next hop " VR_NAMED
			  ", by %s", READ_ONCE(m->label) ?: "(no label)",
			  READ_ONCE(m->state) == VROUTER_MEMBER_STATE_DRAINING ? " (draining)" : "",
			  g->n, VR_NAME(nh->id, READ_ONCE(nh->label)), how);
	if (s) {
		s->nexthop = nh->id;
		s->family = m->family;
		s->addr = m->addr;
		s->prefix_len = m->family == AF_INET ? 32 : 128;
		s->port = ntohs(m->port ?: d->dport);
	}
	return m;
}

/* The address of a service, but not one of its ports: refused at once, as a host
 * does where nobody listens.
 */
static enum vrouter_drop_reason not_a_port(const struct vr_pkt *pkt, struct vr_decision *d,
					   struct vr_trace *t)
{
	if (!vr_vip_addr_rcu(pkt->vn, d->vrf->id, pkt->tuple.family, &pkt->tuple.dst)) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_VIP, "the destination is no service");
		return NONE;
	}
	if (vr_proto_is_icmp(pkt->tuple.proto)) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_VIP,
			      "the destination is a service's address, which answers no ICMP");
		return VROUTER_DROP_REASON_VIP_ICMP;
	}
	vr_trace_step(t, VROUTER_TRACE_STAGE_VIP,
		      "the destination is a service's address, but no service's protocol and port");
	d->refuse = true;
	return VROUTER_DROP_REASON_NO_ROUTE;
}

/* Services are found where a packet enters the network, not once more where a tunnel ends; but
 * what one node alone serves on an address of its own (a pod's host port), others do not know.
 */
static struct vr_vip *find_vip(const struct vr_pkt *pkt, const struct vr_decision *d)
{
	const struct vr_tuple *t = &pkt->tuple;
	struct vr_vip *vip;

	if (vr_proto_is_icmp(t->proto))
		return NULL;
	vip = vr_vip_find_rcu(pkt->vn, d->vrf->id, t);
	if (vip && pkt->vif->type == VROUTER_VIF_TYPE_TUNNEL &&
	    (memcmp(&vip->key.addr, &t->dst, sizeof(t->dst)) ||
	     !vr_is_node_addr(pkt->vn, t->family, &t->dst)))
		return NULL;
	return vip;
}

static enum vrouter_drop_reason find_service(const struct vr_pkt *pkt, struct vr_decision *d,
					     struct vr_trace *t)
{
	d->vip = find_vip(pkt, d);
	if (!d->vip && pkt->vif->type == VROUTER_VIF_TYPE_TUNNEL)
		return NONE;
	if (!d->vip)
		return not_a_port(pkt, d, t);

	vr_trace_step(t, VROUTER_TRACE_STAGE_VIP, "the destination is service %s of VRF " VR_NAMED,
		      READ_ONCE(d->vip->label) ?: "(no label)",
		      VR_NAME(d->vrf->id, READ_ONCE(d->vrf->label)));
	d->member = select_member(pkt, d, t);
	if (!d->member) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_MEMBER, "the service has no member");
		d->refuse = true;
		return VROUTER_DROP_REASON_NO_MEMBER;
	}
	if (d->member->family)
		d->dst = d->member->addr;
	if (d->member->port)
		d->dport = d->member->port;
	return NONE;
}

/* --- route and next hop --------------------------------------------------- */

static enum vrouter_drop_reason find_route(const struct vr_pkt *pkt, struct vr_decision *d,
					   const union vr_addr *dst, struct vr_trace *t)
{
	struct vr_trace_step *s;

	d->route = vr_route_lookup_rcu(d->vrf, pkt->tuple.family, dst);
	if (!d->route) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_ROUTE, "VRF " VR_NAMED " has no route there",
			      VR_NAME(d->vrf->id, READ_ONCE(d->vrf->label)));
		return VROUTER_DROP_REASON_NO_ROUTE;
	}
	d->nh = d->route->nh;
	s = vr_trace_step(t, VROUTER_TRACE_STAGE_ROUTE, "route %s in VRF " VR_NAMED
			  " to next hop " VR_NAMED, d->route->label ?: "(no label)",
			  VR_NAME(d->vrf->id, READ_ONCE(d->vrf->label)),
			  VR_NAME(d->nh->id, READ_ONCE(d->nh->label)));
	if (s) {
		s->vrf = d->vrf->id;
		s->nexthop = d->nh->id;
		s->family = d->route->prefix.family;
		s->addr = d->route->prefix.addr;
		s->prefix_len = d->route->prefix.len;
	}
	return NONE;
}

static enum vrouter_drop_reason to_vif(struct vr_decision *d, struct vr_trace *t)
{
	const struct vr_vif_conf *conf;
	struct vr_trace_step *s;

	d->out = rcu_dereference(d->nh->vif);
	if (!d->out || !vr_vif_is_up(d->out)) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
			      "the vif of next hop " VR_NAMED " is gone",
			      VR_NAME(d->nh->id, READ_ONCE(d->nh->label)));
		d->out = NULL;
		return VROUTER_DROP_REASON_VIF_DOWN;
	}
	conf = rcu_dereference(d->out->conf);
	s = vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "to vif " VR_NAMED,
			  VR_NAME(d->out->id, conf->label));
	if (s)
		s->vif = d->out->id;
	return NONE;
}

/* To another node, in the virtual network of the VRF that the route is in. What came from
 * one does not go to a third: its sender would have sent it there.
 */
static enum vrouter_drop_reason to_remote(const struct vr_pkt *pkt, struct vr_decision *d,
					  struct vr_trace *t)
{
	struct vr_trace_step *s;

	if (pkt->vif->type == VROUTER_VIF_TYPE_TUNNEL) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
			      "next hop " VR_NAMED " is a tunnel, and it came by one",
			      VR_NAME(d->nh->id, READ_ONCE(d->nh->label)));
		return VROUTER_DROP_REASON_TUNNEL_LOOP;
	}
	d->out = rcu_dereference(d->vrf->tunnel);
	if (!d->out) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
			      "VRF " VR_NAMED " has no vif of type tunnel",
			      VR_NAME(d->vrf->id, READ_ONCE(d->vrf->label)));
		return VROUTER_DROP_REASON_VIF_DOWN;
	}
	s = vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
			  "next hop " VR_NAMED ": by tunnel to another node, VNI %u",
			  VR_NAME(d->nh->id, READ_ONCE(d->nh->label)), d->out->vni);
	if (s) {
		s->vif = d->out->id;
		s->nexthop = d->nh->id;
	}
	return NONE;
}

/* One of these addresses and any of these ports become the source. A sender keeps to one
 * address, as servers expect (RFC 4787, REQ-2).
 */
static enum vrouter_drop_reason set_snat(const struct vr_pkt *pkt, struct vr_decision *d,
					 const struct vr_addr_af *addrs, unsigned int n,
					 struct vr_trace *t)
{
	const struct vr_addr_af *a = NULL;
	unsigned int i, pick, of_family = 0;

	for (i = 0; i < n; i++)
		of_family += addrs[i].family == pkt->tuple.family;
	if (!of_family) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
			      "there is no address of its family to translate the source to");
		return VROUTER_DROP_REASON_NO_EXTERNAL_ROUTE;
	}
	pick = reciprocal_scale(jhash2((const u32 *)&pkt->tuple.src, sizeof(pkt->tuple.src) / 4, 0),
				of_family);
	for (i = 0; i < n; i++) {
		if (addrs[i].family != pkt->tuple.family)
			continue;
		a = &addrs[i];
		if (!pick--)
			break;
	}
	d->src = a->addr;
	vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
		      a->family == AF_INET ? "the source becomes %pI4, with a port of %u to %u" :
					     "the source becomes %pI6c, with a port of %u to %u",
		      &a->addr, d->port_min, d->port_max);
	return NONE;
}

static enum vrouter_drop_reason to_outside(const struct vr_pkt *pkt, struct vr_decision *d,
					   struct vr_trace *t)
{
	const struct vr_snat *snat = rcu_dereference(d->nh->snat);
	enum vrouter_drop_reason why = to_vif(d, t);

	if (why)
		return why;
	d->port_min = snat->port_min;
	d->port_max = snat->port_max;
	return set_snat(pkt, d, snat->addrs, snat->n, t);
}

/* From outside to another node: the reply has to come back by this one. */
static enum vrouter_drop_reason through(const struct vr_pkt *pkt, struct vr_decision *d,
					struct vr_trace *t)
{
	if (likely(pkt->vif->type != VROUTER_VIF_TYPE_EXTERNAL) ||
	    d->out->type != VROUTER_VIF_TYPE_TUNNEL)
		return NONE;
	d->port_min = VR_SNAT_PORT_MIN;
	d->port_max = VR_SNAT_PORT_MAX;
	return set_snat(pkt, d, pkt->conf->addrs, pkt->conf->n_addrs, t);
}

/* By way of it, from where the packet is? What came from one node does not go to a third; of a
 * member without next hop the route to its address decides.
 */
static bool is_eligible(const struct vr_pkt *pkt, const struct vr_member *m)
{
	const struct vr_nexthop *nh = rcu_dereference(m->nh);

	return pkt->vif->type != VROUTER_VIF_TYPE_TUNNEL || !nh ||
	       nh->type != VROUTER_NEXTHOP_TYPE_TUNNEL;
}

/* Of those here; one that drains only where no other is. */
static struct vr_member *select_here(const struct vr_pkt *pkt, const struct vr_group *g, u32 hash)
{
	unsigned int n[2] = {}, i, state, pick;

	for (i = 0; i < g->n; i++)
		n[READ_ONCE(g->members[i]->state) != VROUTER_MEMBER_STATE_ACTIVE] +=
			is_eligible(pkt, g->members[i]);
	state = !n[0];
	if (!n[state])
		return NULL;
	pick = reciprocal_scale(hash, n[state]);
	for (i = 0; i < g->n; i++) {
		if ((READ_ONCE(g->members[i]->state) != VROUTER_MEMBER_STATE_ACTIVE) != state ||
		    !is_eligible(pkt, g->members[i]))
			continue;
		if (!pick--)
			return g->members[i];
	}
	return NULL;	/* a state changed meanwhile */
}

/* The one that the flow goes by has its connection's state. */
static struct vr_member *kept_member(const struct vr_group *g, const struct vr_nexthop *nh)
{
	unsigned int i;

	for (i = 0; nh && i < g->n; i++)
		if (rcu_access_pointer(g->members[i]->nh) == nh)
			return g->members[i];
	return NULL;
}

/* A route to several: by the next hop of the chosen, or by the route to its address. */
static enum vrouter_drop_reason to_one_of(const struct vr_pkt *pkt, struct vr_decision *d,
					  struct vr_trace *t)
{
	const struct vr_group *g = rcu_dereference(d->nh->group);
	struct vr_member *m = kept_member(g, d->keep_nh);
	const char *how = m ? "kept" : "by the flow's hash";

	if (!m)
		m = vr_group_select(g, flow_hash(pkt));
	if (m && !is_eligible(pkt, m))
		m = select_here(pkt, g, flow_hash(pkt));
	if (!m) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "next hop " VR_NAMED
			      " has no member%s", VR_NAME(d->nh->id, READ_ONCE(d->nh->label)),
			      g->n ? " on this node, to which another one sent it" : "");
		d->refuse = true;
		return VROUTER_DROP_REASON_NO_MEMBER;
	}
	vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "member %s of %u, %s",
		      READ_ONCE(m->label) ?: "(no label)", g->n, how);
	d->indirect = true;
	d->nh = rcu_dereference(m->nh);
	return d->nh ? NONE : find_route(pkt, d, &m->addr, t);
}

/* By the member's next hop, or by the route to where the packet goes now. */
static enum vrouter_drop_reason find_nexthop(const struct vr_pkt *pkt, struct vr_decision *d,
					     struct vr_trace *t)
{
	d->nh = d->member ? rcu_dereference(d->member->nh) : NULL;
	if (!d->nh)
		return find_route(pkt, d, &d->dst, t);
	/* still asked for the groups of what is behind it */
	d->route = vr_route_lookup_rcu(d->vrf, pkt->tuple.family, &d->dst);
	return NONE;
}

/* A route into a VRF leads to its services, too: so the pods of a network reach what the network
 * that it is joined with offers. Not for what comes from other nodes, where they have been looked
 * for, nor from outside: what is seen there of a service is the business of that VRF.
 */
static bool has_service(const struct vr_pkt *pkt, const struct vr_decision *d)
{
	return !d->vip && pkt->vif->type != VROUTER_VIF_TYPE_TUNNEL &&
	       pkt->vif->type != VROUTER_VIF_TYPE_EXTERNAL &&
	       vr_vip_addr_rcu(pkt->vn, d->vrf->id, pkt->tuple.family, &pkt->tuple.dst);
}

static enum vrouter_drop_reason to_vrf(const struct vr_pkt *pkt, struct vr_decision *d,
				       struct vr_trace *t)
{
	struct vr_vrf *vrf = rcu_dereference(d->nh->vrf);
	enum vrouter_drop_reason why;

	if (!vrf) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "the next hop was deleted just now");
		return VROUTER_DROP_REASON_NO_ROUTE;
	}
	d->vrf = vrf;
	d->indirect = true;
	if (!has_service(pkt, d))
		return find_route(pkt, d, &d->dst, t);
	why = find_service(pkt, d, t);
	return why ?: find_nexthop(pkt, d, t);
}

/* From the next hop on to a vif or the node. */
static enum vrouter_drop_reason follow(const struct vr_pkt *pkt, struct vr_decision *d,
				       struct vr_trace *t)
{
	enum vrouter_drop_reason why;
	unsigned int hops = 0;

	for (;;) {
		switch (d->nh->type) {
		case VROUTER_NEXTHOP_TYPE_LOCAL:
			return to_vif(d, t);
		case VROUTER_NEXTHOP_TYPE_TUNNEL:
			why = to_remote(pkt, d, t);
			return why ?: through(pkt, d, t);
		case VROUTER_NEXTHOP_TYPE_SNAT:
			return to_outside(pkt, d, t);
		case VROUTER_NEXTHOP_TYPE_HOST:
			vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "to the node's own stack");
			return NONE;
		case VROUTER_NEXTHOP_TYPE_BLACKHOLE:
			vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "next hop " VR_NAMED
				      " is a blackhole",
				      VR_NAME(d->nh->id, READ_ONCE(d->nh->label)));
			return VROUTER_DROP_REASON_BLACKHOLE;
		}
		if (hops++ == VR_MAX_VRF_HOPS) {
			vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
				      "more than %u look-ups in other VRFs", VR_MAX_VRF_HOPS);
			return VROUTER_DROP_REASON_VRF_LOOP;
		}
		why = d->nh->type == VROUTER_NEXTHOP_TYPE_ECMP ? to_one_of(pkt, d, t) :
								 to_vrf(pkt, d, t);
		if (why)
			return why;
	}
}

static enum vrouter_drop_reason find_out(const struct vr_pkt *pkt, struct vr_decision *d,
					 struct vr_trace *t)
{
	enum vrouter_drop_reason why = find_nexthop(pkt, d, t);

	return why ?: follow(pkt, d, t);
}

/* To where it came from. A pod that reaches itself by a service has to see the
 * service as its client: it would answer its own address without us.
 */
static enum vrouter_drop_reason check_hairpin(const struct vr_pkt *pkt, struct vr_decision *d,
					      struct vr_trace *t)
{
	if (likely(d->out != pkt->vif))
		return NONE;
	if (!d->member || !d->member->family) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP, "it would return to its sender");
		return VROUTER_DROP_REASON_HAIRPIN_LOOP;
	}
	d->src = pkt->tuple.dst;
	vr_trace_step(t, VROUTER_TRACE_STAGE_NEXTHOP,
		      "it returns to its sender: the source becomes the service's address");
	return NONE;
}

static enum vrouter_drop_reason decide(const struct vr_pkt *pkt, struct vr_decision *d,
				       struct vr_trace *t)
{
	enum vrouter_drop_reason why;

	why = vr_check_source(pkt, d, t);
	if (why)
		return why;
	if (vr_vrf_is_gateway(d->vrf, pkt->tuple.family, &pkt->tuple.dst))
		return to_gateway(pkt, d, t);
	why = find_service(pkt, d, t);
	if (why)
		return why;
	why = find_out(pkt, d, t);
	if (why)
		return why;
	why = check_hairpin(pkt, d, t);
	if (why)
		return why;
	return vr_policy(pkt, d, t);
}

void vr_decide(const struct vr_pkt *pkt, struct vr_decision *d, struct vr_trace *t)
{
	d->gen = pkt->gen;
	d->vrf = pkt->conf->vrf;
	d->dst = pkt->tuple.dst;
	d->dport = pkt->tuple.dport;
	d->src = pkt->tuple.src;
	d->sport = pkt->tuple.sport;
	d->hit_index[VROUTER_DIRECTION_INGRESS] = -1;
	d->hit_index[VROUTER_DIRECTION_EGRESS] = -1;
	d->reason = decide(pkt, d, t);
}
