// SPDX-License-Identifier: GPL-2.0-only
/* The dry run: what would become of a packet, told step by step. */

#include "path.h"

struct vr_trace_step *__vr_trace_step(struct vr_trace *t, u8 stage, const char *fmt, ...)
{
	struct vr_trace_step *s;
	va_list args;

	if (t->n == VR_TRACE_MAX_STEPS)
		return NULL;
	s = &t->step[t->n++];
	memset(s, 0, sizeof(*s));
	s->stage = stage;
	s->rule = -1;
	va_start(args, fmt);
	vscnprintf(s->text, sizeof(s->text), fmt, args);
	va_end(args);
	return s;
}

static const char *state_name(u8 state)
{
	static const char * const names[] = {
		[VROUTER_FLOW_STATE_NEW]		= "new",
		[VROUTER_FLOW_STATE_OPEN]		= "open",
		[VROUTER_FLOW_STATE_SYN_RECV]		= "syn-recv",
		[VROUTER_FLOW_STATE_ESTABLISHED]	= "established",
		[VROUTER_FLOW_STATE_HALF_CLOSED]	= "half-closed",
		[VROUTER_FLOW_STATE_CLOSED]		= "closed",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* A flow that is there is the answer for a packet. The trace says so, and then what would
 * be decided without it, which is what a change of policy would make of it.
 */
static void tell_flow(const struct vr_pkt *pkt, struct vr_trace *t)
{
	const struct vr_flow_side *side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);
	const struct vr_flow *f;

	if (!side) {
		vr_trace_step(t, VROUTER_TRACE_STAGE_FLOW, "no flow: this is the first packet");
		return;
	}
	f = vr_flow_of(side);
	vr_trace_step(t, VROUTER_TRACE_STAGE_FLOW,
		      "there is a flow (%s%s), this is a packet of its %s; without it:",
		      state_name(READ_ONCE(f->state)),
		      READ_ONCE(f->flags) & VR_FLOW_REFUSED ? ", refused" : "",
		      side->dir == VR_ORIG ? "opener" : "responder");
}

static void tell_verdict(const struct vr_decision *d, struct vr_trace *t)
{
	struct vr_trace_step *s;

	if (d->reason)
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "dropped, %s: %s",
				  vr_drop_name(d->reason), vr_drop_help(d->reason));
	else if (d->to_gateway)
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "answered by the gateway");
	else if (d->out)
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "delivered to vif %u (%s)",
				  d->out->id,
				  rcu_dereference(d->out->conf)->label ?: "no label");
	else
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "delivered to the node");
	if (!s)
		return;
	s->reason = d->reason;
	s->vif = d->out && !d->reason ? d->out->id : 0;
}

static void run(const struct vr_pkt *pkt, struct vr_trace *t, struct vr_trace_result *res)
{
	struct vr_decision d = {};

	tell_flow(pkt, t);
	vr_decide(pkt, &d, t);
	tell_verdict(&d, t);

	res->reason = d.reason;
	res->final = pkt->tuple;
	res->final.port = 0;
	res->final.dst = d.dst;
	res->final.dport = d.dport;
	res->final.src = d.src;
	res->vif_out = d.out && !d.reason ? d.out->id : 0;
}

/* A TCP packet is a SYN, one of ICMP an echo request. */
int vr_trace_run(struct vr_net *vn, const struct vr_tuple *tuple, struct vr_trace *t,
		 struct vr_trace_result *res)
{
	struct vr_pkt pkt = { .vn = vn, .tuple = *tuple };
	int err = -ENOENT;

	memset(res, 0, sizeof(*res));
	if (vr_proto_is_icmp(tuple->proto)) {
		pkt.icmp_type = vr_echo_request(tuple->family);
		pkt.tuple.dport = tuple->sport;
	}
	/* affinity is looked up as packets do it */
	rcu_read_lock_bh();
	rcu_read_lock();
	pkt.vif = vr_vif_rcu(vn, tuple->port);
	if (pkt.vif) {
		pkt.gen = vr_net_gen(vn);
		pkt.conf = rcu_dereference(pkt.vif->conf);
		run(&pkt, t, res);
		err = 0;
	}
	rcu_read_unlock();
	rcu_read_unlock_bh();
	return err;
}
