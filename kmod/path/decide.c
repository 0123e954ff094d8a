// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the first packet of a flow. No side effect: a trace asks the
 * same questions without a packet.
 */

#include <linux/siphash.h>
#include <net/ipv6.h>

#include "path.h"

#define say(t, ...)	((t) ? vr_trace_step(t, __VA_ARGS__) : NULL)

static const char *label(const char *l)
{
	return l ?: "no label";
}

static enum vrouter_drop_reason check_source(const struct vr_pkt *pkt, struct vr_trace *t)
{
	if (vr_vif_owns(pkt->conf, pkt->tuple.family, &pkt->tuple.src)) {
		say(t, VROUTER_TRACE_STAGE_SOURCE, "the source is an address of vif %u (%s)",
		    pkt->vif->id, label(READ_ONCE(pkt->conf->label)));
		return 0;
	}
	say(t, VROUTER_TRACE_STAGE_SOURCE, "the source is no address of vif %u (%s)",
	    pkt->vif->id, label(READ_ONCE(pkt->conf->label)));
	return VROUTER_DROP_REASON_SPOOFED_IP;
}

static bool is_icmp(const struct vr_tuple *t)
{
	return t->proto == IPPROTO_ICMP || t->proto == IPPROTO_ICMPV6;
}

static bool is_echo_request(const struct vr_pkt *pkt)
{
	return pkt->icmp_type == vr_echo_request(pkt->tuple.family);
}

/* Keyed, so that nobody outside can aim at a member. */
static u32 select_hash(const struct vr_pkt *pkt)
{
	return siphash(&pkt->tuple, sizeof(pkt->tuple), &pkt->vn->hash_key);
}

static struct vr_member *select_member(const struct vr_pkt *pkt, const struct vr_vip *vip,
				       struct vr_trace *t)
{
	const struct vr_nexthop *nh = rcu_dereference(vip->nh);
	const struct vr_group *g = nh ? rcu_dereference(nh->group) : NULL;
	struct vr_member *m;

	if (!g)
		return NULL;
	if (READ_ONCE(vip->affinity_timeout)) {
		m = vr_affinity_get_rcu(pkt->vn, vip, &pkt->tuple.src);
		if (m) {
			say(t, VROUTER_TRACE_STAGE_MEMBER, "the client stays with member %s",
			    label(READ_ONCE(m->label)));
			return m;
		}
	}
	m = vr_group_select(g, select_hash(pkt));
	if (m)
		say(t, VROUTER_TRACE_STAGE_MEMBER, "one of %u members by hash: %s", g->n,
		    label(READ_ONCE(m->label)));
	return m;
}

/* The destination is a service: translated to a member. */
static enum vrouter_drop_reason decide_vip(const struct vr_pkt *pkt, struct vr_decision *d,
					   struct vr_trace *t)
{
	const struct vr_vip_key key = {
		.vrf = d->vrf->id,
		.family = pkt->tuple.family,
		.proto = pkt->tuple.proto,
		.port = pkt->tuple.dport,
		.addr = pkt->tuple.dst,
	};

	if (!is_icmp(&pkt->tuple))
		d->vip = vr_vip_lookup_rcu(pkt->vn, &key);
	if (!d->vip) {
		if (!vr_vip_addr_rcu(pkt->vn, key.vrf, key.family, &key.addr)) {
			say(t, VROUTER_TRACE_STAGE_VIP, "the destination is no service");
			return 0;
		}
		say(t, VROUTER_TRACE_STAGE_VIP, "the destination is a service without this port");
		return is_icmp(&pkt->tuple) ? VROUTER_DROP_REASON_VIP_ICMP
					    : VROUTER_DROP_REASON_NO_MEMBER;
	}
	say(t, VROUTER_TRACE_STAGE_VIP, "the destination is the service %s",
	    label(READ_ONCE(d->vip->label)));
	d->member = d->want ?: select_member(pkt, d->vip, t);
	if (!d->member) {
		say(t, VROUTER_TRACE_STAGE_MEMBER, "it has no member");
		return VROUTER_DROP_REASON_NO_MEMBER;
	}
	d->dst = d->member->addr;
	if (d->member->port)
		d->dport = d->member->port;
	return 0;
}

static enum vrouter_drop_reason find_route(const struct vr_pkt *pkt, struct vr_decision *d,
					   struct vr_trace *t)
{
	struct vr_trace_step *s;

	d->route = vr_route_lookup_rcu(d->vrf, pkt->tuple.family, &d->dst);
	if (!d->route) {
		say(t, VROUTER_TRACE_STAGE_ROUTE, "VRF %u (%s) has no route to the destination",
		    d->vrf->id, label(READ_ONCE(d->vrf->label)));
		return VROUTER_DROP_REASON_NO_ROUTE;
	}
	s = say(t, VROUTER_TRACE_STAGE_ROUTE, "a route in VRF %u (%s), by nexthop %u", d->vrf->id,
		label(READ_ONCE(d->vrf->label)), d->route->nh->id);
	if (s) {
		s->vrf = d->vrf->id;
		s->family = d->route->prefix.family;
		s->addr = d->route->prefix.addr;
		s->prefix_len = d->route->prefix.len;
	}
	d->nh = d->route->nh;
	return 0;
}

/* One step along the next hops; *more says that there is another one. */
static enum vrouter_drop_reason follow(const struct vr_pkt *pkt, struct vr_decision *d,
				       struct vr_trace *t, bool *more)
{
	const struct vr_group *g;
	struct vr_member *m;

	*more = false;
	switch (d->nh->type) {
	case VROUTER_NEXTHOP_TYPE_BLACKHOLE:
		say(t, VROUTER_TRACE_STAGE_NEXTHOP, "nexthop %u is a blackhole", d->nh->id);
		return VROUTER_DROP_REASON_BLACKHOLE;
	case VROUTER_NEXTHOP_TYPE_LOCAL:
		d->out = rcu_dereference(d->nh->vif);
		if (!d->out) {
			say(t, VROUTER_TRACE_STAGE_NEXTHOP, "the vif of nexthop %u is gone",
			    d->nh->id);
			return VROUTER_DROP_REASON_VIF_DOWN;
		}
		say(t, VROUTER_TRACE_STAGE_NEXTHOP, "nexthop %u leads to vif %u", d->nh->id,
		    d->out->id);
		return 0;
	case VROUTER_NEXTHOP_TYPE_HOST:
		say(t, VROUTER_TRACE_STAGE_NEXTHOP, "nexthop %u leads to the node", d->nh->id);
		return 0;
	case VROUTER_NEXTHOP_TYPE_VRF:
		d->vrf = rcu_dereference(d->nh->vrf);
		if (!d->vrf)
			return VROUTER_DROP_REASON_NO_ROUTE;
		say(t, VROUTER_TRACE_STAGE_NEXTHOP, "nexthop %u leads to VRF %u", d->nh->id,
		    d->vrf->id);
		*more = true;
		return find_route(pkt, d, t);
	}
	g = rcu_dereference(d->nh->group);
	m = vr_group_select(g, select_hash(pkt));
	if (!m || !rcu_access_pointer(m->nh)) {
		say(t, VROUTER_TRACE_STAGE_NEXTHOP, "nexthop %u has no member", d->nh->id);
		return VROUTER_DROP_REASON_NO_MEMBER;
	}
	d->nh = rcu_dereference(m->nh);
	*more = true;
	return 0;
}

static enum vrouter_drop_reason find_out(const struct vr_pkt *pkt, struct vr_decision *d,
					 struct vr_trace *t)
{
	enum vrouter_drop_reason why = 0;
	bool more = true;
	int hops;

	d->nh = d->member ? rcu_dereference(d->member->nh) : NULL;
	if (!d->nh)
		why = find_route(pkt, d, t);
	for (hops = 0; !why && more; hops++) {
		if (hops == 2 * VR_MAX_VRF_HOPS) {
			say(t, VROUTER_TRACE_STAGE_NEXTHOP, "VRFs lead to one another in a circle");
			return VROUTER_DROP_REASON_VRF_LOOP;
		}
		why = follow(pkt, d, t, &more);
	}
	return why;
}

static enum vrouter_drop_reason check_hairpin(const struct vr_pkt *pkt, struct vr_decision *d,
					      struct vr_trace *t)
{
	if (d->out != pkt->vif)
		return 0;
	if (d->vip) {
		d->hairpin = true;
		return 0;
	}
	say(t, VROUTER_TRACE_STAGE_NEXTHOP, "it would leave where it came from");
	return VROUTER_DROP_REASON_HAIRPIN_LOOP;
}

static enum vrouter_drop_reason to_gateway(const struct vr_pkt *pkt, struct vr_decision *d,
					   struct vr_trace *t)
{
	if (is_icmp(&pkt->tuple) && is_echo_request(pkt)) {
		d->to_gateway = true;
		say(t, VROUTER_TRACE_STAGE_VERDICT, "the gateway answers the echo request");
		return 0;
	}
	say(t, VROUTER_TRACE_STAGE_VERDICT, "the gateway answers nothing but echo requests");
	return VROUTER_DROP_REASON_GATEWAY;
}

static enum vrouter_drop_reason steps(const struct vr_pkt *pkt, struct vr_decision *d,
				      struct vr_trace *t)
{
	enum vrouter_drop_reason why;

	why = check_source(pkt, t);
	if (why)
		return why;
	if (pkt->tuple.family == AF_INET6 && ipv6_addr_is_multicast(&pkt->tuple.dst.v6))
		return VROUTER_DROP_REASON_MULTICAST;
	if (vr_vrf_is_gateway(d->vrf, pkt->tuple.family, &pkt->tuple.dst))
		return to_gateway(pkt, d, t);
	why = decide_vip(pkt, d, t);
	if (why)
		return why;
	if (is_icmp(&pkt->tuple) && !is_echo_request(pkt))
		return VROUTER_DROP_REASON_ICMP_NO_FLOW;
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
	d->vrf = pkt->conf->vrf;
	d->dst = pkt->tuple.dst;
	d->dport = pkt->tuple.dport;
	d->hit_index[0] = -1;
	d->hit_index[1] = -1;
	d->reason = steps(pkt, d, t);
}
