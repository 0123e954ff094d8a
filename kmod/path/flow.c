// SPDX-License-Identifier: GPL-2.0-only
/* A flow's packet, and a packet's flow: what a hit writes, and how a flow is made. */

#include <linux/random.h>
#include <linux/sctp.h>

#include "path.h"

/* This is all that an established packet writes. Packets of one direction come by one
 * CPU at a time as a rule; where they do not, some go uncounted.
 */
static void count_packet(const struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	const struct vr_nexthop *nh = READ_ONCE(f->nh[dir]);
	u32 now = (u32)jiffies;

	WRITE_ONCE(f->side[dir].packets, f->side[dir].packets + 1);
	WRITE_ONCE(f->bytes[dir], f->bytes[dir] + pkt->tot_len);
	if (READ_ONCE(f->last_used) != now)
		WRITE_ONCE(f->last_used, now);

	if (nh)
		vr_count_tx(nh->counters, pkt->tot_len);
	if (f->member) {
		if (dir == VR_ORIG)
			vr_count_rx(f->member->counters, pkt->tot_len);
		else
			vr_count_tx(f->member->counters, pkt->tot_len);
	}
}

void vr_flow_later(const struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	count_packet(pkt, f, dir);
}

/* An echo request of the responder with the same identifier is no reply, and a reply
 * of the opener is none to it.
 */
static bool is_echo_of(const struct vr_pkt *pkt, int dir)
{
	return (pkt->icmp_type == vr_echo_request(pkt->tuple.family)) == (dir == VR_ORIG);
}

enum vrouter_drop_reason vr_flow_hit(struct vr_pkt *pkt, struct vr_flow *f, int dir)
{
	enum vrouter_drop_reason why;

	if (pkt->tuple.proto == IPPROTO_TCP) {
		if (unlikely(vr_tcp_reopens(pkt, f))) {
			vr_flow_kill(pkt->vn, f);
			return VR_DECIDE_ANEW;
		}
		why = vr_tcp_hit(pkt, f, dir);
		if (unlikely(why))
			return why;
	} else {
		if (unlikely(vr_proto_is_icmp(pkt->tuple.proto) && !is_echo_of(pkt, dir)))
			return VROUTER_DROP_REASON_ICMP_NO_FLOW;
		/* the node's replies do not pass here: there a second packet has to do */
		if (unlikely(READ_ONCE(f->state) == VROUTER_FLOW_STATE_NEW &&
			     (dir == VR_REPLY || !f->vif[VR_REPLY])))
			vr_flow_move_state(pkt->vn, f, VROUTER_FLOW_STATE_NEW,
					   VROUTER_FLOW_STATE_OPEN);
	}
	count_packet(pkt, f, dir);
	return VROUTER_DROP_REASON_NONE;
}

/* --- new flows ------------------------------------------------------------ */

/* What the responder's packets look like as they enter. To a pod that reaches itself
 * its peer is the service, so the reply goes there.
 */
static struct vr_tuple reply_tuple(const struct vr_pkt *pkt, const struct vr_decision *d)
{
	return (struct vr_tuple) {
		.port	= d->out ? d->out->id : 0,
		.family	= pkt->tuple.family,
		.proto	= pkt->tuple.proto,
		.sport	= d->dport,
		.dport	= d->sport,
		.src	= d->dst,
		.dst	= d->src,
	};
}

#define PORT_ATTEMPTS	128
#define PRIVILEGED	1024	/* ports below it */

/* The source's port: any of these that is free towards this destination (RFC 6056: at random),
 * so that ports are used again for others. ICMP has the identifier instead, in both places.
 */
static bool find_port(struct vr_pkt *pkt, struct vr_decision *d, u16 min, u16 max)
{
	u32 n = max - min + 1, at = reciprocal_scale(get_random_u32(), n);
	struct vr_tuple reply;
	unsigned int i;

	for (i = 0; i < PORT_ATTEMPTS && i < n; i++, at = (at + 1) % n) {
		d->sport = htons(min + at);
		if (vr_proto_is_icmp(pkt->tuple.proto))
			d->dport = d->sport;
		reply = reply_tuple(pkt, d);
		if (!vr_flow_lookup_rcu(pkt->vn, &reply))
			return true;
	}
	return false;
}

static bool choose_port(struct vr_pkt *pkt, struct vr_decision *d)
{
	return find_port(pkt, d, d->port_min, d->port_max);
}

/* May its source port become another one? That of ICMP is the identifier, which is in both places.
 * What an SCTP association sends to another address of its peer (RFC 9260, 5.4: a HEARTBEAT to
 * each that the peer told) has to have the association's ports, or the peer aborts it.
 */
static bool may_change_port(const struct vr_pkt *pkt)
{
	u8 buf;
	const u8 *chunk;

	if (vr_proto_is_icmp(pkt->tuple.proto))
		return false;
	if (pkt->tuple.proto != IPPROTO_SCTP)
		return true;
	chunk = skb_header_pointer(pkt->skb, pkt->l4_off + sizeof(struct sctphdr), sizeof(buf),
				   &buf);
	return chunk && *chunk == SCTP_CID_INIT;
}

/* The client's own port is in use towards this very member, by another service or without one:
 * both of them answer it from the same address. The member sees another port, as it would behind
 * kube-proxy; a privileged one stays privileged, for which servers of NFS ask.
 */
static bool change_port(struct vr_pkt *pkt, struct vr_decision *d)
{
	if (d->port_min)
		return choose_port(pkt, d);
	if (!may_change_port(pkt))
		return false;
	if (ntohs(pkt->tuple.sport) < PRIVILEGED)
		return find_port(pkt, d, PRIVILEGED / 2, PRIVILEGED - 1);
	return find_port(pkt, d, PRIVILEGED, U16_MAX);
}

static void tell_exhausted(const struct vr_decision *d, const struct vr_tuple *t)
{
	bool v4 = t->family == AF_INET;

	if (!vr_nexthop_may_tell(d->nh))
		return;
	pr_notice("vrouter: next hop " VR_NAMED " is exhausted (snat-exhausted):\n",
		  VR_NAME(d->nh->id, READ_ONCE(d->nh->label)));
	if (v4)
		pr_notice("vrouter: no free port towards %pI4 port %u\n", &d->dst,
			  ntohs(t->dport));
	else
		pr_notice("vrouter: no free port towards %pI6c port %u\n", &d->dst,
			  ntohs(t->dport));
}

static struct vr_flow *make(struct vr_pkt *pkt, const struct vr_decision *d,
			    enum vrouter_drop_reason *why)
{
	struct vr_flow *f;

	f = vr_flow_alloc(pkt->vn, pkt->vif, d->out, d->member, why);
	if (!f)
		return NULL;
	if (vr_nexthop_tryget(d->nh))
		f->nh[VR_ORIG] = d->nh;
	if (pkt->peer && vr_nexthop_tryget(pkt->peer))
		f->nh[VR_REPLY] = pkt->peer;
	f->side[VR_ORIG].tuple = pkt->tuple;
	f->side[VR_REPLY].tuple = reply_tuple(pkt, d);
	f->gen = d->gen;
	f->last_used = (u32)jiffies;
	f->vrf = pkt->conf->vrf->id;
	if (d->vip)
		f->flags |= VR_FLOW_VIP;
	if (d->port_min)
		f->flags |= VR_FLOW_SNAT;
	if (d->indirect)
		f->flags |= VR_FLOW_INDIRECT;
	if (pkt->tuple.proto == IPPROTO_TCP)
		vr_tcp_open(pkt, f);
	return f;
}

/* The reply's tuple belongs to another flow. One that is over gives way. */
static bool give_way(struct vr_pkt *pkt, const struct vr_decision *d)
{
	const struct vr_tuple reply = reply_tuple(pkt, d);
	struct vr_flow_side *side = vr_flow_lookup_rcu(pkt->vn, &reply);
	struct vr_flow *f;

	if (!side)
		return true;
	f = vr_flow_of(side);
	if (READ_ONCE(f->state) != VROUTER_FLOW_STATE_CLOSED &&
	    !(READ_ONCE(f->flags) & VR_FLOW_REFUSED))
		return false;
	vr_flow_kill(pkt->vn, f);
	return true;
}

static void count_new(struct vr_pkt *pkt, const struct vr_decision *d, struct vr_flow *f)
{
	int i;

	vr_net_count(pkt->vn, created);
	vr_count_flow(pkt->vif->counters);
	vr_count_flow(pkt->conf->vrf->counters);
	vr_count_flow(d->nh->counters);
	if (d->vip) {
		vr_count_flow(d->vip->counters);
		vr_count_flow(d->member->counters);
		if (READ_ONCE(d->vip->affinity_timeout))
			vr_affinity_set(pkt->vn, d->vip, &pkt->tuple.src, d->member);
	}
	for (i = 0; i < ARRAY_SIZE(d->hit); i++)
		if (d->hit_index[i] >= 0)
			vr_ruleset_hit(d->hit[i], d->hit_index[i]);
	count_packet(pkt, f, VR_ORIG);
	vr_event_flow(pkt->vn, f, false);
}

/* Packets that belong to a flow or to nothing. */
static enum vrouter_drop_reason may_open(const struct vr_pkt *pkt)
{
	if (pkt->tuple.proto == IPPROTO_TCP)
		return vr_tcp_open(pkt, NULL);
	if (vr_proto_is_icmp(pkt->tuple.proto) && !is_echo_of(pkt, VR_ORIG))
		return VROUTER_DROP_REASON_ICMP_NO_FLOW;
	return VROUTER_DROP_REASON_NONE;
}

/* Another CPU was first with the same tuple, or with that of the other direction. */
static enum vrouter_drop_reason join(struct vr_pkt *pkt, struct vr_flow_side **side)
{
	enum vrouter_drop_reason why;

	*side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);
	why = *side ? vr_flow_hit(pkt, vr_flow_of(*side), (*side)->dir) : VR_DECIDE_ANEW;
	/* it is over already: the sender has to try again */
	return why == VR_DECIDE_ANEW ? VROUTER_DROP_REASON_NO_MEMORY : why;
}

/* As it is, by another port, and once more when another CPU took that. */
#define INSERT_ATTEMPTS	3

enum vrouter_drop_reason vr_flow_new(struct vr_pkt *pkt, struct vr_decision *d,
				     struct vr_flow_side **side)
{
	enum vrouter_drop_reason why = may_open(pkt);
	struct vr_flow *f;
	int err, i;

	if (why)
		return why;
	if (d->port_min && !choose_port(pkt, d)) {
		tell_exhausted(d, &pkt->tuple);
		return VROUTER_DROP_REASON_SNAT_EXHAUSTED;
	}
	for (i = 0; i < INSERT_ATTEMPTS; i++) {
		f = make(pkt, d, &why);
		if (!f)
			return why;
		err = vr_flow_insert(pkt->vn, f);
		if (err != -EADDRINUSE || (!give_way(pkt, d) && !change_port(pkt, d)))
			break;
	}
	if (err == -EEXIST)
		return join(pkt, side);
	if (err)
		return err == -EADDRINUSE ? VROUTER_DROP_REASON_FLOW_CLASH :
					    VROUTER_DROP_REASON_NO_MEMORY;
	count_new(pkt, d, f);
	*side = &f->side[VR_ORIG];
	return VROUTER_DROP_REASON_NONE;
}
